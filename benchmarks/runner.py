"""Run cases one after the other, each in a process of its own, and keep every result as soon as it is there."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.case import Case, from_json

__all__ = ["Results", "machine", "run", "run_one"]

Results = dict[str, Any]
"""`machine`, `versions` and `cases`: one record per case, with the case's fields under `case`."""

PACKAGES = ("numpy", "scipy", "numba", "highspy", "linopy", "ortools", "apsw-sqlite3mc", "pynacl", "psycopg")
MISSING = "not installed"
FORMAT = 1


def machine() -> dict[str, Any]:
    """Return how many cores and how much memory there are, and nothing else about the machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"cores": cores, "memory_gib": round(memory), "python": platform.python_version()}


def versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = MISSING
    return found


def _stays(record: dict[str, Any], parts: set[bool], *, resume: bool) -> bool:
    """Say whether a result of an earlier run is kept: it is of another part, or done and the run is resumed."""
    if from_json(record["case"]).is_of_journal not in parts:
        return True
    return resume and record["outcome"] == "done"


def run(cases: Iterable[Case], out: Path, *, resume: bool = False, tell: Callable[[str], None] = print) -> Results:
    """Run the cases and return all results; `out` is rewritten after each, so that a stop loses one case at most.

    With `resume` what `out` already holds is kept, and only missing or failed cases are run. Results of the planner
    stay when the journal is measured, and the other way round.
    """
    cases = list(cases)
    results: Results = {"format": FORMAT, "machine": machine(), "versions": versions(), "cases": []}
    if out.exists():
        known = json.loads(out.read_text(encoding="utf-8"))
        parts = {case.is_of_journal for case in cases}
        results["cases"] = [record for record in known["cases"] if _stays(record, parts, resume=resume)]
        if results["cases"]:
            missing = {name for name, number in results["versions"].items() if number == MISSING}
            results["versions"] |= {name: known["versions"].get(name, MISSING) for name in missing}
    done = {record["key"] for record in results["cases"]}
    waiting = [case for case in cases if case.key not in done]
    for number, case in enumerate(waiting, start=1):
        record = run_one(_with_limit(case, results))
        results["cases"].append(record)
        _write(results, out)
        tell(f"[{number}/{len(waiting)}] {case.key}: {_in_short(record)}")
    _write(results, out)
    return results


def run_one(case: Case) -> dict[str, Any]:
    """Measure one case in a new process; whatever goes wrong there becomes part of the record."""
    record: dict[str, Any] = {"key": case.key, "instance": case.instance, "case": case.to_json()}
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks", "case", json.dumps(case.to_json())],
        cwd=Path(__file__).resolve().parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that what the case has started ends with it
    )
    try:
        output, errors = process.communicate(timeout=case.patience)
    except subprocess.TimeoutExpired:
        _end(process)
        return {**record, "outcome": "failed", "error": f"no answer after {case.patience:.0f} s"}
    except BaseException:
        _end(process)
        raise
    if process.returncode != 0:
        lines = errors.strip().splitlines()
        cause = _no_paths(lines[-1]) if lines else "no message"
        return {**record, "outcome": "failed", "error": f"exit {process.returncode}: {cause}"}
    return {**record, "outcome": "done", **_rounded(json.loads(output.splitlines()[-1]))}


def _with_limit(case: Case, results: Results) -> Case:
    """Give a peer the agreed multiple of our time on the same network, where ours is known."""
    if case.times_ours is None:
        return case
    for record in results["cases"]:
        if record["instance"] == case.instance and record["case"]["solver"] == "equilibrium":
            ours = (record.get("reached") or {}).get("0.01") or record.get("seconds")
            if ours is not None:
                return replace(case, limit=min(case.limit, case.times_ours * ours))
    return case


def _end(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _no_paths(line: str) -> str:
    return line.replace(str(Path(__file__).resolve().parent.parent), "…")[:300]


def _rounded(value: Any) -> Any:
    """Keep twelve digits of what proves a gap and drop the rest: nobody reads them and the file stays small."""
    if isinstance(value, float):
        return float(f"{value:.12g}") if abs(value) >= 1e6 else float(f"{value:.5g}")
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value


def _in_short(record: dict[str, Any]) -> str:
    if record["outcome"] != "done":
        return f"FAILED, {record['error']}"
    seconds = f"{record['seconds']:.2f} s"
    gap = f", gap {record['gap']:.2%}" if record.get("gap") is not None else ""
    wrong = f", {record['violations']} VIOLATIONS" if record.get("violations") else ""
    return f"{seconds}{gap}, {record.get('status', 'done')}{wrong}"


def _write(results: Results, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.draft")
    lines = ",\n".join("  " + json.dumps(record, ensure_ascii=False) for record in results["cases"])
    head = {name: part for name, part in results.items() if name != "cases"}
    text = json.dumps(head, ensure_ascii=False)[:-1] + ',\n "cases": [\n' + lines + "\n]}\n"
    draft.write_text(text, encoding="utf-8")
    draft.replace(out)
