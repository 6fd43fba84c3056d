"""Room for what arrives: all that members can write, a little for devices that nobody has admitted, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from abasto.facts.kinds import MOST
from abasto.journal.entry import Entry
from abasto.journal.signing import NOTHING
from abasto.journal.store import Store
from abasto.sync.fingerprint import stands_of

__all__ = ["EVERYTHING", "MEMBER", "PER_AUTHOR", "TOTAL", "Belonging", "Quarantine"]

PER_AUTHOR = 500
TOTAL = 5_000
"""So many entries of one unknown device are kept, and of all of them together."""
MEMBER = 1_000_000
"""So many entries of a member are kept; who looks up the members may know that it has more."""
EVERYTHING = MOST
"""What an admitted device signs belongs here whatever its number."""


class Belonging(NamedTuple):
    """What belongs to the network: of a device's key up to which number, and how many entries `each` member has.

    `upto` is 0 for a device that nobody admitted, the last number that counts for one that was cut off, else
    `EVERYTHING`.
    """

    upto: Callable[[str], int]
    each: int = MEMBER


class Quarantine:
    """Says of an entry whether there is room for it (`may_keep` of an exchange); counted from what the store holds.

    `look` says what belongs to the network. It is asked when an entry would be refused and something has been kept
    since it was asked last, so the members who come with their first entries are known in time. Whoever makes up keys
    and floods fills the room of unknown devices and no other; a member that floods, or was cut off, fills its own. The
    entry that founds the network is always kept, and what is here already needs no room.
    """

    def __init__(
        self, store: Store, look: Callable[[], Belonging], *, per_author: int = PER_AUTHOR, total: int = TOTAL
    ) -> None:
        self._store = store
        self._look = look
        self._per_author = per_author
        self._total = total
        self._belonging = Belonging(lambda key: 0)
        self._looked = self._counted = -1
        self._held: dict[str, int] = {}
        self._strange = 0
        """How many entries are held that do not belong to the network."""

    def __call__(self, entry: Entry) -> bool:
        """Return whether an entry may be kept."""
        self._count()
        if self._has_room(entry) or self._is_here(entry):
            return True
        if self._looked == self._counted:
            return False
        self._looked, self._belonging = self._counted, self._look()
        self._tell_strange()
        return self._has_room(entry)

    def _has_room(self, entry: Entry) -> bool:
        """Return whether there is room for an entry; one that belongs to nobody's network is counted from then on.

        Members' entries are counted when they are kept, so that one that is sent again and again fills nothing.
        """
        if entry.network == NOTHING:
            return True
        upto, held = self._belonging.upto(entry.author), self._held.get(entry.author, 0)
        if entry.seq <= upto:
            return held < self._belonging.each
        if held >= upto + self._per_author or self._strange >= self._total or self._is_here(entry):
            return False
        self._held[entry.author] = held + 1
        self._strange += 1
        return True

    def _is_here(self, entry: Entry) -> bool:
        return self._store.get(entry.id) is not None

    def _count(self) -> None:
        """Count what the store holds, if anything was added to it since."""
        count = self._store.count()
        if count != self._counted:
            self._held = {author: stand.held for author, stand in stands_of(self._store).items()}
            self._counted = count
            self._tell_strange()

    def _tell_strange(self) -> None:
        upto = self._belonging.upto
        self._strange = sum(max(0, held - upto(author)) for author, held in self._held.items())
