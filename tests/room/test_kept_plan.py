"""The latest plan outlives the room: what is read back is what was kept, and the next plan is compared with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.hand_built import hand_built_plan
from tests.room.served import Desk, Served, neighbourhood

import abasto
from abasto.journal.home import Home
from abasto.planner.check import check_plan
from abasto.planner.plan import PLAN_TABLES, Plan
from abasto.room import kept_plan as module
from abasto.room.kept_plan import keep_plan, kept_plan

NAMES = [*(table.name for table in PLAN_TABLES), "summary"]


def is_the_same(first: Plan, second: Plan) -> bool:
    figures = [name for name in module.FIGURES if getattr(first, name) != getattr(second, name)]
    tables = [name for name in NAMES if list(first.table(name).rows()) != list(second.table(name).rows())]
    return first.network == second.network and not figures and not tables


@pytest.mark.parametrize("name", ["planned", "by hand"])
def test_plan_is_read_back_as_it_was_kept(tmp_path: Path, name: str) -> None:
    if name == "planned":
        plan = abasto.plan(abasto.read(abasto.example_path("neighbourhood")), "lockout")
        assert check_plan(plan.network, plan) == []
    else:
        plan = hand_built_plan()
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        assert kept_plan(home.file) is None
        keep_plan(home.file, plan)
        keep_plan(home.file, plan)
    with Home.open(tmp_path / "casa", passphrase=None) as home:
        back = kept_plan(home.file)
    assert back is not None
    assert is_the_same(plan, back)
    assert not is_the_same(plan, replace(back, objective=plan.objective + 1))
    assert all(values.dtype != np.dtype(object) for table in NAMES for values in back.table(table).values())


def test_plan_that_another_version_kept_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        keep_plan(home.file, hand_built_plan())
        monkeypatch.setattr(module, "VERSION", 2)
        assert kept_plan(home.file) is None


def planned(desk: Desk) -> str:
    """Have a plan made; return the page about it."""
    assert desk.call("/api/plan", {}).json()["outcome"] == "running"
    with desk.stream("GET", "/events") as events:
        for _ in events.iter_lines():
            if desk.get("/api/plan").json()["outcome"] != "running":
                break
    return desk.get("/plan").text


def test_first_plan_of_a_room_opened_anew_is_compared_with_the_last_one_before(served: Served) -> None:
    nothing = "There is no plan before this one."
    assert nothing in planned(served.desk())
    assert served.stop() == 0
    served.day = "2027-03-02"
    served.start()
    assert nothing not in planned(served.desk())
