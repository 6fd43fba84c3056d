"""The latest plan outlives the room: what is read back is what was kept, and a room opened anew goes on from it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.hand_built import hand_built_plan
from tests.room.planned import make_plan, orders_shown, plan_id
from tests.room.served import DAY, Desk, Served, neighbourhood

from abasto import cycle
from abasto.journal.home import Home
from abasto.orders import Closed
from abasto.planner.plan import PLAN_TABLES, Plan
from abasto.room import kept_plan as module
from abasto.room.kept_plan import SETTING, keep_bytes, keep_job, kept_bytes, kept_job
from abasto.room.planning import Asked, Job
from abasto.state.foresee import foresee

TODAY = date.fromisoformat(DAY)
NAMES = [*(table.name for table in PLAN_TABLES), "summary"]


def is_the_same(first: Plan, second: Plan) -> bool:
    figures = [name for name in module.FIGURES if getattr(first, name) != getattr(second, name)]
    tables = [name for name in NAMES if list(first.table(name).rows()) != list(second.table(name).rows())]
    return first.network == second.network and not figures and not tables


def differs(first: Any, second: Any) -> list[str]:
    """Return the fields in which two data differ; plans are compared row by row."""
    found = []
    for name in (one.name for one in fields(first)):
        mine, other = getattr(first, name), getattr(second, name)
        if isinstance(mine, Plan) and isinstance(other, Plan):
            found += [name] * (not is_the_same(mine, other))
        elif name in ("known", "rounded", "proposal"):
            found += [f"{name}.{one}" for one in differs(mine, other)]
        else:
            found += [name] * (mine != other)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A plan of the neighbourhood around an order that is kept and a lane that is forbidden."""
    with Home.open(neighbourhood(tmp_path_factory.mktemp("kept")), passphrase=None) as home:
        state = cycle.read_state(home.journal)
        kept, vetoed, *_ = cycle.propose(state, TODAY).orders
        closed = (Closed(vetoed.from_site, vetoed.to_site, TODAY),)
        asked = Asked(TODAY, ordered_days=2, kept=(kept,), closed=closed)
        proposal = cycle.propose(foresee(state, [kept]), TODAY, ordered_days=2, closed=closed)
        return Job("0badcafe", asked, state.count, "done", seconds=1.5, gap=float("inf"), proposal=proposal)


def test_job_is_read_back_as_it_was_kept(made: Job, tmp_path: Path) -> None:
    assert made.proposal is not None
    assert made.proposal.orders
    assert made.proposal.known.order_of
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        assert kept_job(home.file) is None
        keep_job(home.file, replace(made, id="first"))
        keep_job(home.file, made)
    with Home.open(tmp_path / "casa", passphrase=None) as home:
        back = kept_job(home.file)
    assert back is not None
    assert back.proposal is not None
    assert differs(made, back) == []
    assert differs(made, replace(back, entries=made.entries + 1)) == ["entries"]
    lower = replace(back.proposal.plan, objective=made.proposal.plan.objective - 1)
    assert differs(made, replace(back, proposal=replace(back.proposal, plan=lower))) == ["proposal.plan"]
    tables = back.proposal.rounded.plan
    assert all(values.dtype != np.dtype(object) for table in NAMES for values in tables.table(table).values())


def test_plan_put_together_by_hand_is_kept_too(made: Job, tmp_path: Path) -> None:
    assert made.proposal is not None
    plan = hand_built_plan()
    by_hand = replace(made, proposal=replace(made.proposal, plan=plan))
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        keep_job(home.file, by_hand)
        back = kept_job(home.file)
    assert back is not None
    assert differs(by_hand, back) == []


def test_plan_that_another_version_kept_or_that_is_damaged_is_passed_over(
    made: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        keep_job(home.file, made)
        content = kept_bytes(home.file, SETTING)
        assert content is not None
        keep_bytes(home.file, SETTING, content[: len(content) // 2])
        assert kept_job(home.file) is None
        home.file.set_setting(SETTING, "no plan")
        assert kept_job(home.file) is None
        keep_job(home.file, made)
        assert kept_job(home.file) is not None
        monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
        assert kept_job(home.file) is None


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


def test_room_opened_anew_shows_the_plan_it_had(served: Served) -> None:
    before = make_plan(served.desk())
    assert served.stop() == 0
    served.start()
    after = served.desk().get("/plan").text
    assert plan_id(after) == plan_id(before)
    assert orders_shown(after) == orders_shown(before)
    assert orders_shown(before)
    assert "The plan was made on an earlier day." not in after
    assert served.stop() == 0
    served.day = "2027-03-02"
    served.start()
    desk = served.desk()
    assert "The plan was made on an earlier day." in desk.get("/plan").text
    assert desk.get("/").status_code == 200
