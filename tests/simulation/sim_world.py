"""A small world of devices that write, exchange, break and heal, the same for the same seed: only carriers are made up.

In it devices are partitioned, stop in the middle of an exchange, are wiped, come back from old backups with fresh keys,
share a key that was copied, have wrong clocks, and are flooded by strangers. What must hold in the end is in `check`.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import permutations
from random import Random

from sim_carrier import Carrier, CrashingStore, Faults, Lost

from abasto.errors import JournalError, SyncError
from abasto.facts.kinds import Fact, NoteWritten, StockCounted
from abasto.journal.journal import Journal
from abasto.journal.signing import NOTHING, Device, make_entry
from abasto.journal.store import Verified
from abasto.state.encode import encode
from abasto.state.fold import fold
from abasto.sync.exchange import Answerer, Ask, MayKeep, Synced, pull, push, sync
from abasto.sync.fingerprint import fingerprint_of
from abasto.sync.quarantine import EVERYTHING, Belonging, Quarantine

__all__ = ["Exchange", "Member", "Schedule", "World", "run"]

DAY = "2026-11-22"
PER_STRANGER, STRANGERS = 2, 5
"""The room of a quarantine in here: small, so that it is soon full."""
FOREIGN = "F" * 42 + "A"


@dataclass(frozen=True, slots=True)
class Schedule:
    """How large a world is and how long it lives: fewest and most devices and steps."""

    devices: tuple[int, int] = (3, 4)
    steps: tuple[int, int] = (12, 28)


@dataclass(eq=False, slots=True)
class Member:
    """A device of the network, with all that it has on its disk and one backup, which may be old."""

    number: int
    store: CrashingStore
    journal: Journal
    backup: list[Verified]

    @property
    def ids(self) -> set[str]:
        """What it holds."""
        return {placed.entry.id for placed in self.journal.read()}


class Exchange:
    """How two devices exchange; what stands here is the real one, and mutants of it stand in its place."""

    def run(self, one: Member, ask: Ask, other: Member, *, may_keep: MayKeep | None, how: int) -> Synced:
        """Let `one` exchange with `other`, whom `ask` reaches."""
        if how == 0:
            return pull(one.journal, ask, may_keep=may_keep)
        return push(one.journal, ask) if how == 1 else sync(one.journal, ask, may_keep=may_keep)

    def answer(self, member: Member, may_keep: MayKeep | None) -> Ask:
        """Return what answers for a device."""
        return Answerer(member.journal, may_keep=may_keep).answer


class World:
    """Devices of one network and the carriers between them."""

    def __init__(self, seed: int, schedule: Schedule, exchange: Exchange) -> None:
        self.random = Random(seed)
        self.seen: Counter[str] = Counter()
        self._exchange = exchange
        self._carrier = Carrier(self.random, Faults.drawn(self.random))
        self._keys = 0
        self._apart: set[int] = set()
        self._depth = 0
        self._signed: dict[str, str] = {}
        """All that was ever signed for this network: the author by the id."""
        self._durable: set[str] = set()
        """What a device of ours has acknowledged, unless the only disk it was on is gone."""
        self._admitted: set[str] = set()
        self.members = [self._fresh(number) for number in range(self.random.randint(*schedule.devices))]
        self._found()
        for member in self.members[1:]:
            self._meet(member, self.members[0], sound=True)
        self._steps = self.random.randint(*schedule.steps)

    def live(self) -> None:
        """Let everything happen."""
        for _ in range(self._steps):
            self._step()

    def heal(self) -> None:
        """Take all faults away and let everybody exchange until nothing new comes."""
        self._apart = set()
        for member in self.members:
            member.store.crash = None
        everybody = list(permutations(self.members, 2))
        pairs = everybody if len(self.members) < 6 else [(self.members[0], other) for other in self.members[1:]]
        for _ in range(len(self.members) + 3):
            synced = [self._meet(one, other, sound=True) for one, other in pairs]
            if not any(one.came or one.went for one in synced):
                return
        raise AssertionError("they still had something new for each other after all of these rounds")

    def check(self) -> None:
        """Hold to what must be: all hold the same, it folds to the same bytes, nothing is lost, nothing is made up."""
        ours = [{id for id in member.ids if self._signed.get(id) in self._admitted} for member in self.members]
        for member, held in zip(self.members, ours, strict=True):
            assert held == ours[0], f"device {member.number} holds other entries than device 0"
            assert self._durable <= held, f"device {member.number} lacks what was acknowledged"
            assert member.ids <= set(self._signed), f"device {member.number} keeps what nobody signed"
            assert len(member.ids - held) <= STRANGERS, f"device {member.number} was flooded"
        assert len({self._folded(member) for member in (self.members[0], self.members[-1])}) == 1
        if not any(member.ids - ours[0] for member in self.members):
            assert len({fingerprint_of(member.store).code for member in self.members}) == 1

    def _folded(self, member: Member) -> bytes:
        """Return what the entries of admitted devices come to; of strangers each holds others, and each sees others."""
        ours = self._admitted
        placed = (
            replace(one, seen=tuple((author, seq) for author, seq in one.seen if author in ours))
            for one in member.journal.read()
            if one.entry.author in ours
        )
        return encode(fold(placed))

    # What happens

    def _found(self) -> None:
        founder = self.members[0].journal
        self._note([founder.found("Barrio Sur", date=DAY, time=self._time()).id], founder)

    def _step(self) -> None:
        happening = self.random.random()
        if happening < 0.3:
            self._write(self.random.choice(self.members))
        elif happening < 0.72:
            one, other = self.random.sample(self.members, 2)
            self._meet(one, other)
        elif happening < 0.77:
            with contextlib.suppress(JournalError):
                self._carrier.deliver_late()
        else:
            self.random.choice(self._troubles())()

    def _troubles(self) -> tuple[Callable[[], None], ...]:
        """Return what may happen besides writing and meeting."""
        return (self._part, self._wipe, self._back_up, self._restore, self._copy, self._flood, self._leap)

    def _write(self, member: Member) -> None:
        """Let a device write a few facts; one whose key was used elsewhere may be unable to, and says so."""
        facts: list[Fact] = []
        for _ in range(self.random.randint(1, 3)):
            number = self.random.randrange(10**6)
            told: tuple[Fact, Fact] = (
                NoteWritten(f"all well {number}", DAY),
                StockCounted("almacen", "harina", number, DAY),
            )
            facts.append(self.random.choice(told))
        device = member.journal.device
        assert device is not None
        with contextlib.suppress(JournalError):
            self._note([entry.id for entry in member.journal.append(facts, time=self._time())], member.journal)
            self.seen["written"] += 1
            if self.random.random() < 0.15:
                self._write_first(member)
        # Who stops before it could acknowledge may have kept it all the same.
        self._signed.update((kept.id, device.key) for kept in member.store.follow(device.key))

    def _write_first(self, member: Member) -> None:
        """Let a device write of a kind that goes before all others."""
        device = member.journal.device
        assert device is not None
        head = member.store.heads().get(device.key)
        if head is None or head.seq != member.store.latest(device.key):
            return
        made = make_entry(
            device,
            network=member.journal.network,
            seq=head.seq + 1,
            prev=head.id,
            deps=(),
            lc=member.store.clock() + 1,
            time=self._time(),
            kind="member.noted",
            body={"number": self.random.randrange(10**6)},
        )
        member.store.add([made], continues=True)
        self._note([made.entry.id], member.journal)
        self.seen["first"] += 1

    def _part(self) -> None:
        """Cut the devices in two halves that cannot reach each other, or end that."""
        numbers = range(len(self.members))
        self._apart = (
            set() if self._apart else set(self.random.sample(numbers, self.random.randint(1, len(numbers) - 1)))
        )
        self.seen["partition"] += 1

    def _wipe(self) -> None:
        """Take all from a device; what nobody else has is gone. It goes on with a fresh key."""
        self._replace(self.random.randrange(len(self.members)), [])
        self.seen["wipe"] += 1

    def _back_up(self) -> None:
        member = self.random.choice(self.members)
        member.backup = _everything(member)
        self.seen["backup"] += 1

    def _restore(self) -> None:
        """Put a device back to its last backup, however old; it goes on with a fresh key."""
        number = self.random.randrange(len(self.members))
        self._replace(number, self.members[number].backup)
        self.seen["restore"] += 1

    def _replace(self, number: int, entries: list[Verified]) -> None:
        before = self.members[number]
        fresh = self._fresh(number)
        fresh.store.add(entries)
        fresh.backup = before.backup
        self.members[number] = fresh
        self._durable &= {id for member in self.members for id in member.ids}

    def _copy(self) -> None:
        """Let a device be a copy of another with its key, as nobody should: both sign, and the key forks."""
        number = self.random.randrange(len(self.members))
        source = self.random.choice(self.members)
        self._replace(number, _everything(source))
        self.members[number].journal.device = source.journal.device
        self.seen["copied key"] += 1

    def _flood(self) -> None:
        """Let somebody send entries under keys that nobody has admitted, and some of another network."""
        victim = self.random.choice(self.members)
        if not victim.journal.network:
            return
        sent = []
        for _ in range(self.random.randint(1, 4)):
            stranger, prev = self._device(), NOTHING
            foreign = self.random.random() < 0.2
            for seq in range(1, 5):
                made = make_entry(
                    stranger,
                    network=FOREIGN if foreign else victim.journal.network,
                    seq=seq,
                    prev=prev,
                    deps=(),
                    lc=seq,
                    time=0,
                    kind="note.written",
                    body={"text": "flood", "date": DAY},
                )
                prev = made.entry.id
                sent.append(made.signed)
                if not foreign:
                    self._signed[made.entry.id] = stranger.key
        with contextlib.suppress(JournalError):
            victim.journal.receive(sent, may_keep=self._room(victim))
        self.seen["flood"] += 1

    def _leap(self) -> None:
        """Let a member lie: a number left out, another `prev`, a clock that leaps, or two entries of one number."""
        member = self.random.choice(self.members)
        device = member.journal.device
        assert device is not None
        if not member.journal.network:
            return
        latest = member.store.latest(device.key)
        head = member.store.heads().get(device.key)
        for seq, prev, lc in self.random.choice(
            (
                [(latest + 2, FOREIGN, 2**30)],
                [(latest + 1, FOREIGN, latest + 1)],
                [(max(latest, 1), head.id if head else NOTHING, 2**20 + number) for number in range(2)],
            )
        ):
            made = make_entry(
                device,
                network=member.journal.network,
                seq=seq,
                prev=prev,
                deps=(),
                lc=lc,
                time=self._time(),
                kind="note.written",
                body={"text": f"{self.random.randrange(10**6)}", "date": DAY},
            )
            self._signed[made.entry.id] = device.key  # Before it is kept, as the device may stop just after that.
            member.store.add([made])
            self._note([made.entry.id], member.journal)
        self.seen["lie"] += 1

    # Who meets whom

    def _meet(self, one: Member, other: Member, *, sound: bool = False) -> Synced:
        """Let a device exchange with another; whatever breaks off is left at that."""
        answer = self._exchange.answer(other, self._room(other))
        may_keep = self._room(one)
        if sound:
            return self._exchange.run(one, answer, other, may_keep=may_keep, how=2)
        if (one.number in self._apart) != (other.number in self._apart):
            self.seen["unreachable"] += 1
            return Synced()

        def ask(request: bytes) -> bytes:
            return self._carrier.ask(answer, request, stores=(one.store, other.store), meanwhile=self._meanwhile)

        try:
            synced = self._exchange.run(one, ask, other, may_keep=may_keep, how=self.random.randrange(3))
        except (Lost, SyncError, JournalError) as error:
            self.seen[type(error).__name__] += 1
            return Synced()
        finally:
            one.store.crash = other.store.crash = None
        self.seen["refused"] += len(synced.refused) + len(synced.refused_there)
        return synced

    def _meanwhile(self) -> None:
        """Let something else happen in the middle of an exchange."""
        if self._depth < 2:
            self._depth += 1
            try:
                self._step()
            finally:
                self._depth -= 1

    # Small things

    def _room(self, member: Member) -> MayKeep | None:
        return Quarantine(
            member.store,
            lambda: Belonging(lambda author: EVERYTHING if author in self._admitted else 0),
            per_author=PER_STRANGER,
            total=STRANGERS,
        )

    def _device(self) -> Device:
        self._keys += 1
        return Device(self._keys.to_bytes(32, "big"))

    def _fresh(self, number: int) -> Member:
        store, device = CrashingStore(), self._device()
        self._admitted.add(device.key)
        return Member(number, store, Journal(store, device), [])

    def _note(self, ids: list[str], journal: Journal) -> None:
        assert journal.device is not None
        self._signed.update(dict.fromkeys(ids, journal.device.key))
        self._durable.update(ids)

    def _time(self) -> int:
        """Return the time on somebody's clock, which may be years off."""
        return self.random.choice((0, 1_700_000_000, 2**40)) + self.random.randrange(10**5)


def run(
    seed: int,
    schedule: Schedule = Schedule(),
    exchange: Callable[[], Exchange] = Exchange,
) -> Counter[str]:
    """Live one schedule, heal and check; return how often what happened."""
    world = World(seed, schedule, exchange())
    world.live()
    world.heal()
    world.check()
    return world.seen


def _everything(member: Member) -> list[Verified]:
    kept = ((placed.entry, member.store.get(placed.entry.id)) for placed in member.journal.read())
    return [Verified(entry, signed) for entry, signed in kept if signed is not None]
