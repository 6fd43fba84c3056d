"""An explanation in words: a paragraph that a dispatcher would speak, and the numbers that it rests on, line by line.

Every clause repeats something that the explanation holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from abasto.planner.binding import FULL, NEARLY_FULL
from abasto.planner.causes import Cause, Explanation, Link, Origin, Standing, Use, User
from abasto.planner.reasons import days_in_words, joined, percent, quantity

__all__ = ["known", "paragraph"]

MOST_NAMED = 4
"""Of sources, plants and fleets that serve a met need, so many are named."""
MANY_LEGS = 3
"""So many legs of a journey and more are told as one."""
DEAR = 0.1
"""Of a journey told as one, fleets that take this share of the whole price are named."""
MOST_USERS = 8
"""Of those who use what binds, so many are listed."""

PLACES: dict[Standing, tuple[str, str]] = {
    "more_urgent": ("place with more urgent needs", "places with more urgent needs"),
    "worse_off": ("place that would be worse off without", "places that would be worse off without"),
    "nearer": ("place that needs less of it per person", "places that need less of it per person"),
    "other": ("other place", "other places"),
}
STANDINGS: dict[Standing, str] = {
    "itself": "this need itself",
    "more_urgent": "more urgent",
    "worse_off": "worse off without",
    "nearer": "needs less of it per person",
    "other": "neither more urgent, worse off without nor nearer",
}


def paragraph(story: Explanation) -> str:
    """Return what an explanation says, in whole sentences."""
    when = days_in_words(range(story.first_day - 1, story.last_day))
    if not story.causes:
        return f"{story.need} at {story.site} is fully met {when}. {_from_where(story.origins)}".strip()
    missing = f"{percent(1 - story.coverage)} of what {story.people:,.0f} people need there is missing"
    amount = f" ({quantity(story.unmet, story.unit)})" if story.unit else ""
    sentences = [f"{story.site} lacks {story.need} {when}: {missing}{amount}."]
    briefs = list(_briefs(story.links))
    if briefs:
        sentences.append(f"For day {story.chain_day} it would take {'; '.join(briefs)}.")
    told = sorted(story.causes, key=lambda cause: cause.kind in ("within_gap", "stopped"))
    sentences += [f"{_capital(_cause(cause))}." for cause in told]
    sentences.append(f"What would help: {story.remedy}.")
    return " ".join(sentences)


def _briefs(links: Sequence[Link]) -> Iterator[str]:
    """Yield the steps shortly; many legs of the same goods, one after the other, are told as one."""
    legs: list[Link] = []
    for link in [*links, None]:
        if legs and (link is None or (link.step, link.good) != ("sent", legs[0].good)):
            yield from _legs(legs)
            legs = []
        if link is not None and link.step == "sent":
            legs.append(link)
        elif link is not None and link.brief:
            yield link.brief


def _legs(legs: Sequence[Link]) -> Iterator[str]:
    if len(legs) < MANY_LEGS:
        yield from (leg.brief for leg in legs)
        return
    fleets: dict[str, tuple[float, float]] = {}
    for leg in legs:
        resource, load, share = leg.resources[0]
        fleets[resource.name] = (load, fleets.get(resource.name, (0.0, 0.0))[1] + share)
    dearest = sorted(fleets, key=lambda fleet: -fleets[fleet][1])
    named = [fleet for fleet in dearest if fleets[fleet][1] >= DEAR] or dearest[:1]
    told = [f"{fleet} ({_taken(fleets[fleet][0])})" for fleet in named]
    if rest := [load for fleet, (load, _) in fleets.items() if fleet not in named]:
        scarce = sum(load >= NEARLY_FULL for load in rest)
        told.append(f"{len(rest)} other fleet{'s' if len(rest) > 1 else ''} ({scarce or 'none'} of them nearly full)")
    yield f"{legs[0].good} from {legs[-1].start} in {len(legs)} legs, with {joined(told)}"


def _taken(load: float) -> str:
    return "full" if load >= FULL else f"{percent(load)} taken"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _cause(cause: Cause) -> str:
    if cause.use is None or not cause.use.users:
        return cause.words
    count, parts = cause.use.places(), []
    if "itself" in count:
        parts.append("this need itself")
    for standing, (one, more) in PLACES.items():
        if number := count.get(standing, 0):
            parts.append(f"{number} {one if number == 1 else more}")
    return f"{cause.words}, serving {joined(parts)}"


def _from_where(origins: Sequence[Origin]) -> str:
    """Return the greatest sources, and the plants and fleets between."""
    parts = []
    for kinds, verb in ((("stock", "supply"), "It comes from"), (("plant",), "made at"), (("fleet",), "carried by")):
        some = sorted((one for one in origins if one.resource.kind in kinds), key=lambda one: -one.amount)
        names = list(dict.fromkeys(_origin(one) for one in some))
        if names:
            more = len(names) - MOST_NAMED
            parts.append(f"{verb} {joined([*names[:MOST_NAMED], *([f'{more} more'] if more > 0 else [])])}")
    return _capital("; ".join(parts)) + "." if parts else ""


def _origin(one: Origin) -> str:
    name, kind = one.resource.name, one.resource.kind
    if kind not in ("stock", "supply"):
        return name.split("/")[0]
    return f"the {kind} of {one.good} at {name.removesuffix('/' + one.good)} ({quantity(one.amount, one.unit)})"


def known(story: Explanation) -> Iterator[str]:
    """Yield the lines of numbers that an explanation rests on; deeper lines are indented."""
    if story.causes:
        yield from _missing(story)
    if story.links:
        yield f"the cheapest way for day {story.chain_day} at the plan's prices, from {story.site} back:"
        for link in story.links:
            yield f"  {_link(link)}"
    if story.price_to_worth is not None:
        yield _worth(story.price_to_worth)
    for cause in story.causes:
        if cause.resource is not None:
            yield from _binding(cause)
    if story.origins:
        yield "what it does get comes from:" if story.causes else "it comes from:"
        yield from _origins(story.origins)


def _origins(origins: Sequence[Origin]) -> Iterator[str]:
    """Yield the greatest of each kind."""
    for kind, does in (("stock", "stock,"), ("supply", "supply,"), ("plant", "makes"), ("fleet", "carries")):
        some = sorted((one for one in origins if one.resource.kind == kind), key=lambda one: -one.amount)
        for one in some[:MOST_NAMED]:
            yield f"  {one.resource.name}: {does} {quantity(one.amount, one.unit)} of {one.good} for it"
        if len(some) > MOST_NAMED:
            yield f"  and less from {len(some) - MOST_NAMED} more"


def _missing(story: Explanation) -> Iterator[str]:
    unit = story.unit or "units"
    runs: list[tuple[int, int, str]] = []
    for day, amount in enumerate(story.missing, start=story.first_day):
        said = quantity(amount, unit)
        if runs and runs[-1][2] == said:
            runs[-1] = (runs[-1][0], day, said)
        else:
            runs.append((day, day, said))
    told = [f"day {a} {said}" if a == b else f"days {a} to {b} {said} a day" for a, b, said in runs]
    yield f"missing: {', '.join(told)}"
    yield (
        f"in all {quantity(story.unmet, unit)} of {quantity(story.needed, unit)}, "
        f"{quantity(story.people_days_missing, 'people-days of need')}, priority {story.priority:g}"
    )


def _link(link: Link) -> str:
    paid = sum(share for _, _, share in link.resources)
    return f"{link.words} [{percent(paid)} of the price]" if paid >= 0.01 else link.words


def _worth(ratio: float) -> str:
    if abs(ratio - 1) < 0.02:
        return "one unit more would cost elsewhere what it is worth here"
    if ratio > 1:
        return f"one unit more would cost elsewhere {ratio:,.2g} times what it is worth here"
    said = f"at these prices one unit more would cost {percent(ratio)} of what it is worth here"
    return f"{said}: a plan better by less than the gap may bring more"


def _binding(cause: Cause) -> Iterator[str]:
    assert cause.resource is not None
    name = f"{cause.resource.kind} {cause.resource.name}"
    if not cause.load:
        yield f"{name}: in the way {days_in_words(day - 1 for day in cause.days)}"
        return
    yield f"{name} [{percent(cause.share)} of the price over all days]: {_loads(cause)}"
    if cause.use is not None:
        yield from _users(cause.use)


def _loads(cause: Cause) -> str:
    if cause.resource is not None and cause.resource.kind == "stock":
        return f"{percent(cause.load[0])} of it used by the end"
    if min(cause.load) >= 0.9995:
        return f"100 % taken {days_in_words(day - 1 for day in cause.days)}"
    loads = dict(zip(cause.days, cause.load, strict=True))
    told = [f"{100 * loads[day]:.0f}" if day in loads else "–" for day in range(cause.days[0], cause.days[-1] + 1)]
    return f"taken {days_in_words(day - 1 for day in cause.days)}, in percent: {' '.join(told)}"


def _users(use: Use) -> Iterator[str]:
    total = use.used + use.not_handed_over
    if total <= 0:
        return
    yield f"  of {quantity(total, use.resource.unit)} used then:"
    for user in use.users[:MOST_USERS]:
        yield f"    {_user(user, total)}"
    if len(use.users) > MOST_USERS:
        rest = use.users[MOST_USERS:]
        yield f"    {len(rest)} more needs: {percent(sum(user.amount for user in rest) / total)}"
    if use.not_handed_over > 0.005 * total:
        yield f"    left, spoiled or under way in the end: {percent(use.not_handed_over / total)}"


def _user(user: User, total: float) -> str:
    covered = f"covered {percent(user.coverage)}, without it {percent(user.coverage_without)}"
    return (
        f"{user.need} at {user.site}, {user.people:,.0f} people: {percent(user.amount / total)}, "
        f"priority {user.priority:g}, {covered} ({STANDINGS[user.standing]})"
    )
