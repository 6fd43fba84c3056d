"""What fairness costs as one picture: what the worst-off 5 % get against the total, a point for each fairness.

Points that are not told apart from the one before are rings, all others are filled; each bears its fairness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from abasto.summary import percent
from abasto.tradeoff import Tradeoff, TradeoffPoint

__all__ = ["draw_tradeoff"]

WIDTH, HEIGHT = 760.0, 430.0
LEFT, RIGHT, TOP, BOTTOM = 74.0, 740.0, 16.0, 376.0
LETTER = 7.6
"""About the width of a letter of a point's name."""
STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
MOST_LINES = 8
Box = tuple[float, float, float, float]


class _Axis:
    """A scale from shares to positions that holds all values with some room, and where its lines stand."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        least, most = min(values), max(values)
        room = max(0.08 * (most - least), 0.005)
        self.least, self.most = max(-0.02, least - room), min(1.02, most + room)
        self.start, self.end = start, end
        span = self.most - self.least
        self.step = next((step for step in STEPS if span / step <= MOST_LINES), STEPS[-1])

    def place(self, value: float) -> float:
        return self.start + (self.end - self.start) * (value - self.least) / (self.most - self.least)

    def lines(self) -> list[float]:
        first, last = math.ceil(self.least / self.step - 1e-9), math.floor(self.most / self.step + 1e-9)
        return [count * self.step for count in range(max(0, first), last + 1) if count * self.step <= 1 + 1e-9]


def draw_tradeoff(result: Tradeoff, *, label: str = "") -> Markup:
    """Return the picture as SVG: the total to the right, the worst-off 5 % upwards."""
    across = _Axis([point.mean_coverage for point in result.points], LEFT, RIGHT)
    up = _Axis([point.worst_5_percent_coverage for point in result.points], BOTTOM, TOP)
    places = [(across.place(p.mean_coverage), up.place(p.worst_5_percent_coverage)) for p in result.points]
    parts = [
        Markup('<svg class="frontier" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">').format(
            WIDTH, HEIGHT, label or "What the worst-off 5 % get against the total, by fairness"
        ),
        _grid(across, up),
        Markup('<polyline class="path" points="{}"/>').format(" ".join(f"{x:.1f},{y:.1f}" for x, y in places)),
    ]
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y in places]
    for (x, y), mine in _together(places).items():
        parts.append(_mark([result.points[index] for index in mine], x, y))
        parts.append(_name("α " + ", ".join(f"{result.points[index].fairness:g}" for index in mine), x, y, taken))
    return Markup("").join([*parts, Markup("</svg>")])


def _together(places: Sequence[tuple[float, float]]) -> dict[tuple[float, float], list[int]]:
    """Return which points stand in one place, to a unit of the picture: they share a mark and a name."""
    found: dict[tuple[float, float], list[int]] = {}
    for index, place in enumerate(places):
        near = next((there for there in found if math.dist(there, place) < 1.0), place)
        found.setdefault(near, []).append(index)
    return found


def _grid(across: _Axis, up: _Axis) -> Markup:
    parts = [
        Markup('<rect class="frame" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            LEFT, TOP, RIGHT - LEFT, BOTTOM - TOP
        )
    ]
    for value in across.lines():
        x = across.place(value)
        parts.append(
            Markup(
                '<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
                '<text class="axis" x="{:.1f}" y="{:.1f}" text-anchor="middle">{}</text>'
            ).format(x, TOP, x, BOTTOM, x, BOTTOM + 16, _tick(value, across.step))
        )
    for value in up.lines():
        y = up.place(value)
        parts.append(
            Markup(
                '<line class="grid" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
                '<text class="axis" x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>'
            ).format(LEFT, y, RIGHT, y, LEFT - 7, y + 4, _tick(value, up.step))
        )
    parts.append(
        Markup(
            '<text x="{:.1f}" y="{:.1f}" text-anchor="middle">total: met of what is needed, on average →</text>'
            '<text x="14" y="{:.1f}" text-anchor="middle" transform="rotate(-90 14 {:.1f})">worst-off 5 % get →</text>'
        ).format((LEFT + RIGHT) / 2, BOTTOM + 40, (TOP + BOTTOM) / 2, (TOP + BOTTOM) / 2)
    )
    return Markup("").join(parts)


def _tick(value: float, step: float) -> str:
    return f"{value * 100:.{0 if step >= 0.01 else 1}f} %"


def _mark(points: Sequence[TradeoffPoint], x: float, y: float) -> Markup:
    """Return the mark of points in one place, a ring if the first of them is not told apart from the one before."""
    words = (
        f"fairness {', '.join(f'{point.fairness:g}' for point in points)}: {percent(points[0].mean_coverage)} met on "
        f"average, the worst-off 5 % get {percent(points[0].worst_5_percent_coverage)}"
    )
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="5"><title>{}</title></circle>').format(
        "open" if points[0].like_previous else "point", x, y, words
    )


def _name(name: str, x: float, y: float, taken: list[Box]) -> Markup:
    """Write a point's name beside it, where it runs into no other name or point if there is such a place."""
    length = LETTER * len(name)
    # The line between the points falls to the right: above and to the right it is not in the way.
    choices = [("start", x + 8, y - 8), ("end", x - 8, y + 16), ("start", x + 10, y + 4), ("end", x - 10, y + 4)]
    choices += [("middle", x, y - 11), ("middle", x, y + 20), ("end", x - 8, y - 8), ("start", x + 8, y + 16)]

    def box(choice: tuple[str, float, float]) -> Box:
        anchor, tx, ty = choice
        left = tx - {"start": 0.0, "end": length, "middle": length / 2}[anchor]
        return (left, ty - 10, left + length, ty + 3)

    def free(choice: tuple[str, float, float]) -> bool:
        one = box(choice)
        inside = one[0] > LEFT and one[2] < RIGHT and one[1] > TOP and one[3] < BOTTOM
        return inside and not any(
            one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3] for other in taken
        )

    chosen = next((choice for choice in choices if free(choice)), choices[0])
    taken.append(box(chosen))
    return Markup('<text class="name" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        chosen[1], chosen[2], chosen[0], name
    )
