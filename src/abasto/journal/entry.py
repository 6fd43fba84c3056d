"""An entry: a fact as one device signed it, in the bytes that were signed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["Entry", "Placed", "Signed"]


class Signed(NamedTuple):
    """What is stored and sent: the exact bytes of an entry and the signature over them (64 bytes)."""

    raw: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A parsed entry. Keys and ids are unpadded URL-safe base64 of 32 bytes, as they stand in the bytes.

    `id` is BLAKE2b-256 over the signed bytes; `author` the device's key; `seq` counts the author's entries from 1 and
    `prev` is the id of the one before (zeros for the first); `deps` are heads of other authors that the author had
    seen; `lc` is the Lamport counter; `time` the claimed time in seconds since 1970, for display only.
    """

    id: str
    network: str
    author: str
    seq: int
    prev: str
    deps: tuple[str, ...]
    lc: int
    time: int
    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry as the fold reads it, in order of (`lc`, `id`), with what the store knows about its place.

    `seen` are the authors and sequence numbers that `deps` stand for, in their order, as far as they are here and
    stand before the entry. `is_frozen` says that the author signed two entries with one sequence number, this one's or
    a smaller one: nothing from there on is applied.
    """

    entry: Entry
    seen: tuple[tuple[str, int], ...] = ()
    is_frozen: bool = False
