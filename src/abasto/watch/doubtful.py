"""Days that are not what was written of them: hand-outs with a zero too many, and hand-outs that nobody wrote down.

A day's use is doubted that is at least `FAR_TOO_MUCH` times what was foreseen for it and `LEAST_Z` standard deviations
above; and a day without a hand-out of a good that is handed out on nearly every day. A count on that day or later
settles it, and so do late reports. Until then, and for `DOUBTED_DAYS` at most, it is reckoned that as much was used as
was foreseen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abasto.forecast import Forecast, forecast
from abasto.state.observed import FAR_TOO_MUCH, Observed
from abasto.state.rates import LEAST_KNOWN_DAYS

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["DOUBTED_DAYS", "Doubt", "as_foreseen", "doubts_of", "excess_of"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_Z = 6.0
DOUBTED_DAYS = 3
"""What nobody corrects for so long is believed."""
NEARLY_EVERY = 0.7
"""From this share of its known days on a good is handed out on nearly every day."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A day's use, in the good's unit, of the place in a row of `Observed`, beside what was foreseen for that day."""

    row: int
    on: date
    use: float
    foreseen: float


def doubts_of(state: State, seen: Observed, course: Forecast) -> tuple[Doubt, ...]:
    """Return the days that are doubted, by row and day.

    What is foreseen for a day after one with a zero too many is foreseen without that one.
    """
    if seen.days <= DOUBTED_DAYS:
        return ()
    wild = _doubted(state, seen, course, _too_many)
    sober = as_foreseen(seen, course, wild, 1)[1] if wild else course
    doubted = {(one.row, one.on) for one in wild}
    none = [one for one in _doubted(state, seen, sober, _none) if (one.row, one.on) not in doubted]
    return tuple(sorted([*wild, *none], key=lambda one: (one.row, one.on)))


def _too_many(use: Array, foreseen: Array, scale: Array, often: Bools) -> Bools:
    return np.asarray((use >= FAR_TOO_MUCH * foreseen) & (use - foreseen > LEAST_Z * scale))


def _none(use: Array, foreseen: Array, scale: Array, often: Bools) -> Bools:
    return np.asarray((np.nan_to_num(use) == 0) & often)


def _doubted(state: State, seen: Observed, course: Forecast, is_doubted: Callable[..., Bools]) -> list[Doubt]:
    """Return the last days of known courses for which `is_doubted`, unless they were counted on or since."""
    late = slice(seen.days - DOUBTED_DAYS, seen.days)
    before = slice(seen.days - DOUBTED_DAYS - 1, seen.days - 1)
    known = np.cumsum(~np.isnan(seen.use), axis=1)[:, before]
    often = np.cumsum(np.nan_to_num(seen.use) > 0, axis=1)[:, before] >= NEARLY_EVERY * known
    use, foreseen = seen.use[:, late], course.one_step[:, late]
    with np.errstate(invalid="ignore"):
        doubted = is_doubted(use, foreseen, course.scale[:, late], often) & (foreseen > 0) & (known >= LEAST_KNOWN_DAYS)
    found = []
    for row, column in np.argwhere(doubted).tolist():
        on = seen.day - timedelta(days=DOUBTED_DAYS - column)
        holding = state.books.holding(*seen.places[row])
        if holding is not None and holding.counted < on.isoformat():
            found.append(Doubt(row, on, float(np.nan_to_num(use[row, column])), float(foreseen[row, column])))
    return found


def as_foreseen(seen: Observed, course: Forecast, doubts: Sequence[Doubt], days: int) -> tuple[Observed, Forecast]:
    """Return what was seen, and its forecast over `days`, as if what was foreseen had been used on the doubted days."""
    if not doubts:
        return seen, course
    use, closing = seen.use.copy(), seen.closing.copy()
    for one in doubts:
        column = (one.on - seen.first).days
        use[one.row, column] = np.nan
        closing[one.row, column:] += one.use - one.foreseen
    rows = sorted({one.row for one in doubts})
    anew = forecast(use[rows], days)
    whole = {}
    for field in fields(Forecast):
        values = getattr(course, field.name).copy()
        values[rows] = getattr(anew, field.name)
        whole[field.name] = values
    return replace(seen, use=use, closing=closing), Forecast(**whole)


def excess_of(seen: Observed, doubts: Sequence[Doubt]) -> Mapping[tuple[str, str], float]:
    """Return how much more (less: below zero) can be used than the books of `seen` let be used, by site and good.

    Where books are below zero nothing can be used by them; what they lack is no part of it.
    """
    excess: dict[int, float] = defaultdict(float)
    for one in doubts:
        excess[one.row] += one.use - one.foreseen
    return {seen.places[row]: more + min(0.0, float(seen.closing[row, -1])) for row, more in excess.items()}
