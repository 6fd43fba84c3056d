"""A comparison as a page: both plans' figures, a line for each place, what changes by need and by fleet."""

from __future__ import annotations

from abasto.compare import Comparison, SiteChange, proof_words
from abasto.compare.words import figures
from abasto.report.dumbbell import draw_changes, shares_of
from abasto.report.sheet import Sheet, SheetTable, render_sheet
from abasto.summary import amount, gap_words, percent
from abasto.wording import change_words

__all__ = ["render_comparison"]

MOST_ROWS = 60
"""Rows of a table on the page; the CSV tables hold all of them."""


def render_comparison(comparison: Comparison) -> str:
    """Return one self-contained HTML page that shows who gains and who loses from the first plan to the second."""
    network, (first, second) = comparison.first.network, comparison.labels
    losing, gaining = len(comparison.losing), len(comparison.gaining)
    unchanged = len(comparison.sites) - losing - gaining
    sheet = Sheet(
        title=f"{network.name}: {first} against {second}",
        lead=(
            f"{network.days} days from {network.start}: {losing:,} places lose, {gaining:,} gain, "
            f"{unchanged:,} are served alike.",
            proof_words(comparison),
        ),
        above=(SheetTable("At a glance", ("", first, second, "Change"), tuple(figures(comparison))),),
        caption="Who loses, who gains",
        legend=f"Ring: {first}. Arrowhead: {second}. Right: the need that does most of it, and from which day. "
        "A place's share is that of all its needs and days; needs of priority 1 count ten times those of 2.",
        picture=draw_changes(comparison, label=f"Coverage of places, {first} and {second}"),
        below=(_sites(comparison), _needs(comparison), _fleets(comparison)),
        words=(
            ("coverage", "what was met ÷ what was needed on a day, at most 100 %"),
            ("people-days of need", "a need of 200 people on 7 days is 1,400 people-days; half met counts half"),
            (
                "weighted people-days",
                "what plans are measured in: 1 for each person and day on which a need of priority 1 goes from "
                "nothing to full, most of it for the first tenths; 0.1 for priority 2",
            ),
            ("worst-off 5 %", "those 5 % of all person-days of need with the lowest coverage"),
        ),
        footer=f"How sure: {first}, {gap_words(comparison.first)}; {second}, {gap_words(comparison.second)}.",
    )
    return render_sheet(sheet)


def _sites(comparison: Comparison) -> SheetTable:
    """Return the places that change, those that lose most first and those that gain most last."""
    losing, gaining = comparison.losing, comparison.gaining
    lose, gain = shares_of(MOST_ROWS, len(losing), len(gaining))
    shown = [*losing[:lose], *reversed(gaining[:gain])]
    return SheetTable(
        "By place",
        ("Place", "People", comparison.labels[0], comparison.labels[1], "Most of it"),
        tuple(_site_row(site) for site in shown),
        left_out=len(losing) + len(gaining) - len(shown),
        wordy_last=True,
    )


def _site_row(site: SiteChange) -> tuple[str, ...]:
    shares = f"{percent(site.need_first)} → {percent(site.need_second)}"
    what = f"{site.need_name}, {shares}, from day {site.from_day}"
    return (site.name, f"{site.people:,.0f}", percent(site.first), percent(site.second), what)


def _needs(comparison: Comparison) -> SheetTable:
    first, second = comparison.labels
    rows = [
        (
            need.name,
            amount(need.needed, need.unit),
            amount(need.met_first),
            amount(need.met_second),
            change_words(need.change),
            f"{need.sites_lose:,}",
            f"{need.sites_gain:,}",
        )
        for need in comparison.needs
    ]
    head = ("Need", "Needed", f"Met, {first}", f"Met, {second}", "People-days", "Places that get less", "… more")
    return SheetTable("By need", head, tuple(rows[:MOST_ROWS]), left_out=max(0, len(rows) - MOST_ROWS))


def _fleets(comparison: Comparison) -> SheetTable:
    rows = [
        (fleet.fleet, f"{fleet.first:,.0f}", f"{fleet.second:,.0f}", change_words(fleet.second - fleet.first))
        for fleet in comparison.fleets
    ]
    head = ("Fleet", comparison.labels[0], comparison.labels[1], "Change")
    left_out = max(0, len(rows) - MOST_ROWS)
    return SheetTable("Vehicle-hours by fleet", head, tuple(rows[:MOST_ROWS]), left_out=left_out)
