"""The plan in which nothing moves and nothing is made: every site hands over its own stock and intake, oldest first.

Where storage is limited, nothing is taken in to be kept: what is on hand may need the room.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from abasto.planner.problem import Floats, Problem
from abasto.planner.solution import Flows

__all__ = ["local_flows"]


def local_flows(problem: Problem) -> Flows:
    """Return flows that are possible wherever stores hold what is on hand; the most valuable needs of a day first."""
    needs, items, sources = problem.needs, problem.items, problem.sources
    lots: dict[tuple[int, int], list[int]] = defaultdict(list)
    for source in np.argsort(items.last_day[sources.item], kind="stable").tolist():
        lots[int(sources.site[source]), int(items.good[sources.item[source]])].append(source)
    last_use = items.last_day[sources.item].copy()
    at_once = ~sources.is_stock & np.isfinite(problem.storage_t)[sources.site]
    last_use[at_once] = sources.day[at_once]
    left = sources.amount.copy()
    handed: list[tuple[int, int, int, int, float]] = []
    order = np.lexsort((-needs.weight / np.maximum(needs.amount, 1e-300), needs.day))
    for need in order.tolist():
        site, target, day = int(needs.site[need]), int(needs.target[need]), int(needs.day[need])
        if target >= len(problem.goods):
            continue
        missing = float(needs.amount[need])
        for good, ratio in problem.serves[target]:
            for source in lots.get((site, good), ()):
                alive = sources.day[source] <= day <= last_use[source]
                give = min(float(left[source]), missing * ratio)
                if alive and give > 0:
                    left[source] -= give
                    missing -= give / ratio
                    handed.append((site, int(sources.item[source]), day, need, give))
    return _flows(problem, left, handed)


def _flows(problem: Problem, left: Floats, handed: list[tuple[int, int, int, int, float]]) -> Flows:
    table = np.array(handed, dtype=np.float64).reshape(len(handed), 5)
    whole = table[:, :4].astype(np.int64)
    no, nothing = np.zeros(0, dtype=np.int64), np.zeros(0)
    return Flows(
        taken=np.where(problem.sources.is_stock, problem.sources.amount, problem.sources.amount - left),
        ship_option=no,
        ship_item=no,
        ship_day=no,
        ship_quantity=nothing,
        made_plant=no,
        made_day=no,
        made_batches=nothing,
        hand_site=whole[:, 0],
        hand_item=whole[:, 1],
        hand_day=whole[:, 2],
        hand_need=whole[:, 3],
        hand_quantity=table[:, 4],
        draw_site=no,
        draw_item=no,
        draw_day=no,
        draw_quantity=nothing,
    )
