"""The compiled kernels: `prepare` compiles each for the only types that it ever meets."""

from __future__ import annotations

from typing import Any

import pytest

from abasto.examples import example_path
from abasto.planner import equilibrate, equilibrium, sweep, ways
from abasto.planner.problem import build_problem
from abasto.tables import read_network


def signatures() -> dict[str, int]:
    """Return for how many types each kernel is compiled in this process."""
    kernels: dict[str, Any] = {
        f"{module.__name__}.{name}": kernel
        for module in (equilibrate, sweep, ways)
        for name, kernel in vars(module).items()
        if hasattr(kernel, "signatures")
    }
    return {name: len(kernel.signatures) for name, kernel in kernels.items()}


@pytest.mark.parametrize("example", ["neighbourhood", "national"])
def test_nothing_is_compiled_again_inside_a_search(example: str) -> None:
    equilibrium.prepare()
    before = signatures()
    assert before["abasto.planner.equilibrate.equilibrate"] >= 1
    equilibrium.solve(build_problem(read_network(example_path(example)), "lockout"), gap=0.05)
    assert signatures() == before
