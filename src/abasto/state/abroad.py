"""What stands between this network and others: who they are, what was heard of them, and what comes and goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs

from abasto.errors import AbastoError
from abasto.facts.codes import code_of
from abasto.facts.kinds import NetworkRecognised, ShipmentWithdrawn
from abasto.state.letters import shipment_of

if TYPE_CHECKING:
    from abasto.state.letters import Latest, Promise
    from abasto.state.state import State
    from abasto.state.types import OrderRecord

__all__ = [
    "NotPromisedError",
    "NotRecognisedError",
    "NotWithdrawnError",
    "Other",
    "Shipment",
    "card",
    "destination",
    "is_promised",
    "is_told_loaded",
    "lost_promises",
    "only_promised",
    "others",
    "own_name",
    "read_card",
    "recognition",
    "shipments",
    "withdrawal",
]

Standing = Literal["", "due", "promised", "withdrawing", "withdrawn"]
"""What was told of an order that goes to another network: nothing yet, that it comes, or that it does not."""
SCHEME = "abasto:network"
WHOLE_ID = re.compile("[A-Za-z0-9_-]{43}")


class NotRecognisedError(AbastoError):
    """A network cannot be recognised as it was asked."""


class NotWithdrawnError(AbastoError):
    """A shipment cannot be withdrawn as it was asked."""


class NotPromisedError(NotWithdrawnError):
    """No promise is known here of the shipment that is to be withdrawn: it was lost, or it never was."""


@dataclass(frozen=True, slots=True)
class Other:
    """Another network: its id, what it is called here, how many letters came of it, and the last one."""

    network: str
    name: str
    heard: int
    latest: Latest | None


@dataclass(frozen=True, slots=True)
class Shipment:
    """An order that comes from another network, or goes to one, and what was told of it; `is_loaded` is whether it has
    left, which of one that comes is known once the other network has told it.
    """

    order: OrderRecord
    network: str
    name: str
    standing: Standing
    is_loaded: bool


def others(state: State) -> tuple[Other, ...]:
    """Return the recognised networks, by name."""
    letters = state.letters
    found = (Other(id, name, letters.many[id], letters.latest.get(id)) for id, name in letters.recognised.items())
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.network)))


def destination(state: State, order: OrderRecord) -> tuple[str, Standing]:
    """Return the name of the network that an order goes to, and what it was told; blanks for one within this one."""
    letters = state.letters
    promise = letters.going.get(order.id)
    if promise is not None:
        name = letters.recognised.get(promise.network, code_of(promise.network))
        if promise.id in letters.withdrawn:
            return name, "withdrawn"
        return name, "withdrawing" if order.status == "cancelled" else "promised"
    way = order.issued
    if way is None or order.id in letters.coming or order.status in ("received", "cancelled"):
        return "", ""
    name = state.rows.cell("sites", "network", way.to_site)
    return (name, "due") if letters.network_named(name) else ("", "")


def only_promised(state: State, order: OrderRecord) -> bool:
    """Return whether an order comes from another network, which has not told yet that it was loaded: it is counted on,
    and so stands in the books as on its way.
    """
    return not is_told_loaded(state, order) and order.status not in ("received", "cancelled")


def is_told_loaded(state: State, order: OrderRecord) -> bool:
    """Return whether what an order has as loaded was told to be so: of what comes from another network it may be what
    was promised, also once it was received.
    """
    coming = state.letters.coming.get(order.id)
    return coming is None or coming.is_sent


def shipments(state: State) -> Iterator[tuple[Literal["coming", "going"], Shipment]]:
    """Yield the shipments between this network and others, in the order of their orders."""
    letters = state.letters
    for order in state.orders.values():
        coming = letters.coming.get(order.id)
        if coming is not None:
            name = letters.recognised.get(coming.network, code_of(coming.network))
            standing: Standing = "withdrawn" if order.status == "cancelled" else "promised"
            yield "coming", Shipment(order, coming.network, name, standing, coming.is_sent)
            continue
        name, standing = destination(state, order)
        if standing:
            promise = letters.going.get(order.id)
            network = letters.network_named(name) if promise is None else promise.network
            yield "going", Shipment(order, network, name, standing, bool(order.loaded))


def card(network: str, device: str) -> str:
    """Return the text by which others recognise a network: its id, and the key of a device that reads letters.

    >>> card("A" * 43, "B" * 43) == f"abasto:network?network={'A' * 43}&device={'B' * 43}"
    True
    """
    return f"{SCHEME}?network={network}&device={device}"


def read_card(text: str) -> tuple[str, str]:
    """Return the network's id and the device's key that a card has; a text that is none is both.

    >>> read_card(card("A" * 43, "B" * 43)) == ("A" * 43, "B" * 43), read_card("K7Q2")
    (True, ('K7Q2', 'K7Q2'))
    """
    scheme, _, rest = text.strip().partition("?")
    if scheme != SCHEME:
        return text.strip(), text.strip()
    told = parse_qs(rest)
    return told.get("network", [""])[0], told.get("device", [""])[0]


def recognition(state: State, name: str, network: str, *, date: str) -> NetworkRecognised:
    """Return the fact that recognises a network, by its id or card, under a name.

    Raises `NotRecognisedError` if it would say nothing new, or something that cannot be.
    """
    known, network = state.letters.recognised, read_card(network)[0]
    if not WHOLE_ID.fullmatch(network):
        raise NotRecognisedError(
            f'"{network[:80]}" is no whole id of a network: 43 letters, as `abasto networks` shows it there.'
        )
    if network == state.network:
        raise NotRecognisedError("this is the network of this journal itself.")
    if name == own_name(state):
        raise NotRecognisedError(
            f'"{name}" is this network itself; say what the other one is called in its own tables.'
        )
    if known.get(network) == name:
        raise NotRecognisedError(f"network {code_of(network)} is recognised as {name} already; nothing was written.")
    if state.letters.network_named(name):
        raise NotRecognisedError(f'another network is recognised as "{name}"; each needs a name of its own.')
    if not name:
        raise NotRecognisedError("the network has no name; say what it is called in its own tables.")
    return NetworkRecognised(network, name, date)


def own_name(state: State) -> str:
    """Return what this network is called in its own tables."""
    return next((row.cells.get("name", "") for row in state.rows.table("network")), "")


def lost_promises(state: State) -> Iterator[Promise]:
    """Yield the shipments that were promised to others, stand there, and whose order is not here: it has not come, was
    lost with its device, or its author was cut off.
    """
    for order, promise in state.letters.going.items():
        known = state.orders.get(order)
        if (known is None or known.issued is None) and promise.id not in state.letters.withdrawn:
            yield promise


def is_promised(state: State, shipment: str) -> bool:
    """Return whether a promise of this network is known here by the shipment's id, with its order or without."""
    return any(promise.id == shipment for promise in state.letters.going.values())


def withdrawal(
    state: State, shipment: str, *, date: str, cause: str = "", may_be_lost: bool = False
) -> ShipmentWithdrawn:
    """Return the fact that takes back a shipment whose order is not here, by the id that the other network shows.

    `may_be_lost` takes an id of which nothing is known here: nobody can tell a promise that was lost with its device
    from an id that nobody ever promised. Raises `NotWithdrawnError` if it is not this network's to take back, or would
    be taken back by its order.
    """
    letters, shipment = state.letters, shipment.strip()
    if not WHOLE_ID.fullmatch(shipment):
        raise NotWithdrawnError(
            f'"{shipment[:80]}" is no whole id of a shipment: 43 letters, as `abasto networks` shows it where it is '
            "awaited."
        )
    if shipment in letters.coming:
        name = letters.recognised.get(letters.coming[shipment].network, "")
        raise NotWithdrawnError(f"this shipment comes to this network; only {name}, who promised it, takes it back.")
    if shipment in letters.withdrawn:
        raise NotWithdrawnError(f"shipment {code_of(shipment)} is withdrawn already; nothing was written.")
    for id, order in state.orders.items():
        if order.issued is None or order.status == "cancelled" or shipment_of(state.network, id) != shipment:
            continue
        if order.status == "received":
            raise NotWithdrawnError(f"order {code_of(id)} carried it out and was received; it stands.")
        raise NotWithdrawnError(f"order {code_of(id)} carries it out and is here; if it does not go, cancel that.")
    if not may_be_lost and not is_promised(state, shipment):
        raise NotPromisedError(f"no promise that is known here has the id {shipment}.")
    return ShipmentWithdrawn(shipment, date, cause)
