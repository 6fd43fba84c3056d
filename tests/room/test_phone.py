"""The phone's page in a real browser against a real room: what is saved is there, what is received was received."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import signal
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Route, ViewportSize, expect
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from tests.room.served import DAY, Desk, Served, neighbourhood

from abasto.facts.codes import code_of
from abasto.facts.kinds import Line, OrderIssued, RowSet, StockCounted
from abasto.inbox.from_state import names_of
from abasto.journal.home import Home
from abasto.language import language
from abasto.room import phone_page
from abasto.room.operations import Room
from abasto.room.phone_words import page_words
from abasto.room.reports import said
from abasto.room.returned import foresee_returned, read_returned

BAKERY = "North bakery"
SMALL = ViewportSize(width=360, height=740)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The neighbourhood with packs, and an order on its way to the bakery."""
    folder = neighbourhood(tmp_path)
    with Home.open(folder, passphrase=None) as opened:
        opened.journal.append(
            [
                RowSet("packs", {"good": "flour", "pack": "saco", "quantity": "50"}, DAY),
                RowSet("goods", {"good": "soap", "name": "Jabón en barra"}, DAY),
                OrderIssued("Mill", BAKERY, "mill van", 1, DAY, DAY, (Line("flour", 100_000, ""),), DAY),
            ],
            time=0,
        )
    return folder


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    room = Served(home)
    room.start()
    yield room
    if room.process is not None and room.process.poll() is None:
        room.stop()


@pytest.fixture
def desk(served: Served) -> Desk:
    return served.desk()


def invite(desk: Desk, *, code: str = "en", sites: tuple[str, ...] = (BAKERY,), role: str = "reporter") -> str:
    """Return the code with which a phone joins."""
    answer = desk.form("/access/invite", label="a phone", role=role, site=list(sites), language=code, days="30")
    found = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", answer.text)
    assert found is not None
    return found[1]


def joined(page: Page, served: Served, code: str) -> Page:
    """Let a page join as its phone."""
    page.set_viewport_size(SMALL)
    page.goto(f"{served.url}/phone#join={code}")
    expect(page.locator("nav.tiles")).to_be_visible()
    return page


@pytest.fixture
def phone(page: Page, served: Served, desk: Desk) -> Page:
    """A phone that has joined, with its home screen, and that opens the page without the room too."""
    joined(page, served, invite(desk))
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    return page


def report(page: Page, *steps: str, quantity: str, unit: str = "") -> None:
    """Report a quantity by the tiles of these names."""
    for step in steps:
        page.locator("a.tile", has_text=step).first.click()
    page.locator("input.number").fill(quantity)
    if unit:
        page.locator("label", has_text=re.compile(f"^{unit}$")).click()
    page.get_by_role("button", name="Save").click()


def status(page: Page) -> Any:
    return page.locator("#status")


def go(page: Page, place: str) -> None:
    page.evaluate("place => { location.hash = place; }", place)


def send_now(page: Page) -> None:
    """Press the button; the page tries by itself too, and takes the button away with what was sent."""
    with contextlib.suppress(PlaywrightTimeout):
        page.get_by_role("button", name="Send now").click(timeout=5_000)


def refs(served: Served) -> list[str]:
    """Return the references of all entries that phones have reported, in their order."""
    with Home.open(served.home, passphrase=None) as opened:
        found = [placed.entry.body.get("ref") for placed in opened.journal.read()]
    return [ref for ref in found if ref]


def bread_at(served: Served, site: str = BAKERY) -> int:
    return sum(served.state().books.balance(site, "bread").values())


def bring_in(home: Home, text: str) -> list[str]:
    """Take in what came back as a desk does, and return what became of each report."""
    room = Room(home, now=lambda: datetime(2027, 3, 1, tzinfo=UTC), day=date.fromisoformat(DAY))
    taken = foresee_returned(room, read_returned(text), words=language("en"))
    room.write([one.fact for one in taken if one.fact is not None])
    room.close()
    return [one.status for one in taken]


def kill_browser(profile: Path) -> None:
    """Kill the browser that runs on a profile, as when a phone's battery is taken out."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"--user-data-dir={profile}".encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)


# What is saved on the phone, and when it is called received.


def test_a_report_is_saved_and_then_received_with_the_time_of_the_room(phone: Page, served: Served) -> None:
    report(phone, "Count", "bread", quantity="2.5")
    expect(phone.locator("#said")).to_have_text("Saved on this phone: 2.5 kg of bread")
    expect(status(phone)).to_contain_text(re.compile(r"^All received, \d\d:\d\d$"))
    assert bread_at(served) == 2_500
    expect(phone.locator("a.tile", has_text="bread")).to_contain_text("counted")
    status(phone).locator("a").click()
    expect(phone.locator(".card.received .mark")).to_have_text(re.compile(r"Received \d\d:\d\d$"))


def test_a_page_that_is_killed_without_connection_opens_again_and_sends_once(
    served: Served, desk: Desk, tmp_path: Path, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> None:
    """The whole way of a phone with a service worker: no room, the browser killed, opened again, the room back."""
    profile = tmp_path / "profile"

    def opened() -> tuple[BrowserContext, Page]:
        context = browser_type.launch_persistent_context(profile, **browser_type_launch_args)
        return context, context.pages[0]

    context, page = opened()
    joined(page, served, invite(desk))
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    served.kill()
    report(page, "Count", "bread", quantity="7")
    expect(status(page)).to_contain_text("Saved on this phone, not received yet: 1")
    kill_browser(profile)
    with contextlib.suppress(PlaywrightError):  # It is closed already, in its way.
        context.close()
    context, page = opened()
    page.goto(f"{served.url}/phone")
    expect(status(page)).to_contain_text("Saved on this phone, not received yet: 1")
    assert bread_at(served) == 0
    served.start()
    status(page).locator("a").click()
    send_now(page)
    expect(page.locator(".card.received .mark")).to_have_text(re.compile(r"Received \d\d:\d\d$"))
    assert bread_at(served) == 7_000
    assert len(refs(served)) == 1
    context.close()


def test_a_report_whose_answer_was_lost_is_sent_again_and_stored_once(phone: Page, served: Served) -> None:
    lost: list[int] = []
    is_open = False

    def lose(route: Route) -> None:
        if is_open:
            route.continue_()
            return
        if not lost:
            lost.append(route.fetch().status)
        route.abort()

    phone.route("**/api/reports", lose)
    report(phone, "Receive", "bread", quantity="5")
    expect(status(phone)).to_contain_text("not received yet: 1")
    status(phone).locator("a").click()
    is_open = True
    send_now(phone)
    expect(status(phone)).to_contain_text("All received")
    assert lost == [200]
    assert len(refs(served)) == 1
    assert bread_at(served) == 5_000


def test_a_page_of_somebody_elses_network_is_no_answer(phone: Page, served: Served) -> None:
    """Hotels answer everything with their own page; a report that this swallowed would be lost."""
    strange: list[dict[str, Any]] = [
        {"status": 200, "content_type": "text/html", "body": "<p>Welcome</p>"},
        {"status": 200, "json": {"answers": []}},
        {"status": 200, "json": {"answers": [{"id": "another-report", "status": "stored"}]}},
        {"status": 502, "content_type": "text/html", "body": "Bad gateway"},
    ]
    now = {"answer": strange[0]}
    phone.route("**/api/reports", lambda route: route.fulfill(**now["answer"]) if now["answer"] else route.continue_())
    report(phone, "Count", "bread", quantity="5")
    expect(status(phone)).to_contain_text("not received yet: 1")
    status(phone).locator("a").click()
    for answer in strange:
        now["answer"] = answer
        phone.get_by_role("button", name="Send now").click()
        expect(phone.locator("#said")).to_contain_text("No connection to the room")
        phone.locator("h1").click()
        phone.evaluate("document.getElementById('said').textContent = ''")
    expect(status(phone)).to_contain_text("not received yet: 1")
    assert refs(served) == []
    now["answer"] = {}
    send_now(phone)
    expect(status(phone)).to_contain_text("All received")


def test_two_tabs_send_once_and_show_the_same(phone: Page, served: Served) -> None:
    other = phone.context.new_page()
    other.goto(f"{served.url}/phone")
    served.kill()
    report(phone, "Receive", "bread", quantity="5")
    expect(status(other)).to_contain_text("not received yet: 1")
    served.start()
    for page in (phone, other):
        page.evaluate("() => window.dispatchEvent(new Event('online'))")
    for page in (phone, other):
        expect(status(page)).to_contain_text("All received")
    assert len(refs(served)) == 1


def test_one_report_that_cannot_be_read_does_not_keep_the_others_back(phone: Page, served: Served) -> None:
    served.kill()
    report(phone, "Count", "bread", quantity="5")
    expect(status(phone)).to_contain_text("not received yet: 1")
    phone.evaluate(
        """() => new Promise((done) => {
          const asked = indexedDB.open("abasto-phone");
          asked.onsuccess = () => {
            const store = asked.result.transaction("reports", "readwrite").objectStore("reports");
            const all = store.getAll();
            all.onsuccess = () => {
              const broken = JSON.parse(JSON.stringify(all.result[0]));
              broken.id = broken.report.id = "broken-report";
              broken.seq = 0;
              broken.report.colour = "blue";
              store.put(broken).onsuccess = () => done();
            };
          };
        })"""
    )
    served.start()
    go(phone, "")
    phone.reload()
    expect(status(phone)).to_contain_text("Please answer: 1")
    expect(phone.locator(".card.refused")).to_contain_text("colour")
    go(phone, "reports")
    expect(phone.locator(".card.received")).to_have_count(1)
    assert bread_at(served) == 5_000


# What is asked back, refused, and deleted.


def test_what_is_doubtful_is_asked_back_and_taken_when_it_is_right(phone: Page, served: Served) -> None:
    report(phone, "Count", "flour", quantity="24000", unit="kg")
    expect(status(phone)).to_contain_text("Please answer: 1")
    phone.locator("a.back").click()
    card = phone.locator(".card.doubtful")
    expect(card).to_contain_text("the most known at North bakery is 240 kg")
    assert refs(served) == []
    card.get_by_role("button", name="Yes, it is right").click()
    expect(status(phone)).to_contain_text("All received")
    assert sum(served.state().books.balance(BAKERY, "flour").values()) == 24_000_000


def test_what_is_doubtful_can_be_corrected(phone: Page, served: Served) -> None:
    report(phone, "Count", "flour", quantity="24000", unit="kg")
    expect(status(phone)).to_contain_text("Please answer: 1")
    phone.locator("a.back").click()
    phone.get_by_role("link", name="Correct it").click()
    expect(phone.locator("input.number")).to_have_value("24000")
    phone.locator("input.number").fill("240")
    phone.get_by_role("button", name="Save").click()
    expect(status(phone)).to_contain_text("All received")
    assert sum(served.state().books.balance(BAKERY, "flour").values()) == 240_000
    assert len(refs(served)) == 1


def test_an_unsent_report_is_deleted_only_when_that_is_confirmed(phone: Page, served: Served) -> None:
    served.kill()
    report(phone, "Count", "bread", quantity="5")
    status(phone).locator("a").click()
    phone.locator("summary", has_text="Delete").click()
    expect(phone.locator(".card")).to_contain_text("If you delete it, it is gone")
    phone.get_by_role("button", name="Yes, delete").click()
    expect(phone.locator(".card")).to_have_count(0)
    phone.reload()
    expect(status(phone)).to_have_text("My reports")


def test_a_number_that_can_be_read_in_two_ways_is_asked_about_at_once(phone: Page, served: Served) -> None:
    asked = {"2,5": ["2.5"], "1,200": ["1.2", "1200"], "1.200": ["1.2", "1200"], "11.125": ["11.125", "11125"]}
    for many, (typed, choices) in enumerate(asked.items()):
        go(phone, "count/bread")
        phone.locator("input.number").fill(typed)
        buttons = phone.locator("button.choice")
        assert [text.replace("\u202f", "") for text in buttons.all_text_contents()] == choices
        phone.get_by_role("button", name="Save").click()
        expect(phone.locator("input.number")).to_be_visible()
        assert len(refs(served)) == many
        buttons.first.click()
        phone.evaluate("document.getElementById('said').textContent = ''")  # What it said of the one before.
        phone.get_by_role("button", name="Save").click()
        expect(phone.locator("#said")).to_contain_text("Saved on this phone")
        expect(status(phone)).to_contain_text("All received")
        assert bread_at(served) == round(float(choices[0]) * 1000)


def test_digits_of_an_arabic_keyboard_are_read(phone: Page, served: Served) -> None:
    report(phone, "Count", "bread", quantity="١٢٫٥")
    expect(status(phone)).to_contain_text("All received")
    assert bread_at(served) == 12_500


def test_a_good_with_packs_is_saved_only_once_it_is_clear_in_what_it_is_counted(phone: Page, served: Served) -> None:
    report(phone, "Count", "flour", quantity="4")
    expect(phone.locator("fieldset .trouble")).to_have_text("Choose what it is counted in.")
    phone.locator("label", has_text="saco").click()
    phone.get_by_role("button", name="Save").click()
    expect(status(phone)).to_contain_text("All received")
    assert sum(served.state().books.balance(BAKERY, "flour").values()) == 200_000


def test_yesterday_is_the_day_before_the_rooms_day(phone: Page, served: Served) -> None:
    go(phone, "handed out/flour")
    phone.locator("input.number").fill("10")
    phone.locator("label", has_text=re.compile("^kg$")).click()
    phone.locator("label", has_text="yesterday").click()
    phone.get_by_role("button", name="Save").click()
    expect(status(phone)).to_contain_text(re.compile("All received|Please answer"))
    phone.evaluate("location.hash = 'reports'")
    expect(phone.locator(".card").first).to_contain_text("yesterday")


def test_what_was_typed_and_not_saved_is_there_when_the_page_comes_back(phone: Page) -> None:
    go(phone, "problem")
    phone.locator("textarea").fill("El horno")
    phone.reload()
    expect(phone.locator("textarea")).to_have_value("El horno")
    phone.get_by_role("button", name="Save").click()
    expect(phone.locator("#said")).to_contain_text("Saved on this phone")
    go(phone, "problem")
    expect(phone.locator("textarea")).to_have_value("")


def test_a_list_that_is_drawn_anew_keeps_what_was_opened_and_the_focus(phone: Page, served: Served) -> None:
    served.kill()
    report(phone, "Count", "bread", quantity="5")
    status(phone).locator("a").click()
    phone.locator("summary", has_text="Delete").click()
    other = phone.context.new_page()
    other.goto(f"{served.url}/phone#count/milk")
    other.locator("input.number").fill("3")
    other.get_by_role("button", name="Save").click()
    expect(phone.locator(".card")).to_have_count(2)
    expect(phone.get_by_role("button", name="Yes, delete")).to_have_count(1)
    expect(phone.locator("summary", has_text="Delete").last).to_be_focused()


# Orders, needs, problems.


def test_an_order_arrives_with_less_than_was_sent(phone: Page, served: Served) -> None:
    phone.locator("a.tile", has_text="Receive").click()
    phone.locator("a.order").click()
    expect(phone.locator(".row .much")).to_have_text("100 kg of flour")
    phone.get_by_role("button", name="Another quantity of flour").click()
    phone.locator("input.number").fill("1")
    phone.locator("label", has_text="saco").click()
    phone.get_by_role("button", name="It has arrived").click()
    expect(status(phone)).to_contain_text("All received")
    [order] = served.state().orders.values()
    assert (order.status, order.received) == ("received", (Line("flour", 50_000, ""),))


def test_a_need_and_a_problem_reach_the_room(phone: Page, served: Served) -> None:
    report(phone, "Need", "flour", quantity="2", unit="saco")
    expect(status(phone)).to_contain_text("All received")
    phone.locator("a.tile", has_text="Problem").click()
    phone.locator("textarea").fill("El horno no prende")
    phone.get_by_role("button", name="Save").click()
    expect(phone.locator("nav.tiles")).to_be_visible()
    expect(status(phone)).to_contain_text("All received")
    assert served.state().rows.cell("needs", "quantity", BAKERY, "flour", DAY, "") == "100"
    with Home.open(served.home, passphrase=None) as opened:
        notes = [p.entry.body for p in opened.journal.read() if p.entry.kind == "note.written"]
    assert [(note["text"], note["about"]) for note in notes] == [("El horno no prende", BAKERY)]


def test_figures_are_fresh_after_a_report(phone: Page) -> None:
    report(phone, "Count", "bread", quantity="5")
    expect(status(phone)).to_contain_text("All received")
    go(phone, "about")
    phone.get_by_role("button", name="Fetch new figures").click()
    expect(phone.locator("#said")).to_contain_text("Figures of the room")
    go(phone, "count/bread")
    expect(phone.locator("p.known")).to_have_text("Known: 5 kg, counted today")


# Joining, leaving, being cut off.


def test_a_phone_joins_with_a_typed_code_once(page: Page, served: Served, desk: Desk) -> None:
    code = invite(desk)
    page.goto(f"{served.url}/phone")
    page.get_by_label("Code from the room").fill("WRONG-WRONG")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_contain_text("This code opens nothing")
    page.get_by_label("Code from the room").fill(code.lower().replace("-", " "))
    page.get_by_role("button", name="Join").click()
    expect(page.locator("h1")).to_have_text(BAKERY)
    page.goto(f"{served.url}/phone#about")
    page.locator("summary", has_text="Leave the network").click()
    page.get_by_role("button", name="Yes, leave").click()
    expect(page.locator("h1")).to_have_text("Join the network")
    page.get_by_label("Code from the room").fill(code)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_role("alert")).to_contain_text("This code opens nothing")


def test_whoever_goes_on_at_once_is_not_fetched_back(page: Page, served: Served, desk: Desk) -> None:
    """Joining, choosing, saving and leaving take their time; a quick finger is on another screen before they end."""

    def press_and_go(button: str, place: str, heading: str) -> None:
        page.evaluate(
            """async ([button, place]) => {
              [...document.querySelectorAll("main button")].find((one) => one.textContent === button).click();
              location.hash = place;
              // What was asked of the store before is answered before; the page goes on between the answers.
              for (let time = 0; time < 10; time += 1) {
                await new Promise((done) => {
                  const asked = indexedDB.open("abasto-phone");
                  asked.onsuccess = () => {
                    const work = asked.result.transaction(["values", "reports"], "readwrite");
                    work.oncomplete = () => { asked.result.close(); done(); };
                  };
                });
              }
            }""",
            [button, place],
        )
        expect(page.locator("h1")).to_have_text(heading)
        assert page.url.endswith(f"#{place}")

    page.goto(f"{served.url}/phone")
    page.get_by_label("Code from the room").fill(invite(desk, sites=("School", "Clinic")))
    press_and_go("Join", "reports", "My reports")
    expect(page.locator("#said")).to_contain_text("has joined")
    expect(page.locator("h1")).to_have_text("My reports")
    go(page, "")
    expect(page.locator("h1")).to_have_text("Which site?")
    press_and_go("Clinic", "about", "This phone")
    go(page, "count/bread")
    page.locator("input.number").fill("3")
    press_and_go("Save", "reports", "My reports")
    expect(page.locator(".card.received")).to_contain_text("Clinic")
    go(page, "about")
    page.locator("summary", has_text="Leave the network").click()
    press_and_go("Yes, leave", "give", "Give away as a file or text")
    go(page, "")
    expect(page.locator("h1")).to_have_text("Join the network")


def test_a_phone_that_joined_just_before_the_connection_went_says_what_it_waits_for(
    page: Page, served: Served, desk: Desk
) -> None:
    page.route("**/api/sheet", lambda route: route.abort())
    page.goto(f"{served.url}/phone#join={invite(desk)}")
    expect(page.locator("main")).to_contain_text("the figures of the room are not here yet")
    page.unroute("**/api/sheet")
    page.get_by_role("button", name="Fetch new figures").click()
    expect(page.locator("h1")).to_have_text(BAKERY)


def test_a_code_from_a_qr_does_not_stay_in_the_address(phone: Page) -> None:
    assert "join" not in phone.url
    phone.go_back()
    assert not re.search("[0-9A-Z]{5}-[0-9A-Z]{5}", phone.url)


def test_a_phone_that_is_cut_off_says_so_keeps_its_reports_and_gives_them_away(
    phone: Page, served: Served, desk: Desk
) -> None:
    id = re.search(r'name="phone" value="([0-9A-Z]+)"', desk.get("/access").text)
    assert id is not None
    assert desk.form("/access/cut-off", phone=id[1]).status_code == 200
    report(phone, "Receive", "bread", quantity="5")
    expect(status(phone)).to_contain_text("Saved on this phone, not received yet: 1")
    status(phone).locator("a").click()
    expect(phone.locator(".notice.bad")).to_contain_text("This phone was cut off")
    expect(phone.locator(".notice.bad")).to_contain_text("Your reports stay on this phone")
    assert refs(served) == []
    phone.locator(".notice.bad").get_by_role("link", name="Give away").click()
    with phone.expect_download() as download:
        phone.get_by_role("button", name="Save as a file").click()
    text = Path(download.value.path()).read_text("utf-8")
    came = read_returned(text)
    assert [(who, one.kind, one.quantity) for who, one in came.reports] == [(id[1], "received", "5")]
    # Invited anew, it sends what it kept: once, although it is another phone now and the file came in meanwhile.
    with Home.open(served.home, passphrase=None) as opened:
        assert bring_in(opened, text) == ["stored"]
    go(phone, "join")
    phone.get_by_label("Code from the room").fill(invite(desk))
    phone.get_by_role("button", name="Join").click()
    expect(status(phone)).to_contain_text("All received")
    assert len(refs(served)) == 1


def test_a_phone_that_may_only_look_sees_figures_and_no_forms(page: Page, served: Served, desk: Desk) -> None:
    page.goto(f"{served.url}/phone#join={invite(desk, role='reader')}")
    expect(page.locator("li.row")).to_contain_text(["flour"])
    expect(page.locator("a.tile")).to_have_count(0)


def test_a_phone_of_several_sites_says_which_one_it_is_at(page: Page, served: Served, desk: Desk) -> None:
    page.goto(f"{served.url}/phone#join={invite(desk, sites=('School', 'Clinic'))}")
    expect(page.locator("h1")).to_have_text("Which site?")
    page.get_by_role("button", name="Clinic").click()
    report(page, "Count", "bread", quantity="3")
    expect(status(page)).to_contain_text("All received")
    assert bread_at(served, "Clinic") == 3_000


# Over plain HTTP on a local network.


def test_over_plain_http_in_a_local_network_the_open_page_keeps_and_sends(
    home: Path, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> None:
    served = Served(home, options=("--lan", "192.0.2.77"))
    served.start()
    at_home = Desk(f"http://127.0.0.1:{served.port}", served.code)
    rules = "--host-resolver-rules=MAP 192.0.2.77 127.0.0.1"
    launch = {**browser_type_launch_args, "args": [*browser_type_launch_args["args"], rules]}
    browser = browser_type.launch(**launch)
    context = browser.new_context()
    page = joined(context.new_page(), served, invite(at_home))
    assert page.evaluate("[isSecureContext, 'serviceWorker' in navigator, typeof crypto.randomUUID]") == [
        False,
        False,
        "undefined",
    ]
    expect(page.locator("footer")).to_contain_text("Keep this page open")
    served.kill()
    report(page, "Count", "bread", quantity="5")
    expect(status(page)).to_contain_text("not received yet: 1")
    page.close()
    page = context.new_page()
    page.goto(f"{served.url}/phone")  # From the browser's own cache: no more than a help, and no promise.
    expect(status(page)).to_contain_text("not received yet: 1")
    served.start()
    page.evaluate("() => window.dispatchEvent(new Event('online'))")
    expect(status(page)).to_contain_text("All received")
    assert bread_at(served) == 5_000
    browser.close()
    served.stop()


# A single file.


def test_a_file_returns_its_reports_and_hears_of_them_from_the_next_file(
    served: Served, desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    def as_file(name: str) -> str:
        answer = desk.get("/phone/file", params={"site": [BAKERY]})
        assert "attachment" in answer.headers["content-disposition"]
        (tmp_path / name).write_bytes(answer.content)
        return (tmp_path / name).as_uri()

    context = browser.new_context(viewport=SMALL, locale="en")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(as_file("page.html"))
    report(page, "Count", "bread", quantity="7")
    expect(page.locator("#said")).to_have_text("Saved on this phone: 7 kg of bread")
    report(page, "flour", quantity="2", unit="saco")
    expect(page.locator("#said")).to_have_text("Saved on this phone: 2 saco of flour")
    page.reload()
    expect(status(page)).to_contain_text("Saved on this phone, not received yet: 2")
    status(page).locator("a").click()
    page.get_by_role("link", name="Give away").click()
    text = page.get_by_label("Reports as text").input_value()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    content = Path(download.value.path()).read_text("utf-8")
    assert read_returned(text).reports == read_returned(content).reports
    assert text.startswith(f"{BAKERY}: {DAY} COUNTED bread 7 kg\n{BAKERY}: {DAY} COUNTED flour 2 saco\n")
    assert all(address.startswith(("file:", "blob:")) for address in asked), asked
    assert json.loads(content)["phone"].startswith("file-")
    with Home.open(served.home, passphrase=None) as opened:
        assert bring_in(opened, content) == ["stored", "stored"]
    assert sum(served.state().books.balance(BAKERY, "flour").values()) == 100_000
    page.goto(as_file("next.html"))
    expect(status(page)).to_contain_text("All received")
    context.close()


def test_a_file_in_a_browser_that_keeps_nothing_says_so(
    served: Served, desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "page.html").write_bytes(desk.get("/phone/file", params={"site": [BAKERY]}).content)
    context = browser.new_context(locale="en")
    context.add_init_script(
        """Object.defineProperty(window, "indexedDB", { get() { throw new Error("no"); } });
           Object.defineProperty(window, "localStorage", { get() { throw new Error("no"); } });"""
    )
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    expect(page.get_by_role("alert")).to_contain_text("This browser keeps nothing when the page is closed")
    report(page, "Count", "bread", quantity="7")
    expect(status(page)).to_contain_text("not received yet: 1")
    context.close()


def test_without_indexeddb_reports_are_kept_all_the_same(served: Served, desk: Desk, browser: Browser) -> None:
    context = browser.new_context(locale="en")
    context.add_init_script('Object.defineProperty(window, "indexedDB", { get() { throw new Error("no"); } });')
    page = joined(context.new_page(), served, invite(desk))
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    served.kill()
    report(page, "Count", "bread", quantity="7")
    expect(status(page)).to_contain_text("not received yet: 1")
    page.reload()
    expect(status(page)).to_contain_text("not received yet: 1")
    context.close()


def test_what_was_saved_while_the_database_gave_no_answer_is_there_when_it_does(
    served: Served, desk: Desk, browser: Browser
) -> None:
    context = browser.new_context(locale="en")
    first = joined(context.new_page(), served, invite(desk))
    report(first, "Count", "bread", quantity="5")
    expect(status(first)).to_contain_text("All received")
    first.close()
    page = context.new_page()
    page.add_init_script("IDBFactory.prototype.open = () => ({});")
    page = joined(page, served, invite(desk))  # The pairing lies in the database, which does not answer.
    token = page.evaluate("() => localStorage.getItem('abasto-phone/values/joined')")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    served.kill()
    report(page, "Count", "bread", quantity="7")
    expect(status(page)).to_contain_text("not received yet: 1")
    page.evaluate("() => localStorage.setItem('abasto-phone/reports/broken', 'no JSON')")
    page.close()
    again = context.new_page()
    again.goto(f"{served.url}/phone")
    expect(status(again)).to_contain_text("not received yet: 1")
    left = again.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('abasto-phone/'))")
    assert left == ["abasto-phone/reports/broken"]
    served.start()
    again.reload()
    expect(status(again)).to_contain_text("All received")
    assert len(refs(served)) == 2
    assert json.loads(token) == again.evaluate(
        """() => new Promise((done) => {
          const asked = indexedDB.open("abasto-phone");
          asked.onsuccess = () => {
            const kept = asked.result.transaction("values").objectStore("values").get("joined");
            kept.onsuccess = () => done(kept.result);
          };
        })"""
    )
    context.close()


# For everybody: every language, the keyboard, a screen reader, a small screen.

SCREENS = (
    "",
    "count",
    "count/flour",
    "received",
    "need/bread",
    "lost/bread",
    "problem",
    "reports",
    "give",
    "about",
    "join",
)


def test_the_room_answers_in_the_language_of_the_page_and_not_of_the_browser(
    page: Page, served: Served, desk: Desk
) -> None:
    joined(page, served, invite(desk, code="ar"))
    assert page.evaluate("navigator.language").startswith("en")
    go(page, "count/bread")
    page.locator("input.number").fill("2")
    page.locator("button[type=submit]").click()
    expect(page.locator("#status .status.received")).to_be_visible()
    kept = page.evaluate(
        """() => new Promise((resolve) => {
          const asked = indexedDB.open("abasto-phone", 1);
          asked.onsuccess = () => {
            const all = asked.result.transaction("reports").objectStore("reports").getAll();
            all.onsuccess = () => resolve(all.result.map((one) => one.message));
          };
        })"""
    )
    counted = StockCounted(BAKERY, "bread", 2_000, DAY)
    assert kept == [said(counted, names_of(served.state()), language("ar"))]


@pytest.mark.parametrize("code", ["es", "ar"])
def test_every_screen_fits_a_small_phone_in_both_directions_and_axe_finds_nothing(
    page: Page, served: Served, desk: Desk, code: str
) -> None:
    joined(page, served, invite(desk, code=code))
    assert page.evaluate("document.documentElement.dir") == language(code).direction
    go(page, "count/flour")
    page.locator("input.number").fill("24000")
    page.locator("label", has_text=re.compile("^kg$")).click()
    page.locator("button[type=submit]").click()
    expect(page.locator("#status .status.doubtful")).to_be_visible()
    [order] = served.state().orders
    for screen in (*SCREENS, f"arrived/{code_of(order)}"):
        go(page, screen)
        expect(page.locator("h1")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, screen
        small = page.evaluate(
            """() => [...document.querySelectorAll("a, button, summary, input:not([type=radio]):not([type=checkbox])")]
              .filter((node) => node.offsetParent && !node.closest("[hidden]") && node.id !== "skip")
              .filter((node) => node.getBoundingClientRect().height < 48).map((node) => node.outerHTML)"""
        )
        assert small == [], screen
        found = Axe().run(page)
        assert found.violations_count == 0, (screen, found.generate_report())


def test_a_report_is_made_with_the_keyboard_alone(phone: Page, served: Served) -> None:
    def press_until(name: str) -> None:
        for _ in range(40):
            phone.keyboard.press("Tab")
            if phone.evaluate("document.activeElement.textContent").strip().startswith(name):
                return
        pytest.fail(f"{name} cannot be reached with the keyboard")

    press_until("Count")
    phone.keyboard.press("Enter")
    press_until("bread")
    phone.keyboard.press("Enter")
    expect(phone.locator("input.number")).to_be_focused()
    phone.keyboard.type("3")
    phone.keyboard.press("Enter")
    expect(status(phone)).to_contain_text("All received")
    assert bread_at(served) == 3_000


def test_names_are_shown_as_they_are_and_never_as_markup(served: Served, desk: Desk, page: Page) -> None:
    hostile = "<img src=x onerror=document.title='x'>"
    with Home.open(served.home, passphrase=None) as opened:
        opened.journal.append([RowSet("goods", {"good": "bread", "name": hostile}, DAY)], time=0)
    joined(page, served, invite(desk))
    report(page, "Count", hostile, quantity="3")
    expect(status(page)).to_contain_text("All received")
    go(page, "reports")
    expect(page.locator(".card").first).to_contain_text(hostile)
    assert page.locator("main img").count() == 0


# The page as it is put together.


def test_the_scripts_say_every_text_that_there_is_and_no_other() -> None:
    texts = page_words(language("en"))
    script = phone_page.script()
    said = set(re.findall(r'say\("([^"]+)"', script))
    named = {name for name in texts if f'"{name}"' in script}
    composed = {name for name in texts if name.startswith("kept in ")}
    assert said - {"kept in "} <= set(texts)
    assert set(texts) - named - composed == set()


def test_the_modules_stand_side_by_side_in_one_script() -> None:
    names = [name for module in phone_page.MODULES for name in phone_page.names_at_top(module)]
    assert len(names) == len(set(names))
    assert not re.search(r"^\s*(import|export)\b", phone_page.script(), re.MULTILINE)
    folder = Path(phone_page.__file__).parent / "static" / "phone"
    assert {path.stem for path in folder.glob("*.js")} == {*phone_page.MODULES, "worker"}


def test_the_served_page_holds_nothing_of_the_network_and_nothing_that_its_policy_forbids(served: Served) -> None:
    answer = httpx.get(f"{served.url}/phone", timeout=60)
    assert "Neighbourhood" not in answer.text
    assert BAKERY not in answer.text
    assert not re.search(r"<script(?![^>]*(src=|type=\"application/json\"))|<style|style=|onclick", answer.text)
    sign = answer.headers["etag"]
    assert httpx.get(f"{served.url}/phone", headers={"if-none-match": sign}, timeout=60).status_code == 304
    worker = httpx.get(f"{served.url}/phone/sw.js", timeout=60)
    assert worker.headers["service-worker-allowed"] == "/phone"
    for path in json.loads(re.search(r"KEPT = (\[.*\]);", worker.text)[1]):  # type: ignore[index]
        assert httpx.get(served.url + path, timeout=60).status_code == 200, path


def test_the_file_is_for_desks_only_and_names_its_own_policy(served: Served, desk: Desk) -> None:
    assert httpx.get(f"{served.url}/phone/file", timeout=60).status_code == 303
    assert desk.get("/phone/file", params={"site": "Moon"}).status_code == 400
    text = html.unescape(desk.get("/phone/file").text)
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"(?!#)", text)
