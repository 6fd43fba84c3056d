"""Runs of loose entries: what one holds beyond gaps, told in few bytes, and taken for nothing if it is not so."""

from __future__ import annotations

from random import Random

import pytest
from tests.journal.contract import Pen
from tests.sync.pairs import DAY, a_journal, filled, ids_of, noted

from abasto.journal.signing import NOTHING
from abasto.journal.store import Verified
from abasto.sync.exchange import Answerer, pull, push
from abasto.sync.messages import ListRuns, Runs, pack, unpack
from abasto.sync.missing import Run, in_runs, runs_of


def chain(length: int) -> tuple[Pen, list[Verified]]:
    pen = Pen(1)
    return pen, pen.chain(length)


def test_runs_are_what_continues() -> None:
    pen, entries = chain(10)
    held = filled([entries[n] for n in (0, 1, 3, 4, 5, 8)])
    ids = [verified.entry.id for verified in entries]
    assert list(runs_of(held.store, pen.key)) == [Run(4, 6, ids[5]), Run(9, 9, ids[8])]
    # An entry whose number fits and that names another one before it begins a run of its own.
    other = Pen(1)
    fork = other.write(seq=7, prev=NOTHING, lc=9)
    held.receive([fork.signed])
    assert list(runs_of(held.store, pen.key)) == [Run(4, 6, ids[5]), Run(7, 7, fork.entry.id), Run(9, 9, ids[8])]


@pytest.mark.parametrize("seed", range(20))
def test_what_runs_say_is_what_is_held(seed: int) -> None:
    random = Random(seed)
    pen, entries = chain(60)
    full = filled(entries)
    held = filled([entries[0], *(one for one in entries[1:] if random.random() < random.choice((0.2, 0.8)))])
    head = held.store.heads()[pen.key]
    told = list(runs_of(held.store, pen.key))
    random.shuffle(told)
    assert in_runs(full.store, pen.key, head.seq, told) == set(held.store.loose().get(pen.key, []))


def test_runs_that_are_none_count_for_nothing() -> None:
    pen, entries = chain(10)
    full = filled(entries)
    ids = [verified.entry.id for verified in entries]
    for wrong in (
        Run(4, 6, ids[6]),
        Run(6, 4, ids[3]),
        Run(9, 12, ids[9]),
        Run(2**52, 2**53 - 1, ids[9]),
        Run(1, 3, NOTHING),
    ):
        assert in_runs(full.store, pen.key, 1, [wrong]) == set()
    assert in_runs(full.store, pen.key, 1, [Run(4, 6, ids[6]), Run(8, 9, ids[8])]) == {ids[7], ids[8]}
    assert in_runs(full.store, pen.key, 1, [Run(3, 6, ids[5]), Run(4, 5, ids[4])]) == set(ids[2:6])
    assert in_runs(full.store, "nobody", 0, [Run(1, 1, ids[0])]) == set()


@pytest.mark.parametrize("seed", range(6))
def test_a_few_bytes_beside_what_is_missing_fill_many_gaps(seed: int) -> None:
    random = Random(seed)
    one = a_journal(1)
    one.found("Barrio Sur", date=DAY, time=0)
    noted(one, 1_500)
    entries = list(one.store.export())
    missing = [signed for signed in entries[1:] if random.random() < 0.1]
    plain = sum(len(signed.raw) + len(signed.signature) for signed in missing)
    for way in ("pull", "push"):
        other = a_journal(2)
        other.receive([signed for signed in entries if signed not in missing])
        synced = pull(other, Answerer(one).answer) if way == "pull" else push(one, Answerer(other).answer)
        assert synced.is_identical
        assert max(synced.came, synced.went) == len(missing)
        assert ids_of(one) == ids_of(other)
        assert synced.sent + synced.received < 0.7 * plain


def test_runs_come_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("abasto.sync.exchange.MOST_IDS", 3)
    pen, entries = chain(30)
    one, other = filled(entries), filled([one for n, one in enumerate(entries) if n % 3])
    answer, _ = unpack(Answerer(other).answer(pack(ListRuns(network=pen.network, author=pen.key, after=(0, NOTHING)))))
    assert isinstance(answer, Runs)
    assert (len(answer.runs), answer.whole) == (3, False)
    assert push(one, Answerer(other).answer).is_identical
