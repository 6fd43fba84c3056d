"""The page Watch against a room that runs: what it shows, and that an answer given in it is kept and silences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from tests.room.served import Served
from tests.watch.town import Town, Trouble, look_at

from abasto.watch.words import short_code

LOOK = 31
DAY = "2027-03-31"
KEY = "runs out/Street 3/flour"


@pytest.fixture
def troubled(tmp_path: Path) -> Iterator[Served]:
    """The room of a town in which one site is cut off."""
    town = Town.founded(tmp_path / "home", 3, 3, [Trouble("cut off", "Street 3", 24)])
    for day in range(1, LOOK):
        town.live(day)
    town.home.close()
    room = Served(tmp_path / "home", day=DAY)
    room.start()
    yield room
    assert room.stop() == 0


def test_alarms_are_shown_worst_first_with_charts_and_courses(troubled: Served) -> None:
    page = troubled.desk().get("/watch").text
    seen = look_at(troubled.state(), LOOK)
    assert re.findall(r'id="alarm-([^"]+)"', page) == [short_code(one.key) for one in seen.alarms]
    charts = [one for one in seen.alarms if one.chart is not None]
    assert charts
    assert len(re.findall(r'<svg class="course"[^>]* role="img" aria-label="[^"]+"', page)) == len(charts)
    assert page.count("<polyline") >= len(charts)
    table = page[page.index('id="courses"') :]
    assert table.count('<th scope="row">') == len(seen.rates) > 0


def test_an_answer_given_in_the_page_is_in_the_journal_and_silences(troubled: Served) -> None:
    desk = troubled.desk()
    loud, _, silent = desk.get("/watch").text.partition('id="silent"')
    assert short_code(KEY) in loud
    assert not silent
    told = desk.form("/watch", alarm=KEY, answer="wrong", reason="the scale <script>was</script> off").text
    [kept] = troubled.state().answers.of(KEY)
    assert (kept.answer, kept.date, kept.reason) == ("wrong", DAY, "the scale <script>was</script> off")
    assert kept.by == "stewards"
    loud, found, silent = told.partition('id="silent"')
    assert "Answered (entry" in loud
    assert found
    assert f'id="alarm-{short_code(KEY)}"' not in loud
    assert f'id="alarm-{short_code(KEY)}"' in silent
    assert "<script>was" not in told
    assert "the scale <script>was</script> off" in unescape(silent)


def test_answers_that_cannot_be_are_refused(troubled: Served) -> None:
    desk = troubled.desk()
    before = troubled.state().count
    assert desk.form("/watch", alarm=KEY, answer="snoozed", reason="later").status_code == 400
    assert desk.form("/watch", alarm=KEY, answer="snoozed", until="2027-09-01", reason="later").status_code == 400
    assert desk.form("/watch", alarm=KEY, answer="never mind").status_code == 400
    assert desk.form("/watch", alarm="runs out/Nowhere/flour", answer="taken").status_code == 400
    assert desk.post("/watch", data={"alarm": KEY, "answer": "taken"}).status_code == 403
    assert troubled.state().count == before
