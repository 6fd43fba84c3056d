"""Canonical bytes: one for each value, and none for what readers could take for different things."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.facts.strategies import CHARACTERS, bodies

from abasto.errors import EntryError
from abasto.facts.canonical import DEEPEST, canonical, parse

MOST = 2**53 - 1


def spelled(value: Any) -> str:
    """Return canonical JSON the long way round, from what RFC 8259 says about it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
        return '"' + "".join(short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'
    if isinstance(value, list):
        return "[" + ",".join(spelled(one) for one in value) + "]"
    return "{" + ",".join(f"{spelled(name)}:{spelled(value[name])}" for name in sorted(value)) + "}"


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    """Return an object whose deepest brackets stand `depth` deep."""
    return ('{"a":' + opening * (depth - 1) + closing * (depth - 1) + "}").encode()


@given(bodies)
@example({"\x7f\u2028\U0001f600": ['"\\\b\f\n\r\t\x00\x1f'], "": {}})
def test_canonical_bytes_are_those_spelled_out(value: dict[str, Any]) -> None:
    assert canonical(value) == spelled(value).encode()


@given(bodies)
def test_canonical_bytes_say_the_value_and_no_other_bytes_do(value: dict[str, Any]) -> None:
    raw = canonical(value)
    assert parse(raw) == value
    assert canonical(parse(raw)) == raw
    others = (json.dumps(value), json.dumps(value, sort_keys=True, ensure_ascii=False, indent=1))
    for other in {text.encode() for text in others} - {raw}:
        with pytest.raises(EntryError):
            parse(other)


@given(st.text(CHARACTERS, max_size=30).map(str.encode), st.integers(0, 29), st.binary(min_size=1, max_size=3))
def test_what_parses_is_canonical(inner: bytes, place: int, strange: bytes) -> None:
    raw = b'{"a":"' + inner + b'","b":[1,{}]}'
    try:
        value = parse(raw[:place] + strange + raw[place:])
    except EntryError:
        return
    assert spelled(value).encode() == raw[:place] + strange + raw[place:]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no JSON"),
        (b"{", "no JSON"),
        (b'{"a":1}\n', "canonical"),
        (b' {"a":1}', "canonical"),
        (b'{"a":1}{"a":1}', "no JSON"),
        (b'{"a":1}\0', "no JSON"),
        (b'{"a": 1}', "canonical"),
        (b'{"a":1,}', "no JSON"),
        (b'\xef\xbb\xbf{"a":1}', "no JSON"),
        ('{"a":1}'.encode("utf-16"), "UTF-8"),
        (b'{"b":1,"a":2}', "canonical"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":{"b":1,"\\u0062":2}}', "twice"),
        (b'{"a":1.0}', "no whole number"),
        (b'{"a":1e3}', "no whole number"),
        (b'{"a":-0}', "canonical"),
        (b'{"a":01}', "no JSON"),
        (b'{"a":+1}', "no JSON"),
        (b'{"a":NaN}', "no whole number"),
        (b'{"a":Infinity}', "no whole number"),
        (b'{"a":-Infinity}', "no whole number"),
        (b'{"a":9007199254740992}', "beyond"),
        (b'{"a":-9007199254740992}', "beyond"),
        (b'{"a":' + b"9" * 16_000 + b"}", "beyond"),
        (b'{"a":1e' + b"9" * 16_000 + b"}", "no whole number"),
        (b'{"a":0.' + b"9" * 16_000 + b"}", "no whole number"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":"\xc0\xaf"}', "UTF-8"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'{"a":"\\ud83d\\ude00"}', "canonical"),
        (b'{"a":"\\u00e9"}', "canonical"),
        (b'{"a":"\\/"}', "canonical"),
        (b'{"a":"\\u001F"}', "canonical"),
        (b'{"a":"\n"}', "no JSON"),
        (b'{"a":"\\x"}', "no JSON"),
        (b"{'a':1}", "no JSON"),
        (b'{"a":1 /*c*/}', "no JSON"),
        (b'{"a":TRUE}', "no JSON"),
        (b"[1]", "no JSON object"),
        (b"1", "no JSON object"),
        (b'"a"', "no JSON object"),
        (b"null", "no JSON object"),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else None,
)
def test_bytes_that_readers_could_disagree_about_are_refused(raw: bytes, said: str) -> None:
    with pytest.raises(EntryError, match=said):
        parse(raw)


@pytest.mark.parametrize("number", [MOST, -MOST, 0, -1])
def test_the_numbers_that_every_reader_has_exactly_are_read(number: int) -> None:
    raw = b'{"a":%d}' % number
    assert parse(raw) == {"a": number}
    assert canonical({"a": number}) == raw


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded_before_anything_is_built(brackets: tuple[str, str]) -> None:
    opening, closing = brackets
    inner = "1" if opening != "[" else ""
    deepest = ('{"a":' + opening * (DEEPEST - 1) + inner + closing * (DEEPEST - 1) + "}").encode()
    assert canonical(parse(deepest)) == deepest
    for depth in (DEEPEST + 1, 2_500, 5_400):
        with pytest.raises(EntryError, match="deep"):
            parse(('{"a":' + opening * (depth - 1) + inner + closing * (depth - 1) + "}").encode())
    with pytest.raises(EntryError, match="deep"):
        parse(opening.encode() * 3_000)


def test_brackets_in_texts_do_not_count_as_depth() -> None:
    value = {"text": '[{"\\' * 2_000, "[[[[": ["]" * 99]}
    assert parse(canonical(value)) == value
    with pytest.raises(EntryError, match="no JSON"):
        parse(b'{"a":"' + b"[" * 5_000)
    with pytest.raises(EntryError, match="no JSON"):
        parse(b'{"a":"' + b"[" * 5_000 + b"\\")


def test_hostile_quotes_cost_no_more_than_their_length() -> None:
    # Were an unfinished text tried again from every quote in it, this would take minutes, not milliseconds.
    raw = b"[" * 40 + b'"' + b'\\"' * 100_000
    with pytest.raises(EntryError):
        parse(raw)


class Kind(IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        b"a",
        (1,),
        {1},
        Kind.ONE,
        Text("a"),
        {1: 2},
        {None: 1},
        "\ud800",
        pytest.param(object(), id="an object"),
    ],
    ids=repr,
)
def test_what_has_no_canonical_bytes_is_refused(value: Any) -> None:
    with pytest.raises(EntryError):
        canonical({"a": [value]})
    if isinstance(value, str):
        with pytest.raises(EntryError):
            canonical({value: 1})


def test_a_value_that_holds_itself_is_refused() -> None:
    value: dict[str, Any] = {}
    value["a"] = [value]
    with pytest.raises(EntryError, match="deep"):
        canonical(value)


def test_the_limit_of_depth_lies_far_below_what_python_bears() -> None:
    assert sys.getrecursionlimit() > 10 * DEEPEST
