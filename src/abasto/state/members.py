"""Members: which device has which role, by what stewards said in the order of the fold, and which are cut off.

Nothing here looks at a clock or at who sent what: the same entries give the same members on every device.

A cut reaches back: entries of a device after its last valid one do not count, wherever they stand, also those that
were applied before the cut was known. So the fold begins with the cuts that are known, and where it meets one that
takes back what it has applied, it begins anew with that one too (`CutBackError`). A cut once decided stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from abasto.errors import AbastoError
from abasto.facts.kinds import DeviceAsked, DeviceCut, DeviceEndorsed, NetworkFounded
from abasto.journal.entry import Entry
from abasto.journal.store import Place, place_of

__all__ = ["NO_CUTS", "Cut", "CutBackError", "Cuts", "Grant", "Members", "Proposal"]


class Grant(NamedTuple):
    """A role that a device has: the sites it reports for, until which date (blank: no end), and since which entry."""

    role: str
    sites: tuple[str, ...]
    until: str
    entry: str

    def holds(self, day: str) -> bool:
        """Return whether the role has not ended before a day; without a day, whether it ends at all is not asked."""
        return not (self.until and day > self.until)


class Cut(NamedTuple):
    """A device's entries count up to number `seq`, whose id is `last`; decided at a place (`lc`, `id`) of the fold."""

    seq: int
    last: str
    lc: int
    id: str

    def spares(self, seq: int, id: str) -> bool:
        """Return whether an entry of the device counts."""
        return seq < self.seq or (seq == self.seq and id == self.last)


Cuts = Mapping[str, Cut]
"""The cut of each device that has one, by its key."""
NO_CUTS: Cuts = MappingProxyType({})


class CutBackError(AbastoError):
    """A cut takes back entries that have been applied: fold anew from the first entry, beginning with `cuts`."""

    def __init__(self, cuts: Cuts) -> None:
        super().__init__("a device has been cut off whose entries were counted; look again.")
        self.cuts = cuts


class Proposal(NamedTuple):
    """What stewards said and too few of them yet: an endorsement or a cut, and the keys of those who said it."""

    matter: tuple[Any, ...]
    stewards: tuple[str, ...]


class Members:
    """Who is what: `names` by which devices asked to join, `grants`, `cuts`, what is still proposed, who took over."""

    def __init__(self, cuts: Cuts = NO_CUTS) -> None:
        self.admission = ""
        self.threshold = 1
        self.names: dict[str, str] = {}
        self.grants: dict[str, Grant] = {}
        self.cuts: dict[str, Cut] = dict(cuts)
        self.heirs: dict[str, str] = {}
        """Of each lost device that was replaced the key of the one that took over."""
        self._said: dict[tuple[Any, ...], list[str]] = {}
        self._coming = sorted(((cut[2:], key) for key, cut in self.cuts.items()), reverse=True)

    def found(self, fact: NetworkFounded, entry: Entry) -> None:
        """Begin with the stewards that a founding names."""
        self.admission, self.threshold = fact.admission, fact.threshold
        self.grants = {key: Grant("steward", (), "", entry.id) for key in fact.stewards}

    def role(self, key: str, day: str) -> Grant | None:
        """Return the role that a device has on a day, None if it has none."""
        grant = self.grants.get(key)
        return grant if grant is not None and grant.holds(day) else None

    def stewards(self, day: str) -> list[str]:
        """Return the keys of those who are stewards on a day."""
        return sorted(key for key, grant in self.grants.items() if grant.role == "steward" and grant.holds(day))

    def needed(self, day: str) -> int:
        """Return how many stewards have to say the same: what the founding says, or all of them if they are fewer."""
        return max(1, min(self.threshold, len(self.stewards(day))))

    def proposals(self) -> Iterator[Proposal]:
        """Yield what stewards said that too few have said yet, but for roles of devices that were cut off since."""
        for matter, keys in sorted(self._said.items()):
            kind, device, *_ = matter
            if kind == "cut" or device not in self.cuts:
                yield Proposal(matter, tuple(keys))

    def is_cut(self, entry: Entry) -> bool:
        """Return whether an entry comes after the cut of its device."""
        cut = self.cuts.get(entry.author)
        return cut is not None and not cut.spares(entry.seq, entry.id)

    def reach(self, place: Place) -> None:
        """End the roles of devices whose cut was decided before a place: it stands, whoever would decide it now.

        Ending one twice changes nothing, since whoever is cut gets no other role.
        """
        while self._coming and self._coming[-1][0] < place:
            self._end(self._coming.pop()[1])

    def ask(self, fact: DeviceAsked, entry: Entry) -> None:
        """Take note of the name by which a device asks to join."""
        self.names[entry.author] = fact.name

    def endorse(self, fact: DeviceEndorsed, entry: Entry, day: str) -> str:
        """Take what a steward says of a device; return why it does not count (yet), or nothing."""
        if fact.device in self.cuts and self.cuts[fact.device][2:] < place_of(entry):
            return "cut"
        matter = ("endorse", fact.device, fact.role, fact.sites, fact.until, fact.succeeds)
        was = self.role(fact.device, day)
        is_graver = fact.role == "steward" or fact.succeeds or (was is not None and was.role == "steward")
        if not self._is_decided(matter, entry.author, day, self.needed(day) if is_graver else 1):
            return "too few stewards"
        if fact.succeeds:
            self._end(fact.succeeds)
            self.heirs[fact.succeeds] = fact.device
        self.grants[fact.device] = Grant(fact.role, fact.sites, fact.until, entry.id)
        return ""

    def cut(self, fact: DeviceCut, entry: Entry, day: str) -> str:
        """Take a cut that a steward wants, or the device itself; return why it does not count (yet), or nothing."""
        if fact.device == entry.author:
            # What it said before this stands: else a thief could take back all that the device ever said.
            return self._decide(fact.device, Cut(entry.seq, entry.id, *place_of(entry)))
        matter = ("cut", fact.device, fact.seq, fact.last)
        if not self._is_decided(matter, entry.author, day, self.needed(day)):
            return "too few stewards"
        return self._decide(fact.device, Cut(fact.seq, fact.last, *place_of(entry)))

    def _is_decided(self, matter: tuple[Any, ...], steward: str, day: str, needed: int) -> bool:
        """Note who said a thing; return whether enough of those who did are stewards now, and forget it then."""
        said = self._said.setdefault(matter, [])
        if steward not in said:
            said.append(steward)
            said.sort()
        if len(set(said) & set(self.stewards(day))) < needed:
            return False
        del self._said[matter]
        return True

    def _decide(self, key: str, cut: Cut) -> str:
        known = self.cuts.get(key)
        if known is None or (cut.seq, cut.last) < (known.seq, known.last):
            # The role ends where it was first decided; what counts is the smaller one.
            self.cuts[key] = cut if known is None else Cut(cut.seq, cut.last, *min(known[2:], cut[2:]))
        self._end(key)
        return ""

    def _end(self, key: str) -> None:
        self.grants.pop(key, None)

    def plain(self) -> dict[str, Any]:
        """Return all of it as lists and objects of plain JSON."""
        return {
            "admission": self.admission,
            "threshold": self.threshold,
            "names": self.names,
            "grants": self.grants,
            "cuts": self.cuts,
            "heirs": self.heirs,
            "said": sorted([matter, keys] for matter, keys in self._said.items()),
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Members:
        """Return what `plain` gave."""
        members = cls({key: Cut(*cut) for key, cut in plain["cuts"].items()})
        members.admission, members.threshold = plain["admission"], plain["threshold"]
        members.names, members.heirs = plain["names"], plain["heirs"]
        members.grants = {
            key: Grant(role, tuple(sites), until, entry) for key, (role, sites, until, entry) in plain["grants"].items()
        }
        members._said = {_matter(matter): list(keys) for matter, keys in plain["said"]}
        return members


def _matter(plain: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(tuple(one) if isinstance(one, Sequence) and not isinstance(one, str) else one for one in plain)
