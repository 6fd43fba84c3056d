"""Members: who counts in the network, what stewards have still to agree on, and what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import segno
from starlette.responses import Response

from abasto.facts.codes import code_of, spoken
from abasto.facts.kinds import ROLES, DeviceCut, DeviceEndorsed, body_of
from abasto.inbox.asked import AskedError
from abasto.language import Language
from abasto.room.desk import day_of, own_key, pickers, seal_of
from abasto.room.web import Call, Page
from abasto.state.deciding import cut_of, replacement, still_missing, taken_back
from abasto.state.permits import refuse_forbidden
from abasto.state.roster import proposed, roster
from abasto.state.state import State

__all__ = ["PAGES_MEMBERS"]

QR_SCALE = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What a steward is asked to confirm: of which device, what it becomes, what it succeeds, or what a cut takes."""

    code: str
    name: str
    role: str = ""
    sites: tuple[str, ...] = ()
    until: str = ""
    succeeds: str = ""
    is_cut: bool = False
    after: int = 0
    taken_back: int = 0


def show(call: Call) -> Response:
    """Show all devices, what is proposed, and, to a steward, the forms that decide and the invitation."""
    day = call.room.day.isoformat()
    with call.room.lock:
        state = call.room.state
        listed, wanted = roster(state, day), proposed(state, day)
        number, needed = len(state.members.stewards(day)), state.members.needed(day)
        parts: dict[str, Any] = {
            "network": state.network,
            "is_open": state.members.admission == "open",
            **pickers(state),
        }
        own = own_key(call)
    text = f"abasto:join?network={parts['network']}&device={own}"
    return call.show(
        "members.html.j2",
        listed=listed,
        wanted=wanted,
        number=number,
        needed=needed,
        own=own,
        invitation=text,
        picture=segno.make(text, error="m").png_data_uri(scale=QR_SCALE, border=4),
        role_words=_role_words(call.words),
        roles=ROLES,
        code_of=code_of,
        spoken=spoken,
        **parts,
    )


def endorse(call: Call) -> Response:
    """Give a device a role, or let it take over the role of a lost one."""
    day = call.room.day.isoformat()
    device, lost = call.field("device"), call.field("succeeds")
    with call.room.lock:
        state = call.room.state
        if lost:
            facts = replacement(call.room.home.journal, state, lost, device, after=None, day=day)
        else:
            sites = tuple(dict.fromkeys(str(site) for site in call.fields.getlist("site")))
            role = call.field("role")
            if (role == "reporter") != bool(sites):
                raise AskedError("a reporter reports for sites, and the other roles for none; choose them so.")
            until = day_of(call, "until").isoformat() if call.field("until") else ""
            facts = [DeviceEndorsed(device, role, day, sites, until)]
        return _decide(call, state, facts)


def cut(call: Call) -> Response:
    """Cut a device off."""
    text = call.field("after")
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 15):
        raise AskedError(f'"{text[:80]}": give the number of an entry, or 0.')
    with call.room.lock:
        state = call.room.state
        after = int(text) if text else None
        day = call.room.day.isoformat()
        fact = cut_of(call.room.home.journal, state, call.field("device"), after=after, day=day)
        return _decide(call, state, [fact])


def _decide(call: Call, state: State, facts: Sequence[DeviceEndorsed | DeviceCut]) -> Response:
    """Ask back what facts come to, and write them once just that is confirmed."""
    for fact in facts:
        body_of(fact)  # What cannot be said is refused before it is asked back.
    refuse_forbidden(state, facts, own_key(call))
    asked = [_asked(state, fact) for fact in facts]
    seal = seal_of(repr(one) for one in asked)
    if call.field("sure") != seal:
        fields = [
            (name, value) for name, value in call.fields.multi_items() if name != "sure" and isinstance(value, str)
        ]
        words = _role_words(call.words)
        return call.show("members_sure.html.j2", asked=asked, fields=fields, seal=seal, role_words=words)
    call.room.write(facts)
    missing = max(still_missing(call.room.state, fact) for fact in facts)
    if not missing:
        return call.go("/members", said=call.words("It is decided."))
    said = call.words.many(
        "It is proposed; {n} more steward must say the same.",
        "It is proposed; {n} more stewards must say the same.",
        missing,
    )
    return call.go("/members", said=said)


def _asked(state: State, fact: DeviceEndorsed | DeviceCut) -> Asked:
    code, name = spoken(fact.device), state.members.names.get(fact.device, "")
    if isinstance(fact, DeviceCut):
        return Asked(code, name, is_cut=True, after=fact.seq, taken_back=taken_back(state, fact))
    heir_of = spoken(fact.succeeds) if fact.succeeds else ""
    return Asked(code, name, role=fact.role, sites=fact.sites, until=fact.until, succeeds=heir_of)


def _role_words(words: Language) -> dict[str, str]:
    return {
        "reader": words("reader"),
        "reporter": words("reporter"),
        "allocator": words("allocator"),
        "steward": words("steward"),
    }


PAGES_MEMBERS: tuple[Page, ...] = (
    Page("/members", show),
    Page("/members/endorse", endorse, "POST", "steward"),
    Page("/members/endorse", show, is_whole=False),  # For whoever chooses another language where it was asked back.
    Page("/members/cut", cut, "POST", "steward"),
    Page("/members/cut", show, is_whole=False),
)
"""Every page about members."""
