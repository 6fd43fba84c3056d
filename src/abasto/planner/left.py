"""What a plan leaves to whoever plans beside it, as tables: all that a network has, but for what stands behind some of
what the plan hands over.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace
from itertools import groupby

from abasto.network import Fleet, Labour, Network, Plant, Stock, Supply
from abasto.planner.keep import kept_flows
from abasto.planner.plan import Plan
from abasto.planner.problem import Floats, Problem, build_problem
from abasto.planner.residual import residual_of

__all__ = ["left_beside"]


def left_beside(network: Network, plan: Plan, sites: Container[str]) -> Network:
    """Return `network` with supplies, stocks, plants, labour and fleets less what `plan` takes for what it hands over
    at `sites`; needs, lanes and reserves are as they were.

    Rows are by day where days differ. `plan` must be one of `network`, else `SettingError` is raised.
    """
    problem = build_problem(network)
    left = residual_of(problem, kept_flows(problem, plan, sites)[0], today=0, open_day=0).problem
    sources, good = left.sources, left.items.good
    rows = [
        (bool(lies), left.sites[site], left.goods[good[item]], float(amount), int(day) + 1)
        for lies, site, item, amount, day in zip(
            sources.is_stock, sources.site, sources.item, sources.amount, sources.day, strict=True
        )
    ]
    return replace(
        network,
        stocks=tuple(Stock(site=site, good=good, quantity=much) for lies, site, good, much, _ in rows if lies),
        supplies=tuple(
            Supply(site=site, good=good, quantity=much, from_day=day, to_day=day)
            for lies, site, good, much, day in rows
            if not lies
        ),
        plants=tuple(_plants(left)),
        labour=tuple(_labour(left)),
        fleets=tuple(_fleets(network, left)),
    )


def _plants(left: Problem) -> Iterator[Plant]:
    for number, batches in enumerate(left.plant_batches):
        place = {
            "site": left.sites[left.plant_site[number]],
            "recipe": left.recipe_ids[left.plant_recipe[number]],
            "hours_per_batch": float(left.plant_hours[number]),
        }
        for days, much in _runs(batches):
            yield Plant(**place, batches=much, **days)


def _labour(left: Problem) -> Iterator[Labour]:
    limited = {row.site for row in left.network.labour}
    for number, site in enumerate(left.sites):
        for days, hours in _runs(left.labour_hours[number]) if site in limited else ():
            yield Labour(site=site, hours=hours, **days)


def _fleets(network: Network, left: Problem) -> Iterator[Fleet]:
    """Yield a fleet of its own for each run of days."""
    for number, fleet in enumerate(network.fleets):
        for days, hours in _runs(left.fleet_hours[number]):
            if hours > 0:
                name = f"{fleet.fleet}, {days['from_day']}"
                yield fleet.model_copy(update={"fleet": name, "vehicles": hours / fleet.hours_per_day, **days})


def _runs(amounts: Floats) -> Iterator[tuple[dict[str, int], float]]:
    """Yield first and last day of each run of equal amounts, with the amount a day."""
    first = 1
    for amount, same in groupby(amounts.tolist()):
        length = len(list(same))
        yield {"from_day": first, "to_day": first + length - 1}, amount
        first += length
