"""What open orders bind: goods promised or on their way, and the hours of the vehicles that carry them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from abasto.errors import Finding
from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.facts.kinds import OrderIssued
from abasto.network import Fleet, Lane, Network, Site, Stock
from abasto.state.cells import Lots, stock_rows
from abasto.state.figures import last_day_of
from abasto.state.fleets import part_fleets, unused
from abasto.state.holding import by_expiry
from abasto.state.types import OrderRecord

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["Bound", "bind"]

Load = dict[tuple[str, str], int]
"""Goods by good and lot, thousandths."""


class _Way(NamedTuple):
    """An order on its way: its goods, the day number on which they leave, how many days they take from then on, and the
    tonnes that it has room for because what it promises is not there yet.
    """

    record: OrderRecord
    load: Load
    leaves: int
    takes: int
    room_t: float


@dataclass(frozen=True)
class Bound:
    """A network with its stocks and with what open orders bind; see `Known`."""

    network: Network
    orders: tuple[OrderRecord, ...]
    order_of: Mapping[str, str]
    fleet_of: Mapping[str, str]
    problems: tuple[Finding, ...]


@dataclass
class _Binding:
    """What is left at the sites, on its way, and promised of the fleets, while orders are gone through."""

    state: State
    network: Network
    day: date
    left: Lots
    kg: Mapping[str, float]
    hours: defaultdict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    on_the_way: list[_Way] = field(default_factory=list)
    problems: list[Finding] = field(default_factory=list)


def bind(state: State, network: Network, lots: Lots, day: date) -> Bound:
    """Return `network` with these lots as stocks, less what open orders promise, and with what is on its way.

    Orders that should have left before `day` and were not loaded are not counted on: they are stale, and told.
    """
    kg = {good.good: good.kg_per_unit for good in network.goods}
    binding = _Binding(state, network, day, {place: dict(mine) for place, mine in lots.items()}, kg)
    bound: list[OrderRecord] = []
    for record in sorted(state.orders.open(), key=_by_departure):
        issued = record.issued
        if issued is None:
            continue
        if record.status != "loaded" and issued.departs < day.isoformat():
            late = f"it should have left {issued.from_site} on {issued.departs} and was not loaded"
            binding.problems.append(
                _told(record, f"{late}, so it is not counted on", "load it, cancel it, or issue it anew")
            )
            continue
        bound.append(record)
        _bind_goods(binding, record, issued)
        _bind_vehicles(binding, record, issued)
    for record in _done_today(state, day):
        assert record.issued is not None
        _bind_vehicles(binding, record, record.issued)
    whole = replace(network, stocks=tuple(stock_rows(binding.left, network)))
    _tell_overdriven(binding)
    parted = part_fleets(whole, binding.hours)
    arriving, order_of = _with_arrivals(binding, parted.network)
    return Bound(arriving, tuple(bound), order_of, parted.fleet_of, tuple(binding.problems))


def _done_today(state: State, day: date) -> Iterator[OrderRecord]:
    """Yield the orders that left on `day` or later and have all been received: their vehicles worked that day."""
    for record in state.orders.values():
        if record.status == "received" and record.issued is not None and _leaves(record, record.issued) >= day:
            yield record


def _by_departure(record: OrderRecord) -> tuple[str, str]:
    return ("" if record.issued is None else record.issued.departs, record.id)


def _told(record: OrderRecord, message: str, remedy: str) -> Finding:
    return Finding("orders", 0, "", "", message, remedy, severity="warning", file=f"order {code_of(record.id)}")


def _leaves(record: OrderRecord, issued: OrderIssued) -> date:
    """Return the day an order left or is to leave."""
    return date.fromisoformat(record.loaded_on or issued.departs)


def _bind_goods(binding: _Binding, record: OrderRecord, issued: OrderIssued) -> None:
    """Take what is promised off its site, and put it, or what was loaded, on its way."""
    room_t = 0.0
    if record.status == "loaded":
        held = binding.state.books.on_the_way(record.id).items()
        load = {key: quantity for key, quantity in held if quantity > 0}
    else:
        load, room_t = _promised(binding, issued)
        _promise_fuel(binding, issued)
    carried = _carried(binding, record, load, _leaves(record, issued))
    if not carried and not room_t:
        return
    if issued.to_site not in {site.site for site in binding.network.sites}:
        message = f"site {issued.to_site} is in no row of sites, so what is on its way there is left out"
        binding.problems.append(_told(record, message, "set the site again, or receive the order where it is"))
        return
    takes = max(0, (date.fromisoformat(issued.arrives) - date.fromisoformat(issued.departs)).days)
    leaves = (_leaves(record, issued) - binding.day).days + 1
    if leaves < 1:
        leaves, takes = 1, max(0, takes - (1 - leaves))
    binding.on_the_way.append(_Way(record, carried, leaves, takes, room_t))


def _carried(binding: _Binding, record: OrderRecord, load: Load, seen: date) -> Load:
    """Return what of a load can be counted on; what cannot is told."""
    carried: Load = defaultdict(int)
    goods = {good.good for good in binding.network.goods}
    for (good, lot), quantity in load.items():
        last = last_day_of(lot, binding.state.rows.shelf_life(good), seen)
        if good not in goods:
            message = f"good {good} is in no row of goods, so {amount(quantity)} of it on the way are left out"
            binding.problems.append(_told(record, message, "set the good again, or count what arrived"))
        elif last and last < binding.day.isoformat():
            message = f"{amount(quantity)} of {good} on the way spoiled after {last}"
            binding.problems.append(_told(record, message, "report what is lost when it arrives"))
        else:
            carried[good, last] += quantity
    return carried


def _promised(binding: _Binding, issued: OrderIssued) -> tuple[Load, float]:
    """Take the lines of an order off the lots they name, what these lack off those that expire first.

    Returns what was there, and how many tonnes were not: a plan's orders name what is made, taken in or arrives on the
    day itself.
    """
    load: Load = defaultdict(int)
    room_kg = 0.0
    for line in issued.lines:
        lots = binding.left.get((issued.from_site, line.good), {})
        missing = line.quantity
        for lot in [line.lot] * (line.lot in lots) + sorted(lots, key=by_expiry):
            assert lot is not None
            taken = min(lots[lot], missing)
            missing -= taken
            lots[lot] -= taken
            load[line.good, lot] += taken
        room_kg += missing / 1000 * binding.kg.get(line.good, 0.0)
    _sweep(binding.left)
    has_site = any(site.site == issued.from_site for site in binding.network.sites)
    return {key: quantity for key, quantity in load.items() if quantity}, room_kg / 1000 * has_site


def _promise_fuel(binding: _Binding, issued: OrderIssued) -> None:
    """Take the fuel of an order's trips off its base, or off where it leaves from."""
    fleet, lane = _fleet(binding.network, issued.fleet), _lane(binding.network, issued)
    if fleet is None or lane is None or fleet.fuel is None:
        return
    wanted = math.ceil(1000 * issued.trips * 2 * lane.km * fleet.fuel_per_km - 1e-6)
    lots = binding.left.get((fleet.site or issued.from_site, fleet.fuel), {})
    for lot in sorted(lots, key=by_expiry):
        taken = min(lots[lot], wanted)
        wanted -= taken
        lots[lot] -= taken
    _sweep(binding.left)


def _sweep(lots: Lots) -> None:
    """Take out lots of which nothing is left, in place."""
    for place in list(lots):
        lots[place] = {lot: quantity for lot, quantity in lots[place].items() if quantity}
        if not lots[place]:
            del lots[place]


def _bind_vehicles(binding: _Binding, record: OrderRecord, issued: OrderIssued) -> None:
    """Take the hours of an order's trips off its fleet on the day they leave; another network drives what it sends."""
    if record.id in binding.state.letters.coming:
        return
    day = (_leaves(record, issued) - binding.day).days + 1
    if not 1 <= day <= binding.network.days:
        return
    fleet, lane = _fleet(binding.network, issued.fleet), _lane(binding.network, issued)
    if record.status == "received" and (fleet is None or lane is None):
        return
    if fleet is None or lane is None:
        missing = f"fleet {issued.fleet}" if fleet is None else f"a lane {issued.from_site}>{issued.to_site}"
        message = f"{missing} is in no row of the tables, so no vehicle-hours are taken off for it"
        binding.problems.append(_told(record, message, "set it again, or cancel the order"))
        return
    binding.hours[issued.fleet, day] += issued.trips * (2 * lane.travel_hours + fleet.handling_hours)


def _fleet(network: Network, name: str) -> Fleet | None:
    return next((fleet for fleet in network.fleets if fleet.fleet == name), None)


def _lane(network: Network, issued: OrderIssued) -> Lane | None:
    """Return the lane that an order goes along, also one that is written the other way round."""
    way = (issued.from_site, issued.to_site)
    there = next((lane for lane in network.lanes if (lane.from_site, lane.to_site) == way), None)
    if there is not None:
        return there
    return next((lane for lane in network.lanes if lane.two_way and (lane.to_site, lane.from_site) == way), None)


def _tell_overdriven(binding: _Binding) -> None:
    """Tell where open orders take more hours of a fleet than it has on a day."""
    for (name, day), promised in sorted(binding.hours.items()):
        fleet = _fleet(binding.network, name)
        has = 0.0 if fleet is None else fleet.vehicles * fleet.hours_per_day
        if promised > has * (1 + 1e-9):
            when = binding.day + timedelta(days=day - 1)
            message = f"open orders take {promised:.6g} vehicle-hours on {when}, and the fleet has {has:.6g}"
            remedy = "cancel one of them, or add vehicles"
            binding.problems.append(
                Finding("fleets", 0, "", "", message, remedy, severity="warning", file=f"fleet {name}")
            )


def _with_arrivals(binding: _Binding, network: Network) -> tuple[Network, dict[str, str]]:
    """Return the network with a site, lanes and fleets for every order on its way, and the order behind each site."""
    taken = {site.site for site in network.sites} | {fleet.fleet for fleet in network.fleets}
    taken |= {lane.mode for lane in network.lanes} | {fleet.mode for fleet in network.fleets}
    sites: list[Site] = []
    lanes: list[Lane] = []
    fleets: list[Fleet] = []
    stocks: list[Stock] = []
    order_of: dict[str, str] = {}
    for way in binding.on_the_way:
        assert way.record.issued is not None
        name = unused(f"order {code_of(way.record.id)}", taken)
        taken.add(name)
        order_of[name] = way.record.id
        sites.append(Site(site=name))
        stocks.extend(_stocks(name, way.load))
        tonnes = way.room_t + sum(much / 1000 * binding.kg[good] / 1000 for (good, _), much in way.load.items())
        lanes.append(_lane_of(name, way.record.issued.to_site, name, lead_days=way.takes))
        fleets.append(_fleet_of(name, name, tonnes, None if way.leaves == 1 else way.leaves, None))
        if way.room_t:
            loading = unused(f"{name} loading", taken)
            taken.add(loading)
            lanes.append(_lane_of(way.record.issued.from_site, name, loading, tonnes=way.room_t))
            fleets.append(_fleet_of(loading, name, way.room_t, way.leaves, way.leaves))
    return (
        replace(
            network,
            sites=(*network.sites, *sites),
            stocks=(*network.stocks, *stocks),
            lanes=(*network.lanes, *lanes),
            fleets=(*network.fleets, *fleets),
        ),
        order_of,
    )


def _lane_of(start: str, end: str, mode: str, *, lead_days: int = 0, tonnes: float | None = None) -> Lane:
    return Lane(
        from_site=start, to_site=end, hours=0.0, lead_days=lead_days, tonnes=tonnes, mode=mode, two_way=False
    )  # fmt: skip


def _fleet_of(mode: str, base: str, tonnes: float, first: int | None, last: int | None) -> Fleet:
    """Return the vehicles of one order: they carry all of it in a trip that takes no hours, which others have taken."""
    return Fleet(
        fleet=mode, site=base, vehicles=1.0, payload_t=tonnes or 1.0, hours_per_day=24.0, handling_hours=0.0, mode=mode,
        from_day=first, to_day=last,
    )  # fmt: skip


def _stocks(site: str, load: Load) -> Iterator[Stock]:
    for good, lot in sorted(load, key=lambda key: (key[0], by_expiry(key[1]))):
        expires = date.fromisoformat(lot) if lot else None
        yield Stock(site=site, good=good, quantity=load[good, lot] / 1000, expires=expires)
