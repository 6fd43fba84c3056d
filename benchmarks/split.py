"""Cut a benchmark network into members by geography, each with its own sites, lanes out, and share of every fleet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2

from abasto.network import Fleet, Lane, Network, Site

__all__ = ["Split", "only", "split"]

AT_SITES = ("stocks", "supplies", "needs", "plants", "labour")
"""The tables of a benchmark network whose rows are a site's."""


@dataclass(frozen=True)
class Split:
    """The whole as an imagined centre sees it, and the members; both hold the same rows, fleets and lanes."""

    whole: Network
    members: tuple[Network, ...]


def split(network: Network, parts: int, *, seed: int = 0) -> Split:
    """Return a network cut into at most `parts` members of neighbouring sites.

    A lane is driven by vehicles of the member where it starts: each fleet is shared out by the work that its lanes
    are for, hours times the smaller population of both ends. Every lane must be of one direction and every fleet
    without a base, as those of `benchmarks.generate` are.
    """
    member_of = _members(network, parts, seed)
    lanes = tuple(_own_mode(lane, member_of[lane.from_site]) for lane in network.lanes)
    whole = replace(
        network,
        sites=tuple(site.model_copy(update={"network": member_of[site.site]}) for site in network.sites),
        lanes=lanes,
        fleets=tuple(_shared_out(network, member_of)),
    )
    return Split(whole, tuple(_member(whole, name) for name in sorted(set(member_of.values()))))


def _members(network: Network, parts: int, seed: int) -> dict[str, str]:
    places = np.array([(site.lat, site.lon) for site in network.sites], dtype=np.float64)
    label = kmeans2(places, parts, minit="++", seed=seed, iter=50)[1]
    kept = np.unique(label).tolist()
    return {site.site: f"part {kept.index(part):02}" for site, part in zip(network.sites, label.tolist(), strict=True)}


def _own_mode(lane: Lane, member: str) -> Lane:
    if lane.two_way:
        raise ValueError(f"lane {lane.from_site}>{lane.to_site} is two-way; split takes lanes of one direction")
    return lane.model_copy(update={"mode": f"{lane.mode}, {member}"})


def _rows_at(rows: tuple[Any, ...], sites: Collection[str]) -> tuple[Any, ...]:
    return tuple(row for row in rows if row.site in sites)


def _shared_out(network: Network, member_of: dict[str, str]) -> list[Fleet]:
    people = {site.site: site.people for site in network.sites}
    work: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for lane in network.lanes:
        ends = min(people[lane.from_site], people[lane.to_site])
        work[lane.mode][member_of[lane.from_site]] += max(lane.travel_hours, 0.1) * max(ends, 1.0)
    return [
        fleet.model_copy(
            update={
                "fleet": f"{fleet.fleet}, {member}",
                "mode": f"{fleet.mode}, {member}",
                "vehicles": fleet.vehicles * share / sum(work[fleet.mode].values()),
            }
        )
        for fleet in network.fleets
        for member, share in sorted(work[fleet.mode].items())
    ]


def _member(whole: Network, name: str) -> Network:
    """Return the tables of one member: its own rows, and the sites of others at the ends of lanes between them."""
    own = {site.site for site in whole.sites if site.network == name}
    lanes = tuple(lane for lane in whole.lanes if lane.from_site in own or lane.to_site in own)
    seen = own | {end for lane in lanes for end in (lane.from_site, lane.to_site)}
    sites = tuple(
        site.model_copy(update={"network": ""}) if site.site in own else Site(site=site.site, network=site.network)
        for site in whole.sites
        if site.site in seen
    )

    tables = {table: _rows_at(getattr(whole, table), own) for table in AT_SITES}
    fleets = tuple(fleet for fleet in whole.fleets if fleet.mode.endswith(f", {name}"))
    return replace(whole, name=name, sites=sites, lanes=lanes, fleets=fleets, **tables)


def only(cut: Split, names: Collection[str]) -> Split:
    """Return what is left of a split where only some of the members can be reached."""
    own = {site.site for site in cut.whole.sites if site.network in names}
    whole = replace(
        cut.whole,
        sites=tuple(site for site in cut.whole.sites if site.site in own),
        lanes=tuple(lane for lane in cut.whole.lanes if lane.from_site in own and lane.to_site in own),
        fleets=tuple(fleet for fleet in cut.whole.fleets if fleet.mode.rsplit(", ", 1)[1] in names),
        **{table: _rows_at(getattr(cut.whole, table), own) for table in AT_SITES},
    )
    return Split(whole, tuple(member for member in cut.members if member.name in names))
