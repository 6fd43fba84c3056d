"""What is said about an alarm that is watched, in a language: when, how sure, who hears it, and a chart in one line."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import date

from abasto.facts.codes import code_of
from abasto.language import Language
from abasto.situation.words import isolated, quantity_words
from abasto.watch.types import Chart, Sureness, WatchedAlarm

__all__ = [
    "answer_words",
    "chart_words",
    "hearer_words",
    "id_of",
    "next_words",
    "short_code",
    "since_words",
    "spark_line",
    "sure_how_words",
    "when_words",
]

SHOWN_DAYS = 28
"""So many of the past days are drawn."""
BLOCKS = "▁▂▃▄▅▆▇█"
UNKNOWN = "·"
YEARS_FROM = 24
"""From so many months on, years are told."""


def id_of(key: str) -> str:
    """Return the id of an alarm, of which its code is the beginning: the same wherever its key is."""
    return urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode().rstrip("=")


def short_code(key: str) -> str:
    """Return the code by which an alarm is answered, as short as those of entries and orders.

    >>> short_code("runs out/School/bread")
    '10VF-0VQE'
    """
    return code_of(id_of(key))


def since_words(one: WatchedAlarm, words: Language) -> str:
    """Return since when an alarm stands."""
    return words("since {day}", day=words.day(one.since))


def when_words(one: WatchedAlarm, words: Language) -> str:
    """Return when something runs out, with the days between which it does; blank for what does not."""
    likely, early, late = one.alarm.starts, one.early, one.late
    if likely is None or early is None:
        return ""
    day = words.day(likely)
    if late is None and early == likely:
        return words("likely {day}, perhaps later", day=day)
    if late is None:
        return words("likely {day}, not before {early}", day=day, early=words.day(early))
    if early == late:
        return words("almost surely {day}", day=day)
    return words("likely {day}, between {early} and {late}", day=day, early=words.day(early), late=words.day(late))


def sure_how_words(one: WatchedAlarm, words: Language) -> str:
    """Return how far an alarm can be trusted: a fact, its chance, or how often it rings by chance."""
    sureness = one.sureness
    if sureness.by_chance > 0:
        return _by_chance_words(sureness, words)
    if one.early is None and sureness.is_fact:
        return words("a fact")
    # Rounded down, so that nothing is called surer than it is.
    for least, chances, of in ((0.99, 99, 100), (0.95, 19, 20)):
        if sureness.chance >= least:
            return words("{chances} in {of}", chances=words.number(chances), of=words.number(of))
    tenths = int(sureness.chance * 10 + 1e-9)
    return words("{chances} in {of}", chances=words.number(tenths), of=words.number(10))


def _by_chance_words(sureness: Sureness, words: Language) -> str:
    months = 1 / sureness.by_chance
    if months >= YEARS_FROM:
        return words.many(
            "a quiet site raises one of these about once in {n} year",
            "a quiet site raises one of these about once in {n} years",
            round(months / 12),
        )
    if months >= 1:
        return words.many(
            "a quiet site raises one of these about every month",
            "a quiet site raises one of these about every {n} months",
            round(months),
        )
    return words.many(
        "a quiet site raises about one of these a month",
        "a quiet site raises about {n} of these a month",
        round(sureness.by_chance),
    )


def hearer_words(who: str, one: WatchedAlarm, words: Language) -> str:
    """Return how who hears an alarm is called: its site, allocators, stewards, or another network."""
    if who == one.alarm.site:
        return isolated(one.alarm.site_name, words)
    said: Mapping[str, str] = {"allocators": words("allocators"), "stewards": words("stewards")}
    return said.get(who) or isolated(who, words)


def next_words(one: WatchedAlarm, words: Language) -> str:
    """Return who hears an alarm next and when, unless somebody answers; blank if nobody does."""
    heard = one.heard
    if heard.next_at is None:
        return ""
    return words(
        "{who} from {moment} on", who=hearer_words(heard.next_to, one, words), moment=words.moment(heard.next_at)
    )


def answer_words(one: WatchedAlarm, words: Language) -> str:
    """Return what was answered last, as a sentence; blank if nothing was."""
    answer, state = one.heard.answer, one.heard.state
    if answer is None:
        return ""
    day = words.day(date.fromisoformat(answer.date))
    said = {
        "taken": words("Taken on {day}", day=day),
        "settled": words("Settled on {day}", day=day)
        if state == "settled"
        else words("Settled on {day}, but it still stands", day=day),
        "snoozed": words("Put off until {day}", day=words.day(date.fromisoformat(answer.until)))
        if answer.until
        else "",
        "wrong": words("Called wrong on {day}", day=day),
    }[answer.answer]
    if answer.by:
        named = {one.alarm.site: one.alarm.site_name, "allocators": words("allocators"), "stewards": words("stewards")}
        said = words("{said}, by {who}", said=said, who=isolated(named.get(answer.by, answer.by), words))
    if answer.reason:
        return words("{said}: {reason}", said=said, reason=isolated(answer.reason, words))
    return f"{said}."


def spark_line(chart: Chart) -> str:
    """Return a chart as one line: a block for what lay there at each day's end, a bar, and what is expected.

    >>> from datetime import date
    >>> spark_line(Chart(date(2026, 11, 22), "kg", (80.0, None, 40.0), ahead=(20.0, 0.0)))
    '█·▄│▂▁'
    """
    past = chart.past[-SHOWN_DAYS:]
    most = max([one for one in (*past, *chart.ahead) if one is not None], default=0.0)
    return "│".join("".join(_block(one, most) for one in part) for part in (past, chart.ahead) if part)


def _block(value: float | None, most: float) -> str:
    if value is None:
        return UNKNOWN
    share = value / most if most > 0 else 0.0
    return BLOCKS[min(len(BLOCKS) - 1, max(0, round(share * len(BLOCKS)) - 1))]


def chart_words(chart: Chart, words: Language) -> str:
    """Return what a chart shows, for who cannot see it."""
    known = [(number, one) for number, one in enumerate(reversed(chart.past), start=1) if one is not None]
    shown = [(number, one) for number, one in known if number <= SHOWN_DAYS]
    if not shown:
        return words("What lay there over the last days is not known.")
    said = words(
        "At the end of the last {days} days at most {most} lay there, and {last} at last.",
        days=words.number(min(SHOWN_DAYS, len(chart.past))),
        most=quantity_words(max(one for _, one in shown), chart.unit, words),
        last=quantity_words(shown[0][1], chart.unit, words),
    )
    if not chart.ahead:
        return said
    mean, low, high = (quantity_words(one[-1], chart.unit, words) for one in (chart.ahead, chart.low, chart.high))
    days = len(chart.ahead)
    expected = words.many(
        "In {n} day {mean} are expected, between {low} and {high}.",
        "In {n} days {mean} are expected, between {low} and {high}.",
        days, mean=mean, low=low, high=high,
    )  # fmt: skip
    return f"{said} {expected}"
