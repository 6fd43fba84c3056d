"""The trips of a plan as arrays [options, days], and the problem that is left once a number of trips is given.

An *option* is a directed lane with a fleet that serves it, as in the planner's problem. Days count from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from abasto.planner.plan import Plan
from abasto.planner.problem import Floats, Problem
from abasto.planner.solution import Flows

__all__ = ["WEIGHTLESS", "Trips", "find_trips", "loads_of", "trips_of", "whole_up", "with_trips"]

DUST = 1e-6
"""A load may be over a payload by this share, and hours over what there is: the check allows as much for rounding."""

WEIGHTLESS = 2 * DUST
"""So much of a payload goods without weight count as, since they need a vehicle."""


@dataclass(frozen=True)
class Trips:
    """What trips can carry and take: `payload_t`, `hours` (vehicle-hours a trip) and `fuel` (of `fuel_good` at
    `fuel_site`, a trip; good −1 where there is none) [options]; whole are those of the first `days` days.
    """

    problem: Problem
    payload_t: Floats
    hours: Floats
    fuel: Floats
    days: int

    @property
    def fleet(self) -> npt.NDArray[np.int64]:
        return self.problem.options.fleet

    @property
    def limited(self) -> npt.NDArray[np.bool_]:
        """Which options take vehicle-hours; goods that are on their way already take none."""
        return np.asarray(self.hours > 0)

    def most(self) -> Floats:
        """Return the whole trips that fit in a fleet's hours on each day, were it to serve this option only; inf where
        trips take no hours.
        """
        hours = self.problem.fleet_hours[self.fleet]
        with np.errstate(divide="ignore", invalid="ignore"):
            fits = np.floor(hours / self.hours[:, None] * (1 + DUST * 1e-3) + 1e-9)
        return np.where(self.limited[:, None], fits, np.where(hours > 0, np.inf, 0.0))

    def hours_used(self, trips: Floats) -> Floats:
        """Return the vehicle-hours that trips take [fleets, days]."""
        used = np.zeros(self.problem.fleet_hours.shape)
        np.add.at(used, self.fleet, trips * self.hours[:, None])
        return used


def find_trips(problem: Problem, *, days: int) -> Trips:
    """Return what each option's trips carry and take."""
    options = problem.options
    payload = np.array([fleet.payload_t for fleet in problem.network.fleets], dtype=np.float64)[options.fleet]
    return Trips(problem, payload, options.hours * payload, options.fuel * payload, days)


def trips_of(trips: Trips, plan: Plan) -> Floats:
    """Return the trips of a plan [options, days]; goods without weight ask for half a trip."""
    problem, options = trips.problem, trips.problem.options
    names = zip(options.start.tolist(), options.end.tolist(), options.fleet.tolist(), strict=True)
    number = {(problem.sites[a], problem.sites[b], problem.fleets[f]): one for one, (a, b, f) in enumerate(names)}
    found = np.zeros((len(options.lane), problem.days))
    cells = (plan.trips[name].tolist() for name in ("from", "to", "fleet", "day", "trips"))
    for start, end, fleet, day, count in zip(*cells, strict=True):
        found[number[start, end, fleet], int(day) - 1] += count
    weight = {good.good: good.kg_per_unit for good in problem.network.goods}
    cells = (plan.shipments[name].tolist() for name in ("from", "to", "fleet", "departs", "good"))
    for start, end, fleet, day, good in zip(*cells, strict=True):
        if weight[good] == 0:
            place = number[start, end, fleet], int(day) - 1
            found[place] = max(found[place], 0.5)
    return found


def loads_of(trips: Trips, flows: Flows) -> Floats:
    """Return what flows load, in payloads [options, days]; goods without weight count as a sliver of one."""
    problem = trips.problem
    weight = problem.good_tonnes[problem.items.good[flows.ship_item]]
    tonnes = np.zeros((len(trips.payload_t), problem.days))
    np.add.at(tonnes, (flows.ship_option, flows.ship_day), flows.ship_quantity * weight)
    some = (flows.ship_quantity > 0) & (weight == 0)
    sliver = np.zeros(tonnes.shape)
    sliver[flows.ship_option[some], flows.ship_day[some]] = WEIGHTLESS
    return np.asarray(np.maximum(tonnes / trips.payload_t[:, None], sliver))


def whole_up(loads: Floats) -> Floats:
    """Return the whole trips that carry so many payloads.

    >>> whole_up(np.array([0.0, 0.2, 1.0, 1.0000001, 2.5]))
    array([0., 1., 1., 1., 3.])
    """
    return np.asarray(np.ceil(loads - DUST) + 0.0)  # no −0


def with_trips(trips: Trips, whole: Floats, like: Floats, burn: Floats) -> Problem:
    """Return the problem in which each option carries what `whole` trips hold on the first days, and on later days what
    its fleet's hours allow.

    Every option gets a lane of its own. Where several share the tonnes of one, `like` [options, days] says in which
    proportion. `burn` [options] is the fuel that a payload takes, since trips are not always full.
    """
    problem, options = trips.problem, trips.problem.options
    hours = problem.fleet_hours[options.fleet]
    with np.errstate(divide="ignore", invalid="ignore"):
        fractional = np.where(trips.limited[:, None], hours / trips.hours[:, None], np.where(hours > 0, np.inf, 0.0))
    is_whole = (np.arange(problem.days) < trips.days) & trips.limited[:, None]
    tonnes = np.where(is_whole, np.minimum(whole, fractional), fractional) * trips.payload_t[:, None]
    tonnes = np.minimum(tonnes, _shares(problem, tonnes, like))
    lanes = tuple(problem.lanes[lane] for lane in options.lane.tolist())
    own = replace(options, lane=np.arange(len(options.lane)), fuel=burn / trips.payload_t)
    return replace(problem, lanes=lanes, lane_tonnes=tonnes, options=own)


def _shares(problem: Problem, tonnes: Floats, like: Floats) -> Floats:
    """Return each option's part of its lane's tonnes [options, days]: all, unless several serve a lane with a limit and
    together could carry more.
    """
    lane = problem.options.lane
    total, weight = (np.zeros(problem.lane_tonnes.shape) for _ in range(2))
    finite = np.where(np.isfinite(tonnes), tonnes, 1e9)
    wanted = np.minimum(finite, like + 1e-9 * (finite > 0))
    np.add.at(total, lane, finite)
    np.add.at(weight, lane, wanted)
    limit = problem.lane_tonnes[lane]
    share = np.where(weight[lane] > 0, wanted / np.where(weight[lane] > 0, weight[lane], 1.0), 0.0)
    alone = (np.bincount(lane, minlength=len(limit))[lane] == 1)[:, None]
    with np.errstate(invalid="ignore"):
        part = np.where(np.isfinite(limit), limit * share, np.inf)
    return np.asarray(np.where(alone | (total[lane] <= limit), limit, part))
