"""Joint plans of networks without a centre, beside one imagined centre, going alone, and sharing surplus by rule.

    python -m benchmarks.joint --size MEDIUM --parts 10 --seeds 0 1 2

Each benchmark network is cut into members by geography. The score is the share of the centre's gain over going alone,
in the format's objective of the checked plans. Members and the centre plan by the ordinary planner; `--gap` and
`--seconds` say how closely.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from abasto.federation.border import Border
from abasto.federation.clearing import Clearing, Flow, clear
from abasto.federation.coarse import CoarseMap
from abasto.federation.joint import Agreed, Peer
from abasto.federation.levels import Kept, plan_carefully
from abasto.federation.messages import Message
from abasto.federation.settings import Settings
from abasto.network import Network
from abasto.planner.make import make_plan
from abasto.planner.plan import Plan
from abasto.planner.problem import tier_values
from benchmarks.generate import SIZES, generate
from benchmarks.split import Split, only, split

__all__ = ["Carrier", "Session", "hold", "main", "surplus_rule"]

Clear = Callable[[Iterable[CoarseMap], Network], Clearing]
HALF = 7
"""The seed by which half of the networks are unreachable."""


@dataclass
class Carrier:
    """Hands messages on; each time one is lost with probability `loss` and tried again at the next step."""

    loss: float
    rng: np.random.Generator
    lost: int = 0
    sent: int = 0
    size: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _waiting: list[tuple[str, bytes]] = field(default_factory=list)

    def post(self, kind: str, sender: str, message: Message, names: Sequence[str]) -> None:
        """Take a message for one network, or for all others."""
        self.size[kind].append(len(message.raw))
        for name in names if message.to is None else [message.to]:
            if name != sender and name in names:
                self._waiting.append((name, message.raw))

    def deliver(self, peers: dict[str, Peer]) -> None:
        """Hand on what is not lost this time."""
        waiting, self._waiting = self._waiting, []
        for name, raw in waiting:
            self.sent += 1
            if self.rng.random() < self.loss:
                self.lost += 1
                self._waiting.append((name, raw))
            else:
                peers[name].take(raw)


@dataclass
class Session:
    """What came of a session: what each network holds, what the carrier saw, in how many passes of each round somebody
    told something new, and what each round's plan would have been worth.
    """

    agreed: dict[str, Agreed]
    carrier: Carrier
    passes: list[int]
    clearings: set[str]
    by_round: list[float]
    solves: int
    stuck: int

    @property
    def value(self) -> float:
        """What the plans are worth to the people of all networks."""
        return sum(one.value for one in self.agreed.values())


def hold(peers: Iterable[Peer], *, loss: float = 0.0, seed: int = 0, late: int = 0) -> Session:
    """Let peers go through a session step by step; `late` are further steps at which nothing is lost any more."""
    by_name = {peer.name: peer for peer in peers}
    names = sorted(by_name)
    carrier = Carrier(loss, np.random.default_rng(seed))
    settings = by_name[names[0]].settings
    passes = [0] * settings.rounds
    steps = by_name[names[0]].steps
    for step in range(steps + late):
        carrier.loss = loss if step < steps else 0.0
        turn, at = divmod(step, settings.passes + 2)
        kind = "commit" if turn >= settings.rounds else "map" if at == 0 else "vote" if at > settings.passes else "pass"
        told = [(name, message) for name in names for message in by_name[name].next()]
        for name, message in told:
            carrier.post(kind, name, message, names)
        passes[min(turn, settings.rounds - 1)] += bool(told) and kind == "pass"
        carrier.deliver(by_name)
    clearings = {f"{turn}:{peer.clearing_digest(turn)}" for peer in by_name.values() for turn in range(settings.rounds)}
    by_round = [sum(peer.joint_value(turn) for peer in by_name.values()) for turn in range(settings.rounds)]
    efforts = (sum(peer.solves for peer in by_name.values()), sum(peer.stuck for peer in by_name.values()))
    return Session({name: by_name[name].agreed() for name in names}, carrier, passes, clearings, by_round, *efforts)


def remembered() -> Clear:
    """Return `clear`, which computes the clearing of the same maps once for all peers of this process."""
    known: dict[tuple[str, ...], Clearing] = {}

    def clearing(maps: Iterable[CoarseMap], common: Network) -> Clearing:
        ordered = sorted(maps, key=lambda coarse: coarse.network)
        key = tuple(coarse.digest for coarse in ordered)
        if key not in known:
            known[key] = clear(ordered, common)
        return known[key]

    return clearing


def surplus_rule(members: Sequence[Network], plans: Sequence[Plan]) -> Clearing:
    """Return what sharing surplus proposes: what a network has left over goes to its neighbours by what they lack.

    It is worth almost nothing to the sender, who so gives nothing that its own people could use.
    """
    borders = [Border(member) for member in members]
    lacking = {
        member.name: _lacking(border, plan) for member, border, plan in zip(members, borders, plans, strict=True)
    }
    least = min(_least_worth(border.alone) for border in borders)
    flows = []
    for border, plan in zip(borders, plans, strict=True):
        shortest: dict[str, int] = {}
        for id, lane in sorted(border.out.items(), key=lambda pair: (pair[1].row.travel_hours, pair[0])):
            shortest.setdefault(lane.other, id)
        for good, left in _left_over(border, plan).items():
            total = sum(lacking[other].get(good, 0.0) for other in shortest)
            for other, id in sorted(shortest.items()):
                amount = left * lacking[other].get(good, 0.0) / total if total > 0 else 0.0
                if amount > 0:
                    flows.append(Flow(id, good, (amount,), 0.1 * least))
    return Clearing({member.name: "" for member in members}, tuple(flows))


def _always(rule: Clearing, maps: Iterable[CoarseMap], common: Network) -> Clearing:
    """Return the same clearing whatever maps there are."""
    return rule


def _least_worth(network: Network) -> float:
    """Return what a unit is worth at least to whoever still needs it, in the objective's units."""
    people = {site.site: site.people for site in network.sites}
    priority = {good.good: good.priority for good in network.goods}
    last = 10 * float(tier_values(4.0)[-1])
    return min(people[need.site] * 10 ** (1 - priority[need.good]) * last / need.quantity for need in network.needs)


def _lacking(border: Border, plan: Plan) -> dict[str, float]:
    """Return the units of each good that needs lack; of goods that nobody needs as such, what plants could use."""
    lacking: dict[str, float] = defaultdict(float)
    for row in plan.coverage.rows():
        lacking[row["need"]] += row["needed"] - row["met"]
    needed = {row.good for row in border.network.needs}
    for plant in border.alone.plants:
        for line in border.network.recipes:
            if line.recipe == plant.recipe and line.quantity < 0 and line.good not in needed:
                lacking[line.good] -= line.quantity * plant.batches * border.network.days
    return lacking


def _left_over(border: Border, plan: Plan) -> dict[str, float]:
    left: dict[str, float] = defaultdict(float)
    for supply in border.alone.supplies:
        first, last = supply.from_day or 1, supply.to_day or plan.network.days
        left[supply.good] += supply.quantity * (last - first + 1)
    for row in plan.intake.rows():
        left[row["good"]] -= row["quantity"]
    for row in plan.closing.rows():
        if row["day"] == plan.network.days:
            left[row["good"]] += row["quantity"]
    return {good: amount for good, amount in sorted(left.items()) if amount > 1.0}


def measure(cut: Split, given: argparse.Namespace) -> None:
    """Print what the ways of planning reach on one network that is cut into members."""
    gaps: list[float] = []
    known: dict[Network, Plan] = {}

    def plan(network: Network, kept: Kept | None = None) -> Plan:
        made = known.get(network) if kept is None else None
        if made is None:
            made = plan_carefully(network, kept, gap=given.gap, time_limit=given.seconds)
            if kept is None:
                known[network] = made
        gaps.append(made.gap)
        return made

    def gain_of(part: Split) -> float:
        """Print and return what a centre of these members gains over each going alone."""
        begin = time.perf_counter()
        alone = sum(plan(Border(member).alone).objective for member in part.members)
        centre = make_plan(part.whole, gap=given.gap / 2, time_limit=given.centre_seconds)
        print(
            f"## {part.whole.name} in {len(part.members)}: alone {alone:.6g}, centre {centre.objective:.6g} "
            f"(+{centre.objective / alone - 1:.1%}, gap {centre.gap:.2%}), mean gap of members {np.mean(gaps):.2%}; "
            f"{time.perf_counter() - begin:.0f} s",
            flush=True,
        )
        gaps.clear()
        return centre.objective - alone

    def session(name: str, part: Split, gain: float, clearing: Clear, settings: Settings, loss: float) -> None:
        begin = time.perf_counter()
        peers = [Peer(member, "benchmark", settings=settings, plan=plan, clearing=clearing) for member in part.members]
        held = hold(peers, loss=loss, late=4 if loss else 0)
        agreed = held.agreed.values()
        alone = sum(one.alone for one in agreed)
        score, *rounds = (100 * (value - alone) / gain for value in (held.value, *held.by_round))
        below = sum(one.value < one.alone * (1 - 1e-9) for one in agreed)
        size = held.carrier.size
        for line in (
            f"{name}: {score:.1f} % (rounds {', '.join(f'{value:.1f} %' for value in rounds)})",
            f"{below} of {len(agreed)} networks give more than they get",
            f"passes {held.passes}",
            f"lost {held.carrier.lost} of {held.carrier.sent}",
            "bytes " + ", ".join(f"{kind} {np.mean(size[kind]):.0f} (most {max(size[kind])})" for kind in size),
            f"clearings {len(held.clearings)}",
            f"plans {held.solves}, {held.stuck} failed",
            f"mean gap {np.mean(gaps):.2%}",
        ):
            print(line, end="; ", flush=True)
        print(f"{time.perf_counter() - begin:.0f} s", flush=True)
        gaps.clear()

    gain = gain_of(cut)
    clearing = remembered()
    for way in given.ways:
        if way == "surplus":
            rule = surplus_rule(cut.members, [plan(Border(member).alone) for member in cut.members])
            one = Settings(periods=1, rounds=1, passes=given.passes)
            session("surplus by rule", cut, gain, partial(_always, rule), one, given.loss)
            continue
        part, own_gain = cut, gain
        if way == "half":
            names = sorted(member.name for member in cut.members)
            kept = np.random.default_rng(HALF).choice(len(names), len(names) - len(names) // 2, replace=False)
            part = only(cut, {names[index] for index in kept.tolist()})
            own_gain = gain_of(part)
        for periods in given.periods:
            settings = Settings(periods=periods, rounds=given.rounds, passes=given.passes, reward=given.reward)
            name = f"{way}, {periods} periods, {given.rounds} rounds"
            session(name, part, own_gain, clearing, settings, given.loss)


def main(arguments: list[str] | None = None) -> int:
    """Measure joint plans on benchmark networks that are cut into members."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.joint", description=main.__doc__)
    parser.add_argument("--size", choices=list(SIZES), default="SMALL")
    parser.add_argument("--parts", type=int, default=5, help="members to cut it into (default 5)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--ways", nargs="+", choices=["joint", "surplus", "half"], default=["joint", "surplus", "half"])
    parser.add_argument("--periods", type=int, nargs="+", default=[1], help="periods of a map (default 1)")
    parser.add_argument("--days", type=int, help="a shorter horizon than the size has")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--passes", type=int, default=4, help="most passes in a round (default 4)")
    parser.add_argument("--reward", type=float, default=2.0)
    parser.add_argument("--loss", type=float, default=0.0, help="share of messages lost at a step (default 0)")
    parser.add_argument("--gap", type=float, default=0.003)
    parser.add_argument("--seconds", type=float, default=15.0, help="longest search for a member's plan (default 15)")
    parser.add_argument("--centre-seconds", type=float, default=120.0, help="the same for the centre (default 120)")
    given = parser.parse_args(arguments)
    for seed in given.seeds:
        size = SIZES[given.size] if given.days is None else replace(SIZES[given.size], days=given.days)
        measure(split(generate(size if given.days else given.size, seed=seed), given.parts), given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
