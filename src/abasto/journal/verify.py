"""Everything that a journal's own bytes can prove or disprove: what is wrong in a home, and what is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import NamedTuple

from abasto.errors import AbastoError, EntryError
from abasto.facts.codes import code_of
from abasto.journal.entry import Signed
from abasto.journal.home import Home
from abasto.journal.journal import Journal
from abasto.journal.signing import NOTHING, id_of, read_entry
from abasto.journal.sqlite import SqliteStore
from abasto.journal.store import Store

__all__ = ["Check", "Verdict", "verify", "verify_store"]

MOST_TOLD = 100
"""So many of one kind of fault are told one by one."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked: what, how many of it, what is wrong, and what is not wrong but good to know."""

    name: str
    checked: int
    wrong: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether nothing of it is wrong."""
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked in a home, in order."""

    checks: tuple[Check, ...]

    @property
    def is_fine(self) -> bool:
        """Whether nothing at all is wrong; forks and gaps of authors are noted and not wrong in this sense."""
        return all(check.is_fine for check in self.checks)


def verify(home: Home, *, also: Sequence[Callable[[Journal], Check]] = ()) -> Verdict:
    """Check every page, entry, signature and chain of a home, and what else is asked for, such as that books balance.

    The journal stands below what folds it, so whoever knows the fold gives that check as `also`. Nothing is raised for
    damage: it is told in the verdict. Nothing is written but what SQLite does when a file is opened and closed.
    """
    checks = [*_file_checks(home.file), _guarded("this device's key", partial(_device, home))]
    checks += _store_checks(home.journal.store, network=home.journal)
    checks += [_guarded("what the entries come to", partial(check, home.journal)) for check in also]
    return Verdict(tuple(checks))


def verify_store(store: SqliteStore) -> Verdict:
    """Check a file that is no home yet, as a backup is before it becomes one."""
    return Verdict((*_file_checks(store), *_store_checks(store, network=Journal(store))))


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """Return what a check found; a file that is so damaged that it cannot be checked is what was found then."""
    try:
        return check()
    except (AbastoError, ValueError, KeyError, TypeError) as error:
        # Whoever reads this has called `abasto verify` already.
        return Check(name, 0, (f"could not be checked: {str(error).partition('; `abasto verify`')[0]}",))


def _file_checks(file: SqliteStore) -> list[Check]:
    return [
        _guarded("pages of the file", lambda: _pages(file)),
        _guarded("what was written last", lambda: _log(file)),
        _guarded("tables and indices", lambda: Check("tables and indices", 1, tuple(file.structure()))),
        _guarded("columns beside the entries", lambda: _columns(file)),
        _guarded("snapshot", lambda: _snapshot(file)),
    ]


def _store_checks(store: Store, *, network: Journal) -> list[Check]:
    return [
        _guarded("signatures", lambda: _signatures(store, network)),
        _guarded("chains", lambda: _chains(store)),
    ]


def _pages(file: SqliteStore) -> Check:
    pages, damaged = file.damaged_pages()
    return Check("pages of the file", pages, _told(f"page {page} cannot be read as it was written" for page in damaged))


def _log(file: SqliteStore) -> Check:
    lost = file.lost_pages()
    told = (
        f"after a crash the last {lost} pages could not be read, and acknowledged entries may be gone with "
        "them. Nothing more is signed here: make a backup and restore it into a new home",
    )
    return Check("what was written last", 1, told if lost else ())


def _columns(file: SqliteStore) -> Check:
    """Check what is kept beside an entry for finding it: whether it is what the entry itself says."""
    wrong = []
    number = 0
    heads = file.heads()
    arrivals = dict.fromkeys(heads, 0)
    for number, (n, author, seq, lc, id, raw) in enumerate(file.columns(), start=1):
        fields = json.loads(raw)
        if (n, author, seq, lc, id) != (number, fields["a"], fields["seq"], fields["lc"], id_of(raw)):
            wrong.append(f"entry {n}: its author, number, counter or id does not stand as the entry itself says")
        if author in heads and seq <= heads[author].seq:
            arrivals[author] = max(arrivals[author], n)
    for author, head in heads.items():
        if head.arrival != arrivals[author]:
            wrong.append(f"device {code_of(author)}: its chain did not arrive when the store says")
    return Check("columns beside the entries", number, _told(wrong))


def _snapshot(file: SqliteStore) -> Check:
    kept = file.kept_snapshot()
    wrong = () if kept is None or kept[1] else ("the snapshot is not as it was kept; it is passed over and made anew",)
    return Check("snapshot", int(kept is not None), wrong)


def _signatures(store: Store, journal: Journal) -> Check:
    """Check the bytes of each entry as if it came from outside: form, key, signature, network."""
    wrong = []
    number = 0
    network = journal.network
    for signed in store.export():
        number += 1
        try:
            entry = read_entry(signed).entry
        except EntryError as error:
            wrong.append(f"entry {code_of(id_of(signed.raw))}: {error}")
            continue
        if network not in (entry.id, entry.network):
            wrong.append(f"entry {code_of(entry.id)}: is of another network")
    if number != store.count():
        wrong.append(f"{number} entries can be read and {store.count()} are counted")
    return Check("signatures", number, _told(wrong))


def _chains(store: Store) -> Check:
    """Follow each author's chain anew and compare with what the store says of it; tell forks and gaps."""
    heads, forks = store.heads(), store.forks()
    wrong, noted = [], []
    number = 0
    links = (_link(signed) for signed in store.export())
    for author, chain in groupby(links, key=lambda link: link.author):
        number += 1
        head, fork, last = _walk(chain)
        known = heads.pop(author, None)
        if (known[:3] if known else (0, NOTHING, 0)) != head or forks.pop(author, None) != fork:
            wrong.append(f"device {code_of(author)}: the store says otherwise where its chain ends or forks")
        if fork is not None:
            noted.append(f"device {code_of(author)} signed two entries {fork}; nothing from there on is applied")
        elif last > head[0]:
            noted.append(f"device {code_of(author)}: entries up to {last} are here, {head[0]} follow one another")
    wrong += [
        f"device {code_of(author)}: the store knows a chain of it and has no entry" for author in {**heads, **forks}
    ]
    return Check("chains", number, _told(wrong), _told(noted))


class _Link(NamedTuple):
    author: str
    seq: int
    id: str
    prev: str
    lc: int


def _link(signed: Signed) -> _Link:
    fields = json.loads(signed.raw)
    return _Link(fields["a"], fields["seq"], id_of(signed.raw), fields["prev"], fields["lc"])


def _walk(chain: Iterable[_Link]) -> tuple[tuple[int, str, int], int | None, int]:
    """Return where an author's entries, by sequence number, stop following one another, fork, and end."""
    seq, id, lc, fork, last = 0, NOTHING, 0, None, 0
    for last, twins in groupby(chain, key=lambda link: link.seq):
        first, *others = twins
        if others and fork is None:
            fork = last
        if fork is None and (first.seq, first.prev) == (seq + 1, id) and first.lc > lc:
            seq, id, lc = first.seq, first.id, first.lc
    return (seq, id, lc), fork, last


def _device(home: Home) -> Check:
    """Check that nobody else has signed with this device's key, as a copied home would."""
    device = home.journal.device
    assert device is not None  # A home always has one.
    store = home.journal.store
    head, latest = store.heads().get(device.key), store.latest(device.key)
    wrong = []
    if latest > (head.seq if head else 0):
        wrong.append(
            f"device {code_of(device.key)}: its entries up to {latest} do not all follow one another; the home was "
            "copied or an entry is missing. Restore a backup into a new home, which gets a key of its own"
        )
    return Check("this device's key", 1, tuple(wrong))


def _told(faults: Iterable[str]) -> tuple[str, ...]:
    every = list(faults)
    more = [f"and {len(every) - MOST_TOLD:,} more like these"] if len(every) > MOST_TOLD else []
    return (*every[:MOST_TOLD], *more)
