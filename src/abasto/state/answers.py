"""Answers: what people said about alarms, by the alarm's key (`KIND/SITE/GOOD`), in the order of their dates."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from abasto.facts.kinds import MOST_SNOOZED_DAYS, AlarmAnswered
from abasto.state.holding import days_after

__all__ = ["KEPT_ANSWERS", "KEPT_TAKEN_DAYS", "KEPT_WRONG", "Answer", "Answers", "answer_of"]

KEPT_ANSWERS = 6
"""So many answers of an alarm are kept, the latest."""
KEPT_TAKEN_DAYS = 60
"""Besides them the first "taken" of each of so many days: only the first of an episode moves its clock, and which that
is must not be forgotten because somebody takes the alarm every day."""
KEPT_WRONG = 3
"""Besides them the latest "wrong" ones: thresholds learn from them."""


class Answer(NamedTuple):
    """What one entry said about an alarm; `author` is the key that signed it, `date` the day it was booked on.

    `answer` is "taken", "settled", "snoozed" or "wrong"; only "snoozed" has `until`. Dates are ISO text.
    """

    entry: str
    author: str
    answer: str
    date: str
    until: str = ""
    reason: str = ""
    by: str = ""


def answer_of(fact: AlarmAnswered, entry: str, author: str, day: str) -> Answer:
    """Return a fact as an answer booked on a day, which is not the fact's own where its clock ran wild."""
    latest = days_after(day, MOST_SNOOZED_DAYS) if fact.until else ""
    until = min(fact.until, latest) if latest else fact.until
    return Answer(entry, author, fact.answer, day, until, fact.reason, fact.by)


class Answers:
    """The answers to each alarm: the latest ones, and of older ones what clocks and thresholds need."""

    def __init__(self) -> None:
        self._by_key: dict[str, list[Answer]] = {}

    def __iter__(self) -> Iterator[str]:
        """Yield the keys that have answers."""
        return iter(self._by_key)

    def of(self, key: str) -> tuple[Answer, ...]:
        """Return what was said about an alarm, by date and within a day in the order of the fold."""
        return tuple(self._by_key.get(key, ()))

    def add(self, key: str, answer: Answer) -> None:
        """Take in an answer, in the order of the fold."""
        answers = self._by_key.setdefault(key, [])
        answers.insert(bisect_right(answers, answer.date, key=lambda one: one.date), answer)
        answers[:] = _worth_keeping(answers)

    def remove(self, key: str, entry: str) -> None:
        """Take back what an entry said, if it is still kept."""
        left = [one for one in self._by_key.pop(key, ()) if one.entry != entry]
        if left:
            self._by_key[key] = left

    def plain(self) -> dict[str, Any]:
        """Return all of it as lists and texts, from which `from_plain` makes equal answers."""
        return {key: [list(one) for one in answers] for key, answers in self._by_key.items()}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Answers:
        """Return the answers that `plain` came from."""
        made = cls()
        made._by_key = {key: [Answer(*one) for one in answers] for key, answers in plain.items()}
        return made


def _worth_keeping(answers: Sequence[Answer]) -> list[Answer]:
    if len(answers) <= KEPT_ANSWERS:
        return list(answers)
    kept = set(range(len(answers) - KEPT_ANSWERS, len(answers)))
    firsts: dict[str, int] = {}
    for place, one in enumerate(answers):
        if one.answer == "taken":
            firsts.setdefault(one.date, place)
    kept.update(list(firsts.values())[-KEPT_TAKEN_DAYS:])
    kept.update([place for place, one in enumerate(answers) if one.answer == "wrong"][-KEPT_WRONG:])
    return [answers[place] for place in sorted(kept)]
