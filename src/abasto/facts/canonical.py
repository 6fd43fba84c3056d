"""The one sequence of bytes that says a value: JSON with sorted keys, integers only and nothing to spare."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from abasto.errors import EntryError
from abasto.facts.kinds import MOST

__all__ = ["DEEPEST", "canonical", "parse"]

DEEPEST = 32
"""Objects and lists may stand in each other so deep."""

_DIGITS = len(str(MOST)) + 1
_WRITER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)
_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
"""A text of JSON, or one without an end; possessive, so that hostile bytes cost no more than their length."""
_BRACKET = re.compile(r"[\[{\]}]")


def canonical(value: Any) -> bytes:
    """Return the bytes that say a value made of dict, list, str, int, bool and None; `EntryError` for all else.

    >>> canonical({"b": [1, True], "a": "ñ"}).decode()
    '{"a":"ñ","b":[1,true]}'
    """
    _check(value, 0)
    try:
        return _WRITER.encode(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise EntryError(f"text with half a character ({error.object[error.start]!r}); write whole ones.") from None


def parse(raw: bytes) -> dict[str, Any]:
    """Return the object whose canonical bytes these are; `EntryError` for bytes that say nothing or not canonically."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EntryError(f"byte {error.start} is no UTF-8; the bytes were damaged or are no entry.") from None
    if _may_be_deep(text):
        raise EntryError(f"objects stand more than {DEEPEST} deep in each other; nothing so deep is written.")
    try:
        value = _READER.decode(text)
    except json.JSONDecodeError as error:
        raise EntryError(f"no JSON at character {error.pos} ({error.msg}); damaged, or no entry.") from None
    if type(value) is not dict:
        raise EntryError(f"{text[:40]!r}: this is no JSON object; every entry is one.")
    try:
        again = _WRITER.encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise EntryError("a text holds half a character (a lone surrogate); no such text is written.") from None
    if again != raw:
        raise EntryError("these are not the canonical bytes of what they say; only canonical ones are signed.")
    return value


def _check(value: Any, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -MOST <= value <= MOST:
            raise EntryError(f"a number beyond ±{MOST}; not every reader of JSON would have it exactly.")
        return
    if kind is not dict and kind is not list:
        raise EntryError(f"{value!r:.80}: only texts, whole numbers, true, false, null, lists and objects are written.")
    if depth == DEEPEST:
        raise EntryError(f"objects stand more than {DEEPEST} deep in each other; say it flatter.")
    if kind is dict:
        for name in value:
            if type(name) is not str:
                raise EntryError(f"{name!r:.80}: the names in an object must be texts.")
        value = value.values()
    for one in value:
        if type(one) is not str:  # Most are, and a call for each would cost as much as all the rest.
            _check(one, depth + 1)


def _may_be_deep(text: str) -> bool:
    """Return whether brackets stand deeper than allowed in each other before anything in the text is wrong JSON."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_QUOTED.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise EntryError("a name stands twice in an object; readers would differ about which one counts.")
    return value


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS or not -MOST <= (value := int(digits)) <= MOST:
        raise EntryError(f"{digits[:40]}: a number beyond ±{MOST}; not every reader of JSON would have it exactly.")
    return value


def _no_float(digits: str) -> NoReturn:
    raise EntryError(f"{digits[:40]}: this is no whole number; quantities are whole thousandths of the unit.")


_READER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)
