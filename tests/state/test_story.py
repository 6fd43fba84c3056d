"""Stories: the lines of a history stand by date, and a sack is followed back through orders and recipes."""

from __future__ import annotations

from collections import defaultdict

from tests.state.devices import Crew

from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    AlarmAnswered,
    EntryReversed,
    GoodsHandedOut,
    GoodsMade,
    GoodsTakenIn,
    Line,
    NoteWritten,
    OrderIssued,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
)
from abasto.state.story import history, ledger
from abasto.state.trace import TraceLine, trace, trace_order

D1, D2, D3, D4 = "2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"


def baked() -> tuple[Crew, str]:
    """Flour comes to the store, goes to the school, is baked there, and the bread is handed out."""
    crew = Crew(2)
    crew.say(GoodsTakenIn("Store", "flour", 50_000, D1))
    [order] = crew.say(OrderIssued("Store", "School", "vans", 2, D2, D2, (Line("flour", 20_000),), D1))
    crew.say(OrderLoaded(order.id, (Line("flour", 20_000),), D2))
    crew.meet()
    crew.say(
        OrderReceived(order.id, "School", (Line("flour", 19_000),), D2),
        GoodsMade("School", "bake", 1_000, (Line("bread", 12_000), Line("flour", -9_000)), D3),
        GoodsHandedOut("School", "bread", 5_000, D4),
        by=1,
    )
    crew.meet()
    return crew, order.id


def steps(lines: tuple[TraceLine, ...]) -> list[tuple[int, str, str, int]]:
    return [(line.depth, line.site, line.why, line.change) for line in lines]


def test_bread_is_followed_back_to_the_flour_that_came_in() -> None:
    crew, order = baked()
    lines = trace(crew.journals[0].read, site="School", good="bread", lot="2026-12-05")
    assert steps(lines) == [
        (3, "Store", "taken in", 50_000),
        (2, order, "loaded", 20_000),
        (1, "School", "received", 19_000),
        (0, "School", "made", 12_000),
        (0, "School", "handed out", -5_000),
    ]
    assert sum(line.change for line in lines if line.depth == 0) == 7_000


def test_an_order_is_followed_back_and_adds_up() -> None:
    crew, order = baked()
    lines = trace_order(crew.journals[0].read, order)
    assert steps(lines) == [
        (1, "Store", "taken in", 50_000),
        (0, order, "loaded", 20_000),
        (0, order, "received", -19_000),
        (0, order, "lost on the way", -1_000),
    ]


def test_goods_that_go_round_in_a_circle_are_followed_once() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "flour", 50_000, D1))
    for source, target in (("Store", "School"), ("School", "Store"), ("Store", "School")):
        [order] = crew.say(OrderIssued(source, target, "vans", 1, D2, D2, (Line("flour", 5_000),), D1))
        crew.say(OrderLoaded(order.id, (Line("flour", 5_000),), D2))
        crew.say(OrderReceived(order.id, target, (Line("flour", 5_000),), D2))
    lines = trace(crew.journals[0].read, site="School", good="flour", lot="")
    assert [line.why for line in lines if line.depth == 0] == ["received", "loaded", "received"]
    assert "taken in" in {line.why for line in lines}


def test_the_history_of_an_order_has_all_its_steps_and_who_took_them() -> None:
    crew, order = baked()
    crew.say(NoteWritten("One sack was wet.", D3, about=order))
    lines = history(crew.journals[0].read(), order=order)
    assert [line.date for line in lines] == [D1, D2, D2, D3]
    assert [line.balance for line in lines] == ["", "20 kg of flour on the way", "0 kg of flour on the way", ""]
    assert lines[2].words == (
        f"received 19 kg of flour at School by order {code_of(order)}: 1 kg of flour lost on the way"
    )
    assert lines[2].author == crew.devices[1].key
    assert "One sack was wet." in lines[3].words


def test_the_history_of_a_site_has_late_reports_on_their_day() -> None:
    crew = Crew()
    crew.say(StockCounted("Store", "flour", 100_000, D1), StockCounted("Store", "flour", 80_000, D3))
    crew.say(GoodsHandedOut("Store", "flour", 15_000, D2))
    crew.say(RowSet("sites", {"site": "Store", "name": "Old store"}, D3))
    lines = history(crew.journals[0].read(), site="Store")
    assert [line.balance for line in lines[1:]] == [
        "100 kg of flour at Store",
        "85 kg of flour at Store",
        "80 kg of flour at Store",
        "",
    ]
    assert "known late" in lines[2].words


def test_the_history_of_an_entry_has_what_undid_it() -> None:
    crew = Crew()
    [wrong] = crew.say(GoodsTakenIn("Store", "flour", 1_000, D1))
    crew.say(EntryReversed(wrong.id, D2, cause="twice"))
    lines = history(crew.journals[0].read(), entry=wrong.id)
    assert [line.words for line in lines] == [
        "took in 1 kg of flour at Store",
        f"undid entry {code_of(wrong.id)} (twice)",
    ]


def test_the_history_of_a_lot_has_nothing_of_the_others() -> None:
    crew = Crew()
    crew.say(GoodsTakenIn("Store", "flour", 1_000, D1, lot=D3), GoodsTakenIn("Store", "flour", 2_000, D1, lot=D4))
    lines = history(crew.journals[0].read(), site="Store", good="flour", lot=D4)
    assert [line.words for line in lines] == ["took in 2 kg of flour (lot 2026-11-26) at Store"]


def test_the_ledger_adds_up_line_by_line() -> None:
    crew, _ = baked()
    crew.say(StockCounted("School", "flour", 9_000, D4), GoodsHandedOut("School", "flour", 500, D3))
    lots: dict[str, int] = defaultdict(int)
    for line in ledger(crew.journals[0].read(), "School", "flour"):
        lots[line.lot] += line.change
        assert dict(line.lots) == {lot: held for lot, held in lots.items() if held}
        assert line.balance == sum(lots.values())
    assert dict(lots) == crew.state().books.balance("School", "flour")


def test_what_was_answered_to_an_alarm_stands_in_the_history_of_its_site() -> None:
    crew = Crew()
    crew.say(AlarmAnswered("runs out/School/bread", "taken", D1, by="North team"))
    crew.say(AlarmAnswered("runs out/School/bread", "snoozed", D2, until=D4, reason="boat on Thursday"))
    crew.say(AlarmAnswered("runs out/Store/bread", "settled", D2))
    assert [line.words for line in history(crew.journals[0].read(), site="School")][1:] == [
        "took on the alarm runs out/School/bread, for North team",
        "put off the alarm runs out/School/bread until 2026-11-26 (boat on Thursday)",
    ]
