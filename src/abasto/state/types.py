"""What is known after a fold, as others read it: figures with age and kind, orders, exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from abasto.facts.kinds import Line, OrderIssued

__all__ = ["Figure", "FigureKind", "OrderRecord", "OrderStatus", "Problematic"]

FigureKind = Literal["counted", "computed", "estimated"]
OrderStatus = Literal["issued", "accepted", "loaded", "received", "cancelled", "unknown"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is known of a good at a site: `lots` are (lot, thousandths), `quantity` their sum.

    `as_of` is the date of the last report about it and `counted_on` of the last count (blank: never); a figure is
    counted if nothing was booked since the count, computed if something was, and estimated if it was carried forward
    to a later day by the site's own use, `use_per_day` thousandths.
    """

    site: str
    good: str
    quantity: int
    lots: tuple[tuple[str, int], ...]
    kind: FigureKind
    as_of: str
    counted_on: str
    use_per_day: int = 0


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order and how far it is. `issued` is None where only reports about it have come (status unknown).

    `loaded` and `received` add up what was reported so far, by good and lot; `difference` is loaded less received per
    good once all has been received.
    """

    id: str
    issued: OrderIssued | None
    status: OrderStatus
    author: str
    loaded: tuple[Line, ...] = ()
    received: tuple[Line, ...] = ()
    difference: tuple[Line, ...] = ()
    loaded_on: str = ""
    received_on: str = ""
    history: tuple[str, ...] = ()
    """The ids of all entries about it, in the order of the fold."""


@dataclass(frozen=True, slots=True)
class Problematic:
    """An exception: something that people have to settle; the fold went on.

    `id` stays the same in every replica and as long as the matter does; `kind` is one word or two, `message` says what
    is wrong with figures and dates, `remedy` what settles it, `who` can: a site, the author of an entry, a steward.
    """

    id: str
    kind: str
    date: str
    about: str
    message: str
    remedy: str
    who: str
    entries: tuple[str, ...] = ()
