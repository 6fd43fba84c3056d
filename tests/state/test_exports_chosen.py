"""Exports: what is chosen of what others see, read from the rows of a journal, and who may choose it."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.state.devices import DAY, Crew

from abasto.errors import InputError
from abasto.facts.kinds import DeviceEndorsed, EntryReversed, RowDropped, RowSet
from abasto.state.exports import Exports, chosen, exports_of
from abasto.state.foresee import row_doubts
from abasto.state.network import row_fact
from abasto.state.permits import NotAllowedError, refuse_forbidden
from abasto.state.rows import Rows

TODAY = date.fromisoformat(DAY)
OFFERS = RowSet("exports", {"good": "*", "share": "offers"}, DAY)
KEPT = RowSet("exports", {"good": "bread", "share": "nothing"}, DAY)


def rows_with(*cells: dict[str, str]) -> Rows:
    rows = Rows()
    assert rows.set(RowSet("goods", {"good": "bread"}, DAY), "g") == ""
    for number, row in enumerate(cells):
        assert rows.set(RowSet("exports", row, DAY), f"e{number}") == ""
    return rows


def test_nobody_has_chosen_then_the_map_is_shown_and_everything_may_leave() -> None:
    assert exports_of(Rows()) == (Exports("map", frozenset()), ())


def test_the_last_word_counts_and_a_veto_stands_until_it_is_lifted() -> None:
    rows = rows_with({"good": "*", "share": "nothing"}, {"good": "*", "share": "offers"}, dict(KEPT.row))
    assert exports_of(rows) == (Exports("offers", frozenset({"bread"})), ())
    [lifted] = chosen(rows, allow=["bread"], day=TODAY)
    assert isinstance(lifted, RowDropped)
    assert rows.drop(lifted, "x") == ""
    assert exports_of(rows)[0] == Exports("offers", frozenset())
    assert exports_of(Rows.from_plain(json.loads(json.dumps(rows.plain())))) == exports_of(rows)


def test_what_is_so_already_is_not_written_again() -> None:
    rows = rows_with(dict(KEPT.row))
    assert chosen(rows, share="map", forbid=["bread"], allow=["flour"], day=TODAY) == []
    assert chosen(rows, share="offers", day=TODAY) == [OFFERS]


def test_what_cannot_be_read_shows_nothing_and_keeps_the_good() -> None:
    exports, wrong = exports_of(
        rows_with({"good": "*", "share": "everything"}, {"good": "bread", "share": "map"}, {"good": "gold"})
    )
    assert exports == Exports("nothing", frozenset({"bread", "gold"}))
    assert [(one.file, one.column, one.value) for one in wrong] == [
        ("exports *", "share", "everything"),
        ("exports bread", "share", "map"),
        ("exports gold", "good", "gold"),
        ("exports gold", "share", ""),
    ]


@pytest.mark.parametrize(
    "cells", [{"good": "*"}, {"share": "map"}, {"good": "*", "share": "all"}, {"good": "bread", "share": "offers"}]
)
def test_a_row_by_hand_that_says_nothing_is_refused(cells: dict[str, str]) -> None:
    with pytest.raises(InputError):
        row_fact("exports", cells, date=TODAY)


def test_it_is_doubted_that_a_good_is_kept_which_nobody_has() -> None:
    state = Crew().state()
    assert row_doubts(state, KEPT, day=TODAY) == ()
    assert row_doubts(state, OFFERS, day=TODAY) == ()
    gold = RowSet("exports", {"good": "gold", "share": "nothing"}, DAY)
    assert row_doubts(state, gold, day=TODAY) == (
        "there is no good gold, so nothing is kept from leaving; check the name",
    )


@pytest.mark.parametrize("is_open", [True, False])
def test_only_stewards_choose_what_others_see_and_only_they_take_it_back(is_open: bool) -> None:
    crew = Crew(2, is_open=is_open)
    crew.say(DeviceEndorsed(crew.devices[1].key, "allocator", DAY), OFFERS)
    [veto] = crew.say(KEPT)
    crew.meet()
    for fact in (
        RowDropped("exports", {"good": "bread"}, DAY),
        RowSet("exports", {"good": "*", "share": "map"}, DAY),
        EntryReversed(veto.id, DAY),
    ):
        with pytest.raises(NotAllowedError):
            refuse_forbidden(crew.state(by=1), [fact], crew.devices[1].key)
        crew.say(fact, by=1)
    crew.meet()
    assert exports_of(crew.state().rows)[0] == Exports("offers", frozenset({"bread"}))
    crew.say(EntryReversed(veto.id, DAY))
    assert exports_of(crew.state().rows)[0] == Exports("offers", frozenset())
