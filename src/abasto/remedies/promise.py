"""What prices promise of a changed problem: by how much the bound that they prove rises, block by block.

Weak duality: whatever prices every capacity, source and good has, no plan is worth more than what they charge for
everything plus what needs gain at them. A changed problem keeps the prices, so its bound is the old one plus price ×
change of each capacity. What is new (a lane that opens, a plant, a supply) gets the price at which nothing that uses it
gains anything; it is read off the goods' prices at both its ends. A good that nothing can bring to a place has no price
there: it counts with the most that a unit of it could be worth anywhere.

So with P the promise, bound and objective of the plan:  objective of the changed problem ≤ bound + P.
Legend: capacities and prices are arrays over the problem's indices, days from 0, the objective's units.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from abasto.planner.make import Solved
from abasto.planner.problem import Floats, Ints, Problem

__all__ = ["Promises"]

Bools = npt.NDArray[np.bool_]
SourceKey = tuple[int, int, int, int, bool]


class Promises:
    """The prices of a plan, ready to be asked about changed problems; `worth` [goods] is the most a unit can be worth.

    `there` [items, days, sites] prices goods: where nothing can bring them `worth`, and −inf once they are spoiled.
    """

    def __init__(self, solved: Solved) -> None:
        self.solved, self.problem, self.prices = solved, solved.problem, solved.prices
        items, days = self.problem.items, np.arange(self.problem.days)
        self.lane_price = np.where(self.problem.lane_tonnes > 0, solved.prices.lane, 0.0)
        self.reached = np.isfinite(self.prices.good)
        self.worth = _most_worth(self.problem, self.prices.good)
        exists = (days >= items.first_day[:, None]) & (days <= items.last_day[:, None])
        filled = np.where(self.reached, self.prices.good, self.worth[items.good][:, None, None])
        self.there = np.where(exists[:, :, None] | self.reached, filled, -np.inf)
        self._amounts = _amounts(self.problem)
        self._own: dict[SourceKey, float] = {}
        for key, price in zip(_source_keys(self.problem), self.prices.source.tolist(), strict=True):
            self._own[key] = max(price, self._own.get(key, 0.0))

    def of(self, changed: Problem) -> float:
        """Return the most that the bound rises for a problem of the same sites, goods, lanes and fleets.

        Never more than what is missing to full coverage of its needs; at least 0.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            total = (
                self._capacities(changed)
                + self._opened_lanes(changed)
                + self._opened_plants(changed)
                + self._goods(changed)
                + self._smaller_needs(changed)
            )
        missing = max(0.0, changed.full_value - self.solved.plan.bound)
        promised = missing if np.isnan(total) else float(np.clip(total, 0.0, missing))
        return self._after_a_look(changed, promised)

    def _after_a_look(self, changed: Problem, promised: float) -> float:
        """Return what one sweep over the changed problem at the same prices proves, if that is less.

        It prices anew what could not be reached, where adding up blocks takes the most that it could be worth.
        """
        opened = (self._drivable(changed) & ~self._drivable(self.problem)).any()
        warm = self.solved.warm
        if warm is None or not opened:
            return promised
        from abasto.planner.look import look

        try:
            bound = look(changed, warm).bound
        except ValueError:  # not of the same plants, goods or sources
            return promised
        return min(promised, max(0.0, bound - self.solved.plan.bound))

    # What has a price already

    def _capacities(self, changed: Problem) -> float:
        """Σ price × (capacity after − before), over everything that had a place before."""
        before, prices = self.problem, self.prices
        same = self.plants_before(changed)
        old, new = np.flatnonzero(same >= 0), same[same >= 0]
        pairs = [
            (prices.fleet, before.fleet_hours, changed.fleet_hours),
            (self.lane_price, before.lane_tonnes, changed.lane_tonnes),
            (prices.labour, before.labour_hours, changed.labour_hours),
            (prices.plant[new], before.plant_batches[new], changed.plant_batches[old]),
        ]
        total = sum(_change(price, capacity, after) for price, capacity, after in pairs)
        room = np.isfinite(before.storage_t) & (before.storage_t != changed.storage_t)
        if (room & (before.storage_t == 0)).any():  # room where there was none has no price
            return np.inf
        return total + float(prices.storage.sum(axis=1)[room] @ (changed.storage_t - before.storage_t)[room])

    def plants_before(self, changed: Problem) -> Ints:
        """Return the index that each plant of the changed problem had before, −1 if it is new."""
        known = {key: plant for plant, key in enumerate(_plant_keys(self.problem))}
        return np.array([known.get(key, -1) for key in _plant_keys(changed)], dtype=np.int64)

    # Lanes and vehicles

    def haul_gain(self, option: Ints, day: Ints) -> Floats:
        """Return what a tonne gains that leaves by an option on a day, the best good's: price there − here − haul.

        At least 0; inf for a good without weight. Options and days are parallel arrays.
        """
        problem, options, items = self.problem, self.problem.options, self.problem.items
        arrives = day + options.lead[option]
        in_time = arrives < problem.days
        end = self.there[:, np.minimum(arrives, problem.days - 1), options.end[option]]
        spoiled = items.last_day[:, None] < arrives
        end = np.where(spoiled | ~in_time, -np.inf, end)
        rise = end - np.maximum(0.0, self.there[:, day, options.start[option]])
        rise = np.where(np.isfinite(end) | (end == np.inf), rise, -np.inf)
        rise = np.where(np.isnan(rise), -np.inf, rise)
        tonnes = problem.good_tonnes[items.good][:, None]
        light = tonnes == 0
        per_tonne = np.where(light, np.where(rise > 0, np.inf, -np.inf), rise / np.where(light, 1.0, tonnes))
        paid = options.hours[option] * self.prices.fleet[options.fleet[option], day]
        paid = paid + self.lane_price[options.lane[option], day] + self._fuel_paid(option, day)
        gain = np.where(per_tonne == np.inf, np.inf, per_tonne - np.where(light, 0.0, paid))
        return np.asarray(np.maximum(0.0, gain.max(axis=0, initial=0.0)))

    def _fuel_paid(self, option: Ints, day: Ints) -> Floats:
        """Return what fuel costs per tonne, at the least."""
        options = self.problem.options
        paid = np.zeros(len(option))
        for k in np.flatnonzero(options.fuel_good[option] >= 0).tolist():
            one = int(option[k])
            price = self.use_price(int(options.fuel_good[one]), int(options.fuel_site[one]))[int(day[k])]
            paid[k] = float(options.fuel[one]) * price
        return paid

    def _opened_lanes(self, changed: Problem) -> float:
        """What lanes gain on which now something can drive: charged to the lane's tonnes or to the fleets' hours."""
        options = self.problem.options
        was = self._drivable(self.problem)
        option, day = np.nonzero(self._drivable(changed) & ~was)
        if not len(option):
            return 0.0
        gain = self.haul_gain(option, day)
        by_lane = np.zeros(changed.lane_tonnes.shape)
        np.maximum.at(by_lane, (options.lane[option], day), gain)
        on_lane = np.where(by_lane > 0, by_lane * changed.lane_tonnes, 0.0)
        limited = np.isfinite(changed.lane_tonnes[options.lane[option], day])
        all_on_fleets = self._on_fleets(changed, option, day, gain)
        rest = self._on_fleets(changed, option[~limited], day[~limited], gain[~limited])
        return min(all_on_fleets, float(on_lane[np.isfinite(changed.lane_tonnes)].sum()) + rest)

    def _drivable(self, problem: Problem) -> Bools:
        options = problem.options
        return np.asarray((problem.lane_tonnes[options.lane] > 0) & (problem.fleet_hours[options.fleet] > 0))

    def _on_fleets(self, changed: Problem, option: Ints, day: Ints, gain: Floats) -> float:
        """Σ over fleets and days of all hours × the most that an hour gains on these options."""
        options = self.problem.options
        an_hour = np.where(gain > 0, gain / options.hours[option], 0.0)
        dearer = np.zeros(changed.fleet_hours.shape)
        np.maximum.at(dearer, (options.fleet[option], day), an_hour)
        return float(np.where(dearer > 0, dearer * changed.fleet_hours, 0.0).sum())

    # Plants

    def batch_gain(self, site: int, recipe: int, hours: float) -> Floats:
        """Return what a batch gains over its inputs and labour [days]; at least 0."""
        problem, days = self.problem, np.arange(self.problem.days)
        inputs, outputs = problem.recipes[recipe]
        made = np.zeros(problem.days)
        for good, quantity in outputs:
            made = made + quantity * np.maximum(0.0, self.there[problem.items.fresh[good], days, site])
        used = np.zeros(problem.days)
        for good, quantity in inputs:
            used = used + quantity * self.use_price(good, site)
        paid = np.where(np.isfinite(used), used, 0.0) + hours * self.prices.labour[site]
        return np.asarray(np.where(np.isfinite(used), np.maximum(0.0, made - paid), 0.0))

    def use_price(self, good: int, site: int) -> Floats:
        """Return the least that a unit of a good costs for use where it lies [days]; inf where there can be none."""
        problem, items = self.problem, np.flatnonzero(self.problem.items.good == good)
        alive = problem.items.last_day[items][:, None] >= np.arange(problem.days)
        price = np.where(alive, self.prices.good[items, :, site], np.inf).min(axis=0, initial=np.inf)
        if (site, good) not in problem.shippable:
            return np.asarray(np.maximum(0.0, price))
        sources = problem.sources
        kept = sources.is_stock & (sources.site == site) & (problem.items.good[sources.item] == good)
        price = price - self.prices.shippable.get((site, good), 0.0)
        for source in np.flatnonzero(kept).tolist():
            until = int(problem.items.last_day[sources.item[source]]) + 1
            price[:until] = np.minimum(price[:until], self.prices.source[source])
        return np.asarray(np.maximum(0.0, price))

    def _opened_plants(self, changed: Problem) -> float:
        """What batches gain that could not be made before: charged to the batches, or to hours where there were none.

        Hours where there were none: the most that one of them gains in any recipe of the site.
        """
        total = 0.0
        before = self.plants_before(changed)
        opened: dict[int, Floats] = {}
        for plant, (site, recipe, hours) in enumerate(_plant_keys(changed)):
            new = self._could_run(changed, plant)
            if before[plant] >= 0:
                new &= ~self._could_run(self.problem, int(before[plant]))
            if not new.any():
                continue
            gain = np.where(new, self.batch_gain(site, recipe, hours), 0.0)
            if before[plant] >= 0:
                gain = np.maximum(0.0, gain - self.prices.plant[before[plant]])
            at_work = hours > 0 and np.isfinite(changed.labour_hours[site]).all()
            fresh_hours = new & (self.problem.labour_hours[site] == 0) & at_work
            total += float((gain * changed.plant_batches[plant])[~fresh_hours].sum())
            if fresh_hours.any():
                an_hour = np.where(fresh_hours, gain / hours, 0.0)
                opened[site] = np.maximum(opened.get(site, np.zeros(changed.days)), an_hour)
        return total + sum(float(an_hour @ changed.labour_hours[site]) for site, an_hour in opened.items())

    def _could_run(self, problem: Problem, plant: int) -> Bools:
        runs = problem.plant_batches[plant] > 0
        if problem.plant_hours[plant] > 0:
            runs = runs & (problem.labour_hours[problem.plant_site[plant]] > 0)
        return np.asarray(runs)

    # Goods

    def item_price(self, good: int, last_day: int, day: int, site: int) -> float:
        """Return the price of a good that lasts to a day: of the cheapest item that lasts as long, at least 0."""
        items = self.problem.items
        lasting = np.flatnonzero((items.good == good) & (items.last_day >= last_day))
        price = float(self.prices.good[lasting, day, site].min(initial=np.inf))
        return max(0.0, price) if price < np.inf else float(self.worth[good])

    def _goods(self, changed: Problem) -> float:
        """Σ price × what there is more of each stock and supply, and of what may leave a reserve."""
        total = 0.0
        stock: dict[tuple[int, int], float] = {}
        for key, amount in _amounts(changed).items():
            site, good, last_day, day, is_stock = key
            more, own = amount - self._amounts.get(key, 0.0), self._own.get(key, np.inf)
            if more == 0:
                continue
            label = self.item_price(good, last_day, day, site)
            if is_stock:
                stock[site, good] = stock.get((site, good), 0.0) + more
                if (site, good) in changed.shippable and self._released(changed, site, good) == 0:
                    label = own if own < np.inf else label  # all of it stays where it lies
            total += more * (min(own, label) if not is_stock else label)
        for site, good in changed.shippable:
            more = self._released(changed, site, good) - stock.get((site, good), 0.0)
            if more > 0:
                total += more * self.release_gain(site, good)
        return total

    def _released(self, changed: Problem, site: int, good: int) -> float:
        """Return how much more may be shipped out of a stock under a reserve."""
        return changed.shippable[site, good] - self.problem.shippable.get((site, good), 0.0)

    def release_gain(self, site: int, good: int) -> float:
        """Return what a unit gains that may leave a reserve: its price, or if none could leave, what it is worth out
        of the site.
        """
        problem, options = self.problem, self.problem.options
        if problem.shippable.get((site, good), 0.0) > 0:
            return self.prices.shippable.get((site, good), 0.0)
        leaving = np.flatnonzero(options.start == site)
        best = 0.0
        for item in np.flatnonzero(problem.items.good == good).tolist():
            for option in leaving.tolist():
                days = np.arange(problem.days - options.lead[option])
                open_ = self._drivable(problem)[option, : len(days)]
                there = self.there[item, days + options.lead[option], options.end[option]]
                haul = options.hours[option] * self.prices.fleet[options.fleet[option], days]
                haul = haul + self.lane_price[options.lane[option], days]
                net = np.where(open_, there - float(problem.good_tonnes[good]) * haul, -np.inf)
                best = max(best, float(net.max(initial=0.0)))
        return best

    # Needs

    def _smaller_needs(self, changed: Problem) -> float:
        """Σ over needs and tiers of what they gain at their price, after − before; 0 where no need has changed."""
        before, after = self.problem.needs, changed.needs
        if len(before.amount) == len(after.amount) and np.array_equal(before.amount, after.amount):
            return 0.0
        if len(before.amount) != len(after.amount) or len(self.problem.nutrients):
            return np.inf
        mine = np.flatnonzero(before.amount != after.amount)
        price = np.array([self._need_price(need) for need in mine.tolist()])
        worth = before.weight[mine][:, None] * self.problem.tier_value

        def gained(amount: Floats) -> Floats:
            paid = np.where(amount > 0, price * amount / len(self.problem.tier_value), 0.0)
            return np.asarray(np.maximum(0.0, worth - paid[:, None]).sum(axis=1))

        return float((gained(after.amount[mine]) - gained(before.amount[mine])).sum())

    def _need_price(self, need: int) -> float:
        """Return the price of a unit of need for a good: that of the cheapest good that serves it there on its day."""
        needs = self.problem.needs
        day, site = int(needs.day[need]), int(needs.site[need])
        serves = self.problem.serves[int(needs.target[need])]
        return min(float(self.use_price(good, site)[day]) * ratio for good, ratio in serves)


def _change(price: Floats, before: Floats, after: Floats) -> float:
    """Σ price × (after − before) where both are known amounts."""
    counted = np.isfinite(before) & np.isfinite(after)
    return float((price[counted] * (after - before)[counted]).sum())


def _plant_keys(problem: Problem) -> list[tuple[int, int, float]]:
    """Return site, recipe and hours per batch of each plant, which together name it."""
    columns = problem.plant_site.tolist(), problem.plant_recipe.tolist(), problem.plant_hours.tolist()
    return list(zip(*columns, strict=True))


def _source_keys(problem: Problem) -> list[SourceKey]:
    """Return site, good, last usable day, day and whether it is stock of each source."""
    sources, items = problem.sources, problem.items
    good, last_day = items.good[sources.item], items.last_day[sources.item]
    columns = (sources.site, good, last_day, sources.day, sources.is_stock)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _amounts(problem: Problem) -> dict[SourceKey, float]:
    """Return what each stock and supply holds; lots that differ in their date alone may last as long as each other."""
    held: dict[SourceKey, float] = {}
    for key, amount in zip(_source_keys(problem), problem.sources.amount.tolist(), strict=True):
        held[key] = held.get(key, 0.0) + amount
    return held


def _most_worth(problem: Problem, price: Floats) -> Floats:
    """Return [goods] the most that a unit of a good can be worth at any place: to needs, or to what is made of it.

    Fuel can be worth any amount. What is made through circles that never end, too.
    """
    needs, goods = problem.needs, len(problem.goods)
    density = np.zeros(goods + len(problem.nutrients))
    per_unit = needs.weight * problem.tier_value[0] * len(problem.tier_value) / needs.amount
    np.maximum.at(density, needs.target, per_unit)
    worth: Floats = np.zeros(goods)
    for target, serves in enumerate(problem.serves):
        for good, ratio in serves:
            worth[good] = max(worth[good], density[target] / ratio)
    worth += problem.content.T @ density[goods:]
    known = np.zeros(goods)
    np.maximum.at(known, problem.items.good, np.where(np.isfinite(price), price, 0.0).max(axis=(1, 2), initial=0.0))
    worth = np.maximum(worth, known)
    worth[problem.options.fuel_good[problem.options.fuel_good >= 0]] = np.inf
    for _ in range(goods + 1):
        before = worth.copy()
        for inputs, outputs in problem.recipes:
            made = sum(quantity * float(worth[good]) for good, quantity in outputs)
            for good, quantity in inputs:
                worth[good] = max(worth[good], made / quantity)
        if np.array_equal(before, worth):
            return worth
    return np.full_like(worth, np.inf)
