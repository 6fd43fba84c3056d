"""Entries as bytes: what a device signs is what everyone reads, and nothing else passes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.facts.strategies import bodies
from tests.journal import reference

from abasto.errors import EntryError
from abasto.facts.canonical import canonical
from abasto.facts.kinds import StockCounted, body_of
from abasto.journal import signing
from abasto.journal.entry import Entry, Signed
from abasto.journal.signing import DOMAIN, LARGEST, NOTHING, Device, bytes_of, make_entry, read_entry, text_of
from abasto.journal.store import Verified

PAGE = Path(__file__).resolve().parents[2] / "docs" / "design" / "entry.md"
SEED = bytes(range(32))
DEVICE = Device(SEED)
NETWORK = text_of(b"n" * 32)
FIELDS: dict[str, Any] = {
    "v": 1,
    "c": NETWORK,
    "a": DEVICE.key,
    "seq": 2,
    "prev": text_of(b"p" * 32),
    "deps": [text_of(b"d" * 32)],
    "lc": 7,
    "t": 1_700_000_000,
    "k": "note.written",
    "body": {"text": "all well", "date": "2026-11-22"},
}


def signed(fields: dict[str, Any], *, device: Device = DEVICE) -> Signed:
    """Return the bytes of any fields, well signed, whatever they say."""
    raw = canonical(fields)
    return Signed(raw, device.sign(raw))


def an_entry(**fields: Any) -> Verified:
    given = {"network": NETWORK, "seq": 1, "prev": NOTHING, "deps": (), "lc": 1, "time": 0, "kind": "note.written"}
    return make_entry(DEVICE, **{**given, "body": {"text": "all well", "date": "2026-11-22"}, **fields})


def unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def test_what_is_made_reads_back_the_same() -> None:
    made = an_entry(seq=3, prev=text_of(b"p" * 32), deps=[text_of(b"d" * 32)], lc=9, time=5)
    assert read_entry(made.signed) == made
    assert json.loads(made.signed.raw)["deps"] == [text_of(b"d" * 32)]


@settings(max_examples=50)
@given(bodies, st.integers(1, 2**53 - 1), st.integers(1, 2**53 - 1), st.integers(0, 2**53 - 1))
def test_any_body_is_signed_and_read(body: dict[str, Any], seq: int, lc: int, time: int) -> None:
    made = an_entry(body=body, seq=seq, lc=lc, time=time, kind="later.kind")
    assert read_entry(made.signed) == made
    assert made.entry.body == body


def test_key_id_and_signature_are_those_of_the_rfc() -> None:
    raw, signature = an_entry().signed
    entry = an_entry().entry
    assert unpadded(reference.public_key(SEED)) == DEVICE.key
    assert reference.signature(SEED, b"abasto/entry/1\0" + raw) == signature
    assert entry.id == unpadded(blake2b(b"abasto/entry/1\0" + raw, digest_size=32).digest())
    assert bytes_of(entry.id) == blake2b(b"abasto/entry/1\0" + raw, digest_size=32).digest()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("v", 2, "version 2"),
        ("v", True, "version True"),
        ("v", "1", "version '1'"),
        ("seq", 0, "seq: 0"),
        ("seq", -1, "seq: -1"),
        ("seq", True, "seq: True"),
        ("seq", None, "seq: None"),
        ("lc", 0, "lc: 0"),
        ("lc", "7", "lc: '7'"),
        ("t", -1, "t: -1"),
        ("t", [], r"t: \[\]"),
        ("c", "", "c: ''"),
        ("c", None, "c: None"),
        ("a", NETWORK + "=", "a: "),
        ("prev", NETWORK[:-1], "prev: "),
        ("prev", NETWORK + "A", "prev: "),
        ("prev", NETWORK[:-1] + "B", "prev: "),
        ("prev", "+" + NETWORK[1:], "prev: "),
        ("prev", "/" + NETWORK[1:], "prev: "),
        ("prev", NETWORK + "\n", "prev: "),
        ("prev", " " + NETWORK[1:], "prev: "),
        ("prev", "ñ" + NETWORK[1:], "prev: "),
        ("prev", [NETWORK], "prev: "),
        ("deps", NETWORK, "deps: "),
        ("deps", {}, "deps: "),
        ("deps", [NETWORK[:-1] + "_"], "deps: "),
        ("deps", [None], "deps: None"),
        ("deps", [NETWORK, NETWORK], "twice"),
        ("deps", [text_of(bytes([number]) * 32) for number in range(17)], "at most 16"),
        ("k", "", "k: ''"),
        ("k", "Note", "k: 'Note'"),
        ("k", "9lives", "k: "),
        ("k", ".note", "k: "),
        ("k", "note\n", "k: "),
        ("k", "a" * 33, "k: "),
        ("k", "ñ", "k: "),
        ("k", 1, "k: 1"),
        ("body", [], "body: "),
        ("body", None, "body: "),
        ("body", "x", "body: "),
        ("c", NOTHING, "only a founding entry is in none"),
        ("k", "network.founded", "only a founding entry is in none"),
    ],
)
def test_a_field_that_is_not_as_it_must_be_is_refused_though_well_signed(field: str, value: Any, said: str) -> None:
    assert read_entry(signed(FIELDS)).entry.seq == 2
    with pytest.raises(EntryError, match=said) as told:
        read_entry(signed({**FIELDS, field: value}))
    assert len(str(told.value)) < 300


def test_sixteen_deps_and_the_longest_kind_are_allowed() -> None:
    deps = [text_of(bytes([number]) * 32) for number in range(16)]
    assert read_entry(signed({**FIELDS, "deps": deps, "k": "z" + "9_." * 10 + "z"})).entry.deps == tuple(deps)


@pytest.mark.parametrize("field", list(FIELDS))
def test_a_missing_field_is_refused(field: str) -> None:
    with pytest.raises(EntryError, match=rf"fields missing or too many \({field}\)"):
        read_entry(signed({name: value for name, value in FIELDS.items() if name != field}))


def test_a_field_too_many_is_refused() -> None:
    with pytest.raises(EntryError, match=r"fields missing or too many \(extra\)"):
        read_entry(signed({**FIELDS, "extra": 1}))


FOUNDING = {**FIELDS, "c": NOTHING, "k": "network.founded", "seq": 1, "prev": NOTHING, "deps": [], "lc": 1}


@pytest.mark.parametrize("later", [{"seq": 2}, {"lc": 2}, {"prev": NETWORK}, {"deps": [NETWORK]}], ids=str)
def test_nothing_stands_before_a_founding_entry(later: dict[str, Any]) -> None:
    assert read_entry(signed(FOUNDING)).entry.network == NOTHING
    with pytest.raises(EntryError, match="founding entry with something before it"):
        read_entry(signed({**FOUNDING, **later}))


def test_an_entry_has_16_kib_and_not_a_byte_more() -> None:
    room = LARGEST - len(an_entry(body={"text": ""}).signed.raw)
    largest = an_entry(body={"text": "x" * room})
    assert len(largest.signed.raw) == LARGEST == 16_384
    assert read_entry(largest.signed) == largest
    with pytest.raises(EntryError, match="16,385 bytes"):
        an_entry(body={"text": "x" * (room + 1)})
    raw = canonical({**FIELDS, "body": {"text": "x" * 20_000}})
    with pytest.raises(EntryError, match="an entry has at most 16,384"):
        read_entry(Signed(raw, DEVICE.sign(raw)))


def test_size_is_checked_before_anything_is_read() -> None:
    with pytest.raises(EntryError, match="5,000,000 bytes"):
        read_entry(Signed(b"[" * 5_000_000, b""))


# Signatures

MINE = signed(FIELDS)


@pytest.mark.parametrize(
    "forge",
    [
        lambda raw, own: bytes(64),
        lambda raw, own: b"\xff" * 64,
        lambda raw, own: own[:63],
        lambda raw, own: own + b"\0",
        lambda raw, own: b"",
        lambda raw, own: own[32:] + own[:32],
        lambda raw, own: bytes([own[0] ^ 1]) + own[1:],
        lambda raw, own: own[:63] + bytes([own[63] ^ 0x10]),
        lambda raw, own: Device(b"x" * 32).sign(raw),
        lambda raw, own: DEVICE.sign(raw + b" "),
        lambda raw, own: DEVICE._signing.sign(raw).signature,
        lambda raw, own: DEVICE._signing.sign(b"abasto/entry/2\0" + raw).signature,
        # S + L signs the same to whoever does not insist on the smallest S.
        lambda raw, own: own[:32] + (int.from_bytes(own[32:], "little") + reference.L).to_bytes(32, "little"),
    ],
)
def test_no_other_signature_passes(forge: Callable[[bytes, bytes], bytes]) -> None:
    assert read_entry(MINE).signed == MINE
    with pytest.raises(EntryError, match="signature"):
        read_entry(Signed(MINE.raw, forge(MINE.raw, MINE.signature)))


def test_a_signature_over_other_bytes_does_not_pass() -> None:
    other = canonical({**FIELDS, "body": {"text": "all lost", "date": "2026-11-22"}})
    with pytest.raises(EntryError, match="forged or damaged"):
        read_entry(Signed(other, MINE.signature))


def test_no_single_flipped_bit_passes() -> None:
    for place in range(len(MINE.raw) * 8):
        flipped = bytearray(MINE.raw)
        flipped[place // 8] ^= 1 << place % 8
        with pytest.raises(EntryError):
            read_entry(Signed(bytes(flipped), MINE.signature))


def small_order_points() -> list[bytes]:
    """Return the encodings of the eight points whose order divides 8, also those with y beyond the field's prime."""
    seed = 0
    found: set[tuple[int, int]] = set()
    while len(found) < 8:
        seed += 1
        try:
            found.add(reference.times(reference.L, reference.decoded(seed.to_bytes(32, "little"))))
        except ValueError:
            continue
    proper = [reference.encoded(point) for point in found]
    beyond = [
        (y + reference.P | sign << 255).to_bytes(32, "little")
        for _, y in found
        if y + reference.P < 2**255
        for sign in (0, 1)
    ]
    return sorted({*proper, *beyond})


@pytest.mark.parametrize("key", small_order_points(), ids=bytes.hex)
def test_keys_of_small_order_sign_nothing(key: bytes) -> None:
    """With such a key the equation holds for one text in a few, with a signature that no secret was needed for."""
    identity = reference.encoded((0, 1))
    for attempt in range(200):
        raw = canonical({**FIELDS, "a": text_of(key), "t": attempt})
        forged = identity + bytes(32)
        if reference.equation_holds(key, DOMAIN + raw, forged):
            break
    else:
        pytest.fail("no text was found for which the equation holds, so this shows nothing")
    with pytest.raises(EntryError, match="signature"):
        read_entry(Signed(raw, forged))


def test_keys_that_are_no_point_are_refused() -> None:
    no_point = (2).to_bytes(32, "little")
    with pytest.raises(ValueError, match="no point"):
        reference.decoded(no_point)
    raw = canonical({**FIELDS, "a": text_of(no_point)})
    with pytest.raises(EntryError, match="signature"):
        read_entry(Signed(raw, MINE.signature))


def test_the_keys_that_are_kept_in_memory_are_bounded() -> None:
    for number in range(5_000):
        raw = canonical({**FIELDS, "a": text_of(number.to_bytes(32, "big"))})
        with pytest.raises(EntryError):
            read_entry(Signed(raw, bytes(64)))
    assert signing._verify_key.cache_info().currsize <= 4_096


# Devices and what they must not sign


@pytest.mark.parametrize("seed", [b"", b"x" * 31, b"x" * 33, b"x" * 64])
def test_a_seed_has_32_bytes(seed: bytes) -> None:
    with pytest.raises(EntryError, match="must be 32"):
        Device(seed)


def test_a_device_does_not_show_its_seed() -> None:
    assert repr(DEVICE) == f"Device({DEVICE.key})"
    assert SEED.hex() not in repr(vars(DEVICE))


@pytest.mark.parametrize(
    "fields",
    [
        {"seq": 0},
        {"lc": 2**53},
        {"time": 1.5},
        {"kind": "Note"},
        {"prev": "x"},
        {"deps": ["x"]},
        {"body": {"quantity": 1.5}},
        {"body": {"text": "\ud800"}},
        {"network": NOTHING},
    ],
    ids=str,
)
def test_what_nobody_would_read_is_not_signed(fields: dict[str, Any]) -> None:
    with pytest.raises(EntryError):
        an_entry(**fields)


# The page that states the format


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w*\n(.*?)\n```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, name
    return found[1].replace("\n", "")


def test_the_worked_example_of_the_page_is_right() -> None:
    seed, raw = bytes.fromhex(block("seed")), block("bytes").encode()
    message = b"abasto/entry/1\0" + raw
    assert block("key") == unpadded(reference.public_key(seed))
    assert block("id") == unpadded(blake2b(message, digest_size=32).digest())
    assert bytes.fromhex(block("signature")) == reference.signature(seed, message)
    entry = read_entry(Signed(raw, bytes.fromhex(block("signature")))).entry
    assert entry.id == block("id")
    fields = json.loads(raw)
    assert json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == raw
    fact = StockCounted("almacén-3", "flour", 30_000, "2026-11-22", lot="2027-03-01")
    made = make_entry(
        Device(seed),
        network=fields["c"],
        seq=fields["seq"],
        prev=fields["prev"],
        deps=fields["deps"],
        lc=fields["lc"],
        time=fields["t"],
        kind=fact.KIND,
        body=body_of(fact),
    )
    assert made == Verified(entry, Signed(raw, bytes.fromhex(block("signature"))))
    assert isinstance(made.entry, Entry)


def test_the_page_states_every_field() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for field in FIELDS:
        assert re.search(rf"^\| `{field}` \|", text, re.MULTILINE), field
