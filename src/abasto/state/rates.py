"""Need rates: what people use a day where nobody stated a need, estimated from what was handed out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from abasto.network import Need, Network
from abasto.state.observed import observed

if TYPE_CHECKING:
    from abasto.forecast import Forecast
    from abasto.state.state import State

__all__ = ["LEAST_KNOWN_DAYS", "Z_90", "Rate", "need_rates", "rate_of", "used_up"]

LEAST_KNOWN_DAYS = 14
"""From so many days whose use is known a rate is estimated."""
NOTHING = 0.0005
"""In a good's unit a day: less than this no hand-out can say."""
Z_90 = 1.645
"""So many standard deviations on both sides hold nine tenths of what is normal."""
WEEK = 7


@dataclass(frozen=True, slots=True)
class Rate:
    """What a site uses of a good a day over the coming week, in the good's unit, and its 90 % interval.

    `known_days` are the days whose use it rests on.
    """

    site: str
    good: str
    per_day: float
    low: float
    high: float
    known_days: int

    @property
    def need(self) -> Need:
        """The rate as a row of needs."""
        return Need(site=self.site, good=self.good, quantity=self.per_day)


def need_rates(state: State, network: Network, day: date) -> tuple[Rate, ...]:
    """Return the rates of the sites and goods of a network where nobody stated a need, by site and good.

    What a plant of the site uses up is no need of its people. Where the good is rationed and people live, where it
    counts for a nutrient that is required, or may stand for a good that is needed, a need is stated.
    """
    places = list(_unstated(state, network))
    if not places:
        return ()
    # Here and not above: where every need is stated, nobody waits for numpy.
    from abasto.forecast import forecast

    seen = observed(state, day)
    rows = [number for number, place in enumerate(seen.places) if place in set(places)]
    course = forecast(seen.use[rows], WEEK)
    found = []
    for number, row in enumerate(rows):
        rate = rate_of(*seen.places[row], course, number)
        if rate.known_days >= LEAST_KNOWN_DAYS and rate.per_day >= NOTHING:
            found.append(rate)
    return tuple(found)


def rate_of(site: str, good: str, course: Forecast, number: int) -> Rate:
    """Return the rate that the series with this number of a forecast of a week comes to, in three figures."""
    mean, sd = float(course.total_mean[number, WEEK - 1]), float(course.total_sd[number, WEEK - 1])
    low, high = max(0.0, mean - Z_90 * sd), mean + Z_90 * sd
    per_day, low, high = (float(f"{one / WEEK:.3g}") for one in (mean, low, high))
    return Rate(site, good, per_day, low, high, int(course.known[number]))


def used_up(network: Network) -> frozenset[tuple[str, str]]:
    """Return the sites and goods that plants use up: what they need there, the plan sees to."""
    inputs = {(row.recipe, row.good) for row in network.recipes if row.quantity < 0}
    return frozenset((row.site, good) for row in network.plants for recipe, good in inputs if recipe == row.recipe)


def _unstated(state: State, network: Network) -> Iterator[tuple[str, str]]:
    """Yield the sites and goods of which something was used and for which no need is stated."""
    people = {site.site: site.people for site in network.sites}
    goods = {good.good for good in network.goods}
    stated = {(row.site, row.good) for row in network.needs}
    everywhere = {row.good for row in network.rations} | {row.good for row in network.nutrients}
    instead = {(site, row.substitute) for row in network.substitutes for site, good in stated if good == row.good}
    everywhere |= {row.substitute for row in network.substitutes if row.good in everywhere}
    by_plants = used_up(network)
    for site, good in state.books.places():
        place = (site, good)
        if site not in people or good not in goods or place in stated or place in instead or place in by_plants:
            continue
        if good in everywhere and people[site] > 0:
            continue
        holding = state.books.holding(site, good)
        if holding is not None and (holding.used or len(holding.marks) > 1):
            yield place
