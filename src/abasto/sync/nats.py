"""The exchange over NATS: sealed messages as request and reply, in parts, through servers that nobody trusts.

The same messages as over HTTP (`peer.py`); a server sees who writes to which key, how much and when. For federations
that outgrow one machine; needs what the extra `nats` installs.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from abasto.errors import SettingError
from abasto.journal.signing import bytes_of, text_of
from abasto.sync.peer import HEAD, MOST_WRAPPED, Carry, Host
from abasto.sync.refused import LinkError, TooLargeError, UnreachableError

if TYPE_CHECKING:
    from nats.aio.client import Client
    from nats.aio.msg import Msg

__all__ = ["NatsLink", "is_nats", "servers_of", "subject_of"]

SCHEMES = ("nats", "tls")
PART = 512 * 1024
"""Bytes of a part; a server takes 1 MiB unless it is told otherwise."""
PART_HEAD = 16 + 2 + 2
MOST_PARTS = MOST_WRAPPED // (PART // 8) + 1
MOST_OPEN = 16
"""Of so many messages parts are kept at once; of more, those of the oldest go."""
CONNECT_SECONDS = 15.0
ANSWER_SECONDS = 60.0
TRIES = 3
ANSWERING = 4
"""So many messages are answered at once."""

Result = TypeVar("Result")


def subject_of(key: str) -> str:
    """Return where a device is asked: whoever does not know its key learns nothing from it."""
    return f"abasto.peer.{text_of(blake2b(b'abasto/peer/subject/1' + bytes_of(key), digest_size=32).digest())}"


def servers_of(address: str) -> list[str]:
    """Return the servers of an address, with commas between them; `SettingError` for what are none.

    >>> servers_of("nats://127.0.0.1:4222,nats://localhost")
    ['nats://127.0.0.1:4222', 'nats://localhost']
    """
    servers = [part.strip() for part in address.split(",")]
    for server in servers:
        try:
            parts = urlsplit(server)
            is_one = parts.scheme in SCHEMES and parts.hostname and (parts.port is None or parts.port > 0)
        except ValueError:
            is_one = False
        if not is_one or not server.isprintable() or " " in server or parts.path or parts.query or parts.fragment:
            raise SettingError(
                f'"{address:.80}": these are no NATS servers; write nats:// and their names and ports, with commas '
                "between them."
            )
    return servers


class NatsLink:
    """A connection to NATS servers, kept in a thread of its own; if one server goes, the next is taken.

    Use it in a `with`. Raises `UnreachableError` if none answers, `LinkError` if the client is not installed.
    """

    def __init__(self, servers: str) -> None:
        self.servers = servers_of(servers)
        try:
            import nats
        except ImportError as error:
            raise LinkError(
                'an exchange over NATS needs its client, which is not installed; install it with: pip install "abasto'
                '[nats]"'
            ) from error
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        self._pool = ThreadPoolExecutor(ANSWERING)
        self._open: OrderedDict[tuple[str, bytes], dict[int, bytes]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        try:
            self.client: Client = self.run(self._connect(nats.connect), CONNECT_SECONDS)
        except (OSError, TimeoutError, nats.errors.Error) as error:
            self._stop()
            raise UnreachableError(
                f"no NATS server answers at {', '.join(urlsplit(one).hostname or one for one in self.servers)}; see "
                "whether one runs there and whether the address is right."
            ) from error

    async def _connect(self, connect: Callable[..., Coroutine[Any, Any, Client]]) -> Client:
        async def quiet(error: Exception) -> None:
            """Say nothing: whoever waits for an answer is told."""

        return await asyncio.wait_for(
            connect(self.servers, max_reconnect_attempts=-1, reconnect_time_wait=0.25, error_cb=quiet),
            CONNECT_SECONDS - 1,
        )

    def run(self, work: Coroutine[Any, Any, Result], seconds: float | None = None) -> Result:
        """Do something in the thread of the connection and return what it returns; raises what it raises."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except BaseException:
            future.cancel()
            raise

    # Asking

    def carry(self, key: str) -> Carry:
        """Return the carrier to the device of a key; a lost message is sent again as it was, as over HTTP."""
        subject = subject_of(key)

        def carry(message: bytes) -> bytes:
            for left in reversed(range(TRIES)):
                with contextlib.suppress(TimeoutError):
                    return self.run(self._request(subject, message))
                if left:
                    time.sleep(0.5)
            raise UnreachableError(
                "the other device does not answer through the NATS servers; what came before is kept. See whether it "
                "runs `abasto peers serve --nats` with the same servers, and try again: it goes on where it stopped."
            )

        return carry

    async def _request(self, subject: str, message: bytes) -> bytes:
        import nats

        inbox = self.client.new_inbox()
        heard = await self.client.subscribe(inbox)
        try:
            await self._send(subject, message, reply=inbox)
            parts: dict[int, bytes] = {}
            until = self._loop.time() + ANSWER_SECONDS
            while True:
                msg = await heard.next_msg(timeout=max(0.01, until - self._loop.time()))
                if msg.headers and msg.headers.get("Status") == "503":
                    await asyncio.sleep(0.2)
                    raise TimeoutError  # Nobody listens there: as if nobody answered.
                found = _part_of(msg.data)
                if found is None:
                    continue
                _, number, count, data = found
                parts[number] = data
                if sum(map(len, parts.values())) > MOST_WRAPPED:
                    raise TooLargeError
                if len(parts) == count:
                    return b"".join(parts[n] for n in sorted(parts))
        except nats.errors.Error as error:
            raise TimeoutError from error
        finally:
            with contextlib.suppress(Exception):
                await heard.unsubscribe()

    async def _send(self, subject: str, message: bytes, *, reply: str = "") -> None:
        size = min(PART, self.client.max_payload - 1024)
        id = secrets.token_bytes(16)
        count = max(1, -(-len(message) // size))
        for number in range(count):
            head = id + number.to_bytes(2, "big") + count.to_bytes(2, "big")
            await self.client.publish(subject, head + message[number * size : (number + 1) * size], reply=reply)
        await self.client.flush()

    # Answering

    def answer(self, host: Host, key: str) -> None:
        """Answer what comes for the device of a key, until the link is closed."""

        async def hear(msg: Msg) -> None:
            message = self._gathered(msg, host)
            if message is not None and msg.reply:
                task = self._loop.create_task(self._reply(host, msg.reply, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        async def begin() -> None:
            await self.client.subscribe(subject_of(key), cb=hear)
            await self.client.flush()

        self.run(begin(), CONNECT_SECONDS)

    async def _reply(self, host: Host, reply: str, message: bytes) -> None:
        answer = await self._loop.run_in_executor(self._pool, host.handle, message)
        with contextlib.suppress(Exception):  # Who does not hear it asks again.
            await self._send(reply, answer)

    def _gathered(self, msg: Msg, host: Host) -> bytes | None:
        """Return a message whose last part this is; of what nobody could use the first part, which is refused too."""
        found = _part_of(msg.data)
        if found is None:
            return None
        id, number, count, data = found
        place = (msg.reply, id)
        if count == 1 or (number == 0 and not host.most(data[:HEAD])):
            return data
        parts = self._open.setdefault(place, {})
        parts[number] = data
        while len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        if sum(map(len, parts.values())) > MOST_WRAPPED:
            del self._open[place]
        if len(parts) < count or place not in self._open:
            return None
        del self._open[place]
        return b"".join(parts[n] for n in sorted(parts))

    def close(self) -> None:
        """End the connection and its thread."""
        with contextlib.suppress(Exception):
            self.run(self.client.close(), CONNECT_SECONDS)
        self._stop()

    def _stop(self) -> None:
        async def cancel() -> None:
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

        with contextlib.suppress(Exception):
            self.run(cancel(), CONNECT_SECONDS)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CONNECT_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def __enter__(self) -> NatsLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _part_of(data: bytes) -> tuple[bytes, int, int, bytes] | None:
    """Return a part's message, its number, how many there are, and what it holds; None for what is no part."""
    if len(data) < PART_HEAD:
        return None
    number, count = int.from_bytes(data[16:18], "big"), int.from_bytes(data[18:20], "big")
    if not number < count <= MOST_PARTS or len(data) - PART_HEAD > MOST_WRAPPED:
        return None
    return data[:16], number, count, data[PART_HEAD:]


def is_nats(address: str) -> bool:
    """Return whether an address names NATS servers.

    >>> is_nats("nats://127.0.0.1"), is_nats("127.0.0.1:8300")
    (True, False)
    """
    return address.strip().partition("://")[0] in SCHEMES
