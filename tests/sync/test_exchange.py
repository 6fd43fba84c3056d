"""The exchange on real journals: what comes and goes, in what order, how it goes on after a break, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Literal

import pytest
from benchmarks.journal_entries import entries as long_journal
from tests.journal.contract import Pen, tangle
from tests.sync.pairs import DAY, Line, a_journal, filled, ids_of, noted, pen_of, replying, two

from abasto.errors import ForeignError, JournalError, MessageError, PeerError
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import NOTHING, Device, make_entry, text_of
from abasto.journal.sqlite import SqliteStore
from abasto.journal.store import Kept, Store, Verified
from abasto.sync import exchange
from abasto.sync.exchange import Answerer, pull, push, sync
from abasto.sync.fingerprint import fingerprint_of
from abasto.sync.messages import Entries, Give, Hello, No, Stands, Take, Wish, pack, unpack


def founded() -> Verified:
    """Return the founding entry of a network, which every journal of the tests below begins with."""
    one, _ = two(1)
    placed = next(iter(one.read()))
    signed = one.store.get(placed.entry.id)
    assert signed is not None
    return Verified(placed.entry, signed)


FOUNDED = founded()
NETWORK = FOUNDED.entry.id


def size_of(entries: list[Signed]) -> int:
    """Return the bytes of some entries as one message would carry them, packed like any."""
    return len(pack(Give(network=NETWORK), entries))


def test_an_empty_journal_joins_whoever_it_asks() -> None:
    one, other = two(21)
    synced = pull(other, Answerer(one).answer)
    assert ids_of(other) == ids_of(one)
    assert (synced.came, synced.went, synced.refused) == (21, 0, [])
    assert synced.code == fingerprint_of(one.store).code == fingerprint_of(other.store).code


def test_pull_fetches_and_push_gives_and_sync_does_both() -> None:
    one, other = two(5)
    pull(other, Answerer(one).answer)
    noted(one, 4)
    noted(other, 3)
    pulled = pull(one, Answerer(other).answer)
    assert (pulled.came, pulled.went, pulled.is_identical) == (3, 0, False)
    noted(other, 2)
    pushed = push(one, Answerer(other).answer)
    assert (pushed.came, pushed.went, pushed.is_identical) == (0, 4, False)
    synced = sync(one, Answerer(other).answer)
    assert (synced.came, synced.went, synced.is_identical) == (2, 0, True)
    assert ids_of(one) == ids_of(other)


def test_who_holds_the_same_asks_once_and_hears_only_that() -> None:
    one, other = two(30)
    pull(other, Answerer(one).answer)
    line = Line(Answerer(one).answer)
    synced = sync(other, line)
    assert [type(message) for message in line.asked] == [Hello]
    assert synced.code == fingerprint_of(one.store).code
    assert synced.sent + synced.received < 500
    assert (synced.sent, synced.received) == (len(line.requests[0]), len(line.answers[0]))


@pytest.mark.parametrize("seed", range(30))
def test_tangled_journals_hold_the_same_afterwards(seed: int) -> None:
    random = Random(seed)
    entries = tangle(random, authors=5, length=10, network=NETWORK)
    one, other = (filled([FOUNDED], [one for one in entries if random.random() < 0.6]) for _ in range(2))
    union = ids_of(one) | ids_of(other)
    missing = {"here": union - ids_of(one), "there": union - ids_of(other)}
    synced = sync(one, Answerer(other).answer)
    assert ids_of(one) == ids_of(other) == union
    assert (synced.came, synced.went) == (len(missing["here"]), len(missing["there"]))
    assert synced.is_identical


@pytest.mark.parametrize("how", [pull, push])
@pytest.mark.parametrize("seed", range(10))
def test_one_way_alone_brings_everything_too(seed: int, how: object) -> None:
    random = Random(seed)
    entries = tangle(random, authors=5, length=10, network=NETWORK)
    one, other = (filled([FOUNDED], [one for one in entries if random.random() < 0.6]) for _ in range(2))
    union = ids_of(one) | ids_of(other)
    if how is pull:
        pull(one, Answerer(other).answer)
        assert ids_of(one) == union
    else:
        push(one, Answerer(other).answer)
        assert ids_of(other) == union


def test_chains_that_part_late_are_compared_from_there_on() -> None:
    # A copied key: both have 1 to 1,000, one goes on with 1,001 to 1,003, the other with another 1,001 and no more.
    pen = Pen(7, network=NETWORK)
    chain = pen.chain(1_003)
    pen.last = chain[999]
    twin = pen.write(body={"text": "of the copy", "date": DAY})
    one, other = filled([FOUNDED], chain), filled([FOUNDED], chain[:1_000], [twin])
    synced = sync(one, Line(Answerer(other).answer))
    assert (synced.came, synced.went, synced.is_identical) == (1, 3, True)
    assert one.store.forks() == other.store.forks() == {pen.key: 1_001}
    assert synced.sent + synced.received < 6_000  # A thousand ids alone would be 32,000.


def test_many_loose_entries_are_compared_by_their_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_HAVE", 10)
    monkeypatch.setattr(exchange, "MOST_IDS", 7)  # Ids come in pages of seven.
    chain = Pen(7, network=NETWORK).chain(120)
    one, other = filled([FOUNDED], chain[:20], chain[50:70]), filled([FOUNDED], chain[:100])
    synced = pull(one, Answerer(other).answer)
    assert (synced.came, synced.is_identical) == (60, True)
    ahead = filled([FOUNDED], chain[30:])
    synced = push(ahead, Answerer(other).answer)
    assert (synced.went, ids_of(other)) == (20, ids_of(filled([FOUNDED], chain)))


def test_all_authors_are_told_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "STANDS", 3)
    monkeypatch.setattr(exchange, "MOST_WISHES", 2)
    pens = [Pen(number, network=NETWORK) for number in range(1, 12)]
    one = filled([FOUNDED], [pen.write() for pen in pens])
    other = filled([FOUNDED])
    line = Line(Answerer(one).answer)
    assert pull(other, line).is_identical
    assert sum(isinstance(message, Hello) for message in line.asked) == 4
    assert push(one, Answerer(filled([FOUNDED], [pens[0].write()])).answer).went == 11


# In what order


def with_members(count: int, *, at: set[int]) -> list[Verified]:
    """Return a chain in which some entries say who belongs to the network."""
    pen = Pen(7, network=NETWORK)
    return [
        pen.write(kind="member.admitted" if number in at else "note.written", body={"text": "x" * 400, "date": DAY})
        for number in range(1, count + 1)
    ]


@pytest.mark.parametrize("how", ["pull", "push"])
def test_membership_comes_before_all_else(how: Literal["pull", "push"], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("abasto.sync.messages.MOST_ENTRIES", 10)
    chain = with_members(60, at={3, 30, 58})
    one, other = filled([FOUNDED], chain), Journal(MemoryStore())
    if how == "pull":
        line = Line(Answerer(one).answer)
        pull(other, line)
        pages = [page for page in line.brought if page]
    else:
        line = Line(Answerer(other).answer)
        push(one, line)
        pages = [entries for request in line.requests if (entries := unpack(request)[1])]
    first = {FOUNDED.signed, *(chain[number - 1].signed for number in (3, 30, 58))}
    assert set(pages[0][:4]) == first
    assert [len(page) for page in pages] == [10, 10, 10, 10, 10, 10, 1]
    assert ids_of(other) == ids_of(one)


def test_more_membership_than_a_page_holds_comes_first_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("abasto.sync.messages.MOST_ENTRIES", 10)
    one = filled([FOUNDED], with_members(60, at=set(range(31, 56))))
    other = Journal(MemoryStore())
    line = Line(Answerer(one).answer)
    assert pull(other, line).is_identical
    kinds = [
        b"member.admitted" in signed.raw or b"network.founded" in signed.raw for page in line.brought for signed in page
    ]
    assert kinds[:26] == [True] * 26
    assert not any(kinds[26:])


# After a break


@pytest.mark.parametrize("how", ["pull", "push", "sync"])
def test_a_broken_exchange_goes_on_from_what_is_kept(
    how: Literal["pull", "push", "sync"], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abasto.sync.messages.MOST_ENTRIES", 10)
    source = filled([FOUNDED], with_members(95, at={40, 80}))
    target = Journal(MemoryStore())
    sent: list[Signed] = []
    for _ in range(40):
        if how == "push":
            line = Line(Answerer(target).answer, breaks_after=3)
        else:
            line = Line(Answerer(source).answer, breaks_after=3)
        before = target.store.count()
        try:
            synced = {"pull": pull, "sync": sync}[how](target, line) if how != "push" else push(source, line)
        except ConnectionError:
            assert target.store.count() > before
        else:
            assert synced.is_identical
            break
        finally:
            told = line.requests if how == "push" else line.answers
            sent += [signed for message in told[:3] for signed in unpack(message)[1]]
    assert ids_of(target) == ids_of(source)
    assert len(sent) == len(set(sent)) == 96  # Nothing was lost, and nothing came twice.


class Stopping(MemoryStore):
    """A store that stops once, before or after it has kept what it was told to."""

    stops: Literal["before", "after", ""] = ""

    def add(self, entries: object, *, continues: bool = False) -> int:
        stops, self.stops = self.stops, ""
        if stops == "before":
            raise JournalError("no room on the disk")
        added = super().add(entries, continues=continues)  # type: ignore[arg-type]
        if stops == "after":
            raise JournalError("power was lost")
        return added


@pytest.mark.parametrize("stops", ["before", "after"])
def test_what_was_not_acknowledged_is_given_again_and_kept_once(stops: Literal["before", "after"]) -> None:
    one, _ = two(20)
    store = Stopping()
    other = Journal(store)
    store.stops = stops
    with pytest.raises(JournalError):
        push(one, Answerer(other).answer)
    assert store.count() == (20 if stops == "after" else 0)
    synced = push(one, Answerer(other).answer)
    assert synced.went == (0 if stops == "after" else 20)
    assert synced.is_identical
    assert ids_of(other) == ids_of(one)


# At what cost


def test_only_what_is_missing_is_sent() -> None:
    entries = list(long_journal(1_800))
    for name, held in {
        "the end is missing": [one for n, one in enumerate(entries) if n < 900],
        "a gap is missing": [one for n, one in enumerate(entries) if not 600 <= n < 1_500],
        "all is missing": entries[:1],
        "a few are missing": [one for n, one in enumerate(entries) if n % 10],
    }.items():
        one, other = filled(entries), filled(held)
        here = ids_of(other)
        missing = [verified.signed for verified in entries if verified.entry.id not in here]
        plain = sum(len(signed.raw) + 64 for signed in missing)
        packed = size_of(missing)
        synced = pull(other, Answerer(one).answer)
        assert synced.is_identical
        assert synced.sent + synced.received < 1.2 * plain, name
        assert name == "a few are missing" or synced.sent + synced.received < 1.2 * packed, name
        other = filled(held)
        synced = push(one, Answerer(other).answer)
        assert synced.is_identical
        # What the other side holds beyond many gaps it tells by runs, 32 bytes and two numbers each.
        assert synced.sent + synced.received < 1.2 * plain, name
        assert name == "a few are missing" or synced.sent + synced.received < 1.2 * packed, name


# Whom to refuse


def test_a_foreign_network_is_refused_on_both_sides() -> None:
    one, _ = two(3)
    foreign = a_journal(9)
    foreign.found("Barrio Norte", date=DAY, time=0)
    with pytest.raises(ForeignError, match="the other side refused: network"):
        sync(one, Answerer(foreign).answer)
    told = Stands(network=foreign.network, hash=foreign.network, stands=[], more=False)
    with pytest.raises(ForeignError, match="nothing was exchanged"):
        pull(one, replying((told, [])))
    given = pack(Give(network=foreign.network), list(foreign.store.export()))
    answer, _ = unpack(Answerer(one).answer(given))
    assert isinstance(answer, No)
    assert answer.cause == "foreign"
    assert one.store.count() == 3


def lax_signature() -> Signed:
    """Return an entry under a key of small order, signed so that it passes where nobody looks for such keys."""
    key = (1).to_bytes(32, "little")
    honest = make_entry(
        Device(b"7" * 32),
        network=NETWORK,
        seq=1,
        prev=NOTHING,
        deps=(),
        lc=2,
        time=0,
        kind="note.written",
        body={"text": "all well", "date": DAY},
    )
    raw = honest.signed.raw.replace(honest.entry.author.encode(), text_of(key).encode())
    return Signed(raw, key + bytes(32))


def bad_entries() -> dict[str, tuple[Signed, str]]:
    """Return entries that nobody may keep, and what is said of each."""
    pen, foreign = Pen(7, network=NETWORK), Pen(8, network="F" * 42 + "A")
    good = pen.write().signed
    large = pen.write().signed.raw + b" " * 2**14
    return {
        "forged": (Signed(good.raw, bytes(64)), "forged or damaged"),
        "another's signature": (Signed(good.raw, pen.write().signed.signature), "forged or damaged"),
        "changed": (Signed(good.raw.replace(b"well", b"ill!"), good.signature), "forged or damaged"),
        "small order": (lax_signature(), "forged or damaged"),
        "foreign": (foreign.write().signed, "an entry of network"),
        "oversized": (Signed(large, good.signature), "an entry has at most"),
        "not canonical": (Signed(good.raw.replace(b":", b": ", 1), good.signature), "canonical"),
        "no entry": (Signed(b"{}", good.signature), ""),
    }


@pytest.mark.parametrize("name", bad_entries())
def test_an_entry_that_is_no_sound_one_is_refused_wherever_it_comes_from(name: str) -> None:
    bad, why = bad_entries()[name]
    good = Pen(6, network=NETWORK).write().signed
    journal = filled([FOUNDED])
    answer, _ = unpack(Answerer(journal).answer(pack(Give(network=NETWORK), [bad, good])))
    assert answer.kind == "kept"
    assert (answer.new, answer.known, [one.position for one in answer.refused]) == (1, 0, [0])
    assert why in answer.refused[0].why
    journal = filled([FOUNDED])
    stands = Stands(network=NETWORK, hash=NOTHING, stands=[(Pen(7).key, 3, bytes_id(1), 0, NOTHING)], more=False)
    hostile = replying(
        (stands, []), (Entries(unlike=[], more="rest"), [bad, good]), *[(Entries(unlike=[], more="rest"), [bad])] * 9
    )
    synced = pull(journal, hostile)
    assert synced.came == 1
    assert any(why in told for told in synced.refused)
    assert journal.store.count() == 2


def bytes_id(number: int) -> str:
    return text_of(bytes([number]) * 32)


def test_what_is_replayed_is_known_and_kept_once() -> None:
    one, other = two(10)
    line = Line(Answerer(other).answer)
    push(one, line)
    before = [placed.entry.id for placed in other.read()]
    for request in line.requests * 2:
        answer, _ = unpack(Answerer(other).answer(request))
        assert answer.kind != "no"
    assert [placed.entry.id for placed in other.read()] == before


def test_a_peer_that_gives_the_same_for_ever_is_left() -> None:
    one, other = two(10)
    page = list(one.store.export())
    stands = Stands(
        network=one.network, hash=NOTHING, stands=[(one.device.key, 99, bytes_id(1), 0, NOTHING)], more=False
    )  # type: ignore[union-attr]
    answers = [(stands, []), *[(Entries(unlike=[], more="rest"), page)] * 3]
    assert pull(other, replying(*answers)).came == 10


@pytest.mark.parametrize("answer", [Hello(network=NETWORK, hash=NOTHING), Entries(unlike=[], more="")])
def test_an_answer_of_another_kind_is_no_answer(answer: Hello | Entries) -> None:
    with pytest.raises(MessageError, match="not the answer"):
        pull(filled([FOUNDED]), replying((answer, [])))


def test_an_answer_is_no_request() -> None:
    answer, _ = unpack(Answerer(filled([FOUNDED])).answer(pack(Entries(unlike=[], more=""))))
    assert isinstance(answer, No)
    assert answer.cause == "asked"


def test_what_the_other_side_refuses_is_told_with_its_reason() -> None:
    one, _ = two(2)
    with pytest.raises(PeerError, match="too much"):
        pull(one, replying((No(cause="oversized", why="too much"), [])))


def test_who_knows_nothing_of_an_author_is_told_that_chains_differ() -> None:
    one, _other = two(3)
    wish = {"author": Pen(9).key, "seq": 4, "id": bytes_id(3), "have": []}
    take = Take.model_validate({"network": one.network, "first": False, "wishes": [wish]})
    answer, entries = unpack(Answerer(one).answer(pack(take)))
    assert (answer, entries) == (Entries(unlike=[Pen(9).key], more=""), [])


# On disks


def test_journals_on_disk_exchange_like_those_in_memory(tmp_path: Path) -> None:
    stores: list[Store] = [SqliteStore(tmp_path / f"{n}.db", key="a passphrase", create=True) for n in range(2)]
    one, other = (Journal(store, Device(bytes([n + 1]) * 32)) for n, store in enumerate(stores))
    entries = [verified.signed for verified in long_journal(700)]
    one.receive(entries)
    assert pull(other, Answerer(one).answer).came == 700
    noted(other, 3)
    assert sync(one, Answerer(other).answer).came == 3
    assert fingerprint_of(stores[0]) == fingerprint_of(stores[1])
    pen = pen_of(7, one)
    chain = pen.chain(4)
    one.receive([chain[3].signed, chain[0].signed])
    assert push(one, Answerer(other).answer).is_identical
    for store in stores:
        store.close()


def test_who_names_an_author_a_thousand_times_in_one_request_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each time all entries of the author would be gone through."""
    journal, _ = two(50)
    author = next(iter(journal.store.heads()))
    wishes = [Wish(author=author, seq=0, id=NOTHING, have=[])] * 1_000

    def follow(*_: object) -> Iterator[Kept]:
        raise AssertionError

    monkeypatch.setattr(journal.store, "follow", follow)
    for first in (True, False):
        answer, _ = unpack(Answerer(journal).answer(pack(Take(network=journal.network, first=first, wishes=wishes))))
        assert isinstance(answer, No)
        assert (answer.cause, "twice" in answer.why) == ("message", True)
