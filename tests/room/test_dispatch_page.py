"""Dispatch against a room that runs: the steps of an order, what is doubtful asked back, and the sheets of a day."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from tests.room.served import DAY, Desk, Served, neighbourhood

from abasto.cli import main
from abasto.facts.codes import code_of
from abasto.state.types import OrderRecord


@pytest.fixture
def issued(tmp_path: Path) -> Iterator[Served]:
    """A running room with the orders of the neighbourhood's first day."""
    home = neighbourhood(tmp_path)
    assert main(["orders", "issue", "--yes", "--home", str(home), "--date", DAY]) == 0
    room = Served(home)
    room.start()
    yield room
    assert room.stop() == 0


def flour_order(served: Served) -> OrderRecord:
    """Return the order of flour from the mill to the north bakery."""
    (found,) = (one for one in served.state().orders.open() if one.issued and one.issued.to_site == "North bakery")
    return found


def take(desk: Desk, order: OrderRecord, step: str, **fields: object) -> httpx.Response:
    """Send the form of a step as it stands on the order's page."""
    page = desk.get(f"/orders/{code_of(order.id)}").text
    seen = re.findall(r'name="seen" value="(\d+)"', page)[0]
    return desk.form(f"/orders/{order.id}", step=step, seen=seen, date=DAY, **fields)


def quantity(order: OrderRecord) -> int:
    assert order.issued is not None
    return sum(line.quantity for line in order.issued.lines)


def confirm(desk: Desk, path: str, asked: httpx.Response) -> httpx.Response:
    """Confirm what a page asks back, as its button does."""
    assert asked.status_code == 409, asked.text
    form = asked.text.split("<main", 1)[1]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    return desk.post(path, data=fields)


def test_orders_stand_by_state_and_move_on_with_their_steps(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    assert code_of(order.id) in desk.get("/dispatch").text
    assert "is accepted" in take(desk, order, "accept").text
    assert flour_order(issued).status == "accepted"
    kg = str(quantity(order) // 1000)
    assert "is loaded" in take(desk, order, "load", good=["flour", ""], quantity=[kg, ""]).text
    loaded = flour_order(issued)
    assert (loaded.status, sum(line.quantity for line in loaded.loaded)) == ("loaded", quantity(order))
    assert "is received" in take(desk, order, "receive", good=["flour", ""], quantity=[kg, ""]).text
    received = issued.state().orders[order.id]
    assert (received.status, received.difference) == ("received", ())
    assert code_of(order.id) not in desk.get("/dispatch").text
    assert code_of(order.id) in desk.get("/dispatch?show=received").text


def test_what_is_missing_on_arrival_stays_a_difference(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    all_kg = quantity(order) // 1000
    take(desk, order, "load", good=["flour"], quantity=[str(all_kg)])
    take(desk, order, "receive", good=["flour"], quantity=[f"{all_kg - 20} kg"])
    received = issued.state().orders[order.id]
    assert sum(line.quantity for line in received.difference) == 20_000
    assert "received than loaded" in unescape(desk.get("/exceptions").text)


def test_more_to_come_leaves_the_order_open(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    take(desk, order, "load", good=["flour"], quantity=[str(quantity(order) // 1000)])
    take(desk, order, "receive", good=["flour"], quantity=["100"], more_to_come="1")
    assert (flour_order(issued).status, sum(line.quantity for line in flour_order(issued).received)) == (
        "loaded",
        100_000,
    )
    take(desk, order, "receive", good=["flour"], quantity=[str(quantity(order) // 1000 - 100)])
    received = issued.state().orders[order.id]
    assert (received.status, received.difference) == ("received", ())


def test_far_more_than_ordered_is_asked_back_and_booked_once_confirmed(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    asked = take(desk, order, "load", good=["flour"], quantity=["900"])
    assert "check the unit" in asked.text
    assert flour_order(issued).status == "issued"
    done = confirm(desk, f"/orders/{order.id}", asked)
    assert "is loaded" in done.text
    assert sum(line.quantity for line in flour_order(issued).loaded) == 900_000


def test_a_form_that_has_not_seen_the_last_step_books_nothing(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    kg = str(quantity(order) // 1000)
    take(desk, order, "load", good=["flour"], quantity=[kg])
    again = desk.form(f"/orders/{order.id}", step="load", seen="1", date=DAY, good=["flour"], quantity=[kg])
    assert again.status_code == 409
    assert sum(line.quantity for line in flour_order(issued).loaded) == quantity(order)


def test_cancelled_order_goes_with_its_cause_into_the_story(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    take(desk, order, "cancel", cause="bridge <b>closed</b>")
    assert issued.state().orders[order.id].status == "cancelled"
    page = desk.get(f"/orders/{order.id}").text
    assert "bridge &lt;b&gt;closed&lt;/b&gt;" in page
    assert "<b>closed" not in page


def test_what_is_overdue_stands_first(issued: Served) -> None:
    assert issued.stop() == 0
    issued.day = "2027-03-05"
    issued.start()
    page = issued.desk().get("/dispatch").text
    assert page.index('id="late"') < page.index("</table>")


def test_readers_look_and_do_not_book(issued: Served) -> None:
    steward = issued.desk()
    shown = steward.form("/access/code", role="reader").text
    found = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", shown)
    assert found is not None
    reader, order = Desk(issued.url, found[1]), flour_order(issued)
    page = reader.get(f"/orders/{order.id}")
    assert page.status_code == 200
    assert "<button>" not in page.text.split("<main", 1)[1]
    assert reader.form(f"/orders/{order.id}", step="accept", seen="1").status_code == 403
    assert flour_order(issued).status == "issued"


def test_sheets_of_the_day_are_found_printed_and_come_back_as_receipts(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    for _ in range(240):
        if "being sought" not in desk.get("/routes").text:
            break
        time.sleep(0.5)
    sheets = desk.get("/routes/sheets")
    assert sheets.status_code == 200
    for shown in (sheets.text, desk.get("/routes").text):
        assert re.search(r'<(b|small) dir="auto">milk comes today with order \S+, planned for [0-9:]+<', shown)
    assert "sha256-" in sheets.headers["content-security-policy"]
    assert "BEGIN:VEVENT" in desk.get("/routes/calendar.ics").text
    code = code_of(order.id)
    texts = [unescape(one) for one in re.findall(r">([^<>]*(?:LOADED|RECEIVED) ORDER [^<>]*)<", sheets.text)]
    mine = [one.strip() for one in texts if code in one]
    loaded, received = sorted(mine, key=lambda one: "RECEIVED" in one)
    text = f"{loaded}\n{received}\nsomething else"
    token = re.findall(r'name="token" value="([^"]+)"', desk.get("/routes/actuals").text)[0]
    shown = desk.form("/routes/actuals", text=text, token=token, date=DAY)
    assert flour_order(issued).status == "issued"  # Only shown.
    sure = re.findall(r'name="sure" value="([^"]+)"', shown.text)[0]
    done = desk.form("/routes/actuals", text=text, token=token, date=DAY, sure=sure)
    assert "something else" in done.text  # What was not understood is kept, to be mended.
    received_order = issued.state().orders[order.id]
    assert (received_order.status, received_order.difference) == ("received", ())


def test_ticked_lines_are_shown_and_then_booked_as_planned(issued: Served) -> None:
    desk, order = issued.desk(), flour_order(issued)
    ticked = [f"receive:{order.id}", f"load:{order.id}"]
    shown = desk.form("/routes/actuals", step=ticked)
    assert "loaded as ordered" in shown.text
    assert flour_order(issued).status == "issued"
    sure = re.findall(r'name="sure" value="([^"]+)"', shown.text)[0]
    desk.form("/routes/actuals", step=ticked, sure=sure)
    record = issued.state().orders[order.id]
    assert (record.status, sum(line.quantity for line in record.received)) == ("received", quantity(order))
    assert "already" in desk.form("/routes/actuals", step=ticked, sure=sure).text


def test_an_order_is_loaded_by_keyboard_alone(issued: Served, page: Page) -> None:
    order = flour_order(issued)
    page.goto(f"{issued.url}/enter?code={issued.code}")
    page.get_by_role("button", name="Enter", exact=True).press("Enter")
    expect(page.locator("#live")).to_contain_text("●")
    page.goto(f"{issued.url}/orders/{order.id}")
    expect(page.locator("#live")).to_contain_text("●")
    expect(page.locator("input[name=quantity]").first).to_be_visible()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "quantity":
            break
    page.keyboard.type("250")  # The field is chosen whole, as the browser does on Tab.
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("is loaded")
    assert sum(line.quantity for line in flour_order(issued).loaded) == 250_000


def load_form(issued: Served, page: Page) -> tuple[OrderRecord, Locator]:
    desk, order = issued.desk(), flour_order(issued)
    page.context.add_cookies([{"name": "abasto", "value": desk.cookies["abasto"], "url": issued.url}])
    page.goto(f"{issued.url}/orders/{order.id}")
    return order, page.locator("form", has=page.get_by_role("button", name="Book as loaded"))


def test_a_refused_step_is_mended_where_it_was_typed(issued: Served, page: Page) -> None:
    order, form = load_form(issued, page)
    form.get_by_label("flour").fill("3,5")
    form.get_by_label("Another good").fill("bread")
    form.get_by_label("How much, as 30 or 2 sacks").fill("12")
    form.get_by_role("button").click()
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("comma may be a decimal mark")
    expect(form.get_by_label("Another good")).to_have_value("bread")
    expect(form.get_by_label("How much, as 30 or 2 sacks")).to_have_value("12")
    assert flour_order(issued).status == "issued"
    form.get_by_label("How much, as 30 or 2 sacks").fill("some")
    form.get_by_role("button").click()
    expect(refused).to_have_count(1)
    form.get_by_label("Another good").fill("")
    form.get_by_label("How much, as 30 or 2 sacks").fill("")
    form.get_by_label("flour").fill(str(quantity(order) // 1000))
    form.get_by_role("button").click()
    expect(page.get_by_text("is loaded (entry")).to_be_visible()
    assert sum(line.quantity for line in flour_order(issued).loaded) == quantity(order)


def test_a_doubtful_step_is_asked_back_on_a_page_of_its_own(issued: Served, page: Page) -> None:
    _, form = load_form(issued, page)
    form.get_by_label("flour").fill("900")
    form.get_by_role("button").click()
    expect(page.get_by_text("nothing was booked yet")).to_be_visible()
    assert flour_order(issued).status == "issued"
    page.get_by_role("button", name="It is right all the same: book it").click()
    expect(page.get_by_text("is loaded (entry")).to_be_visible()
    assert sum(line.quantity for line in flour_order(issued).loaded) == 900_000


def test_what_is_typed_stays_while_the_room_does_not_answer(issued: Served, page: Page) -> None:
    order, form = load_form(issued, page)
    page.context.set_offline(True)
    form.get_by_label("flour").fill(str(quantity(order) // 1000))
    form.get_by_role("button").click()
    expect(page.locator("[data-refused]")).to_contain_text("no connection to the room")
    page.context.set_offline(False)
    form.get_by_role("button").click()
    expect(page.get_by_text("is loaded (entry")).to_be_visible()
