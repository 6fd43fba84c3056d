"""Facts without sense or order, and everything taken back at random: both ledgers still book the same movements."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from month_compare import seen_by
from month_devices import Phone, carry
from month_noise import Noise
from month_run import device

from abasto.facts.kinds import (
    EntryReversed,
    Fact,
    GoodsHandedOut,
    GoodsTakenIn,
    Line,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    StockCounted,
)
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore

ONCE_IN = 10
"""So many facts are written between two comparisons."""


def phones_of(network: str, count: int) -> list[Phone]:
    """Return devices of a network that has just been founded."""
    phones = [Phone(str(n), Journal(MemoryStore(), device(f"{network} {n}"))) for n in range(count)]
    phones[0].journal.found(network, date="2027-03-01", time=0)
    for phone in phones[1:]:
        phone.journal.receive(phones[0].holds().values())
    return phones


def noisy(seed: int, facts: int) -> Iterator[Phone]:
    """Let three devices write noise and meet now and then; yield the one that wrote last, now and then."""
    rng = random.Random(seed)
    noise, phones = Noise(rng), phones_of(f"noise {seed}", 3)
    for number in range(facts):
        phone = rng.choice(phones)
        noise.write(phone, number // 8 + 1)
        if rng.random() < 0.2:
            source, target = rng.sample(phones, 2)
            carry(source, target, rng)
        if number % ONCE_IN == 0:
            yield phone


@pytest.mark.parametrize("seed", range(20))
def test_both_ledgers_agree_on_noise(seed: int) -> None:
    for phone in noisy(seed, 100):
        seen = seen_by(phone)
        assert seen.differences() == []
        assert seen.unbalanced() == {}
        assert seen.not_closing() == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(8))
def test_both_ledgers_agree_on_a_great_deal_of_noise(seed: int) -> None:
    for run in range(15):
        for phone in noisy(1000 * (seed + 1) + run, 200):
            seen = seen_by(phone)
            assert seen.differences() == [], f"run {run}"
            assert seen.unbalanced() == {}, f"run {run}"
            assert seen.not_closing() == [], f"run {run}"


def told(*facts: Fact) -> tuple[Phone, list[str]]:
    """Return a device that has written facts, and their ids; `EntryReversed("-2", …)` means the entry two before."""
    (phone,) = phones_of("told", 1)
    ids: list[str] = []
    for fact in facts:
        if isinstance(fact, EntryReversed):
            fact = EntryReversed(ids[int(fact.entry)], fact.date)
        elif isinstance(fact, OrderLoaded | OrderReceived):
            fact = type(fact)(ids[int(fact.order)], *[getattr(fact, name) for name in fact.__slots__[1:]])
        ids += [entry.id for entry in phone.say([fact], day="2027-03-10")]
    return phone, ids


def lying_there(phone: Phone) -> dict[str, int]:
    seen = seen_by(phone)
    assert seen.differences() == []
    return seen.state.books.balance("School", "bread")


def test_a_second_count_of_a_day_taken_back_leaves_the_first_one_standing() -> None:
    """10 were counted, then 100 by mistake; a hand-out of the day before, reported late, was seen by the first."""
    phone, _ = told(
        StockCounted("School", "bread", 30_000, "2027-03-01"),
        StockCounted("School", "bread", 10_000, "2027-03-04"),
        StockCounted("School", "bread", 100_000, "2027-03-04"),
        EntryReversed("-1", "2027-03-04"),
        GoodsHandedOut("School", "bread", 20_000, "2027-03-03"),
    )
    assert lying_there(phone) == {"": 10_000}


def test_a_count_that_found_what_the_books_said_can_be_taken_back() -> None:
    """It was of another day: what was handed out before it then counts."""
    phone, _ = told(
        StockCounted("School", "bread", 30_000, "2027-03-01"),
        StockCounted("School", "bread", 30_000, "2027-03-04"),
        EntryReversed("-1", "2027-03-05"),
        GoodsHandedOut("School", "bread", 20_000, "2027-03-03"),
    )
    assert lying_there(phone) == {"": 10_000}


def test_what_a_count_met_twice_holds_again_once_the_count_is_taken_back() -> None:
    """5 came late and the count had met them; that they came was taken back, then that they did not, then the count."""
    phone, _ = told(
        StockCounted("School", "bread", 30_000, "2027-03-01"),
        StockCounted("School", "bread", 10_000, "2027-03-04"),
        GoodsTakenIn("School", "bread", 5_000, "2027-03-03"),
        EntryReversed("-1", "2027-03-04"),
        EntryReversed("-1", "2027-03-05"),
        EntryReversed("-4", "2027-03-06"),
    )
    assert lying_there(phone) == {"": 35_000}


def test_a_receipt_before_its_load_heals_when_the_load_comes() -> None:
    """8 of 10 arrived and are reported first; the load of two days earlier comes later: 2 are lost on the way."""
    phone, ids = told(
        GoodsTakenIn("Mill", "bread", 50_000, "2027-03-01"),
        OrderIssued("Mill", "School", "carts", 1, "2027-03-02", "2027-03-02", (Line("bread", 10_000),), "2027-03-01"),
        OrderReceived("-1", "School", (Line("bread", 8_000),), "2027-03-03"),
        OrderLoaded("-2", (Line("bread", 10_000),), "2027-03-02"),
    )
    seen = seen_by(phone)
    assert seen.differences() == []
    assert seen.state.books.balance("Mill", "bread") == {"": 40_000}
    assert seen.state.books.balance("School", "bread") == {"": 8_000}
    assert seen.state.books.on_the_way(ids[1]) == {}
    assert seen.state.books.elsewhere("lost") == {("bread", ""): 2_000}
