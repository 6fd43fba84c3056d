"""What a network chose to show and to keep is on record: every session goes by it, also one that was begun before."""

from __future__ import annotations

import base64

import pytest
from by_letters import DAY, DAYS, exchange, live, networks, step, took_up

from abasto.cycle import read_state
from abasto.federation.coarse import COLUMNS, FINENESS
from abasto.federation.messages import MapTold, Told, read
from abasto.federation.packed import decode
from abasto.federation.session import standing
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.state.exports import Share, chosen

STEPS = 6


def said(journal: Journal) -> list[MapTold | Told]:
    """Return the maps and promises of a network, in their order."""
    goods = sorted(row.good for row in took_up(journal).seen.network.goods)
    state = read_state(journal)
    own = state.letters.said.get(state.network, {}).get(DAY.isoformat(), [])
    return [one for raw in own if isinstance(one := read(base64.b64decode(raw), goods), MapTold | Told)]


def goods_sent(journal: Journal) -> set[str]:
    return {good for one in said(journal) if isinstance(one, Told) for _, good in one.trade}


def choose(journal: Journal, share: Share) -> None:
    journal.append(chosen(read_state(journal).rows, share=share, day=DAY), time=0)


def on_another_device(journal: Journal) -> Journal:
    """Return what another device of the network has, once it has heard all."""
    other = Journal(MemoryStore(), Device(bytes([99]) * 32))
    other.receive(journal.store.export())
    return other


@pytest.fixture
def journals() -> dict[str, Journal]:
    return networks()


@pytest.fixture(scope="module")
def usual() -> dict[str, set[str]]:
    """The goods that each network sends where nothing was chosen."""
    journals = networks()
    live(journals, anew=True)
    return {name: goods_sent(one) for name, one in journals.items()}


def test_a_veto_that_is_set_once_holds_in_every_step_and_on_every_device(
    journals: dict[str, Journal], usual: dict[str, set[str]]
) -> None:
    hills = journals["Hills"]
    [good] = sorted(usual["Hills"])[:1]
    hills.append(chosen(read_state(hills).rows, forbid=[good], day=DAY), time=0)
    settings = took_up(on_another_device(hills)).peer.settings
    assert settings.forbidden == {good}
    live(journals, anew=True)
    assert good not in goods_sent(hills)
    hills.append(chosen(read_state(hills).rows, allow=[good], day=DAY), time=0)
    assert took_up(hills).peer.settings.forbidden == frozenset()


def test_a_veto_in_the_middle_keeps_what_was_promised_and_adds_nothing(
    journals: dict[str, Journal], usual: dict[str, set[str]]
) -> None:
    hills = journals["Hills"]
    live(journals, anew=True, steps=2)
    before = [one for one in said(hills) if isinstance(one, Told)]
    promised = {key: days for one in before for key, days in one.trade.items()}
    [good] = sorted({good for _, good in promised})[:1]
    hills.append(chosen(read_state(hills).rows, forbid=[good], day=DAY), time=0)
    for _ in range(STEPS - 2):
        for journal in journals.values():
            step(journal)
        exchange(journals)
    sent = took_up(hills).agreed().sent
    assert any(key in sent for key in promised if key[1] == good)
    for key, days in sent.items():
        if key[1] == good:
            assert all(now <= then + 1e-9 for now, then in zip(days, promised[key], strict=True))


def test_offers_alone_tell_no_need_and_nothing_tells_nothing(journals: dict[str, Journal]) -> None:
    hills, vale = journals["Hills"], journals["Vale"]
    choose(hills, "offers")
    choose(vale, "nothing")
    step(hills)
    step(vale)
    [told] = said(hills)
    assert isinstance(told, MapTold)
    tables = decode(told.coarse).tables
    assert set(COLUMNS) >= set(tables)
    assert not tables["needs"]
    assert said(vale) == []
    assert standing(read_state(vale), DAY.isoformat()).done == 1, "so that others know it, and wait no longer"


def test_who_shows_the_whole_has_a_node_for_each_of_its_sites(journals: dict[str, Journal]) -> None:
    hills = journals["Hills"]
    choose(hills, "whole")
    step(hills)
    [told] = said(hills)
    assert isinstance(told, MapTold)
    coarse = decode(told.coarse)
    assert len(coarse.tables["nodes"]) == len(took_up(hills).peer.border.own) > 1
    assert coarse.fineness == FINENESS[0]


def test_who_showed_nothing_when_all_drew_up_their_maps_promises_nothing_later(journals: dict[str, Journal]) -> None:
    vale = journals["Vale"]
    choose(vale, "nothing")
    for journal in journals.values():
        step(journal)
    exchange(journals)
    choose(vale, "map")
    for _ in range(STEPS - 1):
        for journal in journals.values():
            step(journal)
        exchange(journals)
    assert said(vale) == []
    assert took_up(vale).agreed().sent == {}
    assert standing(read_state(vale), DAY.isoformat()).done == STEPS


def test_who_shows_nothing_any_more_goes_no_further_and_nobody_counts_on_it(journals: dict[str, Journal]) -> None:
    hills = journals["Hills"]
    live(journals, anew=True, steps=2)
    before = len(said(hills))
    choose(hills, "nothing")
    for _ in range(STEPS - 2):
        for journal in journals.values():
            step(journal)
        exchange(journals)
    assert len(said(hills)) == before
    for journal in journals.values():
        session = took_up(journal)
        assert (session.agreed().sent, session.agreed().received) == ({}, {})
        assert session.seen.network.days == DAYS
