"""The pictures of a situation's paper, as SVG that holds all it needs: days of supply, coverage by day, the map."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from abasto.language import Language
from abasto.planner.plan import Table
from abasto.report.heat import level
from abasto.report.map import draw_map, draw_network
from abasto.situation.types import Situation
from abasto.situation.words import days_words

if TYPE_CHECKING:
    from abasto.planner.plan import Plan
    from abasto.state.known import Known

__all__ = ["Picture", "coverage_picture", "map_picture", "supply_picture"]

SHADES = ("#7a1230", "#c05a3c", "#e9ab5c", "#f5dfa4", "#ffffff")
"""Levels of coverage from the worst to well served: they get lighter, so that they print in grey in the same order."""
INK = "#1d2327"
WIDTH = 560
MOST_DAYS = 14
MOST_GOODS = 12

_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What names may hold and XML may not; whoever draws a chart of it ends the whole process."""

MAP_STYLE = f"""
.ground {{ fill: #f2f4f0; }}
text {{ font-family: FONT; font-size: 13px; fill: {INK}; stroke: #f2f4f0; stroke-width: 3px; paint-order: stroke; }}
.scale-words {{ font-size: 11px; }}
.scale {{ fill: none; stroke: #5b666d; stroke-width: 1.2px; }}
.lane {{ stroke-linecap: round; }}
.used {{ stroke: #4b6f86; stroke-opacity: 0.75; }}
.idle {{ stroke: #8d979c; stroke-dasharray: 3 4; }}
.site {{ stroke: {INK}; stroke-width: 1px; }}
.plain {{ fill: #ffffff; }}
.c0 {{ fill: {SHADES[0]}; }} .c1 {{ fill: {SHADES[1]}; }} .c2 {{ fill: {SHADES[2]}; }}
.c3 {{ fill: {SHADES[3]}; }} .c4 {{ fill: {SHADES[4]}; }}
.cross {{ fill: none; stroke: #ffffff; stroke-width: 2px; stroke-linecap: round; }}
.dot {{ fill: {INK}; }}
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG document, what it shows, and what it says to who cannot see it."""

    svg: str
    caption: str
    alternative: str


def supply_picture(shown: Situation, words: Language, font: str) -> tuple[Picture, ...]:
    """Return bars of how many days each good of the network lasts; none where nothing is needed."""
    import altair as alt

    lasting = [one for one in shown.headline.supply if math.isfinite(one.days_of_supply)][:MOST_GOODS]
    if not lasting:
        return ()
    values = [
        {"good": _readable(one.name), "days": one.days_of_supply, "words": days_words(one.days_of_supply, words)}
        for one in lasting
    ]
    is_rtl = words.direction == "rtl"
    days = alt.X("days:Q", title=None, axis=None, scale=alt.Scale(reverse=is_rtl))
    goods = alt.Y("good:N", sort=None, title=None, axis=alt.Axis(orient="right" if is_rtl else "left"))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=days, y=goods)
    bars = base.mark_bar(color="#6b7d86", stroke=INK, height={"band": 0.7})
    figures = base.mark_text(align="right" if is_rtl else "left", dx=-4 if is_rtl else 4).encode(text="words:N")
    told = ", ".join(f"{value['good']}: {value['words']}" for value in values)
    caption = words("Days of supply of each good in the whole network")
    return (Picture(_svg((bars + figures).properties(width=WIDTH - 150), font), caption, told),)


def coverage_picture(shown: Situation, words: Language, font: str) -> Picture:
    """Return how much of each need is met on each day over all people, as shaded cells with their percentage."""
    import altair as alt

    days = shown.days[:MOST_DAYS]
    sums: defaultdict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in shown.coverage:
        for place, share in enumerate(row.permille[:MOST_DAYS]):
            if share >= 0:
                sums[row.need_name, place][0] += row.people * share / 1000
                sums[row.need_name, place][1] += row.people
    values = []
    for (need, place), (met, people) in sums.items():
        mean = met / people if people else 1.0
        values.append(
            {
                "need": _readable(need),
                "place": place,
                "day": words.day(days[place], style="d MMM"),
                "words": words.number(math.floor(mean * 100 + 1e-9), digits=0),
                "shade": SHADES[level(mean)],
                "ink": "#ffffff" if level(mean) < 2 else INK,
            }
        )
    is_rtl = words.direction == "rtl"
    order = alt.SortField("place", order="descending" if is_rtl else "ascending")
    x = alt.X("day:N", sort=order, title=None, axis=alt.Axis(labelAngle=0, orient="top", labelFontSize=9))
    y = alt.Y("need:N", title=None, axis=alt.Axis(orient="right" if is_rtl else "left"))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x, y=y)
    cells = base.mark_rect(stroke=INK, strokeWidth=0.5).encode(color=alt.Color("shade:N", scale=None))
    figures = base.mark_text(fontSize=10).encode(text="words:N", color=alt.Color("ink:N", scale=None))
    chart = (cells + figures).properties(width=WIDTH - 90, height=alt.Step(20))
    lowest: dict[str, int] = {}
    for value in values:
        lowest[str(value["need"])] = min(lowest.get(str(value["need"]), 100), int(str(value["words"])))
    told = ", ".join(f"{need}: {words.percent(share / 100)}" for need, share in sorted(lowest.items()))
    alternative = words("The lowest day of each need: {needs}", needs=told)
    caption = words("Percent of each need that is met on each day, over all people who need it")
    return Picture(_svg(chart, font), caption, alternative)


def map_picture(shown: Situation, words: Language, seen: Known, plan: Plan | None) -> tuple[Picture, ...]:
    """Return the map: sites by people and coverage, lanes by what moves; none where there are no sites."""
    if not shown.sites:
        return ()
    if plan is None:
        drawn = draw_network(seen.tables)
        caption = words("Sites by people, and lanes")
    else:
        moved = [(lane.from_site, lane.to_site, lane.tonnes_there) for lane in shown.lanes if lane.tonnes_there > 0]
        moved += [(lane.to_site, lane.from_site, lane.tonnes_back) for lane in shown.lanes if lane.tonnes_back > 0]
        columns = list(zip(*moved, strict=True)) or [(), (), ()]
        trips = Table(
            {name: np.array(list(column)) for name, column in zip(("from", "to", "tonnes"), columns, strict=True)}
        )
        drawn = draw_map(replace(plan, network=seen.tables, trips=trips))
        caption = words(
            "Circles are sites, larger for more people and darker where less is met (cross: less than half; "
            "dot: less than 95 %); squares need nothing. Wider lanes carry more."
        )
    if not drawn:
        return ()
    text = str(drawn).replace("(far places are drawn nearer)", words("(far places are drawn nearer)"))
    opened, _, rest = text.partition(">")
    opened = opened.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    svg = f"{opened}><style>{MAP_STYLE.replace('FONT', 'sans-serif')}</style>{rest}"
    return (Picture(_readable(svg), caption, words("Map of the network")),)


def _svg(chart: Any, font: str) -> str:
    """Return a chart as SVG in a font, with plain white ground and thin lines that print."""
    import vl_convert

    styled = chart.configure(font=font).configure_view(stroke=None).configure_axis(
        labelColor=INK, labelFontSize=11, labelLimit=140, grid=False, domainColor=INK, tickColor=INK
    )  # fmt: skip
    return str(vl_convert.vegalite_to_svg(styled.to_dict()))


def _readable(text: str) -> str:
    """Return text without what XML may not hold."""
    return _NOT_IN_XML.sub("", text)
