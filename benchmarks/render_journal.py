"""Results of the journal → rows of its tables."""

from __future__ import annotations

from typing import Any

__all__ = ["append_rows", "fold_rows", "postgres_rows", "receive_rows"]

Record = dict[str, Any]

APPEND_HEAD = [
    "entries in a batch",
    "signed and kept",
    "the same, clear file",
    "kept only",
    "plain SQLite",
    "signed ÷ plain",
]
APPEND_TEXT = (
    "Entries a second that are on the disk when the call returns: built, signed and kept in the encrypted file; the "
    "same in a clear one; the same bytes kept without building and signing; and the same bytes in one table of "
    "Python's own SQLite, in the clear, with the same promise (WAL, synchronous FULL). The disk decides the small "
    "batches."
)
RECEIVE_TEXT = (
    "Entries a second from another device: checked and kept; checked alone; and libsodium's verification of the "
    "signature alone, which is the limit."
)
FOLD_TEXT = (
    "A journal of 50 devices, 300 sites and 20 goods over two years: read alone, read and folded from nothing, and "
    "opened from a snapshot of the fold (opening the file with its key included)."
)


def append_rows(records: list[Record]) -> list[list[str]]:
    return [
        [
            f"{row['batch']:,}",
            *(f"{row[name]:,.0f}" for name in ("signed", "signed_clear", "raw", "plain")),
            f"{row['signed'] / row['plain']:.2f}",
        ]
        for record in records
        for row in record["rows"]
    ]


def receive_rows(records: list[Record]) -> list[list[str]]:
    return [[f"{record[name]:,.0f}" for name in ("received", "checked", "verified")] for record in records]


def fold_rows(records: list[Record]) -> list[list[str]]:
    return [
        [
            f"{record['entries']:,}",
            f"{record['reading_seconds']:.1f} s",
            f"{record['seconds']:.1f} s",
            f"{record['warm_seconds']:.2f} s",
            f"{record['snapshot_mib']:.1f} MiB",
            f"{record['bytes_per_entry']:.0f}",
            f"{record['clear_bytes_per_entry']:.0f}",
            f"{record['fold_memory_mib']:,.0f} MiB",
        ]
        for record in records
    ]


def postgres_rows(records: list[Record]) -> list[list[str]]:
    return [[f"{row['batch']:,}", f"{row['signed']:,.0f}"] for record in records for row in record["rows"]]
