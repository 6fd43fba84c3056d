"""A simulated month on the journal alone: every balance closes every day, and the books are what lies there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.generate import generate
from month_compare import Seen, seen_by
from month_devices import Phone
from month_run import Month

import abasto
from abasto.journal.sqlite import SqliteStore
from abasto.network import Network
from abasto.state.encode import encode
from abasto.state.fold import fold
from abasto.state.network import rows_of

LEAST_SURE = 5
"""So many places at least must be certain after the first days, or comparing books and truth would say little."""


@pytest.fixture(scope="module")
def neighbourhood() -> Network:
    return abasto.read(abasto.example_path("neighbourhood"))


def held(seen: Seen, where: str) -> Seen:
    """Hold what a device sees to the rules, and return it."""
    assert seen.differences() == [], where
    assert seen.unbalanced() == {}, where
    assert seen.not_closing() == [], where
    return seen


def live(month: Month, days: int) -> Iterator[int]:
    """Live day by day; every evening the archive, which has everything, and one device, which has not, are held."""
    for day in month.days(days):
        seen = held(seen_by(month.archive), f"archive, day {day}")
        assert seen.untrue(month.life.world, month.life.sure) == [], f"day {day}"
        assert len(month.life.sure) >= (LEAST_SURE if day > 7 else 0), f"day {day}"
        held(seen_by(month.phones[day % len(month.phones)]), f"a device, day {day}")
        yield day


def all_equal(phones: list[Phone]) -> bool:
    """Say whether all devices' states are the same to the byte."""
    return len({encode(fold(phone.journal.read())) for phone in phones}) == 1


def test_every_balance_closes_every_day_of_a_month_in_encrypted_files(neighbourhood: Network, tmp_path: Path) -> None:
    month = Month(
        neighbourhood,
        facts=rows_of(neighbourhood, date=neighbourhood.start),
        devices=4,
        seed=1972,
        store=lambda name: SqliteStore(tmp_path / f"{name}.db", key="a passphrase", create=True),
    )
    for _ in live(month, 30):
        pass
    assert not all_equal([*month.phones, month.archive]), "some are behind, or there was nothing to bring together"
    month.heal()
    assert all_equal([*month.phones, month.archive])
    outcomes = {told.outcome for told in seen_by(month.archive).told}
    assert outcomes >= {"", "repeated", "fork", "malformed", "later version"}, "the month had all of it"


@pytest.mark.soak
def test_a_generated_network_lives_ten_days_on_twelve_devices() -> None:
    network = generate("TINY", seed=3, chain=True)
    month = Month(network, facts=rows_of(network, date=network.start), devices=12, seed=3)
    for _ in live(month, 10):
        pass
    month.heal()
    assert all_equal([*month.phones, month.archive])


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
def test_months_of_other_seeds_close_too(neighbourhood: Network, seed: int) -> None:
    network = neighbourhood if seed % 3 else generate("TINY", seed=seed, chain=seed % 2 == 0)
    month = Month(network, facts=rows_of(network, date=network.start), devices=(4, 7, 12)[seed % 3], seed=100 + seed)
    for _ in live(month, 30):
        pass
    month.heal()
    assert all_equal([*month.phones, month.archive])
