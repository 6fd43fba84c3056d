"""Recipes that make something from nothing, against a plain search for amounts that do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abasto.tables.cycles import gaining_cycles

EXAMPLES = [
    ("a circle that gains", {"bake": {"f": -1, "b": 2}, "grind": {"b": -1, "f": 1}}, [["bake", "grind"]]),
    ("a circle that loses", {"bake": {"f": -1, "b": 2}, "grind": {"b": -2.1, "f": 1}}, []),
    ("packing and unpacking", {"pack": {"kg": -50, "bag": 1}, "unpack": {"bag": -1, "kg": 50}}, []),
    ("odd factors", {"pack": {"kg": -3, "bag": 0.1}, "unpack": {"bag": -0.1, "kg": 3}}, []),
    ("a gain in a byproduct only", {"go": {"a": -1, "b": 1}, "back": {"b": -1, "a": 1, "heat": 3}}, [["back", "go"]]),
    ("a circle that needs something", {"go": {"a": -1, "oil": -1, "b": 2}, "back": {"b": -1, "a": 1}}, []),
    ("no circle", {"mill": {"wheat": -1, "flour": 0.8}, "bake": {"flour": -1, "bread": 1.3}}, []),
    ("a source is none", {"well": {"water": 1}, "filter": {"water": -1, "clean": 1}}, []),
    (
        "who merely uses the gain is not named",
        {"go": {"a": -1, "b": 2}, "back": {"b": -1, "a": 1}, "cook": {"a": -1, "soup": 1}},
        [["back", "go"]],
    ),
    (
        "two circles apart",
        {"a": {"x": -1, "y": 2}, "b": {"y": -1, "x": 1}, "c": {"u": -1, "v": 2}, "d": {"v": -1, "u": 1}},
        [["a", "b"], ["c", "d"]],
    ),
    ("units far apart", {"go": {"mg": -1e6, "kg": 1.01}, "back": {"kg": -1, "mg": 1e6}}, [["back", "go"]]),
]


@pytest.mark.parametrize(("lines", "circles"), [row[1:] for row in EXAMPLES], ids=[row[0] for row in EXAMPLES])
def test_circle_is_found_exactly_where_something_comes_from_nothing(
    lines: dict[str, dict[str, float]], circles: list[list[str]]
) -> None:
    assert gaining_cycles(lines) == circles


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=5))
def test_ring_of_recipes_gains_exactly_if_its_factors_multiply_to_more_than_one(ring: list[tuple[int, int]]) -> None:
    lines = {
        f"r{place}": {f"g{place}": -float(used), f"g{(place + 1) % len(ring)}": float(made)}
        for place, (used, made) in enumerate(ring)
    }
    all_used, all_made = 1, 1
    for used, made in ring:
        all_used *= used
        all_made *= made
    found = gaining_cycles(lines)
    assert found == ([sorted(lines)] if all_made > all_used else [])
