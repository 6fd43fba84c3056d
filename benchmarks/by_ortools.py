"""Solve a program in a file with GLOP or PDLP, alone in its process.

python -m benchmarks.by_ortools glop|pdlp FOLDER SECONDS THREADS
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.memory import peak_mib

PRECISION = 1e-4
"""Relative precision at which PDLP may stop: finer than any gap that is compared."""


def main(solver: str, folder: Path, *, limit: float, threads: int) -> None:
    """Read program.npz in `folder`, solve it, and write answer.json and, if there is a point, answer.npz."""
    with np.load(folder / "program.npz") as program:
        parts = dict(program)
    shape = (len(parts["row_lower"]), len(parts["cost"]))
    matrix = sparse.csc_matrix((parts["data"], parts["indices"], parts["indptr"]), shape=shape)
    begin = time.perf_counter()
    found, x, duals = (_glop if solver == "glop" else _pdlp)(parts, matrix, limit=limit, threads=threads)
    found["seconds"] = time.perf_counter() - begin
    found["memory_mib"] = peak_mib()
    if x is not None:
        np.savez(folder / "answer.npz", x=x, duals=duals)
    (folder / "answer.json").write_text(json.dumps(found))


def _glop(parts: dict[str, Any], matrix: Any, *, limit: float, threads: int) -> tuple[dict[str, Any], Any, Any]:
    """GLOP is a simplex method of one thread."""
    from ortools.linear_solver.python.model_builder_helper import ModelBuilderHelper, ModelSolverHelper

    builder = ModelBuilderHelper()
    lower = np.zeros(len(parts["cost"]))
    rows = (parts["row_lower"], parts["row_upper"])
    builder.fill_model_from_sparse_data(lower, parts["upper"], parts["cost"], *rows, matrix.tocsr())
    search = ModelSolverHelper("glop")
    search.set_time_limit_in_seconds(limit)
    search.solve(builder)
    status = search.status().name
    found = {"status": status, "ended": status == "OPTIMAL"}
    if not search.has_solution():
        return found, None, None
    return found, np.array(search.variable_values()), np.array(search.dual_values())


def _pdlp(parts: dict[str, Any], matrix: Any, *, limit: float, threads: int) -> tuple[dict[str, Any], Any, Any]:
    from ortools.pdlp import solve_log_pb2, solvers_pb2
    from ortools.pdlp.python import pdlp

    program = pdlp.QuadraticProgram()
    program.resize_and_initialize(matrix.shape[1], matrix.shape[0])
    program.objective_vector = parts["cost"]
    program.constraint_matrix = matrix
    program.constraint_lower_bounds = parts["row_lower"]
    program.constraint_upper_bounds = parts["row_upper"]
    program.variable_lower_bounds = np.zeros(matrix.shape[1])
    program.variable_upper_bounds = parts["upper"]
    settings = solvers_pb2.PrimalDualHybridGradientParams()
    settings.num_threads = threads
    settings.termination_criteria.time_sec_limit = limit
    settings.termination_criteria.simple_optimality_criteria.eps_optimal_relative = PRECISION
    settings.termination_criteria.simple_optimality_criteria.eps_optimal_absolute = PRECISION
    result = pdlp.primal_dual_hybrid_gradient(program, settings)
    reason = result.solve_log.termination_reason
    found = {
        "status": solve_log_pb2.TerminationReason.Name(reason),
        "ended": reason == solve_log_pb2.TERMINATION_REASON_OPTIMAL,
    }
    return found, np.array(result.primal_solution), np.array(result.dual_solution)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), limit=float(sys.argv[3]), threads=int(sys.argv[4]))
