"""Who hears an alarm when: by the rules one by one, and hour by hour in a slow, obvious second way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from abasto.state.answers import Answer, Answers
from abasto.state.escalations import Step, steps_for
from abasto.watch.hearing import Heard, hearing, lessons

KEY, SITE = "runs out/School/bread", "School"
SINCE = date(2026, 11, 10)
STEPS = {1.0: (Step("allocators", 24.0), Step("stewards", 48.0), Step("Vale", 120.0))}


def day(number: int) -> str:
    """The date so many days after the alarm began."""
    return (SINCE + timedelta(days=number)).isoformat()


def at(number: int, hour: int = 0) -> datetime:
    return datetime.combine(SINCE, time.min, tzinfo=UTC) + timedelta(days=number, hours=hour)


def answers_of(said: Sequence[tuple[str, int, int]]) -> Answers:
    """Answers in the order of the fold: what, on which day, and for how many days it is put off."""
    answers = Answers()
    for number, (answer, on, length) in enumerate(said):
        until = day(on + length) if answer == "snoozed" else ""
        answers.add(KEY, Answer(f"entry {number}", "device", answer, day(on), until))
    return answers


def heard(now: datetime, *said: tuple[str, int, int], priority: float = 1.0) -> Heard:
    return hearing(KEY, SITE, SINCE, priority, answers_of(said), STEPS, now)


def brief(one: Heard) -> tuple[str, tuple[str, ...], str, datetime | None]:
    return one.state, one.hears, one.next_to, one.next_at


def test_the_site_hears_at_once_and_others_as_time_passes() -> None:
    assert brief(heard(at(0))) == ("open", ("School",), "allocators", at(1))
    assert brief(heard(at(0, 23))) == ("open", ("School",), "allocators", at(1))
    assert brief(heard(at(1))) == ("open", ("School", "allocators"), "stewards", at(2))
    assert brief(heard(at(5))) == ("open", ("School", "allocators", "stewards", "Vale"), "", None)


def test_defaults_hold_for_a_priority_without_rows() -> None:
    assert brief(heard(at(3), priority=2.0)) == ("open", ("School", "allocators"), "stewards", at(6))


def test_an_alarm_without_a_site_is_heard_by_the_others() -> None:
    one = hearing("slow/Mill>School/", "", SINCE, 1.0, Answers(), STEPS, at(1))
    assert (one.hears, one.next_to) == (("allocators",), "stewards")


def test_the_clock_starts_anew_when_it_is_taken_but_only_once() -> None:
    assert brief(heard(at(1), ("taken", 1, 0))) == ("taken", ("School",), "allocators", at(2))
    every_day = [("taken", number, 0) for number in range(1, 30)]
    assert heard(at(3), *every_day).hears == ("School", "allocators", "stewards")
    late = heard(at(29), *every_day)
    assert (late.state, late.hears, late.next_at) == ("taken", ("School", "allocators", "stewards", "Vale"), None)
    assert late.answer is not None
    assert late.answer.date == day(29)


def test_taking_it_every_day_and_in_the_episode_before_holds_nobody_off_either() -> None:
    said = [("taken", number, 0) for number in range(-20, 8)]
    assert heard(at(7), *said).hears == ("School", "allocators", "stewards", "Vale")


def test_a_snooze_silences_and_then_the_clock_goes_on_from_where_it_stopped() -> None:
    said = ("snoozed", 1, 4)
    assert brief(heard(at(4, 23), said)) == ("snoozed", (), "School", at(5))
    assert brief(heard(at(5), said)) == ("open", ("School", "allocators"), "stewards", at(6))
    assert heard(at(5), said).answer is not None


def test_what_is_settled_and_still_stands_is_open_again_with_its_own_clock() -> None:
    said = ("settled", 1, 0)
    assert brief(heard(at(3, 23), said)) == ("settled", (), "School", at(4))
    assert brief(heard(at(4), said)) == ("open", ("School", "allocators", "stewards"), "Vale", at(5))


def test_what_is_wrong_is_silent_until_somebody_says_otherwise() -> None:
    assert brief(heard(at(60), ("wrong", 1, 0))) == ("wrong", (), "", None)
    assert heard(at(6), ("wrong", 1, 0), ("taken", 5, 0)).state == "taken"


def test_answers_of_before_the_episode_and_of_days_to_come_do_not_count() -> None:
    assert brief(heard(at(1), ("wrong", -1, 0), ("snoozed", -2, 9), ("wrong", 2, 0))) == brief(heard(at(1)))
    assert heard(at(1), ("wrong", -1, 0)).answer is None
    assert heard(at(0), ("wrong", 0, 0)).state == "wrong"


def slow(now: datetime, answers: Answers, priority: float) -> tuple[str, tuple[str, ...], str, datetime | None]:
    """Live through the episode hour by hour, and on after `now` until somebody else hears it."""
    steps = sorted(steps_for(priority, STEPS), key=lambda one: one.after_hours)
    clock, in_force, state, was_taken, current = 0, None, "open", False, None
    moment = at(0)
    while moment < at(120):
        for one in answers.of(KEY):
            if moment.hour == 0 and one.date == moment.date().isoformat() and moment <= now:
                in_force = one
                if one.answer == "taken" and not was_taken:
                    was_taken, clock = True, 0
        said = "" if in_force is None else in_force.answer
        is_snoozed = in_force is not None and said == "snoozed" and moment.date().isoformat() < in_force.until
        is_settled = in_force is not None and said == "settled" and (
            moment.date() - date.fromisoformat(in_force.date)
        ).days < 3  # fmt: skip
        is_silent = is_snoozed or is_settled or said == "wrong"
        due = [step.to for step in steps if clock >= step.after_hours]
        hears = () if is_silent else (SITE, *due)
        if moment == now:
            state = said if is_silent or said == "taken" else "open"
            current = hears
        elif current is not None:
            more = [who for who in hears if who not in current]
            if more:
                return state, current, more[0], moment
        if not is_snoozed:
            clock += 1
        moment += timedelta(hours=1)
    assert current is not None
    return state, current, "", None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["taken", "settled", "snoozed", "wrong"]), st.integers(-4, 20), st.integers(1, 31)),
        max_size=6,
    ),
    st.integers(0, 24 * 24),
    st.sampled_from([1.0, 2.0, 3.0]),
)
def test_it_is_what_living_through_every_hour_gives(
    said: list[tuple[str, int, int]], hour: int, priority: float
) -> None:
    now = at(0, hour)
    answers = answers_of(said)
    assert brief(hearing(KEY, SITE, SINCE, priority, answers, STEPS, now)) == slow(now, answers, priority)


def test_thresholds_learn_from_what_was_wrong_of_late() -> None:
    answers = [Answer("e", "a", "wrong", day(number)) for number in (-90, -89, 0, 1)]
    answers.append(Answer("e", "a", "settled", day(0)))
    assert lessons(answers, SINCE) == 2
    assert lessons(answers[:1], SINCE) == 0
    assert lessons([Answer("e", "a", "wrong", day(0))] * 5, SINCE) == 3
    assert lessons([], SINCE) == 0
