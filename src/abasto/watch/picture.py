"""The small chart of an alarm as SVG: what lay there as a line, what is expected dashed, within its 90 % interval."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from abasto.watch.types import Chart

__all__ = ["svg_of"]

SHOWN_DAYS = 28
WIDTH, HEIGHT, EDGE = 280, 64, 3
"""In units of the picture, which is stretched to its place."""


def svg_of(chart: Chart, alternative: str) -> str:
    """Return a chart as an SVG element without colours of its own: a sheet of styles has those of its classes.

    `alternative` says the same to who cannot see it. Time goes from left to right; a page may mirror it.
    """
    past = chart.past[-SHOWN_DAYS:]
    days = max(1, len(past) + len(chart.ahead) - 1)
    most = max((one for one in (*past, *chart.ahead, *chart.high) if one is not None), default=0.0) or 1.0

    def point(number: int, value: float) -> str:
        x = EDGE + (WIDTH - 2 * EDGE) * number / days
        y = HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * value / most
        return f"{x:.1f},{y:.1f}"

    parts = [f'<path class="ground" d="M{point(0, 0)} L{point(days, 0)}"/>']
    first = len(past)
    last = past[-1] if past else None
    if chart.ahead and last is not None:
        start = point(first - 1, last)
        upper = [point(first + number, value) for number, value in enumerate(chart.high)]
        lower = [point(first + number, value) for number, value in enumerate(chart.low)]
        parts.append(f'<polygon class="band" points="{" ".join([start, *upper, *reversed(lower)])}"/>')
        ahead = [point(first + number, value) for number, value in enumerate(chart.ahead)]
        parts.append(f'<polyline class="ahead" points="{" ".join([start, *ahead])}"/>')
    for run in _runs(past):
        points = [point(number, value) for number, value in run]
        # A single known day would be a line without length.
        parts.append(f'<polyline class="past" points="{" ".join(points * 2 if len(points) == 1 else points)}"/>')
    if past:
        parts.append(f'<path class="today" d="M{point(first - 1, 0)} L{point(first - 1, most)}"/>')
    return (
        f'<svg class="course" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(alternative)}">{"".join(parts)}</svg>'
    )


def _runs(past: tuple[float | None, ...]) -> Iterator[list[tuple[int, float]]]:
    """Yield the stretches of days in a row that are known."""
    run: list[tuple[int, float]] = []
    for number, value in enumerate(past):
        if value is not None:
            run.append((number, value))
        elif run:
            yield run
            run = []
    if run:
        yield run
