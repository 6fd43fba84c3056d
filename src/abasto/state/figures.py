"""Figures: what is known of every good at every site on a day, how old that is, and how it is known.

A figure is counted, computed from what was booked since, or, where nobody has reported for some days, estimated:
carried forward by the site's own use. Reports tell of the end of their day; a day begins where the one before ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from abasto.state.cells import Lots
from abasto.state.holding import by_expiry
from abasto.state.types import Figure, FigureKind

if TYPE_CHECKING:
    from abasto.state.books import Books
    from abasto.state.state import State

__all__ = ["CARRIED_AFTER", "Spoiled", "figures", "last_day_of", "spoiled", "usable"]

CARRIED_AFTER = 3
"""Figures whose last report is older than so many days are carried forward."""
LOOKS_BACK = 14
"""Use per day is the mean of so many days up to the last report."""


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A lot that the books still have although its last usable day, `lot`, is over."""

    site: str
    good: str
    lot: str
    quantity: int


def figures(state: State, day: date, *, carried_after: int = CARRIED_AFTER) -> tuple[Figure, ...]:
    """Return what is known of every good at every site at the start of a day, by site and good.

    A figure whose last report is more than `carried_after` days old is estimated: from the day after that report to the
    day before `day`, the site's mean daily use is taken from the lots that expire first. Lots that have spoiled by then
    are no part of it (`spoiled` lists them). A figure below zero is one that people have to settle; it stays as it is.
    """
    return tuple(_figure(state, site, good, day, carried_after) for site, good in state.books.places())


def spoiled(state: State, day: date) -> tuple[Spoiled, ...]:
    """Return the lots whose last usable day is over and that nobody has reported lost, by site, good and date.

    Lots without date of a good that spoils are as old as the last count of them, or the last report.
    """
    found = []
    for site, good in state.books.places():
        for lot, quantity in _dated(state, site, good).items():
            if quantity > 0 and lot and lot < day.isoformat():
                found.append(Spoiled(site, good, lot, quantity))
    return tuple(found)


def usable(known: Iterable[Figure]) -> Lots:
    """Return the lots of figures that can be planned with: without what is below zero.

    What is missing in one lot is taken from the others, first from those that expire first.
    """
    lots: Lots = {}
    for figure in known:
        missing = -sum(quantity for _, quantity in figure.lots if quantity < 0)
        mine: dict[str, int] = {}
        for lot, quantity in figure.lots:
            taken = min(max(quantity, 0), missing)
            missing -= taken
            if quantity > taken:
                mine[lot] = quantity - taken
        if mine:
            lots[figure.site, figure.good] = mine
    return lots


def last_day_of(lot: str, shelf_life: int | None, seen: date | None) -> str:
    """Return the last day of a lot; one without date, of a good that spoils, was fresh when it was last seen."""
    if lot or shelf_life is None or seen is None or shelf_life > date.max.toordinal() - seen.toordinal():
        return lot
    return (seen + timedelta(days=shelf_life)).isoformat()


def _figure(state: State, site: str, good: str, day: date, carried_after: int) -> Figure:
    books = state.books
    newest, counted = books.last_report(site, good), books.last_count(site, good)
    here = _dated(state, site, good)
    use, is_old = 0, newest is not None and (day - newest).days > carried_after
    if newest is not None and is_old:
        use = _use_per_day(books, site, good, newest)
        lots = _carried(here, use, newest, day)
    else:
        lots = {lot: held for lot, held in here.items() if not lot or lot >= day.isoformat()}
    kind: FigureKind = "estimated" if is_old else "counted" if books.is_counted(site, good) else "computed"
    return Figure(
        site=site,
        good=good,
        quantity=sum(lots.values()),
        lots=tuple(sorted(lots.items(), key=lambda one: by_expiry(one[0]))),
        kind=kind,
        as_of="" if newest is None else newest.isoformat(),
        counted_on="" if counted is None else counted.isoformat(),
        use_per_day=use,
    )


def _dated(state: State, site: str, good: str) -> Mapping[str, int]:
    """Return the lots of a good at a site; one without date that does spoil was fresh when last seen."""
    lots = state.books.balance(site, good)
    if "" not in lots or state.rows.shelf_life(good) is None:
        return lots
    seen = state.books.last_count(site, good) or state.books.last_report(site, good)
    dated: dict[str, int] = {}
    for lot, held in lots.items():
        last = last_day_of(lot, state.rows.shelf_life(good), seen)
        dated[last] = dated.get(last, 0) + held
    return {lot: dated[lot] for lot in sorted(dated, key=by_expiry) if dated[lot]}


def _use_per_day(books: Books, site: str, good: str, newest: date) -> int:
    """Return the mean daily use in the two weeks up to the last report, in thousandths, rounded up.

    Days before the first report say nothing; those after it on which nobody reported anything count as zero.
    """
    begin = newest - timedelta(days=LOOKS_BACK - 1)
    holding = books.holding(site, good)
    if holding is None:
        return 0
    heard = min((key[:10] for days in (holding.nets, holding.marks, holding.used) for key in days), default="")
    first = date.fromisoformat(heard) if heard else newest
    begin = max(begin, first)
    used = sum(quantity for when, quantity in books.daily_use(site, good).items() if begin <= when <= newest)
    return max(0, -(-used // ((newest - begin).days + 1)))


def _carried(lots: Mapping[str, int], use: int, newest: date, day: date) -> dict[str, int]:
    """Return what is left of lots at the start of a day if so much was used on every day since the last report.

    What expires first is used first, and only until it expires; nothing goes below zero.
    """
    left: dict[str, int] = {}
    used = 0
    for lot in sorted(lots, key=by_expiry):
        last = min(date.fromisoformat(lot), day - timedelta(days=1)) if lot else day - timedelta(days=1)
        wanted = max(0, (last - newest).days) * use - used
        taken = min(max(lots[lot], 0), max(wanted, 0))
        used += taken
        if lots[lot] != taken and (not lot or lot >= day.isoformat()):
            left[lot] = lots[lot] - taken
    return left
