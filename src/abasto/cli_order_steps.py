"""The steps of `abasto orders` that say how far an order is: accepted, loaded, received, cancelled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, say
from abasto.cli_home import (
    Code,
    Flag,
    find_good,
    find_site,
    go_on,
    open_home,
    quantity_of,
    read_state,
    to_the_end,
    today,
    write,
)
from abasto.cli_order_words import print_json, print_lines, record_document, whole_order

if TYPE_CHECKING:
    from abasto.facts.kinds import Fact
    from abasto.state.state import State
    from abasto.state.types import OrderRecord

__all__ = ["accept", "cancel", "find_order", "load", "receive"]

Lines = Annotated[tuple[str, ...], Parameter(negative="")]
LENGTH_OF_ID = 43


def accept(
    *order: Code, date: str | None = None, home: Path | None = None, yes: Flag = False, json: Flag = False
) -> int:
    """Report that whoever drives took one or several orders on.

    Parameters
    ----------
    order
        The codes of orders.
    date
        The day; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import OrderAccepted

    day = today(date).isoformat()

    def accepted(state: State) -> list[Fact]:
        return [OrderAccepted(find_order(state, one).id, day) for one in _some(order, "accept")]

    return _step(accepted, home=home, yes=yes, json=json)


def load(
    order: Code,
    /,
    *,
    line: Lines = (),
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report what was loaded for ORDER and has left: what was ordered, but for the lines that say otherwise.

    Parameters
    ----------
    order
        The code of the order.
    line
        GOOD=QUANTITY where it was not what was ordered, with a unit or pack if you like; 0 if nothing of it was loaded.
        May be given several times.
    date
        The day it was loaded; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Book it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import OrderLoaded
    from abasto.state.steps import lines_to_load

    def loaded(state: State) -> list[Fact]:
        record = find_order(state, order)
        what = lines_to_load(state, record, _quantities(state, line))
        if not what:
            raise UsageError(f"order {order} is loaded already; if more was loaded, say what: --line GOOD=QUANTITY")
        return [OrderLoaded(record.id, what, today(date).isoformat())]

    return _step(loaded, home=home, yes=yes, json=json)


def receive(
    order: Code,
    /,
    *,
    line: Lines = (),
    site: str | None = None,
    more_to_come: Flag = False,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report what arrived of ORDER: what was loaded, but for the lines that say otherwise.

    What is missing is booked as lost on the way, and stays visible as a difference.

    Parameters
    ----------
    order
        The code of the order.
    line
        GOOD=QUANTITY where it was not what was loaded, with a unit or pack if you like; 0 if nothing of it arrived.
        May be given several times.
    site
        Where it arrived, if not where it was sent.
    more_to_come
        The rest is still on the way, and not lost. Name with --line what has arrived.
    date
        The day it arrived; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Book it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import OrderReceived
    from abasto.state.steps import lines_to_receive

    if more_to_come and not line:
        raise UsageError("--more-to-come: say with --line GOOD=QUANTITY what has arrived so far.")

    def received(state: State) -> list[Fact]:
        record = find_order(state, order)
        if record.status == "received" and not line:
            raise UsageError(f"order {order} is received already; if more came, say what: --line GOOD=QUANTITY")
        what = lines_to_receive(record, _quantities(state, line), more_to_come=more_to_come)
        if site is None and record.issued is None:
            raise UsageError(f"order {order} is not known here yet; say with --site where it arrived.")
        to_site = record.issued.to_site if site is None and record.issued else find_site(state, site or "")
        if not what:
            raise UsageError(f"order {order} is not known here yet; say with --line GOOD=QUANTITY what arrived.")
        return [OrderReceived(record.id, to_site, what, today(date).isoformat(), more_to_come)]

    return _step(received, home=home, yes=yes, json=json)


def cancel(
    *order: Code,
    cause: str = "",
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report that one or several orders are not carried out; what was loaded goes back to where it was loaded.

    Parameters
    ----------
    order
        The codes of orders.
    cause
        Why, in a few words; another network to which the order goes is told it.
    date
        The day; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import OrderCancelled

    day = today(date).isoformat()

    def cancelled(state: State) -> list[Fact]:
        return [OrderCancelled(find_order(state, one).id, day, cause) for one in _some(order, "cancel")]

    return _step(cancelled, home=home, yes=yes, json=json)


def find_order(state: State, code: str) -> OrderRecord:
    """Return the order that a code stands for; a whole id may be one that nobody here has issued yet."""
    from abasto.errors import AbastoError
    from abasto.facts.codes import code_of
    from abasto.state.types import OrderRecord

    try:
        return state.orders[state.orders.find(code)]
    except AbastoError as error:
        if len(code) == LENGTH_OF_ID and code_of(code):
            return OrderRecord(code, None, "unknown", "")
        known = "`abasto orders show` lists them" if state.orders else "no order has been issued yet"
        raise UsageError(f"{error} Of orders: {known}.") from None


def _some(codes: Sequence[str], verb: str) -> Sequence[str]:
    if not codes:
        raise UsageError(f"say which order: abasto orders {verb} CODE; `abasto orders show` lists them.")
    return codes


def _step(make_facts: Callable[[State], list[Fact]], *, home: Path | None, yes: bool, json: bool) -> int:
    """Look at what the steps would come to, refuse what is doubtful without --yes, write them, and say what is so."""
    from abasto.facts.codes import code_of
    from abasto.state.carried import step_doubts

    with open_home(home) as opened:
        state = read_state(opened)
        facts = make_facts(state)
        found = step_doubts(state, facts)
        for doubt in found:
            say(f"doubtful: {doubt}")
        if found and not yes:
            say("nothing was booked; if it is right all the same, say so with --yes.")
            return EXIT_INPUT
        with to_the_end():
            entries = write(opened, facts)
            state = go_on(opened, state)
            records = [state.orders[str(entry.body["order"])] for entry in entries]
            if json:
                print_json(
                    {
                        "entries": [entry.id for entry in entries],
                        "orders": [record_document(state, one) for one in records],
                    }
                )
                return EXIT_OK
            for entry, record in zip(entries, records, strict=True):
                print_lines([*whole_order(state, record)])
                print(f"Entry {code_of(entry.id)}; to take it back: abasto undo {code_of(entry.id)}")
    return EXIT_OK


def _quantities(state: State, given: Sequence[str]) -> dict[str, int]:
    """Return the quantities that --line gives, by good."""
    changed: dict[str, int] = {}
    for one in given:
        name, equals, quantity = one.rpartition("=")
        if not equals or not name:
            raise UsageError(f'--line "{one}": write GOOD=QUANTITY, as in --line flour=30 or --line "flour=2 sacks".')
        good = find_good(state, name)
        changed[good] = quantity_of(state, good, quantity, may_be_zero=True)
    return changed
