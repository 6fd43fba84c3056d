"""What is doubtful about the step of an order, held against the order that it is of and what is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from abasto.facts.kinds import Fact, Line, OrderLoaded, OrderReceived
from abasto.state.exceptions import exceptions
from abasto.state.foresee import foresee
from abasto.state.state import State
from abasto.state.types import OrderRecord
from abasto.state.words import measured, order_named

__all__ = ["far_more", "order_doubts", "step_doubts"]

MORE = 2
"""No vehicle brings more than so many times what it was to carry."""
AS_EXPECTED = frozenset({"discrepancy", "order difference", "order overdue", "not loaded"})
"""Exceptions that an order's step may bring about without being doubtful: they are told when they happen."""


def step_doubts(state: State, facts: Sequence[Fact]) -> tuple[str, ...]:
    """Return what steps of orders would make an exception of, but for `AS_EXPECTED`, and what orders are not about."""
    # By what it is about: an exception that was there before and is now of another size is nothing new.
    known = {(one.kind, one.about) for one in exceptions(state)}
    after = exceptions(foresee(state, facts))
    new = [one.message for one in after if (one.kind, one.about) not in known and one.kind not in AS_EXPECTED]
    return (*new, *(doubt for fact in facts for doubt in order_doubts(state, fact)))


def far_more(record: OrderRecord | None, fact: Fact) -> Iterator[tuple[str, int, int]]:
    """Yield the goods of which far more is loaded or received than an order has: how much of it, and how much it has.

    What was reported before counts too. Nothing is known of an order that nobody here has issued.
    """
    if not isinstance(fact, OrderLoaded | OrderReceived) or record is None or record.issued is None:
        return
    gone = record.loaded if isinstance(fact, OrderLoaded) else record.received
    for good in dict.fromkeys(line.good for line in fact.lines if line.quantity > 0):
        has = max(_total(record.issued.lines, good), _total(record.loaded, good))
        total = _total((*gone, *fact.lines), good)
        if total > MORE * has:
            yield good, total, has


def order_doubts(state: State, fact: Fact) -> Iterator[str]:
    """Yield in words of which goods far more is loaded or received than an order has, or which it has none of, and that
    it is another network that receives it.
    """
    if not isinstance(fact, OrderLoaded | OrderReceived):
        return
    if isinstance(fact, OrderReceived) and fact.order in state.letters.going:
        network = state.letters.going[fact.order].network
        name, named = state.letters.recognised.get(network, network), order_named(fact.order)
        yield f"{named} goes to {name}, which receives it itself, and its receipt comes here as a letter"
    verb = "loaded" if isinstance(fact, OrderLoaded) else "received"
    for good, total, has in far_more(state.orders.get(fact.order), fact):
        much = measured(state.rows, good, total)
        if has:
            meant = measured(state.rows, good, has)
            yield f"{order_named(fact.order)} has {meant}, and this makes {much} that is {verb}; check the unit"
        else:
            yield f"{order_named(fact.order)} has no {good}; check the code and the good"


def _total(lines: Sequence[Line], good: str) -> int:
    return sum(line.quantity for line in lines if line.good == good)
