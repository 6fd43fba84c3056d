"""A program that has loaded the room and forks a process for each one that a test asks for.

    python -m tests.room.nursery

reads a line of JSON for each: `arguments` of the command line, `environment`, and `said`, the file for what it prints.
It answers with the process's number, and writes the exit code into `said` + `.code`. A room that starts by itself loads
for more than a second, a hundred times in these tests; what runs is the same command, in a process of its own.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import NoReturn

__all__ = ["Forked"]

LOOKS_EVERY_S = 0.02


class Forked:
    """A process of the nursery, with the methods of `subprocess.Popen` that the tests use."""

    def __init__(self, arguments: list[str], *, environment: dict[str, str], said: Path) -> None:
        self._said = said
        self._code = said.with_name(f"{said.name}.code")
        said.write_text("")
        self._code.unlink(missing_ok=True)
        nursery = _nursery()
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        asked = {"arguments": arguments, "environment": environment, "said": str(said)}
        nursery.stdin.write(f"{json.dumps(asked)}\n")
        nursery.stdin.flush()
        self.pid = int(nursery.stdout.readline())

    def first_line(self) -> str:
        """Return the first line that the process prints."""
        while "\n" not in (said := self._said.read_text("utf-8")):
            assert self.poll() is None, said
            time.sleep(LOOKS_EVERY_S)
        return said.partition("\n")[0]

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        code = self._code.read_text() if self._code.exists() else ""
        return int(code) if code.endswith("\n") else None

    def wait(self, timeout: float) -> int:
        """Return the exit code once it has ended."""
        until = time.monotonic() + timeout
        while (code := self.poll()) is None:
            assert time.monotonic() < until, "the process does not end"
            time.sleep(LOOKS_EVERY_S)
        return code

    def terminate(self) -> None:
        """End the process as its user would."""
        os.kill(self.pid, 15)

    def kill(self) -> None:
        """Kill the process."""
        os.kill(self.pid, 9)


@cache
def _nursery() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.room.nursery"]
    folder = Path(__file__).parents[2]
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """Fork what is asked for until nobody asks any more."""
    import abasto.cli_serve
    import abasto.room.serve  # noqa: F401  (loaded here so that its forks need not)

    running: dict[int, str] = {}
    while True:
        asked = b""
        if select.select([0], [], [], LOOKS_EVERY_S)[0] and not (asked := sys.stdin.buffer.raw.readline()):
            return
        if asked:
            room = json.loads(asked)
            pid = os.fork()
            if pid == 0:
                _run(room["arguments"], room["environment"], room["said"])
            running[pid] = room["said"]
            print(pid, flush=True)
        for pid, said in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[pid]
                Path(f"{said}.code").write_text(f"{os.waitstatus_to_exitcode(status)}\n")


def _run(arguments: list[str], environment: dict[str, str], said: str) -> NoReturn:
    """Become the process that was asked for."""
    from abasto.cli import main as abasto

    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(said, os.O_WRONLY | os.O_APPEND), 1)
    os.environ.clear()
    os.environ.update(environment)
    code = 70
    try:
        code = abasto(arguments)
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
