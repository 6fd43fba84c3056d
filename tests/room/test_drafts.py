"""What was brought and is not taken in: one for each session, not for long, and never more than fits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from abasto.errors import SettingError
from abasto.room.drafts import LASTS, MOST_BYTES_KEPT, Draft, Drafts
from abasto.room.safety import MOST_BYTES_UPLOADED

NOW = datetime(2027, 3, 1, 9, 30, tzinfo=UTC)


def draft(content: bytes, *, brought: datetime = NOW) -> Draft:
    return Draft("reports.csv", content, "", date(2027, 3, 1), brought + LASTS)


def test_each_session_has_its_own_and_the_next_takes_its_place() -> None:
    drafts = Drafts()
    first, second, other = draft(b"first"), draft(b"second"), draft(b"other")
    drafts.put("a", first, now=NOW)
    drafts.put("b", other, now=NOW)
    drafts.put("a", second, now=NOW)
    assert drafts.of("a", now=NOW) == second
    assert drafts.of("b", now=NOW) == other
    drafts.drop("a")
    assert drafts.of("a", now=NOW) is None


def test_draft_is_forgotten_when_its_time_is_over() -> None:
    drafts = Drafts()
    drafts.put("a", draft(b"old"), now=NOW)
    assert drafts.of("a", now=NOW + LASTS - timedelta(seconds=1)) is not None
    assert drafts.of("a", now=NOW + LASTS) is None
    assert b"old" not in repr(vars(drafts)).encode()


def test_oldest_drafts_go_where_all_are_more_than_fits() -> None:
    drafts = Drafts()
    number = MOST_BYTES_KEPT // MOST_BYTES_UPLOADED
    content = bytes(MOST_BYTES_UPLOADED)
    for minute in range(number + 1):
        now = NOW + timedelta(minutes=minute)
        drafts.put(f"session {minute}", draft(content, brought=now), now=now)
    now = NOW + timedelta(minutes=number)
    kept = [minute for minute in range(number + 1) if drafts.of(f"session {minute}", now=now) is not None]
    assert kept == list(range(1, number + 1))


def test_draft_that_is_too_large_is_refused_with_its_size() -> None:
    with pytest.raises(SettingError, match="33,554,433 bytes"):
        Drafts().put("a", draft(bytes(MOST_BYTES_UPLOADED + 1)), now=NOW)
