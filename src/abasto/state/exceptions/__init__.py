"""Exceptions: what people have to settle, from the state alone; each says what is wrong, who can settle it, and how.

Most of them go by themselves once what they name is mended: the missing entry comes, the order arrives, the count is
repeated. The others stand until a note settles them. One kind of trouble with one thing is one exception.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import date

from abasto.state.exceptions.devices import device_exceptions
from abasto.state.exceptions.goods import goods_exceptions
from abasto.state.exceptions.orders import order_exceptions
from abasto.state.exceptions.reports import report_exceptions
from abasto.state.exceptions.wrong import Wrong
from abasto.state.state import State
from abasto.state.types import Problematic

__all__ = ["exceptions"]


def exceptions(state: State, day: date | None = None, *, settled: bool = False) -> tuple[Problematic, ...]:
    """Return what is to be settled, latest first, then by kind and what it is about; with a day also what is overdue.

    A note settles an exception as long as its figures stay as they are: `settled` returns those instead.
    """
    found = [_problematic(wrong) for wrong in _all(state, day)]
    chosen = [one for one in found if (one.id in state.settled) is settled]
    return tuple(sorted(sorted(chosen, key=lambda one: (one.kind, one.about)), key=lambda one: one.date, reverse=True))


def _all(state: State, day: date | None) -> Iterator[Wrong]:
    yield from goods_exceptions(state)
    yield from order_exceptions(state, day)
    yield from report_exceptions(state)
    yield from device_exceptions(state)


def _problematic(wrong: Wrong) -> Problematic:
    """Return it with its id: a digest of what it is, not of how it is worded."""
    matter = "\0".join((wrong.kind, wrong.about, *wrong.matter)).encode()
    digest = hashlib.blake2b(matter, digest_size=32).digest()
    return Problematic(
        id=urlsafe_b64encode(digest).rstrip(b"=").decode(),
        kind=wrong.kind,
        date=wrong.date,
        about=wrong.about,
        message=wrong.message,
        remedy=wrong.remedy,
        who=wrong.who,
        entries=wrong.entries,
    )
