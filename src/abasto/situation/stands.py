"""Stands: every good at every site with its age and kind, what is promised of it, and how many days it lasts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from abasto.situation.incoming import Incoming
from abasto.situation.types import Knowledge, Stand
from abasto.situation.wants import Want
from abasto.state.types import Figure

if TYPE_CHECKING:
    from abasto.state.known import Known

__all__ = ["days_of_supply", "free_lots", "runs_out", "stands"]

Lots = Sequence[tuple[date | None, float]]
"""Last usable date (None: never spoils) and quantity, the first to expire first."""

ROUNDING = 1e-9
_NOTHING = Want(1, math.inf, 0.0)


def stands(seen: Known, wanted: Mapping[tuple[str, str], Want], incoming: Incoming, day: date) -> tuple[Stand, ...]:
    """Return every good at every site that has a figure, a need or a reserve; what lasts least stands first."""
    goods = {good.good: good for good in seen.tables.goods}
    sites = {site.site: site for site in seen.tables.sites}
    reserves = {(row.site, row.good): row.quantity for row in seen.tables.reserves}
    figures = {(figure.site, figure.good): figure for figure in seen.figures}
    lots, whole = free_lots(seen), _sums((row.site, row.good, row.quantity) for row in seen.tables.stocks)
    needed = [place for place in wanted if place[1] in goods]
    found = []
    for place in dict.fromkeys([*figures, *needed, *reserves]):
        site, good = place
        figure, want = figures.get(place), wanted.get(place, _NOTHING)
        is_known = site in sites and good in goods
        mine = lots.get(place, ())
        free = sum(quantity for _, quantity in mine)
        coming = [one for one in incoming.get(place, ()) if one.arrives is not None]
        as_of = _date_of("" if figure is None else figure.as_of)
        found.append(
            Stand(
                site=site,
                site_name=(site in sites and sites[site].name) or site,
                good=good,
                good_name=(good in goods and goods[good].name) or good,
                unit=goods[good].unit if good in goods else "",
                thousandths=0 if figure is None else figure.quantity,
                promised=max(0.0, whole.get(place, 0.0) - free) if is_known else 0.0,
                free=free,
                coming=sum(one.quantity for one in coming),
                coming_on=min((one.arrives for one in coming if one.arrives is not None), default=None),
                known=_knowledge(figure),
                as_of=as_of,
                counted_on=_date_of("" if figure is None else figure.counted_on),
                age_days=None if as_of is None else (day - as_of).days,
                need_per_day=want.per_day,
                people=want.people,
                priority=want.priority,
                days_of_supply=days_of_supply(mine, want.per_day, day),
                reserve=reserves.get(place, 0.0),
                expires=_first_to_expire(figure),
            )
        )
    return tuple(sorted(found, key=_worst_first))


def _worst_first(stand: Stand) -> tuple[float, bool, float, str, str]:
    """Tell stands apart by tenths of a day, as they are shown, and then by the people they are for."""
    days = math.floor(stand.days_of_supply * 10) if math.isfinite(stand.days_of_supply) else math.inf
    return days, not stand.below_reserve, -stand.people, stand.site, stand.good


def days_of_supply(lots: Lots, need_per_day: float, day: date) -> float:
    """Return how many days from the start of `day` lots last at a rate of need; inf if nothing is needed.

    What expires first is used first, and only until it expires: of a lot whose last usable date is `day`, no more than
    one day's need.

    >>> days_of_supply([(None, 700.0)], 100.0, date(2026, 11, 22))
    7.0
    >>> days_of_supply([(date(2026, 11, 23), 700.0)], 100.0, date(2026, 11, 22))
    2.0
    """
    if need_per_day <= 0:
        return math.inf
    lasts = 0.0
    for last, quantity in lots:
        until = math.inf if last is None else (last - day).days + 1.0
        lasts = max(lasts, min(until, lasts + quantity / need_per_day))
    return lasts


def runs_out(
    lots: Lots, arrivals: Mapping[int, float], want: Want, day: date, *, days: int
) -> tuple[int, float, float]:
    """Return the first of so many days on which lots and arrivals do not meet a need (0: they do), what is missing on
    all of them, and how many days of the need that is.

    `arrivals` are quantities by day, counted from 1, that can be used from then on and do not expire before.
    """
    left = [[math.inf if last is None else (last - day).days + 1, quantity] for last, quantity in lots]
    first, missing, lacking = 0, 0.0, 0.0
    for number in range(1, days + 1):
        left.append([math.inf, arrivals.get(number, 0.0)])
        needed = rest = want.on(number)
        for lot in left:
            taken = min(rest, lot[1]) if lot[0] >= number else 0.0
            lot[1] -= taken
            rest -= taken
        if rest > ROUNDING * needed:
            first, missing, lacking = first or number, missing + rest, lacking + rest / needed
    return first, missing, lacking


def free_lots(seen: Known) -> dict[tuple[str, str], list[tuple[date | None, float]]]:
    """Return what a plan starts from at every site, without what open orders promise; the first to expire first."""
    lots: defaultdict[tuple[str, str], list[tuple[date | None, float]]] = defaultdict(list)
    for row in seen.network.stocks:
        lots[row.site, row.good].append((row.expires, row.quantity))
    for mine in lots.values():
        mine.sort(key=lambda lot: lot[0] or date.max)
    return dict(lots)


def _sums(rows: Iterable[tuple[str, str, float]]) -> dict[tuple[str, str], float]:
    sums: defaultdict[tuple[str, str], float] = defaultdict(float)
    for site, good, quantity in rows:
        sums[site, good] += quantity
    return dict(sums)


def _knowledge(figure: Figure | None) -> Knowledge:
    return "unreported" if figure is None else figure.kind


def _date_of(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _first_to_expire(figure: Figure | None) -> date | None:
    """Return the last usable date of the first lot to expire of which anything is left."""
    lots = () if figure is None else figure.lots
    return min((date.fromisoformat(lot) for lot, quantity in lots if lot and quantity > 0), default=None)
