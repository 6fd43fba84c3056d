"""How often a joint plan goes round: no more often than anybody would, however late that is heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from by_letters import DAY, DAYS, exchange, networks
from federated import coast, granary

from abasto.cycle import read_state
from abasto.errors import FederationError
from abasto.facts.kinds import DeviceEndorsed
from abasto.federation.joint import Peer
from abasto.federation.messages import Stepped, read, write
from abasto.federation.session import Session, Standing, by_letters, standing
from abasto.federation.settings import Settings, steps_of
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device

ALL = ("Coast", "Hills", "Vale")


@pytest.mark.parametrize("rounds", [[2, 2], [2, 1], [1, 2], [3, 2]])
def test_all_go_round_as_often_as_the_one_that_would_least_of_which_a_first_step_has_come(rounds: list[int]) -> None:
    tables = (granary(), coast())
    peers = [
        Peer(network, "test", settings=Settings(rounds=number, passes=2))
        for network, number in zip(tables, rounds, strict=True)
    ]
    for peer, other in zip(peers, reversed(peers), strict=True):
        peer.next()
        peer.take(write(Stepped("test", other.name, other.settings.rounds, 1), []))
    for peer in peers:
        peer.next()
        assert peer.settings.rounds == min(rounds)
        assert peer.steps == len(list(steps_of(Settings(rounds=min(rounds), passes=2))))


@pytest.mark.parametrize("rounds", [0, 13])
def test_a_session_of_no_rounds_or_of_very_many_is_no_message(rounds: int) -> None:
    with pytest.raises(FederationError, match=f"a session of {rounds} rounds; from 1 to 12 are known"):
        read(write(Stepped("test", "valley", rounds, 1), []), [])


def stands(journal: Journal) -> Standing:
    return standing(read_state(journal), DAY.isoformat())


def step(journal: Journal, rounds: int, without: Sequence[str] = ()) -> bool:
    """Do a step as the command does it, if one can be done."""
    state = read_state(journal)
    before = standing(state, DAY.isoformat(), rounds=rounds)
    if not before.next or before.awaited(without):
        return False
    session = Session(state, DAY, days=DAYS, settings=by_letters(rounds))
    journal.append(session.step(), time=0)
    assert session.refused == []
    assert session.steps == len(stands(journal).steps), "told without planning as it is"
    return True


def go_on(journals: dict[str, Journal], rounds: Mapping[str, int], without: Sequence[str] = ()) -> dict[str, Session]:
    """Let all do what they can until nobody can do more."""
    while sum(step(journal, rounds[name], without) for name, journal in journals.items()):
        exchange(journals)
    return {name: Session(read_state(journal), DAY, days=DAYS) for name, journal in journals.items()}


def hold_together(sessions: Mapping[str, Session]) -> None:
    """Hold to it that what one sends the others count on, and that together they are better off."""
    agreed = [session.agreed() for session in sessions.values()]
    sent, received = (
        {key: days for one in agreed for key, days in getattr(one, what).items()} for what in ("sent", "received")
    )
    assert sent == received
    assert sent, "something goes"
    assert sum(one.value for one in agreed) > sum(one.alone for one in agreed)


def test_one_of_whom_not_all_know_keeps_all_to_one_round() -> None:
    """Hills knows nothing of Coast, but hears from Vale, before a second round, that it goes one only."""
    journals = networks(strangers=("Hills", "Coast"))
    sessions = go_on(journals, {"Hills": 2, "Vale": 2, "Coast": 1})
    assert [len(stands(journal).steps) for journal in journals.values()] == [6, 6, 6]
    assert [stands(journal).awaited() for journal in journals.values()] == [(), (), ()]
    hold_together(sessions)


def test_who_is_in_a_second_round_goes_back_to_the_first_for_one_who_comes_late_and_goes_one_only() -> None:
    journals = networks()
    early = {name: journals[name] for name in ("Hills", "Vale")}
    for _ in range(5):
        for journal in early.values():
            assert step(journal, 2, ["Coast"])
        exchange(early)
    exchange(journals)
    sessions = go_on(journals, {"Hills": 2, "Vale": 2, "Coast": 1}, ["Coast"])
    assert {name: len(stands(journal).steps) for name, journal in journals.items()} == {
        "Hills": 12, "Vale": 12, "Coast": 6,
    }  # fmt: skip
    for journal in journals.values():
        shown = stands(journal)
        assert (shown.next, shown.awaited()) == ("", ()), "nobody waits for what does not come"
        assert all(one.steps == one.of for one in shown.partners)
    assert {session.peer._chosen for session in sessions.values()} == {0}
    hold_together(sessions)


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 1)])
@pytest.mark.parametrize("done", [1, 5])
def test_of_two_devices_of_a_network_that_began_apart_the_least_holds(one: int, other: int, done: int) -> None:
    journal = networks()["Hills"]
    second = Journal(MemoryStore(), Device(b"\x09" * 32))
    assert second.device is not None
    journal.append([DeviceEndorsed(second.device.key, "steward", DAY.isoformat())], time=0)
    second.receive(journal.store.export())
    for _ in range(done):
        assert step(journal, one, ALL)
        assert step(second, other, ALL)
    journal.receive(second.store.export())
    assert len(stands(journal).steps) == 6
    session = Session(read_state(journal), DAY, days=DAYS)
    assert (session.steps, session.peer.done) == (6, done)
    assert step(journal, 2, ALL)
