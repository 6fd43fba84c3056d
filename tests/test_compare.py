"""What a comparison says, against plain loops over the plans' tables, and what the command prints and writes."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import abasto
from abasto.cli import main
from abasto.compare import Comparison, compare_plans, comparison_document, comparison_lines, comparison_tables
from abasto.errors import AbastoError
from abasto.examples import example_path
from abasto.network import Disruption, Network
from abasto.planner.make import make_plan
from abasto.planner.plan import MET_TOLERANCE, Plan
from abasto.report.compare import render_comparison
from abasto.report.dumbbell import draw_changes
from abasto.report.map import site_coverage
from abasto.tables import read_network, write_network

PATH = example_path("neighbourhood")


@pytest.fixture(scope="module")
def network() -> Network:
    """The neighbourhood, with a second crisis that hits other places than the lockout does."""
    network = read_network(PATH)
    flood = Disruption(scenario="flood", kind="site", target="Harbour", from_day=3)
    return replace(network, disruptions=(*network.disruptions, flood))


@pytest.fixture(scope="module")
def plans(network: Network) -> dict[str | None, Plan]:
    return {name: make_plan(network, name, solver="exact", gap=1e-6) for name in (None, "lockout", "flood")}


@pytest.fixture(scope="module", params=[(None, "lockout"), ("lockout", None), ("lockout", "flood")])
def comparison(request: pytest.FixtureRequest, plans: dict[str | None, Plan]) -> Comparison:
    first, second = request.param
    less_in = "second" if first is None else "first" if second is None else None
    return compare_plans(plans[first], plans[second], less_in=less_in)


def people_of(network: Network, site: str, need: str) -> float:
    """Return the people of a need as the format says: those of its rows, the most of them, else the site's."""
    served = next(row.people for row in network.sites if row.site == site)
    rows = [row for row in network.needs if (row.site, row.good) == (site, need)]
    rationed = [served] if any(ration.good == need for ration in network.rations) else []
    return max([*rationed, *(row.people if row.people is not None else max(served, 1.0) for row in rows)])


def rows_of(plan: Plan) -> list[dict[str, Any]]:
    return [
        {**row, "people": people_of(plan.network, row["site"], row["need"]), "weight": 10.0 ** (1 - row["priority"])}
        for row in plan.coverage.rows()
    ]


def mean(rows: list[dict[str, Any]], weight: Callable[[dict[str, Any]], float]) -> float:
    return sum(weight(row) * row["coverage"] for row in rows) / sum(weight(row) for row in rows)


def test_totals_are_those_of_the_summaries(comparison: Comparison) -> None:
    for plan, totals in zip((comparison.first, comparison.second), comparison.totals, strict=True):
        row = next(plan.summary.rows())
        for name in ("mean_coverage", "worst_5_percent_coverage", "lowest_coverage", "vehicle_hours", "cost"):
            assert getattr(totals, name) == pytest.approx(row[name])
    for which, plan in (("first", comparison.first), ("second", comparison.second)):
        row = next(plan.summary.rows())
        for use in comparison.priorities:
            assert use.needed == pytest.approx(row[f"needed_p{use.priority}"])
            assert getattr(use, which) == pytest.approx(row[f"met_p{use.priority}"])


def test_sites_change_as_loops_over_the_coverage_say(comparison: Comparison) -> None:
    first, second = rows_of(comparison.first), rows_of(comparison.second)
    assert {site.site for site in comparison.sites} == {row["site"] for row in first}
    for site in comparison.sites:
        mine = [[row for row in rows if row["site"] == site.site] for rows in (first, second)]
        assert site.first == pytest.approx(mean(mine[0], lambda row: row["weight"]))
        assert site.second == pytest.approx(mean(mine[1], lambda row: row["weight"]))
        met = [sum(row["people"] * row["coverage"] for row in rows) for rows in mine]
        assert site.people_days == pytest.approx(met[1] - met[0], abs=1e-6)
        assert site.change == site.second - site.first
    drawn = [site_coverage(plan) for plan in (comparison.first, comparison.second)]
    assert {site.site: site.first for site in comparison.sites} == pytest.approx(drawn[0])
    assert {site.site: site.second for site in comparison.sites} == pytest.approx(drawn[1])


def test_the_need_named_for_a_site_does_most_of_its_change_from_the_day_on(comparison: Comparison) -> None:
    pairs = list(zip(rows_of(comparison.first), rows_of(comparison.second), strict=True))
    for site in comparison.sites:
        sign = -1 if site.change < 0 else 1
        moved: dict[str, float] = {}
        days: dict[str, list[int]] = {}
        for one, other in pairs:
            assert (one["site"], one["need"], one["day"]) == (other["site"], other["need"], other["day"])
            if one["site"] == site.site:
                change = sign * (other["coverage"] - one["coverage"])
                moved[one["need"]] = moved.get(one["need"], 0.0) + one["people"] * one["weight"] * change
                if change > MET_TOLERANCE:
                    days.setdefault(one["need"], []).append(one["day"])
        if not site.from_day:
            assert not days
            continue
        assert moved[site.need] == pytest.approx(max(moved.values()))
        assert site.from_day == min(days[site.need])
        for rows, share in (
            (rows_of(comparison.first), site.need_first),
            (rows_of(comparison.second), site.need_second),
        ):
            mine = [row["coverage"] for row in rows if (row["site"], row["need"]) == (site.site, site.need)]
            assert share == pytest.approx(sum(mine) / len(mine))


def test_those_who_lose_most_come_first_and_those_who_gain_most_last(comparison: Comparison) -> None:
    changes = [site.change for site in comparison.sites]
    assert changes == sorted(changes) or changes == pytest.approx(sorted(changes), abs=1e-9)
    assert [site for site in comparison.sites if site.change < -MET_TOLERANCE] == list(comparison.losing)
    assert [site for site in comparison.sites[::-1] if site.change > MET_TOLERANCE] == list(comparison.gaining)


def test_needs_change_as_loops_over_the_coverage_say(comparison: Comparison) -> None:
    pairs = list(zip(rows_of(comparison.first), rows_of(comparison.second), strict=True))
    for need in comparison.needs:
        mine = [(one, other) for one, other in pairs if one["need"] == need.need]
        assert need.needed == pytest.approx(sum(one["needed"] for one, _ in mine))
        assert need.met_first == pytest.approx(sum(one["met"] for one, _ in mine))
        assert need.met_second == pytest.approx(sum(other["met"] for _, other in mine))
        assert need.people_days == pytest.approx(sum(one["people"] for one, _ in mine))
        change = sum(one["people"] * (other["coverage"] - one["coverage"]) for one, other in mine)
        assert need.change == pytest.approx(change, abs=1e-6)
        by_site: dict[str, list[float]] = {}
        for one, other in mine:
            by_site.setdefault(one["site"], []).append(other["coverage"] - one["coverage"])
        means = [sum(values) / len(values) for values in by_site.values()]
        assert need.sites_lose == sum(value < -MET_TOLERANCE for value in means)
        assert need.sites_gain == sum(value > MET_TOLERANCE for value in means)


def test_fleets_spend_what_their_trips_take(comparison: Comparison) -> None:
    for fleet in comparison.fleets:
        for plan, hours in ((comparison.first, fleet.first), (comparison.second, fleet.second)):
            trips = [row["vehicle_hours"] for row in plan.trips.rows() if row["fleet"] == fleet.fleet]
            assert hours == pytest.approx(sum(trips))


def test_swapping_the_plans_swaps_who_gains(plans: dict[str | None, Plan]) -> None:
    there = compare_plans(plans["lockout"], plans["flood"])
    back = compare_plans(plans["flood"], plans["lockout"])
    assert {site.site: site.change for site in back.sites} == pytest.approx(
        {site.site: -site.change for site in there.sites}
    )
    assert there.proof is not None
    assert back.proof is not None
    assert (back.proof.least, back.proof.most) == pytest.approx((-there.proof.most, -there.proof.least))


def test_the_proof_holds_the_difference_of_the_best_plans(network: Network, plans: dict[str | None, Plan]) -> None:
    """Loose plans are compared; the exact ones show what the best are worth."""
    unit = sum(max(0.2, (tier - 0.5) / 10) ** -4 for tier in range(1, 11))
    best = (plans["flood"].objective - plans["lockout"].objective) / unit
    loose = [make_plan(network, name, solver="equilibrium", gap=0.2) for name in ("lockout", "flood")]
    proof = compare_plans(*loose).proof
    assert proof is not None
    assert proof.least - 1e-6 <= best <= proof.most + 1e-6
    assert proof.least <= proof.difference <= proof.most


def test_a_scenario_is_never_better_than_usual_days_even_where_its_plan_is(plans: dict[str | None, Plan]) -> None:
    usual, lockout = plans[None], plans["lockout"]
    poor = replace(usual, objective=lockout.objective * 0.99)
    for comparison, less in (
        (compare_plans(poor, lockout, less_in="second"), 1),
        (compare_plans(lockout, poor, less_in="first"), -1),
    ):
        proof = comparison.proof
        assert proof is not None
        assert not proof.told_apart
        assert max(less * proof.least, less * proof.most) == 0
        lines = "\n".join(comparison_lines(comparison))
        assert "Proven is only that scenario lockout costs at most" in lines
        assert "The plan for scenario lockout is worth more" in lines


def test_rounding_of_the_solvers_is_no_difference(plans: dict[str | None, Plan]) -> None:
    plan = plans["lockout"]
    rounded = replace(plan, objective=plan.objective * (1 - 1e-14), bound=plan.bound * (1 + 1e-14))
    assert "are worth the same" in "\n".join(comparison_lines(compare_plans(plan, rounded)))
    poorer = replace(plan, objective=plan.objective * 0.99, bound=plan.objective * 0.99)
    assert "are worth the same" not in "\n".join(comparison_lines(compare_plans(plan, poorer)))


def test_plans_of_different_fairness_are_shown_but_not_proven(network: Network, plans: dict[str | None, Plan]) -> None:
    total = make_plan(network, solver="exact", fairness=0)
    comparison = compare_plans(plans[None], total)
    assert comparison.proof is None
    assert "fairness 4 and 0" in "\n".join(comparison_lines(comparison))
    assert comparison_document(comparison)["proof"] is None


def test_equal_plans_change_nothing(plans: dict[str | None, Plan]) -> None:
    comparison = compare_plans(plans[None], plans[None])
    assert comparison.losing == comparison.gaining == ()
    assert all(site.need == "" and site.from_day == 0 for site in comparison.sites)
    lines = comparison_lines(comparison)
    assert "Lose most: no place" in lines
    assert any("the first plan against the second plan" in line for line in lines)


def test_plans_of_other_needs_are_refused(network: Network, plans: dict[str | None, Plan]) -> None:
    other = make_plan(replace(network, needs=network.needs[1:]), solver="exact")
    with pytest.raises(AbastoError, match="covers other needs than the network has"):
        compare_plans(plans[None], other)


def test_nothing_needed_is_said_and_does_not_fail(network: Network) -> None:
    bare = replace(network, needs=(), rations=())
    plan = make_plan(bare, solver="exact")
    comparison = compare_plans(plan, plan)
    assert comparison_lines(comparison)[-1].startswith("Nothing is needed")
    assert "<svg" in render_comparison(comparison)


def test_tables_and_document_hold_every_site_and_need(comparison: Comparison) -> None:
    tables, document = comparison_tables(comparison), comparison_document(comparison)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for name in ("sites", "needs"):
        assert list(tables[name].rows()) == document[name]
        assert tables[name].n_rows == len(getattr(comparison, name))


# The picture


class Drawn(HTMLParser):
    """The groups of a picture: for each place its kind, where ring and arrowhead stand, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: list[dict[str, Any]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "g":
            self.places.append({"kind": values["class"], "words": ""})
        elif tag == "circle":
            self.places[-1]["ring"] = float(values["cx"] or 0)
        elif values.get("class") == "head":
            point = re.match(r"M([\d.]+) [\d.]+l(-?[\d.]+)", values["d"] or "")
            assert point
            self.places[-1] |= {"head": float(point[1]), "base": float(point[2])}

    def handle_data(self, data: str) -> None:
        if self.places:
            self.places[-1]["words"] += data


def test_the_picture_draws_every_change_to_scale_and_tells_losses_by_shape(comparison: Comparison) -> None:
    places = Drawn(draw_changes(comparison)).places
    changed = [*comparison.losing, *comparison.gaining]
    assert len(places) == len(changed)
    shares = [share for site in changed for share in (site.first, site.second)]
    xs = [x for place in places for x in (place["ring"], place["head"])]
    widest = max(range(len(shares)), key=lambda i: shares[i]), min(range(len(shares)), key=lambda i: shares[i])
    scale = (xs[widest[0]] - xs[widest[1]]) / (shares[widest[0]] - shares[widest[1]])
    for share, x in zip(shares, xs, strict=True):
        assert x - xs[widest[1]] == pytest.approx(scale * (share - shares[widest[1]]), abs=0.2)
    for site, place in zip(changed, places, strict=True):
        assert place["kind"] == ("lose" if site.change < 0 else "gain")
        assert (place["base"] > 0) == (site.change < 0)  # the arrowhead opens away from where it points
        assert site.name in place["words"]


def test_the_page_lets_nothing_in_and_escapes_names(network: Network, plans: dict[str | None, Plan]) -> None:
    hostile = "</text><script>alert(1)</script>"
    sites = tuple(site.model_copy(update={"name": hostile}) for site in network.sites)
    named = [replace(plans[name], network=replace(network, sites=sites)) for name in (None, "lockout")]
    page = render_comparison(compare_plans(*named, labels=(hostile, "b")))
    assert "<script" not in page
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"""(src|href)=["'](?!#)""", page)


# The command


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture
def folder(network: Network, tmp_path: Path) -> Path:
    write_network(network, tmp_path / "network")
    return tmp_path / "network"


def test_compare_prints_writes_and_draws(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, report = tmp_path / "out", tmp_path / "page.html"
    assert run("compare", folder, "--scenario", "lockout", "--out", out, "--report", report) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Neighbourhood: usual days against scenario lockout; 7 days from")
    assert (
        "Proven: whatever is planned, scenario lockout is worse than usual days, by 384 weighted people-days" in shown
    )
    assert sorted(path.name for path in out.iterdir()) == ["needs.csv", "sites.csv"]
    with (out / "sites.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 7
    assert "<svg" in report.read_text(encoding="utf-8")


def test_two_scenarios_are_compared_in_the_order_given(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", folder, "--scenario", "lockout", "--scenario", "flood", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["first"]["scenario"], document["second"]["scenario"]) == ("lockout", "flood")
    assert run("compare", folder, "--scenario", "flood", "--scenario", "usual", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["first"]["scenario"], document["second"]["scenario"]) == ("flood", None)
    assert document["second"]["label"] == "usual days"


def test_a_scenario_called_usual_is_that_scenario(
    network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = Disruption(scenario="usual", kind="fleet", target="*", left=0.5)
    write_network(replace(network, disruptions=(*network.disruptions, usual)), tmp_path / "named")
    assert run("compare", tmp_path / "named", "--scenario", "usual", "--scenario", "lockout", "--json") == 0
    assert json.loads(capsys.readouterr().out)["first"]["scenario"] == "usual"


def test_two_plan_folders_are_compared_as_they_were_made(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, fairness in (("fair", 4), ("total", 0)):
        assert run("plan", folder, "--fairness", fairness, "--out", tmp_path / name) == 0
    capsys.readouterr()
    assert run("compare", folder, "--plan", tmp_path / "fair", "--plan", tmp_path / "total", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["first"]["label"], document["second"]["label"]) == ("fair", "total")
    assert (document["first"]["fairness"], document["second"]["fairness"]) == (4.0, 0.0)
    assert document["proof"] is None
    expected = compare_plans(
        abasto.read_plan(tmp_path / "fair", read_network(folder), fairness=None),
        abasto.read_plan(tmp_path / "total", read_network(folder), fairness=None),
    )
    assert [row["change"] for row in document["sites"]] == [site.change for site in expected.sites]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "scenarios are lockout, flood"),
        (["--scenario", "lokout"], 'Did you mean "lockout"?'),
        (["--scenario", "usual"], 'both are "usual"'),
        (["--scenario", "flood", "--scenario", "flood"], 'both are "flood"'),
        (["--scenario", "a", "--scenario", "b", "--scenario", "c"], "--scenario was given 3 times"),
        (["--plan", "x"], "--plan was given once; give it twice"),
        (["--plan", "x", "--plan", "x"], 'both are "x"'),
        (["--plan", "x", "--scenario", "flood"], "give --scenario or --plan, not both"),
        (["--plan", "x", "--plan", "y", "--gap", "0.1"], "--plan takes plans as they were made"),
        (["--scenario", "flood", "--fairness", "51"], "fairness is 51"),
        (["--scenario", "flood", "--gap", "0"], "--gap 0.0"),
    ],
)
def test_what_cannot_be_compared_is_said_with_what_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run("compare", folder, *arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_tables_of_a_network_are_never_written_over(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_network(read_network(folder), tmp_path / "other")
    before = (tmp_path / "other" / "sites.csv").read_bytes()
    for out in (folder, tmp_path / "other"):
        assert run("compare", folder, "--scenario", "lockout", "--out", out) == 2
        assert "lie there" in capsys.readouterr().err
    assert (tmp_path / "other" / "sites.csv").read_bytes() == before


def test_a_folder_without_a_plan_ends_with_findings_and_writes_nothing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = ["--plan", folder, "--plan", tmp_path / "nowhere"]
    assert run("compare", folder, *places, "--out", tmp_path / "out") == 1
    assert "there is no plan in this folder" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
