"""What lies in a network's stream, sealed: entries under a key of their sender, and that key to those who may read it.

A sender makes a key when it begins, and another one when those who may read are no longer the same, or after a day. The
key goes first, sealed with age to their devices' keys; then entries under it. So a message costs the same however many
read it, nobody has to agree on anything, and who was cut off opens nothing that was sealed after its sender knew. Who
may read is not said, only how many; what a message holds is padded.

    key      version, 1, and an age file that holds the key (32 bytes)
    entries  version, 2, the key's name (16), a nonce (24), and sealed: how long the message is (4), the message, zeros
"""

from __future__ import annotations

import contextlib
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
from abasto.sync.sealing import padded_size, recipient_of, seal_to, unseal

__all__ = ["MOST_KEYS", "Ring", "StreamKey", "subject_of"]

VERSION, KEY, ENTRIES = 1, 1, 2
NAME = 16
HEAD = 2 + NAME
LEAST = 512
"""However little a message holds, no fewer bytes are sealed."""
MOST_KEYS = 5_000
"""So many keys are remembered; whoever fills a stream with made-up ones gets no more memory than that."""


def subject_of(network: str) -> str:
    """Return what a network's messages are called on servers: who does not know the network's id learns nothing."""
    return text_of(blake2b(b"abasto/stream/1\0" + bytes_of(network), digest_size=32).digest())


class StreamKey:
    """A key under which a device seals what it adds, for some readers."""

    def __init__(self, readers: Collection[str]) -> None:
        self.readers = frozenset(readers)
        self._key = secrets.token_bytes(Aead.KEY_SIZE)

    def message(self) -> bytes:
        """Return the message that brings the key to its readers.

        A reader whose key is none that anything can be sealed to is passed over, so that nobody who had it endorsed
        keeps the others from reading.
        """
        able = []
        for reader in sorted(self.readers):
            with contextlib.suppress(SyncError):
                recipient_of(reader)
                able.append(reader)
        return bytes((VERSION, KEY)) + seal_to(self._key, able)

    def seal(self, network: str, entries: Sequence[Signed]) -> bytes:
        """Return the message that brings entries."""
        packed = pack(Give(network=network), entries)
        plain = len(packed).to_bytes(4, "big") + packed
        plain += bytes(padded_size(len(plain), least=LEAST) - len(plain))
        head = bytes((VERSION, ENTRIES)) + _name_of(self._key)
        nonce = secrets.token_bytes(Aead.NONCE_SIZE)
        return head + nonce + Aead(self._key).encrypt(plain, head, nonce).ciphertext


class Ring:
    """The keys that came to the device of a seed, and what they open."""

    def __init__(self, seed: bytes, network: str) -> None:
        self._seed, self._network = seed, network
        self._keys: OrderedDict[bytes, Aead] = OrderedDict()

    def open(self, message: bytes) -> list[Signed] | None:
        """Return the entries that a message brings, of which none is checked yet, and none if it brings a key.

        None of what this device cannot open: sealed to others, from before it belonged here, damaged, or made up.
        """
        if message[:2] == bytes((VERSION, KEY)):
            return [] if self._take(message[2:]) else None
        aead = self._keys.get(message[2:HEAD])
        if message[:2] != bytes((VERSION, ENTRIES)) or aead is None:
            return None
        head, nonce, sealed = message[:HEAD], message[HEAD : HEAD + Aead.NONCE_SIZE], message[HEAD + Aead.NONCE_SIZE :]
        try:
            plain = aead.decrypt(sealed, head, nonce)
            size = int.from_bytes(plain[:4], "big")
            given, entries = unpack(plain[4 : 4 + size])
        except (CryptoError, ValueError, SyncError):
            return None
        return entries if isinstance(given, Give) and given.network == self._network else None

    def _take(self, sealed: bytes) -> bool:
        """Keep a key, and return whether it was sealed to this device."""
        try:
            key = unseal(sealed, self._seed, None)
        except SyncError:
            return False
        if len(key) != Aead.KEY_SIZE:
            return False
        self._keys[_name_of(key)] = Aead(key)
        while len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return True


def _name_of(key: bytes) -> bytes:
    return blake2b(b"abasto/stream/key/1\0" + key, digest_size=NAME).digest()
