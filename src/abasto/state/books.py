"""The books: every quantity moves from one account to another, so all accounts of a good and lot sum to zero, always.

Reports may come late. A movement dated before a count that the books already had does not change what lies there today,
since the count saw it: it is booked on its date, and a counter-movement on the date of the count makes that count's
difference smaller or larger. A late count is compared with the books as of the end of its own day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from abasto.state.accounts import OUTSIDE, UNEXPLAINED, Account, site_account
from abasto.state.holding import Holding, Mark, by_expiry, days_after, shares

__all__ = ["Booked", "Books", "Counter"]

_USES = frozenset({"handed out", "used"})


class Booked(NamedTuple):
    """A movement without the entry that says so (see `Movement`): `quantity` thousandths, above zero."""

    date: str
    good: str
    lot: str
    quantity: int
    source: Account
    target: Account
    why: str


class Counter(NamedTuple):
    """Who counted, and where that stands: the entry's id, its place in the fold, its author (by number) and seq."""

    entry: str
    number: int
    author: int
    seq: int


class Books:
    """What lies in every account by good and lot, and per site and good what late reports are compared with.

    `shelf_life` gives the days that a good keeps, None if it never spoils. `booked` collects the movements since it was
    last emptied, and `too_late` the sites and goods for which something came that is older than what is kept.
    """

    def __init__(self, shelf_life: Callable[[str], int | None]) -> None:
        self.shelf_life = shelf_life
        self.booked: list[Booked] = []
        self.too_late: list[tuple[str, str]] = []
        self._holdings: dict[tuple[str, str], Holding] = {}
        self._packed: dict[tuple[str, str], str] = {}
        self._orders: dict[str, dict[tuple[str, str], int]] = {}
        self._others: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)

    # What others ask.

    def places(self) -> list[tuple[str, str]]:
        """Return all sites and goods that the books know something of, sorted."""
        return sorted([*self._holdings, *self._packed])

    def balance(self, site: str, good: str) -> dict[str, int]:
        """Return what lies at a site of a good now, thousandths by lot; lots that are empty are left out."""
        holding = self.holding(site, good)
        if holding is None:
            return {}
        return {lot: holding.lots[lot] for lot in sorted(holding.lots, key=by_expiry)}

    def last_count(self, site: str, good: str) -> date | None:
        """Return the date of the last count of a good at a site, None if it was never counted."""
        holding = self.holding(site, good)
        return date.fromisoformat(holding.counted) if holding and holding.counted else None

    def last_report(self, site: str, good: str) -> date | None:
        """Return the date of the last report of any kind about a good at a site, None if there is none."""
        holding = self.holding(site, good)
        return date.fromisoformat(holding.newest) if holding and holding.newest else None

    def is_counted(self, site: str, good: str) -> bool:
        """Say whether the present figure is what was counted: nothing was booked since that changed it."""
        holding = self.holding(site, good)
        return holding is not None and holding.is_fresh

    def daily_use(self, site: str, good: str) -> dict[date, int]:
        """Return what was handed out or used up a day in the last three months, thousandths by date."""
        holding = self.holding(site, good)
        if holding is None:
            return {}
        return {date.fromisoformat(day): holding.used[day] for day in sorted(holding.used)}

    def at_end_of(self, site: str, good: str, day: date) -> dict[str, int]:
        """Return what lay at a site of a good at the end of a day, as the books have it now; as `balance` does."""
        holding = self.holding(site, good)
        lots = {} if holding is None else holding.at_end_of(day.isoformat())
        return {lot: lots[lot] for lot in sorted(lots, key=by_expiry)}

    def on_the_way(self, order: str) -> dict[tuple[str, str], int]:
        """Return what is in an order's account, thousandths by good and lot."""
        return dict(sorted(self._orders.get(order, {}).items()))

    def elsewhere(self, kind: str) -> dict[tuple[str, str], int]:
        """Return what is in an account without a name (`outside`, `lost`, …), thousandths by good and lot."""
        return dict(sorted(self._others.get(kind, {}).items()))

    def unbalanced(self) -> dict[tuple[str, str], int]:
        """Return by good and lot what all accounts sum to where that is not zero: never, unless Abasto is at fault."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for site, good in self.places():
            for lot, quantity in self.balance(site, good).items():
                sums[good, lot] += quantity
        for account in [*self._orders.values(), *self._others.values()]:
            for key, quantity in account.items():
                sums[key] += quantity
        return {key: quantity for key, quantity in sums.items() if quantity}

    def holding(self, site: str, good: str) -> Holding | None:
        """Return what the books keep of a good at a site; None if they know nothing of it."""
        key = (site, good)
        holding = self._holdings.get(key)
        if holding is None and key in self._packed:
            holding = self._holdings[key] = Holding.unpacked(self._packed.pop(key))
        return holding

    # What is booked.

    def move(self, day: str, good: str, lot: str, quantity: int, source: Account, target: Account, why: str) -> None:
        """Book a movement (see `Movement`), and its counter-movement where a later count saw what it says."""
        if not quantity:
            return
        self._book(day, good, lot, quantity, source, target, why)
        if source[0] == "site":
            self._counter(day, good, lot, -quantity, source)
        if target[0] == "site":
            self._counter(day, good, lot, quantity, target)

    def take_out(
        self, day: str, good: str, lot: str | None, quantity: int, site: str, target: Account, why: str
    ) -> list[tuple[str, int]]:
        """Book goods out of a site and return what left by lot: the lots that expire first, unless one is named."""
        holding = self._known(site, good)
        holding.hear(day)
        taken = [("" if lot is None else lot, quantity)]
        if lot is None:
            taken = _first_to_expire(holding.at_hand(day), quantity, otherwise=self.fresh_lot(good, day))
        account = site_account(site)
        for one, share in taken:
            self.move(day, good, one, share, account, target, why)
        return taken

    def put_in(self, day: str, good: str, lot: str | None, quantity: int, site: str, source: Account, why: str) -> None:
        """Book goods into a site; without a lot they are of the lot that a day's fresh goods make."""
        self._known(site, good).hear(day)
        self.move(
            day, good, self.fresh_lot(good, day) if lot is None else lot, quantity, source, site_account(site), why
        )

    def draw_order(
        self, order: str, good: str, quantity: int, *, expected: Mapping[str, int], otherwise: str
    ) -> list[tuple[str, int]]:
        """Return which lots so much of an order's account would be: those that expire first.

        Where the account has nothing, they are those `expected`; what is more than there is goes to the last lot, or to
        `otherwise` where there is none.
        """
        lots = {lot: here for (one, lot), here in self._orders.get(order, {}).items() if one == good}
        if not any(here > 0 for here in lots.values()) and expected:
            lots = dict(expected)
        return _first_to_expire(lots, quantity, otherwise=otherwise)

    def count(self, day: str, site: str, good: str, lot: str | None, found: int, by: Counter) -> Mark | None:
        """Book a count: the difference to the books as of the end of its day goes to or from the unexplained account.

        The first figure of a good at a site comes from outside. Returns the count of the same day and lot that this one
        takes the place of.
        """
        holding = self.holding(site, good)
        account = site_account(site)
        if holding is None:
            holding = self._known(site, good)
            holding.hear(day)
            self.move(day, good, self.fresh_lot(good, day) if lot is None else lot, found, OUTSIDE, account, "opening")
            return holding.mark(lot, day, Mark(by.number, by.author, by.seq, found=found, before=found), by=by.entry)
        self._listed_if_old(holding, site, good, day)
        lots = holding.at_end_of(day)
        if lot is None:
            before = sum(lots.values())
            changes = shares(lots, found, otherwise=self.fresh_lot(good, day))
        else:
            before = lots.get(lot, 0)
            changes = {lot: found - before}
        was_fresh = holding.is_fresh
        for one in sorted(changes, key=by_expiry):
            change = changes[one]
            if change > 0:
                self.move(day, good, one, change, UNEXPLAINED, account, "counted more")
            else:
                self.move(day, good, one, -change, account, UNEXPLAINED, "counted less")
        holding.is_fresh = was_fresh
        return holding.mark(lot, day, Mark(by.number, by.author, by.seq, found=found, before=before), by=by.entry)

    def open_lot(
        self, day: str, site: str, good: str, lot: str, found: int, by: Counter, *, is_more: bool = False
    ) -> None:
        """Book the opening count of a lot: one that the books do not have comes from outside, others are counted.

        `is_more` says that the lot was opened by another row already and this is what both come to.
        """
        holding = self._known(site, good)
        is_new = not holding.marks_on(lot, day) and lot not in holding.lots
        before = holding.lots.get(lot, 0)
        if (is_new or is_more) and day >= holding.counted and found >= before:
            was_fresh = holding.is_fresh
            holding.hear(day)
            self.move(day, good, lot, found - before, OUTSIDE, site_account(site), "opening")
            holding.is_fresh = was_fresh
            holding.mark(lot, day, Mark(by.number, by.author, by.seq, found=found, before=found), by=by.entry)
        else:
            self.count(day, site, good, lot, found, by)

    def reverse(
        self, moves: Sequence[Booked], day: str, *, number: int, counted: tuple[str, str] | None = None
    ) -> None:
        """Book the opposite of an entry's movements on a day, or on their own where that is later.

        `number` is the entry's place in the fold, and `counted` the site and good where it was a count. A count that
        saw what the entry did not do has put it right already: then a counter-movement meets the opposite, which so
        mends the count's difference and not what lies there.
        """
        primary = [move for move in moves if move.why != "count explained"]
        countered = {_side(move): move.date for move in moves if move.why == "count explained"}
        if counted is not None:
            primary += self._uncounted(*counted, number=number)
        for move in primary:
            on = max(day, move.date)
            self._book(on, move.good, move.lot, move.quantity, move.target, move.source, "reversed")
            for account, change in ((move.source, -move.quantity), (move.target, move.quantity)):
                if account[0] == "site":
                    if move.why in _USES:
                        self._known(account[1], move.good).use(-move.quantity, move.date)
                    met = countered.get((account, move.good, move.lot), "")
                    self._meet_reversed(move, account, -change, on=on, met=met, number=number)

    def _uncounted(self, site: str, good: str, *, number: int) -> list[Booked]:
        """Forget a count and return the counter-movements against it: without it, what they met holds after all."""
        day, explained = self._known(site, good).unmark(number)
        account = site_account(site)
        return [
            Booked(day, good, lot, quantity, UNEXPLAINED, account, "count explained")
            if quantity > 0
            else Booked(day, good, lot, -quantity, account, UNEXPLAINED, "count explained")
            for lot, quantity in sorted(explained.items())
        ]

    def _meet_reversed(self, move: Booked, account: Account, change: int, *, on: str, met: str, number: int) -> None:
        """Book the counter-movement to a reversal, if a count saw what is reversed or is dated after the reversal.

        `met` is the date on which the movement itself was met by a counter-movement, blank if it was not.
        """
        holding = self._known(account[1], move.good)
        key = holding.count_seeing(move.lot, move.date, number=number, until=on)
        if not key and met and met <= on:
            mark = holding.marks_on(move.lot, met)
            # A late report's count may have been taken back since, and then the report holds after all.
            if mark or move.why == "reversed" or met < holding.first:
                key = mark or on
        later = "" if key else holding.count_after(move.lot, on)
        if key or later:
            self._against(later[:10] or on, move.good, move.lot, change, account)
            holding.explain(key or later, move.lot, -change, day=move.date)
        else:
            holding.is_fresh = False

    def fresh_lot(self, good: str, day: str) -> str:
        """Return the lot of goods that are taken in or made on a day: the last day they can be used."""
        days = self.shelf_life(good)
        return "" if days is None else days_after(day, days)

    # How.

    def _book(self, day: str, good: str, lot: str, quantity: int, source: Account, target: Account, why: str) -> None:
        self._add(source, good, lot, -quantity, day)
        self._add(target, good, lot, quantity, day)
        if why in _USES:
            self._known(source[1], good).use(quantity, day)
        self.booked.append(Booked(day, good, lot, quantity, source, target, why))

    def _add(self, account: Account, good: str, lot: str, quantity: int, day: str) -> None:
        kind, id = account
        if kind == "site":
            self._known(id, good).add(lot, quantity, day)
            return
        totals = self._orders.setdefault(id, {}) if kind == "order" else self._others[kind]
        total = totals.get((good, lot), 0) + quantity
        if total:
            totals[good, lot] = total
        else:
            totals.pop((good, lot), None)
            if not totals and kind == "order":
                del self._orders[id]

    def _known(self, site: str, good: str) -> Holding:
        key = (site, good)
        holding = self._holdings.get(key) or self.holding(site, good)
        if holding is None:
            holding = self._holdings[key] = Holding()
        return holding

    def _counter(self, day: str, good: str, lot: str, change: int, account: Account) -> None:
        """Meet what was just booked at a site by a counter-movement if a count dated after it was here first."""
        holding = self._known(account[1], good)
        if day < holding.counted:
            key = holding.count_after(lot, day)
            if key:
                self._against(key[:10], good, lot, change, account)
                holding.explain(key, lot, -change, day=day)
                self._listed_if_old(holding, account[1], good, day)
                return
        self._listed_if_old(holding, account[1], good, day)
        holding.is_fresh = False

    def _against(self, day: str, good: str, lot: str, change: int, account: Account) -> None:
        if change > 0:
            self._book(day, good, lot, change, account, UNEXPLAINED, "count explained")
        else:
            self._book(day, good, lot, -change, UNEXPLAINED, account, "count explained")

    def _listed_if_old(self, holding: Holding, site: str, good: str, day: str) -> None:
        if day < holding.first:
            self.too_late.append((site, good))

    # What is kept.

    def packed(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Yield every site and good with its holding as text, sorted."""
        for key in self.places():
            text = self._packed.get(key)
            yield key, self._holdings[key].packed() if text is None else text

    def plain(self) -> dict[str, Any]:
        """Return the accounts that are no site's, as objects of plain JSON."""
        return {
            "orders": {order: _nested(totals) for order, totals in self._orders.items()},
            "others": {kind: _nested(totals) for kind, totals in self._others.items() if totals},
        }

    def restore(self, plain: Mapping[str, Any], packed: Mapping[tuple[str, str], str]) -> None:
        """Take over what `plain` and `packed` gave; holdings are read when they are asked for."""
        self._packed = dict(packed)
        self._orders = {order: _flat(totals) for order, totals in plain["orders"].items()}
        self._others = defaultdict(dict, {kind: _flat(totals) for kind, totals in plain["others"].items()})


def _side(move: Booked) -> tuple[Account, str, str]:
    """Return the site, good and lot that a counter-movement is about: its other side is the unexplained account."""
    return (move.target if move.source == UNEXPLAINED else move.source), move.good, move.lot


def _first_to_expire(lots: Mapping[str, int], quantity: int, *, otherwise: str) -> list[tuple[str, int]]:
    """Return so much by lot, from those that expire first; what is more than there is comes from the last."""
    taken: dict[str, int] = {}
    left = quantity
    order = sorted(lots, key=by_expiry)
    for lot in order:
        share = min(max(lots[lot], 0), left)
        if share:
            taken[lot] = share
            left -= share
    if left:
        last = order[-1] if order else otherwise
        taken[last] = taken.get(last, 0) + left
    return list(taken.items())


def _nested(totals: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    nested: dict[str, dict[str, int]] = {}
    for (good, lot), quantity in totals.items():
        nested.setdefault(good, {})[lot] = quantity
    return nested


def _flat(nested: Mapping[str, Mapping[str, int]]) -> dict[tuple[str, str], int]:
    return {(good, lot): quantity for good, lots in nested.items() for lot, quantity in lots.items()}
