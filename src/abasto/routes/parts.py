"""Orders in parts that one vehicle carries: an order that is heavier than a vehicle carries goes in several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from abasto.facts.kinds import Line, OrderIssued
from abasto.inbox.tokens import fold_text
from abasto.inbox.words import UNITS
from abasto.network import Good
from abasto.routes.route import Load

__all__ = ["Part", "capacity_of", "grams_of", "loads_of", "parts_of"]

ROUNDING = 1e-6
"""A load may be over a payload by this share: plans are checked as loosely."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one vehicle carries of an order, or all of it."""

    order: str
    from_site: str
    to_site: str
    fleet: str
    arrives: str
    loads: tuple[Load, ...]

    @property
    def grams(self) -> int:
        """What it weighs."""
        return grams_of(self.loads)


def capacity_of(payload_t: float) -> int:
    """Return how many grams a vehicle carries."""
    return int(payload_t * 1e6 * (1 + ROUNDING))


def grams_of(loads: Iterable[Load]) -> int:
    """Return what loads weigh, in grams."""
    return sum(round(load.kg * 1000) for load in loads)


def loads_of(order: str, lines: Sequence[Line], goods: Mapping[str, Good]) -> tuple[Load, ...]:
    """Return the lines of an order with what they weigh; a good that no table has counts as the format's default."""
    return tuple(_load(order, line, line.quantity, goods) for line in lines)


def parts_of(order: str, issued: OrderIssued, goods: Mapping[str, Good], capacity: int) -> tuple[Part, ...] | None:
    """Return an order in as few parts as can be, full ones first; None if one piece is more than a vehicle carries.

    Parts are of whole units where the order is. Only what is weighed or poured is parted more finely, should a single
    unit be too heavy.
    """
    loaded: list[list[Load]] = [[]]
    left = capacity
    for line in issued.lines:
        rest, kg = line.quantity, Fraction(_kg(goods, line.good))
        while rest > 0:
            quantity = _fitting(line, rest, kg, left, capacity, goods)
            if quantity == 0 and not loaded[-1]:
                return None
            if quantity == 0:
                loaded.append([])
                left = capacity
                continue
            load = _load(order, line, quantity, goods)
            loaded[-1].append(load)
            left -= grams_of([load])
            rest -= quantity
    return tuple(
        Part(order, issued.from_site, issued.to_site, issued.fleet, issued.arrives, tuple(loads))
        for loads in loaded
        if loads
    )


def _fitting(line: Line, rest: int, kg: Fraction, left: int, capacity: int, goods: Mapping[str, Good]) -> int:
    """Return how many thousandths of what is left of a line fit in so many grams."""
    if kg == 0 or rest * kg <= left:
        return rest
    fits = left * kg.denominator // kg.numerator
    is_whole = line.quantity % 1000 == 0
    if is_whole and (1000 * kg <= capacity or not _is_measured(line.good, goods)):
        fits = fits // 1000 * 1000
    return fits


def _is_measured(good: str, goods: Mapping[str, Good]) -> bool:
    """Whether a good is weighed or poured, and so can be parted anywhere."""
    known = UNITS.get(fold_text(_unit(goods, good)))
    return known is not None and known[0] in ("mass", "volume")


def _load(order: str, line: Line, quantity: int, goods: Mapping[str, Good]) -> Load:
    kg = quantity / 1000 * _kg(goods, line.good)
    return Load(order, line.good, line.lot, quantity, _unit(goods, line.good), kg)


def _kg(goods: Mapping[str, Good], good: str) -> float:
    return goods[good].kg_per_unit if good in goods else 1.0


def _unit(goods: Mapping[str, Good], good: str) -> str:
    return goods[good].unit if good in goods else "kg"
