"""A network lives a day of an exercise on its journal: goods come, vans drive as ordered, people fetch what they need.

Nothing happens but what the journal's tables and orders say, and everything is reported: what comes in, what is loaded,
what arrives, what is handed out and what spoils. So an exercise shows what plans and letters come to, and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from abasto.cycle import read_state
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    Line,
    OrderCancelled,
    OrderLoaded,
    OrderReceived,
)
from abasto.journal.journal import Journal
from abasto.network import Network
from abasto.situation.wants import wants
from abasto.state.known import known
from abasto.state.state import State
from abasto.state.steps import lines_to_load, lines_to_receive

__all__ = ["Day", "call_off", "drive", "evening", "load", "morning", "receive"]

MOST_LEGS = 5
"""So many vans in a row may carry the same goods on one day."""


@dataclass(frozen=True)
class Day:
    """What people needed and got on a day, in units of each good, all sites of the network together."""

    needed: dict[str, float]
    met: dict[str, float]

    @property
    def coverage(self) -> float:
        """The share of the need that was met, the mean over the goods."""
        shares = [self.met.get(good, 0.0) / needed for good, needed in self.needed.items() if needed > 0]
        return sum(shares) / len(shares) if shares else 1.0


def morning(journal: Journal, day: date) -> None:
    """Throw away what has spoiled, and take in what comes from outside on a day."""
    state = read_state(journal)
    seen = known(state, day, estimates_needs=False)
    _say(journal, [*_spoiled(state, seen.tables, day), *_taken_in(seen.tables, day)])


def drive(journal: Journal, day: date) -> None:
    """Load and receive what leaves and arrives on a day; what came is loaded again if it goes on on the same day."""
    for _ in range(MOST_LEGS):
        if not load(journal, day) and not receive(journal, day):
            return


def call_off(journal: Journal, day: date) -> None:
    """Cancel the orders that were to leave by a day and could not be loaded, so that nobody waits for them."""
    state = read_state(journal)
    late = [
        order.id
        for order in state.orders.open()
        if order.issued is not None and order.status != "loaded" and order.issued.departs <= day.isoformat()
    ]
    _say(journal, [OrderCancelled(id, day.isoformat(), "there was nothing to load") for id in late])


def load(journal: Journal, day: date) -> bool:
    """Load the orders that leave on a day, as far as there is something to load; return whether any was."""
    state = read_state(journal)
    left = {place: sum(state.books.balance(*place).values()) for place in state.books.places()}
    facts: list[Fact] = []
    for order in state.orders.open():
        way = order.issued
        if way is None or order.status == "loaded" or way.departs != day.isoformat():
            continue
        wanted: dict[str, int] = {}
        for line in lines_to_load(state, order, {}):
            wanted[line.good] = wanted.get(line.good, 0) + line.quantity
        lines = []
        for good, quantity in wanted.items():
            much = min(quantity, max(0, left.get((way.from_site, good), 0)))
            left[way.from_site, good] = left.get((way.from_site, good), 0) - much
            if much:
                lines.append(Line(good, much))  # Of whatever lot expires first.
        if lines:
            facts.append(OrderLoaded(order.id, tuple(lines), day.isoformat()))
    _say(journal, facts)
    return bool(facts)


def receive(journal: Journal, day: date) -> bool:
    """Receive at the network's own sites what was to arrive by a day, from its own and other networks; whether any."""
    state = read_state(journal)
    own = {row.cells["site"] for row in state.rows.table("sites") if not _is_of_others(state, row.cells.get("network"))}
    facts: list[Fact] = []
    for order in state.orders.open():
        way = order.issued
        coming = state.letters.coming.get(order.id)
        if way is None or order.status != "loaded" or (coming is not None and not coming.is_sent):
            continue  # What another network promised comes as it was loaded there.
        if way.to_site in own and way.arrives <= day.isoformat():
            facts.append(OrderReceived(order.id, way.to_site, lines_to_receive(order, {}), day.isoformat()))
    _say(journal, facts)
    return bool(facts)


def evening(journal: Journal, day: date) -> Day:
    """Hand out what people need on a day, as far as it is there, and return how much that was."""
    state = read_state(journal)
    seen = known(state, day, estimates_needs=False)
    needed: dict[str, float] = {}
    met: dict[str, float] = {}
    facts: list[Fact] = []
    for (site, good), want in sorted(wants(seen.tables).items()):
        wanted = round(1000 * want.on(1))
        here = sum(held for held in state.books.balance(site, good).values() if held > 0)
        handed = min(wanted, here)
        needed[good] = needed.get(good, 0.0) + wanted / 1000
        met[good] = met.get(good, 0.0) + handed / 1000
        if handed:
            facts.append(GoodsHandedOut(site, good, handed, day.isoformat()))
    _say(journal, facts)
    return Day(needed, met)


def _say(journal: Journal, facts: Iterable[Fact]) -> None:
    listed = list(facts)
    if listed:
        journal.append(listed, time=0)


def _is_of_others(state: State, network: str | None) -> bool:
    return bool(network) and bool(state.letters.network_named(network or ""))


def _taken_in(tables: Network, day: date) -> Iterator[Fact]:
    for row in tables.supplies:
        if (row.from_day or 1) <= 1 <= (row.to_day or 1):
            yield GoodsTakenIn(row.site, row.good, round(1000 * row.quantity), day.isoformat())


def _spoiled(state: State, tables: Network, day: date) -> Iterator[Fact]:
    for site in tables.sites:
        for good in tables.goods:
            for lot, held in state.books.balance(site.site, good.good).items():
                if lot and lot < day.isoformat() and held > 0:
                    yield GoodsLost(site.site, good.good, held, day.isoformat(), lot, "spoiled")
