"""Check that no capacity is exceeded: supplies, lanes, trips, fleets, plants, labour and needs."""

from __future__ import annotations

import math
from collections import defaultdict

from abasto.planner.check.amounts import Report, Rows, differ, exceeds, lot_name, rounding, shown
from abasto.planner.check.coverage import met_by_goods
from abasto.planner.check.limits import Limits

__all__ = ["check_capacities"]


def check_capacities(rows: Rows, limits: Limits, report: Report) -> None:
    """Report everything that is taken in, moved, made or handed over beyond what the network allows."""
    _check_intake(rows, limits, report)
    _check_shipments(rows, limits, report)
    _check_trips(rows, limits, report)
    _check_fleets(rows, limits, report)
    _check_production(rows, limits, report)
    _check_deliveries(rows, limits, report)


def _check_intake(rows: Rows, limits: Limits, report: Report) -> None:
    """Taken in per site, good and day ≤ supply × left; its lot is the day plus the shelf life."""
    taken: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in rows["intake"]:
        site, good, day = row["site"], row["good"], row["day"]
        taken[site, good, day] += row["quantity"]
        if row["expires"] != limits.lot_of(day, good):
            right = lot_name(limits.lot_of(day, good), limits)
            report(f"intake {site}, {good}, day {day}: lot is {lot_name(row['expires'], limits)}, not {right}")
    for (site, good, day), quantity in taken.items():
        most = limits.supply.get((site, good, day), 0.0)
        if exceeds(quantity, most):
            report(f"intake {site}, {good}, day {day}: {shown(quantity)} of a supply of {shown(most)}")


def _check_shipments(rows: Rows, limits: Limits, report: Report) -> None:
    """Shipments keep to lanes, their lead times and what is left of their tonnes, and carry no spoiled lot."""
    loads: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in rows["shipments"]:
        start, end, good, day = row["from"], row["to"], row["good"], row["departs"]
        where = f"shipments {start}>{end}, {good}, day {day}"
        lane = limits.lanes.get((start, end))
        if lane is None:
            report(f"{where}: there is no such lane")
            continue
        if row["arrives"] != day + lane.travel_days:
            report(f"{where}: arrives on day {row['arrives']}, but the lane takes {lane.travel_days} days")
        if row["expires"] is not None and row["expires"] < day and row["quantity"] > rounding(0):
            report(f"{where}: the lot spoiled after {lot_name(row['expires'], limits)}")
        loads[start, end, day] += row["quantity"] * limits.tonnes(good)
    for (start, end, day), tonnes in loads.items():
        lane = limits.lanes[start, end]
        most = math.inf if lane.tonnes is None else lane.tonnes * limits.lane_left(start, end, day)
        if exceeds(tonnes, most):
            report(f"shipments {start}>{end}, day {day}: {shown(tonnes)} t of the lane's {shown(most)} t")


def _check_trips(rows: Rows, limits: Limits, report: Report) -> None:
    """What a fleet carries on a lane on a day fits into its trips, and the trips' own columns are right."""
    trips: dict[tuple[str, str, str, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    for row in rows["trips"]:
        start, end = row["from"], row["to"]
        if (start, end) not in limits.lanes:
            report(f"trips {row['fleet']}, {start}>{end}, day {row['day']}: there is no such lane")
            continue
        for position, column in enumerate(("trips", "vehicle_hours", "tonnes")):
            trips[row["fleet"], start, end, row["day"]][position] += row[column]
    loads: dict[tuple[str, str, str, int], float] = defaultdict(float)
    goods: dict[tuple[str, str, str, int], str] = {}
    for row in rows["shipments"]:
        key = row["fleet"], row["from"], row["to"], row["departs"]
        if key[1:3] in limits.lanes:
            loads[key] += row["quantity"] * limits.tonnes(row["good"])
            goods[key] = row["good"] if goods.setdefault(key, row["good"]) == row["good"] else "all goods"
    for key in dict.fromkeys([*trips, *loads]):
        fleet, start, end, day = key
        count, hours, tonnes = trips.get(key, (0.0, 0.0, 0.0))
        vehicle, lane, load = limits.fleets[fleet], limits.lanes[start, end], loads.get(key, 0.0)
        if exceeds(load, count * vehicle.payload_t):
            where = f"shipments {start}>{end}, {goods[key]}, day {day}"
            report(f"{where}: {shown(load)} t in trips that carry {shown(count * vehicle.payload_t)} t")
        where = f"trips {fleet}, {start}>{end}, day {day}"
        if differ(tonnes, load):
            report(f"{where}: {shown(tonnes)} t, but the shipments are {shown(load)} t")
        needed = count * (2 * lane.travel_hours + vehicle.handling_hours)
        if differ(hours, needed):
            report(f"{where}: {shown(hours)} vehicle-hours, but the trips take {shown(needed)}")


def _check_fleets(rows: Rows, limits: Limits, report: Report) -> None:
    """A fleet serves open lanes of its mode at its base, on its days, for no more vehicle-hours than are left."""
    uses = [(row["fleet"], row["from"], row["to"], row["departs"], row["quantity"]) for row in rows["shipments"]]
    uses += [(row["fleet"], row["from"], row["to"], row["day"], row["trips"]) for row in rows["trips"]]
    for name, start, end, day in dict.fromkeys(use[:4] for use in uses if use[4] > rounding(0)):
        fleet, lane = limits.fleets[name], limits.lanes.get((start, end))
        where = f"trips {name}, {start}>{end}, day {day}"
        if fleet.site and fleet.site not in (start, end):
            report(f"{where}: the fleet is based at {fleet.site}")
        if lane is not None and fleet.mode != lane.mode:
            report(f"{where}: the fleet goes by {fleet.mode}, the lane is for {lane.mode}")
        if lane is not None and limits.lane_left(start, end, day) == 0:
            report(f"{where}: the lane is closed")
        if day not in limits.span(fleet.from_day, fleet.to_day):
            report(f"{where}: the fleet has no vehicles on that day")
    hours: dict[tuple[str, int], float] = defaultdict(float)
    for row in rows["trips"]:
        if lane := limits.lanes.get((row["from"], row["to"])):
            handling = limits.fleets[row["fleet"]].handling_hours
            hours[row["fleet"], row["day"]] += row["trips"] * (2 * lane.travel_hours + handling)
    for (name, day), used in hours.items():
        most = limits.fleet_hours(limits.fleets[name], day)
        if exceeds(used, most):
            report(f"trips {name}, day {day}: {shown(used)} vehicle-hours of {shown(most)}")


def _check_production(rows: Rows, limits: Limits, report: Report) -> None:
    """Batches ≤ what is left of the plant; the labour of a site's batches ≤ its hours."""
    batches: dict[tuple[str, str, int], float] = defaultdict(float)
    for row in rows["production"]:
        batches[row["site"], row["recipe"], row["day"]] += row["batches"]
    labour: dict[tuple[str, int], float] = defaultdict(float)
    for (site, recipe, day), count in batches.items():
        lines = limits.batches(site, recipe, day)
        most = sum(batches for batches, _ in lines)
        if exceeds(count, most):
            report(f"production {site}, {recipe}, day {day}: {shown(count)} batches of {shown(most)}")
        for capacity, hours in lines:
            labour[site, day] += min(count, capacity) * hours
            count -= min(count, capacity)
    for (site, day), hours in labour.items():
        if site in limits.labour and exceeds(hours, limits.labour[site][day]):
            report(f"production {site}, day {day}: {shown(hours)} working hours of {shown(limits.labour[site][day])}")


def _check_deliveries(rows: Rows, limits: Limits, report: Report) -> None:
    """What is handed over is not spoiled and meets a need, itself or as a substitute, never above the need."""
    for row in rows["deliveries"]:
        site, day, good, meets = row["site"], row["day"], row["good"], row["meets"]
        where = f"deliveries {site}, {good}, day {day}"
        if row["expires"] is not None and row["expires"] < day and row["quantity"] > rounding(0):
            report(f"{where}: handed over after it spoiled on {lot_name(row['expires'], limits)}")
        if meets and meets != good and (meets, good) not in limits.substitutes:
            report(f"{where}: it is no substitute for {meets}")
        if not meets and not any(content > 0 for _, content in limits.contents.get(good, ())):
            report(f"{where}: meets no need and holds no nutrient")
    for (site, need), by_day in met_by_goods(rows, limits).items():
        for day, met in by_day.items():
            wanted = limits.needs.get((site, need), {}).get(day)
            most = wanted.needed if wanted else 0.0
            if exceeds(met, most):
                report(f"deliveries {site}, {need}, day {day}: {shown(met)} for a need of {shown(most)}")
