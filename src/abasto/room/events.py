"""What happens in the room, told to every open page: from any thread to the pages' streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from threading import Lock
from typing import Any, NamedTuple

__all__ = ["Event", "Events"]

HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it is alive; else neither side would notice that the other is gone."""
MOST_WAITING = 100
"""A page that has not taken so many events is told to load itself anew instead of hearing them."""


class Event(NamedTuple):
    """Something that happened: `journal` (it went on), `plan` or `joint` (such a plan is made, or is there)."""

    kind: str
    what: dict[str, Any]

    def as_text(self) -> str:
        """Return the event as it stands in a stream of server-sent events."""
        return f"event: {self.kind}\ndata: {json.dumps(self.what)}\n\n"


class Events:
    """Tells what happens to all who listen. `tell` may be called from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listeners: dict[asyncio.Queue[Event], asyncio.AbstractEventLoop] = {}

    def tell(self, kind: str, **what: Any) -> None:
        """Tell everybody who listens now."""
        event = Event(kind, what)
        with self._lock:
            listeners = list(self._listeners.items())
        for queue, loop in listeners:
            with suppress(RuntimeError):  # Its loop has ended; nobody is there to hear.
                loop.call_soon_threadsafe(_put, queue, event)

    async def stream(self, may_hear: Callable[[], bool]) -> AsyncIterator[str]:
        """Yield events as they happen, as text of a stream; ends when nobody takes it any more, or may hear it."""
        queue: asyncio.Queue[Event] = asyncio.Queue(MOST_WAITING)
        with self._lock:
            self._listeners[queue] = asyncio.get_running_loop()
        try:
            yield ": here\n\n"
            while True:
                try:
                    text = (await asyncio.wait_for(queue.get(), HEARTBEAT)).as_text()
                except TimeoutError:
                    text = ": still here\n\n"
                if not may_hear():  # Its session has ended, or was shut, since it was let in.
                    return
                yield text
        finally:
            with self._lock:
                del self._listeners[queue]


def _put(queue: asyncio.Queue[Event], event: Event) -> None:
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        event = Event("journal", {"missed": True})
    queue.put_nowait(event)
