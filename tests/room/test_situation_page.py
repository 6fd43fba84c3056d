"""The first page: its figures are those of the loop, it says how each is known, and it stays live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient
from tests.room.planned import make_plan, rows_of
from tests.room.served import DAY, Served, neighbourhood

from abasto import cycle
from abasto.cli import main
from abasto.journal.home import Home
from abasto.language import language
from abasto.report.heat import level
from abasto.room.app import build_app
from abasto.room.operations import Room
from abasto.room.pages.situation import MOST_BYTES_BOUNDARIES, SHAPES, level_words

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        yield Room(home, now=lambda: NOW, day=date.fromisoformat(DAY))


def client_of(room: Room) -> TestClient:
    """Return a browser that has entered as a reader."""
    client = TestClient(build_app(room, hosts=("testserver",)))
    assert client.post("/enter", data={"code": room.sessions.new_code("reader", now=NOW)}).status_code == 200
    return client


def test_situation_without_a_plan_says_so_and_shows_what_is_known(room: Room) -> None:
    client = client_of(room)
    page = client.get("/").text
    assert "No plan has been made yet" in page
    assert 'id="coverage-caption"' not in page
    assert "/plan/make" not in page, "a reader makes no plans"
    shown = {(row[0], row[1]): row for row in rows_of(page, "stands-caption")}
    assert shown["Mill", "flour"][2:4] == ["1 400 kg", "counted, today"]
    assert shown["Station", "bread"][3] == "never reported"


def test_every_figure_on_hand_is_the_one_of_the_api(room: Room) -> None:
    client, words = client_of(room), language("en")
    shown = {(row[0], row[1]): row for row in rows_of(client.get("/").text, "stands-caption")}
    figures = client.get("/api/stock").json()["figures"]
    assert figures
    for figure in figures:
        row = shown[figure["site"], figure["good"]]
        assert row[2].replace("\u202f", " ").split(" ")[-1] == figure["unit"]
        assert words.number(figure["quantity"]).replace("\u202f", " ") in row[2]
        assert row[3].startswith(figure["kind"])


def test_coverage_on_the_page_is_what_the_loop_plans(served: Served) -> None:
    desk, words = served.desk(), language("en")
    make_plan(desk)
    page = desk.get("/?need=bread").text
    assert "No plan has been made" not in page
    plan = cycle.propose(served.state(), date.fromisoformat(DAY)).rounded.plan
    wanted: dict[str, list[float]] = {}
    for row in plan.coverage.rows():
        if row["need"] == "bread":
            wanted.setdefault(row["site"], []).append(row["coverage"])
    shown = {row[0]: row for row in rows_of(page, "coverage-caption")}
    assert shown.keys() == wanted.keys()
    for site, days in wanted.items():
        mean = sum(days) / len(days)
        sign, share = shown[site][2].split(maxsplit=1)
        assert sign == SHAPES[level(mean)]
        assert abs(float(share.removesuffix("%").strip()) - 100 * mean) <= 1
        assert len([cell for cell in shown[site][4:] if cell != "–"]) == len(days)
    summary = next(plan.summary.rows())
    assert f"<b>{words.percent(summary['mean_coverage'])}</b>" in page
    map_levels = {site["site"]: site["level"] for site in desk.get("/map.json").json()["sites"]}
    assert map_levels["Mill"] == -1
    assert 0 <= map_levels["Station"] <= 4


def test_alarm_says_cause_date_and_what_relieves_it(served: Served) -> None:
    desk = served.desk()
    make_plan(desk)
    page = desk.get("/").text
    alarms = page[page.index('id="alarms"') : page.index('id="coverage"')]
    assert "Falls short: <bdi>Station</bdi>, <bdi>bread</bdi>" in alarms
    assert "All flour that Mill can take in is taken" in alarms
    assert "Mon 1 Mar – Sun 7 Mar" in alarms
    assert "planned from North bakery" in alarms


def test_levels_have_shapes_of_their_own() -> None:
    words = level_words(language("en"))
    assert words.keys() == SHAPES.keys()
    assert len(set(SHAPES.values())) == len(SHAPES)


def test_map_has_every_site_that_has_a_place(room: Room) -> None:
    data = client_of(room).get("/map.json").json()
    there = {row.cells["site"] for row in room.state.rows.table("sites") if row.cells.get("lat")}
    assert {site["site"] for site in data["sites"]} == there
    assert len(data["lanes"]) == len(list(room.state.rows.table("lanes")))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "this is no JSON"),
        (b"[" * 200_000, "this is no JSON"),
        (b'{"type": "Topology"}', "this is no GeoJSON"),
        (b"[1]", "this is no GeoJSON"),
        (b" " * (MOST_BYTES_BOUNDARIES + 1), "simplify the outlines"),
    ],
)
def test_boundaries_that_cannot_be_drawn_are_refused(room: Room, tmp_path: Path, content: bytes, words: str) -> None:
    room.boundaries = tmp_path / "outline.json"
    room.boundaries.write_bytes(content)
    answer = client_of(room).get("/map/boundaries.json")
    assert answer.status_code == 400
    assert words in answer.text


def test_boundaries_are_given_as_they_are_and_none_where_there_is_no_file(room: Room, tmp_path: Path) -> None:
    client = client_of(room)
    assert client.get("/map/boundaries.json").json()["features"] == []
    room.boundaries = tmp_path / "outline.json"
    line = {"type": "LineString", "coordinates": [[-71.6, -33.0], [-71.5, -33.1]]}
    room.boundaries.write_text(json.dumps(line), encoding="utf-8")
    assert client.get("/map/boundaries.json").json() == line
    assert 'data-boundaries="/map/boundaries.json"' in client.get("/").text


def test_open_page_follows_the_journal_and_draws_the_map(served: Served, page: Page) -> None:
    page.goto(f"{served.url}/enter?code={served.code}")
    page.get_by_role("button", name="Enter").click()
    expect(page.locator("#live")).to_contain_text("●")
    expect(page.locator("#map")).to_have_attribute("data-sites", "12")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Mill", exact=True)).first
    expect(row).to_contain_text("1 400 kg")
    assert main(["count", "Mill", "flour", "1234", "--home", str(served.home), "--date", DAY, "--yes"]) == 0
    expect(row).to_contain_text("1 234 kg")
