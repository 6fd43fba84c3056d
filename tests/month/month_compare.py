"""The state that a device folds, beside the second ledger and what physically lies there."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

from month_devices import Phone
from month_oracle import Booked, Ledger, ledger_of
from month_world import World

from abasto.state.fold import Told, fold
from abasto.state.state import State

__all__ = ["Seen", "seen_by"]

Place = tuple[str, str]
WINDOW_DAYS = 92


@dataclass(frozen=True)
class Seen:
    """What one device makes of the entries it holds: the state, every movement of it, and the second ledger."""

    state: State
    booked: list[Booked]
    told: list[Told]
    ledger: Ledger

    def differences(self) -> list[str]:
        """Return the movements that only one of the two ledgers has, in the order of the fold."""
        books, oracle = Counter(self.booked), Counter(self.ledger.booked)
        order = {told.entry.id: number for number, told in enumerate(self.told)}
        found = [(order[one.entry], "books", one) for one in books - oracle]
        found += [(order[one.entry], "second ledger", one) for one in oracle - books]
        return [f"entry {number}, only in the {where}: {one[1:]}" for number, where, one in sorted(found)]

    def unbalanced(self) -> dict[tuple[str, str], int]:
        """Return what all accounts of a good and lot sum to, from the state's own totals, where that is not zero."""
        sums: dict[tuple[str, str], int] = defaultdict(int)
        for site, good in self.state.books.places():
            for lot, quantity in self.state.books.balance(site, good).items():
                sums[good, lot] += quantity
        for order in self.state.orders:
            for key, quantity in self.state.books.on_the_way(order).items():
                sums[key] += quantity
        for kind in ("outside", "consumed", "made", "lost", "unexplained"):
            for key, quantity in self.state.books.elsewhere(kind).items():
                sums[key] += quantity
        return {key: quantity for key, quantity in sums.items() if quantity}

    def not_closing(self) -> list[str]:
        """Return every site, good, lot and day for which opening + in − out is not closing, by the state's balances.

        A noisy clock may date a report years ahead; the books then forget the days before its three months.
        """
        wrong = []
        days = sorted({one.date for one in self.booked})
        for site, good in self.state.books.places():
            here = [one for one in self.booked if one.good == good and ("site", site) in (one.source, one.target)]
            lots: dict[str, int] = defaultdict(int)
            newest = self.state.books.last_report(site, good) or date.min
            for day in days:
                opening = dict(lots)
                came: dict[str, int] = defaultdict(int)
                went: dict[str, int] = defaultdict(int)
                for one in here:
                    if one.date == day:
                        came[one.lot] += one.quantity * (one.target == ("site", site))
                        went[one.lot] += one.quantity * (one.source == ("site", site))
                closing = self.state.books.at_end_of(site, good, date.fromisoformat(day))
                is_kept = (newest - date.fromisoformat(day)).days <= WINDOW_DAYS
                for lot in {*opening, *came, *went, *closing}:
                    lots[lot] = opening.get(lot, 0) + came[lot] - went[lot]
                    if is_kept and lots[lot] != closing.get(lot, 0):
                        wrong.append(f"{site}, {good}, lot {lot or 'undated'}, {day}: {lots[lot]} ≠ {closing}")
            if {lot: quantity for lot, quantity in lots.items() if quantity} != self.state.books.balance(site, good):
                wrong.append(f"{site}, {good}: {dict(lots)} ≠ {self.state.books.balance(site, good)}")
        return wrong

    def untrue(self, world: World, sure: set[Place]) -> list[str]:
        """Return the places that were honestly counted, and whose books are not what lies there."""
        return [
            f"{site}, {good}: books {sum(self.state.books.balance(site, good).values())}, "
            f"there {world.total(site, good)}"
            for site, good in sorted(sure)
            if sum(self.state.books.balance(site, good).values()) != world.total(site, good)
        ]


def seen_by(phone: Phone) -> Seen:
    """Fold what a device holds, and let the second ledger do the same from the bytes alone."""
    told: list[Told] = []
    booked: list[Booked] = []

    def listen(one: Told) -> None:
        told.append(one)
        for move in one.movements:
            accounts = tuple(move.source), tuple(move.target)
            booked.append(Booked(move.entry, move.date, move.good, move.lot, move.quantity, *accounts, move.why))

    state = fold(phone.journal.read(), listen=listen)
    return Seen(state, booked, told, ledger_of(one.raw for one in phone.journal.store.export()))
