"""Entries as bytes: made and signed by a device, and read with every check that needs nothing but the bytes."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from abasto.errors import EntryError
from abasto.facts.canonical import canonical, parse
from abasto.facts.kinds import MOST, NetworkFounded
from abasto.journal.entry import Entry, Signed
from abasto.journal.store import Verified

__all__ = ["DOMAIN", "LARGEST", "MOST_DEPS", "NOTHING", "Device", "id_of", "make_entry", "read_entry"]

DOMAIN = b"abasto/entry/1\0"
"""Stands before the bytes in what is hashed and signed, so that no other signature passes for an entry's."""
LARGEST = 16 * 1024
MOST_DEPS = 16
NOTHING = "A" * 43
"""32 zero bytes: the network of a founding entry and the `prev` of an author's first."""
VERSION = 1

_FIELDS = frozenset({"v", "c", "a", "seq", "prev", "deps", "lc", "t", "k", "body"})
_ID = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]", re.ASCII)
"""32 bytes in URL-safe base64: of the last letter's six bits two are over, and must be zero."""
_KIND = re.compile(r"[a-z][a-z0-9_.]{0,31}", re.ASCII)
_MOST_KEYS = 4096
"""So many authors' keys stay decoded; whoever floods with made-up authors gets no more memory than that."""


class Device:
    """A device's key: 32 secret bytes that never leave it, and the public key that names it as an author."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != 32:
            raise EntryError(f"a device's seed of {len(seed)} bytes; it must be 32, drawn at random.")
        self._signing = SigningKey(seed)
        self.key = text_of(bytes(self._signing.verify_key))

    def sign(self, raw: bytes) -> bytes:
        """Return the signature (64 bytes) over the bytes of an entry."""
        return self._signing.sign(DOMAIN + raw).signature

    def agree(self, other: bytes) -> bytes:
        """Return the secret (32 bytes) that only this device and the holder of an X25519 key can compute.

        The device's key is taken to Curve25519 for it. Raises `CryptoError` for a key of small order, with which
        everybody could.
        """
        return crypto_scalarmult(bytes(self._signing.to_curve25519_private_key()), other)

    def __repr__(self) -> str:
        return f"Device({self.key})"


def text_of(raw: bytes) -> str:
    """Return 32 bytes as they stand in an entry: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def bytes_of(id: str) -> bytes:
    """Return the 32 bytes of an id or key that stands in a checked entry."""
    return base64.urlsafe_b64decode(id + "=")


def id_of(raw: bytes) -> str:
    """Return the id of an entry's bytes."""
    return text_of(blake2b(DOMAIN + raw, digest_size=32).digest())


def make_entry(
    device: Device,
    *,
    network: str,
    seq: int,
    prev: str,
    deps: Sequence[str],
    lc: int,
    time: int,
    kind: str,
    body: Mapping[str, Any],
) -> Verified:
    """Return an entry that a device signed. Raises `EntryError` for what no entry may be; knows nothing of kinds."""
    fields = {
        "v": VERSION,
        "c": network,
        "a": device.key,
        "seq": seq,
        "prev": prev,
        "deps": list(deps),
        "lc": lc,
        "t": time,
        "k": kind,
        "body": dict(body),
    }
    raw = canonical(fields)
    entry = _entry(fields, raw)
    return Verified(entry, Signed(raw, device.sign(raw)))


def read_entry(signed: Signed) -> Verified:
    """Return what was sent, fully checked: size, canonical bytes, every field, key and signature; else `EntryError`."""
    raw, signature = signed
    if len(raw) > LARGEST:
        raise EntryError(f"{len(raw):,} bytes; an entry has at most {LARGEST:,}.")
    entry = _entry(parse(raw), raw)
    if len(signature) != 64:
        raise EntryError(f"a signature of {len(signature)} bytes; it must be 64.")
    try:
        _verify_key(entry.author).verify(DOMAIN + raw, signature)
    except (CryptoError, ValueError, TypeError):
        raise EntryError(f"the signature is not that of {entry.author} over these bytes; forged or damaged.") from None
    return Verified(entry, signed)


@lru_cache(maxsize=_MOST_KEYS)
def _verify_key(author: str) -> VerifyKey:
    return VerifyKey(bytes_of(author))


def _entry(fields: dict[str, Any], raw: bytes) -> Entry:
    """Return the entry that the fields say; `EntryError` for the first that is not as it must be."""
    if len(raw) > LARGEST:
        raise EntryError(f"{len(raw):,} bytes; an entry has at most {LARGEST:,}: say it shorter or in several.")
    if fields.keys() != _FIELDS:
        odd = ", ".join(sorted(fields.keys() ^ _FIELDS))
        raise EntryError(f"fields missing or too many ({odd:.80}); an entry has exactly {', '.join(sorted(_FIELDS))}.")
    if type(fields["v"]) is not int or fields["v"] != VERSION:
        raise EntryError(f"version {fields['v']!r:.20}; this program reads entries of version {VERSION}.")
    for name, least in (("seq", 1), ("lc", 1), ("t", 0)):
        if type(fields[name]) is not int or not least <= fields[name] <= MOST:
            raise EntryError(f"{name}: {fields[name]!r:.40} — must be a whole number from {least} to {MOST}.")
    for name in ("c", "a", "prev"):
        _check_id(name, fields[name])
    deps = fields["deps"]
    if type(deps) is not list or len(deps) > MOST_DEPS:
        raise EntryError(f"deps: {deps!r:.40} — must be a list of at most {MOST_DEPS} ids.")
    for dep in deps:
        _check_id("deps", dep)
    if len(set(deps)) != len(deps):
        raise EntryError("deps: an id stands there twice; once says it.")
    if type(fields["k"]) is not str or not _KIND.fullmatch(fields["k"]):
        raise EntryError(f"k: {fields['k']!r:.40} — must be a kind: 1 to 32 of a-z, 0-9, _ and ., a letter first.")
    if type(fields["body"]) is not dict:
        raise EntryError(f"body: {fields['body']!r:.40} — must be an object.")
    _check_founding(fields)
    return Entry(
        id=id_of(raw),
        network=fields["c"],
        author=fields["a"],
        seq=fields["seq"],
        prev=fields["prev"],
        deps=tuple(deps),
        lc=fields["lc"],
        time=fields["t"],
        kind=fields["k"],
        body=fields["body"],
    )


def _check_id(name: str, value: Any) -> None:
    if type(value) is not str or not _ID.fullmatch(value):
        raise EntryError(f"{name}: {value!r:.60} — must be 32 bytes in URL-safe base64 without padding.")


def _check_founding(fields: dict[str, Any]) -> None:
    """Hold to it that a network is founded by an entry that nothing stands before, and by no other."""
    if (fields["c"] == NOTHING) != (fields["k"] == NetworkFounded.KIND):
        raise EntryError(f"{fields['k']} in network {fields['c']}; only a founding entry is in none, and always.")
    if fields["c"] == NOTHING and (fields["seq"], fields["lc"], fields["prev"], fields["deps"]) != (1, 1, NOTHING, []):
        raise EntryError("a founding entry with something before it; it is its author's first, with lc 1.")
