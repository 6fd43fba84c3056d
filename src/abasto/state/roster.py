"""The roster: every device that a state knows, what it is in the network, and what stewards have still to agree on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from abasto.state.members import Proposal
from abasto.state.state import State

__all__ = ["Proposed", "Rostered", "Standing", "proposed", "roster"]

Standing = Literal["member", "asked", "expired", "cut", "replaced", "stranger"]


@dataclass(frozen=True, slots=True)
class Rostered:
    """A device: its key, the name it asked to join by, its role, where, until when, and what it is now.

    `last_seen` is the latest date of what counts of it, `entries` how many there are; `frozen_at` is the number that it
    used twice and `proof` the two entries (0 and none if it did not); `cut_after` the last number that counts of one
    that is cut (None: of none that is).
    """

    key: str
    name: str
    role: str
    sites: tuple[str, ...]
    until: str
    standing: Standing
    last_seen: str
    entries: int
    frozen_at: int = 0
    proof: tuple[str, ...] = ()
    cut_after: int | None = None
    heir: str = ""


@dataclass(frozen=True, slots=True)
class Proposed:
    """What some stewards want and more have to say: what, of which device, and how many are missing.

    `kind` is "endorse" or "cut"; `after` and `last` are of a cut; `role`, `sites`, `until` and `succeeds` of an
    endorsement.
    """

    kind: str
    device: str
    stewards: tuple[str, ...]
    missing: int
    role: str = ""
    sites: tuple[str, ...] = ()
    until: str = ""
    succeeds: str = ""
    after: int = 0
    last: str = ""


def roster(state: State, day: str) -> tuple[Rostered, ...]:
    """Return all devices on a day (ISO): members first, by role and name, then the others."""
    members = state.members
    keys = {author.key for author in state.authors.all()} | set(members.grants) | set(members.cuts) | set(members.heirs)
    order = ("steward", "allocator", "reporter", "reader", "")
    standings = ("member", "asked", "expired", "stranger", "replaced", "cut")
    found = [_rostered(state, key, day) for key in keys]
    return tuple(
        sorted(found, key=lambda one: (standings.index(one.standing), order.index(one.role), one.name, one.key))
    )


def _rostered(state: State, key: str, day: str) -> Rostered:
    members, author = state.members, state.authors.get(key)
    grant, cut = members.grants.get(key), members.cuts.get(key)
    fork = [] if author is None else author.refused.get("fork", [])
    return Rostered(
        key=key,
        name=members.names.get(key, ""),
        role="" if grant is None or cut is not None else grant.role,
        sites=() if grant is None else grant.sites,
        until="" if grant is None else grant.until,
        standing=_standing(state, key, day),
        last_seen="" if author is None else author.day,
        entries=0 if author is None else author.seq,
        frozen_at=fork[1] if fork else 0,
        proof=tuple(fork[2:]),
        cut_after=None if cut is None else cut.seq,
        heir=members.heirs.get(key, ""),
    )


def _standing(state: State, key: str, day: str) -> Standing:
    members = state.members
    if key in members.heirs:
        return "replaced"
    if key in members.cuts:
        return "cut"
    if key in members.grants:
        return "member" if members.role(key, day) is not None else "expired"
    return "asked" if key in members.names else "stranger"


def proposed(state: State, day: str) -> tuple[Proposed, ...]:
    """Return what stewards have still to agree on, on a day (ISO)."""
    return tuple(_proposed(state, one, day) for one in state.members.proposals())


def _proposed(state: State, one: Proposal, day: str) -> Proposed:
    members = state.members
    now = tuple(key for key in one.stewards if key in members.stewards(day))
    missing = max(1, members.needed(day) - len(now))
    kind, device, *rest = one.matter
    if kind == "cut":
        seq, last = rest
        return Proposed(kind, device, now, missing, after=seq, last=last)
    role, sites, until, succeeds = rest
    return Proposed(kind, device, now, missing, role=role, sites=sites, until=until, succeeds=succeeds)
