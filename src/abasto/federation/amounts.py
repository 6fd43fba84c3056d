"""Amounts by lane, good and day: what is asked of a network, what it may promise of that, and more or less of two."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from abasto.federation.border import CrossLane, Trade
from abasto.federation.clearing import Flow
from abasto.federation.messages import THOUSANDTHS

__all__ = ["Asked", "larger", "on_top", "plus", "promise_of", "shortfall", "stretches", "within_lanes"]

GRAIN = 50
"""What is promised of what is asked on a day is a multiple of a fiftieth of it: equal days make short messages."""
ROUNDING = 1e-9
"""A plan that sends a grain but for this share sends it."""
Asked = Mapping[tuple[int, str], tuple[tuple[float, ...], Flow]]
"""What is asked of a good by a lane: units for each day of arrival, and the proposal's row."""


def promise_of(sent: Trade, asked: Asked) -> Trade:
    """Return what may be promised of what a plan sends: of each day whole grains of what is asked, rounded down."""
    promise: dict[tuple[int, str], tuple[float, ...]] = {}
    for key, (rates, _) in asked.items():
        days = list(sent.get(key, (0.0,) * len(rates)))
        for day, rate in enumerate(rates):
            grains = math.floor(GRAIN * days[day] / rate * (1 + ROUNDING)) if rate > 0 else 0
            days[day] = math.floor(THOUSANDTHS * rate * min(grains, GRAIN) / GRAIN * (1 - ROUNDING)) / THOUSANDTHS
        if any(days):
            promise[key] = tuple(days)
    return promise


def larger(one: Trade, other: Trade) -> Trade:
    """Return the larger amount of two trades for each lane, good and day."""
    none: tuple[float, ...] = ()
    return {
        key: tuple(
            max(pair) for pair in zip(one.get(key, none) or other[key], other.get(key, none) or one[key], strict=True)
        )
        for key in sorted(one.keys() | other.keys())
    }


def on_top(asked: Asked, told: Trade) -> Asked:
    """Return what is asked together with what was told of the same goods by the same lanes."""
    both = plus(
        {key: rates for key, (rates, _) in asked.items()}, {key: told[key] for key in asked.keys() & told.keys()}
    )
    return {key: (both[key], flow) for key, (_, flow) in asked.items()}


def plus(one: Trade, other: Trade) -> Trade:
    """Return the sum of two trades for each lane, good and day."""
    return {
        key: tuple(map(sum, zip(*(trade[key] for trade in (one, other) if key in trade), strict=True)))
        for key in sorted(one.keys() | other.keys())
    }


def shortfall(one: Trade, other: Trade) -> Trade:
    """Return how much more one trade has than another, where it is more."""
    rest = {
        key: tuple(max(0.0, a - b) for a, b in zip(days, other.get(key, (0.0,) * len(days)), strict=True))
        for key, days in one.items()
    }
    return {key: days for key, days in rest.items() if any(days)}


def stretches(rates: tuple[float, ...]) -> Iterator[tuple[range, float]]:
    """Yield the days, from 0, of each run of equal rates above 0, with the rate."""
    first = 0
    for rate, same in groupby(rates):
        length = len(list(same))
        if rate > 0:
            yield range(first, first + length), rate
        first += length


def within_lanes(
    asked: Asked, told: Trade, beside: Trade, lanes: Mapping[int, CrossLane], weight: Mapping[str, float]
) -> Asked:
    """Return what is asked, beyond what was told only as much as lanes have room for beside that and `beside`, which is
    sent too; `weight` is that of a unit of each good, in tonnes.
    """
    beyond = {
        key: [rate - day for rate, day in zip(rates, told.get(key, (0.0,) * len(rates)), strict=True)]
        for key, (rates, _) in asked.items()
    }
    within: dict[tuple[int, str], tuple[tuple[float, ...], Flow]] = {}
    for (lane, good), (rates, flow) in asked.items():
        limit = lanes[lane].row.tonnes
        if limit is not None:
            taken = _tonnes(lane, plus(told, beside), weight, len(rates))
            more = _tonnes(lane, beyond, weight, len(rates))
            shares = [
                min(1.0, max(0.0, limit - one) / other) if other > 0 else 0.0
                for one, other in zip(taken, more, strict=True)
            ]
            rates = tuple(
                rate - (1 - share) * over for rate, share, over in zip(rates, shares, beyond[lane, good], strict=True)
            )
        if any(rates):
            within[lane, good] = (rates, flow)
    return within


def _tonnes(
    lane: int, trade: Mapping[tuple[int, str], Sequence[float]], weight: Mapping[str, float], days: int
) -> list[float]:
    """Return how many tonnes of a trade arrive by a lane each day."""
    tonnes = [0.0] * days
    for (by, good), amounts in trade.items():
        if by == lane:
            tonnes = [before + amount * weight[good] for before, amount in zip(tonnes, amounts, strict=True)]
    return tonnes
