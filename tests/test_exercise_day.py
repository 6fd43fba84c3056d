"""A day of an exercise: vans wait for what is brought to them, and not for what never comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from abasto.cycle import propose, read_state
from abasto.examples import federation_path
from abasto.exercise import call_off, drive, evening, morning
from abasto.facts.kinds import Line, OrderIssued
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.network import Network
from abasto.state.network import rows_of
from abasto.tables import read_network

DAYS = 10


@pytest.fixture
def vale() -> Network:
    """The dairy brings milk to the market, and the market to the village."""
    return read_network(federation_path("vale"))


@pytest.fixture
def journal(vale: Network) -> Journal:
    journal = Journal(MemoryStore(), Device(bytes(32)))
    journal.found(vale.name, date=vale.start.isoformat(), time=0, facts=rows_of(vale, date=vale.start))
    return journal


def test_what_goes_on_on_the_same_day_is_waited_for(vale: Network, journal: Journal) -> None:
    """Alone Vale has milk for all and flour for a sixth, and no beans; of what there was at first nothing is left."""
    for day in (vale.start + timedelta(days=number) for number in range(DAYS)):
        morning(journal, day)
        journal.append(list(propose(read_state(journal), day, days=7).orders), time=0)
        drive(journal, day)
        call_off(journal, day)
        got = evening(journal, day)
    assert got.met["milk"] == pytest.approx(got.needed["milk"])
    assert got.met["flour"] == pytest.approx(got.needed["flour"] / 6, rel=0.01)


def order(start: str, end: str, day: str, **goods: int) -> OrderIssued:
    lines = tuple(Line(good, quantity) for good, quantity in goods.items())
    return OrderIssued(start, end, "milk lorry", 1, day, day, lines, day)


def test_a_van_that_waits_goes_in_the_end_with_what_there_is(vale: Network, journal: Journal) -> None:
    day, then = vale.start, vale.start.isoformat()
    to_market = order("Dairy", "Vale market", then, beans=500_000)  # There are none at the dairy.
    to_village = order("Vale market", "Lower village", then, flour=100_000, beans=99_000_000)
    morning(journal, day)
    journal.append([to_market, to_village], time=0)

    def flour() -> int:
        return sum(read_state(journal).books.balance("Lower village", "flour").values())

    drive(journal, day, waits=True)
    assert flour() == 0
    drive(journal, day)
    assert flour() == 100_000


def test_a_van_that_lacks_something_leaves_before_those_that_wait_for_what_it_brings(
    vale: Network, journal: Journal
) -> None:
    """The beans for the dairy never come; the milk of its van still goes on to the village."""
    day, then = vale.start, vale.start.isoformat()
    never = order("Vale market", "Dairy", then, beans=99_000_000_000)
    to_market = order("Dairy", "Vale market", then, milk=500_000, beans=1_000)
    to_village = order("Vale market", "Lower village", then, milk=3_500_000, flour=100_000)
    morning(journal, day)
    journal.append([never, to_market, to_village], time=0)
    drive(journal, day, waits=True)
    drive(journal, day)
    assert sum(read_state(journal).books.balance("Lower village", "milk").values()) == 3_500_000


def test_however_many_vans_carry_the_same_goods_on_all_leave(vale: Network, journal: Journal) -> None:
    day, then = vale.start, vale.start.isoformat()
    to_and_fro = ("Vale market", "Lower village")
    morning(journal, day)
    orders = [order(to_and_fro[n % 2], to_and_fro[1 - n % 2], then, beans=2_000_000, milk=n + 1) for n in range(9)]
    journal.append(orders, time=0)
    drive(journal, day)
    assert [one.status for one in read_state(journal).orders.values()] == ["received"] * len(orders)
