"""The project around the code: pins, fragments, public names, what git tracks, and a clean clone."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import abasto

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(abasto.__file__).parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FRAGMENT_KINDS = {kind["directory"] for kind in PYPROJECT["tool"]["towncrier"]["type"]}
MARKER = r"[a-z_]+ (<|>=|==|!=) '[^']+'"
PIN = re.compile(rf"([a-z0-9][a-z0-9.-]*)==[0-9][0-9a-z.]*( ; {MARKER}( and {MARKER})*)?")


def git(*arguments: str, folder: Path = ROOT) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("table", ["constraint-dependencies", "build-constraint-dependencies"])
def test_pins_are_exact_sorted_and_carry_no_address(table: str) -> None:
    pins = PYPROJECT["tool"]["uv"][table]
    assert pins == sorted(pins)
    for pin in pins:
        assert PIN.fullmatch(pin), pin


def test_every_dependency_that_is_asked_for_is_pinned() -> None:
    project, groups = PYPROJECT["project"], PYPROJECT["dependency-groups"]
    asked = [*project["dependencies"], *(line for group in groups.values() for line in group)]
    names = {re.split(r"[\s><=!~;\[]", line)[0].lower().replace("_", "-") for line in asked}
    pinned = {pin.split("==")[0] for pin in PYPROJECT["tool"]["uv"]["constraint-dependencies"]}
    assert len(names) > 10
    assert names - pinned == set(), "pin them with: uv run scripts/pin.py"


def repository_check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "check_repository.py"), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def test_tracked_files_carry_no_lock_no_unknown_host_and_no_machine_path() -> None:
    check = repository_check(ROOT)
    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("uv.lock", "", "uv.lock: is tracked"),
        ("notes.md", "see https:" + "//mirror.invalid/simple", "notes.md row 1: names the host mirror.invalid"),
        ("a.toml", '\nindex = "http:' + '//user:word@10.0.0.1:8080/x"', "a.toml row 2: names the host 10.0.0.1"),
        ("run.sh", "cd /" + "home/somebody/abasto", "run.sh row 1: names a path of one machine"),
    ],
)
def test_repository_check_finds_what_must_not_be_tracked(tmp_path: Path, name: str, text: str, complaint: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    git("init", "--quiet", folder=tmp_path)
    git("add", "--force", name, folder=tmp_path)
    check = repository_check(tmp_path)
    assert check.returncode == 1
    assert complaint in check.stdout


def fragments() -> list[Path]:
    return sorted(path for path in (ROOT / "changes").glob("*") if path.name not in ("template.md", ".gitkeep"))


def test_every_fragment_is_named_by_kind_and_says_something_in_one_paragraph() -> None:
    for path in fragments():
        assert re.fullmatch(rf"[a-z0-9+-]+\.({'|'.join(sorted(FRAGMENT_KINDS))})\.md", path.name), path.name
        text = path.read_text(encoding="utf-8")
        assert text.strip(), path.name
        assert text.strip().endswith("."), f"{path.name}: a fragment is a sentence"
        assert "\n\n" not in text.strip(), f"{path.name}: a fragment is one paragraph"


def test_changelog_takes_up_every_fragment() -> None:
    build = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "next"]
    run = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("\n- ") == len(fragments())


def modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages([str(PACKAGE)], "abasto.")]
    return ["abasto", *sorted(name for name in found if not name.endswith("__main__"))]


def declared_names(path: Path) -> list[str] | None:
    """Return what a source file lists in `__all__`, read from its text."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


@pytest.mark.parametrize("name", modules())
def test_public_names_are_sorted_and_exist(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    names = declared_names(Path(module.__file__))
    if names is None:
        assert name not in ("abasto", "abasto.network", "abasto.tables", "abasto.planner.plan")
        return
    assert names == sorted(set(names), key=lambda word: (not word.isupper(), word.islower(), word))
    for public in names:
        assert hasattr(module, public), public


def test_every_module_says_in_its_first_line_which_idea_it_holds() -> None:
    for path in PACKAGE.rglob("*.py"):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert docstring, path.relative_to(PACKAGE)


def test_wheel_holds_everything_that_the_package_has(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    run = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("abasto/")}
    sources = {path for path in git("ls-files", "src/abasto").split("\n") if path}
    assert {path.removeprefix("src/") for path in sources if (ROOT / path).exists()} <= packed
    assert "abasto/py.typed" in packed


@pytest.mark.soak
def test_the_two_commands_work_in_a_clean_clone_with_an_empty_cache(tmp_path: Path) -> None:
    uv = shutil.which("uv")
    assert uv is not None, "install it with: pip install uv"
    clone = tmp_path / "abasto"
    git("clone", "--quiet", str(ROOT), str(clone), folder=tmp_path)
    environment = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment |= {"UV_CACHE_DIR": str(tmp_path / "cache"), "NUMBA_CACHE_DIR": str(tmp_path / "numba")}

    def run(*command: str) -> str:
        done = subprocess.run(
            [uv, "run", *command],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=1200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("abasto", "demo")
    pages = [page.read_text(encoding="utf-8") for page in (clone / "abasto-demo").rglob("*.html")]
    assert len(pages) == 1
    assert "</html>" in pages[0]
    assert list((clone / "abasto-demo").rglob("coverage.csv"))
    # That all tests pass is shown by the run that this one belongs to; a clean clone has to find and import them.
    assert "test_project.py" in run("pytest", "--collect-only", "--quiet", "-n", "0")
    assert git("status", "--porcelain", folder=clone) == ""
