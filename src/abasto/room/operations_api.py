"""The operations of the API: what is known, the plan, and what phones send."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from abasto.errors import AbastoError
from abasto.facts.codes import code_of
from abasto.planner.make import MOST_FAIRNESS
from abasto.room.api import ApiCall, Operation
from abasto.room.phone_api import OPERATIONS_PHONE
from abasto.room.planning import Asked, Job
from abasto.state.exceptions import exceptions
from abasto.state.figures import figures

__all__ = ["OPERATIONS"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Summary(_Answer):
    """The network in a few figures."""

    network: str
    day: date
    entries: int
    sites: int
    goods: int
    open_orders: int
    exceptions: int


class Stand(_Answer):
    """What is known of a good at a site, in the good's unit."""

    site: str
    good: str
    quantity: float
    unit: str
    kind: str
    as_of: str
    counted_on: str
    use_per_day: float


class Stock(_Answer):
    """Everything that lies somewhere."""

    day: date
    figures: list[Stand]


class OrderLine(_Answer):
    """So much of a good, in its unit; `lot` is its last usable day, or blank."""

    good: str
    quantity: float
    lot: str


class Order(_Answer):
    """An order and how far it is."""

    id: str
    code: str
    status: str
    from_site: str
    to_site: str
    fleet: str
    trips: int
    departs: str
    arrives: str
    lines: list[OrderLine]
    loaded: list[OrderLine]
    received: list[OrderLine]


class OrderList(_Answer):
    """Orders, those that leave first before the others."""

    orders: list[Order]


class Matter(_Answer):
    """Something that people have to settle."""

    id: str
    code: str
    kind: str
    date: str
    about: str
    message: str
    remedy: str
    who: str


class Matters(_Answer):
    """What people have to settle, latest first."""

    exceptions: list[Matter]


class PlanAsked(BaseModel):
    """What a plan is asked for."""

    model_config = ConfigDict(extra="forbid")
    days: int | None = Field(default=None, ge=1, le=366)
    ordered_days: int = Field(default=1, ge=1, le=31)
    scenario: str | None = Field(default=None, max_length=200)
    fairness: float = Field(default=4.0, ge=0, le=MOST_FAIRNESS, allow_inf_nan=False)
    gap: float = Field(default=0.01, gt=0, le=1, allow_inf_nan=False)
    time_limit: float | None = Field(default=None, gt=0, le=3600, allow_inf_nan=False)


class PlanState(_Answer):
    """A plan in the making, or made: `outcome` is none, running, done, stopped or failed."""

    outcome: str
    id: str = ""
    stage: str = ""
    seconds: float = 0.0
    gap: float | None = None
    orders: int = 0
    message: str = ""


def summary(call: ApiCall) -> Summary:
    """Return the network in a few figures."""
    with call.room.lock:
        state = call.room.state
        return Summary(
            network="" if state.founded is None else state.founded.name,
            day=call.room.day,
            entries=state.count,
            sites=sum(1 for _ in state.rows.table("sites")),
            goods=sum(1 for _ in state.rows.table("goods")),
            open_orders=sum(one.status in ("issued", "accepted", "loaded") for one in state.orders.values()),
            exceptions=len(exceptions(state, call.room.day)),
        )


def stock(call: ApiCall) -> Stock:
    """Return what is known of every good at every site."""
    with call.room.lock:
        state, day = call.room.state, call.room.day
        found = [
            Stand(
                site=one.site,
                good=one.good,
                quantity=one.quantity / 1000,
                unit=state.rows.cell("goods", "unit", one.good) or "kg",
                kind=one.kind,
                as_of=one.as_of,
                counted_on=one.counted_on,
                use_per_day=one.use_per_day / 1000,
            )
            for one in figures(state, day)
        ]
    return Stock(day=day, figures=found)


def orders(call: ApiCall) -> OrderList:
    """Return the open orders, or with `all` every one."""
    is_all = call.asked("all") not in ("", "0", "no", "false")
    with call.room.lock:
        found = [
            Order(
                id=one.id,
                code=code_of(one.id),
                status=one.status,
                from_site=one.issued.from_site,
                to_site=one.issued.to_site,
                fleet=one.issued.fleet,
                trips=one.issued.trips,
                departs=one.issued.departs,
                arrives=one.issued.arrives,
                lines=_lines(one.issued.lines),
                loaded=_lines(one.loaded),
                received=_lines(one.received),
            )
            for one in call.room.state.orders.values()
            if one.issued is not None and (is_all or one.status in ("issued", "accepted", "loaded"))
        ]
    return OrderList(orders=sorted(found, key=lambda one: (one.departs, one.from_site, one.to_site, one.id)))


def _lines(lines: Any) -> list[OrderLine]:
    return [OrderLine(good=line.good, quantity=line.quantity / 1000, lot=line.lot or "") for line in lines]


def matters(call: ApiCall) -> Matters:
    """Return what people have to settle."""
    with call.room.lock:
        found = exceptions(call.room.state, call.room.day)
    return Matters(
        exceptions=[
            Matter(
                id=one.id,
                code=code_of(one.id),
                kind=one.kind,
                date=one.date,
                about=one.about,
                message=call.words.sentence(one.message),
                remedy=call.words.sentence(one.remedy),
                who=one.who,
            )
            for one in found
        ]
    )


def start_plan(call: ApiCall) -> PlanState:
    """Begin a plan of what is known today."""
    asked: PlanAsked = call.body
    if asked.scenario is not None:
        known = call.room.known(asked.days).network.scenarios
        if asked.scenario not in known:
            there = ", ".join(known) or call.words("none")
            raise AbastoError(
                f'scenario "{asked.scenario}": there is no such one in table disruptions; there are: {there}.'
            )
    return _state_of(call.room.plan(Asked(call.room.day, **asked.model_dump())))


def plan_state(call: ApiCall) -> PlanState:
    """Return how far the latest plan is."""
    return _state_of(call.room.planner.job)


def stop_plan(call: ApiCall) -> PlanState:
    """Have the running plan end with the best that it has found."""
    call.room.planner.stop()
    return _state_of(call.room.planner.job)


def _state_of(job: Job | None) -> PlanState:
    if job is None:
        return PlanState(outcome="none")
    return PlanState(
        outcome=job.outcome,
        id=job.id,
        stage=job.stage,
        seconds=job.seconds,
        gap=job.gap,
        orders=0 if job.proposal is None else len(job.proposal.orders),
        message=job.message,
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation("/api/summary", "The network in a few figures.", summary, Summary),
    Operation("/api/stock", "What lies where, how old each figure is, and how it is known.", stock, Stock),
    Operation("/api/orders", "The open orders.", orders, OrderList, query=(("all", "1 for the closed ones as well"),)),
    Operation("/api/exceptions", "What people have to settle.", matters, Matters),
    Operation("/api/plan", "How far the latest plan is.", plan_state, PlanState),
    Operation(
        "/api/plan", "Begin a plan of what is known.", start_plan, PlanState, "POST", who="allocator", body=PlanAsked
    ),
    Operation("/api/plan/stop", "Stop the running plan.", stop_plan, PlanState, "POST", who="allocator"),
    *OPERATIONS_PHONE,
)
"""Every operation."""
