"""Bundles: a file for a stick or a phone that carries entries to where no line goes, sealed to its readers.

Inside the seal stand a line that says what it is, then messages as in an exchange, each behind 4 bytes that say how
long it is (big end first): what the writer holds (`holds`), then pages of entries (`give`); 4 zero bytes end them, and
more zeros pad the file. As what the writer holds goes along, the reader can answer with only what the writer lacks.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from abasto.errors import ForeignError, MessageError, OversizedError, SyncError
from abasto.facts.codes import code_of
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.sqlite_file import sync_folder
from abasto.sync.exchange import MOST_REFUSED, MOST_ROUNDS, MayKeep
from abasto.sync.fingerprint import NONE, fingerprint_of
from abasto.sync.messages import Give, Holds, Page, Wish, pack, unpack, unpacked_size
from abasto.sync.missing import Chains, Gap, is_first, lacking_of
from abasto.sync.sealing import is_to_keys, is_under_passphrase, padded_size, seal, unseal

__all__ = [
    "LARGEST_BUNDLE",
    "Bundle",
    "BundleRead",
    "BundleWritten",
    "needs_key",
    "needs_passphrase",
    "open_bundle",
    "write_bundle",
]

FIRST_LINE = b"abasto/bundle/1\n"
LARGEST_BUNDLE = 256 * 2**20
"""So many bytes a bundle holds at most: about a million entries."""
MOST_UNPACKED = 4 * LARGEST_BUNDLE
"""So many bytes its messages hold together at most: signatures, a fifth of small entries, cannot be packed."""
MOST_HOLDS = 1_000
MOST_NAMED = 20_000
"""Of so many authors one message says what is held, and so many loose entries it names."""


@dataclass(frozen=True, slots=True)
class BundleWritten:
    """What a bundle was written with: how many entries and bytes, and the short code of all that its writer holds."""

    entries: int
    size: int
    code: str


@dataclass(frozen=True, slots=True)
class BundleRead:
    """What reading a bundle brought: entries new and known here, why others were refused (of the first 100,000), and
    the short code now.

    `is_identical` says that this journal now holds what the writer did, so that its code was the same.
    """

    new: int
    known: int
    refused: tuple[str, ...]
    code: str
    is_identical: bool


class Bundle:
    """An opened bundle: whose it is, what its writer held, and the entries in it, of which none is checked yet."""

    def __init__(self, content: bytes) -> None:
        holds, self._pages = _messages(content)
        first = holds[0]
        if any((one.network, one.writer, one.hash) != (first.network, first.writer, first.hash) for one in holds):
            raise MessageError("a bundle that contradicts itself about who wrote it; nothing was kept.")
        self.network = first.network
        self.writer = first.writer
        self.hash = first.hash
        self.holds = {wish.author: wish for one in holds for wish in one.holds}

    def read(self, journal: Journal, *, may_keep: MayKeep | None = None) -> BundleRead:
        """Check every entry and keep in a journal what is valid; raises `ForeignError` and what `receive` does."""
        if journal.network and journal.network != self.network:
            raise ForeignError(
                f"a bundle of network {code_of(self.network)}; this journal is of {code_of(journal.network)}, and "
                "nothing was kept."
            )
        new, known, refused, without_room, pages = _received(journal, self._pages, may_keep)
        more = new
        for _ in range(MOST_ROUNDS):
            if not (pages and more):
                break
            # Who endorsed the authors of those without room may have come in a later page.
            more, _, _, without_room, pages = _received(journal, pages, may_keep)
            new += more
        refused += without_room
        own = fingerprint_of(journal.store)
        return BundleRead(new, known, tuple(refused), own.code, own.hash == self.hash)


def _received(
    journal: Journal, pages: Iterable[bytes], may_keep: MayKeep | None
) -> tuple[int, int, list[str], list[str], list[bytes]]:
    """Keep what is valid; return how many were new and known, why others were refused, why those for which is no room,
    and the pages that have some of these.
    """
    new = known = 0
    refused, without_room = list[str](), list[str]()
    waiting: list[bytes] = []
    for page in pages:
        received = journal.receive(unpack(page)[1], may_keep=may_keep)
        new, known = new + received.new, known + received.known
        full = set(received.without_room)
        for position, why in received.refused[: MOST_REFUSED - len(refused) - len(without_room)]:
            (without_room if position in full else refused).append(why)
        if full:
            waiting.append(page)
    return new, known, refused, without_room, waiting


def write_bundle(
    journal: Journal,
    path: Path,
    *,
    readers: Sequence[str] = (),
    passphrase: str | None = None,
    others: Iterable[Bundle] = (),
) -> BundleWritten:
    """Write what the readers lack to a file, whole or not at all, sealed to their devices' keys or a passphrase.

    `others` are bundles that say what the readers hold: theirs, or earlier ones of this device that they have read;
    without any the whole journal is written. This device can open it too, unless it is under a passphrase. Raises
    `SyncError` if it would hold too much, if nobody could open it, or if it cannot be written.
    """
    device = journal.device
    if device is None or not journal.network:
        raise SyncError("nothing to write yet: a bundle is written by a device of a network, with its entries.")
    if not readers and passphrase is None:
        raise SyncError("nobody could open this bundle; name its readers, or give a passphrase.")
    own = fingerprint_of(journal.store)
    parts = [FIRST_LINE]
    size = unpacked = count = 0
    for message, entries in _told(journal, device.key, own.hash, list(others)):
        packed = pack(message, entries)
        size += 4 + len(packed)
        unpacked += unpacked_size(packed)
        count += len(entries)
        if size > LARGEST_BUNDLE or unpacked > MOST_UNPACKED:
            most = (
                f"{LARGEST_BUNDLE // 2**20} MiB" if size > LARGEST_BUNDLE else f"{MOST_UNPACKED // 2**20} MiB unpacked"
            )
            raise SyncError(
                f"more than {most} for one bundle; nothing was written. Write an answer to a "
                "bundle of the other side, which leaves out what it has, or carry a backup."
            )
        parts += [len(packed).to_bytes(4, "big"), packed]
    parts.append(bytes(4))
    sealed = seal(b"".join(parts), sorted({*readers, device.key}), passphrase)
    _write(path, sealed)
    return BundleWritten(count, len(sealed), own.code)


def open_bundle(path: Path, *, seed: bytes | None = None, passphrase: str | None = None) -> Bundle:
    """Open a bundle with a device's seed or a passphrase; `MessageError` unless all of it is there and unchanged."""
    try:
        if path.stat().st_size > padded_size(LARGEST_BUNDLE) * 5 // 4:
            raise OversizedError(f'"{path}": larger than any bundle may be; nothing was kept.')
        sealed = path.read_bytes()
    except OSError as error:
        raise SyncError(f'"{path}": {error.strerror or error}; check the file, or the stick it is on.') from error
    try:
        return Bundle(unseal(sealed, seed, passphrase))
    except MessageError as error:
        raise type(error)(f'"{path}": {error}') from None


def needs_passphrase(path: Path) -> bool:
    """Return whether a file opens with a passphrase and not with a device's key."""
    return is_under_passphrase(_beginning(path))


def needs_key(path: Path) -> bool:
    """Return whether a file opens with a device's key."""
    return is_to_keys(_beginning(path))


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise SyncError(f'"{path}": {error.strerror or error}; check the file, or the stick it is on.') from error


def _told(
    journal: Journal, writer: str, hash: str, others: Sequence[Bundle]
) -> Iterator[tuple[Holds | Give, list[Signed]]]:
    """Yield what is in a bundle: what is held here, then what the others lack, membership first."""
    network, store = journal.network, journal.store
    for holds in _held(journal):
        yield Holds(network=network, writer=writer, hash=hash, holds=holds), []
    gaps = _gaps(journal, others)
    page = Page()
    for first in (True, False):
        for lacking in lacking_of(store, gaps):
            signed = lacking.kept.signed
            if is_first(signed.raw) is first and not page.add(signed):
                yield Give(network=network), page.entries
                page = Page()
                page.add(signed)
    if page.entries:
        yield Give(network=network), page.entries


def _held(journal: Journal) -> Iterator[list[Wish]]:
    """Yield what is held here of each author, in pages."""
    loose, page, named = journal.store.loose(), list[Wish](), 0
    for author, stand in fingerprint_of(journal.store).stands.items():
        have = loose.get(author, [])[:MOST_NAMED]  # What is not named goes twice; no honest device has so many.
        if page and (len(page) == MOST_HOLDS or named + len(have) > MOST_NAMED):
            yield page
            page, named = [], 0
        page.append(Wish(author=author, seq=stand.seq, id=stand.id, have=have))
        named += len(have)
    yield page


def _gaps(journal: Journal, others: Sequence[Bundle]) -> list[Gap]:
    """Return what is missing of each author in what bundles say of their writers; all, where chains differ."""
    chains = Chains(journal.store)
    gaps = []
    for author in fingerprint_of(journal.store).stands:
        after, have = NONE.seq, set[str]()
        for other in others:
            if other.network != journal.network:
                raise ForeignError(f"a bundle of network {code_of(other.network)}; nothing was written.")
            wish = other.holds.get(author)
            if wish is not None:
                have.update(wish.have)
                if chains.has(author, wish.seq, wish.id):
                    after = max(after, wish.seq)
        gaps.append(Gap(author, after, have))
    return gaps


def _messages(content: bytes) -> tuple[list[Holds], list[bytes]]:
    """Return what a bundle's writer held, and its pages of entries: as bytes, all of which were seen to be sound."""
    if not content.startswith(FIRST_LINE):
        raise MessageError("no bundle of this version; nothing was kept.")
    start = len(FIRST_LINE)
    holds: list[Holds] = []
    pages: list[bytes] = []
    unpacked = 0
    while size := int.from_bytes(content[start : start + 4], "big"):
        raw = content[start + 4 : start + 4 + size]
        start += 4 + size
        unpacked += unpacked_size(raw)
        if unpacked > MOST_UNPACKED:
            raise OversizedError(f"unpacks to more than {MOST_UNPACKED // 2**20} MiB; nothing was kept.")
        message, _ = unpack(raw)
        if isinstance(message, Holds) and not pages:
            holds.append(message)
        elif isinstance(message, Give) and holds and message.network == holds[0].network:
            pages.append(raw)
        else:
            raise MessageError(f"{message.kind}: stands where it does not belong in a bundle; nothing was kept.")
    if not holds or len(content) < start + 4 or any(content[start:]):
        raise MessageError("a bundle without beginning or end; nothing was kept.")
    return holds, pages


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all: beside its place first, on the disk, then there."""
    part: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
        part = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise SyncError(
            f'"{path}": {error.strerror or error}; nothing was written. Check the path, or the stick.'
        ) from error
    finally:
        if part is not None:
            with suppress(OSError):
                part.unlink()
