"""A second, plain way through a QR code: from the SVG on the page back to its text, by the standard's own steps.

It corrects no errors, since what we print has none: modules, mask, zigzag, blocks, bytes (ISO/IEC 18004).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import segno

Grid = list[list[bool]]

MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, column: row % 2 == 0,
    lambda row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: row * column % 2 + row * column % 3 == 0,
    lambda row, column: (row * column % 2 + row * column % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + row * column % 3) % 2 == 0,
)
# Of level M, by version: words of error correction in a block, then (blocks, data words in each).
BLOCKS = {
    1: (10, [(1, 16)]),
    2: (16, [(1, 28)]),
    3: (26, [(1, 44)]),
    4: (18, [(2, 32)]),
    5: (24, [(2, 43)]),
    6: (16, [(4, 27)]),
    7: (18, [(4, 31)]),
    8: (22, [(2, 38), (2, 39)]),
    9: (22, [(3, 36), (2, 37)]),
    10: (26, [(4, 43), (1, 44)]),
}
ALIGNED = {2: [6, 18], 3: [6, 22], 4: [6, 26], 5: [6, 30], 6: [6, 34], 7: [6, 22, 38], 8: [6, 24, 42],
           9: [6, 26, 46], 10: [6, 28, 50]}  # fmt: skip
FORMAT_MASK = 0b101010000010010


def read_svg(svg: str) -> str:
    """Return the text of a QR code that stands in a page as SVG."""
    size = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])  # type: ignore[index]
    path = re.search(r' d="([^"]+)"', svg)[1]  # type: ignore[index]
    full = [[False] * size for _ in range(size)]
    x = y = 0.0
    for command, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            for step in range(int(values[0])):
                full[int(y)][int(x) + step] = True
            x += values[0]
    quiet = next(row for row, line in enumerate(full) if any(line))
    return read([line[quiet : size - quiet] for line in full[quiet : size - quiet]])


def read(grid: Grid) -> str:
    """Return the text of a QR code of level M, given as dark and light modules."""
    size = len(grid)
    version = (size - 17) // 4
    bits = [grid[8][column] for column in (0, 1, 2, 3, 4, 5, 7, 8)] + [grid[row][8] for row in (7, 5, 4, 3, 2, 1, 0)]
    told = int("".join("01"[bit] for bit in bits), 2) ^ FORMAT_MASK
    assert told >> 13 == 0b00, "not of level M"
    mask = MASKS[told >> 10 & 7]
    stream = [grid[row][column] ^ mask(row, column) for row, column in _zigzag(version, size)]
    words = [int("".join("01"[bit] for bit in stream[at : at + 8]), 2) for at in range(0, len(stream) - 7, 8)]
    return _text(_data(words, version), version)


def _zigzag(version: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield the modules that hold data, in their order."""
    taken = _function_modules(version, size)
    upwards = True
    right = size - 1
    while right > 0:
        right -= right == 6
        for step in range(size):
            row = size - 1 - step if upwards else step
            for column in (right, right - 1):
                if (row, column) not in taken:
                    yield row, column
        upwards = not upwards
        right -= 2


def _function_modules(version: int, size: int) -> set[tuple[int, int]]:
    taken = {(row, column) for row in range(9) for column in range(9)}
    taken |= {(row, column) for row in range(9) for column in range(size - 8, size)}
    taken |= {(row, column) for row in range(size - 8, size) for column in range(9)}
    taken |= {(6, at) for at in range(size)} | {(at, 6) for at in range(size)}
    centres = ALIGNED.get(version, [])
    for row in centres:
        for column in centres:
            if (row, column) not in ((6, 6), (6, centres[-1]), (centres[-1], 6)):
                taken |= {(row + down, column + over) for down in range(-2, 3) for over in range(-2, 3)}
    if version >= 7:
        taken |= {(row, size - 11 + column) for row in range(6) for column in range(3)}
        taken |= {(size - 11 + row, column) for row in range(3) for column in range(6)}
    return taken


def _data(words: list[int], version: int) -> bytes:
    """Return the data words, which are dealt out over blocks."""
    _, groups = BLOCKS[version]
    lengths = [length for number, length in groups for _ in range(number)]
    blocks: list[list[int]] = [[] for _ in lengths]
    rest = iter(words)
    for at in range(max(lengths)):
        for block, length in zip(blocks, lengths, strict=True):
            if at < length:
                block.append(next(rest))
    return bytes(word for block in blocks for word in block)


def _text(data: bytes, version: int) -> str:
    """Return the text of the segments: bytes of UTF-8, or the few signs that take less room."""
    bits = "".join(f"{byte:08b}" for byte in data)
    at, found = 0, b""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
    while at + 4 <= len(bits) and (mode := bits[at : at + 4]) != "0000":
        at += 4
        if mode == "0100":
            width = 8 if version < 10 else 16
            count = int(bits[at : at + width], 2)
            at += width
            found += bytes(int(bits[at + 8 * n : at + 8 * n + 8], 2) for n in range(count))
            at += 8 * count
        else:
            assert mode == "0010", f"mode {mode}"
            width = 9 if version < 10 else 11
            count = int(bits[at : at + width], 2)
            at += width
            for n in range(0, count, 2):
                if n + 1 < count:
                    pair = int(bits[at : at + 11], 2)
                    found += (letters[pair // 45] + letters[pair % 45]).encode()
                    at += 11
                else:
                    found += letters[int(bits[at : at + 6], 2)].encode()
                    at += 6
    return found.decode()


def grid_of(text: str) -> Grid:
    """Return the modules of a QR code of a text, as segno makes it."""
    return [
        [bool(cell) for cell in line]
        for line in segno.make(text, micro=False, error="m", boost_error=False, encoding="utf-8").matrix
    ]
