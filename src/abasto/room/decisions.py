"""What people decide about the orders of a plan before they are signed: kept, changed, forbidden, or left for later.

One network has one plan that is worked with, so every desk sees the same decisions. They are kept in the home beside
the plan, so that a room opened anew has both, and begin anew with every plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter, ValidationError

from abasto.errors import AbastoError
from abasto.facts.kinds import OrderIssued
from abasto.orders import Closed, issued_already
from abasto.room.kept_plan import keep_bytes, kept_bytes

if TYPE_CHECKING:
    from abasto.room.operations import Room
    from abasto.room.planning import Job
    from abasto.state.state import State

__all__ = ["Decisions", "decide", "decisions_of", "entries_since", "lane_of", "orders_of"]

SETTING = "decisions"


@dataclass(frozen=True)
class Decisions:
    """Decisions about the orders of a job, which are known by their places in `orders_of`.

    `kept` are planned around, as they are or changed; nothing leaves along `closed`; `left_out` are not to be signed.
    """

    job: str
    kept: Mapping[int, OrderIssued] = field(default_factory=dict)
    closed: frozenset[Closed] = frozenset()
    left_out: frozenset[int] = frozenset()

    def keeping(self, place: int, order: OrderIssued) -> Decisions:
        """Return these with an order kept, as it is or changed; its lane is open again."""
        return replace(self, kept={**self.kept, place: order}, closed=self.closed - {lane_of(order)})

    def keeping_no_longer(self, place: int) -> Decisions:
        """Return these with an order that may be planned otherwise again."""
        return replace(self, kept={other: order for other, order in self.kept.items() if other != place})

    def closing(self, lane: Closed) -> Decisions:
        """Return these with a lane closed on its day: nothing that would leave along it is kept."""
        kept = {place: order for place, order in self.kept.items() if lane_of(order) != lane}
        return replace(self, kept=kept, closed=self.closed | {lane})

    def opening(self, lane: Closed) -> Decisions:
        """Return these with a lane open again on its day."""
        return replace(self, closed=self.closed - {lane})

    def choosing(self, *, left: Set[int], chosen: Set[int]) -> Decisions:
        """Return these with orders that are left for later, and others that are no longer."""
        return replace(self, left_out=(self.left_out | left) - chosen)


_KEPT = TypeAdapter(Decisions)
_DECIDED: WeakKeyDictionary[Room, Decisions] = WeakKeyDictionary()


def orders_of(job: Job) -> tuple[OrderIssued, ...]:
    """Return what is to be issued by a job: the orders that were kept, and those that were planned around them."""
    return () if job.proposal is None else (*job.asked.kept, *job.proposal.orders)


def entries_since(state: State, job: Job) -> int:
    """Return how many entries have come since a job's plan was made, its own orders not counted: it knows of these."""
    return max(0, state.count - job.entries - len(issued_already(state, orders_of(job))))


def lane_of(order: OrderIssued) -> Closed:
    """Return what a veto of an order closes."""
    return Closed(order.from_site, order.to_site, date.fromisoformat(order.departs))


def decisions_of(room: Room, job: Job) -> Decisions:
    """Return what is decided about a job's orders; at first what the job was asked for."""
    with room.lock:
        decided = _DECIDED.get(room) or _kept(room)
    if decided is not None and decided.job == job.id:
        return decided
    return Decisions(job.id, dict(enumerate(job.asked.kept)), frozenset(job.asked.closed))


def decide(room: Room, job: Job, change: Callable[[Decisions], Decisions]) -> Decisions:
    """Change what is decided about a job's orders; return what is decided then, which is on the disk.

    `change` is given what is decided up to now, under the room's lock: so nobody's decision overwrites another's.
    """
    with room.lock:
        if room.planner.latest is None or room.planner.latest.id != job.id:
            raise AbastoError("another plan has been made since this page was shown; look at that one.")
        decided = change(decisions_of(room, job))
        keep_bytes(room.home.file, SETTING, _KEPT.dump_json(decided))
        _DECIDED[room] = decided
        return decided


def _kept(room: Room) -> Decisions | None:
    """Return what was decided in the room when it was open before; None if nothing, or nothing that can be read."""
    content = kept_bytes(room.home.file, SETTING)
    try:
        return None if content is None else _KEPT.validate_json(content)
    except ValidationError:
        return None
