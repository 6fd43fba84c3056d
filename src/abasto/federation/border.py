"""The border of a network: lanes to and from sites of others, and the tables that plan it alone or in trade.

Trade is put into the tables of the format, so that the ordinary planner and its check do the work: what is sent is a
need at a place of its own at the far end of the lane, what is received is a supply at the near end, both dated by the
day of arrival. Whoever sends drives: lanes that come in are not used by this network's vehicles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from abasto.network import Cost, Fleet, Lane, Need, Network, Site, Supply

__all__ = ["Border", "CrossLane", "Gate", "Trade", "covers", "lane_id"]

Trade = Mapping[tuple[int, str], tuple[float, ...]]
"""Units of a good that arrive by a lane between networks, (lane's id, good) → a number for each day of the horizon."""

GATE_ROOM_T = 0.1
"""A gate keeps next to nothing overnight: what arrives is handed over on the same day. None at all would leave no room
for a solver's rounding."""
ENOUGH = 1e-6
"""Of an amount that was promised, this share may be missing: the check of a plan allows as much."""


def lane_id(from_network: str, from_site: str, to_network: str, to_site: str) -> int:
    """Return the number by which both ends know a lane in one direction; it tells others nothing about its ends.

    The way back differs in the last bit.
    """
    start, end = (from_network, from_site), (to_network, to_site)
    ends = "\0".join(min(start, end) + max(start, end))
    pair = int.from_bytes(hashlib.blake2b(ends.encode(), digest_size=4).digest(), "big")
    return pair & ~1 | (start < end)


def covers(one: Trade, other: Trade) -> bool:
    """Return whether `one` has at least what `other` has, of every good by every lane on every day."""
    return all(
        have >= wanted * (1 - ENOUGH) - ENOUGH
        for key, days in other.items()
        for have, wanted in zip(one.get(key, (0.0,) * len(days)), days, strict=True)
    )


@dataclass(frozen=True)
class CrossLane:
    """A lane between two networks in one direction, as one of them knows it; `other` is the network at its far end."""

    id: int
    here: str
    there: str
    other: str
    row: Lane


@dataclass(frozen=True)
class Gate:
    """A place that stands for the far end of a lane between networks, and needs one good there.

    `days` are the units it needs, by day of arrival; `people` is how many a day's need counts for in the objective,
    beside the network's own; `tonnes` is the most that may leave for it a day.
    """

    name: str
    lane: int
    good: str
    days: tuple[float, ...]
    people: float
    tonnes: float | None = None


class Border:
    """A network's tables, seen from its border; `name` in table network is its name, column `network` tells sites."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._other = {s.site: s.network for s in network.sites if s.network not in ("", network.name)}

    @cached_property
    def own(self) -> frozenset[str]:
        """The network's own sites."""
        return frozenset(s.site for s in self.network.sites if s.site not in self._other)

    @cached_property
    def out(self) -> dict[int, CrossLane]:
        """Lanes that lead to others, by id; two that share an id are left out, since nobody could tell them apart."""
        name = self.network.name
        lanes = (
            CrossLane(lane_id(name, a, self._other[b], b), a, b, self._other[b], row)
            for row, a, b in self._directed()
            if a not in self._other and b in self._other
        )
        return _by_id(lanes)

    @cached_property
    def into(self) -> dict[int, CrossLane]:
        """Lanes that lead here from others, by id."""
        name = self.network.name
        lanes = (
            CrossLane(lane_id(self._other[a], a, name, b), b, a, self._other[a], row)
            for row, a, b in self._directed()
            if a in self._other and b not in self._other
        )
        return _by_id(lanes)

    @cached_property
    def alone(self) -> Network:
        """The network without anything of others."""
        network, own = self.network, self.own
        return replace(
            network,
            sites=tuple(row for row in network.sites if row.site in own),
            lanes=tuple(row for row in network.lanes if row.from_site in own and row.to_site in own),
            fleets=tuple(row for row in network.fleets if row.site is None or row.site in own),
            costs=tuple(row for row in network.costs if not self._names_others(row)),
            disruptions=(),
            **{  # type: ignore[arg-type]
                table: tuple(row for row in getattr(network, table) if row.site in own)
                for table in ("stocks", "supplies", "needs", "reserves", "plants", "labour")
            },
        )

    def trading(self, gates: Sequence[Gate], received: Trade) -> Network:
        """Return the network with gates to send through and with what it receives."""
        alone = self.alone
        return replace(
            alone,
            sites=(*alone.sites, *(Site(site=gate.name, storage_t=GATE_ROOM_T) for gate in gates)),
            lanes=(*alone.lanes, *(self._to_gate(gate) for gate in gates)),
            needs=(
                *alone.needs,
                *(
                    Need(site=gate.name, good=gate.good, quantity=rate, people=gate.people, priority=1.0, **run)
                    for gate in gates
                    for run, rate in _runs(gate.days)
                ),
            ),
            supplies=(
                *alone.supplies,
                *(
                    Supply(site=self.into[lane].here, good=good, quantity=rate, **run)
                    for (lane, good), days in sorted(received.items())
                    for run, rate in _runs(days)
                ),
            ),
        )

    def more_than_needed(self) -> Trade:
        """Return more of every good than the network can use, at every place where lanes come in."""
        network = self.alone
        needed: dict[str, float] = {row.good: 0.0 for row in sorted(network.goods, key=lambda row: row.good)}
        people = sum(site.people for site in network.sites)
        for need in network.needs:
            needed[need.good] += need.quantity
        for ration in network.rations:
            needed[ration.good] += ration.quantity * people
        for plant in network.plants:
            for line in network.recipes:
                if line.recipe == plant.recipe and line.quantity < 0:
                    needed[line.good] -= line.quantity * plant.batches
        one_lane = {lane.here: id for id, lane in sorted(self.into.items(), reverse=True)}
        return {
            (id, good): (quantity,) * network.days
            for id in sorted(one_lane.values())
            for good, quantity in needed.items()
            if quantity > 0
        }

    def fleets_of(self, mode: str) -> tuple[Fleet, ...]:
        """Return the fleets that drive lanes of a mode."""
        return tuple(fleet for fleet in self.alone.fleets if fleet.mode == mode)

    def _to_gate(self, gate: Gate) -> Lane:
        lane = self.out[gate.lane]
        tonnes = [most for most in (lane.row.tonnes, gate.tonnes) if most is not None]
        to_gate = {"from_site": lane.here, "to_site": gate.name, "two_way": False, "tonnes": min(tonnes, default=None)}
        return lane.row.model_copy(update=to_gate)

    def _directed(self) -> Iterator[tuple[Lane, str, str]]:
        for row in self.network.lanes:
            yield row, row.from_site, row.to_site
            if row.two_way:
                yield row, row.to_site, row.from_site

    def _names_others(self, row: Cost) -> bool:
        ends = (end.strip() for end in row.target.replace("/", ">").split(">"))
        return any(end in self._other for end in ends)


def _by_id(lanes: Iterator[CrossLane]) -> dict[int, CrossLane]:
    found: dict[int, CrossLane] = {}
    twice: set[int] = set()
    for lane in lanes:
        if lane.id in found:
            twice.add(lane.id)
        found[lane.id] = lane
    return {id: found[id] for id in sorted(found) if id not in twice}


def _runs(days: tuple[float, ...]) -> Iterator[tuple[dict[str, int], float]]:
    """Yield first and last day of each run of equal amounts above 0, with the amount a day."""
    day = 0
    for rate, same in groupby(days):
        length = len(list(same))
        if rate > 0:
            yield {"from_day": day + 1, "to_day": day + length}, rate
        day += length
