"""The same file brought once more, against a journal: nothing counts twice, and what is not in it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from tests.room.served import DAY, neighbourhood

from abasto import cycle
from abasto.facts.codes import code_of
from abasto.facts.kinds import Line, OrderIssued
from abasto.inbox.from_state import names_of
from abasto.inbox.gather import gather_file
from abasto.inbox.reports import Gathered
from abasto.inbox.taking import changed_since
from abasto.journal.home import Home

HEADER = "date,site,kind,good,quantity,order\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as opened:
        yield opened


def brought(home: Home, folder: Path, rows: list[str]) -> Gathered:
    state = cycle.read_state(home.journal)
    (folder / "loads.csv").write_text(HEADER + "".join(rows))
    return gather_file(
        folder / "loads.csv", names=names_of(state), date=date.fromisoformat(DAY), is_known=state.knows, language="en"
    )


def test_loads_brought_again_in_another_order_are_known_and_a_row_more_is_told(home: Home, tmp_path: Path) -> None:
    lines = (Line("flour", 100_000, ""), Line("milk powder", 50_000, ""), Line("milk", 5_000, ""))
    issued = OrderIssued("Mill", "South bakery", "mill van", 1, DAY, DAY, lines, DAY)
    [order] = home.journal.append([issued], time=0)
    goods = (("flour", 100), ("milk powder", 50), ("milk", 5))
    rows = [f"{DAY},Mill,loaded,{good},{kg},{code_of(order.id)}\n" for good, kg in goods]
    first = brought(home, tmp_path, rows[:2])
    home.journal.append([fact for item in first.items for fact in item.facts], time=0)
    for again, is_told in ((rows[:2], False), (rows[1::-1], False), (rows, True), (rows[::-1], True)):
        found = brought(home, tmp_path, again)
        assert [(item.is_known, item.doubt) for item in found.items] == [(True, None)]
        said = changed_since(home.journal, found)
        assert bool(said) == is_told
        assert all("with other figures" in one for one in said)
    loaded = cycle.read_state(home.journal).orders[order.id].loaded
    assert {line.good: line.quantity for line in loaded} == {"flour": 100_000, "milk powder": 50_000}
