"""Devices that report and exchange entries, for tests of the fold: each has a journal of its own, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from abasto.facts.kinds import Fact, RowSet
from abasto.journal.entry import Entry, Placed, Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device, make_entry
from abasto.state.encode import decode, encode
from abasto.state.fold import Told, fold, fold_anew
from abasto.state.state import State

__all__ = ["DAY", "Crew", "network_rows", "read_back", "received"]

DAY = "2026-11-22"


def network_rows(*, shelf_life: str = "") -> list[Fact]:
    """Two sites, a good that spoils after ten days, and one that never does."""
    return [
        RowSet("sites", {"site": "Store"}, DAY),
        RowSet("sites", {"site": "School"}, DAY),
        RowSet("goods", {"good": "bread", "shelf_life_days": shelf_life or "10"}, DAY),
        RowSet("goods", {"good": "flour"}, DAY),
    ]


class Crew:
    """Devices of one network, the first of which founded it; what one says, others know only after `meet`."""

    def __init__(
        self,
        size: int = 1,
        *,
        rows: Sequence[Fact] | None = None,
        stewards: int = 1,
        threshold: int = 1,
        is_open: bool = True,
    ) -> None:
        self.devices = [Device(bytes([number + 1]) * 32) for number in range(size)]
        self.journals = [Journal(MemoryStore(), device) for device in self.devices]
        keys = [device.key for device in self.devices[:stewards]]
        self.journals[0].found("Barrio", date=DAY, time=0, stewards=keys, threshold=threshold, is_open=is_open)
        self.journals[0].append(network_rows() if rows is None else rows, time=0)
        self.meet()

    def say(self, *facts: Fact, by: int = 0) -> list[Entry]:
        """Let a device report; return its entries."""
        return self.journals[by].append(facts, time=0)

    def forge(self, *, by: int = 0, **fields: object) -> Entry:
        """Let a device sign an entry that no honest one would; it goes to that device's own journal."""
        journal = self.journals[by]
        head = journal.store.heads()[self.devices[by].key]
        given = {"seq": head.seq + 1, "prev": head.id, "deps": (), "lc": journal.store.clock() + 1, "time": 0, **fields}
        made = make_entry(self.devices[by], network=journal.network, **given)  # type: ignore[arg-type]
        journal.store.add([made])
        return made.entry

    def meet(self, *who: int) -> None:
        """Let these devices (all, if none is named) learn all that any of them knows."""
        numbers = who or range(len(self.devices))
        everything = [signed for number in numbers for signed in self.journals[number].store.export()]
        for number in numbers:
            self.journals[number].receive(everything)

    def everything(self) -> list[Signed]:
        """Return the bytes of all entries that anybody has, each once."""
        return list(dict.fromkeys(signed for journal in self.journals for signed in journal.store.export()))

    def placed(self, *, by: int = 0) -> list[Placed]:
        return list(self.journals[by].read())

    def state(self, *, by: int = 0) -> State:
        """Return what a device's entries come to, after a look whether the books balance and can be kept."""
        state = fold_anew(self.journals[by].read)
        assert state.books.unbalanced() == {}
        assert encode(read_back(state)) == encode(state)
        return state

    def told(self, *, by: int = 0) -> list[Told]:
        """Return what the fold tells of each entry of a device."""
        told: list[Told] = []
        fold(self.journals[by].read(), listen=told.append)
        return told


def received(entries: Iterable[Signed], *, device: Device | None = None) -> Journal:
    """Return a new journal that has received these bytes, in their order."""
    journal = Journal(MemoryStore(), device)
    outcome = journal.receive(entries)
    assert not outcome.refused
    return journal


def read_back(state: State) -> State:
    """Return the state after it was kept and read."""
    return decode(encode(state))
