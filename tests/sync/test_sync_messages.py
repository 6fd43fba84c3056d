"""Messages as bytes: what is packed reads back the same, and nothing else is taken for a message."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.contract import Pen
from tests.sync.pairs import two

from abasto.errors import MessageError, OversizedError
from abasto.facts.canonical import canonical
from abasto.journal.entry import Signed
from abasto.journal.signing import NOTHING
from abasto.sync.exchange import Answerer
from abasto.sync.messages import LARGEST_MESSAGE, Entries, Give, Hello, No, Page, pack, unpack

NETWORK = "N" * 42 + "A"
HELLO: dict[str, Any] = {"version": 1, "kind": "hello", "network": NETWORK, "hash": NOTHING, "after": ""}


def framed(head: bytes, rest: bytes = b"") -> bytes:
    return zstandard.compress(len(head).to_bytes(4, "big") + head + rest)


def test_the_bytes_of_a_message_are_those_of_the_page_on_exchanges() -> None:
    signed = Signed(b"{}", b"s" * 64)
    content = zstandard.decompress(pack(Give(network=NETWORK), [signed]))
    head = b'{"kind":"give","network":"%s","version":1}' % NETWORK.encode()
    assert content == len(head).to_bytes(4, "big") + head + b"\x00\x02" + b"s" * 64 + b"{}"
    assert unpack(framed(head, b"\x00\x02" + b"s" * 64 + b"{}")) == (Give(network=NETWORK), [signed])


@given(st.lists(st.tuples(st.binary(max_size=300), st.binary(min_size=64, max_size=64)), max_size=20))
def test_entries_read_back_whatever_they_say(pairs: list[tuple[bytes, bytes]]) -> None:
    entries = [Signed(*pair) for pair in pairs]
    assert unpack(pack(Entries(unlike=[], more="rest"), entries)) == (Entries(unlike=[], more="rest"), entries)


@given(st.binary(max_size=400))
def test_bytes_at_random_are_refused_by_type(raw: bytes) -> None:
    with pytest.raises(MessageError):
        unpack(raw)
    with pytest.raises(MessageError):
        unpack(zstandard.compress(raw))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 2}, "version"),
        ({"kind": "helo"}, "kind"),
        ({"network": "N" * 42}, "network"),
        ({"network": "N" * 43}, "network"),
        ({"hash": ""}, "hash"),
        ({"hash": 5}, "hash"),
        ({"after": None}, "after"),
        ({"more": 1}, "more"),
    ],
)
def test_a_head_with_another_field_or_value_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(MessageError, match=why):
        unpack(framed(canonical({**HELLO, **change})))


@pytest.mark.parametrize("name", HELLO)
def test_a_head_without_one_of_its_fields_is_refused_unless_that_has_a_default(name: str) -> None:
    raw = framed(canonical({key: value for key, value in HELLO.items() if key != name}))
    if name in ("version", "after"):
        assert unpack(raw) == (Hello(network=NETWORK, hash=NOTHING), [])
    else:
        with pytest.raises(MessageError):
            unpack(raw)


@pytest.mark.parametrize(
    "head",
    [
        b'{"kind":"hello","kind":"hello"}',
        b'{"kind": "hello"}',
        b"[1]",
        b"\xff",
        b"{" * 100_000,
        b'{"hash":1.5}',
    ],
    ids=["twice", "not canonical", "no object", "no text", "deep", "no whole number"],
)
def test_a_head_that_is_no_canonical_object_is_refused(head: bytes) -> None:
    with pytest.raises(MessageError, match="head of a message"):
        unpack(framed(head))


def test_what_is_cut_off_is_refused_wherever_it_was_cut() -> None:
    content = zstandard.decompress(pack(Give(network=NETWORK), [Pen(1).write().signed] * 2))
    whole = len(content) - len(Pen(1).write().signed.raw) - 66  # One entry less is a message too.
    for end in range(len(content)):
        if end in (whole, 4 + int.from_bytes(content[:4], "big")):
            continue
        with pytest.raises(MessageError):
            unpack(zstandard.compress(content[:end]))


def test_bytes_behind_a_head_without_entries_are_refused() -> None:
    with pytest.raises(MessageError, match="behind its head"):
        unpack(framed(canonical(HELLO), b"\x00\x00" + b"s" * 64))


def test_bytes_behind_the_frame_are_refused() -> None:
    with pytest.raises(MessageError):
        unpack(framed(canonical(HELLO)) + b"x")
    with pytest.raises(MessageError):
        unpack(framed(canonical(HELLO)) * 2)


# Too much


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zstandard.compress(bytes(2**30), 19)
    assert len(bomb) < LARGEST_MESSAGE
    tracemalloc.start()
    with pytest.raises(OversizedError, match="unpacks to 1,073,741,824 bytes"):
        unpack(bomb)
    assert tracemalloc.get_traced_memory()[1] < LARGEST_MESSAGE
    tracemalloc.stop()
    answer, _ = unpack(Answerer(two(1)[0]).answer(bomb))
    assert isinstance(answer, No)
    assert answer.cause == "oversized"


def test_a_bomb_that_does_not_say_its_size_is_refused() -> None:
    silent = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(2**26))
    with pytest.raises(MessageError, match="does not say how much"):
        unpack(silent)


def test_a_bomb_that_says_a_smaller_size_is_refused() -> None:
    honest = zstandard.compress(bytes(2**20))
    size = (2**20).to_bytes(4, "little")
    assert honest.index(size) == 5  # The size stands behind the magic number and a byte of flags.
    with pytest.raises(MessageError):
        unpack(honest.replace(size, (2**10).to_bytes(4, "little"), 1))


def test_a_message_larger_than_any_may_be_is_refused_unread() -> None:
    with pytest.raises(OversizedError, match="at most 4,194,304"):
        unpack(bytes(LARGEST_MESSAGE + 1))


def test_more_entries_than_a_page_holds_are_refused() -> None:
    with pytest.raises(OversizedError, match="more than 5,000 entries"):
        unpack(framed(canonical({"kind": "give", "network": NETWORK}), (b"\x00\x00" + bytes(64)) * 5_001))


def test_a_page_of_the_largest_entries_is_a_message_that_can_be_read() -> None:
    page = Page()
    while page.add(Signed(bytes(len(page.entries) % 251 for _ in range(1)) * 2**14, b"s" * 64)):
        pass
    assert 200 < len(page.entries) < 5_000
    _, entries = unpack(pack(Entries(unlike=[NOTHING] * 10_000, more="rest"), page.entries))
    assert entries == page.entries
    page = Page()
    while page.add(Signed(b"{}", b"s" * 64)):
        pass
    assert len(page.entries) == 5_000


def test_every_bad_request_is_answered_with_its_cause() -> None:
    answerer = Answerer(two(2)[0])
    for request, cause in (
        (b"", "message"),
        (bytes(LARGEST_MESSAGE + 1), "oversized"),
        (pack(Hello(network=NETWORK, hash=NOTHING)), "foreign"),
        (pack(No(cause="asked", why="")), "asked"),
    ):
        answer, _ = unpack(answerer.answer(request))
        assert isinstance(answer, No)
        assert answer.cause == cause
