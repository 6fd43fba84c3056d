"""Answers to alarms: kept by date, taken back, and the same however the entries came."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from tests.state.devices import Crew, read_back, received

from abasto.facts.kinds import AlarmAnswered, EntryReversed
from abasto.state.answers import KEPT_ANSWERS, KEPT_TAKEN_DAYS, KEPT_WRONG, Answer, Answers
from abasto.state.encode import encode
from abasto.state.exceptions import exceptions
from abasto.state.fold import fold

KEY = "runs out/School/bread"
D1, D2, D3, D4 = "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"


def answered(answer: str, day: str, **more: str) -> AlarmAnswered:
    reason = "counted" if answer in ("snoozed", "wrong") else ""
    return AlarmAnswered(KEY, answer, day, **{"reason": reason, **more})


def days(count: int) -> list[str]:
    return [(date(2026, 1, 1) + timedelta(days=number)).isoformat() for number in range(count)]


def test_answers_stand_by_date_and_then_in_the_order_of_the_fold() -> None:
    crew = Crew()
    said = crew.say(answered("settled", D3), answered("taken", D1, by="North team"), answered("wrong", D3))
    state = crew.state()
    assert [(one.entry, one.answer, one.date) for one in state.answers.of(KEY)] == [
        (said[1].id, "taken", D1),
        (said[0].id, "settled", D3),
        (said[2].id, "wrong", D3),
    ]
    first, *_, last = state.answers.of(KEY)
    assert (first.author, first.by, last.reason) == (crew.devices[0].key, "North team", "counted")
    assert read_back(state).answers.of(KEY) == state.answers.of(KEY)
    assert list(state.answers) == [KEY]
    assert state.answers.of("runs out/Store/bread") == ()


def test_an_undone_answer_is_gone_and_its_undo_is_not_undone() -> None:
    crew = Crew()
    [taken, wrong] = crew.say(answered("taken", D1), answered("wrong", D2))
    [undo] = crew.say(EntryReversed(wrong.id, D3))
    assert [one.entry for one in crew.state().answers.of(KEY)] == [taken.id]
    crew.say(EntryReversed(undo.id, D4))
    state = crew.state()
    assert [one.entry for one in state.answers.of(KEY)] == [taken.id]
    [odd] = exceptions(state)
    assert odd.kind == "not undone"
    crew.say(EntryReversed(taken.id, D4))
    assert list(crew.state().answers) == []


def test_the_same_form_twice_answers_once() -> None:
    crew = Crew()
    crew.say(answered("taken", D1, ref="form 1"), answered("taken", D1, ref="form 1"))
    assert len(crew.state().answers.of(KEY)) == 1


def test_any_order_of_delivery_gives_the_same_answers() -> None:
    crew = Crew(3)
    rng = Random(4)
    for number in range(24):
        [entry] = crew.say(answered(rng.choice(("taken", "settled", "wrong")), rng.choice((D1, D2, D3))), by=number % 3)
        if number % 5 == 0:
            crew.say(EntryReversed(entry.id, D4), by=number % 3)
    crew.meet()
    expected = crew.state()
    assert expected.answers.of(KEY)
    everything = crew.everything()
    for _ in range(5):
        rng.shuffle(everything)
        assert encode(fold(received(everything).read())) == encode(expected)


def test_a_clock_that_runs_wild_does_not_put_an_alarm_off_for_longer() -> None:
    crew = Crew()
    crew.say(*[answered("settled", day) for day in (D1, D2, D3)])
    crew.say(answered("snoozed", "2030-01-01", until="2030-01-20"))
    [snoozed] = [one for one in crew.state().answers.of(KEY) if one.answer == "snoozed"]
    assert snoozed.date < "2027"
    assert date.fromisoformat(snoozed.until) - date.fromisoformat(snoozed.date) == timedelta(days=31)


def test_only_the_latest_are_kept_and_what_clocks_and_thresholds_need() -> None:
    answers = Answers()
    every = days(100)
    for number, day in enumerate(every):
        answers.add(KEY, Answer(f"settled {number}", "", "settled", day))
    assert [one.date for one in answers.of(KEY)] == every[-KEPT_ANSWERS:]
    answers = Answers()
    for number, day in enumerate(every):
        answers.add(KEY, Answer(f"wrong {number}", "", "wrong", day))
        answers.add(KEY, Answer(f"taken {number}", "", "taken", day))
        answers.add(KEY, Answer(f"again {number}", "", "taken", day))
    kept = answers.of(KEY)
    assert [one.date for one in kept if one.entry.startswith("taken")] == every[-KEPT_TAKEN_DAYS:]
    assert [one.date for one in kept if one.answer == "wrong"] == every[-KEPT_WRONG:]
    assert [one.entry for one in kept if one.entry.startswith("again")] == ["again 98", "again 99"]
    assert Answers.from_plain(answers.plain()).of(KEY) == kept
