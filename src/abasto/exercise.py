"""A network lives a day of an exercise on its journal: goods come, vans drive as ordered, people fetch what they need.

Nothing happens but what the journal's tables and orders say, and everything is reported: what comes in, what is loaded,
what arrives, what is handed out and what spoils. So an exercise shows what plans and letters come to, and no more.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
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
from abasto.state.types import OrderRecord

__all__ = ["Day", "call_off", "drive", "evening", "load", "morning", "receive"]


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


def drive(journal: Journal, day: date, *, waits: bool = False) -> None:
    """Load and receive what leaves and arrives on a day; what came is loaded again if it goes on on the same day.

    A van of which not all is there waits as long as something for it still comes that day, if it `waits` also from
    other networks.
    """
    for _ in range(2 * len(read_state(journal).orders.open())):  # Each is loaded once and received once.
        if not receive(journal, day) and not load(journal, day, waits=waits):
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


def load(journal: Journal, day: date, *, waits: bool = False) -> bool:
    """Load the orders that leave on a day and of which all is there; if there are none, those for which nothing more
    comes that day; if there are none, and unless it `waits`, those of which something is there, first those to which
    none of these brings what they lack. Return whether any was loaded.
    """
    state = read_state(journal)
    today = [
        order
        for order in state.orders.open()
        if order.issued is not None and order.status != "loaded" and order.issued.departs == day.isoformat()
    ]
    ways = [order.issued for order in state.orders.open() if order.issued is not None]
    anything = {(way.from_site, line.good) for way in ways for line in way.lines}
    coming = {(way.to_site, line.good) for way in ways if way.arrives == day.isoformat() for line in way.lines}
    way_of = {order.id: order.issued for order in today if order.issued is not None}
    going = [] if waits else [(way_of[one.order], one.lines) for one in _loads(state, today, day, ())]
    brought = {(way.to_site, line.good) for way, lines in going if way.arrives == day.isoformat() for line in lines}
    for awaited in (anything, coming) if waits else (anything, coming, brought, set[tuple[str, str]]()):
        facts = list(_loads(state, today, day, awaited))
        if facts:
            _say(journal, facts)
            return True
    return False


def _loads(
    state: State, orders: Iterable[OrderRecord], day: date, awaited: Container[tuple[str, str]]
) -> Iterator[OrderLoaded]:
    """Yield what can be loaded of orders, but not of those that lack a good which is awaited where they leave."""
    left = {place: sum(state.books.balance(*place).values()) for place in state.books.places()}
    for order in orders:
        assert order.issued is not None
        site = order.issued.from_site
        wanted = _wanted(state, order)
        here = {good: min(much, max(0, left.get((site, good), 0))) for good, much in wanted.items()}
        if any(here[good] < much and (site, good) in awaited for good, much in wanted.items()):
            continue
        lines = tuple(Line(good, much) for good, much in here.items() if much)  # Of whatever lot expires first.
        for line in lines:
            left[site, line.good] -= line.quantity
        if lines:
            yield OrderLoaded(order.id, lines, day.isoformat())


def _wanted(state: State, order: OrderRecord) -> dict[str, int]:
    """Return what is to be loaded of an order, in thousandths of each good."""
    wanted: dict[str, int] = {}
    for line in lines_to_load(state, order, {}):
        wanted[line.good] = wanted.get(line.good, 0) + line.quantity
    return wanted


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
