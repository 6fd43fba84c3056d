"""What targets mean, against a plain reading of the rules."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abasto.network import Fleet, Lane, Network, Plant, Site, Supply
from abasto.tables.target import Targets, resolve

START = date(2026, 11, 22)
NETWORK = Network(
    "Barrio",
    START,
    7,
    sites=tuple(Site(site=name) for name in ("a", "b", "c", "a/b", "a>b")),
    supplies=(Supply(site="a", good="oil", quantity=1), Supply(site="a/b", good="oil/cold", quantity=1)),
    plants=(
        Plant(site="a", recipe="bake", batches=1, to_day=3),
        Plant(site="a", recipe="bake", batches=2, from_day=4),
        Plant(site="b", recipe="bake", batches=1),
        Plant(site="b", recipe="grind", batches=1),
    ),
    lanes=(
        Lane(from_site="a", to_site="b"),
        Lane(from_site="b", to_site="c", two_way=False),
        Lane(from_site="a>b", to_site="c", two_way=False),
    ),
    fleets=(Fleet(fleet="trucks", vehicles=1, payload_t=1), Fleet(fleet="boats", vehicles=1, payload_t=1)),
)

EXAMPLES = [
    ("site", "a", ("a",)),
    ("site", "a/b", ("a/b",)),
    ("site", "x", ()),
    ("site", "*", ("a", "a/b", "a>b", "b", "c")),
    ("fleet", "boats", ("boats",)),
    ("fleet", "*", ("boats", "trucks")),
    ("plant", "a/bake", (("a", "bake"),)),
    ("plant", "*/bake", (("a", "bake"), ("b", "bake"))),
    ("plant", "b/*", (("b", "bake"), ("b", "grind"))),
    ("plant", "*", (("a", "bake"), ("b", "bake"), ("b", "grind"))),
    ("plant", "*/*", (("a", "bake"), ("b", "bake"), ("b", "grind"))),
    ("plant", "a/grind", ()),
    ("plant", "a", ()),
    ("supply", "a/b/oil/cold", (("a/b", "oil/cold"),)),
    ("buy", "a/oil", (("a", "oil"),)),
    ("supply", "*/oil/cold", (("a/b", "oil/cold"),)),
    ("lane", "a>b", (("a", "b"), ("b", "a"))),
    ("lane", "b>a", (("a", "b"), ("b", "a"))),
    ("lane", "a > b", (("a", "b"), ("b", "a"))),
    ("lane", "b>c", (("b", "c"),)),
    ("lane", "c>b", ()),
    ("lane", "a>b>c", (("a>b", "c"),)),
    ("lane", "*>c", (("a>b", "c"), ("b", "c"))),
    ("lane", "b>*", (("a", "b"), ("b", "a"), ("b", "c"))),
    ("lane", "*", (("a", "b"), ("a>b", "c"), ("b", "a"), ("b", "c"))),
]


@pytest.mark.parametrize(
    ("kind", "target", "meant"), EXAMPLES, ids=[f"{kind} {target}" for kind, target, _ in EXAMPLES]
)
def test_target_means_exactly_these_things(kind: str, target: str, meant: tuple[object, ...]) -> None:
    assert resolve(kind, target, NETWORK) == meant


def test_question_about_another_network_is_answered_from_that_network() -> None:
    other = Network("Otro", START, 7, sites=(Site(site="x"),))
    assert resolve("site", "*", NETWORK) == ("a", "a/b", "a>b", "b", "c")
    assert resolve("site", "*", other) == ("x",)
    assert resolve("site", "x", NETWORK) == ()


IDS = st.sampled_from(["a", "b", "a>", ">b", "a>b", "*"])


@given(
    st.lists(st.tuples(IDS, IDS, st.booleans()), max_size=5, unique_by=lambda lane: lane[:2]),
    st.one_of(st.just("*"), st.builds("{}>{}".format, IDS, IDS)),
)
def test_lanes_meant_are_those_of_every_reading_and_their_way_back(
    lanes: list[tuple[str, str, bool]], target: str
) -> None:
    network = Network(
        "Barrio", START, 1, lanes=tuple(Lane(from_site=start, to_site=end, two_way=both) for start, end, both in lanes)
    )
    meant = set()
    for start, end, two_way in lanes:
        there = {f"{start}>{end}", f"{start}>*", f"*>{end}", "*>*", "*"}
        back = {f"{end}>{start}", f"{end}>*", f"*>{start}"}
        if target in there:
            meant |= {(start, end)}
        if two_way and target in there | back:
            meant |= {(start, end), (end, start)}
    # A lane that another row also gives as two-way goes back even if its own row is one-way.
    both_ways = {pair for start, end, two_way in lanes if two_way for pair in ((start, end), (end, start))}
    meant |= {pair[::-1] for pair in meant if pair in both_ways}
    assert Targets(network).resolve("lane", target) == tuple(sorted(meant))
