"""Check that every balance closes, lot by lot and day by day, within stores and above reserves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from abasto.planner.check.amounts import Report, Rows, exceeds, lot_name, rounding, shown
from abasto.planner.check.limits import Limits, Lot, age_order

__all__ = ["check_balances"]


class _Account:
    """All that moves into and out of a good's stock at a site: by day and lot, and in total."""

    __slots__ = ("burnt", "closing", "inflow", "moves", "scale", "shipped")

    def __init__(self) -> None:
        self.moves: dict[int, dict[Lot, float]] = {}
        self.scale: dict[int, float] = defaultdict(float)
        self.inflow: dict[int, float] = defaultdict(float)
        self.shipped: dict[int, float] = defaultdict(float)
        self.burnt: dict[int, float] = defaultdict(float)
        self.closing: dict[int, dict[Lot, tuple[float, float]]] = {}

    def move(self, day: int, lot: Lot, quantity: float) -> None:
        """Add to a lot on a day, or take from it."""
        lots = self.moves.setdefault(day, {})
        lots[lot] = lots.get(lot, 0.0) + quantity
        self.scale[day] += abs(quantity)

    def bring(self, day: int, lot: Lot, quantity: float) -> None:
        """Add what was not on hand at the start: it may be shipped on, whatever the reserve."""
        self.move(day, lot, quantity)
        self.inflow[day] += quantity

    def burn(self, day: int, quantity: float) -> None:
        """Take from the oldest lots of that day's close: recipes and vehicles name none."""
        self.burnt[day] += quantity
        self.scale[day] += quantity


def _accounts(rows: Rows, limits: Limits) -> dict[tuple[str, str], _Account]:
    """Write everything the plan moves into the accounts of site and good."""
    accounts: dict[tuple[str, str], _Account] = defaultdict(_Account)
    for key, stocks in limits.stocks.items():
        for lot, quantity in stocks:
            accounts[key].move(1, lot, quantity)
    for row in rows["intake"]:
        accounts[row["site"], row["good"]].bring(row["day"], row["expires"], row["quantity"])
    for row in rows["shipments"]:
        account = accounts[row["from"], row["good"]]
        account.move(row["departs"], row["expires"], -row["quantity"])
        account.shipped[row["departs"]] += row["quantity"]
        if row["arrives"] <= limits.days:
            accounts[row["to"], row["good"]].bring(row["arrives"], row["expires"], row["quantity"])
    for row in rows["deliveries"]:
        accounts[row["site"], row["good"]].move(row["day"], row["expires"], -row["quantity"])
    for row in rows["production"]:
        for good, quantity in limits.recipes[row["recipe"]]:
            account, day, amount = accounts[row["site"], good], row["day"], row["batches"] * quantity
            if quantity > 0:
                account.bring(day, limits.lot_of(day, good), amount)
            else:
                account.burn(day, -amount)
    for row in rows["trips"]:
        fleet, lane = limits.fleets[row["fleet"]], limits.lanes.get((row["from"], row["to"]))
        if fleet.fuel and lane:
            base = fleet.site or row["from"]
            accounts[base, fleet.fuel].burn(row["day"], row["trips"] * 2 * lane.km * fleet.fuel_per_km)
    for row in rows["closing"]:
        told = accounts[row["site"], row["good"]].closing.setdefault(row["day"], {})
        told[row["expires"]] = (row["quantity"], row["spoiled"])
    return accounts


def check_balances(rows: Rows, limits: Limits, report: Report) -> None:
    """Every lot closes each day at what the balance leaves, ≥ 0; what closes fits the store; the reserve stays."""
    seen: set[tuple[str, str, int, Lot]] = set()
    for row in rows["closing"]:
        key = row["site"], row["good"], row["day"], row["expires"]
        if key in seen:
            report(f"closing {key[0]}, {key[1]}, day {key[2]}: {lot_name(key[3], limits)} stands there twice")
        seen.add(key)
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
    have: dict[Lot, float] = {}
    moved = 0.0
    for day in range(1, limits.days + 1):
        moved += account.scale.get(day, 0.0)
        slack = rounding(moved)
        for lot, quantity in account.moves.get(day, {}).items():
            have[lot] = have.get(lot, 0.0) + quantity
        spoiled: dict[Lot, float] = {lot: have.pop(lot) for lot in list(have) if lot is not None and lot < day}
        where = f"closing {site}, {good}, day {day}"
        for lot, quantity in [*have.items(), *spoiled.items()]:
            if quantity < -slack:
                report(f"{where}: {lot_name(lot, limits)} falls to {shown(quantity)}; more goes out than is there")
        burnt = account.burnt.get(day, 0.0)
        for lot in sorted(have, key=age_order) if burnt > 0 else ():
            take = min(max(have[lot], 0.0), burnt)
            have[lot] -= take
            burnt -= take
        if burnt > slack:
            report(f"{where}: recipes and vehicles use {shown(burnt)} more than is there")
        told = account.closing.get(day, {})
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


def _check_reserve(site: str, good: str, account: _Account, limits: Limits, report: Report) -> None:
    """Shipped so far ≤ on hand at the start above the reserve + all that came in so far."""
    on_hand = sum(quantity for _, quantity in limits.stocks.get((site, good), ()))
    reserve = limits.reserves[site, good]
    free, shipped, moved = max(0.0, on_hand - reserve), 0.0, 0.0
    for day in range(1, limits.days + 1):
        shipped += account.shipped.get(day, 0.0)
        free += account.inflow.get(day, 0.0)
        moved += account.scale.get(day, 0.0)
        if shipped > free + rounding(moved):
            what = f"{shown(shipped)} shipped so far, {shown(free)} is free above the reserve of {shown(reserve)}"
            report(f"shipments {site}, {good}, day {day}: {what}")
