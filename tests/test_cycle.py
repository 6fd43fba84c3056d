"""The loop: what is read equals what is folded from scratch, and what is ordered is promised in the next round."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest

import abasto
from abasto import cycle
from abasto.errors import JournalError
from abasto.facts.kinds import GoodsTakenIn, StockCounted
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.journal.store import Snapshot
from abasto.planner.check import check_plan
from abasto.state.encode import VERSION, encode
from abasto.state.fold import fold
from abasto.state.network import rows_of

DAY = date(2027, 3, 1)


def founded(store: MemoryStore | None = None) -> Journal:
    """Return the journal of the bundled neighbourhood, on its first day."""
    journal = Journal(MemoryStore() if store is None else store, Device(b"1" * 32))
    journal.found("Neighbourhood", date=DAY.isoformat(), time=0)
    network = abasto.read(abasto.example_path("neighbourhood"))
    journal.append(rows_of(network, date=DAY), time=0)
    return journal


def count(quantity: int) -> StockCounted:
    return StockCounted("Mill", "flour", quantity, DAY.isoformat())


def is_as_from_scratch(journal: Journal) -> bool:
    return encode(cycle.read_state(journal)) == encode(fold(journal.read()))


def test_state_is_the_fold_of_all_entries_with_and_without_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "SNAPSHOT_AFTER", 20)
    journal = founded()
    assert journal.store.snapshot(VERSION) is None
    assert is_as_from_scratch(journal)
    kept = journal.store.snapshot(VERSION)
    assert kept is not None
    assert kept.count == journal.store.count()
    journal.append([count(1_390_000), count(1_380_000)], time=0)
    assert is_as_from_scratch(journal)
    assert journal.store.snapshot(VERSION) == kept  # two entries are not worth another one


def test_entry_that_comes_late_is_folded_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "SNAPSHOT_AFTER", 1)
    journal = founded()
    elsewhere = Journal(MemoryStore(), Device(b"2" * 32))
    elsewhere.receive(journal.store.export())
    [late] = elsewhere.append([GoodsTakenIn("Mill", "flour", 50_000, DAY.isoformat())], time=0)
    for quantity in range(3):
        journal.append([count(quantity * 1000)], time=0)
        assert is_as_from_scratch(journal)
    signed = elsewhere.store.get(late.id)
    assert signed is not None
    assert journal.receive([signed]).new == 1
    assert next(reversed(list(journal.read()))).entry.id != late.id
    assert is_as_from_scratch(journal)


def test_a_snapshot_that_cannot_be_kept_keeps_nobody_from_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullStore(MemoryStore):
        def keep_snapshot(self, snapshot: Snapshot) -> None:
            raise JournalError("the disk is full")

    monkeypatch.setattr(cycle, "SNAPSHOT_AFTER", 1)
    assert is_as_from_scratch(founded(FullStore()))


def test_orders_of_a_round_never_exceed_the_stock_and_are_promised_in_the_next() -> None:
    journal = founded()
    state = cycle.read_state(journal)
    proposal = cycle.propose(state, DAY, ordered_days=2)
    before = encode(state)
    assert encode(cycle.read_state(journal)) == before  # proposing writes nothing
    assert not check_plan(proposal.known.network, proposal.plan)
    assert not check_plan(proposal.known.network, proposal.rounded.plan)
    assert proposal.orders

    entries = cycle.issue(journal, proposal, time=0)
    state = cycle.read_state(journal)
    assert {entry.id for entry in entries} == set(state.orders)

    # A second, obvious count: what orders move off a site on the first day, against what is or comes there.
    left: dict[tuple[str, str], int] = defaultdict(int)
    for place in state.books.places():
        left[place] += sum(state.books.balance(*place).values())
    for row in proposal.known.network.supplies:
        left[row.site, row.good] += round(row.quantity * 1000)
    for batch in proposal.rounded.plan.production.rows():
        left[batch["site"], "bread"] += round(batch["batches"] * 100_000) if batch["day"] == 1 else 0
    for order in proposal.orders:
        for line in order.lines:
            left[order.from_site, line.good] -= line.quantity if order.departs == DAY.isoformat() else 0
            left[order.to_site, line.good] += line.quantity if order.arrives == DAY.isoformat() else 0
    assert min(left.values()) >= 0

    again = cycle.propose(state, DAY)
    assert {order.id for order in again.known.orders} == set(state.orders)
    assert not check_plan(again.known.network, again.plan)


def test_a_network_without_tables_says_what_is_missing() -> None:
    journal = Journal(MemoryStore(), Device(b"1" * 32))
    journal.found("Nowhere", date=DAY.isoformat(), time=0)
    with pytest.raises(abasto.InputError, match="table network has no row"):
        cycle.propose(cycle.read_state(journal), DAY)
