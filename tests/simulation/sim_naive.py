"""Exchanges as they must not be: by a vector of each author's count, highest number and head instead of what is held.

They stand here so that the simulation is known to find what it is there to find.
"""

from __future__ import annotations

from typing import NamedTuple

from sim_world import Exchange, Member

from abasto.journal.store import Store
from abasto.sync.exchange import Ask, MayKeep, Synced
from abasto.sync.messages import Give, Kept, Page, pack, unpack

__all__ = ["Remembering", "Telling"]


class Vector(NamedTuple):
    """What is said of an author: how many entries, the highest number, and the ids that have it."""

    count: int = 0
    seq: int = 0
    heads: tuple[str, ...] = ()


def vector_of(store: Store, author: str) -> Vector:
    kept = list(store.follow(author))
    seq = kept[-1].seq if kept else 0
    return Vector(len(kept), seq, tuple(one.id for one in kept if one.seq == seq))


class Telling(Exchange):
    """Gives what goes beyond the other's vector, which the other tells each time; all, where that has a gap or fork."""

    def run(self, one: Member, ask: Ask, other: Member, *, may_keep: MayKeep, how: int) -> Synced:
        synced = Synced()
        for author in sorted({*one.store.heads(), *one.store.loose()}):
            told, own = self.told(one, other, author), vector_of(one.store, author)
            if told == own:
                continue
            page = Page()
            for kept in one.store.follow(author, self._after(one.store, author, told)):
                page.add(kept.signed)
            answer, _ = unpack(ask(pack(Give(network=one.journal.network), page.entries)))
            if isinstance(answer, Kept):
                synced.went += answer.new
                self.acknowledged(one, other, author, own)
        return synced

    def told(self, one: Member, other: Member, author: str) -> Vector:
        """Return what the other side holds of an author, as far as this one knows."""
        return vector_of(other.store, author)

    def acknowledged(self, one: Member, other: Member, author: str, own: Vector) -> None:
        """Hear that the other side has kept what it was given."""

    def _after(self, store: Store, author: str, told: Vector) -> int:
        """Return the number after which the other side lacks entries, if its vector is like the beginning of ours."""
        before = [kept for kept in store.follow(author) if kept.seq <= told.seq]
        heads = tuple(kept.id for kept in before if kept.seq == told.seq)
        is_like = told.count == told.seq == len(before) and heads == told.heads
        return told.seq if is_like else 0


class Remembering(Telling):
    """Gives what goes beyond the vector that is remembered of the other since it last acknowledged."""

    def __init__(self) -> None:
        self._remembered: dict[tuple[int, int, str], Vector] = {}

    def told(self, one: Member, other: Member, author: str) -> Vector:
        return self._remembered.get((one.number, other.number, author), Vector())

    def acknowledged(self, one: Member, other: Member, author: str, own: Vector) -> None:
        self._remembered[one.number, other.number, author] = own
