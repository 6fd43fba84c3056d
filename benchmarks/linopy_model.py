"""The exact model written for linopy, as one would by hand: whole arrays with names, joined by their labels.

It states what the benchmark networks use (goods that never spoil, one fleet to a lane, limited storage), not the whole
format; the optimum has to be the same as that of the planner's own model.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from linopy import LinearExpression, Model, options

from abasto.planner.problem import Problem
from benchmarks.memory import peak_mib

__all__ = ["build", "measure"]

LARGEST_VALUE = 100.0
"""The objective's largest coefficient; in people × coverage HiGHS would end without an answer."""
TONNE = 1000.0  # units, about
BATCH = 1000.0  # units, about
FEASIBLE = 1e-6
options["semantics"] = "v1"


def measure(problem: Problem, *, limit: float, threads: int) -> dict[str, Any]:
    """Assemble the model, solve it by HiGHS interior point without crossover, and time the two apart."""
    begin = time.perf_counter()
    built, scale = build(problem)
    assembly = time.perf_counter() - begin
    begin = time.perf_counter()
    settings: dict[str, Any] = {
        "solver": "ipm",
        "run_crossover": "off",
        "threads": threads,
        "time_limit": limit,
        "output_flag": False,
    }
    _, condition = built.solve(solver_name="highs", io_api="direct", progress=False, **settings)
    seconds = time.perf_counter() - begin
    # Postsolve without crossover leaves duals so far off that HiGHS takes back its "optimal"; the point itself holds.
    violation = float(built.solver_model.getInfo().max_primal_infeasibility)
    feasible = violation <= FEASIBLE and built.objective.value is not None
    value = float(built.objective.value) * scale if feasible and built.objective.value is not None else None
    return {
        "status": condition,
        "ended": condition in ("optimal", "unknown") and seconds < limit,
        "seconds": seconds,
        "assembly_seconds": assembly,
        "objective": value,
        "violation": violation,
        "feasible": feasible,
        "kept": value,
        "bound": None,
        "memory_mib": peak_mib(),
    }


@dataclass(frozen=True)
class _Draft:
    """The model while it is written, its labels, and the lot that goods, tonnes and hours are counted in, so that
    coefficients stay near 1.
    """

    problem: Problem
    model: Model
    site: pd.Index
    good: pd.Index
    day: pd.Index
    lot: float

    @property
    def everywhere(self) -> list[pd.Index]:
        return [self.site, self.good, self.day]

    @property
    def tonnes(self) -> xr.DataArray:
        return xr.DataArray(self.problem.good_tonnes, coords=[self.good])


def build(problem: Problem) -> tuple[Model, float]:
    """Return the model and what its objective has to be multiplied by."""
    _refuse_what_is_not_stated(problem)
    model = Model()
    draft = _Draft(
        problem,
        model,
        site=pd.Index(problem.sites, name="site"),
        good=pd.Index(problem.goods, name="good"),
        day=pd.RangeIndex(1, problem.days + 1, name="day"),
        lot=10.0 ** round(np.log10(np.median(problem.needs.amount))),
    )
    stock, offer, need, worth = _facts(draft)
    taken = model.add_variables(lower=0, upper=offer, name="taken", mask=offer > 0)
    kept = model.add_variables(lower=0, coords=draft.everywhere, name="kept")
    values, widths = np.unique(problem.tier_value, return_counts=True)
    width, value = xr.DataArray(widths / 10.0, dims="tier"), xr.DataArray(values, dims="tier")
    met = model.add_variables(lower=0, upper=need * width, name="met", mask=need * width > 0)
    arriving, leaving = _shipping(draft)
    made, used = _making(draft)

    yesterday = (1 * kept).shift(day=1).fillna(0)
    given = met.fillna(0).sum("tier")
    balance = taken.fillna(0) + yesterday + arriving + made - used - leaving - given - kept
    model.add_constraints(balance == -stock, name="balance")
    room = xr.DataArray(problem.storage_t * TONNE / draft.lot, coords=[draft.site])
    model.add_constraints((kept * draft.tonnes * TONNE).sum("good") <= room, name="storage")
    scale = float((worth * value).max()) / LARGEST_VALUE
    model.add_objective((met.fillna(0) * (worth * value / scale)).sum(), sense="max")
    return model, scale


def _facts(draft: _Draft) -> tuple[xr.DataArray, ...]:
    """Return stock on day 1, offers, needs, and what a lot is worth in a tier of value 1, by site, good and day."""
    stock, offer, need, worth = (np.zeros([len(index) for index in draft.everywhere]) for _ in range(4))
    sources, needs, lot = draft.problem.sources, draft.problem.needs, draft.lot
    first = sources.is_stock
    np.add.at(stock, (sources.site[first], sources.item[first], sources.day[first]), sources.amount[first] / lot)
    np.add.at(offer, (sources.site[~first], sources.item[~first], sources.day[~first]), sources.amount[~first] / lot)
    need[needs.site, needs.target, needs.day] = needs.amount / lot
    worth[needs.site, needs.target, needs.day] = 10 * needs.weight / needs.amount * lot
    return tuple(xr.DataArray(values, coords=draft.everywhere) for values in (stock, offer, need, worth))


def _shipping(draft: _Draft) -> tuple[LinearExpression, LinearExpression]:
    """Shipped ≥ 0 by lane, good and day, within each fleet's hours; returns what arrives and what leaves by site."""
    facts, model, site, day = draft.problem.options, draft.model, draft.site, draft.day
    lane = pd.RangeIndex(len(facts.lane), name="lane")
    fleets = pd.Index(draft.problem.fleets, name="fleet")
    start = xr.DataArray(site[facts.start], coords=[lane], name="site")
    end = xr.DataArray(site[facts.end], coords=[lane], name="site")
    fleet = xr.DataArray(fleets[facts.fleet], coords=[lane], name="fleet")
    shipped = model.add_variables(lower=0, coords=[lane, draft.good, day], name="shipped")
    hours = xr.DataArray(facts.hours * TONNE, coords=[lane])
    driven = (shipped * (draft.tonnes * hours)).sum("good").groupby(fleet).sum()
    at_hand = xr.DataArray(draft.problem.fleet_hours * TONNE / draft.lot, coords=[fleets, day])
    model.add_constraints(driven <= at_hand.sel(fleet=driven.indexes["fleet"]), name="fleet_hours")
    leaving = (1 * shipped).groupby(start).sum().reindex(site=site).fillna(0)
    arriving = []
    for lead in np.unique(facts.lead).tolist():
        late = lane[facts.lead == lead]
        there = (1 * shipped.sel(lane=late)).groupby(end.sel(lane=late)).sum()
        arriving.append(there.shift(day=lead).reindex(site=site).fillna(0))
    return sum(arriving[1:], arriving[0]), leaving


def _making(draft: _Draft) -> tuple[LinearExpression, LinearExpression]:
    """Batches of each plant and day within its own limit and its site's labour; what is made and used by site.

    A batch is counted in lots too.
    """
    problem, model, lot = draft.problem, draft.model, draft.lot
    site, good, day = draft.everywhere
    plant = pd.RangeIndex(len(problem.plant_site), name="plant")
    size = BATCH / lot
    output, input_ = np.zeros((2, len(plant), len(good)))
    for p, recipe in enumerate(problem.plant_recipe.tolist()):
        inputs, outputs = problem.recipes[recipe]
        for g, quantity in inputs:
            input_[p, g] = quantity / BATCH
        for g, quantity in outputs:
            output[p, g] = quantity / BATCH
    at = xr.DataArray(site[problem.plant_site], coords=[plant], name="site")
    limit = xr.DataArray(problem.plant_batches * size, coords=[plant, day])
    batches = model.add_variables(lower=0, upper=limit, coords=[plant, day], name="batches")
    worked = (batches * xr.DataArray(problem.plant_hours, coords=[plant])).groupby(at).sum()
    hours = xr.DataArray(problem.labour_hours * size, coords=[site, day])
    model.add_constraints(worked <= hours.sel(site=worked.indexes["site"]), name="labour")
    made = (batches * xr.DataArray(output, coords=[plant, good])).groupby(at).sum().reindex(site=site).fillna(0)
    used = (batches * xr.DataArray(input_, coords=[plant, good])).groupby(at).sum().reindex(site=site).fillna(0)
    return made, used


def _refuse_what_is_not_stated(problem: Problem) -> None:
    stated = (
        len(problem.items.good) == len(problem.goods)
        and len(np.unique(problem.options.lane)) == len(problem.options.lane)
        and not np.isfinite(problem.lane_tonnes).any()
        and np.isfinite(problem.storage_t).all()
        and not problem.nutrients
        and not problem.shippable
        and (problem.options.fuel_good < 0).all()
        and all(serves == ((good, 1.0),) for good, serves in enumerate(problem.serves))
    )
    if not stated:
        raise ValueError("the network uses a part of the format that this model does not state; see its docstring")
