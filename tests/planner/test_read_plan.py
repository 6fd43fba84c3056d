"""A plan that was written is read back as it was, and what is wrong with a folder is said where it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plans import changed
from random_networks import networks

from abasto.errors import Finding, InputError
from abasto.examples import example_path
from abasto.network import Network
from abasto.planner.check import check_plan
from abasto.planner.make import make_plan
from abasto.planner.plan import PLAN_TABLES, Plan
from abasto.planner.read_plan import MOST_FAIRNESS, SUMMARY_COLUMNS, read_plan
from abasto.tables import read_network, write_plan

NAMES = [*(schema.name for schema in PLAN_TABLES), "summary"]


def written(plan: Plan, folder: Path) -> Path:
    write_plan({name: plan.table(name) for name in NAMES}, folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def same_tables(one: Plan, other: Plan) -> None:
    """Fail unless all tables are equal, numbers to the 15 digits that files carry."""
    for name in NAMES:
        assert list(one.table(name)) == list(other.table(name))
        for column, values in one.table(name).items():
            others = other.table(name)[column]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(others, values, rtol=1e-14, atol=0, err_msg=f"{name} {column}")
            else:
                np.testing.assert_array_equal(others, values, err_msg=f"{name} {column}")


@given(networks(), st.sampled_from([0.0, 0.5, 4.0, 16.0]))
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_a_plan_that_was_written_reads_back_as_it_was(drawn: tuple[Network, str | None], fairness: float) -> None:
    network, scenario = drawn
    plan = make_plan(network, scenario, fairness=fairness, solver="exact")
    with tempfile.TemporaryDirectory() as name:
        first = written(plan, Path(name) / "first")
        read = read_plan(first, network, fairness=fairness)
        assert contents(first) == contents(written(read, Path(name) / "second"))
    same_tables(plan, read)
    assert (read.objective, read.bound) == pytest.approx((plan.objective, plan.bound), rel=1e-12)
    assert read.full_value == pytest.approx(plan.full_value, rel=1e-12)
    assert (read.solver, read.fairness, read.scenario) == ("exact", fairness, None)
    assert check_plan(network, read, scenario) == []


@given(networks(), st.sampled_from([0.0, 0.5, 2.0, 4.0, 16.0, MOST_FAIRNESS]))
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_fairness_is_found_from_what_the_plan_is_worth(drawn: tuple[Network, str | None], fairness: float) -> None:
    network, scenario = drawn
    plan = make_plan(network, scenario, fairness=fairness, solver="exact")
    with tempfile.TemporaryDirectory() as name:
        read = read_plan(written(plan, Path(name)), network, fairness=None)
    if plan.objective == 0:
        assert read.fairness == 4.0
    else:
        assert read.fairness == pytest.approx(fairness, abs=0.002)


@pytest.fixture(scope="module")
def network() -> Network:
    return read_network(example_path("neighbourhood"))


@pytest.fixture(scope="module")
def plan(network: Network) -> Plan:
    return make_plan(network, "lockout")


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


def findings_of(folder: Path, network: Network) -> list[Finding]:
    with pytest.raises(InputError) as caught:
        read_plan(folder, network)
    return list(caught.value.findings)


@pytest.mark.parametrize(
    ("table", "old", "new", "said"),
    [
        ("coverage", "coverage\n", "covered\n", ['"covered" — table coverage has no such column', '"coverage"?']),
        (
            "coverage",
            "School,",
            "Shcool,",
            ["row ", 'site: "Shcool" — the network has no such id in sites', '"School"?'],
        ),
        ("deliveries", "bread", "braed", ['good: "braed"', "goods", 'Did you mean "bread"?']),
        ("trips", ",1,", ",99,", ['day: "99" — the horizon has days 1 to 7']),
        ("trips", ",1,", ",0,", ['day: "0" — the horizon has days 1 to 7']),
        ("trips", ",1,", ",1.5,", ['day: "1.5" — a day is a whole number']),
        ("shipments", "expires,", "", ["the row has 8 cells but the header has 7 columns"]),
        ("closing", "2027-", "27-", ["expires", "dates are written year-month-day"]),
        ("summary", "solver\n", "solver,needed_px\n", ["needed_px", "table summary has no such column"]),
        ("summary", "mean_coverage", "", ["column 7 has no name but holds cells", "mean_coverage"]),
    ],
)
def test_a_table_that_was_changed_says_where(
    plan: Plan, network: Network, tmp_path: Path, table: str, old: str, new: str, said: list[str]
) -> None:
    written(plan, tmp_path)
    file = tmp_path / f"{table}.csv"
    file.write_text(replaced(old, new)(file.read_text()))
    told = "\n".join(map(str, findings_of(tmp_path, network)))
    for part in (str(file), *said):
        assert part in told


def test_a_decimal_comma_is_told_from_a_point(plan: Plan, network: Network, tmp_path: Path) -> None:
    written(plan, tmp_path)
    (tmp_path / "production.csv").write_text('site,recipe,day,batches\nbakery,bake,1,"12,5"\n')
    told = [str(finding) for finding in findings_of(tmp_path, network)]
    assert any('batches: "12,5" — decimals take a point, not a comma; write 12.5' in one for one in told)


def test_a_need_that_stands_twice_is_refused(plan: Plan, network: Network, tmp_path: Path) -> None:
    written(plan, tmp_path)
    file = tmp_path / "coverage.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, lines[1], ""]))
    (finding,) = findings_of(tmp_path, network)
    assert (finding.row, finding.message) == (len(lines) + 1, "row 2 is the same site, need and day")


def test_spreadsheets_may_have_left_their_marks(plan: Plan, network: Network, tmp_path: Path) -> None:
    written(plan, tmp_path)
    for path in tmp_path.iterdir():
        header, _, rows = path.read_text().partition("\n")
        tags = ",".join(f"#{name.split('_')[0]}" for name in header.split(","))
        path.write_bytes(b"\xef\xbb\xbf" + f"{header}\r\n{tags}\r\n{rows}\r\n".encode())
    (tmp_path / "notes.csv").write_text("what,ever\n")
    same_tables(plan, read_plan(tmp_path, network))


def test_a_missing_table_is_named_with_what_could_be_it(plan: Plan, network: Network, tmp_path: Path) -> None:
    written(plan, tmp_path)
    (tmp_path / "trips.csv").rename(tmp_path / "Trips1.csv")
    (finding,) = findings_of(tmp_path, network)
    assert str(finding).startswith(f"{tmp_path / 'trips.csv'} — this table of the plan is missing")
    assert finding.closest == "Trips1"


def test_what_is_no_folder_of_a_plan_is_refused_in_one_line(network: Network, tmp_path: Path) -> None:
    for place, said in (
        (example_path("neighbourhood"), "there is no plan in this folder"),
        (tmp_path / "nowhere", "there is no such folder"),
        (Path(__file__), "this is a file, not the folder of a plan"),
    ):
        (finding,) = findings_of(place, network)
        assert finding.message == said


@pytest.mark.parametrize(("of_unmet", "bound"), [(0.25, 0.25), (np.inf, 1.0)])
def test_a_gap_that_is_not_known_leaves_the_bound_to_that_of_unmet_or_the_full_value(
    plan: Plan, network: Network, tmp_path: Path, of_unmet: float, bound: float
) -> None:
    unknown = changed(changed(plan, "summary", "gap", 0, np.inf), "summary", "gap_of_unmet", 0, of_unmet)
    read = read_plan(written(unknown, tmp_path), network)
    missing = plan.full_value - plan.objective
    assert read.bound == pytest.approx(plan.objective + bound * missing)
    assert read.summary["gap"].tolist() == [np.inf]


def test_the_plan_of_another_network_says_so_when_its_fairness_is_asked_for(
    plan: Plan, network: Network, tmp_path: Path
) -> None:
    written(plan, tmp_path)
    fewer = replace(network, needs=network.needs[1:])
    with pytest.raises(InputError, match="the needs are not those of the network"):
        read_plan(tmp_path, fewer, fairness=None)
    assert read_plan(tmp_path, fewer).fairness == 4.0


def test_the_columns_of_the_summary_are_those_that_are_written(plan: Plan) -> None:
    known = {column.name for column in SUMMARY_COLUMNS}
    assert known == {name for name in plan.summary if not name.startswith(("needed_p", "met_p"))}
