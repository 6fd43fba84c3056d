"""Route sheets for paper: a page per vehicle with its stops, loads, room for a signature, and codes that report them.

A code holds the text that says what happens there as planned (`routes.receipts`): a phone reads it and sends it on, or
somebody types it. What was otherwise is written into the column beside it and typed in later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO

from markupsafe import Markup

from abasto.inbox.describe import called
from abasto.inbox.names import Names
from abasto.inbox.words import Language as MessageLanguage
from abasto.language import Language
from abasto.report.page import environment, hash_of, source
from abasto.routes.receipts import Place, receipts
from abasto.routes.route import DayRoutes, Load, Route, Stop
from abasto.routes.told import coming_words, moment_words, site_words, unrouted_words, vehicle_words

__all__ = ["message_language", "qr_svg", "sheets_html"]


@dataclass(frozen=True, slots=True)
class Item:
    """A line to load or unload: what, which lot, how much in which unit."""

    good: str
    lot: str
    quantity: str
    unit: str


@dataclass(frozen=True, slots=True)
class Handling:
    """What happens to an order at a stop: its lines, where it comes from or goes, and the text that reports it."""

    is_load: bool
    code: str
    other_site: str
    notes: tuple[str, ...]
    items: tuple[Item, ...]
    text: str
    qr: Markup | None


@dataclass(frozen=True, slots=True)
class StopView:
    """A stop as the sheet shows it; without handlings the vehicle only sets out, or comes back."""

    number: int
    site: str
    arrives: str
    leaves: str
    kg_after: float
    handlings: tuple[Handling, ...]
    is_last: bool

    @property
    def rows(self) -> int:
        """How many lines of the table it takes."""
        return sum(len(handling.items) for handling in self.handlings) or 1


@dataclass(frozen=True, slots=True)
class SheetView:
    """A vehicle's page."""

    vehicle: str
    base: str
    begins: str
    leaves: str
    back: str
    km: float
    hours: float
    payload_kg: float
    orders: int
    stops: tuple[StopView, ...]


def sheets_html(found: DayRoutes, words: Language, *, names: Names, title: str) -> str:
    """Return the route sheets of a day as one HTML page that asks for nothing else, to be printed on A4.

    First comes an overview of all vehicles and of what fits no route, then a page for each vehicle.
    """
    texts = receipts(found, names=names, language=message_language(words))
    style = source("route_sheets.css")
    return (
        environment()
        .get_template("route_sheets.html.j2")
        .render(
            _=words,
            title=title,
            day=found.day,
            sheets=[_sheet(found, number, words, names, texts) for number in range(len(found.routes))],
            unrouted=[unrouted_words(one, words, names=names) for one in found.unrouted],
            away=[(fleet, number) for fleet, number in sorted(found.away.items())],
            km=found.km,
            version=version("abasto"),
            style=Markup(style),
            policy=f"default-src 'none'; style-src {hash_of(style)}; base-uri 'none'; form-action 'none'",
        )
    )


def message_language(words: Language) -> MessageLanguage:
    """Return the language in which reports are written for people of a language: Spanish, else English."""
    return "es" if words.code == "es" else "en"


def qr_svg(text: str) -> Markup:
    """Return a QR code of a text in UTF-8 as an SVG element for a page, without a style of its own."""
    import segno

    out = BytesIO()
    segno.make(text, micro=False, error="m", boost_error=False, encoding="utf-8").save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=2, svgclass="qr", lineclass=None
    )
    return Markup(out.getvalue().decode())


def _sheet(found: DayRoutes, number: int, words: Language, names: Names, texts: Mapping[Place, str]) -> SheetView:
    route = found.routes[number]
    return SheetView(
        vehicle=vehicle_words(route, words),
        base=site_words(route.base, names) if route.base else "",
        begins=words.time(route.begins),
        leaves=words.time(route.leaves),
        back=moment_words(route.back, route.day, words),
        km=route.km,
        hours=route.hours,
        payload_kg=1000 * route.payload_t,
        orders=len(route.orders),
        stops=tuple(_stops(route, number, words, names, texts)),
    )


def _stops(route: Route, number: int, words: Language, names: Names, texts: Mapping[Place, str]) -> Iterator[StopView]:
    for place, stop in enumerate(route.stops):
        yield StopView(
            number=place + 1,
            site=site_words(stop.site, names),
            arrives=moment_words(stop.arrives, route.day, words),
            leaves=moment_words(stop.leaves, route.day, words),
            kg_after=stop.kg_after,
            handlings=tuple(_handlings(route, number, place, stop, words, names, texts)),
            is_last=place == len(route.stops) - 1,
        )


def _handlings(
    route: Route, number: int, place: int, stop: Stop, words: Language, names: Names, texts: Mapping[Place, str]
) -> Iterator[Handling]:
    """Yield what is unloaded at a stop, and then what is loaded, order by order."""
    for is_load, loads in ((False, stop.deliveries), (True, stop.pickups)):
        for order in dict.fromkeys(load.order for load in loads):
            mine = [load for load in loads if load.order == order]
            text = texts.get(Place(number, place, order, "loaded" if is_load else "received"), "")
            yield Handling(
                is_load=is_load,
                code=mine[0].code,
                other_site=site_words(_other_site(route, place, order, is_load=is_load), names),
                notes=tuple(
                    coming_words(one, stop, words, names) for one in stop.comings if is_load and one.order == order
                ),
                items=tuple(_item(load, words, names) for load in mine),
                text=text,
                qr=qr_svg(text) if text else None,
            )


def _other_site(route: Route, place: int, order: str, *, is_load: bool) -> str:
    """Return where what is loaded goes next, or where what is unloaded was loaded last."""
    stops = route.stops[place + 1 :] if is_load else route.stops[:place][::-1]
    for stop in stops:
        if any(load.order == order for load in (stop.deliveries if is_load else stop.pickups)):
            return stop.site
    return ""


def _item(load: Load, words: Language, names: Names) -> Item:
    return Item(called(names, load.good), load.lot or "", words.number(load.quantity / 1000), load.unit)
