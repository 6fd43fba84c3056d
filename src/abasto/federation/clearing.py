"""The clearing: every network that holds the same maps computes the same proposal of who sends what to whom.

The maps together are turned into the tables of the format, one day for each period, and planned by the exact solver
by the same objective as any network: people served, tiers, fairness. Maps, rows and columns have a fixed order, the
solver has one thread and fixed settings, and what comes out is rounded before it is used; who agrees on the digest
of a clearing has the same one.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from abasto.errors import FederationError
from abasto.facts.canonical import canonical
from abasto.federation.coarse import COLUMNS, INTO, LEVELS, OUT, UNLIMITED, CoarseMap, columns_of, common_digest
from abasto.network import Fleet, Labour, Lane, Need, Network, Plant, Reserve, Site, Stock, Supply
from abasto.planner.make import plan_in_full
from abasto.planner.problem import tier_values
from abasto.tables import check_network

__all__ = ["Clearing", "Flow", "clear", "coarse_network", "refuse_unplannable"]

LEAST_TONNES = 2.0
"""Less than this, by one lane and of one good over the whole horizon, is not proposed,"""
LEAST_SHARE = 0.01
"""unless all that the networks need together is so little that it is more than this share of it."""
MOST_AMOUNT = 1e12
"""So much of anything a map may have at most."""
LEAST_PAYLOAD = 1e-6
"""Tonnes: vehicles of a map carry no less, or the hours for each tonne would be beyond measure."""
DIGITS = 3
"""Amounts and prices of a clearing are rounded to so many digits: far coarser than the solver's own noise."""
FREE = "free"
"""The mode of the last step of lanes that share both ends with another: its fleet has no limit."""

Key = tuple[int, str]


@dataclass(frozen=True)
class Flow:
    """What is proposed to go by a lane between networks: units by period, and what a unit is worth where it arrives.

    `price` is in the objective's units per unit of the good.
    """

    lane: int
    good: str
    amounts: tuple[float, ...]
    price: float


@dataclass(frozen=True)
class Clearing:
    """A proposal, in a fixed order, and the digests of the maps it follows from."""

    maps: Mapping[str, str]
    flows: tuple[Flow, ...]

    @cached_property
    def digest(self) -> str:
        """Names the clearing by what it proposes."""
        said = {
            "maps": dict(self.maps),
            "flows": [
                [flow.lane, flow.good, [f"{value:.{DIGITS}g}" for value in flow.amounts], f"{flow.price:.{DIGITS}g}"]
                for flow in self.flows
            ],
        }
        return hashlib.blake2b(canonical(said), digest_size=16).hexdigest()


def clear(maps: Iterable[CoarseMap], common: Network) -> Clearing:
    """Return the clearing of maps, in whatever order they come; `common` has the goods and recipes they refer to.

    Maps of another horizon, fairness or common list than the first by name are refused with `FederationError`.
    """
    ordered = sorted(maps, key=lambda coarse: coarse.network)
    _refuse_unlike(ordered, common)
    digests = {coarse.network: coarse.digest for coarse in ordered}
    layout = _Layout(ordered, common)
    if not layout.crossings or not layout.whole.needs:
        return Clearing(digests, ())
    solved = plan_in_full(layout.whole, fairness=ordered[0].fairness, solver="exact")
    site_of = {site: number for number, site in enumerate(solved.problem.sites)}
    good_of = {good: number for number, good in enumerate(solved.problem.goods)}
    item_good = solved.problem.items.good
    sent: dict[Key, list[float]] = {}
    for row in solved.plan.shipments.rows():
        crossing = layout.crossings.get((row["from"], row["to"]))
        if crossing is not None:
            by_period = sent.setdefault((crossing, row["good"]), [0.0] * ordered[0].periods)
            by_period[row["departs"] - 1] += row["quantity"]
    weight = {row.good: row.kg_per_unit / 1000 for row in common.goods}
    least = _least_prices(layout.whole, ordered[0].fairness)
    needed = sum(need.quantity * weight[need.good] for need in layout.whole.needs)
    worthwhile = min(LEAST_TONNES, LEAST_SHARE * needed)
    flows = []
    for (lane, good), amounts in sorted(sent.items()):
        if sum(amounts) * weight[good] < worthwhile or not least[good]:
            continue
        prices = solved.prices.good[item_good == good_of[good], :, site_of[layout.arrives[lane]]]
        by_period = np.where(np.isfinite(prices), prices, 0.0).max(axis=0)
        worth = max(float(by_period @ amounts) / sum(amounts), least[good])
        flows.append(Flow(lane, good, tuple(_rounded(value) for value in amounts), _rounded(worth)))
    return Clearing(digests, tuple(flows))


def coarse_network(maps: Iterable[CoarseMap], common: Network) -> Network:
    """Return what maps say as one network of the format, one day for each period."""
    return _Layout(sorted(maps, key=lambda coarse: coarse.network), common).whole


def refuse_unplannable(coarse: CoarseMap, common: Network) -> None:
    """Raise `FederationError` for a map whose tables break a rule of the format, so that nothing could be cleared with
    it, or that has amounts beside which a solver's arithmetic loses all others.
    """
    begin = f'the map of "{coarse.network}"'
    for table in COLUMNS:
        kinds = columns_of(table, coarse.periods)
        told = {pair for row in coarse.tables[table] for pair in zip(kinds, row, strict=True)}
        for kind, level in sorted(told):
            if kind in LEVELS and level != UNLIMITED and coarse.amount(level) > MOST_AMOUNT:
                raise FederationError(f"{begin} has more than {MOST_AMOUNT:.0e} of something in table {table}")
            if kind == "payload" and coarse.amount(level) < LEAST_PAYLOAD:
                raise FederationError(f"{begin} has vehicles that carry less than a gram")
    try:
        errors = [one for one in check_network(coarse_network([coarse], common)) if one.severity == "error"]
    except ValueError as error:  # What no row of a table may have, such as a need without limit.
        raise FederationError(f"{begin} breaks a rule of the tables: {error}") from None
    if errors:
        raise FederationError(f"{begin} breaks a rule of the tables: {errors[0]}")


class _Layout:
    """The tables of several maps together; `crossings` are the lanes between networks by their ends there."""

    def __init__(self, maps: list[CoarseMap], common: Network) -> None:
        self.crossings: dict[tuple[str, str], int] = {}
        self.arrives: dict[int, str] = {}
        self._maps = maps
        self._goods = sorted(row.good for row in common.goods)
        self._tonnes = {row.good: row.kg_per_unit / 1000 for row in common.goods}
        self._recipes = sorted({line.recipe for line in common.recipes})
        self._lanes: dict[tuple[str, str], Lane] = {}
        self._steps: list[Site] = []
        tables: dict[str, list[Any]] = {}
        for number, coarse in enumerate(maps):
            for name, rows in self._tables(number, coarse):
                tables.setdefault(name, []).extend(rows)
        self._cross()
        free = [Fleet(fleet=FREE, vehicles=1e9, payload_t=1e3, handling_hours=0.0, mode=FREE)] if self._steps else []
        tables["sites"] = [*tables.get("sites", ()), *self._steps]
        tables["fleets"] = [*tables.get("fleets", ()), *free]
        self.whole = Network(
            name="coarse",
            start=common.start,
            days=maps[0].periods if maps else 1,
            goods=tuple(row.model_copy(update={"shelf_life_days": None}) for row in common.goods),
            recipes=common.recipes,
            substitutes=common.substitutes,
            lanes=tuple(self._lanes.values()),
            **{name: tuple(rows) for name, rows in tables.items()},
        )

    def _tables(self, number: int, coarse: CoarseMap) -> Iterator[tuple[str, list[Any]]]:
        days = [len(coarse.days_of(period)) for period in range(coarse.periods)]
        good = self._good
        amount = coarse.amount
        rows = coarse.tables

        def node(index: int) -> str:
            return f"{number}/{index}"

        def by_period(levels: tuple[int, ...]) -> Iterator[tuple[dict[str, int], float, int]]:
            for period, level in enumerate(levels):
                if level:
                    yield {"from_day": period + 1, "to_day": period + 1}, amount(level), days[period]

        lies = [0.0] * len(rows["nodes"])  # Rounding may make it more than a full store holds.
        for g, at, much in rows["stocks"]:
            lies[at] += amount(much) * self._tonnes[good(g)]
        yield (
            "sites",
            [
                Site(site=node(index), storage_t=None if room == UNLIMITED else max(amount(room), lies[index]))
                for index, (_, room) in enumerate(rows["nodes"])
            ],
        )
        yield (
            "needs",
            [
                Need(
                    site=node(at),
                    good=good(g),
                    quantity=much,
                    priority=tenths / 10,
                    people=amount(people) * length,
                    **when,
                )
                for g, tenths, at, people, *levels in rows["needs"]
                for when, much, length in by_period(tuple(levels))
            ],
        )
        yield (
            "supplies",
            [
                Supply(site=node(at), good=good(g), quantity=much, **when)
                for g, at, *levels in rows["supplies"]
                for when, much, _ in by_period(tuple(levels))
            ],
        )
        yield "stocks", [Stock(site=node(at), good=good(g), quantity=amount(much)) for g, at, much in rows["stocks"]]
        yield (
            "reserves",
            [Reserve(site=node(at), good=good(g), quantity=amount(much)) for g, at, much in rows["reserves"]],
        )
        yield (
            "plants",
            [
                Plant(site=node(at), recipe=self._recipes[r], batches=much, hours_per_batch=amount(hours), **when)
                for r, at, hours, *levels in rows["plants"]
                if r < len(self._recipes)
                for when, much, _ in by_period(tuple(levels))
            ],
        )
        yield (
            "labour",
            [
                Labour(site=node(at), hours=amount(level), from_day=period + 1, to_day=period + 1)
                for at, *levels in rows["labour"]
                for period, level in enumerate(levels)
            ],
        )
        yield (
            "fleets",
            [
                Fleet(
                    fleet=f"{number}/{index}/{when['from_day']}",
                    site=None if base == 0 else node(base - 1),
                    vehicles=hours,
                    payload_t=amount(payload),
                    hours_per_day=1.0,
                    handling_hours=amount(handling),
                    mode=f"{number}/{mode}",
                    **when,
                )
                for index, (mode, base, payload, handling, *levels) in enumerate(rows["fleets"])
                for when, hours, _ in by_period(tuple(levels))
            ],
        )
        for start, end, both, mode, hours, tonnes in rows["lanes"]:
            way = (f"{number}/{mode}", amount(hours), _tonnes(coarse, tonnes))
            self._add_lane(node(start), node(end), *way)
            if both:
                self._add_lane(node(end), node(start), *way)

    def _good(self, number: int) -> str:
        if number >= len(self._goods):
            raise FederationError(f"a map names good {number}; the common list has {len(self._goods)}")
        return self._goods[number]

    def _cross(self) -> None:
        """Join lanes that one map sends out with the node where another takes them in; none of which two maps claim
        the same end, for one of them is not telling the truth.
        """
        arrives: dict[int, tuple[int, int]] = {}
        claims: Counter[tuple[int, int]] = Counter()
        shortest: dict[tuple[str, str], tuple[float, int]] = {}
        for number, coarse in enumerate(self._maps):
            for lane, ways, node, *_ in coarse.tables["border"]:
                if ways & INTO:
                    arrives[lane ^ 1] = (number, node)
                    claims[lane ^ 1, INTO] += 1
                if ways & OUT:
                    claims[lane, OUT] += 1
        for number, coarse in enumerate(self._maps):
            for lane, ways, node, mode, hours, tonnes in coarse.tables["border"]:
                if not ways & OUT or lane not in arrives or arrives[lane][0] == number:
                    continue
                if claims[lane, INTO] > 1 or claims[lane, OUT] > 1:
                    continue
                end = self.arrives[lane] = "{}/{}".format(*arrives[lane])
                drive = coarse.amount(hours)
                ends = self._add_lane(f"{number}/{node}", end, f"{number}/{mode}", drive, _tonnes(coarse, tonnes))
                if ends not in shortest or (drive, lane) < shortest[ends]:
                    shortest[ends] = (drive, lane)
                    self.crossings[ends] = lane

    def _add_lane(self, start: str, end: str, mode: str, drive: float, tonnes: float | None) -> tuple[str, str]:
        """Add a lane and return the ends of its driven part; a second one of another mode leads over a step between."""
        there = self._lanes.get((start, end))
        if there is not None and there.mode != mode:
            step = f"{start}>{end}, {mode}"
            if (start, step) not in self._lanes:
                self._steps.append(Site(site=step, storage_t=0.0))
                self._put(step, end, FREE, 0.0, None)
            end, there = step, self._lanes.get((start, step))
        if there is not None:
            drive = min(drive, there.travel_hours)
            tonnes = None if tonnes is None or there.tonnes is None else tonnes + there.tonnes
        self._put(start, end, mode, drive, tonnes)
        return start, end

    def _put(self, start: str, end: str, mode: str, hours: float, tonnes: float | None) -> None:
        self._lanes[start, end] = Lane(
            from_site=start, to_site=end, hours=hours, lead_days=0, tonnes=tonnes, mode=mode, two_way=False
        )


def _least_prices(whole: Network, fairness: float) -> dict[str, float]:
    """Return what the last tenth of the cheapest need of each good is worth by unit, and inputs by what they make.

    Where the coarse map has enough of a good its price is 0, but so it is only because the good comes.
    """
    last = 10 * float(tier_values(fairness)[-1])
    least: dict[str, float] = {}
    for need in whole.needs:
        worth = (need.people or 0.0) * 10 ** (1 - (need.priority or 0.0)) * last / need.quantity
        if worth > 0:
            least[need.good] = min(least.get(need.good, worth), worth)
    recipes = {line.recipe for line in whole.recipes}
    for _ in recipes:  # as often as recipes can follow on each other
        for recipe in sorted(recipes):
            lines = [line for line in whole.recipes if line.recipe == recipe]
            made = sum(line.quantity * least.get(line.good, 0.0) for line in lines if line.quantity > 0)
            used = [line for line in lines if line.quantity < 0]
            for line in used:
                least[line.good] = max(least.get(line.good, 0.0), made / len(used) / -line.quantity)
    return {good.good: least.get(good.good, 0.0) for good in whole.goods}


def _tonnes(coarse: CoarseMap, level: int) -> float | None:
    """Return tonnes in a period of middle length; one number must do for all."""
    return None if level == UNLIMITED else coarse.amount(level) * coarse.days / coarse.periods


def _refuse_unlike(maps: list[CoarseMap], common: Network) -> None:
    digest = common_digest(common)
    for coarse in maps:
        if coarse.common != digest:
            raise FederationError(f'the map of "{coarse.network}" is of another common list of goods and recipes')
        first = maps[0]
        if (coarse.start, coarse.days, coarse.periods, coarse.fairness) != (
            first.start,
            first.days,
            first.periods,
            first.fairness,
        ):
            raise FederationError(
                f'the maps of "{first.network}" and "{coarse.network}" are of other days, periods or fairness'
            )


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
