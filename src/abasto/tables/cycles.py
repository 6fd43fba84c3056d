"""Find recipes that feed each other and together make something from nothing."""

from __future__ import annotations

from collections import defaultdict

from abasto.network import Network
from abasto.tables.findings import Findings

__all__ = ["check_cycles", "gaining_cycles"]

Lines = dict[str, dict[str, float]]
"""By recipe: by good, what one batch makes (positive) or uses up (negative)."""

_LEAST_GAIN = 1e-6
"""Gain, as a share of the largest line, from which it is not the rounding of quantities or of the solver."""


def check_cycles(network: Network, findings: Findings) -> None:
    """Add a finding for each circle of recipes that makes something from nothing."""
    first_of: dict[str, int] = {}
    lines: Lines = defaultdict(dict)
    for index, line in enumerate(network.recipes):
        first_of.setdefault(line.recipe, index)
        lines[line.recipe][line.good] = line.quantity
    for recipes in gaining_cycles(dict(lines)):
        index, recipe = min((first_of[recipe], recipe) for recipe in recipes)
        findings.add(
            "recipes", index, "recipe", recipe,
            message=f"the recipes {', '.join(recipes)} together make something from nothing",
            remedy="lower what they make or raise what they use, so that no round leaves more than it took",
        )  # fmt: skip


def gaining_cycles(lines: Lines) -> list[list[str]]:
    """Return the circles of recipes that can run with every good at least replaced and some good left over.

    A recipe without inputs is a source and stands outside. If any recipes make something from nothing, then so do those
    of one strongly connected part of the graph of goods and recipes: the most upstream part in use gets nothing from
    another. So each part is asked alone, which also keeps out whoever merely uses the gain.
    """
    using = {recipe: goods for recipe, goods in lines.items() if any(quantity < 0 for quantity in goods.values())}
    circular = _circular(using)
    if not circular:
        return []
    return [sorted(gaining) for part in _parts(circular) if (gaining := _gaining(part, circular))]


def _circular(lines: Lines) -> Lines:
    """Return what is left after taking away, again and again, recipes with an input that none of the others makes.

    What cannot be made inside can only come from outside, so such a recipe is in no circle that feeds itself.
    """
    left = dict(lines)
    while True:
        made = {good for goods in left.values() for good, quantity in goods.items() if quantity > 0}
        starved = [
            recipe
            for recipe, goods in left.items()
            if any(quantity < 0 and good not in made for good, quantity in goods.items())
        ]
        if not starved:
            return left
        for recipe in starved:
            del left[recipe]


def _parts(lines: Lines) -> list[list[str]]:
    """Return the recipes of each strongly connected part of the graph: good → recipe that uses it → good it makes."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    recipes = list(lines)
    nodes = {good: len(recipes) + place for place, good in enumerate(dict.fromkeys(_goods(lines, recipes)))}
    starts: list[int] = []
    ends: list[int] = []
    for place, recipe in enumerate(recipes):
        for good, quantity in lines[recipe].items():
            if quantity:
                starts.append(nodes[good] if quantity < 0 else place)
                ends.append(place if quantity < 0 else nodes[good])
    size = len(recipes) + len(nodes)
    graph = coo_array(([1] * len(starts), (starts, ends)), shape=(size, size))
    _, labels = connected_components(graph.tocsr(), directed=True, connection="strong")
    parts: defaultdict[int, list[str]] = defaultdict(list)
    for place, recipe in enumerate(recipes):
        parts[int(labels[place])].append(recipe)
    return list(parts.values())


def _goods(lines: Lines, recipes: list[str]) -> list[str]:
    return [good for recipe in recipes for good in lines[recipe]]


def _gaining(recipes: list[str], lines: Lines) -> list[str]:
    """Return the recipes in use where batches x make something from nothing, none if there are no such x.

    maximise Σ_g (A x)_g  subject to  A x ≥ 0,  0 ≤ x ≤ 1, with recipes and goods scaled to a largest entry of 1.
    """
    import numpy as np
    from scipy.optimize import linprog

    goods = {good: place for place, good in enumerate(dict.fromkeys(_goods(lines, recipes)))}
    net = np.zeros((len(goods), len(recipes)))
    for place, recipe in enumerate(recipes):
        for good, quantity in lines[recipe].items():
            net[goods[good], place] = quantity
    for axis in (0, 1, 0):
        largest = np.abs(net).max(axis=axis, keepdims=True)
        net = net / np.where(largest > 0, largest, 1.0)
    result = linprog(-net.sum(axis=0), A_ub=-net, b_ub=np.zeros(len(goods)), bounds=(0.0, 1.0), method="highs")
    if result.x is None or result.fun is None or -result.fun <= _LEAST_GAIN:
        return []
    return [recipe for recipe, batches in zip(recipes, result.x, strict=True) if batches > 1e-9]
