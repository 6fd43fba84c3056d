"""The story of any sack reads back: from where it came into the network, through recipes and orders, to who got it."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise

import pytest
from month_compare import Seen, seen_by
from month_run import Month
from test_month_plans import Coordinator

import abasto
from abasto.state.network import rows_of
from abasto.state.story import history, ledger
from abasto.state.trace import TraceLine, trace, trace_order

Sack = tuple[str, str, str]
ENTERED = {"opening", "taken in", "made", "counted more", "count explained", "reversed"}
"""How goods come to be at a place without having been at another."""


@cache
def lived() -> tuple[Month, Seen]:
    """Return sixteen days of the neighbourhood with plans, and what its archive holds."""
    network = abasto.read(abasto.example_path("neighbourhood"))
    facts = rows_of(network, date=network.start)
    month = Month(network, facts=facts, devices=4, seed=77, order=Coordinator())
    for _ in month.days(16):
        pass
    return month, seen_by(month.archive)


def handed_out(seen: Seen) -> list[Sack]:
    """Return the site, good and lot of everything that people got, by the second ledger."""
    return sorted({(one.source[1], one.good, one.lot) for one in seen.ledger.booked if one.why == "handed out"})


def traced(sack: Sack) -> tuple[TraceLine, ...]:
    site, good, lot = sack
    return trace(lived()[0].archive.journal.read, site=site, good=good, lot=lot)


def sampled(count: int) -> list[Sack]:
    """Return some sacks that came with orders to places where nothing else comes from."""
    brought = {(one.target[1], one.good, one.lot) for one in lived()[1].ledger.booked if one.why == "received"}
    return random.Random(1).sample([sack for sack in handed_out(lived()[1]) if sack in brought], count)


@pytest.mark.parametrize("number", range(6))
def test_what_a_sacks_story_says_is_what_was_booked_and_adds_up(number: int) -> None:
    seen, sack = lived()[1], sampled(6)[number]
    lines = traced(sack)
    booked = {
        (one.entry, one.date, one.good, one.lot, account[1], sign * one.quantity, one.why)
        for one in seen.ledger.booked
        for account, sign in ((one.source, -1), (one.target, 1))
    }
    for line in lines:
        told = (line.entry, line.date, line.good, line.lot, line.site, line.change, line.why)
        assert told in booked, "the story says nothing that the second ledger does not"
    site, good, lot = sack
    here = [line for line in lines if line.depth == 0]
    assert sum(line.change for line in here) == seen.ledger.balance(("site", site), good).get(lot, 0)
    assert sum(-line.change for line in here if line.why == "handed out") == sum(
        one.quantity
        for one in seen.ledger.booked
        if (one.source, one.good, one.lot, one.why) == (("site", site), good, lot, "handed out")
    )


@pytest.mark.parametrize("number", range(6))
def test_a_sack_that_came_is_followed_to_where_it_entered(number: int) -> None:
    """Whatever came by order was loaded somewhere; whatever was loaded was there for a reason that is told too."""
    lines = traced(sampled(6)[number])
    for line in lines:
        if line.why == "received" and line.change > 0:
            order = next(one for one in lived()[1].ledger.booked if (one.entry, one.lot) == (line.entry, line.lot))
            behind = [one for one in lines if one.site == order.source[1] and one.lot == line.lot]
            assert any(one.why in ("loaded", "lost on the way") for one in behind), line
        elif line.change > 0:
            assert line.why in ENTERED | {"loaded", "brought back", "lost on the way"}, line
    assert any(line.why in ENTERED for line in lines)


def test_bread_is_followed_back_to_the_mills_flour() -> None:
    bread = [sack for sack in handed_out(lived()[1]) if sack[:2] == ("School", "bread")]
    assert bread, "the school got bread by orders of the plan"
    stories = [traced(sack) for sack in bread]
    assert any(
        line.good == "flour" and line.site == "Mill" and line.why in ("opening", "taken in")
        for story in stories
        for line in story
    )


def test_the_story_of_an_order_says_what_was_lost_of_it() -> None:
    month, seen = lived()
    short = [id for id, order in seen.state.orders.items() if order.difference]
    assert short, "something was lost on the way in sixteen days"
    for id in short[:3]:
        lines = [line for line in trace_order(month.archive.journal.read, id) if line.depth == 0]
        loaded = sum(line.change for line in lines if line.why == "loaded")
        came = sum(line.change for line in lines if line.why == "received")
        lost = sum(line.change for line in lines if line.why == "lost on the way")
        assert loaded + came + lost == 0
        assert loaded == sum(month.life.loaded[id].values())
        assert -came == sum(month.life.arrived[id].values())
        said = [line.entry for line in history(month.archive.journal.read(), order=id)]
        assert sorted(said) == sorted(seen.state.orders[id].history)


def test_the_ledger_of_every_good_ends_in_what_lies_there() -> None:
    month, seen = lived()
    for site, good in [place for place in seen.state.books.places() if place[0] in ("School", "Mill", "North bakery")]:
        lines = ledger(month.archive.journal.read(), site, good)
        balance = seen.ledger.balance(("site", site), good)
        assert dict(lines[-1].lots if lines else ()) == balance
        for line, following in pairwise(lines):
            if line.date != following.date:
                until = seen.ledger.balance(("site", site), good, until=line.date)
                assert dict(line.lots) == until, (site, good, line.date)
