"""What a trade-off says, against plain loops over its plans and searches of their own, and what the command does."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abasto.cli import main
from abasto.errors import SettingError
from abasto.examples import example_path
from abasto.network import Network, Supply
from abasto.planner.make import Progress, Solved, make_plan, plan_in_full
from abasto.planner.plan import Plan
from abasto.report.frontier import draw_tradeoff
from abasto.report.tradeoff import render_tradeoff
from abasto.tables import read_network
from abasto.tradeoff import (
    Tradeoff,
    TradeoffPoint,
    points,
    step_words,
    tradeoff,
    tradeoff_csv,
    tradeoff_document,
    tradeoff_lines,
)
from abasto.tradeoff.words import notes
from test_compare import people_of

PATH = example_path("neighbourhood")


@pytest.fixture(scope="module")
def network() -> Network:
    return read_network(PATH)


@pytest.fixture(scope="module")
def lockout(network: Network) -> Tradeoff:
    return tradeoff(network, "lockout", solver="exact", gap=1e-6)


@pytest.fixture(scope="module")
def usual(network: Network) -> Tradeoff:
    return tradeoff(network, solver="exact", gap=1e-6)


def worth(plan: Plan, fairness: float) -> float:
    """Return what a plan is worth for a fairness: Σ people × urgency × Σ value of each tier × its share."""
    total = 0.0
    for row in plan.coverage.rows():
        weight = people_of(plan.network, row["site"], row["need"]) * 10.0 ** (1 - row["priority"])
        for tier in range(1, 11):
            share = min(1.0, max(0.0, row["coverage"] * 10 - (tier - 1)))
            total += weight * max(0.2, (tier - 0.5) / 10) ** -fairness * share
    return total


def worst_5_percent(plan: Plan) -> float:
    rows = sorted((row["coverage"], people_of(plan.network, row["site"], row["need"])) for row in plan.coverage.rows())
    left = whole = 0.05 * sum(people for _, people in rows)
    met = 0.0
    for coverage, people in rows:
        met += coverage * min(people, left)
        left -= min(people, left)
    return met / whole


@pytest.mark.parametrize("scenario", ["lockout", "usual"])
def test_figures_are_those_of_the_plans_tables(scenario: str, request: pytest.FixtureRequest) -> None:
    result: Tradeoff = request.getfixturevalue(scenario)
    assert [point.fairness for point in result.points] == [0, 1, 2, 4, 8, 16]
    for point, plan in zip(result.points, result.plans, strict=True):
        rows = [(row, people_of(plan.network, row["site"], row["need"])) for row in plan.coverage.rows()]
        mean = sum(people * row["coverage"] for row, people in rows) / sum(people for _, people in rows)
        assert point.mean_coverage == pytest.approx(mean)
        assert point.worst_5_percent_coverage == pytest.approx(worst_5_percent(plan))
        assert point.lowest_coverage == min(row["coverage"] for row, _ in rows)
        assert point.vehicle_hours == pytest.approx(sum(row["vehicle_hours"] for row in plan.trips.rows()))
        for use in point.priorities:
            mine = [(row, people) for row, people in rows if f"{row['priority']:g}" == use.priority]
            assert use.needed == pytest.approx(sum(people for _, people in mine))
            assert use.met == pytest.approx(sum(people * row["coverage"] for row, people in mine))
        assert point.objective == pytest.approx(worth(plan, point.fairness))
        assert point.planned_for == plan.fairness


def test_no_point_is_worth_less_than_a_search_of_its_own_or_than_any_other_point(
    network: Network, lockout: Tradeoff
) -> None:
    for point in lockout.points:
        alone = make_plan(network, "lockout", fairness=point.fairness, solver="exact", gap=1e-6)
        assert point.objective == pytest.approx(alone.objective, rel=1e-6)
        assert point.bound >= point.objective * (1 - 1e-12)
        for plan in lockout.plans:
            assert worth(plan, point.fairness) <= point.bound * (1 + 1e-9)


def test_the_greatest_total_by_urgency_comes_first_and_what_the_least_get_rises(lockout: Tradeoff) -> None:
    by_urgency = [
        sum(10 ** (1 - float(use.priority)) * use.met for use in point.priorities) for point in lockout.points
    ]
    assert max(by_urgency) == pytest.approx(by_urgency[0])
    assert lockout.points[0].worst_5_percent_coverage == 0
    assert lockout.points[3].worst_5_percent_coverage == pytest.approx(0.5, abs=0.01)


def test_a_plan_that_another_outdoes_by_every_measure_makes_way(network: Network, usual: Tradeoff) -> None:
    """On usual days 0 and 4 meet as much in all, but a search for the total alone lets somebody go without."""
    alone = make_plan(network, fairness=0, solver="exact")
    first = usual.points[0]
    assert worst_5_percent(alone) < 0.5
    assert (first.fairness, first.planned_for) == (0, 1)
    assert first.worst_5_percent_coverage == pytest.approx(0.9)
    assert first.mean_coverage == pytest.approx(
        make_plan(network, fairness=0, solver="exact").summary["mean_coverage"][0]
    )
    assert worth(usual.plans[0], 0) == pytest.approx(alone.objective)
    assert notes(usual.points)[0] == "the plan for 1 does better here"


def test_fairness_is_planned_once_each_and_in_order(network: Network) -> None:
    result = tradeoff(network, "lockout", fairness=[4, 0, 4.0], solver="exact")
    assert [point.fairness for point in result.points] == [0, 4]


@pytest.mark.parametrize("fairness", [[51], [-1], [0, float("nan")], ["4"], [4, None]])
def test_a_fairness_that_cannot_be_planned_with_is_named_before_anything_is_planned(
    network: Network, fairness: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "plan_in_full", lambda *_, **__: pytest.fail("planned"))
    with pytest.raises(SettingError, match=re.escape(f"fairness is {fairness[-1]}; each must be a number from 0")):
        tradeoff(network, fairness=fairness)


def test_no_fairness_at_all_is_an_error(network: Network) -> None:
    with pytest.raises(SettingError, match="fairness is empty"):
        tradeoff(network, fairness=[])


def test_plans_of_nearly_one_fairness_are_not_told_apart_and_distant_ones_are(network: Network) -> None:
    result = tradeoff(network, "lockout", fairness=[0, 3, 4], solver="equilibrium", gap=0.05)
    assert [point.like_previous for point in result.points] == [False, False, True]


@pytest.mark.parametrize("gap", [0.05, 1e-6])
def test_points_are_told_apart_when_either_search_proves_a_difference(network: Network, gap: float) -> None:
    solver = "equilibrium" if gap > 0.01 else "exact"
    result = tradeoff(network, "lockout", fairness=[0, 2, 4, 6], solver=solver, gap=gap)
    for index in range(1, len(result.points)):
        before, point = result.points[index - 1], result.points[index]
        plan_before, plan = result.plans[index - 1], result.plans[index]
        lost = point.objective - worth(plan_before, point.fairness), before.objective - worth(plan, before.fairness)
        left_open = point.bound - point.objective, before.bound - before.objective
        tie = 1e-8 * point.objective, 1e-8 * before.objective
        within = [one <= open_ + small for one, open_, small in zip(lost, left_open, tie, strict=True)]
        assert point.like_previous == all(within)


def test_every_search_starts_from_the_one_before(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[Any, Solved]] = []

    def recorded(*arguments: Any, warm: Any, **options: Any) -> Solved:
        solved = plan_in_full(*arguments, warm=warm, **options)
        calls.append((warm, solved))
        return solved

    monkeypatch.setattr(points, "plan_in_full", recorded)
    tradeoff(network, "lockout", fairness=[0, 1, 2], solver="equilibrium", gap=0.05)
    assert calls[0][0] is None
    assert [warm for warm, _ in calls[1:]] == [solved.warm for _, solved in calls[:-1]]
    assert calls[1][0] is not None


def test_a_stop_keeps_the_points_there_are_and_names_the_others(network: Network) -> None:
    told: list[Progress] = []
    result = tradeoff(
        network,
        "lockout",
        fairness=[0, 4, 8],
        solver="exact",
        progress=told.append,
        stop=lambda: any("fairness 4" in one.stage for one in told),
    )
    assert [point.fairness for point in result.points] == [0, 4]
    assert result.left_out == (8,)
    assert tradeoff_lines(result)[-1] == "Not planned: fairness 8."
    alone = tradeoff(network, "lockout", fairness=[0, 4], solver="exact", stop=lambda: True)
    assert not any(line.startswith(("From", "One point")) for line in tradeoff_lines(alone))
    assert told[0].stage.startswith("fairness 0 (1 of 3), ")


# Words


def made_up(fairness: float, mean: float, worst: float, **changes: Any) -> TradeoffPoint:
    values: dict[str, Any] = dict.fromkeys(TradeoffPoint.__slots__, 0.0)
    values |= {"fairness": fairness, "planned_for": fairness, "mean_coverage": mean, "worst_5_percent_coverage": worst}
    values |= {"priorities": (), "status": "planned", "like_previous": False}
    return TradeoffPoint(**(values | changes))


def test_a_step_says_who_gains_and_what_the_total_loses(lockout: Tradeoff) -> None:
    first, usual = lockout.points[0], lockout.points[3]
    met = {use.priority: use.met for use in first.priorities}, {use.priority: use.met for use in usual.priorities}
    assert step_words(first, usual) == (
        "From fairness 0 to 4 the worst-off 5 % gain 50 points (0 % → 50 %); the total falls by 0.7 points "
        f"(54 % → 53 %): −{met[0]['1'] - met[1]['1']:,.0f} people-days of priority 1, "
        f"+{met[1]['2'] - met[0]['2']:,.0f} people-days of priority 2."
    )


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ((0.7, 0.1), (0.6, 0.1), "the worst-off 5 % get the same (10 %); the total falls by 10 points (70 % → 60 %)."),
        ((0.7, 0.3), (0.7, 0.2), "the worst-off 5 % lose 10 points (30 % → 20 %); the total stays the same (70 %)."),
        ((0.7, 0.3), (0.70001, 0.30001), "neither the total nor what the worst-off 5 % get changes."),
    ],
)  # fmt: skip
def test_a_step_is_told_in_the_direction_it_goes(
    one: tuple[float, float], other: tuple[float, float], said: str
) -> None:
    assert step_words(made_up(0, *one), made_up(4, *other)) == f"From fairness 0 to 4 {said}"


def test_notes_tell_stops_equal_plans_and_what_is_not_told_apart() -> None:
    row = [
        made_up(0, 0.7, 0.1, status="stopped"),
        made_up(1, 0.6, 0.2, like_previous=True),
        made_up(2, 0.5, 0.3, planned_for=4),
        made_up(4, 0.5, 0.3, like_previous=True),
    ]
    assert notes(row) == [
        "stopped early",
        "not told apart from the line above",
        "the plan for 4 does better here",
        "the same plan as above",
    ]


def test_a_network_that_meets_everything_says_that_fairness_costs_nothing(network: Network) -> None:
    plenty = tuple(
        Supply(site=site.site, good=good.good, quantity=1e5) for site in network.sites for good in network.goods
    )
    result = tradeoff(replace(network, supplies=plenty), fairness=[0, 4], solver="exact")
    assert "whatever the fairness; it costs nothing here" in tradeoff_lines(result)[-1]


def test_nothing_needed_and_a_single_point_are_said(network: Network) -> None:
    bare = tradeoff(replace(network, needs=(), rations=()), fairness=[0, 4], solver="exact")
    assert tradeoff_lines(bare)[-1].startswith("Nothing is needed")
    assert "<svg" in render_tradeoff(bare)
    assert "One point is no choice" in tradeoff_lines(tradeoff(network, fairness=[2], solver="exact"))[-1]


def test_csv_and_document_hold_every_point(lockout: Tradeoff) -> None:
    document = tradeoff_document(lockout)
    assert json.loads(json.dumps(document, allow_nan=False))["scenario"] == "lockout"
    rows = list(csv.DictReader(io.StringIO(tradeoff_csv(lockout).decode())))
    assert len(rows) == len(document["points"]) == len(lockout.points)
    for row, said, point in zip(rows, document["points"], lockout.points, strict=True):
        for name in ("fairness", "mean_coverage", "worst_5_percent_coverage", "objective", "bound", "vehicle_hours"):
            assert float(row[name]) == said[name] == getattr(point, name)
        assert float(row["met_p2"]) == next(use.met for use in point.priorities if use.priority == "2")
        assert row["like_previous"] == ("yes" if point.like_previous else "no")


# The picture


def circles(text: str) -> list[tuple[str, float, float]]:
    return [
        (kind, float(x), float(y))
        for kind, x, y in re.findall(r'<circle class="(\w+)" cx="([\d.]+)" cy="([\d.]+)"', text)
    ]


def test_points_stand_to_scale_with_their_fairness_beside_them() -> None:
    row = [made_up(0, 0.7, 0.1), made_up(2, 0.6, 0.3, like_previous=True), made_up(16, 0.5, 0.35)]
    picture = draw_tradeoff(Tradeoff(None, None, tuple(row), ()))  # type: ignore[arg-type]
    (kind, x, y), (kind_2, x_2, y_2), (_, x_3, y_3) = circles(picture)
    assert (kind, kind_2) == ("point", "open")
    assert (x - x_2) / (x_2 - x_3) == pytest.approx(1, abs=0.01)
    assert (y - y_2) / (y_2 - y_3) == pytest.approx(4, abs=0.05)
    assert x > x_2 > x_3
    assert y > y_2 > y_3
    assert re.findall(r">α ([\d, ]+)<", picture) == ["0", "2", "16"]


def test_points_in_one_place_share_a_name() -> None:
    row = [made_up(0, 0.7, 0.1), made_up(2, 0.6, 0.3), made_up(16, 0.6, 0.3, like_previous=True)]
    picture = draw_tradeoff(Tradeoff(None, None, tuple(row), ()))  # type: ignore[arg-type]
    assert len(circles(picture)) == 2
    assert re.findall(r">α ([\d, ]+)<", picture) == ["0", "2, 16"]


def test_the_page_loads_nothing_and_escapes_names(network: Network) -> None:
    named = replace(network, name="</title><script>alert(1)</script>")
    page = render_tradeoff(tradeoff(named, fairness=[0, 4], solver="exact"))
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["'](?!#)""", page)


# The command


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_tradeoff_prints_writes_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "new" / "points.csv", tmp_path / "page.html"
    assert run("tradeoff", PATH, "--scenario", "lockout", "--out", out, "--report", report) == 0
    shown = capsys.readouterr().out
    assert "what fairness costs; 7 days from 2027-03-01, 12 sites, 3,500 people, scenario lockout" in shown
    assert "From fairness 0 to 4 the worst-off 5 % gain 50 points" in shown
    assert len(out.read_text(encoding="utf-8").splitlines()) == 7
    assert "<svg" in report.read_text(encoding="utf-8")


def test_json_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tradeoff", PATH, "--fairness", "0, 4", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [point["fairness"] for point in document["points"]] == [0, 4]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fairness", "0,x"], '"x" is not a number; write numbers with commas between them'),
        (["--fairness", "0,,4"], '"" is not a number'),
        (["--fairness", "0,60"], "fairness is 60.0; each must be a number from 0"),
        (["--scenario", "lokout"], 'Did you mean "lockout"?'),
        (["--gap", "0"], "--gap 0.0"),
        (["--time-limit", "-1"], "--time-limit -1.0"),
        (["--out", str(PATH / "sites.csv")], "the tables that are read lie there"),
        (["--out", str(PATH.parent)], "this is a folder; give the name of a file"),
    ],
)
def test_what_cannot_be_traded_off_is_said_with_what_to_do(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run("tradeoff", PATH, *arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_ctrl_c_shows_the_points_there_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from abasto import cli_compare

    def stopped(work: Callable[[Callable[[], bool]], Tradeoff]) -> Tradeoff:
        return work(lambda: True)

    monkeypatch.setattr(cli_compare, "run_until_stopped", stopped)
    assert run("tradeoff", PATH, "--fairness", "0,4", "--solver", "exact") == 0
    assert "Not planned: fairness 4." in capsys.readouterr().out
