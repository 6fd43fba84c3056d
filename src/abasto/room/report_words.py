"""Names and quantities as a phone's answers say them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from abasto.facts.kinds import Line
from abasto.inbox.names import GoodName, Names, SiteName
from abasto.language import Language

__all__ = ["amount_words", "isolated", "lines_words", "named", "quantity_words"]

_BEGIN, _END = "\u2068", "\u2069"
"""First strong isolate, and its end: between them a name is written the way of its own script."""
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")


def isolated(text: str, words: Language) -> str:
    """Return a name that does not disturb the order of the words around it, where either runs from right to left."""
    return f"{_BEGIN}{text}{_END}" if words.direction == "rtl" or _RIGHT_TO_LEFT.search(text) else text


def named(known: SiteName | GoodName | None, id: str, words: Language) -> str:
    """Return what people call a site or good: its name, else its id."""
    return isolated((known.name or known.id) if known else id, words)


def quantity_words(names: Names, good: str, quantity: int, words: Language) -> str:
    """Return thousandths of a good with its unit, as `12.5 kg`."""
    return f"{words.number(quantity / 1000)} {isolated(names.unit(good), words)}"


def amount_words(names: Names, good: str, quantity: int, words: Language) -> str:
    """Return thousandths of a good with its unit and name."""
    much = quantity_words(names, good, quantity, words)
    return words("{quantity} of {good}", quantity=much, good=named(names.good(good), good, words))


def lines_words(names: Names, lines: Iterable[Line], words: Language) -> str:
    """Return the goods of an order's step, lots of one good together."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.good] = sums.get(line.good, 0) + line.quantity
    return ", ".join(amount_words(names, good, quantity, words) for good, quantity in sums.items())
