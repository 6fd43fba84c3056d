"""Sites and lanes as an SVG map: circles by people and coverage, lanes by tonnes moved.

The projection is equirectangular, degrees of longitude shortened by the cosine of the middle latitude. Where a few
places lie far out, they are drawn nearer along their direction, so that the others do not shrink to a dot. A long
narrow country is cut into strips that stand side by side, north first, each with a scale of its own. How well a place
is served shows as a colour and as a mark: a cross where it is badly served, a dot where it is partly served.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from markupsafe import Markup, escape

from abasto.network import Network, Site
from abasto.planner.plan import Plan
from abasto.report.heat import level
from abasto.summary import people_at, percent

__all__ = ["draw_map", "draw_network", "lane_tonnes", "most_moved", "site_coverage", "sites_off_the_map"]

HEIGHT = 620.0
MARGIN = 26.0
STRIP_WIDTH = (120.0, 400.0)
SINGLE_SIZE = (640.0, 260.0)
LONG = 2.4
"""A map this many times as high as wide is cut into strips."""
FAR = 2.2
"""Places this many times as far from the middle as four fifths of all places are drawn nearer."""
FAR_RING = 0.9
"""They end within a ring this wide around the four fifths, measured in the radius of those."""
ALWAYS_NAMED = 2
"""So many of the most populous places of a strip are named even over the marks of others."""
LETTER = 8.0
"""About the width of a letter of a label, in the widest of the usual fonts."""
KM_PER_DEGREE = 111.2
LEVEL_WORDS = ("below 25 %", "25 to 50 %", "50 to 75 %", "75 to 95 %", "95 % and more")


@dataclass(frozen=True, slots=True)
class _Strip:
    """A part of the map: where it stands on the page, and the scale and middle it is drawn with."""

    left: float
    width: float
    height: float
    scale: float
    middle_x: float
    middle_y: float
    south: float
    north: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return the position in the strip of a point given in degrees of latitude's length."""
        return (x - self.middle_x) * self.scale + self.width / 2, (y - self.middle_y) * self.scale + self.height / 2


def site_coverage(plan: Plan) -> dict[str, float]:
    """Return the coverage of each site with needs, over all its needs and days, weighted by priority."""
    met: dict[str, float] = {}
    weights: dict[str, float] = {}
    columns = (plan.coverage[name].tolist() for name in ("site", "priority", "coverage"))
    for site, priority, coverage in zip(*columns, strict=True):
        weight = 10.0 ** (1.0 - priority)
        met[site] = met.get(site, 0.0) + weight * coverage
        weights[site] = weights.get(site, 0.0) + weight
    return {site: met[site] / weights[site] for site in met}


def lane_tonnes(plan: Plan) -> dict[tuple[str, str], float]:
    """Return the tonnes moved between two sites over the horizon, by direction."""
    moved: dict[tuple[str, str], float] = {}
    columns = (plan.trips[name].tolist() for name in ("from", "to", "tonnes"))
    for start, end, tonnes in zip(*columns, strict=True):
        moved[start, end] = moved.get((start, end), 0.0) + tonnes
    return moved


def most_moved(plan: Plan) -> float:
    """Return the tonnes moved over the busiest lane, both directions together; 1 where nothing moves."""
    return max(_both_ways(lane_tonnes(plan)).values(), default=1.0) or 1.0


def sites_off_the_map(network: Network) -> tuple[Site, ...]:
    """Return the sites without coordinates; none where no site has any, for then all stand on a ring."""
    without = tuple(site for site in network.sites if site.lat is None or site.lon is None)
    return () if len(without) == len(network.sites) else without


def draw_map(plan: Plan, *, most_tonnes: float | None = None, label: str = "") -> Markup:
    """Return the map of a plan as SVG; `most_tonnes` is what the widest lane stands for, one for all maps."""
    most = most_tonnes or most_moved(plan)
    return _draw(plan.network, site_coverage(plan), lane_tonnes(plan), most, label)


def draw_network(network: Network, *, label: str = "") -> Markup:
    """Return the map of a network that is not planned yet as SVG: its places and lanes."""
    return _draw(network, None, {}, 1.0, label)


def _draw(
    network: Network,
    coverage: Mapping[str, float] | None,
    moved: Mapping[tuple[str, str], float],
    most: float,
    label: str,
) -> Markup:
    points = _positions(network)
    if not points:
        return Markup("")
    strips = _strips(list(points.values()))
    nearer = len(strips) == 1 and _draw_nearer(points)
    if nearer:
        strips = _strips(list(points.values()))
    parts = [
        Markup('<svg class="map" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">').format(
            strips[-1].left + strips[-1].width, strips[0].height, label or f"Map of {network.name}"
        )
    ]
    for strip in strips:
        parts.append(
            Markup(
                '<svg x="{:.0f}" y="0" width="{:.0f}" height="{:.0f}"><rect class="ground" width="100%" height="100%"/>'
            ).format(strip.left, strip.width, strip.height)
        )
        parts += _lanes(network, points, strip, moved, most)
        parts += _sites(network, points, strip, coverage)
        if _has_coordinates(network):
            parts.append(_scale_bar(strip, nearer=nearer))
        parts.append(Markup("</svg>"))
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def _has_coordinates(network: Network) -> bool:
    return any(site.lat is not None and site.lon is not None for site in network.sites)


def _positions(network: Network) -> dict[str, tuple[float, float]]:
    """Return each site's position in degrees of latitude's length, x to the east and y to the south."""
    placed = [
        (site.site, site.lat, site.lon) for site in network.sites if site.lat is not None and site.lon is not None
    ]
    if not placed:
        count = len(network.sites)
        turns = [2 * math.pi * index / max(1, count) for index in range(count)]
        return {site.site: (math.sin(t), -math.cos(t)) for site, t in zip(network.sites, turns, strict=True)}
    middle = (min(lat for _, lat, _ in placed) + max(lat for _, lat, _ in placed)) / 2
    shrink = math.cos(math.radians(middle))
    return {site: (lon * shrink, -lat) for site, lat, lon in placed}


def _draw_nearer(points: dict[str, tuple[float, float]]) -> bool:
    """Move places that lie far out nearer to the middle, each along its direction; return whether any was moved."""
    middle = median(x for x, _ in points.values()), median(y for _, y in points.values())
    distance = {site: math.dist(middle, point) for site, point in points.items()}
    radius, most = sorted(distance.values())[(len(points) - 1) * 4 // 5], max(distance.values())
    if radius <= 0 or most <= FAR * radius:
        return False
    for site, (x, y) in points.items():
        if distance[site] > radius:
            drawn = radius * (1 + FAR_RING * (distance[site] - radius) / (most - radius))
            shrink = drawn / distance[site]
            points[site] = middle[0] + (x - middle[0]) * shrink, middle[1] + (y - middle[1]) * shrink
    return True


def _strips(points: Sequence[tuple[float, float]]) -> list[_Strip]:
    xs, ys = [x for x, _ in points], sorted(y for _, y in points)
    width, height = max(max(xs) - min(xs), 1e-6), max(ys[-1] - ys[0], 1e-6)
    if height / width < LONG or len(points) < 12:
        page_width = SINGLE_SIZE[0]
        page_height = min(HEIGHT, max(SINGLE_SIZE[1], (page_width - 2 * MARGIN) * height / width + 2 * MARGIN))
        return [_strip(0.0, points, page_height, fixed_width=page_width)]
    count = 3 if height / width > 2 * LONG else 2
    # Half-way between equal height and equal number of places: dense regions get room, empty ones do not vanish.
    cuts = [(ys[0] + height * part / count + ys[len(ys) * part // count]) / 2 for part in range(1, count)]
    edges = [ys[0] - 1.0, *cuts, ys[-1] + 1.0]
    strips: list[_Strip] = []
    for north, south in pairwise(edges):
        inside = [(x, y) for x, y in points if north <= y < south]
        if inside:
            left = strips[-1].left + strips[-1].width + 8.0 if strips else 0.0
            strips.append(_strip(left, inside, HEIGHT, north=north, south=south))
    return strips


def _strip(
    left: float,
    points: Sequence[tuple[float, float]],
    height: float,
    *,
    fixed_width: float | None = None,
    north: float = -math.inf,
    south: float = math.inf,
) -> _Strip:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    spans = max(max(xs) - min(xs), 1e-6), max(max(ys) - min(ys), 1e-6)
    wanted = spans[0] * (height - 2 * MARGIN) / spans[1] + 2 * MARGIN + 60
    width = fixed_width or min(STRIP_WIDTH[1], max(STRIP_WIDTH[0], wanted))
    scale = min((width - 2 * MARGIN) / spans[0], (height - 2 * MARGIN) / spans[1])
    return _Strip(
        left=left,
        width=width,
        height=height,
        scale=scale,
        middle_x=(min(xs) + max(xs)) / 2,
        middle_y=(min(ys) + max(ys)) / 2,
        south=south,
        north=north,
    )


def _both_ways(moved: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    total: dict[tuple[str, str], float] = {}
    for (start, end), tonnes in moved.items():
        pair = (min(start, end), max(start, end))
        total[pair] = total.get(pair, 0.0) + tonnes
    return total


def _lanes(
    network: Network,
    points: Mapping[str, tuple[float, float]],
    strip: _Strip,
    moved: Mapping[tuple[str, str], float],
    most: float,
) -> list[Markup]:
    names = {site.site: site.name or site.site for site in network.sites}
    total = _both_ways(moved)
    pairs = {(min(lane.from_site, lane.to_site), max(lane.from_site, lane.to_site)) for lane in network.lanes}
    parts = []
    for pair in sorted(pairs, key=lambda pair: total.get(pair, 0.0)):
        if not all(end in points for end in pair) or not _touches(strip, [points[end] for end in pair]):
            continue
        (x1, y1), (x2, y2) = (strip.place(*points[end]) for end in pair)
        tonnes = total.get(pair, 0.0)
        if tonnes > 1e-6:
            there, back = moved.get(pair, 0.0), moved.get((pair[1], pair[0]), 0.0)
            words = f"{names[pair[0]]} → {names[pair[1]]}: {there:,.1f} t; back: {back:,.1f} t"
            kind, width = "used", 0.8 + 6.0 * math.sqrt(tonnes / most)
        else:
            words, kind, width = f"{names[pair[0]]} – {names[pair[1]]}: not used", "idle", 0.8
        parts.append(
            Markup(
                '<line class="lane {}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" stroke-width="{:.1f}">'
                "<title>{}</title></line>"
            ).format(kind, x1, y1, x2, y2, width, words)
        )
    return parts


def _touches(strip: _Strip, ends: Sequence[tuple[float, float]]) -> bool:
    return min(y for _, y in ends) < strip.south and max(y for _, y in ends) >= strip.north


def _sites(
    network: Network,
    points: Mapping[str, tuple[float, float]],
    strip: _Strip,
    coverage: Mapping[str, float] | None,
) -> list[Markup]:
    people = people_at(network)
    most_people = max(people.values(), default=0.0) or 1.0
    inside = [
        site for site in network.sites if site.site in points and strip.north <= points[site.site][1] < strip.south
    ]
    inside.sort(key=lambda site: -people[site.site])
    parts: list[Markup] = []
    shapes: list[tuple[Site, float, float, float]] = []
    for site in inside:
        x, y = strip.place(*points[site.site])
        serves = people[site.site] > 0 if coverage is None else site.site in coverage
        radius = 4.5 + 13.0 * math.sqrt(people[site.site] / most_people) if serves else 4.0
        shapes.append((site, x, y, radius))
        parts.append(_mark(site, people[site.site], x, y, radius, coverage))
    return parts + _labels(shapes, strip, coverage or {})


def _mark(site: Site, people: float, x: float, y: float, radius: float, coverage: Mapping[str, float] | None) -> Markup:
    name = site.name or site.site
    if coverage is None and people > 0:
        return Markup(
            '<circle class="site plain" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"><title>{}</title></circle>'
        ).format(x, y, radius, f"{name}: {people:,.0f} people")
    served = None if coverage is None else coverage.get(site.site)
    if served is None:
        return Markup(
            '<rect class="site plain" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}</title></rect>'
        ).format(
            x - radius,
            y - radius,
            2 * radius,
            2 * radius,
            name if coverage is None else f"{name}: nothing is needed here",
        )
    words = f"{name}: {percent(served)} of its needs met; {people:,.0f} people"
    mark = Markup("")
    if served < 0.5:
        arm = radius * 0.55
        mark = Markup('<path class="cross" d="M{:.1f} {:.1f}l{:.1f} {:.1f}m0 {:.1f}l{:.1f} {:.1f}"/>').format(
            x - arm, y - arm, 2 * arm, 2 * arm, -2 * arm, -2 * arm, 2 * arm
        )
    elif served < 0.95:
        mark = Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>').format(x, y, max(1.3, radius * 0.22))
    circle = Markup('<circle class="site c{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>').format(level(served), x, y, radius)
    return Markup("<g><title>{}</title>{}{}</g>").format(words, circle, mark)


def _labels(
    shapes: Sequence[tuple[Site, float, float, float]], strip: _Strip, coverage: Mapping[str, float]
) -> list[Markup]:
    """Write names where they do not run into each other: the worst served and the largest places first."""
    marks = [(x - radius, y - radius, x + radius, y + radius) for _, x, y, radius in shapes]
    largest = {site.site for site, _, _, _ in shapes[:ALWAYS_NAMED]}
    written: list[tuple[float, float, float, float]] = []
    parts = []

    def weight(shape: tuple[Site, float, float, float]) -> tuple[float, float]:
        site, _, _, radius = shape
        return (radius + 8.0 * (1.0 - coverage.get(site.site, 1.0)), site.people)

    for site, x, y, radius in sorted(shapes, key=weight, reverse=True):
        name = site.name or site.site
        shown = name if len(name) <= 24 else name[:23] + "…"
        length = LETTER * len(shown)
        taken = written if site.site in largest else written + marks
        for anchor, tx, ty in (
            ("start", x + radius + 3, y + 3.5),
            ("end", x - radius - 3, y + 3.5),
            ("middle", x, y - radius - 4),
            ("middle", x, y + radius + 11),
        ):
            left = tx - {"start": 0.0, "end": length, "middle": length / 2}[anchor]
            box = (left, ty - 9, left + length, ty + 2)
            fits = box[0] >= 1 and box[2] <= strip.width - 1 and box[1] >= 1 and box[3] <= strip.height - 1
            if fits and not any(_overlap(box, other) for other in taken):
                written.append(box)
                parts.append(
                    Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(tx, ty, anchor, shown)
                )
                break
    return parts


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _scale_bar(strip: _Strip, *, nearer: bool) -> Markup:
    widest_km = strip.width * 0.4 / strip.scale * KM_PER_DEGREE
    step = 10.0 ** math.floor(math.log10(widest_km))
    km = max(step * factor for factor in (1, 2, 5) if step * factor <= widest_km)
    length = km / KM_PER_DEGREE * strip.scale
    x, y = 8.0, strip.height - 8.0
    words = (f"{km:g} km" if km >= 1 else f"{km * 1000:g} m") + (" (far places are drawn nearer)" if nearer else "")
    return Markup(
        '<path class="scale" d="M{:.1f} {:.1f}v4h{:.1f}v-4"/><text class="scale-words" x="{:.1f}" y="{:.1f}">{}</text>'
    ).format(x, y - 4, length, x + 3, y - 4, escape(words))
