"""What was brought to the room and is not taken in yet: in memory only, one for each session, and not for long."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from threading import Lock

from abasto.errors import SettingError
from abasto.inbox.opened import CellPlace
from abasto.room.safety import MOST_BYTES_UPLOADED

__all__ = ["LASTS", "MOST_BYTES_KEPT", "Draft", "Drafts"]

LASTS = timedelta(minutes=30)
MOST_BYTES_KEPT = 3 * MOST_BYTES_UPLOADED
"""Of all drafts together; then the oldest go."""


@dataclass(frozen=True)
class Draft:
    """A file or text that was brought, and what has been mended in it: texts of cells, rows that are left out.

    `site` is where rows without one are from, `sure` are the ids of a phone's reports that were doubtful and are meant.
    """

    name: str
    content: bytes = field(repr=False)
    site: str
    day: date
    until: datetime
    cells: Mapping[CellPlace, str] = field(default_factory=dict)
    left_out: frozenset[tuple[str, int]] = frozenset()
    sure: frozenset[str] = frozenset()
    id: str = field(default_factory=lambda: secrets.token_hex(8))


class Drafts:
    """The draft of each session that has one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._drafts: dict[str, Draft] = {}

    def put(self, session: str, draft: Draft, *, now: datetime) -> None:
        """Keep a session's draft in place of the one it had; the oldest of others go where there is too much."""
        if len(draft.content) > MOST_BYTES_UPLOADED:
            raise SettingError(f"{len(draft.content):,} bytes are more than can be looked at; bring it in parts.")
        with self._lock:
            kept = {key: one for key, one in self._drafts.items() if one.until > now and key != session}
            size = len(draft.content) + sum(len(one.content) for one in kept.values())
            while size > MOST_BYTES_KEPT:
                oldest = min(kept, key=lambda key: kept[key].until)
                size -= len(kept.pop(oldest).content)
            self._drafts = {**kept, session: draft}

    def of(self, session: str, *, now: datetime) -> Draft | None:
        """Return a session's draft, None if it has none (any more)."""
        with self._lock:
            self._drafts = {key: one for key, one in self._drafts.items() if one.until > now}
            return self._drafts.get(session)

    def drop(self, session: str) -> None:
        """Forget a session's draft."""
        with self._lock:
            self._drafts.pop(session, None)
