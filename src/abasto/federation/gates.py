"""Gates for what others ask: how many a network's plan has, how much may go through each, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from abasto.federation.amounts import Asked, stretches
from abasto.federation.border import Border, CrossLane, Gate, Trade
from abasto.federation.clearing import Clearing, Flow
from abasto.federation.coarse import CoarseMap
from abasto.federation.settings import Settings
from abasto.planner.plan import Plan
from abasto.planner.problem import tier_values

__all__ = ["HARD", "as_handed", "as_would_be_sent", "gates_for", "proposed", "sent_through", "told_gates"]

HARD = 1e3
"""What was told in a session that is taken up again is rewarded at so many times its usual reward."""
NEXT_TO_NOTHING = 0.01
"""A hundredth of what is asked makes no gate of its own."""
LEVEL_SHARE = 5.0
"""A gate needs five times what may go through: the first fifth of a need is worth the same throughout, so the reward
is level."""


def proposed(clearing: Clearing, own: CoarseMap, lanes: Mapping[int, CrossLane]) -> Asked:
    """Return what a clearing proposes to go by some lanes of a network, whose map is `own`, by day of arrival."""
    asked: dict[tuple[int, str], tuple[tuple[float, ...], Flow]] = {}
    for flow in clearing.flows:
        if flow.lane not in lanes:
            continue
        lead = lanes[flow.lane].row.travel_days
        rate = [0.0] * own.days
        for period in range(own.periods):
            arrive = [day + lead for day in own.days_of(period) if day + lead <= own.days]
            for day in arrive:
                rate[day - 1] += flow.amounts[period] / len(arrive)
        if any(rate):
            asked[flow.lane, flow.good] = (tuple(rate), flow)
    return asked


def as_would_be_sent(asked: Asked, sent: Trade) -> Asked:
    """Return what is asked, every day in the proportion in which a plan sends it on the days on which it sends any: so
    what goes on few days, as it comes late, still goes whole. Next to nothing of all that is asked is left out.
    """
    within: dict[tuple[int, str], tuple[tuple[float, ...], Flow]] = {}
    for key, (rates, flow) in asked.items():
        days = sent.get(key, (0.0,) * len(rates))
        if sum(days) > NEXT_TO_NOTHING * sum(rates):
            asked_then = sum(rate for rate, day in zip(rates, days, strict=True) if day > 0)
            share = min(1.0, sum(days) / asked_then)
            within[key] = (tuple(share * rate for rate in rates), flow)
    return within


def gates_for(asked: Asked, border: Border, settings: Settings, turn: int) -> list[Gate]:
    """Return a gate for each stretch of days on which as much is asked of a good by a lane in a round."""
    weight = {row.good: row.kg_per_unit / 1000 for row in border.network.goods}
    first_tier = 10 * float(tier_values(settings.fairness)[0])
    gates = []
    for (lane, good), (rates, flow) in asked.items():
        share = LEVEL_SHARE if weight[good] > 0 else 1.0
        for stretch, rate in stretches(rates):
            # At most `rate` goes through on each of these days, each unit rewarded alike.
            gates.append(
                Gate(
                    name=f"{border.out[lane].here} → {lane}, {good}, {stretch.start + 1} ({turn + 1})",
                    lane=lane,
                    good=good,
                    days=tuple(share * rate if day in stretch else 0.0 for day in range(border.network.days)),
                    people=settings.reward * flow.price * share * rate / first_tier,
                    tonnes=rate * weight[good] if weight[good] > 0 else None,
                )
            )
    return gates


def told_gates(gates: Iterable[Gate], told: Trade, more: float) -> list[Gate]:
    """Return the gates with what was told for a need, times `more`, before which all else stands back."""
    needing = []
    for gate in gates:
        days = told.get((gate.lane, gate.good), (0.0,) * len(gate.days))
        amounts = tuple(more * day if need else 0.0 for day, need in zip(days, gate.days, strict=True))
        if any(amounts):
            needing.append(replace(gate, days=amounts, people=HARD * gate.people))
    return needing


def as_handed(plan: Plan, gates: Iterable[Gate]) -> list[Gate]:
    """Return gates that need just what a plan hands over at them."""
    handed = {gate.name: [0.0] * plan.network.days for gate in gates}
    for row in plan.deliveries.rows():
        if row["site"] in handed:
            handed[row["site"]][row["day"] - 1] += row["quantity"]
    return [replace(gate, days=tuple(handed[gate.name])) for gate in gates]


def sent_through(plan: Plan, gates: Iterable[Gate]) -> Trade:
    """Return what a plan hands over at gates, by day of arrival."""
    gate_of = {gate.name: gate for gate in gates}
    amounts: dict[tuple[int, str], list[float]] = {}
    for row in plan.deliveries.rows():
        gate = gate_of.get(row["site"])
        if gate is not None:
            days = amounts.setdefault((gate.lane, gate.good), [0.0] * plan.network.days)
            days[row["day"] - 1] += row["quantity"]
    return {key: tuple(days) for key, days in sorted(amounts.items())}
