"""A good at a site, as the books have it: its lots, what each day of late changed, and when it was counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

__all__ = ["WHOLE", "WINDOW_DAYS", "Holding", "by_expiry", "days_after"]

WINDOW_DAYS = 92
"""So long before the newest report a day's net is kept, for late counts to be compared with."""
SPARED_DAYS = 31
"""What has left the window goes once so much has: looking for it every day would take longer than all the rest."""
WHOLE = "*"
"""Stands for all lots together in the mark of a count; no lot is called so."""
KEPT_COUNTS = 4
"""So many counts of one lot on one day are kept apart, so that one of them can be taken back."""
_DAY = 10
"""A key of nets and marks is an ISO date, ten characters, and then the lot: text that sorts by date and packs well."""
_UNDATED = "9999-99-99"


def by_expiry(lot: str) -> str:
    """Return what sorts lots by when they expire; the one without a date is last."""
    return lot or _UNDATED


@lru_cache(maxsize=4096)
def days_after(day: str, days: int) -> str:
    """Return the date so many days after an ISO date (before it if negative); blank past the end of the calendar."""
    try:
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
    except OverflowError:
        return ""


class Mark:
    """A count: what was found, what the books said (both thousandths), and what counter-movements explained since.

    `number` is the count's place in the fold, `author` and `seq` tell who signed it. `explained` has by lot what they
    brought from the unexplained account to the site (below zero: took away) for what was before the count's day, and
    `explained_today` for what was on that day and before the count.
    """

    __slots__ = ("author", "before", "explained", "explained_today", "found", "number", "seq")

    def __init__(self, number: int, author: int, seq: int, *, found: int, before: int) -> None:
        self.number, self.author, self.seq = number, author, seq
        self.found, self.before = found, before
        self.explained: dict[str, int] = {}
        self.explained_today: dict[str, int] = {}

    @property
    def difference(self) -> int:
        """What is not explained yet: above zero if more was found than the books had."""
        return self.found - self.before + sum(self.explained.values()) + sum(self.explained_today.values())

    def take_over(self, other: Mark) -> None:
        """Explain what another count did that is forgotten."""
        _add(self.explained, other.explained)
        _add(self.explained_today, other.explained_today)

    def packed(self) -> list[Any]:
        """Return it as plain JSON."""
        explained = [self.explained, self.explained_today]
        return [self.number, self.author, self.seq, self.found, self.before, *explained]

    @classmethod
    def unpacked(cls, plain: Sequence[Any]) -> Mark:
        """Return the mark that `packed` gave this for."""
        number, author, seq, found, before, explained, explained_today = plain
        made = cls(number, author, seq, found=found, before=before)
        made.explained, made.explained_today = explained, explained_today
        return made


def _add(lots: dict[str, int], more: Mapping[str, int]) -> None:
    for lot, quantity in more.items():
        total = lots.get(lot, 0) + quantity
        if total:
            lots[lot] = total
        else:
            lots.pop(lot, None)


class Holding:
    """One good at one site. Quantities are thousandths of its unit, days ISO dates, `""` is the lot without a date.

    `lots` has what is there now, without zeros; `nets` what each day of the window changed, by day and lot; `used` what
    was handed out or used up a day; `marks` the counts by day and lot, as they came. `newest` is the date of the last
    report and `counted` of the last count (blank: none). It is fresh while nothing was booked since it was counted.
    """

    __slots__ = ("counted", "counted_by", "first", "is_fresh", "lots", "marks", "nets", "newest", "oldest", "used")

    def __init__(self) -> None:
        self.lots: dict[str, int] = {}
        self.nets: dict[str, int] = {}
        self.used: dict[str, int] = {}
        self.marks: dict[str, list[Mark]] = {}
        self.newest = ""
        self.first = ""
        """The first day of the window: what comes before it has no net."""
        self.oldest = _UNDATED
        """No net, use or mark that may go is of an earlier day: what saves looking for what has left the window."""
        self.counted = ""
        self.counted_by = ""
        self.is_fresh = False

    def add(self, lot: str, quantity: int, day: str) -> None:
        """Book so much more (or less, if negative) of a lot on a day."""
        total = self.lots.get(lot, 0) + quantity
        if total:
            self.lots[lot] = total
        else:
            self.lots.pop(lot, None)
        if day > self.newest:
            self.hear(day)
        elif day < self.first:
            return
        key = day + lot
        net = self.nets.get(key, 0) + quantity
        if net:
            self.nets[key] = net
            if day < self.oldest:
                self.oldest = day
        else:
            self.nets.pop(key, None)

    def hear(self, day: str) -> None:
        """Note that there was a report of this day; what leaves the window is forgotten."""
        if day <= self.newest:
            return
        self.newest = day
        self.first = days_after(day, -WINDOW_DAYS)
        if self.oldest < days_after(self.first, -SPARED_DAYS):
            self._forget()

    def _forget(self) -> None:
        """Forget what is before the window, but for the last count of all lots and of each lot that is there."""
        for daily in (self.nets, self.used):
            for key in [key for key in daily if key < self.first]:
                del daily[key]
        last: dict[str, str] = {}
        for key in self.marks:
            last[key[_DAY:]] = max(key[:_DAY], last.get(key[_DAY:], ""))
        self.marks = {
            key: counts
            for key, counts in self.marks.items()
            if key >= self.first
            or (last[key[_DAY:]] == key[:_DAY] and (key[_DAY:] == WHOLE or key[_DAY:] in self.lots))
        }
        # Marks that stay although they are old are looked at again only when something else has to go.
        kept = [key for key in self.marks if key >= self.first]
        self.oldest = min([*self.nets, *self.used, *kept], default=_UNDATED)[:_DAY]

    def use(self, quantity: int, day: str) -> None:
        """Note that so much was handed out or used up on a day (less than zero: that it was not, after all)."""
        if day >= self.first:
            total = self.used.get(day, 0) + quantity
            if total:
                self.used[day] = total
                self.oldest = min(self.oldest, day)
            else:
                self.used.pop(day, None)

    def at_end_of(self, day: str) -> Mapping[str, int]:
        """Return the lots as the books have them at the end of a day: of the window's eve, if it was before that."""
        if day >= self.newest:
            return self.lots
        day = max(day, days_after(self.first, -1))
        lots = dict(self.lots)
        for key, net in self.nets.items():
            if key[:_DAY] > day:
                lots[key[_DAY:]] = lots.get(key[_DAY:], 0) - net
        return {lot: quantity for lot, quantity in lots.items() if quantity}

    def count_after(self, lot: str, day: str) -> str:
        """Return the key of the first count of a lot (or of all lots) that is dated after a day; blank if none is."""
        if day >= self.counted:
            return ""
        covering = [key for key in self.marks if key[:_DAY] > day and key[_DAY:] in (WHOLE, lot)]
        return min(covering, key=lambda key: (key[:_DAY], key[_DAY:] != WHOLE), default="")

    def count_seeing(self, lot: str, day: str, *, number: int, until: str) -> str:
        """Return the key of the first count that saw what was booked on a day; blank if there is none by `until`.

        It is dated later, or on that day and told after the entry, whose place in the fold is `number`.
        """
        seeing = [
            key
            for key, counts in self.marks.items()
            if day <= key[:_DAY] <= until
            and key[_DAY:] in (WHOLE, lot)
            and (key[:_DAY] > day or counts[-1].number > number)
        ]
        return min(seeing, key=lambda key: (key[:_DAY], key[_DAY:] != WHOLE), default="")

    def at_hand(self, day: str) -> Mapping[str, int]:
        """Return what may still be drawn for a report of a day: what is there now or was before the next count."""
        if day >= self.counted:
            return self.lots
        before: dict[str, Mapping[str, int]] = {}
        lots = dict(self.lots)
        for lot in {*self.lots, *self.at_end_of(day)}:
            key = self.count_after(lot, day)
            if key:
                eve = days_after(key[:_DAY], -1)
                if eve not in before:
                    before[eve] = self.at_end_of(eve)
                lots[lot] = before[eve].get(lot, 0)
        return {lot: quantity for lot, quantity in lots.items() if quantity}

    def mark(self, lot: str | None, day: str, mark: Mark, *, by: str) -> Mark | None:
        """Keep a count; return the one before it of the same day and lot. `by` is the entry's id."""
        counts = self.marks.setdefault(day + (WHOLE if lot is None else lot), [])
        before = counts[-1] if counts else None
        counts.append(mark)
        if len(counts) > KEPT_COUNTS:
            counts[1].take_over(counts.pop(0))
        self.oldest = min(self.oldest, day)
        self.hear(day)
        if day >= self.counted:
            self.counted, self.counted_by = day, by
            self.is_fresh = self.is_fresh or lot is None or self.lots.keys() <= {lot}
        return before

    def unmark(self, number: int) -> tuple[str, dict[str, int]]:
        """Forget the count that has this place in the fold, since it is reversed; blank if there is none.

        Returns its day and what it explained by lot, where no other count of that day has seen that too.
        """
        forgotten: tuple[str, dict[str, int]] = ("", {})
        for key, counts in list(self.marks.items()):
            place = next((place for place, mark in enumerate(counts) if mark.number == number), None)
            if place is None:
                continue
            mark = counts.pop(place)
            explained = dict(mark.explained_today)
            if place < len(counts):
                counts[place].take_over(mark)  # Whoever counted after it has seen all that it saw.
                continue
            if counts:
                _add(counts[-1].explained, mark.explained)
            else:
                del self.marks[key]
                _add(explained, mark.explained)
            forgotten = (key[:_DAY], explained)
        if not any(key[:_DAY] == self.counted for key in self.marks):
            self.counted = max((key[:_DAY] for key in self.marks), default="")
            self.counted_by = ""
        return forgotten

    def explain(self, key: str, lot: str, quantity: int, *, day: str) -> None:
        """Note what a counter-movement brought for something of a day, by the key of the counts it is about.

        Nothing if these are forgotten.
        """
        if key in self.marks:
            mark = self.marks[key][-1]
            _add(mark.explained if day < key[:_DAY] else mark.explained_today, {lot: quantity})

    def found(self, key: str) -> tuple[int, int]:
        """Return what the last count of a key found, and what all counts of that key differ from the books together."""
        counts = self.marks[key]
        return counts[-1].found, sum(mark.difference for mark in counts)

    def marks_on(self, lot: str, day: str) -> str:
        """Return the key of the count of a day that covers a lot; blank if there is none."""
        return next((key for key in (day + WHOLE, day + lot) if key in self.marks), "")

    def packed(self) -> str:
        """Return it as canonical JSON text, equal for equal holdings."""
        marks = {key: [mark.packed() for mark in counts] for key, counts in self.marks.items()}
        head = [self.newest, self.oldest, self.counted, self.counted_by, self.is_fresh]
        plain = [*head, self.lots, self.nets, self.used, marks]
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def unpacked(cls, text: str) -> Holding:
        """Return the holding that a text of `packed` came from."""
        made = cls()
        plain: list[Any] = json.loads(text)
        made.newest, made.oldest, made.counted, made.counted_by, made.is_fresh, *rest = plain
        made.lots, made.nets, made.used, marks = rest
        made.marks = {key: [Mark.unpacked(mark) for mark in counts] for key, counts in marks.items()}
        made.first = days_after(made.newest, -WINDOW_DAYS) if made.newest else ""
        return made


def shares(lots: Mapping[str, int], quantity: int, *, otherwise: str) -> dict[str, int]:
    """Return by how much each lot changes when `quantity` of all together was found.

    What is missing is taken from the lots that expire first, what is over goes to the one that expires last (to
    `otherwise` where none is known). Lots below zero cannot lie anywhere: they come back to zero first.
    """
    changes = {lot: -here for lot, here in lots.items() if here < 0}
    missing = sum(here for here in lots.values() if here > 0) - quantity
    if missing < 0:
        last = max(lots, key=by_expiry, default=otherwise)
        changes[last] = changes.get(last, 0) - missing
    for lot in sorted(lots, key=by_expiry):
        if missing <= 0:
            break
        taken = min(max(lots[lot], 0), missing)
        missing -= taken
        changes[lot] = changes.get(lot, 0) - taken
    return {lot: change for lot, change in changes.items() if change}
