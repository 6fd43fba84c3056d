"""Measure general solvers on the exact model: HiGHS here, OR-Tools in a process that never sees HiGHS.

Every answer is judged in the same way: its value, the bound its duals prove, its largest violation, and the value that
is left once `settle` has cut it to what holds strictly, so that a nearly feasible point counts for what it is worth.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import highspy
import numpy as np

from abasto.planner import exact
from abasto.planner.blocks import Model, model
from abasto.planner.linear import LinearProgram, highs_model
from abasto.planner.lots import name_lots
from abasto.planner.problem import Floats, Problem, build_problem
from abasto.planner.settle import settle
from abasto.planner.tabulate import objective, service
from benchmarks.case import Case
from benchmarks.generate import generate
from benchmarks.memory import peak_mib

__all__ = ["measure"]

THREADS = 2
INTERIOR_POINT: dict[str, Any] = {"solver": "ipm", "run_crossover": "off"}
HIGHS: dict[str, dict[str, Any]] = {
    "highs-ipm": INTERIOR_POINT,
    "highs-ipm-1%": {**INTERIOR_POINT, "kkt_tolerance": 1e-2, "ipm_optimality_tolerance": 1e-2},
    "highs-simplex": {"solver": "simplex", "simplex_strategy": 1},
}
FEASIBLE = 1e-6
"""Largest violation, in scaled units, of a point that counts as a plan as it is."""
DUST = 1e-7
"""Flows below this share of a typical quantity are left out of a point before it is cut."""


def measure(case: Case) -> dict[str, Any]:
    """Solve the exact model of the case's network with the case's solver."""
    network = generate(case.size, seed=case.seed, chain=case.chain, scarcity=case.scarcity)
    problem = build_problem(network, fairness=case.fairness)
    begin = time.perf_counter()
    if case.solver == "linopy":
        from benchmarks import linopy_model

        return {**linopy_model.measure(problem, limit=case.limit, threads=THREADS), **_size(problem)}
    full = model(problem)
    assembly = time.perf_counter() - begin
    solve = _by_highs if case.solver in HIGHS else _by_ortools
    found, x, duals = solve(full.program, case)
    found.setdefault("memory_mib", peak_mib())
    return {**found, "assembly_seconds": assembly, **_size(problem), **judge(full, x, duals)}


def _size(problem: Problem) -> dict[str, Any]:
    return {"needs": len(problem.needs.amount), "lanes": len(problem.lanes)}


def _by_highs(program: LinearProgram, case: Case) -> tuple[dict[str, Any], Floats | None, Floats | None]:
    highs: Any = highspy.Highs()
    options = {"output_flag": False, "threads": THREADS, "time_limit": case.limit, **HIGHS[case.solver]}
    for name, setting in options.items():
        if highs.setOptionValue(name, setting) != highspy.HighsStatus.kOk:
            raise ValueError(f"HiGHS {highs.version()} refuses {name} = {setting}; see its list of options")
    begin = time.perf_counter()
    highs.passModel(highs_model(program))
    highs.run()
    seconds = time.perf_counter() - begin
    ended = highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
    found = {"status": highs.modelStatusToString(highs.getModelStatus()), "ended": ended, "seconds": seconds}
    solution = highs.getSolution()
    x = np.array(solution.col_value) if solution.value_valid else None
    duals = -np.array(solution.row_dual) if solution.dual_valid else None
    return found, x, duals


def _by_ortools(program: LinearProgram, case: Case) -> tuple[dict[str, Any], Floats | None, Floats | None]:
    """Hand the matrix over in a file: two builds of HiGHS in one process do not go together."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        matrix = program.matrix
        np.savez(
            folder / "program.npz",
            cost=-program.value,
            upper=program.upper,
            row_lower=program.row_lower,
            row_upper=program.row_upper,
            data=matrix.data,
            indices=matrix.indices,
            indptr=matrix.indptr,
        )
        command = [sys.executable, "-m", "benchmarks.by_ortools", case.solver, name, f"{case.limit}", f"{THREADS}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        found = json.loads((folder / "answer.json").read_text())
        if not (folder / "answer.npz").exists():
            return found, None, None
        with np.load(folder / "answer.npz") as answer:
            return found, answer["x"], -answer["duals"]


def judge(full: Model, x: Floats | None, duals: Floats | None) -> dict[str, Any]:
    """Return objective, violation and bound of an answer, and the value of what holds of it strictly."""
    program = full.program
    bound = None
    if duals is not None and np.isfinite(duals).all():
        bound = min(full.problem.full_value, program.bound(duals))
    if x is None or not np.isfinite(x).all():
        return {"objective": None, "violation": None, "feasible": False, "kept": None, "bound": bound}
    violation = program.violation(x)
    within = np.clip(x, 0.0, program.upper)
    value = float(program.value @ within) * program.value_scale
    feasible = violation <= FEASIBLE
    kept = value if feasible else _kept(full, within)
    return {"objective": value, "violation": violation, "feasible": feasible, "kept": kept, "bound": bound}


def _kept(full: Model, x: Floats) -> float:
    """Return the objective of a point that breaks rules, after it has been cut to what holds."""
    flows = exact._flows(full, np.where(x < DUST, 0.0, x))
    lots = name_lots(full.problem, settle(full.problem, flows))
    return objective(full.problem, service(full.problem, lots).coverage)
