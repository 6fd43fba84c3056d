"""Check that every balance closes, lot by lot and day by day, within stores and above reserves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from abasto.planner.check.amounts import Report, Rows, exceeds, lot_name, rounding, shown
from abasto.planner.check.limits import Limits, Lot, age_order

__all__ = ["check_balances"]


class _Account:
    """All that moves into and out of a good's stock at a site, as (day, lot, quantity), and how it closes.

    `burnt` names no lot: recipes and vehicles take from the oldest lots of the day's close.
    """

    __slots__ = ("brought", "burnt", "closing", "opening", "shipped", "used")

    def __init__(self) -> None:
        self.opening: list[tuple[int, Lot, float]] = []
        self.brought: list[tuple[int, Lot, float]] = []
        self.shipped: list[tuple[int, Lot, float]] = []
        self.used: list[tuple[int, Lot, float]] = []
        self.burnt: list[tuple[int, float]] = []
        self.closing: list[tuple[int, Lot, float, float]] = []


def _accounts(rows: Rows, limits: Limits) -> dict[tuple[str, str], _Account]:
    """Write everything the plan moves into the accounts of site and good."""
    accounts: dict[tuple[str, str], _Account] = defaultdict(_Account)
    for key, stocks in limits.stocks.items():
        accounts[key].opening += [(1, lot, quantity) for lot, quantity in stocks]
    for row in rows["intake"]:
        accounts[row["site"], row["good"]].brought.append((row["day"], row["expires"], row["quantity"]))
    for row in rows["shipments"]:
        good, lot, quantity = row["good"], row["expires"], row["quantity"]
        accounts[row["from"], good].shipped.append((row["departs"], lot, quantity))
        if row["arrives"] <= limits.days:
            accounts[row["to"], good].brought.append((row["arrives"], lot, quantity))
    for row in rows["deliveries"]:
        accounts[row["site"], row["good"]].used.append((row["day"], row["expires"], row["quantity"]))
    for row in rows["production"]:
        for good, quantity in limits.recipes[row["recipe"]]:
            account, day, amount = accounts[row["site"], good], row["day"], row["batches"] * quantity
            if quantity > 0:
                account.brought.append((day, limits.lot_of(day, good), amount))
            else:
                account.burnt.append((day, -amount))
    for row in rows["trips"]:
        fleet, lane = limits.fleets[row["fleet"]], limits.lanes.get((row["from"], row["to"]))
        if fleet.fuel and lane:
            burnt = row["trips"] * 2 * lane.km * fleet.fuel_per_km
            accounts[fleet.site or row["from"], fleet.fuel].burnt.append((row["day"], burnt))
    for row in rows["closing"]:
        told = (row["day"], row["expires"], row["quantity"], row["spoiled"])
        accounts[row["site"], row["good"]].closing.append(told)
    return accounts


def check_balances(rows: Rows, limits: Limits, report: Report) -> None:
    """Every lot closes each day at what the balance leaves, ≥ 0; what closes fits the store; the reserve stays."""
    stored: dict[tuple[str, int], float] = defaultdict(float)
    for (site, good), account in _accounts(rows, limits).items():
        kept = _check_account(site, good, account, limits, report)
        for day, quantity in kept:
            stored[site, day] += quantity * limits.tonnes(good)
        if (site, good) in limits.reserves:
            _check_reserve(site, good, account, limits, report)
    for (site, day), tonnes in stored.items():
        most = limits.sites[site].storage_t
        if most is not None and exceeds(tonnes, most):
            report(f"closing {site}, day {day}: {shown(tonnes)} t in a store for {shown(most)} t")


def _check_account(
    site: str, good: str, account: _Account, limits: Limits, report: Report
) -> Iterator[tuple[int, float]]:
    """Follow the lots of a good at a site from day to day; yield what closes each day."""
    days = _Days(account, limits.days)
    have: dict[Lot, float] = {}
    for day in range(1, limits.days + 1):
        slack = rounding(days.moved[day])
        for lot, quantity in days.moves[day]:
            have[lot] = have.get(lot, 0.0) + quantity
        spoiled: dict[Lot, float] = {lot: have.pop(lot) for lot in list(have) if lot is not None and lot < day}
        where = f"closing {site}, {good}, day {day}"
        for lot, quantity in [*have.items(), *spoiled.items()]:
            if quantity < -slack:
                report(f"{where}: {lot_name(lot, limits)} falls to {shown(quantity)}; more goes out than is there")
        if (missing := _burn(have, days.burnt[day])) > slack:
            report(f"{where}: recipes and vehicles use {shown(missing)} more than is there")
        told: dict[Lot, tuple[float, float]] = {}
        for lot, quantity, lost in days.told[day]:
            if lot in told:
                report(f"{where}: {lot_name(lot, limits)} stands there twice")
            told[lot] = (quantity, lost)
        for lot in dict.fromkeys([*have, *spoiled, *told]):
            quantity, lost = told.get(lot, (0.0, 0.0))
            if abs(quantity - have.get(lot, 0.0)) > slack:
                kept = shown(have.get(lot, 0.0))
                report(f"{where}: {lot_name(lot, limits)} closes at {shown(quantity)}, the balance leaves {kept}")
            if abs(lost - spoiled.get(lot, 0.0)) > slack:
                gone = shown(spoiled.get(lot, 0.0))
                report(f"{where}: {shown(lost)} of {lot_name(lot, limits)} spoiled, the balance says {gone}")
        have = {lot: quantity for lot, quantity in have.items() if quantity}
        yield day, sum(quantity for quantity in have.values() if quantity > 0)


class _Days:
    """An account by day: net moves of lots, what is burnt, what has moved so far, and how it is said to close."""

    def __init__(self, account: _Account, days: int) -> None:
        self.moves: list[list[tuple[Lot, float]]] = [[] for _ in range(days + 1)]
        self.told: list[list[tuple[Lot, float, float]]] = [[] for _ in range(days + 1)]
        self.burnt = [0.0] * (days + 1)
        self.moved = [0.0] * (days + 1)
        for sign, moves in ((1, account.opening), (1, account.brought), (-1, account.shipped), (-1, account.used)):
            for day, lot, quantity in moves:
                self.moves[day].append((lot, sign * quantity))
                self.moved[day] += quantity
        for day, quantity in account.burnt:
            self.burnt[day] += quantity
            self.moved[day] += quantity
        for day, lot, quantity, spoiled in account.closing:
            self.told[day].append((lot, quantity, spoiled))
        for day in range(1, days + 1):
            self.moved[day] += self.moved[day - 1]


def _burn(have: dict[Lot, float], quantity: float) -> float:
    """Take `quantity` from the oldest lots; return what is not there."""
    for lot in sorted(have, key=age_order) if quantity > 0 else ():
        take = min(max(have[lot], 0.0), quantity)
        have[lot] -= take
        quantity -= take
    return quantity


def _check_reserve(site: str, good: str, account: _Account, limits: Limits, report: Report) -> None:
    """Shipped so far ≤ on hand at the start above the reserve + all that came in so far."""
    reserve = limits.reserves[site, good]
    above = max(0.0, sum(quantity for _, _, quantity in account.opening) - reserve)
    for day in range(1, limits.days + 1):
        shipped = sum(quantity for when, _, quantity in account.shipped if when <= day)
        free = above + sum(quantity for when, _, quantity in account.brought if when <= day)
        if exceeds(shipped, free):
            what = f"{shown(shipped)} shipped so far, {shown(free)} is free above the reserve of {shown(reserve)}"
            report(f"shipments {site}, {good}, day {day}: {what}")
