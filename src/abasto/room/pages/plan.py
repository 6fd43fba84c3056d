"""The page of the plan: make one, watch it being made, see what it says, what changed, and what else there could be."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from abasto.errors import AbastoError, SettingError
from abasto.facts.kinds import OrderIssued
from abasto.language import Language
from abasto.orders import issued_already
from abasto.room.decisions import Decisions, decisions_of, entries_since, lane_of, orders_of
from abasto.room.planning import Asked, Job
from abasto.room.seen import changes_of, situation_of
from abasto.room.web import Call, Page
from abasto.situation import alarm_words, cause_words, quantity_words, remedy_words
from abasto.summary import percent_at_most, summarize

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["PAGES_PLAN", "order_rows", "sure_words"]

FAIRNESS = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0)
MOST_DAYS = 366
MOST_ORDERED_DAYS = 31
MOST_MINUTES = 60
MOST_ROWS = 40
MINUS = "\u2212"
NO_GAP = 1e-9


def plan(call: Call) -> Response:
    """Show the plan, its orders, and how to make another."""
    return call.show("plan.html.j2", **_form(call), **_progress(call), **_result(call))


def progress(call: Call) -> Response:
    """Show only how far the plan is, for a page that is open; one that asks by itself hears here that it is made."""
    answer = call.show("plan_progress.html.j2", **_progress(call))
    job = call.room.planner.job
    if job is not None and job.outcome != "running" and call.asked("was") == job.id:
        answer.headers["hx-trigger"] = "planned"
    return answer


def result(call: Call) -> Response:
    """Show only what came of the plan, for a page that is open."""
    return call.show("plan_result.html.j2", **_form(call), **_result(call))


def _form(call: Call) -> dict[str, Any]:
    """Return what the form starts with: what the latest plan was asked for, else what is usual."""
    latest = call.room.planner.latest
    asked = Asked(call.room.day) if latest is None else latest.asked
    known = call.room.known().network
    return {
        "asked": asked,
        "usual_days": known.days,
        "scenarios": known.scenarios,
        "fairness_words": fairness_words(call.words),
        "most": {"days": MOST_DAYS, "ordered": MOST_ORDERED_DAYS, "minutes": MOST_MINUTES},
    }


def fairness_words(words: Language) -> dict[float, str]:
    """Return what each fairness that is offered means, and costs."""
    return {
        0.0: words("the most need met in total, whoever it is of: places that are hard to reach may get nothing"),
        1.0: words("nearly the most in total; what is left over goes to those who have less"),
        2.0: words("between the total and the worst off"),
        4.0: words("usual: the worst off come first, as long as it does not cost the others much more"),
        8.0: words("the worst off come first even where that costs the others more"),
        16.0: words("nearly only the worst off count: the total may be clearly lower"),
    }


def _progress(call: Call) -> dict[str, Any]:
    job, latest = call.room.planner.job, call.room.planner.latest
    with call.room.lock:
        since = 0 if latest is None else entries_since(call.room.state, latest)
    return {"job": job, "since": since, "is_of_today": latest is None or latest.asked.day == call.room.day}


def _result(call: Call) -> dict[str, Any]:
    """Return what the page says about the latest plan."""
    planner, words = call.room.planner, call.words
    latest, previous, trial = planner.latest, planner.previous, planner.trial
    if latest is None or latest.proposal is None:
        return {"latest": None}
    seen = situation_of(call.room)
    decided = decisions_of(call.room, latest)
    with call.room.lock:
        rows = order_rows(call.room.state, latest, decided, words)
    group = call.asked("by") if call.asked("by") in ("from_site", "to_site") else "fleet"
    short = [one for one in seen.alarms if one.kind == "short"]
    return {
        "latest": latest,
        "network": latest.proposal.known.network,
        "rounded": latest.proposal.rounded,
        "summary": summarize(latest.proposal.rounded.plan),
        "sure": sure_words(latest.proposal.rounded.plan.gap, words),
        "compared": [
            _figures(job, name)
            for job, name in (
                (latest, words("this plan")),
                (previous, words("the plan before")),
                (trial, words("what was tried")),
            )
            if job is not None and job.proposal is not None
        ],
        "changes": None if previous is None else changes_of(call.room, previous, latest),
        "trial": trial,
        "trial_changes": None if trial is None else changes_of(call.room, latest, trial),
        "groups": _grouped(rows, group),
        "group": group,
        "decided": decided,
        "closed": sorted(decided.closed, key=lambda one: (one.day, one.from_site, one.to_site)),
        "is_decided": _is_decided(latest, decided),
        "marked": " ".join(str(row.place) for row in rows if row.may_be_signed and row.is_chosen),
        "left": " ".join(str(row.place) for row in rows if row.may_be_signed and not row.is_chosen),
        "open_orders": sum(row.may_be_signed for row in rows),
        "short": [
            {
                "alarm": one,
                "title": alarm_words(one.kind, words),
                "cause": cause_words(one, words),
                "remedy": remedy_words(one, words),
            }
            for one in short[:MOST_ROWS]
        ],
        "left_short": max(0, len(short) - MOST_ROWS),
        "most_rows": MOST_ROWS,
        "quantity": lambda quantity, unit: quantity_words(quantity, unit, words),
        "signed": lambda value: _signed(value, words),
        "problems": latest.proposal.known.problems,
        "day_of": date.fromisoformat,
    }


def sure_words(gap: float, words: Language) -> str:
    """Return how much better another plan could be at most; rounded up, so that it never promises too much."""
    if not math.isfinite(gap):
        return words("How much better another plan could be is not known.")
    if gap <= NO_GAP:
        return words("No plan can be better.")
    return words("No plan can be better by more than {share}.", share=percent_at_most(gap).replace(" ", "\u202f"))


def _signed(value: float, words: Language) -> str:
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{words.number(abs(value), digits=1)}"


def _is_decided(job: Job, decided: Decisions) -> bool:
    """Return whether something is decided that the plan does not follow yet."""
    return tuple(decided.kept.values()) != job.asked.kept or decided.closed != frozenset(job.asked.closed)


def _figures(job: Job, name: str) -> dict[str, Any]:
    """Return what tells plans of another fairness, or for another scenario, from each other."""
    assert job.proposal is not None
    summary = summarize(job.proposal.rounded.plan)
    return {"name": name, "job": job, "summary": summary, "worst": summary.worst[0] if summary.worst else None}


@dataclass(frozen=True)
class OrderRow:
    """An order on the page: its place among the job's, what is decided about it, and what it carries, in words."""

    place: int
    order: OrderIssued
    goods: tuple[str, ...]
    is_kept: bool
    is_changed: bool
    is_closed: bool
    is_issued: bool
    is_chosen: bool

    @property
    def may_be_signed(self) -> bool:
        """Whether it can be issued as the plan has it."""
        return not (self.is_issued or self.is_closed or self.is_changed)


def order_rows(state: State, job: Job, decided: Decisions, words: Language) -> list[OrderRow]:
    """Return the orders of a job, by day, fleet and lane, with what is decided about them."""
    orders = orders_of(job)
    issued = {id(order) for order in issued_already(state, orders)}
    rows = []
    for place, order in enumerate(orders):
        kept = decided.kept.get(place)
        shown = order if kept is None else kept
        row = OrderRow(
            place=place,
            order=shown,
            goods=goods_of(state, shown, words),
            is_kept=kept is not None,
            is_changed=kept is not None and kept != order,
            is_closed=lane_of(order) in decided.closed,
            is_issued=id(order) in issued,
            is_chosen=place not in decided.left_out,
        )
        rows.append(row)
    return sorted(rows, key=lambda row: (row.order.departs, row.order.fleet, row.order.from_site, row.order.to_site))


def goods_of(state: State, order: OrderIssued, words: Language) -> tuple[str, ...]:
    """Return what an order carries, a line of text for each good."""
    sums: defaultdict[str, int] = defaultdict(int)
    for line in order.lines:
        sums[line.good] += line.quantity
    return tuple(
        words(
            "{good}: {quantity}",
            good=state.rows.name("goods", good) or good,
            quantity=quantity_words(thousandths / 1000, state.rows.cell("goods", "unit", good) or "kg", words),
        )
        for good, thousandths in sums.items()
    )


def _grouped(rows: Iterable[OrderRow], group: str) -> dict[str, list[OrderRow]]:
    groups: defaultdict[str, list[OrderRow]] = defaultdict(list)
    for row in rows:
        groups[getattr(row.order, group)].append(row)
    return dict(sorted(groups.items()))


def make(call: Call) -> Response:
    """Begin a plan of what is known now."""
    call.room.plan(_asked(call))
    return call.go("/plan")


def _asked(call: Call) -> Asked:
    minutes = _whole(call, "minutes", MOST_MINUTES)
    days, ordered = _whole(call, "days", MOST_DAYS), _whole(call, "ordered_days", MOST_ORDERED_DAYS) or 1
    horizon = days or call.room.known().network.days
    if ordered > horizon:
        raise SettingError(f"days to order {ordered}: only {horizon} days are planned; order fewer, or plan more.")
    return Asked(
        day=call.room.day,
        days=days,
        ordered_days=ordered,
        scenario=_scenario(call),
        fairness=_fairness(call, 4.0),
        time_limit=None if minutes is None else minutes * 60.0,
    )


def _whole(call: Call, name: str, most: int) -> int | None:
    text = call.field(name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= most):
        raise SettingError(f'{name.replace("_", " ")} "{text[:80]}": give a whole number from 1 to {most}.')
    return int(text)


def _scenario(call: Call) -> str | None:
    name = call.field("scenario")
    if name and name not in call.room.known().network.scenarios:
        raise SettingError(f'scenario "{name[:80]}": there is no such one in table disruptions; choose from the list.')
    return name or None


def _fairness(call: Call, usual: float) -> float:
    text = call.field("fairness")
    found = [fairness for fairness in FAIRNESS if text == f"{fairness:g}"]
    if text and not found:
        offered = ", ".join(f"{fairness:g}" for fairness in FAIRNESS)
        raise SettingError(f'fairness "{text[:80]}": there are {offered}; choose from the list.')
    return found[0] if found else usual


def stop(call: Call) -> Response:
    """Have the running plan end with the best that it has found."""
    call.room.planner.stop()
    return call.go("/plan", said=call.words("The plan was told to stop; the best that it has found so far is taken."))


def try_other(call: Call) -> Response:
    """Make a second plan, for a scenario or with another fairness, that is only compared with the latest one."""
    latest = call.room.planner.latest
    if latest is None:
        raise AbastoError("there is no plan to compare with; make one first.")
    scenario, fairness = _scenario(call), _fairness(call, latest.asked.fairness)
    if (scenario, fairness) == (latest.asked.scenario, latest.asked.fairness):
        raise SettingError("the other plan: choose another scenario or another fairness than those of this plan.")
    call.room.plan(replace(latest.asked, scenario=scenario, fairness=fairness, is_trial=True))
    return call.go("/plan")


PAGES_PLAN: tuple[Page, ...] = (
    Page("/plan", plan),
    Page("/plan/progress", progress, is_whole=False),
    Page("/plan/result", result, is_whole=False),
    Page("/plan/make", make, "POST", "allocator"),
    Page("/plan/stop", stop, "POST", "allocator"),
    Page("/plan/try", try_other, "POST", "allocator"),
)
"""Every page about making plans; what is done with their orders is in `plan_orders`."""
