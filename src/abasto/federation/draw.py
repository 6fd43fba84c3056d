"""Draw a network's coarse map: merge sites along cheap two-way lanes, sum what they have, keep back its own hours."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from abasto.federation.border import Border
from abasto.federation.coarse import INTO, OUT, CoarseMap, by_period, common_digest, level, period_of
from abasto.network import Fleet, Lane, Network
from abasto.planner.check.limits import Limits, NeedDay
from abasto.planner.plan import Plan

__all__ = ["MOST_TOGETHER", "Clusters", "Kind", "draw_map", "hours_inside", "merge_sites"]

MOST_TOGETHER = 3
"""So many sites at most make a node."""
LEAST_HOURS = 0.02
"""At least this share of a fleet's hours is published, even where the network's own work takes all."""

Clusters = Mapping[str, int]
"""The node of each of a network's own sites."""
Kind = tuple[str, str | None, float, float]
"""What a map tells fleets apart by: mode, base, payload, handling hours."""
Hours = Mapping[Kind, Sequence[float]]
"""Vehicle-hours of each kind of fleet, by period."""


def merge_sites(border: Border, most: int = MOST_TOGETHER) -> Clusters:
    """Return nodes of at most `most` sites, merged along the network's two-way lanes, the cheapest first.

    A pair of sites costs what a tonne takes in vehicle-hours, in the dearer direction.
    """
    cost: dict[tuple[str, str], float] = {}
    for start, end, lane in _inside(border):
        cost[start, end] = min(cost.get((start, end), math.inf), _hours_a_tonne(border, lane))
    pairs = sorted((max(cost[a, b], cost[b, a]), a, b) for a, b in cost if a < b and (b, a) in cost)
    group = {site: [site] for site in sorted(border.own)}
    for hours, a, b in pairs:
        if math.isfinite(hours) and group[a] is not group[b] and len(group[a]) + len(group[b]) <= most:
            together = sorted(group[a] + group[b])
            group.update((site, together) for site in together)
    first = sorted({sites[0] for sites in group.values()})
    return {site: first.index(sites[0]) for site, sites in sorted(group.items())}


def hours_inside(plan: Plan, clusters: Clusters, periods: int) -> dict[Kind, list[float]]:
    """Return the vehicle-hours that a plan spends between sites of one node, which no map shows."""
    return _hours(plan, periods, lambda start, end: clusters.get(start, -1) == clusters.get(end, -2))


def draw_map(
    border: Border,
    clusters: Clusters,
    kept_back: Hours,
    *,
    periods: int,
    fairness: float,
    fineness: int,
    alone: Plan,
    forbidden: Container[str] = (),
    offers_only: bool = False,
) -> CoarseMap:
    """Return the map of a network.

    `kept_back` are vehicle-hours that stay with the network. Of a forbidden good the map shows only what the plan
    `alone` leaves short, and none of what there is. With `offers_only` it shows what that plan leaves over, and
    neither needs nor plants.
    """
    drawing = _Drawing(border, clusters, periods, fineness, Limits(border.alone, None), alone, forbidden)
    modes = sorted({lane.mode for lane in border.network.lanes})
    tables: dict[str, list[tuple[int, ...]]] = {
        "nodes": drawing.nodes(),
        "needs": [] if offers_only else drawing.needs(),
        **(drawing.left_over() if offers_only else drawing.goods_at_hand()),
        "plants": [] if offers_only else drawing.plants(),
        "labour": [] if offers_only else drawing.labour(),
        "fleets": drawing.fleets(modes, _all_hours(alone, periods) if offers_only else kept_back),
        "lanes": drawing.lanes(modes),
        "border": drawing.border_lanes(modes, into=not offers_only),
    }
    network = border.network
    return CoarseMap(
        network=network.name,
        start=network.start,
        days=network.days,
        periods=periods,
        common=common_digest(network),
        fairness=fairness,
        fineness=fineness,
        tables={name: tuple(rows if name == "nodes" else sorted(rows)) for name, rows in tables.items()},
    )


@dataclass(frozen=True)
class _Drawing:
    """What every table of a map is drawn from."""

    border: Border
    clusters: Clusters
    periods: int
    fineness: int
    limits: Limits
    alone: Plan
    forbidden: Container[str]

    @property
    def network(self) -> Network:
        return self.border.alone

    def sums(self, amounts: Mapping[int, float]) -> Sequence[float]:
        return by_period(self.network.days, self.periods, amounts)

    def level(self, amount: float) -> int:
        return level(amount, self.fineness)

    def levels(self, amounts: Iterable[float]) -> tuple[int, ...]:
        """Return the levels of amounts, one for each period."""
        return tuple(self.level(value) for value in amounts)

    def nodes(self) -> list[tuple[int, ...]]:
        people = [0.0] * (max(self.clusters.values(), default=-1) + 1)
        room = list(people)
        for site in self.network.sites:
            people[self.clusters[site.site]] += site.people
            room[self.clusters[site.site]] += math.inf if site.storage_t is None else site.storage_t
        return [(self.level(a), self.level(b)) for a, b in zip(people, room, strict=True)]

    def needs(self) -> list[tuple[int, ...]]:
        """Return the needs of goods, those of one node, good and priority as one, with the people they serve."""
        good_of = _numbers(self.network)
        amounts: dict[tuple[int, int, int], list[float]] = defaultdict(lambda: [0.0] * self.periods)
        people: dict[tuple[int, int, int], float] = defaultdict(float)
        met = self._met_alone()
        for (site, good), by_day in self.limits.needs.items():
            if good not in good_of:
                continue
            for day, need in by_day.items():
                key = (good_of[good], round(10 * need.priority), self.clusters[site])
                amounts[key][period_of(day, self.network.days, self.periods)] += self._wanted(
                    site, good, day, need, met
                )
                people[key] += need.people / self.network.days
        return [(*key, self.level(people[key]), *self.levels(rows)) for key, rows in amounts.items() if any(rows)]

    def _wanted(
        self, site: str, good: str, day: int, need: NeedDay, met: Mapping[tuple[str, str, int], float]
    ) -> float:
        return max(0.0, need.needed - met.get((site, good, day), 0.0)) if good in self.forbidden else need.needed

    def _met_alone(self) -> dict[tuple[str, str, int], float]:
        if not self.forbidden:
            return {}
        return {(row["site"], row["need"], row["day"]): row["met"] for row in self.alone.coverage.rows()}

    def goods_at_hand(self) -> dict[str, list[tuple[int, ...]]]:
        """Return supplies, stocks and reserves; none of what is forbidden."""
        good_of = _numbers(self.network)
        supplies: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for (site, good, day), quantity in self.limits.supply.items():
            if good not in self.forbidden:
                supplies[good_of[good], self.clusters[site]][day] += quantity
        stocks: dict[tuple[int, int], float] = defaultdict(float)
        for (site, good), lots in self.limits.stocks.items():
            if good not in self.forbidden:
                stocks[good_of[good], self.clusters[site]] += sum(quantity for _, quantity in lots)
        reserves: dict[tuple[int, int], float] = defaultdict(float)
        for (site, good), quantity in self.limits.reserves.items():
            if good not in self.forbidden:
                reserves[good_of[good], self.clusters[site]] += quantity
        return {
            "supplies": [(*key, *self.levels(self.sums(days))) for key, days in supplies.items() if any(days.values())],
            "stocks": [(*key, self.level(quantity)) for key, quantity in stocks.items() if quantity > 0],
            "reserves": [(*key, self.level(quantity)) for key, quantity in reserves.items() if quantity > 0],
        }

    def left_over(self) -> dict[str, list[tuple[int, ...]]]:
        """Return supplies that the plan alone does not take in, and stocks that it still holds at the end."""
        good_of = _numbers(self.network)
        supplies: dict[tuple[int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for (site, good, day), quantity in self.limits.supply.items():
            supplies[good_of[good], self.clusters[site]][day] += quantity
        for row in self.alone.intake.rows():
            supplies[good_of[row["good"]], self.clusters[row["site"]]][row["day"]] -= row["quantity"]
        stocks: dict[tuple[int, int], float] = defaultdict(float)
        for row in self.alone.closing.rows():
            if row["day"] == self.network.days and row["site"] in self.clusters:
                stocks[good_of[row["good"]], self.clusters[row["site"]]] += row["quantity"]
        for (site, good), quantity in self.limits.reserves.items():
            stocks[good_of[good], self.clusters[site]] -= quantity
        allowed = {number for good, number in good_of.items() if good not in self.forbidden}
        offered = {key: self.sums(days) for key, days in supplies.items() if key[0] in allowed}
        return {
            "supplies": [
                (*key, *self.levels(sums)) for key, sums in offered.items() if any(self.level(s) for s in sums)
            ],
            "stocks": [
                (*key, self.level(left)) for key, left in stocks.items() if key[0] in allowed and self.level(left)
            ],
            "reserves": [],
        }

    def plants(self) -> list[tuple[int, ...]]:
        recipes = sorted({line.recipe for line in self.network.recipes})
        batches: dict[tuple[int, int, int], dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for site, recipe in self.limits.plants:
            if self._makes_forbidden(recipe):
                continue
            for day in range(1, self.network.days + 1):
                for most, hours in self.limits.batches(site, recipe, day):
                    batches[recipes.index(recipe), self.clusters[site], self.level(hours)][day] += most
        return [(*key, *self.levels(self.sums(days))) for key, days in batches.items() if any(days.values())]

    def _makes_forbidden(self, recipe: str) -> bool:
        return any(good in self.forbidden for good, quantity in self.limits.recipes[recipe] if quantity > 0)

    def labour(self) -> list[tuple[int, ...]]:
        """Return working hours of the nodes that have plants; without a row they are unlimited, as in the format."""
        hours: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        unlimited = {self.clusters[site] for site, _ in self.limits.plants if site not in self.limits.labour}
        for site in {site for site, _ in self.limits.plants}:
            for day, left in enumerate(self.limits.labour.get(site, ())):
                hours[self.clusters[site]][max(1, day)] += left
        return [(node, *self.levels(self.sums(days))) for node, days in hours.items() if node not in unlimited]

    def fleets(self, modes: list[str], kept_back: Hours) -> list[tuple[int, ...]]:
        """Return the spare hours of each kind of fleet."""
        hours: dict[Kind, list[float]] = defaultdict(lambda: [0.0] * self.periods)
        for fleet in self.network.fleets:
            by_day = {day: self.limits.fleet_hours(fleet, day) for day in range(1, self.network.days + 1)}
            kind = _kind(fleet)
            hours[kind] = [sum(pair) for pair in zip(hours[kind], self.sums(by_day), strict=True)]
        rows = []
        for kind, there in hours.items():
            mode, site, payload, handling = kind
            kept = kept_back.get(kind, [0.0] * self.periods)
            spare = [max(all - own, LEAST_HOURS * all) for all, own in zip(there, kept, strict=True)]
            base = 0 if site is None else 1 + self.clusters[site]
            if mode in modes:
                loads = (self.level(payload), self.level(handling))
                rows.append((modes.index(mode), base, *loads, *self.levels(spare)))
        return rows

    def lanes(self, modes: list[str]) -> list[tuple[int, ...]]:
        """Return the shortest lane of each mode between two nodes, with all their tonnes; both ways as one if alike."""
        hours: dict[tuple[int, int, int], float] = {}
        tonnes: dict[tuple[int, int, int], float] = defaultdict(float)
        for start, end, lane in _inside(self.border):
            key = (self.clusters[start], self.clusters[end], modes.index(lane.mode))
            if key[0] != key[1] and self.border.fleets_of(lane.mode):
                hours[key] = min(hours.get(key, math.inf), lane.travel_hours)
                tonnes[key] += math.inf if lane.tonnes is None else lane.tonnes
        ways = {key: (self.level(hours[key]), self.level(tonnes[key])) for key in hours}
        rows: list[tuple[int, ...]] = []
        for (a, b, mode), way in ways.items():
            is_both = ways.get((b, a, mode)) == way
            if a < b or not is_both:
                rows.append((a, b, int(is_both), mode, *way))
        return rows

    def border_lanes(self, modes: list[str], *, into: bool) -> list[tuple[int, ...]]:
        """Return the lanes to other networks that some fleet drives, and, if wanted, those from them."""
        rows: dict[int, tuple[int, int, int, int, int]] = {}
        for id, lane in self.border.out.items():
            if self.border.fleets_of(lane.row.mode):
                tonnes = math.inf if lane.row.tonnes is None else lane.row.tonnes
                way = (modes.index(lane.row.mode), self.level(lane.row.travel_hours), self.level(tonnes))
                rows[id] = (OUT, self.clusters[lane.here], *way)
        for id, lane in self.border.into.items() if into else ():
            ways, node, mode, hours, load = rows.get(id ^ 1, (0, self.clusters[lane.here], 0, 0, 0))
            rows[id ^ 1] = (ways + INTO, node, mode, hours, load)
        return [(id, *row) for id, row in rows.items()]


def _inside(border: Border) -> list[tuple[str, str, Lane]]:
    ways = []
    for lane in border.alone.lanes:
        ways.append((lane.from_site, lane.to_site, lane))
        if lane.two_way:
            ways.append((lane.to_site, lane.from_site, lane))
    return ways


def _hours_a_tonne(border: Border, lane: Lane) -> float:
    def hours(fleet: Fleet) -> float:
        return (2 * lane.travel_hours + fleet.handling_hours) / fleet.payload_t

    return min((hours(fleet) for fleet in border.fleets_of(lane.mode)), default=math.inf)


def _numbers(network: Network) -> dict[str, int]:
    """Return the number of each good in the common list."""
    return {good: number for number, good in enumerate(sorted(row.good for row in network.goods))}


def _all_hours(plan: Plan, periods: int) -> dict[Kind, list[float]]:
    return _hours(plan, periods, lambda start, end: True)


def _hours(plan: Plan, periods: int, counts: Callable[[str, str], bool]) -> dict[Kind, list[float]]:
    kind_of = {fleet.fleet: _kind(fleet) for fleet in plan.network.fleets}
    hours: dict[Kind, list[float]] = defaultdict(lambda: [0.0] * periods)
    for row in plan.trips.rows():
        if counts(row["from"], row["to"]):
            period = period_of(row["day"], plan.network.days, periods)
            hours[kind_of[row["fleet"]]][period] += row["vehicle_hours"]
    return dict(hours)


def _kind(fleet: Fleet) -> Kind:
    return fleet.mode, fleet.site, fleet.payload_t, fleet.handling_hours
