"""Facts without sense or order: any site, good, lot and date, by any device, and anything taken back at any time."""

from __future__ import annotations

import random
from datetime import date, timedelta

from month_devices import Phone

from abasto.facts.kinds import (
    EntryReversed,
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    Line,
    NoteWritten,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
)

__all__ = ["Noise"]

SITES = ("Mill", "School", "nowhere")
GOODS = ("bread", "milk")
LOTS = (None, None, "", "2027-03-20", "2027-03-28", "2027-04-15")
FIRST = date(2027, 3, 1)


class Noise:
    """Draws facts, one after the other; what it refers to are entries that were written before."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.orders: list[str] = []
        self.entries: list[str] = []
        self.may_be_wild = False

    def write(self, phone: Phone, day: int) -> None:
        """Let a device write one fact more; no clock is wild before it can be told from the others."""
        self.may_be_wild = phone.journal.store.clock() > 40
        fact = self.fact(day)
        (entry,) = phone.say([fact], day=self.near(day))
        self.entries.append(entry.id)
        if isinstance(fact, OrderIssued):
            self.orders.append(entry.id)

    def near(self, day: int) -> str:
        """Return the date of a day, or of one some days off; seldom of another year."""
        off = self.rng.choice((0, 0, 0, 0, -1, -2, -3, -5, -8, 1, 4))
        if self.may_be_wild and self.rng.random() < 0.02:
            off = self.rng.choice((-1000, 1000))
        return (FIRST + timedelta(days=day - 1 + off)).isoformat()

    def line(self, most: int = 50_000) -> Line:
        return Line(self.rng.choice(GOODS), self.rng.randint(0, most), self.rng.choice(LOTS))

    def fact(self, day: int) -> Fact:
        """Return any fact."""
        rng, when = self.rng, self.near(day)
        site, line = rng.choice(SITES), self.line()
        what = (site, line.good, line.quantity, when, line.lot)
        order = rng.choice([*self.orders[-6:], "never issued"])
        lines = tuple(self.line() for _ in range(rng.randint(1, 3)))
        entry = rng.choice(self.entries[-8:]) if self.entries else "nothing"
        choices: list[tuple[int, Fact]] = [
            (8, StockCounted(*what)),
            (5, GoodsTakenIn(*what, ref=rng.choice(("", "", str(rng.randint(1, 40)))))),
            (6, GoodsHandedOut(*what)),
            (2, GoodsLost(*what, cause=rng.choice(("", "spoiled")))),
            (3, GoodsMade(site, "baking", 1000, (Line("milk", -line.quantity, line.lot), *lines), when)),
            (3, OrderIssued(site, rng.choice(SITES), "carts", 1, when, when, lines, when)),
            (1, OrderAccepted(order, when)),
            (4, OrderLoaded(order, lines, when)),
            (4, OrderReceived(order, site, lines, when, rng.random() < 0.4)),
            (1, OrderCancelled(order, when)),
            (6, EntryReversed(entry, when)),
            (1, NoteWritten("words", when)),
            (1, RowSet("goods", {"good": line.good, "shelf_life_days": rng.choice(("", "3", "9"))}, when)),
        ]
        return rng.choices([fact for _, fact in choices], [weight for weight, _ in choices])[0]
