"""The page Networks against a room that runs: others are recognised, letters come and go as files, all is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect
from tests.homes import run
from tests.room.others import Other, founded
from tests.room.served import DAY, Desk, Served

from abasto.cli_home import write
from abasto.facts.codes import code_of, spoken
from abasto.facts.kinds import DeviceEndorsed, Line, OrderIssued, OrderLoaded, OrderReceived, ShipmentPromised
from abasto.journal.home import Home
from abasto.state.abroad import card
from abasto.state.exports import Exports, exports_of
from abasto.state.letters import shipment_of

TOMORROW = "2027-03-02"


@pytest.fixture
def served(tmp_path: Path, vale: Other) -> Iterator[Served]:
    """The room of Hills, which knows nobody yet."""
    hills = founded(tmp_path / "hills", "hills")
    assert vale("recognise", "Hills", hills.network) == 0
    with Served(hills.folder) as room:
        yield room


@pytest.fixture
def desk(served: Served) -> Desk:
    return served.desk()


def confirmed(desk: Desk, path: str, **fields: str) -> httpx.Response:
    """Send a form, and confirm what is asked back with the very fields of the page that asks."""
    asked = desk.form(path, **fields)
    given = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
    assert "sure" in given, asked.text
    return desk.post(path, data={name: unescape(value) for name, value in given.items()})


def recognised(desk: Desk, vale: Other) -> None:
    done = confirmed(desk, "/networks/recognise", name="Vale", network=card(vale.network, vale.key))
    assert "Vale is recognised." in done.text


def ordered(home: Path) -> str:
    lines = (Line("flour", 500_000),)
    with Home.open(home, passphrase=None) as opened:
        order = OrderIssued("Hills depot", "Vale market", "Hills lorries", 1, DAY, TOMORROW, lines, DAY)
        [entry] = write(opened, [order])
    return entry.id


def test_a_network_is_recognised_once_its_code_was_compared(served: Served, desk: Desk, vale: Other) -> None:
    page = desk.get("/networks").text
    assert spoken(served.state().network) in page
    assert "No other network is recognised yet" in page
    asked = desk.form("/networks/recognise", name="Vale", network=vale.network)
    assert spoken(vale.network) in asked.text
    assert served.state().letters.recognised == {}
    recognised(desk, vale)
    assert served.state().letters.recognised == {vale.network: "Vale"}
    assert spoken(vale.network) in desk.get("/networks").text
    asked = desk.form("/networks/recognise", name="Dale", network=vale.network)
    assert "It is recognised already, as Vale: it gets the name Dale instead." in asked.text


def test_letters_go_and_come_as_files(served: Served, desk: Desk, vale: Other, tmp_path: Path) -> None:
    recognised(desk, vale)
    own = ordered(served.home)
    assert code_of(own) in desk.get("/networks").text
    written = desk.form("/networks/letters", device=card(vale.network, vale.key))
    assert written.headers["content-disposition"].startswith('attachment; filename="letters-')
    assert b"Vale market" not in written.content
    (tmp_path / "from-hills.abasto").write_bytes(written.content)
    assert vale("hear", tmp_path / "from-hills.abasto") == 0
    [shipment] = vale.state().letters.coming
    with Home.open(vale.folder, passphrase=None) as home:
        write(home, [OrderReceived(shipment, "Vale market", (Line("flour", 500_000),), TOMORROW)])
    assert vale("post", tmp_path / "from-vale.abasto") == 0
    content = (tmp_path / "from-vale.abasto").read_bytes()
    sent = desk.post("/networks/hear", data={"csrf": desk.sign}, files={"file": ("x.abasto", content)})
    assert "2 letters came from Vale." in sent.text
    assert served.state().orders[own].status == "received"
    page = desk.get("/networks").text
    assert "what was received" in page
    assert "Received, or not to come" in page
    again = desk.post("/networks/hear", data={"csrf": desk.sign}, files={"file": ("x.abasto", content)})
    assert "0 letters came from Vale." in again.text


def test_a_promise_is_withdrawn_on_the_page_of_its_order(served: Served, desk: Desk, vale: Other) -> None:
    recognised(desk, vale)
    own = ordered(served.home)
    shown = desk.get(f"/orders/{own}").text
    assert re.search(r"Vale</bdi>:\s+promised", shown)
    seen = re.search(r'name="seen" value="(\d+)"', shown)
    assert seen is not None
    fields = {"step": "cancel", "seen": seen[1], "cause": "the bridge is down", "date": DAY}
    assert desk.form(f"/orders/{own}", **fields).status_code == 200
    state = served.state()
    assert state.letters.withdrawn == {state.letters.going[own].id}


def test_a_room_on_a_stewards_device_passes_on_what_a_driver_has_loaded(
    served: Served, desk: Desk, vale: Other, tmp_path: Path
) -> None:
    recognised(desk, vale)
    own = ordered(served.home)
    other = tmp_path / "driver"
    assert run("members", "join", served.home, other, "--name", "driver", "--clear", "--date", DAY) == 0
    with Home.open(other, passphrase=None) as home, Home.open(served.home, passphrase=None) as steward:
        assert home.journal.device is not None
        steward.journal.append([DeviceEndorsed(home.journal.device.key, "allocator", DAY)], time=0)
        home.journal.receive(steward.journal.store.export())
        home.journal.append([OrderLoaded(own, (Line("flour", 500_000),), DAY)], time=0)
        steward.journal.receive(home.journal.store.export())
    there = Served(other)
    there.start()
    assert "1 load or receipt waits for a steward" in there.desk().get("/networks").text
    assert there.stop() == 0
    for _ in range(600):  # The room looks into its journal every other second.
        if not served.state().letters.waiting():
            break
        time.sleep(0.2)
    assert served.state().letters.waiting() == []
    assert "waits for a steward" not in desk.get("/networks").text
    written = desk.form("/networks/letters", device=card(vale.network, vale.key))
    (tmp_path / "from-hills.abasto").write_bytes(written.content)
    assert vale("hear", tmp_path / "from-hills.abasto") == 0
    [coming] = vale.state().letters.coming.values()
    assert coming.is_sent


def test_a_promise_whose_order_is_not_here_is_taken_back_by_a_stewards_desk(
    served: Served, desk: Desk, vale: Other
) -> None:
    recognised(desk, vale)
    with Home.open(served.home, passphrase=None) as home:
        lines = (Line("flour", 1_000),)
        home.journal.append([ShipmentPromised(vale.network, "O" * 43, "Vale market", DAY, DAY, lines, DAY)], time=0)
    shipment = shipment_of(served.state().network, "O" * 43)
    assert shipment in desk.get("/networks").text
    assert desk.form("/networks/withdraw", shipment="K7Q2").status_code == 400
    assert "Taken back." in desk.form("/networks/withdraw", shipment=shipment, cause="the flood").text
    assert served.state().letters.withdrawn == {shipment}
    assert shipment not in desk.get("/networks").text
    asked = desk.form("/networks/withdraw", shipment="A" * 43)
    assert asked.status_code == 409
    assert "No promise that is known here has this id" in unescape(asked.text)
    assert served.state().letters.withdrawn == {shipment}
    assert "Taken back." in confirmed(desk, "/networks/withdraw", shipment="A" * 43, cause="a device is lost").text
    assert served.state().letters.withdrawn == {shipment, "A" * 43}
    code = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", desk.form("/access/code", role="allocator").text)
    assert code is not None
    assert Desk(served.url, code[1]).form("/networks/withdraw", shipment=shipment).status_code == 403


def test_joint_plans_are_shown_with_whom_they_wait_for(served: Served, desk: Desk, vale: Other) -> None:
    recognised(desk, vale)
    assert run("networks", "plan", "--first", TOMORROW, "--rounds", "1", "--home", served.home, "--date", DAY) == 0
    page = desk.get("/networks").text
    assert "This network has done 1 of 6 steps." in page
    assert "Next: promise (1 of 2)." in page
    assert "awaited" in page
    assert f'name="first" value="{TOMORROW}"' in page
    desk.form("/networks/exports", share="nothing")
    assert "Next: tell that it takes no part." in desk.get("/networks").text


def test_what_others_see_and_what_never_leaves_is_chosen_by_a_stewards_desk(
    served: Served, desk: Desk, vale: Other
) -> None:
    recognised(desk, vale)
    assert "No good is kept from leaving." in desk.get("/networks").text
    done = desk.form("/networks/exports", share="offers", kept=["flour", "gold"])
    assert "only what it has left over" in done.text
    assert exports_of(served.state().rows)[0] == Exports("offers", frozenset({"flour"}))
    # A form that was opened before another device kept beans does not lift that.
    assert run("set", "exports", "good=beans", "share=nothing", "--home", served.home, "--date", DAY) == 0
    desk.form("/networks/exports", share="offers", seen=["flour"], kept=[])
    assert exports_of(served.state().rows)[0] == Exports("offers", frozenset({"beans"}))
    count = served.state().count
    assert "It is so already." in desk.form("/networks/exports", share="offers", seen="beans", kept="beans").text
    assert desk.form("/networks/exports", share="all").status_code == 400
    code = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", desk.form("/access/code", role="allocator").text)
    assert code is not None
    allocator = Desk(served.url, code[1])
    assert "Choose what others see" not in allocator.get("/networks").text
    [row] = [row for row in served.state().rows.table("exports") if row.cells["good"] == "beans"]
    for path in ("/networks/exports", "/tables/exports/check", "/tables/exports/save", f"/entries/{row.entry}"):
        assert allocator.form(path, share="map").status_code == 403, path
    assert served.state().count == count


def test_what_cannot_be_is_refused(served: Served, desk: Desk, vale: Other) -> None:
    before, own = served.state().count, served.state().network
    for path, fields in (
        ("/networks/recognise", {"name": "Vale", "network": "K7Q2"}),
        ("/networks/recognise", {"name": "Dale", "network": own}),
        ("/networks/recognise", {"name": "Hills", "network": vale.network}),
        ("/networks/recognise", {"name": "", "network": vale.network}),
        ("/networks/letters", {}),
        ("/networks/letters", {"device": "abc"}),
        ("/networks/hear", {}),
    ):
        assert desk.form(path, **fields).status_code == 400, (path, fields)
    files = {"file": ("x.abasto", b"no bundle")}
    refused = desk.post("/networks/hear", data={"csrf": desk.sign}, files=files)
    assert refused.status_code == 400
    assert '"x.abasto": this is no file that a device of Abasto wrote for others' in unescape(refused.text)
    desk.cookies.set("language", "es")
    refused = desk.post("/networks/hear", data={"csrf": desk.sign}, files=files)
    assert "«x.abasto»: este archivo no lo escribió ningún dispositivo de Abasto" in unescape(refused.text)
    assert served.state().count == before


def test_only_a_desk_of_a_steward_recognises_and_a_reader_only_looks(served: Served, desk: Desk, vale: Other) -> None:
    recognised(desk, vale)
    desks = {}
    for role in ("reader", "allocator"):
        code = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", desk.form("/access/code", role=role).text)
        assert code is not None
        desks[role] = Desk(served.url, code[1])
        assert desks[role].get("/networks").status_code == 200
        assert desks[role].form("/networks/recognise", name="x", network=vale.network).status_code == 403
    assert desks["reader"].form("/networks/letters").status_code == 403
    assert "Write letters" not in desks["reader"].get("/networks").text
    assert desks["allocator"].form("/networks/letters", device=vale.key).status_code == 200


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_page_with_everything_on_it_is_for_everyone(
    served: Served, desk: Desk, vale: Other, context: BrowserContext, language: str
) -> None:
    recognised(desk, vale)
    ordered(served.home)
    assert run("networks", "plan", "--first", TOMORROW, "--rounds", "1", "--home", served.home, "--date", DAY) == 0
    context.add_cookies(
        [
            {"name": "abasto", "value": desk.cookies["abasto"], "url": served.url},
            {"name": "language", "value": language, "url": served.url},
        ]
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{served.url}/networks")
    for summary in page.locator("details > summary").all():
        summary.focus()
        page.keyboard.press("Enter")
    expect(page.locator("details:not([open])")).to_have_count(0)
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert said == []
