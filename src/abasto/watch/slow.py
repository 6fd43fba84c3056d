"""Lanes and fleets that are slower than assumed: more of their last orders came late than chance explains.

With n orders received and k of them late, the alarm is raised where P(X ≥ k) ≤ RARE for X binomial with n and USUAL.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["RARE", "Slow", "slow"]

LOOKS_BACK = 28
"""Orders that were received in so many days are looked at."""
USUAL = 0.1
"""Share of orders that come a day late although a lane or fleet is as fast as assumed."""
RARE = 0.01
LEAST_LATE = 3


@dataclass(frozen=True, slots=True)
class Slow:
    """A lane (`from>to`) or fleet of whose last orders `late` of `orders` came late, by `days` on average.

    `since` is the day after which it was so, `site` where the last of them went.
    """

    what: Literal["lane", "fleet"]
    id: str
    site: str
    since: date
    orders: int
    late: int
    days: float


def slow(state: State, day: date) -> Iterator[Slow]:
    """Yield the lanes and fleets that are slower than assumed, as of the start of a day; lanes first."""
    trips: dict[tuple[Literal["lane", "fleet"], str], list[tuple[str, int, str]]] = defaultdict(list)
    first = (day - timedelta(days=LOOKS_BACK)).isoformat()
    for id in state.orders:
        order = state.orders[id]
        way = order.issued
        if way is None or not first <= order.received_on < day.isoformat():
            continue
        late = max(0, (date.fromisoformat(order.received_on) - date.fromisoformat(way.arrives)).days)
        left_late = 0
        if order.loaded_on:
            left_late = max(0, (date.fromisoformat(order.loaded_on) - date.fromisoformat(way.departs)).days)
        # What left late comes late, and that is not the road's doing.
        one = (order.received_on, max(0, late - left_late), way.to_site)
        trips["lane", f"{way.from_site}>{way.to_site}"].append(one)
        if way.fleet:
            trips["fleet", way.fleet].append(one)
    for (what, id), some in sorted(trips.items(), key=lambda one: (one[0][0] != "lane", one[0][1])):
        some.sort()
        delays = [days for _, days, _ in some if days]
        if len(delays) >= LEAST_LATE and _tail(len(some), len(delays)) <= RARE:
            since = date.fromisoformat(_since(some)) + timedelta(days=1)
            yield Slow(what, id, some[-1][2], since, len(some), len(delays), sum(delays) / len(delays))


def _since(some: list[tuple[str, int, str]]) -> str:
    """Return the day on which enough had come late for the first time."""
    late = 0
    for number, (when, days, _) in enumerate(some, start=1):
        late += days > 0
        if late >= LEAST_LATE and _tail(number, late) <= RARE:
            return when
    return some[-1][0]


def _tail(orders: int, late: int) -> float:
    """Return P(X ≥ late) for X binomial with `orders` and `USUAL`."""
    return sum(
        math.comb(orders, number) * USUAL**number * (1 - USUAL) ** (orders - number)
        for number in range(late, orders + 1)
    )
