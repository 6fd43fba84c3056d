"""The loop of a network that lives on its journal, on one screen: read, fold, plan what is known, order, append."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from abasto.errors import JournalError
from abasto.journal.store import Snapshot
from abasto.state.encode import VERSION, decode, encode
from abasto.state.fold import fold, fold_anew
from abasto.state.members import CutBackError

if TYPE_CHECKING:
    from abasto.facts.kinds import OrderIssued
    from abasto.journal.entry import Entry
    from abasto.journal.journal import Journal
    from abasto.orders import Closed, Rounded
    from abasto.planner.make import Progress, SolverName
    from abasto.planner.plan import Plan
    from abasto.state.known import Known
    from abasto.state.state import State

__all__ = ["Proposal", "go_on", "issue", "propose", "read_state"]

SNAPSHOT_AFTER = 2_000
"""So many entries are folded in less time than it takes to keep what they come to."""


@dataclass(frozen=True)
class Proposal:
    """What a round of the loop proposes: what was known, the plan of it, the plan in whole trips, and its orders."""

    known: Known
    plan: Plan
    rounded: Rounded
    orders: tuple[OrderIssued, ...]


def read_state(journal: Journal) -> State:
    """Return what all entries come to; folds those since the latest snapshot and keeps a new one when many are."""
    store = journal.store
    snapshot = store.snapshot(VERSION)
    before = 0 if snapshot is None else snapshot.count
    state = None if snapshot is None else decode(snapshot.content)
    try:
        state = fold(store.read(None if snapshot is None else snapshot.place), state)
    except CutBackError as error:
        # What the snapshot holds does not count in part, and so neither does it.
        before, state = 0, fold_anew(store.read, error.cuts)
    if state.place is not None and state.count - before >= SNAPSHOT_AFTER:
        # A snapshot only saves time: a full disk or somebody who writes just now must not keep anyone from reading.
        with contextlib.suppress(JournalError):
            store.keep_snapshot(Snapshot(state.count, state.place, VERSION, encode(state)))
    return state


def go_on(journal: Journal, state: State) -> State:
    """Return the state with what was written after it; `state` itself is of no use any more."""
    try:
        return fold(journal.read(state.place), state)
    except CutBackError as error:
        return fold_anew(journal.read, error.cuts)


def propose(
    state: State,
    day: date,
    *,
    days: int | None = None,
    ordered_days: int = 1,
    scenario: str | None = None,
    closed: Sequence[Closed] = (),
    solver: SolverName = "auto",
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    **options: Any,
) -> Proposal:
    """Plan from what is known on a day, for `days` days (the network's unless given), and order the first of them.

    Nothing leaves along `closed` lanes. `options` are the other ones of `make_plan`. Writes nothing.
    """
    # Here and not above: who only counts need not wait until the planner is loaded.
    from abasto.orders import close_lanes, name_free_lots, orders_from, round_trips
    from abasto.planner.make import make_plan
    from abasto.state.known import known

    seen = known(state, day, days=days)
    network, scenario = close_lanes(seen.network, closed, scenario)
    plan = make_plan(network, scenario, solver=solver, progress=progress, stop=stop, **options)
    rounded = round_trips(network, plan, days=ordered_days, solver=solver, progress=progress, stop=stop)
    orders = orders_from(rounded, network, days=ordered_days, fleet_of=seen.fleet_of)
    orders = name_free_lots(orders, seen.not_left, seen.tables, rounded.plan)
    return Proposal(seen, plan, rounded, orders)


def issue(journal: Journal, proposal: Proposal, *, time: int) -> list[Entry]:
    """Sign the proposed orders and append them; from then on what they name is promised."""
    return journal.append(proposal.orders, time=time)
