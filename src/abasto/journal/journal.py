"""A journal: a store of one network's entries, and the device that adds its own to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from abasto.errors import EntryError, JournalError
from abasto.facts.codes import code_of
from abasto.facts.kinds import Fact, NetworkFounded, UnknownFact, body_of
from abasto.journal.entry import Entry, Placed, Signed
from abasto.journal.signing import MOST_DEPS, NOTHING, Device, make_entry, read_entry
from abasto.journal.store import Head, OvertakenError, Place, Store, Verified

__all__ = ["Journal", "Reading", "Received"]

PAGE = 5_000
"""So many received entries are kept in one transaction."""
ATTEMPTS = 5
"""So often an append starts anew when another process with the same key was faster."""
LEAP = 2**40
"""A clock is followed that is so far ahead of the number of entries; nobody's honest one ever is. Without a bound, one
entry with the largest counter there is would leave no number to whoever writes next."""


class Received(NamedTuple):
    """What became of entries that were received: how many are new, how many were known, and which were refused.

    `refused` has the position of each among those received, from 0, and why. `without_room` has the positions of those
    of them that are valid and for which there was no room: there may be when more is known of who belongs here.
    """

    new: int
    known: int
    refused: tuple[tuple[int, str], ...]
    without_room: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """The entries of a store in the order of the fold, those after a place; each time it is gone through, read anew."""

    store: Store
    after: Place | None = None

    def __iter__(self) -> Iterator[Placed]:
        return self.store.read(self.after)


class Journal:
    """What a network's devices signed, as far as it is here; `device` signs what is appended (None: read only)."""

    def __init__(self, store: Store, device: Device | None = None) -> None:
        self.store = store
        self.device = device
        self._network = ""

    @property
    def network(self) -> str:
        """The id of the network's founding entry, `""` as long as nothing is here."""
        if not self._network:
            first = next(self.store.read(), None)
            if first is not None:
                self._network = _network_of(first.entry)
        return self._network

    def found(
        self,
        name: str,
        *,
        date: str,
        time: int,
        facts: Sequence[Fact] = (),
        stewards: Sequence[str] = (),
        threshold: int = 1,
        is_open: bool = True,
    ) -> Entry:
        """Found a network of that name on a date (ISO), with this device as a steward; return its first entry.

        `stewards` are the keys of others, `threshold` says how many have to agree, and unless it `is_open`, only what
        members say counts. `facts` are kept with it, all or nothing: no network begins that lacks its tables. Raises
        `JournalError` if the journal holds a network already, and what `append` raises.
        """
        if self.network:
            raise JournalError(
                f"this journal holds network {code_of(self.network)} already; found another in a home of its own, or "
                "join this one: a shared database by leaving out its tables and name."
            )
        device = self._writer()
        bodies = [_kind_and_body(one) for one in facts]
        keys = tuple(dict.fromkeys((device.key, *stewards)))
        fact = NetworkFounded(name, keys, threshold, date=date, admission="open" if is_open else "endorsed")
        made = make_entry(
            device, network=NOTHING, seq=1, prev=NOTHING, deps=(), lc=1, time=time, kind=fact.KIND, body=body_of(fact)
        )
        own = Head(1, made.entry.id, 1, 0)
        self.store.add([made, *_chain(device, bodies, made.entry.id, own, lc=1, unseen=[], time=time)], continues=True)
        return made.entry

    def append(self, facts: Sequence[Fact], *, time: int) -> list[Entry]:
        """Sign facts as this device's next entries and keep them, all or none; on the disk when this returns.

        `time` is the claimed time of signing in seconds since 1970. Raises `FactError` or `EntryError` for facts that
        cannot be written, and `JournalError` if the device must not write or the store cannot.
        """
        device = self._writer()
        if not self.network:
            raise JournalError("this journal holds no network yet; found one, or receive the entries of one, first.")
        bodies = [_kind_and_body(fact) for fact in facts]
        for attempt in range(ATTEMPTS):
            made = self._sign(device, bodies, time)
            try:
                self.store.add(made, continues=True)
            except OvertakenError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                break
        return [verified.entry for verified in made]

    def receive(self, entries: Iterable[Signed], *, may_keep: Callable[[Entry], bool] | None = None) -> Received:
        """Check what others sent and keep what is valid and of this network, page by page.

        An empty journal joins the network of the first valid entry. What arrives twice is kept once; what is refused
        is not kept, and does not keep the rest away. `may_keep` is asked of every valid entry whether there is room for
        it; by default there is for all. It is asked again once others of the page are kept: who endorsed its author may
        have come with it.
        """
        new = known = 0
        network = self.network
        refused: list[tuple[int, str]] = []
        without_room: list[int] = []
        numbered = enumerate(entries)
        while page := list(islice(numbered, PAGE)):
            waiting: list[tuple[int, Verified]] = []
            for number, signed in page:
                try:
                    verified = read_entry(signed)
                    network = network or _network_of(verified.entry)
                    _check_network(verified.entry, network)
                except EntryError as error:
                    refused.append((number, str(error)))
                else:
                    waiting.append((number, verified))
            while waiting:
                fitting, waiting = _with_room(waiting, may_keep)
                if not fitting:
                    break
                added = self.store.add(fitting)
                new += added
                known += len(fitting) - added
            refused += [(number, str(_no_room(verified.entry))) for number, verified in waiting]
            without_room += [number for number, _ in waiting]
        return Received(new, known, tuple(sorted(refused)), tuple(without_room))

    def read(self, after: Place | None = None) -> Reading:
        """Return the entries in the order of the fold, those after a place."""
        return Reading(self.store, after)

    def _writer(self) -> Device:
        if self.device is None:
            raise JournalError("this journal was opened to be read; open it with its device's key to write.")
        return self.device

    def _sign(self, device: Device, bodies: Sequence[tuple[str, dict[str, Any]]], time: int) -> list[Verified]:
        """Return the next entries of the device, one for each body."""
        latest = self.store.latest(device.key)
        heads = self.store.heads()  # Read after the latest: another process with this key may write in between.
        own = heads.get(device.key, Head(0, NOTHING, 0, 0))
        if latest > own.seq:
            raise JournalError(
                f"entries of this device ({code_of(device.key)}) are known that do not continue from its entry "
                f"{own.seq}: its key was used elsewhere, or something is missing. Fetch the missing entries from the "
                "others; if there are none, restore a backup into a new home, which gets a key of its own."
            )
        lc, unseen = self._clock(heads, own), _unseen(heads, own)
        return _chain(device, bodies, self.network, own, lc=lc, unseen=unseen, time=time)

    def _clock(self, heads: dict[str, Head], own: Head) -> int:
        """Return the Lamport counter that the next entry goes beyond: the largest known, unless it leapt."""
        clock, most = self.store.clock(), self.store.count() + LEAP
        if clock > most:
            clock = max((head.lc for head in heads.values() if head.lc <= most), default=0)
        return max(clock, own.lc)


def _chain(
    device: Device,
    bodies: Sequence[tuple[str, dict[str, Any]]],
    network: str,
    own: Head,
    *,
    lc: int,
    unseen: Sequence[str],
    time: int,
) -> list[Verified]:
    """Return entries of a device that follow its own last one, one for each body; `lc` is the clock they go beyond."""
    made: list[Verified] = []
    prev = own.id
    for number, (kind, body) in enumerate(bodies, start=1):
        verified = make_entry(
            device,
            network=network,
            seq=own.seq + number,
            prev=prev,
            # What does not fit into one entry is said by those after it.
            deps=unseen[(number - 1) * MOST_DEPS : number * MOST_DEPS],
            lc=lc + number,
            time=time,
            kind=kind,
            body=body,
        )
        made.append(verified)
        prev = verified.entry.id
    return made


def _network_of(entry: Entry) -> str:
    return entry.id if entry.network == NOTHING else entry.network


def _check_network(entry: Entry, network: str) -> None:
    if (own := _network_of(entry)) != network:
        raise EntryError(f"an entry of network {code_of(own)}; this journal is of {code_of(network)}.")


def _with_room(
    numbered: Sequence[tuple[int, Verified]], may_keep: Callable[[Entry], bool] | None
) -> tuple[list[Verified], list[tuple[int, Verified]]]:
    """Return the entries for which there is room, and the others with their numbers."""
    if may_keep is None:
        return [verified for _, verified in numbered], []
    fitting, rest = list[Verified](), list[tuple[int, Verified]]()
    for number, verified in numbered:
        if may_keep(verified.entry):
            fitting.append(verified)
        else:
            rest.append((number, verified))
    return fitting, rest


def _no_room(entry: Entry) -> EntryError:
    return EntryError(
        f"of device {code_of(entry.author)}: there is no room for more of it here. Nobody has admitted it, or it was "
        "cut off, or wrote more than any member does; endorse it if it belongs here, and exchange again, or cut it off."
    )


def _unseen(heads: dict[str, Head], own: Head) -> list[str]:
    """Return the heads of other authors that came after the device's own last entry, the largest counter first."""
    new = [head for head in heads.values() if head.arrival > own.arrival]
    return [head.id for head in sorted(new, key=lambda head: (-head.lc, head.id))]


def _kind_and_body(fact: Fact) -> tuple[str, dict[str, Any]]:
    body = body_of(fact)
    assert not isinstance(fact, UnknownFact)  # `body_of` has refused it.
    return fact.KIND, body
