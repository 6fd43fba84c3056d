"""Plans that are made beside the room: what comes of them is what the loop itself proposes; they tell and they stop."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.room.served import DAY, neighbourhood

from abasto import cycle
from abasto.errors import AbastoError
from abasto.facts.kinds import StockCounted
from abasto.journal.home import Home
from abasto.orders import Closed
from abasto.room.planning import Asked, Job, Planner
from abasto.state.encode import encode
from abasto.state.foresee import foresee
from abasto.state.state import State

TODAY = date.fromisoformat(DAY)


class Heard:
    """What a planner tells, and a way to wait for what it comes to."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self._news = threading.Condition()

    def __call__(self, job: Job) -> None:
        with self._news:
            self.jobs.append(job)
            self._news.notify_all()

    def wait(self, is_so: Callable[[Job], bool]) -> Job:
        with self._news:
            assert self._news.wait_for(lambda: bool(self.jobs) and is_so(self.jobs[-1]), timeout=120)
            return self.jobs[-1]


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def planner(heard: Heard) -> Iterator[Planner]:
    planner = Planner(heard)
    yield planner
    planner.close()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> State:
    with Home.open(neighbourhood(tmp_path_factory.mktemp("planning")), passphrase=None) as home:
        return cycle.read_state(home.journal)


def is_over(job: Job) -> bool:
    return job.outcome != "running"


def test_plan_made_beside_the_room_is_the_one_that_the_loop_proposes(
    planner: Planner, heard: Heard, state: State
) -> None:
    started = planner.start(encode(state), state.count, Asked(TODAY))
    assert started.outcome == "running"
    job = heard.wait(is_over)
    assert job.outcome == "done"
    assert job.id == started.id
    assert job.proposal is not None
    alone = cycle.propose(state, TODAY)
    assert job.proposal.orders == alone.orders
    assert job.gap == alone.plan.gap
    stages = [one.stage for one in heard.jobs if one.outcome == "running" and one.stage]
    assert stages


def test_orders_that_are_kept_are_planned_around_and_closed_lanes_stay_empty(
    planner: Planner, heard: Heard, state: State
) -> None:
    first, *others = cycle.propose(state, TODAY).orders
    vetoed = others[0]
    closed = Closed(vetoed.from_site, vetoed.to_site, date.fromisoformat(vetoed.departs))
    planner.start(encode(state), state.count, Asked(TODAY, kept=(first,), closed=(closed,)))
    job = heard.wait(is_over)
    assert job.proposal is not None
    ways = [(order.from_site, order.to_site, order.departs) for order in job.proposal.orders]
    assert (vetoed.from_site, vetoed.to_site, vetoed.departs) not in ways
    bound = [record.issued for record in job.proposal.known.orders]
    assert bound == [first]


def test_only_one_plan_is_made_at_a_time_and_it_can_be_stopped(planner: Planner, heard: Heard, state: State) -> None:
    planner.start(encode(state), state.count, Asked(TODAY))
    with pytest.raises(AbastoError, match="a plan is being made already"):
        planner.start(encode(state), state.count, Asked(TODAY))
    planner.stop()
    job = heard.wait(is_over)
    assert job.outcome == "stopped"
    planner.start(encode(state), state.count, Asked(TODAY))
    assert heard.wait(lambda one: one.id != job.id and is_over(one)).outcome == "done"


@pytest.mark.soak
def test_plans_are_kept_until_others_take_their_place_and_trials_take_none(
    planner: Planner, heard: Heard, state: State
) -> None:
    def make(asked: Asked) -> Job:
        started = planner.start(encode(state), state.count, asked)
        return heard.wait(lambda one: one.id == started.id and is_over(one))

    made = [make(asked) for asked in (Asked(TODAY), Asked(TODAY, scenario="none such"), Asked(TODAY, fairness=0.0))]
    assert [job.outcome for job in made] == ["done", "failed", "done"]
    assert (planner.latest, planner.previous, planner.trial) == (made[2], made[0], None)
    trial = make(Asked(TODAY, fairness=8.0, is_trial=True))
    assert (planner.latest, planner.previous, planner.trial) == (made[2], made[0], trial)


def test_plan_that_cannot_be_made_says_why(planner: Planner, heard: Heard, state: State) -> None:
    planner.start(encode(state), state.count, Asked(TODAY, scenario="no such scenario"))
    job = heard.wait(is_over)
    assert job.outcome == "failed"
    assert "no such scenario" in job.message


def test_planner_whose_process_dies_says_so(planner: Planner, heard: Heard, state: State) -> None:
    planner.start(encode(state), state.count, Asked(TODAY))
    assert planner.beside._process is not None
    planner.beside._process.kill()
    job = heard.wait(is_over)
    assert job.outcome == "failed"
    assert "ended by itself" in job.message


def test_room_sees_what_another_program_writes_into_its_journal(tmp_path: Path) -> None:
    from datetime import datetime

    from abasto.cli import main
    from abasto.room.operations import Room

    folder = neighbourhood(tmp_path)
    with Home.open(folder, passphrase=None) as home:
        room = Room(home, now=lambda: datetime.now().astimezone(), day=TODAY)
        before = room.state.count
        assert room.state.books.balance("Mill", "flour") == {"": 1_400_000}
        assert main(["count", "Mill", "flour", "1380", "--home", str(folder), "--date", DAY]) == 0
        assert room.state.count == before + 1
        assert room.state.books.balance("Mill", "flour") == {"": 1_380_000}
        assert encode(room.state) == encode(cycle.read_state(home.journal))


def test_gap_that_nothing_proves_is_none_and_no_infinity(planner: Planner, heard: Heard, state: State) -> None:
    nothing = [StockCounted(site, good, 0, DAY) for site, good in state.books.places()]
    planner.start(encode(foresee(state, nothing)), state.count, Asked(TODAY, time_limit=1e-6))
    job = heard.wait(is_over)
    assert job.proposal is not None
    assert job.proposal.plan.gap == math.inf  # Nothing was found in no time, though something could be.
    assert [one.gap for one in heard.jobs] == [None] * len(heard.jobs)


def test_room_that_is_closed_waits_for_no_plan_that_was_told_to_stop(
    planner: Planner, heard: Heard, state: State
) -> None:
    before = threading.enumerate()
    planner.start(encode(state), state.count, Asked(TODAY))
    planner.stop()
    kept = [one.name for one in threading.enumerate() if not one.daemon and one not in before]
    assert kept == []
