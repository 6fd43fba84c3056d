"""Needs that nobody stated, from what was handed out: marked, planned for, and never exported as if stated."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random
from statistics import fmean

import pytest

from abasto.facts.kinds import Fact, GoodsHandedOut, GoodsMade, GoodsTakenIn, Line, RowSet, StockCounted
from abasto.journal.home import Home
from abasto.state.fold import fold
from abasto.state.known import known
from abasto.state.state import State
from homes import printed, run

BEGIN = date(2027, 3, 1)
TODAY = BEGIN + timedelta(days=42)
DAY = BEGIN.isoformat()
TABLES = [
    RowSet("network", {"name": "Valle", "start": DAY, "days": "7"}, DAY),
    RowSet("sites", {"site": "Hill", "people": "100"}, DAY),
    RowSet("sites", {"site": "Mill"}, DAY),
    RowSet("goods", {"good": "flour"}, DAY),
    RowSet("goods", {"good": "wheat"}, DAY),
    RowSet("recipes", {"recipe": "grind", "good": "wheat", "quantity": "-1"}, DAY),
    RowSet("recipes", {"recipe": "grind", "good": "flour", "quantity": "1"}, DAY),
    RowSet("plants", {"site": "Mill", "recipe": "grind", "batches": "50"}, DAY),
    RowSet("lanes", {"from": "Mill", "to": "Hill", "km": "5"}, DAY),
]


def lived(home: Path, *more: Fact) -> State:
    """Return the state after six weeks in which Hill hands out about 30 kg of flour a day and Mill grinds wheat."""
    random = Random(4)
    facts: list[Fact] = [*TABLES, StockCounted("Hill", "flour", 10**7, DAY), StockCounted("Mill", "wheat", 10**7, DAY)]
    for number in range(42):
        day = (BEGIN + timedelta(days=number)).isoformat()
        facts.append(GoodsHandedOut("Hill", "flour", random.randint(20_000, 40_000), day))
        facts.append(GoodsMade("Mill", "grind", 20_000, (Line("wheat", -20_000), Line("flour", 20_000)), day))
    with Home.create(home, passphrase=None) as made:
        made.journal.found("Valle", date=DAY, time=0)
        made.journal.append([*facts, *more], time=0)
        return fold(made.journal.read())


def test_what_is_handed_out_and_nobody_stated_is_a_need_of_the_plan(tmp_path: Path) -> None:
    state = lived(tmp_path / "casa")
    seen = known(state, TODAY)
    [rate] = seen.rates
    used = [used / 1000 for used in state.books.daily_use("Hill", "flour").values()]
    assert (rate.site, rate.good, rate.known_days) == ("Hill", "flour", 42)
    assert rate.per_day == pytest.approx(fmean(used), rel=0.1)
    assert rate.low < fmean(used) < rate.high
    assert [(row.site, row.good, row.quantity) for row in seen.network.needs] == [("Hill", "flour", rate.per_day)]
    assert seen.tables.needs == seen.network.needs


@pytest.mark.parametrize(
    "stated",
    [
        RowSet("needs", {"site": "Hill", "good": "flour", "quantity": "12"}, DAY),
        RowSet("rations", {"good": "flour", "quantity": "0.2"}, DAY),
        RowSet("nutrients", {"good": "flour", "nutrient": "energy", "quantity": "3500"}, DAY),
    ],
)
def test_what_somebody_stated_stands(tmp_path: Path, stated: RowSet) -> None:
    seen = known(lived(tmp_path / "casa", stated), TODAY)
    assert seen.rates == ()
    assert [row.quantity for row in seen.network.needs] == ([12.0] if stated.table == "needs" else [])


def test_thirteen_days_are_too_few(tmp_path: Path) -> None:
    state = lived(tmp_path / "casa")
    assert known(state, BEGIN + timedelta(days=13)).rates == ()
    assert known(state, BEGIN + timedelta(days=14)).rates != ()


def test_a_site_that_only_counts_is_seen_to_use_what_its_counts_miss(tmp_path: Path) -> None:
    counts: list[Fact] = [RowSet("goods", {"good": "soap"}, DAY)]
    for week in range(6):
        day = (BEGIN + timedelta(days=7 * week)).isoformat()
        more = 50_000 if week > 3 else 0
        counts.append(StockCounted("Hill", "soap", 100_000 + more - 14_000 * week, day))
        if week == 3:
            counts.append(GoodsTakenIn("Hill", "soap", 50_000, day))
    rates = {rate.good: rate for rate in known(lived(tmp_path / "casa", *counts), TODAY).rates}
    assert rates["soap"].per_day == pytest.approx(2.0, rel=0.05)


def test_an_estimate_is_told_and_never_exported_as_if_it_were_stated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ABASTO_HOME", str(tmp_path / "casa"))
    lived(tmp_path / "casa")
    assert run("orders", "propose", "--date", TODAY.isoformat()) == 0
    assert "Hill needs" in (told := capsys.readouterr().out)
    assert "nobody stated" in told
    assert run("orders", "propose", "--date", TODAY.isoformat(), "--json") == 0
    assert [rate["site"] for rate in printed(capsys)["known"]["rates"]] == ["Hill"]
    assert run("export", tmp_path / "tables", "--date", TODAY.isoformat()) == 0
    assert not (tmp_path / "tables" / "needs.csv").exists() or (
        len((tmp_path / "tables" / "needs.csv").read_text().splitlines()) <= 1
    )
