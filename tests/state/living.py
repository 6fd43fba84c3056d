"""A network that lives on its journal, for tests: facts are signed, kept, read and folded as anywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from abasto.facts.kinds import Fact
from abasto.journal.entry import Entry
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.network import Network
from abasto.state.fold import fold
from abasto.state.network import rows_of
from abasto.state.state import State

__all__ = ["Living"]


class Living:
    """A journal in memory with one device; `state` folds all that was said."""

    def __init__(self, network: Network | None = None, *, on: date | None = None) -> None:
        self.journal = Journal(MemoryStore(), Device(bytes(32)))
        day = on or (network.start if network else date(2026, 11, 22))
        self.journal.found(network.name if network else "n", date=day.isoformat(), time=0)
        if network is not None:
            self.say(*rows_of(network, date=day))

    def say(self, *facts: Fact) -> Sequence[Entry]:
        """Append facts and return their entries."""
        return self.journal.append(facts, time=0)

    @property
    def state(self) -> State:
        """What all entries come to."""
        return fold(self.journal.read())
