"""The tables of a situation's paper: which rows are told, in which order, and how each cell reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from abasto.facts.codes import code_of
from abasto.language import Language
from abasto.planner.plan import MET_TOLERANCE
from abasto.report.heat import level
from abasto.situation.incoming import is_overdue
from abasto.situation.types import Alarm, Relief, Situation, Stand
from abasto.situation.words import (
    alarm_words,
    cause_words,
    days_words,
    ended,
    isolated,
    known_words,
    quantity_words,
    relief_words,
    remedy_words,
    status_words,
)
from abasto.state.types import OrderRecord

__all__ = [
    "Cell",
    "Column",
    "Table",
    "age_table",
    "alarm_table",
    "coverage_table",
    "exception_table",
    "lane_table",
    "order_table",
    "stand_table",
    "supply_table",
]

MOST_ROWS = 30
"""So many rows of a table are told; a meeting reads no more, and the commands list all."""
MOST_ALARMS = 20
MOST_DAYS = 14
"""So many days stand side by side on a sheet."""
MOST_WAYS = 3
"""So many ways of what relieves an alarm are told."""
NOTHING_MOVES_T = 1e-3


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, what its cells are, and how much room it takes beside others that are no numbers."""

    head: str
    kind: Literal["name", "text", "number", "share"] = "text"
    room: float = 1.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its lines, and for a share its level from 0 (worst) to 4 (well served), else None."""

    lines: tuple[str, ...]
    level: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns and rows, a title, a note above it, and what is said about rows that were left out."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""
    note: str = ""
    left_out: str = ""

    @property
    def is_wordy(self) -> bool:
        """Whether no column holds figures."""
        return all(column.kind in ("name", "text") for column in self.columns)


def _row(*cells: str) -> tuple[Cell, ...]:
    return tuple(Cell((cell,)) for cell in cells)


def _more(all_rows: Sequence[object], words: Language, *, most: int = MOST_ROWS) -> str:
    left = len(all_rows) - most
    return words.many("… and {n} more row.", "… and {n} more rows.", left) if left > 0 else ""


def alarm_table(shown: Situation, words: Language) -> Table:
    """Return the alarms, worst first: what and where, why and what helps, what comes, and how well it is known."""
    columns = (
        Column(words("What, where, from when"), "name", 1.25),
        Column(words("Why, and what helps"), room=1.9),
        Column(words("What is on its way there"), room=1.35),
        Column(words("Figure there"), room=0.8),
    )
    rows = tuple(
        (
            Cell(tuple(_what(alarm, words))),
            Cell((cause_words(alarm, words), remedy_words(alarm, words))),
            Cell(tuple(_ways(alarm, shown.day, words))),
            Cell((known_words(alarm.known, words), words.ago(alarm.as_of, shown.day)) if alarm.known != "unreported"
                 else (known_words(alarm.known, words),)),
        )
        for alarm in shown.alarms[:MOST_ALARMS]
    )  # fmt: skip
    return Table(columns, rows, left_out=_more(shown.alarms, words, most=MOST_ALARMS))


def _what(alarm: Alarm, words: Language) -> list[str]:
    place, what = isolated(alarm.site_name, words), isolated(alarm.need_name, words)
    kind = alarm_words(alarm.kind, words)
    lines = [f"{kind}: {what}, {place}" if what else f"{kind}: {place}"]
    if alarm.starts is not None and alarm.ends is not None and alarm.ends != alarm.starts:
        lines.append(words("{first} to {last}", first=words.day(alarm.starts), last=words.day(alarm.ends)))
    elif alarm.starts is not None:
        lines.append(words.day(alarm.starts))
    if alarm.quantity:
        lines.append(quantity_words(alarm.quantity, alarm.unit, words))
    if alarm.people and alarm.rank != 1:
        lines.append(words.many("{n} person", "{n} people", round(alarm.people)))
    return lines


def _ways(alarm: Alarm, day: date, words: Language) -> list[str]:
    """Return the open orders that relieve an alarm one by one, and what is planned, added up by where it comes from."""
    told = [relief_words(one, alarm.unit, day, words) for one in alarm.relieved_by if one.order]
    planned: defaultdict[tuple[str, str], list[Relief]] = defaultdict(list)
    for one in alarm.relieved_by:
        if not one.order:
            planned[one.from_site, one.good].append(one)
    for mine in sorted(planned.values(), key=lambda some: -sum(one.quantity for one in some)):
        dates = [one.arrives for one in mine if one.arrives is not None]
        whole = replace(mine[0], quantity=sum(one.quantity for one in mine))
        if min(dates) == max(dates):
            told.append(relief_words(whole, alarm.unit, day, words))
        else:
            told.append(
                words(
                    "{quantity} planned from {site}, {first} to {last}",
                    quantity=quantity_words(whole.quantity, alarm.unit, words),
                    site=isolated(whole.from_name, words),
                    first=words.day(min(dates)), last=words.day(max(dates)),
                )
            )  # fmt: skip
    left = len(told) - MOST_WAYS
    return [*told[:MOST_WAYS], words.many("and {n} more", "and {n} more", left)] if left > 0 else told or ["–"]


def coverage_table(shown: Situation, words: Language) -> Table:
    """Return the needs that are not fully met, one column for each day."""
    short = [row for row in shown.coverage if row.coverage < 1 - MET_TOLERANCE]
    days = shown.days[:MOST_DAYS]
    columns = (
        Column(words("site"), "name", 1.5),
        Column(words("need"), "name"),
        Column(words("people"), "number"),
        Column(words("mean"), "number"),
        *(Column(words.number(day.day, digits=0), "share") for day in days),
    )
    rows = tuple(
        (
            *_row(
                isolated(row.site_name, words),
                isolated(row.need_name, words),
                words.number(row.people, digits=0),
                words.percent(row.coverage),
            ),
            *(_share(permille, words) for permille in row.permille[:MOST_DAYS]),
        )
        for row in short[:MOST_ROWS]
    )  # fmt: skip
    note = words(
        "Coverage in percent of each day from {first} to {last}; dark cells are the worst.",
        first=words.day(days[0]), last=words.day(days[-1]),
    )  # fmt: skip
    return Table(columns, rows, note=note, left_out=_more(short, words))


def _share(permille: int, words: Language) -> Cell:
    if permille < 0:
        return Cell(("–",))
    return Cell((words.number(permille // 10, digits=0),), level(permille / 1000))


def supply_table(shown: Situation, words: Language) -> Table:
    """Return every good of the network with its days of supply."""
    columns = (
        Column(words("good"), "name", 1.5),
        Column(words("at sites"), "number"),
        Column(words("on its way"), "number"),
        Column(words("needed a day"), "number"),
        Column(words("days of supply"), "number"),
    )
    rows = tuple(
        _row(
            isolated(one.name, words),
            quantity_words(one.on_hand, one.unit, words),
            quantity_words(one.on_the_way, one.unit, words),
            quantity_words(one.need_per_day, one.unit, words),
            days_words(one.days_of_supply, words),
        )
        for one in shown.headline.supply[:MOST_ROWS]
    )
    return Table(columns, rows, title=words("The whole network"), left_out=_more(shown.headline.supply, words))


def stand_table(shown: Situation, words: Language) -> Table:
    """Return the goods at sites that last least, of those that are needed there."""
    needed = [stand for stand in shown.stands if stand.need_per_day > 0]
    columns = (
        Column(words("site"), "name", 1.4),
        Column(words("good"), "name"),
        Column(words("there"), "number"),
        Column(words("of it promised"), "number"),
        Column(words("coming"), "number"),
        Column(words("needed a day"), "number"),
        Column(words("days"), "number"),
        Column(words("How it is known"), room=1.4),
    )
    rows = tuple(
        _row(
            isolated(stand.site_name, words),
            isolated(stand.good_name, words),
            quantity_words(stand.quantity, stand.unit, words),
            quantity_words(stand.promised, stand.unit, words) if stand.promised else "–",
            _coming(stand, words),
            quantity_words(stand.need_per_day, stand.unit, words),
            days_words(stand.days_of_supply, words),
            _age(stand, shown.day, words),
        )
        for stand in needed[:MOST_ROWS]
    )
    return Table(columns, rows, title=words("Site by site, what lasts least first"), left_out=_more(needed, words))


def _coming(stand: Stand, words: Language) -> str:
    if stand.coming_on is None:
        return "–"
    much = quantity_words(stand.coming, stand.unit, words)
    return words("{quantity} from {day} on", quantity=much, day=words.day(stand.coming_on))


def _age(stand: Stand, day: date, words: Language) -> str:
    known = known_words(stand.known, words)
    return known if stand.as_of is None else f"{known}, {words.ago(stand.as_of, day)}"


def lane_table(shown: Situation, words: Language) -> Table:
    """Return what the plan moves along each lane, most first."""
    used = sorted((lane for lane in shown.lanes if lane.tonnes > NOTHING_MOVES_T), key=lambda lane: -lane.tonnes)
    names = {site.site: site.name for site in shown.sites}
    columns = (
        Column(words("from"), "name"),
        Column(words("to"), "name"),
        Column(words("tonnes there"), "number"),
        Column(words("tonnes back"), "number"),
    )
    rows = tuple(
        _row(
            isolated(names.get(lane.from_site, lane.from_site), words),
            isolated(names.get(lane.to_site, lane.to_site), words),
            quantity_words(lane.tonnes_there, "", words),
            quantity_words(lane.tonnes_back, "", words) if lane.tonnes_back > NOTHING_MOVES_T else "–",
        )
        for lane in used[:MOST_ROWS]
    )
    title = words("What the plan moves over its days, with what orders have on their way")
    return Table(columns, rows, title=title, left_out=_more(used, words))


def order_table(shown: Situation, words: Language) -> Table:
    """Return the open orders by state, those that are late first, then by departure."""
    units = {stand.good: (stand.good_name, stand.unit) for stand in shown.stands}
    names = {site.site: site.name for site in shown.sites}
    progress = ("issued", "accepted", "loaded")
    listed = [order for order in shown.orders if order.issued is not None]
    listed.sort(key=lambda order: (not is_overdue(order, shown.day), progress.index(order.status)))
    columns = (
        Column(words("order"), "name", 0.9),
        Column(words("state"), room=0.9),
        Column(words("way and fleet"), room=1.6),
        Column(words("leaves, arrives"), room=1.1),
        Column(words("goods"), room=1.6),
    )
    rows = tuple(_order_row(order, shown.day, units, names, words) for order in listed[:MOST_ROWS])
    return Table(columns, rows, left_out=_more(listed, words))


def _order_row(
    order: OrderRecord,
    day: date,
    units: dict[str, tuple[str, str]],
    names: dict[str, str],
    words: Language,
) -> tuple[Cell, ...]:
    issued = order.issued
    assert issued is not None
    sums: defaultdict[str, int] = defaultdict(int)
    for line in order.loaded or issued.lines:
        sums[line.good] += line.quantity
    goods = []
    for good, thousandths in sums.items():
        name, unit = units.get(good, (good, ""))
        goods.append(f"{quantity_words(thousandths / 1000, unit, words)} {isolated(name, words)}")
    start, end = (isolated(names.get(site, site), words) for site in (issued.from_site, issued.to_site))
    departs, arrives = (words.day(date.fromisoformat(when)) for when in (issued.departs, issued.arrives))
    state = (status_words(order.status, words), *((words("overdue"),) if is_overdue(order, day) else ()))
    return (
        Cell((code_of(order.id),)),
        Cell(state),
        Cell((words("{start} to {end}", start=start, end=end), isolated(issued.fleet, words))),
        Cell((departs,) if departs == arrives else (departs, arrives)),
        Cell(tuple(goods)),
    )


def exception_table(shown: Situation, words: Language) -> Table:
    """Return what people have to settle, latest first."""
    columns = (
        Column(words("what"), "name", 0.9),
        Column(words("what is wrong"), room=2.0),
        Column(words("what settles it"), room=2.0),
        Column(words("who can"), room=0.8),
    )
    rows = tuple(
        (
            Cell((words.sentence(one.kind), *((words.day(date.fromisoformat(one.date)),) if one.date else ()))),
            *_row(
                ended(words.sentence(one.message)),
                ended(words.sentence(one.remedy)),
                isolated(words.sentence(one.who), words),
            ),
        )
        for one in shown.exceptions[:MOST_ROWS]
    )
    return Table(columns, rows, left_out=_more(shown.exceptions, words))


def age_table(shown: Situation, words: Language) -> Table:
    """Return for each site how old its figures are and how they are known, the oldest first."""
    by_site: defaultdict[str, list[Stand]] = defaultdict(list)
    for stand in shown.stands:
        by_site[stand.site].append(stand)
    ordered = sorted(by_site.values(), key=lambda mine: (min(_reported(one) for one in mine), mine[0].site))
    columns = (
        Column(words("site"), "name", 1.5),
        Column(words("oldest report"), room=1.1),
        Column(words("newest report"), room=1.1),
        Column(words("last count"), room=1.1),
        *(Column(known_words(kind, words), "number") for kind in ("counted", "computed", "estimated", "unreported")),
    )
    rows = []
    for mine in ordered[:MOST_ROWS]:
        dates = [stand.as_of for stand in mine if stand.as_of is not None]
        counts = [stand.counted_on for stand in mine if stand.counted_on is not None]
        kinds = [stand.known for stand in mine]
        oldest = None if any(stand.as_of is None for stand in mine) else min(dates)
        rows.append(
            _row(
                isolated(mine[0].site_name, words),
                words.ago(oldest, shown.day),
                words.ago(max(dates, default=None), shown.day),
                words.ago(max(counts, default=None), shown.day),
                *(
                    words.number(kinds.count(kind), digits=0)
                    for kind in ("counted", "computed", "estimated", "unreported")
                ),
            )
        )
    note = words("Of the goods that a site holds or needs; numbers say how many are known in each way.")
    return Table(columns, tuple(rows), note=note, left_out=_more(ordered, words))


def _reported(stand: Stand) -> date:
    return stand.as_of or date.min
