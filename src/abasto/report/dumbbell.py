"""Two plans as one picture: a line for each place, from its coverage in the first to that in the second.

A ring stands for the first plan, an arrowhead for the second; it points left where a place loses and right where it
gains, and losing and gaining places stand in groups of their own, so that no colour has to be seen.
"""

from __future__ import annotations

from markupsafe import Markup

from abasto.compare import Comparison, SiteChange
from abasto.summary import percent

__all__ = ["MOST_DRAWN", "draw_changes", "shares_of"]

MOST_DRAWN = 40
"""Places drawn, half of them for those that lose and half for those that gain, or more where the others are fewer;
with their scale they fit on one printed page."""
WIDTH, LEFT, RIGHT = 760.0, 180.0, 530.0
"""Names stand left of the scale, what changes most right of it."""
ROW, TOP = 18.0, 40.0
LETTERS = 26


def draw_changes(comparison: Comparison, *, label: str = "") -> Markup:
    """Return the picture as SVG; places without change are left out, and of many those that change most are drawn."""
    groups = [("Lose", comparison.losing), ("Gain", comparison.gaining)]
    rooms = shares_of(MOST_DRAWN, len(comparison.losing), len(comparison.gaining))
    drawn = [(word, sites[:room], len(sites)) for (word, sites), room in zip(groups, rooms, strict=True) if sites]
    height = TOP + sum(ROW * (len(sites) + 1.6) for _, sites, _ in drawn) + 6
    parts = [
        Markup('<svg class="dumbbell" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">').format(
            WIDTH, height, label or "Coverage of places in both plans"
        ),
        _scale(height),
    ]
    y = TOP
    for word, sites, in_all in drawn:
        y += ROW * 1.2
        shown = f"{in_all:,}" if in_all == len(sites) else f"{len(sites)} of {in_all:,}, those that {word.lower()} most"
        parts.append(Markup('<text class="group" x="6" y="{:.1f}">{} ({})</text>').format(y, word, shown))
        y += ROW * 0.4
        for site in sites:
            y += ROW
            parts.append(_row(site, y - ROW / 2))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def shares_of(room: int, first: int, second: int) -> tuple[int, int]:
    """Return how many of two groups get a place where there is room for so many: half each, or what the other leaves.

    >>> shares_of(40, 131, 2), shares_of(40, 100, 100), shares_of(40, 3, 4)
    ((38, 2), (20, 20), (3, 4))
    """
    half = room // 2
    return min(first, max(half, room - second)), min(second, max(room - half, room - first))


def _x(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, share))


def _scale(height: float) -> Markup:
    parts = [Markup('<text class="axis" x="{:.1f}" y="12" text-anchor="middle">share of its needs that is met</text>')]
    parts[0] = parts[0].format((LEFT + RIGHT) / 2)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = _x(share)
        parts.append(
            Markup(
                '<line class="grid" x1="{:.1f}" y1="32" x2="{:.1f}" y2="{:.1f}"/>'
                '<text class="axis" x="{:.1f}" y="27" text-anchor="middle">{:.0f} %</text>'
            ).format(x, x, height - 4, x, share * 100)
        )
    return Markup("").join(parts)


def _row(site: SiteChange, y: float) -> Markup:
    """Return the name, ring, line and arrowhead of a place, and what changes most there."""
    first, second = _x(site.first), _x(site.second)
    kind, ahead = ("lose", -1) if site.change < 0 else ("gain", 1)
    words = f"{site.name}: {percent(site.first)} → {percent(site.second)}; {site.people:,.0f} people"
    return Markup(
        '<g class="{}"><title>{}</title><text x="{:.1f}" y="{:.1f}" text-anchor="end">{}</text>'
        '<line class="way" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
        '<circle class="ring" cx="{:.1f}" cy="{:.1f}" r="4"/>'
        '<path class="head" d="M{:.1f} {:.1f}l{:.1f} -4.5v9z"/>'
        '<text class="what" x="{:.1f}" y="{:.1f}">{}</text></g>'
    ).format(
        kind,
        words,
        LEFT - 12,
        y + 4,
        _short(site.name, LETTERS),
        first,
        y,
        second,
        y,
        first,
        y,
        second,
        y,
        -ahead * 8.0,
        RIGHT + 14,
        y + 4,
        _short(_what(site), 42),
    )


def _what(site: SiteChange) -> str:
    return f"{site.need_name} {percent(site.need_first)} → {percent(site.need_second)}, day {site.from_day}"


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"
