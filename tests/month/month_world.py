"""What physically lies where, whatever anybody writes: the truth that honest counts are compared with."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from abasto.facts.kinds import Line
from abasto.network import Network

__all__ = ["Truck", "World", "lines_of", "thousandths_of"]

Lots = dict[str, int]


def thousandths_of(quantity: float) -> int:
    """Return a quantity of a table in whole thousandths."""
    return round(quantity * 1000)


@dataclass
class Truck:
    """What is on its way for an order, and when it gets there."""

    order: str
    to_site: str
    arrives: int
    load: dict[str, Lots]


@dataclass
class World:
    """A network's sites, and the sacks that lie there and on trucks; quantities in thousandths."""

    network: Network
    stock: dict[tuple[str, str], Lots] = field(default_factory=lambda: defaultdict(dict))
    trucks: dict[str, Truck] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.network.stocks:
            lot = row.expires.isoformat() if row.expires else ""
            self.put(row.site, row.good, {lot: thousandths_of(row.quantity)})

    def total(self, site: str, good: str) -> int:
        """Return how much of a good lies at a site."""
        return sum(self.stock[site, good].values())

    def put(self, site: str, good: str, lots: Lots) -> None:
        """Lay goods down at a site."""
        here = self.stock[site, good]
        for lot, quantity in lots.items():
            here[lot] = here.get(lot, 0) + quantity

    def draw(self, site: str, good: str, quantity: int) -> Lots:
        """Take goods from a site, first what expires first; return what there was of it."""
        here = self.stock[site, good]
        taken: Lots = {}
        for lot in sorted(here, key=lambda lot: (lot == "", lot)):
            part = min(here[lot], quantity)
            if part > 0:
                taken[lot] = part
                here[lot] -= part
                quantity -= part
        return taken

    def lot_of(self, good: str, day: date) -> str:
        """Return the last usable date of a good that is taken in or made on a day."""
        for row in self.network.goods:
            if row.good == good and row.shelf_life_days is not None:
                return (day + timedelta(days=int(row.shelf_life_days))).isoformat()
        return ""


def lines_of(load: dict[str, Lots], *, with_lots: bool) -> tuple[Line, ...]:
    """Return the lines that say what is in a load, lot by lot or by good alone."""
    if with_lots:
        return tuple(Line(good, quantity, lot) for good, lots in load.items() for lot, quantity in lots.items())
    return tuple(Line(good, sum(lots.values())) for good, lots in load.items() if lots)
