"""The bytes of entries made small for the disk, and back to the very same bytes.

Most of an entry's text is said in every entry of its author: key, network, names of fields. So each author has a
dictionary, kept with it, and its entries are deflated with that (RFC 1951 with a preset dictionary). What is signed,
given out and sent are the exact bytes; `verify` holds every one of them to its id and signature.
"""

from __future__ import annotations

import zlib

from abasto.journal.signing import LARGEST

__all__ = ["Packer", "words_of"]

WORDS = (
    b'"plan":"","trips":1,"departs":"2026-01-01","arrives":"2026-01-01","from":"","to":"","fleet":"k":"order.issued"'
    b'"k":"order.accepted""k":"order.loaded""more_to_come":true"k":"order.received""k":"order.cancelled""cause":""'
    b'"k":"row.dropped"{"copy":2,"date":"2026-01-01","row":{"name":""},"table":"sites"}"k":"row.set""table":"goods"'
    b'"k":"entry.reversed""entry":"{"batches":1000,"date":"2026-01-01","lines":[{"good":"","lot":"2026-01-01",'
    b'"quantity":-1000},{"good":"],"recipe":"k":"goods.made""k":"goods.lost""k":"note.written""text":"about":"'
    b'"k":"goods.taken_in""k":"goods.handed_out"{"date":"2026-01-01","good":"","lot":"2026-01-01","quantity":1000,'
    b'"ref":"","site":""},"c":"","deps":["",""],"k":"stock.counted","lc":1,"prev":"","seq":1,"t":1,"v":1}'
)
"""What entries say whoever writes them; a copy stands with each author, so this may change at any time."""
WINDOW_BITS = 12
MEMORY = 6
"""A window of 4 KiB holds dictionary and entry; all of deflate's 32 KiB would only have to be copied each time."""


def words_of(raw: bytes) -> bytes:
    """Return the dictionary for an author, given the bytes of the first of its entries that arrived."""
    return WORDS + raw[-512:] + raw[:64]


class Packer:
    """Packs and unpacks the entries of one author."""

    def __init__(self, words: bytes) -> None:
        # Fixed codes: an entry is too short to gain by codes of its own, and is read back in half the time.
        self._deflate = zlib.compressobj(6, zlib.DEFLATED, -WINDOW_BITS, MEMORY, zlib.Z_FIXED, words)
        self._inflate = zlib.decompressobj(-WINDOW_BITS, words)

    def pack(self, raw: bytes) -> bytes:
        """Return the bytes of an entry made small."""
        deflate = self._deflate.copy()
        return deflate.compress(raw) + deflate.flush()

    def unpack(self, packed: bytes) -> bytes:
        """Return the bytes that were packed; raises `zlib.error` for what `pack` never made."""
        inflate = self._inflate.copy()
        raw = inflate.decompress(packed, LARGEST + 1)
        if len(raw) > LARGEST or not inflate.eof or inflate.unused_data:
            raise zlib.error("not the bytes of one entry")
        return raw
