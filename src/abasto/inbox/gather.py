"""Read whatever reports come in: lines of messages, a table of reports, an export of a form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date as Date  # noqa: N812 - `date` is what the callers call theirs
from pathlib import Path

from abasto.facts.kinds import Fact
from abasto.inbox.describe import WITH_REF
from abasto.inbox.exports import read_export
from abasto.inbox.message import read_message
from abasto.inbox.names import Names
from abasto.inbox.opened import SUFFIXES, Opened, open_file
from abasto.inbox.questions import Doubtful
from abasto.inbox.reports import Gathered, Item, digest, never, read_reports
from abasto.inbox.tokens import fold_text
from abasto.inbox.words import Language

__all__ = ["SUFFIXES", "gather", "gather_file", "gather_lines"]


def gather_lines(
    text: str,
    *,
    names: Names,
    date: Date,
    language: Language = "es",
    site: str | None = None,
    is_known: Callable[[str], bool] = never,
) -> Gathered:
    """Return what the lines of messages say; each is known again by its words, date, site and how often it came."""
    gathered = Gathered()
    seen: Counter[str] = Counter()
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        if not line.strip():
            continue
        said = f"{date}\0{site or ''}\0{' '.join(fold_text(line).split())}"
        seen[said] += 1
        ref = f"line:{digest(said, seen[said])}"
        place = f"line {number}"
        if is_known(ref):
            gathered.items.append(Item(place, text=line.strip(), is_known=True))
            continue
        answer = read_message(line, names=names, date=date, site=site, language=language)
        if isinstance(answer, Doubtful):
            gathered.items.append(Item(place, doubt=answer, text=line.strip()))
        else:
            facts = tuple(
                _with_ref(fact, ref if index == 1 else f"{ref}/{index}")
                for index, fact in enumerate(answer.facts, start=1)
            )
            gathered.items.append(Item(place, facts, answer.said, text=line.strip()))
    return gathered


def _with_ref(fact: Fact, ref: str) -> Fact:
    return replace(fact, ref=ref) if isinstance(fact, WITH_REF) else fact


def gather_file(
    path: Path,
    *,
    names: Names,
    date: Date,
    language: Language = "es",
    site: str | None = None,
    is_known: Callable[[str], bool] = never,
) -> Gathered:
    """Return what a file of reports says; whatever keeps it from being read is a finding."""
    opened = open_file(path.name, path.read_bytes(), may_be_network=False)
    return gather(opened, names=names, date=date, language=language, site=site, is_known=is_known)


def gather(
    opened: Opened,
    *,
    names: Names,
    date: Date,
    language: Language = "es",
    site: str | None = None,
    is_known: Callable[[str], bool] = never,
) -> Gathered:
    """Return what the reports say that were opened; whatever keeps them from being read is a finding."""
    if opened.kind == "messages":
        return gather_lines(opened.text, names=names, date=date, language=language, site=site, is_known=is_known)
    if opened.kind == "export":
        return read_export(opened.sheets, names=names, language=language, site=site, is_known=is_known)
    if opened.kind == "reports":
        return read_reports(opened.tables[0], names=names, language=language, site=site, is_known=is_known)
    return Gathered(findings=list(opened.findings))
