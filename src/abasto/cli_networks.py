"""The command `networks`: which other networks are recognised here, and letters to and from them by stick."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable
from abasto.cli_carry import hear_file, letters_words, readers_of, write_letters
from abasto.cli_home import Code, Flag, open_home, order_words, read_state, to_the_end, today, write
from abasto.cli_joint import exports_document, exports_words, plan
from abasto.cli_tables import refuse_to_overwrite
from abasto.facts.codes import code_of, spoken

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["networks"]

MOST_TOLD = 5

networks = App(
    name="networks",
    help="Show the other networks that are recognised here; recognise one, plan together, carry letters by stick.",
    help_format="plaintext",
    version_flags=(),
)

networks.command(plan)


@networks.default
def show(*, date: str | None = None, home: Path | None = None, json: Flag = False) -> int:
    """Show this network's id, the networks recognised here, and the shipments that come from them and go to them.

    Parameters
    ----------
    date
        The day by which shipments are overdue; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
        own = "" if opened.journal.device is None else opened.journal.device.key
    if json:
        print(json_format.dumps(_document(state), ensure_ascii=False, indent=1))
        return EXIT_OK
    for line in _lines(state, own, day.isoformat()):
        print(printable(line))
    return EXIT_OK


@networks.command
def recognise(
    name: str, network: Code, /, *, date: str | None = None, home: Path | None = None, json: Flag = False
) -> int:
    """Recognise another network: from now on its letters are heard here. A steward does it.

    Parameters
    ----------
    name
        What it is called in its own tables; sites of it have this name in their column `network`.
    network
        The whole id of its founding entry, or the text that `abasto networks` shows there, which has it.
    date
        The day on which it is recognised; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.abroad import NotRecognisedError, recognition

    with open_home(home) as opened:
        before = read_state(opened)
        try:
            fact = recognition(before, name, network, date=today(date).isoformat())
        except NotRecognisedError as error:
            raise UsageError(str(error)) from None
        [entry] = write(opened, [fact])
    code = code_of(fact.network)
    if json:
        print(json_format.dumps({"entry": entry.id, "network": fact.network, "code": code, "name": name}))
        return EXIT_OK
    print(printable(f"Recognised {name}, {code}. Entry {code_of(entry.id)}."))
    if fact.network in before.letters.recognised:
        print(printable(f"It was recognised already, as {before.letters.recognised[fact.network]}; it is {name} now."))
    print(f"Compare its code with the one that is read aloud there: {spoken(fact.network)}")
    return EXIT_OK


@networks.command
def withdraw(
    shipment: Code,
    /,
    *,
    cause: str = "",
    lost: Flag = False,
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Take back a promise whose order was lost with its device: others hear that it does not come. A steward does it.

    Where the order is here, cancel that instead: abasto orders cancel.

    Parameters
    ----------
    shipment
        The whole id of the shipment, as `abasto networks` shows it where it is awaited.
    cause
        Why it does not come.
    lost
        The promise was lost with the device that made it, so that nothing here knows of it.
    date
        The day on which it is taken back; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.abroad import NotPromisedError, NotWithdrawnError, withdrawal

    with open_home(home) as opened:
        day = today(date).isoformat()
        try:
            fact = withdrawal(read_state(opened), shipment, date=day, cause=cause, may_be_lost=lost)
        except NotPromisedError as error:
            raise UsageError(
                f"{error} What was promised is shown by: abasto networks. If it was promised by a device that is lost: "
                f"abasto networks withdraw {shipment} --lost"
            ) from None
        except NotWithdrawnError as error:
            raise UsageError(str(error)) from None
        [entry] = write(opened, [fact])
    if json:
        print(json_format.dumps({"entry": entry.id, "shipment": fact.shipment}))
    else:
        print(f"Taken back: shipment {code_of(fact.shipment)}. The other network hears it with the next letters.")
    return EXIT_OK


@networks.command
def post(
    path: Path,
    /,
    *,
    readers: Annotated[list[str] | None, Parameter(name="--for", allow_leading_hyphen=True, negative="")] = None,
    date: str | None = None,
    home: Path | None = None,
    force: Flag = False,
) -> int:
    """Write the letters for other networks to a bundle file, sealed to the stewards that are known of them.

    Orders that go to sites of other networks become promises, if they have not yet.

    Parameters
    ----------
    path
        The file to write.
    readers
        Whole keys of devices of other networks that are to read it, or the texts that `abasto networks` shows there;
        needed until a first letter of theirs has come.
    date
        The day of what is promised; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    force
        Replace what is at PATH.

    """
    refuse_to_overwrite(path, force=force)
    with open_home(home) as opened, to_the_end():
        day = today(date)
        written = write_letters(opened, path, readers_of(read_state(opened), readers or (), day), day)
    print(f"Wrote {path}: {letters_words(written.entries)}, {written.size:,} bytes, sealed.")
    return EXIT_OK


@networks.command
def hear(path: Path, /, *, date: str | None = None, home: Path | None = None, json: Flag = False) -> int:
    """Take in the letters of a bundle file that a recognised network wrote.

    Parameters
    ----------
    path
        The file.
    date
        The day on which it is heard; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    with open_home(home) as opened, to_the_end():
        network, name, done = hear_file(opened, path, today(date))
    if json:
        print(json_format.dumps({"network": network, "came": done.came, "refused": done.refused}))
    else:
        print(printable(f"{letters_words(done.came)} came from {name}."))
        for why in done.refused[:MOST_TOLD]:
            print(printable(f"  refused: {why}"))
    return EXIT_INPUT if done.refused else EXIT_OK


def _lines(state: State, own: str, day: str) -> Iterator[str]:
    from abasto.state.abroad import card, lost_promises, only_promised, others, own_name

    letters = state.letters
    yield f"This network is {own_name(state)}, {state.network}, code {spoken(state.network)}."
    yield f"Others recognise it with: abasto networks recognise NAME '{card(state.network, own)}'"
    if not letters.recognised:
        yield "No other network is recognised yet. Recognise one with: abasto networks recognise NAME ID"
        return
    yield exports_words(state)
    for one in others(state):
        last = max(letters.said.get(one.network, {}), default="")
        joint = f", last joint plan {last}" if last else ""
        when = f", the last on {one.latest.day}" if one.latest else ""
        yield f"{one.name}, {code_of(one.network)}: {letters_words(one.heard)} heard{when}{joint}"
    units = {row.cells["good"]: row.cells.get("unit", "kg") for row in state.rows.table("goods")}
    for shipment in letters.coming:
        record = state.orders[shipment]
        is_open = only_promised(state, record)
        yield f"comes: {order_words(record, units, status='promised' if is_open else '')}"
        if is_open and record.issued is not None and record.issued.arrives < day:
            yield (
                "  overdue, and it is not told that it was loaded. If they know of no such order, they take it back "
                f"with: abasto networks withdraw {shipment} --lost"
            )
    for order, promise in letters.going.items():
        if order not in state.orders:
            continue  # It has not come here yet, or its author was cut off.
        to = letters.recognised.get(promise.network, code_of(promise.network))
        yield f"goes to {to}: {order_words(state.orders[order], units)}"
    for promise in lost_promises(state):
        to = letters.recognised.get(promise.network, code_of(promise.network))
        yield (
            f"promised to {to}, and its order is not here. If it does not come any more, take it back: abasto networks "
            f"withdraw {promise.id}"
        )
    waiting = len(letters.waiting())
    if waiting:
        what, they = ("load or receipt waits", "it is") if waiting == 1 else ("loads or receipts wait", "they are")
        yield (
            f"{waiting} {what} for a steward's device, and {they} passed on to the other network once that has "
            "synced and posts or exchanges letters."
        )


def _document(state: State) -> dict[str, Any]:
    from abasto.cli_order_words import status_of
    from abasto.state.abroad import others

    letters = state.letters
    return {
        "network": state.network,
        "code": code_of(state.network),
        **exports_document(state),
        "recognised": [
            {
                "network": one.network,
                "code": code_of(one.network),
                "name": one.name,
                "heard": one.heard,
                "last_heard": one.latest.day if one.latest else None,
            }
            for one in others(state)
        ],
        "coming": [
            {"shipment": id, "network": one.network, "status": status_of(state, state.orders[id])}
            for id, one in letters.coming.items()
        ],
        "going": [
            {"order": id, "shipment": one.id, "network": one.network, "status": status_of(state, state.orders[id])}
            for id, one in letters.going.items()
            if id in state.orders
        ],
        "waiting": letters.waiting(),
    }
