"""A network's entries in a JetStream stream: each device adds its own, sealed, and takes what others added.

A carrier only. Who runs the servers reads nothing of what lies there, and every entry is checked again by whoever takes
it; what the stream lost, never had, or holds sealed to others comes by the exchange between peers. An entry counts as
added when the servers have acknowledged it, and as taken when it is on this device's disk. What was read is remembered
only as long as the program runs; then the stream is read from its beginning, so it may be lost or made anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

from abasto.facts.canonical import parse
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.signing import id_of
from abasto.journal.store import Kept
from abasto.sync.exchange import MayKeep
from abasto.sync.nats import NatsLink
from abasto.sync.refused import LinkError, UnreachableError
from abasto.sync.stream_seal import Ring, StreamKey, has_entries, key_name, subject_of

if TYPE_CHECKING:
    from nats.js import JetStreamContext
    from nats.js.api import StreamInfo

__all__ = ["NatsStream", "Streamed", "stream_of"]

WINDOW = 8
"""So many messages are read at once, and kept before the next ones are read."""
BATCH = 500
BATCH_BYTES = 192 * 1024
"""So many entries, and about so many bytes of them, go into one message."""
LARGEST_SEALED = 384 * 1024
"""Bytes of a message; a server takes 1 MiB unless it is told otherwise."""
DAYS_KEPT = 30
KEY_SECONDS = 86_400.0
"""So long one key is used; it must lie in the stream before what it opens, and not be gone long before it."""
MOST_OLDER = 500
"""So many older keys of its own a sender hands on: more than it needs in the days that messages are kept."""
MOST_UNREAD = 5_000
"""Of messages under so many keys that have not come it is remembered where they are."""
REPLICAS = 3
NO_CLUSTER = 10074
"""What a server says that stands alone and is asked for several copies."""
TOO_FEW_SERVERS = {10005, 10023}
"""What a cluster says of which too few servers run; perhaps they just start, so nobody settles for one copy."""
PATIENCE = 30.0
"""Seconds in which servers may choose a new leader before a message is given up."""

Result = TypeVar("Result")


def stream_of(network: str) -> str:
    """Return the name of a network's stream."""
    return f"ABASTO_{subject_of(network)}"


@dataclass(slots=True)
class Streamed:
    """What an exchange with the stream brought: entries `new` and `known` here, and how many were `added` there.

    `refused` says why entries were refused here. `unread` counts messages there whose key has not come.
    """

    new: int = 0
    known: int = 0
    added: int = 0
    unread: int = 0
    refused: list[str] = field(default_factory=list)


class NatsStream:
    """The stream of a journal's network over a link: made with three copies if it is not there, with one on one server.

    `seed` is that of the journal's device. `readers` returns the keys of the devices that may read what this one adds;
    it always may itself. `may_keep` says for which entries there is room. Raises `LinkError` without a network.
    """

    def __init__(
        self,
        link: NatsLink,
        journal: Journal,
        seed: bytes,
        *,
        readers: Callable[[], Collection[str]],
        may_keep: MayKeep | None = None,
    ) -> None:
        if not journal.network or journal.device is None:
            raise LinkError("this device holds no network yet; exchange with a peer first, with: abasto sync PEER")
        self._link, self._journal = link, journal
        self._own = journal.device.key
        self._seed, self._readers, self._may_keep = seed, readers, may_keep
        self._name = stream_of(journal.network)
        self._subject = f"abasto.stream.{subject_of(journal.network)}"
        self._context: JetStreamContext = link.client.jetstream(timeout=5)
        self._made: datetime | None = None
        self._key_until = 0.0
        self._read_by: frozenset[str] = frozenset()
        self._begin()

    def exchange(self) -> Streamed:
        """Take what the stream has that was not read yet, then add this device's entries that it does not hold.

        Raises `UnreachableError` when too few servers answer or they keep no streams, and what `receive` raises; what
        was taken and added before stands.
        """
        info = self._run(self._info())
        readers = frozenset(self._readers())
        # Made anew, or somebody belongs here now of whom entries were refused before.
        if info.created != self._made or (self._had_no_room and readers != self._read_by):
            self._begin()
        self._made, self._read_by = info.created, readers
        done = Streamed()
        self._take(info, done)
        self._add(frozenset({*self._readers(), self._own}), done)
        done.unread = sum(map(len, self._unread.values()))
        return done

    def _begin(self) -> None:
        """Know nothing of the stream."""
        self._next = 1
        """The number of the message that is read next."""
        self._there = 0
        """Up to which of this device's entries the stream holds all of them."""
        self._beyond: set[int] = set()
        """The numbers of those that it holds beyond: others can put them there again, and not those before them."""
        self._had_no_room = False
        self._key: StreamKey | None = None
        self._ring = Ring(self._seed, self._journal.network)
        self._own_keys: dict[bytes, None] = {}
        """The keys under which this device's entries lie there, the newest last, at most `MOST_OLDER`."""
        self._unread: dict[bytes, list[int]] = {}
        """The numbers of messages whose key has not come, by the key's name."""

    # Taking

    def _take(self, info: StreamInfo, done: Streamed) -> None:
        """Read what is new, and then what was not to be opened before and now is, as its key has come."""
        numbers: Sequence[int] = range(max(self._next, info.state.first_seq), info.state.last_seq + 1)
        while numbers:
            for start in range(0, len(numbers), WINDOW):
                self._read(numbers[start : start + WINDOW], done)
                while again := self._readable():  # Before other keys come, which may take the place of these.
                    self._read(again[:WINDOW], done)
            numbers = ()

    def _readable(self) -> list[int]:
        """Return the numbers of messages that could not be opened when they were read, and can be now."""
        return [number for name, unread in self._unread.items() if name in self._ring for number in unread]

    def _read(self, numbers: Sequence[int], done: Streamed) -> None:
        fresh: list[Signed] = []
        unread: list[tuple[bytes, int]] = []
        for number, message in zip(numbers, self._run(self._get(numbers)), strict=True):
            if has_entries(message) and key_name(message) not in self._ring:
                unread.append((key_name(message), number))
            fresh += self._fresh(self._ring.open(message), self._ring.key_of(message), done)
        received = self._journal.receive(fresh, may_keep=self._may_keep)
        done.new, done.known = done.new + received.new, done.known + received.known
        done.refused += [why for _, why in received.refused]
        self._had_no_room |= bool(received.without_room)
        self._next = max(self._next, numbers[-1] + 1)
        self._forget_unread(set(numbers))
        for name, number in unread[-MOST_UNREAD:]:
            self._unread.setdefault(name, []).append(number)
        while len(self._unread) > MOST_UNREAD:
            del self._unread[next(iter(self._unread))]

    def _forget_unread(self, numbers: set[int]) -> None:
        """Count messages as unread no more that have just been read, or whose key will open nothing else."""
        for name in [name for name in self._unread if name in self._ring]:
            left = [number for number in self._unread.pop(name) if number not in numbers]
            if left:
                self._unread[name] = left

    def _fresh(self, entries: Sequence[Signed], key: bytes | None, done: Streamed) -> Iterator[Signed]:
        """Yield entries that are not here yet, and see which of this device's own the stream holds, under which key."""
        for signed in entries:
            if self._journal.store.get(id_of(signed.raw)) != signed:
                yield signed
                continue
            done.known += 1
            number = self._own_number(signed)
            if number > self._there and number not in self._beyond and key is not None:
                self._lies_there(number, key)

    def _lies_there(self, number: int, key: bytes) -> None:
        """Note that the stream holds an entry of this device, under which key: the first under which it is seen."""
        self._own_keys.pop(key, None)
        self._own_keys[key] = None
        if len(self._own_keys) > MOST_OLDER:
            del self._own_keys[next(iter(self._own_keys))]
        self._beyond.add(number)
        while self._there + 1 in self._beyond:
            self._there += 1
            self._beyond.remove(self._there)

    def _own_number(self, signed: Signed) -> int:
        """Return the number of an entry that is this device's own, else 0."""
        if self._own.encode() not in signed.raw:
            return 0
        fields = parse(signed.raw)
        return int(fields["seq"]) if fields["a"] == self._own else 0

    async def _get(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the messages of some numbers, b"" of those that are gone."""
        import nats.js.errors as wrong

        async def get(number: int) -> bytes:
            async def once() -> bytes:
                try:
                    return (await self._context.get_msg(self._name, number)).data or b""
                except wrong.NotFoundError:
                    return b""

            return await _patiently(once)

        return await asyncio.gather(*map(get, numbers))

    # Adding

    def _add(self, readers: frozenset[str], done: Streamed) -> None:
        if self._own_keys:
            self._sealing(readers)  # Also if nothing is to be added: who may read since then needs the older keys.
        for batch in self._batches():
            sealing = self._sealing(readers)
            self._run(self._publish(sealing.seal(self._journal.network, [kept.signed for kept in batch])))
            for kept in batch:
                self._lies_there(kept.seq, sealing.key)
            done.added += len(batch)

    def _batches(self) -> Iterator[list[Kept]]:
        """Yield this device's entries that the stream does not hold, in batches."""
        batch: list[Kept] = []
        size = 0
        for kept in self._journal.store.follow(self._own, self._there):
            if kept.seq in self._beyond:
                continue
            batch.append(kept)
            size += len(kept.signed.raw)
            if len(batch) == BATCH or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _sealing(self, readers: frozenset[str]) -> StreamKey:
        """Return the key to seal with; a new one goes to its readers first, with the older ones that are needed."""
        now = time.monotonic()
        if self._key is None or self._key.readers != readers or now > self._key_until:
            key = StreamKey(readers)
            self._run(self._publish(key.message(list(reversed(self._own_keys)))))
            self._key, self._key_until = key, now + KEY_SECONDS
        return self._key

    async def _publish(self, data: bytes) -> None:
        # The same message sent again, as its acknowledgement was lost, is dropped by the servers.
        headers = {"Nats-Msg-Id": blake2b(data, digest_size=16).hexdigest()}
        await _patiently(lambda: self._context.publish(self._subject, data, stream=self._name, headers=headers))

    # The stream

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        import nats

        try:
            return self._link.run(work, 2 * PATIENCE)
        except (nats.errors.Error, TimeoutError) as error:
            raise UnreachableError(
                f"the NATS servers do not answer for the stream ({str(error) or type(error).__name__:.80}); what was "
                "acknowledged is kept. See that most of them run, with JetStream, and try again."
            ) from error

    async def _info(self) -> StreamInfo:
        """Return how the stream stands, which is made if it is not there."""
        import nats.js.errors as wrong
        from nats.js.api import StreamConfig

        async def make() -> StreamInfo:
            try:
                return await self._context.stream_info(self._name)
            except wrong.NotFoundError:
                pass
            config = StreamConfig(
                name=self._name,
                subjects=[self._subject],
                max_age=DAYS_KEPT * 86_400,
                max_msg_size=LARGEST_SEALED,
                num_replicas=REPLICAS,
                deny_delete=True,
                deny_purge=True,
            )
            try:
                return await self._context.add_stream(config)
            except wrong.APIError as error:
                if error.err_code in TOO_FEW_SERVERS:
                    raise TimeoutError(error.description) from error
                if error.err_code != NO_CLUSTER:
                    raise
                return await self._context.add_stream(config.evolve(num_replicas=1))

        return await _patiently(make)


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
