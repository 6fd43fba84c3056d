"""What had better be looked at once more before a report of a phone is written: asked back, in a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from abasto.facts.amounts import thousandths
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
)
from abasto.inbox.names import Names
from abasto.language import Language
from abasto.room.report_needs import needs_on, rationed, rows_on
from abasto.room.report_words import amount_words, named, quantity_words
from abasto.state.beyond_doubt import is_beyond_doubt
from abasto.state.carried import far_more
from abasto.state.foresee import FAR, brought_by, doubts, far_above_need, usual
from abasto.state.state import State

__all__ = ["LONG_AGO_DAYS", "OfGoods", "doubts_about"]

LONG_AGO_DAYS = 31
"""A report of a day that lies further back is more often a phone whose calendar is wrong."""

OfGoods = StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsLost


def doubts_about(
    state: State, fact: Fact, *, names: Names, promised: frozenset[tuple[str, str]], day: date, words: Language
) -> tuple[str, ...]:
    """Return what to ask back about the fact of a report that comes in on a day; nothing if it is plain."""
    asked = _Asking(state, names, day, words)
    match fact:
        case StockCounted() | GoodsTakenIn() | GoodsHandedOut() | GoodsLost():
            found = (*asked.about_day(fact.date), *asked.about_goods(fact))
            if found or is_beyond_doubt(state, fact, promised=promised):
                return found
            return tuple(words.sentence(said) for said in doubts(state, fact))
        case OrderLoaded() | OrderReceived():
            return (*asked.about_day(fact.date), *asked.about_order(fact))
        case RowSet():
            return (*asked.about_day(fact.date), *asked.about_need(fact))
    return ()


class _Asking:
    """Asks about one fact, in the words of whoever made the report."""

    def __init__(self, state: State, names: Names, day: date, words: Language) -> None:
        self.state, self.names, self.day, self.words = state, names, day, words

    def about_day(self, said: str) -> Iterator[str]:
        of, words = date.fromisoformat(said), self.words
        if of > self.day:
            yield words("{day} is still to come. Is the day right?", day=words.day(of, style="d MMM y"))
        elif (self.day - of).days > LONG_AGO_DAYS:
            yield words("{day} is long ago. Is the day right?", day=words.day(of, style="d MMM y"))

    def about_goods(self, fact: OfGoods) -> Iterator[str]:
        words, much = self.words, self.amount(fact.good, fact.quantity)
        site = named(self.names.site(fact.site), fact.site, words)
        most = usual(self.state, fact.site, fact.good)
        if most and fact.quantity > FAR * most:
            known = self.quantity(fact.good, most)
            yield words("{amount} is a lot: the most known at {site} is {known}. Is it right?", amount=much, site=site,
                        known=known)  # fmt: skip
        elif need := far_above_need(self.state, fact.site, fact.good, fact.quantity):
            yield words("{amount} is a lot: {site} needs {known} a day. Is it right?", amount=much, site=site,
                        known=self.quantity(fact.good, need))  # fmt: skip
        elif isinstance(fact, GoodsHandedOut | GoodsLost) and not self._is_late(fact):
            there = self._there(fact)
            if fact.quantity > there:
                known = self.quantity(fact.good, max(0, there))
                yield words("The books have only {known} of it at {site}, and this is {amount}. Is it right?",
                            known=known, site=site, amount=much)  # fmt: skip
        if isinstance(fact, GoodsTakenIn):
            for order in brought_by(self.state, fact):
                good = named(self.names.good(fact.good), fact.good, words)
                yield words(
                    "Order {code} brings {good} to {site}. Did this come from elsewhere? If it came by the order, "
                    "report the order instead.",
                    code=code_of(order.id), good=good, site=site,
                )  # fmt: skip

    def about_order(self, fact: OrderLoaded | OrderReceived) -> Iterator[str]:
        words, record, code = self.words, self.state.orders[fact.order], code_of(fact.order)
        if record.status == "cancelled":
            yield words("Order {code} was cancelled. Did it go all the same?", code=code)
        if isinstance(fact, OrderReceived) and record.issued is not None and fact.site != record.issued.to_site:
            target = named(self.names.site(record.issued.to_site), record.issued.to_site, words)
            yield words("Order {code} goes to {site}. Did it arrive here?", code=code, site=target)
        if isinstance(fact, OrderReceived) and record.status == "received":
            yield words("Order {code} was received already. Did more of it come?", code=code)
        for good, total, has in far_more(record, fact):
            much = self.amount(good, total)
            if has:
                yield words("Order {code} has {known}, and this makes {amount}. Is it right?", code=code,
                            known=self.quantity(good, has), amount=much)  # fmt: skip
            else:
                called = named(self.names.good(good), good, words)
                yield words("Order {code} has no {good}. Is it right?", code=code, good=called)
        if isinstance(fact, OrderLoaded) and record.issued is not None:
            yield from self._not_there(fact, record.issued.from_site)

    def _not_there(self, fact: OrderLoaded, site: str) -> Iterator[str]:
        called = named(self.names.site(site), site, self.words)
        for good in dict.fromkeys(line.good for line in fact.lines):
            wanted = sum(line.quantity for line in fact.lines if line.good == good)
            there = sum(self.state.books.balance(site, good).values())
            if wanted > there:
                yield self.words(
                    "The books have only {known} of it at {site}, and this is {amount}. Is it right?",
                    known=self.quantity(good, max(0, there)), site=called, amount=self.amount(good, wanted),
                )  # fmt: skip

    def about_need(self, fact: RowSet) -> Iterator[str]:
        words, site, good = self.words, fact.row["site"], fact.row["good"]
        of, quantity = date.fromisoformat(fact.date), thousandths(fact.row["quantity"])
        known = max(needs_on(self.state, of).get((site, good), 0), rationed(self.state, site, good))
        if known and quantity > FAR * known:
            yield words(
                "{amount} a day is a lot: known so far are {known}. Is it right?",
                amount=self.amount(good, quantity), known=self.quantity(good, known),
            )  # fmt: skip
        newer = [row.date for row in rows_on(self.state, site, good, of) if row.date > fact.date]
        if newer:
            shown = words.day(date.fromisoformat(max(newer)), style="d MMM y")
            yield words("A newer need is known, of {day}. Should this older one hold instead?", day=shown)

    def _is_late(self, fact: OfGoods) -> bool:
        """Return whether a later report is known, which may have seen already what this one tells."""
        newest = self.state.books.last_report(fact.site, fact.good)
        return newest is not None and fact.date < newest.isoformat()

    def _there(self, fact: OfGoods) -> int:
        lots = self.state.books.balance(fact.site, fact.good)
        return sum(lots.values()) if fact.lot is None else lots.get(fact.lot, 0)

    def amount(self, good: str, quantity: int) -> str:
        return amount_words(self.names, good, quantity, self.words)

    def quantity(self, good: str, quantity: int) -> str:
        return quantity_words(self.names, good, quantity, self.words)
