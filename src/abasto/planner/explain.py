"""Why needs are short: a cause and a remedy for every shortage of a plan, and the whole story for those asked about.

The table `shortages` holds the short form of what `explain_need` tells at length. docs/why.md says how it is found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from abasto.errors import SettingError
from abasto.planner.binding import Binding, Blocked, Found, Look, Looker
from abasto.planner.causes import Cause, Explanation, Kind, Link, Resource, Standing, Use
from abasto.planner.chain import chain
from abasto.planner.lots import LotFlows
from abasto.planner.obstacles import Obstacle
from abasto.planner.origins import origins
from abasto.planner.paragraph import paragraph
from abasto.planner.problem import Floats, Ints, Problem
from abasto.planner.reasons import (
    KIND_OF,
    days_in_words,
    in_words,
    joined,
    kept_in_words,
    left_in_words,
    mostly_in_words,
    named,
    obstacle_in_words,
)
from abasto.planner.solution import Prices
from abasto.planner.tabulate import Service, Shortage, shortages
from abasto.planner.trace import Reached, Trace
from abasto.planner.users import Asker, Users, find_users
from abasto.planner.walk import Key
from abasto.tables.names import closest

if TYPE_CHECKING:
    from abasto.planner.make import Solved

__all__ = ["explain", "explain_need", "find_needs"]

MOST_DAYS = 7
"""Of a longer run, so many days are walked back from."""
WALKS = 16_000
"""About so many walks in all: where there are very many shortages, fewer days of each."""
MOST_TOLD = 2
"""So many causes stand in a table."""
THOROUGH = 500
"""With so many shortages at most, what is full on a way without a price is named as well."""
WORK = ("lane", "fleet", "plant", "labour")
"""What orders take: of this nothing is free on the days whose orders are kept."""
TRACED = 1_500_000
"""For a table, resources are followed until so many flows between nodes have been looked at; the most harmful first."""


def explain(
    problem: Problem,
    prices: Prices,
    lots: LotFlows,
    served: Service,
    runs: Sequence[Shortage],
    *,
    stopped: bool = False,
    kept_until: int = 0,
    whole: Problem | None = None,
) -> list[tuple[str, str]]:
    """Return the cause and the remedy of each shortage, in words.

    Of a plan that carries on an earlier one, orders before day `kept_until` (from 0) are kept as they were; `whole` is
    the problem with the capacities that these take.
    """
    explainer = _Explainer(problem, prices, lots, served, stopped=stopped, kept_until=kept_until, whole=whole)
    most_days = max(1, min(MOST_DAYS, WALKS // max(1, len(runs))))
    looks = [explainer.looker.look(run, most_days) for run in runs]
    thorough = len(runs) <= THOROUGH
    found = [explainer.looker.find(look, thorough=thorough) for look in looks]
    traced = explainer.worth_tracing(looks, found)
    return [explainer.in_short(look, one, traced) for look, one in zip(looks, found, strict=True)]


def explain_need(solved: Solved, site: str, need: str, day: int | None = None) -> list[Explanation]:
    """Return why a need is short at a site, one explanation for each run of short days, or for the day asked for.

    Where the need is met, a single explanation without causes says from where. `day` counts from 1. Ids that are not
    known, a need that the site does not have and a day outside of the plan raise a `SettingError`.
    """
    problem, served = solved.problem, solved.served
    first, last = find_needs(problem, site, need, day)
    runs = [run for run in shortages(problem, served.coverage) if run.first <= last and run.last >= first]
    runs = [Shortage(max(first, run.first), min(last, run.last)) for run in runs]
    explainer = _Explainer(problem, solved.prices, solved.lots, served, stopped=solved.plan.status == "stopped")
    return [explainer.at_length(run) for run in runs] or [explainer.as_met(Shortage(first, last))]


def find_needs(problem: Problem, site: str, need: str, day: int | None = None) -> tuple[int, int]:
    """Return the first and last index of a site's need, all days or the one asked for; else a `SettingError`.

    Indices follow each other day by day.
    """
    names = (*problem.goods, *problem.nutrients)
    for kind, name, known in (("site", site, problem.sites), ("need", need, names)):
        if name not in known:
            guess = closest(name, known)
            meant = f'; did you mean "{guess}"?' if guess else ""
            raise SettingError(f'{kind} is "{name}", which the network does not know{meant}')
    needs, place, target = problem.needs, problem.sites.index(site), names.index(need)
    here = np.flatnonzero((needs.site == place) & (needs.target == target))
    if not len(here):
        others = [names[other] for other in np.unique(needs.target[needs.site == place]).tolist()]
        has = f"it needs {joined(others)}" if others else "nothing is needed there"
        raise SettingError(f'"{site}" has no need for "{need}"; {has}')
    if day is None:
        return int(here[0]), int(here[-1])
    if not 1 <= day <= problem.days:
        raise SettingError(f"day is {day}; the plan has days 1 to {problem.days}")
    of_day = here[needs.day[here] == day - 1]
    if not len(of_day):
        when = days_in_words(needs.day[here].tolist())
        raise SettingError(f'"{site}" does not need "{need}" on day {day}; it does {when}')
    return int(of_day[0]), int(of_day[0])


class _Explainer:
    """Explains the shortages of one plan."""

    def __init__(
        self,
        problem: Problem,
        prices: Prices,
        lots: LotFlows,
        served: Service,
        *,
        stopped: bool,
        kept_until: int = 0,
        whole: Problem | None = None,
    ) -> None:
        self.problem, self.lots, self.served, self.stopped = problem, lots, served, stopped
        self.kept_until, self.whole = kept_until, problem if whole is None else whole
        self.looker = Looker(problem, prices, lots, served)
        self._users: dict[tuple[Key, tuple[int, ...] | None], tuple[Users, Reached]] = {}

    @cached_property
    def trace(self) -> Trace:
        return Trace(self.problem, self.lots)

    # Who uses what binds.

    def worth_tracing(self, looks: Sequence[Look], found: Sequence[Found]) -> set[Key]:
        """Return the resources behind most of what people lack, as many as can be followed in a moment."""
        harm: dict[Key, float] = defaultdict(float)
        needs = self.problem.needs
        for look, one in zip(looks, found, strict=True):
            if one.bindings:
                first = one.bindings[0]
                missing = float(needs.weight[look.run.first]) * look.missing / float(needs.amount[look.run.first])
                harm[first.key] += missing * first.share
        if not harm:
            return set()
        most = max(1, TRACED // max(1, self.trace.n_flows))
        return set(sorted(harm, key=lambda key: -harm[key])[:most])

    def users(self, key: Key, days: tuple[int, ...] | None) -> tuple[Users, Reached]:
        """Return who uses a resource on some days; by default on all days on which it is taken."""
        if (key, days) not in self._users:
            chosen = days
            if chosen is None:
                load = self.looker.load(key)
                chosen = tuple(np.flatnonzero(load >= 0.9).tolist())
            reached = self._reached(key, np.array(chosen, dtype=np.int64))
            self._users[key, days] = find_users(self.problem, self.lots, self.served, reached), reached
        return self._users[key, days]

    def _reached(self, key: Key, days: Ints) -> Reached:
        kind, what, where = key
        if kind == "fleet":
            return self.trace.fleet(what, days)
        if kind == "lane":
            return self.trace.lane(what, days)
        if kind == "plant":
            return self.trace.plant(what, days)
        if kind == "labour":
            return self.trace.labour(where, days)
        if kind == "storage":
            return self.trace.storage(where, days)
        if kind == "supply":
            return self.trace.supply(what, where, days)
        return self.trace.stock(what, where)

    def asker(self, run: Shortage, binding: Binding) -> Asker:
        """Return how the run stands, to compare others with."""
        needs, mine = self.problem.needs, slice(run.first, run.last + 1)
        amount, people = float(needs.amount[mine].sum()), float(needs.people[mine].sum())
        return Asker(
            site=int(needs.site[run.first]),
            target=int(needs.target[run.first]),
            priority=float(needs.priority[mine].min()),
            coverage=float((needs.amount[mine] * self.served.coverage[mine]).sum()) / amount,
            per_person_day=binding.per_unit * amount / people if people > 0 else 0.0,
            tier_value=self.problem.tier_value,
        )

    # In short: the table.

    def in_short(self, look: Look, found: Found, traced: set[Key]) -> tuple[str, str]:
        """Return cause and remedy in a clause or two."""
        parts = []
        if found.blocked is not None:
            clauses, remedy = self._blocked_in_words(look.run, found.blocked)
            parts.append((found.blocked.share, clauses, remedy))
        for place, binding in enumerate(found.bindings):
            cause, remedy = self._binding_in_words(binding)
            if place == 0 and binding.key in traced:
                users, _ = self.users(binding.key, None)
                cause += mostly_in_words(users.mostly(self.asker(look.run, binding)))
            share = 1.0 if found.blocked is None else 1.0 - found.blocked.share
            parts.append((share * binding.share, cause, remedy))
        if not parts:
            return self._unknown()
        parts = sorted(parts, key=lambda part: -part[0])[:MOST_TOLD]
        causes, remedies = [part[1] for part in parts], [part[2] for part in parts]
        if found.cheap and found.blocked is None:
            cause, remedy = self._unforced()
            return f"{causes[0]}; {cause}", remedy
        return "; ".join(dict.fromkeys(causes)), ", and ".join(dict.fromkeys(remedies))

    def _binding_in_words(self, binding: Binding) -> tuple[str, str]:
        if binding.key[0] == "supply" and self._is_left_by_kept_orders(binding.key):
            _, good, site = binding.key
            return left_in_words(self.problem, good, site, days_in_words(binding.days))
        none = binding.key[0] in ("labour", "storage") and self._has_none(binding)
        when = days_in_words(binding.days)
        cause, remedy = in_words(self.problem, binding.key, when, all_of_it=binding.all_of_it, none=none)
        return (f"trips there cost fuel that serves more elsewhere: {cause}" if binding.fuel else cause), remedy

    def _is_left_by_kept_orders(self, key: Key) -> bool:
        """Whether what a site may take in of a good is no supply but what kept orders bring and do not use."""
        _, good, site = key
        return self.kept_until > 0 and (self.problem.sites[site], self.problem.goods[good]) not in self._supplied

    @cached_property
    def _supplied(self) -> set[tuple[str, str]]:
        return {(row.site, row.good) for row in self.problem.network.supplies}

    def _has_none(self, binding: Binding) -> bool:
        kind, _, where = binding.key
        if kind == "storage":
            return float(self.problem.storage_t[where]) <= 0
        return bool((self.problem.labour_hours[where, binding.days] <= 0).all())

    def _unknown(self) -> tuple[str, str]:
        if self.stopped:
            return "the search was stopped before it was clear what binds", "plan again with more time"
        return (
            "nothing is known to prevent it: another plan, as good or better by less than the gap, may serve it",
            "plan again with a smaller gap",
        )

    def _unforced(self) -> tuple[str, str]:
        """Return what is said where what binds costs next to nothing at the plan's prices."""
        if self.stopped:
            return "but the search was stopped before it was clear that this binds", "plan again with more time"
        return "but a plan better by less than the gap may serve it all the same", "plan again with a smaller gap"

    def _blocked_in_words(self, run: Shortage, blocked: Blocked) -> tuple[str, str]:
        """Return why nothing can come, and what would let it."""
        problem, needs = self.problem, self.problem.needs
        what = (*problem.goods, *problem.nutrients)[int(needs.target[run.first])]
        site = problem.sites[int(needs.site[run.first])]
        near = f"stock or a supply of {what} at or near {site}"
        if blocked.obstacles is None:
            if not blocked.places:
                return f"there is no {what} anywhere: no stock, supply or plant that can run", f"a supply of {what}"
            some = joined([problem.sites[place] for place in blocked.places[:2]])
            return f"no lane leads to {site} from where {what} is, such as {some}", f"a lane to {site}, or {near}"
        said = self._nothing_can_come(run, blocked)
        told = [self._obstacle(run, obstacle) for obstacle in blocked.obstacles]
        if not told:
            return f"{said}, for a reason that is not known", near
        causes, remedies = list(dict.fromkeys(one[2] for one in told)), dict.fromkeys(one[3] for one in told)
        return f"{said}: {joined(causes)}", ", and ".join(remedies)

    def _nothing_can_come(self, run: Shortage, blocked: Blocked) -> str:
        problem, needs = self.problem, self.problem.needs
        what = (*problem.goods, *problem.nutrients)[int(needs.target[run.first])]
        there = f"no {what} can be at {problem.sites[int(needs.site[run.first])]}"
        if blocked.first_day is not None and blocked.days == list(range(blocked.first_day)):
            return f"{there} before day {blocked.first_day + 1}"
        return f"{there} {days_in_words(blocked.days)}"

    def _obstacle(self, run: Shortage, obstacle: Obstacle) -> tuple[Kind, Resource | None, str, str]:
        shut = self._shut_days(run, obstacle)
        if obstacle.kind in WORK and obstacle.day < self.kept_until and obstacle.day not in shut:
            return "no_way", None, *kept_in_words(self.problem, obstacle, self.kept_until)
        return obstacle_in_words(self.problem, obstacle, days_in_words(shut or [obstacle.day]))

    def _shut_days(self, run: Shortage, obstacle: Obstacle) -> list[int]:
        """Return on which days until the end of the run there is nothing of what is in the way."""
        problem, what = self.whole, obstacle.what
        capacities: dict[str, Floats] = {
            "lane": problem.lane_tonnes,
            "fleet": problem.fleet_hours,
            "plant": problem.plant_batches,
            "labour": problem.labour_hours,
        }
        if obstacle.kind not in capacities:
            return [obstacle.day]
        until = int(self.problem.needs.day[run.last]) + 1
        return np.flatnonzero(capacities[obstacle.kind][what, :until] <= 0).tolist()

    # At length: for whoever asks.

    def at_length(self, run: Shortage) -> Explanation:
        """Return the whole explanation of a run of short days."""
        look = self.looker.look(run, run.last - run.first + 1)
        found = self.looker.find(look, thorough=True)
        causes = [*self._blocked_causes(run, found.blocked), *self._binding_causes(run, found)]
        causes.sort(key=lambda cause: -cause.share)
        open_end: Kind = "stopped" if self.stopped else "within_gap"
        if not causes:
            causes = [Cause(open_end, None, (), 0.0, (), self._unknown()[0])]
        elif found.cheap and found.blocked is None:
            causes.insert(0, Cause(open_end, None, (), 0.0, (), self._unforced()[0]))
        _, remedy = self.in_short(look, found, set())
        links: tuple[Link, ...] = ()
        worst, ratio = None, None
        if look.servers:
            worst = self._telling_day(look, found)
            links = chain(self.looker, look.servers[worst], [binding.key for binding in found.bindings])
            worth = self.looker.worth(worst)
            ratio = look.servers[worst].price / worth if worth > 0 else None
        return self._explanation(run, tuple(causes), links, worst, ratio, remedy)

    def as_met(self, run: Shortage) -> Explanation:
        """Return from where a need is met that lacks nothing."""
        return self._explanation(run, (), (), None, None, "")

    def _telling_day(self, look: Look, found: Found) -> int:
        """Return the need whose way pays most for what binds most, counted by what is missing; else most is missing."""
        scarce = {binding.key for binding in found.bindings[:1]}

        def harm(need: int) -> tuple[float, float]:
            bill, missing = self.looker.walker.bill(look.servers[need].node), self._missing(need)
            part = sum(part for key, _, _, part in bill if key in scarce) * look.servers[need].ratio
            return part * missing, missing

        return max(look.servers, key=harm)

    def _missing(self, need: int) -> float:
        return float(self.problem.needs.amount[need]) * (1.0 - float(self.served.coverage[need]))

    def _blocked_causes(self, run: Shortage, blocked: Blocked | None) -> list[Cause]:
        if blocked is None:
            return []
        words, _ = self._blocked_in_words(run, blocked)
        days = tuple(day + 1 for day in blocked.days)
        if not blocked.obstacles:
            kind: Kind = "no_way" if blocked.places or blocked.obstacles is not None else "nothing_left"
            return [Cause(kind, None, days, blocked.share, (), words)]
        told = [self._obstacle(run, obstacle) for obstacle in blocked.obstacles]
        intro = self._nothing_can_come(run, blocked)
        return [
            Cause(kind, resource, days, blocked.share, (), said if place else f"{intro}: {said}")
            for place, (kind, resource, said, _) in enumerate(told)
        ]

    def _binding_causes(self, run: Shortage, found: Found) -> list[Cause]:
        rest = 1.0 if found.blocked is None else 1.0 - found.blocked.share
        causes = []
        for binding in found.bindings:
            words, _ = self._binding_in_words(binding)
            days = tuple(day + 1 for day in binding.days)
            use = self._use(run, binding, days)
            kind: Kind = "fuel" if binding.fuel else KIND_OF[binding.key[0]]
            if _share_of(use, "more_urgent") > 0.5:
                kind = "lower_priority"
            resource = named(self.problem, binding.key)
            causes.append(Cause(kind, resource, days, rest * binding.share, tuple(binding.load), words, use))
        return causes

    def _use(self, run: Shortage, binding: Binding, days: tuple[int, ...]) -> Use:
        users, reached = self.users(binding.key, tuple(binding.days))
        asker = self.asker(run, binding)
        return users.use(self.problem, named(self.problem, binding.key), days, reached.ended, asker)

    def _explanation(
        self,
        run: Shortage,
        causes: tuple[Cause, ...],
        links: tuple[Link, ...],
        worst: int | None,
        ratio: float | None,
        remedy: str,
    ) -> Explanation:
        problem, needs, mine = self.problem, self.problem.needs, np.arange(run.first, run.last + 1)
        target, names = int(needs.target[run.first]), (*problem.goods, *problem.nutrients)
        short = 1.0 - self.served.coverage[mine]
        missing = needs.amount[mine] * short
        needed = float(needs.amount[mine].sum())
        story = Explanation(
            site=problem.sites[int(needs.site[run.first])],
            need=names[target],
            unit=problem.network.goods[target].unit if target < len(problem.goods) else "",
            priority=float(needs.priority[mine].min()),
            people=float(needs.people[mine].max()),
            first_day=int(needs.day[run.first]) + 1,
            last_day=int(needs.day[run.last]) + 1,
            needed=needed,
            missing=tuple(missing.tolist()),
            coverage=1.0 - float(missing.sum()) / needed,
            people_days_missing=float(needs.people[mine] @ short),
            causes=causes,
            links=links,
            chain_day=None if worst is None else int(needs.day[worst]) + 1,
            price_to_worth=ratio,
            origins=origins(problem, self.lots, self.trace, mine),
            remedy=remedy,
            words="",
        )
        return replace(story, words=paragraph(story))


def _share_of(use: Use, standing: Standing) -> float:
    """Return the part of what is used that goes to users of a standing."""
    return sum(user.amount for user in use.users if user.standing == standing) / use.used if use.used > 0 else 0.0
