"""The command `members`: who counts in the network, and what its stewards decide about devices."""

from __future__ import annotations

import contextlib
import io
import json as json_format
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from cyclopts import App, Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable, say
from abasto.cli_carry import refused_lines
from abasto.cli_home import (
    Code,
    Flag,
    bundle_passphrase,
    find_site,
    go_on,
    is_home,
    new_home,
    open_home,
    passphrase,
    read_state,
    to_the_end,
    today,
    write,
)
from abasto.cli_member_words import meaning, roster_lines, stewards_words
from abasto.facts.codes import code_of

if TYPE_CHECKING:
    from abasto.facts.kinds import DeviceCut, DeviceEndorsed
    from abasto.journal.home import Home
    from abasto.journal.journal import Journal
    from abasto.state.state import State
    from abasto.sync.bundle import Bundle

__all__ = ["members"]

Role = Literal["reader", "reporter", "allocator", "steward"]
SPOKEN_SIGNS = 18
"""So many signs a code has that is read aloud."""
WHOLE_KEY = re.compile("[A-Za-z0-9_-]{43}")
SCHEME = "abasto:join"
"""With what the text of an invitation's QR code begins; the network's id and the inviting device's key follow."""

members = App(
    name="members",
    help="Show who counts in the network; ask to join, invite, join, endorse, cut off and replace devices.",
    help_format="plaintext",
    version_flags=(),
)


@members.default
def show(*, date: str | None = None, home: Path | None = None, json: Flag = False) -> int:
    """List the devices of the network: who, with which role, where, until when, last seen; and what is proposed.

    Parameters
    ----------
    date
        As it is on this day; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.roster import proposed, roster

    day = today(date).isoformat()
    with open_home(home) as opened:
        state = read_state(opened)
        listed, wanted, own = roster(state, day), proposed(state, day), _own_key(opened)
    admission = state.members.admission
    if json:
        document = {
            "network": state.network,
            "admission": admission,
            "threshold": state.members.threshold,
            "needed": state.members.needed(day),
            "devices": [asdict(one) | {"code": code_of(one.key), "is_this": one.key == own} for one in listed],
            "proposed": [asdict(one) for one in wanted],
        }
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK
    for line in roster_lines(state, listed, wanted, own, day):
        print(printable(line))
    return EXIT_OK


@members.command
def ask(name: str, /, *, date: str | None = None, home: Path | None = None, json: Flag = False) -> int:
    """Ask to join with this device, as NAME; a steward who has received it can endorse it.

    Parameters
    ----------
    name
        What the device or its place is called, such as "School phone"; names of people are nowhere needed.
    date
        The day on which it asks; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.codes import spoken
    from abasto.facts.kinds import DeviceAsked

    day = today(date)
    with open_home(home) as opened:
        [entry] = write(opened, [DeviceAsked(name, day.isoformat())])
        own = _own_key(opened)
    if json:
        print(json_format.dumps({"entry": entry.id, "device": own, "code": code_of(own), "spoken": spoken(own)}))
        return EXIT_OK
    print(printable(f'Asked to join as "{name}". Entry {code_of(entry.id)}.'))
    print(f"Bring this device's entries, or its whole key, to a steward: {own}")
    print(f"Read its code aloud, to be compared there: {spoken(own)}")
    print(f"There: abasto members endorse {code_of(own)} ROLE")
    return EXIT_OK


@members.command
def endorse(
    device: Code,
    role: Role,
    /,
    *,
    sites: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = (),
    until: str | None = None,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Give a device a role, as a steward; a steward's role takes as many stewards as the founding says.

    Parameters
    ----------
    device
        Its code, read aloud or as `abasto members` shows it, or its key.
    role
        reader, reporter (of its sites), allocator or steward.
    sites
        The sites that a reporter reports for, by id or name.
    until
        The last day of the role; without it, it does not end.
    date
        The day on which it is endorsed; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import DeviceEndorsed

    day = today(date)
    last_day = "" if until is None else today(until).isoformat()
    with open_home(home) as opened:
        state = read_state(opened)
        key = _device(state, device)
        if (role == "reporter") != bool(sites):
            raise UsageError("a reporter reports for sites: name them with --sites; the other roles have none.")
        found = tuple(dict.fromkeys(find_site(state, site) for site in sites))
        fact = DeviceEndorsed(key, role, day.isoformat(), found, last_day)
        return _decide(opened, state, [fact], yes=yes, json=json)


@members.command
def cut(
    device: Code,
    /,
    *,
    after: int | None = None,
    reason: str = "",
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Cut off a device: nothing that it signed after its last valid entry counts any more, also what counted already.

    It takes as many stewards as the founding says, who name the same entry; a device cuts itself off alone.

    Parameters
    ----------
    device
        Its code or key.
    after
        The number of its last valid entry, 0 for none; by default what another steward proposed, or all that is here.
    reason
        Why, in a few words.
    date
        The day on which it is cut off; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.deciding import cut_of

    day = today(date).isoformat()
    with open_home(home) as opened:
        state = read_state(opened)
        fact = cut_of(opened.journal, state, _device(state, device), after=after, day=day, reason=reason)
        return _decide(opened, state, [fact], yes=yes, json=json)


@members.command
def replace(
    old: Code,
    new: Code,
    /,
    *,
    after: int | None = None,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Let NEW take over the role of OLD, which is lost, and cut OLD off; as many stewards as the founding says.

    Parameters
    ----------
    old
        The code or key of the lost device.
    new
        The code or key of the one in its place.
    after
        The number of the lost device's last valid entry; by default what another steward proposed, or all that is here.
    date
        The day on which it is replaced; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.state.deciding import replacement

    day = today(date).isoformat()
    with open_home(home) as opened:
        state = read_state(opened)
        lost, heir = _device(state, old), _device(state, new)
        facts = replacement(opened.journal, state, lost, heir, after=after, day=day)
        return _decide(opened, state, facts, yes=yes, json=json)


@members.command
def invite(*, home: Path | None = None, json: Flag = False) -> int:
    """Show what somebody needs who wants to join: the network's id as QR, and its code to read aloud.

    Parameters
    ----------
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.codes import spoken

    with open_home(home) as opened:
        state, own = read_state(opened), _own_key(opened)
    text = f"{SCHEME}?network={state.network}&device={own}"
    document = {"network": state.network, "device": own, "spoken": spoken(state.network), "text": text}
    if json:
        print(json_format.dumps(document | {"device_spoken": spoken(own)}, indent=1))
        return EXIT_OK
    name = state.founded.name if state.founded else ""
    print(printable(f'To join "{name}":'))
    _print_qr(text)
    print(f"The network's code, to read aloud: {spoken(state.network)}")
    print(f"This device's code:                {spoken(own)}")
    print("Give the entries along: abasto bundle write FILE --passphrase. On the new device:")
    print(f"  abasto members join FILE HOME --network {spoken(state.network)} --name NAME")
    print("Or seal them to its key, which it shows with: abasto members key HOME")
    return EXIT_OK


@members.command
def join(
    path: Path,
    home: Path,
    /,
    *,
    name: str | None = None,
    network: Code | None = None,
    clear: Flag = False,
    date: str | None = None,
    json: Flag = False,
) -> int:
    """Make a new home from entries that were received, with a key of its own, and ask to join as NAME.

    Exits with 1 if entries were refused, which are told with the reasons; the home is made of the others all the same.

    Parameters
    ----------
    path
        A backup of a journal, a bundle, or the folder of another home. A bundle that is sealed to a device's key needs
        the home that `abasto members key` made.
    home
        The folder to make; it must not exist yet, or be empty, or what `abasto members key` made.
    name
        What this device or its place is called; names of people are nowhere needed. Without it, nothing is asked yet.
    network
        The network's code as it was read aloud; nothing is made if the entries are of another.
    clear
        Do not encrypt the file: whoever gets hold of it can read everything.
    date
        The day on which it asks; today by default.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.codes import spoken
    from abasto.facts.kinds import DeviceAsked

    day = today(date)
    with contextlib.ExitStack() as stack:
        waiting = stack.enter_context(_without_network(home)) if is_home(home) else None
        if waiting is None:
            _refuse_taken(home)
        received = stack.enter_context(_received(path, None if waiting is None else waiting.file.seed()))
        _refuse_other(received.network, network)
        opened = waiting or stack.enter_context(new_home(home, passphrase=_own_passphrase(clear=clear)))
        refused = received.fill(opened.journal)
        if name is not None:
            write(opened, [DeviceAsked(name, day.isoformat())])
        state, own = read_state(opened), _own_key(opened)
    role = state.members.role(own, day.isoformat())
    if json:
        document = {
            "network": state.network,
            "entries": state.count,
            "device": own,
            "spoken": spoken(own),
            "role": role.role if role else None,
            "refused": refused,
        }
        print(json_format.dumps(document, indent=1))
        return EXIT_INPUT if refused else EXIT_OK
    called = state.founded.name if state.founded else ""
    made = "Made" if waiting is None else "Filled"
    print(printable(f'{made} {home}: {state.count:,} entries of the network "{called}", {spoken(state.network)}.'))
    if refused:
        print(f"{len(refused):,} of what was received {'was' if len(refused) == 1 else 'were'} refused, and not kept:")
    for line in refused_lines("refused", refused):
        print(printable(line))
    print("Compare that code with the one that was read aloud. This device's code, for a steward:")
    print(f"  {spoken(own)}")
    if role is not None:
        print(f"It belongs to the network already, as {role.role}.")
    elif name is None:
        print(printable(f"It has not asked to join yet: abasto members ask NAME --home {home}"))
    else:
        print(f'It asked to join as "{printable(name)}"; bring its entries, or this whole key, to a steward: {own}')
    return EXIT_INPUT if refused else EXIT_OK


@members.command
def key(home: Path, /, *, clear: Flag = False, json: Flag = False) -> int:
    """Make a home that holds nothing but a key of its own, and show the key: to be endorsed before any entries come.

    Parameters
    ----------
    home
        The folder to make; it must not exist yet, or be empty. Of one that holds no network yet the key is shown again.
    clear
        Do not encrypt the file: whoever gets hold of it can read everything.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.codes import spoken

    if is_home(home):
        with _without_network(home) as opened:
            own = _own_key(opened)
    else:
        _refuse_taken(home)
        with new_home(home, passphrase=_own_passphrase(clear=clear)) as opened:
            own = _own_key(opened)
    if json:
        print(json_format.dumps({"device": own, "spoken": spoken(own)}, indent=1))
        return EXIT_OK
    print(f"Key of this device: {own}")
    print(f"Read aloud:         {spoken(own)}")
    print(f"A steward endorses it: abasto members endorse {own} ROLE")
    print(f"and gives the entries along, which nobody else opens: abasto bundle write FILE --for={own}")
    print(printable(f"Then, here: abasto members join FILE {home}"))
    return EXIT_OK


def _own_passphrase(*, clear: bool) -> str | None:
    return None if clear else passphrase("passphrase of the new home", twice=True)


def _refuse_taken(home: Path) -> None:
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise UsageError(f'"{home}": there is something already; name a folder that does not exist yet.')


@contextlib.contextmanager
def _without_network(home: Path) -> Iterator[Home]:
    """Open a home that holds no network yet."""
    with open_home(home) as opened:
        if opened.journal.network:
            raise UsageError(f'"{home}": there is something already, a home with a network; name another folder.')
        yield opened


class _Received(NamedTuple):
    """What was received: the id of its network, and what puts its entries into a new journal and returns why some were
    refused.
    """

    network: str
    fill: Callable[[Journal], list[str]]


@contextlib.contextmanager
def _received(path: Path, seed: bytes | None) -> Iterator[_Received]:
    """Open what was received: the folder of another home, its file, a backup or a bundle; `seed` opens one to a key."""
    from abasto.journal.backup import restore
    from abasto.journal.home import Home
    from abasto.journal.sqlite_file import is_clear
    from abasto.sync.bundle import needs_key, needs_passphrase, open_bundle

    folder = path if path.is_dir() else path.parent
    if is_home(path) or (path.name == "journal.db" and is_home(folder)):
        with open_home(folder) as opened:
            yield _all_of(opened)
        return
    if not path.is_file():
        raise UsageError(f'"{path}": there is no journal; give a backup of one, or the folder of another home.')
    if needs_passphrase(path):
        yield _of_bundle(open_bundle(path, passphrase=bundle_passphrase()))
        return
    if needs_key(path):
        if seed is None:
            raise UsageError(
                f'"{path}": this bundle is sealed to the key of a device, and a new home gets another one. Name the '
                "home whose key it was sealed to; or make one with: abasto members key HOME, and let the bundle be "
                "written for the key that it shows."
            )
        yield _of_bundle(open_bundle(path, seed=seed))
        return
    secret = None if is_clear(path) else passphrase(f'passphrase of "{path}"')
    with tempfile.TemporaryDirectory() as scratch:
        restore(path, Path(scratch) / "home", passphrase=secret)
        with Home.open(Path(scratch) / "home", passphrase=secret) as opened:
            yield _all_of(opened)


def _all_of(home: Home) -> _Received:
    def fill(journal: Journal) -> list[str]:
        return [why for _, why in journal.receive(home.journal.store.export()).refused]

    return _Received(home.journal.network, fill)


def _of_bundle(bundle: Bundle) -> _Received:
    from abasto.membership import Membership

    return _Received(
        bundle.network, lambda journal: list(bundle.read(journal, may_keep=Membership(journal).room()).refused)
    )


def _refuse_other(network: str, asked: str | None) -> None:
    """Refuse entries of another network than the one that was read aloud."""
    from abasto.facts.codes import heard, spoken

    if asked is not None and not spoken(network).startswith(heard(asked)):
        raise UsageError(f"these are entries of the network {spoken(network)}, and not of {asked}; nothing was made.")


def _own_key(home: Home) -> str:
    device = home.journal.device
    assert device is not None  # A home always has one.
    return device.key


def _device(state: State, asked: str) -> str:
    """Return the key that is meant: a whole one, known here or not, or by its code, as shown or as read aloud."""
    from abasto.facts.codes import find, heard

    if WHOLE_KEY.fullmatch(asked):
        return asked
    signs = asked.replace("-", "").replace(" ", "")
    keys = {author.key for author in state.authors.all()} | set(state.members.grants) | set(state.members.cuts)
    return find(heard(asked) if len(signs) == SPOKEN_SIGNS else asked, sorted(keys))


def _decide(home: Home, state: State, facts: Sequence[DeviceEndorsed | DeviceCut], *, yes: bool, json: bool) -> int:
    """Say what facts of a steward come to, and with --yes write them and say what they came to."""
    from abasto.state.deciding import still_missing
    from abasto.state.permits import refuse_forbidden

    own = _own_key(home)
    refuse_forbidden(state, facts, own)
    if not json or not yes:
        for fact in facts:
            for line in meaning(state, fact, own):
                say(line) if json else print(printable(line))
    if not yes:
        say("nothing was written; if it is meant so, say so with --yes.")
        return EXIT_INPUT
    with to_the_end():
        entries = write(home, facts)
        after = go_on(home, state)
        missing = max(still_missing(after, fact) for fact in facts)
        if json:
            document = {"entries": [entry.id for entry in entries], "decided": not missing, "missing": missing}
            print(json_format.dumps(document, indent=1))
            return EXIT_OK
        print(f"Written: {', '.join(f'entry {code_of(entry.id)}' for entry in entries)}.")
        if missing:
            print(
                f"It is proposed: {stewards_words(missing)} more must say the same; `abasto members` shows the command."
            )
        else:
            print("It is decided.")
    return EXIT_OK


def _print_qr(text: str) -> None:
    """Print a QR code of two rows a line, where the terminal has the signs for it."""
    import segno

    drawn = io.StringIO()
    segno.make(text, micro=False, error="m").terminal(drawn, compact=True)
    try:
        drawn.getvalue().encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        print(text)
    else:
        print(drawn.getvalue())
        print(text)
