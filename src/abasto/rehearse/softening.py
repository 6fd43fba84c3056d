"""What would soften a loss: a tenth more of those capacities whose price rises most once the thing is lost.

By weak duality no addition brings more than its price × its size, but for the gap of the plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from abasto.planner.problem import Floats, Problem, weighted_people_days
from abasto.planner.solution import Prices

__all__ = ["Softener", "prices_of_additions", "softeners"]

PART = 0.1
"""Additions are a tenth of what there is, in whole vehicles, batches and hours."""
MOST = 2
WORTH_NAMING = 0.01
"""Additions that grow dearer by less than this share of the harm are not named."""
DUST = 1e-6

Key = tuple[str, int]
"""The kind of a capacity, and which one."""


@dataclass(frozen=True)
class Softener:
    """An addition in words, and what it is worth at most, in weighted people-days of need."""

    words: str
    worth: float


@dataclass(frozen=True)
class _Addition:
    """So much more of a capacity, in words, and the price of one unit of it, in the objective's units."""

    key: Key
    words: str
    size: float
    price: float


def prices_of_additions(problem: Problem, prices: Prices) -> dict[Key, float]:
    """Return the price of one unit more of each capacity that has one."""
    return {one.key: one.price for one in _additions(problem, prices) if one.price > 0}


def softeners(problem: Problem, prices: Prices, before: Mapping[Key, float], harm: float) -> tuple[Softener, ...]:
    """Return the additions whose worth rises most above what it was at the prices `before` the loss.

    Only what is still there can be added to; `harm` is in the objective's units.
    """
    risen = {one: one.size * (one.price - before.get(one.key, 0.0)) for one in _additions(problem, prices)}
    least = max(WORTH_NAMING * harm, DUST)
    named = sorted((one for one in risen if risen[one] > least), key=lambda one: -risen[one])[:MOST]
    return tuple(Softener(one.words, weighted_people_days(one.size * one.price, problem.fairness)) for one in named)


def _additions(problem: Problem, prices: Prices) -> Iterator[_Addition]:
    yield from _of_fleets(problem, prices)
    yield from _of_plants(problem, prices)
    yield from _of_sites(problem, prices)
    yield from _of_lanes(problem, prices)
    yield from _of_goods(problem, prices)


def _of_fleets(problem: Problem, prices: Prices) -> Iterator[_Addition]:
    for f, row in enumerate(problem.network.fleets):
        works = problem.fleet_hours[f] > 0
        if works.any():
            more = _at_least_one(problem.fleet_hours[f] / row.hours_per_day)
            words = f"{more:,} more {'vehicle' if more == 1 else 'vehicles'} for {row.fleet}"
            yield _Addition(("fleet", f), words, more, row.hours_per_day * float(prices.fleet[f][works].sum()))


def _of_plants(problem: Problem, prices: Prices) -> Iterator[_Addition]:
    for p, recipe in enumerate(problem.plant_recipe.tolist()):
        runs = problem.plant_batches[p] > 0
        if runs.any():
            more = _at_least_one(problem.plant_batches[p])
            what = f"{'batch' if more == 1 else 'batches'} a day of {problem.recipe_ids[recipe]}"
            words = f"{more:,} more {what} at {problem.sites[int(problem.plant_site[p])]}"
            yield _Addition(("plant", p), words, more, float(prices.plant[p][runs].sum()))


def _of_sites(problem: Problem, prices: Prices) -> Iterator[_Addition]:
    """Yield working hours and storage."""
    for i, site in enumerate(problem.sites):
        hours = problem.labour_hours[i]
        if np.isfinite(hours).all() and hours.any():
            more = _at_least_one(hours)
            what = "hour" if more == 1 else "hours"
            yield _Addition(
                ("labour", i), f"{more:,} more working {what} a day at {site}", more, float(prices.labour[i].sum())
            )
        if np.isfinite(problem.storage_t[i]) and problem.storage_t[i] > 0:
            tonnes = PART * float(problem.storage_t[i])
            words = f"room for {_rounded(tonnes)} t more at {site}"
            yield _Addition(("storage", i), words, tonnes, float(prices.storage[i].sum()))


def _of_lanes(problem: Problem, prices: Prices) -> Iterator[_Addition]:
    for number, (start, end) in enumerate(problem.lanes):
        limited = np.isfinite(problem.lane_tonnes[number]) & (problem.lane_tonnes[number] > 0)
        if limited.any():
            tonnes = PART * float(problem.lane_tonnes[number][limited].max())
            words = f"{_rounded(tonnes)} t a day more on lane {problem.sites[start]}>{problem.sites[end]}"
            yield _Addition(("lane", number), words, tonnes, float(prices.lane[number][limited].sum()))


def _of_goods(problem: Problem, prices: Prices) -> Iterator[_Addition]:
    """Yield supplies and stocks on hand; days of a supply and lots of a stock share an addition by their amounts."""
    sources = problem.sources
    good = problem.items.good[sources.item]
    key = (sources.site * len(problem.goods) + good) * 2 + sources.is_stock
    worth = prices.source * sources.amount
    for place in np.unique(key[worth > 0]).tolist():
        here = key == place
        first = int(np.flatnonzero(here)[0])
        row = problem.network.goods[int(good[first])]
        is_stock = bool(place % 2)
        there = float(sources.amount[here].sum() if is_stock else sources.amount[here].max())
        where = "in stock at" if is_stock else "a day to be had at"
        words = f"{_rounded(PART * there)} {row.unit} more {row.good} {where} {problem.sites[int(sources.site[first])]}"
        yield _Addition(("good", place), words, PART * there, float(worth[here].sum()) / there)


def _at_least_one(there: Floats) -> int:
    return max(1, math.ceil(PART * float(there.max())))


def _rounded(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"
