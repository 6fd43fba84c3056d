"""Two devices of one network for the tests of exchanges: journals in memory, and entries as hostile ones would sign."""

from __future__ import annotations

from collections.abc import Sequence

from tests.journal.contract import Pen

from abasto.facts.kinds import NoteWritten
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.journal.store import Verified
from abasto.sync.exchange import Ask
from abasto.sync.messages import Message, pack, unpack

__all__ = ["DAY", "Line", "a_journal", "filled", "ids_of", "noted", "pen_of", "replying", "two"]

DAY = "2026-11-22"


class Line:
    """Carries requests to an answer and keeps both; it breaks after so many."""

    def __init__(self, answer: Ask, *, breaks_after: int | None = None) -> None:
        self._answer = answer
        self._left = breaks_after
        self.requests: list[bytes] = []
        self.answers: list[bytes] = []

    def __call__(self, request: bytes) -> bytes:
        self.requests.append(request)
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise ConnectionError("the line broke")
        answer = self._answer(request)
        self.answers.append(answer)
        return answer

    @property
    def asked(self) -> list[Message]:
        """What was asked for, in order."""
        return [unpack(request)[0] for request in self.requests]

    @property
    def brought(self) -> list[list[Signed]]:
        """The entries of each answer."""
        return [unpack(answer)[1] for answer in self.answers]


def a_journal(number: int) -> Journal:
    return Journal(MemoryStore(), Device(bytes([number]) * 32))


def noted(journal: Journal, count: int) -> None:
    journal.append([NoteWritten(f"all well {number}", DAY) for number in range(count)], time=0)


def two(count: int) -> tuple[Journal, Journal]:
    """Return a journal with so many entries of one device, and an empty one."""
    one = a_journal(1)
    one.found("Barrio Sur", date=DAY, time=0)
    noted(one, count - 1)
    return one, a_journal(2)


def filled(*pages: Sequence[Verified]) -> Journal:
    """Return a journal that has received some entries and writes none."""
    journal = Journal(MemoryStore())
    for page in pages:
        received = journal.receive([verified.signed for verified in page])
        assert not received.refused
    return journal


def ids_of(journal: Journal) -> set[str]:
    return {placed.entry.id for placed in journal.read()}


def pen_of(number: int, journal: Journal) -> Pen:
    """Return a pen that writes entries of a journal's network, also such as no honest device would."""
    return Pen(number, network=journal.network)


def replying(*answers: tuple[Message, Sequence[Signed]]) -> Ask:
    """Return an answer that says these messages, one after the other, whatever it is asked."""
    waiting = [pack(message, entries) for message, entries in answers]
    return lambda request: waiting.pop(0)
