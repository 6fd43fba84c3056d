"""The clearing: alike for all who hold the same maps, whatever their order and wherever it is computed."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from federated import FLOUR, SALT, coast, granary, tiny

from abasto.errors import FederationError
from abasto.federation.border import Border, lane_id
from abasto.federation.clearing import clear, coarse_network
from abasto.federation.coarse import OUT, CoarseMap
from abasto.federation.draw import draw_map, merge_sites
from abasto.federation.packed import encode
from abasto.network import Network, Stock
from abasto.planner.make import make_plan
from abasto.tables import check_network, write_network


def drawn(network: Network, periods: int = 1) -> CoarseMap:
    border = Border(network)
    alone = make_plan(border.alone, gap=0.05)
    return draw_map(border, merge_sites(border), {}, periods=periods, fairness=4.0, fineness=2, alone=alone)


def test_flour_and_salt_go_where_they_are_lacking_and_nothing_goes_back() -> None:
    clearing = clear([drawn(granary()), drawn(coast())], coast())
    there = lane_id("valley", "square", "coast", "harbour")
    assert {(flow.lane, flow.good) for flow in clearing.flows} >= {(there, FLOUR)}
    assert {flow.lane for flow in clearing.flows} == {there}
    assert {flow.good for flow in clearing.flows} <= {FLOUR, SALT, "bread"}
    assert all(flow.price > 0 and all(flow.amounts) for flow in clearing.flows)


def test_small_networks_share_too() -> None:
    members = [
        replace(
            network,
            needs=tuple(row.model_copy(update={"quantity": row.quantity / 500}) for row in network.needs),
            rations=tuple(row.model_copy(update={"quantity": row.quantity / 500}) for row in network.rations),
            supplies=tuple(row.model_copy(update={"quantity": row.quantity / 500}) for row in network.supplies),
            stocks=tuple(row.model_copy(update={"quantity": row.quantity / 500}) for row in network.stocks),
        )
        for network in (granary(), coast())
    ]
    whole = {
        (flow.lane, flow.good): sum(flow.amounts) for flow in clear(map(drawn, (granary(), coast())), coast()).flows
    }
    small = {(flow.lane, flow.good): sum(flow.amounts) for flow in clear(map(drawn, members), members[1]).flows}
    there = lane_id("valley", "square", "coast", "harbour")
    assert whole[there, FLOUR] > 0
    assert 0 < small[there, FLOUR] < 1000, "kilograms over the whole horizon, under two tonnes"


def test_a_clearing_without_the_receivers_map_proposes_nothing() -> None:
    assert clear([drawn(granary())], granary()).flows == ()


def test_a_lane_into_a_network_that_shows_no_way_in_carries_nothing() -> None:
    deaf = drawn(coast())
    deaf = replace(deaf, tables={**deaf.tables, "border": tuple(row for row in deaf.tables["border"] if row[1] == OUT)})
    assert clear([drawn(granary()), deaf], granary()).flows == ()


def test_a_lane_of_which_two_maps_claim_an_end_carries_nothing() -> None:
    there = lane_id("valley", "square", "coast", "harbour")
    liar = replace(drawn(coast()), network="delta")
    assert there in {flow.lane for flow in clear([drawn(granary()), liar], granary()).flows}, "alone it would be heard"
    assert there not in {flow.lane for flow in clear([drawn(granary()), drawn(coast()), liar], granary()).flows}


def test_maps_together_are_tables_that_hold() -> None:
    maps = [drawn(member, 2) for member in tiny(0).members]
    network = coarse_network(maps, tiny(0).whole)
    assert network.days == 2
    assert not [finding for finding in check_network(network) if finding.severity == "error"]


@pytest.mark.parametrize("tonnes", [11.3, 12.5, 17.8])
def test_a_full_store_stays_one_where_rounding_makes_more_of_what_lies_in_it(tonnes: float) -> None:
    sites = tuple(
        site.model_copy(update={"storage_t": tonnes}) if site.site == "mill" else site for site in granary().sites
    )
    stocks = tuple(Stock(site="mill", good=good, quantity=500.0 * tonnes) for good in (FLOUR, SALT))
    border = Border(granary(sites=sites, stocks=stocks))
    alone = make_plan(border.alone, gap=0.05)
    full = draw_map(border, merge_sites(border, 1), {}, periods=1, fairness=4.0, fineness=2, alone=alone)
    [room] = [full.amount(room) for _, room in full.tables["nodes"] if room > 1]
    assert sum(full.amount(much) for *_, much in full.tables["stocks"]) > 1000 * room
    assert clear([full, drawn(coast())], coast()).flows


@pytest.mark.parametrize("periods", [1, 2])
def test_the_order_in_which_maps_come_changes_no_byte(periods: int) -> None:
    maps = [drawn(member, periods) for member in tiny(0).members]
    clearings = [clear(order, tiny(0).whole) for order in itertools.permutations(maps)]
    assert clearings[0].flows
    assert {clearing.digest for clearing in clearings} == {clearings[0].digest}
    assert all(clearing == clearings[0] for clearing in clearings)


SECOND = """
import sys
from pathlib import Path
from abasto.federation.clearing import clear
from abasto.federation.packed import decode
from abasto.tables import read_network

folder = Path(sys.argv[1])
maps = [decode(file.read_bytes()) for file in sorted(folder.glob("*.map"), reverse=True)]
print(clear(maps, read_network(folder / "tables")).digest)
"""


def test_a_second_process_computes_the_same_clearing_from_the_bytes(tmp_path: Path) -> None:
    members = tiny(1).members
    maps = [drawn(member) for member in members]
    for coarse in maps:
        (tmp_path / f"{coarse.network}.map").write_bytes(encode(coarse))
    write_network(members[0], tmp_path / "tables")
    second = subprocess.run(
        [sys.executable, "-c", SECOND, str(tmp_path)], capture_output=True, text=True, check=True, timeout=300
    )
    assert second.stdout.strip() == clear(maps, members[0]).digest


def test_another_map_is_another_clearing() -> None:
    maps = [drawn(granary()), drawn(coast())]
    richer = granary(supplies=tuple(row.model_copy(update={"quantity": 9e4}) for row in granary().supplies))
    assert clear(maps, coast()).digest != clear([drawn(richer), maps[1]], coast()).digest


@pytest.mark.parametrize(
    "change", [{"days": 3}, {"fairness": 2.0}, {"common": "0" * 32}, {"start": granary().start.replace(day=2)}]
)
def test_maps_of_other_days_fairness_or_lists_are_not_cleared_together(change: dict[str, object]) -> None:
    other = replace(drawn(coast()), **change)  # type: ignore[arg-type]
    with pytest.raises(FederationError):
        clear([drawn(granary()), other], granary())


def test_a_map_of_goods_that_the_list_does_not_have_is_refused() -> None:
    odd = drawn(coast())
    odd = replace(odd, tables={**odd.tables, "stocks": ((17, 0, 100),)})
    with pytest.raises(FederationError, match="good 17"):
        clear([odd, drawn(granary())], granary())
