"""The coarse map: totals within its rounding, one way to be written, no names, and nothing read that is not a map."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import replace

import pytest
import zstandard
from federated import BREAD, FLOUR, SALT, granary, tiny
from hypothesis import given
from hypothesis import strategies as st

from abasto.errors import FederationError
from abasto.facts.canonical import canonical
from abasto.federation.border import Border
from abasto.federation.coarse import MOST_BYTES, CoarseMap, amount, decode, encode, level
from abasto.federation.draw import draw_map, hours_inside, merge_sites
from abasto.network import Network
from abasto.planner.make import make_plan

HALF_A_STEP = 2**0.25
"""Levels are powers of √2, so that none is further than half a step from what it stands for: 18.9 %."""


def drawn(network: Network, periods: int = 2, **ways: object) -> CoarseMap:
    border = Border(network)
    alone = make_plan(border.alone, gap=0.05)
    clusters = merge_sites(border)
    kept = hours_inside(alone, clusters, periods)
    return draw_map(border, clusters, kept, periods=periods, fairness=4.0, alone=alone, **ways)  # type: ignore[arg-type]


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_a_level_is_within_half_a_step_of_its_amount(value: float) -> None:
    assert amount(level(value)) / value * (1 + 1e-9) >= 1 / HALF_A_STEP
    assert amount(level(value)) / value <= HALF_A_STEP * (1 + 1e-9)


def test_nothing_and_no_limit_have_levels_of_their_own() -> None:
    assert amount(level(0.0)) == 0.0
    assert math.isinf(amount(level(math.inf)))


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
                told[goods[line[1]]] += sum(amount(value) for value in line[skip:])
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
    text = zstandard.decompress(encode(drawn(member))).decode()
    assert not [site.site for site in member.sites if site.site in text]


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
    assert whole.tables["into"]
    assert not any(offers.tables[table] for table in ("needs", "plants", "labour", "into"))
    flour = sorted((BREAD, FLOUR, SALT)).index(FLOUR)
    offered = sum(amount(value) for row in offers.tables["supplies"] if row[1] == flour for value in row[2:])
    left = 4 * (9000.0 - 0.8 * 750.0)
    assert left / HALF_A_STEP <= offered <= left * HALF_A_STEP


def test_of_a_forbidden_good_nothing_is_shown_that_could_be_asked_for() -> None:
    goods = sorted((BREAD, FLOUR, SALT))
    coarse = drawn(granary(), forbidden={BREAD, SALT})
    assert {goods[row[1]] for row in coarse.tables["supplies"]} == {FLOUR}
    assert not coarse.tables["plants"]
    assert not coarse.tables["needs"], "all are met, and only what is short is told of a forbidden good"


def test_hours_spent_inside_nodes_are_kept_back() -> None:
    border = Border(granary())
    plan = make_plan(border.alone)
    clusters = merge_sites(border)
    kept = hours_inside(plan, clusters, 1)
    assert kept["mill trucks"][0] == pytest.approx(plan.trips["vehicle_hours"].sum())
    assert kept["mill trucks"][0] > 0


def pack(said: object) -> bytes:
    return zstandard.compress(canonical(said), 19)


def told(**changes: object) -> dict[str, object]:
    said: dict[str, object] = json.loads(zstandard.decompress(encode(drawn(granary()))))
    return said | changes


def test_the_bytes_of_a_changed_map_that_says_the_same_rules_are_read() -> None:
    assert decode(pack(told())).network == "valley"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not packed",
        pack([1, 2]),
        pack(told(v=2)),
        pack(told(days=0)),
        pack(told(periods=5)),
        pack(told(start=-1)),
        pack(told(start=True)),
        pack(told(fairness=10**9)),
        pack(told(common="short")),
        pack(told(tables={"books": [[1]]})),
        pack(told(tables={"nodes": [[1], [2, 3]]})),
        pack(told(tables={"nodes": [[1]]})),
        pack(told(tables={"nodes": [[100], [256]]})),
        pack(told(tables={"nodes": [[100], [-1]]})),
        pack(told(tables={"nodes": [[100], [255]], "stocks": [[1], [0], [100]]})),
        pack(told(tables={"nodes": [[], []]})),
        pack(told(tables={"nodes": [[100], [255]], "stocks": [[0, 0], [1, 0], [100, 100]]})),
        zstandard.compress(json.dumps(told()).encode()),
        zstandard.compress(json.dumps(told(fairness=math.nan)).encode()),
        zstandard.compress(b" " * (1 << 24)),
        b"x" * (MOST_BYTES + 1),
    ],
    ids=lambda raw: f"{raw[:12]!r} {len(raw)}",
)
def test_bytes_that_are_no_map_are_refused(raw: bytes) -> None:
    with pytest.raises(FederationError):
        decode(raw)


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_be_refused(raw: bytes) -> None:
    with pytest.raises(FederationError):
        decode(raw)


def test_a_map_that_would_be_too_long_is_not_written() -> None:
    coarse = drawn(granary())
    many = tuple((lane * 7919 % 2**32, lane % 2) for lane in range(3000))
    with pytest.raises(FederationError, match="at most 4096"):
        encode(replace(coarse, tables={**coarse.tables, "into": tuple(sorted(many)), "nodes": ((1, 1), (1, 1))}))
