"""Members are judged in the fold alone: the same entries give the same roles and cuts, in whatever way they come."""

from __future__ import annotations

from random import Random

import pytest
from tests.state.devices import DAY, Crew, received
from tests.state.second_members import counted, members_of

from abasto import cycle
from abasto.errors import FactError
from abasto.facts.kinds import (
    AlarmAnswered,
    DeviceAsked,
    DeviceCut,
    DeviceEndorsed,
    EntryReversed,
    Fact,
    GoodsHandedOut,
    GoodsTakenIn,
    Line,
    NetworkRecognised,
    NoteWritten,
    OrderAccepted,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
    body_of,
)
from abasto.journal.entry import Entry, Placed
from abasto.journal.signing import NOTHING, make_entry
from abasto.state.encode import decode, encode
from abasto.state.exceptions import exceptions
from abasto.state.fold import fold, fold_anew
from abasto.state.members import CutBackError
from abasto.state.state import State
from abasto.state.story import history, ledger
from abasto.state.trace import trace
from abasto.state.types import Problematic

LATER, MUCH_LATER = "2026-11-25", "2026-12-20"


def endorsed(size: int, *, stewards: int = 1, threshold: int = 1) -> Crew:
    """Devices of a network in which only members count; the first ones are stewards."""
    return Crew(size, stewards=stewards, threshold=threshold, is_open=False)


def endorse(crew: Crew, who: int, role: str, *sites: str, by: int = 0, until: str = "", heir_of: int = -1) -> None:
    old = crew.devices[heir_of].key if heir_of >= 0 else ""
    crew.say(DeviceEndorsed(crew.devices[who].key, role, DAY, sites, until, old), by=by)
    crew.meet()


def cut_of(crew: Crew, who: int, entry: Entry | None) -> DeviceCut:
    """Return a cut of a device after one of its entries, or before all of them."""
    key = crew.devices[who].key
    return DeviceCut(key, 0, DAY) if entry is None else DeviceCut(key, entry.seq, DAY, last=entry.id)


def flour(state: State, site: str = "Store") -> int:
    return sum(state.books.balance(site, "flour").values())


def role(crew: Crew, who: int, *, day: str = DAY) -> str:
    grant = crew.state().members.role(crew.devices[who].key, day)
    return "" if grant is None else grant.role


def listed(state: State, kind: str) -> list[Problematic]:
    return [one for one in exceptions(state) if one.kind == kind]


def took_in(quantity: int = 1_000, site: str = "Store") -> GoodsTakenIn:
    return GoodsTakenIn(site, "flour", quantity, DAY)


def test_whoever_is_no_member_may_ask_to_join_and_nothing_else() -> None:
    crew = endorsed(2)
    [asked, said] = crew.say(DeviceAsked("School phone", DAY), took_in(), by=1)
    crew.meet()
    state = crew.state()
    assert flour(state) == 0
    assert state.members.names == {crew.devices[1].key: "School phone"}
    [one] = listed(state, "not allowed")
    assert (one.about, one.entries, one.who) == (crew.devices[1].key, (said.id,), "a steward")
    assert asked.id not in one.entries


def test_everybody_counts_in_an_open_network() -> None:
    crew = Crew(2)
    crew.say(took_in(), by=1)
    crew.meet()
    assert flour(crew.state()) == 1_000
    assert exceptions(crew.state()) == ()


def test_a_device_counts_from_its_endorsement_on() -> None:
    crew = endorsed(2)
    crew.say(took_in(), by=1)
    crew.meet()
    endorse(crew, 1, "reporter", "Store")
    crew.say(took_in(10_000), by=1)
    crew.meet()
    assert flour(crew.state()) == 10_000


def test_what_a_ref_says_is_not_spent_by_somebody_who_may_not_say_it() -> None:
    crew = endorsed(2)
    fact = GoodsTakenIn("Store", "flour", 5_000, DAY, ref="form 7")
    crew.say(fact, by=1)
    crew.meet()
    crew.say(fact)
    assert flour(crew.state()) == 5_000


@pytest.mark.parametrize(
    ("role", "said"),
    [
        ("reader", {"asked"}),
        (
            "reporter",
            {"asked", "count", "hand out", "accept", "load", "receive", "undo own", "answer", "note"},
        ),
        (
            "allocator",
            {
                "asked", "count", "count elsewhere", "hand out", "row", "order", "accept", "load", "receive", "cancel",
                "undo own", "undo row", "answer", "answer elsewhere", "note", "settle", "receive elsewhere",
            },
        ),
        (
            "steward",
            {
                "asked", "count", "count elsewhere", "hand out", "row", "order", "accept", "load", "receive", "cancel",
                "undo own", "undo row", "answer", "answer elsewhere", "note", "settle", "receive elsewhere", "endorse",
                "recognise",
            },
        ),
    ],
)  # fmt: skip
def test_what_a_role_may_say(role: str, said: set[str]) -> None:
    crew = endorsed(2)
    endorse(crew, 1, role, *(("Store",) if role == "reporter" else ()))
    [order] = crew.say(OrderIssued("Store", "School", "truck", 1, DAY, DAY, (Line("flour", 10),), DAY))
    [row] = crew.say(RowSet("sites", {"site": "Shed"}, DAY))
    [count] = crew.say(StockCounted("Store", "flour", 9_000, DAY))
    crew.meet()
    lines = (Line("flour", 10),)
    facts: dict[str, Fact] = {
        "asked": DeviceAsked("phone", DAY),
        "count": StockCounted("Store", "flour", 7_000, DAY),
        "count elsewhere": StockCounted("School", "flour", 7_000, DAY),
        "hand out": GoodsHandedOut("Store", "flour", 10, DAY),
        "row": RowSet("sites", {"site": "Barn"}, DAY),
        "order": OrderIssued("Store", "School", "truck", 1, DAY, DAY, lines, DAY),
        "accept": OrderAccepted(order.id, DAY),
        "load": OrderLoaded(order.id, lines, DAY),
        "receive": OrderReceived(order.id, "Store", lines, DAY, more_to_come=True),
        "receive elsewhere": OrderReceived(order.id, "School", lines, DAY, more_to_come=True),
        "cancel": OrderCancelled(order.id, DAY),
        "undo own": EntryReversed(count.id, DAY),
        "undo row": EntryReversed(row.id, DAY),
        "answer": AlarmAnswered("runs out/Store/flour", "taken", DAY),
        "answer elsewhere": AlarmAnswered("runs out/School/flour", "taken", DAY),
        "note": NoteWritten("seen", DAY),
        "settle": NoteWritten("seen", DAY, settles=("Z" * 42 + "A",)),
        "endorse": DeviceEndorsed("Z" * 42 + "A", "reader", DAY),
        "recognise": NetworkRecognised("Z" * 42 + "A", "Norte", DAY),
    }
    entries = crew.say(*facts.values(), by=1)
    outcomes = {told.entry.id: told.outcome for told in crew.told(by=1)}
    allowed = {name for name, entry in zip(facts, entries, strict=True) if outcomes[entry.id] != "not allowed"}
    assert allowed == said


def test_a_role_ends_with_its_last_day() -> None:
    crew = endorsed(2)
    endorse(crew, 1, "reporter", "Store", until=LATER)
    crew.say(GoodsTakenIn("Store", "flour", 1_000, LATER), GoodsTakenIn("Store", "flour", 7, "2026-11-26"), by=1)
    crew.meet()
    assert flour(crew.state()) == 1_000
    assert role(crew, 1, day=LATER) == "reporter"
    assert role(crew, 1, day=MUCH_LATER) == ""


def test_a_second_steward_takes_the_first_one_and_a_third_takes_both() -> None:
    crew = endorsed(4, threshold=2)
    endorse(crew, 1, "steward")
    assert role(crew, 1) == "steward"
    endorse(crew, 2, "steward")
    assert role(crew, 2) == ""
    [proposal] = crew.state().members.proposals()
    assert proposal.stewards == (crew.devices[0].key,)
    endorse(crew, 2, "steward")  # The same one twice is one.
    assert role(crew, 2) == ""
    endorse(crew, 2, "steward", by=1)
    assert role(crew, 2) == "steward"
    endorse(crew, 3, "steward", by=2)
    endorse(crew, 3, "steward", by=1)
    assert role(crew, 3) == "steward"
    assert list(crew.state().members.proposals()) == []


def test_a_role_for_a_device_that_was_cut_off_is_proposed_no_more() -> None:
    crew = endorsed(4, stewards=3, threshold=2)
    endorse(crew, 3, "steward")
    for by in (1, 2):
        crew.say(cut_of(crew, 3, None), by=by)
        crew.meet()
    assert list(crew.state().members.proposals()) == []


def test_stewards_who_say_different_things_decide_nothing() -> None:
    crew = endorsed(4, stewards=3, threshold=2)
    endorse(crew, 3, "steward")
    endorse(crew, 3, "steward", by=1, until=MUCH_LATER)
    assert role(crew, 3) == ""


def test_what_somebody_said_counts_as_long_as_it_is_a_steward() -> None:
    crew = endorsed(4, stewards=3, threshold=2)
    endorse(crew, 3, "steward", by=1)
    head = crew.journals[1].store.heads()[crew.devices[1].key]
    crew.say(DeviceCut(crew.devices[1].key, head.seq, DAY, last=head.id), by=1)
    crew.meet()
    endorse(crew, 3, "steward")
    assert role(crew, 3) == ""
    endorse(crew, 3, "steward", by=2)
    assert role(crew, 3) == "steward"


def test_one_steward_cannot_take_the_role_of_another() -> None:
    crew = endorsed(3, stewards=3, threshold=2)
    endorse(crew, 1, "reader")
    assert role(crew, 1) == "steward"
    endorse(crew, 1, "reader", by=2)
    assert role(crew, 1) == "reader"


def test_a_cut_takes_back_what_came_before_it_was_known() -> None:
    crew = endorsed(3)
    endorse(crew, 1, "reporter", "Store")
    [first, second] = crew.say(took_in(1_000), took_in(20_000), by=1)
    crew.say(took_in(300), by=2)
    crew.meet()
    state = crew.state()
    assert flour(state) == 21_000
    crew.say(cut_of(crew, 1, first))
    after = crew.state()
    assert flour(after) == 1_000
    [one] = listed(after, "cut")
    assert (one.about, one.entries) == (crew.devices[1].key, (second.id,))
    assert role(crew, 1) == ""
    assert encode(fold(crew.journals[0].read())) == encode(after)
    assert encode(fold(crew.placed())) == encode(after)
    with pytest.raises(CutBackError):
        fold(iter(crew.placed()))
    with pytest.raises(CutBackError):
        fold(crew.journals[0].read(state.place), state)


def test_a_cut_of_what_is_not_the_entry_of_that_number_spares_the_ones_before_it() -> None:
    crew = endorsed(2)
    endorse(crew, 1, "reporter", "Store")
    [_, second] = crew.say(took_in(1_000), took_in(20_000), by=1)
    crew.meet()
    crew.say(DeviceCut(crew.devices[1].key, second.seq, DAY, last="Z" * 42 + "A"))
    assert flour(crew.state()) == 1_000


def test_of_two_cuts_the_smaller_counts_and_a_cut_device_is_not_endorsed_again() -> None:
    crew = endorsed(2)
    endorse(crew, 1, "reporter", "Store")
    [first, second] = crew.say(took_in(1_000), took_in(20_000), by=1)
    crew.meet()
    crew.say(cut_of(crew, 1, second), cut_of(crew, 1, first), cut_of(crew, 1, second))
    crew.meet()
    assert flour(crew.state()) == 1_000
    endorse(crew, 1, "reporter", "Store")
    crew.say(took_in(500), by=1)
    crew.meet()
    assert flour(crew.state()) == 1_000
    assert role(crew, 1) == ""


def test_cuts_of_stewards_take_as_many_as_the_founding_says() -> None:
    crew = endorsed(3, stewards=3, threshold=2)
    [said] = crew.say(took_in(), by=2)
    crew.meet()
    crew.say(cut_of(crew, 2, None), by=1)
    crew.meet()
    assert flour(crew.state()) == 1_000
    crew.say(cut_of(crew, 2, said))
    crew.meet()
    assert role(crew, 2) == "steward"
    crew.say(cut_of(crew, 2, None))
    crew.meet()
    assert flour(crew.state()) == 0
    assert role(crew, 2) == ""


def test_what_a_cut_steward_endorsed_after_its_last_valid_entry_falls_with_it() -> None:
    crew = endorsed(5, stewards=3, threshold=2)
    last = crew.say(NoteWritten("fine", DAY), by=2)[0]
    endorse(crew, 3, "reporter", "Store", by=2)
    crew.say(took_in(), by=3)
    crew.meet()
    assert flour(crew.state()) == 1_000
    crew.say(cut_of(crew, 2, last), by=0)
    crew.say(cut_of(crew, 2, last), by=1)
    crew.meet()
    assert flour(crew.state()) == 0
    assert role(crew, 3) == ""


def test_a_device_may_cut_itself_from_there_on_and_take_back_nothing() -> None:
    crew = endorsed(2)
    endorse(crew, 1, "reporter", "Store")
    [said] = crew.say(took_in(), by=1)
    crew.say(DeviceCut(crew.devices[1].key, 0, DAY), by=1)
    crew.meet()
    assert (flour(crew.state()), role(crew, 1)) == (1_000, "reporter")
    head = crew.journals[1].store.heads()[crew.devices[1].key]
    crew.say(DeviceCut(crew.devices[1].key, head.seq, DAY, last=head.id), by=1)
    crew.say(took_in(), by=1)
    crew.meet()
    assert (flour(crew.state()), role(crew, 1)) == (1_000, "")
    assert said.seq == 1


def test_a_lone_steward_cannot_take_back_what_it_said_itself() -> None:
    crew = endorsed(1)
    crew.say(took_in())
    crew.say(cut_of(crew, 0, None))
    assert (flour(crew.state()), role(crew, 0)) == (1_000, "steward")


def test_a_new_device_takes_over_from_a_lost_one_when_enough_stewards_say_so() -> None:
    crew = endorsed(4, stewards=3, threshold=2)
    endorse(crew, 3, "steward", heir_of=2)
    assert (role(crew, 2), role(crew, 3)) == ("steward", "")
    endorse(crew, 3, "steward", by=1, heir_of=2)
    assert (role(crew, 2), role(crew, 3)) == ("", "steward")
    assert crew.state().members.heirs == {crew.devices[2].key: crew.devices[3].key}


def test_a_fork_is_listed_with_both_entries_as_its_proof() -> None:
    crew = endorsed(2)
    endorse(crew, 1, "reporter", "Store")
    [first] = crew.say(took_in(), by=1)
    other = crew.forge(by=1, seq=1, prev="A" * 43, kind="goods.taken_in", body=body_of(took_in(9_000)))
    crew.meet()
    state = crew.state()
    [fork] = listed(state, "fork")
    assert set(fork.entries) == {first.id, other.id}
    assert flour(state) == 0


def test_an_entry_before_the_founding_counts_nowhere() -> None:
    """A stranger may sign with the smallest counter, and try until its id sorts before the founding's."""
    crew = endorsed(2)
    journal = crew.journals[0]
    fields = {"seq": 1, "prev": NOTHING, "deps": (), "lc": 1, "kind": "goods.taken_in", "body": body_of(took_in())}
    made = (make_entry(crew.devices[1], network=journal.network, time=time, **fields) for time in range(10_000))  # type: ignore[arg-type]
    early = next(one for one in made if one.entry.id < journal.network)
    journal.store.add([early])
    state = crew.state()
    assert crew.placed()[0].entry == early.entry
    assert flour(state) == 0
    assert listed(state, "not allowed")


def test_stories_and_ledgers_leave_out_what_was_cut() -> None:
    crew = endorsed(2)
    endorse(crew, 1, "reporter", "Store")
    [first, second] = crew.say(took_in(1_000), took_in(20_000), by=1)
    crew.meet()
    crew.say(cut_of(crew, 1, first))
    journal, cuts = crew.journals[0], crew.state().members.cuts
    assert [line.change for line in ledger(journal.read(), "Store", "flour", cuts=cuts)] == [1_000]
    assert [line.change for line in trace(journal.read, site="Store", good="flour", lot="", cuts=cuts)] == [1_000]
    assert second.id not in {line.entry for line in history(journal.read(), site="Store", cuts=cuts)}
    [told] = history(journal.read(), entry=second.id, cuts=cuts)
    assert told.words.endswith("[not applied: cut]")


@pytest.mark.parametrize(
    "fact",
    [
        DeviceEndorsed("Z" * 42 + "A", "boss", DAY),
        DeviceEndorsed("Z" * 43, "reader", DAY),
        DeviceEndorsed("Z" * 42 + "A", "reporter", DAY),
        DeviceEndorsed("Z" * 42 + "A", "steward", DAY, ("Store",)),
        DeviceEndorsed("Z" * 42 + "A", "steward", DAY, succeeds="Z" * 42 + "A"),
        DeviceCut("Z" * 42 + "A", 3, DAY),
        DeviceCut("Z" * 42 + "A", 0, DAY, last="Z" * 42 + "A"),
        DeviceCut("Z" * 42 + "A", -1, DAY, last="Z" * 42 + "A"),
    ],
)
def test_a_body_that_says_nothing_of_a_member_cannot_be_written(fact: Fact) -> None:
    with pytest.raises(FactError):
        body_of(fact)


# Random histories: devices that endorse, cut, replace, fork and report, and meet only now and then.

ROLES = (
    ("reader", ()),
    ("reporter", ("Store",)),
    ("reporter", ("Store", "School")),
    ("allocator", ()),
    ("steward", ()),
)


def any_membership(rng: Random, crew: Crew, by: int) -> Fact:
    """Return a fact such as devices of a troubled network say."""
    journal = crew.journals[by]
    key = rng.choice(crew.devices).key
    if rng.random() < 0.4:
        return GoodsTakenIn(rng.choice(("Store", "School")), "flour", 2 ** rng.randrange(12), DAY)
    if rng.random() < 0.12:
        return DeviceAsked(f"phone {rng.randrange(5)}", DAY)
    if rng.random() < 0.6:
        role, sites = rng.choice(ROLES)
        until = rng.choice(("", "", LATER))
        day = rng.choice((DAY, DAY, MUCH_LATER))
        other = rng.choice(crew.devices).key
        heir_of = other if rng.random() < 0.2 and other != key else ""
        return DeviceEndorsed(key, role, day, sites, until, heir_of)
    said = [placed.entry for placed in journal.read() if placed.entry.author == key]
    if not said or rng.random() < 0.2:
        return DeviceCut(key, 0, DAY)
    last = said[-1] if rng.random() < 0.4 else rng.choice(said)
    return DeviceCut(key, last.seq, rng.choice((DAY, MUCH_LATER)), last=last.id)


def troubled(seed: int, *, length: int) -> Crew:
    """Return devices that said `length` such things; many say what another has just said, as people do."""
    rng = Random(seed)
    size = rng.randrange(3, 7)
    stewards = rng.randrange(1, size)
    threshold = rng.randrange(1, 4)
    crew = Crew(size, stewards=stewards, threshold=threshold, is_open=rng.random() < 0.2)
    said: list[Fact] = []
    for _ in range(length):
        by = rng.randrange(size)
        again = [fact for fact in said[-6:] if isinstance(fact, DeviceCut | DeviceEndorsed)]
        fact = rng.choice(again) if again and rng.random() < 0.5 else any_membership(rng, crew, by)
        said.append(fact)
        crew.say(fact, by=by)
        if rng.random() < 0.25:
            crew.meet(*rng.sample(range(size), 2))
    if seed % 4 == 0:
        head = crew.journals[1].store.heads().get(crew.devices[1].key)
        if head is not None and head.seq > 1:
            body = body_of(NoteWritten("forked", DAY))
            crew.forge(by=1, seq=head.seq, prev="Z" * 42 + "A", lc=head.lc, kind="note.written", body=body)
    crew.meet()
    return crew


def check_members(seed: int, *, length: int, ways: int) -> tuple[int, int]:
    """Compare the fold with the second computation, and with folds of the same entries in other ways.

    Returns how many cuts there are, and how often one reached back where a fold went on.
    """
    crew = troubled(seed, length=length)
    placed = crew.placed()
    state = fold_anew(crew.journals[0].read)
    expected = encode(state)
    _compare_with_second(state, placed)
    back = 0
    for number in range(0, len(placed), 5):
        before = fold_anew(lambda number=number: placed[:number])  # type: ignore[misc]
        try:
            after = fold(placed[number:], decode(encode(before)))
        except CutBackError as error:
            back += 1
            after = fold_anew(lambda: placed, error.cuts)
        assert encode(after) == expected
    rng = Random(seed + 1)
    everything = crew.everything()
    for _ in range(ways):
        order = [*everything, *rng.sample(everything, len(everything) // 3)]
        rng.shuffle(order)
        journal = received([])
        seen: State | None = None
        while order:
            count = rng.randrange(1, len(order) // 2 + 2)
            journal.receive(order[:count])
            order = order[count:]
            seen = cycle.read_state(journal)  # Keeps a snapshot each time, and goes on from it while it is valid.
        assert seen is not None
        assert encode(seen) == expected
    return len(state.members.cuts), back


def _compare_with_second(state: State, placed: list[Placed]) -> None:
    roles, cuts = members_of(placed)
    members = state.members
    assert {key: (one.role, one.sites, one.until) for key, one in members.grants.items()} == roles
    assert {key: (cut.seq, cut.last, cut[2:]) for key, cut in members.cuts.items()} == cuts
    for author in state.authors.all():
        mine = [one.entry for one in placed if one.entry.author == author.key]
        after = [entry for entry in mine if not counted(entry, cuts)]
        assert author.refused.get("cut", [0])[0] <= len(after)
        if not set(author.refused) & {"fork", "gap", "out of order"}:
            assert author.refused.get("cut", [0])[0] == len(after)


def test_any_way_gives_the_same_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "SNAPSHOT_AFTER", 1)
    found = [check_members(seed, length=40, ways=2) for seed in range(30)]
    # What is compared has to be there: cuts, and cuts that take back what a fold had applied.
    assert sum(cuts for cuts, _ in found) > 20
    assert sum(back for _, back in found) > 20


@pytest.mark.soak
def test_any_way_gives_the_same_members_soak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycle, "SNAPSHOT_AFTER", 1)
    for seed in range(1_000, 1_060):
        check_members(seed, length=80, ways=4)
