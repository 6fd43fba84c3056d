"""What each site needs a day of each good or nutrient: rations, needs and requirements of the tables, merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from abasto.network import Network

__all__ = ["Want", "urgency", "wants"]


@dataclass(slots=True)
class Want:
    """A need of a site: spans of days (first, last, quantity a day) that add up, its priority and whom it is for.

    As in a plan, the most urgent priority and the most people count where several rows are about one need.
    """

    days: int
    priority: float
    people: float
    spans: list[tuple[int, int, float]] = field(default_factory=list)

    def on(self, day: int) -> float:
        """Return what is needed on a day, counted from 1."""
        return sum(quantity for first, last, quantity in self.spans if first <= day <= last)

    @property
    def per_day(self) -> float:
        """What is needed a day, the mean over the days that are planned."""
        return sum((last - first + 1) * quantity for first, last, quantity in self.spans) / self.days

    @property
    def weight(self) -> float:
        """What a day of it weighs: people × urgency."""
        return self.people * urgency(self.priority)


def urgency(priority: float) -> float:
    """Return how much a need of a priority counts beside one of priority 1.

    >>> urgency(1.0), urgency(2.0)
    (1.0, 0.1)
    """
    return float(10.0 ** (1.0 - priority))


def wants(network: Network) -> Mapping[tuple[str, str], Want]:
    """Return every need by site and by good or nutrient."""
    found: dict[tuple[str, str], Want] = {}
    for key, span, priority, people in _rows(network):
        first, last, quantity = span
        if quantity <= 0 or last < first:
            continue
        want = found.get(key)
        if want is None:
            found[key] = Want(network.days, priority, people, [span])
        else:
            want.priority, want.people = min(want.priority, priority), max(want.people, people)
            want.spans.append(span)
    return found


def _rows(network: Network) -> Iterator[tuple[tuple[str, str], tuple[int, int, float], float, float]]:
    """Yield site and need, span, priority and people of everything that is needed."""
    people = {site.site: site.people for site in network.sites}
    priorities = {good.good: good.priority for good in network.goods}
    for need in network.needs:
        first = 1 if need.from_day is None else max(1, need.from_day)
        last = network.days if need.to_day is None else min(network.days, need.to_day)
        priority = priorities[need.good] if need.priority is None else need.priority
        served = max(1.0, people[need.site]) if need.people is None else need.people
        yield (need.site, need.good), (first, last, need.quantity), priority, served
    per_person = [(row.good, row.quantity, priorities[row.good]) for row in network.rations]
    per_person += [(row.nutrient, row.quantity, row.priority) for row in network.requirements]
    for target, quantity, priority in per_person:
        for site, number in people.items():
            if number > 0:
                yield (site, target), (1, network.days, number * quantity), priority, number
