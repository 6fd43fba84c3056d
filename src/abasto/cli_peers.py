"""The commands `peers` and `sync`: which devices this one exchanges with, and an exchange with them, now."""

from __future__ import annotations

import contextlib
import json as json_format
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from abasto.cli import EXIT_GIVEN_UP, EXIT_INPUT, EXIT_OK, UsageError, printable, say
from abasto.cli_carry import Result, exchange_with, letters_words, refused_lines
from abasto.cli_home import Code, Flag, open_home
from abasto.errors import AbastoError

if TYPE_CHECKING:
    from abasto.journal.home import Home
    from abasto.sync.register import Peer, Register

__all__ = ["peers", "sync_with"]

HIGHEST_PORT = 65_535

peers = App(
    name="peers",
    help="Say which devices this one exchanges with, show this device's key, or answer them.",
    help_format="plaintext",
    version_flags=(),
)


@peers.default
@peers.command(name="list")
def show(*, home: Path | None = None, json: Flag = False) -> int:
    """List the devices that this one exchanges with.

    Parameters
    ----------
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.sync.register import Register

    with open_home(home) as opened:
        known = Register(opened.file).all()
    if json:
        return _print({"peers": [_document(peer) for peer in known]})
    if not known:
        print("No peers yet. Add one with: abasto peers add NAME ADDRESS KEY")
        return EXIT_OK
    width = max(len(peer.name) for peer in known)
    for peer in known:
        print(printable(f"{peer.name:{width}}  {peer.shown}  key {peer.code}"))
    return EXIT_OK


@peers.command
def add(name: str, address: str, key: Code | None = None, /, *, home: Path | None = None, json: Flag = False) -> int:
    """Add a device to exchange with: this one asks it at its address, and answers it when it asks.

    Parameters
    ----------
    name
        What it is called here, such as the place where it stands; never a person.
    address
        Where it answers, such as 192.168.1.20:8300, or nats://127.0.0.1:4222 of NATS servers; or the whole text that
        `abasto peers me --address` shows there.
    key
        The key that `abasto peers me` shows there.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.sync.register import Register

    where, named = _parted(address, key)
    if not named:
        raise UsageError("the key of the other device is missing; `abasto peers me` shows it there.")
    with open_home(home) as opened:
        peer, before = Register(opened.file).add(name, where, named, own=_own(opened))
    if json:
        return _print({"peer": _document(peer), "before": _document(before) if before else None})
    print(printable(f"{peer.name} at {peer.shown} is a peer now{'' if before is None else ', as changed'}."))
    print(f"Its key read aloud: {peer.code}. Compare it with what `abasto peers me` shows there.")
    print("It has to add this device too, with the key that `abasto peers me` shows here.")
    return EXIT_OK


@peers.command
def drop(name: str, /, *, home: Path | None = None, json: Flag = False) -> int:
    """Forget a device: it is asked no more, and gets no answer. What came from it stays.

    Parameters
    ----------
    name
        What it is called here.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.sync.register import Register

    with open_home(home) as opened:
        peer = Register(opened.file).drop(name)
    if json:
        return _print({"dropped": _document(peer)})
    print(printable(f"{peer.name} is no peer any more: it gets no answer. What came from it stays."))
    return EXIT_OK


@peers.command
def me(*, address: str | None = None, home: Path | None = None, json: Flag = False) -> int:
    """Show this device's key, which others add it with: to copy, to read aloud, and as a picture to photograph.

    Parameters
    ----------
    address
        Where this device answers the others, such as 192.168.1.20:8300; it is then part of what is shown.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.codes import code_of
    from abasto.sync.register import address_of

    where = None if address is None else address_of(address)
    with open_home(home) as opened:
        key, network = _own(opened), opened.journal.network
    code, text = code_of(key, signs=16), f"{where}#{key}" if where else key
    if json:
        document = {"key": key, "code": code, "network": network or None, "address": where, "text": text}
        return _print(document)
    print(f"Key of this device: {key}")
    print(f"Read aloud:         {code}")
    if where:
        print(printable(f"With its address:   {text}"))
    to_add = f'"{text}"' if where else f"ADDRESS {key}"
    print(printable(f"The others add it with: abasto peers add NAME {to_add}"))
    _show_picture(text)
    return EXIT_OK


@peers.command
def serve(*, port: int = 8300, lan: str | None = None, nats: str | None = None, home: Path | None = None) -> int:
    """Answer the peers of this device, without a room; `abasto serve` does so too while the room is open.

    Parameters
    ----------
    port
        Where it answers; 0 takes any that is free.
    lan
        Answer also to others in the local network, under this address of this machine, such as 192.168.1.20.
    nats
        Answer over these NATS servers too, such as nats://127.0.0.1:4222, with commas between them, and exchange with
        the network's stream there.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.

    """
    from abasto.letters import answering_for
    from abasto.membership import Membership
    from abasto.room.serve import Place, listen, run
    from abasto.sync.hosting import over_nats, peers_app

    if not 0 <= port <= HIGHEST_PORT:
        raise UsageError(f"--port {port}: give a number from 0 to {HIGHEST_PORT}.")
    place = Place(port, lan or "")
    with open_home(home) as opened:
        try:
            bound = listen(place)
        except OSError as error:
            raise UsageError(
                f"port {port} of {place.address} cannot be used ({error.strerror or error}); a room may be open there, "
                "which answers peers too: choose another with --port."
            ) from None
        journal = opened.journal
        members = Membership(journal)
        answering = answering_for(journal, read=lambda _: members.state(), may_keep=members.room())
        with bound, over_nats(opened, nats, say, answering, members) if nats else contextlib.nullcontext():
            address = place.url(bound.getsockname()[1])
            print(printable(f"This device answers its peers at {address}. Ctrl-C ends it."), flush=True)
            print(printable(f"The others add it with: abasto peers add NAME {address} {_own(opened)}"), flush=True)
            run(peers_app(opened, answering, is_cut=members.is_cut), bound, place)
    say("peers are answered no more.")
    return EXIT_OK


def sync_with(peer: str, /, *, home: Path | None = None, json: Flag = False) -> int:
    """Exchange what is missing with a peer, or with all of them: what came and went, and whether both hold the same.

    What is interrupted goes on where it stopped when the command is given again. Exits with 1 if a peer could not be
    asked, or both do not hold the same afterwards.

    Parameters
    ----------
    peer
        The name of a peer, `all`, the address of one, or ADDRESS#KEY of a device that is asked this once. The
        address of NATS servers alone means all peers behind them, or the network's stream there if there are none.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.sync.exchange import Synced
    from abasto.sync.nats import is_nats
    from abasto.sync.register import ALL, Register

    results: list[tuple[Peer, Result]] = []
    with open_home(home) as opened:
        register = Register(opened.file)
        asked = register.all() if peer.casefold() == ALL else _meant(register, peer)
        if not asked and is_nats(peer):
            return _with_stream(opened, peer, json=json)
        if not asked:
            raise UsageError("there are no peers yet; add one with: abasto peers add NAME ADDRESS KEY")
        try:
            for one in asked:
                results.append((one, exchange_with(opened, one)))
                if not json:
                    _tell(*results[-1])
        except KeyboardInterrupt:
            say("given up; what came before is kept, and the next exchange goes on from there.")
            return EXIT_GIVEN_UP
    if json:
        _print({"peers": [_document(one) | _result(result) for one, result in results]})
    same = all(
        not isinstance(result, AbastoError) and (not isinstance(result, Synced) or result.is_identical)
        for _, result in results
    )
    return EXIT_OK if same else EXIT_INPUT


def _meant(register: Register, asked: str) -> Sequence[Peer]:
    """Return the peer that is meant, one that is asked this once (ADDRESS#KEY), or all behind some NATS servers."""
    from abasto.sync.nats import is_nats
    from abasto.sync.peer import key_from
    from abasto.sync.register import Peer, address_of

    where, key = _parted(asked, None)
    if not key:
        return register.behind(asked) if is_nats(asked) else [register.find(asked)]
    key_from(key)
    once = Peer("", address_of(where), key)
    return [replace(once, name=once.shown)]


def _with_stream(home: Home, servers: str, *, json: bool) -> int:
    """Exchange with the stream of this device's network once, and say what came of it."""
    from abasto.membership import Membership
    from abasto.sync.hosting import stream_for
    from abasto.sync.nats import NatsLink
    from abasto.sync.register import shown

    if not home.journal.network:
        raise UsageError(
            f"no peer behind {shown(servers)} is known, and this device holds no network yet whose stream could be "
            "there; ask a device of the network, with the key that `abasto peers me` shows there: abasto sync "
            "ADDRESS#KEY"
        )
    with NatsLink(servers) as link:
        done = stream_for(home, link, Membership(home.journal)).exchange()
    if json:
        _print({"peers": [], "stream": asdict(done)})
    else:
        print(
            f"The network's stream: {_entries(done.new)} came, {_entries(done.added)} went. No peer behind these "
            "servers is known, so nobody was asked what the stream lacks."
        )
        for line in refused_lines("refused here", done.refused):
            print(printable(line))
        if done.unread:
            print("It has messages that this device cannot open: those who sent them do not know yet that it may.")
        print(printable(f"To ask a device for all that is missing: abasto sync {shown(servers)}#KEY"))
    return EXIT_INPUT if done.refused or done.unread else EXIT_OK


def _parted(address: str, key: str | None) -> tuple[str, str]:
    """Return an address and a key, which may stand in one text with a # between them."""
    where, _, in_text = address.partition("#")
    if key and in_text and key != in_text:
        raise UsageError("the text has one key and another one follows it; give one of them.")
    return where, key or in_text


def _own(home: Home) -> str:
    device = home.journal.device
    assert device is not None  # A home always has one.
    return device.key


def _tell(peer: Peer, result: Result) -> None:
    for line in _lines(peer, result):
        print(printable(line), flush=True)


def _lines(peer: Peer, result: Result) -> Iterator[str]:
    from abasto.sync.exchange import Synced

    if isinstance(result, AbastoError):
        yield f"{peer.name}: no exchange. {result}"
        return
    if not isinstance(result, Synced):
        yield f"{peer.name}, of another network: {letters_words(result.came)} came, {letters_words(result.went)} went."
        yield from refused_lines("refused", result.refused)
        return
    yield (
        f"{peer.name}: {_entries(result.came)} came, {_entries(result.went)} went; {result.received:,} bytes came, "
        f"{result.sent:,} went."
    )
    yield from refused_lines("refused here", result.refused)
    yield from refused_lines("refused there", result.refused_there)
    if result.is_identical:
        yield f"{peer.name}: identical, code {result.code}; it is the same there."
    else:
        yield (
            f"{peer.name}: not identical; something was refused, or written meanwhile. Exchange once more, and if it "
            "stays so, compare what was refused."
        )


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def _document(peer: Peer) -> dict[str, Any]:
    return {"name": peer.name, "address": peer.shown, "key": peer.key, "code": peer.code}


def _result(result: Result) -> dict[str, Any]:
    from abasto.sync.exchange import Synced

    if isinstance(result, AbastoError):
        return {"error": str(result), "cause": type(result).__name__}
    if not isinstance(result, Synced):
        return {"letters_came": result.came, "letters_went": result.went, "refused": result.refused}
    return {
        "came": result.came,
        "went": result.went,
        "refused": result.refused,
        "refused_there": result.refused_there,
        "identical": result.is_identical,
        "identical_code": result.code or None,
        "bytes_sent": result.sent,
        "bytes_received": result.received,
    }


def _print(document: dict[str, Any]) -> int:
    print(json_format.dumps(document, ensure_ascii=False, indent=1))
    return EXIT_OK


def _show_picture(text: str) -> None:
    """Show a text as a picture (QR) in the terminal, where it has the signs for it."""
    import segno

    try:
        "█▀▄".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return
    segno.make(text, micro=False, error="m").terminal(out=sys.stdout, compact=True, border=2)
