"""Who sits at the desk: one-time codes open sessions, which have a role and end by themselves.

Codes and tokens are kept as digests only, in memory: a restarted room asks everybody for a new code, and nothing on
the disk opens it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal, get_args

from abasto.errors import SettingError

__all__ = ["ROLES", "Role", "Session", "Sessions", "code_from", "digest", "new_code", "new_token"]

Role = Literal["steward", "allocator", "reader", "reporter"]
"""steward: everything, and who may enter; allocator: plans, orders, tables and books; reader: looks; reporter: reports
of its sites."""
ROLES: tuple[Role, ...] = get_args(Role)

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that could be read as a digit, or as another one."""
CODE_SIGNS = 10
"""Signs of a code: 50 bits, and a few tries a minute."""
CODE_LASTS = timedelta(minutes=15)
SESSION_LASTS = timedelta(hours=12)
MOST_CODES = 100
MOST_SESSIONS = 200


@dataclass(frozen=True)
class Session:
    """Somebody at a desk. `csrf` is what every form of it must bring along."""

    id: str
    role: Role
    csrf: str
    began: datetime
    ends: datetime


class Sessions:
    """The codes that are open and the sessions that run."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._codes: dict[str, tuple[Role, datetime]] = {}
        self._sessions: dict[str, Session] = {}

    def new_code(self, role: Role, *, now: datetime, lasts: timedelta = CODE_LASTS) -> str:
        """Return a code that opens one session of a role, once, within its time; as `K7Q2M-4XP0T`."""
        if role not in ROLES:
            raise SettingError(f'role "{role}": there are {", ".join(ROLES)}.')
        code = new_code()
        with self._lock:
            self._codes = {key: value for key, value in self._codes.items() if value[1] > now}
            if len(self._codes) >= MOST_CODES:
                raise SettingError(f"{MOST_CODES} codes are open already; wait until some have run out.")
            self._codes[digest(code_from(code))] = (role, now + lasts)
        return code

    def enter(self, typed: str, *, now: datetime) -> tuple[str, Session] | None:
        """Return the token of a new session for a code, and the session; None if the code opens nothing (any more)."""
        key = digest(code_from(typed))
        with self._lock:
            role, until = self._codes.pop(key, (None, now))
            if role is None or until <= now:
                return None
            token = new_token()
            session = Session(secrets.token_hex(4), role, secrets.token_urlsafe(24), now, now + SESSION_LASTS)
            running = {key: one for key, one in self._sessions.items() if one.ends > now}
            if len(running) >= MOST_SESSIONS:
                del running[min(running, key=lambda key: running[key].began)]
            self._sessions = {**running, digest(token): session}
        return token, session

    def of(self, token: str, *, now: datetime) -> Session | None:
        """Return the session of a token, None if there is none that runs."""
        session = self._sessions.get(digest(token)) if token else None
        return session if session is not None and session.ends > now else None

    def running(self, *, now: datetime) -> tuple[Session, ...]:
        """Return the sessions that run, the oldest first."""
        return tuple(sorted((one for one in self._sessions.values() if one.ends > now), key=lambda one: one.began))

    def end(self, id: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions = {key: one for key, one in self._sessions.items() if not hmac.compare_digest(one.id, id)}


def new_code() -> str:
    """Return a code to be read out and typed, as `K7Q2M-4XP0T`."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(CODE_SIGNS))
    return f"{signs[: CODE_SIGNS // 2]}-{signs[CODE_SIGNS // 2 :]}"


def code_from(typed: str) -> str:
    """Return the signs of a code as somebody typed it: case, blanks and dashes do not matter, nor O for 0.

    >>> code_from(" k7q2m 4xpoL")
    'K7Q2M4XP01'
    """
    signs = typed.upper().replace("O", "0").replace("I", "1").replace("L", "1")
    return "".join(sign for sign in signs if sign in ALPHABET)


def new_token() -> str:
    """Return a secret that nobody can guess: 256 bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.blake2b(secret.encode(), digest_size=32).hexdigest()
