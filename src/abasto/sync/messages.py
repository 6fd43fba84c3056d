"""The messages of an exchange as bytes: one frame of Zstandard around a head of canonical JSON and packed entries.

Unpacked, a message is 4 bytes that say how long its head is (big end first), the head, and for each entry 2 bytes that
say how long its bytes are, its signature (64 bytes) and its bytes. Nothing of it is trusted: sizes are held to before
anything is unpacked, the head has exactly the fields of its kind, and entries are checked by whoever takes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import zstandard
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from abasto.errors import EntryError, MessageError, OversizedError
from abasto.facts.canonical import canonical, parse
from abasto.facts.kinds import MOST
from abasto.journal.entry import Signed

__all__ = [
    "LARGEST_MESSAGE",
    "MOST_ENTRIES",
    "Entries",
    "Get",
    "Give",
    "Head",
    "Hello",
    "Holds",
    "Ids",
    "Kept",
    "ListIds",
    "ListRuns",
    "Message",
    "No",
    "Page",
    "Refusal",
    "Runs",
    "Stands",
    "Take",
    "Wish",
    "pack",
    "unpack",
    "unpacked_size",
]

LARGEST_MESSAGE = 4 * 2**20
"""So many bytes a message has at most, as it is moved and unpacked alike."""
MOST_ENTRIES = 5_000
LARGEST_HEAD = 512 * 1024
"""So much of a message with entries is left for its head."""
MOST_STANDS = 10_000
MOST_IDS = 40_000
MOST_WHY = 200
"""A reason has at most so many characters."""
LEVEL = 3

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$")]
Network = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])?$")]
"""The id of a founding entry; empty of a journal that holds nothing yet."""
Number = Annotated[int, Field(ge=0, le=MOST)]
Why = Annotated[str, StringConstraints(max_length=MOST_WHY)]
Place = tuple[Number, Id]
"""A sequence number of an author and the id of the entry that has it."""
LooseRun = tuple[Number, Number, Id]
"""Loose entries that continue one another: numbers of the first and the last, and the id of the last."""
Rest = Literal["", "first", "rest"]
"""What a page did not hold: nothing; some of what goes first; some of all else."""


class Head(BaseModel):
    """What every message begins with."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    version: Literal[1] = 1


class Hello(Head):
    """Asks what the other holds, from a page of its authors on; `hash` is over what the asking side holds."""

    kind: Literal["hello"] = "hello"
    network: Network
    hash: Id
    after: Network = ""


class Stands(Head):
    """What one holds: the hash, and unless it is the other's, the authors' stands, by key.

    Of each: key, `seq`, id, `loose` and digest, as in `fingerprint.Stand`.
    """

    kind: Literal["stands"] = "stands"
    network: Network
    hash: Id
    stands: Annotated[list[tuple[Id, Number, Id, Number, Id]], Field(max_length=MOST_STANDS)]
    more: bool


class Wish(Head):
    """Of one author: chain up to `seq` with `id`, and the loose entries that are here; what goes beyond is wished.

    The loose ones are told by their ids (`have`), or by runs as in `Runs`, if the other side has none of its own.
    """

    author: Id
    seq: Number
    id: Id
    have: Annotated[list[Id], Field(max_length=MOST_IDS)]
    runs: Annotated[list[LooseRun], Field(max_length=MOST_IDS)] = []


class Take(Head):
    """Asks for a page of what goes beyond what is here of some authors; `first`: membership before all else."""

    kind: Literal["take"] = "take"
    network: Network
    first: bool
    wishes: Annotated[list[Wish], Field(max_length=MOST_STANDS)]


class Entries(Head):
    """A page of entries, which follow the head; `more` says which are still to be asked for.

    `unlike` are authors of whom the one who asked holds a chain that is not the beginning of the one here.
    """

    kind: Literal["entries"] = "entries"
    unlike: Annotated[list[Id], Field(max_length=MOST_STANDS)]
    more: Rest


class ListIds(Head):
    """Asks for the ids of an author beyond the first of some places that the other side's chain has, up to a number.

    `places` go from the largest number down; `after` is where the page before ended.
    """

    kind: Literal["list"] = "list"
    network: Network
    author: Id
    places: Annotated[list[Place], Field(max_length=64)]
    after: Place
    upto: Number


class Ids(Head):
    """Ids of an author, by number and id: all beyond number `common` as asked, if `whole`."""

    kind: Literal["ids"] = "ids"
    common: Number
    ids: Annotated[list[Place], Field(max_length=MOST_IDS)]
    whole: bool


class ListRuns(Head):
    """Asks for the runs of an author's loose entries, those that begin after a place."""

    kind: Literal["listruns"] = "listruns"
    network: Network
    author: Id
    after: Place


class Runs(Head):
    """Runs of an author's loose entries, by number and id of their last ones; all that were asked for, if `whole`."""

    kind: Literal["runs"] = "runs"
    runs: Annotated[list[LooseRun], Field(max_length=MOST_IDS)]
    whole: bool


class Get(Head):
    """Asks for entries by their ids."""

    kind: Literal["get"] = "get"
    network: Network
    ids: Annotated[list[Id], Field(max_length=MOST_ENTRIES)]


class Give(Head):
    """Brings entries, which follow the head."""

    kind: Literal["give"] = "give"
    network: Network


class Refusal(Head):
    """An entry that was refused: its position among those given, from 0, and why."""

    position: Number
    why: Why


class Kept(Head):
    """Says that what was given is on the disk, but for what was refused; `hash` is over what is held now."""

    kind: Literal["kept"] = "kept"
    network: Network
    hash: Id
    new: Number
    known: Number
    refused: Annotated[list[Refusal], Field(max_length=MOST_ENTRIES)]


class Holds(Head):
    """What the writer of a bundle held when it wrote it, a page of authors by key, and whose key it has.

    Stands in bundles only, where nobody can be asked: so the ids of loose entries are named rather than hashed.
    """

    kind: Literal["holds"] = "holds"
    network: Network
    writer: Id
    hash: Id
    holds: Annotated[list[Wish], Field(max_length=MOST_STANDS)]


class No(Head):
    """Refuses what was asked, and says why."""

    kind: Literal["no"] = "no"
    cause: Literal["foreign", "message", "oversized", "asked"]
    why: Why


Message = Hello | Stands | Take | Entries | ListIds | Ids | ListRuns | Runs | Get | Give | Kept | Holds | No

_MESSAGE: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


class Page:
    """Entries for one message, as many as fit."""

    def __init__(self) -> None:
        self.entries: list[Signed] = []
        self._room = LARGEST_MESSAGE - LARGEST_HEAD

    def add(self, signed: Signed) -> bool:
        """Add an entry and return whether it fitted."""
        size = 2 + 64 + len(signed.raw)
        if len(self.entries) == MOST_ENTRIES or size > self._room:
            return False
        self.entries.append(signed)
        self._room -= size
        return True


def pack(message: Message, entries: Iterable[Signed] = ()) -> bytes:
    """Return a message as bytes."""
    head = canonical(message.model_dump(mode="json"))
    parts = [len(head).to_bytes(4, "big"), head]
    for raw, signature in entries:
        parts += [len(raw).to_bytes(2, "big"), signature, raw]
    return zstandard.ZstdCompressor(level=LEVEL).compress(b"".join(parts))


def unpack(raw: bytes) -> tuple[Message, list[Signed]]:
    """Return the message that some bytes say and its entries, unchecked; `MessageError` if they say none."""
    content = inflate(raw, LARGEST_MESSAGE)
    size = int.from_bytes(content[:4], "big")
    if len(content) < 4 + size:
        raise MessageError("a message that ends within its head; it was cut off or is none.")
    head = content[4 : 4 + size]
    try:
        parse(head)
        message = _MESSAGE.validate_json(head)
    except EntryError as error:
        raise MessageError(f"the head of a message: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the head of a message"
        raise MessageError(f"{where:.60}: {first['msg']:.100}; not a message of this version.") from None
    entries = split(content, 4 + size)
    if entries and not isinstance(message, Entries | Give):
        raise MessageError(f"{message.kind}: bytes behind its head; only messages with entries have any.")
    return message, entries


def inflate(raw: bytes, most: int) -> bytes:
    """Return what one frame of Zstandard holds; `OversizedError` before it unpacks to more than `most` bytes."""
    if len(raw) > most:
        raise OversizedError(f"{len(raw):,} bytes; a message has at most {most:,}.")
    said = unpacked_size(raw)
    if said > most:
        raise OversizedError(f"a message that unpacks to {said:,} bytes; it may hold at most {most:,}.")
    try:
        return zstandard.ZstdDecompressor().decompress(raw, max_output_size=most, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise MessageError(f"no frame of Zstandard ({error}); damaged, or no message.") from None


def unpacked_size(raw: bytes) -> int:
    """Return how many bytes one frame of Zstandard says that it holds, without unpacking it; it cannot hold more."""
    try:
        said = zstandard.get_frame_parameters(raw).content_size
    except zstandard.ZstdError as error:
        raise MessageError(f"no frame of Zstandard ({error}); damaged, or no message.") from None
    if said == zstandard.CONTENTSIZE_UNKNOWN:
        raise MessageError("a frame that does not say how much it holds; those of a message do.")
    return said


def split(content: bytes, start: int) -> list[Signed]:
    """Return the entries that stand in some bytes from a position on."""
    entries: list[Signed] = []
    while start < len(content):
        if len(entries) == MOST_ENTRIES:
            raise OversizedError(f"more than {MOST_ENTRIES:,} entries in one message.")
        size = int.from_bytes(content[start : start + 2], "big")
        end = start + 66 + size
        if end > len(content):
            raise MessageError("a message that ends within an entry; it was cut off or is none.")
        entries.append(Signed(content[start + 66 : end], content[start + 2 : start + 66]))
        start = end
    return entries
