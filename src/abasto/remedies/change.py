"""Network and remedy → the network with the remedy: rows are changed or added, everything else stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from abasto.errors import SettingError
from abasto.network import Disruption, Labour, Network, Plant, Stock, Supply
from abasto.planner.disruption import Disrupted
from abasto.planner.problem import days_of
from abasto.remedies.remedy import Remedy
from abasto.tables.target import Targets

__all__ = ["batches_instead", "hours_at", "largest_share", "with_remedy"]


def with_remedy(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    """Return the network with the remedy; the scenario's disruptions do not diminish what is added.

    Where a scenario leaves a share of a thing, so much is added that the share of it makes the remedy's amount.
    """
    change = _CHANGES[remedy.kind]
    return change(network, scenario, remedy)


def largest_share(network: Network, left: Disrupted, kind: str, target: tuple[str, ...]) -> float:
    """Return the largest share that a scenario leaves of a fleet, lane, plant or supply on any of its days."""
    days = range(network.days)
    if kind == "fleet":
        fleet = next(row for row in network.fleets if row.fleet == target[0])
        return max((left.fleet(fleet.fleet, fleet.site, day) for day in days_of(fleet, network.days)), default=0.0)
    share: Callable[[str, str, int], float] = {"lane": left.lane, "plant": left.plant, "supply": left.supply}[kind]
    return max(share(target[0], target[1], day) for day in days)


def hours_at(network: Network, site: str, recipe: str) -> float | None:
    """Return the labour that a batch takes at a site, else at another site that runs the recipe; None if none does."""
    rows = [row for row in network.plants if row.recipe == recipe]
    here = [row.hours_per_batch for row in rows if row.site == site]
    anywhere = here or [row.hours_per_batch for row in rows]
    return anywhere[0] if anywhere else None


def batches_instead(network: Network, site: str, gives_up: str, runs: str) -> float:
    """Return how many batches of another recipe stand for one that a site gives up: as many as take the same hours.

    Where hours are not counted, as many as make the same weight; where nothing weighs anything, one for one.
    """
    hours = hours_at(network, site, gives_up), hours_at(network, site, runs)
    if hours[0] and hours[1]:
        return hours[0] / hours[1]
    kg = {good.good: good.kg_per_unit for good in network.goods}
    weight = dict.fromkeys((gives_up, runs), 0.0)
    for row in network.recipes:
        if row.recipe in weight and row.quantity > 0:
            weight[row.recipe] += row.quantity * kg[row.good]
    return weight[gives_up] / weight[runs] if weight[gives_up] and weight[runs] else 1.0


def _grown(network: Network, scenario: str | None, kind: str, remedy: Remedy) -> float:
    """Return how much must be added so that the remedy's amount is left of it."""
    left = Disrupted(network, scenario, Targets(network))
    share = largest_share(network, left, kind, remedy.target)
    if share == 0:
        raise SettingError(
            f'nothing is left of {kind} {" ".join(remedy.target)} in scenario "{scenario}", so more of it would not '
            "help; restore it instead"
        )
    return remedy.amount / share


def _more_vehicles(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    more = _grown(network, scenario, "fleet", remedy)
    fleets = tuple(
        row.model_copy(update={"vehicles": row.vehicles + more}) if row.fleet == remedy.target[0] else row
        for row in network.fleets
    )
    return replace(network, fleets=fleets)


def _more_labour(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    row = Labour(site=remedy.target[0], hours=remedy.amount, from_day=remedy.first, to_day=remedy.last)
    return replace(network, labour=(*network.labour, row))


def _more_stock(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    site, good = remedy.target
    return replace(network, stocks=(*network.stocks, Stock(site=site, good=good, quantity=remedy.amount)))


def _more_supply(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    site, good = remedy.target
    more = _grown(network, scenario, "supply", remedy)
    row = Supply(site=site, good=good, quantity=more, from_day=remedy.first, to_day=remedy.last)
    return replace(network, supplies=(*network.supplies, row))


def _more_batches(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    site, recipe = remedy.target
    row = Plant(
        site=site,
        recipe=recipe,
        batches=_grown(network, scenario, "plant", remedy),
        hours_per_batch=hours_at(network, site, recipe) or 0.0,
        from_day=remedy.first,
        to_day=remedy.last,
    )
    return replace(network, plants=(*network.plants, row))


def _more_on_lane(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    more = _grown(network, scenario, "lane", remedy)
    lanes = tuple(
        row.model_copy(update={"tonnes": (row.tonnes or 0.0) + more})
        if (row.from_site, row.to_site) == remedy.target
        else row
        for row in network.lanes
    )
    return replace(network, lanes=lanes)


def _more_storage(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    sites = tuple(
        row.model_copy(update={"storage_t": (row.storage_t or 0.0) + remedy.amount})
        if row.site == remedy.target[0]
        else row
        for row in network.sites
    )
    return replace(network, sites=sites)


def _smaller_reserve(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    reserves = tuple(
        row.model_copy(update={"quantity": max(0.0, row.quantity - remedy.amount)})
        if (row.site, row.good) == remedy.target
        else row
        for row in network.reserves
    )
    return replace(network, reserves=reserves)


def _other_recipe(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    """As many batches as stand for those given up, on the days of the row that gives them up."""
    site, gives_up, runs = remedy.target
    plants = list(network.plants)
    for index, row in enumerate(plants):
        days = days_of(row, network.days)
        there = (row.site, row.recipe, days.start + 1, days.stop) == (site, gives_up, remedy.first, remedy.last)
        if there and row.batches >= remedy.amount:
            plants[index] = row.model_copy(update={"batches": row.batches - remedy.amount})
            hours = hours_at(network, site, runs) or 0.0
            batches = remedy.amount * batches_instead(network, site, gives_up, runs)
            new = {"recipe": runs, "batches": batches, "hours_per_batch": hours}
            return replace(network, plants=(*plants, row.model_copy(update=new)))
    raise SettingError(
        f"no row of {gives_up} at {site} for days {remedy.first} to {remedy.last} has {remedy.amount:g} batches to "
        "give up; ask for fewer, or for the days of one row"
    )


def _restored(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    kind, *ids = remedy.target
    targets = Targets(network)
    healed = {tuple(ids), tuple(ids[::-1])} if kind == "lane" else {tuple(ids)}
    rows: list[Disruption] = []
    for row in network.disruptions:
        meant = targets.resolve(row.kind, row.target) if (row.scenario, row.kind) == (scenario, kind) else ()
        pairs = {(one,) if isinstance(one, str) else one for one in meant}
        if not pairs & healed:
            rows.append(row)
        else:
            rows.extend(_all_but(row, sorted(pairs - healed)))
    return replace(network, disruptions=tuple(rows))


def _all_but(row: Disruption, others: list[tuple[str, ...]]) -> Iterator[Disruption]:
    """Yield rows that hit the others as `row` did, and one that hits nothing, so that the scenario stays known."""
    yield row.model_copy(update={"left": 1.0})
    sign = ">" if row.kind == "lane" else "/"
    for other in others:
        yield row.model_copy(update={"target": sign.join(other)})


def _lower_ration(network: Network, scenario: str | None, remedy: Remedy) -> Network:
    rations = tuple(
        row.model_copy(update={"quantity": row.quantity - remedy.amount}) if row.good == remedy.target[0] else row
        for row in network.rations
    )
    return replace(network, rations=rations)


_CHANGES: dict[str, Callable[[Network, str | None, Remedy], Network]] = {
    "vehicle": _more_vehicles,
    "labour": _more_labour,
    "stock": _more_stock,
    "supply": _more_supply,
    "batches": _more_batches,
    "lane": _more_on_lane,
    "storage": _more_storage,
    "reserve": _smaller_reserve,
    "switch": _other_recipe,
    "restored": _restored,
    "ration": _lower_ration,
}
