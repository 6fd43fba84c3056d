"""An exception before it has an id."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STEWARD", "Wrong"]

STEWARD = "a steward"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """What is wrong, as in `Problematic`; `matter` has what makes it another matter when it changes."""

    kind: str
    about: str
    message: str
    remedy: str
    who: str
    matter: tuple[str, ...]
    date: str = ""
    entries: tuple[str, ...] = ()
