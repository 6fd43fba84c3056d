"""A comparison as a short briefing, as tables, and as one JSON object."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from abasto.compare.changes import Comparison, NeedChange, SiteChange
from abasto.planner.plan import Plan, Table
from abasto.summary import aligned, amount, and_more, counted, gap_words, percent
from abasto.wording import at_least, at_most, change_words, points

__all__ = [
    "comparison_document",
    "comparison_lines",
    "comparison_tables",
    "figures",
    "proof_words",
    "site_words",
]


def comparison_lines(comparison: Comparison, *, most: int = 5) -> list[str]:
    """Return the comparison as lines of plain text, with at most `most` entries in each list."""
    network = comparison.first.network
    first, second = comparison.labels
    lines = [
        f"{network.name}: {first} against {second}; {counted(network.days, 'day')} from {network.start}, "
        f"{counted(len(network.sites), 'site')}, {network.people:,.0f} people",
        "",
    ]
    if not comparison.sites:
        return [*lines, "Nothing is needed: there are neither needs nor rations nor requirements on these days."]
    lines += aligned([("", first, second, "change"), *figures(comparison)], right=(1, 2, 3))
    lines += ["", proof_words(comparison)]
    lines += _site_lines("Lose most", comparison.losing, most)
    lines += _site_lines("Gain most", comparison.gaining, most)
    lines += _need_lines(comparison.needs, most)
    lines += _fleet_lines(comparison, most)
    lines += ["", "How sure", *(f"  {label}: {gap_words(plan)}" for label, plan in _labelled(comparison))]
    return (
        lines
        + _overtaken(comparison)
        + ["  Other plans as good may serve single places differently; compare what many places share."]
    )


def _labelled(comparison: Comparison) -> list[tuple[str, Plan]]:
    return list(zip(comparison.labels, (comparison.first, comparison.second), strict=True))


def figures(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """Return the totals of both plans and their change, as words: (what, first, second, change)."""
    first, second = comparison.totals
    rows = [
        (what, percent(one), percent(other), points(other - one))
        for what, one, other in (
            ("met of what is needed, on average", first.mean_coverage, second.mean_coverage),
            ("what the worst-off 5 % get", first.worst_5_percent_coverage, second.worst_5_percent_coverage),
            ("the worst served need of a place on a day", first.lowest_coverage, second.lowest_coverage),
        )
    ]
    rows += [
        (
            f"people-days of need met, priority {row.priority} (of {row.needed:,.0f})",
            f"{row.first:,.0f}",
            f"{row.second:,.0f}",
            change_words(row.second - row.first),
        )
        for row in comparison.priorities
    ]
    spent = [("vehicle-hours", first.vehicle_hours, second.vehicle_hours)]
    spent += [("cost", first.cost, second.cost)] if first.cost or second.cost else []
    return rows + [(what, f"{one:,.0f}", f"{other:,.0f}", change_words(other - one)) for what, one, other in spent]


UNIT = "weighted people-days of need"
NOTHING = 1e-6
"""Differences below so many weighted people-days are rounding of the solvers."""


def proof_words(comparison: Comparison) -> str:
    """Say what is certain: whether one case is worse than the other whatever is planned, and by how much."""
    proof, (first, second) = comparison.proof, comparison.labels
    if proof is None:
        return (
            f"The plans were made with fairness {comparison.first.fairness:g} and {comparison.second.fairness:g}; "
            "they weigh needs differently, so that neither is proven better."
        )
    if not (math.isfinite(proof.least) and math.isfinite(proof.most)):
        return "How much better another plan could be is not known, so that nothing is proven."
    if max(abs(proof.least), abs(proof.most)) < NOTHING:
        return f"Proven: the best plans for {first} and for {second} are worth the same."
    if proof.told_apart:
        least, most = sorted((abs(proof.least), abs(proof.most)))
        worse, better = (second, first) if proof.most < 0 else (first, second)
        span = f"{at_least(least)} to {at_most(most)}" if at_most(least) != at_most(most) else amount(least)
        return f"Proven: whatever is planned, {worse} is worse than {better}, by {span} {UNIT}."
    if proof.less_in is not None:
        less = second if proof.less_in == "second" else first
        return (
            f"Proven is only that {less} costs at most {at_most(max(-proof.least, proof.most))} {UNIT}; whether it "
            "costs anything lies within what the searches leave open (a smaller --gap narrows it)."
        )
    return (
        f"Not told apart: the best plan for {second} may be worth up to {at_most(proof.most)} {UNIT} more "
        f"than the best for {first}, or up to {at_most(-proof.least)} less."
    )


def _overtaken(comparison: Comparison) -> list[str]:
    """Say so where the plan of the case with less is worth more: it could be carried out in the other case too."""
    proof, (first, second) = comparison.proof, comparison.labels
    if proof is None or proof.less_in is None:
        return []
    less, more, ahead = (
        (second, first, proof.difference) if proof.less_in == "second" else (first, second, -proof.difference)
    )
    if ahead <= 0:
        return []
    return [
        f"  The plan for {less} is worth more, and could be carried out with {more} as well: the search for {more} "
        "ended early. A smaller --gap makes it look longer."
    ]


def site_words(site: SiteChange) -> str:
    """Say which need does most of a site's change, and since when."""
    if not site.from_day:
        return "unchanged"
    shares = f"{percent(site.need_first)} → {percent(site.need_second)}"
    return f"most of it {site.need_name}, {shares}, from day {site.from_day}"


def _site_lines(title: str, sites: Sequence[SiteChange], most: int) -> list[str]:
    if not sites:
        return ["", f"{title}: no place"]
    rows = [
        (
            site.name,
            f"{site.people:,.0f} people",
            f"{percent(site.first)} → {percent(site.second)}",
            points(site.change),
            site_words(site),
        )
        for site in sites[:most]
    ]
    heading = f"{title} ({counted(len(sites), 'place')}; share of its needs that is met, by priority)"
    return ["", heading, *aligned(rows, right=(1, 3)), *and_more(len(sites) - most, "place", "places")]


def _need_lines(needs: Sequence[NeedChange], most: int) -> list[str]:
    rows = [
        (
            need.name,
            f"{amount(need.met_first)} → {amount(need.met_second, need.unit)} of {amount(need.needed, need.unit)}",
            f"{change_words(need.change)} people-days",
            f"less at {counted(need.sites_lose, 'place')}, more at {counted(need.sites_gain, 'place')}",
        )
        for need in needs[:most]
    ]
    return ["", "By need", *aligned(rows, right=(2,)), *and_more(len(needs) - most, "need", "needs")]


def _fleet_lines(comparison: Comparison, most: int) -> list[str]:
    changed = [fleet for fleet in comparison.fleets if abs(fleet.second - fleet.first) >= 0.5]
    if not changed:
        return []
    rows = [
        (
            fleet.fleet,
            f"{fleet.first:,.0f} → {fleet.second:,.0f} vehicle-hours",
            change_words(fleet.second - fleet.first),
        )
        for fleet in changed[:most]
    ]
    return ["", "Trucks", *aligned(rows, right=(1, 2)), *and_more(len(changed) - most, "fleet", "fleets")]


def comparison_tables(comparison: Comparison) -> dict[str, Table]:
    """Return the changes by site and by need as tables `sites` and `needs`, a row for each, a column for each field."""
    return {
        "sites": _table(SiteChange, comparison.sites, "change"),
        "needs": _table(NeedChange, comparison.needs, "change"),
    }


def _table(row: type[SiteChange] | type[NeedChange], rows: Sequence[SiteChange | NeedChange], *more: str) -> Table:
    names = [*(field.name for field in fields(row)), *more]
    types: dict[str, Any] = {"str": object, "float": np.float64, "int": np.int64}
    kinds = {field.name: types[str(field.type)] for field in fields(row)} | dict.fromkeys(more, np.float64)
    return Table({name: np.array([getattr(one, name) for one in rows], dtype=kinds[name]) for name in names})


def comparison_document(comparison: Comparison, *, written: str | None = None) -> dict[str, Any]:
    """Return the comparison as one JSON object; `written` is the folder of tables.

    Keys: network, first and second (label, scenario, fairness, status, objective, bound, certainty, totals), proof
    (in weighted people-days of need; null where nothing is proven), priorities, sites, needs, fleets, written.
    """
    proof = comparison.proof
    known = proof is not None and math.isfinite(proof.least) and math.isfinite(proof.most)
    return {
        "network": comparison.first.network.name,
        "first": _plan_document(comparison, 0),
        "second": _plan_document(comparison, 1),
        "proof": {**asdict(proof), "told_apart": proof.told_apart} if proof is not None and known else None,
        "certainty": proof_words(comparison),
        "priorities": [asdict(row) for row in comparison.priorities],
        "sites": [{**asdict(site), "change": site.change} for site in comparison.sites],
        "needs": [{**asdict(need), "change": need.change} for need in comparison.needs],
        "fleets": [asdict(fleet) for fleet in comparison.fleets],
        "written": written,
    }


def _plan_document(comparison: Comparison, which: int) -> dict[str, Any]:
    plan = (comparison.first, comparison.second)[which]
    return {
        "label": comparison.labels[which],
        "scenario": plan.scenario,
        "fairness": plan.fairness,
        "status": plan.status,
        "solver": plan.solver,
        "objective": plan.objective,
        "bound": plan.bound if math.isfinite(plan.bound) else None,
        "certainty": gap_words(plan),
        "totals": asdict(comparison.totals[which]),
    }
