"""The benchmark runner: peers agree with our bound, results outlive failures, and tables say what was measured."""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # benchmarks are no part of the installed package

from benchmarks.__main__ import PAGE, RESULTS, main
from benchmarks.case import PEERS, Case, from_json, suite
from benchmarks.memory import peak_mib
from benchmarks.render import BEGIN, END, put_into_page, render
from benchmarks.runner import run, run_one

OURS = Case("equilibrium", "TINY", 0, chain=True, limit=10.0)
NEEDS = {"linopy": "linopy", "glop": "ortools", "pdlp": "ortools"}
"""What a peer needs besides the planner's own dependencies: the group `benchmarks`, which tests run without too."""
EXACT = ("highs-ipm", "highs-simplex", "linopy", "glop")


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    """Our answer on TINY, measured once: every peer is compared with it."""
    record = run_one(OURS)
    assert record["outcome"] == "done", record
    return record


@cache
def measured(solver: str) -> dict[str, Any]:
    package = NEEDS.get(solver)
    if package is not None and find_spec(package) is None:
        pytest.skip(f"{package} is not installed; uv run --group benchmarks pytest runs this test too")
    record = run_one(from_json({**OURS.to_json(), "solver": solver}))
    assert record["outcome"] == "done", record
    return record


def test_our_plan_passes_the_check_within_its_certified_gap(ours: dict[str, Any]) -> None:
    assert ours["violations"] == 0
    assert ours["gap"] == pytest.approx(ours["bound"] / ours["objective"] - 1, abs=1e-6)
    assert ours["gap"] <= OURS.gap * 1.01
    times = [ours["reached"][gap] for gap in ("0.05", "0.02", "0.01", "0.005", "0.001")]
    assert times == sorted(times)
    assert times[-1] <= ours["seconds"]


@pytest.mark.parametrize("solver", PEERS)
def test_a_peer_lies_between_our_plan_and_our_bound(solver: str, ours: dict[str, Any]) -> None:
    peer = measured(solver)
    assert peer["instance"] == ours["instance"]
    assert peer["ended"]
    assert peer["kept"] <= ours["bound"] * (1 + 1e-7)
    precision = 1e-7 if solver in EXACT else 1e-2
    assert peer["kept"] >= ours["objective"] * (1 - precision)


@pytest.mark.parametrize("solver", [solver for solver in PEERS if solver != "linopy"])
def test_the_bound_of_a_peer_holds_for_our_plan(solver: str, ours: dict[str, Any]) -> None:
    assert measured(solver)["bound"] >= ours["objective"] * (1 - 1e-9)


def test_the_model_written_for_linopy_has_the_same_optimum() -> None:
    by_simplex, by_linopy = measured("highs-simplex"), measured("linopy")
    assert by_linopy["objective"] == pytest.approx(by_simplex["objective"], rel=1e-6)


def test_a_failed_case_is_a_row_that_says_so_and_the_rest_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    results = run([Case("equilibrium", "GIANT", 0), OURS], out, tell=lambda line: None)
    assert json.loads(out.read_text(encoding="utf-8")) == results
    assert [record["outcome"] for record in results["cases"]] == ["failed", "done"]
    failed = next(line for line in render(results).splitlines() if "GIANT" in line)
    assert "KeyError: 'GIANT'" in failed
    again = run([Case("equilibrium", "GIANT", 0), OURS], out, resume=True, tell=lambda line: None)
    assert [record["outcome"] for record in again["cases"]] == ["done", "failed"]
    assert again["cases"][0] == results["cases"][1], "what was done is kept, not measured again"


def test_the_command_runs_tiny_networks_and_prints_its_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = (OURS, from_json({**OURS.to_json(), "solver": "highs-ipm"}))
    monkeypatch.setattr("benchmarks.__main__.suite", lambda sizes, **_: only)
    page = PAGE.read_text(encoding="utf-8")
    assert main(["run", "--quick", "--sizes", "TINY", "--out", str(tmp_path / "out.json")]) == 0
    assert "| TINY | 1 | 0 |" in capsys.readouterr().out, "one plan without violations"
    assert PAGE.read_text(encoding="utf-8") == page, "only full runs are shown on the page"


def record(solver: str, *, seed: int, size: str = "SMALL", **facts: Any) -> dict[str, Any]:
    """A made-up result: what is measured is given, what is not is small."""
    case = Case(solver, size, seed)
    base = {"key": case.key, "instance": case.instance, "case": case.to_json(), "outcome": "done", "status": "planned"}
    measured = {"needs": 1000, "memory_mib": 100.0, "memory_with_tables_mib": 120.0, "violations": 0, "gap": 0.0005}
    times = {
        "tables_seconds": 0.5,
        "check_seconds": 0.5,
        "gap_at": {},
        "gap_of_unmet": 0.1,
        "bound": 1.0,
        "ended": True,
    }
    return {**base, **measured, **times, **facts}


def results_of(*records: dict[str, Any]) -> dict[str, Any]:
    machine = {"cores": 2, "memory_gib": 8, "python": "3.11.0"}
    return {"format": 1, "machine": machine, "versions": {"highspy": "1.0"}, "cases": list(records)}


def reached(one_percent: float, tenth: float) -> dict[str, float]:
    return {"0.05": one_percent, "0.02": one_percent, "0.01": one_percent, "0.005": tenth, "0.001": tenth}


def test_ratios_are_those_of_each_network_and_their_median() -> None:
    """Interior point takes 10 s three times; we take 1, 2 and 5 s to 1 % and twice that to 0.1 %."""
    pairs = []
    for seed, ours in enumerate((1.0, 2.0, 5.0)):
        pairs.append(record("equilibrium", seed=seed, seconds=2 * ours, reached=reached(ours, 2 * ours)))
        pairs.append(record("highs-ipm", seed=seed, seconds=10.0, kept=1.0, objective=1.0, feasible=True))
    line = next(line for line in render(results_of(*pairs)).splitlines() if line.startswith("| no chain"))
    assert "| **5.0×** (2.0 – 10.0) | **2.5×** (1.0 – 5.0) |" in line


def test_a_network_on_which_we_do_not_get_there_counts_against_us() -> None:
    ours = record("equilibrium", seed=0, seconds=60.0, reached={**reached(1.0, 2.0), "0.001": None})
    peer = record("highs-ipm", seed=0, seconds=10.0, kept=1.0, objective=1.0, feasible=True)
    line = next(line for line in render(results_of(ours, peer)).splitlines() if line.startswith("| no chain"))
    assert line.endswith("| **0.0×** (0.0 – 0.0); 1 not reached |")


def test_time_per_need_of_large_is_compared_with_medium_at_the_same_gap() -> None:
    medium = record("equilibrium", seed=0, size="MEDIUM", seconds=10.0, needs=1000, reached=reached(10.0, 20.0))
    large = record("equilibrium", seed=0, size="LARGE", seconds=60.0, needs=4000, reached=reached(60.0, 90.0))
    text = render(results_of(medium, large))
    table = text[text.index("### LARGE over time") :]
    assert "| 1.50 | 1.50 | 1.50 |" in table, "60 s ÷ 4000 needs is one and a half times 10 s ÷ 1000"


@pytest.mark.parametrize(
    ("kept", "feasible", "said"),
    [(0.95, True, "yes"), (0.95, False, "not as it is; after cutting, yes"), (0.85, True, "no"), (None, False, "no")],
)
def test_only_a_plan_that_keeps_every_limit_counts_as_one_on_medium(
    kept: float | None, feasible: bool, said: str
) -> None:
    ours = record("equilibrium", seed=0, size="MEDIUM", seconds=9.0, bound=1.0, reached=reached(7.0, 9.0))
    peer = record("pdlp", seed=0, size="MEDIUM", seconds=70.0, bound=1.2, kept=kept, feasible=feasible, violation=0.5)
    line = next(line for line in render(results_of(ours, peer)).splitlines() if line.startswith("| OR-Tools PDLP"))
    assert line.split(" | ")[2] == "10.0×"
    assert line.split(" | ")[4] == said


def test_a_peer_on_medium_gets_ten_times_our_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Case] = []

    def answer(case: Case) -> dict[str, Any]:
        asked.append(case)
        return record(case.solver, seed=case.seed, size=case.size, seconds=9.0, reached=reached(7.0, 9.0))

    monkeypatch.setattr("benchmarks.runner.run_one", answer)
    run(suite(("MEDIUM",), seeds=1), tmp_path / "results.json", tell=lambda line: None)
    limits = {case.solver: case.limit for case in asked if case.solver in PEERS}
    assert limits == {"highs-ipm": 70.0, "highs-simplex": 70.0, "pdlp": 70.0}


@pytest.mark.parametrize("quick", [False, True])
def test_every_case_has_a_name_of_its_own_and_survives_json(quick: bool) -> None:
    cases = suite(("TINY", "SMALL", "MEDIUM", "LARGE"), quick=quick)
    assert len({case.key for case in cases}) == len(cases)
    assert all(from_json(json.loads(json.dumps(case.to_json()))) == case for case in cases)


def test_the_full_suite_has_ten_seeds_with_and_without_chain() -> None:
    ours = {
        (case.seed, case.chain) for case in suite(("SMALL",)) if case.solver == "equilibrium" and case.fairness == 4
    }
    peers = {(case.seed, case.chain) for case in suite(("SMALL",)) if case.solver == "highs-ipm" and case.fairness == 4}
    assert ours == peers == {(seed, chain) for seed in range(10) for chain in (False, True)}


def test_tables_go_between_the_markers_and_nothing_else_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    put_into_page("new", page)
    put_into_page("newer", page)
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n\nnewer\n\n{END}\nafter\n"
    page.write_text("no markers\n", encoding="utf-8")
    with pytest.raises(ValueError, match="put them back"):
        put_into_page("new", page)


def test_the_page_shows_the_recorded_results() -> None:
    between = PAGE.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()
    if RESULTS.exists():
        assert between == render(json.loads(RESULTS.read_text(encoding="utf-8"))).strip()
    else:
        assert between == "No run has been recorded yet."


def test_peak_memory_grows_by_what_is_held() -> None:
    before = peak_mib()
    held = np.ones(int((before + 64) * 2**20) // 8)
    assert peak_mib() >= before + 60
    assert held[-1] == 1.0


@pytest.mark.parametrize(
    ("option", "bad", "remedy"), [("--sizes", "HUGE", "name sizes"), ("--seeds", "0", "at least 1")]
)
def test_a_wrong_option_is_refused_with_what_would_be_right(
    option: str, bad: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["run", option, bad])
    assert remedy in capsys.readouterr().err
