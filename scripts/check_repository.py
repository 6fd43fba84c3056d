"""Check what is tracked by git: no lock file, no address outside the list below, no path of anyone's machine.

usage: uv run scripts/check_repository.py [ROOT]
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

KNOWN_HOSTS = {
    "creativecommons.org": "the licence of the town data",
    "www.geonames.org": "attribution of the town data",
    "doi.org": "literature",
    "age-encryption.org": "the format that bundles are sealed in",
    "pyvrp.org": "the solver of routes",
    "example.org": "reserved for examples",
    "one.example": "reserved for examples",
    "two.example": "reserved for examples",
    "three.example": "reserved for examples",
    "x": "a text in the tests that looks like an address",
    "localhost": "this machine",
    "127.0.0.1": "this machine",
    "www.w3.org": "names of XML vocabularies",
}
"""Hosts that a tracked file may name, and why. Package mirrors never are: what is fetched from where is each machine's
own setting.
"""

ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://(?:[^\s/@\"'<>]*@)?\[?([A-Za-z0-9.-]+)")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w[^\s\"'`]*")
LOCK_FILES = ("uv.lock", "poetry.lock", "Pipfile.lock", "package-lock.json")


def tracked(root: Path) -> list[str]:
    """Return the paths that git tracks below `root`."""
    run = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True)
    return [path for path in run.stdout.split("\0") if path and (root / path).is_file()]


def complaints(path: str, text: str) -> Iterator[str]:
    """Yield what is wrong with a tracked file, by line.

    >>> list(complaints("a.md", "see https://example.org/x"))
    []
    """
    for number, line in enumerate(text.splitlines(), start=1):
        for match in ADDRESS.finditer(line):
            host = match[1].lower().rstrip(".")
            if host not in KNOWN_HOSTS:
                yield f"{path} row {number}: names the host {host}; remove it, or add it to KNOWN_HOSTS with its reason"
        for match in MACHINE_PATH.finditer(line):
            yield f"{path} row {number}: names a path of one machine, {match[0]}; use a relative path"


def check(root: Path) -> list[str]:
    """Return everything that is wrong with the files tracked below `root`."""
    found = []
    for path in tracked(root):
        if Path(path).name in LOCK_FILES:
            found.append(f"{path}: is tracked; lock files carry addresses, pins live in pyproject.toml")
            continue
        content = (root / path).read_bytes()
        if b"\0" not in content:  # a picture or a workbook is no text
            found += complaints(path, content.decode("utf-8", errors="replace"))
    return found


def main() -> int:
    """Print every complaint; exit 1 if there is one."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found = check(root)
    for complaint in found:
        print(complaint)
    if not found:
        print(f"{len(tracked(root))} tracked files name no unknown host, no machine's path and no lock file")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
