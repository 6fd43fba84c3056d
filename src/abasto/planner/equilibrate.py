"""Gauss-Seidel passes over the needs, and the repair that makes a plan keep every capacity.

Prices follow loads as y = ŷ · exp(β (load ÷ capacity − 1)) while flows move, so each need sees what the ones before it
did. Within a need, flow moves from dearer ways to the cheapest (Wardrop's condition), whose level is set where the
value of the next tier meets the price, by Newton steps on the logarithms.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from abasto.planner.problem import TIERS, Floats
from abasto.planner.ways import Pool

__all__ = ["add_loads", "equilibrate", "slack", "top_up", "trim_by_share", "trim_by_value", "worth_of"]

TINY = 1e-9
NEWTON_STEPS = 14


@njit(cache=True, inline="always")
def _tier(filled, width):  # type: ignore[no-untyped-def]
    """Return the tier in which a need stands that is filled so far; at the end it is the last."""
    return min(max(int(filled / width), 0), TIERS - 1)


@njit(cache=True, nogil=True)
def equilibrate(order, wants, pool, filled, log_tier, y, load, rate, damping):  # type: ignore[no-untyped-def]
    """One pass over the needs in `order`; flows, `filled` [needs], prices `y` and `load` [resources] change in place.

    `rate` is β ÷ capacity; `log_tier` the logarithms of the tiers' values; `damping` the share of a step that is taken.
    """
    most = 0
    for need in order:
        most = max(most, pool.first[need + 1] - pool.first[need])
    way_price = np.empty(most)
    for need in order:
        first = pool.first[need]
        last = pool.first[need + 1]
        amount = wants.amount[need]
        width = amount / TIERS
        log_density = np.log(wants.density[need])
        best = -1
        carrying = 0
        for slot in range(first, last):
            way_price[slot - first] = np.inf
            if pool.length[slot] == 0:
                continue
            price = pool.cost[slot]
            for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                price += pool.load[entry] * y[pool.resource[entry]]
            way_price[slot - first] = price
            if pool.flow[slot] > 0:
                carrying += 1
            if best < 0 or price < way_price[best - first]:
                best = slot
        if best < 0:
            continue
        best_price = way_price[best - first]
        value = np.exp(log_tier[_tier(filled[need] - TINY * amount, width)] + log_density)
        if carrying == 1 and pool.flow[best] > 0 and filled[need] >= amount and best_price <= value:
            continue
        if carrying == 0:
            if filled[need] >= amount * (1 - TINY):
                continue
            if best_price >= np.exp(log_tier[_tier(filled[need] + TINY * amount, width)] + log_density):
                continue
        if carrying > 1 or (carrying == 1 and pool.flow[best] <= 0):
            _shift_to_best(need, best, best_price, value, way_price, amount, pool, filled, y, load, rate, damping)
        _set_level(need, best, amount, width, log_density, pool, filled, log_tier, y, load, rate, damping)


@njit(cache=True, nogil=True)
def _steepness(pool, slot, y, rate):  # type: ignore[no-untyped-def]
    """Return how fast a way's price rises with its flow."""
    slope = 0.0
    for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
        resource = pool.resource[entry]
        slope += pool.load[entry] * pool.load[entry] * y[resource] * rate[resource]
    return slope


@njit(cache=True, nogil=True)
def _move(pool, slot, change, y, load, rate):  # type: ignore[no-untyped-def]
    """Change a way's flow, its loads and their prices."""
    pool.flow[slot] += change
    for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
        resource = pool.resource[entry]
        step = pool.load[entry] * change
        load[resource] += step
        y[resource] *= np.exp(step * rate[resource])


@njit(cache=True, nogil=True)
def _shift_to_best(need, best, best_price, value, way_price, amount, pool, filled, y, load, rate, damping):  # type: ignore[no-untyped-def]
    """Take flow off ways that are dearer than the best one, or than the value they serve."""
    first = pool.first[need]
    best_slope = _steepness(pool, best, y, rate)
    for slot in range(first, pool.first[need + 1]):
        if slot == best or pool.length[slot] == 0 or pool.flow[slot] <= 0:
            continue
        price = way_price[slot - first]
        if price <= best_price * (1 + TINY):
            continue
        slope = _steepness(pool, slot, y, rate)
        change = damping * (price - best_price) / (slope + best_slope + 1e-300)
        if price > value:
            change = max(change, damping * (price - value) / (slope + 1e-300))
        emptied = change >= pool.flow[slot]
        if emptied:
            change = pool.flow[slot]
        elif change < TINY * amount:
            continue
        _move(pool, slot, -change, y, load, rate)
        if emptied:
            pool.flow[slot] = 0.0
        filled[need] -= change


@njit(cache=True, nogil=True)
def _set_level(need, slot, amount, width, log_density, pool, filled, log_tier, y, load, rate, damping):  # type: ignore[no-untyped-def]
    """Raise or lower the best way's flow to where the tier's value meets its price."""
    start = pool.start[slot]
    end = start + pool.length[slot]
    edge = TINY * amount
    for _ in range(NEWTON_STEPS):
        price = pool.cost[slot]
        slope = 0.0
        for entry in range(start, end):
            resource = pool.resource[entry]
            part = pool.load[entry] * y[resource]
            price += part
            slope += part * pool.load[entry] * rate[resource]
        log_price = np.log(price)
        on = filled[need]
        change = 0.0
        more = False
        tier = _tier(on + 1e-7 * width, width)
        value = log_tier[tier] + log_density
        if on < amount - edge and log_price < value:
            change = (value - log_price) / (slope / price + 1e-300)
            for entry in range(start, end):
                resource = pool.resource[entry]
                growth = pool.load[entry] * rate[resource]
                if (
                    change * growth > 0.5
                ):  # the price's exponential outruns the Newton step: stop where this alone is dear enough
                    change = min(change, (value - np.log(pool.load[entry] * y[resource])) / growth)
            change = max(0.0, change * damping)
            if change >= (tier + 1) * width - on:
                change = (tier + 1) * width - on
                more = True
            if change >= amount - on:
                change = amount - on
                more = False
        else:
            tier = _tier(on - 1e-7 * width, width)
            value = log_tier[tier] + log_density
            if pool.flow[slot] > 0 and on > 1e-7 * width and log_price > value:
                change = damping * (log_price - value) / (slope / price + 1e-300)
                if change >= on - tier * width:
                    change = on - tier * width
                    more = True
                if change >= pool.flow[slot]:
                    change = pool.flow[slot]
                    more = False
                change = -change
        if change == 0 or (abs(change) <= edge and change != -pool.flow[slot]):
            return
        emptied = change == -pool.flow[slot]
        _move(pool, slot, change, y, load, rate)
        filled[need] += change
        if emptied or pool.flow[slot] < 0:
            pool.flow[slot] = 0.0
        if not more:
            return


@njit(cache=True, nogil=True)
def add_loads(pool, flow, filled, load):  # type: ignore[no-untyped-def]
    """Set `load` [resources] and `filled` [needs] to what the flows [slots] add up to."""
    load[:] = 0.0
    for need in range(len(filled)):
        total = 0.0
        for slot in range(pool.first[need], pool.first[need + 1]):
            if flow[slot] > 0:
                total += flow[slot]
                for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                    load[pool.resource[entry]] += pool.load[entry] * flow[slot]
        filled[need] = total


@njit(cache=True, nogil=True)
def trim_by_share(pool, flow, load, capacity):  # type: ignore[no-untyped-def]
    """Scale every way by the worst overload it meets, so that all capacities hold."""
    share = np.ones(len(load))
    for resource in range(len(load)):
        if load[resource] > capacity[resource]:
            share[resource] = capacity[resource] / load[resource] * (1 - TINY)
    for slot in range(len(flow)):
        if flow[slot] > 0:
            least = 1.0
            for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                least = min(least, share[pool.resource[entry]])
            flow[slot] *= least


@njit(cache=True, nogil=True)
def _overload(pool, slot, load, capacity):  # type: ignore[no-untyped-def]
    """Return how much flow must leave a way until none of its resources is overloaded."""
    worst = 0.0
    for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
        resource = pool.resource[entry]
        over = load[resource] - capacity[resource]
        if over > 1e-10 * capacity[resource] and pool.load[entry] > 0:
            worst = max(worst, over / pool.load[entry])
    return worst


@njit(cache=True, nogil=True)
def trim_by_value(order, steps, wants, pool, flow, filled, price, tier, load, capacity):  # type: ignore[no-untyped-def]
    """Cut overloads from the tiers of least value over price first; `steps` rise, the last cuts whatever is left."""
    over = np.zeros(len(filled), dtype=np.bool_)
    for need in range(len(filled)):
        for slot in range(pool.first[need], pool.first[need + 1]):
            if flow[slot] > 0 and _overload(pool, slot, load, capacity) > 0:
                over[need] = True
                break
    for step in steps:
        for need in order:
            if not over[need]:
                continue
            keep = 0
            while keep < TIERS and wants.density[need] * tier[keep] >= step * price[need]:
                keep += 1
            room = filled[need] - keep * wants.amount[need] / TIERS
            if room <= 0:
                continue
            over[need] = False
            for slot in range(pool.first[need], pool.first[need + 1]):
                if flow[slot] <= 0:
                    continue
                if room <= 0:
                    over[need] = True
                    break
                cut = _overload(pool, slot, load, capacity)
                if cut <= 0:
                    continue
                if cut > min(flow[slot], room):
                    cut = min(flow[slot], room)
                    over[need] = True
                flow[slot] -= cut
                filled[need] -= cut
                room -= cut
                for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                    load[pool.resource[entry]] -= pool.load[entry] * cut


@njit(cache=True, nogil=True)
def _spare(pool, slot, load, capacity, least):  # type: ignore[no-untyped-def]
    """Return the flow that still fits on a way; a way may use one resource twice, which counts together."""
    start = pool.start[slot]
    end = start + pool.length[slot]
    fits = np.inf
    for entry in range(start, end):
        resource = pool.resource[entry]
        if pool.load[entry] > 0 and capacity[resource] - load[resource] <= pool.load[entry] * least:
            return 0.0
    for entry in range(start, end):
        resource = pool.resource[entry]
        if pool.load[entry] > 0:
            per_unit = 0.0
            for other in range(start, end):
                if pool.resource[other] == resource:
                    per_unit += pool.load[other]
            fits = min(fits, (capacity[resource] - load[resource]) / per_unit * (1 - TINY))
    return fits


@njit(cache=True, nogil=True)
def top_up(order, steps, wants, pool, flow, filled, price, tier, load, capacity):  # type: ignore[no-untyped-def]
    """Fill what room is left, tiers of most value over price first; `steps` fall to 0, which takes all that fits."""
    full = np.zeros(len(filled), dtype=np.bool_)  # room only shrinks: a need whose ways are all blocked stays so
    for step in steps:
        for need in order:
            amount = wants.amount[need]
            if full[need]:
                continue
            if filled[need] >= amount * (1 - TINY):
                full[need] = True
                continue
            upto = 0
            while upto < TIERS and wants.density[need] * tier[upto] >= step * price[need]:
                upto += 1
            room = min(amount, upto * amount / TIERS) - filled[need]
            if upto == 0 or room <= TINY * amount:
                continue
            full[need] = True
            for slot in range(pool.first[need], pool.first[need + 1]):
                if pool.length[slot] == 0:
                    continue
                if room <= 0:
                    full[need] = False
                    break
                more = min(room, _spare(pool, slot, load, capacity, TINY * amount))
                if more >= room:
                    full[need] = False
                if more <= TINY * amount:
                    continue
                flow[slot] += more
                filled[need] += more
                room -= more
                for entry in range(pool.start[slot], pool.start[slot] + pool.length[slot]):
                    load[pool.resource[entry]] += pool.load[entry] * more


@njit(cache=True, nogil=True)
def slack(wants, price, tier):  # type: ignore[no-untyped-def]
    """Return Σ over needs and tiers of (value − price)⁺ · amount: what the bound adds to the priced capacities."""
    total = 0.0
    for need in range(len(price)):
        for k in range(TIERS):
            gain = wants.density[need] * tier[k] - price[need]
            if gain <= 0:
                break
            total += gain * wants.amount[need] / TIERS
    return total


@njit(cache=True, nogil=True)
def worth_of(wants, filled, tier):  # type: ignore[no-untyped-def]
    """Return the objective of needs that are filled so far, in the solver's own scale."""
    total = 0.0
    for need in range(len(filled)):
        left = filled[need] / wants.amount[need] * TIERS
        k = 0
        while left > 0 and k < TIERS:
            total += min(1.0, left) * tier[k] * wants.density[need] * wants.amount[need] / TIERS
            left -= 1.0
            k += 1
    return total


def total_cost(pool: Pool, flow: Floats) -> float:
    """Return what the flows cost in vehicle-hours or money, in the solver's own scale."""
    return float((pool.cost * flow).sum())
