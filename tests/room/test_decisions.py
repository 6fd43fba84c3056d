"""Decisions about proposed orders: none is lost, whoever decides at the same instant, nor when the room closes."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest
from tests.room.planned import make_plan, orders_shown, plan_id
from tests.room.served import DAY, Served, neighbourhood

from abasto import cycle
from abasto.errors import AbastoError
from abasto.journal.home import Home
from abasto.orders import Closed
from abasto.room.decisions import SETTING, Decisions, decide, decisions_of, lane_of, orders_of
from abasto.room.kept_plan import keep_job, kept_bytes
from abasto.room.operations import Room
from abasto.room.planning import Asked, Job

TODAY = date.fromisoformat(DAY)
DESKS = 100


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A plan of the neighbourhood with more orders than there are desks; the last ones stand for large networks."""
    with Home.open(neighbourhood(tmp_path_factory.mktemp("decided")), passphrase=None) as home:
        state = cycle.read_state(home.journal)
        proposal = cycle.propose(state, TODAY)
    first = proposal.orders[0]
    more = tuple(replace(first, to_site=f"far {number}") for number in range(DESKS))
    return Job("0badcafe", Asked(TODAY), state.count, "done", proposal=replace(proposal, orders=more))


@pytest.fixture
def room(made: Job, tmp_path: Path) -> Iterator[Room]:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        keep_job(home.file, made)
        yield opened(home)


def opened(home: Home) -> Room:
    return Room(home, now=lambda: datetime.now().astimezone(), day=TODAY)


def at_once(deeds: list[Callable[[], object]]) -> None:
    """Do all of them in threads that begin at the same instant."""
    gate, failed = threading.Barrier(len(deeds)), []

    def run(deed: Callable[[], object]) -> None:
        gate.wait()
        try:
            deed()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def one_of_each(made: Job, number: int) -> Callable[[Decisions], Decisions]:
    """Return what the desk of a number decides: it keeps, changes, forbids or leaves an order of its own."""
    order = orders_of(made)[number]
    match number % 4:
        case 0:
            return lambda decided: decided.keeping(number, order)
        case 1:
            return lambda decided: decided.keeping(number, replace(order, trips=order.trips + number))
        case 2:
            return lambda decided: decided.closing(lane_of(order))
        case _:
            return lambda decided: decided.choosing(left={number}, chosen=set())


def expected(made: Job) -> Decisions:
    orders = orders_of(made)
    kept = {number: orders[number] for number in range(0, DESKS, 4)}
    changed = {number: replace(orders[number], trips=orders[number].trips + number) for number in range(1, DESKS, 4)}
    closed = frozenset(Closed(orders[n].from_site, f"far {n}", TODAY) for n in range(2, DESKS, 4))
    return Decisions(made.id, kept | changed, closed, frozenset(range(3, DESKS, 4)))


def test_a_hundred_desks_that_decide_at_once_lose_nothing(made: Job, room: Room) -> None:
    at_once([lambda n=number: decide(room, made, one_of_each(made, n)) for number in range(DESKS)])  # type: ignore[misc]
    assert decisions_of(room, made) == expected(made)
    assert decisions_of(opened(room.home), made) == expected(made)


def test_decisions_are_taken_back_one_by_one(made: Job, room: Room) -> None:
    first, second = orders_of(made)[:2]
    lane = lane_of(first)
    decide(room, made, lambda decided: decided.keeping(0, first).keeping(1, second))
    assert decide(room, made, lambda decided: decided.closing(lane)).kept == {1: second}
    assert decide(room, made, lambda decided: decided.opening(lane)).closed == frozenset()
    decide(room, made, lambda decided: decided.closing(lane))
    assert decide(room, made, lambda decided: decided.keeping(0, first)).closed == frozenset()
    assert decide(room, made, lambda decided: decided.keeping_no_longer(1)).kept == {0: first}
    decide(room, made, lambda decided: decided.choosing(left={4, 5}, chosen=set()))
    assert decide(room, made, lambda decided: decided.choosing(left={6}, chosen={4})).left_out == {5, 6}


def test_decisions_about_another_plan_are_refused_and_begin_anew_with_every_plan(made: Job, room: Room) -> None:
    order = orders_of(made)[0]
    decide(room, made, lambda decided: decided.keeping(0, order))
    later = replace(made, id="1ater", asked=replace(made.asked, kept=(order,)))
    room.planner.latest = later
    with pytest.raises(AbastoError, match="another plan has been made"):
        decide(room, made, lambda decided: decided.keeping_no_longer(0))
    assert decisions_of(room, later) == Decisions(later.id, {0: order})


def test_decision_that_cannot_be_kept_is_not_taken(made: Job, room: Room) -> None:
    order = orders_of(made)[0]
    decide(room, made, lambda decided: decided.keeping(0, order))

    def fail(decided: Decisions) -> Decisions:
        raise AbastoError("no")

    with pytest.raises(AbastoError):
        decide(room, made, fail)
    room.home.file.close()
    with pytest.raises(AbastoError, match="closed"):
        decide(room, made, lambda decided: decided.keeping_no_longer(0))
    assert decisions_of(room, made).kept == {0: order}


def test_damaged_decisions_are_passed_over(made: Job, room: Room) -> None:
    decide(room, made, lambda decided: decided.choosing(left={1}, chosen=set()))
    text = room.home.file.setting(SETTING)
    middle = len(text) // 2
    other = "A" if text[middle] != "A" else "B"
    room.home.file.set_setting(SETTING, text[:middle] + other + text[middle + 1 :])
    assert decisions_of(opened(room.home), made) == Decisions(made.id)


def test_where_the_home_is_encrypted_nobody_reads_decisions_in_its_files(
    made: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Closed("Mill", "far away", TODAY)
    for name, passphrase in (("open", None), ("shut", "four words of nonsense")):
        folder = tmp_path / name
        with Home.create(folder, passphrase=passphrase) as home:
            keep_job(home.file, made)
            room = opened(home)
            decide(room, made, lambda decided: decided.closing(closed))
            content = kept_bytes(home.file, SETTING)
            assert content is not None
            assert b"far away" in content
            packed = home.file.setting(SETTING).encode()
            written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
            assert (packed in written) is (passphrase is None)


def test_decisions_and_what_is_left_for_later_outlive_the_room(served: Served) -> None:
    desk = served.desk()
    page = make_plan(desk)
    plan = plan_id(page)
    kept, changed, vetoed, left = (
        next(row for row in orders_shown(page) if row[1:3] == way)
        for way in (("North bakery", "Station"), ("Market", "Hill"), ("Market", "Park"), ("Market", "Harbour"))
    )
    marked = marks(page, "marked")
    desk.form("/plan/lock", plan=plan, order=kept[0], marked=" ".join(marked), sign=sorted(marked - {left[0]}))
    desk.form(f"/plan/order/{changed[0]}", plan=plan, trips=changed[4], **{"quantity-0": "50.5"})
    desk.form("/plan/veto", plan=plan, order=vetoed[0])
    before = desk.get("/plan").text
    assert {row[0]: row[6] for row in orders_shown(before) if row[6] != "proposed"} == {
        kept[0]: "■ kept",
        changed[0]: "✎ changed, kept",
        vetoed[0]: "✕ forbidden",
    }
    assert marks(before, "left") == {left[0]}
    served.kill()
    served.start()
    again = served.desk()
    after = again.get("/plan").text
    assert orders_shown(after) == orders_shown(before)
    assert marks(after, "left") == {left[0]}
    assert marks(after, "marked") == marks(before, "marked")
    # A page that was shown before is as good as a new one, and takes nothing back that it did not show.
    again.form("/plan/unlock", plan=plan, order=kept[0], marked=" ".join(marked), sign=sorted(marked))
    assert marks(again.get("/plan").text, "left") == {left[0]}
    again.form("/plan/allow", plan=plan, order=vetoed[0], left=left[0], sign=[left[0]])
    assert marks(again.get("/plan").text, "left") == set()
    assert {row[6] for row in orders_shown(again.get("/plan").text)} == {"proposed", "✎ changed, kept"}


def marks(page: str, name: str) -> set[str]:
    """Return the places of orders that the page says are marked for signing, or left for later."""
    found = re.search(f'name="{name}" value="([0-9 ]*)"', page)
    assert found is not None
    return set(found[1].split())
