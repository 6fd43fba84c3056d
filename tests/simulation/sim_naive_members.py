"""Membership as it must not be judged: each of these rules looks right, and the simulation is known to catch it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from abasto.journal.entry import Placed
from abasto.journal.memory import MemoryStore
from abasto.state import permits
from abasto.state.members import Cut, Grant, Members

__all__ = ["NAIVE"]


def _as_it_came(self: Any, after: Any = None) -> Iterator[Placed]:
    """Read entries in the order in which they arrived."""
    entries = [verified.entry for verified in self._arrived]
    if after is not None:
        entries = entries[[entry.id for entry in entries].index(after.id) + 1 :]
    return iter([self._placed(entry) for entry in entries])


def _patched(what: Any, name: str, naive: Callable[..., Any]) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: patch.object(what, name, naive)


NAIVE = {
    "entries count in the order in which they came": _patched(MemoryStore, "read", _as_it_came),
    "what was kept of a fold is always good": _patched(MemoryStore, "_is_valid", lambda *_: True),
    "a cut takes nothing back": _patched(Cut, "spares", lambda *_: True),
    "one steward is enough": _patched(Members, "needed", lambda *_: 1),
    "a role ends never": _patched(Grant, "holds", lambda *_: True),
    "a reporter speaks for every site": _patched(permits, "_is_within", lambda *_: True),
}
