"""`abasto watch` on a town with troubles: what stands there is what `watch` computes, and an answer is heard."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.watch.town import BEGIN, Town, Trouble, look_at

from abasto.language import language
from abasto.situation import alarm_words
from abasto.watch.words import short_code, spark_line
from homes import entries_of, printed, run, state_of

LOOK = 31
DAY = "2027-03-31"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which one site is cut off and another silent."""
    folder = tmp_path_factory.mktemp("town") / "home"
    town = Town.founded(folder, 3, 3, [Trouble("cut off", "Street 3", 24), Trouble("silent", "Street 2", 22)])
    for day in range(1, LOOK):
        town.live(day)
    town.home.close()
    return folder


@pytest.fixture
def home(lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the home that a test may write into."""
    made = tmp_path / "home"
    made.mkdir()
    for one in lived.iterdir():
        (made / one.name).write_bytes(one.read_bytes())
    monkeypatch.setenv("ABASTO_HOME", str(made))
    return made


def test_what_is_shown_is_what_is_watched_worst_first(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = look_at(state_of(home), LOOK)
    assert run("watch", "--date", DAY, "--time", "08:00") == 0
    shown = capsys.readouterr().out
    heads = [line for line in shown.splitlines() if line[:1].isdigit()]
    assert len(seen.alarms) >= 3
    assert [line.rpartition("[")[2].rstrip("]") for line in heads] == [short_code(one.key) for one in seen.alarms]
    for line, one in zip(heads, seen.alarms, strict=True):
        assert alarm_words(one.alarm.kind, language("en")) in line
        assert one.chart is None or spark_line(one.chart) in shown
    assert "Runs out: flour at Street 3" in shown
    assert "\\u" not in shown
    assert "\\x" not in shown


def test_json_is_the_whole_tree(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("watch", "--date", DAY, "--time", "08:00", "--json") == 0
    document = printed(capsys)
    seen = look_at(state_of(home), LOOK)
    assert datetime.fromisoformat(document["now"]) == seen.now
    assert [one["key"] for one in document["alarms"]] == [one.key for one in seen.alarms]
    for told, one in zip(document["alarms"], seen.alarms, strict=True):
        assert told["since"] == one.since.isoformat()
        assert tuple(told["heard"]["hears"]) == one.heard.hears
        assert told["alarm"]["people_days"] == one.alarm.people_days
        assert told["chart"] is None or tuple(told["chart"]["past"]) == (one.chart.past if one.chart else ())
    assert [one["per_day"] for one in document["rates"]] == [one.per_day for one in seen.rates]


@pytest.mark.parametrize("to", ["allocators", "stewards", "street 3", "site Street 2"])
def test_everybody_can_ask_for_what_they_hear(to: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("watch", "--date", DAY, "--time", "08:00", "--to", to, "--json") == 0
    who = {"street 3": "Street 3", "site Street 2": "Street 2"}.get(to, to)
    heard = [one.key for one in look_at(state_of(home), LOOK).alarms if who in one.heard.hears]
    assert heard
    assert [one["key"] for one in printed(capsys)["alarms"]] == heard


def test_an_answer_by_code_is_kept_and_silences(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "runs out/Street 3/flour"
    until = "2027-04-04"
    arguments = ["snoozed", "--until", until, "--reason", "a van is on its way", "--by", "street 3", "--date", DAY]
    assert run("watch", "answer", short_code(key), *arguments) == 0
    assert key in capsys.readouterr().out
    [kept] = state_of(home).answers.of(key)
    assert (kept.answer, kept.until, kept.reason, kept.by) == (
        "snoozed", until, "a van is on its way", "Street 3",
    )  # fmt: skip
    assert run("watch", "--date", DAY) == 0
    shown = capsys.readouterr().out
    assert short_code(key) not in shown
    assert "1 more is silenced by an answer" in shown
    assert run("watch", "--date", DAY, "--to", "all") == 0
    assert "Put off until Sun 4 Apr, by Street 3: a van is on its way" in capsys.readouterr().out


def test_what_does_not_stand_is_refused_with_the_closest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = entries_of(home)
    assert run("watch", "answer", "runs out/street 3/flou", "taken", "--date", DAY) == 1
    assert 'Did you mean "runs out/Street 3/flour"' in capsys.readouterr().err
    assert run("watch", "answer", "ZZZZ-ZZZZ", "taken", "--date", DAY) == 2
    assert run("watch", "answer", "runs out/Street 3/flour", "wrong", "--date", DAY) == 1
    assert "must say why" in capsys.readouterr().err
    assert run("watch", "--time", "8 o'clock") == 2
    assert entries_of(home) == before
    assert run("watch", "answer", "runs out/Nowhere/flour", "taken", "--date", DAY, "--yes") == 0
    assert entries_of(home) == before + 1


def test_a_quiet_beginning_has_nothing_to_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Town.founded(tmp_path / "home", 1, 2).home.close()
    assert run("watch", "--home", tmp_path / "home", "--date", BEGIN.isoformat()) == 0
    assert capsys.readouterr().out.strip() == "Town on 2027-03-01 at 12:00: 0 alarms"
