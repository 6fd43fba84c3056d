"""Gates for what others ask: how many a network's plan has, how much may go through each, and what that is worth."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from abasto.federation.amounts import Asked, stretches
from abasto.federation.border import Border, Gate, Trade
from abasto.federation.clearing import Clearing, Flow
from abasto.federation.coarse import CoarseMap
from abasto.federation.settings import Settings
from abasto.planner.plan import Plan
from abasto.planner.problem import tier_values

__all__ = ["HARD", "as_handed", "asked_of", "gates_for", "sent_through", "told_gates"]

HARD = 1e3
"""What was told in a session that is taken up again is rewarded at so many times its usual reward."""
LEVEL_SHARE = 5.0
"""A gate needs five times what may go through: the first fifth of a need is worth the same throughout, so the reward
is level."""


def asked_of(border: Border, clearing: Clearing, own: CoarseMap, forbidden: Collection[str]) -> Asked:
    """Return what a clearing asks of a network, whose map is `own`, by day of arrival: at most a lane's tonnes and no
    forbidden goods.
    """
    days = border.network.days
    asked: dict[tuple[int, str], tuple[tuple[float, ...], Flow]] = {}
    for flow in clearing.flows:
        if flow.lane not in border.out or flow.good in forbidden:
            continue
        lead = border.out[flow.lane].row.travel_days
        rate = [0.0] * days
        for period in range(own.periods):
            arrive = [day + lead for day in own.days_of(period) if day + lead <= days]
            for day in arrive:
                rate[day - 1] += flow.amounts[period] / len(arrive)
        if any(rate):
            asked[flow.lane, flow.good] = (tuple(rate), flow)
    weight = {row.good: row.kg_per_unit / 1000 for row in border.network.goods}
    tonnes: dict[int, float] = {}
    for (lane, good), (rates, _) in asked.items():
        tonnes[lane] = tonnes.get(lane, 0.0) + max(rates) * weight[good]
    for key, (rates, flow) in asked.items():
        most = border.out[key[0]].row.tonnes
        if most is not None and tonnes[key[0]] > most:
            asked[key] = (tuple(rate * most / tonnes[key[0]] for rate in rates), flow)
    return asked


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
