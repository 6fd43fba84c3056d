"""Orders from a plan with whole trips: one for each fleet, lane and day, its goods lot by lot in whole thousandths.

Quantities are rounded down, and of a lot on hand never more is ordered away than lies there: nothing is promised twice.
Goods that are on their way already, or fill an order (sites that stand for one), give no orders.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction

from abasto.errors import SettingError
from abasto.facts.kinds import MOST_LINES, Line, OrderIssued
from abasto.network import Network
from abasto.orders.rounding import Rounded
from abasto.planner.plan import PLAN_TABLES, Plan

__all__ = ["ROUNDING", "digest_of", "inflow", "orders_from"]

ON_THE_WAY = "order "
"""So a site and the mode of its lane are called that stand for an order on its way."""
ROUNDING = 1e-6
"""A quantity this part of a thousandth below a whole one is that one: 29.999999999999 is 30."""

Stock = tuple[str, str, str]
"""A site, a good and a lot."""


def orders_from(
    rounded: Rounded,
    network: Network,
    *,
    days: int = 1,
    fleet_of: Mapping[str, str] | None = None,
    plan_digest: str = "",
) -> tuple[OrderIssued, ...]:
    """Return the orders of the first `days` days, by day, fleet and lane, all dated on the network's first day.

    `fleet_of` names the fleet that stands behind one of the network's (which may be a part of it, for some days).
    `plan_digest` goes into the orders; `digest_of` the plan unless given.
    """
    if days > rounded.days:
        raise SettingError(
            f"orders for {days} days, but only the trips of the first {rounded.days} are whole; round more days, "
            "or order fewer"
        )
    plan = rounded.plan
    digest = plan_digest or digest_of(plan)
    trips = {(row["fleet"], row["from"], row["to"], row["day"]): round(row["trips"]) for row in plan.trips.rows()}
    orders = []
    for (day, fleet, start, end, arrives), lines in sorted(_loads(network, plan, days).items()):
        ordered = [Line(good, quantity, lot) for (good, lot), quantity in sorted(lines.items())]
        for part, count in _in_parts(ordered, trips.get((fleet, start, end, day), 0)):
            order = OrderIssued(
                from_site=start,
                to_site=end,
                fleet=fleet if fleet_of is None else fleet_of.get(fleet, fleet),
                trips=count,
                departs=_date(network, day),
                arrives=_date(network, arrives),
                lines=part,
                date=network.start.isoformat(),
                plan=digest,
            )
            orders.append(order)
    return tuple(orders)


def _loads(network: Network, plan: Plan, days: int) -> dict[tuple[int, str, str, str, int], dict[tuple[str, str], int]]:
    """Return thousandths by good and lot, of each day, fleet, lane (from, to) and day of arrival."""
    there = _there(network, plan, days)
    virtual = {lane.from_site for lane in network.lanes if _is_on_the_way(lane.from_site, lane.mode)}
    loads: dict[tuple[int, str, str, str, int], dict[tuple[str, str], int]] = defaultdict(dict)
    for row in sorted(plan.shipments.rows(), key=lambda row: int(row["departs"])):
        if row["departs"] > days or row["from"] in virtual or row["to"] in virtual:
            continue
        quantity = int(row["quantity"] * 1000 + ROUNDING)
        key = row["departs"], row["fleet"], row["from"], row["to"], row["arrives"]
        for lot, part in _take(there[row["from"], row["good"], _name(row["expires"])], quantity):
            lines = loads[key]
            lines[row["good"], lot] = lines.get((row["good"], lot), 0) + part
    return loads


def _there(network: Network, plan: Plan, days: int) -> dict[Stock, dict[str, int]]:
    """Return what is at each site of each lot in the first days, on hand or to come, in thousandths by the lot's name
    in the books: a lot on hand without a date keeps none, though plans count the days of what spoils.
    """
    life = {good.good: good.shelf_life_days for good in network.goods}
    exact: dict[Stock, dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for stock in sorted(network.stocks, key=lambda stock: stock.expires is None):
        dated = stock.expires
        if dated is None and (days_left := life[stock.good]) is not None:
            dated = network.start + timedelta(days=int(days_left) - 1)
        exact[stock.site, stock.good, _name(dated)][_name(stock.expires)] += Fraction(repr(float(stock.quantity)))
    for site, good, lot, quantity in inflow(network, plan, days):
        exact[site, good, lot][lot] += Fraction(quantity)
    there: dict[Stock, dict[str, int]] = defaultdict(dict)
    for place, lots in exact.items():
        there[place] = {lot: int(quantity * 1000 + Fraction(ROUNDING)) for lot, quantity in lots.items()}
    return there


def inflow(network: Network, plan: Plan, days: int) -> Iterator[tuple[str, str, str, float]]:
    """Yield site, good, lot and quantity of all that is taken in, made or arrives in the first days."""
    for row in plan.intake.rows():
        if row["day"] <= days:
            yield row["site"], row["good"], _name(row["expires"]), row["quantity"]
    for row in plan.shipments.rows():
        if row["arrives"] <= days:
            yield row["to"], row["good"], _name(row["expires"]), row["quantity"]
    life = {good.good: good.shelf_life_days for good in network.goods}
    for row in plan.production.rows():
        for part in network.recipes:
            if row["day"] <= days and part.recipe == row["recipe"] and part.quantity > 0:
                left = life[part.good]
                expires = None if left is None else network.start + timedelta(days=row["day"] - 1 + int(left))
                yield row["site"], part.good, _name(expires), part.quantity * row["batches"]


def _take(lots: dict[str, int], quantity: int) -> list[tuple[str, int]]:
    """Take a quantity from the lots, those with a date first, and no more than is there."""
    taken = []
    for lot, held in lots.items():
        part = min(held, quantity)
        if part > 0:
            lots[lot] = held - part
            quantity -= part
            taken.append((lot, part))
    return taken


def digest_of(plan: Plan) -> str:
    """Return a digest of a plan's tables: the same tables give the same digest, on every machine."""
    digest = hashlib.blake2b(digest_size=16)
    for schema in PLAN_TABLES:
        if schema.name == "shortages":
            continue  # words, which another version may choose otherwise
        table = plan.table(schema.name)
        digest.update(schema.name.encode())
        for row in table.rows():
            cells = (f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in row.values())
            digest.update(("\x1f".join(cells) + "\x1e").encode())
    return digest.hexdigest()


def _is_on_the_way(site: str, mode: str) -> bool:
    return site == mode and site.startswith(ON_THE_WAY)


def _date(network: Network, day: int) -> str:
    return (network.start + timedelta(days=day - 1)).isoformat()


def _name(expires: date | None) -> str:
    """Return a lot's name in the books."""
    return "" if expires is None else expires.isoformat()


def _in_parts(lines: list[Line], trips: int) -> list[tuple[tuple[Line, ...], int]]:
    """Return the lines in as many orders as it takes, with at least a trip each; the last one has the other trips."""
    parts = [tuple(lines[first : first + MOST_LINES]) for first in range(0, len(lines), MOST_LINES)]
    return [(part, 1 if number < len(parts) - 1 else max(1, trips - number)) for number, part in enumerate(parts)]
