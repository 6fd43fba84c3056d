"""Facts and their bodies: what is written reads back, and what is no fact of its kind is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from tests.facts.strategies import KINDS, bodies, facts

from abasto.errors import FactError
from abasto.facts.canonical import canonical, parse
from abasto.facts.kinds import FACTS, MOST, Fact, StockCounted, UnknownFact, body_of, fact_of

COUNTED = {"site": "store-1", "good": "flour", "quantity": 30_000, "date": "2026-11-22"}


def test_the_strategies_know_every_kind() -> None:
    assert set(KINDS) == set(FACTS.values())


@settings(max_examples=500)
@given(facts)
def test_a_fact_reads_back_from_its_body(fact: Fact) -> None:
    assert not isinstance(fact, UnknownFact)
    assert fact_of(fact.KIND, body_of(fact)) == fact


@given(facts)
def test_a_body_has_canonical_bytes_and_says_nothing_at_its_default(fact: Fact) -> None:
    assert not isinstance(fact, UnknownFact)
    body = body_of(fact)
    assert parse(canonical(body)) == body
    for name in body:
        shorter = {one: value for one, value in body.items() if one != name}
        try:
            other = fact_of(fact.KIND, shorter)
        except FactError:
            continue
        assert other != fact


@given(bodies)
def test_a_body_of_a_later_kind_is_kept_as_it_is_and_never_written(body: dict[str, Any]) -> None:
    fact = fact_of("later.kind", body)
    assert fact == UnknownFact("later.kind", body)
    with pytest.raises(FactError, match=r"later.kind: this version does not know"):
        body_of(fact)


@given(bodies)
def test_any_body_is_a_fact_or_refused(body: dict[str, Any]) -> None:
    for kind in FACTS:
        with pytest.raises(FactError, match=f"^{kind}"):
            fact_of(kind, body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("site", ""),
        ("site", " store-1"),
        ("site", "x" * 201),
        ("site", 1),
        ("site", None),
        ("good", ["flour"]),
        ("quantity", -1),
        ("quantity", MOST + 1),
        ("quantity", "30"),
        ("quantity", True),
        ("quantity", 30.0),
        ("quantity", None),
        ("date", ""),
        ("date", "2026-13-01"),
        ("date", "2026-02-30"),
        ("date", "20261122"),
        ("date", "2026-W47-7"),
        ("date", "2026-11-22T10:00"),
        ("date", "２026-11-22"),
        ("date", 20261122),
        ("lot", None),
        ("lot", "soon"),
        ("lot", 0),
        ("ref", 7),
        ("ref", "x" * 4_001),
    ],
)
def test_a_field_that_is_not_as_it_must_be_is_named_with_its_value(field: str, value: Any) -> None:
    assert fact_of("stock.counted", COUNTED) == StockCounted("store-1", "flour", 30_000, "2026-11-22")
    with pytest.raises(FactError, match=f"^stock.counted, {field}: ") as told:
        fact_of("stock.counted", {**COUNTED, field: value})
    assert len(str(told.value)) < 250
    assert repr(value)[:40] in str(told.value)


@pytest.mark.parametrize("missing", list(COUNTED))
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(FactError, match=f"{missing} is missing"):
        fact_of("stock.counted", {name: value for name, value in COUNTED.items() if name != missing})


def test_a_field_too_many_is_named() -> None:
    with pytest.raises(FactError, match="knows no colour in"):
        fact_of("stock.counted", {**COUNTED, "colour": "blue"})


@pytest.mark.parametrize(
    "lines",
    [
        [],
        {},
        "flour",
        [["flour", 1]],
        [{"good": "flour"}],
        [{"good": "flour", "quantity": -1}],
        [{"good": "flour", "quantity": 1, "lot": None}],
        [{"good": "flour", "quantity": 1, "colour": "blue"}],
        [{"good": "flour", "quantity": 1}] * 101,
    ],
    ids=lambda lines: repr(lines)[:40],
)
def test_lines_that_are_none_are_refused(lines: Any) -> None:
    with pytest.raises(FactError, match="lines"):
        fact_of("order.loaded", {"order": "A" * 43, "lines": lines, "date": "2026-11-22"})


def test_what_was_used_up_may_be_negative_only_where_goods_are_made() -> None:
    used = [{"good": "flour", "quantity": -1_000}, {"good": "bread", "quantity": 1_300}]
    body = {"site": "bakery", "recipe": "bread", "batches": 1_000, "lines": used, "date": "2026-11-22"}
    assert body_of(fact_of("goods.made", body)) == body


def test_a_fact_made_in_python_is_held_to_the_same_rules() -> None:
    with pytest.raises(FactError, match=r"stock.counted, quantity: 30.0"):
        body_of(StockCounted("store-1", "flour", 30.0, "2026-11-22"))  # type: ignore[arg-type]


ANSWERED = {"alarm": "runs out/School/bread", "answer": "taken", "date": "2026-11-22"}
SNOOZED = {**ANSWERED, "answer": "snoozed", "until": "2026-11-25", "reason": "boat on Wednesday"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**ANSWERED, "alarm": "runs out"}, "alarm: 'runs out' — must be an alarm's key"),
        ({**ANSWERED, "alarm": "/School/bread"}, "alarm: "),
        ({**ANSWERED, "alarm": "a/b/" + "x" * 600}, "alarm: "),
        ({**ANSWERED, "answer": "maybe"}, "answer: 'maybe' — must be one of taken, settled, snoozed, wrong"),
        ({**ANSWERED, "answer": ["taken"]}, "answer: "),
        ({**ANSWERED, "answer": "wrong"}, "reason: '' — who answers 'wrong' must say why"),
        ({**ANSWERED, "answer": "wrong", "reason": "  "}, "reason: "),
        ({**ANSWERED, "until": "2026-11-25"}, "until: '2026-11-25' — must be left out of 'taken'"),
        ({**SNOOZED, "until": ""}, "until: '' — who answers 'snoozed' must say until which date"),
        ({**SNOOZED, "until": "soon"}, "until: 'soon' — must be a date"),
        ({**SNOOZED, "until": "2026-11-22"}, "until: '2026-11-22' — must be after the date"),
        ({**SNOOZED, "until": "2026-12-24"}, "at most 31 days later"),
        ({**SNOOZED, "reason": ""}, "reason: '' — who answers 'snoozed' must say why"),
    ],
)
def test_an_odd_answer_to_an_alarm_is_refused_by_name(body: dict[str, Any], named: str) -> None:
    with pytest.raises(FactError, match=r"^alarm\.answered, ") as told:
        fact_of("alarm.answered", body)
    assert named in str(told.value)


def test_an_alarm_may_be_put_off_for_31_days_and_be_about_no_good() -> None:
    assert fact_of("alarm.answered", {**SNOOZED, "until": "2026-12-23"})
    assert fact_of("alarm.answered", {**ANSWERED, "alarm": "silent/School/"})
