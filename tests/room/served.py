"""A room in a process of its own, and desks that sit at it, for the tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from tests.room.nursery import Forked

import abasto
from abasto.cli import main
from abasto.journal.home import Home
from abasto.state.fold import fold
from abasto.state.state import State

DAY = "2027-03-01"
"""The first day of the neighbourhood's tables."""


@dataclass
class Served:
    """A room that runs in a process of its own on `home`: `url` is its address, `code` opens it once.

    `is_forked` says that the process is one of the nursery, which is there at once.
    """

    home: Path
    day: str = DAY
    port: int = 0
    options: tuple[str, ...] = ()
    url: str = ""
    code: str = ""
    is_forked: bool = hasattr(os, "fork")
    process: subprocess.Popen[str] | Forked | None = field(default=None, repr=False)

    def __enter__(self) -> Served:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the process unless it has ended, and hold to it that it ends well."""
        assert self.process is not None
        if self.process.poll() is None:
            assert self.stop() == 0

    def start(self) -> None:
        """Start the process, on the port it had before."""
        arguments = ["serve", "--home", str(self.home), "--date", self.day, "--port", str(self.port), *self.options]
        environment = os.environ | {"PYTHONUTF8": "1"}
        if self.is_forked:
            said = self.home.with_name(f"{self.home.name}.said")
            self.process = Forked(arguments, environment=environment, said=said)
            line = self.process.first_line()
        else:
            command = [sys.executable, "-m", "abasto", *arguments]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
            assert self.process.stdout is not None
            line = self.process.stdout.readline()
        found = re.search(r"(https?://\S+:(\d+))/enter\?code=(\S+)", line)
        assert found is not None, line
        self.url, self.port, self.code = found[1], int(found[2]), found[3]
        if self.is_forked:
            # It says its address before it can be ended in order; one that answers can.
            httpx.get(f"http://127.0.0.1:{self.port}/enter", timeout=60)

    def stop(self) -> int:
        """End the process as Ctrl-C would; return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        """Kill the process, as a power failure would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=60)

    def desk(self) -> Desk:
        """Return a desk with the code that the terminal showed; it works once."""
        return Desk(self.url, self.code)

    def state(self) -> State:
        """Return what all entries of the home come to, folded from scratch, beside the running room."""
        with Home.open(self.home, passphrase=None) as opened:
            return fold(opened.journal.read())


class Desk(httpx.Client):
    """A browser without a screen, in a session of its own; `sign` is what its forms carry."""

    def __init__(self, url: str, code: str) -> None:
        super().__init__(base_url=url, timeout=60, follow_redirects=True)
        entered = self.post("/enter", data={"code": code}, follow_redirects=False)
        assert entered.status_code == 303, entered.text
        self.sign = ""

    def form(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form as its page would."""
        if not self.sign:
            found = re.search(r'"X-CSRF": "([^"]+)"', self.get("/access").text)
            assert found is not None
            self.sign = found[1]
        return self.post(path, data={"csrf": self.sign, **fields})

    def call(self, path: str, body: Any = None) -> httpx.Response:
        """Call an operation of the API that changes something."""
        if not self.sign:
            self.form("/access")
        return self.post(path, json=body, headers={"X-CSRF": self.sign})


def neighbourhood(folder: Path) -> Path:
    """Found the bundled neighbourhood in a home without a passphrase."""
    home = folder / "casa"
    arguments = ["init", str(home), "--from", str(abasto.example_path("neighbourhood")), "--clear", "--date", DAY]
    assert main(arguments) == 0
    return home
