"""The words of a plan: who is worst off, what is short, which trucks are full, how certain it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from abasto.network import Network
from abasto.planner.disruption import Disrupted
from abasto.planner.plan import MET_TOLERANCE, Plan
from abasto.tables.target import Targets

__all__ = [
    "FleetUse",
    "PlanSummary",
    "PriorityUse",
    "ShortNeed",
    "WorstPlace",
    "aligned",
    "amount",
    "and_more",
    "counted",
    "day_words",
    "gap_words",
    "is_fully_met",
    "need_name",
    "people_at",
    "percent",
    "plan_document",
    "plan_lines",
    "summarize",
]

Floats = npt.NDArray[np.float64]

FULL_SHARE = 0.99
"""A fleet counts as full on a day when it uses at least this share of its vehicle-hours."""


@dataclass(frozen=True, slots=True)
class WorstPlace:
    """A site and how it is served over all its needs and days, weighted by priority, and its worst need."""

    site: str
    name: str
    people: float
    coverage: float
    need: str
    need_name: str
    need_coverage: float
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class ShortNeed:
    """A good or nutrient that is not fully met somewhere; quantities in its unit, over all sites and days."""

    need: str
    name: str
    unit: str
    needed: float
    met: float
    sites: int
    people: float
    cause: str
    remedy: str

    @property
    def unmet(self) -> float:
        return self.needed - self.met


@dataclass(frozen=True, slots=True)
class FleetUse:
    """Vehicle-hours of a fleet over the horizon, used and available in the plan's scenario."""

    fleet: str
    hours_used: float
    hours_available: float
    full_days: int
    days: int

    @property
    def share(self) -> float:
        """Hours used ÷ hours available; 0 for a fleet that has none."""
        return self.hours_used / self.hours_available if self.hours_available > 0 else 0.0


@dataclass(frozen=True, slots=True)
class PriorityUse:
    """People-days of need of one priority, and how many of them are met."""

    priority: str
    needed: float
    met: float


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What a person wants to know first about a plan; `worst` and `short` hold only what is not met, worst first."""

    mean_coverage: float
    worst_5_percent_coverage: float
    lowest_coverage: float
    priorities: tuple[PriorityUse, ...]
    worst: tuple[WorstPlace, ...]
    short: tuple[ShortNeed, ...]
    fleets: tuple[FleetUse, ...]
    gap: str


def summarize(plan: Plan) -> PlanSummary:
    """Return what a person wants to know first about `plan`."""
    row = next(plan.summary.rows())
    return PlanSummary(
        mean_coverage=float(row["mean_coverage"]),
        worst_5_percent_coverage=float(row["worst_5_percent_coverage"]),
        lowest_coverage=float(row["lowest_coverage"]),
        priorities=_priorities(row),
        worst=worst_places(plan),
        short=short_needs(plan),
        fleets=fleet_uses(plan),
        gap=gap_words(plan),
    )


def is_fully_met(plan: Plan) -> bool:
    """Return whether every need is met at every site on every day."""
    return not bool(_is_short(plan).any())


def _is_short(plan: Plan) -> npt.NDArray[np.bool_]:
    short: npt.NDArray[np.bool_] = np.asarray(plan.coverage["coverage"], dtype=np.float64) < 1 - MET_TOLERANCE
    return short


def _priorities(row: dict[str, Any]) -> tuple[PriorityUse, ...]:
    names = [name.removeprefix("needed_p") for name in row if name.startswith("needed_p")]
    return tuple(PriorityUse(name, float(row[f"needed_p{name}"]), float(row[f"met_p{name}"])) for name in names)


def worst_places(plan: Plan) -> tuple[WorstPlace, ...]:
    """Return the sites where something is short, the least covered first, and of equals the most populous."""
    table = plan.coverage
    short = _is_short(plan)
    if not short.any():
        return ()
    sites, site_of = np.unique(_texts(table["site"]), return_inverse=True)
    needs, need_of = np.unique(_texts(table["need"]), return_inverse=True)
    coverage = np.asarray(table["coverage"], dtype=np.float64)
    weight = 10.0 ** (1.0 - np.asarray(table["priority"], dtype=np.float64))
    days = np.asarray(table["day"], dtype=np.int64)
    mean = np.bincount(site_of, coverage * weight) / np.bincount(site_of, weight)

    pair_of = site_of * len(needs) + need_of
    pairs, place = np.unique(pair_of, return_inverse=True)
    pair_mean = np.bincount(place, coverage) / np.bincount(place)
    first, last = np.full(len(pairs), plan.network.days + 1), np.zeros(len(pairs), dtype=np.int64)
    np.minimum.at(first, place[short], days[short])
    np.maximum.at(last, place[short], days[short])

    known = {site.site: site for site in plan.network.sites}
    people = people_at(plan.network)
    worst_pair: dict[int, int] = {}
    for index in np.argsort(pair_mean, kind="stable")[::-1]:
        if last[index] > 0:
            worst_pair[int(pairs[index]) // len(needs)] = int(index)
    places = []
    for site_index, index in worst_pair.items():
        site = known[str(sites[site_index])]
        need = str(needs[int(pairs[index]) % len(needs)])
        places.append(
            WorstPlace(
                site=site.site,
                name=site.name or site.site,
                people=people[site.site],
                coverage=float(mean[site_index]),
                need=need,
                need_name=need_name(plan.network, need),
                need_coverage=float(pair_mean[index]),
                first_day=int(first[index]),
                last_day=int(last[index]),
            )
        )
    return tuple(sorted(places, key=lambda place: (round(place.coverage, 9), -place.people, place.site)))


def short_needs(plan: Plan) -> tuple[ShortNeed, ...]:
    """Return the goods and nutrients that are short somewhere, the one with the greatest share missing first."""
    table = plan.coverage
    short = _is_short(plan)
    names = _texts(table["need"])
    sites = _texts(table["site"])
    needed = np.asarray(table["needed"], dtype=np.float64)
    met = np.asarray(table["met"], dtype=np.float64)
    people = people_at(plan.network)
    units = {good.good: good.unit for good in plan.network.goods}
    causes = _main_causes(plan)
    found = []
    for need in np.unique(names[short]).tolist():
        of_need = names == need
        places = np.unique(sites[of_need & short]).tolist()
        cause, remedy = causes.get(need, ("", ""))
        found.append(
            ShortNeed(
                need=need,
                name=need_name(plan.network, need),
                unit=units.get(need, ""),
                needed=float(needed[of_need].sum()),
                met=float(met[of_need].sum()),
                sites=len(places),
                people=sum(people[place] for place in places),
                cause=cause,
                remedy=remedy,
            )
        )
    return tuple(sorted(found, key=lambda need: (-need.unmet / need.needed, need.need)))


def _main_causes(plan: Plan) -> dict[str, tuple[str, str]]:
    """Return for each need the cause of the greatest part of what is missing, and the remedy that stands beside it."""
    unmet: dict[str, dict[tuple[str, str], float]] = {}
    columns = (plan.shortages[name].tolist() for name in ("need", "cause", "remedy", "unmet"))
    for need, cause, remedy, quantity in zip(*columns, strict=True):
        of_need = unmet.setdefault(need, {})
        of_need[cause, remedy] = of_need.get((cause, remedy), 0.0) + quantity
    return {need: max(parts, key=lambda words: parts[words]) for need, parts in unmet.items()}


def fleet_uses(plan: Plan) -> tuple[FleetUse, ...]:
    """Return every fleet's use over the horizon, the fullest first.

    Fleets whose trips take no hours, such as those of goods on their way, can never be full and are left out.
    """
    network = plan.network
    available = fleet_hours(network, plan.scenario)
    used = {fleet.fleet: np.zeros(network.days) for fleet in network.fleets}
    for row in plan.trips.rows():
        used[str(row["fleet"])][int(row["day"]) - 1] += float(row["vehicle_hours"])
    uses = []
    slow = {lane.mode for lane in network.lanes if lane.travel_hours > 0}
    idle = {fleet.fleet for fleet in network.fleets if fleet.mode not in slow and not fleet.handling_hours}
    for fleet, hours in available.items():
        if fleet in idle and not used[fleet].any():
            continue
        full = (hours > 0) & (used[fleet] >= FULL_SHARE * hours)
        uses.append(
            FleetUse(
                fleet=fleet,
                hours_used=float(used[fleet].sum()),
                hours_available=float(hours.sum()),
                full_days=int(full.sum()),
                days=int((hours > 0).sum()),
            )
        )
    return tuple(sorted(uses, key=lambda use: (-use.share, use.fleet)))


def fleet_hours(network: Network, scenario: str | None) -> dict[str, Floats]:
    """Return the vehicle-hours each fleet has on each day of the horizon in a scenario."""
    left = Disrupted(network, scenario, Targets(network))
    hours: dict[str, Floats] = {}
    for fleet in network.fleets:
        a_day = np.zeros(network.days)
        last = network.days if fleet.to_day is None else min(network.days, fleet.to_day)
        for day in range(max(1, fleet.from_day or 1), last + 1):
            share = left.fleet(fleet.fleet, fleet.site, day - 1)
            a_day[day - 1] = fleet.vehicles * fleet.hours_per_day * share
        hours[fleet.fleet] = a_day
    return hours


def people_at(network: Network) -> dict[str, float]:
    """Return how many people each site serves: its own, or the most that one of its needs names (a school's pupils)."""
    people = {site.site: site.people for site in network.sites}
    for need in network.needs:
        if need.people is not None:
            people[need.site] = max(people[need.site], need.people)
    return people


def need_name(network: Network, need: str) -> str:
    """Return the name people know a good by; a nutrient's id is its name."""
    return next((good.name for good in network.goods if good.good == need and good.name), need)


def _texts(values: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    return np.asarray(values, dtype=np.str_)


def percent(share: float) -> str:
    """Return a share in percent; only what is whole but for rounding reads 100 %, only what is nothing reads 0 %.

    >>> percent(0.874), percent(0.0004), percent(0.9996), percent(0.99999)
    ('87 %', '<0.1 %', '>99.9 %', '100 %')
    """
    if math.isnan(share):
        return "–"
    if share <= MET_TOLERANCE or share >= 1 - MET_TOLERANCE:
        return f"{round(share * 100)} %"
    if share < 0.001:
        return "<0.1 %"
    if share > 0.999:
        return ">99.9 %"
    return f"{share * 100:.1f} %" if share < 0.01 or share > 0.99 else f"{share * 100:.0f} %"


def percent_at_most(share: float) -> str:
    """Return a bound in percent, rounded up to two figures so that the words never promise too much.

    >>> percent_at_most(0.00561), percent_at_most(0.0303), percent_at_most(1.25)
    ('0.57 %', '3.1 %', '130 %')
    """
    value = share * 100
    if value < 0.001:
        return "0.001 %"
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    rounded = math.ceil(value / step - 1e-9) * step
    return f"{rounded:.{max(0, round(-math.log10(step)))}f} %"


def amount(quantity: float, unit: str = "") -> str:
    """Return a quantity as people write it: three figures where it is small, whole where it is large, then the unit.

    >>> amount(12345.6, "kg"), amount(3.14159), amount(0.0)
    ('12,346 kg', '3.14', '0')
    """
    text = f"{quantity:,.0f}" if abs(quantity) >= 100 or quantity == 0 else f"{quantity:.3g}"
    return f"{text} {unit}".strip()


def day_words(first: int, last: int) -> str:
    """Return a span of days in words.

    >>> day_words(3, 3), day_words(3, 7)
    ('day 3', 'days 3 to 7')
    """
    return f"day {first}" if first == last else f"days {first} to {last}"


def gap_words(plan: Plan) -> str:
    """Return how far the plan is at most from the best possible one, in words."""
    if math.isinf(plan.gap) or math.isnan(plan.gap):
        return "how much better another plan could be is not known"
    if plan.status == "stopped":
        below = (plan.bound - plan.objective) / plan.bound if plan.bound > plan.objective else 0.0
        return f"stopped: best plan so far, at most {percent_at_most(below)} below the best possible"
    if plan.gap <= 1e-9:
        return "no plan can be better"
    return f"no plan can be more than {percent_at_most(plan.gap)} better"


def plan_lines(plan: Plan, *, most: int = 5) -> list[str]:
    """Return the summary of a plan as lines of plain text, with at most `most` entries in each list."""
    words = summarize(plan)
    network = plan.network
    lines = [
        f"{network.name}: {counted(network.days, 'day')} from {network.start}, "
        f"{counted(len(network.sites), 'site')}, {network.people:,.0f} people"
        + (f", scenario {plan.scenario}" if plan.scenario else ""),
        f"Planned in {plan.seconds:.1f} s ({plan.solver} solver); {words.gap}.",
        "",
    ]
    if not plan.coverage.n_rows:
        lines.append("Nothing is needed: there are neither needs nor rations nor requirements on these days.")
    elif not words.worst:
        lines.append("Every need is met at every place on every day.")
    else:
        lines.append(
            f"On average {percent(words.mean_coverage)} of what is needed is met; the worst-off 5 % get "
            f"{percent(words.worst_5_percent_coverage)}, the worst served {percent(words.lowest_coverage)}."
        )
    for use in words.priorities:
        share = use.met / use.needed if use.needed > 0 else 1.0
        lines.append(f"  priority {use.priority}: {percent(share)} of {use.needed:,.0f} people-days of need")
    lines += _worst_lines(words.worst, most)
    lines += _short_lines(words.short, most)
    lines += _fleet_lines(words.fleets, most)
    return lines


def fairness_words(plan: Plan, greatest: Plan) -> str:
    """Say what the plan's fairness costs, beside `greatest`, a plan of the same network with fairness 0."""
    ours, total = summarize(plan), summarize(greatest)
    means = f"{percent(total.mean_coverage)} of what is needed on average instead of {percent(ours.mean_coverage)}"
    worst = f"{percent(total.worst_5_percent_coverage)} instead of {percent(ours.worst_5_percent_coverage)}"
    sure = " (the best found so far)" if greatest.status == "stopped" else ""
    return (
        f"What fairness {plan.fairness:g} costs: the greatest total, --fairness 0, meets {means}; "
        f"the worst-off 5 % then get {worst}{sure}."
    )


def counted(number: int, thing: str) -> str:
    """Return how many there are of a thing whose plural ends in s.

    >>> counted(1, "day"), counted(1200, "site")
    ('1 day', '1,200 sites')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _worst_lines(worst: Sequence[WorstPlace], most: int) -> list[str]:
    if not worst:
        return []
    lines = ["", "Worst off"]
    rows = [
        (
            place.name,
            f"{place.people:,.0f} people",
            percent(place.coverage),
            f"least: {place.need_name}, {percent(place.need_coverage)}, short on "
            + day_words(place.first_day, place.last_day),
        )
        for place in worst[:most]
    ]
    lines += aligned(rows, right=(1, 2))
    return lines + and_more(len(worst) - most, "place", "places")


def _short_lines(short: Sequence[ShortNeed], most: int) -> list[str]:
    if not short:
        return []
    lines = ["", "Short"]
    for need in short[:most]:
        places = "1 place" if need.sites == 1 else f"{need.sites} places"
        lines.append(
            f"  {need.name}: {amount(need.unmet, need.unit)} of {amount(need.needed, need.unit)} missing "
            f"({percent(need.unmet / need.needed)}), at {places}"
        )
        if need.cause:
            lines.append(f"    mostly because: {need.cause}")
        if need.remedy:
            lines.append(f"    what would help: {need.remedy}")
    return lines + and_more(len(short) - most, "need", "needs")


def _fleet_lines(fleets: Sequence[FleetUse], most: int) -> list[str]:
    if not fleets:
        return []
    full = [use for use in fleets if use.full_days]
    used, available = sum(use.hours_used for use in fleets), sum(use.hours_available for use in fleets)
    share = percent(used / available) if available > 0 else "none"
    lines = ["", f"Trucks ({share} of all vehicle-hours used)"]
    if not full:
        return [*lines, "  no fleet is full on any day"]
    rows = [
        (use.fleet, f"full on {use.full_days} of {use.days} days", f"{percent(use.share)} of its hours used")
        for use in full[:most]
    ]
    lines += aligned(rows)
    return lines + and_more(len(full) - most, "full fleet", "full fleets")


def and_more(count: int, one: str, many: str) -> list[str]:
    """Return the line that says how many entries a list leaves out; none where it leaves out none."""
    return [f"  … and {count:,} more {one if count == 1 else many}"] if count > 0 else []


def aligned(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Return rows as lines whose columns stand one below the other, two blanks apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(widths[column]) if column in right else cell.ljust(widths[column])
            for column, cell in enumerate(row)
        ]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def plan_document(plan: Plan, *, written: str | None = None, greatest: Plan | None = None) -> dict[str, Any]:
    """Return the plan's summary as one JSON object; a gap that is not known is null. `written` is the folder of tables.

    Keys: network, scenario, status, solver, fairness, seconds, objective, bound, gap, gap_of_unmet (shares), certainty
    (words), fully_met, summary (the row of the plan's summary table), worst_places, short (by good or nutrient),
    shortages (the plan's table), fleets, written, and greatest_total: coverage of `greatest`, a plan with fairness 0.
    """
    words = summarize(plan)
    return {
        "network": plan.network.name,
        "scenario": plan.scenario,
        "status": plan.status,
        "solver": plan.solver,
        "fairness": plan.fairness,
        "seconds": plan.seconds,
        "objective": plan.objective,
        "bound": _finite(plan.bound),
        "gap": _finite(plan.gap),
        "gap_of_unmet": _finite(plan.gap_of_unmet),
        "certainty": words.gap,
        "fully_met": not words.worst,
        "summary": {name: _finite(value) for name, value in next(plan.summary.rows()).items()},
        "worst_places": [asdict(place) for place in words.worst],
        "short": [{**asdict(need), "unmet": need.unmet} for need in words.short],
        "shortages": [{name: _finite(value) for name, value in row.items()} for row in plan.shortages.rows()],
        "fleets": [{**asdict(use), "share": use.share} for use in words.fleets],
        "written": written,
        "greatest_total": None
        if greatest is None
        else {
            "mean_coverage": summarize(greatest).mean_coverage,
            "worst_5_percent_coverage": summarize(greatest).worst_5_percent_coverage,
            "status": greatest.status,
        },
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
