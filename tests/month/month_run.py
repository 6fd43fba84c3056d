"""Thirty days of one network on several devices, with everything that goes wrong in a month, each on its day."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

from month_devices import Phone, everything, meet
from month_life import Life
from month_world import World

from abasto.facts.kinds import Fact, StockCounted, body_of
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING, Device, make_entry
from abasto.journal.store import Store, Verified
from abasto.network import Network

__all__ = ["DAYS", "Month", "device"]

DAYS = 30
Orders = Callable[[Life], None]


def device(name: str) -> Device:
    """Return a device whose key follows from its name."""
    return Device(blake2b(name.encode(), digest_size=32).digest())


class Month:
    """The life of a network on its devices; `archive` is an observer who gets everything every evening.

    `facts` are the tables as the first device writes them; `store` makes a device's store, `order` is what the
    coordinator does each morning, `life` is how people live.
    """

    def __init__(
        self,
        network: Network,
        *,
        facts: Sequence[Fact],
        devices: int = 4,
        seed: int = 0,
        store: Callable[[str], Store] = lambda name: MemoryStore(),
        order: Orders | None = None,
        life: Callable[[World, Sequence[Phone], random.Random], Life] = Life,
    ) -> None:
        self.rng = random.Random(seed)
        self.store = store
        self.facts = facts
        names = [f"phone {number} of month {seed}" for number in range(devices)]
        self.phones = [Phone(name, Journal(store(name), device(name))) for name in names]
        self.archive = Phone("archive", Journal(MemoryStore()))
        self.life = life(World(network), self.phones, self.rng)
        self.order = order or order_at_random

    def days(self, count: int = DAYS) -> Iterator[int]:
        """Live day by day; each day ends when the archive has heard of everything."""
        life, first = self.life, self.phones[0]
        first.journal.found(life.world.network.name, date=life.today, time=0)
        for start in range(0, len(self.facts), 100):
            first.say(self.facts[start : start + 100], day=life.today)
        for phone in self.phones[1:]:
            phone.journal.receive(first.holds().values())
        for day in range(1, count + 1):
            life.day = day
            meet(self.phones, self.rng)
            self.befall(day)
            self.order(life)
            meet(self.phones, self.rng)
            life.live()
            self.archive.journal.receive(everything(self.phones))
            yield day

    def heal(self) -> None:
        """Bring everything to everybody: a month's end, when all are in reach again."""
        bundle = everything(self.phones)
        for phone in self.phones:
            self.rng.shuffle(bundle)
            phone.journal.receive(bundle)

    # What befalls the network, each on its day

    def befall(self, day: int) -> None:
        """Do what the day holds."""
        life = self.life
        sites = life.world.network.sites
        if day in (4, 9):
            self.phones[-1].is_offline = day == 4
        if day == 6:
            life.drop_site(sites[-1].site)
        if day == 10:
            life.set_row(sites[0].site, "sites", {"site": sites[-1].site, "people": "10"})
        if day == 11:
            self.slip_in(self.phones[1], "stock.counted", {"site": sites[0].site, "good": 7, "quantity": "many"})
            self.slip_in(self.phones[1], "goods.dreamt", {"good": "bread", "of": "better days"})
        if day in (13, 15):
            self.phones[1].years_off = 3 if day == 13 else 0
        if day == 17 and life.world.network.recipes:
            row = life.world.network.recipes[0]
            cells = {"recipe": row.recipe, "good": row.good, "quantity": f"{row.quantity:g}5"}
            life.set_row(sites[0].site, "recipes", cells)
        if day == 19:
            life.set_row(sites[0].site, "goods", {"good": life.world.network.goods[0].good, "shelf_life_days": "20"})
            life.note(sites[0].site, "From today flour has a date.")
        if day == 22 and len(self.phones) > 2:
            self.fork(self.phones[2])

    def slip_in(self, phone: Phone, kind: str, body: dict[str, object]) -> None:
        """Write what the program itself would refuse to: its signature and chain are right, its body is not."""
        phone.journal.store.add([self.next_of(phone, kind, body)])

    def next_of(self, phone: Phone, kind: str, body: dict[str, object]) -> Verified:
        journal = phone.journal
        assert journal.device is not None
        head = journal.store.heads().get(journal.device.key)
        return make_entry(
            journal.device,
            network=journal.network,
            seq=head.seq + 1 if head else 1,
            prev=head.id if head else NOTHING,
            deps=(),
            lc=journal.store.clock() + 1,
            time=0,
            kind=kind,
            body=body,
        )

    def fork(self, phone: Phone) -> None:
        """A copied key signs two things at once; the device is frozen, and its sites go on with a new one."""
        life = self.life
        site = next(site for site, owner in life.device_of.items() if owner is phone)
        good = life.world.network.goods[0].good
        twins = [
            self.next_of(phone, StockCounted.KIND, body_of(StockCounted(site, good, quantity, life.today)))
            for quantity in (1_000, 2_000)
        ]
        self.phones[0].journal.store.add(twins[:1])
        phone.journal.store.add(twins[1:])
        number = self.phones.index(phone)
        name = f"{phone.name}, its successor"
        successor = Phone(name, Journal(self.store(name), device(name)))
        self.phones[number] = successor
        successor.journal.receive(phone.holds().values())
        for site, owner in life.device_of.items():
            if owner is phone:
                life.device_of[site] = successor


def order_at_random(life: Life) -> None:
    """Send what lies at the start of some lanes to their ends, whoever needs it."""
    for fact in life.order_some(4):
        life.issue(fact.from_site, [fact])
