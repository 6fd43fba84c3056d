"""A network's plans on the way to a joint one, and how each is made."""

from __future__ import annotations

from dataclasses import dataclass

from abasto.errors import CheckError
from abasto.federation.border import Gate, Trade
from abasto.network import Network
from abasto.planner.keep import plan_keeping
from abasto.planner.make import SolverName, make_plan
from abasto.planner.plan import Plan

__all__ = ["Kept", "Level", "plan_carefully"]


@dataclass(frozen=True)
class Kept:
    """An earlier plan, and the sites at which a new one hands over just what it does."""

    plan: Plan
    sites: frozenset[str]


@dataclass(frozen=True)
class Level:
    """A plan that sends `sent` and rests on no more than `relied`."""

    relied: Trade
    sent: Trade
    plan: Plan
    network: Network
    value: float
    gates: tuple[Gate, ...]


def plan_carefully(
    network: Network,
    kept: Kept | None = None,
    *,
    fairness: float = 4.0,
    gap: float = 0.003,
    time_limit: float | None = None,
) -> Plan:
    """Return a checked plan, around what is kept of an earlier one; where the exact solver's breaks a rule, as needs
    that are worth next to nothing beside others can make it, that of the other solver.
    """

    def plan(solver: SolverName) -> Plan:
        if kept is None:
            return make_plan(network, fairness=fairness, gap=gap, time_limit=time_limit, solver=solver)
        return plan_keeping(
            network, kept.plan, kept.sites, fairness=fairness, gap=gap, time_limit=time_limit, solver=solver
        ).plan

    try:
        return plan("auto")
    except CheckError:
        return plan("equilibrium")
