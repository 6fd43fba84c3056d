"""What somebody asks for or types at a desk: a site, a good, an order by its code, a quantity with its unit.

The command line and the room understand it by the same rules. Nothing is guessed: what is not plain is refused, and
the refusal says what to write instead.
"""

from __future__ import annotations

import contextlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction

from abasto.errors import AbastoError, FactError
from abasto.facts import codes
from abasto.facts.amounts import thousandths
from abasto.inbox.names import GoodName, Names, Pack
from abasto.inbox.tokens import folded_words
from abasto.state.packs import packs_of
from abasto.state.state import State
from abasto.tables.names import closest

__all__ = [
    "AskedError",
    "UnknownNameError",
    "find",
    "find_good",
    "find_recipe",
    "find_site",
    "find_thing",
    "lot_of",
    "quantity_of",
    "refuse_unit",
    "unit_of",
]


class AskedError(AbastoError):
    """What was asked for or typed cannot be taken as it is; the message says what to write instead."""


class UnknownNameError(AskedError):
    """There is nothing of this name; `known` are the ids and names that there are."""

    def __init__(self, kind: str, asked: str, known: Mapping[str, str | None]) -> None:
        self.kind = kind
        self.asked = asked
        self.known = known
        self.closest = closest(asked, [*known, *(name for name in known.values() if name)])
        hint = f' Did you mean "{self.closest}"?' if self.closest else ""
        super().__init__(f'there is no {kind} "{asked}".{hint}')


def find_site(state: State, asked: str) -> str:
    """Return the id of the site that is meant, perhaps one that was dropped; an `AskedError` where there is none."""
    return asked if _was_dropped(state, "sites", asked) else find("site", asked, _names(state, "sites", "site"))


def find_good(state: State, asked: str) -> str:
    """Return the id of the good that is meant, perhaps one that was dropped; an `AskedError` where there is none."""
    return asked if _was_dropped(state, "goods", asked) else find("good", asked, _names(state, "goods", "good"))


def find_recipe(state: State, asked: str) -> str:
    """Return the recipe that is meant; an `AskedError` where there is none."""
    return find("recipe", asked, {row.cells["recipe"]: None for row in state.rows.table("recipes")})


def find(kind: str, asked: str, known: Mapping[str, str | None]) -> str:
    """Return the id that is meant: an id, or a name, in whatever case and with or without accents."""
    if asked in known:
        return asked
    meant = [one for one, name in known.items() if _is_meant(asked, one, name)]
    if len(meant) > 1:
        raise AskedError(f'{kind} "{asked}" may be {", ".join(meant)}; give one of these ids.')
    if meant:
        return meant[0]
    raise UnknownNameError(kind, asked, known)


def find_thing(state: State, asked: str, entries: Iterable[str]) -> tuple[str, str]:
    """Return what is meant and its id: a site or good (of one id, the site), or an order or entry by its code.

    `entries` are the ids of all that there are.
    """
    tables = {"site": _names(state, "sites", "site"), "good": _names(state, "goods", "good")}
    named = {(kind, id): name for kind, names in tables.items() for id, name in names.items()}
    meant = [thing for thing in named if thing[1] == asked][:1] or [
        thing for thing, name in named.items() if _is_meant(asked, thing[1], name)
    ]
    if len(meant) > 1:
        may_be = ", ".join(f"{kind} {id}" for kind, id in meant)
        raise AskedError(f'"{asked}" may be {may_be}; give one of these ids.')
    if meant:
        return meant[0]
    for kind in ("sites", "goods"):
        if _was_dropped(state, kind, asked):
            return kind.removesuffix("s"), asked
    with contextlib.suppress(AbastoError):  # If it is no order, it may be an entry.
        return "order", state.orders.find(asked)
    try:
        return "entry", codes.find(asked, entries)
    except AbastoError as error:
        guess = closest(asked, [id for _, id in named])
        hint = f' Did you mean "{guess}"?' if guess else ""
        why = str(error).partition(": ")[2] or error
        raise AskedError(f'"{asked}": no site or good is called so; nor an order or entry: {why}{hint}') from None


def _names(state: State, table: str, column: str) -> dict[str, str | None]:
    return {row.cells[column]: row.cells.get("name") for row in state.rows.table(table)}


def _was_dropped(state: State, table: str, id: str) -> bool:
    # What still lies at a site that is given up has to be booked somewhere.
    return state.rows.standing(table, id) == "dropped"


def _is_meant(asked: str, id: str, name: str | None) -> bool:
    return _plain(asked) in (_plain(id), _plain(name or id))


def _plain(name: str) -> str:
    """Return a name in lower case and without accents, to compare with."""
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))


def lot_of(lot: str | None) -> str | None:
    """Return the lot that is named: a last usable date, or `none` for the lot without one; None: of any lot."""
    if lot is None:
        return None
    if lot.casefold() in ("none", "-"):
        return ""
    try:
        return date.fromisoformat(lot).isoformat()
    except ValueError:
        raise AskedError(
            f'lot "{lot}": this is no date; write the last usable day, as in 2026-11-22, or none if there is no date.'
        ) from None


def unit_of(state: State, good: str) -> str:
    """Return the unit of a good; kg where the good is not known or its row says nothing, as in the format."""
    return state.rows.cell("goods", "unit", good) or "kg"


def quantity_of(state: State, good: str, text: str, unit: str | None = None, *, may_be_zero: bool = False) -> int:
    """Return what somebody typed for a quantity, `30`, `30kg` or `30` and `sacks`, in thousandths of the good's unit.

    Without a good it is a plain number. Raises `AskedError`: nothing about a quantity is guessed.
    """
    typed = _QUANTITY.fullmatch(text.strip())
    if typed is None:
        raise AskedError(
            f'"{text}": this is no quantity; write a number with a point, then the unit: 30, 30kg, "2.5 t".'
        )
    if typed["unit"] and unit:
        raise AskedError(f'"{text}" and "{unit}" are two units; give one.')
    number = typed["number"]
    if "," in number:
        raise AskedError(
            f'"{text}": a comma may be a decimal mark or not; write decimals with a point, thousands without.'
        )
    try:
        quantity = thousandths(number)
    except FactError as error:
        raise AskedError(str(error)) from None
    measure = unit or typed["unit"]
    if measure:
        exact = Fraction(quantity, 1000) * _measure(state, good, measure)
        if exact.denominator != 1:
            raise AskedError(f'"{text}": that is finer than a thousandth of a {unit_of(state, good)}; round it.')
        quantity = exact.numerator
    if quantity < 0 or (quantity == 0 and not may_be_zero):
        raise AskedError(
            f'"{text}": what is {"counted cannot be below" if may_be_zero else "booked must be above"} 0; check it.'
        )
    return quantity


_QUANTITY = re.compile(r"(?P<number>-?[0-9][0-9.,]*)\s*(?P<unit>[^0-9\s.,][^0-9]*)?")


def refuse_unit(state: State, good: str, pack: str) -> None:
    """Raise an `AskedError` if a pack of a good would be called as a unit that the good is measured in."""
    names = Names(goods=(GoodName(good, "", unit_of(state, good)),))
    if names.measures(good, folded_words(pack), pack):
        raise AskedError(
            f'"{pack}" is a unit, and {good} is measured in it already; call the pack otherwise: saco, box.'
        )


def _measure(state: State, good: str, measure: str) -> Fraction:
    """Return how many thousandths of the good's unit one of a unit or pack is."""
    if not good:
        raise AskedError(f'"{measure}": only a number is expected here.')
    packs = packs_of(state.rows)[0].get(good, {})
    names = Names(
        goods=(GoodName(good, state.rows.name("goods", good), unit_of(state, good)),),
        packs=tuple(Pack(good, name, quantity) for name, quantity in packs.items()),
    )
    found = names.measures(good, folded_words(measure), measure)
    if len(found) == 1:
        return next(iter(found))
    known = ", ".join([unit_of(state, good), *packs])
    if found:
        raise AskedError(f'"{measure}" of {good} may be several things; there are: {known}. Write one of them.')
    raise AskedError(
        f'"{measure}": no such unit or pack of {good} is known; there are: {known}. '
        f'A pack is made known by: abasto pack "{good}" "{measure}" QUANTITY'
    )
