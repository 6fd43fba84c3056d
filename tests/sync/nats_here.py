"""Real NATS servers on loopback: one, or a cluster of three that keep a stream in three copies."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("nats-server")


def free_ports(count: int) -> list[int]:
    """Return ports that were free just now, and that the system gives to nobody who does not name them."""
    ports: list[int] = []
    with ExitStack() as taken:
        while len(ports) < count:
            port = secrets.choice(range(20_000, 30_000))
            with suppress(OSError):
                taken.enter_context(socket.create_server(("127.0.0.1", port)))
                ports.append(port)
    return ports


@dataclass
class Servers:
    """So many servers in one cluster, each with JetStream in a folder of its own; `stop` ends them."""

    folder: Path
    count: int = 3
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        ports = free_ports(2 * self.count)
        self.ports, self.routes = ports[: self.count], ports[self.count :]
        for number in range(self.count):
            self.folder.joinpath(f"{number}.conf").write_text(self._settings(number), encoding="utf-8")
            self.processes.append(self._start(number))

    @property
    def address(self) -> str:
        return ",".join(f"nats://127.0.0.1:{port}" for port in self.ports)

    def _settings(self, number: int) -> str:
        """Return the settings that docs/peers.md shows."""
        store = (self.folder / f"store{number}").as_posix()
        own = f"""
            server_name: abasto-{number}
            listen: "127.0.0.1:{self.ports[number]}"
            jetstream {{ store_dir: "{store}", sync_interval: always, max_file_store: 1GB }}
        """
        if self.count == 1:
            return own
        routes = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in self.routes)
        return (
            own
            + f"""
            cluster {{ name: abasto, listen: "127.0.0.1:{self.routes[number]}", routes: [{routes}] }}
        """
        )

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        log = self.folder / f"{number}.log"
        return subprocess.Popen([PROGRAM, "-c", self.folder / f"{number}.conf", "-l", log])

    def kill(self, number: int) -> None:
        """Kill a server as a power failure would."""
        self.processes[number].kill()
        self.processes[number].wait(timeout=60)

    def start_again(self, number: int) -> None:
        self.processes[number] = self._start(number)

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(timeout=60)
