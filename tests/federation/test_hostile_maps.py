"""Maps that no plan can be made of, and ones that would take minutes: the others plan together without them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from federated import tiny

from abasto.errors import CheckError, FederationError
from abasto.federation.clearing import Clearing, clear
from abasto.federation.coarse import MOST_LANES, MOST_NODES, CoarseMap
from abasto.federation.joint import Peer
from abasto.federation.messages import MapTold, read, write
from abasto.federation.packed import MOST_BYTES, decode, encode
from abasto.federation.settings import Settings
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


def cleared_by(member: Network, others: list[CoarseMap], bad: set[str]) -> Clearing:
    """Return the clearing of a network that holds these maps, where none can be made with some of them."""

    def clearing(maps: Iterable[CoarseMap], common: Network) -> Clearing:
        maps = list(maps)
        if bad & {one.network for one in maps}:
            raise CheckError([])
        return clear(maps, common)

    peer = Peer(member, "test", settings=SETTINGS, clearing=clearing)
    peer.next()
    for coarse in others:
        if coarse.network != member.name:
            peer.take(write(MapTold("test", coarse.network, 0, encode(coarse, MOST_BYTES)), []))
    peer.next()
    assert peer.done == 2
    found = peer._rounds[0].clearing
    assert found is not None
    return found


def test_a_map_that_no_plan_can_be_made_of_takes_nobody_elses_proposal() -> None:
    members = tuple(tiny(0).members)
    one, other, bad = maps_of(members)
    without = clear([one, other], members[0])
    assert without.flows
    assert {cleared_by(member, [one, other, bad], {bad.network}).digest for member in members[:2]} == {without.digest}


def test_where_no_map_can_be_left_out_nothing_is_proposed() -> None:
    members = tuple(tiny(0).members)
    maps = maps_of(members)
    assert cleared_by(members[0], maps, {one.network for one in maps}).flows == ()


def test_a_few_bytes_that_say_a_map_of_thousands_of_places_are_refused() -> None:
    [coarse, *_] = maps_of(tuple(tiny(0).members))
    ring = tuple((a, (a + 1) % MOST_NODES, 1, 0, 10, 1) for a in range(MOST_NODES))
    most = replace(coarse, tables={**coarse.tables, "nodes": ((900, 1),) * MOST_NODES, "lanes": tuple(sorted(ring))})
    raw = encode(most)
    assert len(raw) < MOST_BYTES
    assert decode(raw).tables["nodes"] == most.tables["nodes"]
    more = {**most.tables, "nodes": ((900, 1),) * (MOST_NODES + 1)}
    with pytest.raises(FederationError, match=f"{MOST_NODES + 1} nodes"):
        encode(replace(most, tables=more))
    lanes = tuple((a, (a + 1) % MOST_NODES, 1, 0, 10, 1) for a in range(MOST_NODES)) * 11
    assert len(lanes) > MOST_LANES
    with pytest.raises(FederationError, match="lanes more than"):
        encode(replace(most, tables={**most.tables, "lanes": lanes}))
