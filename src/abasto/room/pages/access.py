"""Who may enter and who may report: codes for desks, invitations for phones, and an end to either."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import segno
from starlette.responses import Response

from abasto.errors import SettingError
from abasto.language import LANGUAGES, Language
from abasto.room.phones import MOST_DAYS, PHONE_ROLES, Phone
from abasto.room.sessions import ROLES, Role
from abasto.room.web import Call, Page

__all__ = ["PAGES_ACCESS"]

DESK_ROLES: tuple[Role, ...] = ("steward", "allocator", "reader")
USUAL_DAYS = 30
QR_SCALE = 6
"""Pixels of the screen for each module of a QR code: large enough for a phone an arm's length away."""


def access(call: Call) -> Response:
    """Show the phones and desks there are, and, to a steward, the forms that let in others."""
    return _show(call)


def phones(call: Call) -> Response:
    """Show the list of phones alone, for a page that waits for one to join."""
    return call.show("access_phones.html.j2", **_lists(call))


def invite(call: Call) -> Response:
    """Invite a phone, and show once the code with which it joins."""
    label, sites = call.field("label"), tuple(str(site) for site in call.fields.getlist("site"))
    with call.room.lock:
        known = {row.cells.get("site", "") for row in call.room.state.rows.table("sites")}
    unknown = [site for site in sites if site not in known]
    if unknown:
        raise SettingError(f'site "{unknown[0][:80]}": there is no such site in table sites; choose from the list.')
    code = call.room.phones.invite(
        label,
        now=call.room.now(),
        role=_role(call.field("role"), PHONE_ROLES),
        sites=sites,
        language=_language(call.field("language")),
        days=_days(call.field("days")),
    )
    address = f"{call.room.address}/phone"
    picture = segno.make(f"{address}#join={code}", error="m").png_data_uri(scale=QR_SCALE, border=4)
    invited = {"label": " ".join(label.split()), "code": code, "address": address, "picture": picture}
    return _show(call, invited=invited)


def cut_off(call: Call) -> Response:
    """Cut a phone off: nothing that it sends is taken any more."""
    phone = call.room.phones.cut_off(call.field("phone"), now=call.room.now())
    said = call.words('"{label}" is cut off. What it has reported stays.', label=phone.label)
    return call.go("/access", said=said)


def forget(call: Call) -> Response:
    """Take a phone that cannot report any more from the list."""
    phone = call.room.phones.forget(call.field("phone"), now=call.room.now())
    return call.go("/access", said=call.words('"{label}" is no longer on the list.', label=phone.label))


def new_code(call: Call) -> Response:
    """Make a code for another desk, and show it once."""
    role = _role(call.field("role"), DESK_ROLES)
    code = call.room.sessions.new_code(role, now=call.room.now())
    return _show(call, desk={"code": code, "role": role, "address": f"{call.room.address}/enter"})


def end(call: Call) -> Response:
    """End a session: that desk has to enter anew, with a new code."""
    id = call.field("session")
    call.room.sessions.end(id)
    if id == call.session.id:
        return call.go("/enter")
    return call.go("/access", said=call.words("That desk is shut. It can enter again only with a new code."))


def _show(call: Call, **shown: Any) -> Response:
    """Return the page; what is shown once, a code, stands in this answer alone and is kept nowhere."""
    address = urlsplit(call.room.address)
    with call.room.lock:
        sites = sorted(row.cells.get("site", "") for row in call.room.state.rows.table("sites"))
    return call.show(
        "access.html.j2",
        **{"invited": None, "desk": None, **shown},
        **_lists(call),
        sessions=call.room.sessions.running(now=call.room.now()),
        sites=sites,
        roles=_role_words(call.words),
        phone_roles=PHONE_ROLES,
        desk_roles=DESK_ROLES,
        usual_days=USUAL_DAYS,
        most_days=MOST_DAYS,
        is_alone=address.hostname in ("127.0.0.1", "localhost", "::1", None),
        is_secure=address.scheme == "https",
    )


def _lists(call: Call) -> dict[str, Any]:
    """Return what the list of phones is made of."""
    now, room = call.room.now(), call.room
    states = _state_words(call.words)
    return {
        "phones": [
            {
                "phone": phone,
                "joined": datetime.fromisoformat(phone.joined),
                "ends": datetime.fromisoformat(phone.cut_off or phone.ends),
                "state": phone.state_on(now),
                "state_words": states[phone.state_on(now)],
                "role": _role_words(call.words)[phone.role],
            }
            for phone in _by_state(room.phones.all(), now)
        ],
        "invitations": room.phones.invited(now=now),
    }


def _by_state(phones: tuple[Phone, ...], now: datetime) -> list[Phone]:
    """Return phones that may report before the others."""
    return sorted(phones, key=lambda phone: phone.state_on(now) != "joined")


def _role_words(words: Language) -> dict[str, str]:
    return {
        "steward": words("steward"),
        "allocator": words("allocator"),
        "reader": words("reader"),
        "reporter": words("reporter"),
    }


def _state_words(words: Language) -> dict[str, str]:
    return {"joined": words("may report"), "ended": words("its time is over"), "cut off": words("cut off")}


def _role(role: str, among: tuple[str, ...]) -> Role:
    for known in ROLES:
        if known == role and known in among:
            return known
    raise SettingError(f'role "{role[:80]}": here it is {" or ".join(among)}; choose from the list.')


def _language(code: str) -> str:
    if code not in LANGUAGES:
        raise SettingError(f'language "{code[:80]}": there are {", ".join(LANGUAGES)}; choose from the list.')
    return code


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4):
        raise SettingError(f'days "{text[:80]}": give a whole number from 1 to {MOST_DAYS}.')
    return int(text)


PAGES_ACCESS: tuple[Page, ...] = (
    Page("/access", access),
    Page("/access/phones", phones, is_whole=False),
    Page("/access/invite", invite, "POST", "steward"),
    Page("/access/invite", access, is_whole=False),  # For whoever chooses another language where a code was shown.
    Page("/access/cut-off", cut_off, "POST", "steward"),
    Page("/access/forget", forget, "POST", "steward"),
    Page("/access/code", new_code, "POST", "steward"),
    Page("/access/code", access, is_whole=False),
    Page("/access/end", end, "POST", "steward"),
)
"""Every page about who may enter."""
