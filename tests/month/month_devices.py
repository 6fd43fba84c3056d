"""Devices that keep a journal each, and what is carried between them: doubled, shuffled, torn, or not at all."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from abasto.facts.kinds import Fact
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal

__all__ = ["Phone", "carry", "everything", "meet"]


@dataclass
class Phone:
    """A device with its journal; `years_off` is how wrong its clock goes, and so the dates of its reports."""

    name: str
    journal: Journal
    years_off: int = 0
    is_offline: bool = False

    def say(self, facts: Sequence[Fact], *, day: str) -> list[Entry]:
        """Sign and keep facts, as the device's owner does on a day."""
        noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
        return self.journal.append(facts, time=int(noon.timestamp()))

    def holds(self) -> dict[bytes, Signed]:
        """Return all entries that are here, by their bytes."""
        return {one.raw: one for one in self.journal.store.export()}


def everything(phones: Iterable[Phone]) -> list[Signed]:
    """Return every entry that any of the devices holds, once."""
    found: dict[bytes, Signed] = {}
    for phone in phones:
        found |= phone.holds()
    return list(found.values())


def carry(source: Phone, target: Phone, rng: random.Random) -> int:
    """Bring what is missing from one device to another as a messenger would; return how many entries were new."""
    there = target.holds()
    bundle = [one for raw, one in source.holds().items() if raw not in there]
    if rng.random() < 0.3:
        rng.shuffle(bundle)
    if rng.random() < 0.2:
        bundle += rng.sample(bundle, min(3, len(bundle)))
    if rng.random() < 0.1:
        bundle = bundle[: rng.randint(0, len(bundle))]
    received = target.journal.receive(bundle)
    assert not received.refused, received.refused
    return received.new


def meet(phones: Sequence[Phone], rng: random.Random) -> None:
    """Let devices that are online exchange in random pairs, so that most hear of most things."""
    online = [phone for phone in phones if not phone.is_offline]
    for phone in online:
        other = rng.choice(online)
        if other is not phone:
            carry(phone, other, rng)
            carry(other, phone, rng)
