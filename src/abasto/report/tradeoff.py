"""A trade-off as a page: what fairness gains and costs in words, the picture, and the figures of every point."""

from __future__ import annotations

from abasto.report.frontier import draw_tradeoff
from abasto.report.sheet import Sheet, SheetTable, render_sheet
from abasto.summary import percent
from abasto.tradeoff import Tradeoff
from abasto.tradeoff.words import gap_cell, notes, sentences

__all__ = ["render_tradeoff"]


def render_tradeoff(result: Tradeoff) -> str:
    """Return one self-contained HTML page that shows what fairness costs."""
    network = result.network
    when = f"{network.days} days from {network.start}" + (f", scenario {result.scenario}" if result.scenario else "")
    sheet = Sheet(
        title=f"{network.name}: what fairness costs",
        lead=(f"{when}. One plan for each fairness, from the greatest total to the fairest.", *sentences(result)),
        above=(),
        caption="The worst off against the total",
        legend="Each point is a plan that can be carried out, named by its fairness α. To the right more is met in "
        "all, upwards the worst-off 5 % get more. A ring is not told apart from the point before it.",
        picture=draw_tradeoff(result, label=f"What fairness costs in {network.name}"),
        below=(_points(result),),
        words=(
            (
                "fairness α",
                "how much more the first tenth of a need is worth than the last; 0 gives the greatest total",
            ),
            ("on average", "coverage of all needs and days, weighted by the people they serve"),
            ("worst-off 5 %", "those 5 % of all person-days of need with the lowest coverage"),
            ("people-days of need", "a need of 200 people on 7 days is 1,400 people-days; half met counts half"),
            ("gap", "no plan of this fairness can be better by more than this share of what it is worth"),
        ),
        footer=f"Planned in {sum(point.seconds for point in result.points):.0f} s.",
    )
    return render_sheet(sheet)


def _points(result: Tradeoff) -> SheetTable:
    uses = result.points[0].priorities
    head = ("Fairness", "Met on average", "Worst-off 5 %", "Lowest")
    rows = tuple(
        (
            f"{point.fairness:g}",
            percent(point.mean_coverage),
            percent(point.worst_5_percent_coverage),
            percent(point.lowest_coverage),
            *(f"{use.met:,.0f}" for use in point.priorities),
            f"{point.vehicle_hours:,.0f}",
            gap_cell(point),
            note,
        )
        for point, note in zip(result.points, notes(result.points), strict=True)
    )
    people_days = (f"People-days met, priority {use.priority}" for use in uses)
    needed = "; ".join(f"{use.needed:,.0f} of priority {use.priority}" for use in uses)
    return SheetTable(
        "Figures",
        (*head, *people_days, "Vehicle-hours", "Gap", ""),
        rows,
        note=f"People-days of need in all: {needed}.",
        wordy_last=True,
    )
