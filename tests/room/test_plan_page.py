"""The page of the plan: what it proposes is what the loop proposes; decisions are planned around, and signed once."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.room.planned import make_plan, orders_shown, plan_id, rows_of, wait_for_plan
from tests.room.served import DAY, Desk, Served, neighbourhood

from abasto.cli import main

WHERE = ("--date", DAY)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Desk]]:
    """A room whose journal the tests leave as it is, and a steward's desk in it."""
    room = Served(neighbourhood(tmp_path_factory.mktemp("plan")))
    room.start()
    yield room, room.desk()
    room.stop()


def order_numbers(page: str) -> list[str]:
    return re.findall(r'<tr data-order="(\d+)">', page)


def alert(text: str) -> str:
    """Return what a refusal says."""
    found = re.search(r'(?s)role="alert">(.*?)</div>', text)
    assert found is not None, text
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_orders_and_figures_are_those_of_the_command_line(
    quiet: tuple[Served, Desk], capsys: pytest.CaptureFixture[str]
) -> None:
    room, desk = quiet
    page = make_plan(desk)
    capsys.readouterr()
    assert main(["orders", "propose", "--json", "--home", str(room.home), *WHERE]) == 0
    document = json.loads(capsys.readouterr().out)
    told = {
        (one["from"], one["to"], one["fleet"], str(one["trips"])): sum(line["quantity"] for line in one["lines"])
        for one in document["orders"]
    }
    shown = {row[1:5]: row[5] for row in orders_shown(page)}
    assert shown.keys() == told.keys()
    assert f"<b>{document['trips']}</b>" in page
    flour = next(goods for way, goods in shown.items() if way[:2] == ("Mill", "North bakery"))
    thousandths = next(much for way, much in told.items() if way[:2] == ("Mill", "North bakery"))
    assert flour == f"flour: {thousandths / 1000:g} kg"
    assert {row[6] for row in orders_shown(page)} == {"proposed"}


def test_plan_says_what_falls_short_and_why(quiet: tuple[Served, Desk]) -> None:
    page = make_plan(quiet[1])
    short = {(row[0], row[1]): row for row in rows_of(page, "short-caption")}
    assert short["Station", "bread"][2] == "140 kg"
    assert "All flour that Mill can take in is taken" in short["Station", "bread"][4]
    assert "larger supply of flour at Mill" in short["Station", "bread"][5]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"days": "0"}, 'days "0"'),
        ({"days": "x"}, 'days "x"'),
        ({"days": "2", "ordered_days": "3"}, "only 2 days are planned"),
        ({"scenario": "none such"}, 'scenario "none such"'),
        ({"fairness": "5"}, 'fairness "5"'),
        ({"minutes": "1000"}, 'minutes "1000"'),
    ],
)
def test_wishes_that_cannot_be_are_refused(quiet: tuple[Served, Desk], fields: dict[str, str], words: str) -> None:
    answer = quiet[1].form("/plan/make", **fields)
    assert answer.status_code == 400
    assert words in alert(answer.text).replace("&#34;", '"')


@pytest.mark.soak
def test_other_fairness_is_compared_and_takes_no_plans_place(quiet: tuple[Served, Desk]) -> None:
    desk = quiet[1]
    before = make_plan(desk)
    assert "choose another scenario or another fairness" in desk.form("/plan/try", fairness="4").text
    assert desk.form("/plan/try", fairness="0").status_code == 200
    after = wait_for_plan(desk)
    assert plan_id(after) == plan_id(before)
    assert orders_shown(after) == orders_shown(before)
    compared = {row[0]: row for row in rows_of(after, "compared-caption")}
    assert compared["this plan"][2] == "4"
    assert compared["what was tried"][2] == "0"
    assert "Who gains and who loses with what was tried" in after
    assert rows_of(after, "trial-sites")


def test_scenario_is_compared_with_usual_days(quiet: tuple[Served, Desk]) -> None:
    desk = quiet[1]
    page = make_plan(desk)
    scenarios = re.findall(r"<option>([^<]+)</option>", page)
    assert scenarios
    desk.form("/plan/try", scenario=scenarios[0])
    after = wait_for_plan(desk)
    row = next(row for row in rows_of(after, "compared-caption") if row[0] == "what was tried")
    assert row[1] == scenarios[0]


def test_what_changed_since_the_plan_before_is_told(quiet: tuple[Served, Desk]) -> None:
    desk = quiet[1]
    make_plan(desk)
    same = make_plan(desk)
    changes = same[same.index("What changed since the plan before") : same.index('id="compare"')]
    assert "Nothing that is worth telling." in changes
    other = make_plan(desk, fairness="0")
    assert rows_of(other, "changes-sites")
    assert [row[2] for row in rows_of(other, "compared-caption")] == ["0", "4"]


def test_plan_can_be_stopped(quiet: tuple[Served, Desk]) -> None:
    desk = quiet[1]
    desk.form("/plan/make")
    assert desk.form("/plan/stop").status_code == 200
    with desk.stream("GET", "/events") as events:
        for _ in events.iter_lines():
            if desk.get("/api/plan").json()["outcome"] != "running":
                break
    assert desk.get("/api/plan").json()["outcome"] in ("stopped", "done")


def test_kept_and_changed_orders_stand_and_forbidden_lanes_stay_empty(served: Served) -> None:
    desk = served.desk()
    page = make_plan(desk)
    plan = plan_id(page)
    kept, changed, vetoed = (
        next(row for row in orders_shown(page) if row[1:3] == way)
        for way in (("North bakery", "Station"), ("Market", "Hill"), ("Market", "Park"))
    )
    every = order_numbers(page)
    desk.form("/plan/lock", plan=plan, order=kept[0], sign=every)
    assert "weighs" in alert(desk.form(f"/plan/order/{changed[0]}", plan=plan, trips="1", **{"quantity-0": "999"}).text)
    # 3 bicycles of 5 hours make 25 trips to Hill in a day: each takes 2 x 0.2 hours to drive and 0.2 to load.
    many = alert(desk.form(f"/plan/order/{changed[0]}", plan=plan, trips="26", **{"quantity-0": "50"}).text)
    assert "26 trips take 15.6 hours, and all vehicles of bicycles have 15.0 in a day" in many
    desk.form(f"/plan/order/{changed[0]}", plan=plan, trips="25", **{"quantity-0": "50"})
    assert {row[0]: row[4] for row in orders_shown(desk.get("/plan").text)}[changed[0]] == "25"
    more = alert(desk.form(f"/plan/order/{changed[0]}", plan=plan, trips="4", **{"quantity-0": "170"}).text)
    assert "170 litre of milk" in more
    assert "ordered from Market, which has 100 left for it: 100 there" in more
    desk.form(f"/plan/order/{changed[0]}", plan=plan, trips=changed[4], **{"quantity-0": "50.5"})
    desk.form("/plan/veto", plan=plan, order=vetoed[0], sign=every)
    decided = {row[0]: row[6] for row in orders_shown(desk.get("/plan").text)}
    assert decided[kept[0]] == "■ kept"
    assert decided[changed[0]] == "✎ changed, kept"
    assert decided[vetoed[0]] == "✕ forbidden"
    refused = desk.form("/plan/confirm", plan=plan, sign=[changed[0]])
    assert "was changed after the plan was made" in alert(refused.text)
    assert "nothing may leave there" in alert(desk.form("/plan/confirm", plan=plan, sign=[vetoed[0]]).text)

    desk.form("/plan/again", plan=plan, sign=every)
    after = wait_for_plan(desk)
    shown = orders_shown(after)
    assert [row[1:6] for row in shown if row[6] == "■ kept"] == [
        (*changed[1:5], "milk: 50.5 litre"),
        kept[1:6],
    ]
    assert ("Market", "Park") not in [row[1:3] for row in shown]
    assert "Forbidden: nothing leaves" in after
    assert "another plan has been made" in alert(desk.form("/plan/again", plan=plan).text)

    confirm = desk.form("/plan/confirm", plan=plan_id(after), sign=order_numbers(after))
    assert len(rows_of(confirm.text, "sign-caption")) == len(shown)
    count = re.search(r'name="count" value="(\d+)"', confirm.text)
    assert count is not None
    issued = desk.form("/plan/issue", plan=plan_id(after), sign=order_numbers(after), count=count[1])
    assert f"{len(shown)} orders are signed and issued." in issued.text
    assert {row[6] for row in orders_shown(issued.text)} == {"issued"}
    assert "since the plan was made" not in issued.text + desk.get("/").text, "the plan knows of its own orders"
    assert main(["count", "Mill", "flour", "1399", "--home", str(served.home), *WHERE]) == 0
    while desk.get("/api/summary").json()["entries"] < served.state().count:
        time.sleep(0.2)
    for path in ("/plan", "/"):
        assert "1 entry has come into the journal since the plan was made." in desk.get(path).text
    orders = [record.issued for record in served.state().orders.values() if record.issued is not None]
    assert len(orders) == len(shown)
    assert 50_500 in [line.quantity for one in orders if one.to_site == "Hill" for line in one.lines]


def test_orders_are_signed_once_and_only_while_they_hold(served: Served) -> None:
    desk = served.desk()
    page = make_plan(desk)
    plan, (first, second, *_) = plan_id(page), order_numbers(page)
    entries = desk.get("/api/summary").json()["entries"]
    assert "no order is chosen" in alert(desk.form("/plan/confirm", plan=plan).text)
    old = {"plan": plan, "sign": [first], "count": str(entries - 1)}
    assert "has gone on while you looked" in alert(desk.form("/plan/issue", **old).text)
    desk.form("/plan/issue", plan=plan, sign=[first], count=str(entries))
    assert desk.get("/api/summary").json()["entries"] == entries + 1
    twice = desk.form("/plan/issue", plan=plan, sign=[first], count=str(entries + 1), sure="yes")
    assert "issued already, by the same plan" in alert(twice.text)
    unsure = {"plan": plan, "sign": [second], "count": str(entries + 1)}
    assert 'name="sure"' in desk.form("/plan/confirm", plan=plan, sign=[second]).text
    assert "plan again, or say that it still holds" in alert(desk.form("/plan/issue", **unsure).text)
    assert desk.get("/api/summary").json()["entries"] == entries + 1
    desk.form("/plan/issue", **unsure, sure="yes")
    assert desk.get("/api/summary").json()["entries"] == entries + 2


def test_reader_sees_the_plan_and_changes_nothing(quiet: tuple[Served, Desk]) -> None:
    room, steward = quiet
    page = make_plan(steward)
    code = re.search(r"<dt>Code</dt><dd><code[^>]*>([^<]+)<", steward.form("/access/code", role="reader").text)
    assert code is not None
    reader = Desk(room.url, code[1])
    seen = reader.get("/plan").text
    assert [row[1:5] for row in orders_shown(page)]
    assert 'name="sign"' not in seen
    decided = ("lock", "unlock", "veto", "allow", "reopen", "order/0")
    for path in ("make", "stop", "try", *decided, "again", "confirm", "issue"):
        assert reader.form(f"/plan/{path}", plan=plan_id(page), order="0").status_code == 403, path


def _enter(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/enter?code={served.code}&to=/plan")
    page.get_by_role("button", name="Enter").click()
    expect(page.locator("#live")).to_contain_text("●")


def test_plan_lock_replan_and_print_in_a_browser(served: Served, page: Page, tmp_path: Path) -> None:
    _enter(served, page)
    page.goto(f"{served.url}/plan")
    page.get_by_role("button", name="Make a plan").click()
    row = page.locator("#order-table tr").filter(has=page.get_by_role("button", name="Keep: North bakery > Station"))
    expect(row).to_contain_text("proposed")
    row.get_by_role("button", name="Keep:").click()
    expect(page.get_by_text("that this plan does not follow yet")).to_be_visible()
    page.get_by_role("button", name="Forbid: Market > Park").click()
    page.get_by_role("button", name="Plan again around").click()
    expect(page.get_by_text("that this plan does not follow yet")).to_have_count(0)
    expect(page.get_by_role("heading", name="Forbidden: nothing leaves")).to_be_visible()
    expect(page.get_by_role("button", name="Keep no longer: North bakery > Station")).to_be_visible()
    expect(page.get_by_role("button", name="Forbid: Market > Park")).to_have_count(0)
    page.get_by_role("button", name="Sign the chosen orders").click()
    page.get_by_role("button", name="Sign and issue").click()
    expect(page.get_by_text("orders are signed and issued.")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="Print")).to_be_hidden()
    expect(page.locator("#order-table")).to_be_visible()
    assert page.pdf(path=tmp_path / "plan.pdf", format="A4", landscape=True)[:5] == b"%PDF-"


def test_plan_is_made_and_signed_by_keyboard_alone(served: Served, page: Page) -> None:
    _enter(served, page)
    page.goto(f"{served.url}/plan")

    def go_to(name: str) -> None:
        for _ in range(200):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"
            )
            if focused.startswith(name):
                return
        raise AssertionError(f"the keyboard does not reach {name}")

    go_to("Make a plan")
    page.keyboard.press("Enter")
    expect(page.locator("#order-table")).to_be_visible(timeout=60_000)
    go_to("Forbid: Market > Hill")
    page.keyboard.press("Enter")
    expect(page.locator("#order-table")).to_contain_text("forbidden")
    go_to("Sign Market > Harbour")
    page.keyboard.press("Space")
    expect(page.get_by_label("Sign Market > Harbour")).not_to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/plan/confirm")
    expect(page.get_by_role("cell", name="Harbour")).to_have_count(1)
    go_to("Sign and issue")
    page.keyboard.press("Enter")
    expect(page.get_by_text("orders are signed and issued.")).to_be_visible()
    ways = {(one.issued.from_site, one.issued.to_site) for one in served.state().orders.values() if one.issued}
    assert ("South bakery", "Harbour") in ways
    assert not ways & {("Market", "Hill"), ("Market", "Harbour")}


@pytest.mark.soak
def test_plan_reads_from_right_to_left(served: Served, page: Page) -> None:
    _enter(served, page)
    page.locator("button[name=language][value=ar]").click()
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    page.goto(f"{served.url}/plan")
    page.locator("form[action='/plan/make'] button.first").click()
    table = page.locator("#order-table")
    expect(table).to_be_visible(timeout=60_000)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    heads = table.locator("thead th")
    first, last = heads.first.bounding_box(), heads.last.bounding_box()
    assert first is not None
    assert last is not None
    assert first["x"] > last["x"], "the first column stands at the right"
    expect(table.locator("bdi").first).to_be_visible()
