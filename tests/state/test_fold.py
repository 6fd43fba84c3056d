"""The fold is a function of the set of entries: any way they come, and from any state that was kept."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.facts.strategies import facts as any_facts
from tests.state.devices import DAY, Crew, received

from abasto.errors import JournalError
from abasto.facts.kinds import (
    AlarmAnswered,
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
from abasto.journal.entry import Entry
from abasto.state import effects
from abasto.state.encode import VERSION, decode, encode
from abasto.state.exceptions import exceptions
from abasto.state.fold import fold

SITES, GOODS, LOTS = ("Store", "School", "Shed"), ("bread", "flour"), (None, None, "", "2026-11-28", "2026-12-02")


def day_of(rng: Random) -> str:
    """Most reports are of these days; some are months old, and some clocks are years off."""
    if rng.random() < 0.03:
        return rng.choice(("2026-06-01", "2025-01-01", "2031-01-01"))
    return f"2026-11-{rng.randrange(18, 30)}"


def any_fact(rng: Random, said: list[Entry]) -> Fact:
    """Return a fact such as people write, or one about what somebody else has just written."""
    site, good, lot, day = rng.choice(SITES), rng.choice(GOODS), rng.choice(LOTS), day_of(rng)
    quantity = rng.randrange(0, 40_000)
    orders = [entry.id for entry in said if entry.kind == "order.issued"] or ["Z" * 42 + "A"]
    order = rng.choice(orders)
    ref = rng.choice(("", "", "", f"form {rng.randrange(6)}"))
    lines = tuple(
        Line(rng.choice(GOODS), rng.randrange(1, 9_000), rng.choice(LOTS)) for _ in range(rng.randrange(1, 3))
    )
    made = (Line("bread", quantity), Line("flour", -quantity // 2, lot))
    return rng.choice(
        (
            StockCounted(site, good, quantity, day, lot=lot, ref=ref),
            StockCounted(site, good, quantity, day),
            GoodsTakenIn(site, good, quantity, day, lot=lot, ref=ref),
            GoodsHandedOut(site, good, quantity, day, lot=lot),
            GoodsLost(site, good, quantity, day, lot=lot),
            GoodsMade(site, "bake", 1_000, made, day),
            OrderIssued(site, rng.choice(SITES), "truck", 1, day, day, lines, day),
            OrderAccepted(order, day),
            OrderLoaded(order, lines, day),
            OrderReceived(order, site, lines, day, more_to_come=rng.random() < 0.3),
            OrderCancelled(order, day),
            RowSet("sites", {"site": site, "name": f"{rng.randrange(9)}"}, day),
            RowDropped("sites", {"site": site}, day),
            RowSet("stocks", {"site": site, "good": good, "quantity": str(rng.randrange(50))}, day),
            EntryReversed(rng.choice(said).id, day),
            NoteWritten("settled", day, settles=("Z" * 42 + "A",)),
            AlarmAnswered(f"runs out/{site}/{good}", rng.choice(("taken", "settled")), day, ref=ref),
            AlarmAnswered(f"runs out/{site}/{good}", "wrong", day, reason="counted"),
        )
    )


def lively(seed: int, *, length: int, size: int = 3) -> Crew:
    """Return devices that reported `length` facts and met now and then, and at the end; one may have forked."""
    rng = Random(seed)
    crew = Crew(size)
    said = [placed.entry for placed in crew.placed()]
    for _ in range(length):
        by = rng.randrange(size)
        said += crew.say(any_fact(rng, said), by=by)
        if rng.random() < 0.15:
            crew.meet(*rng.sample(range(size), 2))
    if seed % 3 == 0:
        head = crew.journals[1].store.heads().get(crew.devices[1].key)
        if head is not None and head.seq > 2:
            body = {"text": "forked", "date": DAY}
            crew.forge(by=1, seq=head.seq - 1, prev=head.id, lc=head.lc, kind="note.written", body=body)
    if seed % 4 == 0:
        crew.forge(by=2, kind="goods.taken_in", body={"site": "Store"})
        crew.forge(by=2, kind="later.kind", body={})
    crew.meet()
    return crew


def check_any_way_it_comes(seed: int, *, length: int, ways: int) -> None:
    """Deliver the same entries shuffled, doubled, in parts and with losses mended later; all folds are equal bytes."""
    crew = lively(seed, length=length)
    everything = crew.everything()
    expected = encode(crew.state())
    rng = Random(seed + 1)
    for _ in range(ways):
        order = [*everything, *rng.sample(everything, len(everything) // 3)]
        rng.shuffle(order)
        journal = received([])
        while order:
            count = rng.randrange(1, len(order) + 1)
            journal.receive(order[:count])
            order = order[count:]
            if rng.random() < 0.3:
                fold(journal.read())  # Whoever looks in between changes nothing.
        assert encode(fold(journal.read())) == expected


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_delivery_gives_the_same_bytes(seed: int) -> None:
    check_any_way_it_comes(seed, length=60, ways=4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 108))
def test_any_order_of_delivery_gives_the_same_bytes_soak(seed: int) -> None:
    check_any_way_it_comes(seed, length=300, ways=20)


@pytest.mark.parametrize("seed", range(6))
def test_a_fold_goes_on_from_a_kept_state(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small chunks, so that effects are packed and forgotten here too.
    monkeypatch.setattr(effects, "CHUNK", 8)
    monkeypatch.setattr(effects, "KEPT_CHUNKS", 3)
    placed = lively(seed, length=80).placed()
    whole = encode(fold(placed))
    for cut in range(0, len(placed) + 1, 7):
        kept = encode(fold(placed[:cut]))
        assert encode(decode(kept)) == kept
        assert encode(fold(placed[cut:], decode(kept))) == whole
        stepwise = fold(placed[:cut])
        encode(stepwise)
        assert encode(fold(placed[cut:], stepwise)) == whole


@pytest.mark.parametrize("seed", range(12))
def test_every_good_and_lot_sums_to_zero_after_every_entry(seed: int) -> None:
    def listen(told: object) -> None:
        assert state.books.unbalanced() == {}

    placed = lively(seed, length=60).placed()
    state = fold(placed[:0])
    fold(placed, state, listen=listen)
    assert exceptions(state) == exceptions(decode(encode(state)))


@given(st.lists(st.tuples(st.integers(0, 2), any_facts), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_facts_leave_the_books_balanced(said: list[tuple[int, Fact]]) -> None:
    """Whatever kinds and values: the fold goes on, the books balance, every replica has the same bytes."""
    crew = Crew(3)
    for by, fact in said:
        if fact.KIND != "network.founded":  # type: ignore[union-attr]
            crew.say(fact, by=by)
        if by == 2:
            crew.meet(0, 2)
    crew.meet()
    state = crew.state()
    exceptions(state)
    assert encode(fold(received(reversed(crew.everything())).read())) == encode(state)


def test_only_so_many_entries_can_be_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "CHUNK", 4)
    monkeypatch.setattr(effects, "KEPT_CHUNKS", 2)
    crew = Crew()
    taken = crew.say(*[GoodsTakenIn("Store", "flour", 1_000, DAY)] * 20)
    crew.say(EntryReversed(taken[0].id, DAY), EntryReversed(taken[-1].id, DAY))
    state = crew.state()
    assert state.books.balance("Store", "flour") == {"": 19_000}
    assert [one.kind for one in exceptions(state)] == ["not undone"]


def test_the_founding_names_the_network() -> None:
    crew = Crew()
    state = crew.state()
    assert state.founded is not None
    assert (state.founded.name, state.network) == ("Barrio", crew.journals[0].network)


def test_a_state_of_another_version_is_refused() -> None:
    kept = encode(Crew().state())
    with pytest.raises(JournalError, match="fold the entries anew"):
        decode(kept.replace(f'"version":{VERSION}'.encode(), b'"version":0', 1))
