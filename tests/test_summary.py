"""The words of a plan, each computed a second time in plain loops or written out in full."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from abasto.network import Lane, Need, Network
from abasto.summary import (
    fleet_hours,
    fleet_uses,
    gap_words,
    is_fully_met,
    people_at,
    plan_document,
    plan_lines,
    summarize,
)
from hand_built import FULL, NEEDED, NETWORK, SHORT, hand_built_plan

NONE = np.zeros(3, dtype=np.bool_)


def test_worst_places_are_the_least_covered_weighted_by_priority() -> None:
    plan = hand_built_plan()
    by_hand = {}
    for place in ("hill", "vale"):
        bread, milk = SHORT[place, "bread"], SHORT[place, "milk"]
        by_hand[place] = (sum(bread) + 0.1 * sum(milk)) / (3 + 0.1 * 3)
    found = {place.site: place.coverage for place in summarize(plan).worst}
    assert list(found) == sorted(by_hand, key=lambda place: by_hand[place])
    assert found == pytest.approx(by_hand)


def test_worst_place_names_its_least_covered_need_and_when_it_is_short() -> None:
    vale, hill = summarize(hand_built_plan()).worst
    assert (vale.need, vale.need_coverage, vale.first_day, vale.last_day) == ("milk", 0.0, 1, 3)
    assert (hill.need_name, hill.first_day, hill.last_day) == ("Bread", 2, 3)


def test_short_needs_add_up_what_is_missing() -> None:
    missing = dict.fromkeys(NEEDED, 0.0)
    for (_, need), shares in SHORT.items():
        missing[need] += sum(NEEDED[need] * (1 - share) for share in shares)
    short = {need.need: need for need in summarize(hand_built_plan()).short}
    assert {name: need.unmet for name, need in short.items()} == pytest.approx(missing)
    assert (short["bread"].sites, short["bread"].people) == (2, 400)
    assert short["milk"].cause == "the trucks are full"


def test_fleet_hours_follow_the_scenario_and_the_days_a_fleet_is_there() -> None:
    usual = {name: hours.tolist() for name, hours in fleet_hours(NETWORK, None).items()}
    lockout = {name: hours.tolist() for name, hours in fleet_hours(NETWORK, "lockout").items()}
    assert usual == {"carts": [20.0, 20.0, 20.0], "van": [0.0, 8.0, 8.0]}
    assert lockout == {"carts": [10.0, 10.0, 5.0], "van": [0.0, 8.0, 2.0]}


def test_a_fleet_is_full_on_the_days_it_uses_all_its_hours() -> None:
    carts, van = summarize(hand_built_plan()).fleets
    assert (carts.fleet, carts.hours_used, carts.full_days, carts.days) == ("carts", 24.0, 1, 3)
    assert (van.hours_available, van.full_days, van.days) == (16.0, 0, 2)


def test_a_site_serves_its_people_or_the_most_that_a_need_of_it_names() -> None:
    needs = (
        Need(site="port", good="bread", quantity=5, people=40),
        Need(site="hill", good="bread", quantity=5, people=20),
        Need(site="vale", good="bread", quantity=5),
    )
    assert people_at(replace(NETWORK, needs=needs)) == {"port": 40, "hill": 300, "vale": 100, "isle": 50}


def test_rounding_left_by_a_solver_is_no_shortage() -> None:
    nearly = {key: tuple(share - 9e-5 for share in shares) for key, shares in FULL.items()}
    assert is_fully_met(hand_built_plan(nearly))
    assert not is_fully_met(hand_built_plan({**nearly, ("isle", "bread"): (1.0, 1.0, 1 - 2e-4)}))
    assert not is_fully_met(hand_built_plan())


@pytest.mark.parametrize(
    ("bound", "status", "words"),
    [
        (1006.0, "planned", "no plan can be more than 0.60 % better"),
        (1000.0, "planned", "no plan can be better"),
        (float("inf"), "planned", "how much better another plan could be is not known"),
        (1030.0, "stopped", "stopped: best plan so far, at most 3.0 % below the best possible"),
    ],
)
def test_the_gap_in_words(bound: float, status: str, words: str) -> None:
    assert gap_words(hand_built_plan(bound=bound, status=status)) == words


def test_summary_lines_of_a_short_plan() -> None:
    assert plan_lines(hand_built_plan(scenario="lockout")) == [
        "Barrio: 3 days from 2026-11-22, 4 sites, 450 people, scenario lockout",
        "Planned in 0.4 s (exact solver); no plan can be more than 0.60 % better.",
        "",
        "On average 68 % of what is needed is met; the worst-off 5 % get 5 %, the worst served 0 %.",
        "  priority 1: 62 % of 1,350 people-days of need",
        "  priority 2: 75 % of 1,200 people-days of need",
        "",
        "Worst off",
        "  Vale                100 people  18 %  least: milk, 0 %, short on days 1 to 3",
        "  Hill <b>school</b>  300 people  73 %  least: Bread, 70 %, short on days 2 to 3",
        "",
        "Short",
        "  milk: 12 l of 24 l missing (50 %), at 1 place",
        "    mostly because: the trucks are full",
        "    what would help: one more truck at the port",
        "  Bread: 33 kg of 90 kg missing (37 %), at 2 places",
        "    mostly because: the trucks are full",
        "    what would help: one more truck at the port",
        "",
        "Trucks (74 % of all vehicle-hours used)",
        "  carts  full on 1 of 3 days  96 % of its hours used",
    ]


def test_summary_lines_count_what_they_leave_out() -> None:
    lines = plan_lines(hand_built_plan(), most=1)
    assert "  … and 1 more place" in lines
    assert "  … and 1 more need" in lines


def test_summary_says_so_when_every_need_is_met_or_nothing_is_needed() -> None:
    assert "Every need is met at every place on every day." in plan_lines(hand_built_plan(FULL))
    assert any(line.startswith("Nothing is needed") for line in plan_lines(hand_built_plan({})))


def test_document_has_no_number_that_json_does_not_know() -> None:
    document = plan_document(hand_built_plan(bound=float("inf")))
    assert document["gap"] is None
    assert document["bound"] is None
    assert document["fully_met"] is False
    assert [place["site"] for place in document["worst_places"]] == ["vale", "hill"]


def test_a_network_without_fleets_has_no_line_about_trucks() -> None:
    bare = Network("Bare", NETWORK.start, 3, sites=NETWORK.sites, goods=NETWORK.goods)
    plan = hand_built_plan(FULL, network=bare)
    no_trips = replace(plan, trips=plan.trips.where(plan.trips["trips"] < 0))
    assert not any(line.startswith("Trucks") for line in plan_lines(no_trips))


def test_one_site_and_one_day_are_singular() -> None:
    alone = replace(NETWORK, days=1, sites=NETWORK.sites[:1], lanes=(), fleets=(), disruptions=())
    first = plan_lines(replace(hand_built_plan({}), network=alone, trips=hand_built_plan().trips.where(NONE)))[0]
    assert first == "Barrio: 1 day from 2026-11-22, 1 site, 0 people"


def test_fleets_whose_trips_take_no_hours_have_no_share_in_the_hours() -> None:
    plan = hand_built_plan()
    lanes = (*NETWORK.lanes, _of_no_hours(mode="order K7Q2"))
    fleets = (
        *NETWORK.fleets,
        NETWORK.fleets[0].model_copy(update={"fleet": "order K7Q2", "handling_hours": 0.0, "mode": "order K7Q2"}),
    )
    carried = replace(plan, network=replace(NETWORK, lanes=lanes, fleets=fleets))
    assert fleet_uses(carried) == fleet_uses(plan)


def _of_no_hours(*, mode: str) -> Lane:
    """Return the first lane, for goods on their way: it takes no hours."""
    return NETWORK.lanes[0].model_copy(update={"mode": mode, "hours": 0.0})
