"""situation: a state and a plan → what a coordinator sees on a day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from abasto.report.map import lane_tonnes
from abasto.situation.alarms import Basis, alarms
from abasto.situation.coverage import coverage_rows, days_left, in_force
from abasto.situation.incoming import is_overdue, ordered
from abasto.situation.stands import stands
from abasto.situation.types import (
    Alarm,
    CoverageRow,
    GoodSupply,
    Headline,
    MapLane,
    MapSite,
    Situation,
    Stand,
)
from abasto.situation.wants import urgency, wants
from abasto.state.exceptions import exceptions
from abasto.state.known import known

if TYPE_CHECKING:
    from abasto.planner.plan import Plan
    from abasto.state.known import Known
    from abasto.state.state import State
    from abasto.state.types import OrderRecord, OrderStatus, Problematic

__all__ = ["situation"]


def situation(state: State, day: date, *, seen: Known | None = None, plan: Plan | None = None) -> Situation:
    """Return what a coordinator sees at the start of a day.

    `seen` is `known(state, day)` where the caller has it already, and `plan` a plan of it; one that was made on an
    earlier day counts from today on, and not at all once its days are over. Raises `InputError` as `known` does, if the
    tables cannot be planned.
    """
    seen = known(state, day) if seen is None else seen
    plan = in_force(plan, day)
    wanted, incoming = wants(seen.tables), ordered(state, day)
    shown = stands(seen, wanted, incoming, day)
    basis = Basis(state, seen, plan, day, wanted, {(stand.site, stand.good): stand for stand in shown}, incoming)
    rung = alarms(basis)
    rows = () if plan is None else coverage_rows(plan, wanted, day)
    to_settle = exceptions(state, day)
    orders = tuple(sorted(state.orders.open(), key=_by_departure))
    return Situation(
        network=seen.tables.name,
        day=day,
        days=() if plan is None else days_left(plan, day),
        headline=_headline(basis, shown, rows, orders, to_settle),
        alarms=rung,
        coverage=rows,
        stands=shown,
        sites=_map_sites(basis, shown, rows, rung),
        lanes=_map_lanes(basis),
        orders=orders,
        exceptions=to_settle,
        problems=seen.problems,
    )


def _by_departure(order: OrderRecord) -> tuple[str, str, str]:
    issued = order.issued
    return ("", "", order.id) if issued is None else (issued.departs, issued.fleet, order.id)


def _headline(
    basis: Basis,
    shown: Sequence[Stand],
    rows: Sequence[CoverageRow],
    orders: Sequence[OrderRecord],
    to_settle: Sequence[Problematic],
) -> Headline:
    tables, plan = basis.seen.tables, basis.plan
    summary = None if plan is None else next(plan.summary.rows())
    site, coverage = min(_by_site(rows).items(), key=lambda one: (round(one[1], 9), one[0]), default=("", None))
    dated = [stand for stand in shown if stand.as_of is not None]
    statuses: Counter[OrderStatus] = Counter(order.status for order in orders)
    return Headline(
        people=tables.people,
        sites=len(tables.sites),
        mean_coverage=None if summary is None else float(summary["mean_coverage"]),
        worst_5_percent_coverage=None if summary is None else float(summary["worst_5_percent_coverage"]),
        worst_site=site,
        worst_site_name=basis.site_names.get(site, site),
        worst_site_coverage=coverage,
        orders=dict(statuses),
        overdue=sum(is_overdue(order, basis.day) for order in orders),
        exceptions=len(to_settle),
        figures=len(basis.seen.figures),
        estimated=len(basis.seen.estimated),
        oldest=min(dated, key=lambda stand: (stand.as_of or date.max, stand.site, stand.good), default=None),
        supply=_supply(basis),
    )


def _by_site(rows: Sequence[CoverageRow]) -> Mapping[str, float]:
    """Return the coverage of each site over its needs, weighted by priority."""
    sums: defaultdict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows:
        weight = urgency(row.priority)
        sums[row.site][0] += weight * row.coverage
        sums[row.site][1] += weight
    return {site: met / weight for site, (met, weight) in sums.items()}


def _supply(basis: Basis) -> tuple[GoodSupply, ...]:
    """Return every good that is needed or on hand in the network, what lasts least first."""
    at_sites: defaultdict[str, float] = defaultdict(float)
    for stock in basis.seen.tables.stocks:
        at_sites[stock.good] += stock.quantity
    moving: defaultdict[str, float] = defaultdict(float)
    for ways in basis.incoming.values():
        for way in ways:
            moving[way.good] += way.quantity if way.status == "loaded" else 0.0
    found = []
    for good in basis.seen.tables.goods:
        here, moved = at_sites[good.good], moving[good.good]
        needed, _ = basis.network_wants.get(good.good, (0.0, 0.0))
        if needed or here or moved:
            days = (here + moved) / needed if needed else float("inf")
            found.append(GoodSupply(good.good, good.name or good.good, good.unit, here, moved, needed, days))
    return tuple(sorted(found, key=lambda one: (one.days_of_supply, one.good)))


def _map_sites(
    basis: Basis, shown: Sequence[Stand], rows: Sequence[CoverageRow], rung: Sequence[Alarm]
) -> tuple[MapSite, ...]:
    """Return every site with its worst served need and the good that lasts least, in the order of the tables."""
    worst: dict[str, CoverageRow] = {}
    for row in rows:  # the least covered come first
        worst.setdefault(row.site, row)
    scarcest: dict[str, Stand] = {}
    for stand in shown:  # what lasts least comes first
        if stand.need_per_day > 0:
            scarcest.setdefault(stand.site, stand)
    number = Counter(alarm.site for alarm in rung)
    found = []
    for site in basis.seen.tables.sites:
        need, least = worst.get(site.site), scarcest.get(site.site)
        found.append(
            MapSite(
                site=site.site,
                name=site.name or site.site,
                lat=site.lat,
                lon=site.lon,
                people=basis.people[site.site],
                coverage=None if need is None else need.coverage,
                worst_need="" if need is None else need.need,
                worst_need_name="" if need is None else need.need_name,
                days_of_supply=float("inf") if least is None else least.days_of_supply,
                scarcest_good="" if least is None else least.good,
                scarcest_good_name="" if least is None else least.good_name,
                alarms=number[site.site],
            )
        )
    return tuple(found)


def _map_lanes(basis: Basis) -> tuple[MapLane, ...]:
    """Return every lane with what the plan moves along it; what is on its way with orders counts where it goes."""
    moved: defaultdict[tuple[str, str], float] = defaultdict(float)
    if basis.plan is not None:
        for (start, end), tonnes in lane_tonnes(basis.plan).items():
            order = basis.state.orders.get(basis.seen.order_of.get(start, ""))
            if start in basis.people:
                moved[start, end] += tonnes if end in basis.people else 0.0
            elif order is not None and order.issued is not None:
                moved[order.issued.from_site, end] += tonnes
    found = []
    for lane in basis.seen.tables.lanes:
        there, back = moved[lane.from_site, lane.to_site], moved[lane.to_site, lane.from_site]
        found.append(MapLane(lane.from_site, lane.to_site, lane.mode, there, back if lane.two_way else 0.0))
    return tuple(found)
