"""Alarms of changed use beside z-scores: each measure on series small enough to be followed by hand."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import pytest
from benchmarks import watch_changes
from benchmarks.__main__ import main
from benchmarks.watch_alarms import FAMILIES, quiet, rings
from benchmarks.watch_changes import (
    FACTORS,
    LEAST,
    PLAIN,
    Break,
    Seen,
    begun,
    delays,
    evened,
    found,
    limit_of,
    monthly,
    planted,
    published,
    seen_of,
    signs,
    simulated_table,
    watched,
    z_score,
)
from numpy.typing import NDArray

from abasto.state.observed import OBSERVED_DAYS


def of(*rows: str) -> NDArray[np.int8]:
    """Return signs that are written as + - and . for neither."""
    return np.array([[{"+": 1, "-": -1, ".": 0}[one] for one in row] for row in rows], dtype=np.int8)


@pytest.mark.parametrize("last", PLAIN.values())
def test_a_z_score_is_what_a_plain_loop_finds(last: int) -> None:
    use = quiet("zero-heavy", 4, 60, np.random.default_rng(3))
    z = z_score(use, last, from_day=LEAST)
    assert z.shape == (4, 60 - LEAST + 1)
    for row, told in zip(use.tolist(), z.tolist(), strict=True):
        for day, one in enumerate(told, start=LEAST):
            recent, before = row[day - last : day], row[: day - last][-28:]
            if len(before) < LEAST or statistics.pstdev(before) == 0:
                assert one == 0
            else:
                away = statistics.fmean(recent) - statistics.fmean(before)
                assert one == pytest.approx(away / statistics.pstdev(before))


def test_an_alarm_counts_on_the_morning_on_which_it_begins_or_turns() -> None:
    rung = of(".++..+-", "+++++++")
    assert begun(rung).tolist() == of("+...+-", "......").tolist()
    assert monthly(rung) == 3 / 12 * 30


def test_a_delay_is_counted_in_changed_days_and_only_alarms_that_begin_count() -> None:
    rung = of("..+.", ".+-+", "++++", "...-", "....")
    assert delays(rung, 1).tolist() == [2, 1, np.inf, np.inf, np.inf]
    assert delays(rung, -1).tolist() == [np.inf, 2, np.inf, 3, np.inf]


def test_the_limit_of_a_z_score_is_the_lowest_that_raises_no_more() -> None:
    z = np.array([[0.0, 3.0, 0.0, -5.0, 0.0, 1.0], [0.0, 0.0, 4.0, 0.0, 2.0, 0.0]])
    two = 2 / 10 * 30
    limit = limit_of(z, two)
    assert limit == 3
    assert monthly(signs(z, limit)) == two
    assert limit_of(z, 0) == 5


def test_after_a_break_the_first_right_alarm_is_its_delay() -> None:
    # Column 0 is the morning after 14 steps; of a break from step 17 on, column 4 is the first morning that knows.
    assert seen_of(of(".+.-.-+")[0], 14, 17, 1) == Seen(2, 3, 3, 3, False)
    assert seen_of(of(".+.-+-+")[0], 14, 17, 1) == Seen(2, 3, 1, 3, False)
    assert seen_of(of(".....++")[0], 14, 17, -1) == Seen(0, 3, np.inf, 3, False)
    assert seen_of(of("..+++++")[0], 14, 17, 1) == Seen(1, 3, np.inf, 3, True)


def test_doubled_use_is_found_and_where_zero_lies_changes_nothing() -> None:
    use = planted("level", 2.0, 6, np.random.default_rng(8))
    assert use[:, OBSERVED_DAYS:].mean() > 1.5 * use[:, :OBSERVED_DAYS].mean()
    got = found(use, 1, dict.fromkeys(PLAIN, np.inf))
    assert np.median(got["Abasto"]) <= 7
    assert all(np.all(np.isinf(got[rule])) for rule in PLAIN)
    assert np.all(np.isinf(found(use, -1, dict.fromkeys(PLAIN, 1.5))["Abasto"]))
    assert rings(use + 1000).tolist() == rings(use).tolist()


@pytest.mark.soak
def test_limits_are_even_and_every_change_has_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_changes, "QUIET_DAYS", 8)
    evens = evened(4)
    assert list(evens) == [*FAMILIES, "all"]
    for one in evens.values():
        assert all(rate <= one.ours for rate in one.rates.values())
    rows = simulated_table(3, evens).splitlines()[2:]
    assert len(rows) == len(FAMILIES) * len(FACTORS) + 1
    assert all(row.count("%") == 2 * (1 + len(PLAIN)) for row in rows)


def test_a_break_is_watched_from_the_first_morning_on() -> None:
    values = 20 * np.random.default_rng(6).gamma(25, 1 / 25, size=50) - 100
    values[30:] += 40
    seen = watched(Break("made", values, 30, 1), {"z-score of a day": 4.0, "z-score of a week's mean": np.inf})
    assert seen["Abasto"].delay <= 7
    assert seen["Abasto"].mornings == 30 - LEAST
    assert seen["z-score of a day"].delay == 1
    assert np.isinf(seen["z-score of a week's mean"].delay)


def test_public_series_leave_their_course_where_their_break_is_said_to_be() -> None:
    for package in ("statsmodels", "vega_datasets"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed; uv run --group benchmarks pytest runs this test too")
    breaks = published()
    assert len(breaks) == 7
    for one in breaks:
        assert np.all(np.isfinite(one.values)), one.name
        before, after = one.values[one.at - 8 : one.at].mean(), one.values[one.at : one.at + 8].mean()
        assert one.sign * (after - before) > 0, one.name


@pytest.mark.parametrize("failing", [None, "watch_alarms"])
def test_one_command_runs_forecasts_alarms_and_changes(monkeypatch: pytest.MonkeyPatch, failing: str | None) -> None:
    names = ("watch", "watch_alarms", "watch_changes")
    runs: list[tuple[str, tuple[str, ...]]] = []
    for name in names:

        def part(given: Sequence[str], name: str = name) -> int:
            runs.append((name, tuple(given)))
            return int(name == failing)

        monkeypatch.setattr(f"benchmarks.{name}.main", part)
    assert main(["watch"]) == (0 if failing is None else 1)
    assert runs == [(name, ()) for name in names]
    main(["watch", "--quick"])
    assert [name for name, _ in runs[3:]] == list(names)
    assert all(given for _, given in runs[3:])
