"""A small network of members only, in which devices ask, are endorsed, are lost and replaced, and some are hostile.

Hostile devices say what their role does not let them say, set their clock back, fork, flood, cut off and take back; a
rogue steward lets strangers in. Honest stewards endorse, cut off and replace as they come to know of it. In the end
every device has to come to the same, whatever way, and no attack may have reached beyond what the attacker may do.
"""

from __future__ import annotations

import contextlib
from collections import Counter, defaultdict
from datetime import date, timedelta
from unittest.mock import patch

from sim_world import DAY, Exchange, Member, Schedule, World
from tests.state.second_members import through

from abasto.cycle import read_state
from abasto.errors import AbastoError, JournalError
from abasto.facts.kinds import (
    DeviceAsked,
    DeviceCut,
    DeviceEndorsed,
    EntryReversed,
    Fact,
    GoodsTakenIn,
    RowSet,
    fact_of,
)
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.store import Verified
from abasto.membership import Membership
from abasto.state.deciding import cut_of, replacement
from abasto.state.encode import encode
from abasto.state.fold import fold_anew
from abasto.state.permits import refuse_forbidden
from abasto.state.roster import proposed
from abasto.state.state import State
from abasto.sync.exchange import MayKeep

__all__ = ["MEMBERS", "MembersWorld", "live_members"]

SITES = ("North", "South", "East")
MEMBERS = Schedule(devices=(4, 6), steps=(25, 50))


class MembersWorld(World):
    """Devices of a network that endorses its members: the first ones are stewards; `bad` are those that are hostile."""

    def __init__(self, seed: int, schedule: Schedule) -> None:
        self.bad: set[int] = set()
        self.bad_keys: set[str] = set()
        self.slots: dict[str, int] = {}
        """Which device a key was made for; those of strangers are none."""
        self.gone: set[str] = set()
        """Keys of devices that were wiped or put back to a backup."""
        self.scope: dict[str, set[str]] = defaultdict(set)
        """For which sites honest stewards let a device speak."""
        self.today = date.fromisoformat(DAY)
        self._read: dict[int, tuple[MemoryStore, int, State]] = {}
        super().__init__(seed, schedule, Exchange())

    # The network

    def _found(self) -> None:
        random = self.random
        numbers = range(len(self.members))
        self.stewards, self.threshold = random.choice(((3, 2), (3, 2), (2, 1), (1, 1)))
        self.bad = set(
            random.sample(numbers[self.stewards :], min(len(numbers) - self.stewards, random.choice((0, 1, 2))))
        )
        if self.stewards == 3 and random.random() < 0.6:
            self.bad.add(2)  # A rogue steward, alone among three of whom two decide.
        self.bad_keys = {key for key, number in self.slots.items() if number in self.bad}
        keys = [_key(member) for member in self.members[: self.stewards]]
        facts: list[Fact] = [RowSet("sites", {"site": site}, DAY) for site in SITES]
        facts += [RowSet("goods", {"good": good}, DAY) for good in ("flour", "plunder", "ghost")]
        founder = self.members[0].journal
        founder.found(
            "Barrio Sur", date=DAY, time=0, facts=facts, stewards=keys, threshold=self.threshold, is_open=False
        )
        for member in self.members[self.stewards :]:
            if random.random() < 0.8:
                self._let_in(self.members[0], self._state(self.members[0]), _key(member), DAY)
        self._note([placed.entry.id for placed in founder.read()], founder)

    @property
    def rogue(self) -> bool:
        """Whether a steward is hostile."""
        return 2 in self.bad and self.stewards == 3

    def _fresh(self, number: int) -> Member:
        member = super()._fresh(number)
        self.slots[_key(member)] = number
        if number in self.bad:
            self.bad_keys.add(_key(member))
        return member

    def _room(self, member: Member) -> MayKeep | None:
        return Membership(member.journal).room()

    # What happens

    def _step(self) -> None:
        happening = self.random.random()
        if happening < 0.2:
            self._write(self.random.choice(self.members))
        elif happening < 0.55:
            one, other = self.random.sample(self.members, 2)
            self._meet(one, other)
        elif happening < 0.6:
            with contextlib.suppress(JournalError):
                self._carrier.deliver_late()
        else:
            self.random.choice(self._troubles())()

    def _troubles(self) -> tuple:  # type: ignore[type-arg]
        members = (self._ask, *4 * (self._govern,), self._sleep, self._sleep)
        hostile = (*6 * (self._attack,), self._leap, self._copy, self._copy) if self.bad else ()
        broken = (self._part, self._wipe, self._back_up, self._back_up, self._restore, self._flood)
        return (*members, *hostile, *broken)

    def _write(self, member: Member) -> None:
        """Let a device report what its role lets it, on the day that its clock shows."""
        grant = self._state(member).members.grants.get(_key(member))
        if grant is None:
            self._say(member, DeviceAsked(f"phone {member.number}", self._day()))
            return
        site = self.random.choice(grant.sites or SITES)
        self._say(member, GoodsTakenIn(site, "flour", self.random.randrange(1, 1000), self._day()))

    def _ask(self) -> None:
        member = self.random.choice(self.members)
        if self._state(member).members.grants.get(_key(member)) is None:
            self._say(member, DeviceAsked(f"phone {member.number}", self._day()))

    def _govern(self) -> None:
        member = self.random.choice(self.members)
        if member.number not in self.bad:
            self._decide(member)

    def _sleep(self) -> None:
        """Let days pass; roles end."""
        if self.today < date.fromisoformat(DAY) + timedelta(days=50):
            self.today += timedelta(days=self.random.randint(1, 20))

    def _decide(self, member: Member, *, justice: bool = False) -> None:
        """Let an honest steward do what is due: endorse who asks, agree with others, replace what is lost, cut off."""
        state = self._state(member)
        key, day = _key(member), self.today.isoformat()
        if state.members.cuts.get(key) or key not in state.members.stewards(day):
            return
        for one in proposed(state, day):
            is_fair = (
                one.device in self.gone | self.bad_keys
                if one.kind == "cut"
                else self._is_fair(one.device, one.succeeds)
            )
            if is_fair and key not in one.stewards:
                if one.kind == "cut":
                    self._say(member, DeviceCut(one.device, one.after, day, one.last))
                elif one.role in (self._role(one.device), "steward") or one.succeeds:
                    self._say(member, DeviceEndorsed(one.device, one.role, day, one.sites, one.until, one.succeeds))
        for asked in sorted(set(state.members.names) - set(state.members.grants) - set(state.members.cuts)):
            if asked in self.slots and asked not in self.gone:
                self._let_in(member, state, asked, day)
        for other in sorted(self.gone | self.bad_keys):
            known = state.members.grants.get(other) or state.authors.get(other)
            if known is not None and (justice or (other not in state.members.cuts and self.random.random() < 0.3)):
                self._cut(member, state, other, day, justice=justice)

    def _is_fair(self, device: str, succeeds: str) -> bool:
        is_known = device in self.slots and device not in self.gone | self.bad_keys
        return is_known and (not succeeds or succeeds in self.gone)

    def _role(self, key: str) -> str:
        """Return what a device is to be: a steward if it is one of the first and honest."""
        number = self.slots[key]
        if number < self.stewards and key not in self.bad_keys:
            return "steward"
        return ("allocator", "reporter", "reporter")[number % 3]

    def _let_in(self, member: Member, state: State, key: str, day: str) -> None:
        """Endorse a device that asked, for a while or for good, or let it take over from the one it was before."""
        role = self._role(key)
        before = [
            old for old in sorted(self.gone) if self.slots[old] == self.slots[key] and old in state.members.grants
        ]
        if before and key not in self.bad_keys and self.random.random() < 0.5:
            facts = replacement(member.journal, state, before[-1], key, after=None, day=day)
            self._say(member, *facts)
            self.seen["replace"] += 1
            return
        sites = tuple(sorted(self.random.sample(SITES, self.random.randint(1, 2)))) if role == "reporter" else ()
        until = "" if role == "steward" else self.random.choice(("", (self.today + timedelta(days=5)).isoformat()))
        if self._say(member, DeviceEndorsed(key, role, day, sites, until)):
            self.scope[key] |= set(sites or SITES)
            self.seen["endorse"] += 1

    def _cut(self, member: Member, state: State, key: str, day: str, *, justice: bool) -> None:
        """Cut off a device that is lost or hostile: after its last entry, or back to before one of them."""
        head = member.store.heads().get(key)
        last = 0 if head is None else head.seq
        after = (
            0 if justice and key in self.bad_keys else self.random.choice((None, None, self.random.randint(0, last)))
        )
        with contextlib.suppress(AbastoError):
            self._say(member, cut_of(member.journal, state, key, after=after, day=day))
            self.seen["cut"] += 1

    def _attack(self) -> None:
        """Let a hostile device do something that it should not."""
        member = self.members[self.random.choice(sorted(self.bad))]
        if not member.journal.network:
            return
        is_rogue = self.rogue and member.number == 2
        acts = [self._lie, self._lie, self._overreach, self._overreach, self._take_back]
        self.random.choice([*acts, *4 * [self._let_strangers_in]] if is_rogue else acts)(member)

    def _lie(self, member: Member) -> None:
        """Report goods that are not there, anywhere, also on days long past, and many at once."""
        facts = [
            GoodsTakenIn(self.random.choice(SITES), "plunder", 1, (self.today - timedelta(days=back)).isoformat())
            for back in self.random.choice(([0], [60], [0] * 12))
        ]
        self._force(member.journal, *facts)
        self.seen["lie"] += 1

    def _overreach(self, member: Member) -> None:
        """Decide what only stewards together decide: cut off the honest, take their place, make oneself a steward."""
        day, own = self._day(), _key(member)
        honest = [one for one in self.members if one.number not in self.bad]
        other = _key(self.random.choice(honest))
        head = member.store.heads().get(other)
        fact: Fact = self.random.choice(
            (
                DeviceCut(other, 0, day),
                DeviceCut(other, head.seq, day, head.id) if head else DeviceCut(other, 0, day),
                DeviceEndorsed(own, "steward", day),
                DeviceEndorsed(other, "reader", day) if self.slots[other] < self.stewards else DeviceCut(other, 0, day),
                DeviceEndorsed(self._device().key, "steward", day, succeeds=other),
            )
        )
        self._force(member.journal, fact)
        self.seen["overreach"] += 1

    def _take_back(self, member: Member) -> None:
        """Undo what others reported at a place where this device has nothing to say."""
        key = _key(member)
        theirs = [
            placed.entry.id
            for placed in member.journal.read()
            if placed.entry.kind == GoodsTakenIn.KIND
            and placed.entry.body["good"] == "flour"
            and placed.entry.body["site"] not in self.scope[key]
        ]
        if theirs and not (self.rogue and member.number == 2):
            self._force(member.journal, EntryReversed(self.random.choice(theirs), self._day()))
            self.seen["take back"] += 1

    def _let_strangers_in(self, member: Member) -> None:
        """Endorse a key of one's own, and report with it."""
        stranger = self._device()
        self.bad_keys.add(stranger.key)
        self._force(member.journal, DeviceEndorsed(stranger.key, "allocator", self._day()))
        ghost = Journal(member.store, stranger)
        self._force(ghost, *[GoodsTakenIn(site, "ghost", 1, self._day()) for site in SITES])
        self.seen["stranger"] += 1

    def _leap(self) -> None:
        self._hostile(super()._leap)

    def _hostile(self, act) -> None:  # type: ignore[no-untyped-def]
        """Let something happen to a hostile device, which the honest never do."""
        everybody = self.members
        self.members = [member for member in everybody if member.number in self.bad]
        try:
            act()
        finally:
            self.members = everybody

    def _copy(self) -> None:
        """Let a hostile device go on from a copy of itself, so that its key forks."""
        member = self.members[self.random.choice(sorted(self.bad))]
        if member.backup and member.journal.device is not None:
            device = member.journal.device
            old = MemoryStore()
            old.add(member.backup)
            twin = Journal(old, device)
            self._force(twin, GoodsTakenIn(self.random.choice(SITES), "plunder", 1, self._day()))
            with contextlib.suppress(JournalError):
                member.store.add([_kept(old, placed.entry) for placed in twin.read()])
            self.seen["fork"] += 1

    def _replace(self, number: int, entries: list[Verified]) -> None:
        """Let a device begin anew with a fresh key, unless too few honest stewards would be left to let it in."""
        member = self.members[number]
        others = [one for one in self.members if one is not member and one.number not in self.bad]
        left = [one for one in others if _key(one) in self._state(one).members.stewards(self.today.isoformat())]
        if len(left) < self.threshold:
            return
        self.gone.add(_key(member))
        super()._replace(number, entries)

    # In the end

    def heal(self) -> None:
        """Let everybody meet, and stewards let in who came back, until nothing new is said."""
        self._apart = set()
        for _ in range(12):
            before = [member.store.count() for member in self.members]
            self._meet_all()
            for member in self.members:
                member.store.crash = None
                if member.number not in self.bad:
                    if _key(member) not in self._state(member).members.grants:
                        self._say(member, DeviceAsked(f"phone {member.number}", self.today.isoformat()), once=True)
                    self._decide(member)
                    self._meet_all()
            if before == [member.store.count() for member in self.members]:
                return
        raise AssertionError("they still had something new to say after all of these rounds")

    def do_justice(self) -> None:
        """Let honest stewards cut off whoever is hostile, before the first of its entries."""
        for member in self.members * 2:
            if member.number not in self.bad:
                self._decide(member, justice=True)
                self._meet_all()

    def check(self) -> None:
        """Hold to what must be: the same everywhere, and as a second computation has it; no attack reached too far."""
        state = self._check_same()
        placed = list(self.members[0].journal.read())
        roles, cuts, stood = through(placed)
        grants = state.members.grants
        assert {key: (one.role, one.sites, one.until) for key, one in grants.items()} == roles, "roles differ"
        assert {key: cut[:2] for key, cut in state.members.cuts.items()} == {
            key: cut[:2] for key, cut in cuts.items()
        }, "cuts differ"
        flour: Counter[str] = Counter()
        for entry, role in stood:
            fact = fact_of(entry.kind, entry.body)
            if not isinstance(fact, GoodsTakenIn) or fact.good != "flour" or role is None:
                continue
            if role[0] in ("allocator", "steward") or (role[0] == "reporter" and fact.site in role[1]):
                flour[fact.site] += fact.quantity
        for site in SITES:
            assert _stock(state, site, "flour") == flour[site], f"flour at {site}"
        self._check_scope(state)

    def _check_same(self) -> State:
        """Hold to it that all devices come to the same bytes, and any way of arrival with them; return that."""
        state = fold_anew(self.members[0].journal.read)
        expected = encode(state)
        held = self.members[0].ids
        for member in self.members:
            assert member.ids == held, f"device {member.number} holds other entries"
            assert encode(self._state(member)) == expected, f"device {member.number} comes to something else"
        assert self._durable <= held, "what was acknowledged is lost"
        order = list(self.members[0].store.arrived)
        self.random.shuffle(order)
        journal = Journal(MemoryStore())
        while order:
            count = self.random.randint(1, len(order))
            journal.store.add(order[:count])
            order = order[count:]
            last = encode(read_state(journal))
        assert last == expected, "it depends on the order of arrival"
        return state

    def _check_scope(self, state: State) -> None:
        """Hold to it that no attack reached beyond what the attacker may do."""
        members = state.members
        own = {key for key in self.bad_keys if key in members.cuts}  # Whoever is hostile may cut off itself.
        assert set(members.cuts) <= self.gone | own, "an honest device was cut off"
        assert set(members.heirs) <= self.gone, "an honest device was replaced"
        stewards = {key for key, one in members.grants.items() if one.role == "steward"} & self.bad_keys
        assert stewards <= {key for key in self.slots if self.slots[key] == 2 and self.rogue}, "a hostile one decides"
        if not self.rogue:
            allowed = set().union(*(self.scope[key] for key in self.bad_keys)) if self.bad_keys else set()
            for site in set(SITES) - allowed:
                assert _stock(state, site, "plunder") == 0, f"plunder at {site}"

    def check_justice(self) -> None:
        """Hold to it that nothing is left of whoever was cut off before its first entry, and of whom it let in."""
        state = self._state(self.members[0])
        for site in SITES:
            assert _stock(state, site, "plunder") == _stock(state, site, "ghost") == 0, f"something is left at {site}"
        assert not self.bad_keys & set(state.members.grants)

    # Small things

    def _say(self, member: Member, *facts: Fact, once: bool = False) -> bool:
        """Let an honest device sign what it may, as its commands do; return whether it did."""
        state = self._state(member)
        if once and _key(member) in state.members.names:
            return False
        try:
            refuse_forbidden(state, facts, _key(member))
        except AbastoError:
            self.seen["not allowed"] += 1
            return False
        return self._force(member.journal, *facts)

    def _force(self, journal: Journal, *facts: Fact) -> bool:
        """Let a device sign, whether or not it may."""
        assert journal.device is not None
        try:
            self._note([entry.id for entry in journal.append(facts, time=self._time())], journal)
            self.seen["written"] += 1
        except JournalError:
            return False
        return True

    def _state(self, member: Member) -> State:
        """Return what a device comes to, read anew when it has kept something since."""
        known = self._read.get(member.number)
        if known is None or known[:2] != (member.store, member.store.count()):
            known = self._read[member.number] = (member.store, member.store.count(), read_state(member.journal))
        return known[2]

    def _meet_all(self) -> None:
        everything = [one for member in self.members for one in member.store.arrived]
        for member in self.members:
            member.store.add(everything)

    def _day(self) -> str:
        """Return the day on somebody's clock, which may be a little off."""
        return (self.today + timedelta(days=self.random.choice((0, 0, 0, -2, 1)))).isoformat()


def live_members(seed: int, schedule: Schedule = MEMBERS) -> Counter[str]:
    """Live one schedule, heal, check, cut off whoever was hostile and check again; return how often what happened."""
    with patch("abasto.cycle.SNAPSHOT_AFTER", 12):
        world = MembersWorld(seed, schedule)
        world.live()
        world.heal()
        world.check()
        if world.bad:
            world.do_justice()
            world.check()
            world.check_justice()
    return world.seen


def _key(member: Member) -> str:
    assert member.journal.device is not None
    return member.journal.device.key


def _stock(state: State, site: str, good: str) -> int:
    return sum(state.books.balance(site, good).values())


def _kept(store: MemoryStore, entry) -> Verified:  # type: ignore[no-untyped-def]
    signed = store.get(entry.id)
    assert signed is not None
    return Verified(entry, signed)
