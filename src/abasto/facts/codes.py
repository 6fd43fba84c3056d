"""Short codes: an id as people read it out, copy it by hand and type it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

from abasto.errors import AbastoError

__all__ = ["code_of", "find", "heard", "spoken"]

SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, which are misread."""
SHORTEST = 4
MOST_NAMED = 5
SPOKEN = 16
"""Signs of an id that are read aloud to compare it: 80 bits, which nobody makes another id for."""
CHECK_PRIME = 1021
"""The largest prime below 32²: what is left of a code by it changes with any one sign, and when two neighbours swap."""
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


def spoken(id: str) -> str:
    """Return an id as it is read aloud: its first 80 bits in fours, then two signs that show if one was misheard.

    >>> spoken("A" * 43)
    '0000-0000-0000-0000-00'
    """
    digits = _digits(id, SPOKEN)
    return f"{_grouped(digits)}-{_check_signs(digits)}"


def heard(text: str) -> str:
    """Return the code that `spoken` gave, without its last two signs, as `find` takes it; raises `AbastoError` if not.

    >>> heard("0000 0000 oooo 0000 00")
    '0000-0000-0000-0000'
    """
    asked = text.strip().upper().translate(_READ_AS)
    digits, check = asked[:SPOKEN], asked[SPOKEN:]
    if len(asked) != SPOKEN + 2 or not set(asked) <= set(SIGNS):
        raise AbastoError(
            f'"{text}": a code that is read aloud has {SPOKEN} signs in fours and two more; hear it again.'
        )
    if check != _check_signs(digits):
        raise AbastoError(f'"{text}": a sign was misheard, as the last two do not fit the others; hear it again.')
    return _grouped(digits)


def _check_signs(digits: str) -> str:
    value = 0
    for sign in digits:
        value = value * 32 + SIGNS.index(sign)
    left = value % CHECK_PRIME
    return SIGNS[left >> 5] + SIGNS[left & 31]


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
