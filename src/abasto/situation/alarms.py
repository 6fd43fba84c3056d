"""Alarms: what to act on, from what is known and what is planned, each with its date and the orders that relieve it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from abasto.planner.plan import MET_TOLERANCE
from abasto.situation.incoming import Incoming, is_overdue, load_of, planned
from abasto.situation.stands import free_lots, runs_out
from abasto.situation.types import Alarm, AlarmKind, Stand
from abasto.situation.wants import Want, urgency
from abasto.state.figures import spoiled
from abasto.summary import people_at

if TYPE_CHECKING:
    from abasto.planner.plan import Plan
    from abasto.state.known import Known
    from abasto.state.state import State

__all__ = ["SILENT_AFTER", "SOON", "Basis", "alarms", "relieved"]

SOON = 3
"""Without a plan, so many days from today on are looked at for what runs out or expires."""
SILENT_AFTER = 7
"""A site that has reported nothing for more than so many days is silent."""
LEAST_LACKING = 0.1
"""A plan raises an alarm about a need that on some day lacks a tenth, one whole tier. Whole trips leave crumbs unmet
nearly everywhere, which the coverage table shows; a list of hundreds of them would hide the place that goes without."""
LEAST_SPOILING = 0.001
"""What a plan lets spoil at a site is told from this share of the network's daily need on: less is rounding."""


@dataclass(frozen=True)
class Basis:
    """What alarms are made from: what is known and planned, every need, every stand, and what open orders bring."""

    state: State
    seen: Known
    plan: Plan | None
    day: date
    wanted: Mapping[tuple[str, str], Want]
    stands: Mapping[tuple[str, str], Stand]
    incoming: Incoming

    @cached_property
    def names(self) -> dict[str, str]:
        """The names of goods that have one."""
        return {good.good: good.name for good in self.seen.tables.goods if good.name}

    @cached_property
    def site_names(self) -> dict[str, str]:
        """What people call each site."""
        return {site.site: site.name or site.site for site in self.seen.tables.sites}

    @cached_property
    def units(self) -> dict[str, str]:
        return {good.good: good.unit for good in self.seen.tables.goods}

    @cached_property
    def people(self) -> dict[str, float]:
        """How many people each site serves."""
        return people_at(self.seen.tables)

    @cached_property
    def network_wants(self) -> dict[str, tuple[float, float]]:
        """For each need, what the network needs a day and what a day of that weighs: people × urgency."""
        sums: dict[str, tuple[float, float]] = {}
        for (_, need), want in self.wanted.items():
            needed, weight = sums.get(need, (0.0, 0.0))
            sums[need] = needed + want.per_day, weight + want.weight
        return sums

    def worth(self, good: str, quantity: float, site: str = "") -> float:
        """Return how many weighted people-days of need a quantity of a good meets: at a site, else anywhere."""
        want = self.wanted.get((site, good))
        if want is not None and want.per_day > 0:
            return want.weight * min(quantity / want.per_day, float(want.days))
        needed, weight = self.network_wants.get(good, (0.0, 0.0))
        return weight * quantity / needed if needed > 0 else 0.0

    def alarm(self, kind: AlarmKind, site: str, need: str) -> Alarm:
        """Return an alarm about a need of a site with its names, its people and the age of the number behind it."""
        stand, want = self.stands.get((site, need)), self.wanted.get((site, need))
        return Alarm(
            kind=kind,
            site=site,
            site_name=self.site_names.get(site, site),
            need=need,
            need_name=self.names.get(need, need),
            unit=self.units.get(need, ""),
            quantity=0.0,
            people=self.people.get(site, 0.0) if want is None else want.people,
            priority=1.0 if want is None else want.priority,
            people_days=0.0,
            starts=None,
            ends=None,
            known="unreported" if stand is None else stand.known,
            as_of=None if stand is None else stand.as_of,
        )


def alarms(basis: Basis) -> tuple[Alarm, ...]:
    """Return all alarms: where people go without, where goods are lost, risks; each by people-days at stake."""
    found = [
        *(_running_out(basis) if basis.plan is None else _short(basis, basis.plan)),
        *_late_orders(basis),
        *(_expiring(basis) if basis.plan is None else _let_spoil(basis, basis.plan)),
        *_spoiled(basis),
        *_below_reserve(basis),
        *_silent(basis),
    ]
    found.sort(key=lambda one: (one.rank, -one.people_days, one.starts or date.max, one.site, one.need, one.order))
    return tuple(relieved(basis, found))


def _short(basis: Basis, plan: Plan) -> Iterator[Alarm]:
    """Yield what a plan leaves unmet on the days that are not over, one alarm for each need that lacks much."""
    today = plan.network.day_of(basis.day)
    lacking: defaultdict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    names = ("site", "need", "day", "priority", "needed", "met", "coverage")
    for site, need, day, priority, needed, met, coverage in zip(
        *(plan.coverage[name].tolist() for name in names), strict=True
    ):
        if day >= today and coverage < 1 - MET_TOLERANCE:
            want = basis.wanted.get((site, need))
            people = basis.people.get(site, 0.0) if want is None else want.people
            sums = lacking[site, need]
            sums[0] += needed - met
            sums[1] += people * urgency(priority) * (1 - coverage)
            sums[2] = max(sums[2], 1 - coverage)
    runs: defaultdict[tuple[str, str], list[tuple[int, int, float, str, str]]] = defaultdict(list)
    columns = (plan.shortages[name].tolist() for name in ("site", "need", "from", "to", "unmet", "cause", "remedy"))
    for site, need, first, last, unmet, cause, remedy in zip(*columns, strict=True):
        if last >= today:
            runs[site, need].append((max(first, today), last, unmet, cause, remedy))
    for place, mine in runs.items():
        _, _, _, cause, remedy = max(mine, key=lambda run: run[2])
        missing, people_days, most = lacking[place]
        if most < LEAST_LACKING - MET_TOLERANCE:
            continue
        yield replace(
            basis.alarm("short", *place),
            quantity=missing,
            people_days=people_days,
            starts=plan.network.date_of(min(run[0] for run in mine)),
            ends=plan.network.date_of(max(run[1] for run in mine)),
            cause=cause,
            remedy=remedy,
        )


def _running_out(basis: Basis) -> Iterator[Alarm]:
    """Yield needs of the coming days that neither what lies there nor what open orders bring meets."""
    lots, days = free_lots(basis.seen), min(SOON, basis.seen.tables.days)
    for place, want in basis.wanted.items():
        if place not in basis.stands:
            continue  # a nutrient lies nowhere by itself
        arrivals: defaultdict[int, float] = defaultdict(float)
        for one in basis.incoming.get(place, ()):
            if one.arrives is not None:
                arrivals[(one.arrives - basis.day).days + 1] += one.quantity
        first, missing, lacking = runs_out(lots.get(place, ()), arrivals, want, basis.day, days=days)
        if first:
            yield replace(
                basis.alarm("runs out", *place),
                quantity=missing,
                people_days=want.weight * lacking,
                starts=basis.day + timedelta(days=first - 1),
                ends=basis.day + timedelta(days=days - 1),
            )


def _late_orders(basis: Basis) -> Iterator[Alarm]:
    """Yield open orders that nobody has reported loaded, or received, although their day is over."""
    for order in basis.state.orders.open():
        issued = order.issued
        if issued is None or not is_overdue(order, basis.day):
            continue
        sums = load_of(basis.state, order)
        worth = {good: basis.worth(good, quantity, issued.to_site) for good, quantity in sums.items()}
        good = max(sums, key=lambda one: (worth[one], sums[one]), default=issued.lines[0].good)
        has_left = order.status == "loaded"
        yield replace(
            basis.alarm("not arrived" if has_left else "not left", issued.to_site, good),
            quantity=sums.get(good, 0.0),
            people_days=sum(worth.values()),
            starts=date.fromisoformat(issued.arrives if has_left else issued.departs),
            order=order.id,
            from_site=issued.from_site,
            from_name=basis.site_names.get(issued.from_site, issued.from_site),
        )


def _let_spoil(basis: Basis, plan: Plan) -> Iterator[Alarm]:
    """Yield what spoils in a plan on the days that are not over."""
    today, closing = plan.network.day_of(basis.day), plan.closing
    rows = closing.where((closing["spoiled"] > 0) & (closing["day"] >= today))
    sums: dict[tuple[str, str], list[float]] = {}
    for site, good, day, quantity in zip(
        *(rows[name].tolist() for name in ("site", "good", "day", "spoiled")), strict=True
    ):
        mine = sums.setdefault((site, good), [day, day, 0.0])
        mine[0], mine[1], mine[2] = min(mine[0], day), max(mine[1], day), mine[2] + quantity
    for (site, good), (first, last, quantity) in sums.items():
        needed, _ = basis.network_wants.get(good, (0.0, 0.0))
        if site in basis.people and quantity > LEAST_SPOILING * needed:
            yield replace(
                basis.alarm("expires", site, good),
                quantity=quantity,
                people_days=basis.worth(good, quantity),
                starts=plan.network.date_of(int(first)) - timedelta(days=1),
                ends=plan.network.date_of(int(last)) - timedelta(days=1),
            )


def _expiring(basis: Basis) -> Iterator[Alarm]:
    """Yield what expires in the coming days and is more than the site needs and open orders take until then."""
    for place, lots in free_lots(basis.seen).items():
        stand = basis.stands.get(place)
        if stand is None:
            continue
        used = unused = 0.0
        last_day: date | None = None
        for last, quantity in lots:
            if last is None or (last - basis.day).days >= SOON:
                break
            until = (last - basis.day).days + 1
            taken = min(quantity, max(0.0, stand.need_per_day * until - used))
            used += taken
            if quantity - taken > 0:
                unused, last_day = unused + quantity - taken, last_day or last
        if last_day is not None:
            worth = basis.worth(place[1], unused)
            yield replace(basis.alarm("expires", *place), quantity=unused, people_days=worth, starts=last_day)


def _spoiled(basis: Basis) -> Iterator[Alarm]:
    """Yield what has spoiled and still stands in the books."""
    sums: dict[tuple[str, str], tuple[int, str]] = {}
    for lot in spoiled(basis.state, basis.day):
        held, first = sums.get((lot.site, lot.good), (0, lot.lot))
        sums[lot.site, lot.good] = held + lot.quantity, min(first, lot.lot)
    for place, (thousandths, last_use) in sums.items():
        quantity = thousandths / 1000
        worth = basis.worth(place[1], quantity)
        yield replace(
            basis.alarm("spoiled", *place), quantity=quantity, people_days=worth, starts=date.fromisoformat(last_use)
        )


def _below_reserve(basis: Basis) -> Iterator[Alarm]:
    for place, stand in basis.stands.items():
        if stand.below_reserve:
            missing = stand.reserve - max(0.0, stand.quantity)
            worth = basis.worth(stand.good, missing, stand.site)
            yield replace(basis.alarm("below reserve", *place), quantity=missing, people_days=worth, starts=basis.day)


def _silent(basis: Basis) -> Iterator[Alarm]:
    """Yield sites that need or hold something and have reported nothing for long, or never since the founding."""
    newest: dict[str, Stand] = {}
    for stand in basis.stands.values():
        known = newest.get(stand.site)
        if known is None or (stand.as_of or date.min) > (known.as_of or date.min):
            newest[stand.site] = stand
    founded = "" if basis.state.founded is None else basis.state.founded.date
    weights: defaultdict[str, float] = defaultdict(float)
    for (site, _), want in basis.wanted.items():
        weights[site] = max(weights[site], want.weight)
    for site, stand in newest.items():
        since = stand.as_of or (date.fromisoformat(founded) if founded else None)
        if since is None or site not in basis.people or (basis.day - since).days <= SILENT_AFTER:
            continue
        days = (basis.day - since).days
        yield replace(
            basis.alarm("silent", site, ""),
            people_days=weights[site] * days,
            starts=stand.as_of,
            known=stand.known,
            as_of=stand.as_of,
        )


def relieved(basis: Basis, found: list[Alarm]) -> Iterator[Alarm]:
    """Yield alarms with the open orders and planned shipments that bring what is missing, or a substitute of it."""
    instead: defaultdict[str, list[str]] = defaultdict(list)
    for row in basis.seen.tables.substitutes:
        instead[row.good].append(row.substitute)
    concerned = [one for one in found if one.need and one.kind not in ("expires", "spoiled")]
    places = {(one.site, good) for one in concerned for good in (one.need, *instead[one.need])}
    to_come: Incoming = {}
    if basis.plan is not None and places:
        to_come = planned(basis.plan, basis.day, to=places, names=basis.site_names, fleet_of=basis.seen.fleet_of)
    for alarm in found:
        if alarm.need and alarm.kind not in ("expires", "spoiled"):
            goods = (alarm.need, *instead[alarm.need])
            ways = [one for good in goods for one in basis.incoming.get((alarm.site, good), ())]
            ways += [one for good in goods for one in to_come.get((alarm.site, good), ())]
            alarm = replace(
                alarm, relieved_by=tuple(one for one in ways if not alarm.order or one.order != alarm.order)
            )
        yield alarm
