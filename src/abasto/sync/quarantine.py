"""Room for entries of devices that nobody has admitted yet: some, so that they can be, and no more than that."""

from __future__ import annotations

from collections.abc import Callable

from abasto.journal.entry import Entry
from abasto.journal.signing import NOTHING
from abasto.journal.store import Store
from abasto.sync.fingerprint import stands_of

__all__ = ["PER_AUTHOR", "TOTAL", "Quarantine"]

PER_AUTHOR = 500
TOTAL = 5_000
"""So many entries of one unknown device are kept, and of all of them together."""


class Quarantine:
    """Says of an entry whether there is room for it (`may_keep` of an exchange); counted from what the store holds.

    `is_known` says of a device's key whether the network has admitted it. Whoever makes up keys and floods fills this
    room and no other; what an admitted device sends is always kept, and so is the entry that founds the network.
    """

    def __init__(
        self, store: Store, is_known: Callable[[str], bool], *, per_author: int = PER_AUTHOR, total: int = TOTAL
    ) -> None:
        self._store = store
        self._is_known = is_known
        self._per_author = per_author
        self._total = total
        self._counted = -1
        self._held: dict[str, int] = {}
        self._all = 0

    def __call__(self, entry: Entry) -> bool:
        """Return whether an entry may be kept, and count it."""
        if entry.network == NOTHING or self._is_known(entry.author):
            return True
        self._count()
        held = self._held.get(entry.author, 0)
        if held >= self._per_author or self._all >= self._total:
            return self._store.get(entry.id) is not None  # What is here already needs no room.
        self._held[entry.author] = held + 1
        self._all += 1
        return True

    def _count(self) -> None:
        """Count anew what the store holds of unknown devices, if anything was added to it."""
        count = self._store.count()
        if count == self._counted:
            return
        stands = stands_of(self._store)
        self._held = {author: stand.held for author, stand in stands.items() if not self._is_known(author)}
        self._all = sum(self._held.values())
        self._counted = count
