"""Plans → one HTML page: figures side by side, maps, coverage by place and day, shortages, trucks, what is made."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from abasto.network import Network, Site
from abasto.planner.plan import MET_TOLERANCE, Plan
from abasto.report.heat import MOST_CELLS, HeatRow, HeatTable, heat_table, level
from abasto.report.map import LEVEL_WORDS, draw_map, lane_tonnes, most_moved, site_coverage, sites_off_the_map
from abasto.summary import PlanSummary, amount, day_words, need_name, people_at, percent, summarize

__all__ = ["environment", "hash_of", "label_of", "render", "source"]

MOST_ROWS = 30
"""Rows of a table on the page; the plan's CSV tables hold all of them."""
MOST_SHORTAGES = 15
"""Their causes repeat from place to place; the first ones tell the story."""
WORST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Shortage:
    """A run of days on which a place is short of one or more things for one reason, and what would help."""

    place: str
    days: str
    missing: tuple[tuple[str, str], ...]
    cause: str
    remedy: str


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """What is carried from one place to another over the whole horizon, and by how many trips."""

    start: str
    end: str
    tonnes: float
    trips: float


@dataclass(frozen=True, slots=True)
class Made:
    """Batches of a recipe made at a place over the whole horizon, and on how many days."""

    place: str
    recipe: str
    batches: float
    days: int


@dataclass(frozen=True, slots=True)
class PlanView:
    """A plan as the page shows it."""

    label: str
    plan: Plan
    words: PlanSummary
    map: Markup
    off_the_map: tuple[tuple[str, str], ...]
    heat: HeatTable
    worst: tuple[HeatRow, ...]
    shortages: tuple[Shortage, ...]
    shortages_in_all: int
    lanes: tuple[LaneLoad, ...]
    lanes_in_all: int
    made: tuple[Made, ...]
    made_in_all: int


def render(plans: Sequence[Plan], *, title: str = "", attribution: str = "") -> str:
    """Return one self-contained HTML page that shows `plans` of one network side by side.

    The page asks for nothing else, neither files nor network, and allows itself nothing: its own style and script are
    named by hash in its content security policy.
    """
    if not plans:
        raise ValueError("render needs at least one plan; there is none to show.")
    network = plans[0].network
    widest = max(most_moved(plan) for plan in plans)
    cells = MOST_CELLS // len(plans)
    views = tuple(_view(plan, label_of(plan, alone=len(plans) == 1), widest, cells) for plan in plans)
    style, script = source("style.css"), source("script.js")
    template = environment().get_template("page.html.j2")
    return template.render(
        title=title or f"{network.name}: plan for {network.days} days from {network.start}",
        network=network,
        views=views,
        priorities=[use.priority for use in views[0].words.priorities],
        level_words=LEVEL_WORDS,
        data=_data(views, network),
        attribution=attribution,
        version=version("abasto"),
        style=Markup(style),
        script=Markup(script),
        policy=f"default-src 'none'; style-src {hash_of(style)}; script-src {hash_of(script)}; "
        "base-uri 'none'; form-action 'none'",
    )


def environment() -> Environment:
    """Return the templates' environment: everything is escaped, and a name that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("abasto.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=_unbroken(percent), amount=_unbroken(amount), level=level)
    return environment


def _unbroken(words: Callable[..., str]) -> Callable[..., str]:
    """Return a filter whose number and unit stay on one line."""
    return lambda *values: words(*values).replace(" ", "\u00a0")


def label_of(plan: Plan, *, alone: bool = True) -> str:
    """Return what a plan is called, alone or beside those of scenarios."""
    if plan.scenario:
        return f"Scenario {plan.scenario}"
    return "The plan" if alone else "Usual days"


def source(name: str) -> str:
    """Return the text of a file that lies beside this module."""
    from importlib.resources import files

    return files("abasto.report").joinpath(name).read_text(encoding="utf-8")


def hash_of(text: str) -> str:
    """Return the name by which a content security policy allows a style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _view(plan: Plan, label: str, widest: float, cells: int) -> PlanView:
    names = {site.site: site.name or site.site for site in plan.network.sites}
    coverage = site_coverage(plan)
    shortages = _shortages(plan, names)
    heat = heat_table(plan, most_cells=cells)
    lanes, made = _lanes(plan, names), _made(plan, names)
    return PlanView(
        label=label,
        plan=plan,
        words=summarize(plan),
        map=draw_map(plan, most_tonnes=widest, label=f"Map of {plan.network.name}, {label}"),
        off_the_map=tuple((names[site.site], _served(site, coverage)) for site in sites_off_the_map(plan.network)),
        heat=heat,
        worst=tuple(row for row in heat.rows[:WORST_ROWS] if row.coverage < 1 - MET_TOLERANCE),
        shortages=shortages[:MOST_SHORTAGES],
        shortages_in_all=len(shortages),
        lanes=lanes[:MOST_ROWS],
        lanes_in_all=len(lanes),
        made=made[:MOST_ROWS],
        made_in_all=len(made),
    )


def _served(site: Site, coverage: dict[str, float]) -> str:
    return f"{percent(coverage[site.site])} of its needs met" if site.site in coverage else "nothing is needed here"


def _shortages(plan: Plan, names: dict[str, str]) -> tuple[Shortage, ...]:
    """Return the plan's shortages, those that concern the most need of the most people first."""
    units = {good.good: good.unit for good in plan.network.goods}
    people = people_at(plan.network)
    needed: dict[tuple[str, str], float] = {}
    columns = (plan.coverage[name].tolist() for name in ("site", "need", "needed"))
    for site, need, quantity in zip(*columns, strict=True):
        needed[site, need] = needed.get((site, need), 0.0) + quantity

    groups: dict[tuple[str, str, str, str], list[tuple[str, str]]] = {}
    weights: dict[tuple[str, str, str, str], float] = {}
    for row in plan.shortages.rows():
        site, need = row["site"], row["need"]
        group = (site, day_words(row["from"], row["to"]), row["cause"], row["remedy"])
        words = (need_name(plan.network, need), amount(row["unmet"], units.get(need, "")))
        groups.setdefault(group, []).append(words)
        share = row["unmet"] / needed[site, need] if needed.get((site, need)) else 0.0
        weights[group] = weights.get(group, 0.0) + max(people[site], 1.0) * share
    return tuple(
        Shortage(place=names[group[0]], days=group[1], missing=tuple(groups[group]), cause=group[2], remedy=group[3])
        for group in sorted(groups, key=lambda group: -weights[group])
    )


def _lanes(plan: Plan, names: dict[str, str]) -> tuple[LaneLoad, ...]:
    trips: dict[tuple[str, str], float] = {}
    columns = (plan.trips[name].tolist() for name in ("from", "to", "trips"))
    for start, end, number in zip(*columns, strict=True):
        trips[start, end] = trips.get((start, end), 0.0) + number
    loads = [LaneLoad(names[a], names[b], tonnes, trips[a, b]) for (a, b), tonnes in lane_tonnes(plan).items()]
    return tuple(sorted(loads, key=lambda load: (-load.tonnes, load.start, load.end)))


def _made(plan: Plan, names: dict[str, str]) -> tuple[Made, ...]:
    batches: dict[tuple[str, str], list[float]] = {}
    columns = (plan.production[name].tolist() for name in ("site", "recipe", "batches"))
    for site, recipe, number in zip(*columns, strict=True):
        batches.setdefault((site, recipe), []).append(number)
    made = [Made(names[site], recipe, sum(numbers), len(numbers)) for (site, recipe), numbers in batches.items()]
    return tuple(sorted(made, key=lambda row: (-row.batches, row.place, row.recipe)))


def _data(views: Sequence[PlanView], network: Network) -> Markup:
    """Return what the coverage table is drawn from, as JSON that cannot end the script element it stands in."""
    sites = sorted({row.site for view in views for row in view.heat.rows})
    needs = sorted({row.need for view in views for row in view.heat.rows})
    site_index = {site: index for index, site in enumerate(sites)}
    need_index = {need: index for index, need in enumerate(needs)}
    known = {site.site: site for site in network.sites}
    people = people_at(network)
    units = {good.good: good.unit for good in network.goods}
    document = {
        "days": network.days,
        "dates": [network.date_of(day).isoformat() for day in range(1, network.days + 1)],
        "sites": [[known[site].name or site, round(people[site])] for site in sites],
        "needs": [[need_name(network, need), units.get(need, "")] for need in needs],
        "plans": [
            {
                "label": view.label,
                "leftOut": view.heat.left_out,
                "rows": [
                    [
                        site_index[row.site],
                        need_index[row.need],
                        int((row.coverage + MET_TOLERANCE) * 1000),
                        float(f"{row.unmet:.4g}"),
                        _compact(row.days),
                    ]
                    for row in view.heat.rows
                ],
            }
            for view in views
        ],
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _compact(days: tuple[int, ...]) -> int | list[int]:
    """Return the days' coverage, or one number where it is the same every day."""
    return days[0] if len(set(days)) == 1 else list(days)
