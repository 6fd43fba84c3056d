"""Facts in words, in Spanish and English, with the names that people use."""

from __future__ import annotations

from collections.abc import Iterable

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
from abasto.inbox.names import Names
from abasto.inbox.words import Language

__all__ = ["WITH_REF", "called", "describe", "quantity_words"]

WITH_REF = (StockCounted, GoodsTakenIn, GoodsHandedOut, GoodsLost, GoodsMade, OrderLoaded, OrderReceived)
"""The facts of reports that may carry a `ref`."""

_WHAT = {
    StockCounted: {"es": "recuento", "en": "count"},
    GoodsTakenIn: {"es": "llegó de fuera", "en": "taken in"},
    GoodsHandedOut: {"es": "entregado", "en": "handed out"},
    GoodsLost: {"es": "perdido", "en": "lost"},
}


def called(names: Names, good: str) -> str:
    """Return what people call a good: its name, else its id."""
    known = names.good(good)
    return (known.name or known.id) if known else good


def _site(names: Names, site: str) -> str:
    known = names.site(site)
    return (known.name or known.id) if known else site


def quantity_words(names: Names, good: str, quantity: int) -> str:
    """Return a quantity in thousandths as people read it, with the good's unit."""
    return f"{amount(quantity)} {names.unit(good)}"


def _goods(names: Names, lines: Iterable[Line], language: Language) -> str:
    lots = {"es": "lote del", "en": "lot of"}[language]
    undated = {"es": "lote sin fecha", "en": "undated lot"}[language]
    said = []
    for line in lines:
        lot = "" if line.lot is None else f" ({lots} {line.lot})" if line.lot else f" ({undated})"
        said.append(f"{called(names, line.good)} {quantity_words(names, line.good, line.quantity)}{lot}")
    return ", ".join(said)


def describe(fact: Fact, names: Names, *, language: Language) -> str:
    """Return what a fact of a report says, in one line."""
    match fact:
        case StockCounted() | GoodsTakenIn() | GoodsHandedOut() | GoodsLost():
            goods = _goods(names, [Line(fact.good, fact.quantity, fact.lot)], language)
            cause = f" ({fact.cause})" if isinstance(fact, GoodsLost) and fact.cause else ""
            return f"{fact.date}, {_site(names, fact.site)}: {_WHAT[type(fact)][language]}: {goods}{cause}"
        case GoodsMade():
            made = _goods(names, [line for line in fact.lines if line.quantity > 0], language)
            used = _goods(
                names, [Line(line.good, -line.quantity, line.lot) for line in fact.lines if line.quantity < 0], language
            )
            words = {"es": ("hecho", "usado"), "en": ("made", "used up")}[language]
            with_used = f"; {words[1]}: {used}" if used else ""
            return f"{fact.date}, {_site(names, fact.site)}: {words[0]} ({fact.recipe}): {made}{with_used}"
        case OrderAccepted():
            return f"{fact.date}, {_order(fact.order, language)}: {'aceptada' if language == 'es' else 'accepted'}"
        case OrderLoaded():
            word = "cargado" if language == "es" else "loaded"
            return f"{fact.date}, {_order(fact.order, language)}: {word}: {_goods(names, fact.lines, language)}"
        case OrderReceived():
            word = "recibido" if language == "es" else "received"
            more = {"es": "; viene más", "en": "; more to come"}[language] if fact.more_to_come else ""
            goods = _goods(names, fact.lines, language)
            place = _site(names, fact.site)
            return f"{fact.date}, {place}: {_order(fact.order, language)}: {word}: {goods}{more}"
        case _:
            return str(fact)


def _order(order: str, language: Language) -> str:
    return f"{'orden' if language == 'es' else 'order'} {code_of(order)}"
