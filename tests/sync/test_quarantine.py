"""Devices that nobody has admitted get some room and no more, however they flood."""

from __future__ import annotations

from tests.journal.contract import Pen
from tests.sync.pairs import Line, filled, two

from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.sync.exchange import Answerer, pull, push, sync
from abasto.sync.messages import Give, pack, unpack
from abasto.sync.quarantine import Quarantine


def test_an_unknown_device_gets_some_room_and_all_of_them_together_not_much_more() -> None:
    one, _ = two(1)
    pens = [Pen(number, network=one.network) for number in range(10, 20)]
    room = Quarantine(one.store, lambda author: author == one.device.key, per_author=4, total=10)  # type: ignore[union-attr]
    given = [verified.signed for pen in pens for verified in pen.chain(6)]
    received = one.receive(given, may_keep=room)
    assert (received.new, len(received.refused)) == (10, 50)
    assert all("which nobody here has admitted" in why for _, why in received.refused)
    held = {pen.key: len(list(one.store.follow(pen.key))) for pen in pens}
    assert list(held.values()) == [4, 4, 2, *[0] * 7]
    # What is here already is no refusal when it comes again; a new quarantine counts what is held.
    again = one.receive(given[:4], may_keep=Quarantine(one.store, lambda author: False, per_author=4, total=10))
    assert (again.known, again.refused) == (4, ())
    more = one.receive(given, may_keep=Quarantine(one.store, lambda author: False, per_author=4, total=10))
    assert more.new == 0


def test_whoever_is_admitted_has_all_the_room_there_is() -> None:
    one, _ = two(1)
    stranger, member = Pen(10, network=one.network), Pen(11, network=one.network)
    assert one.device is not None
    admitted = {member.key, one.device.key}
    room = Quarantine(one.store, admitted.__contains__, per_author=2, total=2)
    received = one.receive([one.signed for pen in (stranger, member) for one in pen.chain(50)], may_keep=room)
    assert received.new == 52
    admitted.add(stranger.key)
    assert one.receive([one.signed for one in Pen(10, network=one.network).chain(50)], may_keep=room).new == 48


def test_the_founding_entry_is_kept_by_who_knows_nobody_yet() -> None:
    one, _ = two(3)
    newcomer = Journal(MemoryStore())
    synced = pull(newcomer, Answerer(one).answer, may_keep=Quarantine(newcomer.store, lambda author: False, total=0))
    assert (synced.came, newcomer.network, len(synced.refused)) == (1, one.network, 2)


def test_a_flood_keeps_nothing_else_from_coming_and_is_not_asked_for_again() -> None:
    one, _ = two(30)
    flooder = Pen(10, network=one.network)
    source = filled([], [*flooder.chain(40)])
    push(one, Answerer(source).answer)
    newcomer = Journal(MemoryStore())
    room = Quarantine(newcomer.store, lambda author: author == one.device.key, per_author=3)  # type: ignore[union-attr]
    line = Line(Answerer(source).answer)
    synced = sync(newcomer, line, may_keep=room)
    assert (synced.came, synced.is_identical) == (33, False)
    assert len(line.requests) <= 4
    target = Journal(MemoryStore())
    answerer = Answerer(
        target, may_keep=Quarantine(target.store, lambda author: author == one.device.key, per_author=3)
    )  # type: ignore[union-attr]
    given = push(source, answerer.answer)
    assert (given.went, len(given.refused_there)) == (33, 37)


def test_the_answer_names_which_were_refused() -> None:
    one, _ = two(1)
    pen = Pen(10, network=one.network)
    answerer = Answerer(one, may_keep=lambda entry: entry.author != pen.key)
    given = [pen.write().signed, Pen(11, network=one.network).write().signed]
    answer, _ = unpack(answerer.answer(pack(Give(network=one.network), given)))
    assert answer.kind == "kept"
    assert (answer.new, [refusal.position for refusal in answer.refused]) == (1, [0])
