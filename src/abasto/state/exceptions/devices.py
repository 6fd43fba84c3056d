"""What is wrong with a device's entries: one is missing, two have one number, one does not follow the one before it."""

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
        for why, (times, seq, id) in sorted(author.refused.items()):
            yield _refused(author, why, times, seq, id)


def _refused(author: Author, why: str, times: int, seq: int, id: str) -> Wrong:
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
    else:
        message = f"{entries} of {device}: not applied, since number {seq:,} does not follow the one before it"
        remedy = "report anew with another device what it said, and give that device a new key"
        who, matter = STEWARD, (str(seq), id)
    return Wrong(kind=why, about=author.key, message=message, remedy=remedy, who=who, matter=matter, entries=(id,))
