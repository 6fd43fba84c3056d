"""Orders: what each has come to by the reports about it, and the goods that it moved."""

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
Lots = Sequence[Sequence[Any]]
"""(good, lot, thousandths), sorted."""


class Progress(NamedTuple):
    """How far an order is. `waiting` are loads of an order nobody knew: dates and lines, booked when it arrives."""

    is_accepted: bool = False
    is_cancelled: bool = False
    is_all_here: bool = False
    loaded: Lots = ()
    received: Lots = ()
    loaded_on: str = ""
    received_on: str = ""
    waiting: Sequence[Sequence[Any]] = ()


class Before(NamedTuple):
    """What a step of an order changed, as it was before it: no more than the step says itself, however long the order.

    `loaded` and `received` have only the lots that the step changed, with None where there was nothing. `waiting` is
    how many loads waited, and `waited` are these where the step was the order itself, for which they did.
    """

    was_issued: bool
    is_accepted: bool
    is_cancelled: bool
    is_all_here: bool
    loaded: Lots
    received: Lots
    loaded_on: str
    received_on: str
    waiting: int
    waited: Sequence[Sequence[Any]]


class _Kept(NamedTuple):
    """An order as it is kept: the body it was issued with, its author, and the entries about it.

    `undone` are those of them that no longer count: steps that were reversed, and what reversed them.
    """

    issued: Mapping[str, Any] | None
    author: str
    history: Sequence[str]
    undone: Sequence[str]
    progress: Progress


_UNKNOWN = _Kept(None, "", (), (), Progress())


class Orders(Mapping[str, OrderRecord]):
    """All orders by id, read as `OrderRecord`; `open()` has those that are neither cancelled nor all received."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._kept: dict[str, _Kept | str] = {}
        self._open: set[str] = set()
        self._odd: set[str] = set()

    def __getitem__(self, id: str) -> OrderRecord:
        kept = self._get(id)
        if kept is _UNKNOWN:
            raise KeyError(id)
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
        return self._odd

    def find(self, code: str) -> str:
        """Return the id that a code stands for, as `codes.find` does: that of an order that was issued before others.

        Reports may name whatever id, also one that begins like an order's; they must not make its code ambiguous.
        """
        with contextlib.suppress(AbastoError):
            return find(code, (id for id in self if id not in self._odd or self._get(id).issued is not None))
        return find(code, self)

    def take(self, id: str, fact: OrderFact, entry: Entry, *, day: str) -> tuple[str, Before]:
        """Take a report about an order: note it, and book the goods that it moved, whatever is odd about it.

        Returns what is odd, or nothing, and what `undo` goes back to.
        """
        kept = self._get(id)
        kept = kept._replace(history=(*kept.history, entry.id))
        was_issued, before = kept.issued is not None, kept.progress
        if isinstance(fact, OrderIssued):
            kept = kept._replace(issued=entry.body, author=entry.author)
            kept = kept._replace(progress=self._load_waiting(id, kept))
            odd = ""
        elif isinstance(fact, OrderAccepted):
            kept = kept._replace(progress=before._replace(is_accepted=True))
            odd = "accepted" if before.is_cancelled or before.is_all_here else ""
        elif isinstance(fact, OrderLoaded):
            kept = kept._replace(progress=self._load(id, kept, fact.lines, day))
            odd = "loaded" if before.is_cancelled else ""
        elif isinstance(fact, OrderReceived):
            kept = kept._replace(progress=self._receive(id, kept, fact, day))
            odd = "received" if before.is_cancelled else ""
        else:
            odd = "cancelled" if before.is_all_here or before.is_cancelled else ""
            if not odd:
                self._bring_back(id, kept, day)
                kept = kept._replace(progress=before._replace(is_cancelled=True))
        self._keep(id, kept)
        return odd, _before(was_issued, before, kept.progress)

    def announce(self, id: str, issued: OrderIssued, *, author: str, entry: str) -> None:
        """Take in an order of another network, by the id of its promise: its goods are on their way from outside."""
        body = body_of(issued)
        history = (*self._get(id).history, entry)
        received = self._get(id).progress
        loaded: list[tuple[str, str, int]] = []
        for line in issued.lines:
            lot = self._books.fresh_lot(line.good, issued.departs) if line.lot is None else line.lot
            self._books.move(issued.departs, line.good, lot, line.quantity, OUTSIDE, order_account(id), "promised")
            loaded.append((line.good, lot, line.quantity))
        progress = received._replace(loaded=_added((), loaded), loaded_on=issued.departs, waiting=())
        self._settle(id, progress, issued.departs)
        self._keep(id, _Kept(body, author, history, (), progress))

    def sent(self, id: str, lines: Sequence[Line], *, entry: str, day: str, is_more: bool) -> None:
        """Let what another network loaded be on its way, in place of what it promised, or besides what it loaded."""
        kept = self._get(id)
        loaded = [
            (one.good, self._books.fresh_lot(one.good, day) if one.lot is None else one.lot, one.quantity)
            for one in lines
        ]
        after = _added(kept.progress.loaded if is_more else (), loaded)
        more = {(good, lot): quantity for good, lot, quantity in after}
        for good, lot, quantity in kept.progress.loaded:
            more[good, lot] = more.get((good, lot), 0) - quantity
        for (good, lot), quantity in sorted(more.items()):
            if quantity > 0:
                self._books.move(day, good, lot, quantity, OUTSIDE, order_account(id), "promised")
            elif quantity < 0:
                self._books.move(day, good, lot, -quantity, order_account(id), OUTSIDE, "withdrawn")
        progress = kept.progress._replace(loaded=after, loaded_on=day, is_cancelled=False)
        self._settle(id, progress, day)
        self._keep(id, kept._replace(history=(*kept.history, entry), progress=progress))

    def withdraw(self, id: str, *, entry: str, day: str) -> None:
        """Let what another network promised and did not send be outside again."""
        kept = self._get(id)
        for (good, lot), rest in self._books.on_the_way(id).items():
            if rest > 0:
                self._books.move(day, good, lot, rest, order_account(id), OUTSIDE, "withdrawn")
        progress = kept.progress._replace(is_cancelled=not kept.progress.is_all_here)
        self._keep(id, kept._replace(history=(*kept.history, entry), progress=progress))

    def undo(self, id: str, before: Before, *, entry: str, by: str) -> bool:
        """Let an order be as it was before its last step; False if `entry` is not that, and then nothing changes."""
        kept = self._get(id)
        steps = [one for one in kept.history if one not in kept.undone]
        if not steps or steps[-1] != entry:
            return False
        was_issued, progress = before.was_issued, _back(kept.progress, before)
        if not was_issued and len(steps) == 1:
            # The order itself is taken back: reports that still come in should find it, and find it cancelled.
            was_issued, progress = True, progress._replace(is_cancelled=True)
        issued = kept.issued if was_issued else None
        self._keep(id, _Kept(issued, kept.author, (*kept.history, by), (*kept.undone, entry, by), progress))
        return True

    def _load_waiting(self, id: str, kept: _Kept) -> Progress:
        waiting = kept.progress.waiting
        kept = kept._replace(progress=kept.progress._replace(waiting=()))
        for day, lines in waiting:
            kept = kept._replace(progress=self._load(id, kept, [Line(*line) for line in lines], day))
        return kept.progress

    def _load(self, id: str, kept: _Kept, lines: Sequence[Line], day: str) -> Progress:
        before = kept.progress
        if kept.issued is None:
            plain = [[line.good, line.quantity, line.lot] for line in lines]
            return before._replace(waiting=(*before.waiting, [day, plain]), is_cancelled=False)
        account = order_account(id)
        loaded: list[tuple[str, str, int]] = []
        for line in lines:
            taken = self._books.take_out(
                day, line.good, line.lot, line.quantity, kept.issued["from"], account, "loaded"
            )
            loaded += [(line.good, lot, quantity) for lot, quantity in taken]
        after = before._replace(loaded=_added(before.loaded, loaded), loaded_on=day, is_cancelled=False)
        self._settle(id, after, day)
        return after

    def _receive(self, id: str, kept: _Kept, fact: OrderReceived, day: str) -> Progress:
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
        after = before._replace(
            received=_added(before.received, received),
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
            for good, lot, quantity in (*kept.progress.received, *received):
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
        kept = self._kept.get(id, _UNKNOWN)
        if isinstance(kept, _Kept):
            return kept
        issued, author, history, undone, progress = json.loads(kept)
        return _Kept(issued, author, history, undone, Progress(*progress))

    def _keep(self, id: str, kept: _Kept) -> None:
        self._kept[id] = kept
        if _status(kept) in ("issued", "accepted", "loaded"):
            self._open.add(id)
        else:
            self._open.discard(id)
        if _is_odd(kept):
            self._odd.add(id)
        else:
            self._odd.discard(id)

    def packed(self) -> Iterator[tuple[str, str]]:
        """Yield every order's id and what is kept of it as text, sorted."""
        for id in sorted(self._kept):
            kept = self._kept[id]
            if isinstance(kept, _Kept):
                kept = json.dumps(kept, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            yield id, kept

    def plain(self) -> dict[str, list[str]]:
        """Return which orders are open or odd."""
        return {"odd": sorted(self._odd), "open": sorted(self._open)}

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
    had = {(good, lot): quantity for good, lot, quantity in loaded}
    more = [(good, lot, quantity - had.get((good, lot), 0)) for good, lot, quantity in received]
    return tuple(one for one in more if one[2] > 0)


def _added(lots: Lots, more: Sequence[tuple[str, str, int]]) -> Lots:
    sums: dict[tuple[str, str], int] = {}
    for good, lot, quantity in (*lots, *more):
        sums[good, lot] = sums.get((good, lot), 0) + quantity
    return tuple((good, lot, sums[good, lot]) for good, lot in sorted(sums))


def _before(was_issued: bool, before: Progress, after: Progress) -> Before:
    """Return what there was before a step, where the step changed it."""
    return Before(
        was_issued=was_issued,
        is_accepted=before.is_accepted,
        is_cancelled=before.is_cancelled,
        is_all_here=before.is_all_here,
        loaded=_changed(before.loaded, after.loaded),
        received=_changed(before.received, after.received),
        loaded_on=before.loaded_on,
        received_on=before.received_on,
        waiting=len(before.waiting),
        waited=before.waiting if len(after.waiting) < len(before.waiting) else (),
    )


def _back(progress: Progress, before: Before) -> Progress:
    """Return how far an order was before a step, given how far it is just after it."""
    return Progress(
        is_accepted=before.is_accepted,
        is_cancelled=before.is_cancelled,
        is_all_here=before.is_all_here,
        loaded=_restored(progress.loaded, before.loaded),
        received=_restored(progress.received, before.received),
        loaded_on=before.loaded_on,
        received_on=before.received_on,
        waiting=before.waited or progress.waiting[: before.waiting],
    )


def _changed(before: Lots, after: Lots) -> Lots:
    """Return the lots that are not as they were, with what there was (None: nothing)."""
    was = {(good, lot): quantity for good, lot, quantity in before}
    return tuple((good, lot, was.get((good, lot))) for good, lot, quantity in after if was.get((good, lot)) != quantity)


def _restored(lots: Lots, changed: Lots) -> Lots:
    """Return lots as they were before some of them changed."""
    now = {(good, lot): quantity for good, lot, quantity in (*lots, *changed)}
    return tuple((good, lot, now[good, lot]) for good, lot in sorted(now) if now[good, lot] is not None)


def _lines(lots: Lots) -> tuple[Line, ...]:
    return tuple(Line(good, quantity, lot) for good, lot, quantity in lots)


def _difference(progress: Progress) -> tuple[Line, ...]:
    sums: dict[str, int] = {}
    for sign, lots in ((1, progress.loaded), (-1, progress.received)):
        for good, _, quantity in lots:
            sums[good] = sums.get(good, 0) + sign * quantity
    return tuple(Line(good, quantity) for good, quantity in sorted(sums.items()) if quantity)
