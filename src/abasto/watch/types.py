"""What is watched: an alarm with its age, how sure it is, a picture of its days, and who hears it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from abasto.situation.types import Alarm
from abasto.state.rates import Rate
from abasto.watch.hearing import Heard

__all__ = ["Chart", "Sureness", "Watched", "WatchedAlarm"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A small picture: what lay there at the end of the days before `day` (None: unknown), and what is expected.

    `ahead` has the coming days, from `day` on; `low` and `high` hold it with a probability of 90 %.
    """

    day: date
    unit: str
    past: tuple[float | None, ...]
    ahead: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Sureness:
    """How far an alarm can be trusted.

    `chance` is the probability that what it says comes true; 1 where it tells a fact. `by_chance` is how many alarms of
    this kind a site in its normal course raises a month, although nothing is the matter.
    """

    chance: float = 1.0
    by_chance: float = 0.0

    @property
    def is_fact(self) -> bool:
        """Whether it tells what is, and not what is expected."""
        return self.chance == 1.0 and self.by_chance == 0.0


@dataclass(frozen=True, slots=True)
class WatchedAlarm:
    """An alarm as it is watched. `key` is the same in every replica, `since` the first day of this episode.

    For what runs out, `alarm.starts` is the day on which it is as likely as not to be gone, and it is gone between
    `early` and `late` with a probability of 90 % (None: not within the days that are looked ahead).
    """

    key: str
    alarm: Alarm
    since: date
    early: date | None
    late: date | None
    sureness: Sureness
    heard: Heard
    chart: Chart | None

    @property
    def is_silent(self) -> bool:
        """Whether nobody is to hear it now: it is snoozed, settled or wrong."""
        return not self.heard.hears


@dataclass(frozen=True)
class Watched:
    """All that is watched at `now`: alarms, worst first, and what each site uses of each good."""

    network: str
    now: datetime
    alarms: tuple[WatchedAlarm, ...]
    rates: tuple[Rate, ...]

    @property
    def loud(self) -> tuple[WatchedAlarm, ...]:
        """The alarms that somebody is to hear now."""
        return tuple(one for one in self.alarms if not one.is_silent)
