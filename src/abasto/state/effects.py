"""What the latest entries did, kept so that they can be undone; older ones can no longer be, and are set right anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from abasto.state.accounts import Account
from abasto.state.books import Booked

__all__ = ["CHUNK", "KEPT_CHUNKS", "Effect", "Effects"]

CHUNK = 4096
KEPT_CHUNKS = 16
"""So many chunks of entries, the newest, can be undone: bounded, and more than people look back on."""


class Effect(NamedTuple):
    """What an entry did: its place in the fold, its movements, and what else undoing it needs.

    `undo` is ("row", kind, body), ("count", site, good), ("order", id, what there was before), ("note", exception ids),
    ("answer", key of the alarm), ("undo",) or nothing; `is_undone` says that it has been reversed.
    """

    number: int
    moves: Sequence[Booked]
    undo: Sequence[Any] = ()
    is_undone: bool = False


class Effects:
    """The effects of the newest entries, by entry id. Full chunks are text until one of theirs is asked for."""

    def __init__(self) -> None:
        self._chunks: list[dict[str, Effect] | str] = [{}]

    def add(self, entry: str, effect: Effect) -> None:
        """Keep what an entry did."""
        last = self._last()
        if len(last) >= CHUNK:
            last = {}
            self._chunks.append(last)
            del self._chunks[:-KEPT_CHUNKS]
        last[entry] = effect

    def __contains__(self, entry: str) -> bool:
        # Asked of the entry that is being folded: it is among the last or not there.
        return entry in self._last()

    def get(self, entry: str) -> Effect | None:
        """Return what an entry did, None if it did nothing or is too old."""
        chunk = self._chunk_of(entry)
        return None if chunk is None else chunk[entry]

    def mark_undone(self, entry: str) -> None:
        """Remember that an entry has been reversed."""
        chunk = self._chunk_of(entry)
        if chunk is not None:
            chunk[entry] = chunk[entry]._replace(is_undone=True)

    def _last(self) -> dict[str, Effect]:
        last = self._chunks[-1]
        if isinstance(last, str):
            last = self._chunks[-1] = _read(last)
        return last

    def _chunk_of(self, entry: str) -> dict[str, Effect] | None:
        for place in range(len(self._chunks) - 1, -1, -1):
            chunk = self._chunks[place]
            if isinstance(chunk, str):
                # Finding the id in the text is a thousand times faster than reading the chunk.
                if f'["{entry}"' not in chunk:
                    continue
                chunk = self._chunks[place] = _read(chunk)
            if entry in chunk:
                return chunk
        return None

    def packed(self) -> list[str]:
        """Return all chunks as text, equal for equal effects."""
        texts = [chunk if isinstance(chunk, str) else _text(chunk) for chunk in self._chunks]
        # All but the last are full, and seldom asked for again.
        self._chunks[:-1] = texts[:-1]
        return texts

    def restore(self, chunks: Sequence[str]) -> None:
        """Take over what `packed` gave."""
        self._chunks = list(chunks)


def _text(chunk: dict[str, Effect]) -> str:
    plain = [
        [entry, effect.number, [_flat(move) for move in effect.moves], effect.undo, effect.is_undone]
        for entry, effect in chunk.items()
    ]
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _flat(move: Booked) -> list[Any]:
    return [move.date, move.good, move.lot, move.quantity, *move.source, *move.target, move.why]


def _read(text: str) -> dict[str, Effect]:
    return {
        entry: Effect(number, [_move(*flat) for flat in moves], undo, is_undone)
        for entry, number, moves, undo, is_undone in json.loads(text)
    }


def _move(
    day: str, good: str, lot: str, quantity: int, source: str, source_id: str, target: str, target_id: str, why: str
) -> Booked:
    return Booked(day, good, lot, quantity, _account(source, source_id), _account(target, target_id), why)


def _account(kind: Any, id: str) -> Account:
    return Account(kind, id)
