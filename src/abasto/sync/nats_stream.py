"""A network's entries in a JetStream stream: each device adds its own, and takes what others added.

A carrier only. What lies in the stream is the signed bytes as they are, and every entry is checked again by whoever
takes it; what the stream lost, or never had, comes by the exchange between peers. An entry counts as added when the
servers have acknowledged it, and as taken when it is on this device's disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from abasto.errors import EntryError
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal, Received
from abasto.journal.signing import LARGEST, read_entry
from abasto.sync.nats import NatsLink
from abasto.sync.refused import LinkError, UnreachableError

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

__all__ = ["NatsStream", "stream_of"]

SIGNATURE = 64
WINDOW = 256
"""So many entries are under way at once."""
BATCH = 500
DAYS_KEPT = 30
REPLICAS = 3
NO_CLUSTER = 10074
"""What a server says that stands alone and is asked for several copies."""
TOO_FEW_SERVERS = {10005, 10023}
"""What a cluster says of which too few servers run; perhaps they just start, so nobody settles for one copy."""
PATIENCE = 30.0
"""Seconds in which servers may choose a new leader before an entry or a batch is given up."""

Result = TypeVar("Result")


def stream_of(network: str) -> str:
    """Return the name of a network's stream."""
    return f"ABASTO_{network}"


class NatsStream:
    """The stream of a journal's network over a link: made with three copies if it is not there, with one on one server.

    Raises `UnreachableError` when too few servers answer or they keep no streams, `LinkError` without a network.
    """

    def __init__(self, link: NatsLink, journal: Journal) -> None:
        if not journal.network or journal.device is None:
            raise LinkError("this device holds no network yet; exchange with a peer first, with: abasto sync PEER")
        self._link, self._journal = link, journal
        self._own = journal.device.key
        self._name = stream_of(journal.network)
        self._subject = f"abasto.entries.{journal.network}"
        self._context: JetStreamContext = link.client.jetstream(timeout=5)
        self._run(self._make())

    def add(self) -> int:
        """Add this device's entries that the stream does not hold; return how many the servers acknowledged."""
        after = self._run(self._last())
        mine = self._journal.store.follow(self._own, after)
        added = 0
        while window := [kept.signed for kept in islice(mine, WINDOW)]:
            self._run(self._publish(window))
            added += len(window)
        return added

    def take(self, *, may_keep: Callable[[Entry], bool] | None = None) -> Received:
        """Take what the stream has that this device was not given yet; return what became of it."""
        new = known = 0
        refused: list[tuple[int, str]] = []
        for batch in self._batches():
            signed = [Signed(msg.data[SIGNATURE:], msg.data[:SIGNATURE]) for msg in batch]
            received = self._journal.receive(signed, may_keep=may_keep)
            refused += [(new + known + position, why) for position, why in received.refused]
            new, known = new + received.new, known + received.known
            self._run(_acknowledge(batch))  # What was refused too: it would be refused again.
        return Received(new, known, tuple(refused))

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        import nats

        try:
            return self._link.run(work, 2 * PATIENCE)
        except (nats.errors.Error, TimeoutError) as error:
            raise UnreachableError(
                f"the NATS servers do not answer for the stream ({str(error) or type(error).__name__:.80}); what was "
                "acknowledged is kept. See that most of them run, with JetStream, and try again."
            ) from error

    async def _make(self) -> None:
        import nats.js.errors as wrong
        from nats.js.api import StreamConfig

        async def make() -> None:
            try:
                await self._context.stream_info(self._name)
                return
            except wrong.NotFoundError:
                pass
            config = StreamConfig(
                name=self._name,
                subjects=[f"{self._subject}.*"],
                max_age=DAYS_KEPT * 86_400,
                max_msg_size=LARGEST + SIGNATURE + 1_024,
                num_replicas=REPLICAS,
                deny_delete=True,
                deny_purge=True,
            )
            try:
                await self._context.add_stream(config)
            except wrong.APIError as error:
                if error.err_code in TOO_FEW_SERVERS:
                    raise TimeoutError(error.description) from error
                if error.err_code != NO_CLUSTER:
                    raise
                await self._context.add_stream(config.evolve(num_replicas=1))

        await _patiently(make)

    async def _last(self) -> int:
        """Return up to which of this device's entries the stream holds them, as its last one tells; 0: none."""
        import nats.js.errors as wrong

        async def last() -> bytes:
            try:
                found = await self._context.get_last_msg(self._name, f"{self._subject}.{self._own}")
            except wrong.NotFoundError:
                return b""
            return found.data or b""

        data = await _patiently(last)
        signed = Signed(data[SIGNATURE:], data[:SIGNATURE])
        try:
            entry = read_entry(signed).entry
        except EntryError:
            return 0  # Nothing yet, or what somebody else put there.
        is_own = entry.author == self._own and self._journal.store.get(entry.id) == signed
        return entry.seq if is_own else 0

    async def _publish(self, window: list[Signed]) -> None:
        subject = f"{self._subject}.{self._own}"

        async def publish(signed: Signed) -> None:
            id = read_entry(signed).entry.id
            # The same entry sent again, as its acknowledgement was lost, is dropped by the servers.
            headers = {"Nats-Msg-Id": id}
            data = signed.signature + signed.raw
            await _patiently(lambda: self._context.publish(subject, data, stream=self._name, headers=headers))

        await asyncio.gather(*(publish(signed) for signed in window))

    def _batches(self) -> Iterator[list[Msg]]:
        """Yield what waits for this device, until nothing does."""
        pulled = self._run(self._pull())
        while batch := self._run(self._next(pulled)):
            yield batch
        self._run(pulled.unsubscribe())

    async def _pull(self) -> JetStreamContext.PullSubscription:
        async def pull() -> JetStreamContext.PullSubscription:
            return await self._context.pull_subscribe(f"{self._subject}.*", durable=self._own, stream=self._name)

        return await _patiently(pull)

    async def _next(self, pulled: JetStreamContext.PullSubscription) -> list[Msg]:
        """Return what comes next, nothing if nothing waits; while a new leader is chosen it may seem so."""
        import nats

        async def fetch() -> list[Msg]:
            try:
                return await pulled.fetch(BATCH, timeout=0.5)
            except nats.errors.TimeoutError:
                left = await pulled.consumer_info()
                if left.num_pending:
                    raise
                return []

        return await _patiently(fetch)


async def _acknowledge(batch: list[Msg]) -> None:
    for msg in batch:
        await msg.ack()
    await batch[-1]._client.flush()


async def _patiently(attempt: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Return what an attempt gives, and try again while servers choose a new leader or a connection."""
    import nats
    import nats.js.errors as wrong

    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        try:
            return await attempt()
        except (wrong.BadRequestError, wrong.NotFoundError):
            raise
        except (nats.errors.Error, TimeoutError):
            if loop.time() > until:
                raise
        await asyncio.sleep(0.25)
