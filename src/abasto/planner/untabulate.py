"""A plan's tables → flows of a problem: what an earlier plan does, in the numbers of the network as it is now.

`tabulate` the other way round. The network may have changed since: rows that the problem has no place for are listed
with the reason. Which lots recipes and trips drew on stands in no table; it follows from what each lot closed at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from abasto.errors import SettingError
from abasto.planner.plan import Plan, Table
from abasto.planner.problem import NEVER, Floats, Ints, Problem
from abasto.planner.solution import Flows
from abasto.planner.sums import summed

__all__ = ["Traced", "movements", "untabulate", "uses"]

ROUNDING = 1e-12
"""What a lot seems to lose beyond this share of what moved through it was used; the rest is rounding."""


@dataclass(frozen=True)
class Traced:
    """A plan as flows: shipment n of `flows` is row `ship_row[n]` of table shipments, likewise `made_row` of table
    production and `hand_row` of table deliveries; `taken_row` [rows of intake] is the source of each row, −1 if none.

    `ship_expires` and `hand_expires` are the last days (from 1; NEVER) of the lots. `lost` says of each row that has no
    place why: {(table, row): reason}.
    """

    flows: Flows
    ship_row: Ints
    made_row: Ints
    hand_row: Ints
    taken_row: Ints
    ship_expires: Ints
    hand_expires: Ints
    lost: dict[tuple[str, int], str]


def untabulate(problem: Problem, plan: Plan) -> Traced:
    """Return the plan as flows; a SettingError names what shows that it is a plan of some other network."""
    return _Untabulating(problem, plan).run()


def _numbers(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


class _Untabulating:
    """Looks up the ids of every table; a column of numbers is −1 where the network knows no such thing."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        self.site_of, self.good_of = _numbers(problem.sites), _numbers(problem.goods)
        self.target_of = _numbers((*problem.goods, *problem.nutrients))
        self.recipe_of = _numbers(problem.recipe_ids)
        self.fleet_of = _numbers(problem.fleets)
        self.lost: dict[tuple[str, int], str] = {}

    def run(self) -> Traced:
        taken, taken_row = self._intake()
        ship, ship_row, ship_expires = self._shipments()
        made, made_row = self._production()
        hand, hand_row, hand_expires = self._deliveries()
        no, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
        flows = Flows(
            taken=taken,
            ship_option=ship[0],
            ship_item=ship[1],
            ship_day=ship[2],
            ship_quantity=ship[3],
            made_plant=made[0],
            made_day=made[1],
            made_batches=made[2],
            hand_site=hand[0],
            hand_item=hand[1],
            hand_day=hand[2],
            hand_need=hand[3],
            hand_quantity=hand[4],
            draw_site=no,
            draw_item=no,
            draw_day=no,
            draw_quantity=nothing,
        )
        flows = _with_draws(self.problem, flows, self._lots_closing())
        return Traced(flows, ship_row, made_row, hand_row, taken_row, ship_expires, hand_expires, self.lost)

    def _known(self, table: Table, column: str, number_of: Mapping[str, int]) -> Ints:
        """Return the numbers of a column's ids, all of which the network must know."""
        cells = table[column].tolist()
        unknown = next((cell for cell in cells if cell not in number_of), None)
        if unknown is not None:
            raise SettingError(
                f'the earlier plan speaks of "{unknown}" ({column}), which the network does not know; '
                "give the plan of this network, or put the row back and set its quantity to 0"
            )
        return np.array([number_of[cell] for cell in cells], dtype=np.int64)

    def _lots(self, table: Table, good: Ints) -> tuple[Ints, Ints]:
        """Return the last days (from 1) of a table's lots, and their items; −1 where there can be no such lot now."""
        dates: npt.NDArray[Any] = table["expires"].astype("datetime64[D]")
        blank = np.isnat(dates)
        start = np.datetime64(self.problem.network.start, "D")
        expires = np.where(blank, NEVER, (np.where(blank, start, dates) - start).astype(np.int64) + 1)
        days, index = self.problem.days, self.problem.items.index
        lasting = expires - 1 >= days - 1
        pairs = zip(good.tolist(), (expires - 1).tolist(), lasting.tolist(), strict=True)
        items = [g if lasts else index.get((g, last), -1) for g, last, lasts in pairs]
        return expires.astype(np.int64), np.array(items, dtype=np.int64)

    def _lose(self, table: str, rows: Ints, why: str) -> None:
        for row in rows.tolist():
            self.lost.setdefault((table, row), why)

    def _intake(self) -> tuple[Floats, Ints]:
        """Return what is taken of each source, and the source of each row."""
        table, sources = self.plan.intake, self.problem.sources
        site, good = self._known(table, "site", self.site_of), self._known(table, "good", self.good_of)
        day = table["day"].astype(np.int64) - 1
        offers = np.flatnonzero(~sources.is_stock).tolist()
        items = self.problem.items.good
        place = {(int(sources.site[s]), int(items[sources.item[s]]), int(sources.day[s])): s for s in offers}
        keys = zip(site.tolist(), good.tolist(), day.tolist(), strict=True)
        source = np.array([place.get(key, -1) for key in keys], dtype=np.int64)
        self._lose("intake", np.flatnonzero(source < 0), "nothing is offered there on that day any more")
        taken = np.where(sources.is_stock, sources.amount, 0.0)
        np.add.at(taken, source[source >= 0], table["quantity"][source >= 0])
        return taken, source

    def _shipments(self) -> tuple[tuple[Ints, Ints, Ints, Floats], Ints, Ints]:
        table, options = self.plan.shipments, self.problem.options
        start, end = self._known(table, "from", self.site_of), self._known(table, "to", self.site_of)
        good = self._known(table, "good", self.good_of)
        expires, item = self._lots(table, good)
        place = zip(options.start.tolist(), options.end.tolist(), options.fleet.tolist(), strict=True)
        option_of = {key: option for option, key in enumerate(place)}
        fleet = [self.fleet_of.get(name, -1) for name in table["fleet"].tolist()]
        keys = zip(start.tolist(), end.tolist(), fleet, strict=True)
        option = np.array([option_of.get(key, -1) for key in keys], dtype=np.int64)
        self._lose("shipments", np.flatnonzero(option < 0), "no such lane that this fleet serves is in the tables now")
        self._lose("shipments", np.flatnonzero(item < 0), "there is no such lot any more")
        rows = np.flatnonzero((option >= 0) & (item >= 0))
        day = table["departs"].astype(np.int64) - 1
        quantity = table["quantity"].astype(np.float64)
        return (option[rows], item[rows], day[rows], quantity[rows]), rows, expires[rows]

    def _production(self) -> tuple[tuple[Ints, Ints, Floats], Ints]:
        """Return batches by plant; where several plants share a site and recipe, the quickest make the most."""
        table, problem = self.plan.production, self.problem
        site = self._known(table, "site", self.site_of)
        plants: dict[tuple[int, int], list[int]] = {}
        for plant in np.argsort(problem.plant_hours, kind="stable").tolist():
            plants.setdefault((int(problem.plant_site[plant]), int(problem.plant_recipe[plant])), []).append(plant)
        found: list[tuple[int, int, float, int]] = []
        columns = (table[name].tolist() for name in ("recipe", "day", "batches"))
        cells = zip(site.tolist(), *columns, strict=True)
        for row, (place, recipe, day, batches) in enumerate(cells):
            mine = plants.get((place, self.recipe_of.get(recipe, -1)), [])
            if not mine:
                self.lost["production", row] = "no such plant is in the tables now"
            left = float(batches)
            for plant in mine:
                most = left if plant == mine[-1] else min(left, float(problem.plant_batches[plant, int(day) - 1]))
                if most > 0:
                    found.append((plant, int(day) - 1, most, row))
                    left -= most
        plant_, day_, batches_, row_ = (list(column) for column in zip(*found, strict=True)) if found else ([],) * 4
        rows = np.array(row_, dtype=np.int64)
        return (np.array(plant_, dtype=np.int64), np.array(day_, dtype=np.int64), np.array(batches_, dtype=float)), rows

    def _deliveries(self) -> tuple[tuple[Ints, Ints, Ints, Ints, Floats], Ints, Ints]:
        table, needs = self.plan.deliveries, self.problem.needs
        site, good = self._known(table, "site", self.site_of), self._known(table, "good", self.good_of)
        expires, item = self._lots(table, good)
        day = table["day"].astype(np.int64) - 1
        keys = zip(needs.site.tolist(), needs.target.tolist(), needs.day.tolist(), strict=True)
        need_of = {key: need for need, key in enumerate(keys)}
        cells = zip(site.tolist(), table["meets"].tolist(), day.tolist(), strict=True)
        need = np.array(
            [-1 if not meets else need_of.get((at, self.target_of.get(meets, -1), on), -2) for at, meets, on in cells],
            dtype=np.int64,
        )
        self._lose("deliveries", np.flatnonzero(need == -2), "nothing of it is needed there on that day any more")
        self._lose("deliveries", np.flatnonzero(item < 0), "there is no such lot any more")
        rows = np.flatnonzero((need >= -1) & (item >= 0))
        quantity = table["quantity"].astype(np.float64)
        return (site[rows], item[rows], day[rows], need[rows], quantity[rows]), rows, expires[rows]

    def _lots_closing(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Return (site, item, day, quantity) of table closing."""
        table = self.plan.closing
        site, good = self._known(table, "site", self.site_of), self._known(table, "good", self.good_of)
        _, item = self._lots(table, good)
        there = (item >= 0) & (table["quantity"] > 0)
        return site[there], item[there], table["day"].astype(np.int64)[there] - 1, table["quantity"][there]


def _with_draws(problem: Problem, flows: Flows, closing: tuple[Ints, Ints, Ints, Floats]) -> Flows:
    """Add from which items recipes and trips drew: opening + what came − what left − closing, on each day."""
    (good, site, day), needed = summed(*uses(problem, flows))
    pool_of = {key: pool for pool, key in enumerate(zip(good.tolist(), site.tolist(), day.tolist(), strict=True))}
    if not pool_of:
        return flows
    used_goods = np.isin(problem.items.good, np.unique(good))
    places, moved, gross, left = _ledger(problem, flows, closing, used_goods)
    before = np.concatenate([np.zeros((len(places), 1)), left[:, :-1]], axis=1)
    drawn = before + moved - left
    drawn = np.where(drawn > ROUNDING * (before + gross), drawn, 0.0)
    lots: dict[tuple[int, int, int], list[int]] = {}
    item_of, site_of = (places // len(problem.sites)).tolist(), (places % len(problem.sites)).tolist()
    order = np.argsort(problem.items.last_day[places // len(problem.sites)], kind="stable").tolist()
    for row in order:
        item = item_of[row]
        first, last = int(problem.items.first_day[item]), int(problem.items.last_day[item])
        for when in range(first, last + 1):
            if drawn[row, when] > 0 or left[row, when] > 0:
                lots.setdefault((int(problem.items.good[item]), site_of[row], when), []).append(row)
    found: list[tuple[int, int, int, float]] = []
    for key, pool in pool_of.items():
        rows = lots.get(key, [])
        for row, part in _share_out(float(needed[pool]), rows, drawn[:, key[2]], left[:, key[2]]):
            found.append((key[1], item_of[row] if row >= 0 else key[0], key[2], part))
    sites, items, days, parts = zip(*found, strict=True)
    return Flows(
        **{name: getattr(flows, name) for name in flows.__dataclass_fields__ if not name.startswith("draw_")},
        draw_site=np.array(sites, dtype=np.int64),
        draw_item=np.array(items, dtype=np.int64),
        draw_day=np.array(days, dtype=np.int64),
        draw_quantity=np.array(parts, dtype=np.float64),
    )


def _share_out(needed: float, rows: list[int], drawn: Floats, left: Floats) -> list[tuple[int, float]]:
    """Return (row, quantity) that add up to what is needed: as drawn, and where the stock has changed since, less of
    the newest or more of what was left, oldest first. Row −1 is a lot that nobody knows.
    """
    parts = {row: float(drawn[row]) for row in rows}
    total = sum(parts.values())
    if total > needed:
        for row in reversed(rows):
            less = min(parts[row], total - needed)
            parts[row] -= less
            total -= less
    for row in rows:
        more = min(float(left[row]), needed - total)
        if more > 0:
            parts[row] += more
            total += more
    if needed - total > ROUNDING * needed:
        parts[-1] = needed - total
    return [(row, part) for row, part in parts.items() if part > 0]


def uses(problem: Problem, flows: Flows) -> tuple[list[Ints], Floats]:
    """Return (good, site, day) and quantity of all that recipes and trips use up."""
    options = problem.options
    tonnes = flows.ship_quantity * problem.good_tonnes[problem.items.good[flows.ship_item]]
    fuelled = np.flatnonzero(options.fuel_good[flows.ship_option] >= 0)
    option = flows.ship_option[fuelled]
    burnt = tonnes[fuelled] * options.fuel[option]
    parts = [(options.fuel_good[option], options.fuel_site[option], flows.ship_day[fuelled], burnt)]
    for r, (inputs, _) in enumerate(problem.recipes):
        mine = np.flatnonzero(problem.plant_recipe[flows.made_plant] == r)
        for good, quantity in inputs:
            site = problem.plant_site[flows.made_plant[mine]]
            parts.append((np.full(len(mine), good), site, flows.made_day[mine], flows.made_batches[mine] * quantity))
    goods, sites, days, used = (np.concatenate(part) for part in zip(*parts, strict=True))
    return [goods, sites, days], used


def _ledger(
    problem: Problem, flows: Flows, closing: tuple[Ints, Ints, Ints, Floats], some: npt.NDArray[np.bool_]
) -> tuple[Ints, Floats, Floats, Floats]:
    """Return the places (item · sites + site) of `some` items, and [places, days] what came less what left, all that
    moved, and what closes.
    """
    site, item, day, quantity = movements(problem, flows)
    mine = some[item]
    kept = some[closing[1]]
    key = item[mine] * len(problem.sites) + site[mine]
    closes = closing[1][kept] * len(problem.sites) + closing[0][kept]
    places = np.unique(np.concatenate([key, closes]))
    moved, gross, left = (np.zeros((len(places), problem.days)) for _ in range(3))
    where = np.searchsorted(places, key), day[mine]
    np.add.at(moved, where, quantity[mine])
    np.add.at(gross, where, np.abs(quantity[mine]))
    np.add.at(left, (np.searchsorted(places, closes), closing[2][kept]), closing[3][kept])
    return places, moved, gross, left


def movements(problem: Problem, flows: Flows) -> tuple[Ints, Ints, Ints, Floats]:
    """Return (site, item, day, quantity) of all that comes (above 0) and leaves (below 0), what is on hand on day 0
    included; what arrives after the horizon is left out.
    """
    sources, options = problem.sources, problem.options
    arrives = flows.ship_day + options.lead[flows.ship_option]
    here = arrives < problem.days
    taken = np.where(sources.is_stock, sources.amount, flows.taken)
    parts = [
        (sources.site, sources.item, sources.day, taken),
        (options.end[flows.ship_option[here]], flows.ship_item[here], arrives[here], flows.ship_quantity[here]),
        (options.start[flows.ship_option], flows.ship_item, flows.ship_day, -flows.ship_quantity),
        (flows.hand_site, flows.hand_item, flows.hand_day, -flows.hand_quantity),
        (flows.draw_site, flows.draw_item, flows.draw_day, -flows.draw_quantity),
    ]
    for r, (_, outputs) in enumerate(problem.recipes):
        mine = np.flatnonzero(problem.plant_recipe[flows.made_plant] == r)
        site, day = problem.plant_site[flows.made_plant[mine]], flows.made_day[mine]
        for good, quantity in outputs:
            parts.append((site, problem.items.fresh[good, day], day, flows.made_batches[mine] * quantity))
    sites, items, days, quantities = (np.concatenate(part) for part in zip(*parts, strict=True))
    return sites, items, days, quantities
