"""Stories: what happened to a site, a good, an order or an entry, and every movement of a good with its balance.

They are told from the entries themselves, by a fold that listens: nothing is kept for them. Lines stand by the date
they were booked on, and within a day in the order of the fold. `cuts` are those of the state, as a fold that listens
cannot begin anew where it meets one that reaches back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from abasto.facts.amounts import amount
from abasto.facts.kinds import (
    AlarmAnswered,
    EntryReversed,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    NoteWritten,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowDropped,
    RowSet,
    StockCounted,
)
from abasto.journal.entry import Placed
from abasto.state.accounts import Account, Movement, order_account, site_account
from abasto.state.fold import Told, fold
from abasto.state.members import NO_CUTS, Cuts
from abasto.state.sayings import said
from abasto.state.state import State
from abasto.state.words import measured

__all__ = ["LedgerLine", "StoryLine", "history", "ledger"]


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One entry in a story: its date, id and author's key, what it says in words, and what is there after it."""

    date: str
    entry: str
    author: str
    words: str
    balance: str = ""


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """A movement of a good at a site: what it changed there (thousandths), why, and what is there after it, by lot.

    `other` is the account that it came from or went to.
    """

    date: str
    entry: str
    author: str
    lot: str
    change: int
    why: str
    other: Account
    balance: int
    lots: tuple[tuple[str, int], ...]


def ledger(entries: Iterable[Placed], site: str, good: str, *, cuts: Cuts = NO_CUTS) -> tuple[LedgerLine, ...]:
    """Return every movement of a good at a site, by date, with the balance after it."""
    account = site_account(site)
    found: list[tuple[str, Movement]] = []

    def listen(told: Told) -> None:
        found.extend(
            (told.entry.author, move)
            for move in told.movements
            if move.good == good and account in (move.source, move.target)
        )

    fold(entries, State(cuts), listen=listen)
    lines = []
    lots: dict[str, int] = {}
    for author, move in sorted(found, key=lambda one: one[1].date):
        change = move.quantity if move.target == account else -move.quantity
        other = move.source if move.target == account else move.target
        lots[move.lot] = lots.get(move.lot, 0) + change
        here = tuple((lot, quantity) for lot, quantity in sorted(lots.items()) if quantity)
        total = sum(lots.values())
        lines.append(LedgerLine(move.date, move.entry, author, move.lot, change, move.why, other, total, here))
    return tuple(lines)


def history(
    entries: Iterable[Placed],
    *,
    site: str = "",
    good: str = "",
    lot: str | None = None,
    order: str = "",
    entry: str = "",
    cuts: Cuts = NO_CUTS,
) -> tuple[StoryLine, ...]:
    """Return what happened to a site, to a good (of a lot) at a site or everywhere, to an order, or to an entry."""
    if order:
        way = order_account(order)
        return _told(entries, _of_order(order), lambda move: way in (move.source, move.target), cuts, at=way)
    if entry:
        return _told(entries, _of_entry(entry), lambda move: False, cuts)

    def concerns(move: Movement) -> bool:
        at = [account.id for account in (move.source, move.target) if account.kind == "site"]
        return (not site or site in at) and (not good or move.good == good) and lot in (None, move.lot)

    is_about = (lambda told: False) if good or lot is not None else _of_site(site)
    return _told(entries, is_about, concerns, cuts, at=site_account(site) if site else None)


def _told(
    entries: Iterable[Placed],
    is_about: Callable[[Told], bool],
    concerns: Callable[[Movement], bool],
    cuts: Cuts,
    *,
    at: Account | None = None,
) -> tuple[StoryLine, ...]:
    """Return the lines of entries that are about a thing or moved it.

    Balances are of what the movements that `concerns` picks come to, in account `at` or in all that goods can lie in.
    """
    found: list[tuple[str, StoryLine | None, list[Movement]]] = []
    units: dict[str, str] = {}
    newest = ""

    def listen(told: Told) -> None:
        nonlocal newest
        newest = max(newest, told.date)
        moves = [move for move in told.movements if concerns(move)]
        if not moves and not is_about(told):
            return
        line = StoryLine(told.date, told.entry.id, told.entry.author, said(told))
        # What has no date of its own stands where it came.
        found.append((told.date or newest, line, [move for move in moves if move.date == told.date]))
        found.extend((move.date, None, [move]) for move in moves if move.date != told.date)
        for move in moves:
            units[move.good] = measured(told.state.rows, move.good, 0)[2:]

    fold(entries, State(cuts), listen=listen)
    there: dict[tuple[Account, str], int] = {}
    lines = []
    # What explains a count stands before it, so that the line of the count shows what was counted.
    for _, line, moves in sorted(found, key=lambda one: (one[0], one[1] is not None)):
        touched: dict[tuple[Account, str], None] = {}
        for move in moves:
            for account, change in ((move.source, -move.quantity), (move.target, move.quantity)):
                if account == at or (at is None and account.kind in ("site", "order")):
                    there[account, move.good] = there.get((account, move.good), 0) + change
                    touched[account, move.good] = None
        balance = "; ".join(f"{amount(there[key])} {units[key[1]]} {_where(key[0])}" for key in touched)
        if line is not None:
            lines.append(StoryLine(line.date, line.entry, line.author, line.words, balance))
    return tuple(lines)


def _where(account: Account) -> str:
    return f"at {account.id}" if account.kind == "site" else "on the way"


def _of_site(site: str) -> Callable[[Told], bool]:
    """Return what says whether an entry is about a site, also where nothing moved."""

    def is_about(told: Told) -> bool:
        fact = told.fact
        if isinstance(fact, StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsLost | GoodsMade | OrderReceived):
            return fact.site == site
        if isinstance(fact, OrderIssued):
            return site in (fact.from_site, fact.to_site)
        if isinstance(fact, RowSet | RowDropped):
            return site in (fact.row.get("site"), fact.row.get("from"), fact.row.get("to"))
        if isinstance(fact, AlarmAnswered):
            return fact.alarm.partition("/")[2].startswith(f"{site}/")
        return isinstance(fact, NoteWritten) and fact.about == site

    return is_about


def _of_order(order: str) -> Callable[[Told], bool]:
    steps = {order}

    def is_about(told: Told) -> bool:
        fact = told.fact
        if isinstance(fact, NoteWritten):
            return fact.about in steps
        is_step = isinstance(fact, OrderAccepted | OrderLoaded | OrderReceived | OrderCancelled) and fact.order == order
        if is_step or (isinstance(fact, EntryReversed) and fact.entry in steps):
            steps.add(told.entry.id)
        return told.entry.id in steps

    return is_about


def _of_entry(entry: str) -> Callable[[Told], bool]:
    def is_about(told: Told) -> bool:
        fact = told.fact
        if isinstance(fact, EntryReversed):
            return entry in (fact.entry, told.entry.id)
        return told.entry.id == entry or (isinstance(fact, NoteWritten) and fact.about == entry)

    return is_about
