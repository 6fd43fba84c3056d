"""Report goods against a room that runs: booked once, doubtful reports asked back, messages shown before they count."""

from __future__ import annotations

import re
from html import unescape

import httpx
from playwright.sync_api import Page, expect
from tests.room.served import DAY, Desk, Served

from abasto.cli import main
from abasto.facts.kinds import RowSet
from abasto.journal.home import Home


def token(page: str) -> str:
    return re.findall(r'name="token" value="([^"]+)"', page)[0]


def seal(page: str) -> str:
    return re.findall(r'name="sure" value="([^"]+)"', page)[0]


def send(desk: Desk, **fields: object) -> httpx.Response:
    """Send the form of the page as it stands."""
    return desk.form("/report", token=token(desk.get("/report").text), date=DAY, **fields)


def held(served: Served, site: str, good: str) -> int:
    return sum(served.state().books.balance(site, good).values())


def test_what_is_reported_stands_in_the_books_and_before_and_after_are_shown(served: Served) -> None:
    desk = served.desk()
    before = held(served, "Mill", "flour")
    for kind, change in (("received", 40_000), ("handed out", -40_000), ("lost", -40_000)):
        was = held(served, "Mill", "flour")
        done = send(desk, kind=kind, site="mill", good="FLOUR", quantity="0.04 t", cause="wet")
        assert "take it back" in done.text
        assert held(served, "Mill", "flour") == was + change
    send(desk, kind="count", site="Mill", good="flour", quantity=str(before // 1000))
    assert held(served, "Mill", "flour") == before
    send(desk, kind="received", site="North bakery", good="flour", quantity="200")
    bread, flour = held(served, "North bakery", "bread"), held(served, "North bakery", "flour")
    send(desk, kind="made", site="North bakery", recipe="baking", quantity="1.5")
    assert held(served, "North bakery", "bread") == bread + 150_000
    assert held(served, "North bakery", "flour") == flour - 120_000
    refused = send(desk, kind="made", site="North bakery", recipe="no such recipe", quantity="1")
    assert "there is no recipe" in unescape(refused.text)
    assert held(served, "North bakery", "bread") == bread + 150_000


def test_doubtful_report_is_asked_back_and_booked_once_confirmed(served: Served) -> None:
    desk = served.desk()
    before = held(served, "Mill", "flour")
    form = {"token": token(desk.get("/report").text), "date": DAY, "kind": "received", "site": "Mill"}
    form |= {"good": "flour", "quantity": "90 t"}
    asked = desk.form("/report", **form)
    assert asked.status_code == 409
    assert "check the unit" in asked.text
    assert held(served, "Mill", "flour") == before
    desk.form("/report", **form, sure=seal(asked.text))
    assert held(served, "Mill", "flour") == before + 90_000_000
    again = desk.form("/report", **form, sure=seal(asked.text))  # Reloaded, or sent twice: it counts once.
    assert "already" in again.text
    assert held(served, "Mill", "flour") == before + 90_000_000


def test_what_cannot_be_read_is_refused_with_what_to_write(served: Served) -> None:
    desk = served.desk()
    for fields, why in (
        ({"good": "flour", "quantity": "3,5"}, "comma may be a decimal mark"),
        ({"good": "flour", "quantity": "3 boxes"}, "no such unit or pack"),
        ({"good": "flower", "quantity": "3"}, 'Did you mean "flour"'),
        ({"good": "flour", "quantity": "3", "lot": "soon"}, "this is no date"),
    ):
        answer = send(desk, kind="lost", site="Mill", cause="wet <floor>", **fields)
        assert answer.status_code == 400
        assert why in unescape(answer.text)
        shown = unescape(answer.text)
        for value in ("Mill", "wet <floor>", *fields.values()):
            assert f'value="{value}"' in shown, "what was typed stands there to be mended"
        assert '<option value="lost" selected>' in shown


def test_messages_are_shown_first_and_what_is_not_understood_is_kept(served: Served) -> None:
    desk = served.desk()
    before = held(served, "Mill", "flour")
    text = "Mill: received 30 kg flour\nMill: <b>what</b>"
    mark = token(desk.get("/report").text)
    shown = desk.form("/report/messages", text=text, token=mark, date=DAY)
    assert held(served, "Mill", "flour") == before
    assert "<b>what" not in shown.text
    asked = {"text": text, "token": mark, "date": DAY, "sure": seal(shown.text)}
    done = desk.form("/report/messages", **asked)
    assert held(served, "Mill", "flour") == before + 30_000
    assert "Mill: <b>what</b>" in unescape(
        re.findall(r"<textarea[^>]*required[^>]*>(.*?)</textarea>", done.text, re.S)[0]
    )
    assert "already" in desk.form("/report/messages", **asked).text
    assert held(served, "Mill", "flour") == before + 30_000


def test_hostile_names_stay_text_on_every_page_of_the_desk(served: Served) -> None:
    name = '"><script>alert(1)</script>'
    with Home.open(served.home, passphrase=None) as opened:
        opened.journal.append([RowSet("sites", {"site": name, "name": name}, DAY)], time=0)
    where = ["--home", str(served.home), "--date", DAY, "--yes"]
    assert main(["receive", name, "flour", "5", *where]) == 0
    assert main(["count", name, "flour", "2", *where]) == 0
    desk = served.desk()
    for path in ("/report", "/ledger", "/exceptions", "/dispatch", "/history?of=flour", "/routes/actuals"):
        page = desk.get(path).text
        assert "<script>alert" not in page, path
        assert path in ("/dispatch", "/routes/actuals") or "alert(1)" in page, path
    assert "alert(1)" in desk.get("/ledger", params={"site": name, "good": "flour"}).text
    assert desk.get("/history", params={"of": name}).status_code == 200


def test_goods_are_reported_by_keyboard_alone(served: Served, page: Page) -> None:
    before = held(served, "Mill", "flour")
    page.goto(f"{served.url}/enter?code={served.code}")
    page.get_by_role("button", name="Enter", exact=True).press("Enter")
    expect(page.locator("#live")).to_contain_text("●")
    page.goto(f"{served.url}/report?kind=received")
    expect(page.get_by_label("Recipe", exact=True)).to_be_hidden()
    typed = {"site": "Mill", "good": "flour", "quantity": "20"}
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.name")
        if name in typed:
            page.keyboard.type(typed.pop(name))
        if not typed:
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Booked:")).to_be_visible()
    assert held(served, "Mill", "flour") == before + 20_000
