"""Seeded journals of any length: what sites report over two years, signed by fifty devices."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import blake2b

from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsMade,
    GoodsTakenIn,
    Line,
    NetworkFounded,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
    body_of,
)
from abasto.journal.signing import NOTHING, Device, make_entry
from abasto.journal.store import Verified

__all__ = ["DEVICES", "device", "entries", "facts"]

SITES, GOODS, DEVICES, DAYS = 300, 20, 50, 730
FIRST = date(2026, 1, 1)
NOON = 1_767_268_800
"""2026-01-01, noon, in seconds since 1970."""


def device(number: int) -> Device:
    """Return the device of that number."""
    return Device(blake2b(b"benchmark device %d" % number, digest_size=32).digest())


def facts(count: int, *, seed: int = 0) -> Iterator[Fact]:
    """Yield rows of sites and goods, then what networks report of them: goods counted, taken in, handed out, made."""
    rng = random.Random(seed)
    rows: list[Fact] = [RowSet("sites", {"site": f"Neighbourhood {n}"}, FIRST.isoformat()) for n in range(SITES)]
    rows += [RowSet("goods", {"good": f"good {n}"}, FIRST.isoformat()) for n in range(GOODS)]
    yield from rows[:count]
    for number in range(len(rows), count):
        yield _report(rng, _day(number, count))


def _day(number: int, count: int) -> str:
    return (FIRST + timedelta(days=number * DAYS // count)).isoformat()


def _report(rng: random.Random, day: str) -> Fact:
    site, good = f"Neighbourhood {rng.randrange(SITES)}", f"good {rng.randrange(GOODS)}"
    quantity = rng.randrange(1, 500) * 1000
    luck = rng.random()
    if luck < 0.40:
        return StockCounted(site, good, quantity, day)
    if luck < 0.70:
        return GoodsHandedOut(site, good, quantity // 5, day)
    if luck < 0.90:
        return GoodsTakenIn(site, good, quantity, day, ref=f"form {rng.randrange(10**9)}")
    if luck < 0.96:
        return GoodsMade(site, "baking", 1500, (Line("good 0", -120_000), Line("good 1", 150_000)), day)
    return RowSet("needs", {"site": site, "good": good, "quantity": str(quantity // 1000)}, day)


def entries(count: int, *, seed: int = 0) -> Iterator[Verified]:
    """Yield so many entries of one network in the order of the fold: every tenth is a step of an order."""
    rng = random.Random(seed)
    devices = [device(number) for number in range(DEVICES)]
    founded = _made(devices[0], NOTHING, 1, NOTHING, (), 1, NetworkFounded("Benchmark", (devices[0].key,), 1))
    yield founded
    network = founded.entry.id
    heads: list[tuple[int, str]] = [(1, network), *((0, NOTHING) for _ in devices[1:])]
    under_way: list[tuple[str, str, int]] = []
    latest = network
    for number, fact in enumerate(facts(count - 1, seed=seed + 1)):
        who = rng.randrange(DEVICES)
        if number % 10 == 9 and number > SITES + GOODS:
            fact = _step(rng, under_way, _day(number, count))
        seq, prev = heads[who]
        deps = (latest,) if latest != prev else ()
        made = _made(devices[who], network, seq + 1, prev, deps, number + 2, fact)
        yield made
        latest = made.entry.id
        heads[who] = (seq + 1, latest)
        if isinstance(fact, OrderIssued):
            under_way.append((latest, fact.to_site, 0))


def _step(rng: random.Random, under_way: list[tuple[str, str, int]], day: str) -> Fact:
    """Carry an order one step on, or issue another."""
    line = Line(f"good {rng.randrange(GOODS)}", rng.randrange(1, 200) * 1000)
    if not under_way or rng.random() < 1 / 3:
        source, target = (f"Neighbourhood {rng.randrange(SITES)}" for _ in range(2))
        return OrderIssued(source, target, "lorries", 1, day, day, (line,), day)
    id, target, step = under_way.pop(rng.randrange(len(under_way)))
    if step == 0:
        under_way.append((id, target, 1))
        return OrderLoaded(id, (line,), day)
    return OrderReceived(id, target, (line,), day)


def _made(device: Device, network: str, seq: int, prev: str, deps: tuple[str, ...], lc: int, fact: Fact) -> Verified:
    return make_entry(
        device,
        network=network,
        seq=seq,
        prev=prev,
        deps=deps,
        lc=lc,
        time=NOON + lc,
        kind=fact.KIND,
        body=body_of(fact),
    )
