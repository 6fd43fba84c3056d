"""The phones that report: invited with a code, known by a token, with a role, sites and an end; each can be cut off.

The register is kept in the home's own encrypted file. Of a token only its digest is kept, so whoever reads the file
cannot report as a phone. What a phone has reported stays when it is cut off.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from threading import RLock
from typing import TYPE_CHECKING

from abasto.errors import SettingError
from abasto.room.sessions import ALPHABET, CODE_LASTS, Role, code_from, digest, new_code, new_token

if TYPE_CHECKING:
    from abasto.journal.home import Home

__all__ = ["Invitation", "Phone", "Phones"]

SETTING = "phones"
MOST_PHONES = 2_000
MOST_DAYS = 366
LONGEST_LABEL = 60
PHONE_ROLES = ("reporter", "reader")


@dataclass(frozen=True)
class Phone:
    """A phone: `label` says which one (never who), `sites` where it may report (none: at every site).

    Times are ISO text. `token` is the digest of its token, `cut_off` when it was cut off, or blank.
    """

    id: str
    label: str
    role: Role
    sites: tuple[str, ...]
    language: str
    joined: str
    ends: str
    token: str
    cut_off: str = ""

    def may_report(self, site: str) -> bool:
        """Return whether it may report about a site."""
        return self.role == "reporter" and (not self.sites or site in self.sites)

    def state_on(self, now: datetime) -> str:
        """Return `joined`, `ended` or `cut off`."""
        if self.cut_off:
            return "cut off"
        return "joined" if now < datetime.fromisoformat(self.ends) else "ended"


@dataclass(frozen=True)
class Invitation:
    """An open invitation: what the phone that types its code becomes, and until when the code opens."""

    label: str
    role: Role
    sites: tuple[str, ...]
    language: str
    days: int
    until: datetime


class Phones:
    """The register of a home's phones."""

    def __init__(self, home: Home) -> None:
        self._file = home.file
        self._lock = RLock()
        self._invited: dict[str, Invitation] = {}
        rows = json.loads(self._file.setting(SETTING) or "[]")
        self._phones = {row["id"]: Phone(**{**row, "sites": tuple(row["sites"])}) for row in rows}
        self._by_token = {phone.token: phone.id for phone in self._phones.values()}

    def invite(
        self,
        label: str,
        *,
        now: datetime,
        role: Role = "reporter",
        sites: Sequence[str] = (),
        language: str = "es",
        days: int = 30,
        lasts: timedelta = CODE_LASTS,
    ) -> str:
        """Return a code with which one phone can join within its time; it then may report for so many days.

        Raises `SettingError` for a label, role or number of days that cannot be.
        """
        label = " ".join(label.split())
        if not 0 < len(label) <= LONGEST_LABEL:
            raise SettingError(f'label "{label[:80]}": say which phone it is, in 1 to {LONGEST_LABEL} characters.')
        if role not in PHONE_ROLES:
            raise SettingError(f'role "{role}": a phone is a {" or a ".join(PHONE_ROLES)}.')
        if not 1 <= days <= MOST_DAYS:
            raise SettingError(f"{days} days: a phone joins for 1 to {MOST_DAYS} days; it can be invited again.")
        code = new_code()
        with self._lock:
            self._invited = {key: one for key, one in self._invited.items() if one.until > now}
            if len(self._phones) + len(self._invited) >= MOST_PHONES:
                raise SettingError(f"there are {MOST_PHONES} phones already; forget some that have ended.")
            self._invited[digest(code_from(code))] = Invitation(label, role, tuple(sites), language, days, now + lasts)
        return code

    def join(self, typed: str, *, now: datetime) -> tuple[str, Phone] | None:
        """Return the token of the phone that typed a code, and the phone; None if the code opens nothing (any more)."""
        with self._lock:
            invited = self._invited.pop(digest(code_from(typed)), None)
            if invited is None or invited.until <= now:
                return None
            token = new_token()
            ends = (now + timedelta(days=invited.days)).isoformat(timespec="seconds")
            phone = Phone(
                id=self._new_id(),
                label=invited.label,
                role=invited.role,
                sites=invited.sites,
                language=invited.language,
                joined=now.isoformat(timespec="seconds"),
                ends=ends,
                token=digest(token),
            )
            self._keep({**self._phones, phone.id: phone})
        return token, phone

    def of(self, token: str) -> Phone | None:
        """Return the phone of a token, also one that has ended or is cut off: it should be told so."""
        return self._phones.get(self._by_token.get(digest(token), "")) if token else None

    def all(self) -> tuple[Phone, ...]:
        """Return all phones, the last to join first."""
        return tuple(sorted(self._phones.values(), key=lambda phone: phone.joined, reverse=True))

    def invited(self, *, now: datetime) -> tuple[Invitation, ...]:
        """Return the invitations that are open."""
        with self._lock:  # A phone that joins meanwhile takes its invitation out.
            return tuple(one for one in self._invited.values() if one.until > now)

    def cut_off(self, id: str, *, now: datetime) -> Phone:
        """Cut a phone off: from now on nothing that it sends is taken. Raises `SettingError` if there is none."""
        with self._lock:
            if id not in self._phones:
                raise SettingError(f'phone "{id}": there is none with this sign; see the list of phones.')
            phone = self._phones[id]
            if not phone.cut_off:
                phone = replace(phone, cut_off=now.isoformat(timespec="seconds"))
                self._keep({**self._phones, id: phone})
        return phone

    def forget(self, id: str, *, now: datetime) -> Phone:
        """Take a phone that has ended or is cut off from the register; what it has reported stays in the journal.

        Raises `SettingError` if there is none, or if it may still report.
        """
        with self._lock:
            if id not in self._phones:
                raise SettingError(f'phone "{id}": there is none with this sign; see the list of phones.')
            phone = self._phones[id]
            if phone.state_on(now) == "joined":
                raise SettingError(f'phone "{phone.label}": it may still report; cut it off first.')
            self._keep({key: one for key, one in self._phones.items() if key != id})
        return phone

    def _keep(self, phones: dict[str, Phone]) -> None:
        rows = [asdict(phone) for phone in phones.values()]
        self._file.set_setting(SETTING, json.dumps(rows, ensure_ascii=False))
        self._phones = phones
        self._by_token = {phone.token: phone.id for phone in phones.values()}

    def _new_id(self) -> str:
        while True:
            id = "".join(secrets.choice(ALPHABET) for _ in range(6))
            if id not in self._phones:
                return id
