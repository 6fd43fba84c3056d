"""Maps that say what cannot be, or what no plan can be made of: the others plan together without them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from federated import tiny

from abasto.federation.clearing import clear
from abasto.federation.coarse import UNLIMITED, CoarseMap, columns_of
from abasto.federation.joint import Peer, Settings
from abasto.federation.messages import MapTold, read, write
from abasto.federation.packed import MOST_BYTES, decode, encode
from abasto.network import Network

SETTINGS = Settings(rounds=1, passes=1)


def maps_of(members: tuple[Network, ...]) -> list[CoarseMap]:
    maps = []
    for member in members:
        [message] = Peer(member, "test", settings=SETTINGS).next()
        said = read(message.raw, [])
        assert isinstance(said, MapTold)
        maps.append(decode(said.coarse))
    return maps


def with_level(coarse: CoarseMap, table: str, column: str, level: int) -> CoarseMap:
    """Return a map with one level everywhere in a column."""
    kinds = columns_of(table, coarse.periods)
    rows = tuple(
        tuple(level if kind == column else value for kind, value in zip(kinds, row, strict=True))
        for row in coarse.tables[table]
    )
    return replace(coarse, tables={**coarse.tables, table: rows})


@pytest.mark.parametrize(("table", "column", "level"), [("nodes", "storage", 2), ("needs", "amount", UNLIMITED)])
def test_a_map_that_says_what_cannot_be_stops_nobody_and_takes_nobody_elses_proposal(
    table: str, column: str, level: int
) -> None:
    members = tuple(tiny(0).members)
    one, other, hostile = maps_of(members)
    hostile = with_level(hostile, table, column, level)
    digests = set()
    for member in members[:2]:
        peer = Peer(member, "test", settings=SETTINGS)
        peer.next()
        for coarse in (one, other, hostile):
            peer.take(write(MapTold("test", coarse.network, 0, encode(coarse, MOST_BYTES)), []))
        peer.next()
        assert peer.done == 2
        digests.add(peer.clearing_digest(0))
    assert digests == {clear([one, other], members[0]).digest}


def test_where_no_map_can_be_left_out_nothing_is_proposed() -> None:
    members = tuple(tiny(0).members)
    hostile = [with_level(coarse, "needs", "amount", UNLIMITED) for coarse in maps_of(members)]
    peer = Peer(members[0], "test", settings=SETTINGS)
    peer.next()
    for coarse in hostile[1:]:
        peer.take(write(MapTold("test", coarse.network, 0, encode(coarse, MOST_BYTES)), []))
    assert peer.next() == []
    clearing = peer._rounds[0].clearing
    assert clearing is not None
    assert clearing.flows == ()
