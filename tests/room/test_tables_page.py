"""Tables against a room that runs: typed over, checked, and written all at once; the journal says what came of it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.room.served import Desk, Served, neighbourhood

from abasto.network import Network
from abasto.state.known import known
from abasto.tables import read_network

Cells = Mapping[str, str]


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One room for all tests of this module: each changes rows of its own."""
    served = Served(neighbourhood(tmp_path_factory.mktemp("tables")))
    served.start()
    yield served
    assert served.stop() == 0


@pytest.fixture(scope="module")
def desk(room: Served) -> Desk:
    return room.desk()


def code(desk: Desk, role: str) -> str:
    found = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", desk.form("/access/code", role=role).text)
    assert found is not None
    return found[1]


def grid(page: httpx.Response) -> dict[str, str]:
    """Return the fields of the grid on a page, as a browser would send them back unchanged."""
    fields = {}
    for tag in re.findall(r"<input [^>]*>", page.text.partition('id="new-row"')[0]):
        name, value = (re.search(rf'\b{what}="([^"]*)"', tag) for what in ("name", "value"))
        is_sent = name and (name[1].startswith(("cell:", "entry:", "sign")) or " checked" in tag)
        if name and is_sent:
            fields[name[1]] = unescape(value[1]) if value else ""
    return fields


def row_of(fields: Cells, column: str, value: str) -> str:
    """Return the number of the row with a value."""
    (number,) = [name.split(":")[1] for name, cell in fields.items() if cell == value and name.endswith(f":{column}")]
    return number


def saved(desk: Desk, table: str, fields: Cells, **more: str) -> httpx.Response:
    """Check typed rows, then save what the check showed."""
    checked = desk.form(f"/tables/{table}/check", **fields)
    assert checked.status_code == 200, checked.text
    return desk.form(f"/tables/{table}/save", **grid(checked), **more)


def network(room: Served) -> Network:
    from datetime import date

    return known(room.state(), date.fromisoformat(room.day)).network


def test_grid_that_comes_back_as_it_was_changes_nothing(room: Served, desk: Desk) -> None:
    before = room.state().count
    for table in ("sites", "lanes", "needs", "fleets", "network"):
        checked = desk.form(f"/tables/{table}/check", **grid(desk.get(f"/tables/{table}")))
        assert "Nothing changes" in checked.text
    assert room.state().count == before


def test_cell_is_changed_only_when_it_is_saved_after_the_check(room: Served, desk: Desk) -> None:
    fields = grid(desk.get("/tables/sites"))
    hill = row_of(fields, "site", "Hill")
    fields[f"cell:{hill}:people"] = "900"
    checked = desk.form("/tables/sites/check", **fields)
    assert re.search(r"people</bdi>: <del><bdi>800</bdi></del> → <ins><bdi>900</bdi></ins>", checked.text)
    assert room.state().rows.cell("sites", "people", "Hill") == "800"
    unchecked = desk.form("/tables/sites/save", **fields)
    assert unchecked.status_code == 400
    other = {**grid(checked), f"cell:{hill}:people": "901"}
    assert desk.form("/tables/sites/save", **other).status_code == 400
    assert room.state().rows.cell("sites", "people", "Hill") == "800"
    assert "Wrote 1 change" in desk.form("/tables/sites/save", **grid(checked)).text
    assert room.state().rows.cell("sites", "people", "Hill") == "900"


def test_all_or_nothing_with_every_error_at_its_cell_and_the_closest_name(room: Served, desk: Desk) -> None:
    before = room.state().count
    fields = grid(desk.get("/tables/lanes"))
    last = max(int(name.split(":")[1]) for name in fields if name.startswith("cell:"))
    fields |= {f"cell:{last}:from": "Mil", f"cell:{last}:to": "Park", f"cell:{last}:km": "3"}
    fields |= {f"cell:{last - 1}:from": "Mill", f"cell:{last - 1}:to": "Park", f"cell:{last - 1}:km": "far"}
    fields["cell:1:km"] = "11"
    checked = desk.form("/tables/lanes/check", **fields)
    assert 'aria-invalid="true"' in checked.text
    assert "far" in checked.text
    fields[f"cell:{last - 1}:km"] = "4"
    checked = desk.form("/tables/lanes/check", **fields)
    assert "Did you mean Mill?" in checked.text
    assert desk.form("/tables/lanes/save", **grid(checked)).status_code == 400
    assert room.state().count == before
    fields[f"cell:{last}:from"] = "Dairy"
    assert "Wrote 3 changes" in saved(desk, "lanes", fields, sure="yes").text
    lanes = {(lane.from_site, lane.to_site): lane.km for lane in network(room).lanes}
    assert lanes["Mill", "Park"] == 4
    assert lanes["Dairy", "Park"] == 3
    assert room.state().count == before + 3


def test_row_is_dropped_and_another_may_take_its_place(room: Served, desk: Desk) -> None:
    fields = grid(desk.get("/tables/needs?q=Clinic"))
    milk = row_of(fields, "good", "milk")
    saved(desk, "needs", {**fields, f"drop:{milk}": "yes"})
    checked = desk.form("/tables/needs/check", **{**fields, f"drop:{milk}": "yes"})
    assert "somebody has changed or dropped this row meanwhile" in checked.text
    needs = [(need.site, need.good) for need in network(room).needs]
    assert ("Clinic", "milk") not in needs
    assert ("Clinic", "bread") in needs


def test_row_whose_site_changes_is_another_row(room: Served, desk: Desk) -> None:
    fields = grid(desk.get("/tables/reserves"))
    fields |= {"cell:1:site": "School"} if fields["cell:1:site"] == "Clinic" else {}
    answer = saved(desk, "reserves", fields, sure="yes")
    assert "Wrote 2 changes" in answer.text
    assert [reserve.site for reserve in network(room).reserves] == ["School"]


def test_second_row_for_the_same_thing_is_refused(room: Served, desk: Desk) -> None:
    fields = grid(desk.get("/tables/goods"))
    last = max(int(name.split(":")[1]) for name in fields if name.startswith("cell:"))
    checked = desk.form("/tables/goods/check", **{**fields, f"cell:{last}:good": "flour"})
    assert "there is another row for the same" in checked.text


def test_dropping_a_site_with_goods_is_doubtful_and_has_to_be_meant(room: Served, desk: Desk) -> None:
    fields = grid(desk.get("/tables/goods"))
    powder = row_of(fields, "good", "milk powder")
    checked = desk.form("/tables/goods/check", **{**fields, f"drop:{powder}": "yes"})
    assert "the books still have" in checked.text
    assert desk.form("/tables/goods/save", **grid(checked)).status_code == 400
    assert room.state().rows.get("goods", "milk powder") is not None


def test_packs_and_opening_hours_are_tables_too(room: Served, desk: Desk) -> None:
    saved(desk, "packs", {"cell:1:good": "flour", "cell:1:pack": "saco", "cell:1:quantity": "50"})
    saved(desk, "openings", {"cell:1:site": "Clinic", "cell:1:opens": "08:00", "cell:1:closes": "14:30"})
    state = room.state()
    assert state.rows.cell("packs", "quantity", "flour", "saco") == "50"
    assert state.rows.cell("openings", "closes", "Clinic") == "14:30"
    wrong = desk.form("/tables/packs/check", **{"cell:1:good": "flour", "cell:1:pack": "kg", "cell:1:quantity": "2"})
    assert 'aria-invalid="true"' in wrong.text


def test_hostile_text_in_a_cell_stays_text(room: Served, desk: Desk) -> None:
    hostile = '"><script>alert(1)</script>'
    fields = grid(desk.get("/tables/sites?q=Harbour"))
    saved(desk, "sites", {**fields, "cell:1:name": hostile})
    assert room.state().rows.cell("sites", "name", "Harbour") == hostile
    for path in ("/tables/sites", "/tables"):
        page = desk.get(path)
        assert hostile not in page.text
    assert hostile in unescape(desk.get("/tables/sites").text)


def test_exports_read_back_as_what_is_known(room: Served, desk: Desk, tmp_path: Path) -> None:
    expected = network(room)
    (tmp_path / "known.xlsx").write_bytes(desk.get("/tables/export.xlsx").content)
    assert read_network(tmp_path / "known.xlsx") == expected
    with zipfile.ZipFile(io.BytesIO(desk.get("/tables/export.zip").content)) as archive:
        archive.extractall(tmp_path / "tables")
    assert read_network(tmp_path / "tables") == expected


def test_reader_sees_rows_and_may_not_change_them(room: Served, desk: Desk) -> None:
    reader = Desk(room.url, code(desk, "reader"))
    page = reader.get("/tables/sites")
    assert "Hill" in page.text
    assert "<input name=" not in page.text.partition("<h1>")[2].partition("<table>")[2]
    assert reader.form("/tables/sites/check", **{"cell:1:site": "X"}).status_code == 403


def test_unknown_table_and_stocks_are_refused_with_words(desk: Desk) -> None:
    assert desk.get("/tables/nothing").status_code == 400
    assert "report a count" in desk.get("/tables/stocks").text


def test_block_is_pasted_into_the_grid_by_keyboard(room: Served, desk: Desk, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{room.url}/enter?code={code(desk, 'allocator')}&to=/tables/sites")
    page.get_by_role("button", name="Enter", exact=True).press("Enter")
    rows = page.locator("table[data-grid] tbody tr")
    expect(rows.first).to_be_visible()
    page.wait_for_load_state()  # All rows are there, and the script that pastes.
    before = rows.count()
    block = "site\tpeople\tname\n" + "\n".join(f"Block {n}\t{n}00\tB{n}" for n in range(1, 7))
    page.evaluate("text => navigator.clipboard.writeText(text)", block)
    blank = page.locator(f'input[name="cell:{before - 2}:site"]')
    blank.focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator(f'input[name="cell:{before - 3}:site"]')).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+V")
    expect(rows).to_have_count(before + 3)
    expect(page.get_by_role("status").filter(has_text="Pasted 6 rows")).to_be_visible()
    page.get_by_role("button", name="Check").first.focus()
    page.keyboard.press("Enter")
    save = page.get_by_role("button", name="Save", exact=True).first
    expect(save).to_be_visible()
    meant = page.get_by_label("It is meant so")
    if meant.count():
        meant.focus()
        page.keyboard.press("Space")
    save.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Wrote 6 changes")).to_be_visible()
    people = {site.site: (site.people, site.name) for site in network(room).sites}
    assert [people[f"Block {n}"] for n in range(1, 7)] == [(n * 100, f"B{n}") for n in range(1, 7)]
