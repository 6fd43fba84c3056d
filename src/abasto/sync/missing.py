"""Which entries of a store another lacks, given what it says it holds."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from abasto.facts.canonical import parse
from abasto.journal.signing import NOTHING
from abasto.journal.store import Head, Kept, Store

__all__ = ["Chains", "Gap", "Lacking", "Run", "in_runs", "is_first", "lacking_of", "runs_of"]

_FIRST = re.compile(rb'"k":"(?:network|member|device)\.')
"""The founding entry, and who belongs to the network: as the bytes are canonical, nothing stands between the signs."""


def is_first(raw: bytes) -> bool:
    """Return whether an entry is of the kinds that go first: what founds a network or says who belongs to it.

    A body that holds the same words passes for one; it only goes earlier than it had to.
    """
    return _FIRST.search(raw) is not None


class Gap(NamedTuple):
    """What another lacks of one author: all beyond a number, but for the ids that it has."""

    author: str
    after: int
    have: Container[str] = ()


class Lacking(NamedTuple):
    """An entry that another lacks, and whose it is."""

    author: str
    kept: Kept


class Chains:
    """The unbroken chains of a store's authors as they are now."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heads: Mapping[str, Head] = store.heads()

    def has(self, author: str, seq: int, id: str) -> bool:
        """Return whether an author's chain has an entry with this number and id, as every chain has its beginning."""
        if seq == 0:
            return id == NOTHING
        return self.at(author, seq) == id

    def at(self, author: str, seq: int) -> str | None:
        """Return the id that an author's chain has at a number from 1 on, None beyond its end."""
        head = self._heads.get(author)
        if head is None or seq > head.seq:
            return None
        return head.id if seq == head.seq else next(self._store.follow(author, seq - 1)).id

    def places(self, author: str, seq: int, id: str) -> list[tuple[int, str]]:
        """Return places of an author's chain by which whoever stands at `seq` with `id` finds what both have.

        That place alone, if it is in this chain too; else from there or this chain's end down, each twice as far below
        as the one before, so that one of them is not twice as far back as where the chains part.
        """
        if self.has(author, seq, id):
            return [(seq, id)] if seq else []
        head = self._heads.get(author)
        found = []
        for number in _down(0 if head is None else min(seq, head.seq)):
            there = self.at(author, number)
            assert there is not None
            found.append((number, there))
        return found

    def common(self, author: str, places: Sequence[tuple[int, str]]) -> int:
        """Return the number of the first of some places that is in an author's chain, 0 if none is."""
        return next((seq for seq, id in places if self.has(author, seq, id)), 0)


class Run(NamedTuple):
    """Loose entries that continue one another: numbers of the first and the last, and the id of the last.

    Each holds the id of the one before it, so whoever has the last one in its chain has the same ones before it.
    """

    first: int
    last: int
    id: str


def runs_of(store: Store, author: str) -> Iterator[Run]:
    """Yield the runs of an author's loose entries, by number and id of the last."""
    head = store.heads().get(author)
    run: Run | None = None
    for kept in store.follow(author, 0 if head is None else head.seq):
        continues = run is not None and kept.seq == run.last + 1 and parse(kept.signed.raw)["prev"] == run.id
        if run is not None and not continues:
            yield run
        run = Run(run.first if run is not None and continues else kept.seq, kept.seq, kept.id)
    if run is not None:
        yield run


def in_runs(store: Store, author: str, after: int, runs: Iterable[Run]) -> set[str]:
    """Return the ids of a store's chain of an author that another holds, beyond a number, if these are its runs.

    A run counts if its last entry is in the chain, as then so are the others. Of runs that overlap the first does.
    """
    head = store.heads().get(author)
    waiting = iter(sorted(run for run in runs if run.first > after))
    run = next(waiting, None)
    have: set[str] = set()
    seen: list[str] = []
    for kept in store.follow(author, after) if run is not None else ():
        while run is not None and kept.seq > run.first and not seen:
            run = next(waiting, None)
        if run is None or head is None or kept.seq > head.seq:
            break
        if kept.seq >= run.first:
            seen.append(kept.id)
        if kept.seq == run.last:
            have.update(seen if kept.id == run.id else ())
            seen, run = [], next(waiting, None)
    return have


def lacking_of(store: Store, gaps: Iterable[Gap]) -> Iterator[Lacking]:
    """Yield what another lacks, gap by gap, by number and id."""
    for author, after, have in gaps:
        for kept in store.follow(author, after):
            if kept.id not in have:
                yield Lacking(author, kept)


def _down(seq: int) -> Iterator[int]:
    """Yield numbers from `seq` down to 1: 20, 19, 17, 13, 5."""
    step = 1
    while seq > 0:
        yield seq
        seq -= step
        step *= 2
