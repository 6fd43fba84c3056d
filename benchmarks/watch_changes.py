"""Alarms that use jumped or collapsed, beside two z-scores that raise as many on quiet series.

    uv run --group benchmarks python -m benchmarks.watch_changes [--quiet 1200] [--planted 400]

First on simulated series with a planted change, by seeds that nothing was tuned on; then on public series that come
inside packages and have a break whose date is known from elsewhere, each step taken as a day. Tables are printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from abasto.state.observed import OBSERVED_DAYS
from benchmarks.watch_alarms import BLIND, FAMILIES, MONTH_DAYS, Floats, Signs, quiet, rings

__all__ = ["Break", "Seen", "begun", "delays", "limit_of", "main", "monthly", "seen_of", "signs", "watched", "z_score"]

SEED = 2027
QUIET_DAYS, CHANGED_DAYS = 60, 14
LEAST = 14
"""Days that a z-score needs before those it judges: as many as ours."""
PATIENCE = 28
"""Steps after a break in which an alarm is still about it."""
FACTORS = {"doubled": 2.0, "halved": 0.5, "half as much again": 1.5}
PLAIN = {"z-score of a day": 1, "z-score of a week's mean": 7}
"""Plain rules, and the last days whose mean each compares with the BLIND days before them."""


def z_score(use: Floats, last: int, *, from_day: int = OBSERVED_DAYS) -> Floats:
    """Return on the mornings of `rings` how far the mean of the `last` days is from that of the BLIND days before them.

    It is told in standard deviations of these; 0 where fewer than LEAST of them are there, or all are the same.
    """
    mornings = range(from_day, use.shape[1] + 1)
    z = np.zeros((len(use), len(mornings)))
    for column, day in enumerate(mornings):
        split = day - last
        if split < LEAST:
            continue
        before = use[:, max(0, split - BLIND) : split]
        away, spread = use[:, split:day].mean(axis=1) - before.mean(axis=1), before.std(axis=1)
        z[:, column] = np.divide(away, spread, out=np.zeros(len(use)), where=spread > 0)
    return z


def signs(z: Floats, limit: float) -> Signs:
    """Return 1 or −1 where a z-score is beyond its limit."""
    return np.asarray(np.where(np.abs(z) > limit, np.sign(z), 0), dtype=np.int8)


def begun(rung: Signs) -> Signs:
    """Return the sign of each alarm on the morning on which it begins; of the first morning nothing is known."""
    before, now = rung[:, :-1], rung[:, 1:]
    return np.where(now != before, now, np.int8(0))


def monthly(rung: Signs) -> float:
    """Return the alarms begun by one series in MONTH_DAYS mornings."""
    first = begun(rung)
    return float(np.count_nonzero(first) / first.size * MONTH_DAYS)


def limit_of(z: Floats, rate: float) -> float:
    """Return the lowest limit of a z-score, found from above, with which it raises no more than `rate` alarms."""
    limit = np.inf
    for value in np.sort(np.abs(z), axis=None)[::-1]:
        if monthly(signs(z, float(value))) > rate + 1e-12:
            break
        limit = float(value)
    return limit


def delays(rung: Signs, sign: int) -> Floats:
    """Return how many changed days had passed when an alarm of that sign began; ∞ if none did.

    The first morning is the last one before the change.
    """
    right = begun(rung) == sign
    return np.where(right.any(axis=1), right.argmax(axis=1) + 1.0, np.inf)


@dataclass(frozen=True)
class Even:
    """Alarms of one quiet series a month by ours, and the limit of each z-score that raises as many and its alarms."""

    ours: float
    limits: Mapping[str, float]
    rates: Mapping[str, float]


def even(rung: Signs, scores: Mapping[str, Floats]) -> Even:
    """Return the limits at which the plain rules raise as many alarms as ours on the same quiet series."""
    ours = monthly(rung)
    limits = {name: limit_of(z, ours) for name, z in scores.items()}
    return Even(ours, limits, {name: monthly(signs(scores[name], limit)) for name, limit in limits.items()})


def evened(number: int) -> dict[str, Even]:
    """Return the limits for each family of `number` quiet series, and for `all` together."""
    rung, scores = {}, {}
    for at, family in enumerate(FAMILIES):
        use = quiet(family, number, OBSERVED_DAYS + QUIET_DAYS, np.random.default_rng([SEED, 0, at]))
        rung[family] = rings(use)
        scores[family] = {name: z_score(use, last) for name, last in PLAIN.items()}
    together = {name: np.concatenate([scores[family][name] for family in FAMILIES]) for name in PLAIN}
    found = {family: even(rung[family], scores[family]) for family in FAMILIES}
    return found | {"all": even(np.concatenate(list(rung.values())), together)}


def planted(family: str, factor: float, number: int, rng: np.random.Generator) -> Floats:
    """Return series that use `factor` times as much on each of the last CHANGED_DAYS days."""
    use = quiet(family, number, OBSERVED_DAYS + CHANGED_DAYS, rng)
    use[:, OBSERVED_DAYS:] *= factor
    return np.round(use, 1)


def found(use: Floats, sign: int, limits: Mapping[str, float]) -> dict[str, Floats]:
    """Return the delays of ours and of each plain rule."""
    plain = {name: delays(signs(z_score(use, last), limits[name]), sign) for name, last in PLAIN.items()}
    return {"Abasto": delays(rings(use), sign)} | plain


@dataclass(frozen=True)
class Break:
    """A public series, the step from which on it is known to have left its course, and in which direction."""

    name: str
    values: Floats
    at: int
    sign: int


@dataclass(frozen=True)
class Seen:
    """Alarms that began before a break, mornings on which that could be, and steps until one was right.

    `delay` is ∞ if none of the right sign began in the `after` steps that were watched, PATIENCE at most; `stood` says
    that one already stood.
    """

    before: int
    mornings: int
    delay: float
    after: int
    stood: bool


def seen_of(rung: Signs, first: int, at: int, sign: int) -> Seen:
    """Return how a rule fared whose column 0 is the morning after `first` steps, with a break from step `at` on."""
    starts = begun(rung[None])[0]
    split = at - first
    later = starts[split : split + PATIENCE]
    right = np.flatnonzero(later == sign)
    delay = float(right[0] + 1) if len(right) else np.inf
    return Seen(int(np.count_nonzero(starts[:split])), split, delay, len(later), bool(rung[split] == sign))


def watched(one: Break, limits: Mapping[str, float]) -> dict[str, Seen]:
    """Return how each rule fares on a public series, from the first morning on which ours can ring."""
    use = (one.values - one.values.min())[None]  # use is never negative; no rule looks at where zero is
    plain = {name: signs(z_score(use, last, from_day=LEAST), limits[name]) for name, last in PLAIN.items()}
    rules = {"Abasto": rings(use, from_day=LEAST)} | plain
    return {name: seen_of(rung[0], LEAST, one.at, one.sign) for name, rung in rules.items()}


def published() -> list[Break]:
    """Return what comes inside the packages statsmodels and vega-datasets with a break dated by others."""
    import statsmodels.datasets as sets
    from vega_datasets import data as vega

    def of(name: str) -> Any:
        return getattr(sets, name).load_pandas().data

    nile, macro, sea = of("nile"), of("macrodata"), of("elnino").set_index("YEAR")
    quarter = (macro["year"] * 4 + macro["quarter"]).astype(int).tolist()
    jobs = vega.us_employment()
    # The months' own course is that of 1950–1969, before anything that is judged.
    warmth = (sea - sea.loc[1950:1969].mean()).loc[1970:].to_numpy(dtype=float).ravel()

    def macro_break(name: str, column: str, at: tuple[int, int], sign: int) -> Break:
        return Break(name, macro[column].to_numpy(dtype=float), quarter.index(at[0] * 4 + at[1]), sign)

    return [
        Break("Nile, yearly, down from 1899", nile["volume"].to_numpy(dtype=float), 1899 - 1871, -1),
        macro_break("US inflation, quarterly, up from IV 1973", "infl", (1973, 4), 1),
        macro_break("US treasury bills, quarterly, up from IV 1979", "tbilrate", (1979, 4), 1),
        macro_break("US unemployment, quarterly, up from I 2008", "unemp", (2008, 1), 1),
        Break(
            "US jobs gained a month, down from January 2008",
            jobs["nonfarm_change"].to_numpy(dtype=float)[1:],  # the first month has none before it
            jobs["month"].astype(str).tolist().index("2008-01-01") - 1,
            -1,
        ),
        Break("sea off Peru, monthly, up from May 1982", warmth, (1982 - 1970) * 12 + 4, 1),
        Break("sea off Peru, monthly, up from May 1997", warmth, (1997 - 1970) * 12 + 4, 1),
    ]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def steps(delay: float, most: int) -> str:
    """Return a delay as it is written."""
    return f"{delay:.0f}" if np.isfinite(delay) else f"> {most}"


def _delays_told(got: Floats) -> str:
    median = float(np.quantile(got, 0.5, method="lower"))
    shares = " / ".join(f"{np.mean(got <= day):.0%}".replace("%", " %") for day in (7, CHANGED_DAYS))
    return f"{shares}, {steps(median, CHANGED_DAYS)}"


def _seen_told(seen: Seen) -> str:
    delay = steps(seen.delay, seen.after) if not seen.stood else "already stood"
    return f"{delay}, {seen.before}"


def simulated_table(number: int, evens: Mapping[str, Even]) -> str:
    """Return what each rule finds of planted changes, by family and change."""
    rules: tuple[str, ...] = ("Abasto", *PLAIN)
    rows: list[list[str]] = []
    every: dict[str, list[Floats]] = {rule: [] for rule in rules}
    for at, family in enumerate(FAMILIES):
        for also, (name, factor) in enumerate(FACTORS.items()):
            use = planted(family, factor, number, np.random.default_rng([SEED, 1, at, also]))
            got = found(use, 1 if factor > 1 else -1, evens[family].limits)
            rows.append([f"{family}, {name}", *(_delays_told(got[rule]) for rule in rules)])
            for rule in rules:
                every[rule].append(got[rule])
    rows.append(["all", *(_delays_told(np.concatenate(every[rule])) for rule in rules)])
    return table(["found within 7 / 14 days, median delay", *rules], rows)


def rates_table(evens: Mapping[str, Even]) -> str:
    """Return the alarms of quiet series, and the limits that make them even."""

    def told(one: Even, name: str) -> str:
        return f"{one.rates[name]:.4f} (over {one.limits[name]:.2f})"

    rows = [[family, f"{one.ours:.4f}", *(told(one, name) for name in PLAIN)] for family, one in evens.items()]
    return table(["alarms of a quiet series a month", "Abasto", *PLAIN], rows)


def published_table(breaks: Sequence[Break], limits: Mapping[str, float]) -> str:
    """Return how each rule fares on public series."""
    rows = []
    for one in breaks:
        seen = watched(one, limits)
        rows.append([one.name, str(seen["Abasto"].mornings), *(_seen_told(seen[rule]) for rule in ("Abasto", *PLAIN))])
    return table(["delay in steps, alarms before", "steps watched before", "Abasto", *PLAIN], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch_changes", description=__doc__)
    parser.add_argument("--quiet", type=int, default=1200, help="quiet series of each shape (default 1200)")
    parser.add_argument("--planted", type=int, default=400, help="series of each shape and change (default 400)")
    given = parser.parse_args(arguments)
    evens = evened(given.quiet)
    print(rates_table(evens), "", simulated_table(given.planted, evens), sep="\n", flush=True)
    print("", published_table(published(), evens["all"].limits), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
