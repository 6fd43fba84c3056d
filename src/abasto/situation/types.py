"""What a coordinator sees: figures on hand, coverage, alarms, headline and map, as frozen data without words.

Quantities are floats in the good's unit unless a name says thousandths; shares go from 0 to 1; days of supply are inf
where nothing is needed. Every list is sorted worst first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from abasto.errors import Finding
from abasto.state.types import FigureKind, OrderRecord, OrderStatus, Problematic

__all__ = [
    "Alarm",
    "AlarmKind",
    "CoverageRow",
    "GoodSupply",
    "Headline",
    "Knowledge",
    "MapLane",
    "MapSite",
    "Relief",
    "Situation",
    "Stand",
]

Knowledge = FigureKind | Literal["unreported"]
"""How a number is known; `unreported` where something is needed and nobody has ever reported any."""

AlarmKind = Literal[
    "short",
    "runs out",
    "not left",
    "not arrived",
    "expires",
    "spoiled",
    "below reserve",
    "silent",
    "jumped",
    "collapsed",
    "off the books",
    "doubtful",
    "slow",
]
"""What an alarm is about:

- `short`: the plan leaves a need unmet;
- `runs out` (only without a plan): what lies there and what open orders bring does not last for the coming days;
- `not left`, `not arrived`: the day of an open order is over, and nobody has reported it loaded, or received;
- `expires`: goods will spoil before they are used; `spoiled`: they have, and the books still have them;
- `below reserve`: less lies there than is to be kept;
- `silent`: the site has reported nothing for long;
- `jumped`, `collapsed`: more, or less, is used than usually; `off the books`: a count is far from the books;
  `doubtful`: so much was handed out on a day that a zero too many is likelier; `slow`: a lane or fleet is slower than
  assumed. These five are raised by the watch alone.

The first four, in which people go without, stand first; then goods that are lost, then what is only a risk.
"""


_GOING_WITHOUT: frozenset[AlarmKind] = frozenset({"short", "runs out", "not left", "not arrived"})


@dataclass(frozen=True, slots=True)
class Stand:
    """A good at a site: how much, how that is known, and how long it lasts.

    `thousandths` is the figure as the journal has it, below zero where the books are wrong. Of it `promised` leaves
    with open orders (goods and fuel) and `free` is what a plan may use; `coming` is what open orders bring, from
    `coming_on` on. `days_of_supply` is how long `free` lasts at `need_per_day`, the mean over the days that are
    planned, if what expires first is used first. `expires` is the last usable date of the first lot to expire.
    """

    site: str
    site_name: str
    good: str
    good_name: str
    unit: str
    thousandths: int
    promised: float
    free: float
    coming: float
    coming_on: date | None
    known: Knowledge
    as_of: date | None
    counted_on: date | None
    age_days: int | None
    need_per_day: float
    people: float
    priority: float
    days_of_supply: float
    reserve: float
    expires: date | None

    @property
    def quantity(self) -> float:
        """What lies there, in the good's unit."""
        return self.thousandths / 1000

    @property
    def below_reserve(self) -> bool:
        """Whether less lies there than is to be kept."""
        return self.quantity < self.reserve


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """A need of a site in the plan: coverage of each day of `Situation.days` in permille (-1: not needed that day).

    `coverage` is the mean over these days, `needed` and `met` their sums. Permille are rounded down, so that only what
    is met reads 1000.
    """

    site: str
    site_name: str
    need: str
    need_name: str
    unit: str
    people: float
    priority: float
    coverage: float
    needed: float
    met: float
    permille: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Relief:
    """Goods that come to a site: with an open order (`order` is its id), or, where `order` is blank, as planned.

    `arrives` is the day on which they are counted on; None for an order that is not, as it should have left before.
    """

    order: str
    status: OrderStatus | Literal["planned"]
    from_site: str
    from_name: str
    fleet: str
    good: str
    quantity: float
    arrives: date | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something to act on: what, where, since or from when, for whom, why, and what relieves it.

    `need` is a good or nutrient, blank where a site is silent; `quantity` what is missing, late, expiring or spoiled in
    `unit`. `people_days` weighs it: people-days of need at stake, those of priority 1 in full and of priority 2 as a
    tenth. `order` is the id of an order that is late, and `from_site` where it comes from, called `from_name`. `cause`
    and `remedy` are the plan's clauses where it has them; `cause_words` and `remedy_words` have some for every alarm.
    `known` and `as_of` say how the number is known that it rests on. Where use changed, `quantity` and `before` are
    rates a day; where a count is off, what was found and what the books had; where a hand-out is doubted, what was
    written and what was foreseen. Of what is slow, `from_site` is the lane
    or fleet, `orders` how many came late and of how many, and `quantity` by how many days on average.
    """

    kind: AlarmKind
    site: str
    site_name: str
    need: str
    need_name: str
    unit: str
    quantity: float
    people: float
    priority: float
    people_days: float
    starts: date | None
    ends: date | None
    known: Knowledge
    as_of: date | None
    cause: str = ""
    remedy: str = ""
    order: str = ""
    from_site: str = ""
    from_name: str = ""
    relieved_by: tuple[Relief, ...] = ()
    before: float = 0.0
    orders: tuple[int, int] = (0, 0)

    @property
    def rank(self) -> int:
        """0 where people go without, 1 where goods are lost, 2 where there is only a risk."""
        return 0 if self.kind in _GOING_WITHOUT else 1 if self.kind in ("expires", "spoiled") else 2


@dataclass(frozen=True, slots=True)
class GoodSupply:
    """A good in the whole network: on hand at sites and loaded on its way, and how many days both last together.

    What could still be made of other goods or taken in is not counted.
    """

    good: str
    name: str
    unit: str
    on_hand: float
    on_the_way: float
    need_per_day: float
    days_of_supply: float


@dataclass(frozen=True, slots=True)
class Headline:
    """The first figures of a meeting; those of the plan are None without one.

    `worst_site` is the site with the lowest mean coverage over its needs, weighted by priority. `oldest` is the figure
    whose last report is the oldest.
    """

    people: float
    sites: int
    mean_coverage: float | None
    worst_5_percent_coverage: float | None
    worst_site: str
    worst_site_name: str
    worst_site_coverage: float | None
    orders: dict[OrderStatus, int]
    overdue: int
    exceptions: int
    figures: int
    estimated: int
    oldest: Stand | None
    supply: tuple[GoodSupply, ...]

    @property
    def open_orders(self) -> int:
        """Orders that are neither received nor cancelled."""
        return sum(self.orders.values())


@dataclass(frozen=True, slots=True)
class MapSite:
    """A site on the map: how its worst served need fares, and the good that lasts least."""

    site: str
    name: str
    lat: float | None
    lon: float | None
    people: float
    coverage: float | None
    worst_need: str
    worst_need_name: str
    days_of_supply: float
    scarcest_good: str
    scarcest_good_name: str
    alarms: int


@dataclass(frozen=True, slots=True)
class MapLane:
    """A lane on the map and what the plan moves along it over its days, there and back, in tonnes."""

    from_site: str
    to_site: str
    mode: str
    tonnes_there: float
    tonnes_back: float

    @property
    def tonnes(self) -> float:
        """Both directions together."""
        return self.tonnes_there + self.tonnes_back


@dataclass(frozen=True)
class Situation:
    """What is known on a day and what is planned, as a coordinator sees it.

    `days` are the dates of the plan that are not over (empty without one). `orders` are those that are open, by
    departure. `problems` are findings about what was left out of the plan or is in doubt.
    """

    network: str
    day: date
    days: tuple[date, ...]
    headline: Headline
    alarms: tuple[Alarm, ...]
    coverage: tuple[CoverageRow, ...]
    stands: tuple[Stand, ...]
    sites: tuple[MapSite, ...]
    lanes: tuple[MapLane, ...]
    orders: tuple[OrderRecord, ...]
    exceptions: tuple[Problematic, ...]
    problems: tuple[Finding, ...]
