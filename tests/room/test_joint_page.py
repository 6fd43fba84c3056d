"""Joint plans from the room: begun, gone on with, agreed and signed at a desk, against a network that uses commands."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from tests.homes import run
from tests.room.others import Other, befriended
from tests.room.served import DAY, Desk, Served
from tests.room.test_networks_page import TOMORROW

from abasto.federation.session import Standing, standing
from abasto.state.abroad import card

STEPS = 6
LONG = 300_000
"""Milliseconds for a step to be planned, on a busy machine too."""


@pytest.fixture
def served(tmp_path: Path, vale: Other) -> Iterator[Served]:
    """The room of Hills; Hills and Vale know each other."""
    hills = befriended(tmp_path, vale)
    with Served(hills.folder) as room:
        yield room


@pytest.fixture
def desk(served: Served) -> Desk:
    return served.desk()


def stands(served: Served) -> Standing:
    return standing(served.state(), TOMORROW)


def waited(desk: Desk, done: Callable[[str], bool]) -> str:
    """Return the part of the page about joint plans once it is as it should be."""
    for _ in range(LONG // 200):
        shown = desk.get("/networks/joint").text
        if done(shown):
            return shown
        time.sleep(0.2)
    pytest.fail(shown)


def over(desk: Desk) -> str:
    """Return the part of the page about joint plans once no step is planned any more."""
    return waited(desk, lambda shown: "<progress" not in shown)


def go_on(desk: Desk, **fields: object) -> str:
    answer = desk.form("/networks/joint", **{"first": TOMORROW, "rounds": "1", **fields})
    assert answer.status_code == 200, answer.text
    return over(desk)


def carry(desk: Desk, vale: Other, folder: Path) -> None:
    """Bring the letters of the room to Vale, let it do what it can, and bring its own back."""
    written = desk.form("/networks/letters", device=card(vale.network, vale.key))
    (folder / "from-hills.abasto").write_bytes(written.content)
    assert vale("plan", "--stick", folder) == 0
    [mine] = folder.glob("letters-*.abasto")
    answer = desk.post("/networks/hear", data={"csrf": desk.sign}, files={"file": ("x.abasto", mine.read_bytes())})
    assert answer.status_code == 200


def seen_by(context: BrowserContext, served: Served, desk: Desk, *, language: str = "en") -> Page:
    cookies = {"abasto": desk.cookies["abasto"], "language": language}
    context.add_cookies([{"name": name, "value": value, "url": served.url} for name, value in cookies.items()])
    return context.new_page()


def test_a_joint_plan_is_begun_gone_on_with_and_signed_in_a_browser(
    served: Served, desk: Desk, vale: Other, tmp_path: Path, context: BrowserContext
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    page = seen_by(context, served, desk)
    page.goto(f"{served.url}/networks")
    page.get_by_text("Begin a joint plan").click()
    expect(page.get_by_label("The first day that is planned")).to_have_value(TOMORROW)
    expect(page.get_by_label("Rounds")).to_have_value("2")
    page.get_by_role("button", name="Begin", exact=True).click()
    expect(page.get_by_text("This network has done 1 of 12 steps.")).to_be_visible(timeout=LONG)
    # Vale is named a stick, so it would go round once, and that holds for both.
    for _ in range(STEPS):
        carry(desk, vale, stick)
        page.goto(f"{served.url}/networks")
        before = stands(served).done
        if before == STEPS:
            break
        page.get_by_role("button", name="Go on", exact=True).click()
        expect(page.get_by_text(f"This network has done {before} of 6 steps.")).to_have_count(0, timeout=LONG)
        expect(page.locator("#joint progress")).to_have_count(0, timeout=LONG)
    page.get_by_role("button", name=re.compile("See what is agreed|Look again")).click()
    expect(page.get_by_text("To this network's own people it is worth")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("It sends").first).to_be_visible()
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert Axe().run(page).response["violations"] == []
    assert served.state().letters.going == {}
    page.get_by_role("button", name="Sign these orders").click()
    expect(page.get_by_text("Its orders are signed.")).to_be_visible()
    state = served.state()
    assert stands(served).is_issued
    assert state.letters.going, "those that go to Vale are promised"
    carry(desk, vale, stick)
    assert {one.order for one in vale.state().letters.coming.values()} == set(state.letters.going)
    assert desk.form("/networks/joint", first=TOMORROW).status_code == 400


def test_who_does_not_answer_is_waited_for_or_left_out(served: Served, desk: Desk) -> None:
    assert "awaited" in go_on(desk)
    assert stands(served).done == 1
    go_on(desk)
    assert stands(served).done == 1
    shown = go_on(desk, without="Vale")
    assert stands(served).done == STEPS, shown
    assert "Nothing goes between the networks" in shown
    assert "Agreed so far" not in shown
    assert "awaited" not in shown


def test_orders_of_what_was_agreed_are_signed_only_while_they_hold(served: Served, desk: Desk) -> None:
    shown = go_on(desk, without="Vale")
    found = re.search(r'name="job" value="(\w+)"', shown)
    assert found is not None
    assert run("count", "Hills depot", "flour", "1", "--yes", "--home", served.home, "--date", DAY) == 0
    refused = desk.form("/networks/joint/sign", job=found[1])
    assert refused.status_code == 400
    assert "look at them once more" in refused.text
    assert desk.form("/networks/joint/sign", job="00000000").status_code == 400
    assert not stands(served).is_issued
    found = re.search(r'name="job" value="(\w+)"', go_on(desk, without="Vale"))
    assert found is not None
    assert desk.form("/networks/joint/sign", job=found[1]).status_code == 200
    assert stands(served).is_issued


def test_a_joint_plan_without_orders_on_its_first_day_is_ended(
    served: Served, desk: Desk, context: BrowserContext
) -> None:
    for fleet in ("Hills lorries", "mill cart"):  # Nothing leaves where nobody drives.
        row = ("fleets", f"fleet={fleet}", "--home", served.home, "--date", DAY, "--yes")
        assert run("drop", *row) == 0
    shown = go_on(desk, without="Vale")
    assert "Nothing is to be ordered on its first day." in shown
    assert not stands(served).is_issued
    page = seen_by(context, served, desk)
    page.goto(f"{served.url}/networks")
    page.get_by_role("button", name="End this joint plan").click()
    expect(page.get_by_text("This joint plan is over.")).to_be_visible()
    expect(page.get_by_text("It is over: nothing was to be ordered on its first day.")).to_be_visible()
    expect(page.get_by_text("Its orders are signed.")).to_have_count(0)
    assert (stands(served).is_issued, stands(served).is_empty) == (True, True)
    assert len(served.state().orders) == 0
    refused = desk.form("/networks/joint", first=TOMORROW)
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"first": "2027-02-28"}, "2027-02-28 is over"),
        ({"first": "soon"}, "no date"),
        ({"days": "0"}, "whole number"),
        ({"rounds": "3"}, "whole number from 1 to 2"),
        ({"without": "Atlantis"}, "no network is recognised as"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_planned(
    served: Served, desk: Desk, fields: dict[str, str], wrong: str
) -> None:
    count = served.state().count
    refused = desk.form("/networks/joint", **{"first": TOMORROW, **fields})
    assert refused.status_code == 400
    assert wrong in refused.text
    assert served.state().count == count


def test_a_step_that_cannot_be_planned_says_why_and_what_was_said_stands(served: Served, desk: Desk) -> None:
    arguments = ["set", "needs", "site=Hills depot", "good=flour", "quantity=-4"]
    row = [*arguments, "--home", str(served.home), "--date", DAY, "--yes"]
    if run(*row) != 0:  # Refused by hand, as it should be; a program of another version wrote it.
        from abasto.facts.kinds import RowSet
        from abasto.journal.home import Home

        with Home.open(served.home, passphrase=None) as home:
            cells = {"name": "Hills", "start": "never", "days": "x"}
            home.journal.append([RowSet("network", cells, DAY)], time=0)
    shown = go_on(desk)
    assert "could not go on" in shown
    assert stands(served).done == 0


def test_only_who_may_goes_on(served: Served, desk: Desk) -> None:
    desks: dict[str, Desk] = {}
    for role in ("reader", "allocator"):
        code = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", desk.form("/access/code", role=role).text)
        assert code is not None
        desks[role] = Desk(served.url, code[1])
    assert "Begin a joint plan" not in desks["reader"].get("/networks").text
    for path in ("/networks/joint", "/networks/joint/stop", "/networks/joint/sign"):
        assert desks["reader"].form(path, first=TOMORROW).status_code == 403
    answer: httpx.Response = desks["allocator"].form("/networks/joint", first=TOMORROW)
    assert answer.status_code == 200
    over(desk)
    assert stands(served).done == 1


def test_a_room_on_a_device_that_is_no_stewards_says_who_goes_on(served: Served, desk: Desk, tmp_path: Path) -> None:
    from abasto.facts.kinds import DeviceEndorsed
    from abasto.journal.home import Home

    other = tmp_path / "other"
    assert run("members", "join", served.home, other, "--name", "desk", "--clear", "--date", DAY) == 0
    with Home.open(other, passphrase=None) as home, Home.open(served.home, passphrase=None) as own:
        assert home.journal.device is not None
        own.journal.append([DeviceEndorsed(home.journal.device.key, "allocator", DAY)], time=0)
        home.journal.receive(own.journal.store.export())
    room = Served(other)
    room.start()
    try:
        there = room.desk()
        assert "gone on with in a room that runs on a steward" in there.get("/networks").text
        refused = there.form("/networks/joint", first=TOMORROW)
        assert refused.status_code == 400
        assert "role allocator" in refused.text
    finally:
        room.stop()
