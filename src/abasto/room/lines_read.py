"""Lines that people wrote, as the desk types or scans them in: understood one after the other, or a question each.

A line is read with what those before it come to, so that a sheet may say that an order was loaded and then received.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    StockCounted,
)
from abasto.inbox.asked import AskedError
from abasto.inbox.from_state import names_of
from abasto.inbox.message import read_message
from abasto.inbox.questions import Doubtful
from abasto.language import Language
from abasto.state.carried import step_doubts
from abasto.state.foresee import doubts, foresee
from abasto.state.state import State

__all__ = ["LineRead", "fact_doubts", "read_lines", "with_ref"]

MOST_LINES = 60
"""Every line is held against all that is known; whoever has more of them sends them as a file."""


@dataclass(frozen=True, slots=True)
class LineRead:
    """A line: its facts and what they say if it is understood, else the question; and what is doubtful about it."""

    text: str
    facts: tuple[Fact, ...] = ()
    said: tuple[str, ...] = ()
    question: str = ""
    suggestions: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def read_lines(state: State, text: str, *, day: date, words: Language, site: str | None = None) -> tuple[LineRead, ...]:
    """Return what each line says; `site` is where the messages came from, if that is known. Nothing is written."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise AskedError(f"these are {len(lines)} lines; send at most {MOST_LINES} at once, or import them as a file.")
    return tuple(_read(state, lines, day, words, site))


def _read(state: State, lines: list[str], day: date, words: Language, site: str | None) -> Iterator[LineRead]:
    for line in lines:
        names = names_of(state)
        read = read_message(line, names=names, date=day, site=site, language="es" if words.code == "es" else "en")
        if isinstance(read, Doubtful):
            yield LineRead(line, question=read.question, suggestions=read.suggestions)
            continue
        found = tuple(doubt for fact in read.facts for doubt in fact_doubts(state, fact))
        yield LineRead(line, read.facts, read.said, doubts=found)
        state = foresee(state, read.facts)


def fact_doubts(state: State, fact: Fact) -> tuple[str, ...]:
    """Return why a fact had better be looked at once more before it is written."""
    if isinstance(fact, StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsMade | GoodsLost):
        return doubts(state, fact)
    return step_doubts(state, [fact])


def with_ref(fact: Fact, ref: str) -> Fact:
    """Return the fact with a reference, where its kind has one: so it counts once, however often it is sent."""
    known: Any = fact
    return replace(known, ref=ref) if any(field.name == "ref" for field in fields(known)) else fact
