"""The parts of a line, one for each good: what a labeling of its tokens says about each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from abasto.inbox.marks import Mark
from abasto.inbox.words import ReportKind

__all__ = ["Part", "ReadLine", "line_of"]

_VERBS = frozenset({"count", "received", "handed out", "lost", "spoiled", "made", "loaded", "accepted"})


@dataclass(slots=True)
class Part:
    """What stands between two separators: the marks of each kind, and the word for what happened."""

    goods: list[Mark] = field(default_factory=list)
    recipes: list[Mark] = field(default_factory=list)
    numbers: list[Mark] = field(default_factory=list)
    doubtful: list[Mark] = field(default_factory=list)
    measures: list[Mark] = field(default_factory=list)
    lots: list[str] = field(default_factory=list)
    verbs: list[ReportKind] = field(default_factory=list)
    none: bool = False
    batches: bool = False

    @property
    def says_something(self) -> bool:
        """Whether there is more here than a verb."""
        content = self.goods or self.recipes or self.numbers or self.doubtful or self.measures or self.lots
        return bool(content) or self.none or self.batches


@dataclass(slots=True)
class ReadLine:
    """A line by its parts, and what holds for all of it."""

    parts: list[Part]
    sites: list[Mark] = field(default_factory=list)
    dates: list[str] = field(default_factory=list)
    codes: list[Mark] = field(default_factory=list)
    is_confirmed: bool = False
    more_to_come: bool = False
    cause_at: int | None = None
    """Where in the text the words of a cause begin."""


def line_of(marks: Sequence[Mark]) -> ReadLine:
    """Return the line that a labeling makes of its tokens; yesterday is a date of its own, `-1`."""
    line = ReadLine([Part()])
    for mark in marks:
        part = line.parts[-1]
        if mark.kind == "separator" or mark.label == "and":
            line.parts.append(Part())
        elif mark.kind == "word":
            _add_word(line, part, mark)
        elif mark.kind == "site":
            line.sites.append(mark)
        elif mark.kind in ("code", "unknown code"):
            line.codes.append(mark)
        elif mark.kind == "date":
            line.dates.append(mark.date)
        elif mark.kind == "number":
            part.numbers.append(mark)
        elif mark.kind == "lot":
            part.lots.append(mark.date)
        elif mark.kind != "filler":
            {"good": part.goods, "recipe": part.recipes, "measure": part.measures, "doubtful number": part.doubtful}[
                mark.kind
            ].append(mark)
    return line


def _add_word(line: ReadLine, part: Part, mark: Mark) -> None:
    if mark.label in _VERBS:
        part.verbs.append(cast(ReportKind, mark.label))
    elif mark.label == "none":
        part.none = True
    elif mark.label == "batches":
        part.batches = True
    elif mark.label == "yes":
        line.is_confirmed = True
    elif mark.label == "more":
        line.more_to_come = True
    elif mark.label == "yesterday":
        line.dates.append("-1")
    elif mark.label == "because":
        line.cause_at = int(mark.words[0])
