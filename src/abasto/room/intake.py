"""Reports of phones into the journal: each is answered only once it is on the disk, and none is written twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from abasto.errors import AbastoError
from abasto.facts import codes
from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    NoteWritten,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
)
from abasto.inbox.from_state import names_of
from abasto.inbox.names import Names
from abasto.journal.store import Place
from abasto.language import Language
from abasto.room.operations import Room
from abasto.room.report_quantities import NotTakenError, quantity_of
from abasto.room.reports import Answer, Report, Source, Taken, take
from abasto.state.beyond_doubt import promised_places
from abasto.state.foresee import foresee

if TYPE_CHECKING:
    from abasto.journal.entry import Entry
    from abasto.journal.journal import Journal
    from abasto.state.state import State

__all__ = ["answer_all", "earlier", "foresee_all", "says_the_same"]

LOOKS_BACK = (4_096, 65_536)
"""So many of the newest entries are looked through for a report that was received before, then all of them."""

_KINDS: Mapping[str, str] = {
    "count": StockCounted.KIND,
    "received": GoodsTakenIn.KIND,
    "handed out": GoodsHandedOut.KIND,
    "lost": GoodsLost.KIND,
    "need": RowSet.KIND,
    "problem": NoteWritten.KIND,
    "loaded": OrderLoaded.KIND,
    "arrived": OrderReceived.KIND,
}
_EVERYTHING = ("", "")


def answer_all(room: Room, reports: Sequence[Report], source: Source, *, words: Language) -> tuple[Answer, ...]:
    """Take reports in their order, write what is to be stored, and answer each; what is answered is on the disk.

    Reports about different things are written together; one that builds on another is looked at after that is written.
    """
    answers: list[Answer | None] = [None] * len(reports)
    known: list[tuple[int, Taken]] = []
    waiting: list[tuple[int, Taken]] = []
    touched: set[tuple[str, str]] = set()

    with room.lock:
        names, promised = names_of(room.state), promised_places(room.state)

    def write() -> None:
        nonlocal promised
        with room.lock:
            # Another tab of the phone may have sent the same meanwhile: looked at again where nobody can come between.
            state = room.state
            known.extend(one for one in waiting if _is_known(state, one[1]))
            new = [one for one in waiting if not _is_known(state, one[1])]
            entries = room.write([taken.fact for _, taken in new if taken.fact is not None])
            promised = promised_places(room.state)
        for (place, taken), entry in zip(new, entries, strict=True):
            answers[place] = _answer(taken, room.now(), entry=entry.id)
        waiting.clear()
        touched.clear()

    for place, report in enumerate(reports):
        things = set(_things(report))
        if _clash(things, touched):
            write()
        with room.lock:
            taken = take(room.state, report, source, names=names, promised=promised, day=room.day, words=words)
        if taken.status == "stored":
            waiting.append((place, taken))
            touched |= things
        elif taken.status == "known":
            known.append((place, taken))
        else:
            answers[place] = _answer(taken, room.now())
    if waiting:
        write()
    for place, settled, entry in _settled(room, known, names, words):
        received = datetime.fromtimestamp(entry.time, room.now().tzinfo) if entry is not None else room.now()
        answers[place] = _answer(settled, received, entry=entry.id if entry is not None else "")
    return tuple(answer for answer in answers if answer is not None)


def foresee_all(
    room: Room, sent: Sequence[tuple[Report, Source]], *, words: Language, sure: Collection[str] = ()
) -> tuple[Taken, ...]:
    """Return what reports come to, each after those before it; nothing is written. `sure` are ids of confirmed ones."""
    with room.lock:
        state, day = foresee(room.state, ()), room.day
    names, promised = names_of(state), promised_places(state)
    found: list[Taken] = []
    waiting: list[Fact] = []
    touched: set[tuple[str, str]] = set()
    for report, source in sent:
        things = set(_things(report))
        if _clash(things, touched):
            state = foresee(state, waiting)
            promised = promised_places(state)
            waiting.clear()
            touched.clear()
        asked = report.model_copy(update={"sure": True}) if report.id in sure else report
        taken = take(state, asked, source, names=names, promised=promised, day=day, words=words)
        found.append(taken)
        if taken.fact is not None:
            waiting.append(taken.fact)
            touched |= things
    known = [(place, taken) for place, taken in enumerate(found) if taken.status == "known"]
    for place, settled, _ in _settled(room, known, names, words):
        found[place] = settled
    return tuple(found)


def _is_known(state: State, taken: Taken) -> bool:
    return any(state.knows(ref) for ref in taken.refs)


def _clash(things: set[tuple[str, str]], touched: set[tuple[str, str]]) -> bool:
    return bool(touched) and bool(things & touched or _EVERYTHING in things | touched)


def _things(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what a report is about: its own id, the site and good, or everything where an order is carried out."""
    yield "id", report.id
    if report.kind in ("loaded", "arrived"):
        yield _EVERYTHING
    elif report.kind != "problem":
        yield f"site {report.site}", report.good


def _answer(taken: Taken, now: datetime, *, entry: str = "") -> Answer:
    return Answer(
        id=taken.report.id,
        status=taken.status,
        received_at=now.isoformat(timespec="seconds"),
        message=taken.message,
        entry=code_of(entry) if entry else "",
    )


def _settled(
    room: Room, known: Sequence[tuple[int, Taken]], names: Names, words: Language
) -> Iterator[tuple[int, Taken, Entry | None]]:
    """Yield reports that were received before, with their entries; refused are those that say something else now."""
    before = earlier(room.home.journal, {ref for _, taken in known for ref in taken.refs}) if known else {}
    for place, taken in known:
        entry = next((before[ref] for ref in taken.refs if ref in before), None)
        if entry is not None and not says_the_same(taken.report, entry, names=names, words=words):
            message = words(
                "The room has this report already, with other figures (entry {code}). If those are wrong, ask the room "
                "to take them back, delete this report here, and make a new one.",
                code=code_of(entry.id),
            )
            taken = replace(taken, status="refused", message=message, fact=None)
        elif taken.status != "known":
            taken = replace(taken, status="known", message=words("This was received before."), fact=None)
        yield place, taken, entry


def earlier(journal: Journal, refs: Iterable[str]) -> dict[str, Entry]:
    """Return the first entries that carry these references, looked for among the newest ones first."""
    wanted, newest = set(refs), journal.store.clock()
    for many in (*LOOKS_BACK, None):
        after = None if many is None else Place(max(0, newest - many), "")
        found: dict[str, Entry] = {}
        for placed in journal.read(after):
            ref = placed.entry.body.get("ref")
            if isinstance(ref, str) and ref in wanted:
                found.setdefault(ref, placed.entry)
        if many is None or len(found) == len(wanted) or newest <= many:
            return found
    return {}


def says_the_same(report: Report, entry: Entry, *, names: Names, words: Language) -> bool:
    """Return whether an entry may be what a report came to, as far as that can be told from the report alone.

    What a load or a receipt moved depends on the order as it was then, so only the goods that the report names are
    compared; units and packs are taken for what they are now.
    """
    body = entry.body
    if _KINDS[report.kind] != entry.kind or body.get("date") != report.date:
        return False
    match report.kind:
        case "problem":
            about = str(body.get("about"))
            is_about = _is_of_order(report, about) if report.order else about == _place(names, report)[0]
            return is_about and body.get("text") == report.text.strip()
        case "loaded" | "arrived":
            return _is_of_order(report, str(body.get("order"))) and all(
                _sum(body, line.good) == _quantity(names, line.good, line.quantity, line.unit, words)
                for line in report.lines
            )
        case "need":
            row = body.get("row", {})
            place, said = (row.get("site"), row.get("good")), row.get("quantity")
            quantity = _quantity(names, report.good, report.quantity, report.unit, words)
            return place == _place(names, report) and quantity is not None and said == amount(quantity)
    place = body.get("site"), body.get("good")
    lot = report.expires or None
    quantity = _quantity(names, report.good, report.quantity, report.unit, words)
    return place == _place(names, report) and body.get("quantity") == quantity and body.get("lot") == lot


def _is_of_order(report: Report, order: str) -> bool:
    try:
        return codes.find(report.order, [order]) == order
    except AbastoError:
        return False


def _place(names: Names, report: Report) -> tuple[str, str]:
    site, good = names.site_index.find_cell(report.site), names.good_index.find_cell(report.good)
    return site[0] if site else report.site, good[0] if good else report.good


def _quantity(names: Names, good: str, text: str, unit: str, words: Language) -> int | None:
    found = names.good_index.find_cell(good)
    try:
        return quantity_of(names, found[0] if found else good, text, unit, words)
    except NotTakenError:
        return None


def _sum(body: Mapping[str, object], good: str) -> int:
    lines = body.get("lines")
    assert isinstance(lines, list)
    return sum(line["quantity"] for line in lines if line["good"] == good)
