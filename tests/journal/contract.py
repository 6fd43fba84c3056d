"""What every store must do, as tests: a store's own tests inherit from these and say how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from abasto.errors import JournalError
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING, Device, make_entry
from abasto.journal.store import Head, Kept, OvertakenError, Place, Snapshot, Store, Verified, place_of

NETWORK = "N" * 42 + "A"
"""Stores do not ask what network an entry is of; the journal does."""
Opener = Callable[[], Store]


class Pen:
    """Writes entries of one author as they are asked for, also such as no honest device would sign."""

    def __init__(self, number: int, *, network: str = NETWORK) -> None:
        self.device = Device(bytes([number]) * 32)
        self.key = self.device.key
        self.network = network
        self.last: Verified | None = None

    def write(self, *, deps: Sequence[Verified] = (), body: dict[str, Any] | None = None, **fields: Any) -> Verified:
        """Return the author's next entry; `fields` (seq, prev, lc, kind, time) stand instead of what would follow."""
        last = None if self.last is None else self.last.entry
        following = {
            "seq": 1 if last is None else last.seq + 1,
            "prev": NOTHING if last is None else last.id,
            "lc": 1 + max([0 if last is None else last.lc, *(dep.entry.lc for dep in deps)]),
            "kind": "note.written",
            "time": 1_700_000_000,
        }
        self.last = make_entry(
            self.device,
            network=self.network,
            deps=[dep.entry.id for dep in deps],
            body={"text": "all well", "date": "2026-11-22"} if body is None else body,
            **{**following, **fields},
        )
        return self.last

    def chain(self, length: int, **fields: Any) -> list[Verified]:
        return [self.write(**fields) for _ in range(length)]


def ids(entries: Iterable[Verified]) -> list[str]:
    return [verified.entry.id for verified in entries]


def read_ids(store: Store, after: Place | None = None) -> list[str]:
    return [placed.entry.id for placed in store.read(after)]


def head_of(verified: Verified, *, arrival: int) -> Head:
    return Head(verified.entry.seq, verified.entry.id, verified.entry.lc, arrival)


def image(store: Store) -> dict[str, Any]:
    """Return all that a store says about what it keeps."""
    return {
        "count": store.count(),
        "clock": store.clock(),
        "heads": store.heads(),
        "forks": store.forks(),
        "read": list(store.read()),
        "export": list(store.export()),
        "loose": store.loose(),
        "latest": {pen.key: store.latest(pen.key) for pen in map(Pen, range(6))},
    }


def tangle(random: Random, *, authors: int = 4, length: int = 12, network: str = NETWORK) -> list[Verified]:
    """Return entries of some authors with deps, forks, gaps, wrong `prev`, and clocks that stand still or leap."""
    pens = [Pen(number, network=network) for number in range(authors)]
    entries: list[Verified] = []
    for _ in range(authors * length):
        pen = random.choice(pens)
        before, odd = pen.last, random.random()
        deps = random.sample(entries, min(len(entries), random.randrange(4)))
        body = {"text": f"{random.randrange(10**9)}", "date": "2026-11-22"}
        if before is not None and odd < 0.05:
            entries.append(pen.write(deps=deps, body=body, seq=before.entry.seq, prev=before.entry.prev))
        elif before is not None and odd < 0.1:
            entries.append(pen.write(deps=deps, body=body, lc=random.randint(1, before.entry.lc)))
        elif odd < 0.13:
            entries.append(pen.write(deps=deps, body=body, prev="Q" * 42 + "A"))
        elif odd < 0.18:
            pen.write(deps=deps, body=body)  # lost on its way
        else:
            entries.append(pen.write(deps=deps, body=body))
    return entries


class StoreContract:
    """The tests; a subclass gives the fixture `opener`, which opens one and the same store whenever it is called."""

    lasts = True
    """Whether what was added is there again after closing."""

    @pytest.fixture
    def opener(self, tmp_path: Path) -> Iterable[Opener]:
        raise NotImplementedError

    @pytest.fixture
    def store(self, opener: Opener) -> Iterable[Store]:
        store = opener()
        yield store
        store.close()

    @pytest.fixture
    def reopened(self, opener: Opener) -> Callable[[Store], Store]:
        if not self.lasts:
            pytest.skip("this store keeps nothing once it is closed, and does not promise to")

        def reopen(store: Store) -> Store:
            store.close()
            return opener()

        return reopen

    # Adding and reading

    def test_an_empty_store_says_so(self, store: Store) -> None:
        empty = {"count": 0, "clock": 0, "heads": {}, "forks": {}, "read": [], "export": [], "loose": {}}
        assert image(store) == {**empty, "latest": {Pen(number).key: 0 for number in range(6)}}
        assert store.get(NOTHING) is None
        assert store.snapshot(1) is None
        assert store.add([]) == 0

    def test_what_was_added_is_read_with_the_very_bytes(self, store: Store) -> None:
        body = {
            "text": 'ñandú "\\\n\u2028😀',
            "date": "2026-11-22",
            "more": [1, [None, True], {"deep": {"x": -(2**53) + 1}}],
        }
        kept = Pen(1).write(body=body, time=0, kind="later.kind_9")
        assert store.add([kept]) == 1
        assert [placed.entry for placed in store.read()] == [kept.entry]
        assert store.get(kept.entry.id) == kept.signed
        assert list(store.export()) == [kept.signed]

    def test_the_largest_numbers_and_an_entry_of_16_kib_are_kept(self, store: Store) -> None:
        most = 2**53 - 1
        kept = Pen(1).write(seq=most, lc=most, time=most, body={"text": "x" * 16_000})
        store.add([kept])
        assert [placed.entry for placed in store.read()] == [kept.entry]
        assert store.clock() == store.latest(kept.entry.author) == most

    def test_adding_twice_keeps_once(self, store: Store) -> None:
        chain = Pen(1).chain(3)
        assert store.add([chain[0], chain[0], chain[1]]) == 2
        before = image(store)
        assert store.add(chain[:2]) == 0
        assert image(store) == before
        assert store.add([*chain, *chain]) == 1
        assert store.count() == 3

    def test_entries_are_read_by_counter_and_then_by_id_as_text(self, store: Store) -> None:
        entries = [Pen(number).write(lc=lc, body={"n": n}) for number in range(8) for n, lc in enumerate((7, 7, 3))]
        Random(1).shuffle(entries)
        store.add(entries)
        order = sorted(entries, key=lambda verified: (verified.entry.lc, verified.entry.id))
        by_bytes = sorted(entries, key=lambda verified: (verified.entry.lc, verified.entry.id.swapcase()))
        assert ids(order) != ids(by_bytes)  # The order as text is told from others here.
        assert read_ids(store) == ids(order)
        for verified in order:
            later = [other for other in order if place_of(other.entry) > place_of(verified.entry)]
            assert read_ids(store, place_of(verified.entry)) == ids(later)

    def test_reading_starts_after_any_place_also_one_that_is_not_here(self, store: Store) -> None:
        chain = Pen(1).chain(4)
        store.add(chain)
        assert read_ids(store, Place(0, "")) == ids(chain)
        assert read_ids(store, Place(2, "")) == ids(chain[1:])
        assert read_ids(store, Place(2, "~")) == ids(chain[2:])
        assert read_ids(store, Place(99, "")) == []

    def test_two_may_read_at_a_time_and_leave_off_in_the_middle(self, store: Store) -> None:
        chain = Pen(1).chain(30)
        store.add(chain)
        one, other = store.read(), store.read()
        assert [next(one).entry.id, next(other).entry.id, next(one).entry.id] == ids([chain[0], chain[0], chain[1]])
        del one
        store.add([Pen(2).write(lc=50)])
        assert ids(chain[1:]) == [placed.entry.id for placed in other if placed.entry.author == chain[0].entry.author]
        assert store.count() == 31

    def test_export_goes_by_author_and_sequence_number(self, store: Store) -> None:
        entries = tangle(Random(3))
        Random(4).shuffle(entries)
        store.add(entries)
        key = lambda verified: (verified.entry.author, verified.entry.seq, verified.entry.id)  # noqa: E731
        assert list(store.export()) == [verified.signed for verified in sorted(entries, key=key)]

    # Heads, gaps, forks

    def test_heads_are_the_last_of_each_chain(self, store: Store) -> None:
        first, second = Pen(1).chain(3), Pen(2).chain(2)
        store.add([*first[:2], *second, first[2]])
        assert store.heads() == {
            first[0].entry.author: head_of(first[2], arrival=5),
            second[0].entry.author: head_of(second[1], arrival=4),
        }

    def test_what_comes_after_a_gap_is_kept_but_heads_nothing_until_it_is_filled(self, store: Store) -> None:
        pen = Pen(1)
        chain = pen.chain(4)
        store.add([chain[3], chain[2]])
        assert store.heads() == {}
        assert (store.latest(pen.key), store.clock(), store.count()) == (4, 4, 2)
        store.add([chain[0]])
        assert store.heads() == {pen.key: head_of(chain[0], arrival=3)}
        assert read_ids(store) == ids([chain[0], chain[2], chain[3]])
        store.add([chain[1]])
        assert store.heads() == {pen.key: head_of(chain[3], arrival=4)}

    @pytest.mark.parametrize("first", [0, 1])
    def test_a_fork_freezes_the_author_from_there_on(self, store: Store, first: int) -> None:
        pen = Pen(1)
        chain = pen.chain(4)
        pen.last = chain[1]
        twin = pen.write(body={"text": "another third one"})
        store.add([twin, *chain] if first else [*chain, twin])
        assert store.forks() == {pen.key: 3}
        assert store.heads() == {pen.key: head_of(chain[1], arrival=3 if first else 2)}
        assert store.latest(pen.key) == 4
        frozen = {placed.entry.id: placed.is_frozen for placed in store.read()}
        assert frozen == {verified.entry.id: verified.entry.seq >= 3 for verified in [*chain, twin]}

    def test_a_second_fork_counts_if_it_lies_before_the_first(self, store: Store) -> None:
        pen, other = Pen(1), Pen(2)
        chain = pen.chain(6)
        forks = {}
        for seq in (5, 6, 2, 3):
            pen.last = chain[seq - 2]
            forks[seq] = pen.write(body={"text": f"another {seq}"})
        store.add([*chain, *other.chain(2)])
        for seq, smallest in ((5, 5), (6, 5), (2, 2), (3, 2)):
            store.add([forks[seq]])
            assert store.forks() == {pen.key: smallest}
            assert store.heads()[pen.key] == head_of(chain[smallest - 2], arrival=smallest - 1)
            frozen = {placed.entry.seq for placed in store.read() if placed.is_frozen}
            assert frozen == set(range(smallest, 7))
        assert store.heads()[other.key].seq == 2

    def test_a_fork_of_the_first_entry_leaves_no_head(self, store: Store) -> None:
        pen = Pen(1)
        one = pen.write()
        pen.last = None
        store.add([one])
        store.add([pen.write(body={"text": "another first one"})])
        assert store.heads() == {}
        assert store.forks() == {pen.key: 1}
        assert all(placed.is_frozen for placed in store.read())

    def test_a_fork_is_seen_after_a_gap_too(self, store: Store) -> None:
        pen = Pen(1)
        chain = pen.chain(5)
        pen.last = chain[3]
        twin = pen.write(body={"text": "another fifth one"})
        store.add([chain[4], twin, chain[0]])
        assert store.forks() == {pen.key: 5}
        assert store.heads() == {pen.key: head_of(chain[0], arrival=3)}
        store.add(chain[1:4])
        assert store.heads() == {pen.key: head_of(chain[3], arrival=6)}

    @pytest.mark.parametrize("broken", [{"prev": "Q" * 42 + "A"}, {"lc": 2}, {"lc": 1}])
    def test_a_chain_ends_where_prev_or_counter_do_not_go_on(self, store: Store, broken: dict[str, Any]) -> None:
        pen = Pen(1)
        chain = [*pen.chain(2), pen.write(**broken), pen.write(lc=9)]
        store.add(chain)
        assert store.heads() == {pen.key: head_of(chain[1], arrival=2)}
        assert store.forks() == {}
        assert not any(placed.is_frozen for placed in store.read())
        assert store.latest(pen.key) == 4

    def test_a_first_entry_that_names_one_before_it_heads_nothing(self, store: Store) -> None:
        pen = Pen(1)
        store.add([pen.write(prev="Q" * 42 + "A")])
        assert store.heads() == {}
        assert store.latest(pen.key) == 1

    # One author's entries

    @pytest.mark.parametrize("seed", range(4))
    def test_an_author_is_followed_from_any_number_on(self, store: Store, seed: int) -> None:
        entries = tangle(Random(seed))
        Random(seed + 1).shuffle(entries)
        store.add(entries)
        for pen in map(Pen, range(5)):
            own = sorted(
                (verified for verified in entries if verified.entry.author == pen.key),
                key=lambda verified: (verified.entry.seq, verified.entry.id),
            )
            for after in range(store.latest(pen.key) + 2):
                assert list(store.follow(pen.key, after)) == [
                    Kept(verified.entry.seq, verified.entry.id, verified.signed)
                    for verified in own
                    if verified.entry.seq > after
                ]
            assert list(store.follow(pen.key)) == list(store.follow(pen.key, 0))

    def test_what_is_added_later_is_not_part_of_what_is_followed(self, store: Store) -> None:
        pen = Pen(1)
        chain = pen.chain(200)
        store.add(chain[:150])
        following = store.follow(pen.key, 10)
        assert next(following).seq == 11
        store.add(chain[150:])
        assert [kept.seq for kept in following] == list(range(12, 151))

    @pytest.mark.parametrize("seed", range(4))
    def test_head_and_loose_entries_are_all_of_an_author(self, store: Store, seed: int) -> None:
        entries = tangle(Random(seed))
        Random(seed + 1).shuffle(entries)
        for page in (entries[:20], entries[20:]):
            store.add(page)
            heads, loose = store.heads(), store.loose()
            here = [placed.entry for placed in store.read()]
            for pen in map(Pen, range(5)):
                head = heads.get(pen.key, Head(0, NOTHING, 0, 0))
                own = sorted((entry.seq, entry.id) for entry in here if entry.author == pen.key)
                assert [seq for seq, _ in own if seq <= head.seq] == list(range(1, head.seq + 1))
                assert loose.get(pen.key, []) == [id for seq, id in own if seq > head.seq]

    # What an author had seen

    def test_deps_are_told_as_authors_and_numbers_as_far_as_they_are_here(self, store: Store) -> None:
        one, two, three = Pen(1), Pen(2), Pen(3)
        mine, missing, here = one.chain(2), two.chain(3), three.chain(1)
        seeing = one.write(deps=[here[0], missing[2], missing[0]])
        store.add([*mine, seeing, *here, missing[0]])
        seen = {placed.entry.id: placed.seen for placed in store.read()}
        assert seen[seeing.entry.id] == ((three.key, 1), (two.key, 1))
        assert seen[mine[0].entry.id] == ()
        store.add(missing)
        seen = {placed.entry.id: placed.seen for placed in store.read()}
        assert seen[seeing.entry.id] == ((three.key, 1), (two.key, 3), (two.key, 1))

    def test_a_dep_that_stands_after_the_entry_was_not_seen(self, store: Store) -> None:
        early, late = Pen(1), Pen(2)
        ahead = late.write(lc=50)
        liar = early.write(deps=[ahead], lc=3)
        store.add([ahead, liar])
        assert [placed.seen for placed in store.read()] == [(), ()]

    # All or nothing

    def test_next_entries_are_refused_when_others_came_first(self, store: Store) -> None:
        pen = Pen(1)
        chain = pen.chain(3)
        assert store.add(chain[:2], continues=True) == 2
        pen.last = chain[0]
        twin = pen.write(body={"text": "of another process"})
        other = Pen(2).write()
        before = image(store)
        after_a_gap = pen.write(seq=4, lc=9)
        for overtaken in ([twin], [chain[0]], [after_a_gap]):
            with pytest.raises(OvertakenError, match="another process"):
                store.add(overtaken, continues=True)
            assert image(store) == before
        assert store.add([chain[2]], continues=True) == 1
        assert store.add([other], continues=True) == 1
        assert store.add([], continues=True) == 0

    def test_nothing_is_kept_if_one_cannot_be(self, store: Store) -> None:
        good = Pen(1).chain(3)
        odd = Pen(2).write()
        # What no journal passes on: a store may fail on it as it may on a full disk, but not by halves.
        impossible = Verified(replace(odd.entry, lc=None), odd.signed)  # type: ignore[arg-type]
        store.add(good[:1])
        before = image(store)
        with pytest.raises(Exception):  # noqa: B017, PT011 – each store has its own words for it
            store.add([good[1], impossible, good[2]])
        assert image(store) == before
        assert store.add(good) == 2

    # Snapshots

    def test_a_snapshot_is_given_back_to_the_version_that_kept_it(self, store: Store) -> None:
        chain = Pen(1).chain(3)
        store.add(chain)
        snapshot = Snapshot(3, place_of(chain[2].entry), 7, b"\0state\xff" * 1000)
        store.keep_snapshot(snapshot)
        assert store.snapshot(7) == snapshot
        assert store.snapshot(8) is None

    def test_the_latest_valid_snapshot_counts(self, store: Store) -> None:
        chain = Pen(1).chain(3)
        for number, verified in enumerate(chain, start=1):
            store.add([verified])
            store.keep_snapshot(Snapshot(number, place_of(verified.entry), 1, b"%d" % number))
        found = store.snapshot(1)
        assert found is not None
        assert found.content == b"3"

    def test_a_snapshot_of_nothing_stays_valid(self, store: Store) -> None:
        store.keep_snapshot(Snapshot(0, Place(0, ""), 1, b"nothing"))
        store.add(Pen(1).chain(2))
        found = store.snapshot(1)
        assert found is not None
        assert found.content == b"nothing"

    def test_what_comes_after_its_place_leaves_a_snapshot_valid(self, store: Store) -> None:
        pen, other = Pen(1), Pen(2)
        chain = pen.chain(3)
        store.add(chain)
        store.keep_snapshot(Snapshot(3, place_of(chain[2].entry), 1, b"3"))
        store.add([pen.write(), other.write(deps=[chain[2]]), other.write()])
        assert store.snapshot(1) is not None

    def test_a_late_arrival_before_its_place_ends_a_snapshot(self, store: Store) -> None:
        chain = Pen(1).chain(3)
        store.add(chain)
        store.keep_snapshot(Snapshot(3, place_of(chain[2].entry), 1, b"3"))
        store.add([Pen(2).write(lc=2)])
        assert store.snapshot(1) is None

    def test_equal_counters_are_told_apart_by_id(self, store: Store) -> None:
        rivals = sorted((Pen(number).write(lc=5) for number in range(1, 4)), key=lambda kept: kept.entry.id)
        store.add([rivals[1]])
        snapshot = Snapshot(1, place_of(rivals[1].entry), 1, b"one")
        store.keep_snapshot(snapshot)
        store.add([rivals[2]])
        assert store.snapshot(1) == snapshot
        store.add([rivals[0]])
        assert store.snapshot(1) is None

    @pytest.mark.parametrize(("number", "stays"), [(1, True), (4, False)])
    def test_filling_a_gap_ends_a_snapshot_that_stands_after_it(self, store: Store, number: int, stays: bool) -> None:
        chain = Pen(1).chain(4)
        store.add([chain[0], chain[3]])
        snapshot = Snapshot(2, place_of(chain[number - 1].entry), 1, b"2")
        store.keep_snapshot(snapshot)
        store.add(chain)
        assert store.snapshot(1) == (snapshot if stays else None)

    @pytest.mark.parametrize(("number", "stays"), [(1, True), (2, True), (3, False), (4, False)])
    def test_a_fork_ends_a_snapshot_that_applied_what_it_freezes(self, store: Store, number: int, stays: bool) -> None:
        pen = Pen(1)
        chain = pen.chain(4)
        store.add(chain)
        snapshot = Snapshot(4, place_of(chain[number - 1].entry), 1, b"4")
        store.keep_snapshot(snapshot)
        pen.last = chain[1]
        store.add([pen.write(lc=99, body={"text": "another third one"})])
        assert store.snapshot(1) == (snapshot if stays else None)

    def test_a_fork_after_a_known_one_ends_no_snapshot(self, store: Store) -> None:
        pen = Pen(1)
        chain = pen.chain(4)
        pen.last = chain[1]
        store.add([*chain, pen.write(lc=50, body={"text": "another third one"})])
        snapshot = Snapshot(5, place_of(chain[3].entry), 1, b"5")
        store.keep_snapshot(snapshot)
        pen.last = chain[2]
        store.add([pen.write(lc=60, body={"text": "another fourth one"})])
        assert store.snapshot(1) == snapshot

    def test_a_fork_freezes_what_stands_before_it_by_a_lying_counter(self, store: Store) -> None:
        pen = Pen(1)
        liar = [*pen.chain(2), pen.write(lc=50), pen.write(lc=3)]
        store.add(liar)
        store.keep_snapshot(Snapshot(4, Place(4, ""), 1, b"4"))
        pen.last = liar[1]
        store.add([pen.write(lc=60)])
        assert store.snapshot(1) is None

    # Closing and opening

    def test_all_is_there_again_after_closing(self, store: Store, reopened: Callable[[Store], Store]) -> None:
        entries = tangle(Random(5))
        store.add(entries[:30])
        last = max(place_of(verified.entry) for verified in entries[:30])
        snapshot = Snapshot(store.count(), last, 3, b"kept")
        store.keep_snapshot(snapshot)
        before = image(store)
        store = reopened(store)
        try:
            assert image(store) == before
            assert store.snapshot(3) == snapshot
            store.add(entries)
            assert store.count() == len(set(ids(entries)))
        finally:
            store.close()

    def test_a_closed_store_says_so(self, opener: Opener) -> None:
        store = opener()
        store.close()
        store.close()
        for use in (store.count, store.heads, store.clock, store.forks, lambda: store.add(Pen(1).chain(1))):
            with pytest.raises(JournalError, match="closed"):
                use()
        with pytest.raises(JournalError, match="closed"):
            list(store.read())

    # Against the obvious store

    @pytest.mark.parametrize("seed", range(6))
    def test_any_tangle_in_any_order_looks_as_in_the_obvious_store(self, opener: Opener, seed: int) -> None:
        random = Random(seed)
        entries = tangle(random)
        random.shuffle(entries)
        store, obvious = opener(), MemoryStore()
        try:
            while entries:
                page = [entries.pop() for _ in range(min(len(entries), random.randint(1, 9)))]
                assert store.add(page) == obvious.add(page)
                assert image(store) == image(obvious)
                assert store.snapshot(1) == obvious.snapshot(1)
                place = place_of(random.choice([placed.entry for placed in store.read()]))
                assert list(store.read(place)) == list(obvious.read(place))
                for kept in (store, obvious):
                    kept.keep_snapshot(Snapshot(store.count(), place, 1, b"%d" % len(entries)))
        finally:
            store.close()
