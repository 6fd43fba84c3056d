"""What the targets of disruptions and costs mean: ids, `from>to`, `site/recipe`, `site/good`, with `*` for all."""

from __future__ import annotations

import weakref
from collections.abc import Iterable

from abasto.network import Network
from abasto.tables.raw import BLANKS

__all__ = ["Pair", "Target", "Targets", "resolve"]

Pair = tuple[str, str]
Target = str | Pair
"""A site or fleet by its id; a directed lane, a plant (site, recipe) or a supply (site, good) as a pair."""

ALL = "*"


class Targets:
    """The things of one network that a target can name, looked up in sets made once.

    >>> from datetime import date
    >>> from abasto.network import Lane
    >>> net = Network("Barrio", date(2026, 11, 22), 7, lanes=(Lane(from_site="mill", to_site="bakery"),))
    >>> Targets(net).resolve("lane", "mill>bakery")
    (('bakery', 'mill'), ('mill', 'bakery'))
    """

    def __init__(self, network: Network) -> None:
        self._ids = {
            "site": frozenset(site.site for site in network.sites),
            "fleet": frozenset(fleet.fleet for fleet in network.fleets),
        }
        two_way = {(lane.from_site, lane.to_site) for lane in network.lanes if lane.two_way}
        # The way back of each two-way lane, from either end.
        self._backwards = {pair: pair[::-1] for pair in two_way} | {pair[::-1]: pair for pair in two_way}
        lanes = {(lane.from_site, lane.to_site) for lane in network.lanes} | set(self._backwards)
        supplies = {(supply.site, supply.good) for supply in network.supplies}
        self._pairs = {
            "lane": _Pairs(lanes, ">"),
            "plant": _Pairs({(plant.site, plant.recipe) for plant in network.plants}, "/"),
            "supply": _Pairs(supplies, "/"),
            "buy": _Pairs(supplies, "/"),
        }

    def resolve(self, kind: str, target: str) -> tuple[Target, ...]:
        """Return everything the target means, sorted; nothing if it names nothing."""
        if kind in self._ids:
            ids = self._ids[kind]
            return tuple(sorted(ids if target == ALL else ids & {target}))
        found: set[Pair] = set().union(*self.readings(kind, target))
        if kind == "lane":
            found |= {self._backwards[pair] for pair in found if pair in self._backwards}
        return tuple(sorted(found))

    def readings(self, kind: str, target: str) -> list[set[Pair]]:
        """Return what each way to part the target into two means, where it means anything; more than one is a doubt.

        Ids may hold `/` and `>` themselves, so every place to part is tried.
        """
        pairs = self._pairs[kind]
        if target == ALL:
            return [set(pairs.all)] if pairs.all else []
        pieces = target.split(pairs.sign)
        parted = ((pairs.sign.join(pieces[:cut]), pairs.sign.join(pieces[cut:])) for cut in range(1, len(pieces)))
        found = (pairs.matching(left.strip(BLANKS), right.strip(BLANKS)) for left, right in parted)
        return [meant for meant in found if meant]

    def names(self, kind: str) -> list[str]:
        """Return every target of a kind as it would be written, for suggestions."""
        if kind in self._ids:
            return sorted(self._ids[kind])
        pairs = self._pairs[kind]
        return [f"{left}{pairs.sign}{right}" for left, right in sorted(pairs.all)]


class _Pairs:
    """Pairs that can be found by both parts or by either."""

    def __init__(self, pairs: Iterable[Pair], sign: str) -> None:
        self.all = frozenset(pairs)
        self.sign = sign
        self._by_left: dict[str, set[Pair]] = {}
        self._by_right: dict[str, set[Pair]] = {}
        for pair in self.all:
            self._by_left.setdefault(pair[0], set()).add(pair)
            self._by_right.setdefault(pair[1], set()).add(pair)

    def matching(self, left: str, right: str) -> set[Pair]:
        """Return the pairs with these parts, where `*` is any."""
        if left == ALL and right == ALL:
            return set(self.all)
        if right == ALL:
            return set(self._by_left.get(left, ()))
        if left == ALL:
            return set(self._by_right.get(right, ()))
        return {(left, right)} & self.all


_latest: tuple[weakref.ref[Network], Targets] | None = None


def resolve(kind: str, target: str, network: Network) -> tuple[Target, ...]:
    """Return everything that `target` of `kind` means in `network`, sorted; nothing if it names nothing.

    Kinds are `site`, `fleet` (ids), `plant`, `supply`, `buy` and `lane` (pairs; lanes are directed, and a two-way lane
    is meant in both directions). The lookup of the network asked about last is kept, as questions come in long runs.
    """
    global _latest
    if _latest is None or _latest[0]() is not network:
        _latest = (weakref.ref(network), Targets(network))
    return _latest[1].resolve(kind, target)
