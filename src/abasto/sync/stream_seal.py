"""What lies in a network's stream, sealed: entries under a key of their sender, and that key to those who may read it.

A sender makes a key when it begins, and another one when those who may read are no longer the same, or after a day. The
key goes first, sealed with age to their devices' keys, with the sender's older ones, so that whoever comes later reads
what lies there; then entries under it. So a message costs the same however many read it, nobody has to agree on
anything, and who was cut off opens nothing that was sealed after its sender knew. Who may read is not said, only how
many; what a message holds is padded.

    keys     version, 1, and an age file that holds keys (32 bytes each), the newest first
    entries  version, 2, the key's name (16), a nonce (24), and sealed: how long the message is (4), the message, zeros
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Collection, Sequence
from hashlib import blake2b

from nacl.exceptions import CryptoError
from nacl.secret import Aead

from abasto.errors import SyncError
from abasto.journal.entry import Signed
from abasto.journal.signing import bytes_of, text_of
from abasto.sync.messages import Give, pack, unpack
from abasto.sync.sealing import can_be_sealed_to, padded_size, seal_to, unseal

__all__ = ["MOST_KEYS", "Ring", "StreamKey", "has_entries", "key_name", "subject_of"]

VERSION, KEYS, ENTRIES = 1, 1, 2
NAME = 16
HEAD = 2 + NAME
LEAST = 512
"""However little a message holds, no fewer bytes are sealed."""
MOST_KEYS = 5_000
"""So many keys are remembered that have opened something, and so many that have not yet; whoever fills a stream with
made-up ones gets no more memory than that, and none of a sender that is read takes its place."""
MOST_AT_ONCE = 501
"""So many keys a message brings: its sender's own and older ones."""


def subject_of(network: str) -> str:
    """Return what a network's messages are called on servers: who does not know the network's id learns nothing."""
    return text_of(blake2b(b"abasto/stream/1\0" + bytes_of(network), digest_size=32).digest())


class StreamKey:
    """A key under which a device seals what it adds, for some readers."""

    def __init__(self, readers: Collection[str]) -> None:
        self.readers = frozenset(readers)
        self.key = secrets.token_bytes(Aead.KEY_SIZE)

    def message(self, older: Sequence[bytes] = ()) -> bytes:
        """Return the message that brings the key to its readers, and older ones of its sender.

        A reader whose key is none that anything can be sealed to is passed over, so that nobody who had it endorsed
        keeps the others from reading.
        """
        able = [reader for reader in sorted(self.readers) if can_be_sealed_to(reader)]
        return bytes((VERSION, KEYS)) + seal_to(b"".join((self.key, *older)), able)

    def seal(self, network: str, entries: Sequence[Signed]) -> bytes:
        """Return the message that brings entries."""
        packed = pack(Give(network=network), entries)
        plain = len(packed).to_bytes(4, "big") + packed
        plain += bytes(padded_size(len(plain), least=LEAST) - len(plain))
        head = bytes((VERSION, ENTRIES)) + _name_of(self.key)
        nonce = secrets.token_bytes(Aead.NONCE_SIZE)
        return head + nonce + Aead(self.key).encrypt(plain, head, nonce).ciphertext


class Ring:
    """The keys that came to the device of a seed, and what they open."""

    def __init__(self, seed: bytes, network: str) -> None:
        self._seed, self._network = seed, network
        self._fresh: OrderedDict[bytes, bytes] = OrderedDict()
        self._used: OrderedDict[bytes, bytes] = OrderedDict()
        """Those under which entries of the network came."""

    def __contains__(self, name: bytes) -> bool:
        return name in self._used or name in self._fresh

    def key_of(self, message: bytes) -> bytes | None:
        """Return the key under which a message with entries is sealed, None if it is not here."""
        name = key_name(message)
        return (self._used.get(name) or self._fresh.get(name)) if has_entries(message) else None

    def open(self, message: bytes) -> list[Signed]:
        """Return the entries that a message brings, of which none is checked yet; none if it brings this device none.

        Keys that it brings are kept. What is damaged or made up brings nothing.
        """
        if message[:2] == bytes((VERSION, KEYS)):
            self._take(message[2:])
        key = self.key_of(message)
        if key is None:
            return []
        head, nonce, sealed = message[:HEAD], message[HEAD : HEAD + Aead.NONCE_SIZE], message[HEAD + Aead.NONCE_SIZE :]
        try:
            plain = Aead(key).decrypt(sealed, head, nonce)
            size = int.from_bytes(plain[:4], "big")
            given, entries = unpack(plain[4 : 4 + size])
        except (CryptoError, ValueError, SyncError):
            return []
        if not isinstance(given, Give) or given.network != self._network:
            return []
        self._use(key)
        return entries

    def _use(self, key: bytes) -> None:
        """Remember that a key opened something."""
        name = _name_of(key)
        self._fresh.pop(name, None)
        _remember(self._used, name, key)

    def _take(self, sealed: bytes) -> None:
        """Keep keys that were sealed to this device."""
        try:
            keys = unseal(sealed, self._seed, None)
        except SyncError:
            return
        for start in range(0, min(len(keys), MOST_AT_ONCE * Aead.KEY_SIZE) - Aead.KEY_SIZE + 1, Aead.KEY_SIZE):
            key = keys[start : start + Aead.KEY_SIZE]
            name = _name_of(key)
            if name not in self._used:
                _remember(self._fresh, name, key)


def _remember(keys: OrderedDict[bytes, bytes], name: bytes, key: bytes) -> None:
    """Keep a key as the newest of those; of too many the oldest goes."""
    keys[name] = key
    keys.move_to_end(name)
    while len(keys) > MOST_KEYS:
        keys.popitem(last=False)


def has_entries(message: bytes) -> bool:
    """Return whether a message says that it brings entries."""
    return message[:2] == bytes((VERSION, ENTRIES))


def key_name(message: bytes) -> bytes:
    """Return the name of the key under which a message with entries is sealed."""
    return message[2:HEAD]


def _name_of(key: bytes) -> bytes:
    return blake2b(b"abasto/stream/key/1\0" + key, digest_size=NAME).digest()
