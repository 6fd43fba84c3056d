"""Short codes: an id as people read it out, copy it by hand and type it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from abasto.errors import AbastoError

__all__ = ["code_of", "find"]

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread."""
SHORTEST = 4
MOST_NAMED = 5
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def code_of(id: str, *, signs: int = 8) -> str:
    """Return the short code of an id: its first 40 bits in Crockford's base 32, or as many signs of 5 bits as asked.

    >>> code_of("A" * 43), code_of("A" * 43, signs=12)
    ('0000-0000', '0000-0000-0000')
    """
    return _grouped(_digits(id, signs))


def find(code: str, ids: Iterable[str]) -> str:
    """Return the one id that a code stands for: its first four signs or more, in any case, with or without dashes.

    A whole id stands for itself. Raises `AbastoError` if there is none or more than one, naming those.
    """
    asked = code.strip().upper().translate(_READ_AS)
    found = []
    for id in ids:
        if id == code:
            return id
        if len(asked) >= SHORTEST and _digits(id, len(asked)) == asked:
            found.append(id)
    if len(set(found)) == 1:
        return found[0]
    if found:
        named = _told_apart(set(found))
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        raise AbastoError(f'"{code}" may be {", ".join(named[:MOST_NAMED])}{more}; give more of its signs.')
    if len(asked) < SHORTEST:
        raise AbastoError(f'"{code}" is too short for a code; give at least {SHORTEST} signs, as in K7Q2.')
    raise AbastoError(f'"{code}": nothing here has this code; check it for a sign that was misread.')


def _told_apart(ids: set[str]) -> list[str]:
    """Return codes of some ids that are long enough to tell them apart."""
    for length in range(8, 56, 4):
        codes = {_grouped(_digits(id, length)) for id in ids}
        if len(codes) == len(ids):
            break
    return sorted(codes)


def _digits(id: str, count: int) -> str:
    """Return the first `count` signs of an id in Crockford's base 32, or all of them where it has fewer."""
    # Eight letters of base64 are 48 bits: nine signs. Most codes are no longer, and an id is read often.
    letters = id[: 8 * (count // 9 + 1)]
    try:
        raw = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
    except (binascii.Error, ValueError):
        return ""
    bits = int.from_bytes(raw, "big") << 5
    size = 8 * len(raw)
    return "".join(SIGNS[(bits >> (size - 5 * n)) & 31] for n in range(min(count, (size + 4) // 5)))


def _grouped(digits: str) -> str:
    return "-".join(digits[n : n + 4] for n in range(0, len(digits), 4))
