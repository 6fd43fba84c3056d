"""Letters as they must not be read: each of these rules looks right, and the simulation is known to catch it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any
from unittest.mock import patch

from abasto.facts.kinds import OrderReceived
from abasto.state import fold, letters
from abasto.state.fold import _Fold
from abasto.state.letters import Letters, Speakers, shipment_of

__all__ = ["NAIVE"]

_announced, _told, _handed = _Fold.announced, _Fold.told_of_shipment, _Fold.handed_over
_EXCHANGE = import_module("abasto.letters.exchange")
"""The module: the package has a function of that name."""
_one_of_us = _EXCHANGE._is_one_of_us
_early, _take, _say = Letters.keep_early, Letters.take, Letters.say


def _counting_again(self: Any, fact: Any, letter: Any, entry: Any) -> str:
    """Each promise that comes is a shipment more, also of an order that was promised."""
    self.state.letters.coming.pop(shipment_of(letter.network, fact.order), None)
    return _announced(self, fact, letter, entry)


def _by_anybody(self: Any, fact: Any, network: str, entry: Any, day: str) -> str:
    """What is said of a shipment counts, whoever says it."""
    letters = self.state.letters
    shipment = getattr(fact, "shipment", "")
    if shipment in letters.coming:
        network = letters.coming[shipment].network
    return _told(self, fact, network, entry, day)


def _now(self: Any, entry: Any, *_: Any) -> bool:
    """Who is a steward when a letter comes speaks, whatever it was when it signed that, and its cut takes all away."""
    return entry.author in self.on()


def _received_anywhere(self: Any, fact: Any, entry: Any, day: str) -> str:
    """A receipt counts wherever the goods are said to have come."""
    going, order = self.state.letters.going, self.state.letters.order_of[fact.order]
    promised = going[order]
    going[order] = promised._replace(site=fact.site)
    outcome = _handed(self, fact, entry, day)
    going[order] = promised
    return outcome


def _received_by_anybody(self: Any, fact: Any, network: str, entry: Any, day: str) -> str:
    """What was promised to one network is received when another one says so."""
    if isinstance(fact, OrderReceived) and fact.order in self.state.letters.order_of:
        network = self.state.letters.going[self.state.letters.order_of[fact.order]].network
    return _told(self, fact, network, entry, day)


def _early_of_all(self: Any, network: str, shipment: str, letter: Any) -> None:
    """So much is kept early of all networks together."""
    _early(self, network, shipment, letter)
    known = sorted(
        ((one, key) for one, of_one in self.early.items() for key in of_one), key=lambda of: of[0] == network
    )
    for one, key in known[: -letters.KEPT_EARLY]:
        del self.early[one][key]


def _room_for_all(self: Any, entry: Any, fact: Any, **how: Any) -> str:
    """So many letters are taken in of all networks together."""
    if len(self.heard) >= letters.MOST_HEARD:
        return "no room"
    return _take(self, entry, fact, **how)


def _sessions_of_all(self: Any, network: str, fact: Any, **how: Any) -> None:
    """So many messages of a session are kept of all networks together."""
    if sum(len(said.get(fact.session, ())) for said in self.said.values()) < letters.MOST_SAID:
        _say(self, network, fact, **how)


def _whose_it_is_called(journal: Any, state: Any, key: str, day: Any) -> bool:
    """A device is of the network that calls it its own."""
    is_theirs = any(state.letters.speaks(network, key) for network in state.letters.recognised)
    return not is_theirs and bool(_one_of_us(journal, state, key, day))


def _patched(what: Any, name: str, naive: Callable[..., Any]) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: patch.object(what, name, naive)


NAIVE = {
    "a promise that comes again counts again": _patched(_Fold, "announced", _counting_again),
    "what is heard before the promise is dropped": _patched(Letters, "keep_early", lambda *_: None),
    "anybody withdraws": _patched(_Fold, "told_of_shipment", _by_anybody),
    "who speaks is judged when a letter comes": _patched(Speakers, "said", _now),
    "whoever names a network speaks for it": _patched(Speakers, "said", lambda *_: True),
    "a shipment is known by its order alone": _patched(fold, "shipment_of", lambda _, order: shipment_of("", order)),
    "a receipt counts wherever": _patched(_Fold, "handed_over", _received_anywhere),
    "anybody receives": _patched(_Fold, "told_of_shipment", _received_by_anybody),
    "of a shipment all counts that is told": _patched(Letters, "has_room", lambda *_: True),
    "so much is kept early of all together": _patched(Letters, "keep_early", _early_of_all),
    "there is room for the letters of all together": _patched(Letters, "take", _room_for_all),
    "so much is said in a session by all together": _patched(Letters, "say", _sessions_of_all),
    "a device is of the network that calls it its own": _patched(_EXCHANGE, "_is_one_of_us", _whose_it_is_called),
}
