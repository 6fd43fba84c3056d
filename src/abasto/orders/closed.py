"""What somebody forbids before a plan is made: on a day nothing leaves along a lane."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import date

from abasto.network import Disruption, Lane, Network

__all__ = ["Closed", "close_lanes"]


@dataclass(frozen=True)
class Closed:
    """A day on which nothing leaves from a site to another."""

    from_site: str
    to_site: str
    day: date


def close_lanes(network: Network, closed: Sequence[Closed], scenario: str | None) -> tuple[Network, str | None]:
    """Return the network with these lanes closed in a scenario, and that scenario.

    Where no scenario is planned for, one is made that closes these lanes and nothing else. The way back stays open: a
    two-way lane becomes two. Days outside the horizon, and lanes that are not there, close nothing.
    """
    days = {one: (one.day - network.start).days + 1 for one in closed}
    wanted = {(one.from_site, one.to_site) for one, day in days.items() if 1 <= day <= network.days}
    lanes = [part for lane in network.lanes for part in _parted(lane, wanted)]
    there = {(lane.from_site, lane.to_site) for lane in lanes}
    name = scenario if scenario is not None else _new_name(network)
    rows = [
        Disruption(
            scenario=name,
            kind="lane",
            target=f"{one.from_site}>{one.to_site}",
            from_day=day,
            to_day=day,
            left=0.0,
        )
        for one, day in days.items()
        if (one.from_site, one.to_site) in wanted & there and 1 <= day <= network.days
    ]
    if not rows:
        return network, scenario
    return replace(network, lanes=tuple(lanes), disruptions=(*network.disruptions, *rows)), name


def _parted(lane: Lane, wanted: Set[tuple[str, str]]) -> tuple[Lane, ...]:
    """Return a lane, or both of its directions where only one of them is wanted."""
    back = lane.model_copy(update={"from_site": lane.to_site, "to_site": lane.from_site, "two_way": False})
    if not lane.two_way or not wanted & {(lane.from_site, lane.to_site), (back.from_site, back.to_site)}:
        return (lane,)
    return lane.model_copy(update={"two_way": False}), back


def _new_name(network: Network) -> str:
    name = "closed lanes"
    while name in network.scenarios:
        name += "'"
    return name
