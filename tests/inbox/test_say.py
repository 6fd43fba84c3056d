"""What we write ourselves reads back to the same fact, for every good, pack and quantity."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hamlet import HAMLET, ORDER
from hypothesis import given, settings
from hypothesis import strategies as st

from abasto.errors import AbastoError
from abasto.facts.kinds import (
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    Line,
    OrderAccepted,
    OrderLoaded,
    OrderReceived,
    RowSet,
    StockCounted,
)
from abasto.inbox.message import read_message
from abasto.inbox.names import GoodName, Names, Pack, SiteName
from abasto.inbox.questions import Understood
from abasto.inbox.say import say
from abasto.inbox.words import LANGUAGES, Language

DAY = "2026-11-22"


def facts_in(line: str, names: Names) -> tuple[Fact, ...]:
    answer = read_message(line, names=names, date=date(2000, 1, 1))
    assert isinstance(answer, Understood), (line, answer)
    return answer.facts


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "fact",
    [
        StockCounted("mill", "flour", 1_500_000, DAY),
        StockCounted("mill", "flour", 0, DAY),
        StockCounted("mill", "flour", 900_000_000, DAY),
        StockCounted("school", "milk powder", 1_125, DAY, "2027-01-31"),
        StockCounted("school", "milk", 125, DAY, ""),
        GoodsTakenIn("mill", "rice and beans", 5, DAY),
        GoodsHandedOut("school", "bread", 20_000, DAY),
        GoodsLost("mill", "eggs", 6_000, DAY, None, "mice, as ever"),
        GoodsLost("mill", "eggs", 6_000, DAY, None, "spoiled"),
        GoodsMade("mill", "baking", 1_500, (Line("flour", -120_000), Line("bread", 150_000)), DAY),
        GoodsMade("mill", "baking", 333, (Line("bread", 33_330), Line("flour", -26_664)), DAY),
        OrderAccepted(ORDER, DAY),
        OrderLoaded(ORDER, (Line("flour", 100_000, ""), Line("milk", 20_000, "2026-11-30")), DAY),
        OrderLoaded(ORDER, (Line("flour", 90_000, ""),), DAY),
        OrderReceived(ORDER, "school", (Line("flour", 90_000), Line("milk", 0)), DAY),
        OrderReceived(ORDER, "mill", (Line("flour", 1_000),), DAY, True),
    ],
    ids=lambda fact: f"{type(fact).__name__}",
)
def test_every_kind_of_report_is_said_and_read_back(fact: Fact, language: Language) -> None:
    line = say(fact, names=HAMLET, language=language)
    assert facts_in(line, HAMLET) == (fact,)


def test_what_is_said_reads_as_people_write_it() -> None:
    fact = StockCounted("mill", "flour", 1_500_000, DAY)
    assert say(fact, names=HAMLET, language="es", pack="saco") == "Molino: 2026-11-22 HAY Harina 30 sacos"
    assert say(fact, names=HAMLET, language="en") == "Molino: 2026-11-22 COUNTED Harina 1500 kg"


@pytest.mark.parametrize(
    "fact",
    [
        GoodsMade("mill", "baking", 1_000, (Line("flour", -85_000), Line("bread", 100_000)), DAY),
        GoodsTakenIn("nowhere", "flour", 1_000, DAY),
        RowSet("sites", {"site": "mill"}, DAY),
    ],
)
def test_what_no_line_says_is_refused(fact: Fact) -> None:
    with pytest.raises(AbastoError):
        say(fact, names=HAMLET, language="en")


def test_packs_that_do_not_divide_a_quantity_are_refused() -> None:
    with pytest.raises(AbastoError):
        say(StockCounted("mill", "flour", 50_001, DAY), names=HAMLET, language="en", pack="saco")


NAMES = st.one_of(
    st.sampled_from(["kg", "30", "saco", "en", "si", "orden", "a, b", 'x"y', "Molino", "PAN", "pan", "Ñandú",
                     ":", "no"]),
    st.text(min_size=1, max_size=12).map(str.strip).filter(bool),
)  # fmt: skip
UNITS = st.sampled_from(["kg", "litre", "unit", "g", "loaf", "t"])


@st.composite
def networks(draw: st.DrawFn) -> Names:
    """Draw a network whose names are as awkward as they may be."""
    sites = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    goods = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    units = draw(st.lists(UNITS, min_size=len(goods), max_size=len(goods)))
    called = draw(st.lists(st.one_of(st.just(""), NAMES), min_size=len(goods), max_size=len(goods)))
    packs = draw(
        st.lists(
            st.tuples(st.sampled_from(goods), st.sampled_from(["saco", "box", "Bolsa grande", "jaba"]),
                      st.integers(1, 10**6)),
            max_size=3, unique_by=lambda pack: pack[:2],
        )
    )  # fmt: skip
    return Names(
        sites=tuple(SiteName(site) for site in sites),
        goods=tuple(GoodName(good, name, unit) for good, name, unit in zip(goods, called, units, strict=True)),
        packs=tuple(Pack(*pack) for pack in packs),
    )


KINDS = st.sampled_from([StockCounted, GoodsTakenIn, GoodsHandedOut, GoodsLost])


def check_said(names: Names, data: st.DataObject) -> None:
    """Draw a report, say it, and read it back."""
    kind = data.draw(KINDS)
    good = data.draw(st.sampled_from(names.goods))
    site = data.draw(st.sampled_from(names.sites))
    quantity = data.draw(st.integers(0 if kind is StockCounted else 1, 10**9))
    lot = data.draw(st.sampled_from([None, "", "2027-01-31"]))
    fact = kind(site.id, good.id, quantity, DAY, lot)
    language = data.draw(st.sampled_from(LANGUAGES))
    line = say(fact, names=names, language=language)
    assert facts_in(line, names) == (fact,)


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_any_good_and_quantity_is_said_and_read_back(names: Names, data: st.DataObject) -> None:
    check_said(names, data)


@pytest.mark.soak
@settings(max_examples=1_000, deadline=None, derandomize=True)
@given(networks(), st.data())
def test_a_great_many_goods_and_quantities_are_said_and_read_back(names: Names, data: st.DataObject) -> None:
    check_said(names, data)


@settings(max_examples=200, deadline=None)
@given(networks().filter(lambda names: names.packs), st.data())
def test_any_number_of_packs_is_said_and_read_back(names: Names, data: st.DataObject) -> None:
    pack = data.draw(st.sampled_from(names.packs))
    thousandths = data.draw(st.integers(1, 10**6))
    quantity, rest = divmod(thousandths * pack.quantity, 1000)
    if rest or not quantity:
        return
    fact = GoodsTakenIn(names.sites[0].id, pack.good, quantity, DAY)
    line = say(fact, names=names, language=data.draw(st.sampled_from(LANGUAGES)), pack=pack.name)
    assert facts_in(line, names) == (fact,)


def test_a_ref_is_not_said() -> None:
    fact = StockCounted("mill", "flour", 1_000, DAY, ref="form 1")
    assert facts_in(say(fact, names=HAMLET, language="es"), HAMLET) == (replace(fact, ref=""),)
