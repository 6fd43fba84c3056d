"""What an explanation says: why a need is short, which resource binds, who uses it, and how the need's way leads to it.

Names are ids of the network's tables and days count from 1, as in the tables of a plan; shares are from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["Cause", "Explanation", "Kind", "Link", "Origin", "Resource", "Standing", "Use", "User"]

Kind = Literal[
    "nothing_left",
    "no_way",
    "vehicles",
    "lane",
    "plant",
    "labour",
    "storage",
    "spoiled",
    "reserved",
    "lower_priority",
    "fuel",
    "within_gap",
    "stopped",
]
"""Why a need is short. `lower_priority` is a resource that mostly goes to more urgent needs; `within_gap` and `stopped`
say that nothing is known to force the shortage."""

Standing = Literal["itself", "more_urgent", "worse_off", "nearer", "other"]
"""How who uses what binds stands to the need that is short: the need itself; of more urgent priority; with less than it
has if they went without; needing less of it per person; none of these."""


@dataclass(frozen=True, slots=True)
class Resource:
    """What can run out. `kind` is `stock`, `supply`, `reserve`, `fleet`, `lane`, `plant`, `labour` or `storage`.

    `name` is written as in table disruptions: a fleet, a lane `from>to`, a plant `site/recipe`, goods `site/good`, and
    for labour and storage the site.
    """

    kind: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class User:
    """A need that is served through a resource: how much of it goes there, and how the need stands with and without.

    `amount` is in the resource's unit, over all days asked for; coverages are of the days on which it is served so.
    """

    site: str
    need: str
    priority: float
    people: float
    amount: float
    coverage: float
    coverage_without: float
    standing: Standing


@dataclass(frozen=True, slots=True)
class Use:
    """Where a resource's capacity goes on some days, followed through stores, lanes and recipes to handing over.

    `users` come with the greatest amount first; `used` is their sum and `not_handed_over`, what ends in closing stock,
    spoils or is under way when the plan ends.
    """

    resource: Resource
    days: tuple[int, ...]
    used: float
    not_handed_over: float
    users: tuple[User, ...]

    def places(self) -> Mapping[Standing, int]:
        """Return how many places there are of each standing; a place counts where most of what it gets stands."""
        most: dict[str, dict[Standing, float]] = {}
        for user in self.users:
            of = most.setdefault(user.site, {})
            of[user.standing] = of.get(user.standing, 0.0) + user.amount
        count: dict[Standing, int] = {}
        for of in most.values():
            standing = max(of, key=lambda one: of[one])
            count[standing] = count.get(standing, 0) + 1
        return count


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason why a need is short: its kind, the resource that binds and the days on which it does.

    `share` is the part that the resource has in the price of the need's cheapest way, over the days looked at; `load`
    is the share of its capacity that the plan uses on each of `days` (of a stock, a single number: over all days).
    `words` are a clause that says it.
    """

    kind: Kind
    resource: Resource | None
    days: tuple[int, ...]
    share: float
    load: tuple[float, ...]
    words: str
    use: Use | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A step of the way that a need would take, from the need back: a claim and the numbers that it rests on.

    `step` is `made`, `sent`, `kept` or `taken` (from stock or supply). `resources` are those of the step, with the
    share of their capacity that is used on `days` and their share in the price of the way; of what is sent the fleet
    stands first, and `start` is where it leaves. `brief` says it shortly.
    """

    step: str
    site: str
    start: str
    good: str
    days: tuple[int, ...]
    resources: tuple[tuple[Resource, float, float], ...]
    words: str
    brief: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where what a need was handed over came from: a stock or supply, a plant or a fleet, and how much of a good that
    gave, made or carried for it, in the good's unit.
    """

    resource: Resource
    good: str
    unit: str
    amount: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a need at a site is short over a run of days, or, with no causes, from where it is met.

    The first of `causes` is the main one. Where that is `within_gap` or `stopped`, what follows it is used up on the
    way, but does not force the shortage.

    `missing` [days of the run] and the total `unmet` are in `unit`; `coverage` is that of the whole run, and
    `people_days_missing` is people × what is missing of their coverage, summed over its days. `links` tell the cheapest
    way on `chain_day`, the day on which most is missing of what can be reached. `price_to_worth` is what one unit more
    would cost elsewhere on that day ÷ what it is worth here, at the plan's prices. `origins` are filled where something
    was handed over.
    """

    site: str
    need: str
    unit: str
    priority: float
    people: float
    first_day: int
    last_day: int
    needed: float
    missing: tuple[float, ...]
    coverage: float
    people_days_missing: float
    causes: tuple[Cause, ...]
    links: tuple[Link, ...]
    chain_day: int | None
    price_to_worth: float | None
    origins: tuple[Origin, ...]
    remedy: str
    words: str

    @property
    def cause(self) -> Cause | None:
        """The main cause, the first; None where the need is met."""
        return self.causes[0] if self.causes else None

    @property
    def unmet(self) -> float:
        """What is missing over the run."""
        return sum(self.missing)
