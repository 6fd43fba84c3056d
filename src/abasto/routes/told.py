"""Routes in words, in any language: what a vehicle is called, what it loads, why an order fits no route; a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from abasto.inbox.describe import called
from abasto.inbox.names import Names
from abasto.language import Language
from abasto.routes.route import Coming, DayRoutes, Load, Route, Stop, Unrouted

__all__ = [
    "coming_words",
    "comings_of",
    "load_words",
    "message",
    "messages",
    "moment_words",
    "quantity_words",
    "site_words",
    "unrouted_words",
    "vehicle_words",
    "why_words",
]


def vehicle_words(route: Route, words: Language) -> str:
    """Return what a vehicle is called: its fleet, and which one of it."""
    return words("{fleet} {number} of {total}", fleet=route.fleet, number=route.number, total=route.vehicles)


def site_words(site: str, names: Names) -> str:
    """Return what people call a site: its name, else its id."""
    known = names.site(site)
    return (known.name or known.id) if known else site


def quantity_words(load: Load, words: Language) -> str:
    """Return how much a load is, with its unit."""
    return f"{words.number(load.quantity / 1000)}\u202f{load.unit}"


def load_words(load: Load, words: Language, names: Names) -> str:
    """Return what is loaded: how much of what, and which lot if it has a date."""
    what = f"{quantity_words(load, words)} {called(names, load.good)}"
    if not load.lot:
        return what
    return words("{goods} (best by {day})", goods=what, day=words.day(date.fromisoformat(load.lot)))


def moment_words(moment: datetime, day: date, words: Language) -> str:
    """Return a time of day; of another day only the day, since nobody knows the hour."""
    return words.time(moment) if moment.date() == day else words.day(moment.date())


def coming_words(one: Coming, stop: Stop, words: Language, names: Names) -> str:
    """Return that a good which a stop loads only comes that day, with which order, and when as planned."""
    good, code = called(names, one.good), one.code
    if one.at is None:
        return words("{good} comes today with order {code}", good=good, code=code)
    if one.at > stop.arrives:
        when = words.time(one.at)
        return words("{good} comes today with order {code}, planned for {time}: wait", good=good, code=code, time=when)
    return words(
        "{good} comes today with order {code}, planned for {time}", good=good, code=code, time=words.time(one.at)
    )


def message(route: Route, words: Language, *, names: Names) -> str:
    """Return a route as a text message: a line for the vehicle, and one for each thing it does."""
    lines = [f"{vehicle_words(route, words)}, {words.day(route.day)}"]
    for place, stop in enumerate(route.stops):
        lines += _stop_lines(route, stop, words, names, is_last=place == len(route.stops) - 1)
    lines.append(words("{km} km in all", km=words.number(route.km, digits=0)))
    return "\n".join(lines)


def messages(found: DayRoutes, words: Language, *, names: Names) -> str:
    """Return the messages of all vehicles with a blank line between them, and then what fits no route."""
    texts = [message(route, words, names=names) for route in found.routes]
    texts += [unrouted_words(one, words, names=names) for one in found.unrouted]
    return "\n\n".join(texts) + ("\n" if texts else "")


def _stop_lines(route: Route, stop: Stop, words: Language, names: Names, *, is_last: bool) -> list[str]:
    when, site = moment_words(stop.arrives, route.day, words), site_words(stop.site, names)
    unloads, loads = _all(stop.deliveries, words, names), _all(stop.pickups, words, names)
    lines = []
    if unloads:
        lines.append(words("{time} {site}: unload {goods}", time=when, site=site, goods=unloads))
    if loads:
        lines.append(words("{time} {site}: load {goods}", time=when, site=site, goods=loads))
    lines += [coming_words(one, stop, words, names) for one in comings_of(stop)]
    if is_last and stop.site == route.base:
        lines.append(words("{time} back at {site}", time=when, site=site))
    elif not lines:
        lines.append(words("{time} {site}: set out", time=moment_words(stop.leaves, route.day, words), site=site))
    return lines


def comings_of(stop: Stop) -> list[Coming]:
    """Return what comes to a stop, once for each good and order that brings it: several may be loaded of it."""
    return list({(one.good, one.brought_by, one.at): one for one in stop.comings}.values())


def _all(loads: Sequence[Load], words: Language, names: Names) -> str:
    return ", ".join(f"{load_words(load, words, names)} [{load.code}]" for load in loads)


def unrouted_words(one: Unrouted, words: Language, *, names: Names) -> str:
    """Return in a sentence which order, or part of it, no route takes, and why."""
    goods = ", ".join(load_words(load, words, names) for load in one.loads)
    return words(
        "Order {code} from {start} to {end} fits no route: {goods}. {why}",
        code=one.code,
        start=site_words(one.from_site, names),
        end=site_words(one.to_site, names),
        goods=goods or words("nothing"),
        why=why_words(one, words, names=names),
    )


def why_words(one: Unrouted, words: Language, *, names: Names) -> str:
    """Return why an order fits no route, and what to do about it."""
    why, fleet = one.why, one.fleet
    site = site_words(why.site, names) if why.site else ""
    number = words.number(why.available)
    match why.obstacle:
        case "no fleet":
            return words("No fleet {fleet} drives on this day; set it, or cancel the order.", fleet=fleet)
        case "no vehicle":
            return words("{fleet} has {number} vehicles, and a route needs a whole one.", fleet=fleet, number=number)
        case "nothing":
            return words("The order has no goods to carry; cancel it.")
        case "too heavy":
            return words(
                "One piece weighs {heavy} kg, and a vehicle of {fleet} carries {most} kg.",
                heavy=words.number(why.needed), fleet=fleet, most=number,
            )  # fmt: skip
        case "no way":
            return words("No lanes that {fleet} can use lead to {site} and back.", fleet=fleet, site=site)
        case "closed":
            return words("{site} is closed all day.", site=site)
        case "opening hours":
            return words("No vehicle of {fleet} can be done at {site} while it is open.", fleet=fleet, site=site)
        case "no time":
            return words("The vehicles of {fleet} work no hours.", fleet=fleet)
        case "vehicles away":
            return words("The vehicles of {fleet} ({number}) are away with earlier orders.", fleet=fleet, number=number)
        case "taken":
            return words(
                "The vehicles of {fleet} ({number}) have no time left for it: another day, or another fleet.",
                fleet=fleet, number=number,
            )  # fmt: skip
