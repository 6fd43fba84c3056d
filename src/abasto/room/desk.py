"""What the pages of a desk share: days and names as typed, doubts that are asked back, and where a thing is shown."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlencode

from starlette.responses import Response

from abasto.facts.codes import code_of
from abasto.facts.kinds import Line
from abasto.inbox.asked import AskedError, unit_of
from abasto.language import Language
from abasto.room.web import Call
from abasto.state.state import State

__all__ = [
    "Named",
    "Quantity",
    "ask_back",
    "day_of",
    "good_named",
    "goods_of",
    "is_confirmed",
    "link_of",
    "new_token",
    "path_to",
    "pickers",
    "seal_of",
    "site_named",
    "status_words",
]


@dataclass(frozen=True, slots=True)
class Named:
    """A site or good: its id, and what people call it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """So much of a good as a page shows it: the number in the good's unit, and the lot (blank: undated; None: any)."""

    good: Named
    number: float
    unit: str
    lot: str | None = None


def own_key(call: Call) -> str:
    """Return the key of the room's device, blank if it has none."""
    device = call.room.home.journal.device
    return "" if device is None else device.key


def day_of(call: Call, name: str = "date") -> date:
    """Return the day that a field has, today if it is blank."""
    text = call.field(name)
    if not text:
        return call.room.day
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise AskedError(f'date "{text[:80]}": this is no date; write year, month, day, as in 2026-11-22.') from None


def new_token() -> str:
    """Return what a form carries so that sending it twice books it once."""
    return secrets.token_urlsafe(12)


def seal_of(said: Iterable[str]) -> str:
    """Return a digest of what somebody is asked to confirm: if it changes meanwhile, they are asked again."""
    return hashlib.blake2b("\0".join(said).encode(), digest_size=12).hexdigest()


def is_confirmed(call: Call, doubts: Sequence[str]) -> bool:
    """Return whether nothing is doubtful, or whoever asks has confirmed just these doubts."""
    return not doubts or call.field("sure") == seal_of(doubts)


def ask_back(call: Call, doubts: Sequence[str], *, title: str, back: str) -> Response:
    """Return a page that shows what is doubtful and sends the same form again once it is confirmed."""
    fields = [(name, value) for name, value in call.fields.multi_items() if name != "sure" and isinstance(value, str)]
    told = [call.words.sentence(doubt) for doubt in doubts]
    return call.show(
        "doubtful.html.j2", title=title, doubts=told, fields=fields, back=back, seal=seal_of(doubts), status=409
    )


def site_named(state: State, site: str) -> Named:
    """Return a site with its name."""
    return Named(site, state.rows.name("sites", site) or site)


def good_named(state: State, good: str) -> Named:
    """Return a good with its name."""
    return Named(good, state.rows.name("goods", good) or good)


def goods_of(state: State, lines: Iterable[Line]) -> tuple[Quantity, ...]:
    """Return the goods of lines as a page shows them."""
    return tuple(
        Quantity(good_named(state, line.good), line.quantity / 1000, unit_of(state, line.good), line.lot)
        for line in lines
    )


def pickers(state: State) -> dict[str, list[Named]]:
    """Return the sites and goods that a form proposes, by name."""
    tables = {"sites": "site", "goods": "good"}
    return {
        table: sorted(
            (Named(row.cells[column], row.cells.get("name") or row.cells[column]) for row in state.rows.table(table)),
            key=lambda one: one.name.casefold(),
        )
        for table, column in tables.items()
    }


def path_to(kind: str, id: str) -> str:
    """Return the address of a thing's page: an order's own, or its story."""
    if kind == "order":
        return f"/orders/{quote(id, safe='')}"
    return f"/history/{kind}/{quote(id, safe='')}"


def link_of(state: State, about: str) -> tuple[str, str]:
    """Return the address and the name of what an exception is about; no address where it is nothing with a page."""
    if about in state.orders:
        return path_to("order", about), code_of(about)
    for kind, table in (("site", "sites"), ("good", "goods")):
        if state.rows.standing(table, about) != "unknown":
            return path_to(kind, about), state.rows.name(table, about) or about
    # Both names may have slashes of their own, so the tables say where one ends.
    for place in (place for place, sign in enumerate(about) if sign == "/"):
        site, good = about[:place], about[place + 1 :]
        if "unknown" not in (state.rows.standing("sites", site), state.rows.standing("goods", good)):
            address = f"/ledger?{urlencode({'site': site, 'good': good})}"
            return address, f"{good_named(state, good).name} · {site_named(state, site).name}"
    return "", code_of(about) or about


def status_words(words: Language) -> dict[str, str]:
    """Return how far an order is, in words."""
    return {
        "issued": words("issued"),
        "accepted": words("accepted"),
        "loaded": words("loaded"),
        "received": words("received"),
        "cancelled": words("cancelled"),
        "unknown": words("unknown"),
    }
