"""Codes and sessions of desks: once, in time, typed as people type, kept as digests only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from abasto.errors import SettingError
from abasto.room.sessions import ALPHABET, CODE_LASTS, MOST_CODES, SESSION_LASTS, Sessions, code_from

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def test_code_opens_one_session_of_its_role_once() -> None:
    sessions = Sessions()
    code = sessions.new_code("allocator", now=NOW)
    entered = sessions.enter(code, now=NOW)
    assert entered is not None
    token, session = entered
    assert session.role == "allocator"
    assert sessions.of(token, now=NOW) == session
    assert sessions.enter(code, now=NOW) is None


def test_code_is_over_when_its_time_is() -> None:
    sessions = Sessions()
    code = sessions.new_code("reader", now=NOW)
    assert sessions.enter(code, now=NOW + CODE_LASTS) is None
    again = sessions.new_code("reader", now=NOW)
    assert sessions.enter(again, now=NOW + CODE_LASTS - timedelta(seconds=1)) is not None


def test_wrong_code_opens_nothing_and_leaves_the_right_one_open() -> None:
    sessions = Sessions()
    code = sessions.new_code("reader", now=NOW)
    wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert sessions.enter(wrong, now=NOW) is None
    assert sessions.enter("", now=NOW) is None
    assert sessions.enter(code, now=NOW) is not None


def test_code_may_be_typed_in_small_letters_with_o_for_0_and_l_or_i_for_1() -> None:
    assert code_from("k7o2m-4xpit") == code_from("K7 02M 4XP1T") == "K702M4XP1T"
    assert set("OIL").isdisjoint(ALPHABET)


def test_neither_codes_nor_tokens_are_kept() -> None:
    sessions = Sessions()
    waiting = sessions.new_code("reader", now=NOW)
    entered = sessions.enter(sessions.new_code("steward", now=NOW), now=NOW)
    assert entered is not None
    kept = repr(vars(sessions))
    assert entered[0] not in kept
    assert waiting not in kept
    assert code_from(waiting) not in kept


def test_session_ends_by_itself_and_by_being_ended() -> None:
    sessions = Sessions()
    opened = [sessions.enter(sessions.new_code("reader", now=NOW), now=NOW) for _ in range(2)]
    (first_token, first), (second_token, second) = [one for one in opened if one is not None]
    sessions.end(first.id)
    assert sessions.of(first_token, now=NOW) is None
    assert sessions.running(now=NOW) == (second,)
    assert sessions.of(second_token, now=NOW + SESSION_LASTS - timedelta(seconds=1)) == second
    assert sessions.of(second_token, now=NOW + SESSION_LASTS) is None
    assert sessions.running(now=NOW + SESSION_LASTS) == ()


def test_no_token_is_nobody() -> None:
    assert Sessions().of("", now=NOW) is None


def test_codes_are_not_made_without_end_and_run_out() -> None:
    sessions = Sessions()
    for _ in range(MOST_CODES):
        sessions.new_code("reader", now=NOW)
    with pytest.raises(SettingError, match=f"{MOST_CODES} codes are open"):
        sessions.new_code("reader", now=NOW)
    assert sessions.new_code("reader", now=NOW + CODE_LASTS)


def test_unknown_role_is_refused_with_those_there_are() -> None:
    with pytest.raises(SettingError, match='role "king": there are steward, allocator, reader, reporter'):
        Sessions().new_code("king", now=NOW)  # type: ignore[arg-type]
