"""Write the line that says a fact, so that it reads back to the same fact: tried before it is returned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date as Date  # noqa: N812 - `date` is what the callers call theirs
from fractions import Fraction

from abasto.errors import AbastoError
from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    Line,
    OrderAccepted,
    OrderLoaded,
    OrderReceived,
    StockCounted,
)
from abasto.inbox.describe import WITH_REF
from abasto.inbox.message import read_message
from abasto.inbox.names import Names
from abasto.inbox.questions import Understood
from abasto.inbox.reading import quoted, spelled_good, spelled_site
from abasto.inbox.words import Language

__all__ = ["say"]

_VERBS: dict[type, dict[Language, str]] = {
    StockCounted: {"es": "HAY", "en": "COUNTED"},
    GoodsTakenIn: {"es": "LLEGO", "en": "RECEIVED"},
    GoodsHandedOut: {"es": "ENTREGUE", "en": "HANDED OUT"},
    GoodsLost: {"es": "PERDI", "en": "LOST"},
    GoodsMade: {"es": "HICE", "en": "MADE"},
    OrderAccepted: {"es": "ACEPTO ORDEN", "en": "ACCEPT ORDER"},
    OrderLoaded: {"es": "CARGUE ORDEN", "en": "LOADED ORDER"},
    OrderReceived: {"es": "RECIBI ORDEN", "en": "RECEIVED ORDER"},
}


def say(fact: Fact, *, names: Names, language: Language, pack: str | None = None) -> str:
    """Return the line that says a fact of a report, in packs of this name if one is given; its `ref` is not said.

    Raises `AbastoError` if no line reads back to exactly this fact: a quantity that packs do not divide, a recipe that
    was not followed, names that are not known.
    """
    if type(fact) not in _VERBS:
        raise AbastoError(f"{type(fact).__name__}: messages do not say facts of this kind; use the command for it.")
    wanted = _without_ref(fact)
    for quote in (False, True):
        for words in _candidates(wanted, names, language, pack, quote=quote):
            for line in (words, f"{ {'es': 'SI', 'en': 'YES'}[language] } {words}"):
                read = read_message(line, names=names, date=Date.min, language=language)
                if isinstance(read, Understood) and read.facts == (wanted,):
                    return line
    raise AbastoError(f"{wanted}: no line says exactly this; write the fact with the command for it.")


def _without_ref(fact: Fact) -> Fact:
    return replace(fact, ref="") if isinstance(fact, WITH_REF) else fact


def _candidates(fact: Fact, names: Names, language: Language, pack: str | None, *, quote: bool) -> Iterator[str]:
    verb = _VERBS[type(fact)][language]
    day = getattr(fact, "date", "")
    match fact:
        case StockCounted() | GoodsTakenIn() | GoodsHandedOut() | GoodsLost():
            site = _site(names, fact.site, quote=quote)
            line = Line(fact.good, fact.quantity, fact.lot)
            for goods in _goods(line, names, language, pack, quote=quote):
                cause = _cause(fact, language)
                yield f"{site}: {day} {'' if fact.quantity == 0 else f'{verb} '}{goods}{cause}"
        case GoodsMade():
            site = _site(names, fact.site, quote=quote)
            batches = {"es": "HORNADAS", "en": "BATCHES"}[language]
            yield f"{site}: {day} {verb} {_number(Fraction(fact.batches, 1000))} {batches} {quoted(fact.recipe)}"
            for line in fact.lines:
                if line.quantity > 0:
                    for goods in _goods(line, names, language, pack, quote=quote):
                        yield f"{site}: {day} {verb} {goods}"
        case OrderAccepted():
            yield f"{day} {verb} {code_of(fact.order)}"
        case OrderLoaded():
            yield from _order_lines(f"{day} {verb} {code_of(fact.order)}", fact.lines, names, language, quote=quote)
        case OrderReceived():
            more = {"es": " VIENE MAS", "en": " MORE TO COME"}[language] if fact.more_to_come else ""
            begin = f"{_site(names, fact.site, quote=quote)}: {day} {verb} {code_of(fact.order)}{more}"
            yield from _order_lines(begin, fact.lines, names, language, quote=quote)


def _order_lines(begin: str, lines: Sequence[Line], names: Names, language: Language, *, quote: bool) -> Iterator[str]:
    """Yield an order's step, as ordered, then with everything it carries."""
    yield begin
    said = [next(_goods(line, names, language, None, quote=quote), "") for line in lines]
    yield f"{begin}, {', '.join(said)}"


def _site(names: Names, site: str, *, quote: bool) -> str:
    return quoted(site) if quote else spelled_site(names, site)


def _goods(line: Line, names: Names, language: Language, pack: str | None, *, quote: bool) -> Iterator[str]:
    """Yield ways to say so much of a good."""
    good = quoted(line.good) if quote else spelled_good(names, line.good)
    lot = "" if line.lot is None else f" {_lot(line.lot, language)}"
    if line.quantity == 0:
        yield f"{ {'es': 'NO QUEDA', 'en': 'NO'}[language] } {good}{lot}"
        return
    if pack is None:
        yield f"{good} {_number(Fraction(line.quantity, 1000))} {names.unit(line.good)}{lot}"
        yield f"{good} {_number(Fraction(line.quantity, 1000))}{lot}"
        return
    size = next((one.quantity for one in names.packs_of(line.good) if one.name == pack), 0)
    if not size or 1000 * line.quantity % size:
        return
    count = Fraction(line.quantity, size)
    for word in (_many(pack, language) if count != 1 else pack, pack, quoted(pack)):
        yield f"{good} {_number(count)} {word}{lot}"


def _number(value: Fraction) -> str:
    """Return a number in thousandths as a line says it; where it would look like thousands, with a fourth decimal."""
    text = amount(int(value * 1000))
    whole, _, decimals = text.partition(".")
    return f"{text}0" if len(decimals) == 3 and len(whole) <= 3 and whole != "0" else text


def _lot(lot: str, language: Language) -> str:
    if not lot:
        return {"es": "SIN FECHA", "en": "UNDATED"}[language]
    return f"{ {'es': 'VENCE', 'en': 'EXPIRES'}[language] } {lot}"


def _cause(fact: Fact, language: Language) -> str:
    cause = fact.cause if isinstance(fact, GoodsLost) else ""
    return f" { {'es': 'POR', 'en': 'BECAUSE'}[language] } {cause}" if cause else ""


def _many(word: str, language: Language) -> str:
    """Return a word for several of a thing.

    >>> _many("saco", "es"), _many("bidón", "es"), _many("box", "en")
    ('sacos', 'bidónes', 'boxes')
    """
    if word[-1:].lower() in ("s", "x", "z") or (language == "es" and word[-1:].lower() not in "aeiouáéíóú"):
        return f"{word}es"
    return f"{word}s"
