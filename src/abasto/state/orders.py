"""Orders: what each has come to by the reports about it, and the goods that it moved.

A report takes as long as it has lines, however many came about its order before: what an order comes to is changed in
its place, and never gone through.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from abasto.errors import AbastoError
from abasto.facts.codes import find
from abasto.facts.kinds import (
    Line,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    body_of,
    fact_of,
)
from abasto.journal.entry import Entry
from abasto.state.accounts import LOST, OUTSIDE, order_account, site_account
from abasto.state.books import Books
from abasto.state.types import OrderRecord, OrderStatus

__all__ = ["Before", "OrderFact", "Orders", "never_loaded"]

OrderFact = OrderIssued | OrderAccepted | OrderLoaded | OrderReceived | OrderCancelled
Lots = dict[tuple[str, str], int]
"""Thousandths by good and lot."""
Was = dict[tuple[str, str], int | None]
"""What there was of lots that a step changed, None where there was nothing."""


class Progress(NamedTuple):
    """How far an order is. `waiting` are loads of an order nobody knew: dates and lines, booked when it arrives."""

    is_accepted: bool
    is_cancelled: bool
    is_all_here: bool
    loaded: Lots
    received: Lots
    loaded_on: str
    received_on: str
    waiting: list[Sequence[Any]]


class Before(NamedTuple):
    """What a step of an order changed, as it was before it: no more than the step says itself, however long the order.

    `loaded` and `received` have only the lots that the step changed, as (good, lot, thousandths), with None where there
    was nothing. `waiting` is how many loads waited, and `waited` are these where the step was the order itself, for
    which they did.
    """

    was_issued: bool
    is_accepted: bool
    is_cancelled: bool
    is_all_here: bool
    loaded: Sequence[Sequence[Any]]
    received: Sequence[Sequence[Any]]
    loaded_on: str
    received_on: str
    waiting: int
    waited: Sequence[Sequence[Any]]


class _Kept(NamedTuple):
    """An order as it is kept: the body it was issued with, its author, and the entries about it.

    `steps` are those of them that count: all but steps that were reversed, and what reversed them.
    """

    issued: Mapping[str, Any] | None
    author: str
    history: list[str]
    steps: list[str]
    progress: Progress

    def note(self, entry: str) -> None:
        """Note an entry about the order."""
        self.history.append(entry)
        self.steps.append(entry)

    def text(self) -> str:
        """Return it as canonical JSON."""
        steps, progress = set(self.steps), self.progress
        undone = [entry for entry in self.history if entry not in steps]
        lots = [[[*key, quantity] for key, quantity in sorted(one.items())] for one in progress[3:5]]
        plain = [self.issued, self.author, self.history, undone, [*progress[:3], *lots, *progress[5:]]]
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def read(cls, text: str) -> _Kept:
        """Return what `text` came from."""
        issued, author, history, undone, progress = json.loads(text)
        gone = set(undone)
        lots = [{(good, lot): quantity for good, lot, quantity in one} for one in progress[3:5]]
        steps = [entry for entry in history if entry not in gone]
        return cls(issued, author, history, steps, Progress(*progress[:3], *lots, *progress[5:]))


class Orders(Mapping[str, OrderRecord]):
    """All orders by id, read as `OrderRecord`; `open()` has those that are neither cancelled nor all received."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._kept: dict[str, _Kept | str] = {}
        self._open: set[str] = set()
        self._odd: set[str] = set()
        self._touched: set[str] = set()
        """Of which it is not known whether they are odd now."""

    def __getitem__(self, id: str) -> OrderRecord:
        if id not in self._kept:
            raise KeyError(id)
        kept = self._get(id)
        progress = kept.progress
        return OrderRecord(
            id=id,
            issued=_issued(kept),
            status=_status(kept),
            author=kept.author,
            loaded=_lines(progress.loaded),
            received=_lines(progress.received),
            difference=_difference(progress) if progress.is_all_here and progress.loaded_on else (),
            loaded_on=progress.loaded_on,
            received_on=progress.received_on,
            history=tuple(kept.history),
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def open(self) -> list[OrderRecord]:
        """Return the orders that were issued and are neither cancelled nor all received, by id."""
        return [self[id] for id in sorted(self._open)]

    def odd(self) -> set[str]:
        """Return the ids of orders that are unknown, differ on the way, were received and never loaded, or were
        cancelled after more of a lot was received than loaded.
        """
        for id in self._touched:
            if _is_odd(self._get(id)):
                self._odd.add(id)
            else:
                self._odd.discard(id)
        self._touched.clear()
        return self._odd

    def brief(self, id: str) -> tuple[OrderIssued | None, OrderStatus]:
        """Return what an order was issued with and its status, without all that was reported of it."""
        kept = self._get(id)
        if id in self._kept:
            self._kept[id] = kept
        return _issued(kept), _status(kept)

    def find(self, code: str) -> str:
        """Return the id that a code stands for, as `codes.find` does: that of an order that was issued before others.

        Reports may name whatever id, also one that begins like an order's; they must not make its code ambiguous.
        """
        odd = self.odd()
        with contextlib.suppress(AbastoError):
            return find(code, (id for id in self if id not in odd or self._get(id).issued is not None))
        return find(code, self)

    def take(self, id: str, fact: OrderFact, entry: Entry, *, day: str) -> tuple[str, Before]:
        """Take a report about an order: note it, and book the goods that it moved, whatever is odd about it.

        Returns what is odd, or nothing, and what `undo` goes back to.
        """
        kept = self._get(id)
        kept.note(entry.id)
        was_issued, before = kept.issued is not None, kept.progress
        waiting, loaded, received = len(before.waiting), Was(), Was()
        if isinstance(fact, OrderIssued):
            kept = kept._replace(issued=entry.body, author=entry.author)
            kept = kept._replace(progress=self._load_waiting(id, kept, loaded))
            odd = ""
        elif isinstance(fact, OrderAccepted):
            kept = kept._replace(progress=before._replace(is_accepted=True))
            odd = "accepted" if before.is_cancelled or before.is_all_here else ""
        elif isinstance(fact, OrderLoaded):
            kept = kept._replace(progress=self._load(id, kept, fact.lines, day, loaded))
            odd = "loaded" if before.is_cancelled else ""
        elif isinstance(fact, OrderReceived):
            kept = kept._replace(progress=self._receive(id, kept, fact, day, received))
            odd = "received" if before.is_cancelled else ""
        else:
            odd = "cancelled" if before.is_all_here or before.is_cancelled else ""
            if not odd:
                self._bring_back(id, kept, day)
                kept = kept._replace(progress=before._replace(is_cancelled=True))
        self._keep(id, kept)
        return odd, Before(
            was_issued=was_issued,
            is_accepted=before.is_accepted,
            is_cancelled=before.is_cancelled,
            is_all_here=before.is_all_here,
            loaded=_changed(loaded, kept.progress.loaded),
            received=_changed(received, kept.progress.received),
            loaded_on=before.loaded_on,
            received_on=before.received_on,
            waiting=waiting,
            waited=before.waiting if len(kept.progress.waiting) < waiting else (),
        )

    def announce(self, id: str, issued: OrderIssued, *, author: str, entry: str) -> None:
        """Take in an order of another network, by the id of its promise: its goods are on their way from outside."""
        kept = self._get(id)
        kept.note(entry)
        loaded: list[tuple[str, str, int]] = []
        for line in issued.lines:
            lot = self._books.fresh_lot(line.good, issued.departs) if line.lot is None else line.lot
            self._books.move(issued.departs, line.good, lot, line.quantity, OUTSIDE, order_account(id), "promised")
            loaded.append((line.good, lot, line.quantity))
        progress = kept.progress._replace(loaded={}, loaded_on=issued.departs, waiting=[])
        _add(progress.loaded, loaded)
        self._settle(id, progress, issued.departs)
        self._keep(id, _Kept(body_of(issued), author, kept.history, list(kept.history), progress))

    def sent(self, id: str, lines: Sequence[Line], *, entry: str, day: str, is_more: bool) -> None:
        """Let what another network loaded be on its way, in place of what it promised, or besides what it loaded."""
        kept = self._get(id)
        loaded = [
            (one.good, self._books.fresh_lot(one.good, day) if one.lot is None else one.lot, one.quantity)
            for one in lines
        ]
        more, after = Lots(), kept.progress.loaded
        _add(more, loaded)
        if is_more:
            _add(after, loaded)
        else:
            for key, quantity in after.items():
                more[key] = more.get(key, 0) - quantity
            after = Lots()
            _add(after, loaded)
        for (good, lot), quantity in sorted(more.items()):
            if quantity > 0:
                self._books.move(day, good, lot, quantity, OUTSIDE, order_account(id), "promised")
            elif quantity < 0:
                self._books.move(day, good, lot, -quantity, order_account(id), OUTSIDE, "withdrawn")
        progress = kept.progress._replace(loaded=after, loaded_on=day, is_cancelled=False)
        self._settle(id, progress, day)
        kept.note(entry)
        self._keep(id, kept._replace(progress=progress))

    def withdraw(self, id: str, *, entry: str, day: str) -> None:
        """Let what another network promised and did not send be outside again."""
        kept = self._get(id)
        for (good, lot), rest in self._books.on_the_way(id).items():
            if rest > 0:
                self._books.move(day, good, lot, rest, order_account(id), OUTSIDE, "withdrawn")
        progress = kept.progress._replace(is_cancelled=not kept.progress.is_all_here)
        kept.note(entry)
        self._keep(id, kept._replace(progress=progress))

    def undo(self, id: str, before: Before, *, entry: str, by: str) -> bool:
        """Let an order be as it was before its last step; False if `entry` is not that, and then nothing changes."""
        kept = self._get(id)
        if not kept.steps or kept.steps[-1] != entry:
            return False
        was_issued, progress = before.was_issued, _back(kept.progress, before)
        if not was_issued and len(kept.steps) == 1:
            # The order itself is taken back: reports that still come in should find it, and find it cancelled.
            was_issued, progress = True, progress._replace(is_cancelled=True)
        kept.steps.pop()
        kept.history.append(by)
        self._keep(id, kept._replace(issued=kept.issued if was_issued else None, progress=progress))
        return True

    def _load_waiting(self, id: str, kept: _Kept, was: Was) -> Progress:
        waiting = kept.progress.waiting
        kept = kept._replace(progress=kept.progress._replace(waiting=[]))
        for day, lines in waiting:
            kept = kept._replace(progress=self._load(id, kept, [Line(*line) for line in lines], day, was))
        return kept.progress

    def _load(self, id: str, kept: _Kept, lines: Sequence[Line], day: str, was: Was) -> Progress:
        before = kept.progress
        if kept.issued is None:
            plain = [[line.good, line.quantity, line.lot] for line in lines]
            before.waiting.append([day, plain])
            return before._replace(is_cancelled=False)
        account = order_account(id)
        loaded: list[tuple[str, str, int]] = []
        for line in lines:
            taken = self._books.take_out(
                day, line.good, line.lot, line.quantity, kept.issued["from"], account, "loaded"
            )
            loaded += [(line.good, lot, quantity) for lot, quantity in taken]
        _add(before.loaded, loaded, was)
        after = before._replace(loaded_on=day, is_cancelled=False)
        self._settle(id, after, day)
        return after

    def _receive(self, id: str, kept: _Kept, fact: OrderReceived, day: str, was: Was) -> Progress:
        before = kept.progress
        received: list[tuple[str, str, int]] = []
        account, target = order_account(id), site_account(fact.site)
        for line in fact.lines:
            lots = [("" if line.lot is None else line.lot, line.quantity)]
            if line.lot is None:
                lots = self._lots_of(id, kept, line, received, day)
            for lot, quantity in lots:
                self._books.move(day, line.good, lot, quantity, account, target, "received")
            received += [(line.good, lot, quantity) for lot, quantity in lots]
        _add(before.received, received, was)
        after = before._replace(
            received_on=day,
            is_all_here=before.is_all_here or not fact.more_to_come,
            is_cancelled=False,
        )
        self._settle(id, after, day)
        return after

    def _lots_of(
        self, id: str, kept: _Kept, line: Line, received: Sequence[tuple[str, str, int]], day: str
    ) -> list[tuple[str, int]]:
        """Return which lots arrived where nobody said: those on the way, else (not loaded yet) those ordered."""
        fresh = self._books.fresh_lot(line.good, day)
        ordered: dict[str, int] = {}
        issued = _issued(kept)
        if issued is not None and not kept.progress.loaded_on:
            for one in issued.lines:
                if one.good == line.good:
                    lot = fresh if one.lot is None else one.lot
                    ordered[lot] = ordered.get(lot, 0) + one.quantity
            here = kept.progress.received
            for lot in ordered:
                ordered[lot] -= here.get((line.good, lot), 0)
            for good, lot, quantity in received:
                if good == line.good and lot in ordered:
                    ordered[lot] -= quantity
        return self._books.draw_order(id, line.good, line.quantity, expected=ordered, otherwise=fresh)

    def _settle(self, id: str, progress: Progress, day: str) -> None:
        """Book what is still on the way, once all has come, as lost there; what came in excess, the other way."""
        if not (progress.is_all_here and progress.loaded_on):
            return
        account = order_account(id)
        for (good, lot), rest in self._books.on_the_way(id).items():
            if rest > 0:
                self._books.move(day, good, lot, rest, account, LOST, "lost on the way")
            else:
                self._books.move(day, good, lot, -rest, LOST, account, "lost on the way")

    def _bring_back(self, id: str, kept: _Kept, day: str) -> None:
        if kept.issued is None:
            return
        for (good, lot), rest in self._books.on_the_way(id).items():
            if rest > 0:
                site = site_account(kept.issued["from"])
                self._books.move(day, good, lot, rest, order_account(id), site, "brought back")

    def _get(self, id: str) -> _Kept:
        kept = self._kept.get(id)
        if kept is None:
            return _Kept(None, "", [], [], Progress(False, False, False, {}, {}, "", "", []))
        return kept if isinstance(kept, _Kept) else _Kept.read(kept)

    def _keep(self, id: str, kept: _Kept) -> None:
        self._kept[id] = kept
        if _status(kept) in ("issued", "accepted", "loaded"):
            self._open.add(id)
        else:
            self._open.discard(id)
        self._touched.add(id)

    def packed(self) -> Iterator[tuple[str, str]]:
        """Yield every order's id and what is kept of it as text, sorted."""
        for id in sorted(self._kept):
            kept = self._kept[id]
            yield id, kept.text() if isinstance(kept, _Kept) else kept

    def plain(self) -> dict[str, list[str]]:
        """Return which orders are open or odd."""
        return {"odd": sorted(self.odd()), "open": sorted(self._open)}

    def restore(self, plain: Mapping[str, Any], packed: Mapping[str, str]) -> None:
        """Take over what `plain` and `packed` gave; an order is read when it is asked for."""
        self._kept = dict(packed)
        self._open = set(plain["open"])
        self._odd = set(plain["odd"])


def _issued(kept: _Kept) -> OrderIssued | None:
    if kept.issued is None:
        return None
    fact = fact_of(OrderIssued.KIND, kept.issued)
    assert isinstance(fact, OrderIssued)
    return fact


def _status(kept: _Kept) -> OrderStatus:
    progress = kept.progress
    if kept.issued is None:
        return "unknown"
    if progress.is_cancelled:
        return "cancelled"
    if progress.is_all_here:
        return "received"
    if progress.loaded_on or progress.received_on:
        return "loaded"
    return "accepted" if progress.is_accepted else "issued"


def _is_odd(kept: _Kept) -> bool:
    progress = kept.progress
    if kept.issued is None or (progress.received_on and not progress.loaded_on):
        return True
    if progress.is_cancelled and progress.loaded_on and never_loaded(progress.loaded, progress.received):
        return True
    return progress.is_all_here and bool(_difference(progress))


def never_loaded(loaded: Lots, received: Lots) -> Lots:
    """Return what was received of each lot beyond what was loaded of it.

    Of an order that was cancelled it is in no place: what was loaded in its stead went back.
    """
    more = {key: quantity - loaded.get(key, 0) for key, quantity in received.items()}
    return {key: quantity for key, quantity in more.items() if quantity > 0}


def _add(lots: Lots, more: Sequence[tuple[str, str, int]], was: Was | None = None) -> None:
    """Add what came of some lots, and note in `was` what there was of each before."""
    for good, lot, quantity in more:
        before = lots.get((good, lot))
        if was is not None:
            was.setdefault((good, lot), before)
        lots[good, lot] = (before or 0) + quantity


def _changed(was: Was, now: Lots) -> Sequence[Sequence[Any]]:
    """Return the lots that are not as they were, with what there was (None: nothing)."""
    return tuple((*key, before) for key, before in sorted(was.items()) if now[key] != before)


def _back(progress: Progress, before: Before) -> Progress:
    """Return how far an order was before a step, given how far it is just after it."""
    for lots, changed in ((progress.loaded, before.loaded), (progress.received, before.received)):
        for good, lot, quantity in changed:
            if quantity is None:
                del lots[good, lot]
            else:
                lots[good, lot] = quantity
    waiting = progress.waiting
    del waiting[before.waiting :]
    return Progress(
        is_accepted=before.is_accepted,
        is_cancelled=before.is_cancelled,
        is_all_here=before.is_all_here,
        loaded=progress.loaded,
        received=progress.received,
        loaded_on=before.loaded_on,
        received_on=before.received_on,
        waiting=list(before.waited) or waiting,
    )


def _lines(lots: Lots) -> tuple[Line, ...]:
    return tuple(Line(good, quantity, lot) for (good, lot), quantity in sorted(lots.items()))


def _difference(progress: Progress) -> tuple[Line, ...]:
    sums: dict[str, int] = {}
    for sign, lots in ((1, progress.loaded), (-1, progress.received)):
        for (good, _), quantity in lots.items():
            sums[good] = sums.get(good, 0) + sign * quantity
    return tuple(Line(good, quantity) for good, quantity in sorted(sums.items()) if quantity)
