"""What is wrong with a device's entries: one is missing, does not follow the one before it, or comes after a cut."""

from __future__ import annotations

from collections.abc import Iterator

from abasto.state.authors import Author
from abasto.state.exceptions.wrong import STEWARD, Wrong
from abasto.state.state import State
from abasto.state.words import device_named, times_more

__all__ = ["device_exceptions"]


def device_exceptions(state: State) -> Iterator[Wrong]:
    """Yield for each device and reason the entries that were not applied."""
    for author in state.authors.all():
        for why, (times, seq, *ids) in sorted(author.refused.items()):
            yield _refused(author, why, times, seq, tuple(ids))


def _refused(author: Author, why: str, times: int, seq: int, ids: tuple[str, ...]) -> Wrong:
    matter: tuple[str, ...]
    device, entries = device_named(author.key), times_more(times, "entry")
    if why == "gap" and "fork" in author.refused:
        message = f"{entries} of {device} after the number it used twice: not applied"
        remedy, who, matter = "settle the fork; these are part of it", STEWARD, (str(author.seq),)
    elif why == "gap":
        message = f"entry {author.seq + 1:,} of {device} has not come; {entries} after it: not applied"
        remedy = "fetch the missing entry from that device, or from anyone who has it"
        who, matter = device, (str(author.seq),)
    elif why == "fork":
        message = f"{device} signed two different entries with number {seq:,}; {entries} from there on: not applied"
        remedy = "find out how its key came to be in two places; give it a new key, and report anew what is missing"
        who, matter = STEWARD, (str(seq),)
    elif why == "cut":
        message = f"{entries} of {device} after it was cut off, from number {seq:,} on: not applied"
        remedy = "look through them with whoever had it, and report anew with another device what is true"
        who, matter = STEWARD, (str(seq), str(times))
    else:
        message = f"{entries} of {device}: not applied, since number {seq:,} does not follow the one before it"
        remedy = "report anew with another device what it said, and give that device a new key"
        who, matter = STEWARD, (str(seq), ids[0])
    return Wrong(kind=why, about=author.key, message=message, remedy=remedy, who=who, matter=matter, entries=ids)
