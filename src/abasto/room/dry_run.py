"""What a draft would come to if it were taken in now: what is understood, in doubt and wrong, and what would change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from abasto.errors import AbastoError, Finding, InputError
from abasto.facts.kinds import Fact, UnknownFact, body_of
from abasto.inbox.from_state import names_of
from abasto.inbox.gather import gather
from abasto.inbox.opened import Opened, mend, open_file
from abasto.inbox.taking import Foreseen, change_words, changed_since, foreseen
from abasto.language import Language
from abasto.room.drafts import Draft
from abasto.room.mending import Mending, mendings
from abasto.room.operations import Room
from abasto.room.returned import MARK, Returned, foresee_returned, read_returned
from abasto.state.foresee import foresee
from abasto.state.network import changes_of
from abasto.state.state import State
from abasto.tables.read import check_raw

__all__ = ["DryRun", "Said", "dry_run"]


@dataclass(frozen=True)
class Said:
    """Something that was understood, or a question about what was not: `place` is where it stands.

    `line` is its number among the lines of a text, `id` that of a phone's report; only a question may have them.
    """

    place: str
    words: str
    text: str = ""
    suggestions: tuple[str, ...] = ()
    line: int = 0
    id: str = ""


@dataclass(frozen=True)
class DryRun:
    """What a draft would come to. `facts` are written if it is taken in; none are while there are errors."""

    kind: str
    facts: tuple[Fact, ...] = ()
    understood: tuple[Said, ...] = ()
    known: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    doubts: tuple[Said, ...] = ()
    findings: tuple[Finding, ...] = ()
    seen: Foreseen = field(default_factory=Foreseen)
    changed_since: tuple[str, ...] = ()
    text: str = ""
    mendings: tuple[Mending, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What has to be mended before anything is taken in, down each table or file."""
        errors = [one for one in self.findings if one.severity == "error"]
        files = list(dict.fromkeys((one.file, one.table) for one in errors))
        return tuple(sorted(errors, key=lambda one: (files.index((one.file, one.table)), one.row or 0)))

    @property
    def sign(self) -> str:
        """What stands for the facts: who confirms them confirms these and no others."""
        bodies = [[one.KIND, body_of(one)] for one in self.facts if not isinstance(one, UnknownFact)]
        return hashlib.blake2b(json.dumps(bodies, sort_keys=True).encode(), digest_size=16).hexdigest()


def dry_run(room: Room, draft: Draft, *, words: Language) -> DryRun:
    """Return what a draft would come to now."""
    with room.lock:
        state = foresee(room.state, ())  # A copy of its own: large files take long, and the room goes on meanwhile.
    returned = _returned(draft)
    if isinstance(returned, Returned):
        return _of_phone(room, state, returned, draft, words)
    if isinstance(returned, Finding):
        return DryRun("phone", findings=(returned,), text=_text(draft))
    as_brought = open_file(draft.name or "text.txt", draft.content)
    opened = mend(as_brought, draft.cells, left_out=draft.left_out)
    if opened.kind == "network":
        return _of_network(state, opened, draft)
    return _of_reports(room, state, opened, draft, words)


def _text(draft: Draft) -> str:
    return draft.content.decode("utf-8-sig", errors="replace")


def _returned(draft: Draft) -> Returned | Finding | None:
    """Return what a phone sent back; None if this comes from no phone, a finding if it is damaged."""
    is_file, is_text = draft.name.lower().endswith(".json"), draft.name.lower().endswith(".txt") or not draft.name
    if not is_file and not (is_text and MARK.encode() in draft.content):
        return None
    try:
        returned = read_returned(_text(draft))
    except AbastoError as error:
        return Finding("reports", 0, "", "", str(error).rstrip("."), "bring it again", file=draft.name)
    return returned if returned.reports or returned.broken or is_file else None


def _of_phone(room: Room, state: State, returned: Returned, draft: Draft, words: Language) -> DryRun:
    taken = foresee_returned(room, returned, words=words, sure=draft.sure)
    findings = [
        Finding("reports", 0, "", "", one, "have it reported again", severity="warning", file=draft.name)
        for one in returned.broken
    ]
    facts, understood, known, doubts = [], [], [], []
    for number, one in enumerate(taken, start=1):
        place = words("report {number}", number=number)
        if one.fact is not None:
            facts.append(one.fact)
            understood.append(Said(place, one.message))
        elif one.status == "known":
            known.append(place)
        elif one.status == "doubtful":
            doubts.append(Said(place, one.message, id=one.report.id))
        else:
            findings.append(
                Finding("reports", 0, "", "", one.message.rstrip("."), words("report it by hand if it is right"),
                        severity="warning", file=place)
            )  # fmt: skip
    return DryRun(
        "phone",
        tuple(facts),
        tuple(understood),
        tuple(known),
        doubts=tuple(doubts),
        findings=tuple(findings),
        seen=foreseen(state, facts),
    )


def _of_network(state: State, opened: Opened, draft: Draft) -> DryRun:
    network, findings = check_raw(opened.raw)
    facts: Sequence[Fact] = ()
    if network is not None:
        try:
            facts = changes_of(state, network, date=draft.day)
        except InputError as error:
            findings = [*findings, *error.findings]
    return DryRun(
        "network",
        tuple(facts),
        tuple(Said("", change_words(one)) for one in facts),
        left_out=tuple(f"{file} row {line}" for file, line in sorted(draft.left_out)),
        findings=tuple(findings),
        seen=foreseen(state, facts),
        mendings=mendings(opened, findings),
    )


def _of_reports(room: Room, state: State, opened: Opened, draft: Draft, words: Language) -> DryRun:
    gathered = gather(
        opened,
        names=names_of(state),
        date=draft.day,
        language="es" if words.code == "es" else "en",
        site=draft.site or None,
        is_known=state.knows,
    )
    errors = [one for one in gathered.findings if one.severity == "error"]
    facts = () if errors else tuple(f for item in gathered.items if not item.is_known for f in item.facts)
    doubtful = {item.place for item in gathered.items if item.doubt is not None}
    return DryRun(
        opened.kind,
        facts,
        tuple(Said(one.place, told) for one in gathered.items if one.facts and not one.is_known for told in one.said),
        tuple(one.place for one in gathered.items if one.is_known),
        (*gathered.left_out, *(f"{file} row {line}" for file, line in sorted(draft.left_out))),
        tuple(
            Said(one.place, one.doubt.question, one.text, one.doubt.suggestions, _line_of(opened, one.place))
            for one in gathered.items
            if one.doubt is not None
        ),
        tuple(gathered.findings),
        foreseen(state, facts),
        tuple(changed_since(room.home.journal, gathered)),
        opened.text,
        mendings(_with_sure(opened) if doubtful else opened, gathered.findings, doubtful=doubtful),
    )


def _line_of(opened: Opened, place: str) -> int:
    return int(place.removeprefix("line ")) if opened.kind == "messages" else 0


def _with_sure(opened: Opened) -> Opened:
    """Return a table of reports with a column in which somebody can say that a quantity is meant."""
    if opened.kind != "reports" or any(cell in ("sure", "seguro") for cell in opened.tables[0].header):
        return opened
    (table,) = opened.tables
    return replace(opened, tables=(replace(table, header=[*table.header, "sure"]),))
