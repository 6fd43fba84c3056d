"""Two networks that recognise each other: what one promises, the other counts on, receives and tells back."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from abasto.errors import AbastoError, EndlessError, FactError
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    DeviceCut,
    DeviceEndorsed,
    Fact,
    JointSaid,
    LetterHeard,
    Line,
    NetworkRecognised,
    OrderCancelled,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowSet,
    ShipmentPromised,
    ShipmentWithdrawn,
    StockCounted,
)
from abasto.journal.entry import Entry, Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device, text_of
from abasto.language import language
from abasto.letters import (
    EXPORTED,
    answering_for,
    due,
    exchange,
    exported,
    hear_bundle,
    heard,
    letters_of,
    post,
    tell_due,
    write_letters,
)
from abasto.letters.post import Picked
from abasto.membership import Membership
from abasto.situation.build import situation
from abasto.situation.incoming import arrival
from abasto.state.carried import order_doubts
from abasto.state.encode import decode, encode
from abasto.state.exceptions import exceptions
from abasto.state.fold import fold
from abasto.state.known import known
from abasto.state.letters import KEPT_EARLY, MOST_SAID, MOST_TOLD, Letters, sealed_letter, shipment_of
from abasto.state.permits import NotAllowedError, refuse_forbidden
from abasto.state.sayings import said
from abasto.state.state import State
from abasto.sync.bundle import open_bundle, write_bundle
from abasto.sync.exchange import pull, push, sync
from abasto.sync.messages import No, unpack

TODAY = date(2027, 3, 1)
DAY = TODAY.isoformat()
TOMORROW = (TODAY + timedelta(days=1)).isoformat()


@dataclass
class Member:
    """A network with one device that is its steward."""

    name: str
    journal: Journal

    @classmethod
    def founded(cls, name: str, number: int, rows: Sequence[Fact]) -> Member:
        journal = Journal(MemoryStore(), Device(bytes([number]) * 32))
        journal.found(name, date=DAY, time=0)
        journal.append([RowSet("network", {"name": name, "start": DAY, "days": "7"}, DAY), *rows], time=0)
        return cls(name, journal)

    def say(self, *facts: Fact) -> list[Entry]:
        return self.journal.append(facts, time=0)

    def state(self) -> State:
        return fold(self.journal.read())

    def post(self) -> list[Signed]:
        """Tell what is due, and return all that others may see."""
        facts = due(self.state(), TODAY)
        if facts:
            self.say(*facts)
        return list(exported(self.journal, self.state()).store.export())

    def hear(self, letters: Sequence[Signed]) -> list[str]:
        """Take in what came; return what was refused."""
        facts, refused = heard(self.state(), letters, TODAY)
        if facts:
            self.say(*facts)
        return refused


@pytest.fixture
def hills() -> Member:
    """It has flour, and knows the market of Vale."""
    return Member.founded(
        "Hills",
        1,
        [
            RowSet("goods", {"good": "flour"}, DAY),
            RowSet("sites", {"site": "Mill"}, DAY),
            RowSet("sites", {"site": "Market", "network": "Vale"}, DAY),
            RowSet("lanes", {"from": "Mill", "to": "Market", "km": "30"}, DAY),
            RowSet("fleets", {"fleet": "carts", "vehicles": "3", "payload_t": "1"}, DAY),
            StockCounted("Mill", "flour", 900_000, DAY),
        ],
    )


@pytest.fixture
def vale() -> Member:
    """It needs flour at its market."""
    return Member.founded(
        "Vale",
        2,
        [
            RowSet("goods", {"good": "flour"}, DAY),
            RowSet("sites", {"site": "Market", "people": "300"}, DAY),
            RowSet("needs", {"site": "Market", "good": "flour", "quantity": "50"}, DAY),
        ],
    )


def befriend(one: Member, other: Member) -> None:
    one.say(NetworkRecognised(other.journal.network, other.name, DAY))
    other.say(NetworkRecognised(one.journal.network, one.name, DAY))


def order(hills: Member, quantity: int = 200_000) -> str:
    lines = (Line("flour", quantity),)
    [entry] = hills.say(OrderIssued("Mill", "Market", "carts", 1, DAY, TOMORROW, lines, DAY))
    return entry.id


def test_receiving_at_home_what_goes_to_another_network_is_doubted(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    [own] = hills.state().letters.going
    lines = (Line("flour", 200_000),)
    [doubt] = order_doubts(hills.state(), OrderReceived(own, "Market", lines, TOMORROW))
    assert doubt.endswith("goes to Vale, which receives it itself, and its receipt comes here as a letter")
    assert list(order_doubts(hills.state(), OrderLoaded(own, lines, DAY))) == []
    assert list(order_doubts(vale.state(), OrderReceived(shipment, "Market", lines, TOMORROW))) == []


def promised(hills: Member, vale: Member) -> str:
    """Let Hills promise 200 kg and Vale hear it; return the shipment's id."""
    befriend(hills, vale)
    order(hills)
    assert vale.hear(hills.post()) == []
    [shipment] = vale.state().letters.coming
    return shipment


def stock(member: Member, site: str) -> int:
    return sum(member.state().books.balance(site, "flour").values())


def test_what_is_promised_is_counted_on_from_its_day(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    seen = known(vale.state(), TODAY)
    [way] = seen.orders
    assert (way.id, way.status) == (shipment, "loaded")
    [arrival] = [row for row in seen.network.stocks if row.site in seen.order_of]
    assert (arrival.good, arrival.quantity) == ("flour", 200)
    [lane] = [row for row in seen.network.lanes if row.from_site == arrival.site]
    assert (lane.to_site, lane.lead_days) == ("Market", 1)
    assert seen.problems == (), "its carts are theirs"


def test_received_goods_are_booked_once_on_either_side(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    [own] = hills.state().letters.going
    hills.say(OrderLoaded(own, (Line("flour", 200_000),), DAY))
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 190_000),), TOMORROW))
    assert stock(vale, "Market") == 190_000
    assert vale.state().books.on_the_way(shipment) == {}
    hills.hear(vale.post())
    assert hills.state().orders[own].status == "received"
    assert (stock(hills, "Mill"), stock(hills, "Market")) == (700_000, 0)
    assert hills.state().books.on_the_way(own) == {}
    for member in (hills, vale):
        hills.hear(vale.post())
        vale.hear(hills.post())
        assert {one.kind for one in exceptions(member.state())} == {"order difference"}, "10 kg are missing on the way"


def test_posting_and_hearing_again_changes_nothing(hills: Member, vale: Member) -> None:
    promised(hills, vale)
    before = encode(vale.state())
    vale.hear(hills.post())
    assert encode(vale.state()) == before
    assert len(hills.state().letters.going) == 1


def test_a_letter_that_two_devices_take_in_counts_once(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    twice = [sealed_letter(signed, date=DAY) for signed in hills.post()]
    vale.say(*twice)
    assert sum(vale.state().books.on_the_way(shipment).values()) == 200_000


def test_a_withdrawn_shipment_is_counted_on_no_more(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    [own] = hills.state().letters.going
    hills.say(OrderCancelled(own, DAY, "the road is closed"))
    vale.hear(hills.post())
    assert vale.state().orders[shipment].status == "cancelled"
    assert vale.state().books.on_the_way(shipment) == {}
    assert known(vale.state(), TODAY).orders == ()
    assert due(hills.state(), TODAY) == []


def test_only_who_promised_withdraws(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    vale.say(OrderCancelled(shipment, DAY))
    assert vale.state().orders[shipment].status == "loaded"
    third = Member.founded("Coast", 3, [])
    befriend(third, vale)
    third.say(ShipmentWithdrawn(shipment, DAY))
    vale.hear(third.post())
    assert vale.state().orders[shipment].status == "loaded"


def test_who_withdraws_what_it_is_promised_before_the_promise_is_known_changes_nothing(
    hills: Member, vale: Member
) -> None:
    befriend(hills, vale)
    own = order(hills)
    vale.say(ShipmentWithdrawn(shipment_of(hills.journal.network, own), DAY))
    assert hills.hear(vale.post()) == []
    vale.hear(hills.post())
    assert list(hills.state().letters.going) == [own]
    assert hills.state().orders[own].status == "issued"
    assert shipments(vale) == 1


def test_a_steward_abroad_to_whom_nothing_can_be_sealed_keeps_no_letters_from_being_written(
    hills: Member, vale: Member, tmp_path: Path
) -> None:
    befriend(hills, vale)
    vale.say(DeviceEndorsed(text_of(bytes(32)), "steward", DAY))
    hills.hear(vale.post())
    assert len(hills.state().letters.stewards(vale.journal.network)) == 2
    order(hills)

    def read(journal: Journal) -> State:
        return fold(journal.read())

    write_letters(hills.journal, tmp_path / "letters.abasto", [], TODAY, read=read)
    bundle = open_bundle(tmp_path / "letters.abasto", seed=bytes([2]) * 32)
    assert hear_bundle(vale.journal, bundle, TODAY, read=read).refused == []
    assert shipments(vale) == 1


def test_a_receipt_from_abroad_at_a_place_of_ours_moves_nothing_there(hills: Member, vale: Member) -> None:
    hills.say(StockCounted("Mill", "flour", 900_000, DAY, TOMORROW))
    shipment = promised(hills, vale)
    before = hills.state().books.balance("Mill", "flour")
    [entry] = vale.say(OrderReceived(shipment, "Mill", (Line("flour", 500_000),), DAY))
    signed = vale.journal.store.get(entry.id)
    assert signed is not None
    hills.hear([*vale.post(), signed])
    assert hills.state().books.balance("Mill", "flour") == before
    assert [one.status for one in hills.state().orders.values()] == ["issued"]


def test_a_receipt_of_what_was_promised_and_never_ordered_moves_nothing_at_a_place_of_ours(
    hills: Member, vale: Member
) -> None:
    """So it is with an order whose author was cut off: the promise of it stands."""
    hills.say(StockCounted("Mill", "flour", 900_000, DAY, TOMORROW))
    befriend(hills, vale)
    hills.say(ShipmentPromised(vale.journal.network, "x", "Market", DAY, DAY, (Line("flour", 1_000),), DAY))
    before = hills.state().books.balance("Mill", "flour")
    [entry] = vale.say(OrderReceived(shipment_of(hills.journal.network, "x"), "Mill", (Line("flour", 500_000),), DAY))
    signed = vale.journal.store.get(entry.id)
    assert signed is not None
    hills.hear([*vale.post(), signed])
    assert hills.state().books.balance("Mill", "flour") == before


def test_a_promise_that_takes_as_long_as_the_calendar_lets_the_situation_be_seen(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    first, last, lines = "0001-01-01", "9999-12-31", (Line("flour", 1_000),)
    hills.say(ShipmentPromised(vale.journal.network, "x", "Market", first, last, lines, DAY))
    hills.say(OrderLoaded("x", lines, DAY))
    assert vale.hear(hills.post()) == []
    [shipment] = vale.state().letters.coming
    assert vale.state().orders[shipment].status == "loaded"
    assert arrival(vale.state().orders[shipment], TODAY) == date.max
    situation(vale.state(), TODAY)


def test_no_site_book_or_fleet_of_ours_is_in_what_others_see(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    order(hills)
    seen = b"".join(signed.raw for signed in hills.post())
    assert b"Market" in seen
    for secret in (b"Mill", b"carts", b"900000"):
        assert secret not in seen
    kinds = {placed.entry.kind for placed in exported(hills.journal, hills.state()).read()}
    assert kinds <= set(EXPORTED)


def test_own_receipts_stay_at_home(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    vale.say(RowSet("sites", {"site": "Store"}, DAY), StockCounted("Store", "flour", 10_000, DAY))
    [entry] = vale.say(OrderIssued("Store", "Market", "feet", 1, DAY, DAY, (Line("flour", 5_000),), DAY))
    vale.say(OrderReceived(entry.id, "Market", (Line("flour", 5_000),), DAY))
    assert not any(b"order.received" in signed.raw for signed in vale.post())


def test_who_is_not_recognised_is_not_heard(hills: Member, vale: Member) -> None:
    hills.say(NetworkRecognised(vale.journal.network, "Vale", DAY))
    order(hills)
    refused = vale.hear(hills.post())
    assert refused
    assert all("not recognised" in one for one in refused)
    vale.say(*[sealed_letter(signed, date=DAY) for signed in hills.post()])
    assert vale.state().letters.coming == {}


def test_a_device_that_does_not_speak_for_its_network_promises_nothing(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    stranger = Journal(MemoryStore(), Device(bytes([9]) * 32))
    stranger.receive(hills.journal.store.export())
    lines = (Line("flour", 10**9),)
    stranger.append([ShipmentPromised(vale.journal.network, "x", "Market", DAY, DAY, lines, DAY)], time=0)
    vale.hear([signed for signed in stranger.store.export() if b"promised" in signed.raw or b"founded" in signed.raw])
    assert vale.state().letters.coming == {}


def test_what_counts_for_nothing_is_not_taken_in_however_often_it_comes(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    stranger = Journal(MemoryStore(), Device(bytes([9]) * 32))
    stranger.receive(hills.journal.store.export())
    lines = (Line("flour", 10**9),)
    promises = [ShipmentPromised(vale.journal.network, f"{n}", "Market", DAY, DAY, lines, DAY) for n in range(20)]
    stranger.append(promises, time=0)
    flood = [signed for signed in stranger.store.export() if b"promised" in signed.raw]
    vale.hear(hills.post())
    before = vale.journal.store.count()
    for _ in range(3):
        assert len(vale.hear(flood)) == 20
    assert vale.journal.store.count() == before


def test_of_one_network_only_so_many_letters_are_taken_in(
    hills: Member, vale: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abasto.state.letters.MOST_HEARD", 5)
    befriend(hills, vale)
    for _ in range(8):
        order(hills, 1_000)
    refused = vale.hear(hills.post())
    assert (len(vale.state().letters.heard), len(refused)) == (5, 4)
    assert all("no room" in one for one in vale.hear(hills.post()))
    assert len(vale.state().letters.heard) == 5


def test_two_devices_that_take_in_other_letters_have_no_more_of_them_together(
    hills: Member, vale: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abasto.state.letters.MOST_HEARD", 5)
    befriend(hills, vale)
    other = second(vale)
    for _ in range(8):
        order(hills, 1_000)
    founding, *promises = hills.post()
    vale.hear([founding, *promises[:4]])
    other.hear([founding, *promises[4:]])
    meet(vale, other)
    assert len(vale.state().letters.heard) == 5
    assert encode(vale.state()) == encode(other.state())


@pytest.mark.parametrize("bound", [("MOST_HEARD", 20), ("MOST_BYTES", 1_400)])
@pytest.mark.parametrize("way", ["asked", "asks", "stick"])
def test_of_letters_that_come_without_end_no_more_are_held_than_there_is_room_for(
    hills: Member, vale: Member, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bound: tuple[str, int], way: str
) -> None:
    """Whoever speaks for a network, or is asked in its name, can sign as many as it likes."""
    monkeypatch.setattr(sys.modules["abasto.letters.post"], *bound)
    befriend(hills, vale)
    hills.say(*(JointSaid(DAY, f"{number}", DAY) for number in range(200)))
    held: list[Journal] = []

    def remembered(*args: Any, **options: Any) -> Journal:
        held.append(letters_of(*args, **options))
        return held[-1]

    def read(journal: Journal) -> State:
        return fold(journal.read())

    monkeypatch.setattr(sys.modules["abasto.letters.exchange"], "letters_of", remembered)
    outbox = exported(hills.journal, hills.state())
    if way == "asked":
        ask = answering_for(hills.journal, read=read, today=lambda: TODAY)(key_of(vale))
        exchange(vale.journal, ask, hills.journal.network, TODAY, read=read)
    elif way == "asks":
        push(outbox, answering_for(vale.journal, read=read, today=lambda: TODAY)(key_of(hills)))
    else:
        write_bundle(outbox, tmp_path / "letters.abasto", readers=[key_of(vale)])
        bundle = open_bundle(tmp_path / "letters.abasto", seed=bytes([2]) * 32)
        assert hear_bundle(vale.journal, bundle, TODAY, read=read).refused
    assert 15 <= max(one.store.count() for one in held) <= 25
    assert 15 <= len(vale.state().letters.heard) <= 25


def test_letters_that_came_before_the_other_side_was_cut_off_are_kept(
    hills: Member, vale: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    befriend(hills, vale)
    for _ in range(5):
        order(hills)
    hills.post()
    monkeypatch.setattr(sys.modules["abasto.sync.messages"], "MOST_ENTRIES", 1)
    monkeypatch.setattr(sys.modules["abasto.sync.exchange"], "MOST_QUESTIONS", 4)

    def read(journal: Journal) -> State:
        return fold(journal.read())

    ask = answering_for(hills.journal, read=read, today=lambda: TODAY)(key_of(vale))
    with pytest.raises(EndlessError):
        exchange(vale.journal, ask, hills.journal.network, TODAY, read=read)
    assert shipments(vale) == 2


def test_a_steward_abroad_that_endorses_without_end_keeps_nobody_busy(
    hills: Member, vale: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who speaks for a network is judged anew with each letter about it; 2,000 would take every device two minutes."""
    monkeypatch.setattr("abasto.state.letters.MOST_DECIDING", 5)
    befriend(hills, vale)
    made = hills.say(*(DeviceEndorsed(text_of(bytes([number]) * 32), "reader", DAY) for number in range(20)))
    order(hills)
    flood = [signed for entry in made if (signed := hills.journal.store.get(entry.id)) is not None]
    refused = vale.hear([*hills.post(), *flood])
    assert len(refused) == 16
    assert all("no room for more" in one for one in refused)
    assert len(vale.state().letters.deciding[hills.journal.network]) == 5
    assert shipments(vale) == 1, "what else it says is heard"


@pytest.mark.parametrize("is_early", [False, True])
def test_of_one_shipment_only_so_much_counts_that_its_network_tells(
    hills: Member, vale: Member, monkeypatch: pytest.MonkeyPatch, is_early: bool
) -> None:
    """Each load may bring a hundred lots more, and all were added up with each: a thousand took minutes."""
    monkeypatch.setattr("abasto.state.letters.MOST_TOLD", 5)
    befriend(hills, vale)
    own = order(hills)
    promise, *others = hills.post()[::-1]
    if not is_early:
        vale.hear([*others, promise])
    made = hills.say(*(OrderLoaded(own, (Line("flour", 1_000),), DAY) for _ in range(20)))
    vale.hear([*others, *(signed for one in made if (signed := hills.journal.store.get(one.id)) is not None)])
    vale.hear([promise])
    [shipment] = vale.state().letters.coming
    assert vale.state().orders[shipment].loaded == (Line("flour", 5_000, ""),)
    [other] = vale.state().letters.coming.values()
    assert kept(vale.state().letters).coming[shipment] == other


def test_of_one_shipment_only_so_many_receipts_count(
    hills: Member, vale: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abasto.state.letters.MOST_TOLD", 5)
    shipment = promised(hills, vale)
    receipt = OrderReceived(shipment, "Market", (Line("flour", 1_000),), DAY, more_to_come=True)
    vale.say(*(receipt for _ in range(20)))
    hills.hear(vale.post())
    [sent] = hills.state().orders.values()
    assert sent.received == (Line("flour", 5_000, ""),)


def test_a_forged_letter_is_listed_and_not_applied(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    order(hills)
    letters = hills.post()
    forged = [Signed(signed.raw.replace(b"200000", b"900000"), signed.signature) for signed in letters]
    assert any(one.raw != other.raw for one, other in zip(forged, letters, strict=True))
    assert any("signature" in one for one in vale.hear(forged))
    vale.say(*[sealed_letter(signed, date=DAY) for signed in forged])
    assert vale.state().letters.coming == {}
    assert "malformed" in {one.kind for one in exceptions(vale.state())}


def test_what_is_said_on_the_way_to_a_joint_plan_is_kept_by_session(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    for number in range(5):
        hills.say(
            JointSaid(f"2027-03-0{number + 1}", f"map {number}", DAY), JointSaid(f"2027-03-0{number + 1}", "x", DAY)
        )
    vale.hear(hills.post())
    vale.hear(hills.post())
    for member in (hills, vale):
        said = member.state().letters.said[hills.journal.network]
        told = {session: list(messages) for session, messages in said.items()}
        assert told == {f"2027-03-0{number + 1}": [f"map {number}", "x"] for number in (2, 3, 4)}


def test_what_was_heard_can_be_exchanged_again(hills: Member, vale: Member) -> None:
    promised(hills, vale)
    theirs = letters_of(vale.journal, vale.state(), hills.journal.network)
    assert theirs.network == hills.journal.network
    assert {s.raw for s in theirs.store.export()} == {s.raw for s in hills.post()}


def test_a_state_with_letters_is_kept_and_read_back(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 200_000),), TOMORROW))
    hills.hear(vale.post())
    for member in (hills, vale):
        state = member.state()
        assert encode(decode(encode(state))) == encode(state)


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_arrival_comes_to_the_same(hills: Member, vale: Member, seed: int) -> None:
    from random import Random

    shipment = promised(hills, vale)
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 200_000),), TOMORROW))
    entries = list(vale.journal.store.export())
    Random(seed).shuffle(entries)
    other = Journal(MemoryStore())
    for one in entries:
        other.receive([one])
    assert other.store.count() == len(entries)
    assert encode(fold(other.read())) == encode(vale.state())


def test_a_letter_too_long_for_an_entry_is_a_clear_error(vale: Member) -> None:
    with pytest.raises(FactError, match="12000 bytes"):
        vale.say(LetterHeard("x" * 12_001, "A" * 86, DAY))


def test_what_was_loaded_takes_the_place_of_what_was_promised(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    [own] = hills.state().letters.going
    hills.say(OrderLoaded(own, (Line("flour", 120_000),), TOMORROW))
    vale.hear(hills.post())
    assert sum(vale.state().books.on_the_way(shipment).values()) == 120_000
    hills.say(OrderLoaded(own, (Line("flour", 50_000),), TOMORROW))
    vale.hear(hills.post())
    assert sum(vale.state().books.on_the_way(shipment).values()) == 170_000
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 170_000),), TOMORROW))
    hills.hear(vale.post())
    for member in (hills, vale):
        assert exceptions(member.state()) == ()
    assert stock(hills, "Mill") == 730_000


def test_what_was_received_before_the_loading_is_heard_settles_once_it_is(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    [own] = hills.state().letters.going
    hills.say(OrderLoaded(own, (Line("flour", 150_000),), TOMORROW))
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 150_000),), TOMORROW))
    assert {one.kind for one in exceptions(vale.state())} == {"order difference"}
    vale.hear(hills.post())
    assert exceptions(vale.state()) == ()
    assert vale.state().books.on_the_way(shipment) == {}
    assert stock(vale, "Market") == 150_000


def test_a_load_that_is_heard_before_its_promise_counts_once_that_comes(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    hills.say(OrderLoaded(own, (Line("flour", 150_000),), DAY))
    letters = hills.post()
    loaded = [signed for signed in letters if b"order.loaded" in signed.raw or b"founded" in signed.raw]
    vale.hear(loaded)
    assert vale.state().letters.coming == {}
    vale.hear(letters)
    [shipment] = vale.state().letters.coming
    assert sum(vale.state().books.on_the_way(shipment).values()) == 150_000
    assert encode(decode(encode(vale.state()))) == encode(vale.state())


def second(hills: Member, number: int = 8) -> Member:
    """Return another device of Hills, which nobody has endorsed."""
    journal = Journal(MemoryStore(), Device(bytes([number]) * 32))
    journal.receive(hills.journal.store.export())
    return Member("Hills", journal)


def key_of(member: Member) -> str:
    assert member.journal.device is not None
    return member.journal.device.key


def meet(one: Member, other: Member) -> None:
    one.journal.receive(other.journal.store.export())
    other.journal.receive(one.journal.store.export())


def shipments(vale: Member) -> int:
    return len(vale.state().letters.coming)


def test_a_steward_endorsed_later_speaks_and_one_cut_off_does_not(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    other = second(hills)
    hills.say(DeviceEndorsed(key_of(other), "steward", DAY))
    meet(hills, other)
    order(other)
    assert vale.hear(other.post()) == []
    assert shipments(vale) == 1
    assert vale.state().letters.stewards(hills.journal.network) == tuple(sorted((key_of(hills), key_of(other))))
    last = other.journal.store.heads()[key_of(other)]
    hills.say(DeviceCut(key_of(other), last.seq, DAY, last.id, "lost"))
    vale.hear(hills.post())
    assert vale.state().letters.stewards(hills.journal.network) == (key_of(hills),)
    order(other)
    facts = due(other.state(), TODAY)
    other.say(*facts)
    thief = [signed for signed in other.journal.store.export() if b"shipment.promised" in signed.raw]
    vale.hear(thief)
    assert shipments(vale) == 1


def ended(hills: Member, other: Member) -> None:
    """Let another device of Hills be a steward until today, and say something today and tomorrow."""
    hills.say(DeviceEndorsed(key_of(other), "steward", DAY, until=DAY))
    meet(hills, other)


def joint(message: str, *, date: str) -> JointSaid:
    return JointSaid("2027-03-05", message, date)


def messages(vale: Member, hills: Member) -> list[str]:
    return list(vale.state().letters.said.get(hills.journal.network, {}).get("2027-03-05", ()))


def test_a_steward_whose_role_has_ended_speaks_no_more_abroad_until_it_is_endorsed_anew(
    hills: Member, vale: Member
) -> None:
    befriend(hills, vale)
    other = second(hills)
    ended(hills, other)
    other.say(joint("today", date=DAY), joint("tomorrow", date=TOMORROW))
    assert vale.hear(other.post()) == []
    assert messages(vale, hills) == ["today"]
    late = [signed for signed in other.journal.store.export() if b'"tomorrow"' in signed.raw]
    assert "does not speak for that network" in vale.hear(late)[0]
    meet(hills, other)
    hills.say(DeviceEndorsed(key_of(other), "steward", TOMORROW, until="2027-03-09"))
    meet(hills, other)
    other.say(joint("anew", date=TOMORROW))
    assert vale.hear(other.post()) == []
    assert messages(vale, hills) == ["today", "anew"]
    assert encode(decode(encode(vale.state()))) == encode(vale.state())


def test_a_steward_whose_role_has_ended_endorses_and_cuts_nobody_abroad(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    other, third = second(hills), second(hills, 9)
    ended(hills, other)
    other.say(DeviceEndorsed(key_of(third), "steward", TOMORROW), DeviceCut(key_of(hills), 0, TOMORROW))
    seen = [signed for signed in other.journal.store.export() if b"device." in signed.raw or b"founded" in signed.raw]
    vale.hear(seen)
    known = vale.state().letters
    assert set(known.stewards(hills.journal.network)) == {key_of(hills), key_of(other)}
    assert known.speakers[hills.journal.network].on(TOMORROW) == (key_of(hills),)
    assert other.state().members.stewards(TOMORROW) == [key_of(hills)], "as Hills judges itself"


def test_nothing_is_sealed_to_a_steward_abroad_whose_role_has_ended(
    hills: Member, vale: Member, tmp_path: Path
) -> None:
    befriend(hills, vale)
    other = second(hills)
    ended(hills, other)
    vale.hear(hills.post())
    for day, can_read in ((TODAY, True), (TODAY + timedelta(days=1), False)):
        path = tmp_path / f"{day}.abasto"
        write_letters(vale.journal, path, [], day, read=lambda journal: fold(journal.read()))
        try:
            open_bundle(path, seed=bytes([8]) * 32)
        except AbastoError:
            assert not can_read
        else:
            assert can_read


def test_nobody_makes_himself_a_steward_abroad(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    stranger = second(hills)
    stranger.say(DeviceEndorsed(key_of(stranger), "steward", DAY))
    order(stranger)
    stranger.say(*due(stranger.state(), TODAY))
    kinds = (b"founded", b"endorsed", b"promised")
    vale.hear([signed for signed in stranger.journal.store.export() if any(kind in signed.raw for kind in kinds)])
    assert shipments(vale) == 0
    assert vale.state().letters.stewards(hills.journal.network) == (key_of(hills),)


def test_of_members_only_stewards_are_seen_abroad(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    hills.say(DeviceEndorsed(key_of(second(hills, 7)), "reporter", DAY, ("Mill",)))
    hills.say(DeviceEndorsed(key_of(second(hills)), "steward", DAY))
    seen = b"".join(signed.raw for signed in hills.post())
    assert b"reporter" not in seen
    assert b"Mill" not in seen
    assert seen.count(b"device.endorsed") == 1


@pytest.mark.parametrize("seed", range(6))
def test_who_speaks_does_not_depend_on_the_order_in_which_letters_come(hills: Member, vale: Member, seed: int) -> None:
    from random import Random

    befriend(hills, vale)
    others = [second(hills, number) for number in (6, 7, 8)]
    for other in others:
        hills.say(DeviceEndorsed(key_of(other), "steward", DAY))
        meet(hills, other)
    last = hills.journal.store.heads()[key_of(hills)]
    others[0].say(DeviceCut(key_of(others[1]), 0, DAY, reason="lost"))
    meet(others[0], hills)
    letters = list(exported(hills.journal, hills.state()).store.export())
    Random(seed).shuffle(letters)
    founded_first = sorted(letters, key=lambda signed: b"network.founded" not in signed.raw)
    for _ in range(4):  # What was not understood yet comes again, as in any exchange.
        for signed in founded_first:
            vale.hear([signed])
    assert last.seq > 0
    expected = {key_of(hills), key_of(others[0]), key_of(others[2])}
    assert set(vale.state().letters.stewards(hills.journal.network)) == expected
    assert encode(decode(encode(vale.state()))) == encode(vale.state())


def kept(letters: Letters) -> Letters:
    """Return letters as they are after a state was kept and read back."""
    return Letters.from_plain(json.loads(json.dumps(letters.plain(), sort_keys=True)))


def test_which_early_letters_are_kept_does_not_depend_on_a_state_that_was_kept_between() -> None:
    shipments = [f"{number * 7919 % KEPT_EARLY:03}-{number}" for number in range(2 * KEPT_EARLY)]
    through, anew = Letters(), Letters()
    for number, shipment in enumerate(shipments):
        through.keep_early("network", shipment, [OrderLoaded.KIND, {}, DAY])
        anew.keep_early("network", shipment, [OrderLoaded.KIND, {}, DAY])
        if number % 50 == 0:
            anew = kept(anew)
    assert list(through.early["network"]) == list(anew.early["network"]) == shipments[-KEPT_EARLY:]


def test_a_network_that_says_much_of_shipments_nobody_promised_makes_forgotten_nothing_of_another() -> None:
    letters = Letters()
    letters.keep_early("honest", "shipment", [OrderLoaded.KIND, {}, DAY])
    for number in range(2 * KEPT_EARLY):
        letters.keep_early("loud", str(number), [OrderLoaded.KIND, {}, DAY])
    assert {network: len(shipments) for network, shipments in letters.early.items()} == {
        "honest": 1,
        "loud": KEPT_EARLY,
    }
    assert letters.take_early("loud", str(KEPT_EARLY - 1)) == []
    assert letters.take_early("honest", "shipment") == [[OrderLoaded.KIND, {}, DAY]]


def test_of_one_shipment_nobody_promised_only_so_much_is_kept() -> None:
    letters = Letters()
    for number in range(2 * MOST_TOLD):
        letters.keep_early("loud", "shipment", [OrderLoaded.KIND, {}, str(number)])
    assert [one[2] for one in letters.take_early("loud", "shipment")] == [str(number) for number in range(MOST_TOLD)]


def test_what_a_steward_abroad_says_without_end_in_a_session_is_kept_up_to_a_number(
    hills: Member, vale: Member
) -> None:
    befriend(hills, vale)
    hills.say(*(JointSaid(DAY, f"{number}", DAY) for number in range(2 * MOST_SAID)))
    vale.hear(hills.post())
    assert len(hills.state().letters.said[hills.journal.network][DAY]) == 2 * MOST_SAID, "its own are its own affair"
    assert list(vale.state().letters.said[hills.journal.network][DAY]) == [f"{number}" for number in range(MOST_SAID)]


def calls_of_fold(journal: Journal) -> int:
    """Return how many functions are called to fold a journal: what takes time, and does not depend on the machine."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    placed = list(journal.read())
    sys.setprofile(count)
    try:
        fold(iter(placed))
    finally:
        sys.setprofile(None)
    return calls


def lot(number: int) -> str:
    return (TODAY + timedelta(days=number)).isoformat()


FLOODS: dict[str, Callable[[str, str, int], Fact]] = {
    "loads before their promise": lambda network, order, n: OrderLoaded("other", (Line("flour", n + 1),), DAY),
    "loads of many shipments": lambda network, order, n: OrderLoaded(f"{n}", (Line("flour", 1),), DAY),
    "loads of a lot each": lambda network, order, n: OrderLoaded(order, (Line("flour", 1, lot(n)),), DAY),
    "withdrawals": lambda network, order, n: ShipmentWithdrawn(shipment_of(network, order), DAY, f"{n}"),
    "joint messages": lambda network, order, n: JointSaid(DAY, f"{n}", DAY),
    "sessions": lambda network, order, n: JointSaid(f"{n}", "map", DAY),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_letters_without_end_fold_in_a_time_that_grows_with_their_number(
    hills: Member, vale: Member, flood: str
) -> None:
    befriend(hills, vale)
    own = order(hills)
    vale.hear(hills.post())
    calls = [calls_of_fold(vale.journal)]
    for step in range(2):
        made = hills.say(*(FLOODS[flood](hills.journal.network, own, step * 300 + n) for n in range(300)))
        signed = [hills.journal.store.get(entry.id) for entry in made]
        vale.say(*(sealed_letter(one, date=DAY) for one in signed if one is not None))
        calls.append(calls_of_fold(vale.journal))
    assert calls[2] - calls[1] < 1.1 * (calls[1] - calls[0])


def test_of_two_networks_with_one_name_the_same_is_meant_after_a_state_was_kept() -> None:
    letters = Letters()
    letters.recognised = {"Z" * 43: "Vale", "A" * 43: "Vale"}
    assert letters.network_named("Vale") == kept(letters).network_named("Vale") == "A" * 43


def test_the_reason_for_which_a_shipment_is_withdrawn_is_told(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    [own] = hills.state().letters.going
    cancelled = OrderCancelled(own, DAY, "the bridge is down")
    hills.say(cancelled)
    assert tell_due(hills.journal, hills.state(), TODAY, time=0, after=[cancelled])
    vale.hear(hills.post())
    told: list[str] = []
    fold(vale.journal.read(), State(), listen=lambda one: told.append(said(one)))
    assert told[-1] == f"heard from Hills that shipment {code_of(shipment)} does not come (the bridge is down)"
    assert language("es").sentence(told[-1]) != told[-1]


def test_who_is_no_steward_promises_nothing_to_others_and_keeps_no_steward_from_it(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    desk = second(hills)
    hills.say(DeviceEndorsed(key_of(desk), "allocator", DAY))
    meet(hills, desk)
    own = order(desk)
    assert not tell_due(desk.journal, desk.state(), TODAY, time=0)
    desk.say(*due(desk.state(), TODAY))  # Written all the same, by a program that knows no better.
    meet(hills, desk)
    assert hills.state().letters.going == {}
    vale.hear(hills.post())
    [coming] = vale.state().letters.coming.values()
    assert coming.order == own


def test_what_was_heard_last_is_known_with_its_day(hills: Member, vale: Member) -> None:
    promised(hills, vale)
    latest = vale.state().letters.latest
    assert latest == {hills.journal.network: ("2027-03-01", "shipment.promised")}
    assert Letters.from_plain(json.loads(json.dumps(vale.state().letters.plain()))).latest == latest


def seen_with(picked: Picked, member: Member) -> set[bytes]:
    return {signed.raw for signed in exported(member.journal, member.state(), picked=picked).store.export()}


def test_what_is_picked_out_once_and_gone_on_with_is_what_a_look_from_the_start_finds(
    hills: Member, vale: Member
) -> None:
    befriend(hills, vale)
    picked = Picked(hills.journal)
    desk = second(hills)
    hills.say(DeviceEndorsed(key_of(desk), "steward", DAY))
    meet(hills, desk)
    desk.say(JointSaid(DAY, "bWFw", DAY))  # Early in the order of entries, and heard of late.
    for number in range(3):
        own = order(hills, 1000 * (number + 1))
        hills.post()
        hills.say(OrderLoaded(own, (Line("flour", 1000),), DAY))
        assert seen_with(picked, hills) == seen_with(Picked(hills.journal), hills)
    before = seen_with(picked, hills)
    meet(hills, desk)
    assert seen_with(picked, hills) == seen_with(Picked(hills.journal), hills)
    assert len(seen_with(picked, hills) - before) == 1
    vale.hear(hills.post())
    [shipment, *_] = vale.state().letters.coming
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 1000),), TOMORROW))
    letters_of(hills.journal, hills.state(), vale.journal.network, picked=picked)
    hills.hear(vale.post())
    theirs = [
        letters_of(hills.journal, hills.state(), vale.journal.network, picked=one)
        for one in (picked, Picked(hills.journal))
    ]
    gone_on, anew = ({signed.raw for signed in one.store.export()} for one in theirs)
    assert gone_on == anew != set()


def with_two_stewards(hills: Member) -> Member:
    """Return a second device of Hills that is a steward too."""
    other = second(hills)
    hills.say(DeviceEndorsed(key_of(other), "steward", DAY))
    meet(hills, other)
    return other


def test_an_order_that_two_stewards_promise_before_they_meet_comes_once(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    other = with_two_stewards(hills)
    own = order(hills)
    meet(hills, other)
    for one in (hills, other):
        vale.hear(one.post())
    [shipment] = vale.state().letters.coming
    assert sum(vale.state().books.on_the_way(shipment).values()) == 200_000
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 200_000),), TOMORROW))
    meet(hills, other)
    other.hear(vale.post())
    assert other.state().orders[own].status == "received", "whichever promise is known here"


def test_an_order_is_received_at_home_when_the_device_that_promised_it_is_gone(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    other = with_two_stewards(hills)
    own = order(hills)
    meet(hills, other)
    vale.hear(hills.post())  # The promise itself is on no other device of Hills.
    [shipment] = vale.state().letters.coming
    vale.say(OrderReceived(shipment, "Market", (Line("flour", 200_000),), TOMORROW))
    other.hear(vale.post())
    vale.hear(other.post())
    assert list(vale.state().letters.coming) == [shipment]
    assert other.state().orders[own].status == "received"
    assert encode(decode(encode(other.state()))) == encode(other.state())


def test_a_withdrawal_that_is_heard_before_its_promise_counts_once_that_comes(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    hills.post()
    hills.say(OrderCancelled(own, DAY, "the road is closed"))
    letters = hills.post()
    vale.hear([signed for signed in letters if b"withdrawn" in signed.raw or b"founded" in signed.raw])
    vale.hear(letters)
    [shipment] = vale.state().letters.coming
    assert vale.state().orders[shipment].status == "cancelled"
    assert vale.state().books.on_the_way(shipment) == {}


def test_what_a_steward_promised_before_its_last_valid_entry_counts_after_the_cut_is_heard(
    hills: Member, vale: Member
) -> None:
    befriend(hills, vale)
    other = with_two_stewards(hills)
    order(other)
    other.post()
    meet(hills, other)
    last = other.journal.store.heads()[key_of(other)]
    hills.say(DeviceCut(key_of(other), last.seq, DAY, last.id, "lost"))
    vale.hear(hills.post())
    assert shipments(vale) == 1


def test_what_counts_for_nothing_is_not_taken_in_and_does_not_come_again(hills: Member, vale: Member) -> None:
    """Anybody can sign letters in a network's name; without this they would fill the journal of another."""
    befriend(hills, vale)
    vale.hear(hills.post())
    stranger = second(hills)
    stranger.journal.append(
        [ShipmentPromised(vale.journal.network, f"{number}", "Market", DAY, DAY, (Line("flour", 1),), DAY)
         for number in range(20)], time=0
    )  # fmt: skip
    before = vale.journal.store.count()
    refused = vale.hear([signed for signed in stranger.journal.store.export() if b"promised" in signed.raw])
    assert len(refused) == 20
    assert all("does not speak for that network" in one for one in refused)
    assert vale.journal.store.count() == before


@pytest.mark.parametrize(
    "long",
    [
        ShipmentWithdrawn("x", DAY, '"' * 4_000),
        ShipmentPromised("x", "x", "Market", DAY, DAY, tuple(Line("g" * 180, number) for number in range(62)), DAY),
    ],
)
def test_a_letter_that_fits_into_no_entry_keeps_no_other_away(hills: Member, vale: Member, long: Fact) -> None:
    befriend(hills, vale)
    hills.say(long)
    order(hills)
    [refused] = vale.hear(hills.post())
    assert "too long" in refused
    assert shipments(vale) == 1


def test_a_device_that_is_no_steward_promises_nothing(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    other = second(hills)
    own = order(hills)
    meet(hills, other)
    assert own in {one.order for one in due(other.state(), TODAY) if isinstance(one, ShipmentPromised)}
    post(other.journal, TODAY, read=lambda journal: fold(journal.read()))
    assert other.state().letters.going == {}
    with pytest.raises(NotAllowedError):
        refuse_forbidden(other.state(), due(other.state(), TODAY), key_of(other))


def test_a_promise_whose_order_is_not_here_stops_no_post(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    hills.say(ShipmentPromised(vale.journal.network, "x", "Market", DAY, DAY, (Line("flour", 1),), DAY))
    order(hills)
    assert vale.hear(hills.post()) == []
    assert shipments(vale) == 2


def test_a_device_that_may_say_nothing_takes_in_no_letters(hills: Member) -> None:
    closed = Journal(MemoryStore(), Device(bytes([6]) * 32))
    closed.found("Vale", date=DAY, time=0, is_open=False)
    vale = Member("Vale", closed)
    befriend(hills, vale)
    phone = second(vale)
    before = phone.journal.store.count()

    def read(journal: Journal) -> State:
        return fold(journal.read())

    ask = answering_for(hills.journal, read=read, today=lambda: TODAY, now=lambda: 0.0)(key_of(phone))
    done = exchange(phone.journal, ask, hills.journal.network, TODAY, read=read)
    assert done.came == 0
    assert any("a steward can endorse it" in one for one in done.refused)
    assert phone.journal.store.count() == before
    assert exchange(vale.journal, ask, hills.journal.network, TODAY, read=read).came > 0


def test_a_device_that_may_take_in_no_letters_acknowledges_none(hills: Member) -> None:
    closed = Journal(MemoryStore(), Device(bytes([6]) * 32))
    closed.found("Vale", date=DAY, time=0, is_open=False)
    vale = Member("Vale", closed)
    befriend(hills, vale)
    phone = second(vale)

    def read(journal: Journal) -> State:
        return fold(journal.read())

    ask = answering_for(phone.journal, read=read, today=lambda: TODAY)(key_of(hills))
    done = exchange(hills.journal, ask, vale.journal.network, TODAY, read=read)
    assert (done.came > 0, done.went) == (True, 0)
    assert any("no room" in one for one in done.refused)


def assert_answered_in_full(member: Member, other: Member) -> None:
    """Hold to it that one device of a network exchanges with another over a line as devices of one network do."""
    other.say(StockCounted("Mill", "flour", 700_000, TOMORROW))

    def read(journal: Journal) -> State:
        return fold(journal.read())

    ask = answering_for(member.journal, read=read, today=lambda: TODAY)(key_of(other))
    assert sync(other.journal, ask).is_identical
    assert stock(member, "Mill") == 700_000


def test_a_member_that_another_network_calls_its_own_stays_a_member(hills: Member, vale: Member) -> None:
    """Anybody can be endorsed by its key, which other networks know of our stewards."""
    befriend(hills, vale)
    other = second(hills)
    hills.say(DeviceEndorsed(key_of(other), "steward", DAY))
    meet(hills, other)
    for key in (key_of(hills), key_of(other)):
        vale.say(DeviceEndorsed(key, "steward", DAY))
    hills.hear(vale.post())
    assert key_of(other) in hills.state().letters.stewards(vale.journal.network)
    assert_answered_in_full(hills, other)
    assert set(Membership(hills.journal).readers()) == {key_of(hills), key_of(other)}


def test_who_has_written_in_an_open_network_is_answered_in_full_whoever_calls_it_its_own(
    hills: Member, vale: Member
) -> None:
    befriend(hills, vale)
    other = second(hills)
    other.say(StockCounted("Mill", "flour", 800_000, DAY))
    meet(hills, other)
    vale.say(DeviceEndorsed(key_of(other), "steward", DAY))
    hills.hear(vale.post())
    assert key_of(other) in hills.state().letters.stewards(vale.journal.network)
    assert_answered_in_full(hills, other)


@pytest.mark.parametrize("is_open", [True, False])
def test_who_is_cut_off_or_endorsed_in_the_middle_of_an_exchange_is_answered_as_it_is_then(
    vale: Member, is_open: bool
) -> None:
    journal = Journal(MemoryStore(), Device(bytes([6]) * 32))
    journal.found("Hills", date=DAY, time=0, is_open=is_open)
    hills = Member("Hills", journal)
    befriend(hills, vale)
    phone = second(hills)
    hills.say(DeviceEndorsed(key_of(phone), "allocator", DAY))
    meet(hills, phone)
    phone.say(StockCounted("Mill", "flour", 5_000, DAY))
    meet(hills, phone)

    def read(journal: Journal) -> State:
        return fold(journal.read())

    ask = answering_for(hills.journal, read=read, today=lambda: TODAY)(key_of(phone))

    def held() -> int:
        reader = Journal(MemoryStore())
        pull(reader, ask)
        return reader.store.count()

    assert held() == hills.journal.store.count()
    last = phone.journal.store.heads()[key_of(phone)]
    hills.say(DeviceCut(key_of(phone), last.seq, DAY, last.id, "lost"))
    assert held() == 1, "the founding entry, which everybody sees"
    other = second(hills, 9)
    ask = answering_for(hills.journal, read=read, today=lambda: TODAY)(key_of(other))
    assert held() == 1
    hills.say(DeviceEndorsed(key_of(other), "allocator", DAY))
    assert held() == hills.journal.store.count()


@pytest.mark.parametrize(
    ("request_", "cause"), [(b"noise", "message"), (zstandard.compress(bytes(5_000_000)), "oversized")]
)
def test_what_is_wrong_with_a_request_about_letters_is_said(
    hills: Member, vale: Member, request_: bytes, cause: str
) -> None:
    befriend(hills, vale)

    def read(journal: Journal) -> State:
        return fold(journal.read())

    answer, _ = unpack(answering_for(hills.journal, read=read, today=lambda: TODAY)(key_of(vale))(request_))
    assert isinstance(answer, No)
    assert (answer.cause, answer.why != "") == (cause, True)


def test_what_is_not_kept_of_somebody_who_gets_letters_only_is_not_acknowledged(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    newcomer = second(hills)
    newcomer.say(StockCounted("Mill", "flour", 700_000, TOMORROW))

    def read(journal: Journal) -> State:
        return fold(journal.read())

    ask = answering_for(hills.journal, read=read, today=lambda: TODAY)(key_of(newcomer))
    done = sync(newcomer.journal, ask)
    assert stock(hills, "Mill") == 900_000
    assert done.went == 0
    assert any("no room" in one for one in done.refused_there)


def test_what_a_device_said_before_it_was_a_steward_is_shown_to_nobody(hills: Member, vale: Member) -> None:
    shipment = promised(hills, vale)
    [own] = hills.state().letters.going
    other = second(hills)
    other.say(OrderLoaded(own, (Line("flour", 120_000),), DAY))
    meet(hills, other)
    hills.say(DeviceEndorsed(key_of(other), "steward", DAY))
    assert vale.hear(hills.post()) == [], "nothing comes that would be refused"
    assert sum(vale.state().books.on_the_way(shipment).values()) == 200_000
    meet(hills, other)
    other.say(OrderLoaded(own, (Line("flour", 80_000),), DAY))
    vale.hear(other.post())
    assert sum(vale.state().books.on_the_way(shipment).values()) == 80_000
