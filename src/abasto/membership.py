"""What membership means to an exchange: for whose entries there is room, who is cut off, who may read the stream.

A thing that is kept for as long as a journal is open and asked from any thread. What the entries come to is read once
for each state of the journal, when it is asked for, by whoever asks.
"""

from __future__ import annotations

from datetime import date
from threading import Lock

from abasto.cycle import read_state
from abasto.journal.journal import Journal
from abasto.state.state import State
from abasto.sync.quarantine import EVERYTHING, MEMBER, Belonging, Quarantine

__all__ = ["MOST_READERS", "PER_DAY", "Membership"]

PER_DAY = 10_000
"""So many entries more may each member have with every day since the network was founded."""
MOST_READERS = 2_000
"""To so many devices a key is sealed; more would not fit into a message of NATS."""


class Membership:
    """Who belongs to a journal's network, by what the journal holds at the time."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = Lock()
        self._seen: tuple[int, State] | None = None

    def state(self) -> State:
        """Return what the entries come to."""
        with self._lock:
            count = self._journal.store.count()
            if self._seen is None or self._seen[0] != count:
                self._seen = (count, read_state(self._journal))
            return self._seen[1]

    def is_cut(self, key: str) -> bool:
        """Return whether the network has cut a device off."""
        return key in self.state().members.cuts

    def room(self) -> Quarantine:
        """Return what says of each entry that arrives by a carrier whether there is room for it."""
        return Quarantine(self._journal.store, self._belonging)

    def readers(self) -> list[str]:
        """Return the keys of the devices that may read what is sealed to the network: those with a role today.

        In an open network everybody who has written something here, up to `MOST_READERS`, those with a role first and
        then who came first, but for who speaks for another network: what that one says takes no role away here. Nobody
        who was cut off.
        """
        seen, today = self.state(), date.today().isoformat()
        able = [key for key in sorted(seen.members.grants) if seen.members.role(key, today) is not None]
        if seen.members.admission == "open":
            heads = self._journal.store.heads()
            others = {key for speakers in seen.letters.speakers.values() for key in speakers.on()}
            able += sorted(heads.keys() - set(able) - others, key=lambda key: heads[key].arrival)
        return [key for key in able if key not in seen.members.cuts][:MOST_READERS]

    def _belonging(self) -> Belonging:
        seen = self.state()
        own = self._journal.device.key if self._journal.device else ""
        admitted = {own, *seen.members.grants, *seen.members.heirs}
        is_open = seen.members.admission == "open"

        def upto(key: str) -> int:
            cut = seen.members.cuts.get(key)
            if cut is not None:
                return cut.seq
            return EVERYTHING if is_open or key in admitted else 0

        days = (date.today() - date.fromisoformat(seen.founded.date)).days if seen.founded else 0
        return Belonging(upto, MEMBER + PER_DAY * max(0, days))
