"""How orders are told: a proposal, an order in one line or in full, its story; in words and as JSON."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from abasto.cli import printable
from abasto.cli_home import known_document, lot_words, quantity_words, unit_of

if TYPE_CHECKING:
    from abasto.cycle import Proposal
    from abasto.facts.kinds import Line
    from abasto.journal.home import Home
    from abasto.orders import Rounded
    from abasto.state.state import State
    from abasto.state.types import OrderRecord

__all__ = [
    "line_of",
    "print_json",
    "print_lines",
    "proposal_document",
    "proposal_lines",
    "record_document",
    "story_of",
    "whole_order",
]

SHOWN = 6
"""So many losses are told one by one."""
WORTH_TELLING = 5e-5
"""A loss below this share of a plan's worth is none that anybody would notice."""


def print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        print(printable(line))


def print_json(document: Mapping[str, Any]) -> None:
    print(json_format.dumps(document, ensure_ascii=False, indent=1))


def goods_words(state: State, lines: Sequence[Line]) -> str:
    words = []
    for line in lines:
        lot = "" if line.lot is None else f" ({lot_words(line.lot)})"
        words.append(f"{quantity_words(line.quantity, unit_of(state, line.good))} {line.good}{lot}")
    return ", ".join(words)


def trips_words(number: int) -> str:
    return f"{number:,} {'trip' if number == 1 else 'trips'}"


def proposal_lines(state: State, proposal: Proposal) -> Iterator[str]:
    """Yield the orders, fleet by fleet, and what whole trips cost."""
    rounded, network = proposal.rounded, proposal.known.network
    if not proposal.orders:
        yield f"Nothing has to leave on {network.start}; no order is proposed."
    fleets = dict.fromkeys(order.fleet for order in proposal.orders)
    total = sum(order.trips for order in proposal.orders)
    if proposal.orders:
        number = f"{len(proposal.orders)} {'order' if len(proposal.orders) == 1 else 'orders'}"
        yield f"{number} with {trips_words(total)}, from a plan of {network.days} days from {network.start}:"
    for fleet in fleets:
        yield f"{fleet}"
        for order in proposal.orders:
            if order.fleet == fleet:
                when = order.departs if order.arrives == order.departs else f"{order.departs}, arrives {order.arrives}"
                goods = goods_words(state, order.lines)
                yield f"  {order.from_site} > {order.to_site}, {trips_words(order.trips)}, {when}: {goods}"
    if proposal.orders:
        yield from _rests_on(state, proposal)
    yield from _loss_lines(rounded)


def _rests_on(state: State, proposal: Proposal) -> Iterator[str]:
    """Yield what has to be taken in and made for these orders, since what they name need not lie there yet."""
    plan, days = proposal.rounded.plan, proposal.rounded.days
    told = []
    for row in plan.intake.rows():
        if row["day"] <= days and (quantity := round(row["quantity"] * 1000)):
            on = f" on day {row['day']}" if days > 1 else ""
            told.append(
                f"{row['site']} takes in {quantity_words(quantity, unit_of(state, row['good']))} {row['good']}{on}"
            )
    for row in plan.production.rows():
        if row["day"] <= days and (quantity := round(row["batches"] * 1000)):
            on = f" on day {row['day']}" if days > 1 else ""
            told.append(f"{row['site']} makes {quantity_words(quantity)} batches of {row['recipe']}{on}")
    if told:
        yield "The plan counts on this too:"
        yield from (f"  {line}" for line in told)


def _loss_lines(rounded: Rounded) -> Iterator[str]:
    """Yield what whole trips cost, who bears it, and which vehicles do not suffice."""
    parts = f"{rounded.planned:,.1f} trips in parts became {rounded.driven:,} whole ones"
    if rounded.loss < WORTH_TELLING:
        yield f"Whole trips cost nothing: {parts}."
    else:
        yield (
            f"Whole trips cost {rounded.loss:.2%} of the plan's worth, {rounded.people_days:,.1f} weighted "
            f"people-days: {parts}."
        )
        if rounded.unavoidable > WORTH_TELLING:
            yield f"  No choice of whole trips could lose less than {rounded.unavoidable:.2%}."
        for loss in [one for one in rounded.losses if one.people_days > 0][:SHOWN]:
            yield f"  {loss.site} loses {quantity_words(round(loss.quantity * 1000))} {loss.need} over these days"
        if rounded.fuel_loss > WORTH_TELLING:
            yield f"  Of this, {rounded.fuel_loss:.2%} since whole trips burn more fuel than lies at their bases."
    if rounded.light:
        yield f"{trips_words(rounded.light)} carry hardly anything; nobody else can take that along at little cost."
    for fleet, start, end in rounded.too_long[:SHOWN]:
        yield (
            f"No trip of {fleet} from {start} to {end} fits in the hours that the fleet has on any day, so it does not "
            "drive. If it may save up its hours, give it full hours on fewer days (from, to)."
        )
    for day in rounded.vehicles:
        if not day.suffices:
            yield (
                f"{day.fleet} has {day.vehicles:g} vehicles, and {trips_words(day.trips)} on day {day.day} need "
                f"{day.needed} if each comes back within its hours; some would have to drive longer."
            )


def line_of(state: State, record: OrderRecord) -> str:
    """Return an order in one line."""
    from abasto.facts.codes import code_of

    issued = record.issued
    if issued is None:
        return f"{code_of(record.id)}  unknown: reports name it, but nobody here has issued it"
    when = f"leaves {issued.departs}, arrives {issued.arrives}"
    abroad = abroad_words(state, record)
    return (
        f"{code_of(record.id)}  {status_of(state, record):9}  {issued.from_site} > {issued.to_site}, {issued.fleet}, "
        f"{trips_words(issued.trips)}, {when}: {goods_words(state, record.loaded or issued.lines)}"
        + (f"; {abroad}" if abroad else "")
    )


def status_of(state: State, record: OrderRecord) -> str:
    """Return how far an order is; one that comes from another network is promised until that tells that it left."""
    from abasto.state.abroad import only_promised

    return "promised" if only_promised(state, record) else record.status


def abroad_words(state: State, record: OrderRecord) -> str:
    """Return what another network was told of an order that goes there; nothing where none is concerned."""
    from abasto.state.abroad import destination

    name, standing = destination(state, record)
    return {
        "": "",
        "due": f"goes to {name}; it is promised once a steward's device posts or exchanges letters",
        "promised": f"promised to {name}",
        "withdrawing": f"was promised to {name}; that it does not come is told once a steward's device posts letters",
        "withdrawn": f"was promised to {name} and withdrawn",
    }[standing]


def whole_order(state: State, record: OrderRecord) -> Iterator[str]:
    """Yield an order in full: ordered, loaded, received, and the difference."""
    from abasto.facts.codes import code_of
    from abasto.state.abroad import is_told_loaded

    issued = record.issued
    if issued is None:
        yield f"Order {code_of(record.id)}: nobody here has issued it; reports about it wait until the order comes."
    else:
        yield (
            f"Order {code_of(record.id)}: {issued.from_site} > {issued.to_site}, {issued.fleet}, "
            f"{trips_words(issued.trips)}, leaves {issued.departs}, arrives {issued.arrives}; "
            f"{status_of(state, record)}"
        )
        yield f"  ordered   {goods_words(state, issued.lines)}"
        yield from (f"  {words}" for words in [abroad_words(state, record)] if words)
    if record.loaded and is_told_loaded(state, record):
        yield f"  loaded    {goods_words(state, record.loaded)}, on {record.loaded_on}"
    if record.received_on:
        yield f"  received  {goods_words(state, record.received) or 'nothing'}, on {record.received_on}"
    for line in record.difference:
        more = "less than loaded: booked as lost on the way"
        if line.quantity < 0:
            more = "more than loaded: it stands as a difference"
        unit = unit_of(state, line.good)
        yield f"  {quantity_words(abs(line.quantity), unit)} {line.good} {more}"


def story_of(home: Home, record: OrderRecord) -> Iterator[str]:
    """Yield what each entry about an order says, in their order."""
    from abasto.facts.codes import code_of
    from abasto.journal.signing import read_entry

    for id in record.history:
        signed = home.journal.store.get(id)
        if signed is not None:
            entry = read_entry(signed).entry
            said = entry.kind.removeprefix("order.").replace("entry.reversed", "undone")
            cause = f": {entry.body['cause']}" if entry.body.get("cause") else ""
            yield f"{entry.body.get('date', '')}  {said}{cause}  (entry {code_of(id)}, device {code_of(entry.author)})"


def proposal_document(state: State, proposal: Proposal) -> dict[str, Any]:
    from abasto.facts.kinds import body_of

    rounded = proposal.rounded
    return {
        "known": known_document(proposal.known),
        "objective": rounded.plan.objective,
        "objective_of_fractions": rounded.fractional.objective,
        "loss": rounded.loss,
        "unavoidable": rounded.unavoidable,
        "people_days_lost": rounded.people_days,
        "losses": [asdict(loss) for loss in rounded.losses],
        "trips_planned": rounded.planned,
        "trips": rounded.driven,
        "light_trips": rounded.light,
        "light_loss": rounded.light_loss,
        "fuel_loss": rounded.fuel_loss,
        "too_long": [list(place) for place in rounded.too_long],
        "vehicles": [asdict(day) for day in rounded.vehicles],
        "orders": [body_of(order) for order in proposal.orders],
    }


def record_document(state: State, record: OrderRecord) -> dict[str, Any]:
    """Return an order as JSON holds it; quantities are in the goods' units.

    What comes from another network and is not told to have been loaded is "promised", though it is counted on.
    """
    from abasto.facts.codes import code_of
    from abasto.state.abroad import is_told_loaded

    def lines(some: Sequence[Line]) -> list[dict[str, Any]]:
        return [{"good": line.good, "lot": line.lot or None, "quantity": line.quantity / 1000} for line in some]

    issued = record.issued
    document: dict[str, Any] = {"order": record.id, "code": code_of(record.id), "status": status_of(state, record)}
    if issued is not None:
        document |= {"from": issued.from_site, "to": issued.to_site, "fleet": issued.fleet, "trips": issued.trips}
        document |= {"departs": issued.departs, "arrives": issued.arrives, "ordered": lines(issued.lines)}
    loaded, loaded_on = (record.loaded, record.loaded_on) if is_told_loaded(state, record) else ((), "")
    document |= {"loaded": lines(loaded), "loaded_on": loaded_on or None}
    document |= {"received": lines(record.received), "received_on": record.received_on or None}
    return document | {"difference": lines(record.difference)}
