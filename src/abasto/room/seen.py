"""The situation of a room, computed once for all who look at it until the journal, the day or the plan goes on."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from abasto.situation import plan_changes, situation

if TYPE_CHECKING:
    from datetime import date

    from abasto.planner.plan import Plan
    from abasto.room.operations import Room
    from abasto.room.planning import Job
    from abasto.situation import PlanChanges, Situation

__all__ = ["changes_of", "latest_plan", "situation_of"]

Key = tuple[int, "date", str]
_SEEN: WeakKeyDictionary[Room, tuple[Key, Situation]] = WeakKeyDictionary()
_CHANGES: WeakKeyDictionary[Room, dict[tuple[str, str], PlanChanges]] = WeakKeyDictionary()
_LOCK = Lock()
MOST_CHANGES = 2
"""Only what is shown is kept: the latest plan beside the one before, and beside a trial."""


def latest_plan(room: Room) -> tuple[Job, Plan] | None:
    """Return the latest plan and how it was made, None where none was made yet."""
    job = room.planner.latest
    return None if job is None or job.proposal is None else (job, job.proposal.rounded.plan)


def situation_of(room: Room) -> Situation:
    """Return what a coordinator sees now, with the latest plan as far as its days are not over."""
    with room.lock:
        latest, day = latest_plan(room), room.day
        key = room.state.count, day, "" if latest is None else latest[0].id
        with _LOCK:
            kept = _SEEN.get(room)
        if kept is not None and kept[0] == key:
            return kept[1]
        found = situation(room.state, day, seen=room.known(), plan=None if latest is None else latest[1])
        with _LOCK:
            _SEEN[room] = key, found
        return found


def changes_of(room: Room, first: Job, second: Job) -> PlanChanges | None:
    """Return what one plan does otherwise than another, None where one of them came to nothing."""
    if first.proposal is None or second.proposal is None:
        return None
    key = first.id, second.id
    with _LOCK:
        kept = _CHANGES.setdefault(room, {})
        if key in kept:
            return kept[key]
    found = plan_changes(
        first.proposal.rounded.plan,
        second.proposal.rounded.plan,
        seen_first=first.proposal.known,
        seen_second=second.proposal.known,
    )
    with _LOCK:
        while len(kept) >= MOST_CHANGES:
            del kept[next(iter(kept))]
        kept[key] = found
    return found
