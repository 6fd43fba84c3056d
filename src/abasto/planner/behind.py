"""The part of a plan's flows that stands behind some of what is handed over: what it takes to hand over just that.

Followed back in time. At every site, on every day, what is there of an item mixes: whatever leaves takes the same share
of everything that came. A batch is asked for as far as the product of it that is asked for most; trips and batches ask
for their fuel and their inputs. Where a reserve asks what came in before what may leave, as much of what came is kept
as leaves on that day or later. What comes of it can be done by itself, with nothing else of the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.solution import Flows

__all__ = ["behind"]

SETTLED = 1e-13
"""Within a day shares are asked for again until none grows by more than this."""
ROUNDS = 1000
"""At most so often; a chain of same-day lanes and recipes needs one for each link."""
ROUNDING = 1e-9
"""Where so little more is asked for than came, it is rounding."""


def behind(problem: Problem, flows: Flows, share: Floats) -> Flows:
    """Return the part of `flows`, which must be possible, that hands over `share` [handed over] of what they do."""
    return _Behind(problem, flows, share).run()


class _Behind:
    """Shares of flows, found day by day from the last to the first; a *place* is an item at a site."""

    def __init__(self, problem: Problem, flows: Flows, share: Floats) -> None:
        self.problem, self.flows, self.hand = problem, flows, share
        sources, options = problem.sources, problem.options
        self.arrives = flows.ship_day + options.lead[flows.ship_option]
        made = list(self._outputs())
        self.made_row, made_place, self.made_quantity = (np.concatenate(part) for part in zip(*made, strict=True))
        self.made_day = flows.made_day[self.made_row]
        comes = sources.is_stock | (flows.taken > 0)
        keys = [
            self._place(sources.site, sources.item),
            self._place(options.end[flows.ship_option], flows.ship_item),
            made_place,
            self._place(options.start[flows.ship_option], flows.ship_item),
            self._place(flows.hand_site, flows.hand_item),
            self._place(flows.draw_site, flows.draw_item),
        ]
        places, index = np.unique(np.concatenate(keys), return_inverse=True)
        self.n = len(places)
        parts = np.split(index, np.cumsum([len(key) for key in keys])[:-1])
        self.at_source, self.at_end, self.at_made, self.at_start, self.at_hand, self.at_draw = parts
        self.taken = np.where(sources.is_stock, sources.amount, flows.taken) * comes
        self.ship = np.zeros(len(flows.ship_day))
        self.made = np.zeros(len(flows.made_day))
        self.draw = np.zeros(len(flows.draw_day))
        self.take = np.zeros(len(sources.site))
        self._number_pools()
        self._number_reserves(places)

    def run(self) -> Flows:
        closing = self._closing()
        asked = np.zeros(self.n)
        for day in range(self.problem.days - 1, -1, -1):
            share = self._day(day, closing[:, day], asked)
            asked = share * closing[:, day]
        flows, stock = self.flows, self.problem.sources.is_stock
        return replace(
            flows,
            taken=np.where(stock, flows.taken, flows.taken * self.take),
            ship_quantity=flows.ship_quantity * self.ship,
            made_batches=flows.made_batches * self.made,
            hand_quantity=flows.hand_quantity * self.hand,
            draw_quantity=flows.draw_quantity * self.draw,
        )

    def _day(self, day: int, opening: Floats, kept: Floats) -> Floats:
        """Return the share of each place that is asked for; `kept` is what of it is asked for on later days."""
        flows = self.flows
        sources = np.flatnonzero((self.problem.sources.day == day) & ~self._is_opening)
        arriving, leaving = np.flatnonzero(self.arrives == day), np.flatnonzero(flows.ship_day == day)
        made, batches = np.flatnonzero(self.made_day == day), np.flatnonzero(flows.made_day == day)
        handed, draws = np.flatnonzero(flows.hand_day == day), np.flatnonzero(flows.draw_day == day)
        came = opening.copy()
        np.add.at(came, self.at_source[sources], self.taken[sources])
        np.add.at(came, self.at_end[arriving], flows.ship_quantity[arriving])
        np.add.at(came, self.at_made[made], self.made_quantity[made])
        always = kept.copy()
        np.add.at(always, self.at_hand[handed], (flows.hand_quantity * self.hand)[handed])
        for _ in range(ROUNDS):
            asked = always.copy()
            np.add.at(asked, self.at_start[leaving], (flows.ship_quantity * self.ship)[leaving])
            np.add.at(asked, self.at_draw[draws], (flows.draw_quantity * self.draw)[draws])
            share = np.divide(asked, came, out=np.zeros(self.n), where=came > 0)
            share = self._above_reserves(np.where(share > 1 - ROUNDING, 1.0, share), leaving)
            before = [self.ship[arriving], self.made[batches], self.draw[draws]]
            self.ship[arriving] = share[self.at_end[arriving]]
            np.maximum.at(self.made, self.made_row[made], share[self.at_made[made]])
            self.draw[draws] = self._drawn(leaving, batches)[self.pool[draws]]
            after = [self.ship[arriving], self.made[batches], self.draw[draws]]
            if all((new - old <= SETTLED).all() for new, old in zip(after, before, strict=True)):
                break
        self.take[sources] = share[self.at_source[sources]]
        return share

    def _drawn(self, leaving: Ints, batches: Ints) -> Floats:
        """Return which share of what is used of each good at each site, on this day, is used for what is asked for."""
        used, asked = np.zeros(self.n_pools), np.zeros(self.n_pools)
        for rows, pool, quantity, share in (
            (leaving, self.fuel_pool, self.fuel, self.ship),
            *((batches, pool, quantity, self.made) for pool, quantity in self.inputs),
        ):
            mine = rows[pool[rows] >= 0]
            np.add.at(used, pool[mine], quantity[mine])
            np.add.at(asked, pool[mine], (quantity * share)[mine])
        return np.divide(asked, used, out=np.zeros(self.n_pools), where=used > 0)

    def _number_pools(self) -> None:
        """Number what is used of a good at a site on a day, by draws; of trips and batches, which they use and how
        much: −1 and 0 where they use nothing.
        """
        problem, flows, options = self.problem, self.flows, self.problem.options
        goods = len(problem.goods)

        def key(site: Ints, good: Ints, day: Ints) -> Ints:
            return (site * goods + good) * problem.days + day

        drawn = key(flows.draw_site, problem.items.good[flows.draw_item], flows.draw_day)
        known, self.pool = np.unique(drawn, return_inverse=True)
        self.n_pools = len(known)

        def pool_of(keys: Ints, uses: np.ndarray) -> Ints:
            place = np.minimum(np.searchsorted(known, keys), max(0, len(known) - 1))
            return np.where(uses & (known[place] == keys), place, -1) if len(known) else np.full(len(keys), -1)

        option, day = flows.ship_option, flows.ship_day
        tonnes = flows.ship_quantity * problem.good_tonnes[problem.items.good[flows.ship_item]]
        self.fuel = tonnes * options.fuel[option]
        fuelled = (options.fuel_good[option] >= 0) & (tonnes > 0)
        self.fuel_pool = pool_of(key(options.fuel_site[option], options.fuel_good[option], day), fuelled)
        self.inputs: list[tuple[Ints, Floats]] = []
        recipe, site = problem.plant_recipe[flows.made_plant], problem.plant_site[flows.made_plant]
        for r, (inputs, _) in enumerate(problem.recipes):
            for good, quantity in inputs:
                uses = recipe == r
                pool = pool_of(key(site, np.full(len(site), good), flows.made_day), uses)
                self.inputs.append((pool, np.where(uses, flows.made_batches * quantity, 0.0)))

    def _number_reserves(self, places: Ints) -> None:
        """Number the reserves, by place (−1: none), and let nothing leave yet."""
        problem = self.problem
        table = np.full((len(problem.sites), len(problem.goods)), -1)
        for number, place in enumerate(sorted(problem.shippable)):
            table[place] = number
        self.reserve = table[places % len(problem.sites), problem.items.good[places // len(problem.sites)]]
        self.leaves = np.zeros(len(problem.shippable))
        """The largest share asked for of what leaves from beside each reserve, on this day or later."""

    def _above_reserves(self, share: Floats, leaving: Ints) -> Floats:
        """Return shares of places, beside a reserve at least as large as that of what leaves."""
        if not len(self.leaves):
            return share
        reserve = self.reserve[self.at_start[leaving]]
        mine = reserve >= 0
        np.maximum.at(self.leaves, reserve[mine], self.ship[leaving[mine]])
        return np.asarray(np.maximum(share, np.append(self.leaves, 0.0)[self.reserve]))

    def _outputs(self) -> Iterator[tuple[Ints, Ints, Floats]]:
        """Yield of what batches make: their rows, the places and the quantities."""
        problem, flows = self.problem, self.flows
        none = np.zeros(0, dtype=np.int64)
        yield none, none, np.zeros(0)
        for r, (_, outputs) in enumerate(problem.recipes):
            mine = np.flatnonzero(problem.plant_recipe[flows.made_plant] == r)
            site, day = problem.plant_site[flows.made_plant[mine]], flows.made_day[mine]
            for good, quantity in outputs:
                yield mine, self._place(site, problem.items.fresh[good, day]), flows.made_batches[mine] * quantity

    def _closing(self) -> Floats:
        """Return what lies at each place before each day [places, days]."""
        days, flows = self.problem.days, self.flows
        sources = self.problem.sources
        self._is_opening = sources.is_stock & (sources.day == 0)
        moved = np.zeros((self.n, days + 1))
        here = self.arrives < days
        np.add.at(moved, (self.at_source, np.where(self._is_opening, 0, sources.day + 1)), self.taken)
        np.add.at(moved, (self.at_end[here], self.arrives[here] + 1), flows.ship_quantity[here])
        np.add.at(moved, (self.at_made, self.made_day + 1), self.made_quantity)
        np.add.at(moved, (self.at_start, flows.ship_day + 1), -flows.ship_quantity)
        np.add.at(moved, (self.at_hand, flows.hand_day + 1), -flows.hand_quantity)
        np.add.at(moved, (self.at_draw, flows.draw_day + 1), -flows.draw_quantity)
        return np.maximum(0.0, np.cumsum(moved, axis=1)[:, :days])

    def _place(self, site: Ints, item: Ints) -> Ints:
        return np.asarray(item * len(self.problem.sites) + site)
