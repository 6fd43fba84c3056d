"""The report: what it shows, that it lets nothing in or out, and that a real browser is content with it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from abasto.examples import example_path
from abasto.network import Good, Lane, Network, Site
from abasto.report import render
from abasto.report.heat import heat_table
from abasto.report.map import draw_map, draw_network
from abasto.report.notebook import network_html, plan_html
from abasto.tables import read_network
from hand_built import FULL, NETWORK, hand_built_plan

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = "</script><script>alert('x')</script><img src=https://example.org/x onerror=alert(1)>"


class Page(HTMLParser):
    """What a page holds, element by element, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_data(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def both_plans() -> list[Any]:
    return [hand_built_plan(FULL), hand_built_plan(scenario="lockout")]


def hostile_network() -> Network:
    sites = tuple(site.model_copy(update={"name": HOSTILE}) for site in NETWORK.sites)
    goods = tuple(good.model_copy(update={"name": HOSTILE, "unit": HOSTILE}) for good in NETWORK.goods)
    return replace(NETWORK, name=HOSTILE, sites=sites, goods=goods)


def test_report_asks_for_nothing_outside_itself() -> None:
    html = render(both_plans(), attribution="Data: example.org")
    page = Page(html)
    for _, attributes in page.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset", "xlink:href"):
            value = attributes.get(name)
            assert value is None or value.startswith("#"), (name, value)
    assert not page.of("link")
    assert not re.search(r"url\(|@import|https?:|//[a-z]", html.replace(page_policy(page), ""))


def page_policy(page: Page) -> str:
    policies = [meta["content"] for meta in page.of("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert policies[0] is not None
    return policies[0]


def test_report_allows_itself_only_its_own_style_and_script() -> None:
    page = Page(render(both_plans()))
    policy = page_policy(page)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [
        attributes
        for _, attributes in page.elements
        if any(name == "style" or name.startswith("on") for name in attributes)
    ]


@pytest.mark.parametrize("view", ["report", "notebook"])
def test_names_that_are_code_stay_text(view: str) -> None:
    plan = hand_built_plan(network=hostile_network(), scenario="lockout", cause=HOSTILE)
    html = render([plan], attribution=HOSTILE) if view == "report" else plan_html(plan) + network_html(plan.network)
    page = Page(html)
    assert not page.of("img")
    assert len(page.of("script")) == (2 if view == "report" else 0)
    assert any("alert('x')" in text for text in page.texts)


def test_a_notebook_shows_plans_and_networks_as_html() -> None:
    plan = hand_built_plan(scenario="lockout")
    assert plan._repr_html_() == plan_html(plan)
    assert plan.network._repr_html_() == network_html(plan.network)


def test_data_in_the_page_say_what_the_plan_says() -> None:
    plan = hand_built_plan(scenario="lockout")
    data = page_data(render([plan]))
    seen = {}
    for site, need, _, _, days in data["plans"][0]["rows"]:
        shown = days if isinstance(days, list) else [days] * data["days"]
        for day, permille in enumerate(shown, start=1):
            seen[data["sites"][site][0], data["needs"][need][0], day] = permille
    names = {site.site: site.name or site.site for site in NETWORK.sites}
    goods = {good.good: good.name or good.good for good in NETWORK.goods}
    said = {
        (names[row["site"]], goods[row["need"]], row["day"]): int((row["coverage"] + 1e-4) * 1000)
        for row in plan.coverage.rows()
    }
    assert seen == said


def test_rows_of_the_coverage_table_stand_worst_first() -> None:
    rows = heat_table(hand_built_plan()).rows
    assert [(row.site, row.need) for row in rows] == [
        ("vale", "milk"),
        ("vale", "bread"),
        ("hill", "bread"),
        ("hill", "milk"),
        ("isle", "bread"),
    ]


def test_rows_beyond_the_limit_are_the_best_served_and_are_counted() -> None:
    table = heat_table(hand_built_plan(), most_cells=6)
    assert [(row.site, row.need) for row in table.rows] == [("vale", "milk"), ("vale", "bread")]
    assert table.left_out == 3


def test_nearly_met_never_reads_as_met() -> None:
    nearly = dict.fromkeys(FULL, (0.9995, 1.0 - 1e-6, 1.0))
    assert heat_table(hand_built_plan(nearly)).rows[0].days == (999, 1000, 1000)


def test_no_name_on_the_map_is_cut_off_on_a_phone(browser: Any, tmp_path: Path) -> None:
    network = read_network(example_path("national"))
    style = files("abasto.report").joinpath("style.css").read_text(encoding="utf-8")
    html = f'<!doctype html><style>{style}</style><div class="scroll">{draw_network(network)}</div>'
    page, _, _ = open_page(browser, html, tmp_path, viewport={"width": 360, "height": 740})
    names = page.locator("svg svg text:not(.scale-words)")
    assert names.count() > 50
    cut = names.evaluate_all(
        """names => names.filter(name => {
            const box = name.getBoundingClientRect();
            const strip = name.ownerSVGElement.querySelector(".ground").getBoundingClientRect();
            return box.left < strip.left || box.right > strip.right;
        }).map(name => name.textContent)"""
    )
    assert cut == []
    assert page.locator("svg svg text").first.evaluate("name => name.getBoundingClientRect().height") > 11


def test_fairness_is_said_once_where_it_is_the_same() -> None:
    assert "4 here, 0 would be the greatest total" in render(both_plans())
    assert "4 and 4" not in render(both_plans())


def test_page_without_script_shows_the_worst_rows() -> None:
    html = render([hand_built_plan(scenario="lockout")])
    static = html[html.index("<noscript>") : html.index("</noscript>")]
    assert Page(static).texts.count("Vale") == 2


def test_report_names_causes_remedies_trucks_and_certainty() -> None:
    text = " ".join(Page(render(both_plans(), attribution="Towns: GeoNames, CC BY 4.0.")).texts)
    for words in (
        "the trucks are full",
        "one more truck at the port",
        "1 of 3 days",
        "no plan can be more than 0.60 % better",
        "Towns: GeoNames, CC BY 4.0.",
        "Scenario lockout",
        "6.5",
    ):
        assert words in text


def test_shortages_of_one_place_for_one_reason_are_one_row() -> None:
    html = render([hand_built_plan()])
    table = html[html.index('aria-label="Shortages') :]
    rows = table[table.index("<tbody>") : table.index("</tbody>")].split("<tr>")[1:]
    shown = [" ".join(" ".join(Page(row).texts).replace("\u00a0", " ").split()) for row in rows]
    assert shown == [
        "Vale days 1 to 3 Bread 24 kg , milk 12 l the trucks are full one more truck at the port",
        "Hill <b>school</b> days 1 to 3 Bread 9 kg the trucks are full one more truck at the port",
    ]


def test_report_of_no_plan_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one plan"):
        render([])


def test_report_of_a_plan_in_which_nothing_is_needed_or_moved() -> None:
    bare = Network("Bare", date(2026, 1, 1), 3, sites=(Site(site="a"),), goods=(Good(good="bread"),))
    plan = hand_built_plan({}, network=bare)
    plan = replace(plan, trips=plan.trips.where(plan.trips["trips"] < 0))
    plan = replace(plan, production=plan.production.where(plan.production["batches"] < 0))
    text = " ".join(Page(render([plan])).texts)
    assert "Nothing is made." in text
    assert "There are no fleets." in text


def test_badly_served_places_have_a_mark_beside_their_colour() -> None:
    svg = str(draw_map(hand_built_plan()))
    assert svg.count('class="cross"') == 1  # Vale, at 18 %
    assert svg.count('class="dot"') == 1  # the hill, at 73 %
    assert str(draw_map(hand_built_plan(FULL))).count('class="cross"') == 0


def test_places_without_coordinates_are_named_beside_the_map() -> None:
    html = render([hand_built_plan()])
    assert "Not on the map:" in html
    assert "isle" in html[html.index("Not on the map:") :][:200]


def test_a_network_without_coordinates_is_drawn_on_a_ring() -> None:
    sites = tuple(site.model_copy(update={"lat": None, "lon": None}) for site in NETWORK.sites)
    svg = str(draw_map(hand_built_plan(network=replace(NETWORK, sites=sites))))
    assert svg.count('class="site') == len(sites)
    assert 'class="scale"' not in svg


def test_a_long_narrow_country_is_cut_into_strips_that_show_every_place_once() -> None:
    sites = tuple(Site(site=f"s{i}", lat=-18.0 - i, lon=-70.0 + 0.02 * (i % 7), people=10 + i) for i in range(36))
    lanes = tuple(Lane(from_site=f"s{i}", to_site=f"s{i + 1}", km=111) for i in range(35))
    svg = str(draw_network(Network("Long", date(2026, 1, 1), 3, sites=sites, lanes=lanes)))
    assert svg.count("<svg x=") == 3
    assert svg.count('class="site') == len(sites)
    # A lane from one strip to the next is drawn in both, and runs off their edges.
    assert svg.count('class="lane') == len(lanes) + 2


def test_a_place_far_out_is_drawn_nearer_and_the_map_says_so() -> None:
    near = tuple(Site(site=f"s{i}", lat=-33.0 + 0.01 * (i % 3), lon=-71.0 + 0.01 * (i // 3)) for i in range(9))
    far = Site(site="far", lat=-33.5, lon=-70.0)
    network = Network("Town", date(2026, 1, 1), 1, sites=near)
    assert "drawn nearer" not in draw_network(network)
    svg = str(draw_network(replace(network, sites=(*near, far))))
    assert "drawn nearer" in svg
    left = sorted(float(x) for x in re.findall(r'class="site plain" x="([\d.]+)"', svg))
    assert left[-2] - left[0] > 0.3 * (left[-1] - left[0])  # the town fills more than its true twentieth


def test_coordinates_of_one_place_alone_can_be_drawn() -> None:
    sites = (Site(site="a", lat=1.0, lon=2.0, people=5), Site(site="b", lat=1.0, lon=2.0))
    assert str(draw_network(Network("Dot", date(2026, 1, 1), 1, sites=sites))).count('class="site') == 2


def open_page(browser: Any, html: str, folder: Path, **options: Any) -> tuple[Any, list[str], list[str]]:
    """Open the page from a file; return it with what its console complained of and what it asked the network for."""
    file = folder / "report.html"
    file.write_text(html, encoding="utf-8")
    page = browser.new_page(**options)
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    return page, complaints, [url for url in requests if url != file.as_uri()]


def texts(page: Any, selector: str) -> Sequence[str]:
    found: Sequence[str] = page.locator(selector).all_inner_texts()
    return found


def test_browser_opens_the_report_without_complaint_or_request(browser: Any, tmp_path: Path) -> None:
    page, complaints, requests = open_page(browser, render(both_plans()), tmp_path)
    assert complaints == []
    assert requests == []
    assert texts(page, "#heat tbody th") == ["Vale", "Vale", "Hill <b>school</b>", "Hill <b>school</b>", "isle"]


def test_browser_runs_no_code_from_names(browser: Any, tmp_path: Path) -> None:
    plan = hand_built_plan(network=hostile_network(), scenario="lockout", cause=HOSTILE)
    page, complaints, requests = open_page(browser, render([plan]), tmp_path)
    assert complaints == []
    assert requests == []
    assert page.locator("img").count() == 0
    assert HOSTILE in texts(page, "#heat tbody th")


def test_reader_chooses_plan_need_place_and_order_with_the_keyboard(browser: Any, tmp_path: Path) -> None:
    page, _, _ = open_page(browser, render(both_plans()), tmp_path)
    page.select_option("#choose-need", label="milk")
    assert len(texts(page, "#heat tbody tr")) == 2
    page.focus("#choose-place")
    page.keyboard.type("HÍLL")
    assert texts(page, "#heat tbody th") == ["Hill <b>school</b>"]
    assert "Showing 1 of 1 rows" in page.inner_text("#heat-count")
    page.keyboard.type("zzz")
    assert "No row fits" in page.inner_text("#heat-count")
    page.fill("#choose-place", "")
    page.select_option("#choose-need", "")
    page.select_option("#choose-order", "people")
    assert texts(page, "#heat tbody th")[0] == "Hill <b>school</b>"
    page.select_option("#choose-plan", label="Usual days")
    assert set(texts(page, "#heat tbody td[class^=c]")) == {"100"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_no_wider_than_a_phone(browser: Any, tmp_path: Path, scheme: str) -> None:
    options = {"viewport": {"width": 360, "height": 740}, "color_scheme": scheme}
    page, _, _ = open_page(browser, render(both_plans()), tmp_path, **options)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_page_without_script_shows_the_table_in_a_browser(browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page, _, _ = open_page(context, render(both_plans()), tmp_path)
    assert page.locator("noscript table.heat tbody tr").count() >= 1
    context.close()
