"""The paper for a meeting: what its tables say, a page that asks for nothing outside, sheets that print."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree

import pypdf
import pytest
import typst
from tests.hand_built import FULL, NETWORK, SHORT, hand_built_plan, plan_table
from tests.state.living import Living

from abasto.facts.codes import code_of
from abasto.facts.kinds import Line, OrderIssued, OrderLoaded, StockCounted
from abasto.language import LANGUAGES, language
from abasto.network import Good, Network, Ration, Site, Stock
from abasto.planner.plan import Plan
from abasto.situation import situation
from abasto.situation.html import html_of
from abasto.situation.paper import Paper, paper_of
from abasto.situation.paper_tables import Table
from abasto.situation.pdf import ARABIC, LATIN, pdf_of, unprintable
from abasto.state.known import known

DAY = NETWORK.start
HOSTILE = "</td><script>alert(1)</script><img src=https://example.org/x> *b* $x$ #panic(1) @ref \\ `c` = <l> \x1b[2J"
STOCKED = replace(
    NETWORK,
    stocks=(Stock(site="hill", good="bread", quantity=60), Stock(site="port", good="bread", quantity=900)),
    rations=(Ration(good="bread", quantity=0.1),),
)


def paper(
    network: Network = STOCKED,
    *,
    plan: Plan | None = None,
    code: str = "en",
    living: Living | None = None,
    day: date = DAY,
) -> Paper:
    state = (living or Living(network)).state
    seen = known(state, day)
    shown = situation(state, day, seen=seen, plan=plan)
    return paper_of(shown, language(code), seen=seen, plan=plan, entries=state.count)


def hostile() -> Network:
    return replace(
        STOCKED,
        name=HOSTILE.strip(),
        sites=tuple(site.model_copy(update={"name": HOSTILE}) for site in STOCKED.sites),
        goods=tuple(good.model_copy(update={"name": HOSTILE, "unit": HOSTILE}) for good in STOCKED.goods),
    )


def read(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def table_of(made: Paper, head: str) -> Table:
    return next(table for section in made.sections for table in section.tables if table.columns[0].head == head)


# What it says


def test_coverage_is_told_day_by_day_in_whole_percent_that_promise_nothing() -> None:
    made = paper(plan=hand_built_plan({**SHORT, ("hill", "bread"): (1.0, 0.559, 0.9989)}))
    found = table_of(made, "site").rows
    rows = {(row[0].lines[0], row[1].lines[0]): [cell.lines[0] for cell in row[3:]] for row in found}
    assert rows["Hill <b>school</b>", "Bread"] == ["85\u202f%", "100", "55", "99"]
    assert rows["Vale", "milk"] == ["0\u202f%", "0", "0", "0"]
    assert ("isle", "Bread") not in rows, "what is fully met is not told"
    [levels] = [[cell.level for cell in row[4:]] for row in found if row[0].lines[0].startswith("Hill")]
    assert levels == [4, 2, 4]


def test_alarms_come_with_orders_one_by_one_and_planned_shipments_added_up() -> None:
    living = Living(STOCKED)
    [order] = living.say(OrderIssued("port", "vale", "carts", 1, DAY.isoformat(), DAY.isoformat(),
                                     (Line("bread", 5_000),), DAY.isoformat()))  # fmt: skip
    shipments = plan_table("shipments", [
        ("hill", "vale", "bread", None, 2, 2, 2.0, "carts"), ("port", "vale", "bread", None, 2, 2, 7.0, "carts"),
        ("port", "vale", "bread", None, 3, 3, 9.0, "van"),
    ])  # fmt: skip
    made = paper(plan=replace(hand_built_plan(), shipments=shipments), living=living)
    rows = table_of(made, "What, where, from when").rows
    row = next(row for row in rows if row[0].lines[0] == "Falls short: Bread, Vale")
    assert row[0].lines[1:] == ("Sun 22 Nov to Tue 24 Nov", "24\u00a0kg", "100 people")
    assert row[1].lines == ("The trucks are full.", "What would help: one more truck at the port.")
    assert row[2].lines == (
        f"order {code_of(order.id)}: 5\u00a0kg from The port, today",
        "16\u00a0kg planned from The port, Mon 23 Nov to Tue 24 Nov",
        "2\u00a0kg planned from Hill <b>school</b>, for Mon 23 Nov",
    )
    assert row[3].lines == ("never reported",)


def test_orders_are_listed_by_state_with_the_late_ones_first() -> None:
    living = Living(STOCKED)
    orders = [
        OrderIssued("port", "hill", "carts", 1, (DAY + timedelta(days=leaves)).isoformat(),
                    (DAY + timedelta(days=leaves)).isoformat(), (Line("bread", quantity),), DAY.isoformat())
        for leaves, quantity in ((0, 1_000), (2, 2_000), (1, 3_000))
    ]  # fmt: skip
    late, later, sent = living.say(*orders)
    living.say(OrderLoaded(sent.id, (Line("bread", 3_000),), DAY.isoformat()))
    made = paper(living=living, day=DAY + timedelta(days=1))
    rows = table_of(made, "order").rows
    assert [row[0].lines[0] for row in rows] == [code_of(one.id) for one in (late, later, sent)]
    assert [row[1].lines for row in rows] == [("issued", "overdue"), ("issued",), ("loaded",)]
    assert rows[2][4].lines == ("3\u00a0kg Bread",)
    box = next(box for box in made.boxes if box.label == "open orders")
    assert (box.value, box.remark, box.is_warning) == ("3", "1 of them overdue", True)


def test_the_age_of_every_site_is_told_oldest_first() -> None:
    living = Living(STOCKED)
    living.say(StockCounted("hill", "bread", 40_000, (DAY + timedelta(days=2)).isoformat()))
    made = paper(living=living, day=DAY + timedelta(days=5))
    rows = made.sections[-1].tables[0].rows
    told = {row[0].lines[0]: [cell.lines[0] for cell in row[1:]] for row in rows}
    assert told["Hill <b>school</b>"] == ["3 days ago", "3 days ago", "3 days ago", "1", "0", "0", "0"]
    assert told["The port"] == ["5 days ago", "5 days ago", "5 days ago", "0", "0", "1", "0"]
    assert told["Vale"][:2] == ["never", "never"]
    assert rows[0][0].lines[0] in ("Vale", "isle"), "who never reported stands first"


def test_where_all_is_well_the_paper_says_so() -> None:
    made = paper(NETWORK, plan=hand_built_plan(FULL))
    notes = [note for section in made.sections for note in section.notes]
    assert "Nothing does: no need falls short, and no order is late." in notes
    assert "Every need is met at every site on every day." in notes
    assert "No order is open." in notes


def test_a_silent_site_is_named_alone_in_every_language() -> None:
    for code in LANGUAGES:
        made = paper(code=code, day=DAY + timedelta(days=9))
        called = [row[0].lines[0] for row in made.sections[0].tables[0].rows]
        silent = [line for line in called if line.startswith(language(code)("No reports"))]
        assert silent
        assert not any("," in line for line in silent)


# The page


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_asks_for_nothing_outside_itself(code: str) -> None:
    html = html_of(paper(hostile(), plan=hand_built_plan(network=hostile(), cause=HOSTILE), code=code))
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base", "svg")
        for name, value in attributes.items():
            assert name != "style"
            assert not name.startswith("on")
            assert name not in ("href", "srcset", "action")
            assert name != "src" or (value or "").startswith("data:image/svg+xml;base64,")
    policy = next(str(one["content"]) for tag, one in page.elements if one.get("http-equiv"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    [(_, root)] = [element for element in page.elements if element[0] == "html"]
    assert (root["lang"], root["dir"]) == (code, "rtl" if code == "ar" else "ltr")
    assert HOSTILE in page.text, "names stay as they were written"


def test_pictures_hold_all_they_need_and_say_what_they_show() -> None:
    html = html_of(paper(hostile(), plan=hand_built_plan(network=hostile())))
    pictures = [one for tag, one in Page(html).elements if tag == "img"]
    assert len(pictures) == 3
    for picture in pictures:
        assert picture["alt"]
        svg = b64decode((picture["src"] or "").partition(",")[2]).decode()
        root = ElementTree.fromstring(svg)
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"script", "image", "foreignObject", "a", "use"}
        assert not re.search(r"url\(|@import", svg)
        links = [value for element in root.iter() for name, value in element.attrib.items() if "href" in name]
        assert links == []


# The sheets


def test_sheets_are_a4_numbered_and_repeat_the_heads_of_tables() -> None:
    sites = tuple(Site(site=f"place {number}", people=number + 1) for number in range(60))
    network = Network(
        "Many", DAY, 3, sites=sites, goods=(Good(good="rice"),), rations=(Ration(good="rice", quantity=1),)
    )
    pdf = pdf_of(paper(network), made_on=DAY)
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    texts = read(pdf)
    assert len(pages) >= 3
    for number, page in enumerate(pages, start=1):
        assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
        assert f"page {number} of {len(pages)}" in texts[number - 1]
        assert "Many: the situation on" in texts[number - 1]
    assert all("What, where, from when" in text for text in texts[:2]), "twenty alarms go over a page"
    assert texts[0].count("Runs out: rice, place 59") == 1, "the most people come first"


def test_sheets_say_what_the_page_says() -> None:
    made = paper(plan=hand_built_plan())
    text = "".join(" ".join(read(pdf_of(made, made_on=DAY))).split())
    tables = [table for section in made.sections for table in section.tables]
    cells = [line for table in tables for row in table.rows for cell in row for line in cell.lines]
    assert len(cells) > 60
    for said in (*cells, *(box.value for box in made.boxes), *(section.title for section in made.sections)):
        assert "".join(said.split()) in text, said


def test_text_that_is_markup_to_the_typesetter_stays_text() -> None:
    pdf = pdf_of(paper(hostile(), plan=hand_built_plan(network=hostile(), cause=HOSTILE)), made_on=DAY)
    text = "".join("".join(read(pdf)).split())
    for part in ("*b*", "$x$", "#panic(1)", "@ref", "\\", "`c`", "<l>", "<script>alert(1)</script>"):
        assert part in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_prints_with_fonts_that_have_its_letters(code: str) -> None:
    made = paper(plan=hand_built_plan(), code=code)
    assert unprintable(made) == ""
    reader = pypdf.PdfReader(io.BytesIO(pdf_of(made, made_on=DAY)))
    root = reader.trailer["/Root"]
    assert str(root["/Lang"]).startswith(code)
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data(), "proven to be readable aloud"


def test_letters_of_every_language_come_with_the_typesetter_itself() -> None:
    embedded = set(typst.Fonts(include_system_fonts=False).families())
    assert embedded & set(LATIN)
    assert embedded & set(ARABIC)


def test_signs_that_no_font_has_are_named() -> None:
    sites = (Site(site="port", name="Port \u0378 \u0379"), *STOCKED.sites[1:])
    made = paper(replace(STOCKED, sites=sites))
    assert unprintable(made) == "\u0378\u0379"
    assert len(read(pdf_of(made, made_on=DAY))) >= 2, "it is set all the same"


def test_the_same_paper_gives_the_same_bytes() -> None:
    made = paper(plan=hand_built_plan())
    assert pdf_of(made, made_on=DAY) == pdf_of(made, made_on=DAY)
    assert html_of(made) == html_of(paper(plan=hand_built_plan()))


def test_a_network_with_hardly_anything_has_a_paper_too() -> None:
    made = paper(Network("Bare", DAY, 1, sites=(Site(site="hut"),)))
    assert "Bare: the situation on" in read(pdf_of(made, made_on=DAY))[0]
    assert "Bare: the situation on" in html_of(made)
