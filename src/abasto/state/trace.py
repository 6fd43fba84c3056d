"""Where a sack came from: a lot at a site, followed back through orders and recipes to where it entered the network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from abasto.journal.entry import Placed
from abasto.state.accounts import Account, Movement, order_account, site_account
from abasto.state.fold import Told, fold
from abasto.state.members import NO_CUTS, Cuts
from abasto.state.sayings import said
from abasto.state.state import State

__all__ = ["TraceLine", "trace", "trace_order"]


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One movement in the way of a lot: `depth` 0 is at the site asked about, larger is further back.

    `change` is what it changed at `site` (an order's id while on the way), in thousandths; `words` say what the entry
    said.
    """

    depth: int
    date: str
    entry: str
    author: str
    site: str
    good: str
    lot: str
    change: int
    why: str
    words: str


def trace(
    read: Callable[[], Iterable[Placed]], *, site: str, good: str, lot: str, cuts: Cuts = NO_CUTS
) -> tuple[TraceLine, ...]:
    """Return how a lot came to a site, the furthest back first, and what became of it there.

    `read` yields the entries anew each time: a recipe leads to other goods, which are read in another round. `cuts` are
    those of the state, as for `story.history`.
    """
    return _traced(read, site_account(site), {(good, lot)}, cuts)


def trace_order(read: Callable[[], Iterable[Placed]], order: str, *, cuts: Cuts = NO_CUTS) -> tuple[TraceLine, ...]:
    """Return where all that was loaded for an order came from, and what became of it."""
    lots: set[tuple[str, str]] = set()

    def listen(told: Told) -> None:
        for move in told.movements:
            if order_account(order) in (move.source, move.target):
                lots.add((move.good, move.lot))

    fold(read(), State(cuts), listen=listen)
    return _traced(read, order_account(order), lots, cuts)


Told_ = tuple[str, str, tuple[Movement, ...]]
"""An entry's author, words, and movements."""
Lot = tuple[Account, str, str]


def _traced(
    read: Callable[[], Iterable[Placed]], account: Account, lots: set[tuple[str, str]], cuts: Cuts
) -> tuple[TraceLine, ...]:
    goods = {good for good, _ in lots}
    while True:
        found = _read(read(), goods, cuts)
        lines: list[TraceLine] = []
        used: set[str] = set()
        visited: set[Lot] = {(account, good, lot) for good, lot in lots}
        for good, lot in sorted(lots):
            visited.discard((account, good, lot))  # each is told by itself, not behind another
            lines += _back(found, (account, good, lot), depth=0, until="", visited=visited, used=used)
        if used <= goods:
            return tuple(lines)
        goods |= used


def _read(entries: Iterable[Placed], goods: set[str], cuts: Cuts) -> dict[Lot, list[Told_]]:
    """Return by account, good and lot the entries that moved it, for these goods."""
    found: dict[Lot, list[Told_]] = defaultdict(list)

    def listen(told: Told) -> None:
        if not any(move.good in goods for move in told.movements):
            return
        kept = (told.entry.author, said(told), told.movements)
        touched = {
            (account, move.good, move.lot): None
            for move in told.movements
            for account in (move.source, move.target)
            if move.good in goods and account.kind in ("site", "order")
        }
        for key in touched:
            found[key].append(kept)

    fold(entries, State(cuts), listen=listen)
    return found


def _back(
    found: dict[Lot, list[Told_]], key: Lot, *, depth: int, until: str, visited: set[Lot], used: set[str]
) -> Iterator[TraceLine]:
    """Yield what moved a lot at an account, each after what stands behind it; goods that were used up go into `used`.

    `until` leaves out what came later than a day (blank: nothing), and then also what left, but for orders.
    """
    if key in visited:
        return
    visited.add(key)
    account, good, lot = key
    moved = [
        (move, author, words, moves)
        for author, words, moves in found[key]
        for move in moves
        if (move.good, move.lot) == (good, lot) and account in (move.source, move.target)
    ]
    for move, author, words, moves in sorted(moved, key=lambda one: one[0].date):
        if until and (move.date > until or move.target != account):
            continue
        if move.target == account:
            for source in _behind(move, moves, used):
                yield from _back(found, source, depth=depth + 1, until=move.date, visited=visited, used=used)
        change = move.quantity if move.target == account else -move.quantity
        yield TraceLine(depth, move.date, move.entry, author, account.id, good, lot, change, move.why, words)


def _behind(move: Movement, moves: tuple[Movement, ...], used: set[str]) -> Iterator[Lot]:
    """Yield the lots that stand behind what came in: what an order took from a site, what a recipe used up."""
    if move.source.kind in ("order", "site"):
        yield move.source, move.good, move.lot
    elif move.why == "lost on the way":
        # More of this lot came than was loaded, and less of others: labels were read differently at the two ends.
        for other in moves:
            if other.why == move.why and other.good == move.good and other.source == move.target:
                yield other.source, other.good, other.lot
    elif move.why == "made":
        for other in moves:
            if other.why == "used":
                used.add(other.good)
                yield other.source, other.good, other.lot
