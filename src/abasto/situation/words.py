"""What is said about a situation, in a language: how a number is known, why an alarm is one, what relieves it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING
from unicodedata import bidirectional

from abasto.facts.codes import code_of
from abasto.language import Language
from abasto.situation.types import Alarm, AlarmKind, Knowledge, Relief
from abasto.state.types import OrderStatus
from abasto.summary import percent_at_most

if TYPE_CHECKING:
    from abasto.planner.plan import Plan

__all__ = [
    "alarm_words",
    "cause_words",
    "days_words",
    "ended",
    "isolated",
    "known_words",
    "quantity_words",
    "relief_words",
    "remedy_words",
    "status_words",
    "sure_words",
]

NOTHING = 1e-9
"""A gap below this is rounding."""


def quantity_words(quantity: float, unit: str, words: Language) -> str:
    """Return a quantity as people write it: whole from a hundred on, else three figures; then the unit.

    >>> quantity_words(12345.6, "kg", Language("en")), quantity_words(3.14159, "", Language("en"))
    ('12\u202f346\u00a0kg', '3.14')
    """
    digits = 0 if abs(quantity) >= 100 or quantity == 0 else min(3, max(0, 2 - math.floor(math.log10(abs(quantity)))))
    number = words.number(quantity, digits=digits)
    return isolated(f"{number}\u00a0{unit}", words) if unit else number


def days_words(days: float, words: Language) -> str:
    """Return how many days something lasts, rounded down to tenths; a dash where nothing is needed."""
    if math.isinf(days):
        return "–"
    return words.number(math.floor(days * 10 + 1e-9) / 10 if days < 10 else math.floor(days + 1e-9), digits=1)


def known_words(known: Knowledge, words: Language) -> str:
    """Return how a number is known."""
    said: Mapping[Knowledge, str] = {
        "counted": words("counted"),
        "computed": words("computed"),
        "estimated": words("estimated"),
        "unreported": words("never reported"),
    }
    return said[known]


def status_words(status: OrderStatus | str, words: Language) -> str:
    """Return how far an order is, or that goods are only planned to come."""
    said: Mapping[str, str] = {
        "issued": words("issued"),
        "accepted": words("accepted"),
        "loaded": words("loaded"),
        "received": words("received"),
        "cancelled": words("cancelled"),
        "unknown": words("unknown"),
        "planned": words("planned"),
    }
    return said[status]


def alarm_words(kind: AlarmKind, words: Language) -> str:
    """Return what an alarm is called."""
    said: Mapping[AlarmKind, str] = {
        "short": words("Falls short"),
        "runs out": words("Runs out"),
        "not left": words("Has not left"),
        "not arrived": words("Has not arrived"),
        "expires": words("Will spoil"),
        "spoiled": words("Has spoiled"),
        "below reserve": words("Below the reserve"),
        "silent": words("No reports"),
        "jumped": words("Much more is used"),
        "collapsed": words("Much less is used"),
        "off the books": words("Far from the books"),
        "doubtful": words("Doubtful hand-out"),
        "slow": words("Slower than assumed"),
    }
    return said[kind]


def cause_words(alarm: Alarm, words: Language) -> str:
    """Return why an alarm is one, as a sentence."""
    if alarm.cause:
        return ended(words.sentence(alarm.cause))
    much = quantity_words(alarm.quantity, alarm.unit, words)
    day = "" if alarm.starts is None else words.day(alarm.starts)
    if alarm.kind == "short":
        return words("The plan leaves {quantity} unmet.", quantity=much)
    if alarm.kind == "runs out":
        return words("What lies there and what open orders bring is {quantity} too little.", quantity=much)
    if alarm.kind in ("not left", "not arrived"):
        return _late_words(alarm, day, words)
    if alarm.kind == "expires":
        return words("{quantity} spoil after {day} unless they are used before.", quantity=much, day=day)
    if alarm.kind == "spoiled":
        return words("{quantity} spoiled after {day} and are still in the books.", quantity=much, day=day)
    if alarm.kind == "below reserve":
        return words("{quantity} less lie there than is to be kept.", quantity=much)
    if alarm.kind in ("jumped", "collapsed", "off the books", "doubtful", "slow"):
        return _changed_words(alarm, much, day, words)
    if alarm.as_of is None:
        return words("Nothing has ever been reported from there.")
    return words("Nothing has been reported from there since {day}.", day=day)


def _changed_words(alarm: Alarm, much: str, day: str, words: Language) -> str:
    """Return why what changed is an alarm."""
    before = quantity_words(alarm.before, alarm.unit, words)
    if alarm.kind == "off the books":
        return words(
            "The count of {day} found {quantity}; the books had {before}.", day=day, quantity=much, before=before
        )
    if alarm.kind == "doubtful":
        return words(
            "{quantity} were written as handed out on {day}, where {before} were expected; nobody has counted since.",
            quantity=much, day=day, before=before,
        )  # fmt: skip
    if alarm.kind == "slow":
        late, orders = alarm.orders
        return words(
            "{late} of the last {orders} orders over {way} came late, by {days} days on average.",
            late=late, orders=orders, way=isolated(alarm.from_name, words), days=words.number(alarm.quantity, digits=1),
        )  # fmt: skip
    return words("{quantity} a day are used since {day}, {before} before.", quantity=much, day=day, before=before)


def _late_words(alarm: Alarm, day: str, words: Language) -> str:
    code, site = code_of(alarm.order), isolated(alarm.from_name, words)
    if alarm.kind == "not left":
        return words(
            "Order {code} should have left {site} on {day}, and nobody has reported it loaded.",
            code=code, site=site, day=day,
        )  # fmt: skip
    return words(
        "Order {code} from {site} should have arrived on {day}, and nobody has reported it received.",
        code=code, site=site, day=day,
    )  # fmt: skip


def remedy_words(alarm: Alarm, words: Language) -> str:
    """Return what can be done about an alarm, as a sentence."""
    if alarm.remedy:
        return words("What would help: {remedy}", remedy=ended(words.sentence(alarm.remedy), capital=False))
    said: Mapping[AlarmKind, str] = {
        "short": words("Plan again, or bring more there."),
        "runs out": words("Make a plan, and order what it sends there."),
        "not left": words("Report what was loaded, or cancel the order: what it promises is not counted on."),
        "not arrived": words("Report what was received, or ask the driver."),
        "expires": words("Hand it out first, or send it where it is needed."),
        "spoiled": words("Report it as lost, or count what can still be used."),
        "below reserve": words("Send some there, or lower the reserve if less is enough."),
        "silent": words("Ask for a count."),
        "jumped": words("Ask why, and plan with what is used now."),
        "collapsed": words("Ask whether people still come, or whether hand-outs are no longer reported."),
        "off the books": words("Count again; if it holds, look for what was not reported."),
        "doubtful": words("Look whether a zero too many was written, and take it back; or count what lies there."),
        "slow": words("Ask the drivers, and set the hours of the lane or fleet as they are."),
    }
    return said[alarm.kind]


def sure_words(plan: Plan, words: Language) -> str:
    """Return how much better another plan could be at most, as a sentence."""
    if not math.isfinite(plan.gap):
        return words("How much better another plan could be is not known.")
    share = percent_at_most(plan.gap).replace(" ", "\u202f")
    if plan.status == "stopped":
        return words("The search was stopped; no plan can be more than {share} better.", share=share)
    if plan.gap <= NOTHING:
        return words("No plan can be better.")
    return words("No plan can be more than {share} better.", share=share)


def ended(clause: str, *, capital: bool = True) -> str:
    """Return a clause of a plan as a sentence.

    >>> ended("the vans are full"), ended("one more van", capital=False)
    ('The vans are full.', 'one more van.')
    """
    first = clause[:1].upper() if capital else clause[:1]
    return f"{first}{clause[1:]}{'' if clause.endswith('.') else '.'}"


def relief_words(relief: Relief, unit: str, day: date, words: Language) -> str:
    """Return what comes, from where and when, in a line."""
    parts = {
        "quantity": quantity_words(relief.quantity, unit, words),
        "site": isolated(relief.from_name, words),
        "day": "" if relief.arrives is None else words.day(relief.arrives),
        "code": code_of(relief.order) if relief.order else "",
    }
    if not relief.order:
        return words("{quantity} planned from {site}, for {day}", **parts)
    if relief.arrives is None:
        return words("order {code}: {quantity} from {site}, overdue and not counted on", **parts)
    if relief.arrives == day:
        return words("order {code}: {quantity} from {site}, today", **parts)
    return words("order {code}: {quantity} from {site}, on {day}", **parts)


def isolated(name: str, words: Language) -> str:
    """Return a name that people gave so that its direction and that of the text around it leave each other alone.

    >>> isolated("Hill (north)", Language("en")), isolated("Hill (north)", Language("ar"))
    ('Hill (north)', '\u2068Hill (north)\u2069')
    """
    is_mixed = words.direction == "rtl" or any(bidirectional(sign) in ("R", "AL") for sign in name)
    return f"\u2068{name}\u2069" if name and is_mixed else name
