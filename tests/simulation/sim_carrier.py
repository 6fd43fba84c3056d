"""Carriers that lose, double, delay, mix up and change what they carry, and stores that stop while they are keeping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Literal

from abasto.errors import JournalError, MessageError
from abasto.journal.entry import Signed
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING
from abasto.journal.store import Verified
from abasto.sync.messages import Entries, Give, Ids, Kept, Message, Refusal, Stands, Take, pack, unpack

__all__ = ["Carrier", "Crash", "CrashingStore", "Faults", "Lost"]


class Lost(Exception):  # noqa: N818 - it is no fault of the program
    """A request or its answer did not arrive, and never will."""


class Crash(JournalError):  # noqa: N818 - as above
    """A device stopped: before or after what it was keeping was on its disk."""


@dataclass(frozen=True, slots=True)
class Faults:
    """How often each happens to a message, 0 to 1."""

    lost: float = 0.0
    answer_lost: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    stale: float = 0.0
    changed: float = 0.0
    mixed: float = 0.0
    crash: float = 0.0
    meanwhile: float = 0.0

    @classmethod
    def drawn(cls, random: Random) -> Faults:
        """Return faults of which each is frequent, rare or absent."""
        return cls(**{one.name: random.choice((0.0, 0.0, 0.05, 0.25)) for one in fields(cls)})


class CrashingStore(MemoryStore):
    """A store that stops once when it is told to, either before it keeps or after that and before it says so."""

    def __init__(self) -> None:
        super().__init__()
        self.crash: Literal["before", "after"] | None = None

    @property
    def arrived(self) -> Sequence[Verified]:
        """All that is kept, in the order in which it came."""
        return self._arrived

    def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
        crash, self.crash = self.crash, None
        if crash == "before":
            raise Crash("stopped before it was kept")
        added = super().add(entries, continues=continues)
        if crash == "after":
            raise Crash("stopped after it was kept")
        return added


class Carrier:
    """Carries requests to whoever answers them and brings the answers back, as badly as its faults say."""

    def __init__(self, random: Random, faults: Faults) -> None:
        self._random = random
        self._faults = faults
        self._late: list[tuple[Callable[[bytes], bytes], bytes]] = []
        self._old_answers: list[bytes] = []

    def ask(
        self,
        answer: Callable[[bytes], bytes],
        request: bytes,
        *,
        stores: Sequence[CrashingStore],
        meanwhile: Callable[[], None],
    ) -> bytes:
        """Return the answer to a request, or what arrives instead of it; one of two `stores` may stop on the way."""
        faults = self._faults
        if self._happens(faults.meanwhile):
            meanwhile()
        if self._happens(faults.crash):
            self._random.choice(stores).crash = self._random.choice(("before", "after"))
        if self._happens(faults.delayed):
            self._late.append((answer, request))
            raise Lost
        if self._happens(faults.lost):
            raise Lost
        if self._happens(faults.doubled):
            answer(self._worn(request))
        answered = answer(self._worn(request))
        self._old_answers.append(answered)
        if self._happens(faults.answer_lost):
            raise Lost
        if self._happens(faults.stale):
            return self._random.choice(self._old_answers)
        return self._worn(answered)

    def deliver_late(self) -> None:
        """Let one of the requests arrive that were delayed; nobody waits for its answer any more."""
        if self._late:
            answer, request = self._late.pop(self._random.randrange(len(self._late)))
            answer(request)

    def _happens(self, often: float) -> bool:
        return often > 0 and self._random.random() < often

    def _worn(self, message: bytes) -> bytes:
        """Return a message as it arrives."""
        if self._happens(self._faults.changed):
            if self._random.random() < 0.3:
                return self._damaged(message)
            return self._tampered(message, self._tamper)
        if self._happens(self._faults.mixed):
            return self._tampered(message, self._mix)
        return message

    def _damaged(self, raw: bytes) -> bytes:
        """Return bytes with one bit flipped, or cut off."""
        position = self._random.randrange(len(raw))
        if self._random.random() < 0.3:
            return raw[:position]
        return raw[:position] + bytes([raw[position] ^ (1 << self._random.randrange(8))]) + raw[position + 1 :]

    def _tampered(self, message: bytes, change: Callable[[list[Signed]], list[Signed]]) -> bytes:
        """Return a sound message with other entries in it, as a hostile carrier would make it."""
        try:
            head, entries = unpack(message)
        except MessageError:
            return message
        if entries and isinstance(head, Entries | Give):
            return pack(head, change(entries))
        return pack(self._lied(head))

    def _lied(self, head: Message) -> Message:
        """Return a head that says something else of one author, as a hostile device or carrier would."""
        number = self._random.randrange(3)
        if isinstance(head, Stands) and head.stands:
            author, seq, id, loose, digest = self._random.choice(head.stands)
            lies = [
                (author, seq + 1, id, loose, digest),
                (author, seq, head.hash, 0, digest),
                (author, 0, NOTHING, 1, id),
            ]
            return head.model_copy(update={"stands": [lies[number]], "more": number == 0})
        if isinstance(head, Take) and head.wishes:
            wish = self._random.choice(head.wishes)
            told: list[dict[str, Any]] = [{"seq": wish.seq + 1}, {"seq": 0, "id": NOTHING}, {"have": [wish.id] * 3}]
            return head.model_copy(update={"wishes": [wish.model_copy(update=told[number])]})
        if isinstance(head, Ids):
            told = [{"common": 1}, {"ids": [], "whole": False}, {"ids": list(reversed(head.ids))}]
            return head.model_copy(update=told[number])
        if isinstance(head, Kept):
            return head.model_copy(update={"new": 99, "refused": [Refusal(position=7, why="a lie")]})
        return head

    def _tamper(self, entries: list[Signed]) -> list[Signed]:
        number = self._random.randrange(len(entries))
        raw, signature = entries[number]
        forged = [
            Signed(self._damaged(raw), signature),
            Signed(raw, bytes(reversed(signature))),
            Signed(raw.replace(b'"seq":', b'"seq":1', 1), signature),
            Signed(raw, entries[number - 1].signature),
        ]
        return [*entries[:number], self._random.choice(forged), *entries[number + 1 :]]

    def _mix(self, entries: list[Signed]) -> list[Signed]:
        """Return entries in another order, some of them twice and some not at all."""
        mixed = [one for one in [*entries, *entries[:3]] if self._random.random() < 0.9]
        self._random.shuffle(mixed)
        return mixed
