"""Random small networks over every block of the model, always valid, for tests of what holds for all."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from networks import START

from abasto.network import (
    Cost,
    Disruption,
    Fleet,
    Good,
    Labour,
    Lane,
    Need,
    Network,
    Nutrient,
    Plant,
    Ration,
    RecipeLine,
    Requirement,
    Reserve,
    Site,
    Stock,
    Substitute,
    Supply,
)

Draw = Any
"""Hypothesis's function that draws from a strategy."""

SCENARIO = "storm"
AMOUNTS = st.sampled_from([0.0, 1.0, 7.0, 40.0, 100.0, 350.0, 1200.0])
SOME = st.sampled_from([5.0, 40.0, 100.0, 350.0, 1200.0])
SHARES = st.sampled_from([0.0, 0.1, 0.5, 1.0])


@st.composite
def networks(draw: Draw, *, equilibrium_only: bool = False) -> tuple[Network, str | None]:
    """Draw a network of 2–5 sites, 1–4 goods and 2–5 days, and a scenario of it or None.

    `equilibrium_only` leaves out nutrients and byproducts.
    """
    days = draw(st.integers(2, 5))
    sites = [f"s{number}" for number in range(1, draw(st.integers(2, 5)) + 1)]
    goods = _goods(draw)
    names = [good.good for good in goods]
    stocks = _stocks(draw, sites, goods, days)
    tables: dict[str, Any] = {
        "sites": _sites(draw, sites, goods, stocks),
        "goods": goods,
        "stocks": stocks,
        "supplies": [
            Supply(
                site=draw(st.sampled_from(sites)),
                good=draw(st.sampled_from(names)),
                quantity=draw(SOME),
                **_span(draw, days),
            )
            for _ in range(draw(st.integers(0, 3)))
        ],
        "lanes": _lanes(draw, sites),
        "fleets": _fleets(draw, sites, names, days),
    }
    tables |= _needs(draw, sites, names, days)
    tables |= _recipes(draw, sites, names, days, byproducts=not equilibrium_only)
    if not equilibrium_only and draw(st.booleans()):
        tables |= _nutrients(draw, names)
    tables |= _extras(draw, names, stocks, supplies=bool(tables["supplies"]))
    disruptions = _disruptions(draw, sites, tables, days)
    network = Network(
        "Random", START, days, disruptions=tuple(disruptions), **{name: tuple(rows) for name, rows in tables.items()}
    )
    return network, SCENARIO if disruptions and draw(st.booleans()) else None


def _span(draw: Draw, days: int) -> dict[str, int | None]:
    """Draw the days of a row: all of them, or some."""
    if draw(st.integers(0, 2)):
        return {}
    first = draw(st.integers(1, days))
    return {"from_day": first, "to_day": draw(st.one_of(st.none(), st.integers(first, days)))}


def _goods(draw: Draw) -> list[Good]:
    return [
        Good(
            good=f"g{number}",
            kg_per_unit=draw(st.sampled_from([1.0, 1.0, 0.5, 20.0, 0.0])),
            shelf_life_days=draw(st.sampled_from([None, None, None, 0.0, 1.0, 2.5])),
            priority=draw(st.sampled_from([1.0, 1.0, 2.0, 1.5])),
        )
        for number in range(1, draw(st.integers(1, 4)) + 1)
    ]


def _stocks(draw: Draw, sites: list[str], goods: list[Good], days: int) -> list[Stock]:
    rows = []
    for _ in range(draw(st.integers(0, 5))):
        good = draw(st.sampled_from(goods))
        expires = None
        if good.shelf_life_days is not None and draw(st.booleans()):
            expires = START + timedelta(days=draw(st.integers(0, days)))
        rows.append(Stock(site=draw(st.sampled_from(sites)), good=good.good, quantity=draw(SOME), expires=expires))
    return rows


def _sites(draw: Draw, names: list[str], goods: list[Good], stocks: list[Stock]) -> list[Site]:
    """Draw sites whose stores hold at least what they start with."""
    weight = {good.good: good.kg_per_unit / 1000 for good in goods}
    held: dict[str, float] = defaultdict(float)
    for stock in stocks:
        held[stock.site] += stock.quantity * weight[stock.good]
    return [
        Site(
            site=name,
            people=draw(st.sampled_from([0.0, 10.0, 100.0, 250.0])),
            storage_t=draw(st.one_of(st.none(), st.none(), st.sampled_from([0.0, 0.1, 2.0]).map(held[name].__add__))),
        )
        for name in names
    ]


def _lanes(draw: Draw, sites: list[str]) -> list[Lane]:
    """Draw a tree of lanes, and sometimes more; no lane is given twice."""
    pairs = [(draw(st.sampled_from(sites[:number])), sites[number]) for number in range(1, len(sites))]
    others = [(a, b) for i, a in enumerate(sites) for b in sites[i + 1 :] if (a, b) not in pairs]
    if others:
        pairs += draw(st.lists(st.sampled_from(others), max_size=2, unique=True))
    return [
        Lane(
            from_site=a,
            to_site=b,
            km=draw(st.sampled_from([10.0, 40.0, 200.0])),
            lead_days=draw(st.sampled_from([0, 0, 0, 1, 2, None])),
            tonnes=draw(st.sampled_from([None, None, 0.05, 0.4])),
            mode=draw(st.sampled_from(["road", "road", "road", "sea"])),
            two_way=draw(st.sampled_from([True, True, False])),
        )
        for a, b in (pair if draw(st.booleans()) else pair[::-1] for pair in pairs)
    ]


def _fleets(draw: Draw, sites: list[str], goods: list[str], days: int) -> list[Fleet]:
    return [
        Fleet(
            fleet=f"f{number}",
            site=draw(st.one_of(st.none(), st.sampled_from(sites))),
            vehicles=draw(st.sampled_from([1.0, 2.0, 5.0])),
            payload_t=draw(st.sampled_from([0.1, 0.5, 5.0])),
            mode=draw(st.sampled_from(["road", "road", "road", "sea"])),
            **draw(st.sampled_from([{}, {}, {"fuel": goods[-1], "fuel_per_km": 0.1}])),
            **_span(draw, days),
        )
        for number in range(1, draw(st.integers(1, 3)) + 1)
    ]


def _needs(draw: Draw, sites: list[str], goods: list[str], days: int) -> dict[str, Any]:
    """Draw at least one need; all rows of a site and good merge into one."""
    needs = [
        Need(
            site=draw(st.sampled_from(sites)),
            good=draw(st.sampled_from(goods)),
            quantity=draw(SOME),
            priority=draw(st.sampled_from([None, None, 1.0, 3.0])),
            people=draw(st.sampled_from([None, None, 20.0])),
            **_span(draw, days),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    rations = [Ration(good=goods[0], quantity=draw(st.sampled_from([0.2, 1.0])))] if draw(st.booleans()) else []
    return {"needs": needs, "rations": rations}


def _recipes(draw: Draw, sites: list[str], goods: list[str], days: int, *, byproducts: bool) -> dict[str, Any]:
    """Draw recipes that only use goods named before those they make, so that nothing comes from nothing."""
    lines, plants, labour = [], [], []
    for number in range(draw(st.integers(0, 2)) if len(goods) > 1 else 0):
        made = draw(st.integers(1, len(goods) - 1))
        used = draw(st.lists(st.sampled_from(goods[:made]), min_size=1, max_size=2, unique=True))
        out = goods[made:] if byproducts and draw(st.booleans()) else [goods[made]]
        name = f"r{number}"
        lines += [RecipeLine(recipe=name, good=good, quantity=-draw(st.sampled_from([1.0, 10.0]))) for good in used]
        lines += [RecipeLine(recipe=name, good=good, quantity=draw(st.sampled_from([1.0, 8.0]))) for good in out]
        hours = draw(st.sampled_from([0.0, 0.5]))
        for site in draw(st.lists(st.sampled_from(sites), min_size=1, max_size=2, unique=True)):
            batches = draw(st.sampled_from([3.0, 20.0, 100.0]))
            plants.append(Plant(site=site, recipe=name, batches=batches, hours_per_batch=hours, **_span(draw, days)))
            if draw(st.integers(0, 3)) == 0:
                labour.append(Labour(site=site, hours=draw(st.sampled_from([4.0, 30.0])), **_span(draw, days)))
    return {"recipes": lines, "plants": plants, "labour": labour}


def _nutrients(draw: Draw, goods: list[str]) -> dict[str, Any]:
    holding = draw(st.lists(st.sampled_from(goods), min_size=1, unique=True))
    rows = [Nutrient(good=good, nutrient="kcal", quantity=draw(st.sampled_from([300.0, 3500.0]))) for good in holding]
    priority = draw(st.sampled_from([1.0, 2.0]))
    return {"nutrients": rows, "requirements": [Requirement(nutrient="kcal", quantity=2000, priority=priority)]}


def _extras(draw: Draw, goods: list[str], stocks: list[Stock], *, supplies: bool) -> dict[str, Any]:
    """Draw reserves, substitutes and costs."""
    extras: dict[str, Any] = {}
    if stocks and draw(st.integers(0, 2)) == 0:
        stock = draw(st.sampled_from(stocks))
        extras["reserves"] = [Reserve(site=stock.site, good=stock.good, quantity=draw(SOME))]
    if len(goods) > 1 and draw(st.integers(0, 2)) == 0:
        good, other = draw(st.permutations(goods))[:2]
        rate = draw(st.sampled_from([0.5, 1.0, 2.0]))
        extras["substitutes"] = [Substitute(good=good, substitute=other, quantity=rate)]
    if draw(st.integers(0, 3)) == 0:
        extras["costs"] = [Cost(kind="lane", target="*>*", quantity=draw(AMOUNTS))]
        if supplies:
            extras["costs"].append(Cost(kind="buy", target="*/*", quantity=2))
    return extras


def _disruptions(draw: Draw, sites: list[str], tables: dict[str, Any], days: int) -> list[Disruption]:
    """Draw up to two hits on things that are there."""
    targets = [("site", site) for site in sites]
    targets += [("lane", f"{row.from_site}>{row.to_site}") for row in tables["lanes"]] + [("lane", "*>*")]
    targets += [("fleet", row.fleet) for row in tables["fleets"]]
    targets += [("plant", f"{row.site}/{row.recipe}") for row in tables["plants"]]
    targets += [("supply", f"{row.site}/{row.good}") for row in tables["supplies"]]
    hits = [draw(st.sampled_from(targets)) for _ in range(draw(st.integers(0, 2)))]
    return [
        Disruption(scenario=SCENARIO, kind=kind, target=target, left=draw(SHARES), **_span(draw, days))  # type: ignore[arg-type]
        for kind, target in hits
    ]
