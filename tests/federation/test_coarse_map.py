"""The coarse map: totals within its rounding, one way to be written, no names, and nothing read that is not a map."""

from __future__ import annotations

import json
import lzma
import math
import random
from collections import defaultdict
from dataclasses import replace

import pytest
from federated import BREAD, FLOUR, SALT, granary, tiny
from hypothesis import given
from hypothesis import strategies as st

from abasto.errors import FederationError
from abasto.facts.canonical import canonical
from abasto.federation.border import Border
from abasto.federation.coarse import FINENESS, INTO, UNLIMITED, CoarseMap, amount, level
from abasto.federation.draw import draw_map, hours_inside, merge_sites
from abasto.federation.packed import MOST_BYTES, MOST_TEXT, MOST_WHOLE, _text, decode, encode
from abasto.network import Lane, Network
from abasto.planner.make import make_plan

FINE = 2
HALF_A_STEP = 2**0.25
"""Levels are powers of √2 here, so that none is further than half a step from what it stands for: 18.9 %."""


def drawn(network: Network, periods: int = 2, fineness: int = FINE, **ways: object) -> CoarseMap:
    border = Border(network)
    alone = make_plan(border.alone, gap=0.05)
    clusters = merge_sites(border)
    kept = hours_inside(alone, clusters, periods)
    return draw_map(border, clusters, kept, periods=periods, fairness=4.0, fineness=fineness, alone=alone, **ways)


@given(st.floats(min_value=1e-9, max_value=1e15), st.sampled_from(FINENESS))
def test_a_level_is_within_half_a_step_of_its_amount(value: float, fineness: int) -> None:
    half = 2 ** (0.5 / fineness) * (1 + 1e-9)
    assert 1 / half <= amount(level(value, fineness), fineness) / value <= half


@pytest.mark.parametrize("fineness", FINENESS)
def test_nothing_and_no_limit_have_levels_of_their_own(fineness: int) -> None:
    assert amount(level(0.0, fineness), fineness) == 0.0
    assert math.isinf(amount(level(math.inf, fineness), fineness))
    assert 0 < amount(level(5e-324, fineness), fineness) < 1e-15
    assert 1e22 < amount(level(1e300, fineness), fineness) < math.inf


@pytest.mark.parametrize("periods", [1, 2, 4])
def test_a_map_keeps_the_totals_of_needs_and_supplies_within_its_rounding(periods: int) -> None:
    for member in tiny(0).members:
        coarse = drawn(member, periods)
        goods = sorted(good.good for good in member.goods)
        own = Border(member).alone
        for table, rows, skip in (("needs", own.needs, 4), ("supplies", own.supplies, 2)):
            true: dict[str, float] = defaultdict(float)
            for row in rows:  # type: ignore[attr-defined]
                true[row.good] += row.quantity * ((row.to_day or own.days) - (row.from_day or 1) + 1)
            told: dict[str, float] = defaultdict(float)
            for line in coarse.tables[table]:
                told[goods[line[0]]] += sum(coarse.amount(value) for value in line[skip:])
            assert told.keys() == true.keys()
            for good, total in true.items():
                assert total / HALF_A_STEP <= told[good] * (1 + 1e-9)
                assert told[good] <= total * HALF_A_STEP * (1 + 1e-9)


def test_the_periods_of_a_map_are_the_days_of_the_horizon_once_each() -> None:
    coarse = drawn(tiny(0).members[0], 4)
    assert [day for period in range(4) for day in coarse.days_of(period)] == list(range(1, coarse.days + 1))


def test_what_is_written_is_read_and_written_alike() -> None:
    for member in tiny(0).members:
        coarse = drawn(member)
        raw = encode(coarse)
        assert len(raw) <= MOST_BYTES
        assert decode(raw) == coarse
        assert encode(decode(raw)) == raw
        assert decode(raw).digest == coarse.digest


def test_no_site_is_named_in_a_map() -> None:
    member = granary()
    text = unpacked(encode(drawn(member)))
    assert not [site.site for site in member.sites if site.site.encode() in text]


def test_nodes_are_of_three_sites_at_most_that_two_way_lanes_join() -> None:
    for member in tiny(0).members:
        border = Border(member)
        clusters = merge_sites(border)
        assert clusters.keys() == border.own
        sites: dict[int, set[str]] = defaultdict(set)
        for site, node in clusters.items():
            sites[node].add(site)
        ways = {(lane.from_site, lane.to_site) for lane in border.alone.lanes}
        for together in sites.values():
            assert len(together) <= 3
            joined, left = {min(together)}, together - {min(together)}
            while near := {b for b in left for a in joined if {(a, b), (b, a)} <= ways}:
                joined, left = joined | near, left - near
            assert not left


def test_a_one_way_lane_merges_nothing() -> None:
    member = granary()
    lanes = tuple(lane.model_copy(update={"two_way": False}) for lane in member.lanes)
    assert sorted(merge_sites(Border(member)).values()) == [0, 0]
    assert sorted(merge_sites(Border(replace(member, lanes=lanes))).values()) == [0, 1]


def test_offers_only_shows_what_is_left_over_and_no_needs() -> None:
    whole, offers = drawn(granary()), drawn(granary(), offers_only=True)
    assert whole.tables["needs"]
    assert any(row[1] & INTO for row in whole.tables["border"])
    assert not any(offers.tables[table] for table in ("needs", "plants", "labour"))
    assert offers.tables["border"]
    assert not any(row[1] & INTO for row in offers.tables["border"])
    flour = sorted((BREAD, FLOUR, SALT)).index(FLOUR)
    offered = sum(offers.amount(value) for row in offers.tables["supplies"] if row[0] == flour for value in row[2:])
    left = 4 * (9000.0 - 0.8 * 750.0)
    assert left / HALF_A_STEP <= offered <= left * HALF_A_STEP


def test_of_a_forbidden_good_nothing_is_shown_that_could_be_asked_for() -> None:
    goods = sorted((BREAD, FLOUR, SALT))
    coarse = drawn(granary(), forbidden={BREAD, SALT})
    assert {goods[row[0]] for row in coarse.tables["supplies"]} == {FLOUR}
    assert not coarse.tables["plants"]
    assert not coarse.tables["needs"], "all are met, and only what is short is told of a forbidden good"


def test_hours_spent_inside_nodes_are_kept_back() -> None:
    border = Border(granary())
    plan = make_plan(border.alone)
    clusters = merge_sites(border)
    kept = hours_inside(plan, clusters, 1)
    [[hours]] = kept.values()
    assert hours == pytest.approx(plan.trips["vehicle_hours"].sum())
    assert hours > 0


PACKED = [{"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME, "lc": 0, "pb": 0, "dict_size": 1 << 16}]


def unpacked(raw: bytes) -> bytes:
    return lzma.decompress(raw, lzma.FORMAT_RAW, filters=PACKED)


def pack(text: bytes) -> bytes:
    return lzma.compress(text, lzma.FORMAT_RAW, filters=PACKED)


def told(*, numbers: bytes | None = None, **changes: object) -> bytes:
    """Return the bytes of a map whose head says something else, or that has other numbers."""
    head, _, true = unpacked(encode(drawn(granary()))).partition(b"\n")
    return pack(canonical({**json.loads(head), **changes}) + b"\n" + (true if numbers is None else numbers))


def test_the_bytes_of_a_changed_map_that_says_the_same_rules_are_read() -> None:
    assert decode(told()).network == "valley"
    assert decode(told(network="dale")).network == "dale"


ROWS = [0] * 10
ONE_NODE = [1, *[0] * 9]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not packed",
        pack(b""),
        pack(b"[1,2]"),
        pack(b'{"v":2}\n'),
        told(v=1),
        told(days=0),
        told(periods=5),
        told(start=-1),
        told(start=True),
        told(fairness=10**9),
        told(fineness=3),
        told(common="short"),
        told(rows=[1]),
        told(rows=[-1, *[0] * 9]),
        told(rows=[True, *[0] * 9]),
        told(rows=[10**9, *[0] * 9]),
        told(rows=ROWS, numbers=b"\x00"),
        told(rows=ONE_NODE, numbers=b"\x02"),
        told(rows=ONE_NODE, numbers=b"\x01\x00"),
        told(rows=ONE_NODE, numbers=b"\x80\x00\x00"),
        told(rows=ONE_NODE, numbers=b"\xff\x7f\x00"),
        told(rows=ONE_NODE, numbers=b"\x80" * 100 + b"\x00"),
        told(rows=[1, 0, 0, 1, *[0] * 6], numbers=b"\x00\x00" + b"\x00\x02\x00"),
        told(rows=[1, 0, 0, 2, *[0] * 6], numbers=b"\x00\x00" + b"\x02\x01" + b"\x00\x00" + b"\x00\x00"),
        pack(unpacked(told()) + b" " * (1 << 22)),
        told() + b"x",
        told()[:-1],
        b"x" * (MOST_WHOLE + 1),
    ],
    ids=lambda raw: f"{raw[:12]!r} {len(raw)}",
)
def test_bytes_that_are_no_map_are_refused(raw: bytes) -> None:
    with pytest.raises(FederationError):
        decode(raw)


def test_a_map_of_nothing_is_a_map() -> None:
    assert decode(told(rows=ROWS, numbers=b"")).tables["nodes"] == ()
    assert decode(told(rows=ONE_NODE, numbers=b"\x00\x02")).tables["nodes"] == ((0, 1),)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    with pytest.raises(FederationError):
        decode(raw)


@given(st.data())
def test_no_damage_does_more_than_be_refused_or_change_what_is_said(data: st.DataObject) -> None:
    text = bytearray(unpacked(told()))
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        coarse = decode(pack(bytes(text)))
    except FederationError:
        return
    assert unpacked(encode(coarse, MOST_WHOLE)) == text


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("nodes", (UNLIMITED, 0)),
        ("needs", (0, 10, 0, UNLIMITED, 50)),
        ("needs", (0, 10, 0, 50, UNLIMITED)),
        ("supplies", (0, 0, UNLIMITED)),
        ("stocks", (0, 0, UNLIMITED)),
        ("reserves", (0, 0, UNLIMITED)),
        ("plants", (0, 0, UNLIMITED, 50)),
        ("plants", (0, 0, 0, UNLIMITED)),
        ("labour", (0, UNLIMITED)),
        ("fleets", (0, 0, 0, 0, 50)),
        ("fleets", (0, 0, UNLIMITED, 0, 50)),
        ("fleets", (0, 0, 50, UNLIMITED, 50)),
        ("fleets", (0, 0, 50, 0, UNLIMITED)),
        ("lanes", (0, 1, 1, 0, UNLIMITED, 50)),
        ("lanes", (1, 1, 0, 0, 50, 50)),
        ("border", (8, 1, 0, 0, UNLIMITED, 50)),
    ],
)
def test_what_no_table_can_hold_no_map_can_say(table: str, row: tuple[int, ...]) -> None:
    coarse = drawn(granary(), 1)
    nodes = {"nodes": ((0, 1), (0, 1))}
    text = _text(replace(coarse, tables={**coarse.tables, **nodes, table: (row,)}))
    with pytest.raises(FederationError, match="no map"):
        decode(pack(text))


def test_what_unpacks_to_more_than_any_map_is_not_unpacked() -> None:
    with pytest.raises(FederationError, match=f"more than {MOST_TEXT} bytes"):
        decode(pack(b" " * 10**7))


def test_a_map_that_would_be_too_long_is_not_written_but_as_a_whole() -> None:
    coarse = drawn(granary())
    numbers = random.Random(5).sample(range(2**32), 1800)
    many = [(lane, INTO, lane % 2, 0, 0, 0) for lane in numbers]
    long = replace(coarse, tables={**coarse.tables, "border": tuple(sorted(many)), "nodes": ((0, 1), (0, 1))})
    with pytest.raises(FederationError, match="at most 4096"):
        encode(long)
    assert MOST_BYTES < len(encode(long, MOST_WHOLE)) <= MOST_WHOLE
    assert decode(encode(long, MOST_WHOLE)).tables["border"] == long.tables["border"]


def test_a_way_back_that_is_alike_stands_in_one_row() -> None:
    def rows(*lanes: Lane) -> set[tuple[int, int, int]]:
        border = Border(replace(granary(), lanes=lanes))
        clusters = merge_sites(border, 1)
        coarse = draw_map(
            border, clusters, {}, periods=1, fairness=4.0, fineness=FINE, alone=make_plan(border.alone, gap=0.05)
        )
        return {row[:3] for row in coarse.tables["lanes"]}

    there = Lane(from_site="mill", to_site="square", hours=1.0, two_way=False)
    back = Lane(from_site="square", to_site="mill", hours=1.0, two_way=False)
    assert rows(there.model_copy(update={"two_way": True})) == {(0, 1, 1)}
    assert rows(there, back) == {(0, 1, 1)}
    assert rows(there, back.model_copy(update={"hours": 3.0})) == {(0, 1, 0), (1, 0, 0)}
    assert rows(back) == {(1, 0, 0)}
