"""A proposal of orders as a file, so that what was shown, printed and agreed on is what is signed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abasto.errors import FactError
from abasto.facts.kinds import OrderIssued, body_of, fact_of

__all__ = ["VERSION", "SavedProposal", "proposal_text", "read_proposal"]

VERSION = 1
KIND = "abasto proposal of orders"
FIELDS = {"kind": str, "version": int, "network": str, "day": str, "entries": int, "orders": list}


@dataclass(frozen=True)
class SavedProposal:
    """Orders that were proposed for a network (its id) on a day (ISO), when its journal had so many entries."""

    network: str
    day: str
    entries: int
    orders: tuple[OrderIssued, ...]


def proposal_text(network: str, day: str, entries: int, orders: Sequence[OrderIssued]) -> str:
    """Return the proposal as JSON text; `orders` are exactly what would be signed."""
    document = {
        "kind": KIND,
        "version": VERSION,
        "network": network,
        "day": day,
        "entries": entries,
        "orders": [body_of(order) for order in orders],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def read_proposal(text: str) -> SavedProposal:
    """Return the proposal that a text holds; raises `FactError` if it is none that this version can issue."""
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError):
        raise FactError(
            "this is no proposal of orders: it is not JSON; make one with `abasto orders propose`"
        ) from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise FactError("this is no proposal of orders; make one with `abasto orders propose --out FILE`")
    if document.get("version") != VERSION:
        raise FactError(
            f"the proposal is of version {document.get('version')}, this program reads {VERSION}; propose anew"
        )
    for name, kind in FIELDS.items():
        if type(document.get(name)) is not kind:
            raise FactError(f"the proposal's {name} is {document.get(name)!r:.80}, which cannot be; propose anew")
    orders = []
    for body in document["orders"]:
        if not isinstance(body, dict):
            raise FactError(f"the proposal holds {body!r:.80} for an order; propose anew")
        order = fact_of(OrderIssued.KIND, body)
        assert isinstance(order, OrderIssued)
        orders.append(order)
    return SavedProposal(document["network"], document["day"], document["entries"], tuple(orders))
