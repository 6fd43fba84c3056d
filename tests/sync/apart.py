"""Machines of their own for tests: network namespaces with a switch between them, whose cables can be pulled."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import pytest

IP = shutil.which("ip") or "/usr/sbin/ip"
PATIENCE = 120.0
"""Seconds until what a test waits for is given up; nothing is ever waited for that long on a machine that is idle."""


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Return as soon as something has happened."""
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until, f"it never happened: {what}"
        time.sleep(0.02)


class Apart:
    """A switch, and machines that a cable joins to it: `address` of each, a `Popen` on one, and cables that `pull` out.

    Use it in a `with`: at its end all that was started is killed and all that was made is taken down, also after a
    failure. Skips the test where namespaces cannot be made.
    """

    def __init__(self, *machines: str) -> None:
        self.machines = machines
        self._mark = secrets.token_hex(3)
        self._left = ExitStack()

    def __enter__(self) -> Apart:
        if not Path(IP).exists() or os.geteuid() != 0:
            pytest.skip("network namespaces need root and the program `ip`; the same exchanges run over loopback")
        try:
            self._make()
        except subprocess.CalledProcessError as error:
            self._left.close()
            pytest.skip(f"no network namespaces here ({error.stderr.strip()}); the same exchanges run over loopback")
        except BaseException:
            self._left.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.close()

    def address(self, machine: str) -> str:
        """Return the address of a machine; that of the switch is `""`'s."""
        return f"10.77.0.{1 if not machine else 2 + self.machines.index(machine)}"

    def start(self, machine: str, command: Sequence[object], **options: object) -> subprocess.Popen[str]:
        """Start a program on a machine, or on the switch (`""`)."""
        within = [IP, "netns", "exec", self._space(machine), *map(str, command)]
        process: subprocess.Popen[str] = subprocess.Popen(within, text=True, **options)  # type: ignore[call-overload]
        self._left.callback(_end, process)
        return process

    def pull(self, machine: str) -> None:
        """Pull out the cable of a machine."""
        _ip("-n", self._space(""), "link", "set", f"to-{machine}", "down")

    def plug(self, machine: str) -> None:
        """Put the cable of a machine back."""
        _ip("-n", self._space(""), "link", "set", f"to-{machine}", "up")

    def sent_again(self, machine: str) -> int:
        """Return how many segments a machine had to send again as nobody answered."""
        snmp = _ip("netns", "exec", self._space(machine), "cat", "/proc/net/snmp")
        names, values = (line.split() for line in snmp.splitlines() if line.startswith("Tcp:"))
        return int(values[names.index("RetransSegs")])

    def _space(self, machine: str) -> str:
        return f"abasto-{self._mark}-{machine or 'switch'}"

    def _make(self) -> None:
        for machine in ("", *self.machines):
            _ip("netns", "add", self._space(machine))
            self._left.callback(_ip, "netns", "delete", self._space(machine))
            _ip("-n", self._space(machine), "link", "set", "lo", "up")
        switch = self._space("")
        _ip("-n", switch, "link", "add", "switch", "type", "bridge")
        _ip("-n", switch, "address", "add", f"{self.address('')}/24", "dev", "switch")
        _ip("-n", switch, "link", "set", "switch", "up")
        for machine in self.machines:
            there = self._space(machine)
            _ip("-n", switch, "link", "add", f"to-{machine}", "type", "veth", "peer", "name", "net", "netns", there)
            _ip("-n", switch, "link", "set", f"to-{machine}", "master", "switch", "up")
            _ip("-n", there, "address", "add", f"{self.address(machine)}/24", "dev", "net")
            _ip("-n", there, "link", "set", "net", "up")


def _ip(*arguments: str) -> str:
    return subprocess.run([IP, *arguments], check=True, capture_output=True, text=True, timeout=PATIENCE).stdout


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait(timeout=PATIENCE)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
