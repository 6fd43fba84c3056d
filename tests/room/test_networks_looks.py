"""What comes from another network as the room shows it: promised until it is loaded, and whole on a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page
from tests.room.others import Other, befriended
from tests.room.served import DAY, Desk, Served
from tests.room.test_networks_page import TOMORROW

from abasto.cli_home import write
from abasto.facts.codes import spoken
from abasto.facts.kinds import Line, OrderIssued
from abasto.journal.home import Home

LATER = "2027-03-05"
SMALL = 360


@pytest.fixture
def served(tmp_path: Path, vale: Other) -> Iterator[Served]:
    """The room of Hills on a later day, to which Vale has promised what is overdue by then, and some more."""
    hills = befriended(tmp_path, vale)
    lines = (Line("flour", 500_000), Line("beans", 120_000))
    with Home.open(vale.folder, passphrase=None) as home:
        for departs, arrives in ((DAY, TOMORROW), (LATER, LATER)):
            write(home, [OrderIssued("Vale market", "Hills depot", "milk lorry", 1, departs, arrives, lines, DAY)])
    assert vale("post", tmp_path / "vale.abasto", "--for", hills.key) == 0
    assert hills("hear", tmp_path / "vale.abasto") == 0
    with Served(hills.folder, day=LATER) as room:
        yield room


def shown(context: BrowserContext, served: Served, desk: Desk, *, language: str, width: int) -> Page:
    cookies = {"abasto": desk.cookies["abasto"], "language": language}
    context.add_cookies([{"name": name, "value": value, "url": served.url} for name, value in cookies.items()])
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"{served.url}/networks")
    return page


def is_whole(text: Locator, width: int) -> bool:
    """Return whether nothing of a text lies beside the screen, so that it can be read without moving the page."""
    box = text.bounding_box()
    return box is not None and box["x"] >= 0 and box["x"] + box["width"] <= width


@pytest.mark.parametrize("language", ["en", "es", "ar"])
def test_on_a_phone_the_code_to_compare_and_the_id_of_what_is_overdue_are_read_whole(
    served: Served, vale: Other, context: BrowserContext, language: str
) -> None:
    page = shown(context, served, served.desk(), language=language, width=SMALL)
    late, _ = sorted(served.state().orders.values(), key=lambda one: one.issued.arrives if one.issued else "")
    for text in (spoken(vale.network), late.id):
        assert is_whole(page.get_by_text(text, exact=True), SMALL), text
    boxes = page.locator(".wide").all()
    assert len(boxes) == 2
    assert [one.evaluate("box => box.scrollWidth > box.clientWidth") for one in boxes] == [False, False]
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL
    cells = page.get_by_role("table").first.get_by_role("cell")
    assert cells.count() == 3, "it stays a table for who hears the page"
    assert Axe().run(page).response["violations"] == []


def test_on_a_desk_the_id_of_what_is_overdue_makes_the_table_no_wider_than_the_page(
    served: Served, context: BrowserContext
) -> None:
    page = shown(context, served, served.desk(), language="es", width=900)
    for box in page.locator(".wide").all():
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_what_is_promised_is_not_told_as_loaded(served: Served, context: BrowserContext) -> None:
    desk = served.desk()
    page = shown(context, served, desk, language="en", width=900)
    page.goto(f"{served.url}/dispatch")
    assert page.locator("h2#promised").inner_text() == "promised (1)"
    assert page.locator("h2#loaded").count() == 0
    for id in served.state().letters.coming:
        page.goto(f"{served.url}/orders/{id}")
        assert page.locator("h1 .tag").inner_text() == "promised"
        assert "Loaded" not in page.locator("dt").all_inner_texts()
