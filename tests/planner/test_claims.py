"""What explanations claim holds in the tables of the plan, whatever the network, by plain loops over their rows."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from random_networks import networks

from abasto.network import Network
from abasto.planner.causes import Cause, Explanation, Resource
from abasto.planner.disruption import Disrupted
from abasto.planner.explain import explain_need
from abasto.planner.make import Solved, plan_in_full
from abasto.planner.paragraph import known
from abasto.planner.plan import MET_TOLERANCE, Plan
from abasto.tables.target import Targets

NEARLY = 0.9 - 1e-6
"""What is named is used at least this far."""
FUZZ = settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


class Tables:
    """Capacities and their use, from the rows of the network's and the plan's tables."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.net = plan, plan.network
        self.left = Disrupted(plan.network, plan.scenario, Targets(plan.network))

    def load(self, resource: Resource, day: int) -> float:
        """Return used ÷ capacity on a day, 1 where there is none."""
        used, capacity = getattr(self, resource.kind)(resource.name, day)
        return 1.0 if capacity <= 0 else float(used / capacity)

    def fleet(self, name: str, day: int) -> tuple[float, float]:
        (row,) = [row for row in self.net.fleets if row.fleet == name]
        hours = row.vehicles * row.hours_per_day * self.left.fleet(name, row.site, day - 1)
        trips = [trip for trip in self.plan.trips.rows() if (trip["fleet"], trip["day"]) == (name, day)]
        return sum(trip["vehicle_hours"] for trip in trips), hours if self.holds(row, day) else 0.0

    def lane(self, name: str, day: int) -> tuple[float, float]:
        start, end = name.split(">")
        ends = [(start, end), (end, start)]
        (row,) = [row for row in self.net.lanes if (row.from_site, row.to_site) in ends[: 2 if row.two_way else 1]]
        capacity = (row.tonnes or 0.0) * self.left.lane(start, end, day - 1)
        trips = [
            trip for trip in self.plan.trips.rows() if (trip["from"], trip["to"], trip["day"]) == (start, end, day)
        ]
        return sum(trip["tonnes"] for trip in trips), capacity

    def plant(self, name: str, day: int) -> tuple[float, float]:
        site, recipe = name.split("/")
        rows = [row for row in self.net.plants if (row.site, row.recipe) == (site, recipe) and self.holds(row, day)]
        batches = sum(row.batches for row in rows) * self.left.plant(site, recipe, day - 1)
        made = [row for row in self.plan.production.rows() if (row["site"], row["recipe"]) == (site, recipe)]
        return sum(row["batches"] for row in made if row["day"] == day), batches

    def labour(self, site: str, day: int) -> tuple[float, float]:
        hours = sum(row.hours for row in self.net.labour if row.site == site and self.holds(row, day))
        each = {row.recipe: row.hours_per_batch for row in self.net.plants if row.site == site}
        made = [row for row in self.plan.production.rows() if (row["site"], row["day"]) == (site, day)]
        return sum(row["batches"] * each[row["recipe"]] for row in made), hours

    def storage(self, site: str, day: int) -> tuple[float, float]:
        (row,) = [row for row in self.net.sites if row.site == site]
        assert row.storage_t is not None
        weight = {good.good: good.kg_per_unit / 1000 for good in self.net.goods}
        closing = [lot for lot in self.plan.closing.rows() if (lot["site"], lot["day"]) == (site, day)]
        return sum(lot["quantity"] * weight[lot["good"]] for lot in closing), row.storage_t

    def supply(self, name: str, day: int) -> tuple[float, float]:
        site, good = name.split("/")
        rows = [row for row in self.net.supplies if (row.site, row.good) == (site, good) and self.holds(row, day)]
        offered = sum(row.quantity for row in rows) * self.left.supply(site, good, day - 1)
        taken = [row for row in self.plan.intake.rows() if (row["site"], row["good"]) == (site, good)]
        return sum(row["quantity"] for row in taken if row["day"] == day), offered

    def stock(self, name: str, day: int) -> tuple[float, float]:
        """Return what is gone in the end of a stock, other than spoiled or still there."""
        site, good = name.split("/")
        rows = [row for row in self.net.stocks if (row.site, row.good) == (site, good)]
        usable = sum(row.quantity for row in rows if row.expires is None or row.expires >= self.net.start)
        closing = [row for row in self.plan.closing.rows() if (row["site"], row["good"]) == (site, good)]
        rest = sum(row["spoiled"] + (row["quantity"] if row["day"] == self.net.days else 0.0) for row in closing)
        return max(0.0, usable - rest), usable

    def reserve(self, name: str, day: int) -> tuple[float, float]:
        """Return what has left of a good until the end of a day, and what may have beside the reserve."""
        site, good = name.split("/")
        kept = sum(row.quantity for row in self.net.reserves if (row.site, row.good) == (site, good))
        _, stock = self.stock(name, day)
        came = max(0.0, stock - kept)
        sent = 0.0
        for row in self.plan.shipments.rows():
            if row["good"] == good and row["from"] == site and row["departs"] <= day:
                sent += row["quantity"]
            if row["good"] == good and row["to"] == site and row["arrives"] <= day:
                came += row["quantity"]
        came += sum(self.supply(name, past)[0] for past in range(1, day + 1))
        for made in self.plan.production.rows():
            if made["site"] == site and made["day"] <= day:
                lines = [line for line in self.net.recipes if (line.recipe, line.good) == (made["recipe"], good)]
                came += sum(made["batches"] * max(0.0, line.quantity) for line in lines)
        return sent, came

    def holds(self, row: object, day: int) -> bool:
        first, last = getattr(row, "from_day", None) or 1, getattr(row, "to_day", None) or self.net.days
        return bool(first <= day <= last)


def assert_true(tables: Tables, story: Explanation, cause: Cause) -> None:
    """Check one cause against the tables: named loads are those of the plan, and what is in the way is."""
    if cause.resource is None:
        return
    if not cause.load:
        covered = [
            row["coverage"]
            for row in tables.plan.coverage.rows()
            if (row["site"], row["need"]) == (story.site, story.need) and row["day"] in cause.days
        ]
        assert max(covered) <= 1e-6, "something came although nothing can"
        return
    loads = [tables.load(cause.resource, day) for day in cause.days]
    if cause.resource.kind == "reserve":  # it may have been free again later
        assert max(tables.load(cause.resource, day) for day in range(1, cause.days[-1] + 1)) >= NEARLY
        return
    assert min(loads) >= NEARLY
    assert list(cause.load) == pytest.approx(loads, rel=1e-5, abs=1e-5)


def claims(solved: Solved) -> None:
    """Explain every need of a plan and check every claim."""
    tables = Tables(solved.plan)
    pairs = {(row["site"], row["need"]) for row in solved.plan.coverage.rows()}
    for site, need in sorted(pairs):
        for story in explain_need(solved, site, need):
            assert story.words
            assert list(known(story)) or not story.origins
            short = [row for row in solved.plan.shortages.rows() if (row["site"], row["need"]) == (site, need)]
            assert bool(story.causes) == bool(short)
            if not story.causes:
                assert story.coverage >= 1 - MET_TOLERANCE
            for cause in story.causes:
                assert_true(tables, story, cause)
                if cause.use is not None:
                    assert cause.use.used >= 0
                    assert all(0 <= user.coverage_without <= user.coverage + 1e-9 for user in cause.use.users)


@given(networks())
@FUZZ
def test_claims_hold_in_the_tables_of_exact_plans(drawn: tuple[Network, str | None]) -> None:
    claims(plan_in_full(*drawn, solver="exact"))


@given(networks(equilibrium_only=True))
@FUZZ
def test_claims_hold_in_the_tables_of_equilibrium_plans(drawn: tuple[Network, str | None]) -> None:
    claims(plan_in_full(*drawn, solver="equilibrium", time_limit=2.0))


SOLVERS: tuple[Literal["exact", "equilibrium"], ...] = ("exact", "equilibrium")


@given(networks(equilibrium_only=True))
@settings(FUZZ, max_examples=40)
def test_both_solvers_agree_on_where_nothing_can_come(drawn: tuple[Network, str | None]) -> None:
    blocked = []
    for solver in SOLVERS:
        solved = plan_in_full(*drawn, solver=solver, time_limit=2.0)
        found = set()
        for row in solved.plan.shortages.rows():
            for story in explain_need(solved, row["site"], row["need"], row["from"]):
                found |= {
                    (story.site, story.need, cause.kind, cause.resource)
                    for cause in story.causes
                    if not cause.load and cause.kind not in ("within_gap", "stopped")
                }
        blocked.append(found)
    assert blocked[0] == blocked[1]
