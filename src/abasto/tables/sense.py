"""Check that what the tables say makes sense: spans of days, stocks, fleets and lanes, recipes, positions."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import date, timedelta

from abasto.network import TABLES, Fleet, Network, Stock
from abasto.tables.findings import Findings
from abasto.tables.raw import BLANKS

__all__ = [
    "check_days",
    "check_fleets",
    "check_goods",
    "check_horizon",
    "check_lanes",
    "check_plants",
    "check_recipes",
    "check_sites",
    "check_stocks",
]


def check_horizon(network: Network, findings: Findings) -> None:
    """Find a network without a name, a horizon of no days, or one beyond the calendar."""
    if not network.name.strip(BLANKS):
        findings.add(
            "network", 0, "name", network.name, message="the network has no name", remedy="give it one"
        )  # fmt: skip
    if network.days < 1:
        findings.add("network", 0, "days", network.days, message="the horizon has no day", remedy="write 1 or more")
    elif network.start.toordinal() + network.days > date.max.toordinal():
        findings.add(
            "network", 0, "start", network.start, message="the horizon ends after the year 9999",
            remedy="correct the date",
        )  # fmt: skip


def check_days(network: Network, findings: Findings) -> None:
    """Find spans of days that end before they begin or lie wholly outside the horizon."""
    for schema in TABLES:
        if not any(column.attribute == "from_day" for column in schema.columns):
            continue
        for index, row in enumerate(network.rows(schema.name)):
            first: int | None = row.from_day  # type: ignore[attr-defined]
            last: int | None = row.to_day  # type: ignore[attr-defined]
            if first is None and last is None:
                continue
            if first is not None and last is not None and first > last:
                findings.add(
                    schema.name, index, "from", first,
                    message=f"the first day comes after the last ({last})", remedy="exchange or correct the two days",
                )  # fmt: skip
            elif (first is not None and first > network.days) or (last is not None and last < 1):
                late = first is not None and first > network.days
                findings.warn(
                    schema.name, index, "from" if late else "to", first if late else last,
                    message=f"the row holds on none of the days 1 to {network.days}",
                    remedy="correct the days, or leave the row if that is meant",
                )  # fmt: skip


def check_sites(network: Network, findings: Findings) -> None:
    """Find positions of which one half is missing."""
    for index, site in enumerate(network.sites):
        if (site.lat is None) != (site.lon is None):
            missing, given = ("lat", "lon") if site.lat is None else ("lon", "lat")
            findings.add(
                "sites", index, missing, "", message=f"{site.site} has {given} but no {missing}",
                remedy="write both, or leave both blank",
            )  # fmt: skip


def check_goods(network: Network, findings: Findings) -> None:
    """Find ids that are a good and a nutrient at once, and goods that stand in for themselves."""
    goods = {good.good for good in network.goods}
    reported: set[str] = set()
    for index, row in enumerate(network.nutrients):
        if row.nutrient in goods and row.nutrient not in reported:
            reported.add(row.nutrient)
            findings.add(
                "nutrients", index, "nutrient", row.nutrient,
                message="a good has the same id, and coverage could not tell them apart", remedy="rename one of them",
            )  # fmt: skip
    for index, line in enumerate(network.substitutes):
        if line.good == line.substitute:
            findings.add(
                "substitutes", index, "substitute", line.substitute, message="a good is no substitute for itself",
                remedy="name another good or leave the row out",
            )  # fmt: skip


def check_stocks(network: Network, findings: Findings) -> None:
    """Find stocks that have spoiled before day 1, and more stock than a site can hold."""
    goods = {good.good: good for good in network.goods}
    held_kg: dict[str, float] = defaultdict(float)
    for index, stock in enumerate(network.stocks):
        good = goods.get(stock.good)
        last = _last_use(stock, None if good is None else good.shelf_life_days, network.start)
        if last is not None and last < network.start:
            findings.warn(
                "stocks", index, "expires", last, message=f"this stock has spoiled before {network.start}, day 1",
                remedy="correct the date or leave the row out",
            )  # fmt: skip
        elif good is not None:
            held_kg[stock.site] += stock.quantity * good.kg_per_unit
    for index, site in enumerate(network.sites):
        held_t = held_kg[site.site] / 1000
        if site.storage_t is not None and held_t > site.storage_t * (1 + 1e-9):
            findings.add(
                "sites", index, "storage_t", site.storage_t,
                message=f"{site.site} has {held_t:.6g} t in stock, more than it can hold",
                remedy="correct storage_t or the stocks there",
            )  # fmt: skip


def _last_use(stock: Stock, shelf_life_days: float | None, start: date) -> date | None:
    """Return the last date a stock can be used, None if never spoiled; without date it came in the day before day 1."""
    if stock.expires is not None or shelf_life_days is None:
        return stock.expires
    days = math.floor(shelf_life_days)
    return None if days >= date.max.toordinal() - start.toordinal() else start + timedelta(days=days - 1)


def check_lanes(network: Network, findings: Findings) -> None:
    """Find lanes from a site to itself, and lanes that no fleet serves."""
    anywhere, bases = _served(network.fleets)
    for index, lane in enumerate(network.lanes):
        if lane.from_site == lane.to_site:
            findings.add(
                "lanes", index, "to", lane.to_site, message="the lane leads from a site to itself",
                remedy="correct one end or leave the row out",
            )  # fmt: skip
        elif not findings.origin.complete("fleets"):
            continue
        elif lane.mode not in anywhere and bases[lane.mode].isdisjoint((lane.from_site, lane.to_site)):
            findings.warn(
                "lanes", index, "mode", lane.mode,
                message=f'no fleet serves "{lane.from_site}>{lane.to_site}", so it moves nothing',
                remedy="add a fleet of this mode, based at one end or without a base",
            )  # fmt: skip


def _served(fleets: tuple[Fleet, ...]) -> tuple[set[str], defaultdict[str, set[str]]]:
    """Return the modes served everywhere, and for each mode the sites whose lanes are served."""
    bases: defaultdict[str, set[str]] = defaultdict(set)
    for fleet in fleets:
        if fleet.site is not None:
            bases[fleet.mode].add(fleet.site)
    return {fleet.mode for fleet in fleets if fleet.site is None}, bases


def check_fleets(network: Network, findings: Findings) -> None:
    """Find fleets without a lane at their base, and fuel that is not burnt, not named, or spoils."""
    ends = {(lane.mode, end) for lane in network.lanes for end in (lane.from_site, lane.to_site)}
    shelf_life = {good.good: good.shelf_life_days for good in network.goods}
    for index, fleet in enumerate(network.fleets):
        if fleet.site is not None and (fleet.mode, fleet.site) not in ends and findings.origin.complete("lanes"):
            findings.warn(
                "fleets", index, "site", fleet.site, message=f"no {fleet.mode} lane starts or ends at this base",
                remedy="correct the base or the mode, or add a lane",
            )  # fmt: skip
        if fleet.fuel is not None and fleet.fuel_per_km == 0:
            findings.warn(
                "fleets", index, "fuel_per_km", fleet.fuel_per_km, message=f"{fleet.fuel} is named but none is burnt",
                remedy="write fuel_per_km, or leave fuel blank",
            )  # fmt: skip
        if fleet.fuel is None and fleet.fuel_per_km > 0:
            findings.warn(
                "fleets", index, "fuel", "", message="fuel is burnt but no good is named, so none is counted",
                remedy="name the good that is burnt, or leave fuel_per_km blank",
            )  # fmt: skip
        if fleet.fuel is not None and shelf_life.get(fleet.fuel) is not None:
            findings.warn(
                "fleets", index, "fuel", fleet.fuel, message="this fuel has a shelf life",
                remedy="leave its shelf_life_days blank unless it does spoil",
            )  # fmt: skip


def check_plants(network: Network, findings: Findings) -> None:
    """Find plants whose rows for one recipe name different hours per batch."""
    first_of: dict[tuple[str, str], int] = {}
    for index, plant in enumerate(network.plants):
        first = first_of.setdefault((plant.site, plant.recipe), index)
        other = network.plants[first].hours_per_batch
        if plant.hours_per_batch != other:
            findings.add(
                "plants", index, "hours_per_batch", plant.hours_per_batch,
                message=f"row {findings.origin.line('plants', first)} says {other:.12g} for the same site and recipe",
                remedy="write the same hours in both rows",
            )  # fmt: skip


def check_recipes(network: Network, findings: Findings) -> None:
    """Find recipes that make nothing, or make something from nothing."""
    first_of: dict[str, int] = {}
    made: defaultdict[str, list[str]] = defaultdict(list)
    using: set[str] = set()
    for index, line in enumerate(network.recipes):
        first_of.setdefault(line.recipe, index)
        if line.quantity > 0:
            made[line.recipe].append(line.good)
        elif line.quantity < 0:
            using.add(line.recipe)
    if not findings.origin.complete("recipes"):
        return
    for recipe, index in first_of.items():
        if recipe not in made:
            findings.warn(
                "recipes", index, "recipe", recipe, message="this recipe makes nothing",
                remedy="add a line with a positive quantity, or remove the recipe",
            )  # fmt: skip
        elif recipe not in using:
            findings.warn(
                "recipes", index, "recipe", recipe, message=f"this recipe makes {_listed(made[recipe])} from nothing",
                remedy="add what it uses with negative quantities; if it is a source, supplies says so more plainly",
            )  # fmt: skip


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (" and more" if len(names) > 3 else "")
