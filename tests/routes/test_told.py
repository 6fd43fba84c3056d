"""Routes told to people: messages, a calendar, sheets to print; and the codes on them, which read back as reports."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from icalendar import Calendar
from tests.routes.days import DAY, NETWORK, id_of, names_for, order, route
from tests.routes.read_qr import grid_of, read, read_svg
from tests.state.living import Living

from abasto.facts.kinds import Fact, Line, OrderLoaded, OrderReceived
from abasto.inbox.message import read_message
from abasto.inbox.names import Names, SiteName
from abasto.inbox.questions import Understood
from abasto.language import language
from abasto.network import Lane
from abasto.report.page import hash_of
from abasto.report.route_sheets import message_language, qr_svg, sheets_html
from abasto.routes import DayRoutes, Obstacle, Unrouted, Why
from abasto.routes.calendar import calendar
from abasto.routes.receipts import receipts
from abasto.routes.told import message, messages, unrouted_words
from abasto.state.fold import fold
from abasto.state.state import State

EN = language("en")
ORDERS = [order(1, "Mill", "Hill", 200), order(2, "Mill", "Vale", 250)]
FOUND = route(*ORDERS)
NAMES = names_for(*ORDERS)
MADE = datetime(2026, 11, 29, 18, 30, tzinfo=UTC)


def test_a_message_says_in_short_lines_what_a_vehicle_does() -> None:
    first, second = (one.code for one in FOUND.routes[0].stops[0].pickups)
    assert message(FOUND.routes[0], EN, names=NAMES).replace("\u202f", " ").splitlines() == [
        "vans 1 of 2, Mon 30 Nov",
        f"07:00 Mill: load 200 kg flour [{first}], 250 kg flour [{second}]",
        f"07:45 Hill: unload 200 kg flour [{first}]",
        f"08:12 Vale: unload 250 kg flour [{second}]",
        "08:57 back at Mill",
        "40 km in all",
    ]


def test_a_vehicle_that_sets_out_empty_says_so_and_one_without_a_base_ends_where_it_unloads() -> None:
    said = message(route(order(1, "Hill", "Cape", 500)).routes[0], EN, names=NAMES)
    assert "07:30 Mill: set out" in said
    free = message(route(order(1, "Hill", "Vale", 90, fleet="carts")).routes[0], EN, names=NAMES)
    assert "back at" not in free
    assert free.splitlines()[-2].startswith("07:28 Vale: unload")


def test_another_day_is_named_by_its_date_and_no_hour() -> None:
    far = (*NETWORK.lanes, Lane(from_site="Mill", to_site="Isle", km=900))
    found = route(order(1, "Mill", "Isle", 5, arrives=DAY + timedelta(days=1)), network=replace(NETWORK, lanes=far))
    said = message(found.routes[0], EN, names=NAMES)
    assert "Tue 1 Dec Isle: unload" in said
    assert "Sat 5 Dec back at Mill" in said


def test_names_keep_their_own_direction_in_text_from_right_to_left() -> None:
    said = message(FOUND.routes[0], language("ar"), names=NAMES)
    assert "vans\u2069" in said.splitlines()[0]
    assert "\u2068Mill\u2069" in said
    assert said.count("\u2068") == said.count("\u2069")


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (Why("no fleet"), "No fleet vans drives on this day"),
        (Why("no vehicle", available=0.4), "vans has 0.4 vehicles, and a route needs a whole one"),
        (Why("nothing"), "has no goods to carry"),
        (Why("too heavy", needed=900, available=500), "One piece weighs 900 kg, and a vehicle of vans carries 500 kg"),
        (Why("no way", site="Isle"), "No lanes that vans can use lead to Isle and back"),
        (Why("closed", site="Hill"), "Hill is closed all day"),
        (Why("opening hours", site="Hill"), "No vehicle of vans can be done at Hill while it is open"),
        (Why("no time"), "The vehicles of vans work no hours"),
        (Why("vehicles away", available=2), "The vehicles of vans (2) are away with earlier orders"),
        (Why("taken", available=2), "The vehicles of vans (2) have no time left for it"),
    ],
)
def test_every_reason_is_told(why: Why, said: str) -> None:
    loads = FOUND.routes[0].stops[1].deliveries
    sentence = unrouted_words(Unrouted(id_of(1), "Mill", "Hill", "vans", loads, why), EN, names=NAMES)
    assert said in sentence
    assert sentence.startswith(f"Order {loads[0].code} from Mill to Hill fits no route: 200\u202fkg flour. ")
    known = set(Obstacle.__args__)  # type: ignore[attr-defined]
    assert why.obstacle in known


def test_all_messages_end_with_what_fits_no_route() -> None:
    found = route(*ORDERS, order(3, "Mill", "Isle", 5))
    assert messages(found, EN, names=NAMES).rstrip().splitlines()[-1].startswith("Order ")
    assert messages(route(), EN, names=NAMES) == ""


def test_a_calendar_reads_back_with_an_event_for_each_vehicle() -> None:
    content = calendar(FOUND, EN, names=NAMES, made=MADE)
    (event,) = Calendar.from_ical(content).walk("VEVENT")
    assert event.decoded("dtstart") == datetime(2026, 11, 30, 7, 0)
    assert event.decoded("dtend").replace(second=0) == datetime(2026, 11, 30, 8, 57)
    assert event.decoded("dtstamp") == MADE
    assert str(event["summary"]) == "vans 1 of 2"
    assert str(event["location"]) == "Mill"
    assert str(event["description"]) == message(FOUND.routes[0], EN, names=NAMES)
    again = calendar(FOUND, language("es"), names=NAMES, made=MADE + timedelta(hours=1))
    assert [str(one["uid"]) for one in Calendar.from_ical(again).walk("VEVENT")] == [str(event["uid"])]
    assert Calendar.from_ical(calendar(route(), EN, names=NAMES, made=MADE)).walk("VEVENT") == []


def said_by(found: DayRoutes, names: Names, code: str = "en") -> list[tuple[str, str]]:
    texts = receipts(found, names=names, language=message_language(language(code)))
    places = sorted(texts, key=lambda place: (found.routes[place.route].stops[place.stop].arrives, place.step))
    return [(place.step, texts[place]) for place in places]


def facts_of(text: str, names: Names) -> tuple[Fact, ...]:
    answer = read_message(text, names=names, date=date(2000, 1, 1))
    assert isinstance(answer, Understood), (text, answer)
    return answer.facts


def test_an_order_on_one_vehicle_is_reported_as_it_was_ordered() -> None:
    codes = [one.code for one in FOUND.routes[0].stops[0].pickups]
    assert said_by(FOUND, NAMES) == [
        *(("loaded", f"2026-11-30 LOADED ORDER {code}") for code in codes),
        ("received", f"Hill: 2026-11-30 RECEIVED ORDER {codes[0]}"),
        ("received", f"Vale: 2026-11-30 RECEIVED ORDER {codes[1]}"),
    ]
    spanish = [text for _, text in said_by(FOUND, NAMES, "es")]
    assert spanish[0] == f"2026-11-30 CARGUE ORDEN {codes[0]}"
    assert said_by(FOUND, NAMES, "ar") == said_by(FOUND, NAMES)


def living(*lines: Line) -> tuple[Living, str]:
    """Return a journal of the network with an order for these lines, for which there is enough, and its id."""
    from abasto.facts.kinds import GoodsTakenIn, OrderIssued

    day = DAY.isoformat()
    one = Living(NETWORK)
    one.say(*(GoodsTakenIn("Mill", line.good, line.quantity, day, line.lot) for line in lines))
    (entry,) = one.say(OrderIssued("Mill", "Hill", "vans", 3, day, day, lines, day))
    return one, entry.id


def state_after(one: Living, found: DayRoutes, *, text_of: list[str]) -> State:
    """Return the state once every text of the sheets was sent in the order of the day."""
    from abasto.inbox.from_state import names_of

    for text in text_of:
        state = fold(one.journal.read())
        one.say(*facts_of(text, names_of(state)))
    return fold(one.journal.read())


def test_the_codes_of_a_whole_day_sent_one_after_the_other_are_the_receipts_of_all_orders() -> None:
    from abasto.inbox.from_state import names_of
    from abasto.routes import plan_routes

    lines = (Line("eggs", 12_000, "2026-12-24"), Line("flour", 700_000, ""), Line("flour", 300_000, "2026-12-31"))
    one, id = living(*lines)
    state = fold(one.journal.read())
    found = plan_routes(state.orders.values(), NETWORK, DAY)
    assert len([stop for each in found.routes for stop in each.stops if stop.deliveries]) == 3, "in three parts"
    texts = [text for _, text in said_by(found, names_of(state))]
    assert len([text for text in texts if "MORE TO COME" in text]) == 2
    after = state_after(one, found, text_of=texts)
    record = after.orders[id]
    assert (record.status, record.difference) == ("received", ())
    assert sum(line.quantity for line in record.received) == sum(line.quantity for line in lines)
    assert after.books.balance("Hill", "flour") == {"": 700_000, "2026-12-31": 300_000}
    assert after.books.balance("Mill", "flour") in ({}, {"": 0, "2026-12-31": 0})


def test_what_is_reported_already_has_no_code() -> None:
    gone = [order(1, "Mill", "Hill", 200, status="received"), order(2, "Mill", "Vale", 250)]
    found = route(*gone)
    assert {text[-9:] for _, text in said_by(found, names_for(*gone))} == {
        load.code for stop in found.routes[0].stops for load in stop.pickups if load.order == id_of(2)
    }


def test_a_site_that_no_message_can_name_has_no_code_and_the_sheet_says_so() -> None:
    names = replace(NAMES, sites=(SiteName("Hill"),))
    assert [text.split(":")[0] for step, text in said_by(FOUND, names) if step == "received"] == ["Hill"]
    page = sheets_html(FOUND, EN, names=names, title="Barrio")
    assert len(codes_on(page)) == 3
    assert page.count("reported already, or by a command") == 1


def codes_on(page: str) -> list[tuple[str, str]]:
    """Return what each QR code on a page reads as, and the text that stands below it."""
    found = re.findall(r"(<svg.*?</svg>)\s*</span><small dir=\"ltr\">(.*?)</small>", page, re.DOTALL)
    return [(read_svg(svg), html.unescape(text)) for svg, text in found]


@pytest.mark.parametrize("code", ["en", "es", "ar"])
def test_every_code_on_a_sheet_reads_as_the_text_below_it_and_that_as_the_step(code: str) -> None:
    page = sheets_html(FOUND, language(code), names=NAMES, title="Barrio")
    codes = codes_on(page)
    assert [read for read, _ in codes] == [text for _, text in codes]
    steps = [fact for read, _ in codes for fact in facts_of(read, NAMES)]
    day = DAY.isoformat()
    assert [type(step) for step in steps] == [OrderLoaded, OrderLoaded, OrderReceived, OrderReceived]
    first, second = (ORDERS[n].issued for n in (0, 1))
    assert first is not None
    assert second is not None
    assert {step for step in steps if isinstance(step, OrderReceived)} == {
        OrderReceived(id_of(1), "Hill", first.lines, day),
        OrderReceived(id_of(2), "Vale", second.lines, day),
    }


@pytest.mark.parametrize("text", ["A1:", "Hill: 2026-11-30 RECEIVED ORDER K7Q2-M4XP", "Panadería ñ", "مخبز", "x" * 150])
def test_a_code_reads_back(text: str) -> None:
    assert read(grid_of(text)) == read_svg(qr_svg(text)) == text


def test_a_sheet_has_a_page_for_each_vehicle_with_room_for_signature_and_difference() -> None:
    page = sheets_html(route(*ORDERS, order(3, "Mill", "Isle", 5)), EN, names=NAMES, title="Barrio <b>x</b>")
    assert page.count('<section class="sheet') == 2
    for word in ("Difference", "Signature", "vans 1 of 2", "Barrio &lt;b&gt;x&lt;/b&gt;", "What fits no route"):
        assert word in page
    assert "<b>x</b>" not in page
    assert "From Mill and back. Begins 07:00, sets out 07:30, back 08:57; 40 km, 1.9 hours." in page
    assert "No lanes that vans can use lead to Isle and back." in page


def test_a_sheet_asks_for_nothing_and_allows_itself_only_its_own_style() -> None:
    page = sheets_html(FOUND, EN, names=NAMES, title="Barrio")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert html.unescape(policy) == (
        f"default-src 'none'; style-src {hash_of(style)}; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r'src=|href=|url\(|<script|style="|@import', page)
    assert re.findall(r"https?://[^\s\"<]+", page) == ["http://www.w3.org/2000/svg"] * 4


def test_a_sheet_is_written_from_right_to_left_where_its_language_is() -> None:
    page = sheets_html(FOUND, language("ar"), names=NAMES, title="Barrio")
    assert '<html lang="ar" dir="rtl">' in page
    assert "\u2068vans\u2069" in page
    assert "text-align: start" in page
