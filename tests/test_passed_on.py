"""What other devices than stewards' load and receive of shipments: a steward's passes it on, and it counts once."""

from __future__ import annotations

import pytest
from tests.state.devices import received
from tests.test_letters import DAY, TODAY, TOMORROW, Member, befriend, hills, key_of, meet, order, stock, vale

from abasto.cycle import read_state
from abasto.facts.kinds import (
    DeviceEndorsed,
    EntryReversed,
    Fact,
    Line,
    OrderLoaded,
    OrderReceived,
    ReportPassedOn,
    StockCounted,
)
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.letters import exported, post, tell_due
from abasto.state.encode import decode, encode
from abasto.state.exceptions import exceptions
from abasto.state.letters import passed_on
from abasto.state.permits import NotAllowedError, refuse_forbidden

__all__ = ["hills", "vale"]

LOADED = (Line("flour", 200_000),)


def desk(member: Member, number: int) -> Member:
    """Return a device of a network that is no steward's, which has heard all."""
    made = Member(member.name, Journal(MemoryStore(), Device(bytes([number]) * 32)))
    made.journal.receive(member.journal.store.export())
    return made


def posted(member: Member) -> list[Signed]:
    """Return what others may see, once what is due was told."""
    return list(post(member.journal, TODAY, read=read_state).store.export())


def quotes(member: Member) -> int:
    return sum(1 for placed in member.journal.read() if placed.entry.kind == ReportPassedOn.KIND)


def test_a_load_by_a_device_that_is_no_stewards_is_heard_once_a_steward_has_met_it(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    driver = desk(hills, 21)
    driver.say(OrderLoaded(own, (Line("flour", 150_000),), DAY))
    assert not tell_due(driver.journal, driver.state(), TODAY, time=0)
    meet(hills, driver)
    assert list(hills.state().letters.untold.values()) == [own]
    vale.hear(posted(hills))
    [shipment] = vale.state().letters.coming
    assert vale.state().letters.coming[shipment].is_sent
    assert vale.state().books.on_the_way(shipment) == {("flour", ""): 150_000}
    assert hills.state().letters.untold == {}
    for _ in range(2):
        vale.hear(posted(hills))
    assert quotes(hills) == 1
    assert vale.state().books.on_the_way(shipment) == {("flour", ""): 150_000}
    assert exceptions(vale.state()) == ()


def test_a_receipt_by_a_device_that_is_no_stewards_ends_the_order_abroad(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    hills.say(OrderLoaded(own, LOADED, DAY))
    vale.hear(posted(hills))
    [shipment] = vale.state().letters.coming
    shop = desk(vale, 22)
    shop.say(OrderReceived(shipment, "Market", LOADED, TOMORROW))
    meet(vale, shop)
    hills.hear(posted(vale))
    assert hills.state().orders[own].status == "received"
    assert (stock(hills, "Mill"), stock(vale, "Market")) == (700_000, 200_000)
    assert exceptions(hills.state()) == exceptions(vale.state()) == ()


def test_what_two_stewards_pass_on_before_they_meet_counts_once(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    other, driver = desk(hills, 23), desk(hills, 24)
    hills.say(DeviceEndorsed(key_of(other), "steward", DAY))
    own = order(hills)
    posted(hills)
    meet(hills, driver)
    driver.say(OrderLoaded(own, (Line("flour", 60_000),), DAY))
    driver.say(OrderLoaded(own, (Line("flour", 40_000),), DAY))
    for one in (hills, other):
        one.journal.receive(driver.journal.store.export())
        posted(one)
    assert (quotes(hills), quotes(other)) == (2, 2)
    meet(hills, other)
    vale.hear(posted(hills))
    vale.hear(posted(other))
    [shipment] = vale.state().letters.coming
    assert vale.state().books.on_the_way(shipment) == {("flour", ""): 100_000}
    assert encode(vale.state()) == encode(decode(encode(vale.state())))


def test_a_stewards_own_reports_and_those_of_orders_at_home_are_passed_on_by_nobody(
    hills: Member, vale: Member
) -> None:
    befriend(hills, vale)
    own = order(hills)
    hills.say(OrderLoaded(own, LOADED, DAY))
    driver = desk(hills, 25)
    driver.say(StockCounted("Mill", "flour", 500_000, DAY))
    meet(hills, driver)
    posted(hills)
    assert hills.state().letters.untold == {}
    assert quotes(hills) == 0


def test_a_report_that_was_taken_back_is_not_passed_on(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    posted(hills)
    driver = desk(hills, 26)
    [load] = driver.say(OrderLoaded(own, LOADED, DAY))
    driver.say(EntryReversed(load.id, DAY))
    meet(hills, driver)
    posted(hills)
    assert quotes(hills) == 0


def test_only_stewards_pass_on(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    driver = desk(hills, 27)
    [load] = driver.say(OrderLoaded(own, LOADED, DAY))
    signed = driver.journal.store.get(load.id)
    assert signed is not None
    fact = passed_on(signed, date=DAY)
    with pytest.raises(NotAllowedError):
        refuse_forbidden(driver.state(), [fact], key_of(driver))
    driver.say(fact)
    meet(hills, driver)
    posted(hills)
    assert quotes(hills) == 2, "the driver's own counts for nothing, so the steward's is needed"
    seen = exported(hills.journal, hills.state())
    assert {placed.entry.author for placed in seen.read()} == {key_of(hills)}


def forged(member: Member, signed: Signed, **changed: object) -> Fact:
    fact = passed_on(signed, date=DAY)
    return ReportPassedOn(**{"letter": fact.letter, "signature": fact.signature, "date": DAY, **changed})  # type: ignore[arg-type]


def test_what_is_no_report_of_that_network_counts_for_nothing_abroad(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    vale.hear(posted(hills))
    [shipment] = vale.state().letters.coming
    driver = desk(hills, 28)
    [load] = driver.say(OrderLoaded(own, (Line("flour", 1_000),), DAY))
    [count] = driver.say(StockCounted("Mill", "flour", 1, DAY))
    [foreign] = vale.say(OrderReceived(shipment, "Market", (Line("flour", 50_000),), TOMORROW, more_to_come=True))
    before = vale.state().books.on_the_way(shipment)
    loaded, counted = (driver.journal.store.get(one.id) for one in (load, count))
    theirs = vale.journal.store.get(foreign.id)
    assert loaded is not None
    assert counted is not None
    assert theirs is not None
    hills.say(
        forged(hills, loaded, signature="A" * 86),
        forged(hills, loaded, letter=loaded.raw.decode().replace("1000", "9000")),
        forged(hills, counted),
        forged(hills, theirs),
    )
    assert vale.hear(list(exported(hills.journal, hills.state()).store.export())) == []
    assert vale.state().books.on_the_way(shipment) == before
    assert [one.kind for one in exceptions(vale.state())] == ["malformed"]
    assert {one.kind for one in exceptions(hills.state())} == {"malformed"}


def test_whatever_way_and_in_whatever_order_it_comes_the_state_is_the_same(hills: Member, vale: Member) -> None:
    befriend(hills, vale)
    own = order(hills)
    driver = desk(hills, 29)
    driver.say(OrderLoaded(own, LOADED, DAY))
    meet(hills, driver)
    letters = posted(hills)
    vale.hear(letters)
    entries = vale.journal.store.export()
    assert encode(read_state(received(reversed(list(entries))))) == encode(vale.state())
