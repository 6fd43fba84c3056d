"""How members are told on the command line: the roster, what stewards have still to agree on, what a decision means."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from abasto.facts.codes import code_of, spoken

if TYPE_CHECKING:
    from abasto.facts.kinds import DeviceCut, DeviceEndorsed
    from abasto.state.roster import Proposed, Rostered
    from abasto.state.state import State

__all__ = ["meaning", "roster_lines", "stewards_words"]


def roster_lines(
    state: State, listed: Sequence[Rostered], wanted: Sequence[Proposed], own: str, day: str
) -> Iterator[str]:
    """Yield the network, its devices, and what is proposed; `own` is this device's key."""
    from abasto.summary import aligned

    name = state.founded.name if state.founded else ""
    number = len(state.members.stewards(day))
    counts = "everybody's entries count" if state.members.admission == "open" else "only members' entries count"
    yield f"{name}, network {spoken(state.network)}: {counts}"
    needed = state.members.needed(day)
    who = "who decides alone" if number == 1 else f"of whom {needed} decide"
    yield f"{stewards_words(number)}, {who} about stewards, cuts and lost devices"
    header = ("code", "name", "role", "sites", "until", "last seen", "")
    rows = [
        (
            code_of(one.key),
            one.name or "–",
            one.role or "–",
            ", ".join(one.sites) or "–",
            one.until or "–",
            one.last_seen or "–",
            ", ".join(_remarks(one, own)),
        )
        for one in listed
    ]
    yield from aligned([header, *rows])
    if number == 1 and state.members.admission == "endorsed":
        yield "There is one steward: if its device is lost, nobody can replace it. Endorse two more."
    for proposal in wanted:
        yield from _proposal_lines(proposal)


def _remarks(one: Rostered, own: str) -> Iterator[str]:
    if one.key == own:
        yield "this device"
    if one.standing == "replaced":
        yield f"replaced by {code_of(one.heir)}"
    if one.cut_after is not None:
        yield f"cut off after its entry {one.cut_after:,}"
    elif one.standing not in ("member", "replaced"):
        yield {"asked": "asks to join", "expired": "its role has ended", "stranger": "no member"}.get(one.standing, "")
    if one.frozen_at:
        proof = " and ".join(code_of(id) for id in one.proof)
        yield f"frozen: it signed two entries {one.frozen_at:,} ({proof})"


def _proposal_lines(one: Proposed) -> Iterator[str]:
    by = ", ".join(code_of(key) for key in one.stewards) or "nobody who still is one"
    code = code_of(one.device)
    if one.kind == "cut":
        yield f"Proposed by {by}: cut off {code} after its entry {one.after:,}; {stewards_words(one.missing)} missing"
        yield f"  to say the same: abasto members cut {code} --after {one.after}"
        return
    heir = f" in place of {code_of(one.succeeds)}" if one.succeeds else ""
    words = _role_words(one.role, one.sites, one.until)
    yield f"Proposed by {by}: {code} becomes {words}{heir}; {stewards_words(one.missing)} missing"
    if one.succeeds:
        yield f"  to say the same: abasto members replace {code_of(one.succeeds)} {code}"
        return
    sites = "".join(f" --sites {shlex.quote(site)}" for site in one.sites)
    until = f" --until {one.until}" if one.until else ""
    yield f"  to say the same: abasto members endorse {code} {one.role}{sites}{until}"


def _role_words(role: str, sites: Sequence[str], until: str) -> str:
    article = "an" if role[0] in "aeiou" else "a"
    return f"{article} {role}{' of ' + ', '.join(sites) if sites else ''}{f' until {until}' if until else ''}"


def stewards_words(number: int) -> str:
    """Return a number of stewards."""
    return f"{number} {'steward' if number == 1 else 'stewards'}"


def meaning(state: State, fact: DeviceEndorsed | DeviceCut, own: str) -> Iterator[str]:
    """Yield what a fact would come to, and what is to be thought of before."""
    from abasto.facts.kinds import DeviceCut
    from abasto.state.deciding import taken_back

    name = state.members.names.get(fact.device)
    device = f"device {spoken(fact.device)}{f' ({name})' if name else ''}"
    author, grant = state.authors.get(fact.device), state.members.grants.get(fact.device)
    stewards = state.members.stewards(fact.date)
    if isinstance(fact, DeviceCut):
        gone = taken_back(state, fact)
        yield f"Cut off {device} after its entry {fact.seq:,}."
        if gone:
            yield f"  {gone:,} {'entry' if gone == 1 else 'entries'} of it that came after would no longer count."
        if stewards == [fact.device]:
            yield "  It is the only steward: nobody could decide anything any more."
        if fact.device == own:
            yield "  It is this device: from then on nothing that is written here counts."
        return
    yield f"{device[0].upper()}{device[1:]} becomes {_role_words(fact.role, fact.sites, fact.until)}."
    yield f"  Today it is {_role_words(grant.role, grant.sites, grant.until) if grant else 'no member'}."
    if fact.succeeds:
        yield f"  It takes over from device {spoken(fact.succeeds)}, which is then no member."
    if fact.device in state.members.cuts:
        yield "  It was cut off, and gets no role again: let it join with a key of its own."
    if author is None and grant is None:
        yield "  No entry of it is here; compare its key with the one that was shown."
    if fact.role == "steward" and len(stewards) == 1:
        yield "  Endorse a third steward too: of two, none can be replaced once it is lost."
