"""Files that only their readers open: the format age, to the keys that devices sign with, or under a passphrase.

A device's Ed25519 key has a counterpart on Curve25519 that anybody can compute from the public key, and only the device
from its seed (libsodium's conversion); so whoever is known by what it signed can be written to, and no second key has
to be announced. Signing and unsealing with one key in these two ways is sound (Thormarker 2021, "On using the same key
pair for Ed25519 and an X25519 based KEM"). age names no reader of this kind in the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyrage
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from abasto.errors import MessageError, SyncError
from abasto.journal.signing import bytes_of

__all__ = [
    "can_be_sealed_to",
    "identity_of",
    "is_to_keys",
    "is_under_passphrase",
    "padded_size",
    "recipient_of",
    "seal",
    "seal_to",
    "unseal",
]

FIRST_LINE = b"age-encryption.org/v1\n"
"""What every sealed file begins with, however it is opened."""
NO_SEAL = (
    "this is no file that a device of Abasto wrote for others, or its beginning is missing. Nothing was kept; choose "
    "the file, or have it written once more."
)
SMALLEST = 32 * 1024
"""However little a sealed file holds, it is not smaller."""
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def recipient_of(key: str) -> str:
    """Return the recipient in age's form to whom a device's key belongs; `SyncError` if nobody can be written to so."""
    try:
        public = VerifyKey(bytes_of(key)).to_curve25519_public_key()
    except (CryptoError, ValueError, RuntimeError):
        raise SyncError(f'"{key[:80]}": this is no key of a device that can be written to; check it.') from None
    return _bech32("age", bytes(public))


def can_be_sealed_to(key: str) -> bool:
    """Return whether a device's key is one that something can be sealed to."""
    try:
        recipient_of(key)
    except SyncError:
        return False
    return True


def identity_of(seed: bytes) -> str:
    """Return in age's form what opens what was sealed to the device of a seed (32 bytes); as secret as the seed."""
    return _bech32("age-secret-key-", bytes(SigningKey(seed).to_curve25519_private_key())).upper()


def seal(content: bytes, readers: Sequence[str], passphrase: str | None) -> bytes:
    """Return bytes, padded, that only the readers (keys of devices) open, or else who knows the passphrase."""
    padded = content + bytes(padded_size(len(content)) - len(content))
    if passphrase is not None:
        return bytes(pyrage.passphrase.encrypt(padded, passphrase))
    return seal_to(padded, readers)


def seal_to(content: bytes, readers: Sequence[str]) -> bytes:
    """Return bytes, as long as they are, that only the readers (keys of devices) open."""
    return bytes(pyrage.encrypt(content, [pyrage.x25519.Recipient.from_str(recipient_of(key)) for key in readers]))


def unseal(sealed: bytes, seed: bytes | None, passphrase: str | None) -> bytes:
    """Return what was sealed, with its padding; `MessageError` where it was not to this key or was changed."""
    try:
        if passphrase is not None:
            return bytes(pyrage.passphrase.decrypt(sealed, passphrase))
        if seed is None:
            raise MessageError("sealed to the keys of devices, and none was given to open it with. Nothing was kept.")
        return bytes(pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity_of(seed))]))
    except pyrage.DecryptError:
        if not sealed.startswith(FIRST_LINE):
            raise MessageError(NO_SEAL) from None
        raise MessageError(
            "cannot be opened: it was not sealed for this device or with this passphrase, or it was damaged. Nothing "
            "was kept."
        ) from None


def is_to_keys(sealed: bytes) -> bool:
    """Return whether a file is sealed to the keys of devices."""
    return sealed.startswith(FIRST_LINE) and not is_under_passphrase(sealed)


def is_under_passphrase(sealed: bytes) -> bool:
    """Return whether a passphrase opens a sealed file rather than a key."""
    return sealed.startswith(FIRST_LINE + b"-> scrypt ")


def padded_size(size: int, *, least: int = SMALLEST) -> int:
    """Return the size that so many bytes are padded to: at most an eighth more, one of few, and at least `least`.

    The steps are those of Padmé (Nikitin and others 2019, "Reducing metadata leakage from encrypted files with PURBs"):
    of a number's binary digits only as many as its own length has are kept.

    >>> padded_size(10), padded_size(100_000), padded_size(1_000_000)
    (32768, 100352, 1015808)
    """
    size = max(size, least)
    exponent = size.bit_length() - 1
    dropped = exponent - exponent.bit_length()
    return (size + (1 << dropped) - 1) >> dropped << dropped


def _bech32(name: str, raw: bytes) -> str:
    """Return bytes as text with a checksum (BIP 173), as age writes keys."""
    bits = int.from_bytes(raw, "big") << (-8 * len(raw) % 5)
    count = (8 * len(raw) + 4) // 5
    digits = [(bits >> 5 * (count - 1 - n)) & 31 for n in range(count)]
    sum = _checksum([*_spread(name), *digits, *[0] * 6]) ^ 1
    digits += [(sum >> 5 * (5 - n)) & 31 for n in range(6)]
    return f"{name}1{''.join(_LETTERS[digit] for digit in digits)}"


def _spread(name: str) -> Iterator[int]:
    yield from (ord(letter) >> 5 for letter in name)
    yield 0
    yield from (ord(letter) & 31 for letter in name)


def _checksum(digits: Sequence[int]) -> int:
    sum = 1
    for digit in digits:
        top = sum >> 25
        sum = (sum & 0x1FFFFFF) << 5 ^ digit
        for n, generator in enumerate(_GENERATORS):
            sum ^= generator if (top >> n) & 1 else 0
    return sum
