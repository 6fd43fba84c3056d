"""What taking in would change: balances before and after, what would become an exception, what is there already."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.facts.kinds import Fact, RowDropped, RowSet, StockCounted, body_of
from abasto.inbox.reports import Gathered
from abasto.state.exceptions import exceptions
from abasto.state.foresee import EXPECTED, foresee
from abasto.state.state import State

if TYPE_CHECKING:
    from abasto.journal.journal import Journal

__all__ = ["Foreseen", "change_words", "changed_since", "foreseen"]

Place = tuple[str, str]
"""A site and a good."""


@dataclass(frozen=True)
class Foreseen:
    """Balances in thousandths before taking in, and after it where they differ; and what would become an exception."""

    before: Mapping[Place, int] = field(default_factory=dict)
    after: Mapping[Place, int] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def foreseen(state: State, facts: Sequence[Fact]) -> Foreseen:
    """Return what these facts would change if they were written now."""
    if not facts:
        return Foreseen()
    then = foresee(state, facts)
    before = {place: sum(state.books.balance(*place).values()) for place in state.books.places()}
    now = {place: sum(then.books.balance(*place).values()) for place in then.books.places()}
    changed = {place: held for place, held in now.items() if before.get(place) != held}
    known = {one.id for one in exceptions(state)}
    new = [one.message for one in exceptions(then) if one.id not in known and one.kind not in EXPECTED]
    return Foreseen(before, changed, tuple(new))


def changed_since(journal: Journal, gathered: Gathered) -> list[str]:
    """Return which rows the journal has with other figures than they have now: forms may be corrected after sending."""
    again = {getattr(fact, "ref", ""): (item, fact) for item in gathered.items if item.is_known for fact in item.facts}
    if not again:
        return []
    said = []
    for placed in journal.read():
        item, fact = again.pop(placed.entry.body.get("ref", ""), (None, None))
        if item is not None and fact is not None and _figures(placed.entry.body) != _figures(body_of(fact)):
            code = code_of(placed.entry.id)
            said.append(
                f"{item.place} is in the journal with other figures (entry {code}) and stays so; if they are wrong, "
                f"take them back with abasto undo {code} and report what is right by a command or a message"
            )
    return said


def _figures(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an entry says, whatever the order of its lines: a file may have been sorted otherwise since."""
    lines = [json.dumps(line, sort_keys=True) for line in body.get("lines", ())]
    return {**body, "lines": sorted(lines)}


def change_words(fact: Fact) -> str:
    """Return in words what a change of the tables, or a count that comes with them, says."""
    if isinstance(fact, StockCounted):
        return f"count: {amount(fact.quantity)} of {fact.good} at {fact.site}" + (f", {fact.lot}" if fact.lot else "")
    if isinstance(fact, RowSet | RowDropped):
        verb = "set" if isinstance(fact, RowSet) else "dropped"
        return f"{fact.table}, {verb}: {', '.join(f'{name} {cell}' for name, cell in fact.row.items())}"
    return str(fact)
