"""What a phone has to know to work without connection: its sites, the goods, orders to and from, the last figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import BaseModel, ConfigDict

from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.facts.kinds import Line
from abasto.inbox.from_state import names_of
from abasto.inbox.names import Names
from abasto.inbox.reading import spelled_good, spelled_site
from abasto.room.pictures import letters_of, picture_of
from abasto.room.report_needs import needs_on, rationed
from abasto.state.figures import figures
from abasto.state.state import State
from abasto.state.steps import lines_to_load, lines_to_receive
from abasto.state.types import OrderRecord

__all__ = ["Sheet", "SheetFigure", "SheetGood", "SheetLine", "SheetOrder", "SheetSite", "site_sheet"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SheetSite(_Model):
    """A site; `line` is how a text message names it."""

    id: str
    name: str
    line: str


class SheetGood(_Model):
    """A good: what it is counted in (its unit, then its packs), and its picture."""

    id: str
    name: str
    line: str
    units: tuple[str, ...]
    picture: str
    letters: str


class SheetLine(_Model):
    """So much of a good, in its unit."""

    good: str
    quantity: str


class SheetOrder(_Model):
    """An open order, and what is left of it to be loaded or received at the phone's sites."""

    code: str
    from_site: str
    from_name: str
    to_site: str
    to_name: str
    departs: str
    arrives: str
    status: str
    to_load: tuple[SheetLine, ...]
    to_receive: tuple[SheetLine, ...]


class SheetFigure(_Model):
    """What is known of a good at a site, in its unit: on hand, how and when that was known; needed a day, by its own
    row and by ration. Blank: unknown.
    """

    site: str
    good: str
    stock: str
    kind: str
    as_of: str
    need: str
    ration: str


class Sheet(_Model):
    """All that a phone keeps of the network."""

    network: str
    name: str
    day: str
    made_at: str
    sites: tuple[SheetSite, ...]
    goods: tuple[SheetGood, ...]
    orders: tuple[SheetOrder, ...]
    figures: tuple[SheetFigure, ...]
    received: tuple[str, ...] = ()
    """Ids of reports that came back in files; only in a file, whose copies have no other way to hear of it."""


def site_sheet(state: State, sites: Sequence[str], day: date, *, made_at: str, received: Sequence[str] = ()) -> Sheet:
    """Return the sheet of some sites on a day, or of all where none is named; `made_at` is when, in ISO form."""
    names = names_of(state)
    mine = [site for site in names.sites if not sites or site.id in sites]
    ids = {site.id for site in mine}
    return Sheet(
        network=code_of(state.network),
        name=state.founded.name if state.founded else "",
        day=day.isoformat(),
        made_at=made_at,
        sites=tuple(SheetSite(id=one.id, name=one.name or one.id, line=spelled_site(names, one.id)) for one in mine),
        goods=tuple(_good(names, good.id, good.name) for good in names.goods),
        orders=tuple(_order(state, names, order, ids) for order in state.orders.open() if _is_of(order, ids)),
        figures=tuple(_figures(state, names, ids, day)),
        received=tuple(received),
    )


def _good(names: Names, id: str, name: str) -> SheetGood:
    return SheetGood(
        id=id,
        name=name or id,
        line=spelled_good(names, id),
        units=names.units_of(id),
        picture=picture_of(id, name),
        letters=letters_of(name or id),
    )


def _is_of(order: OrderRecord, sites: set[str]) -> bool:
    return order.issued is not None and bool({order.issued.from_site, order.issued.to_site} & sites)


def _order(state: State, names: Names, order: OrderRecord, sites: set[str]) -> SheetOrder:
    issued = order.issued
    assert issued is not None  # Only open orders come here, and those were issued.
    return SheetOrder(
        code=code_of(order.id),
        from_site=issued.from_site,
        from_name=_called(names, issued.from_site),
        to_site=issued.to_site,
        to_name=_called(names, issued.to_site),
        departs=issued.departs,
        arrives=issued.arrives,
        status=order.status,
        to_load=_lines(lines_to_load(state, order, {})) if issued.from_site in sites else (),
        to_receive=_lines(lines_to_receive(order, {})) if issued.to_site in sites else (),
    )


def _called(names: Names, site: str) -> str:
    known = names.site(site)
    return (known.name or known.id) if known else site


def _lines(lines: Sequence[Line]) -> tuple[SheetLine, ...]:
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.good] = sums.get(line.good, 0) + line.quantity
    return tuple(SheetLine(good=good, quantity=amount(quantity)) for good, quantity in sums.items())


def _figures(state: State, names: Names, sites: set[str], day: date) -> list[SheetFigure]:
    stock = {(one.site, one.good): one for one in figures(state, day) if one.site in sites}
    needs = needs_on(state, day)
    found = []
    for site in sorted(sites):
        for good in names.goods:
            known = stock.get((site, good.id))
            need, ration = needs.get((site, good.id)), rationed(state, site, good.id)
            if known is None and need is None and not ration:
                continue
            found.append(
                SheetFigure(
                    site=site,
                    good=good.id,
                    stock="" if known is None else amount(known.quantity),
                    kind="" if known is None else known.kind,
                    as_of="" if known is None else known.as_of,
                    need="" if need is None else amount(need),
                    ration=amount(ration) if ration else "",
                )
            )
    return found
