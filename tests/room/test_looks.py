"""What the pages look like in a real browser, measured: nothing that matters lies out of sight or beside its text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from tests.room.planned import make_plan
from tests.room.served import Served

DESK, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)


@pytest.fixture
def planned(page: Page, served: Served) -> Page:
    """A browser in a room that has a plan."""
    desk = served.desk()
    make_plan(desk)
    page.context.add_cookies(
        [{"name": one.name, "value": one.value or "", "url": served.url} for one in desk.cookies.jar]
    )
    page.goto(served.url)
    expect(page.locator("#coverage-caption")).to_be_visible()
    return page


def box(page: Page, selector: str) -> dict[str, float]:
    found = page.locator(selector).first.bounding_box()
    assert found is not None
    return dict(found)


def test_on_a_desk_tables_have_the_whole_width_and_no_day_is_out_of_sight(planned: Page) -> None:
    planned.set_viewport_size(DESK)
    hidden = planned.eval_on_selector_all(
        ".wide", "boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).map(box => box.innerText)"
    )
    assert hidden == []
    assert box(planned, "#map")["x"] < box(planned, "#alarms")["x"]


def test_on_a_phone_what_to_act_on_comes_before_the_map_and_the_open_page_is_in_sight(
    planned: Page, served: Served
) -> None:
    planned.set_viewport_size(PHONE)
    assert box(planned, "#alarms")["y"] < box(planned, "#map")["y"] < box(planned, "#coverage")["y"]
    planned.goto(f"{served.url}/access")
    shown = box(planned, ".rooms [aria-current]")
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= PHONE["width"]
    assert planned.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_on_a_phone_captions_and_causes_can_be_read(planned: Page, served: Served) -> None:
    planned.set_viewport_size(PHONE)
    planned.goto(f"{served.url}/plan")
    caption = box(planned, "#short-caption")
    assert caption["x"] + caption["width"] <= PHONE["width"]
    assert box(planned, "td.sentence")["width"] >= 200


def test_what_is_ticked_stands_on_the_line_of_its_text(planned: Page, served: Served) -> None:
    planned.set_viewport_size(DESK)
    planned.goto(f"{served.url}/plan")
    planned.locator("details.panel > summary").first.click()
    for choice in planned.locator("fieldset label").all():
        tick, text = choice.locator("input").bounding_box(), choice.locator("strong").bounding_box()
        assert tick is not None
        assert text is not None
        assert abs(tick["y"] + tick["height"] / 2 - text["y"] - text["height"] / 2) < 4
