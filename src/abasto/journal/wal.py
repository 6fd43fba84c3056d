"""The end of a journal that a crash left in SQLite's log: whether all of it that was acknowledged can still be read.

SQLite goes through its log (`-wal`) up to the first frame that is not whole and passes over what follows, as a crash in
the middle of a write looks like that too. But whole transactions behind such a frame were on the disk once, and people
may have been told so. The layout is that of sqlite.org/fileformat2.html, section 4; frame headers are never encrypted.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

__all__ = ["Log", "read_log"]

HEADER = struct.Struct(">8I")
FRAME = struct.Struct(">6I")
PAGE = 4096


class Log(NamedTuple):
    """What stands in a log: its header, and the number of the last frame of it that ends a transaction."""

    header: bytes
    committed: int


def read_log(path: Path) -> Log:
    """Return what stands in the log beside a journal; frames count whether they are as they were written or not."""
    log = path.with_name(path.name + "-wal")
    if not log.is_file():
        return Log(b"", 0)
    with log.open("rb") as file:
        header = file.read(HEADER.size)
        if len(header) < HEADER.size:
            return Log(header, 0)
        salts = HEADER.unpack(header)[4:6]
        committed = number = 0
        while len(start := file.read(FRAME.size)) == FRAME.size:
            number += 1
            # A frame's start is written before its page: whoever was killed in between has committed nothing.
            if len(file.read(PAGE)) < PAGE:
                break
            _, pages, *frame_salts, _, _ = FRAME.unpack(start)
            # One of two, as a changed bit is in one of them; frames of an earlier round of the log have neither.
            if pages and (frame_salts[0] == salts[0] or frame_salts[1] == salts[1]):
                committed = number
    return Log(header, committed)
