"""What a solver returns: flows of items, the prices that prove its bound, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from abasto.planner.problem import Floats, Ints

if TYPE_CHECKING:
    from abasto.planner.warm import Warm

__all__ = ["Flows", "Look", "Prices", "Reckoning", "Solution"]


@dataclass(frozen=True)
class Flows:
    """Who does what, as parallel arrays over the problem's indices; days from 0, quantities in the goods' units.

    `taken` [sources] is what is used of each source (of stock: what is ever used; the rest stays where it lies).
    Shipments: `ship_option`, `ship_item`, `ship_day`, `ship_quantity`.
    Batches: `made_plant`, `made_day`, `made_batches`.
    Handing over: `hand_site`, `hand_item`, `hand_day`, `hand_need` (index of the need, -1 for nutrients only) and
    `hand_quantity` in units of the good handed over. Which lots recipes and fuel draw on is not told here: `draw_site`,
    `draw_item`, `draw_day`, `draw_quantity` list it per item.
    """

    taken: Floats
    ship_option: Ints
    ship_item: Ints
    ship_day: Ints
    ship_quantity: Floats
    made_plant: Ints
    made_day: Ints
    made_batches: Floats
    hand_site: Ints
    hand_item: Ints
    hand_day: Ints
    hand_need: Ints
    hand_quantity: Floats
    draw_site: Ints
    draw_item: Ints
    draw_day: Ints
    draw_quantity: Floats


@dataclass(frozen=True)
class Prices:
    """What one more unit of each capacity is worth, in the objective's units; all at least 0.

    `source` [sources] per unit of the good; `lane` [lanes, days] per tonne; `fleet` [fleets, days] per vehicle-hour;
    `plant` [plants, days] per batch; `labour` [sites, days] per hour; `storage` [sites, days] per tonne kept overnight;
    `shippable` {(site, good): price} per unit; `good` [items, days, sites] what one more unit of an item is worth
    there.
    """

    source: Floats
    lane: Floats
    fleet: Floats
    plant: Floats
    labour: Floats
    storage: Floats
    shippable: dict[tuple[int, int], float]
    good: Floats


@dataclass(frozen=True)
class Solution:
    """Flows, the proven bound on every plan's objective, prices, and whether the search ran to its end.

    `warm` is what a search on a changed problem may start from, where the solver can.
    """

    flows: Flows
    bound: float
    prices: Prices
    status: Literal["planned", "stopped"]
    warm: Warm | None = None


@dataclass(frozen=True)
class Look:
    """Between what and what the best plan's objective lies; `coverage` [needs] is that of a plan worth `value`."""

    value: float
    bound: float
    coverage: Floats

    @property
    def gap(self) -> float:
        """How far `value` is at most below the best possible, as a share of it."""
        left = max(0.0, self.bound - self.value)
        return left / self.value if self.value > 0 else float("inf" if left else 0.0)


@dataclass(frozen=True)
class Reckoning(Look):
    """A look that was searched for: `prices` prove the bound, after so many `rounds`.

    `warm` is what a further search may start from, where it was asked for.
    """

    prices: Prices
    warm: Warm | None = None
    rounds: int = 0
