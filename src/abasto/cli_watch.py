"""The command `watch`: what is about to go wrong, worst first, who hears it, and what people answer."""

from __future__ import annotations

import json as json_format
import shlex
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date as Date  # noqa: N812 - a parameter of the commands is called date
from datetime import datetime
from datetime import time as Time  # noqa: N812
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable, say
from abasto.cli_home import Flag, find_site, open_home, read_state, to_the_end, today, write
from abasto.facts.codes import code_of

if TYPE_CHECKING:
    from abasto.journal.home import Home
    from abasto.state.state import State
    from abasto.watch import Watched, WatchedAlarm

__all__ = ["watch"]

Said = Literal["taken", "settled", "snoozed", "wrong"]
GROUPS = ("allocators", "stewards")
NOON = Time(12)
PLAIN = str.maketrans({"\u00a0": " ", "\u202f": ",", "\u2068": None, "\u2069": None})
"""Blanks that do not break and marks of direction are for pages; a terminal has plain ones."""

watch = App(
    name="watch",
    help="Show what is about to go wrong, worst first: why, when, how sure, and who hears it; `answer` answers it.",
    help_format="plaintext",
    version_flags=(),
)


@watch.default
def show(
    *,
    to: str | None = None,
    date: str | None = None,
    time: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Show what is about to go wrong, worst first: why, when, how sure, and who hears it.

    Parameters
    ----------
    to
        Only what these hear now: allocators, stewards, a site (its id or name) or a network; `all` also shows what is
        silenced.
    date
        The day on which one looks; today by default.
    time
        The time of day, such as 14:30; by default this machine's, and noon where --date is given.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    now = _moment(date, time)
    with open_home(home) as opened:
        state = read_state(opened)
        seen = _look(opened, state, now)
    shown = [one for one in seen.alarms if _is_for(one, state, to)]
    if json:
        document = _plain(seen) | {"alarms": [_document(one) for one in shown]}
        print(json_format.dumps(document, ensure_ascii=False, indent=1))
        return EXIT_OK
    for line in _lines(seen, shown, to):
        print(printable(line.translate(PLAIN)))
    return EXIT_OK


@watch.command
def answer(
    alarm: Annotated[str, Parameter(allow_leading_hyphen=True)],
    said: Said,
    /,
    *,
    until: str | None = None,
    reason: str = "",
    by: str | None = None,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Answer an alarm: taken (we see to it), settled, snoozed until a date, or wrong. It is kept, and learned from.

    Parameters
    ----------
    alarm
        The alarm's code, as `abasto watch` shows it, or its key, such as "runs out/School/bread".
    said
        taken, settled, snoozed or wrong.
    until
        Until which date it is put off: at most 31 days; only for snoozed.
    reason
        Why, in a few words; snoozed and wrong need it. Names of people are nowhere needed.
    by
        Who answers: a site (its id or name), allocators or stewards.
    date
        The day of the answer; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Write it also if no such alarm stands.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import AlarmAnswered, body_of, fact_of

    day = today(date)
    with open_home(home) as opened:
        state = read_state(opened)
        key, doubt = _meant(_look(opened, state, datetime.combine(day, NOON)), alarm)
        who = "" if by is None else by if by in GROUPS else find_site(state, by)
        fact = AlarmAnswered(key, said, day.isoformat(), until or "", reason.strip(), who)
        fact_of(fact.KIND, body_of(fact))  # What no answer may be is told before what is in doubt.
        if doubt and not yes:
            say(f"doubtful: {doubt}")
            say("nothing was written; if it is meant so, say so with --yes.")
            return EXIT_INPUT
        with to_the_end():
            [entry] = write(opened, [fact])
            if json:
                document = {"entry": entry.id, "code": code_of(entry.id), "body": dict(entry.body), "doubts": doubt}
                print(json_format.dumps(document, ensure_ascii=False, indent=1))
                return EXIT_OK
            print(printable(f"{said.capitalize()}: {key}{f', until {until}' if until else ''}."))
            print(f"Entry {code_of(entry.id)}; to take it back: abasto undo {code_of(entry.id)}")
            if doubt:
                say(f"written although doubtful: {doubt}")
    return EXIT_OK


def _moment(day_given: str | None, time_given: str | None) -> datetime:
    """Return the moment at which one looks, by the clock on the wall there."""
    day = today(day_given)
    if time_given is None:
        return datetime.combine(day, datetime.now().time() if day_given is None else NOON)
    try:
        clock = Time.fromisoformat(time_given) if ":" in time_given else None
    except ValueError:
        clock = None
    if clock is None or clock.tzinfo is not None:
        raise UsageError(f'--time "{time_given}": this is no time of day; write hours and minutes, as in 14:30.')
    return datetime.combine(day, clock)


def _look(home: Home, state: State, now: datetime) -> Watched:
    """Return what is watched, with the plan that the room made last, as the room itself does."""
    from abasto.room.kept_plan import kept_job
    from abasto.situation import situation
    from abasto.state.known import known
    from abasto.watch import watch as look

    day = now.date()
    job = kept_job(home.file)
    plan = None if job is None or job.proposal is None else job.proposal.rounded.plan
    seen = known(state, day)
    return look(state, seen, situation(state, day, seen=seen, plan=plan), now, plan=plan)


def _is_for(one: WatchedAlarm, state: State, to: str | None) -> bool:
    if to == "all":
        return True
    if to is None:
        return not one.is_silent
    return _hearer(state, to) in one.heard.hears


def _hearer(state: State, to: str) -> str:
    """Return who is meant: allocators, stewards, a network that `escalations` names, or a site."""
    named = {row.cells.get("to", "") for row in state.rows.table("escalations")}
    if to in (*GROUPS, *named):
        return to
    return find_site(state, to.removeprefix("site "))


def _meant(seen: Watched, asked: str) -> tuple[str, str]:
    """Return the key of the alarm that is meant, by its code or key, and what is in doubt about it."""
    from abasto.errors import AbastoError
    from abasto.facts import codes
    from abasto.watch.words import id_of, short_code

    keys = [one.key for one in seen.alarms]
    if asked in keys:
        return asked, ""
    if "/" not in asked:
        by_id = {id_of(key): key for key in keys}
        try:
            return by_id[codes.find(asked, by_id)], ""
        except AbastoError as error:
            raise UsageError(f"{error} What stands now is shown by: abasto watch --to all") from None
    folded = {key.casefold(): key for key in keys}
    closest = get_close_matches(asked.casefold(), folded, n=1, cutoff=0.5)
    guess = f' Did you mean "{folded[closest[0]]}" ({short_code(folded[closest[0]])})?' if closest else ""
    return asked, f'no alarm "{asked}" stands on {seen.now.date()}.{guess}'


def _lines(seen: Watched, shown: list[WatchedAlarm], to: str | None) -> Iterator[str]:
    silent = sum(one.is_silent for one in seen.alarms)
    number = f"{len(shown)} {'alarm' if len(shown) == 1 else 'alarms'}"
    for_whom = "" if to in (None, "all") else f" for {to}"
    yield f"{seen.network} on {seen.now:%Y-%m-%d at %H:%M}: {number}{for_whom}{', worst first' if shown else ''}"
    for place, one in enumerate(shown, start=1):
        yield ""
        yield from _alarm_lines(one, place, seen.now.date())
    if to is None and silent:
        yield ""
        yield f"{silent} more {'is' if silent == 1 else 'are'} silenced by an answer: abasto watch --to all"


def _alarm_lines(one: WatchedAlarm, place: int, day: Date) -> Iterator[str]:
    from abasto.language import language
    from abasto.situation import alarm_words, cause_words, quantity_words, relief_words, remedy_words
    from abasto.watch import words as said

    words, alarm, heard = language("en"), one.alarm, one.heard
    where = f"{alarm.need_name} at {alarm.site_name}" if alarm.need else alarm.site_name
    yield f"{place}. {alarm_words(alarm.kind, words)}: {where}   [{said.short_code(one.key)}]"
    yield f"   {cause_words(alarm, words)}"
    if one.chart is not None:
        most = max([value for value in (*one.chart.past, *one.chart.ahead) if value is not None], default=0.0)
        yield f"   {said.spark_line(one.chart)}  (█ {quantity_words(most, one.chart.unit, words)})"
    gone = said.when_words(one, words)
    yield (
        f"   {said.since_words(one, words)}; {f'gone: {gone}; ' if gone else ''}sure: {said.sure_how_words(one, words)}"
    )
    for relief in alarm.relieved_by[:3]:
        yield f"   comes: {relief_words(relief, alarm.unit, day, words)}"
    yield f"   to do: {remedy_words(alarm, words)}"
    hears = ", ".join(said.hearer_words(who, one, words) for who in heard.hears) or "nobody"
    after = said.next_words(one, words)
    yield f"   heard by {hears}" + (f"; then by {after}" if after else "")
    if heard.answer is not None:
        yield f"   {said.answer_words(one, words)}"
    else:
        yield f"   to answer: abasto watch answer {shlex.quote(said.short_code(one.key))} taken"


def _document(one: WatchedAlarm) -> dict[str, Any]:
    from abasto.watch.words import short_code

    plain: dict[str, Any] = _plain(one)
    return {"code": short_code(one.key), **plain, "is_silent": one.is_silent}


def _plain(value: Any) -> Any:
    """Return a tree of data as JSON holds it: dates as text, what has named fields as objects."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, Date) else value
