"""What stewards decide, as facts to be signed: a cut after an entry that is here, one device in place of another."""

from __future__ import annotations

from abasto.errors import AbastoError
from abasto.facts.codes import code_of
from abasto.facts.kinds import DeviceCut, DeviceEndorsed
from abasto.journal.journal import Journal
from abasto.state.roster import proposed
from abasto.state.state import State

__all__ = ["cut_of", "replacement", "still_missing", "taken_back"]


def cut_of(journal: Journal, state: State, key: str, *, after: int | None, day: str, reason: str = "") -> DeviceCut:
    """Return the cut of a device after one of its entries; without a number, as another steward proposed it, else after
    the last one that is here. Raises `AbastoError` if no such entry is here.
    """
    own = "" if journal.device is None else journal.device.key
    head = journal.store.heads().get(key)
    if after is None:
        for one in proposed(state, day):
            if (one.kind, one.device) == ("cut", key) and key != own:
                return DeviceCut(key, one.after, day, one.last, reason)
        return DeviceCut(key, 0, day, "", reason) if head is None else DeviceCut(key, head.seq, day, head.id, reason)
    if after == 0:
        return DeviceCut(key, 0, day, "", reason)
    if head is None or not 0 < after <= head.seq:
        raise AbastoError(
            f"device {code_of(key)} has {head.seq if head else 0} entries here in a row, and no number {after} among "
            "them; name one of them, or 0 for none."
        )
    entries = (placed.entry for placed in journal.read())
    last = next(entry.id for entry in entries if (entry.author, entry.seq) == (key, after))
    return DeviceCut(key, after, day, last, reason)


def replacement(
    journal: Journal, state: State, old: str, new: str, *, after: int | None, day: str
) -> list[DeviceEndorsed | DeviceCut]:
    """Return what lets a new device take over the role of a lost one, and cuts the lost one off.

    Raises `AbastoError` if the lost one has no role, or both are the same.
    """
    grant = state.members.grants.get(old)
    if grant is None:
        raise AbastoError(
            f"device {code_of(old)} has no role that another could take over; endorse the new one instead."
        )
    if old == new:
        raise AbastoError("the lost device and the new one are the same; name two.")
    fact = DeviceEndorsed(new, grant.role, day, grant.sites, grant.until, old)
    if journal.device is not None and old == journal.device.key:
        # A device that hands over to another just stops being a member: it is there, and no thief has it.
        return [fact]
    return [fact, cut_of(journal, state, old, after=after, day=day, reason="lost")]


def taken_back(state: State, cut: DeviceCut) -> int:
    """Return how many entries that are here would no longer count."""
    author = state.authors.get(cut.device)
    return 0 if author is None else max(0, author.seq - cut.seq)


def still_missing(state: State, fact: DeviceEndorsed | DeviceCut) -> int:
    """Return how many stewards have still to say the same, 0 if it is decided."""
    for one in proposed(state, fact.date):
        if one.device != fact.device or (one.kind == "cut") != isinstance(fact, DeviceCut):
            continue
        if isinstance(fact, DeviceCut):
            if (one.after, one.last) == (fact.seq, fact.last):
                return one.missing
        elif (one.role, one.sites, one.until, one.succeeds) == (fact.role, fact.sites, fact.until, fact.succeeds):
            return one.missing
    return 0
