"""Two devices prove their keys to each other and exchange sealed messages, over any carrier that moves bytes.

The asking side says hello, the other side welcomes it, then questions and answers follow one by one. Both keep nothing
but keys in memory, and no certificate, no clock and no third party is needed.

What it gives. Each side knows that the other holds the device key it expects; a device whose key is not expected gets
no further than that. Whoever listens learns the sizes and times of messages and the addresses, neither the keys nor the
network. What is changed, repeated, sent back to its sender, sent in another order or cut off is refused. Key pairs made
for each session (fresh from both sides, so that nothing of an earlier session fits) are forgotten with it: whoever
records an exchange and takes both device keys later cannot read it. A thief of one device key can pass for that device,
and not for others to it.

What it does not give. Sizes and times are not hidden, and whoever stands in between can always stop the exchange. A
hello that was recorded and sent again opens a session that its sender cannot use; it is forgotten soon. The hello's own
contents (who asks, and of which network) can be read later by whoever takes the asked device's key.

The hello and the welcome are the pattern IK of the Noise protocol framework (Perrin 2018, revision 34, section 7.5),
with X25519, XChaCha20-Poly1305 and keyed BLAKE2b in the place of its HKDF. The long-term keys are the devices' Ed25519
keys, taken to Curve25519 by libsodium, which refuses keys of small order and outside the main subgroup; that one key
pair may serve both is shown by Thormarker 2021 ("On using the same key pair for Ed25519 and an X25519 based KEM").
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from threading import Lock

from nacl.bindings import crypto_scalarmult
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey
from nacl.secret import Aead
from nacl.signing import VerifyKey

from abasto.errors import AbastoError
from abasto.facts.codes import code_of
from abasto.journal.signing import NOTHING, Device, bytes_of, text_of
from abasto.sync.refused import (
    BusyError,
    ForgedError,
    LinkError,
    NoSessionError,
    NotExpectedError,
    OtherNetworkError,
    TooLargeError,
    VersionError,
    WrongKeyError,
    told,
)

__all__ = ["MOST_MESSAGE", "MOST_WRAPPED", "Ask", "Asking", "Carry", "Host", "key_from"]

Ask = Callable[[bytes], bytes]
"""A question to its answer, as the exchange writes them."""
Carry = Callable[[bytes], bytes]
"""A wrapped message to the wrapped message that comes back; what it raises ends the session."""

VERSION = 1
HELLO, WELCOME, QUESTION, ANSWER, REFUSAL = range(1, 6)
NAME = b"abasto/peer/1\0"
KEY = 32
TAG = 16
SESSION = 16
HEAD = 2 + SESSION + 8
HELLO_SIZE = 2 + KEY + (KEY + TAG) + (KEY + TAG)
WELCOME_SIZE = 2 + KEY + (1 + SESSION + TAG)
MOST_MESSAGE = 4 * 1024 * 1024
"""Bytes of a question or an answer."""
MOST_WRAPPED = HEAD + MOST_MESSAGE + TAG

MOST_SESSIONS = 16
"""So many run at once; of more the one that was quiet longest ends, and opens anew when its side asks on."""
MOST_PENDING = 64
PENDING_SECONDS = 30.0
"""So long a welcome waits for the first question, which proves that whoever said hello did so now."""
IDLE_SECONDS = 600.0
MOST_QUESTIONS = 100_000
"""In one session; then a new one with new keys begins."""
WAIT_SECONDS = 120.0
"""So long a question that comes again waits for the answer that is being made."""
ATTEMPTS = 3


class _Secrets:
    """What both sides come to know of each other step by step: Noise's symmetric state. Every key seals once."""

    def __init__(self, answering: bytes) -> None:
        self._seen = blake2b(NAME + answering, digest_size=KEY).digest()
        self._chain = self._seen
        self._key = b""

    def see(self, data: bytes) -> None:
        """Take in what both sides have sent or received alike."""
        self._seen = blake2b(self._seen + data, digest_size=KEY).digest()

    def mix(self, shared: bytes) -> None:
        """Take in a shared secret; what is sealed from now on opens only with it too."""
        both = blake2b(shared, key=self._chain, digest_size=2 * KEY).digest()
        self._chain, self._key = both[:KEY], both[KEY:]

    def seal(self, plain: bytes) -> bytes:
        sealed = bytes(Aead(self._key).encrypt(plain, self._seen, bytes(Aead.NONCE_SIZE)).ciphertext)
        self.see(sealed)
        return sealed

    def open(self, sealed: bytes) -> bytes:
        """Return what was sealed; raises `CryptoError`."""
        plain = Aead(self._key).decrypt(sealed, self._seen, bytes(Aead.NONCE_SIZE))
        self.see(sealed)
        return plain

    def split(self) -> tuple[Aead, Aead]:
        """Return the keys of the questions and of the answers: what goes one way does not fit the other."""
        both = blake2b(self._seen, key=self._chain, digest_size=2 * KEY).digest()
        return Aead(both[:KEY]), Aead(both[KEY:])


def key_from(text: str) -> bytes:
    """Return the X25519 key (32 bytes) of a device key as text; `WrongKeyError` for what no device's key can be."""
    try:
        raw = bytes_of(text)
        if text_of(raw) != text:
            raise ValueError
        return bytes(VerifyKey(raw).to_curve25519_public_key())
    except (CryptoError, ValueError, TypeError):
        raise WrongKeyError(
            f'"{text:.60}": this is no device\'s key; copy the one that `abasto peers me` shows on the other device.'
        ) from None


def _shared(own: PrivateKey, other: bytes) -> bytes:
    return bytes(crypto_scalarmult(bytes(own), other))


def _counted(head: bytes, number: int) -> tuple[bytes, bytes]:
    """Return what stands before a sealed message, and the nonce that its number makes."""
    return head + number.to_bytes(8, "big"), number.to_bytes(Aead.NONCE_SIZE, "big")


def _check(message: bytes, kind: int) -> None:
    """Raise what a message tells that is not of the expected kind."""
    if len(message) >= 1 and message[0] != VERSION:
        raise VersionError
    if len(message) == 3 and message[1] == REFUSAL:
        raise told(message[2])
    if len(message) < 2 or message[1] != kind:
        raise ForgedError


class Asking:
    """The asking side: callable as the exchange's `ask`, it opens a session over a carrier when one is needed.

    `key` is the one that must answer, `network` the id of the network that this device holds or wants, `""` for
    whichever the other side holds. What fails is raised as a `LinkError`, or as what the carrier raises; the next
    question then opens a new session.
    """

    def __init__(self, carry: Carry, device: Device, *, key: str, network: str) -> None:
        self._carry, self._device, self._network = carry, device, network
        self._key = key
        self._answering = key_from(key)
        self._keys: tuple[Aead, Aead] | None = None
        self._session = b""
        self._number = 0

    def __call__(self, question: bytes) -> bytes:
        """Return the answer to a question, each at most `MOST_MESSAGE` bytes."""
        if len(question) > MOST_MESSAGE:
            raise TooLargeError
        for attempt in range(ATTEMPTS):
            try:
                keys = self._keys or self._open()
                return self._ask(keys, question)
            except NoSessionError:
                self._keys = None
                if attempt == ATTEMPTS - 1:
                    raise
            except BaseException:
                # Whether the question arrived is not known, so its number must seal nothing else.
                self._keys = None
                raise
        raise AssertionError

    def _open(self) -> tuple[Aead, Aead]:
        """Say hello, and return the keys of a session with the holder of the expected key."""
        fresh = PrivateKey.generate()
        known = _Secrets(self._answering)
        head = bytes((VERSION, HELLO)) + bytes(fresh.public_key)
        known.see(head)
        known.mix(_shared(fresh, self._answering))
        who = known.seal(bytes_of(self._device.key))
        known.mix(self._device.agree(self._answering))
        what = known.seal(bytes_of(self._network or NOTHING))

        welcome = self._carry(head + who + what)
        _check(welcome, WELCOME)
        if len(welcome) != WELCOME_SIZE:
            raise ForgedError
        head, sealed = welcome[: 2 + KEY], welcome[2 + KEY :]
        known.see(head)
        try:
            known.mix(_shared(fresh, head[2:]))
            known.mix(self._device.agree(head[2:]))
            said = known.open(sealed)
        except CryptoError:
            raise WrongKeyError from None
        if said[0]:
            raise told(said[0])
        self._session, self._number = said[1:], 0
        self._keys = known.split()
        return self._keys

    def _ask(self, keys: tuple[Aead, Aead], question: bytes) -> bytes:
        self._number += 1
        head, nonce = _counted(bytes((VERSION, QUESTION)) + self._session, self._number)
        answer = self._carry(head + keys[0].encrypt(question, head, nonce).ciphertext)
        _check(answer, ANSWER)
        head, nonce = _counted(bytes((VERSION, ANSWER)) + self._session, self._number)
        if len(answer) > MOST_WRAPPED:
            raise TooLargeError
        if answer[:HEAD] != head:
            raise ForgedError
        try:
            return keys[1].decrypt(answer[HEAD:], head, nonce)
        except CryptoError:
            raise ForgedError from None


@dataclass
class _Session:
    """A session as the answering side holds it. The last answer is kept, sealed: it may be lost on its way."""

    key: str
    keys: tuple[Aead, Aead]
    answer: Ask
    used: float
    number: int = 0
    question: bytes = b""
    """The digest of the last question as it came."""
    said: bytes = b""
    lock: Lock = field(default_factory=Lock)


class Host:
    """The answering side, for many at once: `handle` takes every message that a carrier brings, and never raises.

    `network` returns the id of the network held here, `""` for none yet; `may` says whether the holder of a key is
    expected, and is asked again with every question; `answering` returns, for a key, what answers its questions.
    """

    def __init__(
        self,
        device: Device,
        *,
        network: Callable[[], str],
        may: Callable[[str], bool],
        answering: Callable[[str], Ask],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device, self._network, self._may, self._answering, self._clock = device, network, may, answering, clock
        self._key = key_from(device.key)
        self._lock = Lock()
        self._pending: OrderedDict[bytes, _Session] = OrderedDict()
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()

    def most(self, head: bytes) -> int:
        """Return how large the message may be that begins with these bytes, 18 or more; 0: it will be refused.

        So a carrier need not take in the rest of what nobody could use.
        """
        if head[:2] == bytes((VERSION, HELLO)):
            return HELLO_SIZE
        if head[:2] != bytes((VERSION, QUESTION)) or self._find(head[2 : 2 + SESSION]) is None:
            return 0
        return MOST_WRAPPED

    def handle(self, message: bytes) -> bytes:
        """Return the message that goes back: a welcome, an answer, or a refusal."""
        try:
            return self.take(message)
        except AbastoError as error:  # Also of what answers: the other side is told no more than that.
            number = error.number if isinstance(error, LinkError) else LinkError.number
            return bytes((VERSION, REFUSAL, number))

    def take(self, message: bytes) -> bytes:
        """Do what `handle` does, and raise a `LinkError` for what it refuses."""
        if len(message) > MOST_WRAPPED:
            raise TooLargeError
        if len(message) < 2 or message[0] != VERSION:
            raise VersionError
        if message[1] == HELLO:
            return self._welcome(message)
        if message[1] == QUESTION and len(message) >= HEAD + TAG:
            return self._answer(message)
        raise ForgedError

    def _welcome(self, hello: bytes) -> bytes:
        if len(hello) != HELLO_SIZE:
            raise ForgedError
        head, who, what = hello[: 2 + KEY], hello[2 + KEY : -KEY - TAG], hello[-KEY - TAG :]
        known = _Secrets(self._key)
        known.see(head)
        try:
            known.mix(self._device.agree(head[2:]))
            key = text_of(known.open(who))
            asking = key_from(key)
            known.mix(self._device.agree(asking))
            network = text_of(known.open(what))
            fresh = PrivateKey.generate()
            own = bytes((VERSION, WELCOME)) + bytes(fresh.public_key)
            known.see(own)
            known.mix(_shared(fresh, head[2:]))
            known.mix(_shared(fresh, asking))
        except CryptoError:
            # Sealed to another key than this device's, or by somebody who does not hold the key that it names.
            raise WrongKeyError from None
        refusal = self._refusal(key, network)
        session = secrets.token_bytes(SESSION)
        welcome = own + known.seal(bytes((refusal,)) + session)
        if not refusal:
            self._keep(session, _Session(key, known.split(), self._answering(key), self._clock()))
        return welcome

    def _refusal(self, key: str, network: str) -> int:
        """Return the number of the error that somebody who has proved a key is told, 0 for none."""
        if not self._may(key):
            return NotExpectedError.number
        held = self._network() or NOTHING
        return 0 if NOTHING in (network, held) or network == held else OtherNetworkError.number

    def _keep(self, session: bytes, made: _Session) -> None:
        with self._lock:
            self._forget()
            while len(self._pending) >= MOST_PENDING:
                self._pending.popitem(last=False)
            self._pending[session] = made

    def _forget(self) -> None:
        """Let go of sessions that were quiet for too long."""
        now = self._clock()
        for held, seconds in ((self._pending, PENDING_SECONDS), (self._sessions, IDLE_SECONDS)):
            for session in [session for session, one in held.items() if now - one.used > seconds]:
                del held[session]

    def _find(self, session: bytes) -> _Session | None:
        with self._lock:
            self._forget()
            return self._sessions.get(session) or self._pending.get(session)

    def _answer(self, message: bytes) -> bytes:
        session = message[2 : 2 + SESSION]
        found = self._find(session)
        if found is None:
            raise NoSessionError
        if not found.lock.acquire(timeout=WAIT_SECONDS):
            raise BusyError
        try:
            return self._next(session, found, message)
        finally:
            found.lock.release()

    def _next(self, session: bytes, found: _Session, message: bytes) -> bytes:
        """Answer the next question of a session, or once more the last one, if its very bytes come again."""
        number = int.from_bytes(message[2 + SESSION : HEAD], "big")
        digest = blake2b(message, digest_size=KEY).digest()
        if number == found.number and digest == found.question:
            return found.said
        if number != found.number + 1:
            raise ForgedError
        head, nonce = message[:HEAD], number.to_bytes(Aead.NONCE_SIZE, "big")
        try:
            question = found.keys[0].decrypt(message[HEAD:], head, nonce)
        except CryptoError:
            raise ForgedError from None
        if not self._may(found.key) or number > MOST_QUESTIONS:
            self._end(session)
            raise NoSessionError
        self._prove(session, found)
        answer = found.answer(question)
        if len(answer) > MOST_MESSAGE:
            raise TooLargeError(f"an answer to {code_of(found.key)} of {len(answer):,} bytes; it must be in parts.")
        head, nonce = _counted(bytes((VERSION, ANSWER)) + session, number)
        found.said = head + found.keys[1].encrypt(answer, head, nonce).ciphertext
        found.number, found.question = number, digest
        return found.said

    def _prove(self, session: bytes, found: _Session) -> None:
        """Count a session as one that runs: whoever opened it has shown that it did so itself, and now."""
        with self._lock:
            self._pending.pop(session, None)
            found.used = self._clock()
            self._sessions[session] = found
            self._sessions.move_to_end(session)
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)

    def _end(self, session: bytes) -> None:
        with self._lock:
            self._pending.pop(session, None)
            self._sessions.pop(session, None)
