"""The loop through a month: what is known is planned, the plan is ordered, and the orders come back as facts."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import pytest
from month_compare import seen_by
from month_life import Life
from month_run import Month, order_at_random

import abasto
from abasto.cycle import Proposal, propose, read_state
from abasto.network import Network
from abasto.state.network import rows_of
from abasto.state.state import State

EVERY = 3
"""A plan is made on every so-manieth day; what people arrange among themselves goes on in between."""


class Coordinator:
    """Plans on the first device from what it knows, signs the orders of the day, and remembers what it proposed."""

    def __init__(self) -> None:
        self.proposals: list[Proposal] = []
        self.ordered: list[str] = []

    def __call__(self, life: Life) -> None:
        if life.day % EVERY != 1:
            order_at_random(life)
            return
        phone = life.phones[0]
        state = read_state(phone.journal)
        proposal = propose(state, date.fromisoformat(life.today), days=5)
        hold_to_what_is_known(state, proposal)
        self.proposals.append(proposal)
        desk = next(site for site, owner in life.device_of.items() if owner is phone)
        before = set(life.orders)
        life.issue(desk, proposal.orders)
        self.ordered += [id for id in life.orders if id not in before]


def hold_to_what_is_known(state: State, proposal: Proposal) -> None:
    """Nothing is planned with twice: what the plan starts from is at most what lies at sites or is on its way."""
    there: dict[str, int] = defaultdict(int)
    for site, good in state.books.places():
        there[good] += sum(max(0, quantity) for quantity in state.books.balance(site, good).values())
    for order in state.orders:
        for (good, _), quantity in state.books.on_the_way(order).items():
            there[good] += max(0, quantity)
    planned: dict[str, float] = defaultdict(float)
    for row in proposal.known.network.stocks:
        planned[row.good] += row.quantity * 1000
    for good, quantity in planned.items():
        assert quantity <= there[good] + 1e-6, good


def lived(network: Network, *, days: int, devices: int, seed: int) -> tuple[Month, Coordinator]:
    """Live some days with a coordinator, and then until the last report has left its drawer."""
    coordinator = Coordinator()
    facts = rows_of(network, date=network.start)
    month = Month(network, facts=facts, devices=devices, seed=seed, order=coordinator)
    for _ in month.days(days):
        seen = seen_by(month.archive)
        assert seen.differences() == []
        assert seen.untrue(month.life.world, month.life.sure) == []
    month.life.day += 10
    month.life.empty_drawer()
    month.heal()
    month.archive.journal.receive(month.phones[0].holds().values())
    return month, coordinator


def hold_to_the_world(month: Month, orders: list[str]) -> int:
    """Every order says of itself what was truly loaded and what truly arrived; return how many did arrive."""
    state, life = read_state(month.archive.journal), month.life
    for id in orders:
        record = state.orders[id]
        for lines, truly in ((record.loaded, life.loaded.get(id, {})), (record.received, life.arrived.get(id, {}))):
            told: dict[str, int] = defaultdict(int)
            for line in lines:
                told[line.good] += line.quantity
            assert dict(told) == {good: quantity for good, quantity in truly.items() if quantity}, id
        if record.status == "received":
            lost = {line.good: line.quantity for line in record.difference}
            for good, quantity in life.loaded[id].items():
                assert quantity - life.arrived[id].get(good, 0) == lost.get(good, 0), id
            assert state.books.on_the_way(id) == {}, id
    return sum(state.orders[id].status == "received" for id in orders)


@pytest.fixture(scope="module")
def neighbourhood() -> Network:
    return abasto.read(abasto.example_path("neighbourhood"))


@pytest.mark.soak
def test_plans_of_ten_days_are_ordered_carried_out_and_reported(neighbourhood: Network) -> None:
    month, coordinator = lived(neighbourhood, days=10, devices=4, seed=5)
    assert len(coordinator.proposals) == 4
    assert hold_to_the_world(month, coordinator.ordered) >= 20
    assert any(proposal.known.orders for proposal in coordinator.proposals[1:]), "open orders bind the next plan"
    fed = {
        told.fact.site
        for told in seen_by(month.archive).told
        if told.entry.kind == "goods.handed_out" and not told.outcome and told.fact is not None
    }
    assert "School" in fed, "nothing lies there but what orders bring"


@pytest.mark.soak
@pytest.mark.parametrize("seed", [2])
def test_plans_of_a_month_are_ordered_carried_out_and_reported(neighbourhood: Network, seed: int) -> None:
    month, coordinator = lived(neighbourhood, days=30, devices=4 + seed, seed=200 + seed)
    assert len(coordinator.proposals) == 10
    assert hold_to_the_world(month, coordinator.ordered) >= 40
