"""What people decide about the orders of a plan before they are signed: kept, changed, forbidden, or left for later.

One network has one plan that is worked with, so every desk sees the same decisions. They are kept while the room is
open, and begin anew with every plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from abasto.facts.kinds import OrderIssued
from abasto.orders import Closed

if TYPE_CHECKING:
    from abasto.room.operations import Room
    from abasto.room.planning import Job

__all__ = ["Decisions", "decide", "decisions_of", "lane_of", "orders_of"]


@dataclass(frozen=True)
class Decisions:
    """Decisions about the orders of a job, which are known by their places in `orders_of`.

    `kept` are planned around, as they are or changed; nothing leaves along `closed`; `left_out` are not to be signed.
    """

    job: str
    kept: Mapping[int, OrderIssued] = field(default_factory=dict)
    closed: frozenset[Closed] = frozenset()
    left_out: frozenset[int] = frozenset()


_DECIDED: WeakKeyDictionary[Room, Decisions] = WeakKeyDictionary()
_LOCK = Lock()


def orders_of(job: Job) -> tuple[OrderIssued, ...]:
    """Return what is to be issued by a job: the orders that were kept, and those that were planned around them."""
    return () if job.proposal is None else (*job.asked.kept, *job.proposal.orders)


def lane_of(order: OrderIssued) -> Closed:
    """Return what a veto of an order closes."""
    return Closed(order.from_site, order.to_site, date.fromisoformat(order.departs))


def decisions_of(room: Room, job: Job) -> Decisions:
    """Return what is decided about a job's orders; at first what the job was asked for."""
    with _LOCK:
        decided = _DECIDED.get(room)
    if decided is not None and decided.job == job.id:
        return decided
    return Decisions(job.id, dict(enumerate(job.asked.kept)), frozenset(job.asked.closed))


def decide(room: Room, decided: Decisions) -> None:
    """Keep what is decided, in place of what was."""
    with _LOCK:
        _DECIDED[room] = decided
