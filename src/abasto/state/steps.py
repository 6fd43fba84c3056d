"""The next step of an order: what is left to be loaded or received, but for what people say was otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from abasto.facts.kinds import Line
from abasto.state.state import State
from abasto.state.types import OrderRecord

__all__ = ["changed_lines", "less", "lines_to_load", "lines_to_receive", "lots_at_site"]


def lines_to_load(state: State, record: OrderRecord, changed: Mapping[str, int]) -> tuple[Line, ...]:
    """Return what is loaded of an order: what is left of it, but for the goods in `changed` (thousandths; 0: nothing).

    Lots are those that the books have at the site. Nothing is returned where all was loaded before.
    """
    planned = less(record.issued.lines if record.issued else (), record.loaded)
    what = changed_lines(planned, changed)
    return what if record.issued is None else lots_at_site(state, record.issued.from_site, what)


def lines_to_receive(
    record: OrderRecord, changed: Mapping[str, int], *, more_to_come: bool = False
) -> tuple[Line, ...]:
    """Return what arrives of an order: what is left of what was loaded, or else ordered, but for goods in `changed`.

    Where the rest is still to come, or all was received before, only what is in `changed` arrives. If nothing is left
    of it, that is said by a line of 0. Nothing is returned of an order of which nothing is known.
    """
    sent = record.loaded or (record.issued.lines if record.issued else ())
    rest = less(sent, record.received)
    what = changed_lines(() if record.status == "received" or more_to_come else rest, changed, of=rest)
    return what or tuple(replace(line, quantity=0) for line in sent[:1])


def less(lines: Sequence[Line], gone: Sequence[Line]) -> tuple[Line, ...]:
    """Return what is left of lines after others, good by good: of the same lot first, then of any."""
    rest = {line: line.quantity for line in gone}
    left = list(lines)
    for is_same in (True, False):
        for number, line in enumerate(left):
            for other in rest:
                if other.good == line.good and (other.lot == line.lot or not is_same):
                    part = min(left[number].quantity, rest[other])
                    rest[other] -= part
                    left[number] = replace(left[number], quantity=left[number].quantity - part)
    return tuple(line for line in left if line.quantity > 0)


def changed_lines(
    planned: Sequence[Line], changed: Mapping[str, int], *, of: Sequence[Line] | None = None
) -> tuple[Line, ...]:
    """Return the planned lines with other quantities of some goods; `of` has the lots of a good that is not planned."""
    lines = list(planned)
    for good, wanted in changed.items():
        lots = [line for line in lines if line.good == good] or [line for line in of or () if line.good == good]
        lines = [line for line in lines if line.good != good] + _of_lots(good, wanted, lots)
    return tuple(lines)


def lots_at_site(state: State, site: str, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Return the lines with the lots that the books have at a site; what they lack is taken of any lot."""
    left = {good: dict(state.books.balance(site, good)) for good in {line.good for line in lines}}
    found: list[Line] = []
    for good in dict.fromkeys(line.good for line in lines):
        mine = [line for line in lines if line.good == good]
        held = [_held(line, left[good]) for line in mine]
        found += _of_lots(good, sum(line.quantity for line in mine), held)
    return tuple(found)


def _of_lots(good: str, wanted: int, lots: Sequence[Line]) -> list[Line]:
    """Return so much of a good, of these lots as far as they go, then of any."""
    found = []
    for line in lots:
        part = min(wanted, line.quantity)
        wanted -= part
        if part:
            found.append(Line(good, part, line.lot))
    return [*found, Line(good, wanted)] if wanted else found


def _held(line: Line, left: dict[str, int]) -> Line:
    """Return how much of a line's lot is there, and take it."""
    if line.lot is None:
        return replace(line, quantity=0)
    part = max(0, min(line.quantity, left.get(line.lot, 0)))
    left[line.lot] = left.get(line.lot, 0) - part
    return replace(line, quantity=part)
