"""The journal: what a device appends continues its chain, and what others sent is kept only if it is sound."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from tests.journal.contract import Pen, ids, image, tangle

from abasto.errors import EntryError, FactError, JournalError
from abasto.facts.kinds import Fact, NetworkFounded, NoteWritten, RowSet, StockCounted, UnknownFact, fact_of
from abasto.journal import journal as room
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal, Received
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import LARGEST, NOTHING, Device, read_entry
from abasto.journal.store import OvertakenError, Verified


def device(number: int) -> Device:
    return Device(bytes([number]) * 32)


def note(text: str) -> NoteWritten:
    return NoteWritten(text, "2026-11-22")


def notes(count: int) -> list[NoteWritten]:
    return [note(f"{number} sacks") for number in range(count)]


def entries(journal: Journal) -> list[Entry]:
    return [placed.entry for placed in journal.read()]


@pytest.fixture
def journal() -> Journal:
    """Give a journal of device 1, which has founded its network."""
    journal = Journal(MemoryStore(), device(1))
    journal.found("Cordón", date="2026-11-22", time=100)
    return journal


def joined(journal: Journal, number: int) -> Journal:
    """Return the journal of another device, which has received all of `journal`."""
    other = Journal(MemoryStore(), device(number))
    other.receive(journal.store.export())
    return other


# Founding


def test_a_founding_entry_is_the_networks_name_and_its_device_the_steward(journal: Journal) -> None:
    (founding,) = entries(journal)
    key = device(1).key
    assert fact_of(founding.kind, founding.body) == NetworkFounded("Cordón", (key,), 1, date="2026-11-22")
    assert (founding.network, founding.author, founding.seq, founding.prev) == (NOTHING, key, 1, NOTHING)
    assert (founding.lc, founding.time, founding.deps) == (1, 100, ())
    assert journal.network == founding.id
    (appended,) = journal.append([note("first")], time=101)
    assert appended.network == founding.id


def test_a_journal_holds_one_network(journal: Journal) -> None:
    before = image(journal.store)
    with pytest.raises(JournalError, match=r"holds network .* already"):
        journal.found("Another", date="2026-11-22", time=0)
    with pytest.raises(JournalError, match="already"):
        joined(journal, 2).found("Another", date="2026-11-22", time=0)
    assert image(journal.store) == before


def test_a_network_begins_with_all_its_first_facts_or_not_at_all() -> None:
    journal = Journal(MemoryStore(), device(1))
    with pytest.raises(FactError, match="4000 characters"):
        journal.found("Cordón", date="2026-11-22", time=0, facts=[note("one"), note("x" * 5_000)])
    assert journal.store.count() == 0
    founding = journal.found("Cordón", date="2026-11-22", time=0, facts=[note("one"), note("two")])
    journal.append([note("three")], time=1)
    chain = entries(journal)
    assert journal.network == founding.id == chain[0].id
    assert [entry.prev for entry in chain] == [NOTHING, *(entry.id for entry in chain[:-1])]
    assert [(entry.seq, entry.lc) for entry in chain] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert journal.store.heads()[device(1).key].seq == 4


def test_an_empty_journal_cannot_be_written_to() -> None:
    journal = Journal(MemoryStore(), device(1))
    assert journal.network == ""
    with pytest.raises(JournalError, match="no network yet"):
        journal.append([note("too early")], time=0)


def test_without_a_device_a_journal_can_only_be_read(journal: Journal) -> None:
    reader = Journal(journal.store)
    assert entries(reader) == entries(journal)
    assert reader.network == journal.network
    with pytest.raises(JournalError, match="opened to be read"):
        reader.append([note("mine")], time=0)
    with pytest.raises(JournalError, match="opened to be read"):
        Journal(MemoryStore()).found("Cordón", date="2026-11-22", time=0)


# Appending


def test_appended_facts_continue_the_chain(journal: Journal) -> None:
    facts = [note("one"), StockCounted("store-1", "flour", 30_000, "2026-11-22"), note("three")]
    made = journal.append(facts, time=200) + journal.append([note("four")], time=201)
    chain = entries(journal)
    assert chain[1:] == made
    assert [fact_of(entry.kind, entry.body) for entry in made] == [*facts, note("four")]
    assert [entry.seq for entry in chain] == [1, 2, 3, 4, 5]
    assert [entry.lc for entry in chain] == [1, 2, 3, 4, 5]
    assert [entry.prev for entry in chain] == [NOTHING, *(entry.id for entry in chain[:-1])]
    assert [entry.time for entry in made] == [200, 200, 200, 201]


def test_what_was_appended_passes_every_check(journal: Journal) -> None:
    journal.append(notes(5), time=0)
    assert [read_entry(signed).entry for signed in journal.store.export()] == entries(journal)


def test_nothing_to_append_is_nothing(journal: Journal) -> None:
    assert journal.append([], time=0) == []
    assert journal.store.count() == 1


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (UnknownFact("later.kind", {}), FactError),
        (StockCounted("store-1", "flour", -1, "2026-11-22"), FactError),
        (note("\ud800"), EntryError),
        (RowSet("sites", {str(number): "x" * 4_000 for number in range(5)}, "2026-11-22"), EntryError),
    ],
    ids=["unknown", "negative", "half a character", "too large"],
)
def test_facts_are_appended_all_or_none(journal: Journal, bad: Fact, error: type[Exception]) -> None:
    before = image(journal.store)
    with pytest.raises(error):
        journal.append([note("good"), bad, note("good")], time=0)
    assert image(journal.store) == before
    assert len(journal.append([note("good")], time=0)) == 1


# What the author had seen


def test_deps_are_the_heads_that_are_new_since_the_last_entry(journal: Journal) -> None:
    two, three = joined(journal, 2), joined(journal, 3)
    of_two, of_three = two.append(notes(2), time=0), three.append(notes(5), time=0)
    assert of_two[0].deps == of_three[0].deps == (journal.network,)
    assert of_two[1].deps == ()
    journal.receive([*two.store.export(), *three.store.export()])
    first, second = journal.append(notes(2), time=0)
    assert first.deps == (of_three[-1].id, of_two[-1].id)
    assert second.deps == ()
    assert first.lc == of_three[-1].lc + 1
    (more,) = two.append([note("more")], time=0)
    journal.receive(two.store.export())
    assert journal.append([note("third")], time=0)[0].deps == (more.id,)
    assert journal.append([note("fourth")], time=0)[0].deps == ()


def test_a_head_with_a_small_counter_is_new_if_it_came_late(journal: Journal) -> None:
    two = joined(journal, 2)
    (late,) = two.append([note("written offline")], time=0)
    journal.append(notes(50), time=0)
    journal.receive(two.store.export())
    (after,) = journal.append([note("after")], time=0)
    assert late.lc < after.lc - 40
    assert after.deps == (late.id,)


def test_a_head_that_a_filled_gap_uncovers_is_new(journal: Journal) -> None:
    two = joined(journal, 2)
    chain = two.append(notes(3), time=0)
    first, second, third = (signed_of(two, entry) for entry in chain)
    journal.receive([first, third])
    assert journal.append([note("a")], time=0)[0].deps == (chain[0].id,)
    journal.receive([second])
    assert journal.append([note("b")], time=0)[0].deps == (chain[2].id,)


def signed_of(journal: Journal, entry: Entry) -> Signed:
    signed = journal.store.get(entry.id)
    assert signed is not None
    return signed


def test_more_heads_than_fit_into_one_entry_are_said_by_the_next(journal: Journal) -> None:
    heads = []
    for number in range(2, 42):
        other = joined(journal, number)
        heads += other.append(notes(number % 5 + 1), time=0)[-1:]
        journal.receive(other.store.export())
    made = journal.append(notes(4), time=0)
    expected = [head.id for head in sorted(heads, key=lambda head: (-head.lc, head.id))]
    assert [list(entry.deps) for entry in made] == [expected[:16], expected[16:32], expected[32:], []]


def test_after_opening_anew_only_new_heads_are_said(journal: Journal) -> None:
    two = joined(journal, 2)
    two.append([note("x")], time=0)
    journal.receive(two.store.export())
    assert len(journal.append([note("seen")], time=0)[0].deps) == 1
    assert Journal(journal.store, device(1)).append([note("again")], time=0)[0].deps == ()


# Clocks


def test_the_counter_goes_beyond_all_that_is_known_also_after_a_gap(journal: Journal) -> None:
    pen = Pen(9, network=journal.network)
    chain = pen.chain(40)
    journal.receive([chain[-1].signed])
    assert journal.append([note("x")], time=0)[0].lc == 41


def test_a_counter_that_leaps_is_not_followed(journal: Journal) -> None:
    leaper = Pen(9, network=journal.network)
    leap = leaper.write(lc=2**53 - 1)
    journal.receive([leap.signed])
    assert journal.store.clock() == 2**53 - 1
    (entry,) = journal.append([note("life goes on")], time=0)
    assert entry.lc == 2
    assert entry.deps == (leap.entry.id,)
    other = joined(journal, 2)
    assert other.append([note("for others too")], time=0)[0].lc == 3


def test_a_counter_that_leaps_as_far_as_allowed_is_followed_by_all(journal: Journal) -> None:
    leaper = Pen(9, network=journal.network)
    journal.receive([leaper.write(lc=room.LEAP + 2).signed])
    mine = journal.append(notes(3), time=0)
    assert [entry.lc for entry in mine] == [room.LEAP + 3, room.LEAP + 4, room.LEAP + 5]
    assert joined(journal, 2).append([note("x")], time=0)[0].lc == room.LEAP + 6


# One key in two places


def test_a_journal_that_was_overtaken_signs_anew(journal: Journal) -> None:
    other = Journal(journal.store, device(1))

    class Overtaken(MemoryStore):
        """Somebody with the same key writes between the reading of the head and the adding, twice."""

        times = 2

        def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
            if continues and self.times:
                self.times -= 1
                quick.append([note(f"quick {self.times}")], time=0)
            return super().add(entries, continues=continues)

    store = Overtaken()
    store.times = 0
    quick = Journal(store, device(1))
    quick.receive(other.store.export())
    store.times = 2
    slow = Journal(store, device(1))
    (made,) = slow.append([note("slow")], time=0)
    assert store.forks() == {}
    assert made.seq == 4
    assert [entry.body.get("text") for entry in entries(slow)] == [None, "quick 0", "quick 1", "slow"]


def test_whoever_is_always_overtaken_gives_up(journal: Journal) -> None:
    class Busy(MemoryStore):
        attempts = 0

        def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
            if continues:
                self.attempts += 1
                raise OvertakenError(entries[0].entry.author, entries[0].entry.seq)
            return super().add(entries)

    store = Busy()
    busy = Journal(store, device(1))
    busy.receive(journal.store.export())
    with pytest.raises(JournalError, match="another process has written with the same key"):
        busy.append([note("x")], time=0)
    assert store.attempts == room.ATTEMPTS


def test_a_key_that_was_used_elsewhere_writes_no_more(journal: Journal) -> None:
    copy = joined(journal, 1)
    copy.append([note("by the copy")], time=0)
    mine = journal.append([note("by the original")], time=0)
    journal.receive(copy.store.export())
    assert journal.store.forks() == {device(1).key: 2}
    with pytest.raises(JournalError, match=r"do not continue from its entry 1: its key was used elsewhere"):
        journal.append([note("more")], time=0)
    assert mine[0] in entries(journal)


def test_a_device_that_misses_own_entries_waits_for_them(journal: Journal) -> None:
    whole = joined(journal, 1)
    chain = whole.append(notes(3), time=0)
    journal.receive([signed_of(whole, chain[2])])
    with pytest.raises(JournalError, match="Fetch the missing entries"):
        journal.append([note("too early")], time=0)
    journal.receive(whole.store.export())
    assert journal.append([note("now")], time=0)[0].seq == 5
    assert journal.store.forks() == {}


# Receiving


def test_an_empty_journal_joins_the_network_of_what_it_receives(journal: Journal) -> None:
    journal.append(notes(3), time=0)
    shuffled = list(journal.store.export())
    Random(1).shuffle(shuffled)
    other = Journal(MemoryStore(), device(2))
    assert other.receive(shuffled) == Received(4, 0, ())
    assert other.network == journal.network
    assert entries(other) == entries(journal)
    assert Journal(other.store).network == journal.network


def test_what_is_known_is_counted_and_changes_nothing(journal: Journal) -> None:
    journal.append(notes(3), time=0)
    sent = list(journal.store.export())
    before = image(journal.store)
    assert journal.receive(sent) == Received(0, 4, ())
    assert image(journal.store) == before
    assert Journal(MemoryStore(), device(2)).receive([*sent, *sent]) == Received(4, 4, ())


def test_what_is_refused_is_told_by_its_position_and_keeps_nothing_else_away(journal: Journal) -> None:
    other = joined(journal, 2)
    good = [signed_of(other, entry) for entry in other.append(notes(3), time=0)]
    foreign = Journal(MemoryStore(), device(3))
    foreign.found("Elsewhere", date="2026-11-22", time=0)
    sent = [
        Signed(b"garbage", bytes(64)),
        good[0],
        Signed(good[1].raw, good[0].signature),
        *foreign.store.export(),
        good[1],
        signed_of(foreign, foreign.append([note("x")], time=0)[0]),
        good[2],
    ]
    received = journal.receive(sent)
    assert (received.new, received.known) == (3, 0)
    assert [number for number, _ in received.refused] == [0, 2, 3, 5]
    said = [why for _, why in received.refused]
    assert "no JSON" in said[0]
    assert "signature" in said[1]
    assert "an entry of network" in said[2]
    assert "an entry of network" in said[3]
    assert {entry.network for entry in entries(journal)} == {NOTHING, journal.network}


def test_a_foreign_founding_entry_does_not_pass_into_a_network(journal: Journal) -> None:
    foreign = Journal(MemoryStore(), device(3))
    foreign.found("Cordón", date="2026-11-22", time=100)
    empty = Journal(MemoryStore(), device(2))
    received = empty.receive([*journal.store.export(), *foreign.store.export()])
    assert (received.new, [number for number, _ in received.refused]) == (1, [1])
    assert empty.network == journal.network


def test_entries_of_later_versions_and_with_odd_bodies_are_kept(journal: Journal) -> None:
    pen = Pen(9, network=journal.network)
    later = pen.write(lc=5, kind="ration.declared", body={"deep": [{"new": None}]})
    malformed = pen.write(kind="stock.counted", body={"site": 7})
    assert journal.receive([later.signed, malformed.signed]) == Received(2, 0, ())
    assert entries(journal)[-2:] == [later.entry, malformed.entry]


def test_many_are_received_page_by_page(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAGE", 7)
    journal.append(notes(50), time=0)
    sizes: list[int] = []

    class Watched(MemoryStore):
        def add(self, entries: Sequence[Verified], *, continues: bool = False) -> int:
            sizes.append(len(entries))
            return super().add(entries, continues=continues)

    other = Journal(Watched(), device(2))
    sent = [*journal.store.export()]
    sent.insert(10, Signed(b"garbage", b""))
    assert other.receive(iter(sent)) == Received(51, 0, ((10, other.receive(sent[10:11]).refused[0][1]),))
    assert sizes == [7, 6, 7, 7, 7, 7, 7, 3]
    assert entries(other) == entries(journal)


@pytest.mark.parametrize("seed", range(10))
def test_journals_that_received_the_same_hold_the_same(seed: int) -> None:
    random = Random(seed)
    founder = Journal(MemoryStore(), device(1))
    founder.found("Cordón", date="2026-11-22", time=0)
    sent = [*founder.store.export(), *(kept.signed for kept in tangled(founder.network, random))]
    images: list[dict[str, Any]] = []
    for number in (2, 3):
        order = random.sample(sent, len(sent))
        order += random.choices(sent, k=len(sent) // 2)
        other = Journal(MemoryStore(), device(number))
        while order:
            other.receive([order.pop() for _ in range(min(len(order), random.randint(1, 9)))])
        images.append(image(other.store))
    for name in ("count", "clock", "forks", "read", "export", "latest"):
        assert images[0][name] == images[1][name]
    heads = [{author: head[:3] for author, head in one["heads"].items()} for one in images]
    assert heads[0] == heads[1]


def tangled(network: str, random: Random) -> list[Verified]:
    """Return a tangle of a network's entries; all that is wrong with them concerns their chains."""
    entries = tangle(random, network=network)
    assert len(ids(entries)) > 30
    return entries


def test_an_entry_as_large_as_allowed_is_appended_and_received(journal: Journal) -> None:
    cells = {"cell 0": "", **{f"cell {number}": "x" * 3_500 for number in range(1, 5)}}
    for lacking in (0, 1):
        made = journal.append([RowSet("t", cells, "2026-11-22")], time=0)
        room_left = LARGEST - len(signed_of(journal, made[0]).raw) + lacking
        wider = {**cells, "cell 0": "x" * room_left}
        if lacking:
            with pytest.raises(EntryError, match="an entry has at most 16,384"):
                journal.append([RowSet("t", wider, "2026-11-22")], time=0)
        else:
            (largest,) = journal.append([RowSet("t", wider, "2026-11-22")], time=0)
            assert len(signed_of(journal, largest).raw) == LARGEST
    other = joined(journal, 2)
    assert other.store.count() == journal.store.count() == 4
