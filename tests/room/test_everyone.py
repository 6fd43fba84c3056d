"""Every page, for everyone: nothing that axe finds, nothing from outside, no wider than a phone, either direction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from tests.room.served import DAY, Desk, Served, neighbourhood

from abasto.cli import main
from abasto.room.pages import PAGES

PATHS = sorted({page.path for page in PAGES if page.method == "GET" and page.is_whole and "{" not in page.path})
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A room with something on every page: orders at every stage, a discrepancy, a plan."""
    home = neighbourhood(tmp_path_factory.mktemp("everyone"))
    where = ["--home", str(home), "--date", DAY]
    assert main(["count", "Mill", "flour", "1100", *where, "--yes"]) == 0
    assert main(["orders", "issue", "--yes", *where]) == 0
    room = Served(home)
    room.start()
    yield room
    if room.process is not None and room.process.poll() is None:
        room.stop()


@pytest.fixture(scope="module")
def desk(lived: Served) -> Desk:
    desk = lived.desk()
    assert desk.call("/api/plan", {}).json()["outcome"] == "running"
    with desk.stream("GET", "/events") as events:
        for _ in events.iter_lines():
            if desk.get("/api/plan").json()["outcome"] != "running":
                break
    return desk


def enter(context: BrowserContext, lived: Served, desk: Desk, *, language: str) -> Page:
    """Return a page that sits at the desk, in a language."""
    context.add_cookies(
        [
            {"name": "abasto", "value": desk.cookies["abasto"], "url": lived.url},
            {"name": "language", "value": language, "url": lived.url},
        ]
    )
    return context.new_page()


@pytest.mark.parametrize("language", ["en", pytest.param("es", marks=pytest.mark.soak), "ar"])
@pytest.mark.parametrize("path", PATHS)
def test_page_is_for_everyone(path: str, language: str, lived: Served, desk: Desk, context: BrowserContext) -> None:
    page = enter(context, lived, desk, language=language)
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(lived.url + path)
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    expect(page.locator("#live")).to_contain_text("●")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], "wider than a phone"
    if language != "es":  # Spanish pages differ from English ones in nothing that axe looks at.
        _is_accessible(page)
    if language == "en":
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
        _is_accessible(page)
    assert [url for url in asked if not url.startswith((lived.url, "data:"))] == []
    assert wrong == []


def _is_accessible(page: Page) -> None:
    # What still fades in has another colour than it is read in.
    page.evaluate("Promise.all(document.getAnimations().map((one) => one.finished))")
    found: dict[str, Any] = Axe().run(page).response
    told = [
        f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"][:3]
    ]
    assert told == []


@pytest.mark.parametrize("language", ["en", "ar"])
def test_door_is_for_everyone(language: str, lived: Served, context: BrowserContext) -> None:
    context.add_cookies([{"name": "language", "value": language, "url": lived.url}])
    page = context.new_page()
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.goto(f"{lived.url}/enter?code=AAAAA-AAAAA")
    _is_accessible(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    _is_accessible(page)


def test_pages_are_printed_without_what_only_a_screen_needs(
    lived: Served, desk: Desk, context: BrowserContext, tmp_path: Path
) -> None:
    page = enter(context, lived, desk, language="en")
    page.goto(lived.url)
    page.emulate_media(media="print")
    expect(page.locator("nav.rooms")).to_be_hidden()
    expect(page.locator("main")).to_be_visible()
    assert page.pdf(path=tmp_path / "room.pdf", format="A4")[:5] == b"%PDF-"
