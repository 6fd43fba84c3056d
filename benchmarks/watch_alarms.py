"""Our alarms beside plain rules: what runs out in simulated towns; and how often quiet series are called changed.

    uv run python -m benchmarks.watch_alarms [--towns 4] [--series 2400]

What was tuned was tuned on other seeds. Each plain rule gets the threshold at which it raises as many false alarms as
ours on the very towns it is judged on.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from tests.watch.town import BEGIN as FIRST_DAY
from tests.watch.town import GOODS, Town, Trouble, look_at, streets

from abasto.state.observed import OBSERVED_DAYS, Observed, observed
from abasto.watch.changed import changes

__all__ = ["FAMILIES", "Place", "Score", "judged", "main", "matched", "quiet", "rings", "starts"]

SITES, MONTH_DAYS = 10, 30
FIRST_LOOK, LAST_LOOK = 16, 42
HORIZON = 7
"""Days; an alarm is false if nothing is empty on its first day or the six after it."""
KINDS = ("cut off", "twice as many", "slow")
SEED = 100
BLIND = 28
"""Days of a rolling mean and standard deviation."""

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Signs = NDArray[np.int8]


@dataclass(frozen=True)
class Place:
    """A good at a site of a town, looked at on the mornings from FIRST_LOOK to LAST_LOOK: what each rule says of it.

    `empty` is the first day on which people went without, counted from 1 (None: it never was within HORIZON of the last
    look); `ours` whether we say that it runs out, `supply` its stock ÷ mean use of the last 14 days, `low` minus the
    z-score of its stock over 28 days.
    """

    kind: str
    empty: int | None
    ours: Bools
    supply: Floats
    low: Floats


@dataclass(frozen=True)
class Score:
    """Shortages, those heard a day or more ahead, median days ahead (0: not heard), false alarms a site and month."""

    shortages: int
    heard: int
    lead: float
    false: float


def lived(seed: int) -> list[Place]:
    """Let a town live with three planted shortages, and return each of its places."""
    random = Random(seed)
    sites = random.sample(streets(SITES), len(KINDS))
    troubles = [Trouble(kind, site, random.randint(20, 34)) for kind, site in zip(KINDS, sites, strict=True)]
    kind_of = {one.site: one.kind for one in troubles}
    ours: dict[tuple[str, str], list[bool]] = {}
    stocks: dict[tuple[str, str], tuple[list[float], list[float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        town = Town.founded(Path(folder) / "home", seed, SITES, troubles)
        for day in range(1, LAST_LOOK + HORIZON):
            town.live(day)
            if not FIRST_LOOK <= day + 1 <= LAST_LOOK:
                continue
            state = town.state()
            alarms = {(one.alarm.site, one.alarm.need) for one in look_at(state, day + 1).alarms if _runs_out(one.key)}
            seen = observed(state, FIRST_DAY + timedelta(days=day))
            for number, place in enumerate(seen.places):
                if place[0] in town.sites:
                    supply, low = stocks.setdefault(place, ([], []))
                    ours.setdefault(place, []).append(place in alarms)
                    supply.append(_supply(seen, number))
                    low.append(_low(seen.closing[number]))
    return [
        Place(kind_of.get(place[0], ""), town.empty_on.get(place), np.array(loud), *map(np.array, stocks[place]))
        for place, loud in ours.items()
    ]


def _runs_out(key: str) -> bool:
    return key.startswith("runs out/")


def _supply(seen: Observed, number: int) -> float:
    """Return the days for which what lies there lasts at the mean use of the last 14 known days; ∞ if none is."""
    use = seen.use[number, -14:]
    mean = float(np.nanmean(use)) if np.any(~np.isnan(use)) else 0.0
    return float(seen.closing[number, -1]) / mean if mean > 0 else np.inf


def _low(closing: Floats) -> float:
    """Return how many standard deviations of the last 28 days the stock lies below their mean."""
    past = closing[-BLIND:]
    spread = float(np.nanstd(past))
    return (float(np.nanmean(past)) - float(past[-1])) / spread if spread > 0 else 0.0


def starts(loud: Bools) -> list[int]:
    """Return where each run of True begins."""
    return [at for at, (before, now) in enumerate(pairwise([False, *loud.tolist()])) if now and not before]


def judged(places: Sequence[Place], rule: Callable[[Place], Bools]) -> Score:
    """Return how a rule fares; of a place nothing counts any more once it was empty, whoever was late."""
    leads: list[int] = []
    false, days = 0, 0
    for place in places:
        empty = place.empty if place.empty is not None else LAST_LOOK + HORIZON
        loud = rule(place)[: max(0, empty - FIRST_LOOK)]  # the mornings before that day
        days += len(loud)
        first = [FIRST_LOOK + at for at in starts(loud)]
        false += sum(not day <= empty < day + HORIZON or place.empty is None for day in first)
        if place.empty is not None and FIRST_LOOK < empty <= LAST_LOOK:
            stands = len(loud) > 0 and bool(np.any(loud[-HORIZON + 1 :]))
            leads.append(_lead(loud, empty) if stands else 0)
    months = days / MONTH_DAYS / len(GOODS)
    return Score(len(leads), sum(lead > 0 for lead in leads), float(np.median(leads or [0])), false / months)


def _lead(loud: Bools, empty: int) -> int:
    """Return for how many days before the empty one it was loud last, HORIZON at most."""
    last = starts(loud)[-1] + FIRST_LOOK
    return min(HORIZON, empty - last)


def matched(places: Sequence[Place], of: Callable[[Place], Floats], false: float) -> tuple[float, Score]:
    """Return the best threshold of `of`, loud where above, with no more false alarms than `false`; and how it fares."""
    values = np.unique(np.concatenate([of(place)[np.isfinite(of(place))] for place in places]))
    best = (np.inf, judged(places, lambda place: of(place) > np.inf))
    for threshold in np.quantile(values, np.linspace(0, 1, 400)).tolist():
        score = judged(places, lambda place, over=threshold: of(place) > over)
        if score.false <= false + 1e-9 and (score.heard, score.lead) > (best[1].heard, best[1].lead):
            best = (threshold, score)
    return best


FAMILIES = ("level", "weekday", "noisy", "zero-heavy")


def quiet(family: str, number: int, days: int, rng: np.random.Generator) -> Floats:
    """Return so many series [number, days] whose course never changes."""
    base = np.exp(rng.uniform(1, 6, size=(number, 1)))
    week = np.ones((number, days))
    if family != "level":
        week = np.maximum(1 + 0.4 * rng.normal(size=(number, 7)), 0.05)[:, np.arange(days) % 7]
    noise = rng.uniform(0.4, 0.8, size=(number, 1)) if family == "noisy" else rng.uniform(0.1, 0.4, size=(number, 1))
    use = base * week * rng.gamma(noise**-2, noise**2, size=(number, days))
    if family == "zero-heavy":
        use *= rng.random((number, days)) < rng.uniform(0.2, 0.6, size=(number, 1))
    return np.asarray(np.round(use, 1))


def rings(use: Floats, *, from_day: int = OBSERVED_DAYS) -> Signs:
    """Return on the morning after each day from a day on what `changes` says of series [number, days].

    It is 1 where one has jumped, −1 where one has collapsed, 0 where neither is said.
    """
    mornings = range(from_day, use.shape[1] + 1)
    rung = np.zeros((len(use), len(mornings)), dtype=np.int8)
    for column, day in enumerate(mornings):
        past = use[:, max(0, day - OBSERVED_DAYS) : day]
        seen = Observed(date(2027, 1, 1) + timedelta(days=day), (), past, past, {})
        for series, one in changes(seen, np.zeros(len(use), dtype=np.int64)).items():
            rung[series, column] = 1 if one.kind == "jumped" else -1
    return rung


def by_chance(series: int) -> Mapping[str, float]:
    """Return alarms of one quiet series a month of 30 days, by family."""
    rng = np.random.default_rng(SEED)
    found = {}
    for family in FAMILIES:
        loud = rings(quiet(family, series // len(FAMILIES), OBSERVED_DAYS + MONTH_DAYS, rng)) != 0
        begun = loud[:, 1:] & ~loud[:, :-1]
        found[family] = float(begun.sum() / len(loud))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch_alarms", description=__doc__)
    parser.add_argument("--towns", type=int, default=4, help="simulated towns (default 4)")
    parser.add_argument("--series", type=int, default=2400, help="quiet series (default 2400)")
    given = parser.parse_args(arguments)
    towns = Parallel(n_jobs=2)(delayed(lived)(SEED + number) for number in range(given.towns))
    places = [place for town in towns for place in town]
    ours = judged(places, lambda place: place.ours)
    print("ours:", ours)
    print("days of supply:", matched(places, lambda place: -place.supply, ours.false)[1])
    print("z-score of the stock:", matched(places, lambda place: place.low, ours.false)[1])
    for kind in KINDS:
        print(f"ours, {kind}:", judged([place for place in places if place.kind == kind], lambda place: place.ours))
    print("alarms of a quiet series a month:", by_chance(given.series))
    return 0


if __name__ == "__main__":
    sys.exit(main())
