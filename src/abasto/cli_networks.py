"""The command `networks`: which other networks are recognised here, and letters to and from them by stick."""

from __future__ import annotations

import json as json_format
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable
from abasto.cli_home import Code, Flag, open_home, order_words, read_state, to_the_end, today, write
from abasto.cli_tables import refuse_to_overwrite
from abasto.facts.codes import code_of

if TYPE_CHECKING:
    from abasto.journal.journal import Journal
    from abasto.state.state import State

__all__ = ["networks"]

WHOLE_ID = re.compile("[A-Za-z0-9_-]{43}")
MOST_TOLD = 5

networks = App(
    name="networks",
    help="Show the other networks that are recognised here; recognise one, and carry letters by stick.",
    help_format="plaintext",
    version_flags=(),
)


@networks.default
def show(*, home: Path | None = None, json: Flag = False) -> int:
    """Show this network's id, the networks recognised here, and the shipments that come from them and go to them.

    Parameters
    ----------
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    with open_home(home) as opened:
        state = read_state(opened)
    if json:
        print(json_format.dumps(_document(state), ensure_ascii=False, indent=1))
        return EXIT_OK
    for line in _lines(state):
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
        The whole id of its founding entry, as `abasto networks` shows it there.
    date
        The day on which it is recognised; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import NetworkRecognised

    if not WHOLE_ID.fullmatch(network):
        raise UsageError(f'"{network}" is no whole id of a network: 43 letters, as `abasto networks` shows it there.')
    with open_home(home) as opened:
        state = read_state(opened)
        known = state.letters.recognised
        if network == state.network:
            raise UsageError("this is the network of this journal itself.")
        if known.get(network) == name:
            raise UsageError(f"network {code_of(network)} is recognised as {name} already; nothing was written.")
        if state.letters.network_named(name):
            raise UsageError(f'another network is recognised as "{name}"; each needs a name of its own.')
        [entry] = write(opened, [NetworkRecognised(network, name, today(date).isoformat())])
        after = read_state(opened)
    if after.letters.recognised.get(network) != name:
        raise UsageError("only a steward recognises networks; what was written is listed and does not count.")
    if json:
        print(json_format.dumps({"entry": entry.id, "network": network, "code": code_of(network), "name": name}))
        return EXIT_OK
    print(printable(f"Recognised {name}, {code_of(network)}. Entry {code_of(entry.id)}."))
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
        Whole keys of devices of other networks that are to read it, as `abasto bundle` shows them there; needed until
        a first letter of theirs has come.
    date
        The day of what is promised; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    force
        Replace what is at PATH.

    """
    from abasto.letters import post as letters_to
    from abasto.sync.bundle import write_bundle

    refuse_to_overwrite(path, force=force)
    with open_home(home) as opened, to_the_end():
        state = read_state(opened)
        keys = sorted(
            {*(readers or ()), *(key for network in state.letters.speakers for key in state.letters.stewards(network))}
        )
        if not keys:
            raise UsageError("no steward of another network is known yet; name a device's key with --for.")
        outbox = letters_to(opened.journal, today(date), read=_read, time=int(time.time()))
        written = write_bundle(outbox, path, readers=keys)
    print(f"Wrote {path}: {_letters(written.entries)}, {written.size:,} bytes, for {len(keys)} devices.")
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
    from abasto.letters import hear_bundle
    from abasto.sync.bundle import open_bundle

    with open_home(home) as opened, to_the_end():
        bundle = open_bundle(path, seed=opened.file.seed())
        done = hear_bundle(opened.journal, bundle, today(date), read=_read, time=int(time.time()))
        name = read_state(opened).letters.recognised[bundle.network]
    if json:
        print(json_format.dumps({"network": bundle.network, "came": done.came, "refused": done.refused}))
    else:
        print(printable(f"{_letters(done.came)} came from {name}."))
        for why in done.refused[:MOST_TOLD]:
            print(printable(f"  refused: {why}"))
    return EXIT_INPUT if done.refused else EXIT_OK


def _read(journal: Journal) -> State:
    from abasto import cycle

    return cycle.read_state(journal)


def _letters(count: int) -> str:
    return f"{count:,} {'letter' if count == 1 else 'letters'}"


def _lines(state: State) -> Iterator[str]:
    letters = state.letters
    yield f"This network is {state.network}, code {code_of(state.network)}."
    if not letters.recognised:
        yield "No other network is recognised yet. Recognise one with: abasto networks recognise NAME ID"
        return
    for network, name in letters.recognised.items():
        heard = sum(one == network for one in letters.heard.values())
        last = max(letters.said.get(network, {}), default="")
        yield f"{name}, {code_of(network)}: {_letters(heard)} heard" + (f", last joint plan {last}" if last else "")
    units = {row.cells["good"]: row.cells.get("unit", "kg") for row in state.rows.table("goods")}
    for shipment in letters.coming:
        yield f"comes: {order_words(state.orders[shipment], units)}"
    for order, promise in letters.going.items():
        if order not in state.orders:
            continue  # It has not come here yet, or its author was cut off.
        to = letters.recognised.get(promise.network, code_of(promise.network))
        yield f"goes to {to}: {order_words(state.orders[order], units)}"


def _document(state: State) -> dict[str, Any]:
    letters = state.letters
    return {
        "network": state.network,
        "code": code_of(state.network),
        "recognised": [
            {
                "network": network,
                "code": code_of(network),
                "name": name,
                "heard": sum(one == network for one in letters.heard.values()),
            }
            for network, name in letters.recognised.items()
        ],
        "coming": [
            {"shipment": id, "network": one.network, "status": state.orders[id].status}
            for id, one in letters.coming.items()
        ],
        "going": [
            {"order": id, "shipment": one.id, "network": one.network, "status": state.orders[id].status}
            for id, one in letters.going.items()
            if id in state.orders
        ],
    }
