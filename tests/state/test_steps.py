"""What is left of an order: worked out by hand."""

from __future__ import annotations

from abasto.facts.kinds import Line, OrderIssued
from abasto.state.steps import changed_lines, less, lines_to_receive
from abasto.state.types import OrderRecord

ISSUED = OrderIssued(
    "Mill", "School", "van", 1, "2026-11-22", "2026-11-22",
    (Line("flour", 100, "2027-01-01"), Line("flour", 50, ""), Line("milk", 20, "")), "2026-11-21",
)  # fmt: skip
ORDER = OrderRecord("O" * 43, ISSUED, "loaded", "author")


def test_what_is_left_is_taken_off_the_same_lot_first() -> None:
    assert less(ISSUED.lines, [Line("flour", 70, "")]) == (Line("flour", 80, "2027-01-01"), Line("milk", 20, ""))


def test_another_quantity_keeps_the_lots_as_far_as_they_go() -> None:
    assert changed_lines(ISSUED.lines, {"flour": 120})[1:] == (
        Line("flour", 100, "2027-01-01"),
        Line("flour", 20, ""),
    )
    assert changed_lines(ISSUED.lines, {"flour": 160})[-1] == Line("flour", 10)
    assert changed_lines(ISSUED.lines, {"flour": 0}) == (Line("milk", 20, ""),)


def test_all_that_was_loaded_arrives_unless_somebody_says_otherwise() -> None:
    assert lines_to_receive(ORDER, {}) == ISSUED.lines
    assert lines_to_receive(ORDER, {"milk": 5}) == (*ISSUED.lines[:2], Line("milk", 5, ""))
    assert lines_to_receive(ORDER, {"milk": 5}, more_to_come=True) == (Line("milk", 5, ""),)


def test_an_order_of_which_nothing_came_is_received_with_nothing() -> None:
    assert lines_to_receive(ORDER, {"flour": 0, "milk": 0}) == (Line("flour", 0, "2027-01-01"),)
    assert lines_to_receive(OrderRecord("O" * 43, None, "unknown", ""), {}) == ()
