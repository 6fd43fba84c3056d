"""What every request passes before a page sees it: known hosts, not too many, not too large; and what answers forbid.

Plain ASGI, so that streams stay streams. Nothing here knows what a page is about.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MOST_BYTES", "MOST_BYTES_UPLOADED", "BodyLimit", "Buckets", "SafeHeaders", "safe_headers"]

MOST_BYTES = 1_048_576
"""Of a form or a batch of reports."""
MOST_BYTES_UPLOADED = 33_554_432
"""Of a workbook or an export that is imported."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


def safe_headers(*, is_secure: bool) -> Mapping[str, str]:
    """Return what every answer carries: nothing from outside, in no frame, told to no other site, kept by no cache."""
    headers = {
        "content-security-policy": POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
        "cache-control": "no-store",
    }
    if is_secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return headers


class SafeHeaders:
    """Adds the safe headers to every answer that does not set them otherwise itself."""

    def __init__(self, app: ASGIApp, *, is_secure: bool = False) -> None:
        self.app = app
        self.headers = {k.encode(): v.encode() for k, v in safe_headers(is_secure=is_secure).items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message.get("headers", [])}
                more = [(name, value) for name, value in self.headers.items() if name not in own]
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        await self.app(scope, receive, send_safely)


class _TooLarge(Exception):  # noqa: N818 - it is caught here, and nobody else sees it
    pass


class BodyLimit:
    """Refuses a body that is larger than its path may have, whatever it says of its length."""

    def __init__(self, app: ASGIApp, *, most: int = MOST_BYTES, larger: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.most = most
        self.larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        most = self.larger.get(scope["path"], self.most)
        has_begun = False
        taken = 0

        async def receive_some() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise _TooLarge
            return message

        async def send_and_know(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        declared = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            if declared.isdigit() and int(declared) > most:
                raise _TooLarge
            await self.app(scope, receive_some, send_and_know)
        except _TooLarge:
            if has_begun:
                raise
            text = f"This is larger than {most // 1024} KiB, the most that is taken here. Send it in parts."
            await PlainTextResponse(text, status_code=413)(scope, receive, send)


@dataclass
class _Bucket:
    tokens: float
    since: float


class Buckets:
    """How often something may happen, by who does it: `burst` times at once, then `each_second` times a second."""

    MOST = 10_000

    def __init__(self, *, burst: float, each_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._each_second, self._clock = burst, each_second, clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = Lock()

    def take(self, who: str, number: float = 1.0) -> float:
        """Return 0 if it may happen now, else in how many seconds it may."""
        now = self._clock()
        with self._lock:
            bucket = self._buckets.get(who)
            if bucket is None:
                if len(self._buckets) >= self.MOST:
                    self._forget(now)
                bucket = self._buckets[who] = _Bucket(self._burst, now)
            bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.since) * self._each_second)
            bucket.since = now
            if bucket.tokens >= number:
                bucket.tokens -= number
                return 0.0
            return (number - bucket.tokens) / self._each_second

    def _forget(self, now: float) -> None:
        """Forget those that are full again; if none is, the one that was heard of first."""
        full = [
            who
            for who, bucket in self._buckets.items()
            if bucket.tokens + (now - bucket.since) * self._each_second >= self._burst
        ]
        for who in full or [next(iter(self._buckets))]:
            del self._buckets[who]
