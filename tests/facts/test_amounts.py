"""Quantities between decimals and thousandths: exact both ways, or refused."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abasto.errors import FactError
from abasto.facts.amounts import amount, thousandths
from abasto.facts.kinds import MOST


@given(st.integers(-MOST, MOST))
def test_an_amount_reads_back_as_the_same_thousandths(quantity: int) -> None:
    text = amount(quantity)
    assert thousandths(text) == quantity
    assert Fraction(text) == Fraction(quantity, 1000)
    assert thousandths(Decimal(text)) == quantity


@given(st.integers(-(10**12), 10**12))
def test_a_float_counts_as_the_decimal_that_it_prints(quantity: int) -> None:
    assert thousandths(quantity / 1000) == quantity


@given(st.decimals(allow_nan=False, allow_infinity=False, places=None))
def test_any_decimal_is_exact_or_refused(value: Decimal) -> None:
    exact = Fraction(value) * 1000 if abs(value.adjusted()) < 40 else None
    try:
        found = thousandths(value)
    except FactError:
        assert value.adjusted() >= 40 or exact is None or exact.denominator > 1 or abs(exact) > MOST
    else:
        assert value == 0 or found == exact


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("30", 30_000),
        (" 30 ", 30_000),
        ("030", 30_000),
        ("-0", 0),
        ("0.000", 0),
        ("1.50000", 1_500),
        ("-1.5", -1_500),
        ("1e3", 1_000_000),
        ("1E-3", 1),
        ("9007199254740.991", MOST),
        (0.1, 100),
        (1e-3, 1),
        (7, 7_000),
    ],
)
def test_decimals_are_read(text: str | float, quantity: int) -> None:
    assert thousandths(text) == quantity


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,5",
        "1.",
        ".5",
        "1 000",
        "1_000",
        "+1",
        "--1",
        "½",
        "３",
        "1e",
        "0x10",
        "nan",
        "inf",
        float("nan"),
        True,
    ],
)
def test_what_is_no_plain_number_is_refused(text: str | float) -> None:
    with pytest.raises(FactError, match="is no number; write digits with a point"):
        thousandths(text)


@pytest.mark.parametrize("text", ["0.0001", "1.00000000000000000000000000000000001", "1e-4", "1e-9999", 0.0005])
def test_what_is_finer_than_a_thousandth_is_refused(text: str | float) -> None:
    with pytest.raises(FactError, match="finer than a thousandth"):
        thousandths(text)


@pytest.mark.parametrize("text", ["9007199254740.992", "1e13", "1e9999", "9" * 5_000, 1e300])
def test_what_is_too_much_is_refused(text: str | float) -> None:
    with pytest.raises(FactError, match=r"more than can be kept \(9007199254740.991\)"):
        thousandths(text)
