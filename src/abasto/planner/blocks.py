"""The exact model: Problem → linear program, one function per block.

Nodes are (label, day, site), see `nodes.py`; every good is measured in its own unit, lanes in tonnes, fleets in
vehicle-hours, plants in batches. `exact.py` first maximises the value, then minimises the effort (movement or money).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from abasto.planner.linear import Assembly, LinearProgram
from abasto.planner.nodes import Nodes, find_nodes
from abasto.planner.problem import TIERS, Floats, Ints, Problem
from abasto.planner.solution import Flows
from abasto.planner.sums import summed

__all__ = ["Entries", "Model", "model"]

WHISPER = 1e-3
"""What a batch, a hand-over or a shipment weighs in the second stage, as a share of a typical shipment's effort."""
HOLDING = 1e-5
"""The same for keeping stock a night."""


@dataclass(frozen=True)
class Entries:
    """Which columns take how much per unit from which nodes; `need` is −1 where it is not for a need."""

    column: Ints
    node: Ints
    need: Ints
    quantity: Floats


@dataclass(frozen=True)
class Model:
    """The program with what is needed to read flows back: its nodes, and who hands over and draws what where."""

    problem: Problem
    nodes: Nodes
    program: LinearProgram
    handed: Entries
    drawn: Entries


def model(problem: Problem, near: Flows | None = None) -> Model:
    """Return the linear program together with its nodes; the effort of its second stage is what moves and is made, or
    with `near` what moves and is made otherwise than there.
    """
    draft = _Draft(problem, find_nodes(problem), near)
    _balance(draft)
    _intake(draft)
    _release(draft)
    _shipments(draft)
    _batches(draft)
    _uses(draft)
    _keeping(draft)
    _meeting(draft)
    _nutrients(draft)
    return Model(problem, draft.nodes, draft.assembly.finish(), _entries(draft.handed), _entries(draft.drawn))


@dataclass
class _Draft:
    """The model while its blocks are written: the assembly, sizes for scaling and for the proof, and shared lists."""

    problem: Problem
    nodes: Nodes
    near: Flows | None = None
    assembly: Assembly = field(default_factory=Assembly)
    handed: list[tuple[Ints, Ints, Ints, Floats]] = field(default_factory=list)
    drawn: list[tuple[Ints, Ints, Ints, Floats]] = field(default_factory=list)
    uses: list[tuple[Ints, Ints, Ints, Ints, Floats]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scale = _scales(self.problem)
        self.batches_at_most, self.there_at_most = _availability(self.problem)
        options = self.problem.options
        weighed = self.problem.good_tonnes[self.problem.good_tonnes > 0]
        tonnes = float(np.median(weighed)) if len(weighed) else 1.0
        per_tonne = options.cost if self.problem.has_costs else options.hours
        useful = per_tonne[per_tonne > 0]
        per_quantity = (float(np.median(useful)) if len(useful) else 1.0) * tonnes
        self.typical_effort = per_quantity * float(np.median(self.scale[: len(self.problem.goods)]))

    def whisper(self, scale: Floats, share: float = WHISPER) -> Floats:
        """Return an effort per natural unit that is tiny beside a typical shipment's."""
        return share * self.typical_effort / scale

    def node_of(self, item: Ints, day: Ints, site: Ints) -> Ints:
        return np.asarray(self.nodes.at[item, day, site])

    def goods_at(self, good: int) -> Ints:
        """Return the nodes of a good."""
        return np.flatnonzero(self.nodes.good == good)


def _scales(problem: Problem) -> Floats:
    """Return for each good and nutrient a typical quantity: the need per person (for what is only an input: of what is
    made from it; else a kilogram) times a tenth of the people at a typical need.
    """
    needs, n_goods = problem.needs, len(problem.goods)
    per_person = np.full(n_goods + len(problem.nutrients), np.nan)
    for target in np.unique(needs.target).tolist():
        mine = needs.target == target
        per_person[target] = np.median(needs.amount[mine] / np.maximum(needs.people[mine], 1e-9))
    for _ in problem.recipes:
        for inputs, outputs in problem.recipes:
            known = [(good, quantity) for good, quantity in outputs if per_person[good] > 0]
            for good, quantity in inputs:
                if known and np.isnan(per_person[good]):
                    per_person[good] = per_person[known[0][0]] * quantity / known[0][1]
    kilogram = 1e-3 / np.where(problem.good_tonnes > 0, problem.good_tonnes, 1e-3)
    rest = np.isnan(per_person[:n_goods])
    per_person[:n_goods][rest] = kilogram[rest]
    people = float(np.median(needs.people)) if len(needs.people) else 1.0
    return np.asarray(np.nan_to_num(per_person, nan=1.0) * max(people, 1e-9) / 10)


def _availability(problem: Problem) -> tuple[Floats, Floats]:
    """Return honest limits: batches [recipes] over the whole horizon, and [items, days] what can be there by a day.

    Batches are limited by the plants and by all that their inputs can ever amount to; every round tightens both.
    """
    good_of = problem.items.good
    given = np.bincount(good_of[problem.sources.item], problem.sources.amount, minlength=len(problem.goods))
    by_plants = np.zeros(len(problem.recipes))
    np.add.at(by_plants, problem.plant_recipe, problem.plant_batches.sum(axis=1))
    batches = by_plants.copy()
    total = given
    for _ in range(len(problem.recipes) + 1):
        total = given.copy()
        for recipe, (_, outputs) in enumerate(problem.recipes):
            for good, quantity in outputs:
                total[good] += batches[recipe] * quantity
        for recipe, (inputs, _) in enumerate(problem.recipes):
            fed = [total[good] / quantity for good, quantity in inputs]
            batches[recipe] = min([float(by_plants[recipe]), *fed])
    arrives = np.zeros((len(good_of), problem.days))
    np.add.at(arrives, (problem.sources.item, problem.sources.day), problem.sources.amount)
    days = np.arange(problem.days)
    for plant, recipe in enumerate(problem.plant_recipe.tolist()):
        for good, quantity in problem.recipes[recipe][1]:
            np.add.at(arrives, (problem.items.fresh[good], days), problem.plant_batches[plant] * quantity)
    return batches, np.minimum(np.cumsum(arrives, axis=1), total[good_of][:, None])


def _balance(draft: _Draft) -> None:
    """Outflow − inflow ≤ what lies there on day 1, per node, in the good's unit; the rest is lost or stays.

    With limited storage it is an equality: whatever is not used must be kept overnight and takes room.
    """
    problem, nodes = draft.problem, draft.nodes
    opening = np.zeros(len(nodes))
    sources = problem.sources
    stock = np.flatnonzero(sources.is_stock)
    item, site = sources.item[stock], sources.site[stock]
    split = nodes.reserved[site, problem.items.good[item]]
    where = draft.node_of(item + np.where(split, len(problem.items.good), 0), sources.day[stock], site)
    np.add.at(opening, where[where >= 0], sources.amount[stock][where >= 0])
    limited = np.isfinite(problem.storage_t)[nodes.site]
    labels = {"item": nodes.item, "day": nodes.day, "site": nodes.site}
    draft.assembly.add_rows("balance", labels, upper=opening, lower=np.where(limited, opening, -np.inf))


def _intake(draft: _Draft) -> None:
    """0 ≤ taken ≤ offer, per source that is no stock, in the good's unit; it enters the balance of its node."""
    problem, sources = draft.problem, draft.problem.sources
    node = draft.node_of(sources.item, sources.day, sources.site)
    offers = np.flatnonzero(~sources.is_stock & (node >= 0))
    amount = sources.amount[offers]
    scale = draft.scale[problem.items.good[sources.item[offers]]]
    effort = draft.whisper(scale) + (sources.unit_cost[offers] if problem.has_costs else 0.0)
    labels = {"source": offers}
    columns = draft.assembly.add_columns("taken", labels, upper=amount, most=amount, scale=scale, effort=effort)
    draft.assembly.add(node[offers], columns, -1.0)


def _release(draft: _Draft) -> None:
    """Σ released over lots ≤ stock − reserve, per site and good with a reserve: kept becomes shippable."""
    problem, nodes, sources = draft.problem, draft.nodes, draft.problem.sources
    good = problem.items.good[sources.item]
    stock = np.flatnonzero(sources.is_stock & nodes.reserved[sources.site, good])
    stock = stock[draft.node_of(sources.item[stock], sources.day[stock], sources.site[stock]) >= 0]
    item, day, site = sources.item[stock], sources.day[stock], sources.site[stock]
    key, place = np.unique(site * len(problem.goods) + good[stock], return_inverse=True)
    site_of, good_of = np.divmod(key, len(problem.goods))
    limit = [problem.shippable[pair] for pair in zip(site_of.tolist(), good_of.tolist(), strict=True)]
    rows = draft.assembly.add_rows("shippable", {"site": site_of, "good": good_of}, upper=np.array(limit))
    amount, scale = sources.amount[stock], draft.scale[good[stock]]
    columns = draft.assembly.add_columns("released", {"source": stock}, upper=amount, most=amount, scale=scale)
    draft.assembly.add(rows[place], columns, 1.0)
    draft.assembly.add(draft.node_of(item + len(problem.items.good), day, site), columns, 1.0)
    draft.assembly.add(draft.node_of(item, day, site), columns, -1.0)


def _shipments(draft: _Draft) -> None:
    """Shipped ≥ 0 per option, item and day: leaves the balance at the start, enters it `lead` days later at the end.

    Σ tonnes ≤ the lane's tonnes per lane and day; Σ tonnes · hours per tonne ≤ vehicle-hours per fleet and day.
    """
    problem, nodes, options, assembly = draft.problem, draft.nodes, draft.problem.options, draft.assembly
    option, item, day = nodes.ship_option, nodes.ship_item, nodes.ship_day
    lane, fleet = options.lane[option], options.fleet[option]
    good = problem.items.good[item]
    tonnes = problem.good_tonnes[good]
    hours = options.hours[option] * tonnes
    capacity, fleet_hours = problem.lane_tonnes[lane, day], problem.fleet_hours[fleet, day]
    most = draft.there_at_most[item, day]
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.fmin(most, np.where(tonnes > 0, capacity / tonnes, np.inf))
        most = np.fmin(most, np.where(hours > 0, fleet_hours / hours, np.inf))
    scale = draft.scale[good]
    effort = hours
    if problem.has_costs:
        hour = float(options.cost.max(initial=0.0)) / max(float(options.hours.max(initial=0.0)), 1e-9)
        effort = options.cost[option] * tonnes + WHISPER * hour * hours
    effort = effort + draft.whisper(scale)
    labels = {"option": option, "item": item, "day": day}
    columns = assembly.add_columns("ship", labels, upper=np.inf, most=most, scale=scale, effort=effort)
    if draft.near is not None:
        old = draft.near
        before = _same([option, item, day], [old.ship_option, old.ship_item, old.ship_day], old.ship_quantity)
        _keep_near(draft, "unsent", columns, before, scale, np.broadcast_to(effort, scale.shape))
    assembly.add(draft.node_of(item, day, options.start[option]), columns, 1.0)
    assembly.add(draft.node_of(item, day + options.lead[option], options.end[option]), columns, -1.0)
    limited = np.isfinite(capacity) & (tonnes > 0)
    _capacity_rows(draft, "lane", lane[limited], day[limited], columns[limited], tonnes[limited], problem.lane_tonnes)
    driven = hours > 0
    _capacity_rows(draft, "fleet", fleet[driven], day[driven], columns[driven], hours[driven], problem.fleet_hours)
    fuelled = (options.fuel_good[option] >= 0) & (tonnes > 0)
    fuel = options.fuel[option] * tonnes
    site, fuel_good = options.fuel_site[option], options.fuel_good[option]
    draft.uses.append((site[fuelled], fuel_good[fuelled], day[fuelled], columns[fuelled], fuel[fuelled]))


def _capacity_rows(
    draft: _Draft, name: str, what: Ints, day: Ints, columns: Ints, coefficients: Floats, capacity: Floats
) -> None:
    """Σ coefficient · column ≤ capacity[what, day], for every pair in use."""
    key, row = np.unique(what * draft.problem.days + day, return_inverse=True)
    whats, days = np.divmod(key, draft.problem.days)
    rows = draft.assembly.add_rows(name, {name: whats, "day": days}, upper=capacity[whats, days])
    draft.assembly.add(rows[row], columns, coefficients)


def _batches(draft: _Draft) -> None:
    """0 ≤ batches ≤ the plant's, per plant and day; outputs enter the balance, inputs are used, and
    Σ batches · hours per batch ≤ labour hours per site and day.
    """
    problem, nodes, assembly = draft.problem, draft.nodes, draft.assembly
    plant, day = nodes.made_plant, nodes.made_day
    recipe, site = problem.plant_recipe[plant], problem.plant_site[plant]
    size = np.ones(len(problem.recipes))
    for r, (inputs, outputs) in enumerate(problem.recipes):
        size[r] = 1 / max((quantity / draft.scale[good] for good, quantity in inputs + outputs), default=1.0)
    upper = problem.plant_batches[plant, day]
    most = np.minimum(upper, draft.batches_at_most[recipe])
    scale = np.minimum(size[recipe], np.maximum(upper, 1e-9))
    labels = {"plant": plant, "day": day}
    effort = draft.whisper(scale)
    columns = assembly.add_columns("batches", labels, upper=upper, most=most, scale=scale, effort=effort)
    if draft.near is not None:
        before = _same([plant, day], [draft.near.made_plant, draft.near.made_day], draft.near.made_batches)
        _keep_near(draft, "unmade", columns, before, scale, effort)
    for r, (inputs, outputs) in enumerate(problem.recipes):
        mine = recipe == r
        for good, quantity in outputs:
            node = draft.node_of(problem.items.fresh[good, day[mine]], day[mine], site[mine])
            assembly.add(node[node >= 0], columns[mine][node >= 0], -quantity)
        for good, quantity in inputs:
            many = int(mine.sum())
            draft.uses.append((site[mine], np.full(many, good), day[mine], columns[mine], np.full(many, quantity)))
    hours = problem.plant_hours[plant]
    scarce = np.isfinite(problem.labour_hours[site, day]) & (hours > 0)
    _capacity_rows(draft, "labour", site[scarce], day[scarce], columns[scarce], hours[scarce], problem.labour_hours)


def _same(keys: list[Ints], old_keys: list[Ints], quantity: Floats) -> Floats:
    """Return the old quantity of each combination of keys, 0 where there was none."""
    known, total = summed(old_keys, quantity)
    amount = dict(zip(zip(*(key.tolist() for key in known), strict=True), total.tolist(), strict=True))
    return np.array([amount.get(key, 0.0) for key in zip(*(key.tolist() for key in keys), strict=True)])


def _keep_near(draft: _Draft, name: str, columns: Ints, before: Floats, scale: Floats, effort: Floats) -> None:
    """Less ≥ before − x ≥ 0, at twice the effort of x: together that is the effort of |x − before|, but for what is the
    same for every plan.
    """
    old = np.flatnonzero(before > 0)
    quantity, twice = before[old], 2 * effort[old]
    less = draft.assembly.add_columns(
        name, {"column": columns[old]}, upper=np.inf, most=quantity, scale=scale[old], effort=twice
    )
    rows = draft.assembly.add_rows(name, {"column": columns[old]}, upper=-quantity)
    draft.assembly.add(rows, columns[old], -1.0)
    draft.assembly.add(rows, less, -1.0)


def _uses(draft: _Draft) -> None:
    """Recipes and trips use a good whatever the lot: directly from the balance where it has one node at the site and
    day, else Σ used = Σ drawn over its nodes, with drawn ≥ 0 leaving the balances.
    """
    nodes, problem = draft.nodes, draft.problem
    site, good, day, column, quantity = (np.concatenate(part) for part in zip(*draft.uses, strict=True))
    n_sites, n_days = len(problem.sites), problem.days
    node_key = (nodes.good * n_days + nodes.day) * n_sites + nodes.site
    order = np.argsort(node_key, kind="stable")
    use_key = (good * n_days + day) * n_sites + site
    first = np.searchsorted(node_key[order], use_key, side="left")
    alone = np.searchsorted(node_key[order], use_key, side="right") - first == 1
    only = order[first[alone]]
    draft.assembly.add(only, column[alone], quantity[alone])
    draft.drawn.append((column[alone], only, np.full(len(only), -1), quantity[alone]))
    pool, which = np.unique(use_key[~alone], return_inverse=True)
    labels = {"good": pool // (n_sites * n_days), "day": pool // n_sites % n_days, "site": pool % n_sites}
    rows = draft.assembly.add_rows("used", labels, upper=0.0, lower=0.0)
    draft.assembly.add(rows[which], column[~alone], quantity[~alone])
    pooled = np.flatnonzero(np.isin(node_key, pool))
    scale, most = draft.scale[nodes.good[pooled]], draft.there_at_most[nodes.item[pooled], nodes.day[pooled]]
    drawn = draft.assembly.add_columns("drawn", {"node": pooled}, upper=np.inf, most=most, scale=scale)
    draft.assembly.add(rows[np.searchsorted(pool, node_key[pooled])], drawn, -1.0)
    draft.assembly.add(pooled, drawn, 1.0)
    draft.drawn.append((drawn, pooled, np.full(len(pooled), -1), np.ones(len(pooled))))


def _keeping(draft: _Draft) -> None:
    """Kept ≥ 0 overnight, from a node to the same label's next day; Σ kept tonnes ≤ storage per site and day.

    Where storage is limited, what is kept on a label's last day, or the horizon's, takes room too and leads nowhere.
    """
    problem, nodes, assembly = draft.problem, draft.nodes, draft.assembly
    limited = np.isfinite(problem.storage_t)[nodes.site]
    last = np.minimum(problem.items.last_day[nodes.item], problem.days - 1)
    goes_on = nodes.day < last
    node = np.flatnonzero(goes_on | limited)
    scale, most = draft.scale[nodes.good[node]], draft.there_at_most[nodes.item[node], nodes.day[node]]
    effort = draft.whisper(scale, HOLDING)
    columns = assembly.add_columns("kept", {"node": node}, upper=np.inf, most=most, scale=scale, effort=effort)
    assembly.add(node, columns, 1.0)
    on = goes_on[node]
    ahead = nodes.at[nodes.label[node][on], nodes.day[node][on] + 1, nodes.site[node][on]]
    assembly.add(ahead, columns[on], -1.0)
    tonnes = problem.good_tonnes[nodes.good[node]]
    stored = limited[node] & (tonnes > 0)
    where = node[stored]
    _capacity_rows(
        draft, "storage", nodes.site[where], nodes.day[where], columns[stored], tonnes[stored], problem.room_t
    )


def _tiers(draft: _Draft, need: Ints, name: str) -> Ints:
    """0 ≤ met_k ≤ a tenth of the need, in its unit; worth people · 10^(1−priority) · value_k per tenth.

    Tiers of equal value are one column. Returns the columns as [needs, tiers].
    """
    needs, problem = draft.problem.needs, draft.problem
    values, width = np.unique(problem.tier_value, return_counts=True)
    tenth = np.repeat(needs.amount[need] / TIERS, len(values))
    upper = tenth * np.tile(width, len(need))
    worth = np.repeat(needs.weight[need], len(values)) * np.tile(values, len(need)) / tenth
    labels = {"need": np.repeat(need, len(values)), "tier": np.tile(np.arange(len(values)), len(need))}
    scale = np.repeat(draft.scale[needs.target[need]], len(values))
    columns = draft.assembly.add_columns(name, labels, upper=upper, most=upper, scale=scale, value=worth)
    return columns.reshape(len(need), len(values))


def _servers(draft: _Draft) -> tuple[Ints, Ints, Floats]:
    """Return which nodes can serve which needs of goods, and how many units serve one unit of need."""
    problem, nodes, needs = draft.problem, draft.nodes, draft.problem.needs
    found: list[tuple[Ints, Ints, Floats]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))]
    for target in np.unique(needs.target[needs.target < len(problem.goods)]).tolist():
        need_at = np.full((problem.days, len(problem.sites)), -1)
        mine = np.flatnonzero(needs.target == target)
        need_at[needs.day[mine], needs.site[mine]] = mine
        for good, ratio in problem.serves[target]:
            node = draft.goods_at(good)
            need = need_at[nodes.day[node], nodes.site[node]]
            found.append((need[need >= 0], node[need >= 0], np.full(int((need >= 0).sum()), ratio)))
    need, node, ratio = (np.concatenate(part) for part in zip(*found, strict=True))
    return need, node, ratio


def _meeting(draft: _Draft) -> None:
    """Σ met_k of a need for a good = Σ handed over ÷ units per unit of need; handing over leaves the balance.

    Where exactly one node can serve the need, its tiers leave that balance directly.
    """
    needs, nodes, assembly = draft.problem.needs, draft.nodes, draft.assembly
    need, node, ratio = _servers(draft)
    served, which, choices = np.unique(need, return_inverse=True, return_counts=True)
    tiers = _tiers(draft, served, "met")
    alone = choices[which] == 1
    columns, each = tiers[which[alone]].ravel(), tiers.shape[1]
    direct, factor = np.repeat(node[alone], each), np.repeat(ratio[alone], each)
    assembly.add(direct, columns, factor)
    draft.handed.append((columns, direct, np.repeat(need[alone], each), factor))
    several = np.flatnonzero(choices > 1)
    rows = assembly.add_rows("meeting", {"need": served[several]}, upper=0.0, lower=0.0)
    assembly.add(np.repeat(rows, each), tiers[several].ravel(), 1.0)
    need, node, ratio, which = need[~alone], node[~alone], ratio[~alone], which[~alone]
    most = np.minimum(draft.there_at_most[nodes.item[node], nodes.day[node]], needs.amount[need] * ratio)
    scale = draft.scale[nodes.good[node]]
    labels = {"need": need, "node": node}
    handed = assembly.add_columns("handed", labels, upper=np.inf, most=most, scale=scale)
    assembly.add(rows[np.searchsorted(several, which)], handed, -1.0 / ratio)
    assembly.add(node, handed, 1.0)
    draft.handed.append((handed, node, need, np.ones(len(node))))


def _nutrients(draft: _Draft) -> None:
    """Σ met_k of a nutrient ≤ Σ content · everything handed over at the site that day, whatever it was for; what is
    handed over for nutrients alone leaves the balance too.
    """
    problem, nodes, needs, assembly = draft.problem, draft.nodes, draft.problem.needs, draft.assembly
    n_goods = len(problem.goods)
    need = np.flatnonzero(needs.target >= n_goods)
    if not len(need):
        return
    need_at = np.full((len(problem.nutrients), problem.days, len(problem.sites)), -1)
    need_at[needs.target[need] - n_goods, needs.day[need], needs.site[need]] = need
    feeds = (problem.content[:, nodes.good] > 0) & (need_at[:, nodes.day, nodes.site] >= 0)
    node = np.flatnonzero(feeds.any(axis=0))
    scale, most = draft.scale[nodes.good[node]], draft.there_at_most[nodes.item[node], nodes.day[node]]
    effort = draft.whisper(scale)
    extra = assembly.add_columns("extra", {"node": node}, upper=np.inf, most=most, scale=scale, effort=effort)
    assembly.add(node, extra, 1.0)
    draft.handed.append((extra, node, np.full(len(node), -1), np.ones(len(node))))
    handed = _entries(draft.handed)
    nutrient, which = np.nonzero(feeds[:, handed.node])
    fed = need_at[nutrient, nodes.day[handed.node[which]], nodes.site[handed.node[which]]]
    served, row = np.unique(fed, return_inverse=True)
    tiers = _tiers(draft, served, "fed")
    rows = assembly.add_rows("feeding", {"need": served}, upper=0.0)
    assembly.add(np.repeat(rows, tiers.shape[1]), tiers.ravel(), 1.0)
    content = problem.content[nutrient, nodes.good[handed.node[which]]]
    assembly.add(rows[row], handed.column[which], -content * handed.quantity[which])


def _entries(parts: list[tuple[Ints, Ints, Ints, npt.NDArray[np.float64]]]) -> Entries:
    column, node, need, quantity = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Entries(column, node, need, quantity)
