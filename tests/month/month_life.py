"""A network's month: what people do, what they write of it and when, with the errors that people and devices make.

The simulation does things in the world first and reports them second: some reports come days late, some are wrong and
taken back, some are never made. `sure` are the places whose books must equal the world, because they were honestly
counted and everything since was reported as it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from month_devices import Phone
from month_world import Truck, World, lines_of

from abasto.facts.kinds import (
    EntryReversed,
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    Line,
    NoteWritten,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowDropped,
    RowSet,
    StockCounted,
)

__all__ = ["Life", "Place"]

Place = tuple[str, str]
MOST_WILD = 40
"""So many facts a day have the wrong year: more than the 31 that dates are compared with, and they must not outvote."""


@dataclass(frozen=True)
class Waiting:
    """A report that lies in a drawer until a day."""

    due: int
    site: str
    fact: Any
    places: tuple[Place, ...]


@dataclass
class Life:
    """The world, the devices, which of them reports for which site, and the chance that decides everything."""

    world: World
    phones: Sequence[Phone]
    rng: random.Random
    day: int = 1
    sure: set[Place] = field(default_factory=set)
    unsettled: dict[Place, int] = field(default_factory=dict)
    counted_on: dict[Place, int] = field(default_factory=dict)
    drawer: list[Waiting] = field(default_factory=list)
    orders: dict[str, OrderIssued] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    """Orders that wait to be accepted or loaded, and which of the two came last."""
    mistakes: list[tuple[int, str, str, tuple[Place, ...]]] = field(default_factory=list)
    device_of: dict[str, Phone] = field(default_factory=dict)
    told: int = 0
    wild_on: dict[int, int] = field(default_factory=dict)
    loaded: dict[str, dict[str, int]] = field(default_factory=dict)
    arrived: dict[str, dict[str, int]] = field(default_factory=dict)
    """What was truly loaded and what truly arrived of each order, by good."""

    def __post_init__(self) -> None:
        for number, site in enumerate(self.world.network.sites):
            self.device_of[site.site] = self.phones[number % len(self.phones)]

    @property
    def today(self) -> str:
        """The date of the present day."""
        return self.date_of(self.day)

    def date_of(self, day: int) -> str:
        return (self.world.network.start + timedelta(days=day - 1)).isoformat()

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    # What is written, and when

    def report(self, site: str, fact: Fact, places: Iterable[Place], *, may_wait: bool = True) -> str:
        """Write what happened at a site now, or put it aside for some days; return the entry's id or nothing."""
        places = tuple(places)
        if may_wait and self.chance(0.06):
            self.sure.difference_update(places)
            self.drawer.append(Waiting(self.day + self.rng.randint(1, 9), site, fact, places))
            return ""
        return self.write(site, fact, places)

    def write(self, site: str, fact: Any, places: tuple[Place, ...]) -> str:
        """Sign a fact on the site's device; a clock that is years off changes its date, and what it does to books."""
        phone = self.device_of[site]
        if phone.years_off and self.wild_on.get(self.day, 0) < MOST_WILD:
            self.wild_on[self.day] = self.wild_on.get(self.day, 0) + 1
            self.sure.difference_update(places)
            wild = date.fromisoformat(fact.date) + timedelta(days=365 * phone.years_off)
            fact = replace(fact, date=wild.isoformat())
        (entry,) = phone.say([fact], day=self.today)
        self.told += 1
        return entry.id

    def empty_drawer(self) -> None:
        """Write what was put aside long enough; what falls on the day of a count may be before it or after."""
        due = [one for one in self.drawer if one.due <= self.day]
        self.drawer = [one for one in self.drawer if one.due > self.day]
        for one in due:
            for place in one.places:
                if self.date_of(self.counted_on.get(place, 0)) == one.fact.date:
                    self.sure.discard(place)
            self.write(one.site, one.fact, one.places)

    def know_of(self, site: str, id: str) -> bool:
        """Return whether the entry has come to the site's device."""
        return self.device_of[site].journal.store.get(id) is not None

    # A day

    def live(self) -> None:
        """Do and report all that happens on a day, site by site, and count in the evening."""
        self.empty_drawer()
        self.take_back_mistakes()
        for row in self.world.network.sites:
            site = row.site
            self.unload(site)
            self.take_in(site)
            self.make(site)
            self.accept_and_load(site)
            self.hand_out(site)
            self.lose(site)
        self.cancel()
        for row in self.world.network.sites:
            self.count(row.site)

    def take_in(self, site: str) -> None:
        """Goods come from outside, up to what the table says; some with a date of their own, some reported twice."""
        for row in self.world.network.supplies:
            if row.site != site or not (row.from_day or 1) <= self.day <= (row.to_day or 10**6) or self.chance(0.1):
                continue
            quantity = round(row.quantity * 1000 * self.rng.uniform(0.5, 1.0))
            when = date.fromisoformat(self.today)
            lot = self.world.lot_of(row.good, when)
            said = None
            if lot and self.chance(0.3):
                lot = said = (date.fromisoformat(lot) + timedelta(days=self.rng.randint(-1, 3))).isoformat()
            self.world.put(site, row.good, {lot: quantity})
            ref = f"form-{self.told}" if self.chance(0.3) else ""
            fact = GoodsTakenIn(site, row.good, quantity, self.today, said, ref)
            if self.report(site, fact, [(site, row.good)]) and ref:
                self.report(site, fact, [], may_wait=False)

    def make(self, site: str) -> None:
        """Plants carry out recipes as far as there is something to use, never quite as written."""
        for plant in self.world.network.plants:
            if plant.site != site:
                continue
            lines = [row for row in self.world.network.recipes if row.recipe == plant.recipe]
            batches = round(plant.batches * 1000 * self.rng.uniform(0.3, 1.0))
            for row in lines:
                if row.quantity < 0:
                    batches = min(batches, int(self.world.total(site, row.good) / -row.quantity))
            if batches <= 0:
                continue
            said = []
            for row in lines:
                quantity = round(batches * row.quantity * self.rng.uniform(0.97, 1.0))
                if quantity < 0:
                    quantity = -sum(self.world.draw(site, row.good, -quantity).values())
                else:
                    lot = self.world.lot_of(row.good, date.fromisoformat(self.today))
                    self.world.put(site, row.good, {lot: quantity})
                said.append(Line(row.good, quantity))
            fact = GoodsMade(site, plant.recipe, batches, tuple(said), self.today)
            self.report(site, fact, [(site, line.good) for line in said])

    def hand_out(self, site: str) -> None:
        """People fetch what there is; sometimes too much is written and taken back, sometimes nothing is written."""
        if not any(row.site == site and row.people for row in self.world.network.sites) and not any(
            row.site == site for row in self.world.network.needs
        ):
            return
        for place in self.goods_at(site):
            taken = self.world.draw(*place, self.wanted(place))
            if not taken:
                continue
            fact = GoodsHandedOut(*place, sum(taken.values()), self.today)
            if self.chance(0.05):
                self.sure.discard(place)
            elif self.chance(0.06):
                self.mistake(site, replace(fact, quantity=fact.quantity * 10), fact, place)
            elif len(taken) == 1 and self.chance(0.5):
                self.report(site, replace(fact, lot=next(iter(taken))), [place])
            else:
                self.report(site, fact, [place])

    def wanted(self, place: Place) -> int:
        """Return what people want to fetch of what lies somewhere."""
        return round(self.world.total(*place) * self.rng.uniform(0.3, 1.0))

    def mistake(self, site: str, wrong: Fact, right: Fact, place: Place) -> None:
        """Write something wrong; a day or two later it is taken back and written as it was."""
        self.sure.discard(place)
        id = self.write(site, wrong, (place,))
        self.mistakes.append((self.day + self.rng.randint(1, 2), site, id, (place,)))
        self.drawer.append(Waiting(self.day + 3, site, right, (place,)))

    def take_back_mistakes(self) -> None:
        due = [one for one in self.mistakes if one[0] <= self.day]
        self.mistakes = [one for one in self.mistakes if one[0] > self.day]
        for _, site, id, places in due:
            self.sure.difference_update(places)
            self.write(site, EntryReversed(id, self.today, "typed a zero too many"), places)

    def lose(self, site: str) -> None:
        """What is past its date is thrown away, and mice and rain take their part; not all of it is noticed."""
        for place in self.goods_at(site):
            here = self.world.stock[place]
            for lot in [lot for lot in here if lot and lot < self.today and here[lot] and self.chance(0.6)]:
                quantity, here[lot] = here[lot], 0
                self.report(site, GoodsLost(*place, quantity, self.today, lot, "spoiled"), [place])
            if self.chance(0.04):
                quantity = sum(self.world.draw(*place, self.world.total(*place) // 20).values())
                if self.chance(0.5):
                    self.report(site, GoodsLost(*place, quantity, self.today, None, "rain"), [place])
                else:
                    self.sure.discard(place)

    def count(self, site: str) -> None:
        """Count some of what lies at a site: mostly right, of all lots together or one by one."""
        for place in self.goods_at(site, all_known=True):
            if not self.chance(0.35):
                continue
            total = self.world.total(*place)
            if self.chance(0.1):
                wrong = max(0, total + self.rng.randint(-20_000, 20_000))
                self.sure.discard(place)
                self.write(site, StockCounted(*place, wrong, self.today), (place,))
                continue
            lots = [lot for lot, quantity in self.world.stock[place].items() if quantity]
            if lots and self.chance(0.2):
                lot = self.rng.choice(lots)
                quantity = self.world.stock[place][lot]
                self.sure.discard(place)  # the books may have other lots: one lot set right can put the sum wrong
                self.write(site, StockCounted(*place, quantity, self.today, lot), (place,))
                continue
            self.write(site, StockCounted(*place, total, self.today), (place,))
            self.counted_on[place] = self.day
            if not self.device_of[site].years_off and self.unsettled.get(place) != self.day:
                self.sure.add(place)

    def goods_at(self, site: str, *, all_known: bool = False) -> list[Place]:
        """Return the places of a site where something lies, or ever lay."""
        here = [place for place in self.world.stock if place[0] == site]
        return [place for place in here if all_known or self.world.total(*place)]

    # Orders

    def issue(self, site: str, facts: Sequence[OrderIssued]) -> None:
        """Sign orders on a site's device; they are carried out when the device of their first site hears of them."""
        for fact in facts:
            id = self.write(site, fact, ())
            self.orders[id] = fact
            self.open[id] = "issued"

    def order_some(self, most: int) -> list[OrderIssued]:
        """Return orders along lanes of the network, for what lies at their start."""
        lanes = list(self.world.network.lanes)
        orders = []
        for lane in self.rng.sample(lanes, min(most, len(lanes))):
            ends = [(lane.from_site, lane.to_site)]
            if lane.two_way:
                ends.append((lane.to_site, lane.from_site))
            source, target = ends[0] if self.chance(0.8) else self.rng.choice(ends)
            lines = []
            for place in self.goods_at(source):
                quantity = round(self.world.total(*place) * self.rng.uniform(0.1, 0.7))
                if quantity:
                    lines.append(Line(place[1], quantity))
            if lines:
                arrives = self.date_of(self.day + max(lane.travel_days, self.rng.randint(0, 2)))
                orders.append(OrderIssued(source, target, "carts", 1, self.today, arrives, tuple(lines), self.today))
        return orders

    def accept_and_load(self, site: str) -> None:
        """Carry out the orders that a site has heard of: load what is there, more or less as ordered."""
        for id, step in list(self.open.items()):
            order = self.orders[id]
            if order.from_site != site or not self.know_of(site, id) or order.departs > self.today:
                continue
            if step == "issued" and self.chance(0.7):
                self.report(site, OrderAccepted(id, self.today), [])
                self.open[id] = "accepted"
            elif self.chance(0.8):
                self.load(site, id, order)

    def load(self, site: str, id: str, order: OrderIssued) -> None:
        load: dict[str, dict[str, int]] = {}
        for line in order.lines:
            quantity = line.quantity if self.chance(0.8) else round(line.quantity * self.rng.uniform(0.7, 1.1))
            lots = self.world.draw(site, line.good, quantity)
            for lot, part in lots.items():
                there = load.setdefault(line.good, {})
                there[lot] = there.get(lot, 0) + part
        if not load:
            return
        del self.open[id]
        days = (date.fromisoformat(order.arrives) - date.fromisoformat(order.departs)).days
        self.world.trucks[id] = Truck(id, order.to_site, self.day + days, load)
        self.loaded[id] = {good: sum(lots.values()) for good, lots in load.items()}
        fact = OrderLoaded(id, lines_of(load, with_lots=self.chance(0.5)), self.today)
        self.report(site, fact, [(site, good) for good in load])

    def unload(self, site: str) -> None:
        """Trucks arrive whole, in two parts, with less than was loaded, or never."""
        for id, truck in list(self.world.trucks.items()):
            if truck.to_site != site or truck.arrives > self.day:
                continue
            luck = self.rng.random()
            if luck < 0.03:
                del self.world.trucks[id]
                continue
            if luck < 0.1:
                truck.arrives = self.day + 1
                continue
            more = luck < 0.2
            arrived = {
                good: {lot: quantity // 2 if more else self.what_is_left(quantity) for lot, quantity in lots.items()}
                for good, lots in truck.load.items()
            }
            if more:
                truck.load = {
                    good: {lot: quantity - arrived[good][lot] for lot, quantity in lots.items()}
                    for good, lots in truck.load.items()
                }
                truck.arrives = self.day + 1
            else:
                del self.world.trucks[id]
            for good, lots in arrived.items():
                self.world.put(site, good, lots)
                so_far = self.arrived.setdefault(id, {})
                so_far[good] = so_far.get(good, 0) + sum(lots.values())
            lines = lines_of(arrived, with_lots=self.chance(0.5))
            fact = OrderReceived(id, site, lines, self.today, more)
            self.report(site, fact, [(site, good) for good in arrived])

    def what_is_left(self, quantity: int) -> int:
        return quantity if self.chance(0.85) else round(quantity * self.rng.uniform(0.8, 1.0))

    def cancel(self) -> None:
        """Call an order off, sometimes when the truck is on its way: then it turns round."""
        for id in [*self.open, *self.world.trucks]:
            if not self.chance(0.02):
                continue
            order = self.orders[id]
            self.open.pop(id, None)
            truck = self.world.trucks.pop(id, None)
            if truck is not None:
                for good, lots in truck.load.items():
                    self.world.put(order.from_site, good, lots)
                    self.sure.discard((order.from_site, good))
                    self.unsettled[order.from_site, good] = self.day
            self.write(
                self.rng.choice(self.world.network.sites).site, OrderCancelled(id, self.today, "road closed"), ()
            )

    # Rows

    def drop_site(self, site: str) -> None:
        """Take a site out of the tables, though people there go on reporting."""
        self.write(site, RowDropped("sites", {"site": site}, self.today), ())

    def set_row(self, site: str, table: str, row: dict[str, str]) -> None:
        """Set a row of a table from the device of a site."""
        self.write(site, RowSet(table, row, self.today), ())

    def note(self, site: str, text: str) -> None:
        self.write(site, NoteWritten(text, self.today, site), ())
