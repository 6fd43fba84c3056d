"""What a plan does otherwise than an earlier one, on the days that both plan: by site, by need, by fleet, by shipment.

Plans of different days are compared by date. Needs that only one of them has are left out, as nobody gains or loses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from abasto.compare import FleetChange, NeedChange, SiteChange
from abasto.planner.plan import MET_TOLERANCE
from abasto.situation.wants import Want, urgency, wants
from abasto.summary import need_name, people_at

if TYPE_CHECKING:
    from abasto.facts.kinds import OrderIssued
    from abasto.network import Network
    from abasto.planner.plan import Plan
    from abasto.state.known import Known

__all__ = ["PlanChanges", "ShipmentChange", "plan_changes"]

LEAST_SHARE = 0.005
"""Shipments that differ by less than this share are told as unchanged: solvers do not place every sack alike."""
LEAST_HOURS = 0.05


@dataclass(frozen=True, slots=True)
class ShipmentChange:
    """What goes from one site to another with a fleet on a day in both plans, in the good's unit; 0 where nothing."""

    departs: date
    from_site: str
    to_site: str
    fleet: str
    good: str
    unit: str
    first: float
    second: float

    @property
    def change(self) -> float:
        """How much more goes in the second plan; below 0 where less."""
        return self.second - self.first


@dataclass(frozen=True)
class PlanChanges:
    """What changes from the first plan to the second on `days`, the dates that both plan; what changes not is left out.

    `sites` are sorted by change, the greatest loss first; `needs` and `fleets` by size; `shipments` by day of departure
    and size. `from_day` of a site counts in the second plan.
    """

    days: tuple[date, ...]
    sites: tuple[SiteChange, ...]
    needs: tuple[NeedChange, ...]
    fleets: tuple[FleetChange, ...]
    shipments: tuple[ShipmentChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes that is worth telling."""
        return not (self.sites or self.needs or self.fleets or self.shipments)


@dataclass(frozen=True, slots=True)
class _Pair:
    """A need of a site on a day in both plans: coverage, what is met, and what a day of it weighs."""

    site: str
    need: str
    when: date
    first: float
    second: float
    met_first: float
    met_second: float
    needed: float
    people: float
    urgency: float


def plan_changes(
    first: Plan, second: Plan, *, seen_first: Known | None = None, seen_second: Known | None = None
) -> PlanChanges:
    """Return what the second plan does otherwise than the first.

    `seen_first` and `seen_second` are what each was made from, where it was the journal: then orders on their way count
    as the shipments that they are, with their fleets.
    """
    days = tuple(sorted(_dates(first) & _dates(second)))
    if not days:
        return PlanChanges((), (), (), (), ())
    network = second.network
    pairs = list(_pairs(first, second, wants(network if seen_second is None else seen_second.tables)))
    return PlanChanges(
        days=days,
        sites=tuple(sorted(_sites(pairs, network), key=lambda one: (round(one.change, 9), -one.people, one.site))),
        needs=tuple(sorted(_needs(pairs, network), key=lambda one: (-abs(one.change), one.need))),
        fleets=_fleets(_hours(first, seen_first, days), _hours(second, seen_second, days)),
        shipments=_shipments(_sent(first, seen_first, days), _sent(second, seen_second, days), network),
    )


def _dates(plan: Plan) -> set[date]:
    return {plan.network.date_of(day) for day in range(1, plan.network.days + 1)}


def _pairs(first: Plan, second: Plan, wanted: Mapping[tuple[str, str], Want]) -> Iterator[_Pair]:
    names = ("site", "need", "day", "priority", "needed", "met", "coverage")
    shift = (second.network.start - first.network.start).days
    before = {
        (site, need, day - shift): (met, coverage)
        for site, need, day, _, _, met, coverage in zip(*(first.coverage[name].tolist() for name in names), strict=True)
    }
    people = people_at(second.network)
    for site, need, day, priority, needed, met, coverage in zip(
        *(second.coverage[name].tolist() for name in names), strict=True
    ):
        was = before.get((site, need, day))
        if was is not None:
            want = wanted.get((site, need))
            served = people[site] if want is None else want.people
            when = second.network.date_of(day)
            yield _Pair(site, need, when, was[1], coverage, was[0], met, needed, served, urgency(priority))


def _sites(pairs: list[_Pair], network: Network) -> Iterator[SiteChange]:
    """Yield the sites of whose needs, weighted by priority, more or less is met."""
    names = {site.site: site.name or site.site for site in network.sites}
    people = people_at(network)
    by_site: defaultdict[str, list[_Pair]] = defaultdict(list)
    for pair in pairs:
        by_site[pair.site].append(pair)
    for site, mine in by_site.items():
        weight = sum(pair.urgency for pair in mine)
        was, now = (sum(pair.urgency * share for pair, share in zip(mine, shares, strict=True)) / weight
                    for shares in ([pair.first for pair in mine], [pair.second for pair in mine]))  # fmt: skip
        if abs(now - was) <= MET_TOLERANCE:
            continue
        sign = 1.0 if now > was else -1.0
        moved: defaultdict[str, float] = defaultdict(float)
        for pair in mine:
            moved[pair.need] += sign * pair.people * pair.urgency * (pair.second - pair.first)
        need = max(sorted(moved), key=lambda one: moved[one])
        its = [pair for pair in mine if pair.need == need]
        differs = [pair.when for pair in its if sign * (pair.second - pair.first) > MET_TOLERANCE]
        yield SiteChange(
            site=site,
            name=names[site],
            people=people[site],
            first=was,
            second=now,
            people_days=sum(pair.people * (pair.second - pair.first) for pair in mine),
            need=need,
            need_name=need_name(network, need),
            need_first=sum(pair.first for pair in its) / len(its),
            need_second=sum(pair.second for pair in its) / len(its),
            from_day=network.day_of(min(differs)) if differs else 0,
        )


def _needs(pairs: list[_Pair], network: Network) -> Iterator[NeedChange]:
    """Yield the goods and nutrients of which more or less is met somewhere."""
    units = {good.good: good.unit for good in network.goods}
    by_need: defaultdict[str, defaultdict[str, list[_Pair]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs:
        by_need[pair.need][pair.site].append(pair)
    for need, by_site in by_need.items():
        shifts = [sum(pair.second - pair.first for pair in mine) / len(mine) for mine in by_site.values()]
        mine = [pair for some in by_site.values() for pair in some]
        lose, gain = (sum(sign * shift > MET_TOLERANCE for shift in shifts) for sign in (-1, 1))
        if lose or gain:
            yield NeedChange(
                need=need,
                name=need_name(network, need),
                unit=units.get(need, ""),
                needed=sum(pair.needed for pair in mine),
                met_first=sum(pair.met_first for pair in mine),
                met_second=sum(pair.met_second for pair in mine),
                people_days=sum(pair.people for pair in mine),
                people_days_first=sum(pair.people * pair.first for pair in mine),
                people_days_second=sum(pair.people * pair.second for pair in mine),
                sites_lose=lose,
                sites_gain=gain,
            )


def _hours(plan: Plan, seen: Known | None, days: tuple[date, ...]) -> dict[str, float]:
    """Return the vehicle-hours of each fleet on some days, with those of the trips that open orders take."""
    among = set(days)
    fleet_of: Mapping[str, str] = {} if seen is None else seen.fleet_of
    fleets = {fleet.fleet for fleet in (plan.network if seen is None else seen.tables).fleets}
    hours: defaultdict[str, float] = defaultdict(float)
    for fleet, day, spent in zip(
        *(plan.trips[name].tolist() for name in ("fleet", "day", "vehicle_hours")), strict=True
    ):
        name = fleet_of.get(fleet, fleet)
        if name in fleets and plan.network.date_of(day) in among:
            hours[name] += spent
    if seen is not None:
        handling = {fleet.fleet: fleet.handling_hours for fleet in seen.tables.fleets}
        travel = _travel_hours(seen.tables)
        for order in _issued(seen).values():
            way = (order.from_site, order.to_site)
            if date.fromisoformat(order.departs) in among and order.fleet in handling and way in travel:
                hours[order.fleet] += order.trips * (2 * travel[way] + handling[order.fleet])
    return dict(hours)


def _travel_hours(network: Network) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for lane in network.lanes:
        found[lane.from_site, lane.to_site] = lane.travel_hours
        if lane.two_way:
            found.setdefault((lane.to_site, lane.from_site), lane.travel_hours)
    return found


def _issued(seen: Known) -> dict[str, OrderIssued]:
    """Return the orders that bind a plan, by id."""
    return {record.id: record.issued for record in seen.orders if record.issued is not None}


def _fleets(first: Mapping[str, float], second: Mapping[str, float]) -> tuple[FleetChange, ...]:
    names = sorted({*first, *second})
    changes = [FleetChange(name, first.get(name, 0.0), second.get(name, 0.0)) for name in names]
    told = [one for one in changes if abs(one.second - one.first) >= LEAST_HOURS]
    return tuple(sorted(told, key=lambda one: (-abs(one.second - one.first), one.fleet)))


def _sent(plan: Plan, seen: Known | None, days: tuple[date, ...]) -> dict[tuple[date, str, str, str, str], float]:
    """Return what leaves on some days, by day, origin, destination, fleet and good; orders as what they are."""
    among = set(days)
    order_of: Mapping[str, str] = {} if seen is None else seen.order_of
    fleet_of: Mapping[str, str] = {} if seen is None else seen.fleet_of
    issued = {} if seen is None else _issued(seen)
    sent: defaultdict[tuple[date, str, str, str, str], float] = defaultdict(float)
    names = ("from", "to", "good", "departs", "fleet", "quantity")
    for start, end, good, departs, fleet, quantity in zip(
        *(plan.shipments[name].tolist() for name in names), strict=True
    ):
        when = plan.network.start + timedelta(days=departs - 1)
        order = issued.get(order_of.get(start, ""))
        if order is not None:
            # What was loaded earlier begins its way on day 1 of a plan, and is no shipment of that day.
            when = date.fromisoformat(order.departs)
            start, fleet = order.from_site, order.fleet
        if when in among and end not in order_of:
            sent[when, start, end, fleet_of.get(fleet, fleet), good] += quantity
    return dict(sent)


def _shipments(
    first: Mapping[tuple[date, str, str, str, str], float],
    second: Mapping[tuple[date, str, str, str, str], float],
    network: Network,
) -> tuple[ShipmentChange, ...]:
    units = {good.good: good.unit for good in network.goods}
    kg = {good.good: good.kg_per_unit for good in network.goods}
    found = []
    for key in sorted({*first, *second}):
        was, now = first.get(key, 0.0), second.get(key, 0.0)
        if abs(now - was) > max(MET_TOLERANCE, LEAST_SHARE * max(was, now)):
            found.append(ShipmentChange(*key, units.get(key[-1], ""), was, now))
    return tuple(sorted(found, key=lambda one: (one.departs, -abs(one.change) * kg.get(one.good, 0.0))))
