"""What people do with proposed orders: keep, change or forbid them and plan again around that, or sign them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from starlette.responses import Response

from abasto.errors import AbastoError, SettingError
from abasto.facts.amounts import amount, thousandths
from abasto.facts.kinds import OrderIssued
from abasto.orders import issued_already, refuse_issued, refuse_more_than_left
from abasto.room.decisions import Decisions, decide, decisions_of, lane_of, orders_of
from abasto.room.pages.plan import order_rows
from abasto.room.planning import Job
from abasto.room.web import Call, Page

__all__ = ["PAGES_PLAN_ORDERS"]

MOST_TRIPS = 10_000


def lock(call: Call) -> Response:
    """Keep an order as it is when planning again; one that was changed stays as it was changed."""
    job, place = _job(call), _place(call, call.field("order"))

    def keep(decided: Decisions) -> Decisions:
        return decided.keeping(place, decided.kept.get(place, orders_of(job)[place]))

    return _decide(call, job, keep)


def unlock(call: Call) -> Response:
    """Keep an order no longer."""
    job, place = _job(call), _place(call, call.field("order"))
    return _decide(call, job, lambda decided: decided.keeping_no_longer(place))


def veto(call: Call) -> Response:
    """Forbid that anything leaves along an order's lane on its day."""
    job, place = _job(call), _place(call, call.field("order"))
    return _decide(call, job, lambda decided: decided.closing(lane_of(orders_of(job)[place])))


def allow(call: Call) -> Response:
    """Allow again what leaves along an order's lane on its day."""
    job, place = _job(call), _place(call, call.field("order"))
    return _decide(call, job, lambda decided: decided.opening(lane_of(orders_of(job)[place])))


def reopen(call: Call) -> Response:
    """Allow again what was forbidden: the lane and day that the field names."""
    job, named = _job(call), call.field("lane")

    def open_again(decided: Decisions) -> Decisions:
        lanes = [one for one in decided.closed if f"{one.from_site}>{one.to_site} {one.day}" == named]
        return replace(decided, closed=decided.closed - set(lanes))

    return _decide(call, job, open_again)


def _decide(call: Call, job: Job, change: Callable[[Decisions], Decisions]) -> Response:
    """Decide, with what the form marks for signing, and show the orders again."""
    choose = _choice(call)
    decide(call.room, job, lambda decided: change(choose(decided)))
    return call.go("/plan#orders")


def order_page(call: Call) -> Response:
    """Show an order with fields to change it."""
    job, place = _latest(call), _place(call, call.path("place"))
    proposed = orders_of(job)[place]
    order = decisions_of(call.room, job).kept.get(place, proposed)
    now = {(line.good, line.lot): line.quantity for line in order.lines}
    with call.room.lock:
        state = call.room.state
        lines = [
            {
                "name": state.rows.name("goods", line.good) or line.good,
                "unit": state.rows.cell("goods", "unit", line.good) or "kg",
                "lot": line.lot or "",
                "quantity": amount(now.get((line.good, line.lot), 0)),
            }
            for line in proposed.lines
        ]
    return call.show(
        "plan_order.html.j2",
        job=job,
        place=place,
        order=order,
        lines=lines,
        most_trips=MOST_TRIPS,
        day_of=date.fromisoformat,
    )


def change(call: Call) -> Response:
    """Keep an order with other trips or quantities when planning again."""
    job, place = _job(call), _place(call, call.path("place"))
    order = orders_of(job)[place]
    # The lines are those of the plan, whatever another desk has made of them since the page was shown.
    lines = tuple(
        replace(line, quantity=quantity)
        for number, line in enumerate(order.lines)
        if (quantity := _quantity(call.field(f"quantity-{number}"), line.good)) > 0
    )
    if not lines:
        raise SettingError("the order would carry nothing; forbid it instead, or keep something in it.")
    changed = replace(order, trips=_trips(call.field("trips")), lines=lines)
    _refuse_overloaded(job, changed)
    _refuse_overdriven(job, changed)

    def keep(decided: Decisions) -> Decisions:
        _refuse_more_than_left(call, order, changed, [one for other, one in decided.kept.items() if other != place])
        return decided.keeping(place, changed)

    decide(call.room, job, keep)
    return call.go("/plan#orders", said=call.words("The changed order is kept. Plan again around it before you sign."))


def _trips(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= MOST_TRIPS):
        raise SettingError(f'trips "{text[:80]}": give a whole number from 1 to {MOST_TRIPS}.')
    return int(text)


def _quantity(text: str, good: str) -> int:
    quantity = thousandths(text.replace(",", "."))
    if quantity < 0:
        raise SettingError(f'{good} "{text[:80]}": give a quantity from 0 on.')
    return quantity


def _refuse_overloaded(job: Job, order: OrderIssued) -> None:
    """Refuse what the trips of the order's vehicles cannot carry."""
    assert job.proposal is not None
    network = job.proposal.known.tables
    kg = {good.good: good.kg_per_unit for good in network.goods}
    most = next((fleet.payload_t * 1000 * order.trips for fleet in network.fleets if fleet.fleet == order.fleet), None)
    load = sum(line.quantity / 1000 * kg.get(line.good, 0.0) for line in order.lines)
    if most is not None and load > most * (1 + 1e-9):
        raise SettingError(
            f"this order weighs {load:,.0f} kg, and {order.trips} trips of {order.fleet} carry {most:,.0f} kg; "
            "order less, or more trips."
        )


def _refuse_overdriven(job: Job, order: OrderIssued) -> None:
    """Refuse more trips than all vehicles of the fleet can make in a day, had they nothing else to do.

    A plan around such an order has no vehicle left for any other, and says no more than that.
    """
    assert job.proposal is not None
    network, way = job.proposal.known.tables, {order.from_site, order.to_site}
    fleet = next((fleet for fleet in network.fleets if fleet.fleet == order.fleet), None)
    lanes = [lane for lane in network.lanes if {lane.from_site, lane.to_site} == way]
    if fleet is None or not lanes or order.trips == 1:
        return
    hours = order.trips * (2 * min(lane.travel_hours for lane in lanes) + fleet.handling_hours)
    most = fleet.vehicles * fleet.hours_per_day
    if hours > most * (1 + 1e-9):
        raise SettingError(
            f"{order.trips} trips take {hours:.1f} hours, and all vehicles of {order.fleet} have {most:.1f} in a day; "
            "make fewer trips."
        )


def _refuse_more_than_left(call: Call, order: OrderIssued, changed: OrderIssued, kept: Sequence[OrderIssued]) -> None:
    """Refuse more than was proposed where the site does not have it: what it has is as the journal has it now."""
    room = call.room
    with room.lock:
        issued = issued_already(room.state, kept)
        others = [other for other in kept if other not in issued]
        refuse_more_than_left(room.state, room.known(), order=changed, proposed=order, others=others, day=room.day)


def again(call: Call) -> Response:
    """Plan again around what is kept and forbidden."""
    job = _job(call)
    decided = decide(call.room, job, _choice(call))
    with call.room.lock:
        again = issued_already(call.room.state, list(decided.kept.values()))
    kept = tuple(order for order in decided.kept.values() if order not in again)
    closed = tuple(sorted(decided.closed, key=lambda one: (one.day, one.from_site, one.to_site)))
    call.room.plan(replace(job.asked, day=call.room.day, kept=kept, closed=closed, is_trial=False))
    return call.go("/plan")


def confirm(call: Call) -> Response:
    """Show what would be signed, and what speaks against it, before anything is."""
    job = _job(call)
    chosen = _chosen(call, job)
    decide(call.room, job, _choice(call))
    _refuse_undecided(call, job, chosen)
    with call.room.lock:
        state = call.room.state
        refuse_issued(state, [orders_of(job)[place] for place in chosen])
        rows = [row for row in order_rows(state, job, decisions_of(call.room, job), call.words) if row.place in chosen]
        count = state.count
    return call.show(
        "plan_confirm.html.j2", job=job, rows=rows, count=count, day_of=date.fromisoformat, **_against(call, job, count)
    )


def _against(call: Call, job: Job, count: int) -> dict[str, Any]:
    since, is_of_today = count - job.entries, job.asked.day == call.room.day
    return {"since": since, "is_of_today": is_of_today, "has_to_be_sure": since > 0 or not is_of_today}


def issue(call: Call) -> Response:
    """Sign the chosen orders: from then on what they name is promised."""
    job = _job(call)
    chosen = _chosen(call, job)
    _refuse_undecided(call, job, chosen)
    orders = [orders_of(job)[place] for place in chosen]
    with call.room.lock:
        state = call.room.state
        refuse_issued(state, orders)
        if call.field("count") != str(state.count):
            raise AbastoError("the journal has gone on while you looked at these orders; look at them once more.")
        if _against(call, job, state.count)["has_to_be_sure"] and call.field("sure") != "yes":
            raise AbastoError(
                "the journal has gone on since this was proposed; plan again, or say that it still holds."
            )
        entries = call.room.write(orders)
    said = call.words.many("{n} order is signed and issued.", "{n} orders are signed and issued.", len(entries))
    return call.go("/plan#orders", said=said)


def _latest(call: Call) -> Job:
    latest = call.room.planner.latest
    if latest is None:
        raise AbastoError("there is no plan yet; make one.")
    return latest


def _job(call: Call) -> Job:
    """Return the latest job, if it is the one whose orders the page showed."""
    latest = _latest(call)
    if call.field("plan") != latest.id:
        raise AbastoError("another plan has been made since this page was shown; look at that one.")
    return latest


def _place(call: Call, text: str) -> int:
    number = len(orders_of(_latest(call)))
    if not (text.isascii() and text.isdecimal() and len(text) <= 6 and int(text) < number):
        raise SettingError(f'order "{text[:80]}": the plan has orders 0 to {number - 1}; choose one on the page.')
    return int(text)


def _chosen(call: Call, job: Job) -> tuple[int, ...]:
    chosen = {_place(call, str(text)) for text in call.fields.getlist("sign")}
    if not chosen:
        raise SettingError("no order is chosen, so there is nothing to sign; mark those that should be issued.")
    return tuple(sorted(chosen))


def _choice(call: Call) -> Callable[[Decisions], Decisions]:
    """Return what the form changes of which orders are left for later: only what its boxes showed otherwise before.

    So a page that was shown long ago takes back nothing that another desk has marked since.
    """
    signed, was_marked, was_left = (
        {_place(call, text) for one in call.fields.getlist(name) for text in str(one).split()}
        for name in ("sign", "marked", "left")
    )
    return lambda decided: decided.choosing(left=was_marked - signed, chosen=was_left & signed)


def _refuse_undecided(call: Call, job: Job, chosen: Sequence[int]) -> None:
    """Refuse to sign an order that was changed or forbidden after the plan was made."""
    decided, orders = decisions_of(call.room, job), orders_of(job)
    for place in chosen:
        order = orders[place]
        way = f"{order.from_site} > {order.to_site}, {order.departs}"
        if decided.kept.get(place, order) != order:
            raise AbastoError(f"{way}: this order was changed after the plan was made; plan again around it first.")
        if lane_of(order) in decided.closed:
            raise AbastoError(f"{way}: nothing may leave there on that day; plan again, or leave the order out.")


PAGES_PLAN_ORDERS: tuple[Page, ...] = (
    Page("/plan/lock", lock, "POST", "allocator"),
    Page("/plan/unlock", unlock, "POST", "allocator"),
    Page("/plan/veto", veto, "POST", "allocator"),
    Page("/plan/allow", allow, "POST", "allocator"),
    Page("/plan/reopen", reopen, "POST", "allocator"),
    Page("/plan/order/{place}", order_page, role="allocator"),
    Page("/plan/order/{place}", change, "POST", "allocator"),
    Page("/plan/again", again, "POST", "allocator"),
    Page("/plan/confirm", confirm, "POST", "allocator"),
    Page("/plan/issue", issue, "POST", "allocator"),
)
"""Every page about the orders of a plan."""
