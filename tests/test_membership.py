"""Whoever belongs to the network gets in all that it wrote, in whatever order it comes; whoever floods gets little."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.journal.contract import Pen
from tests.sync.pairs import DAY, a_journal, ids_of, noted

from abasto.errors import ForeignError
from abasto.facts.kinds import DeviceCut, DeviceEndorsed
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.letters import answering_for
from abasto.membership import Membership
from abasto.state.fold import fold
from abasto.state.state import State
from abasto.sync import messages
from abasto.sync.bundle import open_bundle, write_bundle
from abasto.sync.exchange import Answerer, pull, push, sync
from abasto.sync.quarantine import Quarantine

FLOOD = 30
NOTES = 12


def key_of(journal: Journal) -> str:
    assert journal.device is not None
    return journal.device.key


def small(journal: Journal) -> Quarantine:
    """Return the room of a journal, with little of it for unknown devices."""
    return Quarantine(journal.store, Membership(journal)._belonging, per_author=2, total=5)


def endorse(journal: Journal, key: str, role: str) -> None:
    journal.append([DeviceEndorsed(key, role, DAY, (), "")], time=0)


def deep_network() -> tuple[Journal, set[str], list[Signed]]:
    """Return a journal in which stewards admit stewards who admit members, each after much else that they wrote.

    With it come the ids of what members wrote, and what devices wrote that nobody has admitted.
    """
    first, second, third, member = (a_journal(number) for number in (1, 2, 3, 4))
    first.found("Barrio Sur", date=DAY, time=0, is_open=False)
    everybody = [first, second, third, member]
    for steward, admitted, role in ((first, second, "steward"), (second, third, "steward"), (third, member, "reader")):
        noted(steward, NOTES)
        endorse(steward, key_of(admitted), role)
        admitted.receive(steward.store.export())
    noted(member, NOTES)
    for one in everybody[:-1]:
        one.receive(member.store.export())
    honest = ids_of(member)
    flood = [one.signed for number in (20, 21, 22) for one in Pen(number, network=first.network).chain(FLOOD)]
    for one in everybody:
        one.receive(flood)
    return member, honest, flood


def strange_in(journal: Journal, honest: set[str]) -> int:
    return len(ids_of(journal) - honest)


@pytest.mark.parametrize("way", ["pull", "push", "sync", "bundle"])
@pytest.mark.parametrize("page", [7, 5_000])
def test_a_newcomer_takes_all_that_members_wrote_and_little_of_a_flood(
    way: str, page: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # In small pages members' entries come before those of the stewards who admitted them.
    monkeypatch.setattr(messages, "MOST_ENTRIES", page)
    full, honest, _ = deep_network()
    newcomer = a_journal(9)
    if way == "push":
        push(full, Answerer(newcomer, may_keep=small(newcomer)).answer)
    elif way == "bundle":
        write_bundle(full, tmp_path / "all.abasto", readers=[key_of(newcomer)])
        read = open_bundle(tmp_path / "all.abasto", seed=bytes([9]) * 32).read(newcomer, may_keep=small(newcomer))
        assert read.new == newcomer.store.count()
    else:
        synced = (pull if way == "pull" else sync)(newcomer, Answerer(full).answer, may_keep=small(newcomer))
        assert synced.refused
        assert all("no room" in why for why in synced.refused)
    assert honest <= ids_of(newcomer)
    assert strange_in(newcomer, honest) <= 5


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 200))
def test_in_whatever_order_entries_come_and_come_again_members_get_in_and_the_flood_does_not(
    random: Random, page: int
) -> None:
    full, honest, flood = DEEP
    newcomer = Journal(MemoryStore())
    room = small(newcomer)
    newcomer.receive([next(signed for signed in full.store.export() if b'"network.founded"' in signed.raw)])
    waiting: list[Signed] = [*full.store.export(), *random.sample(flood, 20)]
    while True:
        random.shuffle(waiting)
        came, rest = 0, list[Signed]()
        for start in range(0, len(waiting), page):
            given_now = waiting[start : start + page]
            received = newcomer.receive(given_now, may_keep=room)
            assert len(received.refused) == len(received.without_room)
            came += received.new
            rest += [given_now[position] for position in received.without_room]
        waiting = rest
        assert strange_in(newcomer, honest) <= 5
        if not came:
            break
    assert honest <= ids_of(newcomer)


DEEP = deep_network()


def test_what_was_refused_comes_in_once_its_author_is_endorsed() -> None:
    steward, late, other = a_journal(1), a_journal(2), a_journal(3)
    steward.found("Barrio Sur", date=DAY, time=0, is_open=False)
    for one in (late, other):
        one.receive(steward.store.export())
    noted(late, NOTES)
    first = sync(other, Answerer(late).answer, may_keep=small(other))
    assert (first.came, len(first.refused), first.is_identical) == (2, NOTES - 2, False)
    endorse(steward, key_of(late), "allocator")
    sync(other, Answerer(steward).answer, may_keep=small(other))
    second = sync(other, Answerer(late).answer, may_keep=small(other))
    assert (second.came, second.refused, second.is_identical) == (NOTES - 2, [], True)


def test_who_was_cut_off_can_fill_no_more_than_a_stranger() -> None:
    steward, rogue = a_journal(1), a_journal(2)
    steward.found("Barrio Sur", date=DAY, time=0, is_open=False)
    endorse(steward, key_of(rogue), "steward")
    rogue.receive(steward.store.export())
    noted(rogue, NOTES)
    push(rogue, Answerer(steward, may_keep=small(steward)).answer)
    last = steward.store.heads()[key_of(rogue)]
    steward.append([DeviceCut(key_of(rogue), last.seq, DAY, last.id)], time=0)
    noted(rogue, FLOOD)
    given_then = push(rogue, Answerer(steward, may_keep=small(steward)).answer)
    assert (given_then.went, len(given_then.refused_there)) == (2, FLOOD - 2)
    # A newcomer who hears of the cut takes what counts, and as little of the rest.
    newcomer = a_journal(9)
    pull(newcomer, Answerer(steward).answer, may_keep=small(newcomer))
    assert ids_of(newcomer) == ids_of(steward)


def test_in_an_open_network_everybody_has_a_members_room() -> None:
    founder, somebody = a_journal(1), a_journal(2)
    founder.found("Barrio Sur", date=DAY, time=0)
    somebody.receive(founder.store.export())
    noted(somebody, FLOOD)
    synced: Sequence[str] = sync(founder, Answerer(somebody).answer, may_keep=small(founder)).refused
    assert not synced
    assert ids_of(founder) == ids_of(somebody)


def test_another_network_finds_no_room_at_all() -> None:
    one, other = a_journal(1), a_journal(2)
    one.found("Barrio Sur", date=DAY, time=0, is_open=False)
    other.found("Otra red", date=DAY, time=0)
    with pytest.raises(ForeignError):
        push(other, Answerer(one, may_keep=small(one)).answer)
    received = one.receive(other.store.export(), may_keep=small(one))
    assert (received.new, len(received.refused), received.without_room) == (0, 1, ())


def test_what_the_entries_come_to_is_read_once_for_each_page_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    journal, other = a_journal(1), a_journal(2)
    journal.found("Barrio Sur", date=DAY, time=0, is_open=False)
    endorse(journal, key_of(other), "allocator")
    other.receive(journal.store.export())
    noted(other, 30)
    reads = [0]

    def reading(journal: Journal) -> State:
        reads[0] += 1
        return fold(journal.read())

    monkeypatch.setattr("abasto.membership.read_state", reading)
    monkeypatch.setattr(messages, "MOST_ENTRIES", 10)
    members = Membership(journal)
    answering = answering_for(journal, read=lambda _: members.state(), may_keep=members.room())(key_of(other))

    def ask(request: bytes) -> bytes:
        assert not members.is_cut(key_of(other))
        return answering(request)

    assert push(other, ask).went == 30
    assert reads[0] == 1 + 2, "before the first page, and after each but the last"
