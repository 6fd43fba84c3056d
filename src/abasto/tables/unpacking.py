"""What a packed file would become before anybody unpacks it: a small one can be made that fills the memory.

Neither what an archive says of its sizes nor what a sheet says of its area is believed: bytes are counted as they
come, and the reader of workbooks makes room for every cell up to the last one, however few there are.
"""

from __future__ import annotations

import copy
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

__all__ = ["MOST_BYTES", "MOST_CELLS", "refuse_bomb"]

MOST_BYTES = 200_000_000
"""Of all that is in an archive or workbook, unpacked."""
MOST_CELLS = 20_000_000
"""Of a sheet up to its last row and column."""
MOST_PARTS = 10_000
AT_ONCE = 1 << 20
LONGEST_MARK = 64
_PLACE = re.compile(rb"""[\s:]r\s*=\s*["']([A-Za-z]{0,3})(\d{1,9})["']""")


def refuse_bomb(content: bytes) -> None:
    """Raise `zipfile.BadZipFile` if a workbook or archive would unpack to more than anybody can have meant."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS:
            raise zipfile.BadZipFile(f"it has {len(parts):,} parts, and at most {MOST_PARTS:,} are read")
        left = MOST_BYTES
        for part in parts:
            last_row = last_column = 0
            before = b""
            for some in _unpacked(archive, part, left):
                left -= len(some)
                if left < 0:
                    raise zipfile.BadZipFile(f"it unpacks to more than {MOST_BYTES // 1_000_000} MB")
                if part.filename.lower().endswith((".xml", ".bin")) or "/" in part.filename:
                    for letters, digits in _PLACE.findall(before + some):
                        last_row = max(last_row, int(digits))
                        last_column = max(last_column, _column(letters))
                    before = some[-LONGEST_MARK:]
            if last_row * max(1, last_column) > MOST_CELLS:
                raise zipfile.BadZipFile(
                    f"a sheet has cells as far as row {last_row:,} and column {last_column:,}, and at most "
                    f"{MOST_CELLS:,} cells are read"
                )


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    """Yield what is in a part, also beyond the size that it says it has, until it is more than `most`."""
    honest = copy.copy(part)
    honest.file_size = most + 2 * AT_ONCE
    honest.CRC = None  # type: ignore[assignment]  # Its sum is asked for by whoever reads it.
    try:
        with archive.open(honest) as stream:
            while some := stream.read(AT_ONCE):
                yield some
    except (EOFError, zlib.error) as error:
        raise zipfile.BadZipFile(f"{part.filename} is damaged ({error})") from None
    except (NotImplementedError, RuntimeError) as error:
        raise zipfile.BadZipFile(f"{part.filename} cannot be unpacked ({error})") from None


def _column(letters: bytes) -> int:
    """Return the number of a column by its letters.

    >>> _column(b"A"), _column(b"XFD")
    (1, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number
