"""A trade-off as lines of text with sentences in plain words, as a CSV table, and as one JSON object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from abasto.planner.plan import MET_TOLERANCE
from abasto.summary import aligned, counted, is_fully_met, percent, percent_at_most
from abasto.tables.text import csv_bytes, value_text
from abasto.tradeoff.points import Tradeoff, TradeoffPoint
from abasto.wording import change_words, points

__all__ = [
    "gap_cell",
    "notes",
    "sentences",
    "step_words",
    "tradeoff_csv",
    "tradeoff_document",
    "tradeoff_lines",
]

USUAL_FAIRNESS = 4.0
"""What plans have unless told otherwise: the sentences are about it where it is among the points."""


def tradeoff_lines(result: Tradeoff) -> list[str]:
    """Return the trade-off as lines of plain text: a table, what each step gains and costs, and how sure that is."""
    network = result.network
    lines = [
        f"{network.name}: what fairness costs; {counted(network.days, 'day')} from {network.start}, "
        f"{counted(len(network.sites), 'site')}, {network.people:,.0f} people"
        + (f", scenario {result.scenario}" if result.scenario else ""),
        "",
    ]
    if not result.plans[0].coverage.n_rows:
        return [*lines, "Nothing is needed: there are neither needs nor rations nor requirements on these days."]
    urgencies = [f"priority {use.priority}" for use in result.points[0].priorities]
    head = ("fairness", "met on average", "worst-off 5 %", "lowest", *urgencies, "vehicle-hours", "gap", "")
    rows = [(*_row(point), note) for point, note in zip(result.points, notes(result.points), strict=True)]
    lines += aligned([head, *rows], right=range(len(head) - 1))
    return [*lines, "", *sentences(result)]


def _row(point: TradeoffPoint) -> tuple[str, ...]:
    return (
        f"{point.fairness:g}",
        percent(point.mean_coverage),
        percent(point.worst_5_percent_coverage),
        percent(point.lowest_coverage),
        *(percent(use.met / use.needed if use.needed else 1.0) for use in point.priorities),
        f"{point.vehicle_hours:,.0f}",
        gap_cell(point),
    )


def gap_cell(point: TradeoffPoint) -> str:
    """Return how much better a plan of this fairness could be at most, as a share in percent."""
    if not math.isfinite(point.gap):
        return "not known"
    return "0 %" if point.gap <= 1e-9 else percent_at_most(point.gap)


def notes(points: Sequence[TradeoffPoint]) -> list[str]:
    """Return what has to be known about each point: whose plan it is, what it is not told apart from, a stop."""
    said = []
    for index, point in enumerate(points):
        before = points[index - 1] if index else None
        words = []
        if before is not None and point.planned_for == before.planned_for:
            words.append("the same plan as above")
        elif before is not None and _equal(before, point):
            words.append("the same coverage as above")
        else:
            if point.planned_for != point.fairness:
                words.append(f"the plan for {point.planned_for:g} does better here")
            if point.like_previous:
                words.append("not told apart from the line above")
        if point.status == "stopped":
            words.append("stopped early")
        said.append("; ".join(words))
    return said


def sentences(result: Tradeoff) -> list[str]:
    """Return what a larger fairness gains and costs, in plain words, and how sure it is."""
    first, last = result.points[0], result.points[-1]
    if all(is_fully_met(plan) for plan in result.plans):
        return ["Every need is met at every place on every day, whatever the fairness; it costs nothing here."]
    usual = next((point for point in result.points if point.fairness == USUAL_FAIRNESS), None)
    stops = [point for point in result.points if point in (first, usual, last)]
    said = [step_words(one, other) for one, other in pairwise(stops)]
    if len(result.points) > 1 and all(_equal(one, other) for one, other in pairwise(result.points)):
        said = [
            "Fairness costs nothing here: the total and what the worst-off 5 % get are the same for every fairness."
        ]
    if len(result.points) == 1 and not result.left_out:
        said.append("One point is no choice: give more than one fairness to see what it costs.")
    said += [
        f"For fairness {point.fairness:g} the plan for {point.planned_for:g} is taken: it is worth as much there, and "
        "better for the total or the worst off."
        for point in result.points
        if point.planned_for != point.fairness
    ]
    alike = [
        f"{before.fairness:g} and {point.fairness:g}"
        for before, point in pairwise(result.points)
        if point.like_previous and not _equal(before, point)
    ]
    if alike:
        said.append(
            f"Not told apart: {', '.join(alike)}. Each plan would do for the other's fairness as well, within the gap; "
            "how they differ says nothing about fairness. A smaller --gap or a longer --time-limit may tell them apart."
        )
    stopped = [f"{point.fairness:g}" for point in result.points if point.status == "stopped"]
    if stopped:
        said.append(f"Stopped early, best plans so far: fairness {', '.join(stopped)}.")
    if result.left_out:
        said.append(f"Not planned: fairness {', '.join(f'{value:g}' for value in result.left_out)}.")
    return said


def _equal(one: TradeoffPoint, other: TradeoffPoint) -> bool:
    """Return whether two points have the same plan, or the same total, worst-off and lowest coverage."""
    return one.planned_for == other.planned_for or all(
        abs(getattr(one, name) - getattr(other, name)) <= MET_TOLERANCE
        for name in ("mean_coverage", "worst_5_percent_coverage", "lowest_coverage")
    )


def step_words(one: TradeoffPoint, other: TradeoffPoint) -> str:
    """Say what the worst off gain from one fairness to another, and what the total loses."""
    worst = other.worst_5_percent_coverage - one.worst_5_percent_coverage
    total = other.mean_coverage - one.mean_coverage
    span = f"From fairness {one.fairness:g} to {other.fairness:g}"
    if _equal(one, other):
        return f"{span} neither the total nor what the worst-off 5 % get changes."
    moved = [(use.priority, after.met - use.met) for use, after in zip(one.priorities, other.priorities, strict=True)]
    people_days = [
        f"{change_words(met)} people-days of priority {priority}" for priority, met in moved if abs(met) >= 0.5
    ]
    return (
        f"{span} the worst-off 5 % {_moved(worst, 'gain', 'lose', 'get the same')}"
        f"{_shares(one.worst_5_percent_coverage, other.worst_5_percent_coverage)}; "
        f"the total {_moved(total, 'rises by', 'falls by', 'stays the same')}"
        f"{_shares(one.mean_coverage, other.mean_coverage)}{': ' if people_days else ''}{', '.join(people_days)}."
    )


def _moved(change: float, up: str, down: str, still: str) -> str:
    if abs(change) <= MET_TOLERANCE:
        return still
    return f"{up if change > 0 else down} {points(change)[1:]}"


def _shares(one: float, other: float) -> str:
    return f" ({percent(one)} → {percent(other)})" if percent(one) != percent(other) else f" ({percent(one)})"


def tradeoff_csv(result: Tradeoff) -> bytes:
    """Return the points as a CSV table, one row for each fairness; an unknown gap is blank."""
    records = [_record(point) for point in result.points]
    return csv_bytes(list(records[0]), [[value_text(value) for value in record.values()] for record in records])


def _record(point: TradeoffPoint) -> dict[str, Any]:
    record = asdict(point)
    uses: Sequence[dict[str, Any]] = record.pop("priorities")
    for use in uses:
        record |= {f"needed_p{use['priority']}": use["needed"], f"met_p{use['priority']}": use["met"]}
    return {name: _finite(value) for name, value in record.items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def tradeoff_document(result: Tradeoff, *, written: str | None = None) -> dict[str, Any]:
    """Return the trade-off as one JSON object; `written` is the file of the table.

    Keys: network, scenario, points (the fields of `TradeoffPoint`; a gap that is not known is null), words, left_out
    (fairnesses that a stop left unplanned), written.
    """
    return {
        "network": result.network.name,
        "scenario": result.scenario,
        "points": [{name: _finite(value) for name, value in asdict(point).items()} for point in result.points],
        "words": sentences(result),
        "left_out": list(result.left_out),
        "written": written,
    }
