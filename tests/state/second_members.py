"""A second, obvious computation of who is what: plain loops over the whole set of entries, nothing carried along.

It shares only the facts with the fold. Dates are believed as they are claimed, so tests keep them near one another.
"""

from __future__ import annotations

from collections.abc import Sequence

from abasto.facts.kinds import DeviceCut, DeviceEndorsed, NetworkFounded, fact_of
from abasto.journal.entry import Entry, Placed

__all__ = ["counted", "members_of", "through"]

Role = tuple[str, tuple[str, ...], str]
CutAt = tuple[int, str, tuple[int, str]]
"""The last number and id that count, and where in the fold the device ceased to be anything."""


def members_of(placed: Sequence[Placed]) -> tuple[dict[str, Role], dict[str, CutAt]]:
    """Return the role of each device that has one, and the cut of each that has one."""
    roles, cuts, _ = through(placed)
    return roles, cuts


def through(placed: Sequence[Placed]) -> tuple[dict[str, Role], dict[str, CutAt], list[tuple[Entry, Role | None]]]:
    """Return what `members_of` does, and each entry that no cut takes away with the role its author had on its day."""
    entries = [one for one in placed if _is_in_chain(one, placed)]
    cuts: dict[str, CutAt] = {}
    while True:
        stood: list[tuple[Entry, Role | None]] = []
        roles, found = _once(entries, cuts, stood)
        if found is None:
            return roles, cuts, stood
        key, seq, last, place = found
        cuts[key] = (seq, last, min(place, cuts[key][2]) if key in cuts else place)


def counted(entry: Entry, cuts: dict[str, CutAt]) -> bool:
    if entry.author not in cuts:
        return True
    seq, last, _ = cuts[entry.author]
    return entry.seq < seq or (entry.seq, entry.id) == (seq, last)


def _is_in_chain(one: Placed, placed: Sequence[Placed]) -> bool:
    """Walk the author's chain from its first entry to this one."""
    before, lc = "A" * 43, 0
    for seq in range(1, one.entry.seq + 1):
        here = [other.entry for other in placed if (other.entry.author, other.entry.seq) == (one.entry.author, seq)]
        if len(here) != 1 or here[0].prev != before or here[0].lc <= lc:
            return False
        before, lc = here[0].id, here[0].lc
    return True


def _once(
    entries: Sequence[Placed], cuts: dict[str, CutAt], stood: list[tuple[Entry, Role | None]]
) -> tuple[dict[str, Role], tuple[str, int, str, tuple[int, str]] | None]:
    """Go through the entries once; return the roles at the end, and the first cut that is not among `cuts`.

    `stood` is filled with who was what when an entry was said.
    """
    given: list[tuple[str, Role | None]] = []
    said: dict[tuple[object, ...], set[str]] = {}
    ended: set[str] = set()
    threshold = 1
    admission = ""

    def held(key: str, day: str) -> Role | None:
        now = [what for who, what in given if who == key]
        if not now or now[-1] is None or (now[-1][2] and now[-1][2] < day):
            return None
        return now[-1]

    def role(key: str, day: str) -> str:
        what = held(key, day)
        return "" if what is None else what[0]

    def stewards(day: str) -> set[str]:
        return {key for key, _ in given if role(key, day) == "steward"}

    def agreed(matter: tuple[object, ...], who: str, day: str, number: int) -> bool:
        said[matter] = said.get(matter, set()) | {who}
        if len(said[matter] & stewards(day)) < number:
            return False
        said[matter] = set()
        return True

    for one in entries:
        entry = one.entry
        place = (entry.lc, entry.id)
        for key in sorted(cuts):
            if cuts[key][2] < place and key not in ended:
                given.append((key, None))
                ended.add(key)
        if counted(entry, cuts):
            stood.append((entry, held(entry.author, str(entry.body.get("date", "")))))
        if not counted(entry, cuts) or entry.kind not in ("network.founded", "device.endorsed", "device.cut"):
            continue
        fact = fact_of(entry.kind, entry.body)
        if isinstance(fact, NetworkFounded):
            given += [(key, ("steward", (), "")) for key in fact.stewards]
            threshold, admission = fact.threshold, fact.admission
            continue
        assert isinstance(fact, DeviceEndorsed | DeviceCut)
        day, who = fact.date, entry.author
        many = max(1, min(threshold, len(stewards(day))))
        if isinstance(fact, DeviceEndorsed):
            if role(who, day) != "steward" or (fact.device in cuts and cuts[fact.device][2] < place):
                continue
            grave = "steward" in (fact.role, role(fact.device, day)) or fact.succeeds
            matter = (fact.device, fact.role, fact.sites, fact.until, fact.succeeds)
            if agreed(matter, who, day, many if grave else 1):
                if fact.succeeds:
                    given.append((fact.succeeds, None))
                given.append((fact.device, (fact.role, fact.sites, fact.until)))
            continue
        new = (fact.seq, fact.last)
        if fact.device == who:
            if (
                fact.seq != entry.seq - 1
                or fact.last not in (entry.prev, "")
                or not (role(who, day) or admission == "open")
            ):
                continue
            new = (entry.seq, entry.id)
        elif role(who, day) != "steward" or not agreed((fact.device, *new), who, day, many):
            continue
        if fact.device not in cuts or new < cuts[fact.device][:2]:
            return {}, (fact.device, *new, place)
        given.append((fact.device, None))
    now = {key: [what for who, what in given if who == key][-1] for key, _ in given}
    return {key: what for key, what in now.items() if what is not None}, None
