"""The benchmark networks: as large as announced, valid, the same for the same seed, and scarce on demand."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from abasto.network import Network
from abasto.tables import check_network, read_network

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # benchmarks are no part of the installed package

from benchmarks.generate import SIZES, generate, main


def vehicle_hours(network: Network) -> float:
    return sum(fleet.vehicles * fleet.hours_per_day for fleet in network.fleets)


@pytest.mark.parametrize("size", ["TINY", "SMALL", "MEDIUM"])
def test_a_network_has_the_places_goods_and_days_of_its_size(size: str) -> None:
    network = generate(size, seed=0)
    assert (len(network.sites), len(network.goods), network.days) == (
        SIZES[size].sites,
        SIZES[size].goods,
        SIZES[size].days,
    )


def test_medium_has_the_announced_number_of_directed_lanes_for_every_seed() -> None:
    for seed in range(5):
        network = generate("MEDIUM", seed=seed)
        assert 1400 <= len(network.lanes) <= 2200
        assert not any(lane.two_way for lane in network.lanes)


def test_large_has_about_seventeen_thousand_lanes_and_a_manageable_number_of_rows() -> None:
    network = generate("LARGE", seed=0)
    assert 16_000 <= len(network.lanes) <= 18_500
    assert len(network.needs) + len(network.stocks) + len(network.supplies) < 150_000


@pytest.mark.parametrize("chain", [False, True])
@pytest.mark.parametrize("size", ["TINY", "SMALL"])
def test_a_network_has_no_errors(size: str, chain: bool) -> None:
    for seed in range(5):
        findings = check_network(generate(size, seed=seed, chain=chain))
        assert [str(finding) for finding in findings if finding.severity == "error"] == []


def test_the_same_seed_gives_the_same_network_and_another_seed_another() -> None:
    assert generate("TINY", seed=3, chain=True) == generate("TINY", seed=3, chain=True)
    assert generate("TINY", seed=3) != generate("TINY", seed=4)


def test_every_lane_has_exactly_one_fleet_and_that_fleet_has_no_base() -> None:
    network = generate("SMALL", seed=1)
    fleets_of_mode = Counter(fleet.mode for fleet in network.fleets)
    assert set(fleets_of_mode.values()) == {1}
    assert {lane.mode for lane in network.lanes} <= set(fleets_of_mode)
    assert {fleet.site for fleet in network.fleets} == {None}
    assert len(network.fleets) == 50 // 6


def test_scarcity_divides_the_vehicle_hours_and_changes_nothing_else() -> None:
    plenty, few = generate("SMALL", seed=0, scarcity=0.5), generate("SMALL", seed=0, scarcity=2.0)
    assert vehicle_hours(plenty) == pytest.approx(4 * vehicle_hours(few), rel=0.02)
    assert plenty.needs == few.needs
    assert plenty.supplies == few.supplies
    assert plenty.lanes == few.lanes


def test_a_scarcity_of_nothing_is_refused_with_its_value() -> None:
    with pytest.raises(ValueError, match=r"scarcity is 0\.0"):
        generate("TINY", seed=0, scarcity=0.0)


def test_at_the_default_scarcity_trucks_cannot_bring_everything_even_along_shortest_ways() -> None:
    """Count it the slow way: Bellman-Ford over the lanes of each good, in vehicle-hours per tonne."""
    network = generate("SMALL", seed=0)
    fleet = {row.mode: row for row in network.fleets}
    hours_a_day = 0.0
    for good in network.goods:
        made_at = {row.site for row in network.plants if row.recipe == f"make {good.good}"}
        taken_in_at = {row.site for row in network.supplies if row.good == good.good}
        far = dict.fromkeys((site.site for site in network.sites), np.inf)
        far |= dict.fromkeys(made_at or taken_in_at, 0.0)
        for _ in network.sites:
            for lane in network.lanes:
                vehicle = fleet[lane.mode]
                trip = (2 * lane.travel_hours + vehicle.handling_hours) / vehicle.payload_t
                far[lane.to_site] = min(far[lane.to_site], far[lane.from_site] + trip)
        for need in network.needs:
            if need.good == good.good and need.from_day == 1 and np.isfinite(far[need.site]):
                hours_a_day += far[need.site] * need.quantity * good.kg_per_unit / 1000
    assert hours_a_day > vehicle_hours(network)


def test_some_places_are_cut_off_from_the_largest() -> None:
    network = generate("SMALL", seed=0)
    largest = max(network.sites, key=lambda site: site.people).site
    reached, frontier = {largest}, [largest]
    while frontier:
        here = frontier.pop()
        for lane in network.lanes:
            if lane.from_site == here and lane.to_site not in reached:
                reached.add(lane.to_site)
                frontier.append(lane.to_site)
    assert 0 < len(network.sites) - len(reached) < len(network.sites)


def test_a_chain_adds_one_recipe_whose_product_another_recipe_uses() -> None:
    plain, chained = generate("SMALL", seed=0), generate("SMALL", seed=0, chain=True)
    made = {line.recipe: line.good for line in chained.recipes if line.quantity > 0}
    used = {line.good for line in chained.recipes if line.quantity < 0}
    added = set(made) - {line.recipe for line in plain.recipes}
    assert len(added) == 1
    assert made[added.pop()] in used
    assert plain.needs == chained.needs
    assert plain.fleets == chained.fleets


def test_the_three_priorities_are_in_use_and_raw_goods_are_needed_by_nobody() -> None:
    network = generate("SMALL", seed=0)
    needed = {need.good for need in network.needs}
    assert {good.priority for good in network.goods if good.good in needed} == {1, 2, 3}
    assert len(needed) == 6


def test_opening_stock_fits_into_storage() -> None:
    network = generate("SMALL", seed=0, chain=True)
    weight = {good.good: good.kg_per_unit / 1000 for good in network.goods}
    for site in network.sites:
        tonnes = sum(row.quantity * weight[row.good] for row in network.stocks if row.site == site.site)
        assert site.storage_t is not None
        assert tonnes <= site.storage_t


def test_the_command_writes_tables_that_read_back_as_the_same_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["TINY", str(tmp_path / "tiny"), "--seed", "2", "--chain"]) == 0
    assert read_network(tmp_path / "tiny") == generate("TINY", seed=2, chain=True)
    assert "20 sites" in capsys.readouterr().out
