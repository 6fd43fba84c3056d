"""Days that can be routed by hand: a mill with a few sites on a line, vans, and orders written in one line each."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from abasto.facts.kinds import Line, OrderIssued
from abasto.inbox.names import GoodName, Names, SiteName
from abasto.network import Fleet, Good, Lane, Network, Site
from abasto.routes import DayRoutes, plan_routes
from abasto.state.openings import Opening
from abasto.state.types import OrderRecord, OrderStatus

DAY = date(2026, 11, 30)

# Mill –10 km– Hill –10 km– Vale –10 km– Cape, and 40 km are driven in an hour.
NETWORK = Network(
    "Barrio",
    DAY,
    7,
    sites=tuple(Site(site=name) for name in ("Mill", "Hill", "Vale", "Cape", "Isle")),
    goods=(
        Good(good="flour"),
        Good(good="eggs", unit="box", kg_per_unit=20.0),
        Good(good="stove", unit="piece", kg_per_unit=900.0),
        Good(good="leaflets", unit="piece", kg_per_unit=0.0),
    ),
    lanes=(
        Lane(from_site="Mill", to_site="Hill", km=10),
        Lane(from_site="Hill", to_site="Vale", km=10),
        Lane(from_site="Vale", to_site="Cape", km=10),
        Lane(from_site="Mill", to_site="Isle", km=5, mode="water"),
    ),
    fleets=(
        Fleet(fleet="vans", site="Mill", vehicles=2, payload_t=0.5, hours_per_day=8, handling_hours=1),
        Fleet(fleet="carts", vehicles=1, payload_t=0.1, hours_per_day=8, handling_hours=0.5),
    ),
)


def with_fleet(network: Network = NETWORK, name: str = "vans", **changes: Any) -> Network:
    """Return the network with a fleet that differs."""
    return replace(
        network,
        fleets=tuple(fleet.model_copy(update=changes) if fleet.fleet == name else fleet for fleet in network.fleets),
    )


def id_of(number: int) -> str:
    """Return an order's id as entries have them: 43 letters of a hash."""
    return base64.urlsafe_b64encode(hashlib.sha256(str(number).encode()).digest()).decode().rstrip("=")


def order(
    number: int,
    start: str,
    end: str,
    quantity: float,
    *,
    good: str = "flour",
    fleet: str = "vans",
    departs: date = DAY,
    arrives: date | None = None,
    lines: Sequence[Line] = (),
    status: OrderStatus = "issued",
) -> OrderRecord:
    """Return an open order for so much of a good, or for several lines."""
    ordered = tuple(lines) or (Line(good, round(1000 * quantity), ""),)
    issued = OrderIssued(
        start, end, fleet, 1, departs.isoformat(), (arrives or departs).isoformat(), ordered, departs.isoformat()
    )
    loaded_on = departs.isoformat() if status in ("loaded", "received") else ""
    return OrderRecord(id_of(number), issued, status, "author", loaded_on=loaded_on)


def route(
    *orders: OrderRecord, network: Network = NETWORK, openings: Mapping[str, tuple[str, str]] | None = None, **more: Any
) -> DayRoutes:
    """Return the routes of a day."""
    hours = {site: Opening(site=site, opens=one, closes=other) for site, (one, other) in (openings or {}).items()}
    return plan_routes(orders, network, DAY, openings=hours, **more)


def told(found: DayRoutes) -> list[str]:
    """Return every route in a line: times, sites, kilograms loaded (+) and unloaded (−)."""
    lines = []
    for one in found.routes:
        stops = []
        for stop in one.stops:
            kg = [f"+{load.kg:g}" for load in stop.pickups] + [f"-{load.kg:g}" for load in stop.deliveries]
            stops.append(" ".join([f"{stop.arrives:%H:%M}", stop.site, *kg]))
        lines.append(f"{one.label}: " + ", ".join(stops))
    return lines


def whys(found: DayRoutes) -> list[tuple[str, float]]:
    """Return why orders are not routed, and how many kilograms of them."""
    return [(one.why.obstacle, sum(load.kg for load in one.loads)) for one in found.unrouted]


def names_for(*orders: OrderRecord, network: Network = NETWORK) -> Names:
    """Return what messages may name."""
    return Names(
        sites=tuple(SiteName(site.site, site.name) for site in network.sites),
        goods=tuple(GoodName(good.good, good.name, good.unit) for good in network.goods),
        orders={record.id: record for record in orders},
    )
