"""What an earlier plan has begun is held: all that started before today, and the orders of the frozen days.

Held orders are cut only where the network, as it is now, makes them impossible, and every cut is told with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from abasto.planner.plan import Plan
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.residual import balances, least_intake, part_of, stored_t
from abasto.planner.settle import settle, within_capacities
from abasto.planner.solution import Flows
from abasto.planner.stores import within_stores
from abasto.planner.untabulate import Traced, uses

__all__ = ["Cut", "Held", "as_planned", "cuts_by_lot", "hold", "unless_cut"]

SAME = 1e-7
"""A quantity that is less than planned by no more than this share, and as much in its unit, is as planned: tables are
written with rounding, and the check of a plan allows for more.
"""
GONE = 1e-6
"""A place where less than this share of what was planned is left has nothing left."""

BRIMFUL = 0.999
"""From this share on a store counts as full."""

Kind = Literal["intake", "shipment", "production", "delivery"]


@dataclass(frozen=True)
class Cut:
    """A held order that cannot be as it was planned: what, `planned` and `possible` in the good's unit (batches for
    production), and why.

    `day` is from 1; `site` is where it happens or leaves; `to` is where a shipment goes, or the need that a delivery
    meets; what does not apply is blank.
    """

    kind: Kind
    day: int
    site: str
    to: str
    what: str
    expires: str
    fleet: str
    planned: float
    possible: float
    why: str


@dataclass(frozen=True)
class Held:
    """The held flows, settled; the dates of the lots that shipments and deliveries had in the plan; every cut."""

    flows: Flows
    ship_expires: Ints
    hand_expires: Ints
    cuts: tuple[Cut, ...]


def hold(problem: Problem, plan: Plan, traced: Traced, *, today: int, open_day: int, mind_stores: bool = False) -> Held:
    """Return what is held of a plan: all of the days before `today`, and the orders before `open_day` (both from 0).

    With `mind_stores` orders are cut as well that fill a store beyond what may still leave it.
    """
    flows = traced.flows
    ship, made = flows.ship_day < open_day, flows.made_day < open_day
    hand, draw = flows.hand_day < today, flows.draw_day < open_day
    planned = part_of(flows, ship=ship, made=made, hand=hand, draw=draw)
    taken = np.where(problem.sources.day < open_day, flows.taken, 0.0)
    planned = replace(planned, taken=np.where(problem.sources.is_stock, flows.taken, taken))
    possible = settle(problem, planned)
    if mind_stores:
        possible = within_stores(problem, possible, today=today, open_day=open_day)
    possible = unless_cut(planned, possible)
    frozen = problem.sources.day >= today
    possible = replace(possible, taken=least_intake(problem, possible, problem.sources.amount, frozen))
    reasons = _Reasons(problem, planned, possible)
    cuts = [
        *_lost(plan, traced, today, open_day),
        *_intake_cuts(problem, plan, traced, possible, today),
        *_shipment_cuts(plan, traced.ship_row[ship], planned, possible, reasons),
        *_production_cuts(plan, traced.made_row[made], planned, possible, reasons),
        *_delivery_cuts(plan, traced.hand_row[hand], planned, possible, reasons),
    ]
    return Held(possible, traced.ship_expires[ship], traced.hand_expires[hand], tuple(cuts))


def as_planned(planned: Floats, possible: Floats) -> npt.NDArray[np.bool_]:
    """Return which quantities are as planned, up to rounding."""
    return np.asarray(possible >= planned * (1 - SAME) - SAME)


def cuts_by_lot(old: Plan, new: Plan, cuts: tuple[Cut, ...], *, today: int, open_day: int) -> tuple[Cut, ...]:
    """Return the cuts with what became of every single lot: where goods lack, an order may have to take of other lots
    of the same good, and then says so.
    """
    known = {_key(cut): cut for cut in cuts}
    kinds = (("shipments", "departs", open_day, _shipment_row), ("deliveries", "day", today, _delivery_row))
    for table, column, before, make in kinds:
        there = {_key(cut): cut for cut in _rows_before(new, table, column, before, make)}
        for cut in _rows_before(old, table, column, before, make):
            now = there.get(_key(cut))
            possible = 0.0 if now is None else now.planned
            if possible < cut.planned * (1 - SAME) - SAME:
                why = "the rest is taken from other lots of the same good, for this one is not left"
                known[_key(cut)] = replace(known.get(_key(cut), replace(cut, why=why)), possible=possible)
            else:
                known.pop(_key(cut), None)
    return tuple(sorted(known.values(), key=lambda cut: (cut.day, *_key(cut))))


def _key(cut: Cut) -> tuple[str, int, str, str, str, str, str]:
    return cut.kind, cut.day, cut.site, cut.to, cut.what, cut.expires, cut.fleet


def _rows_before(plan: Plan, table: str, column: str, before: int, make: Callable[..., Cut]) -> list[Cut]:
    return [make(plan, row, 0.0, "") for row in np.flatnonzero(plan.table(table)[column] <= before).tolist()]


def unless_cut(planned: Flows, possible: Flows) -> Flows:
    """Return what is possible, to the last digit as planned where nothing was cut."""
    whole: dict[str, Any] = {}
    for name in ("taken", "ship_quantity", "made_batches", "hand_quantity", "draw_quantity"):
        before, after = getattr(planned, name), getattr(possible, name)
        whole[name] = np.where(as_planned(before, after), before, after)
    return replace(possible, **whole)


def _lost(plan: Plan, traced: Traced, today: int, open_day: int) -> list[Cut]:
    """Return the held rows that the network has no place for."""
    makers = {
        "intake": (_intake_row, "day", today),
        "shipments": (_shipment_row, "departs", open_day),
        "production": (_production_row, "day", open_day),
        "deliveries": (_delivery_row, "day", today),
    }
    cuts = []
    for (table, row), why in traced.lost.items():
        make, column, before = makers[table]
        if int(plan.table(table)[column][row]) <= before:
            cuts.append(make(plan, row, 0.0, why))
    return cuts


def _intake_cuts(problem: Problem, plan: Plan, traced: Traced, possible: Flows, today: int) -> list[Cut]:
    """Return what was taken in before today and cannot have been: no more is offered, or it cannot have been stored."""
    day, quantity = plan.intake["day"], plan.intake["quantity"]
    cuts = []
    for row in np.flatnonzero((traced.taken_row >= 0) & (day <= today)).tolist():
        source = traced.taken_row[row]
        left, planned = float(possible.taken[source]), float(quantity[row])
        if left < planned * (1 - SAME) - SAME:
            full = problem.sources.amount[source] > left * (1 + SAME)
            why = f"no more fits into the store of {problem.sites[int(problem.sources.site[source])]}"
            cuts.append(_intake_row(plan, row, left, why if full else "the tables offer no more on that day"))
    return cuts


def _cut_rows(rows: Ints, before: Floats, after: Floats) -> list[tuple[int, int, float]]:
    """Return (flow, row, possible) of the rows that were cut; flows of the same row add up."""
    cut = np.flatnonzero(after < before)
    total: dict[int, float] = {}
    for row, quantity in zip(rows.tolist(), after.tolist(), strict=True):
        total[row] = total.get(row, 0.0) + quantity
    return [(flow, int(rows[flow]), total[int(rows[flow])]) for flow in _first_of_each(rows, cut)]


def _first_of_each(rows: Ints, some: Ints) -> list[int]:
    return [int(some[place]) for place in np.unique(rows[some], return_index=True)[1].tolist()]


def _shipment_cuts(plan: Plan, rows: Ints, planned: Flows, possible: Flows, reasons: _Reasons) -> list[Cut]:
    cut = _cut_rows(rows, planned.ship_quantity, possible.ship_quantity)
    return [_shipment_row(plan, row, left, reasons.of_shipment(flow)) for flow, row, left in cut]


def _production_cuts(plan: Plan, rows: Ints, planned: Flows, possible: Flows, reasons: _Reasons) -> list[Cut]:
    cut = _cut_rows(rows, planned.made_batches, possible.made_batches)
    return [_production_row(plan, row, left, reasons.of_batches(flow)) for flow, row, left in cut]


def _delivery_cuts(plan: Plan, rows: Ints, planned: Flows, possible: Flows, reasons: _Reasons) -> list[Cut]:
    cut = _cut_rows(rows, planned.hand_quantity, possible.hand_quantity)
    return [_delivery_row(plan, row, left, reasons.of_delivery(flow)) for flow, row, left in cut]


def _row(plan: Plan, table: str, row: int) -> dict[str, Any]:
    cells = plan.table(table)
    return {name: cells[name][row] for name in cells}


def _date(value: Any) -> str:
    return "" if np.isnat(value) else str(np.datetime_as_string(value, unit="D"))


def _intake_row(plan: Plan, row: int, possible: float, why: str) -> Cut:
    r = _row(plan, "intake", row)
    return Cut(
        "intake", int(r["day"]), r["site"], "", r["good"], _date(r["expires"]), "", float(r["quantity"]), possible, why
    )


def _shipment_row(plan: Plan, row: int, possible: float, why: str) -> Cut:
    r = _row(plan, "shipments", row)
    planned, lot = float(r["quantity"]), _date(r["expires"])
    return Cut("shipment", int(r["departs"]), r["from"], r["to"], r["good"], lot, r["fleet"], planned, possible, why)


def _production_row(plan: Plan, row: int, possible: float, why: str) -> Cut:
    r = _row(plan, "production", row)
    return Cut("production", int(r["day"]), r["site"], "", r["recipe"], "", "", float(r["batches"]), possible, why)


def _delivery_row(plan: Plan, row: int, possible: float, why: str) -> Cut:
    r = _row(plan, "deliveries", row)
    planned, lot = float(r["quantity"]), _date(r["expires"])
    return Cut("delivery", int(r["day"]), r["site"], r["meets"], r["good"], lot, "", planned, possible, why)


class _Reasons:
    """Says why a held order had to be cut: the capacity that is too small, or the goods of which nothing is left."""

    def __init__(self, problem: Problem, planned: Flows, possible: Flows) -> None:
        self.problem, self.planned, self.possible = problem, planned, possible
        self.fitted = within_capacities(problem, planned)
        self._left: dict[int, Floats] | None = None
        self._stored: Floats | None = None

    def of_shipment(self, flow: int) -> str:
        problem, options = self.problem, self.problem.options
        option, day = int(self.planned.ship_option[flow]), int(self.planned.ship_day[flow])
        lane, fleet = int(options.lane[option]), problem.fleets[int(options.fleet[option])]
        start, end = problem.sites[int(options.start[option])], problem.sites[int(options.end[option])]
        if self.possible.ship_quantity[flow] >= self.fitted.ship_quantity[flow] * (1 - SAME):
            tonnes, hours = problem.lane_tonnes[lane, day], problem.fleet_hours[options.fleet[option], day]
            if tonnes == 0:
                return f"lane {start}>{end} is closed on day {day + 1}"
            if hours == 0:
                return f"{fleet} has no vehicles at work on day {day + 1}"
            carried = self._tonnes_on(lane, day)
            if carried > tonnes * (1 + SAME):
                return f"lane {start}>{end} takes {tonnes:,.4g} t on day {day + 1}, {carried:,.4g} t were to pass"
            needed = self._hours_of(int(options.fleet[option]), day)
            return f"{fleet} has {hours:,.4g} vehicle-hours on day {day + 1}, the orders take {needed:,.4g}"
        item = int(self.planned.ship_item[flow])
        site = int(options.start[option])
        good = problem.goods[int(problem.items.good[item])]
        if self._nothing_left(item, site, day, float(self.planned.ship_quantity[flow])):
            return f"no more {self._lot(item)} is at {start} on day {day + 1}"
        fuel = int(options.fuel_good[option])
        if fuel >= 0 and self._pool_empty(fuel, int(options.fuel_site[option]), day):
            base = problem.sites[int(options.fuel_site[option])]
            return f"no more {problem.goods[fuel]} for vehicles is at {base} on day {day + 1}"
        full = self._full(int(options.end[option]), day + int(options.lead[option]))
        if full:
            return full
        if (site, int(problem.items.good[item])) in problem.shippable:
            return f"the rest of the {good} at {start} is its reserve"
        return f"what it was to carry does not reach {start} by day {day + 1}"

    def _full(self, site: int, day: int) -> str:
        """Say that a store is full, where the held orders leave no room in it from a day on."""
        room = float(self.problem.storage_t[site])
        if np.isinf(room):
            return ""
        if self._stored is None:
            self._stored = stored_t(self.problem, self.possible)
        full = self._stored[site, day:].max(initial=0.0) >= room * BRIMFUL
        return f"the store of {self.problem.sites[site]}, {room:,.4g} t, would be too full" if full else ""

    def _tonnes_on(self, lane: int, day: int) -> float:
        flows = self.planned
        mine = (self.problem.options.lane[flows.ship_option] == lane) & (flows.ship_day == day)
        return float(self._tonnes()[mine].sum())

    def _hours_of(self, fleet: int, day: int) -> float:
        flows, options = self.planned, self.problem.options
        mine = (options.fleet[flows.ship_option] == fleet) & (flows.ship_day == day)
        return float((self._tonnes() * options.hours[flows.ship_option])[mine].sum())

    def _tonnes(self) -> Floats:
        flows, problem = self.planned, self.problem
        return np.asarray(flows.ship_quantity * problem.good_tonnes[problem.items.good[flows.ship_item]])

    def of_batches(self, flow: int) -> str:
        problem, flows = self.problem, self.planned
        plant, day = int(flows.made_plant[flow]), int(flows.made_day[flow])
        site, recipe = int(problem.plant_site[plant]), problem.recipe_ids[int(problem.plant_recipe[plant])]
        here = problem.sites[site]
        if self.possible.made_batches[flow] >= self.fitted.made_batches[flow] * (1 - SAME):
            batches = float(problem.plant_batches[plant, day])
            if flows.made_batches[flow] > batches * (1 + SAME):
                return f"{here} can make {batches:,.4g} batches of {recipe} on day {day + 1}"
            hours = float(problem.labour_hours[site, day])
            return f"{here} has {hours:,.4g} working hours on day {day + 1}"
        for good, _ in problem.recipes[int(problem.plant_recipe[plant])][0]:
            if self._pool_empty(good, site, day):
                return f"no more {problem.goods[good]} is at {here} on day {day + 1}"
        return self._full(site, day) or f"what it uses up does not reach {here} by day {day + 1}"

    def of_delivery(self, flow: int) -> str:
        problem, flows = self.problem, self.planned
        site, day = int(flows.hand_site[flow]), int(flows.hand_day[flow])
        if self.possible.hand_quantity[flow] >= self.fitted.hand_quantity[flow] * (1 - SAME):
            return f"less is needed at {problem.sites[site]} on day {day + 1} than was handed over, by the tables now"
        return f"no more {self._lot(int(flows.hand_item[flow]))} is at {problem.sites[site]} on day {day + 1}"

    def _lot(self, item: int) -> str:
        """Return the good of an item, as one of several lots if it spoils."""
        good = int(self.problem.items.good[item])
        several = (self.problem.items.good == good).sum() > 1
        return f"{self.problem.goods[good]} of that lot" if several else self.problem.goods[good]

    def _there(self) -> dict[int, Floats]:
        """Return what lies at the close of each day by item, [sites, days + 1] each."""
        if self._left is None:
            self._left = dict(balances(self.problem, self.possible))
        return self._left

    def _nothing_left(self, item: int, site: int, day: int, planned: float) -> bool:
        there = self._there().get(item)
        return there is None or bool(there[site, day + 1] <= GONE * max(planned, GONE))

    def _pool_empty(self, good: int, site: int, day: int) -> bool:
        """Whether nothing of a good is left that the held orders could have used on a day."""
        alive = np.flatnonzero((self.problem.items.good == good) & (self.problem.items.last_day >= day))
        (goods, sites, days), used = uses(self.problem, self.planned)
        wanted = float(used[(goods == good) & (sites == site) & (days == day)].sum())
        return all(self._nothing_left(item, site, day, wanted) for item in alive.tolist())
