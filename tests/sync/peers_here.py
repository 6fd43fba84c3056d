"""Two devices of one network for the tests of their conversation, and an answerer that says back what it hears."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from abasto.journal.signing import Device, text_of
from abasto.sync.peer import Asking, Host

NETWORK = text_of(bytes(range(32)))
OTHER_NETWORK = text_of(bytes(range(1, 33)))


@dataclass
class Echo:
    """Answers a question with its name, its checksum and itself; `heard` is what it was asked."""

    name: str = "echo"
    heard: list[bytes] = field(default_factory=list)

    def answer(self, question: bytes) -> bytes:
        self.heard.append(question)
        return b"%s %08x " % (self.name.encode(), zlib.crc32(question)) + question


@dataclass
class Pair:
    """An asking and an answering device, with what the answering one expects and holds; tests change it."""

    asking: Device = field(default_factory=lambda: Device(b"\1" * 32))
    answering: Device = field(default_factory=lambda: Device(b"\2" * 32))
    expected: set[str] = field(default_factory=set)
    network: str = NETWORK
    echo: Echo = field(default_factory=Echo)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.expected.add(self.asking.key)
        self.host = self.new_host()

    def new_host(self) -> Host:
        """Return the answering device as it begins, without a session."""
        return Host(
            self.answering,
            network=lambda: self.network,
            may=self.expected.__contains__,
            answering=lambda key: self.echo.answer,
            clock=lambda: self.now,
        )

    def ask(self, carry: Callable[[bytes], bytes] | None = None, *, network: str = NETWORK) -> Asking:
        """Return the asking side over a carrier, by default one that brings everything at once."""
        return Asking(carry or (lambda message: self.host.handle(message)), self.asking, key=self.answering.key,
                      network=network)  # fmt: skip


def every_bit(message: bytes, *, step: int = 1) -> Iterator[bytes]:
    """Yield a message with one bit changed, for every bit or every so many."""
    for bit in range(0, 8 * len(message), step):
        changed = bytearray(message)
        changed[bit // 8] ^= 1 << (bit % 8)
        yield bytes(changed)
