"""The pages are true: the tutorial runs, format and commands are complete, the site loads nothing from outside."""

from __future__ import annotations

import doctest
import html.parser
import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import ModuleType
from unittest import mock

import pytest

from abasto.cli import COMMANDS, main
from abasto.network import TABLES, TableSchema
from abasto.planner.plan import PLAN_TABLES, PlanTable

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
TUTORIALS = ("tutorial.md", "month.md")
OUTPUT_RULES = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, the name of the file it shows, its text, and the line it starts on."""

    language: str
    file: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    for match in re.finditer(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', page, re.MULTILINE | re.DOTALL):
        yield Block(match[1], match[2] or "", match[3], page[: match.start()].count("\n") + 2)


def console_steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block, a line that starts with `$ `, and the output that should follow it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command, expected


def terminal() -> dict[str, str]:
    """Return the environment of a plain terminal of 100 columns in which `abasto` is this environment's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "PYTEST"))}
    path = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return {**kept, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "PYTHONIOENCODING": "utf-8"}


def printed(arguments: Sequence[str], environment: dict[str, str]) -> tuple[int, str]:
    """Return the exit code and what is printed, in this process: the program starts longer than most commands run."""
    out, err = io.StringIO(), io.StringIO()
    with mock.patch.dict(os.environ, environment, clear=True), redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue() + err.getvalue()


def run_console(block: Block, folder: Path, page: str, exported: dict[str, str]) -> None:
    """Run the commands of a block as a shell would; what `export` sets holds for those that follow."""
    for command, expected in console_steps(block.text):
        if command.startswith("abasto "):
            _, *arguments = shlex.split(Template(command).substitute(exported))
            _, shown = printed(arguments, terminal() | exported)
            _check(command, expected, shown, f"{page} line {block.line}")
            continue
        exports = re.match(r"export (\w+)=", command)
        run = subprocess.run(
            f'{command} && printf %s "${exports[1]}"' if exports else command,
            shell=True,
            cwd=folder,
            env=terminal() | exported,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        if exports:
            assert run.stdout, f"{page} line {block.line}: $ {command}\nexports nothing: {run.stderr}"
            exported[exports[1]] = run.stdout
            continue
        _check(command, expected, run.stdout + run.stderr, f"{page} line {block.line}")


def _check(command: str, expected: str, shown: str, where: str) -> None:
    matches = doctest.OutputChecker().check_output(expected, shown, OUTPUT_RULES)
    assert matches, f"{where}: $ {command}\nshould print\n{expected}\nbut printed\n{shown}"


def run_python(block: Block, names: dict[str, object], page: str) -> None:
    """Run a Python block: plain code as it is, `>>>` lines as a doctest."""
    if ">>>" not in block.text:
        exec(compile(block.text, f"{page}:{block.line}", "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(block.text, names, page, page, block.line - 1)
    failures: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OUTPUT_RULES)
    runner.run(test, out=failures.append, clear_globs=False)
    names.update(test.globs)
    assert not failures, "".join(failures)


@pytest.mark.parametrize("page", TUTORIALS)
def test_every_step_of_the_tutorial_does_what_it_says(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exported: dict[str, str] = {}
    ran = 0
    for block in blocks((DOCS / page).read_text(encoding="utf-8")):
        if block.language == "console":
            run_console(block, tmp_path, page, exported)
        elif block.language == "python":
            run_python(block, names, page)
        elif block.file:
            (tmp_path / block.file).parent.mkdir(exist_ok=True)
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        else:
            continue
        ran += 1
    assert ran >= 10


def script(name: str) -> ModuleType:
    """Import a file of scripts/, which is no package."""
    spec = importlib.util.spec_from_file_location(f"scripts_{name}", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_format_page_is_the_one_that_the_schema_generates() -> None:
    page = (DOCS / "format.md").read_text(encoding="utf-8")
    assert script("make_docs").format_page(page) == page, "renew it with: uv run scripts/make_docs.py"


def section(page: str, heading: str) -> str:
    """Return what stands below a third-level heading, up to the next heading."""
    match = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    assert match is not None, f"there is no section {heading!r}"
    return match[1]


@pytest.mark.parametrize("table", [*TABLES, *PLAN_TABLES], ids=lambda table: table.name)
def test_format_page_explains_every_column(table: TableSchema | PlanTable) -> None:
    text = section((DOCS / "format.md").read_text(encoding="utf-8"), table.name)
    for column in table.columns:
        assert re.search(rf"^\| (\*\*)?{column.name}(\*\*)? \| \S", text, re.MULTILINE), column.name


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) - {"--help", "--version"}


def test_commands_page_has_exactly_the_commands_there_are() -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## abasto (\w+)", page, re.MULTILINE)) == set(COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_commands_page_explains_exactly_the_options_of(command: str) -> None:
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    match = re.search(rf"^## abasto {command}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert match is not None
    explained = set(re.findall(r"^\| `(--[a-z-]+)[^|]*\| \S", match[1], re.MULTILINE))
    code, shown = printed([command, "--help"], terminal())
    assert (code, options_in(shown)) == (0, explained)


def test_every_command_that_a_page_names_exists() -> None:
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    named = {
        word
        for page in pages
        for word in re.findall(r"(?:`|^\$ |uv run )abasto ([a-z]\w*)", page.read_text("utf-8"), re.M)
    }
    assert "plan" in named
    assert named <= set(COMMANDS)


class Fetched(html.parser.HTMLParser):
    """Collect the addresses from which a page loads something by itself; links that a reader may follow are none."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        loads = values.get("src") or (
            values.get("href") if tag == "link" and values.get("rel") != "canonical" else None
        )
        if loads and re.match(r"(https?:)?//", loads):
            self.addresses.append(loads)


def test_pages_build_without_a_warning_and_load_nothing_from_outside(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    run = subprocess.run(build, cwd=ROOT, env=terminal(), capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) >= len(list(DOCS.rglob("*.md")))
    for page in pages:
        parser = Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.addresses == [], page.name
