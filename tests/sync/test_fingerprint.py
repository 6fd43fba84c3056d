"""What a store says it holds, computed a second, slower way from the entries themselves."""

from __future__ import annotations

from hashlib import blake2b
from random import Random

import pytest
from tests.journal.contract import Pen, tangle
from tests.sync.pairs import DAY

from abasto.facts.codes import code_of
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING, bytes_of, text_of
from abasto.journal.store import Verified
from abasto.sync.fingerprint import NONE, Stand, fingerprint_of


def slowly(entries: list[Verified]) -> dict[str, Stand]:
    """Walk each author's entries from the first and say where the chain ends and what stands beyond."""
    stands = {}
    for author in {verified.entry.author for verified in entries}:
        own = sorted(
            {one.entry.id: one.entry for one in entries if one.entry.author == author}.values(),
            key=lambda e: (e.seq, e.id),
        )
        seq, id, lc = 0, NOTHING, 0
        while len(twins := [entry for entry in own if entry.seq == seq + 1]) == 1:
            if twins[0].prev != id or twins[0].lc <= lc:
                break
            seq, id, lc = twins[0].seq, twins[0].id, twins[0].lc
        beyond = b"".join(bytes_of(entry.id) for entry in own if entry.seq > seq)
        digest = blake2b(b"abasto/sync/author/1\0" + beyond, digest_size=32).digest()
        stands[author] = Stand(seq, id, len(beyond) // 32, text_of(digest) if beyond else NOTHING)
    return stands


@pytest.mark.parametrize("seed", range(20))
def test_stands_are_what_the_entries_say(seed: int) -> None:
    entries = tangle(Random(seed))
    store = MemoryStore()
    for half in (entries[::2], entries[1::2]):
        store.add(half)
    stands = slowly(entries)
    found = fingerprint_of(store)
    assert dict(found.stands) == stands
    assert found.count == store.count()
    digest = blake2b(b"abasto/sync/journal/1\0", digest_size=32)
    for author in sorted(stands):
        stand = stands[author]
        digest.update(bytes_of(author) + stand.seq.to_bytes(8, "big") + bytes_of(stand.id))
        digest.update(stand.loose.to_bytes(8, "big") + bytes_of(stand.digest))
    assert found.hash == text_of(digest.digest())
    assert found.code == code_of(found.hash)


def test_the_order_of_arrival_does_not_show() -> None:
    entries = tangle(Random(5))
    one, other = MemoryStore(), MemoryStore()
    one.add(entries)
    for verified in reversed(entries):
        other.add([verified])
    assert fingerprint_of(one) == fingerprint_of(other)


@pytest.mark.parametrize("seed", range(5))
def test_every_missing_entry_shows(seed: int) -> None:
    entries = tangle(Random(seed), length=6)
    whole = MemoryStore()
    whole.add(entries)
    hashes = {fingerprint_of(whole).hash}
    for left_out in range(len(entries)):
        store = MemoryStore()
        store.add(entries[:left_out] + entries[left_out + 1 :])
        hashes.add(fingerprint_of(store).hash)
    assert len(hashes) == len(entries) + 1


def test_twins_at_the_end_do_not_pass_for_one_another() -> None:
    # The naive vector's undoing: the same count, the same highest number.
    pen = Pen(1)
    chain = pen.chain(2)
    pen.last = chain[0]
    twin = pen.write(body={"text": "another", "date": DAY})
    stores = [MemoryStore() for _ in range(3)]
    for store, entries in zip(stores, (chain, [chain[0], twin], [*chain, twin]), strict=True):
        store.add(entries)
    assert len({fingerprint_of(store).hash for store in stores}) == 3


def test_an_empty_store_holds_nothing() -> None:
    found = fingerprint_of(MemoryStore())
    assert (dict(found.stands), found.count) == ({}, 0)
    assert NONE.held == 0
