"""What reports may name, from the state of a journal."""

from __future__ import annotations

from collections.abc import Iterator

from abasto.errors import FactError
from abasto.facts.amounts import thousandths
from abasto.inbox.names import GoodName, Names, Pack, RecipeName, SiteName
from abasto.state.packs import packs_of
from abasto.state.state import State

__all__ = ["names_of"]


def names_of(state: State) -> Names:
    """Return all that reports may name, as the journal knows it; rows whose quantity is no number are left out."""
    rows = state.rows
    packs, _ = packs_of(rows)
    recipes: dict[str, list[tuple[str, int]]] = {}
    for row in rows.table("recipes"):
        for quantity in _quantity(row.cells.get("quantity", "")):
            recipes.setdefault(row.cells["recipe"], []).append((row.cells["good"], quantity))
    return Names(
        sites=tuple(SiteName(row.cells["site"], row.cells.get("name", "")) for row in rows.table("sites")),
        goods=tuple(
            GoodName(row.cells["good"], row.cells.get("name", ""), row.cells.get("unit", "kg"))
            for row in rows.table("goods")
        ),
        packs=tuple(Pack(good, name, size) for good, named in packs.items() for name, size in named.items()),
        recipes=tuple(RecipeName(id, tuple(lines)) for id, lines in recipes.items()),
        plants=frozenset((row.cells["site"], row.cells["recipe"]) for row in rows.table("plants")),
        orders=state.orders,
        most=_most(state),
    )


def _most(state: State) -> dict[tuple[str, str], int]:
    """Return the most of each good, in thousandths, that each site has, has used in a day, or can take in on a day."""
    most = {
        place: max(0, sum(state.books.balance(*place).values()), *state.books.daily_use(*place).values())
        for place in state.books.places()
    }
    for row in state.rows.table("supplies"):
        place = row.cells["site"], row.cells["good"]
        for quantity in _quantity(row.cells.get("quantity", "")):
            most[place] = max(most.get(place, 0), quantity)
    return most


def _quantity(cell: str) -> Iterator[int]:
    """Yield a cell's number in thousandths, if it is one."""
    try:
        yield thousandths(cell)
    except FactError:
        return
