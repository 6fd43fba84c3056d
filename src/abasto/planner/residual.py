"""What is left to plan once some flows are held: the residual problem, in the same shapes and day numbers.

Held flows take from capacities, from supplies, from room and from what lies at the sites. What they leave over at a
site from some day on is the least that lies there on any later day; it enters the residual problem as stock on hand or,
where it comes later, as something that may be taken in. Any flows of the residual problem can be added to the held
ones, so both solvers plan it as they would any other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from abasto.planner.problem import NEVER, TIERS, Floats, Ints, Needs, Problem, Sources
from abasto.planner.solution import Flows, Prices
from abasto.planner.untabulate import movements

__all__ = ["Residual", "add_flows", "balances", "least_intake", "part_of", "residual_of", "rest_of", "stored_t"]

STORE = 1e-9
"""A store that held goods fill to the brim gets room for their rounding: this share, and so many tonnes."""
DUST = 1e-9
"""What is left over below this share of all that moved through is rounding."""


@dataclass(frozen=True)
class Residual:
    """The residual problem; `source` and `need` say which source and need of the whole each of its own is (−1: what
    held flows leave over). Days before `today` are over; orders may start from `open_day` on (both from 0).
    """

    problem: Problem
    whole: Problem
    source: Ints
    need: Ints
    today: int
    open_day: int

    def lifted(self, flows: Flows) -> Flows:
        """Return flows of the residual problem with the sources and needs of the whole."""
        taken = np.zeros(len(self.whole.sources.site))
        mine = self.source >= 0
        taken[self.source[mine]] = flows.taken[mine]
        need = np.append(self.need, -1)[flows.hand_need]
        return replace(flows, taken=taken, hand_need=need)

    def lowered(self, flows: Flows, held: Flows) -> Flows:
        """Return those of the whole's flows that are free, as flows of the residual problem; of what is taken in,
        what held flows do not take already.
        """
        free = part_of(
            flows,
            ship=flows.ship_day >= self.open_day,
            made=flows.made_day >= self.open_day,
            hand=flows.hand_day >= self.today,
            draw=flows.draw_day >= self.open_day,
        )
        number = np.full(len(self.whole.needs.site) + 1, -1)
        number[self.need] = np.arange(len(self.need))
        mine = self.source >= 0
        taken = self.problem.sources.amount.copy()
        more = np.maximum(0.0, flows.taken - held.taken)
        taken[mine] = np.minimum(taken[mine], more[self.source[mine]])
        return replace(free, taken=taken, hand_need=number[free.hand_need])

    def prices_of_whole(self, prices: Prices) -> Prices:
        """Return the prices under the whole's numbers of sources; stock on hand has the price of what is left of it."""
        sources = self.whole.sources
        price = prices.good[sources.item, np.maximum(sources.day, self.today), sources.site]
        price = np.where(sources.is_stock & np.isfinite(price), price, 0.0)
        mine = self.source >= 0
        price[self.source[mine]] = prices.source[mine]
        return replace(prices, source=price)


def part_of(flows: Flows, *, ship: Any, made: Any, hand: Any, draw: Any) -> Flows:
    """Return the flows that the masks choose; `taken` stays as it is."""
    masks = {"ship": ship, "made": made, "hand": hand, "draw": draw}
    chosen = {
        field.name: getattr(flows, field.name)[masks[field.name.split("_")[0]]]
        for field in fields(flows)
        if field.name != "taken"
    }
    return Flows(taken=flows.taken, **chosen)


def add_flows(first: Flows, second: Flows, *, of_second: float = 1.0, of_first: float = 1.0) -> Flows:
    """Return both flows together, each times its share."""
    joined: dict[str, Any] = {}
    for field in fields(first):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if field.name.endswith(("quantity", "batches")):
            one, other = one * of_first, other * of_second
        joined[field.name] = np.concatenate([one, other]) if field.name != "taken" else one
    joined["taken"] = first.taken * of_first + second.taken * of_second
    return Flows(**joined)


def rest_of(problem: Problem, needs: Ints, coverage: Floats) -> Needs:
    """Return what is missing of some `needs` of a problem, by their `coverage`, as needs of their own.

    The first tenth of the rest is worth what the next tier of the need is, the others ever less, as of any need.
    """
    rest = Needs(**{field.name: getattr(problem.needs, field.name)[needs] for field in fields(Needs)})
    missing = 1.0 - coverage
    tier = problem.tier_value[np.minimum((coverage * TIERS).astype(np.int64), TIERS - 1)]
    weight = rest.weight * missing * tier / problem.tier_value[0]
    return replace(rest, amount=rest.amount * missing, weight=weight)


def balances(problem: Problem, flows: Flows) -> Iterator[tuple[int, Floats]]:
    """Yield for each item that occurs what lies there [sites, days + 1]: at first, then at the close of each day.

    After an item's last usable day nothing is said about it: those columns repeat the last.
    """
    site, item, day, quantity = movements(problem, flows)
    column = day + 1
    sources = problem.sources
    at_first = np.arange(len(item)) < len(sources.site)
    at_first[: len(sources.site)] &= sources.is_stock & (sources.day == 0)
    column = np.where(at_first, 0, column)
    order = np.argsort(item, kind="stable")
    starts = np.searchsorted(item[order], np.arange(len(problem.items.good) + 1))
    shape = (len(problem.sites), problem.days + 1)
    for one in range(len(problem.items.good)):
        mine = order[starts[one] : starts[one + 1]]
        if len(mine):
            last = int(problem.items.last_day[one])
            mine = mine[column[mine] <= last + 1]
            net = np.bincount(site[mine] * shape[1] + column[mine], quantity[mine], minlength=shape[0] * shape[1])
            yield one, np.cumsum(net.reshape(shape), axis=1)


def stored_t(problem: Problem, flows: Flows) -> Floats:
    """Return the tonnes that lie at each site at the close of each day [sites, days]."""
    tonnes = np.zeros((len(problem.sites), problem.days))
    for item, there in balances(problem, flows):
        alive = int(problem.items.last_day[item]) + 1
        weight = problem.good_tonnes[problem.items.good[item]]
        tonnes[:, :alive] += np.maximum(0.0, there[:, 1 : alive + 1]) * weight
    return tonnes


def least_intake(problem: Problem, flows: Flows, most: Floats, some: Any) -> Floats:
    """Return `taken` with no more from `some` of the sources than the flows need, as late as possible, at most `most`.

    Where a reserve asks what came in before what may leave, all that was taken stays.
    """
    sources = problem.sources
    kept = [place in problem.shippable for place in zip(sources.site.tolist(), _goods(problem).tolist(), strict=True)]
    some = some & ~sources.is_stock & ~np.array(kept, dtype=np.bool_)
    taken = np.where(some, 0.0, flows.taken)
    offers: dict[tuple[int, int], list[int]] = {}
    for source in np.flatnonzero(some)[np.argsort(sources.day[some], kind="stable")].tolist():
        offers.setdefault((int(sources.item[source]), int(sources.site[source])), []).append(source)
    for item, there in balances(problem, replace(flows, taken=taken)):
        for site in np.flatnonzero(there.min(axis=1) < 0).tolist():
            mine = offers.get((item, site), [])
            _take_late(there[site], mine, sources.day, most, taken)
    return taken


def _goods(problem: Problem) -> Ints:
    return np.asarray(problem.items.good[problem.sources.item])


def _take_late(there: Floats, offers: list[int], day: Ints, most: Floats, taken: Floats) -> None:
    """Take of the latest offers so far whatever lacks on each day."""
    covered = 0.0
    for column in range(1, len(there)):
        lacks = -there[column] - covered
        for source in reversed(offers):
            if lacks <= 0:
                break
            if day[source] < column:
                more = min(lacks, most[source] - taken[source])
                taken[source] += more
                covered += more
                lacks -= more


def residual_of(problem: Problem, held: Flows, *, today: int, open_day: int) -> Residual:
    """Return what is left to plan beside held flows; these must be possible. No order may start before `open_day`."""
    sources, source, spoken_for = _left_sources(problem, held, today, open_day)
    offered = _offered(problem, sources, source)
    if problem.spoken_for_t is not None:
        spoken_for += problem.spoken_for_t
    options = problem.options
    tonnes = held.ship_quantity * problem.good_tonnes[problem.items.good[held.ship_item]]
    hours, work = tonnes * options.hours[held.ship_option], held.made_batches * problem.plant_hours[held.made_plant]
    lane, fleet = options.lane[held.ship_option], options.fleet[held.ship_option]
    made_at = problem.plant_site[held.made_plant]
    shut = np.arange(problem.days) < open_day
    need = np.flatnonzero(problem.needs.day >= today)
    needs = Needs(**{field.name: getattr(problem.needs, field.name)[need] for field in fields(Needs)})
    left = replace(
        problem,
        sources=sources,
        storage_t=problem.storage_t * (1 + STORE) + STORE,
        shippable=_let_go(problem, held, open_day, offered),
        lane_tonnes=np.where(shut, 0.0, _less(problem.lane_tonnes, lane, held.ship_day, tonnes)),
        fleet_hours=np.where(shut, 0.0, _less(problem.fleet_hours, fleet, held.ship_day, hours)),
        plant_batches=np.where(
            shut, 0.0, _less(problem.plant_batches, held.made_plant, held.made_day, held.made_batches)
        ),
        labour_hours=np.where(
            shut & np.isfinite(problem.labour_hours),  # without limit it stays: the plants are shut, and ways know
            0.0,
            _less(problem.labour_hours, made_at, held.made_day, work),
        ),
        needs=needs,
        spoken_for_t=spoken_for,
    )
    return Residual(left, problem, source, need, today, open_day)


def _less(capacity: Floats, what: Ints, day: Ints, load: Floats) -> Floats:
    """Return the capacities [what, days] less what is loaded on them; what rounding leaves counts as nothing."""
    left = capacity.copy()
    np.add.at(left, (what, day), -load)
    return np.where(left > DUST * np.where(np.isfinite(capacity), capacity, 1.0), left, 0.0)


def _left_sources(problem: Problem, held: Flows, today: int, open_day: int) -> tuple[Sources, Ints, Floats]:
    """Return the residual sources, which of the whole's each is (−1: left over), and the room that held goods take."""
    spoken_for = np.zeros((len(problem.sites), problem.days))
    limited = np.isfinite(problem.storage_t)
    reserved = np.zeros((len(problem.sites), len(problem.goods)), dtype=np.bool_)
    for place in problem.shippable:
        reserved[place] = True
    parts: list[tuple[Ints, Ints, Ints, Floats, Any]] = []
    for one, there in balances(problem, held):
        last, good = int(problem.items.last_day[one]), int(problem.items.good[one])
        if last < today:
            continue
        there = np.maximum(0.0, there[:, : last + 2])
        free = np.minimum.accumulate(there[:, ::-1], axis=1)[:, ::-1]
        taken_up = (there - free)[limited, today + 1 :] * problem.good_tonnes[good]
        spoken_for[limited, today : last + 1] += taken_up
        more = np.diff(free[:, today:], axis=1, prepend=0.0)
        more = np.where(more > DUST * np.maximum(1e-3, there.max(axis=1))[:, None], more, 0.0)
        site, column = np.nonzero(more)
        day = today + np.maximum(0, column - 1)
        lies = (column == 0) | limited[site] | (reserved[site, good] & (day < open_day))
        parts.append((site, np.full(len(site), one), day, more[site, column], lies))
    sources = problem.sources
    offers = np.flatnonzero(~sources.is_stock & (sources.day >= today))
    rest = np.maximum(0.0, sources.amount[offers] - held.taken[offers])
    offers, rest = offers[rest > DUST * sources.amount[offers]], rest[rest > DUST * sources.amount[offers]]
    parts.append((sources.site[offers], sources.item[offers], sources.day[offers], rest, np.zeros(len(offers), bool)))
    site, item, day, amount, lies = (np.concatenate(part) for part in zip(*parts, strict=True))
    whole = np.full(len(site), -1)
    whole[len(site) - len(offers) :] = offers
    spoils = np.array([problem.lifetime(good) is not None for good in range(len(problem.goods))], dtype=np.bool_)
    ends = problem.items.last_day[item] + 1
    lasting = np.where(spoils[problem.items.good[item]], ends, NEVER)
    made = Sources(
        site=site,
        item=item,
        day=day,
        amount=amount,
        unit_cost=np.where(whole >= 0, np.append(sources.unit_cost, 0.0)[whole], 0.0),
        is_stock=lies.astype(np.bool_),
        expires=np.where(ends >= problem.days, lasting, ends),
    )
    return made, whole, spoken_for


def _offered(problem: Problem, sources: Sources, source: Ints) -> dict[tuple[int, int], Floats]:
    """Return what held flows leave over that may be taken in, of goods under a reserve, by day."""
    offered = {place: np.zeros(problem.days) for place in problem.shippable}
    for one in np.flatnonzero((source < 0) & ~sources.is_stock).tolist():
        place = int(sources.site[one]), int(problem.items.good[sources.item[one]])
        if place in offered:
            offered[place][sources.day[one]] += sources.amount[one]
    return offered


def _let_go(
    problem: Problem, held: Flows, open_day: int, offered: dict[tuple[int, int], Floats]
) -> dict[tuple[int, int], float]:
    """Return what may still be shipped of goods under a reserve: stock beyond it and all that came in before the first
    free day, less what was shipped; and less what held flows ship later beyond what comes in for them.
    """
    if not problem.shippable:
        return {}
    gates = {place: number for number, place in enumerate(problem.shippable)}
    table = np.full((len(problem.sites), len(problem.goods)), -1)
    for place, number in gates.items():
        table[place] = number
    site, item, day, quantity = movements(problem, held)
    sources = problem.sources
    counted = (day < open_day) & (quantity > 0)
    counted[: len(sources.site)] &= ~sources.is_stock
    gate = table[site, problem.items.good[item]]
    counted &= gate >= 0
    left = np.array([problem.shippable[place] for place in gates])
    np.add.at(left, gate[counted], quantity[counted])
    sent = table[problem.options.start[held.ship_option], problem.items.good[held.ship_item]]
    gone = (sent >= 0) & (held.ship_day < open_day)
    np.add.at(left, sent[gone], -held.ship_quantity[gone])
    later = np.zeros((len(gates), problem.days))
    comes = (quantity > 0) & (gate >= 0) & (day >= open_day) & (day < problem.days)
    comes[: len(sources.site)] &= ~sources.is_stock
    np.add.at(later, (gate[comes], day[comes]), quantity[comes])
    goes = (sent >= 0) & (held.ship_day >= open_day)
    np.add.at(later, (sent[goes], held.ship_day[goes]), -held.ship_quantity[goes])
    for place, number in gates.items():
        beyond = np.cumsum(later[number] - offered[place])[open_day:]
        left[number] += min(0.0, float(beyond.min(initial=0.0)))
    return {place: max(0.0, float(left[number])) for place, number in gates.items()}
