"""The commands that keep a journal safe and carry it elsewhere: export, backup, restore, verify."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable, say
from abasto.cli_home import Flag, open_home, passphrase, read_state, today
from abasto.cli_tables import read_words, refuse_to_overwrite

if TYPE_CHECKING:
    from abasto.journal.journal import Journal
    from abasto.journal.verify import Check

__all__ = ["export", "keep_backup", "restore_backup", "verify_home"]


def export(
    path: Path,
    /,
    *,
    date: str | None = None,
    days: int | None = None,
    home: Path | None = None,
    force: Flag = False,
) -> int:
    """Write the network as it is known on a day as tables of the format, to look at, plan with or check a plan against.

    Goods on the way are in them as sites of their own, `order CODE`, with a lane to where they go.

    Parameters
    ----------
    path
        A name that ends in .xlsx for a workbook, any other for a folder.
    date
        Day 1 of the tables; today by default.
    days
        The length of the horizon; by default that of table network.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    force
        Replace what is at PATH.

    """
    from abasto.state.known import known
    from abasto.tables import write_network

    day = today(date)
    refuse_to_overwrite(path, force=force)
    with open_home(home) as opened:
        seen = known(read_state(opened), day, days=days, estimates_needs=False)
    write_network(seen.network, path)
    print(f"Wrote {path}. {read_words(seen.network)}.")
    return EXIT_OK


def keep_backup(path: Path, /, *, home: Path | None = None) -> int:
    """Write everything in the journal to one file, encrypted as the journal is, without this device's key.

    Parameters
    ----------
    path
        The file to write; it must not exist yet.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.

    """
    from abasto.journal.backup import backup

    with open_home(home) as opened:
        entries = backup(opened, path)
    print(f"Wrote {path}: {entries:,} entries. To use it: abasto restore {path} NEW_HOME")
    return EXIT_OK


def restore_backup(backup: Path, home: Path, /) -> int:
    """Make a new home from a backup, after checking all of it; this device gets a key of its own.

    Parameters
    ----------
    backup
        The file that `abasto backup` wrote.
    home
        The folder to make; it must not exist yet, or be empty.

    """
    from abasto.journal.backup import restore
    from abasto.journal.home import Home
    from abasto.journal.sqlite_file import is_clear

    if not backup.is_file():
        raise UsageError(f'"{backup}": there is no such file; give the one that abasto backup wrote.')
    secret = None if is_clear(backup) else passphrase(f'passphrase of "{backup}"')
    entries = restore(backup, home, passphrase=secret)
    print(f"Restored {entries:,} entries to {home}, with a new key for this device.")
    with Home.open(home, passphrase=secret) as opened:
        if read_state(opened).members.admission == "endorsed":
            print(f"What it says counts once stewards endorsed it: abasto members ask NAME --home {home}")
    return EXIT_OK


def verify_home(*, home: Path | None = None, json: Flag = False) -> int:
    """Check every page, signature and chain of the journal, and that its books balance; say what is wrong and what not.

    Exits with 1 if anything is wrong.

    Parameters
    ----------
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.journal.verify import verify

    with open_home(home) as opened:
        verdict = verify(opened, also=(_balance,))
    if json:
        document = {"fine": verdict.is_fine, "checks": [asdict(check) for check in verdict.checks]}
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK if verdict.is_fine else EXIT_INPUT
    for check in verdict.checks:
        print(printable(f"{'fine ' if check.is_fine else 'WRONG'}  {check.name}: {check.checked:,} checked"))
        for line in check.wrong:
            print(printable(f"       wrong: {line}"))
        for line in check.noted:
            print(printable(f"       note: {line}"))
    if verdict.is_fine:
        print("Nothing is wrong.")
        return EXIT_OK
    say("something is wrong; keep this folder as it is, and restore a backup into a new one: abasto restore")
    return EXIT_INPUT


def _balance(journal: Journal) -> Check:
    """Check that all accounts of every good and lot sum to zero, and that what is kept of a fold is what it gives."""
    from abasto import cycle
    from abasto.facts.amounts import amount
    from abasto.journal.verify import Check
    from abasto.state.encode import encode
    from abasto.state.fold import fold_anew

    state = fold_anew(journal.read)
    wrong = [
        f"{good}, {lot or 'undated'}: all accounts sum to {amount(rest)} and not to zero"
        for (good, lot), rest in state.books.unbalanced().items()
    ]
    if encode(cycle.read_state(journal)) != encode(state):
        wrong.append("what was kept of an earlier fold gives another state than all entries do")
    return Check("books: every good and lot sums to zero over all accounts", len(state.books.places()), tuple(wrong))
