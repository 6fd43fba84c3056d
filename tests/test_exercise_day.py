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
