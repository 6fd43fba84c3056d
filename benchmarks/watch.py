"""Our forecasts beside automatic models of a library, on seeded families and on series that come inside packages.

    uv run --group benchmarks python -m benchmarks.watch [--each 8] [--page]

Seed 7 was tuned on; the families here have others. Peers take no gaps, so theirs are filled by linear interpolation.
`--page` writes the tables into docs/benchmarks.md; otherwise they are printed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from abasto.forecast import forecast
from abasto.forecast.members import Array
from benchmarks.memory import peak_mib

__all__ = ["FAMILIES", "Series", "family", "main"]

BEGIN, END = "<!-- watch:begin -->", "<!-- watch:end -->"
PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
FAMILIES = ("steady", "weekly", "trend", "wandering", "now and then", "jump")
WAYS = ("complete", "40 % of days missing", "weekly totals")
AHEAD = 14
DAYS = 365
SEED = 11
PEERS = ("AutoETS", "AutoTheta", "AutoCES", "SeasonalNaive")


@dataclass(frozen=True, slots=True)
class Series:
    """A past with gaps, what came after it, and the mean absolute difference of days a week apart, for the MASE."""

    group: str
    past: Array
    after: Array
    week_apart: float


def family(name: str, days: int, rng: np.random.Generator) -> Array:
    """Return one series of a family, daily use of some good at some site."""
    day = np.arange(days)
    base = np.exp(rng.uniform(1, 6))
    if name == "now and then":
        return np.round(base * (rng.random(days) < rng.uniform(0.05, 0.4)) * rng.gamma(2, 0.5, size=days))
    week = np.maximum(1 + rng.uniform(0, 0.6) * rng.normal(size=7), 0.05)[day % 7]
    course = {
        "steady": lambda: np.ones(days),
        "weekly": lambda: week,
        "trend": lambda: week * (1 + rng.uniform(-0.6, 1.0) * day / days),
        "wandering": lambda: np.exp(np.cumsum(0.03 * rng.normal(size=days))),
        "jump": lambda: week * np.where(day > rng.integers(days // 6, days), rng.choice([0.5, 1.7]), 1.0),
    }[name]()
    noise = rng.uniform(0.1, 0.5)
    return np.asarray(np.round(base * course * rng.gamma(noise**-2, noise**2, size=days), 1))


def simulated(each: int, way: str, seed: int) -> list[Series]:
    """Return `each` series of every family, reported in one of WAYS."""
    rng = np.random.default_rng(seed)
    return [_reported(name, family(name, DAYS - 1 + AHEAD, rng), way, rng) for name in FAMILIES for _ in range(each)]


def _reported(name: str, use: Array, way: str, rng: np.random.Generator) -> Series:
    if way == "weekly totals":  # 378 days are 54 weeks
        use = use.reshape(-1, 7).mean(axis=1).repeat(7)
    past, after = use[:-AHEAD].copy(), use[-AHEAD:]
    apart = float(np.abs(past[7:] - past[:-7]).mean())
    if way == "40 % of days missing":
        past[rng.random(len(past)) < 0.4] = np.nan
    return Series(name, past, after, apart)


def published(most: int = 26) -> list[Series]:
    """Return public series, each cut at the end of each of its last fortnights: a year of them, at most half of it.

    What lies before these fortnights is what settings were tuned on.
    """
    found = []
    for name, values in _public().items():
        pasts = (len(values) - 2 * AHEAD) // AHEAD
        for back in range(min(max(pasts // 2, 4), most)):
            end = len(values) - back * AHEAD
            use, after = values[max(0, end - AHEAD - 730) : end - AHEAD], values[end - AHEAD : end]
            found.append(Series(name, use, after, float(np.nanmean(np.abs(use[7:] - use[:-7])))))
    return found


def _public() -> dict[str, Array]:
    """Return series that statsmodels and vega_datasets carry; those that fall below 0 are none of ours."""
    from statsmodels import datasets
    from vega_datasets import local_data

    weather, prices = local_data.seattle_weather(), local_data.stocks()
    quarters = datasets.macrodata.load_pandas().data
    whole = {
        "CO₂, weekly, gaps": datasets.co2.load_pandas().data["co2"],
        "Seattle wind, daily": weather["wind"],
        "Seattle rain, daily": weather["precipitation"],
        "Seattle heat, daily, °F": 32 + 1.8 * weather["temp_max"],
        "Seattle heat at night, daily, °F": 32 + 1.8 * weather["temp_min"],
        "San Francisco heat, daily": local_data.sf_temps().set_index("date")["temp"].resample("D").mean(),
        "Nile, yearly": datasets.nile.load_pandas().data["volume"],
        "sunspots, yearly": datasets.sunspots.load_pandas().data["SUNACTIVITY"],
        "El Niño, monthly": datasets.elnino.load_pandas().data.drop(columns="YEAR").stack(),
        "US unemployment, quarterly": quarters["unemp"],
        "US treasury bills, quarterly": quarters["tbilrate"],
        "US product, quarterly": quarters["realgdp"],
        "US jobs, monthly": local_data.us_employment()["nonfarm"],
        "Microsoft's share, monthly": prices[prices["symbol"] == "MSFT"]["price"],
        "IBM's share, monthly": prices[prices["symbol"] == "IBM"]["price"],
    }
    return {name: column.to_numpy(dtype=float) for name, column in whole.items()}


def filled(past: Array) -> Array:
    """Return a past whose gaps are filled by linear interpolation, as the peers need it."""
    known, day = ~np.isnan(past), np.arange(len(past))
    return np.asarray(np.interp(day, day[known], past[known]))


def _peer(name: str, past: Array) -> tuple[Array, Array, Array, float]:
    """Return mean, low and high by one of the library's models and the seconds it took; nothing below 0, as ours."""
    import warnings

    from statsforecast import models

    model = getattr(models, name)(season_length=7)
    begin = time.perf_counter()
    with warnings.catch_warnings():  # the peers' own, of overflow while they search
        warnings.simplefilter("ignore")
        told = model.forecast(filled(past), AHEAD, level=[90])
    taken = time.perf_counter() - begin
    mean, low, high = (np.maximum(told[key], 0.0) for key in ("mean", "lo-90", "hi-90"))
    return mean, low, high, taken


def _ours(past: Array) -> tuple[Array, Array, Array, float]:
    begin = time.perf_counter()
    told = forecast(past[None], AHEAD)
    return told.mean[0], told.low[0], told.high[0], time.perf_counter() - begin


def judged(name: str, series: Series) -> dict[str, Any]:
    """Return MASE, share covered and seconds of one forecaster on one series; unknown days are not judged."""
    mean, low, high, taken = _ours(series.past) if name == "Abasto" else _peer(name, series.past)
    known = ~np.isnan(series.after)
    after = series.after[known]
    within = (after >= low[known] - 1e-9) & (after <= high[known] + 1e-9)
    mase = float(np.abs(mean[known] - after).mean() / series.week_apart)
    return {"group": series.group, "name": name, "mase": mase, "covered": float(within.mean()), "seconds": taken}


def table(records: Sequence[dict[str, Any]]) -> str:
    """Return a table: a row a group, and their mean; a cell MASE and share covered, the least MASE in bold."""
    names = ("Abasto", *PEERS)
    lines = ["| | " + " | ".join(names) + " |", "| --- " * (len(names) + 1) + "|"]
    groups = list(dict.fromkeys(record["group"] for record in records))
    means = np.array([[_mean(records, group, name) for name in names] for group in groups])
    for group, cells in (*zip(groups, means, strict=True), ("all", means.mean(axis=0))):
        least = min(round(float(mase), 3) for mase, _ in cells)
        texts = [f"{m:.3f}" if round(float(m), 3) > least else f"**{m:.3f}**" for m, _ in cells]
        row = " | ".join(f"{text}, {100 * cover:.0f} %" for text, (_, cover) in zip(texts, cells, strict=True))
        lines.append(f"| {group} | {row} |")
    taken = [sum(r["seconds"] for r in records if r["name"] == name) for name in names]
    lines.append("| seconds | " + " | ".join(f"{seconds:.1f}" for seconds in taken) + " |")
    return "\n".join(lines)


def _mean(records: Sequence[dict[str, Any]], group: str, name: str) -> list[float]:
    """Return mean MASE and share covered of one forecaster on one group."""
    own = [record for record in records if (record["group"], record["name"]) == (group, name)]
    return [float(np.mean([record[key] for record in own])) for key in ("mase", "covered")]


def many(count: int) -> str:
    """Return how long many series take in one process."""
    rng = np.random.default_rng(SEED)
    use = np.stack([family(FAMILIES[n % len(FAMILIES)], DAYS, rng) for n in range(count)])
    use[rng.random(use.shape) < 0.1] = np.nan
    before, begin = peak_mib(), time.perf_counter()
    forecast(use, 28)
    taken = time.perf_counter() - begin
    return (
        f"{count:,} series of {DAYS} days, a tenth of the days missing, 28 days ahead, one process: **{taken:.1f} s**, "
        f"{peak_mib() - before:,.0f} MiB more memory at the peak."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print or write into the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.watch", description=__doc__)
    parser.add_argument("--each", type=int, default=8, help="series of each family (default 8)")
    parser.add_argument("--page", action="store_true", help="write the tables into docs/benchmarks.md")
    given = parser.parse_args(arguments)
    parts = [many(10_000)]
    runs = {f"Families, {way}": simulated(given.each, way, SEED + n) for n, way in enumerate(WAYS)}
    for title, series in {**runs, "Published series": published()}.items():
        work = [delayed(judged)(name, one) for one in series for name in ("Abasto", *PEERS)]
        parts.append(f"### {title}\n\n{table(Parallel(n_jobs=2)(work))}")
        print(parts[-1], flush=True)
    text = "\n\n".join(parts)
    if not given.page:
        print(parts[0])
        return 0
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
