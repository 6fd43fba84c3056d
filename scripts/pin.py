"""Pin every dependency: resolve pyproject.toml afresh and write the exact versions into its `[tool.uv]` table.

The pins are constraints and carry no addresses and no hashes, so that they hold with whatever mirror a machine uses;
`uv.lock` does carry addresses and is therefore ignored by git.

usage: uv run scripts/pin.py
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
TABLE = re.compile(r"^\[tool\.uv\]\n.*?(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
PIN = re.compile(r"^[a-z0-9._-]+==\S+( ; .+)?$")


def resolve(requirements: Path, lowest_python: str, *, groups: tuple[str, ...] = ()) -> list[str]:
    """Return exact pins for what a pyproject.toml or requirements.in asks for, on every platform and Python from
    `lowest_python` on, sorted.
    """
    command = ["uv", "pip", "compile", "--universal", "--upgrade", "--quiet", "--no-header", "--no-annotate"]
    command += ["--no-emit-index-url", "--no-emit-find-links", f"--python-version={lowest_python}"]
    if requirements.suffix == ".toml":
        command += ["--all-extras", *(f"--group={group}" for group in groups)]
    run = subprocess.run([*command, requirements.name], cwd=requirements.parent, capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f"uv could not resolve {requirements.name}; loosen a bound in pyproject.toml:\n{run.stderr}")
    pins = sorted(run.stdout.splitlines())
    strange = [line for line in pins if not PIN.fullmatch(line)]
    if strange:
        raise SystemExit(f"uv printed {strange[0]!r}, which is no exact pin; nothing was written")
    return pins


def toml_list(name: str, values: list[str]) -> str:
    """Return a TOML list, one value a line.

    >>> print(toml_list("pins", ["a==1 ; python_full_version < '3.12'"]))
    pins = [
        "a==1 ; python_full_version < '3.12'",
    ]
    """
    lines = "".join(f"    {json.dumps(value)},\n" for value in values)
    return f"{name} = [\n{lines}]"


def pinned(text: str) -> str:
    """Return the text of a pyproject.toml with its `[tool.uv]` table resolved afresh."""
    free = TABLE.sub("", text)
    content = tomllib.loads(free)
    lowest_python = content["project"]["requires-python"].removeprefix(">=")
    with tempfile.TemporaryDirectory() as folder:
        # Resolved outside the project: inside it, uv would hold on to the pins that are to be renewed.
        project = Path(folder) / "pyproject.toml"
        project.write_text(free, encoding="utf-8")
        run_pins = resolve(project, lowest_python, groups=tuple(content["dependency-groups"]))
        build = Path(folder) / "build.in"
        build.write_text("\n".join(content["build-system"]["requires"]), encoding="utf-8")
        build_pins = resolve(build, lowest_python)
    comment = "# Written by scripts/pin.py: exact versions of everything, without addresses.\n"
    table = f"[tool.uv]\n{comment}{toml_list('constraint-dependencies', run_pins)}\n"
    table += f"{toml_list('build-constraint-dependencies', build_pins)}\n"
    return f"{free.rstrip()}\n\n{table}"


def main() -> None:
    """Write the pins and say what changed."""
    before = PYPROJECT.read_text(encoding="utf-8")
    after = pinned(before)
    PYPROJECT.write_text(after, encoding="utf-8")
    old, new = ({line for line in text.splitlines() if "==" in line} for text in (before, after))
    for line in sorted(old - new):
        print(f"- {line.strip()}")
    for line in sorted(new - old):
        print(f"+ {line.strip()}")
    print(f"{len(old & new)} pins kept, {len(new - old)} new")


if __name__ == "__main__":
    main()
