"""The same tables give the same plan, twice in a process and in a new one."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from abasto.examples import example_path
from abasto.planner.make import SolverName, make_plan
from abasto.planner.plan import PLAN_TABLES, Plan
from abasto.tables import read_network


def fingerprint(plan: Plan) -> str:
    """Return a digest of every table but the summary, which tells how long it took."""
    digest = hashlib.sha256()
    for schema in PLAN_TABLES:
        for name, values in plan.table(schema.name).items():
            digest.update(name.encode())
            digest.update("\n".join(map(str, values.tolist())).encode() if values.dtype == object else values.tobytes())
    digest.update(np.array([plan.objective, plan.bound]).tobytes())
    return digest.hexdigest()


def plan_of_the_neighbourhood(solver: SolverName) -> Plan:
    network = read_network(example_path("neighbourhood"))
    return make_plan(network, "lockout", solver=solver, gap=0.02)


@pytest.mark.parametrize("solver", ["exact", "equilibrium"])
def test_the_same_tables_give_the_same_plan(solver: SolverName) -> None:
    here = fingerprint(plan_of_the_neighbourhood(solver))
    assert fingerprint(plan_of_the_neighbourhood(solver)) == here
    command = f"import test_determinism as t; print(t.fingerprint(t.plan_of_the_neighbourhood({solver!r})))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONHASHSEED": "7"}
    new = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert new.stdout.strip() == here


def test_another_plan_has_another_fingerprint() -> None:
    network = read_network(example_path("neighbourhood"))
    plan = make_plan(network, solver="exact")
    assert fingerprint(plan) != fingerprint(plan_of_the_neighbourhood("exact"))
