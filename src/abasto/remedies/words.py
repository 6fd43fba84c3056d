"""Remedies in words: what each is, what it brings and how sure that is, as a dispatcher would say it; and as rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from abasto.network import Network
from abasto.planner.make import Solved
from abasto.planner.plan import Plan
from abasto.planner.problem import weighted_people_days
from abasto.remedies.change import batches_instead
from abasto.remedies.remedy import Remedy, Verified
from abasto.summary import amount, day_words, is_fully_met, need_name, percent, summarize

__all__ = ["remedies_document", "remedies_lines", "remedy_rows", "what"]

COLUMNS = (
    "kind", "target", "what", "amount", "unit", "from", "to", "promise", "promise_per_unit",
    "gain", "lower", "upper", "others", "own", "people_days",
)  # fmt: skip
"""Of the table that `--out` writes; gains and promises in weighted people-days."""
NOTHING = 1e-4
"""A gain below this share of its promise, proven, counts as none."""
MOST_GAINERS = 3
MOSTLY_OPEN = 0.9
"""From this gap of unmet on, a plan is short of little but more search."""


def what(network: Network, scenario: str | None, remedy: Remedy) -> str:
    """Return what a remedy is, in words, without its days."""
    ids = remedy.target
    name = {site.site: site.name or site.site for site in network.sites}
    quantity = amount(remedy.amount, remedy.unit.removesuffix(" a day"))
    if remedy.kind == "vehicle":
        hit = scenario is not None and any(row.scenario == scenario for row in network.disruptions)
        return f"one more vehicle {'on the road ' if hit else ''}for {ids[0]}"
    if remedy.kind == "labour":
        return f"{remedy.amount:g} more working hours a day at {name[ids[0]]}"
    if remedy.kind == "stock":
        return f"{quantity} of {need_name(network, ids[1])} more on hand at {name[ids[0]]}"
    if remedy.kind == "supply":
        return f"{quantity} of {need_name(network, ids[1])} more a day to take in at {name[ids[0]]}"
    if remedy.kind == "batches":
        return f"{_batches(remedy.amount)} of {ids[1]} more a day at {name[ids[0]]}"
    if remedy.kind == "lane":
        return f"{quantity} a day more on the lane {_lane(network, name, ids)}"
    if remedy.kind == "storage":
        return f"room for {quantity} more at {name[ids[0]]}"
    if remedy.kind == "reserve":
        return f"a reserve of {need_name(network, ids[1])} smaller by {quantity} at {name[ids[0]]}"
    if remedy.kind == "switch":
        other = _batches(remedy.amount * batches_instead(network, *ids))
        return f"{_batches(remedy.amount)} of {ids[1]} a day at {name[ids[0]]} switched to {other} of {ids[2]}"
    if remedy.kind == "ration":
        return f"a ration of {need_name(network, ids[0])} lower by a tenth"
    return _restored(network, name, scenario, remedy)


def _restored(network: Network, name: dict[str, str], scenario: str | None, remedy: Remedy) -> str:
    kind, *ids = remedy.target
    if kind == "fleet":
        return f"all vehicles of {ids[0]} back at work"
    if kind == "site":
        return f"{name[ids[0]]} restored, with its lanes, plants, fleets and supplies"
    if kind == "lane":
        return f"lane {_lane(network, name, tuple(ids))} reopened"
    if kind == "plant":
        return f"all {ids[1]} at {name[ids[0]]} restored"
    return f"the whole supply of {need_name(network, ids[1])} at {name[ids[0]]} restored"


def _lane(network: Network, name: dict[str, str], ids: tuple[str, ...]) -> str:
    two_way = any((row.from_site, row.to_site) == ids and row.two_way for row in network.lanes)
    return f"{name[ids[0]]} – {name[ids[1]]}" if two_way else f"{name[ids[0]]} to {name[ids[1]]}"


def _batches(number: float) -> str:
    return "1 batch" if number == 1 else f"{number:,.4g} batches"


def when(network: Network, remedy: Remedy) -> str:
    """Return on which days a remedy counts; of stock, a reserve or a ration nothing has to be said."""
    if remedy.kind in ("stock", "reserve", "ration"):
        return ""
    if (remedy.first, remedy.last) == (1, network.days):
        return ", all days"
    counts = "counts on " if remedy.kind in ("vehicle", "lane", "storage") else ""
    return f", {counts}{day_words(remedy.first, remedy.last)}"


def remedies_lines(solved: Solved, remedies: Sequence[Remedy]) -> list[str]:
    """Return the remedies as lines of plain text: those solved again first, each with both figures."""
    plan, network = solved.plan, solved.problem.network
    lines = _heading(solved)
    if is_fully_met(plan):
        return [*lines, "Nothing is short: every need is met at every place on every day."]
    additions = [remedy for remedy in remedies if remedy.kind != "ration"]
    rations = [remedy for remedy in remedies if remedy.kind == "ration"]
    if not remedies:
        return [*lines, f"Nothing was found that would help: {_why_nothing(plan)}."]
    solved_again = [remedy for remedy in additions if remedy.solved is not None]
    promised = [remedy for remedy in additions if remedy.solved is None]
    number = 1
    for title, group in (
        ("What would help most, each planned anew", solved_again),
        ("Promised by the prices, not planned anew; what comes out may be less", promised),
    ):
        if group:
            lines += ["", title]
        for remedy in group:
            lines += _remedy_lines(network, solved.problem.scenario, remedy, f"{number:3}. ")
            number += 1
    if rations:
        lines += ["", "If a ration were lowered: nobody is served more in all, goods move from one need to another"]
        for remedy in rations:
            lines += _remedy_lines(network, solved.problem.scenario, remedy, "   - ")
    return [*lines, "", _unit_words(solved)]


def _why_nothing(plan: Plan) -> str:
    if plan.gap_of_unmet >= MOSTLY_OPEN and plan.status != "stopped":
        return "the plan lacks nothing that has a price, only more search"
    if plan.status == "stopped":
        return "the search was stopped before prices were known; give it more time"
    return "nothing that could be added to what the tables hold has a price"


def _heading(solved: Solved) -> list[str]:
    plan = solved.plan
    words = summarize(plan)
    where = f"{plan.network.name}" + (f", scenario {plan.scenario}" if plan.scenario else "")
    parts = [
        f"{percent(use.met / use.needed if use.needed > 0 else 1.0)} of priority {use.priority}"
        for use in words.priorities
    ]
    missing = weighted_people_days(plan.full_value - plan.objective, plan.fairness)
    met = f"The plan meets {' and '.join(parts)}; {_people(missing)} weighted people-days of need are missing."
    if not parts:
        return [where, "Nothing is needed on these days."]
    if plan.gap_of_unmet >= MOSTLY_OPEN and not is_fully_met(plan):
        more = "a longer --time-limit" if plan.status == "stopped" else "a smaller --gap"
        met += f" That is hardly more than the search left open: {more} comes before any remedy."
    return [where, met]


def _unit_words(solved: Solved) -> str:
    known = weighted_people_days(max(0.0, solved.plan.bound - solved.plan.objective), solved.plan.fairness)
    sure = "" if known < 0.05 else f" The plan itself is at most {_people(known)} from the best one."
    return (
        "One weighted people-day is the need of one person on one day, of priority 1, from nothing to full; first "
        f"tenths weigh more (fairness {solved.plan.fairness:g}), and each step of priority ten times less.{sure}"
    )


def _remedy_lines(network: Network, scenario: str | None, remedy: Remedy, mark: str) -> list[str]:
    indent = " " * len(mark)
    title = what(network, scenario, remedy)
    lines = [f"{mark}{title[0].upper()}{title[1:]}{when(network, remedy)}"]
    found = remedy.solved
    if found is None:
        return [*lines, f"{indent}prices promise at most {_people(remedy.promise)} weighted people-days"]
    if remedy.kind == "ration":
        return [*lines, *(indent + line for line in _ration_lines(network, remedy, found))]
    lines.append(indent + _gain_words(remedy, found))
    if found.gain != 0 and not _is_nothing(remedy, found):
        lines.append(indent + _plain_words(found))
        if found.gainers:
            lines.append(indent + _where_words(network, found))
    return lines


def _is_nothing(remedy: Remedy, found: Verified) -> bool:
    trifle = NOTHING * max(1.0, remedy.promise)
    return found.upper <= trifle and found.gain >= -trifle


def _gain_words(remedy: Remedy, found: Verified) -> str:
    promised = f"prices promised {_people(remedy.promise)}"
    if _is_nothing(remedy, found):
        return f"serves nobody more once planned anew ({promised}): something else is short as well"
    between = f"proven between {_people(found.lower)} and {_people(found.upper)}"
    if found.gain == 0:
        return f"brought nothing that this search can tell ({promised}; {between})"
    if found.gap <= 1e-9 and found.upper - found.lower <= 1e-6 * max(1.0, found.upper):
        between = "proven to the last digit"
    if found.lower <= 0 <= found.upper:
        between = f"less than this search can tell apart: between {_people(found.lower)} and {_people(found.upper)}"
    if found.gain < 0:
        return f"serves {_people(-found.gain)} fewer weighted people-days of need ({promised}; {between})"
    return f"serves {_people(found.gain)} more weighted people-days of need ({promised}; {between})"


def _plain_words(found: Verified) -> str:
    parts = [
        f"{_people(abs(days))} {'more' if days >= 0 else 'fewer'} of priority {priority}"
        for priority, days in found.people_days
        if _people(abs(days)) != "0"
    ]
    return f"counted plainly, people-days of need met: {', '.join(parts) or 'as many as before'}"


def _where_words(network: Network, found: Verified) -> str:
    """Return who gains most, places with the same need together."""
    name = {site.site: site.name or site.site for site in network.sites}
    places: dict[str, list[str]] = {}
    for gainer in found.gainers[:MOST_GAINERS]:
        places.setdefault(need_name(network, gainer.need), []).append(name[gainer.site])
    parts = [f"{need} in {_and(sites)}" for need, sites in places.items()]
    return f"most of all {'; '.join(parts)}"


def _and(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    >>> _and(["Hill", "River", "Park"])
    'Hill, River and Park'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _ration_lines(network: Network, remedy: Remedy, found: Verified) -> list[str]:
    assert found.others is not None
    assert found.own is not None
    good = need_name(network, remedy.target[0])
    signs = f"other needs {_signed(found.others)}, {good} itself {_signed(found.own)}"
    open_ = " (no more than what the search of the plan left open)" if _people(max(0.0, found.counted)) != "0" else ""
    return [
        f"weighted people-days, counted against the ration as it is: {signs}; together {_signed(found.counted)}{open_}",
        f"counted against the lower ration {_signed(found.gain)} (prices promised {_people(remedy.promise)})",
    ]


def _people(number: float) -> str:
    """Return people-days as people say them: three figures, whole from ten on.

    >>> _people(208664.0), _people(357.19), _people(3.14), _people(0.0), _people(-3.14)
    ('209,000', '357', '3.1', '0', '−3.1')
    """
    if abs(number) < 0.05:
        return "0"
    if abs(number) < 10:
        return f"{number:.1f}".replace("-", "−")
    step = 10.0 ** max(0, math.floor(math.log10(abs(number))) - 2)
    return f"{round(number / step) * step:,.0f}".replace("-", "−")


def _signed(number: float) -> str:
    text = _people(abs(number))
    return "no change" if text == "0" else f"{'+' if number > 0 else '−'}{text}"


def remedies_document(solved: Solved, remedies: Sequence[Remedy], *, written: str | None = None) -> dict[str, Any]:
    """Return the remedies as one JSON object; gains and promises in weighted people-days, what is not known null.

    Keys: network, scenario, fairness, solver, status, gap, missing, fully_met, remedies (each with kind, target, what,
    amount, unit, first_day, last_day, promise, promise_per_unit and solved, an object or null), and written.
    """
    plan, network = solved.plan, solved.problem.network
    return {
        "network": network.name,
        "scenario": plan.scenario,
        "fairness": plan.fairness,
        "solver": plan.solver,
        "status": plan.status,
        "gap": plan.gap if math.isfinite(plan.gap) else None,
        "missing": weighted_people_days(plan.full_value - plan.objective, plan.fairness),
        "fully_met": is_fully_met(plan),
        "remedies": [_object(network, plan.scenario, remedy) for remedy in remedies],
        "written": written,
    }


def _object(network: Network, scenario: str | None, remedy: Remedy) -> dict[str, Any]:
    found = remedy.solved
    return {
        "kind": remedy.kind,
        "target": list(remedy.target),
        "what": what(network, scenario, remedy),
        "amount": remedy.amount,
        "unit": remedy.unit,
        "first_day": remedy.first,
        "last_day": remedy.last,
        "promise": remedy.promise,
        "promise_per_unit": remedy.promise_per_unit,
        "solved": None
        if found is None
        else {
            **asdict(found),
            "people_days": dict(found.people_days),
            "gap": found.gap if math.isfinite(found.gap) else None,
            "counted": found.counted,
            "told_apart": found.told_apart,
        },
    }


def remedy_rows(solved: Solved, remedies: Sequence[Remedy]) -> tuple[Sequence[str], list[list[str]]]:
    """Return the header and the cells of the remedies as a table; what was not planned anew is blank."""
    network, scenario = solved.problem.network, solved.problem.scenario
    rows = []
    for remedy in remedies:
        found = remedy.solved
        figures: list[float | None] = [remedy.promise, remedy.promise_per_unit]
        figures += [None] * 6 if found is None else [
            found.gain, found.lower, found.upper, found.others, found.own, sum(days for _, days in found.people_days)
        ]  # fmt: skip
        cells = [remedy.kind, "/".join(remedy.target), what(network, scenario, remedy), f"{remedy.amount:.15g}"]
        cells += [remedy.unit, str(remedy.first), str(remedy.last)]
        rows.append(cells + ["" if figure is None else f"{figure:.15g}" for figure in figures])
    return COLUMNS, rows
