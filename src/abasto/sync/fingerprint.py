"""What a store holds, in a few bytes of each author: enough for another to see what it lacks, or that it lacks nothing.

An author's unbroken chain needs no list of its own: every entry holds the id of the one before it, and an id is a hash
over all bytes of its entry, so the id of the last one is a hash over all ids before it, in order. Only what stands
beyond the chain, after a gap or a fork, is hashed here. Both are read from the store whenever they are needed; what
another holds is never kept, as it may have been wiped or restored since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from abasto.facts.codes import code_of
from abasto.journal.signing import NOTHING, bytes_of, text_of
from abasto.journal.store import Store

__all__ = ["NONE", "Fingerprint", "Stand", "digest_of", "fingerprint_of", "hash_of", "stands_of"]

AUTHOR = b"abasto/sync/author/1\0"
JOURNAL = b"abasto/sync/journal/1\0"
"""Stand before what is hashed, so that no hash of the one passes for one of the other."""


class Stand(NamedTuple):
    """All that is here of an author: `seq` entries in one chain up to that of `id`, and `loose` beyond it.

    `digest` is over the ids of the loose ones, by sequence number and id; zeros if there are none. Two stores say the
    same stand of an author exactly if they hold the same entries of it.
    """

    seq: int
    id: str
    loose: int = 0
    digest: str = NOTHING

    @property
    def held(self) -> int:
        """How many entries are here of the author."""
        return self.seq + self.loose


NONE = Stand(0, NOTHING)
"""Where an author stands of whom nothing is here."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a store holds: the stand of each author, and one hash over all of them."""

    stands: Mapping[str, Stand]
    hash: str

    @property
    def code(self) -> str:
        """The hash as people read it to one another: the same code, the same entries."""
        return code_of(self.hash)

    @property
    def count(self) -> int:
        """How many entries these are."""
        return sum(stand.held for stand in self.stands.values())


def fingerprint_of(store: Store) -> Fingerprint:
    """Return what a store holds now; takes as long as it has authors and loose entries, however long the chains are."""
    stands = stands_of(store)
    return Fingerprint(stands, hash_of(stands))


def stands_of(store: Store) -> dict[str, Stand]:
    """Return where each author stands, by key."""
    # In this order: what arrives in between makes a stand say less than there is, never more.
    heads, loose = store.heads(), store.loose()
    stands = {}
    for author in sorted({*heads, *loose}):
        head, ids = heads.get(author), loose.get(author, [])
        seq, id = (0, NOTHING) if head is None else (head.seq, head.id)
        stands[author] = Stand(seq, id, len(ids), digest_of(ids))
    return stands


def digest_of(ids: Sequence[str]) -> str:
    """Return the hash over some ids in order, zeros if there are none."""
    return text_of(blake2b(AUTHOR + b"".join(map(bytes_of, ids)), digest_size=32).digest()) if ids else NOTHING


def hash_of(stands: Mapping[str, Stand]) -> str:
    """Return the hash over the stands of all authors, by key.

    For each: key, `seq` and `loose` as 8 bytes, big end first, id and digest.
    """
    digest = blake2b(JOURNAL, digest_size=32)
    for author, stand in sorted(stands.items()):
        digest.update(bytes_of(author) + stand.seq.to_bytes(8, "big") + bytes_of(stand.id))
        digest.update(stand.loose.to_bytes(8, "big") + bytes_of(stand.digest))
    return text_of(digest.digest())
