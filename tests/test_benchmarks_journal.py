"""The journal's benchmarks: entries are a valid network's, results stay beside the planner's, tables say what was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.__main__ import main
from benchmarks.case import Case, from_json, journal_suite
from benchmarks.journal_entries import entries
from benchmarks.render import render
from benchmarks.runner import run, run_one

from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.state.fold import fold


def test_the_entries_measured_are_ones_that_every_device_would_take() -> None:
    journal = Journal(MemoryStore())
    assert journal.receive(one.signed for one in entries(700)) == (700, 0, (), ())
    refused: list[str] = []
    fold(journal.read(), listen=lambda told: refused.append(told.outcome) if told.outcome else None)
    assert refused == []
    assert not journal.store.forks()


@pytest.mark.parametrize("part", ["journal-append", "journal-receive", "journal-fold"])
def test_a_part_of_the_journal_is_measured_and_rendered(part: str) -> None:
    found = run_one(Case(part, "20", 0))
    assert found["outcome"] == "done", found
    assert found["seconds"] > 0
    text = render({"machine": {"cores": 1, "memory_gib": 1, "python": "3"}, "versions": {}, "cases": [found]})
    headings = {"journal-append": "Durable entries", "journal-receive": "Entries received"}
    assert f"### {headings.get(part, 'A long journal')}" in text


def test_a_folded_journal_is_measured_by_its_length() -> None:
    found = run_one(Case("journal-fold", "600", 0))
    assert found["entries"] == 600
    assert 250 < found["bytes_per_entry"] < 1200, "an entry's bytes and its signature, and little else"


def record_of(case: Case, **facts: Any) -> dict[str, Any]:
    return {"key": case.key, "instance": case.instance, "case": case.to_json(), "outcome": "done", **facts}


def test_results_of_the_planner_stay_when_the_journal_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "results.json"
    planned = record_of(Case("compile", "TINY", 0), compiling_seconds=1.0, loading_seconds=1.0, seconds=1.0)
    old = record_of(Case("journal-receive", "5", 0), seconds=2.0)
    head = {"format": 1, "machine": {"cores": 1, "memory_gib": 1, "python": "3"}}
    out.write_text(json.dumps({**head, "versions": {"ortools": "9.0"}, "cases": [planned, old]}), encoding="utf-8")
    new = {"seconds": 1.0, "received": 10.0, "checked": 20.0, "verified": 30.0}
    monkeypatch.setattr("benchmarks.runner.run_one", lambda case: record_of(case, **new))
    results = run([Case("journal-receive", "5", 0)], out, tell=lambda line: None)
    assert [record["seconds"] for record in results["cases"]] == [1.0, 1.0], "the planner's stays, the old one goes"
    assert results["cases"][0] == planned


def test_the_command_measures_the_whole_journal_and_leaves_the_page_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Case] = []

    def answer(case: Case) -> dict[str, Any]:
        asked.append(case)
        return (
            record_of(case, seconds=1.0, rows=[], received=1.0, checked=1.0, verified=1.0)
            if (case.solver != "journal-fold")
            else {**record_of(case), "outcome": "failed", "error": "no answer"}
        )

    monkeypatch.setattr("benchmarks.runner.run_one", answer)
    assert main(["journal", "--quick", "--out", str(tmp_path / "out.json")]) == 1, "a part that failed is told"
    assert [case.solver for case in asked] == [case.solver for case in journal_suite(20_000)]
    assert "no answer" in capsys.readouterr().out


def test_every_case_of_the_journal_has_a_name_of_its_own_and_survives_json() -> None:
    cases = journal_suite(1_000_000)
    assert len({case.key for case in cases}) == len(cases)
    assert all(from_json(json.loads(json.dumps(case.to_json()))) == case for case in cases)
