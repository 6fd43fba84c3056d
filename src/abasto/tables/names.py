"""Suggest the closest known name for one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["Suggestions", "closest"]


def closest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like `name`, or an empty text if none is alike; case counts least.

    >>> closest("Sites", ["sites", "goods"])
    'sites'
    """
    by_folded: dict[str, str] = {}
    for candidate in known:
        by_folded.setdefault(candidate.casefold(), candidate)
    folded = name.casefold()
    if folded in by_folded:
        return by_folded[folded]
    # A name of less than half or more than twice the length cannot reach the cutoff of 2/3.
    alike = [candidate for candidate in by_folded if len(folded) <= 2 * len(candidate) <= 4 * len(folded)]
    matches = difflib.get_close_matches(folded, alike, n=1, cutoff=0.67)
    return by_folded[matches[0]] if matches else ""


class Suggestions:
    """`closest` for many names against one list: each name is looked up once, and after `limit` names no more are.

    Comparing with every name of a national network takes milliseconds, and a file that refers to 100,000 unknown sites
    is not helped by as many suggestions.
    """

    def __init__(self, known: Iterable[str], *, limit: int = 100) -> None:
        self._known = tuple(known)
        self._found: dict[str, str] = {}
        self._limit = limit

    def __call__(self, name: str) -> str:
        """Return the closest known name, or an empty text."""
        if name not in self._found:
            if len(self._found) >= self._limit:
                return ""
            self._found[name] = closest(name, self._known)
        return self._found[name]
