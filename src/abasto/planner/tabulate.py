"""Lots that move → the plan's tables of the format, sorted by their key columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from abasto.planner.lots import LotFlows
from abasto.planner.plan import MET_TOLERANCE, PLAN_TABLES, Table
from abasto.planner.problem import TIERS, Floats, Ints, Problem
from abasto.planner.settle import units_per_need
from abasto.planner.sums import summed

__all__ = ["Service", "Shortage", "objective", "service", "shortages", "summary", "tabulate"]

WHOLE = 1e-9
"""A need of which less than this share is missing is met in full."""
DUST = 1e-13
"""A closing stock below this share of what moved through it, or below WHOLE in its unit, is rounding."""


@dataclass(frozen=True)
class Service:
    """How far each need is met, in its unit and as a share: `met`, `coverage` [needs]."""

    met: Floats
    coverage: Floats


@dataclass(frozen=True)
class Shortage:
    """A run of days on which a need is short: its first and last need (indices follow each other day by day)."""

    first: int
    last: int


def clean(quantity: Floats) -> Floats:
    """Round to fourteen significant digits, so that 99.99999999999997 reads 100."""
    size = np.floor(np.log10(np.where(quantity == 0, 1.0, np.abs(quantity))))
    power = 10.0 ** (13 - size)
    return np.asarray(np.where(quantity == 0, 0.0, np.round(quantity * power) / power))


def service(problem: Problem, lots: LotFlows) -> Service:
    """Sum up what was handed over for each need, and the nutrients in everything that was handed over."""
    needs, handed = problem.needs, lots.handed
    good = lots.lot_good[handed.lot]
    for_need = handed.need >= 0
    ratio = units_per_need(problem, handed.need, good)  # a good's own index is also that of its lasting item
    met = np.zeros(len(needs.amount))
    np.add.at(met, handed.need[for_need], (handed.quantity / ratio)[for_need])
    nutrient_need = np.flatnonzero(needs.target >= len(problem.goods))
    if len(nutrient_need):
        shape = (len(problem.nutrients), problem.days, len(problem.sites))
        eaten = np.zeros(shape)
        for nutrient in range(len(problem.nutrients)):
            np.add.at(eaten[nutrient], (handed.day, handed.what), problem.content[nutrient, good] * handed.quantity)
        target = needs.target[nutrient_need] - len(problem.goods)
        met[nutrient_need] = eaten[target, needs.day[nutrient_need], needs.site[nutrient_need]]
    met = np.where(np.abs(met - needs.amount) <= WHOLE * needs.amount, needs.amount, clean(met))
    return Service(met, np.minimum(1.0, met / needs.amount))


def objective(problem: Problem, coverage: Floats) -> float:
    """Return Σ weight × Σ_k value_k × (share of tier k that is met)."""
    tiers = np.clip(coverage[:, None] * TIERS - np.arange(TIERS), 0.0, 1.0)
    return float(problem.needs.weight @ (tiers @ problem.tier_value))


def shortages(problem: Problem, coverage: Floats) -> list[Shortage]:
    """Return the runs of consecutive short days of each need at each site."""
    needs = problem.needs
    short = np.flatnonzero(coverage < 1 - MET_TOLERANCE)
    if not len(short):
        return []
    here, there = short[1:], short[:-1]
    goes_on = (
        (needs.site[here] == needs.site[there])
        & (needs.target[here] == needs.target[there])
        & (needs.day[here] == needs.day[there] + 1)
    )
    first = np.concatenate([short[:1], here[~goes_on]])
    last = np.concatenate([there[~goes_on], short[-1:]])
    return [Shortage(*run) for run in zip(first.tolist(), last.tolist(), strict=True)]


def tabulate(
    problem: Problem, lots: LotFlows, served: Service, reasons: Sequence[tuple[str, str]] | None = None
) -> dict[str, Table]:
    """Return every table of a plan but the summary; `reasons` are the shortages' causes and remedies."""
    names = _Names(problem, lots)
    tables = {
        "intake": _intake(names),
        "shipments": _shipments(names),
        "trips": _trips(names),
        "production": _production(names),
        "deliveries": _deliveries(names),
        "coverage": _coverage(names, served),
        "closing": _closing(names),
        "shortages": _shortages(names, served, reasons),
    }
    assert list(tables) == [schema.name for schema in PLAN_TABLES]
    return tables


class _Names:
    """Ids for indices; `rank_…` sorts indices as their ids sort."""

    def __init__(self, problem: Problem, lots: LotFlows) -> None:
        self.problem, self.lots = problem, lots
        self.sites, self.rank_site = _ids(problem.sites)
        self.goods, self.rank_good = _ids(problem.goods)
        self.fleets, self.rank_fleet = _ids(problem.fleets)
        self.targets, self.rank_target = _ids((*problem.goods, *problem.nutrients))
        self.recipes, self.rank_recipe = _ids(problem.recipe_ids)
        start = np.datetime64(problem.network.start)
        known = lots.lot_expires <= (date.max - problem.network.start).days + 1
        days = np.where(known, lots.lot_expires, 1) - 1
        self.expires = np.where(known, start + days.astype("timedelta64[D]"), np.datetime64("NaT", "D"))

    def lot_columns(self, lot: Ints) -> dict[str, Any]:
        return {"good": self.goods[self.lots.lot_good[lot]], "expires": self.expires[lot]}

    def lot_keys(self, lot: Ints) -> tuple[Ints, Ints]:
        return self.rank_good[self.lots.lot_good[lot]], lot


def _ids(names: Sequence[str]) -> tuple[npt.NDArray[Any], Ints]:
    ids = np.array(names, dtype=object)
    rank = np.empty(len(names), dtype=np.int64)
    rank[sorted(range(len(names)), key=lambda i: names[i])] = np.arange(len(names))
    return ids, rank


def _table(columns: dict[str, Any], *keys: Ints) -> Table:
    """Return a table sorted by integer keys, the first one first."""
    order = np.lexsort(keys[::-1])
    return Table({name: np.asarray(values)[order] for name, values in columns.items()})


def _intake(names: _Names) -> Table:
    moved, sources = names.lots.intake, names.problem.sources
    site = sources.site[moved.what]
    columns = {"site": names.sites[site], **names.lot_columns(moved.lot)}
    columns |= {"day": moved.day + 1, "quantity": clean(moved.quantity)}
    return _table(columns, names.rank_site[site], *names.lot_keys(moved.lot), moved.day)


def _shipments(names: _Names) -> Table:
    moved, options = names.lots.shipped, names.problem.options
    (option, lot, day), quantity = summed([moved.what, moved.lot, moved.day], moved.quantity)
    start, end, fleet = options.start[option], options.end[option], options.fleet[option]
    columns = {"from": names.sites[start], "to": names.sites[end], **names.lot_columns(lot), "departs": day + 1}
    columns |= {"arrives": day + 1 + options.lead[option], "quantity": clean(quantity), "fleet": names.fleets[fleet]}
    keys = names.rank_site[start], names.rank_site[end], *names.lot_keys(lot), day, names.rank_fleet[fleet]
    return _table(columns, *keys)


def _trips(names: _Names) -> Table:
    """Trips = tonnes ÷ payload, vehicle-hours = tonnes × hours per tonne."""
    moved, options, problem = names.lots.shipped, names.problem.options, names.problem
    tonnes = moved.quantity * problem.good_tonnes[names.lots.lot_good[moved.lot]]
    (option, day), tonnes = summed([moved.what, moved.day], tonnes)
    start, end, fleet = options.start[option], options.end[option], options.fleet[option]
    payload = np.array([row.payload_t for row in problem.network.fleets])[fleet]
    columns = {"fleet": names.fleets[fleet], "from": names.sites[start], "to": names.sites[end], "day": day + 1}
    columns |= {"trips": clean(tonnes / payload), "vehicle_hours": clean(tonnes * options.hours[option])}
    columns |= {"tonnes": clean(tonnes)}
    return _table(columns, names.rank_fleet[fleet], names.rank_site[start], names.rank_site[end], day)


def _production(names: _Names) -> Table:
    lots, problem = names.lots, names.problem
    place = problem.plant_site[lots.made_plant], problem.plant_recipe[lots.made_plant], lots.made_day
    (site, recipe, day), batches = summed(place, lots.made_batches)
    columns = {"site": names.sites[site], "recipe": names.recipes[recipe], "day": day + 1, "batches": clean(batches)}
    return _table(columns, names.rank_site[site], names.rank_recipe[recipe], day)


def _deliveries(names: _Names) -> Table:
    moved, needs = names.lots.handed, names.problem.needs
    (site, day, lot, need), quantity = summed([moved.what, moved.day, moved.lot, moved.need], moved.quantity)
    target = np.append(needs.target, -1)[need]
    meets = np.append(names.targets, "")[target]
    columns = {"site": names.sites[site], "day": day + 1, **names.lot_columns(lot)}
    columns |= {"quantity": clean(quantity), "meets": meets}
    rank = np.append(names.rank_target, -1)[target]
    return _table(columns, names.rank_site[site], day, *names.lot_keys(lot), rank)


def _coverage(names: _Names, served: Service) -> Table:
    needs = names.problem.needs
    columns = {"site": names.sites[needs.site], "need": names.targets[needs.target], "priority": needs.priority.copy()}
    columns |= {"day": needs.day + 1, "needed": needs.amount.copy(), "met": served.met, "coverage": served.coverage}
    return _table(columns, names.rank_site[needs.site], names.rank_target[needs.target], needs.day)


def _closing(names: _Names) -> Table:
    """Closing = what moved in − what moved out so far, until the day after the lot's last day, when it is spoiled."""
    problem, lots, options = names.problem, names.lots, names.problem.options
    sent, handed, used = lots.shipped, lots.handed, lots.used
    arrives = sent.day + options.lead[sent.what]
    in_time = arrives < problem.days
    made_site, made_lot, made_day, made = lots.lots_made(problem)
    parts = [
        (problem.sources.site[lots.stock.what], lots.stock.lot, lots.stock.day, lots.stock.quantity),
        (problem.sources.site[lots.intake.what], lots.intake.lot, lots.intake.day, lots.intake.quantity),
        (made_site, made_lot, made_day, made),
        (options.end[sent.what][in_time], sent.lot[in_time], arrives[in_time], sent.quantity[in_time]),
        (options.start[sent.what], sent.lot, sent.day, -sent.quantity),
        (handed.what, handed.lot, handed.day, -handed.quantity),
        (used.what, used.lot, used.day, -used.quantity),
    ]
    site, lot, day, quantity = (np.concatenate(part) for part in zip(*parts, strict=True))
    place, row = np.unique(site * len(lots.lot_good) + lot, return_inverse=True)
    site, lot = np.divmod(place, len(lots.lot_good))
    net, gross = np.zeros((len(place), problem.days)), np.zeros((len(place), problem.days))
    np.add.at(net, (row, day), quantity)
    np.add.at(gross, (row, day), np.abs(quantity))
    there = np.cumsum(net, axis=1)
    least = np.maximum(
        DUST * np.cumsum(gross, axis=1), WHOLE * np.minimum(1.0, gross.max(axis=1, initial=0.0))[:, None]
    )
    there = np.where(there > least, there, 0.0)
    spoils = np.minimum(lots.lot_expires[lot], problem.days + 1)[:, None]  # from 0: the first day it is spoiled
    days = np.arange(problem.days)
    yesterday = np.concatenate([np.zeros((len(place), 1)), there[:, :-1]], axis=1)
    quantity = np.where(days < spoils, there, 0.0)
    spoiled = np.where(days == spoils, yesterday, 0.0)
    which, day = np.nonzero((quantity > 0) | (spoiled > 0))
    columns = {"site": names.sites[site[which]], **names.lot_columns(lot[which]), "day": day + 1}
    columns |= {"quantity": clean(quantity[which, day]), "spoiled": clean(spoiled[which, day])}
    return _table(columns, names.rank_site[site[which]], *names.lot_keys(lot[which]), day)


def _shortages(names: _Names, served: Service, reasons: Sequence[tuple[str, str]] | None) -> Table:
    needs = names.problem.needs
    runs = shortages(names.problem, served.coverage)
    missing = np.append(np.maximum(0.0, needs.amount - served.met), 0.0)
    first = np.array([run.first for run in runs], dtype=np.int64)
    last = np.array([run.last for run in runs], dtype=np.int64)
    # Run by run: beside the millions of another need a running total of all would lose the grams of this one.
    unmet = np.add.reduceat(missing, np.column_stack([first, last + 1]).ravel())[::2] if runs else np.zeros(0)
    reasons = [("", "")] * len(runs) if reasons is None else reasons
    site, target = needs.site[first], needs.target[first]
    columns = {"site": names.sites[site], "need": names.targets[target], "from": needs.day[first] + 1}
    columns |= {"to": needs.day[last] + 1, "unmet": clean(unmet)}
    columns |= {"cause": np.array([cause for cause, _ in reasons], dtype=object)}
    columns |= {"remedy": np.array([remedy for _, remedy in reasons], dtype=object)}
    return _table(columns, names.rank_site[site], names.rank_target[target], needs.day[first])


def summary(problem: Problem, lots: LotFlows, served: Service, facts: dict[str, Any]) -> Table:
    """Return the one row that sums a plan up; `facts` is what only the solve knows: seconds, gap, solver."""
    needs, options = problem.needs, problem.options
    people, coverage = needs.people, served.coverage
    row: dict[str, Any] = {"sites": len(problem.sites), "people": problem.network.people}
    for priority in np.unique(needs.priority).tolist():
        mine = needs.priority == priority
        row[f"needed_p{priority:g}"] = float(people[mine].sum())
        row[f"met_p{priority:g}"] = float(people[mine] @ coverage[mine])
    weight = float(people.sum())
    row["mean_coverage"] = float(people @ coverage) / weight if weight else 1.0
    row["worst_5_percent_coverage"] = worst_off(coverage, people, 0.05)
    row["lowest_coverage"] = float(coverage.min(initial=1.0))
    tonnes = lots.shipped.quantity * problem.good_tonnes[lots.lot_good[lots.shipped.lot]]
    row["vehicle_hours"] = float(tonnes @ options.hours[lots.shipped.what])
    bought = float(lots.intake.quantity @ problem.sources.unit_cost[lots.intake.what])
    row["cost"] = bought + float(tonnes @ options.cost[lots.shipped.what])
    row |= facts
    return Table(
        {name: np.array([value], dtype=object if isinstance(value, str) else None) for name, value in row.items()}
    )


def worst_off(coverage: Floats, people: Floats, share: float) -> float:
    """Return the mean coverage of the worst-off share of person-days; the last need counts with the part that fits.

    >>> worst_off(np.array([1.0, 0.0, 0.5]), np.array([90.0, 4.0, 6.0]), 0.05)
    0.1
    """
    order = np.argsort(coverage, kind="stable")
    left = share * float(people.sum())
    if left <= 0:
        return 1.0
    before = np.concatenate([[0.0], np.cumsum(people[order])[:-1]])
    counted = np.clip(left - before, 0.0, people[order])
    return float(counted @ coverage[order]) / left
