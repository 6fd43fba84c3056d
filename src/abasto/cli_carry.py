"""What exchanges with a peer: entries with a device of this network, letters with one of a recognised network."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from abasto.cli import UsageError
from abasto.cli_home import read_state, today
from abasto.errors import AbastoError
from abasto.facts.codes import code_of

if TYPE_CHECKING:
    import datetime

    from abasto.journal.home import Home
    from abasto.journal.journal import Journal
    from abasto.letters import Exchanged
    from abasto.state.state import State
    from abasto.sync.bundle import BundleWritten
    from abasto.sync.exchange import Synced
    from abasto.sync.peer import Carry
    from abasto.sync.register import Peer

__all__ = [
    "Result",
    "exchange_with",
    "hear_file",
    "letters_words",
    "read_journal",
    "readers_of",
    "refused_lines",
    "write_letters",
]

Result: TypeAlias = "Synced | Exchanged | AbastoError"
"""What an exchange brought, or why there was none."""
MOST_TOLD = 10
"""So many refused entries are told one by one."""


def exchange_with(home: Home, peer: Peer) -> Result:
    """Return what an exchange brought, or why there was none; with another network letters are exchanged."""
    from abasto.sync.http import HttpCarrier
    from abasto.sync.nats import NatsLink, is_nats

    try:
        if is_nats(peer.address):
            with NatsLink(peer.address) as link:
                return _over(home, link.carry(peer.key), peer)
        with HttpCarrier(peer.address) as carry:
            return _over(home, carry, peer)
    except AbastoError as error:
        return error


def _over(home: Home, carry: Carry, peer: Peer) -> Result:
    """Exchange over a carrier: entries with a device of this network, letters with one of a recognised network."""
    from abasto.letters import exchange
    from abasto.membership import Membership
    from abasto.sync.exchange import sync
    from abasto.sync.peer import Asking
    from abasto.sync.refused import NotExpectedError, OtherNetworkError

    journal = home.journal
    assert journal.device is not None  # A home always has one.
    members = Membership(journal)
    if members.is_cut(peer.key):
        raise NotExpectedError(
            f"{peer.code} was cut off by the network, so it is asked nothing and given nothing; forget it with: "
            "abasto peers drop NAME"
        )
    try:
        ask = Asking(carry, journal.device, key=peer.key, network=journal.network)
        return sync(journal, ask, may_keep=members.room())
    except OtherNetworkError as error:
        refusal = error
    for network in read_state(home).letters.recognised:
        ask = Asking(carry, journal.device, key=peer.key, network=network)
        with contextlib.suppress(OtherNetworkError):
            return exchange(journal, ask, network, today(None), read=read_journal, time=int(time.time()))
    return refusal


def read_journal(journal: Journal) -> State:
    """Return what the entries of a journal come to."""
    from abasto import cycle

    return cycle.read_state(journal)


def hear_file(home: Home, path: Path, day: datetime.date) -> tuple[str, str, Exchanged]:
    """Take in the letters of a bundle file; return the id and the name of the network that wrote it, and what came."""
    from abasto.letters import hear_bundle
    from abasto.sync.bundle import open_bundle

    bundle = open_bundle(path, seed=home.file.seed())
    done = hear_bundle(home.journal, bundle, day, read=read_journal, time=int(time.time()))
    return bundle.network, read_state(home).letters.recognised[bundle.network], done


def write_letters(home: Home, path: Path, readers: Sequence[str], day: datetime.date) -> BundleWritten:
    """Write what other networks may see to a bundle file, for these keys and the stewards that are known of them."""
    from abasto import letters

    try:
        return letters.write_letters(home.journal, path, readers, day, read=read_journal, time=int(time.time()))
    except letters.NoReaderError as error:
        raise UsageError(f"{str(error).removesuffix('.')} with --for.") from None


def readers_of(state: State, asked: Sequence[str], day: datetime.date) -> list[str]:
    """Return the keys of the devices that --for names, by key or by the text that their network shows.

    Raises `UsageError` for what is neither, with who is known to read letters anyway.
    """
    from abasto.state.abroad import read_card
    from abasto.sync.sealing import can_be_sealed_to

    keys = [read_card(text)[1] for text in asked]
    for text, key in zip(asked, keys, strict=True):
        if not can_be_sealed_to(key):
            raise UsageError(
                f'--for "{text[:80]}": this is no whole key of a device, nor the text that `abasto networks` shows in '
                f"the other network. {_readers_words(state, day)}"
            )
    return keys


def _readers_words(state: State, day: datetime.date) -> str:
    """Return which devices of which networks are known, and so need not be named."""
    letters = state.letters
    known, unknown = list[str](), list[str]()
    for network, name in sorted(letters.recognised.items(), key=lambda one: one[1].casefold()):
        keys = letters.speakers[network].on(day.isoformat()) if network in letters.speakers else ()
        if keys:
            known.append(f"{name} ({', '.join(code_of(key) for key in keys)})")
        else:
            unknown.append(name)
    words = f"Who is known already need not be named: {', '.join(known)}." if known else ""
    return f"{words} No device is known yet of {', '.join(unknown)}.".strip() if unknown else words


def letters_words(count: int) -> str:
    """Return a number of letters in words.

    >>> letters_words(1), letters_words(2_000)
    ('1 letter', '2,000 letters')
    """
    return f"{count:,} {'letter' if count == 1 else 'letters'}"


def refused_lines(where: str, reasons: Sequence[str]) -> Iterator[str]:
    """Yield why entries were refused, and how many more than those were.

    >>> list(refused_lines("refused here", ["forged"]))
    ['  refused here: forged']
    """
    yield from (f"  {where}: {reason}" for reason in reasons[:MOST_TOLD])
    if len(reasons) > MOST_TOLD:
        yield f"  {where}: {len(reasons) - MOST_TOLD:,} more"
