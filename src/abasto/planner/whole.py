"""The exact model with whole trips: branch and bound in HiGHS, for small networks and as the oracle of the tests.

Every option gets a column of trips on every day: Σ tonnes ≤ payload · trips, Σ trips · hours ≤ the fleet's hours, and
trips are integers on the first days. Fuel burns by the tonne, as in a plan with fractions; what half-empty vehicles
burn beyond that is left to whoever rounds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from abasto.planner.blocks import Model, model
from abasto.planner.linear import highs_model
from abasto.planner.problem import Floats, Ints, Problem

__all__ = ["WholeTrips", "most_with_whole_trips"]

HAS_POINT = 2
"""How HiGHS says that its point keeps all rows (kSolutionStatusFeasible)."""


@dataclass(frozen=True)
class WholeTrips:
    """Trips [options, days], whole on the first days; what a plan with them is worth, and the most that any is."""

    trips: Floats
    value: float
    bound: float


def most_with_whole_trips(
    problem: Problem, payload_t: Floats, *, days: int, seconds: float, gap: float = 1e-4
) -> WholeTrips | None:
    """Return the trips of the best plan whose trips are whole on the first `days` days; None where none was found in
    so many `seconds`. `payload_t` [options] is what a trip carries; `gap` a share of the value.
    """
    hours = problem.options.hours * payload_t
    most = _most_trips(problem, hours)
    alone = _with_own_lanes(problem, np.where(np.isfinite(most), most, 0.0) * payload_t[:, None], most)
    full = model(alone)
    highs = _highs(full, seconds=seconds, gap=gap)
    if not len(full.program.value) or "lane" not in full.program.rows:
        return None
    option, day, column = _add_trips(highs, full, payload_t, most, days)
    _add_hours(highs, problem, hours, option, day, column)
    _add_lanes(highs, full, problem)
    highs.run()
    solution, info = highs.getSolution(), highs.getInfo()
    if not solution.value_valid or info.primal_solution_status != HAS_POINT:
        return None
    trips = np.zeros(most.shape)
    found = np.array(solution.col_value)[column]
    trips[option, day] = np.where(day < days, np.round(found), found)
    scale = full.program.value_scale
    return WholeTrips(trips, -info.objective_function_value * scale, -info.mip_dual_bound * scale)


def _most_trips(problem: Problem, hours: Floats) -> Floats:
    """Return the trips that a fleet's hours would hold on one option alone [options, days]; inf if they take none."""
    there = problem.fleet_hours[problem.options.fleet]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(hours[:, None] > 0, there / hours[:, None], np.where(there > 0, np.inf, 0.0))


def _with_own_lanes(problem: Problem, tonnes: Floats, most: Floats) -> Problem:
    """Return the problem with a lane for each option, limited where trips take hours; closed lanes stay closed."""
    options = problem.options
    closed = problem.lane_tonnes[options.lane] == 0
    limit = np.where(closed, 0.0, np.where(np.isfinite(most), tonnes, np.inf))
    lanes = tuple(problem.lanes[lane] for lane in options.lane.tolist())
    return replace(problem, lanes=lanes, lane_tonnes=limit, options=replace(options, lane=np.arange(len(options.lane))))


def _highs(full: Model, *, seconds: float, gap: float) -> Any:
    import highspy

    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    settings = {"output_flag": False, "threads": 1, "time_limit": float(seconds), "mip_rel_gap": gap, "random_seed": 0}
    for name, setting in settings.items():
        highs.setOptionValue(name, setting)
    highs.passModel(highs_model(full.program))
    return highs


def _add_trips(highs: Any, full: Model, payload_t: Floats, most: Floats, days: int) -> tuple[Ints, Ints, Ints]:
    """Σ tonnes − payload · trips ≤ 0, per option and day; return each column's option, day and number."""
    import highspy

    rows, program = full.program.rows["lane"], full.program
    option, day = rows.labels["lane"], rows.labels["day"]
    first = highs.getNumCol()
    for number, (one, when) in enumerate(zip(option.tolist(), day.tolist(), strict=True)):
        row = rows.start + number
        highs.changeRowBounds(row, -np.inf, 0.0)
        upper = np.floor(most[one, when] + 1e-9) if when < days else most[one, when]
        load = np.array([-payload_t[one] / program.row_scale[row]])
        highs.addCol(0.0, 0.0, float(upper), 1, np.array([row], dtype=np.int32), load)
        if when < days:
            highs.changeColIntegrality(first + number, highspy.HighsVarType.kInteger)
    return option, day, first + np.arange(len(option))


def _add_hours(highs: Any, problem: Problem, hours: Floats, option: Ints, day: Ints, column: Ints) -> None:
    """Σ trips · hours ≤ the fleet's hours, per fleet and day."""
    key = problem.options.fleet[option] * problem.days + day
    for one in np.unique(key).tolist():
        mine = np.flatnonzero(key == one)
        fleet, when = divmod(one, problem.days)
        limit = float(problem.fleet_hours[fleet, when])
        highs.addRow(-np.inf, limit, len(mine), column[mine].astype(np.int32), hours[option[mine]])


def _add_lanes(highs: Any, full: Model, problem: Problem) -> None:
    """Σ tonnes ≤ the lane's, per lane with a limit and day."""
    ship, program = full.program.columns["ship"], full.program
    option, item, day = (ship.labels[name] for name in ("option", "item", "day"))
    lane = problem.options.lane[option]
    tonnes = problem.good_tonnes[problem.items.good[item]] * program.column_scale[ship.slice]
    limited = np.isfinite(problem.lane_tonnes[lane, day]) & (tonnes > 0)
    key = np.where(limited, lane * problem.days + day, -1)
    for one in np.unique(key[limited]).tolist():
        mine = np.flatnonzero(key == one)
        limit = float(problem.lane_tonnes[divmod(one, problem.days)])
        highs.addRow(-np.inf, limit, len(mine), ship.ids[mine].astype(np.int32), tonnes[mine])
