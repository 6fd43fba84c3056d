"""Devices that nobody has admitted get some room and no more, however they flood."""

from __future__ import annotations

from tests.journal.contract import Pen
from tests.sync.pairs import Line, filled, two

from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.sync.exchange import Answerer, pull, push, sync
from abasto.sync.messages import Give, pack, unpack
from abasto.sync.quarantine import EVERYTHING, Belonging, Quarantine


def room_of(journal: Journal, *admitted: str, per_author: int = 500, total: int = 5_000, each: int = 100) -> Quarantine:
    """Return the room that a journal has, of which these devices are members; read anew when it is asked."""
    return Quarantine(
        journal.store,
        lambda: Belonging(lambda key: EVERYTHING if key in admitted else 0, each),
        per_author=per_author,
        total=total,
    )


def key_of(journal: Journal) -> str:
    assert journal.device is not None
    return journal.device.key


def test_an_unknown_device_gets_some_room_and_all_of_them_together_not_much_more() -> None:
    one, _ = two(1)
    pens = [Pen(number, network=one.network) for number in range(10, 20)]
    room = room_of(one, key_of(one), per_author=4, total=10)
    given = [verified.signed for pen in pens for verified in pen.chain(6)]
    received = one.receive(given, may_keep=room)
    assert (received.new, len(received.refused)) == (10, 50)
    assert all("no room for more of it" in why for _, why in received.refused)
    held = {pen.key: len(list(one.store.follow(pen.key))) for pen in pens}
    assert list(held.values()) == [4, 4, 2, *[0] * 7]
    # What is here already is no refusal when it comes again; a new quarantine counts what is held.
    again = one.receive(given[:4], may_keep=room_of(one, key_of(one), per_author=4, total=10))
    assert (again.known, again.refused) == (4, ())
    more = one.receive(given, may_keep=room_of(one, key_of(one), per_author=4, total=10))
    assert more.new == 0


def test_whoever_is_admitted_has_all_the_room_there_is() -> None:
    one, _ = two(1)
    stranger, member = Pen(10, network=one.network), Pen(11, network=one.network)
    admitted = {member.key, key_of(one)}
    room = Quarantine(
        one.store, lambda: Belonging(lambda key: EVERYTHING if key in admitted else 0), per_author=2, total=2
    )
    received = one.receive([one.signed for pen in (stranger, member) for one in pen.chain(50)], may_keep=room)
    assert (received.new, received.without_room) == (52, tuple(range(2, 50)))
    admitted.add(stranger.key)
    assert one.receive([one.signed for one in Pen(10, network=one.network).chain(50)], may_keep=room).new == 48


def test_the_founding_entry_is_kept_by_who_knows_nobody_yet() -> None:
    one, _ = two(3)
    newcomer = Journal(MemoryStore())
    synced = pull(newcomer, Answerer(one).answer, may_keep=room_of(newcomer, total=0))
    assert (synced.came, newcomer.network, len(synced.refused)) == (1, one.network, 2)


def test_a_flood_keeps_nothing_else_from_coming_and_is_not_asked_for_again() -> None:
    one, _ = two(30)
    flooder = Pen(10, network=one.network)
    source = filled([], [*flooder.chain(40)])
    push(one, Answerer(source).answer)
    newcomer = Journal(MemoryStore())
    room = room_of(newcomer, key_of(one), per_author=3)
    line = Line(Answerer(source).answer)
    synced = sync(newcomer, line, may_keep=room)
    assert (synced.came, synced.is_identical) == (33, False)
    assert len(line.requests) <= 4
    target = Journal(MemoryStore())
    answerer = Answerer(target, may_keep=room_of(target, key_of(one), per_author=3))
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


def test_a_member_that_floods_fills_its_own_room_and_no_other() -> None:
    one, _ = two(1)
    flooder, member = Pen(10, network=one.network), Pen(11, network=one.network)
    room = room_of(one, key_of(one), flooder.key, member.key, per_author=4, each=20)
    for _ in range(3):
        one.receive([verified.signed for verified in flooder.chain(20)], may_keep=room)
    assert one.receive([verified.signed for verified in member.chain(5)], may_keep=room).new == 5
    assert len(list(one.store.follow(flooder.key))) == 20
    # Neither do forks of what is here find room.
    fork = Pen(10, network=one.network).write(body={"text": "another", "date": "2026-11-22"})
    assert one.receive([fork.signed], may_keep=room).without_room == (0,)


def test_what_is_sent_again_and_again_takes_nobody_room() -> None:
    one, _ = two(1)
    pen, known = Pen(10, network=one.network), Pen(11, network=one.network)
    room = room_of(one, key_of(one), known.key, per_author=10, each=10)
    first, more = pen.chain(5), pen.chain(5)
    other, rest = known.chain(5), known.chain(5)
    for _ in range(4):
        one.receive([verified.signed for verified in (*first, *other)], may_keep=room)
    assert one.receive([verified.signed for verified in (*more, *rest)], may_keep=room).new == 10


def test_after_a_cut_there_is_room_for_what_counts_and_little_for_the_rest() -> None:
    one, _ = two(1)
    pen = Pen(10, network=one.network)
    before, after = pen.chain(8), pen.chain(30)
    room = Quarantine(one.store, lambda: Belonging(lambda key: 8 if key == pen.key else 0), per_author=4, total=4)
    # What counts comes in though the flood was here first.
    assert one.receive([verified.signed for verified in after], may_keep=room).new <= 8 + 4
    assert one.receive([verified.signed for verified in before], may_keep=room).new == 8
    assert one.receive([verified.signed for verified in after], may_keep=room).new == 0
