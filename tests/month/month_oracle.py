"""A second ledger, slow and obvious: every movement in one list, and every question answered by adding it up again.

It reads nothing but the bytes of entries and shares no code with `abasto.journal` and `abasto.state`. What it holds to
are the rules in words: which entries count (chains, forks, order), which accounts goods move between, which lots leave
first, and what a count, a late report and a reversal do.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from abasto.errors import FactError
from abasto.facts.kinds import fact_of

__all__ = ["Booked", "Ledger", "applied", "ledger_of"]

Account = tuple[str, str]
Body = dict[str, Any]
Lots = dict[str, int]
OUTSIDE, CONSUMED, MADE = ("outside", ""), ("consumed", ""), ("made", "")
LOST, UNEXPLAINED = ("lost", ""), ("unexplained", "")
WILD_DAYS, WILD_FACTS, WILD_LEAST, WILD_OF_ONE = 180, 31, 5, 10
EVER = "9999-12-31"


class Booked(NamedTuple):
    """`quantity` thousandths went from one account to another; an account is its kind and perhaps a name."""

    entry: str
    date: str
    good: str
    lot: str
    quantity: int
    source: Account
    target: Account
    why: str


class Counted(NamedTuple):
    """A count that was applied, of one lot or of all (None); `number` is its entry's place in the fold."""

    entry: str
    number: int
    site: str
    good: str
    lot: str | None
    date: str


@dataclass
class Order:
    """What has been reported of an order; `steps` are the entries about it that stand, `waiting` loads of nobody's."""

    site: str | None = None
    lines: list[Body] = field(default_factory=list)
    is_loaded: bool = False
    is_all_here: bool = False
    is_cancelled: bool = False
    received: list[tuple[str, str, int]] = field(default_factory=list)
    waiting: list[tuple[str, list[Body]]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)


def applied(raws: Iterable[bytes]) -> list[tuple[str, Body]]:
    """Return the entries that count, by id, in the order of the fold: the unbroken, unforked chain of each author."""
    found = {}
    for raw in raws:
        digest = hashlib.blake2b(b"abasto/entry/1\0" + raw, digest_size=32).digest()
        found[_text(digest)] = json.loads(raw)
    signed = defaultdict(list)
    for id, entry in found.items():
        signed[entry["a"], entry["seq"]].append(id)
    forked: dict[str, int] = {}
    for (author, seq), ids in signed.items():
        if len(ids) > 1:
            forked[author] = min(seq, forked.get(author, seq))
    last: dict[str, tuple[int, str, int]] = {}
    kept = []
    for id, entry in sorted(found.items(), key=lambda item: (item[1]["lc"], item[0])):
        author = entry["a"]
        seq, prev, lc = last.get(author, (0, _text(bytes(32)), 0))
        is_frozen = author in forked and entry["seq"] >= forked[author]
        if entry["seq"] == seq + 1 and entry["prev"] == prev and entry["lc"] > lc and not is_frozen:
            last[author] = (entry["seq"], id, entry["lc"])
            kept.append((id, entry))
    return kept


def ledger_of(raws: Iterable[bytes]) -> Ledger:
    """Return the ledger that a set of entries comes to."""
    ledger = Ledger()
    for number, (id, entry) in enumerate(applied(raws)):
        ledger.apply(id, number, entry["k"], entry["body"], entry["a"])
    return ledger


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _by_expiry(lot: str) -> tuple[bool, str]:
    return lot == "", lot


@dataclass
class Ledger:
    """All that was booked, in the order of the fold, and the little else that later bookings depend on."""

    booked: list[Booked] = field(default_factory=list)
    lines: dict[tuple[Account, str], list[tuple[str, str, int]]] = field(default_factory=lambda: defaultdict(list))
    """The same by account and good: dates, lots and changes."""
    counts: list[Counted] = field(default_factory=list)
    explained: dict[tuple[Any, ...], list[tuple[str, int, str, int]]] = field(default_factory=lambda: defaultdict(list))
    """What was brought to a site (below zero: taken away) because its counts of a day and lot knew better: the lot, how
    much, and the date and place in the fold of what they had seen.
    """
    known: set[tuple[str, str]] = field(default_factory=set)
    goods_rows: dict[str, list[tuple[str, Body]]] = field(default_factory=lambda: defaultdict(list))
    """The rows of each good and the entries that set them; the last one stands."""
    orders: dict[str, Order] = field(default_factory=lambda: defaultdict(Order))
    facts: dict[str, tuple[int, str, Body]] = field(default_factory=dict)
    undone: set[str] = field(default_factory=set)
    before: dict[str, Order] = field(default_factory=dict)
    """What an order had come to before an entry about it."""
    refs: set[str] = field(default_factory=set)
    dates: list[tuple[str, str]] = field(default_factory=list)
    _number: int = 0
    _entry: str = ""

    # Questions

    def balance(self, account: Account, good: str, *, until: str = EVER) -> Lots:
        """Return what lies in an account by lot, at the end of a day or of all; lots of nothing are left out."""
        lots: Lots = defaultdict(int)
        for day, lot, change in self.lines[account, good]:
            if day <= until:
                lots[lot] += change
        return {lot: quantity for lot, quantity in lots.items() if quantity}

    def goods_of(self, account: Account) -> list[str]:
        return [good for one, good in list(self.lines) if one == account]

    def count_after(self, site: str, good: str, lot: str, day: str) -> Counted | None:
        """Return the first count after a day that saw a lot; on one day, that of all lots before that of one."""
        return first_count(one for one in self.counts_of(site, good, lot) if one.date > day)

    def counts_of(self, site: str, good: str, lot: str) -> list[Counted]:
        return [one for one in self.counts if (one.site, one.good) == (site, good) and one.lot in (None, lot)]

    # Booking

    def book(self, day: str, good: str, lot: str, quantity: int, source: Account, target: Account, why: str) -> None:
        if quantity:
            self.booked.append(Booked(self._entry, day, good, lot, quantity, source, target, why))
            self.lines[source, good].append((day, lot, -quantity))
            self.lines[target, good].append((day, lot, quantity))

    def move(self, day: str, good: str, lots: Lots, source: Account, target: Account, why: str) -> None:
        """Book a movement lot by lot; what is before a count at either end is explained away at that count."""
        for lot, quantity in lots.items():
            self.book(day, good, lot, quantity, source, target, why)
            for (kind, site), change in ((source, -quantity), (target, quantity)):
                if kind == "site":
                    self.known.add((site, good))
                    counted = self.count_after(site, good, lot, day)
                    if counted is not None:
                        seen = (day, self._number)
                        self.against_count(counted.date, good, lot, change, site, counted=counted, seen=seen)

    def against_count(
        self,
        day: str,
        good: str,
        lot: str,
        change: int,
        site: str,
        *,
        counted: Counted | None,
        seen: tuple[str, int],
    ) -> None:
        """Take back on a day what a booking changed at a site, since a count knows better."""
        source, target = (("site", site), UNEXPLAINED) if change > 0 else (UNEXPLAINED, ("site", site))
        self.book(day, good, lot, abs(change), source, target, "count explained")
        if counted is not None:
            self.explained[counted[2:]].append((lot, -change, *seen))

    def new_lot(self, good: str, day: str) -> str:
        """Return the lot of goods that are taken in or made on a day without saying so."""
        rows = self.goods_rows[good]
        days = rows[-1][1].get("shelf_life_days") if rows else None
        return (date.fromisoformat(day) + timedelta(days=int(float(days)))).isoformat() if days else ""

    def at_hand(self, site: str, good: str, day: str) -> Lots:
        """Return what could be drawn on a day: what is there now, but of a lot counted since, what was there before."""
        account = ("site", site)
        now, then = self.balance(account, good), self.balance(account, good, until=day)
        lots = {}
        for lot in {*now, *then}:
            counted = self.count_after(site, good, lot, day)
            if counted is None:
                lots[lot] = now.get(lot, 0)
            else:
                eve = (date.fromisoformat(counted.date) - timedelta(days=1)).isoformat()
                lots[lot] = self.balance(account, good, until=eve).get(lot, 0)
        return {lot: quantity for lot, quantity in lots.items() if quantity}

    def take(self, day: str, site: str, line: Body, target: Account, why: str) -> None:
        """Take goods from a site: the lot that is named, or those that expire first."""
        good, quantity = line["good"], line["quantity"]
        if "lot" in line:
            lots = {line["lot"]: quantity}
        else:
            lots = first_to_expire(self.at_hand(site, good, day), quantity, otherwise=self.new_lot(good, day))
        self.known.add((site, good))
        self.move(day, good, lots, ("site", site), target, why)

    def put(self, day: str, site: str, line: Body, source: Account, why: str) -> None:
        self.known.add((site, line["good"]))
        lot = line.get("lot", self.new_lot(line["good"], day))
        self.move(day, line["good"], {lot: line["quantity"]}, source, ("site", site), why)

    # Facts, one function each

    def apply(self, id: str, number: int, kind: str, body: Body, author: str) -> None:
        """Book what a fact says, on its date or, where its clock is years off, on that of its neighbours."""
        try:
            fact_of(kind, body)
        except FactError:
            return
        if body.get("ref"):
            if body["ref"] in self.refs:
                return
            self.refs.add(body["ref"])
        self._entry, self._number = id, number
        self.facts[id] = (number, kind, body)
        day = self.date_of(body["date"], author) if body.get("date") else ""
        booking = getattr(self, "fact_" + kind.replace(".", "_"), None)
        if booking is not None:
            booking(day, body)

    def date_of(self, claimed: str, author: str) -> str:
        """Return the date on which a fact is booked, and remember what it claimed."""
        recent = sorted(day for day, _ in self.dates)
        self.dates.append((claimed, author))
        mine = [one for one in self.dates if one[1] == author]
        if WILD_OF_ONE < len(mine) < len(self.dates):
            self.dates.remove(mine[0])
        self.dates = self.dates[-WILD_FACTS:]
        if len(recent) >= WILD_LEAST:
            median = recent[(len(recent) - 1) // 2]
            if abs((date.fromisoformat(claimed) - date.fromisoformat(median)).days) > WILD_DAYS:
                return median
        return claimed

    def fact_row_set(self, day: str, body: Body) -> None:
        row = body["row"]
        if body["table"] == "goods":
            self.goods_rows[row["good"]] = [*self.goods_rows[row["good"]], (self._entry, row)]
        if body["table"] == "stocks":
            eve = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
            lot = row.get("expires") or self.new_lot(row["good"], eve)
            self.count(day, row["site"], row["good"], lot, round(float(row["quantity"]) * 1000), is_opening=True)

    def fact_stock_counted(self, day: str, body: Body) -> None:
        self.count(day, body["site"], body["good"], body.get("lot"), body["quantity"])

    def count(self, day: str, site: str, good: str, lot: str | None, found: int, *, is_opening: bool = False) -> None:
        """Book what a count found against the books of the end of its day; the first that is known opens them."""
        account = ("site", site)
        here = self.balance(account, good, until=day)
        is_first = (site, good) not in self.known or (is_opening and lot not in self.balance(account, good))
        other, more, less = (OUTSIDE, "opening", "") if is_first else (UNEXPLAINED, "counted more", "counted less")
        if lot is not None:
            changes = {lot: found - here.get(lot, 0)}
        else:
            changes = whole_count(here, found, otherwise=self.new_lot(good, day))
        self.known.add((site, good))
        for one, change in sorted(changes.items(), key=lambda item: _by_expiry(item[0])):
            if change > 0:
                self.move(day, good, {one: change}, other, account, more)
            elif change < 0:
                self.move(day, good, {one: -change}, account, other, less)
        self.counts.append(Counted(self._entry, self._number, site, good, lot, day))

    def fact_goods_taken_in(self, day: str, body: Body) -> None:
        self.put(day, body["site"], body, OUTSIDE, "taken in")

    def fact_goods_handed_out(self, day: str, body: Body) -> None:
        self.take(day, body["site"], body, CONSUMED, "handed out")

    def fact_goods_lost(self, day: str, body: Body) -> None:
        is_spoiled = body.get("cause") == "spoiled" or "" < body.get("lot", "") < day
        self.take(day, body["site"], body, LOST, "spoiled" if is_spoiled else "lost")

    def fact_goods_made(self, day: str, body: Body) -> None:
        for line in body["lines"]:
            if line["quantity"] < 0:
                self.take(day, body["site"], {**line, "quantity": -line["quantity"]}, MADE, "used")
        for line in body["lines"]:
            if line["quantity"] > 0:
                self.put(day, body["site"], line, MADE, "made")

    # Orders

    def step(self, id: str) -> Order:
        """Return an order about which something was just reported; what it was before is kept to go back to."""
        order = self.orders[id]
        self.before[self._entry] = Order(**{**vars(order), "received": [*order.received], "waiting": [*order.waiting]})
        order.steps = [*order.steps, self._entry]
        return order

    def fact_order_issued(self, day: str, body: Body) -> None:
        order = self.step(self._entry)
        order.site, order.lines = body["from"], body["lines"]
        waiting, order.waiting = order.waiting, []
        for loaded_on, lines in waiting:
            self.load(self._entry, loaded_on, lines)

    def fact_order_accepted(self, day: str, body: Body) -> None:
        self.step(body["order"])

    def fact_order_loaded(self, day: str, body: Body) -> None:
        order = self.step(body["order"])
        order.is_cancelled = False
        if order.site is None:
            order.waiting = [*order.waiting, (day, body["lines"])]
        else:
            self.load(body["order"], day, body["lines"])

    def load(self, id: str, day: str, lines: list[Body]) -> None:
        order = self.orders[id]
        assert order.site is not None
        for line in lines:
            self.take(day, order.site, line, ("order", id), "loaded")
        order.is_loaded, order.is_cancelled = True, False
        self.settle(id, day)

    def fact_order_received(self, day: str, body: Body) -> None:
        id, account = body["order"], ("order", body["order"])
        order = self.step(id)
        for line in body["lines"]:
            for lot, quantity in self.arrived(id, line, day).items():
                self.move(day, line["good"], {lot: quantity}, account, ("site", body["site"]), "received")
                order.received = [*order.received, (line["good"], lot, quantity)]
        order.is_all_here = order.is_all_here or not body.get("more_to_come", False)
        order.is_cancelled = False
        self.settle(id, day)

    def arrived(self, id: str, line: Body, day: str) -> Lots:
        """Return which lots came: those on the way that expire first, or (nothing was loaded yet) those ordered."""
        good, order, fresh = line["good"], self.orders[id], self.new_lot(line["good"], day)
        if "lot" in line:
            return {line["lot"]: line["quantity"]}
        lots: Lots = dict(self.balance(("order", id), good))
        ordered: Lots = defaultdict(int)
        for one in order.lines:
            if one["good"] == good:
                ordered[one.get("lot", fresh)] += one["quantity"]
        for known, lot, quantity in order.received:
            if known == good and lot in ordered:
                ordered[lot] -= quantity
        if ordered and not order.is_loaded and not any(quantity > 0 for quantity in lots.values()):
            lots = ordered
        return first_to_expire(lots, line["quantity"], otherwise=fresh)

    def settle(self, id: str, day: str) -> None:
        """Book as lost on the way what is still there of an order that was loaded and all received, or found there."""
        order = self.orders[id]
        if order.is_loaded and order.is_all_here:
            for good in self.goods_of(("order", id)):
                for lot, rest in self.balance(("order", id), good).items():
                    source, target = (("order", id), LOST) if rest > 0 else (LOST, ("order", id))
                    self.move(day, good, {lot: abs(rest)}, source, target, "lost on the way")

    def fact_order_cancelled(self, day: str, body: Body) -> None:
        order = self.step(body["order"])
        if order.is_all_here or order.is_cancelled:
            return
        order.is_cancelled = True
        if order.site is not None:
            for good in self.goods_of(("order", body["order"])):
                for lot, rest in self.balance(("order", body["order"]), good).items():
                    if rest > 0:
                        target = ("site", order.site)
                        self.move(day, good, {lot: rest}, ("order", body["order"]), target, "brought back")

    # What is taken back

    def fact_entry_reversed(self, day: str, body: Body) -> None:
        """Book the opposite of what an entry did; where a count has seen the matter since, it stays as counted."""
        id = body["entry"]
        if id not in self.facts or id in self.undone or not self.may_be_undone(id):
            del self.facts[self._entry]
            return
        self.undone.add(id)
        done = [one for one in self.booked if one.entry == id and one.why != "count explained"]
        met = {explained_at(one): one.date for one in self.booked if one.entry == id and one.why == "count explained"}
        for one in [*done, *self.uncounted(id)]:
            on = max(day, one.date)
            self.book(on, one.good, one.lot, one.quantity, one.target, one.source, "reversed")
            for (kind, site), change in ((one.source, one.quantity), (one.target, -one.quantity)):
                if kind != "site":
                    continue
                seen = self.seen_by(one, id, site, until=on)
                later = None if seen else self.count_after(site, one.good, one.lot, on)
                met_on = met.get((site, one.good, one.lot), EVER)
                if seen or (one.why == "reversed" and met_on <= on):
                    counts = self.counts_of(site, one.good, one.lot)
                    counted = seen or first_count(count for count in counts if count.date == met_on)
                    self.against_count(
                        on, one.good, one.lot, change, site, counted=counted, seen=(one.date, self.facts[id][0])
                    )
                elif later:
                    self.against_count(
                        later.date, one.good, one.lot, change, site, counted=later, seen=(one.date, self.facts[id][0])
                    )

    def uncounted(self, id: str) -> list[Booked]:
        """Forget a count; what was explained away for it alone holds after all, and is taken back too."""
        gone = [one for one in self.counts if one.entry == id]
        self.counts = [one for one in self.counts if one.entry != id]
        moves = []
        for one in gone:
            others = [other.number for other in self.counts if other[2:] == one[2:]]
            back: Lots = defaultdict(int)
            kept = []
            for lot, change, day, number in self.explained.pop(one[2:], []):
                if others and (day < one.date or max(others) > number):
                    kept.append((lot, change, day, number))
                else:
                    back[lot] += change
            self.explained[one[2:]] = kept
            site = ("site", one.site)
            for lot, quantity in sorted(back.items()):
                accounts = (UNEXPLAINED, site) if quantity > 0 else (site, UNEXPLAINED)
                moves.append(Booked(id, one.date, one.good, lot, abs(quantity), *accounts, "count explained"))
        return moves

    def seen_by(self, one: Booked, id: str, site: str, *, until: str) -> Counted | None:
        """Return the first count that saw what an entry did: one of a later day, or told later on the same."""
        number = self.facts[id][0]
        return first_count(
            count
            for count in self.counts_of(site, one.good, one.lot)
            if one.date <= count.date <= until and (count.date > one.date or count.number > number)
        )

    def may_be_undone(self, id: str) -> bool:
        """Say whether an entry can be taken back: of an order only the last step that stands; notes never."""
        _, kind, body = self.facts[id]
        if kind == "entry.reversed":
            return self.facts[body["entry"]][1].startswith(("goods.", "entry."))
        if not kind.startswith("order."):
            return kind.startswith(("goods.", "stock.")) or (kind == "row.set" and self.rows_undone(body["row"], id))
        order_id = body.get("order", id)
        if self.orders[order_id].steps[-1:] != [id]:
            return False
        was = self.before[id]
        if not was.steps and was.site is None and kind == "order.issued":
            was.site, was.lines, was.is_cancelled = self.orders[id].site, self.orders[id].lines, True
        self.orders[order_id] = was
        return True

    def rows_undone(self, row: Body, id: str) -> bool:
        """Take back a row of a good, if it is the one that stands; say whether it was."""
        rows = self.goods_rows[row["good"]]
        if not rows or rows[-1][0] != id:
            return False
        rows.pop()
        return True


def first_count(counts: Iterable[Counted]) -> Counted | None:
    return min(counts, key=lambda one: (one.date, one.lot is not None), default=None)


def explained_at(one: Booked) -> tuple[str, str, str]:
    """Return the site, good and lot that something was explained away at."""
    account = one.target if one.source == UNEXPLAINED else one.source
    return account[1], one.good, one.lot


def first_to_expire(lots: Lots, quantity: int, *, otherwise: str) -> Lots:
    """Return which lots a quantity is drawn from; what is more than there is comes from the last to expire."""
    drawn: Lots = {}
    order = sorted(lots, key=_by_expiry)
    for lot in order:
        part = min(max(lots[lot], 0), quantity)
        if part:
            drawn[lot] = part
            quantity -= part
    if quantity:
        last = order[-1] if order else otherwise
        drawn[last] = drawn.get(last, 0) + quantity
    return drawn


def whole_count(lots: Lots, found: int, *, otherwise: str) -> Lots:
    """Return how each lot changes when so much was found of all together.

    No lot can lie below zero: such lots come to nothing first. What is then missing is taken from the lots that expire
    first; what is over goes to the one that expires last.
    """
    changes = {lot: -quantity for lot, quantity in lots.items() if quantity < 0}
    there = {lot: quantity for lot, quantity in lots.items() if quantity > 0}
    missing = sum(there.values()) - found
    if missing > 0:
        for lot, quantity in first_to_expire(there, missing, otherwise=otherwise).items():
            changes[lot] = changes.get(lot, 0) - quantity
    else:
        last = max(lots, key=_by_expiry, default=otherwise)
        changes[last] = changes.get(last, 0) - missing
    return changes
