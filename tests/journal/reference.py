"""Ed25519 as RFC 8032, section 5.1, states it: slow, without any protection, and no line shared with libsodium."""

from __future__ import annotations

from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]


def add(one: Point, other: Point) -> Point:
    """Return the sum of two points of the curve −x² + y² = 1 + d x² y²."""
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return x, y


def times(factor: int, point: Point) -> Point:
    total = (0, 1)
    while factor:
        if factor & 1:
            total = add(total, point)
        point = add(point, point)
        factor >>= 1
    return total


def decoded(raw: bytes) -> Point:
    number = int.from_bytes(raw, "little")
    y, sign = number % 2**255 % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square:
        raise ValueError("no point of the curve")
    return (P - x if x % 2 != sign else x) % P, y


def encoded(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def secret_of(seed: bytes) -> tuple[int, bytes]:
    digest = sha512(seed).digest()
    number = int.from_bytes(digest[:32], "little")
    return number & (2**254 - 8) | 2**254, digest[32:]


def public_key(seed: bytes) -> bytes:
    return encoded(times(secret_of(seed)[0], BASE))


def signature(seed: bytes, message: bytes) -> bytes:
    secret, prefix = secret_of(seed)
    key = public_key(seed)
    r = int.from_bytes(sha512(prefix + message).digest(), "little") % L
    point = encoded(times(r, BASE))
    h = int.from_bytes(sha512(point + key + message).digest(), "little") % L
    return point + ((r + h * secret) % L).to_bytes(32, "little")


def equation_holds(key: bytes, message: bytes, signed: bytes) -> bool:
    """Return whether S·B = R + h·A, with no rule about which keys and numbers are sound."""
    h = int.from_bytes(sha512(signed[:32] + key + message).digest(), "little") % L
    s = int.from_bytes(signed[32:], "little")
    return times(s, BASE) == add(decoded(signed[:32]), times(h, decoded(key)))
