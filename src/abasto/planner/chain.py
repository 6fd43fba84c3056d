"""The chain from a need back to what is scarce: each step of its cheapest way as a claim with its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from abasto.planner.binding import FULL, NEARLY_FULL, SUBSTANTIAL, Looker
from abasto.planner.causes import Link
from abasto.planner.problem import Problem
from abasto.planner.reasons import named, percent, quantity
from abasto.planner.walk import Key, Server, Step

__all__ = ["chain"]

STEPS = {"source": "taken", "kept": "kept", "ship": "sent", "made": "made"}


class _Told(NamedTuple):
    """What is told of a step: the resources it rests on, their days (from 0), at length and shortly."""

    keys: list[Key]
    days: list[int]
    words: str
    brief: str


def chain(looker: Looker, server: Server, binding: Iterable[Key]) -> tuple[Link, ...]:
    """Return the links of a way from the need back: its main branch, and of others whatever binds or costs much."""
    steps = list(looker.walker.walk(server.node, server.ratio))
    price = max(sum(part for step in steps for _, _, part in step.pays), 1e-300)
    scarce = frozenset(binding)
    told = [step for step in steps if (step.main and not step.fuel) or _matters(step, price, scarce)]
    groups: list[list[Step]] = []
    for step in told:
        if groups and _goes_on(looker.problem, groups[-1][-1], step):
            groups[-1].append(step)
        else:
            groups.append([step])
    teller = _Teller(looker.problem, looker, price)
    return tuple(teller.link(group) for group in groups)


def _matters(step: Step, price: float, scarce: frozenset[Key]) -> bool:
    """Return whether a step of a branch pays for what binds, or carries much of the price."""
    paid = sum(part for _, _, part in step.pays)
    return paid >= SUBSTANTIAL * price or any(key in scarce for key, _, _ in step.pays)


def _goes_on(problem: Problem, nearer: Step, further: Step) -> bool:
    """Return whether two steps are told as one: nights at the same site, or legs of one fleet on the same day."""
    if nearer.kind != further.kind or nearer.node[0] != further.node[0]:
        return False
    options = problem.options
    if nearer.kind == "ship":
        same_day = nearer.node[1] - options.lead[nearer.which] == further.node[1] - options.lead[further.which]
        linked = options.start[nearer.which] == further.node[2]
        return bool(same_day and linked and options.fleet[nearer.which] == options.fleet[further.which])
    return nearer.kind == "kept" and further.node == (nearer.node[0], nearer.node[1] - 1, nearer.node[2])


@dataclass(frozen=True)
class _Teller:
    """Tells the steps of one way, whose price is `price`."""

    problem: Problem
    looker: Looker
    price: float

    def link(self, steps: Sequence[Step]) -> Link:
        """Return the link of a step, of nights at one site, or of legs that one fleet drives on a day."""
        kind = steps[0].kind
        tell = {"source": self._taken, "kept": self._kept, "ship": self._sent, "made": self._made}[kind]
        told = tell(steps)
        paid = dict.fromkeys(told.keys, 0.0)
        for step in steps:
            for key, _, part in step.pays:
                paid[key] = paid.get(key, 0.0) + part
        resources = tuple(
            (named(self.problem, key), float(self.looker.load(key)[told.days].max()), part / self.price)
            for key, part in paid.items()
        )
        item, _, site = steps[0].node
        good = self.problem.goods[int(self.problem.items.good[item])]
        days = tuple(day + 1 for day in told.days)
        start = self._start(steps) if kind == "ship" else ""
        return Link(STEPS[kind], self.problem.sites[site], start, good, days, resources, told.words, told.brief)

    def _start(self, steps: Sequence[Step]) -> str:
        return self.problem.sites[int(self.problem.options.start[steps[-1].which])]

    def _good(self, step: Step) -> str:
        return self.problem.goods[int(self.problem.items.good[step.node[0]])]

    def _part(self, key: Key, day: int) -> str:
        """Return how much of a capacity is taken on a day."""
        load = float(self.looker.load(key)[day])
        return "all" if load >= FULL else percent(load)

    def _made(self, steps: Sequence[Step]) -> _Told:
        problem, plant = self.problem, steps[0].which
        _, day, site = steps[0].node
        key: Key = ("plant", plant, site)
        keys: list[Key] = [key]
        part, where, good = self._part(key, day), problem.sites[site], self._good(steps[0])
        recipe = problem.recipe_ids[int(problem.plant_recipe[plant])]
        words = f"{good} can be made at {where} ({recipe}): {part} of its batches are taken on day {day + 1}"
        spare = (part if part == "all" else f"{part} of its") + " batches taken"
        if self.looker.load(key)[day] < NEARLY_FULL:
            spare = "batches to spare"
        if np.isfinite(problem.labour_hours[site, day]) and problem.plant_hours[plant] > 0:
            work: Key = ("labour", site, site)
            keys.append(work)
            words += f", and {self._part(work, day)} of the working hours"
            if self.looker.load(work)[day] >= NEARLY_FULL:
                hours = self._part(work, day)
                spare = (hours if hours == "all" else f"{hours} of its") + " working hours taken"
        return _Told(keys, [day], words, f"{good} made at {where} ({spare})")

    def _sent(self, steps: Sequence[Step]) -> _Told:
        problem, options = self.problem, self.problem.options
        option, good = steps[0].which, self._good(steps[0])
        day = steps[0].node[1] - int(options.lead[option])
        vehicles: Key = ("fleet", int(options.fleet[option]), int(options.fleet[option]))
        stops = [problem.sites[int(options.start[step.which])] for step in reversed(steps)]
        through = f" through {', '.join(stops[1:])}" if len(stops) > 1 else ""
        end, fleet, part = problem.sites[steps[0].node[2]], problem.fleets[vehicles[1]], self._part(vehicles, day)
        keys, words = [vehicles], f"{good} can come from {stops[0]}{through} to {end} with {fleet}: {part} of its "
        words += f"vehicle-hours are taken on day {day + 1}"
        roads = []
        for lane in [int(options.lane[step.which]) for step in steps]:
            if np.isfinite(problem.lane_tonnes[lane, day]):
                road: Key = ("lane", lane, lane)
                keys.append(road)
                words += f", and {self._part(road, day)} of the tonnes of lane {named(problem, road).name}"
                if self.looker.load(road)[day] >= NEARLY_FULL:
                    roads.append(f", lane {named(problem, road).name} {self._part(road, day)} full")
        brief = f"{good} from {stops[0]} with {fleet} ({'full' if part == 'all' else part + ' taken'}{''.join(roads)})"
        return _Told(keys, [day], words, brief)

    def _kept(self, steps: Sequence[Step]) -> _Told:
        problem, site, good = self.problem, steps[0].which, self._good(steps[0])
        first, last = steps[-1].node[1] - 1, steps[0].node[1]
        words = f"{good} can wait at {problem.sites[site]} from day {first + 1} to {last + 1}"
        if not np.isfinite(problem.storage_t[site]):
            return _Told([], [first], words, "")
        room: Key = ("storage", site, site)
        nights = list(range(first, last))
        part = self._part(room, max(nights, key=lambda night: float(self.looker.load(room)[night])))
        words += f" in a store of which {part} is taken on the fullest of these nights"
        return _Told([room], nights, words, f"{good} kept at {problem.sites[site]} (store {part} full)")

    def _taken(self, steps: Sequence[Step]) -> _Told:
        problem, source, good = self.problem, steps[0].which, int(self.problem.items.good[steps[0].node[0]])
        site, unit, name = int(problem.sources.site[source]), problem.network.goods[good].unit, problem.goods[good]
        where, day = problem.sites[site], int(problem.sources.day[source])
        if not problem.sources.is_stock[source]:
            key: Key = ("supply", good, site)
            part = self._part(key, day)
            words = f"{name} can be taken in at {where}: {part} of what it may take in on day {day + 1} is taken"
            return _Told([key], [day], words, f"{name} that {where} can take in ({part} of it taken)")
        there, left = self.looker.loads.stock(good, site), max(0.0, float(self.looker.loads.left(good)[site]))
        keys: list[Key] = [("stock", good, site)]
        rest = f"{quantity(left, unit)} left in the end" if left > 1e-3 * there else "all of it used"
        words = f"{name} on hand at {where}: {quantity(there, unit)} at the start, {rest}"
        if (site, good) in problem.shippable:
            keys.append(("reserve", good, site))
            words += f", {quantity(problem.shippable[site, good], unit)} not reserved"
        return _Told(keys, [day], words, f"{name} on hand at {where} ({rest})")
