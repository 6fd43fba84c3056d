"""The command `rehearse`: what is said, what is written, and that Ctrl-C keeps what is done."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from abasto import example_path
from abasto.cli import main

NEIGHBOURHOOD = example_path("neighbourhood")


def run(*arguments: object) -> int:
    return main(["rehearse", *(str(argument) for argument in arguments)])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_briefing_names_the_worst_first_and_says_what_its_figures_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(NEIGHBOURHOOD, "--scenario", "lockout", "--most", 4) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0] == (
        "Neighbourhood, scenario lockout: 37 things taken away in turn for all 7 days "
        "(sites, lanes, fleets, plants, supplies)."
    )
    numbered = [line for line in lines if line[:1].isdigit() and ". " in line[:6]]
    assert [line.split(":")[0] for line in numbered[:4]] == [
        "1. bicycles (fleet)",
        "2–3. mill van (fleet)",
        "2–3. Mill (site)",
        "4. Station (site)",
    ]
    assert any(
        line.startswith("   First felt on day 1. Hit hardest: Station, bread (1,000 people, 50 % → ") for line in lines
    )
    assert any(line.startswith("   Would be softened by: ") for line in lines)
    assert "A rank such as 2–4 means that what is proven does not tell these apart." in lines
    assert "17 are proven to do no harm alone." in lines
    assert not Path("progress.jsonl").exists()


def test_out_holds_the_same_as_json_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(NEIGHBOURHOOD, "--what", "sites,fleets", "--pairs", 2, "--out", out, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    rows, pairs = table(out / "rehearsal.csv"), table(out / "pairs.csv")
    assert document["complete"]
    assert document["written"] == str(out)
    assert [(row["kind"], row["target"]) for row in rows] == [
        (harm["lost"][0]["kind"], harm["lost"][0]["target"]) for harm in document["losses"]
    ]
    for row, harm in zip([*rows, *pairs], [*document["losses"], *document["pairs"]], strict=True):
        assert [int(row["rank_first"]), int(row["rank_last"])] == harm["rank"]
        assert float(row["harm"]) == pytest.approx(harm["harm"]["estimate"], rel=1e-6, abs=1e-6)
        assert float(row["people_days_lost"]) == pytest.approx(
            sum(harm["people_days_lost"].values()), rel=1e-6, abs=1e-6
        )
    for row, harm in zip(pairs, document["pairs"], strict=True):
        assert float(row["worse_together_by"]) == pytest.approx(harm["worse_together"]["estimate"], rel=1e-5, abs=1e-3)
    assert sorted(path.name for path in out.iterdir()) == ["pairs.csv", "progress.jsonl", "rehearsal.csv"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], '"nowhere": there is no such folder or workbook'),
        ([NEIGHBOURHOOD, "--scenario", "lokout"], 'Did you mean "lockout"?'),
        ([NEIGHBOURHOOD, "--what", "trucks"], '"trucks" is nothing that can be taken away. There are'),
        ([NEIGHBOURHOOD, "--what", "sites,,fleets"], '"" is nothing that can be taken away'),
        ([NEIGHBOURHOOD, "--pairs", "-2"], "pairs is -2"),
        ([NEIGHBOURHOOD, "--most", "0"], "most is 0"),
        ([NEIGHBOURHOOD, "--jobs", "0"], "jobs is 0"),
        ([NEIGHBOURHOOD, "--gap", "0"], "gap is 0"),
        ([NEIGHBOURHOOD, "--time-limit", "0"], "time_limit is 0"),
        ([NEIGHBOURHOOD, "--fresh"], "--fresh starts over what --out keeps"),
        ([NEIGHBOURHOOD, "--out", NEIGHBOURHOOD], "the tables that are read lie there"),
        ([NEIGHBOURHOOD, "--backend", "dusk"], 'Did you mean "dask"?'),
        ([NEIGHBOURHOOD, "--backend", "dask"], "needs the address of a scheduler"),
        ([NEIGHBOURHOOD, "--backend", "ray", "--scheduler", "tcp://x:1"], "give one of them"),
        ([NEIGHBOURHOOD, "--scheduler", "tcp://127.0.0.1:9"], "no Dask scheduler answers there"),
    ],
)
def test_wrong_use_exits_with_2_and_says_what_to_do(
    arguments: list[object],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("abasto.cli_rehearse.SECONDS_TO_CONNECT", 1)
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""
    assert list(tmp_path.iterdir()) == []


def test_ray_that_is_not_installed_is_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.util.joblib", None)
    assert run(NEIGHBOURHOOD, "--backend", "ray") == 2
    assert "needs Ray, which is not installed here" in capsys.readouterr().err


def test_progress_of_another_rehearsal_is_refused_and_fresh_starts_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(NEIGHBOURHOOD, "--what", "fleets", "--out", tmp_path) == 0
    assert run(NEIGHBOURHOOD, "--what", "fleets", "--out", tmp_path, "--scenario", "lockout") == 2
    assert "start over with --fresh, or give another folder" in capsys.readouterr().err
    assert run(NEIGHBOURHOOD, "--what", "fleets", "--out", tmp_path, "--scenario", "lockout", "--fresh") == 0


def test_any_backend_of_joblib_serves(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(NEIGHBOURHOOD, "--what", "fleets", "--backend", "threading", "--jobs", 2) == 0
    threads = capsys.readouterr().out
    assert run(NEIGHBOURHOOD, "--what", "fleets") == 0
    assert capsys.readouterr().out == threads


def test_a_dask_scheduler_takes_one_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    distributed = pytest.importorskip("distributed")
    assert run(NEIGHBOURHOOD, "--what", "fleets,plants") == 0
    here = capsys.readouterr().out
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp://", host="127.0.0.1", dashboard_address=None
    ) as cluster:
        assert run(NEIGHBOURHOOD, "--what", "fleets,plants", "--scheduler", cluster.scheduler_address) == 0
    assert capsys.readouterr().out == here


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="lists the processes of a program as Linux does")
def test_ctrl_c_ends_no_worker_that_is_still_starting(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "abasto", "rehearse", str(NEIGHBOURHOOD), "--scenario", "lockout", "--jobs", "2"]
    running = subprocess.Popen(
        [*command, "--out", str(tmp_path / "out")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and len(_workers(running.pid)) < 2:
        time.sleep(0.001)
    os.killpg(running.pid, signal.SIGINT)
    said, messages = running.communicate(timeout=120)
    assert running.returncode == 0, messages
    assert "abasto: stopping with what is known so far; Ctrl-C once more gives up." in messages
    assert "Traceback" not in messages
    assert "have not been looked at yet." in said


def _workers(pid: int) -> list[int]:
    """Return the processes that share the work of a rehearsal, as soon as they run their own program."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            try:
                if b"popen_loky_posix" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
            except FileNotFoundError:
                continue
    return found


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "abasto", "rehearse", str(NEIGHBOURHOOD), "--scenario", "lockout"]
    command += ["--jobs", str(jobs), "--out", str(out)]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
    )
    progress = out / "progress.jsonl"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (progress.exists() and progress.read_bytes().count(b"\n") > 1):
        time.sleep(0.005)
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: every process of the group gets it
    said, messages = running.communicate(timeout=120)
    assert running.returncode == 0, messages
    assert "abasto: stopping with what is known so far; Ctrl-C once more gives up." in messages
    assert "the same command goes on from there." in messages
    assert "Traceback" not in messages
    assert "Warning" not in messages
    assert "have not been looked at yet." in said
    assert "Stopped before all was done" in said
    assert not (out / "rehearsal.csv").exists()
    done = progress.read_bytes()
    assert 1 < done.count(b"\n") < 38
    again = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120)
    assert again.returncode == 0, again.stderr
    assert progress.read_bytes().startswith(done)
    other = tmp_path / "other"
    assert run(NEIGHBOURHOOD, "--scenario", "lockout", "--out", other) == 0
    assert (out / "rehearsal.csv").read_bytes() == (other / "rehearsal.csv").read_bytes()
