"""Entries from hostile hands: whatever arrives is an entry, or refused with a typed error and without using memory."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from nacl.bindings import crypto_sign_ed25519_pk_to_curve25519, crypto_sign_open

from abasto.errors import EntryError, FactError
from abasto.facts.kinds import FACTS, UnknownFact, body_of, fact_of
from abasto.journal.entry import Signed
from abasto.journal.signing import DOMAIN, LARGEST, NOTHING, Device, bytes_of, make_entry, read_entry, text_of

DEVICES = [Device(bytes([number]) * 32) for number in range(1, 5)]
NETWORK = text_of(b"n" * 32)
DATE = "2026-11-22"
LINES = [{"good": "flour", "quantity": 30_000}, {"good": "bread", "quantity": 1, "lot": "2026-12-01"}]
BODIES: dict[str, dict[str, Any]] = {
    "network.founded": {"name": "Cordón", "stewards": [NETWORK], "threshold": 1},
    "row.set": {"table": "sites", "row": {"site": "store-1", "name": "Almacén ñ"}, "date": DATE},
    "row.dropped": {"table": "sites", "row": {"site": "store-1"}, "date": DATE, "copy": 2},
    "stock.counted": {"site": "store-1", "good": "flour", "quantity": 30_000, "date": DATE, "lot": ""},
    "goods.taken_in": {"site": "store-1", "good": "flour", "quantity": 30_000, "date": DATE, "ref": "uuid:1"},
    "goods.handed_out": {"site": "store-1", "good": "flour", "quantity": 0, "date": DATE},
    "goods.made": {"site": "bakery", "recipe": "bread", "batches": 1_000, "lines": LINES, "date": DATE},
    "goods.lost": {"site": "store-1", "good": "flour", "quantity": 5, "date": DATE, "cause": "wet"},
    "order.issued": {
        "from": "bakery",
        "to": "store-1",
        "fleet": "vans",
        "trips": 1,
        "departs": DATE,
        "arrives": DATE,
        "lines": LINES,
        "date": DATE,
    },
    "order.accepted": {"order": NETWORK, "date": DATE},
    "order.loaded": {"order": NETWORK, "lines": LINES, "date": DATE},
    "order.received": {"order": NETWORK, "site": "store-1", "lines": LINES, "date": DATE, "more_to_come": True},
    "order.cancelled": {"order": NETWORK, "date": DATE, "cause": "no fuel"},
    "note.written": {"text": 'all "well" \\ {[', "date": DATE, "settles": ["x"]},
    "alarm.answered": {
        "alarm": "runs out/store-1/flour",
        "answer": "snoozed",
        "date": DATE,
        "until": "2026-11-25",
        "reason": "boat",
    },
    "entry.reversed": {"entry": NETWORK, "date": DATE},
}
SPLINTERS = [
    *[
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b",",
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
    ],
    *[
        b"-",
        b"0",
        b"1e9",
        b"1.5",
        b"9" * 40,
        b"NaN",
        b"Infinity",
        b"null",
        b"true",
        b'"v":1,',
        b'{"a":' * 40,
        b"[" * 400,
    ],
    *[b" ", b"\n", "ñ".encode(), "\u2028".encode(), b"\x7f", b"A" * 43, b"=", b"_", b"+"],
]


def odd_value(random: Random, depth: int = 0) -> Any:
    """Return something that a careless program could have written where something else belongs."""
    kind = random.randrange(16 if depth < 4 else 12)
    if kind < 12:
        plain: list[Any] = [
            *[None, True, False, 0, 1, -1, 2**53 - 1, 2**53, -(2**53), 10 ** random.randrange(1, 60)],
            *[random.random(), float("nan"), float("inf"), -0.0, 1e300],
            *["", " ", "x" * random.randrange(300), "\ud800", "\0", "ñ\u2028😀", DATE, "2026-13-45", NOTHING, NETWORK],
        ]
        return random.choice(plain)
    if kind == 12:
        return [odd_value(random, depth + 1) for _ in range(random.randrange(6))]
    if kind == 13:
        names = ["good", "quantity", "lot", "a", "site", "\ud800", "", "ñ"]
        return {random.choice(names): odd_value(random, depth + 1) for _ in range(random.randrange(6))}
    deep: Any = []
    for _ in range(random.randrange(100)):
        deep = [deep] if random.random() < 0.5 else {"a": deep}
    return deep


def a_sound_entry(random: Random) -> Signed:
    kind = random.choice([*BODIES, "later.kind"])
    founding = kind == "network.founded"
    return make_entry(
        random.choice(DEVICES),
        network=NOTHING if founding else NETWORK,
        seq=1 if founding else random.randint(1, 10**6),
        prev=NOTHING if founding else text_of(random.randbytes(32)),
        deps=[] if founding else [text_of(random.randbytes(32)) for _ in range(random.randrange(4))],
        lc=1 if founding else random.randint(1, 2**53 - 1),
        time=random.randint(0, 2**40),
        kind=kind,
        body=BODIES.get(kind, {"new": [1, {"x": None}]}),
    ).signed


def damaged(random: Random, signed: Signed) -> Signed:
    """Flip, cut, double or insert something in the bytes or the signature."""
    parts = [bytearray(signed.raw), bytearray(signed.signature)]
    for _ in range(random.choice([1, 1, 1, 2, 5])):
        part = parts[random.random() < 0.2]
        place = random.randrange(len(part) + 1)
        way = random.randrange(5)
        if way == 0 and place < len(part):
            part[place] ^= 1 << random.randrange(8)
        elif way == 1:
            del part[place : place + random.choice([1, 2, 50, 10_000])]
        elif way == 2:
            part[place:place] = random.choice(SPLINTERS)
        elif way == 3:
            part[place:place] = part[: random.randrange(len(part) + 1)]
        elif place < len(part):
            part[place] = random.randrange(256)
    return Signed(bytes(parts[0]), bytes(parts[1]))


def resigned(random: Random, signed: Signed) -> Signed:
    """Put odd values into fields or body, write them in one of several ways, and sign whatever comes of it."""
    fields = json.loads(signed.raw)
    for _ in range(random.choice([1, 1, 2, 4])):
        place = random.choice([fields, fields["body"]]) if isinstance(fields.get("body"), dict) else fields
        name = random.choice([*place, random.choice(["x", "k", "lines", "\ud800"])])
        if random.random() < 0.3:
            place.pop(name, None)
        elif isinstance(place.get(name), list) and random.random() < 0.5:
            # Not without end: the memory that is watched should be the reader's, not that of what is made here.
            place[name] = [*place[name], odd_value(random)] * (200 if len(place[name]) < 10 else 1)
        elif isinstance(place.get(name), int) and random.random() < 0.7:
            place[name] += random.randint(-(2**60), 2**60)
        else:
            place[name] = odd_value(random)
    style: dict[str, Any] = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}
    if random.random() < 0.2:
        style = {"ensure_ascii": random.random() < 0.5, "indent": random.choice([None, 1])}
    raw = json.dumps(fields, **style).encode("utf-8", "surrogatepass")
    device = random.choice([device for device in DEVICES if device.key == fields.get("a")] or DEVICES)
    return Signed(raw, device.sign(raw))


def garbage(random: Random, signed: Signed) -> Signed:
    """Return bytes that never were an entry."""
    if random.random() < 0.5:
        return Signed(random.randbytes(random.randrange(400)), random.randbytes(random.choice([0, 63, 64, 65])))
    raw = b"".join(random.choice(SPLINTERS) for _ in range(random.randrange(60)))
    raw = raw * random.choice([1, 1, 1, 5])
    return Signed(random.choice([b"", b'{"body":{"a":']) + raw, DEVICES[0].sign(raw))


def unchanged(random: Random, signed: Signed) -> Signed:
    return signed


def is_sound(signed: Signed) -> bool:
    """Judge a second, obvious way whether bytes may pass: Python's own JSON, and libsodium called by itself."""
    raw, signature = signed
    try:
        text = raw.decode("utf-8")
        fields = json.loads(text)
        same = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == text
        key = bytes_of(fields["a"])
        crypto_sign_ed25519_pk_to_curve25519(key)  # Fails for a key that is no sound point.
        return same and len(raw) <= LARGEST and crypto_sign_open(signature + DOMAIN + raw, key) == DOMAIN + raw
    except Exception:
        return False


def judge(signed: Signed) -> str:
    """Return what becomes of bytes that arrive; whatever is neither refused nor sound fails the test."""
    try:
        entry = read_entry(signed).entry
    except EntryError as error:
        return bounded("refused", error)
    assert is_sound(signed)
    try:
        fact = fact_of(entry.kind, entry.body)
    except FactError as error:
        return bounded("malformed", error)
    if isinstance(fact, UnknownFact):
        assert entry.kind not in FACTS
        return "later"
    assert fact_of(entry.kind, body_of(fact)) == fact
    return "fact"


def bounded(result: str, error: Exception) -> str:
    """Return the result if its message is short enough for a screen, whatever was sent."""
    assert 0 < len(str(error)) < 400, error
    return result


WAYS: list[tuple[str, int, Callable[[Random, Signed], Signed]]] = [
    ("unchanged", 5, unchanged),
    ("damaged", 50, damaged),
    ("resigned", 30, resigned),
    ("garbage", 15, garbage),
]


def fuzz(count: int, *, seed: int, watch: Callable[[int], None]) -> Counter[tuple[str, str]]:
    """Judge so many entries, made from a pool of sound ones; `watch` is called with the number after each thousand."""
    random = Random(seed)
    pool = [a_sound_entry(random) for _ in range(500)]
    names, weights = [name for name, _, _ in WAYS], [weight for _, weight, _ in WAYS]
    ways = {name: way for name, _, way in WAYS}
    tally: Counter[tuple[str, str]] = Counter()
    for number in range(count):
        name = random.choices(names, weights)[0]
        original = random.choice(pool)
        sent = ways[name](random, original)
        result = judge(sent)
        tally[name, result] += 1
        if sent == original:  # Unchanged, or by a change that changes nothing, such as two flips of one bit.
            assert result in ("fact", "later")
        elif name != "resigned":
            assert result == "refused"
        if number % 1_000 == 999:
            watch(number + 1)
    return tally


def check_variety(tally: Counter[tuple[str, str]], count: int) -> None:
    """See that every room of the reader was entered, so that the absence of other errors says something."""
    assert sum(tally.values()) == count
    for way, result in [
        ("unchanged", "fact"),
        ("unchanged", "later"),
        ("damaged", "refused"),
        ("resigned", "refused"),
        ("resigned", "malformed"),
        ("resigned", "fact"),
        ("garbage", "refused"),
    ]:
        assert tally[way, result] > count / 1_000, (way, result, tally)


def test_5_000_hostile_entries_give_typed_errors_and_keep_no_memory() -> None:
    fuzz(1_000, seed=1, watch=lambda number: None)  # Fills what is kept once: patterns, keys, interned texts.
    gc.collect()
    tracemalloc.start()
    try:
        tally = fuzz(5_000, seed=2, watch=lambda number: None)
        gc.collect()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    check_variety(tally, 5_000)
    assert kept < 1_000_000
    assert peak < 8_000_000


@pytest.mark.soak
def test_200_000_hostile_entries_give_typed_errors_and_keep_no_memory() -> None:
    """Counts objects that live, as the memory that the system sees jumps with what the allocator holds back."""
    living: dict[int, int] = {}

    def watch(number: int) -> None:
        if number % 10_000 == 0:
            gc.collect()
            living[number] = sys.getallocatedblocks()

    tally = fuzz(200_000, seed=1972, watch=watch)
    check_variety(tally, 200_000)
    assert len(living) == 20
    # Up to 4,096 authors' keys are remembered, of a few objects each; one object kept of each entry would be 150,000.
    assert max(living.values()) - living[50_000] < 8 * 4_096, living
