"""Networks that the tests of joint plans use: a pair built by hand, and a small benchmark network cut in three."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

from benchmarks.generate import generate
from benchmarks.split import Split, split

from abasto.federation.border import covers
from abasto.federation.joint import Agreed
from abasto.network import Fleet, Good, Lane, Need, Network, Plant, RecipeLine, Site, Supply
from abasto.planner.check import check_plan

BREAD, FLOUR, SALT = "bread", "flour", "salt"


def granary(**changes: Any) -> Network:
    """A mill town with far more flour and salt than its bakery and people need, and trucks to bring them away."""
    tables: dict[str, Any] = {
        "sites": (
            Site(site="mill", people=1000),
            Site(site="square", people=500),
            Site(site="harbour", network="coast"),
        ),
        "supplies": (
            Supply(site="mill", good=FLOUR, quantity=9000.0),
            Supply(site="mill", good=SALT, quantity=4000.0),
        ),
        "needs": (
            Need(site="mill", good=BREAD, quantity=500.0),
            Need(site="square", good=BREAD, quantity=250.0),
            Need(site="square", good=SALT, quantity=50.0),
        ),
        "plants": (Plant(site="mill", recipe="bake", batches=900.0),),
        "lanes": (
            Lane(from_site="mill", to_site="square", hours=1.0),
            Lane(from_site="square", to_site="harbour", hours=2.0, two_way=False),
            Lane(from_site="harbour", to_site="mill", hours=2.0, two_way=False, mode="coast road"),
        ),
        "fleets": (Fleet(fleet="mill trucks", vehicles=4, payload_t=5.0),),
    }
    return _network("valley", tables | changes)


def coast(**changes: Any) -> Network:
    """A port with a bakery, many people, and flour for a few of them."""
    tables: dict[str, Any] = {
        "sites": (
            Site(site="harbour", people=4000),
            Site(site="hill", people=2000),
            Site(site="square", network="valley"),
            Site(site="mill", network="valley"),
        ),
        "supplies": (Supply(site="harbour", good=FLOUR, quantity=300.0),),
        "needs": (
            Need(site="harbour", good=BREAD, quantity=2000.0),
            Need(site="hill", good=BREAD, quantity=1000.0),
            Need(site="harbour", good=SALT, quantity=2000.0),
        ),
        "plants": (Plant(site="harbour", recipe="bake", batches=5000.0),),
        "lanes": (
            Lane(from_site="harbour", to_site="hill", hours=1.0),
            Lane(from_site="square", to_site="harbour", hours=2.0, two_way=False),
            Lane(from_site="harbour", to_site="mill", hours=2.0, two_way=False, mode="coast road"),
        ),
        "fleets": (Fleet(fleet="port trucks", vehicles=4, payload_t=5.0),),
    }
    return _network("coast", tables | changes)


def _network(name: str, tables: dict[str, Any]) -> Network:
    return Network(
        name=name,
        start=date(2027, 3, 1),
        days=4,
        goods=(Good(good=BREAD), Good(good=FLOUR), Good(good=SALT, priority=2)),
        recipes=(
            RecipeLine(recipe="bake", good=BREAD, quantity=1.0),
            RecipeLine(recipe="bake", good=FLOUR, quantity=-0.8),
        ),
        **tables,
    )


@cache
def tiny(seed: int) -> Split:
    """A benchmark network of 20 places in three members."""
    return split(generate("TINY", seed=seed), 3)


def keep_promises(held: Sequence[Agreed]) -> None:
    """Hold to it that every plan passes the check and sends all that its network is bound to, no two by one lane, and
    that nobody counts on more than another sends.
    """
    sent = {key: days for agreed in held for key, days in agreed.sent.items()}
    assert len(sent) == sum(len(agreed.sent) for agreed in held), "two send by one lane"
    for agreed in held:
        assert covers(sent, agreed.received), "somebody counts on what nobody sends"
        assert check_plan(agreed.network, agreed.plan) == []
        handed: Counter[tuple[str, str, int]] = Counter()
        for row in agreed.plan.deliveries.rows():
            handed[row["site"], row["good"], row["day"]] += row["quantity"]
        for (lane, good), days in agreed.sent.items():
            gates = [site.site for site in agreed.network.sites if f"→ {lane}, {good}," in site.site]
            for day, quantity in enumerate(days, start=1):
                assert sum(handed[gate, good, day] for gate in gates) >= quantity * (1 - 1e-6), "a promise is not kept"
