"""The command `bundle`: entries in a file for a stick, sealed to its readers; written, read, and answered."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable
from abasto.cli_carry import refused_lines
from abasto.cli_home import Flag, bundle_passphrase, open_home, to_the_end
from abasto.cli_tables import refuse_to_overwrite
from abasto.facts.codes import code_of

if TYPE_CHECKING:
    from abasto.journal.home import Home
    from abasto.sync.bundle import Bundle

__all__ = ["bundle"]

bundle = App(
    name="bundle",
    help="Carry entries in a file: `write` one for others, `read` what they wrote; alone, say which device this is.",
    help_format="plaintext",
    version_flags=(),
)


@bundle.default
def show(*, home: Path | None = None) -> int:
    """Carry entries in a file: `write` one for others, `read` what they wrote; alone, say which device this is.

    Parameters
    ----------
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.

    """
    from abasto.sync.fingerprint import fingerprint_of

    with open_home(home) as opened:
        key = _own_key(opened)
        held = fingerprint_of(opened.journal.store)
    print(f"This device is {code_of(key)}; others write to it with: abasto bundle write FILE --for={key}")
    print(f"It holds {held.count:,} entries, code {held.code}.")
    return EXIT_OK


@bundle.command
def write(
    path: Path,
    /,
    *,
    readers: Annotated[list[str] | None, Parameter(name="--for", allow_leading_hyphen=True, negative="")] = None,
    answer: Path | None = None,
    since_bundle: Path | None = None,
    passphrase: Flag = False,
    home: Path | None = None,
    force: Flag = False,
) -> int:
    """Write what others lack to one file that only they can open; whole, or not at all.

    Parameters
    ----------
    path
        The file to write, such as one on a stick.
    readers
        Who may open it: the code or key of a device; several by giving it several times. This device always may.
    answer
        A bundle of theirs: what its writer held is left out, and its writer may open the answer.
    since_bundle
        An earlier bundle of this device that they have read: what was held then is left out.
    passphrase
        Seal it under a passphrase, from $ABASTO_BUNDLE_PASSPHRASE or typed, and to nobody's key.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    force
        Replace what is at FILE.

    """
    from abasto.sync.bundle import write_bundle

    refuse_to_overwrite(path, force=force)
    if not (readers or answer or passphrase):
        raise UsageError("nobody could open it; name its readers with --for, answer a bundle, or give --passphrase.")
    if readers and passphrase:
        raise UsageError(
            "--for and --passphrase exclude each other; a file under a passphrase is open to who knows it."
        )
    with open_home(home) as opened:
        secret = bundle_passphrase(twice=True) if passphrase else None
        others = [_opened(opened, one) for one in (answer, since_bundle) if one is not None]
        keys = [_reader(opened, one) for one in readers or ()]
        if answer is not None:
            keys.append(others[0].writer)
        with to_the_end():
            done = write_bundle(opened.journal, path, readers=keys, passphrase=secret, others=others)
    entries = "entry" if done.entries == 1 else "entries"
    print(printable(f"Wrote {path}: {done.entries:,} {entries}, {done.size:,} bytes."))
    print(f"This device holds code {done.code}; whoever has read this and shows the same code holds the same.")
    return EXIT_OK


@bundle.command
def read(path: Path, /, *, home: Path | None = None) -> int:
    """Take in a bundle: every entry is checked, and what is new is kept. A damaged file is not read at all.

    Exits with 1 if entries were refused.

    Parameters
    ----------
    path
        The file.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.

    """
    from abasto.membership import Membership

    with open_home(home) as opened:
        read = _opened(opened, path)
        with to_the_end():
            done = read.read(opened.journal, may_keep=Membership(opened.journal).room())
    print(f"{done.new:,} new, {done.known:,} known, {len(done.refused):,} refused, written by {code_of(read.writer)}.")
    for line in refused_lines("refused", done.refused):
        print(printable(line))
    if done.is_identical:
        print(f"Identical to what its writer held: code {done.code}.")
    else:
        print(f"This device holds code {done.code}, its writer held {code_of(read.hash)}.")
        print(printable(f"Answer with what it lacks: abasto bundle write NEW_FILE --answer {path}"))
    return EXIT_INPUT if done.refused else EXIT_OK


def _opened(home: Home, path: Path) -> Bundle:
    """Return a bundle opened with this device's key, or the passphrase that it was sealed under."""
    from abasto.sync.bundle import needs_passphrase, open_bundle

    if needs_passphrase(path):
        return open_bundle(path, passphrase=bundle_passphrase())
    return open_bundle(path, seed=home.file.seed())


def _reader(home: Home, asked: str) -> str:
    """Return the key of a device: a whole key, or the code of one whose entries are here."""
    from abasto.errors import AbastoError
    from abasto.facts.codes import find
    from abasto.sync.fingerprint import stands_of
    from abasto.sync.sealing import recipient_of

    if len(asked) == len(_own_key(home)):
        recipient_of(asked)
        return asked
    try:
        return find(asked, stands_of(home.journal.store))
    except AbastoError as error:
        raise UsageError(f"--for {error} Of a device that has written nothing here the whole key is needed.") from None


def _own_key(home: Home) -> str:
    device = home.journal.device
    assert device is not None  # A home always has one.
    return device.key
