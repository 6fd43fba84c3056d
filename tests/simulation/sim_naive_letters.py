"""Letters as they must not be read: each of these rules looks right, and the simulation is known to catch it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from abasto.state.fold import _Fold
from abasto.state.letters import Letters, Speakers, shipment_of

__all__ = ["NAIVE"]

_announced, _told = _Fold.announced, _Fold.told_of_shipment


def _counting_again(self: Any, fact: Any, letter: Any, entry: Any) -> str:
    """Each promise that comes is a shipment more, also of an order that was promised."""
    self.state.letters.coming.pop(shipment_of(letter.network, fact.order), None)
    return _announced(self, fact, letter, entry)


def _by_anybody(self: Any, fact: Any, network: str, entry: Any, day: str) -> None:
    """What is said of a shipment counts, whoever says it."""
    letters = self.state.letters
    shipment = getattr(fact, "shipment", "")
    if shipment in letters.coming:
        network = letters.coming[shipment].network
    _told(self, fact, network, entry, day)


def _now(self: Any, entry: Any) -> bool:
    """Who is a steward when a letter comes speaks, whatever it was when it signed that, and its cut takes all away."""
    return entry.author in self.now


def _patched(what: Any, name: str, naive: Callable[..., Any]) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: patch.object(what, name, naive)


NAIVE = {
    "a promise that comes again counts again": _patched(_Fold, "announced", _counting_again),
    "what is heard before the promise is dropped": _patched(Letters, "keep_early", lambda *_: None),
    "anybody withdraws": _patched(_Fold, "told_of_shipment", _by_anybody),
    "who speaks is judged when a letter comes": _patched(Speakers, "said", _now),
}
