"""What is wrong with reports: names nobody knows, wild clocks, bodies that cannot be read, undoing that failed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from abasto.facts.amounts import amount
from abasto.facts.codes import code_of
from abasto.state.exceptions.wrong import STEWARD, Wrong
from abasto.state.holding import WINDOW_DAYS
from abasto.state.state import Noted, State
from abasto.state.words import device_named, order_named, times_more

__all__ = ["report_exceptions"]


def report_exceptions(state: State) -> Iterator[Wrong]:
    """Yield what the fold noted, apart from what has healed since."""
    for (kind, about, second), noted in sorted(state.noted.items()):
        wrong = _SAID[kind](state, about, second, noted)
        if wrong is not None:
            yield wrong


def _listed(kind: str) -> Callable[[State, str, str, Noted], Wrong | None]:
    def say(state: State, about: str, second: str, noted: Noted) -> Wrong | None:
        standing = state.rows.standing(f"{kind}s", about)
        if standing == "stands":
            return None
        how = "removed" if standing == "dropped" else "unknown"
        why = "whose row was dropped" if how == "removed" else "for which there is no row"
        return Wrong(
            kind=f"{how} {kind}",
            about=about,
            date=noted.last,
            message=f"{times_more(noted.times, 'report')} about {kind} {about}, {why}; booked all the same",
            remedy=f"set a row for {kind} {about}; or, if the name is wrong, undo the report and write it again",
            who="whoever reported",
            matter=(noted.first,),
            entries=noted.entries,
        )

    return say


def _two_counts(state: State, about: str, second: str, noted: Noted) -> Wrong:
    first, then, one, other = noted.detail
    return Wrong(
        kind="two counts",
        about=f"{about}/{second}",
        date=noted.last,
        message=f"{second} at {about} was counted twice on {noted.last}, neither knowing of the other: "
        f"{amount(int(first))} by {device_named(one)}, {amount(int(then))} by {device_named(other)}; "
        "the books have the second",
        remedy="count it once more",
        who=about,
        matter=(noted.last, *noted.detail),
        entries=noted.entries,
    )


def _late(state: State, about: str, second: str, noted: Noted) -> Wrong:
    return Wrong(
        kind="late report",
        about=f"{about}/{second}",
        date=noted.last,
        message=f"{times_more(noted.times, 'report')} about {second} at {about} came more than {WINDOW_DAYS} days "
        "late: booked, but compared with the oldest that is kept",
        remedy=f"count {second} at {about}",
        who=about,
        matter=(str(noted.times),),
        entries=noted.entries,
    )


def _wild_clock(state: State, about: str, second: str, noted: Noted) -> Wrong:
    claimed, booked = noted.detail
    return Wrong(
        kind="wild clock",
        about=about,
        date=noted.last,
        message=f"{times_more(noted.times, 'report')} of {device_named(about)} with a date far from all others "
        f"({claimed}); booked on {booked}",
        remedy="put its clock right; undo the reports and write them with their dates",
        who=device_named(about),
        matter=(str(noted.times), claimed),
        entries=noted.entries,
    )


def _malformed(state: State, about: str, second: str, noted: Noted) -> Wrong:
    return Wrong(
        kind="malformed",
        about=about,
        message=f"{times_more(noted.times, 'entry')} of {device_named(about)} cannot be read (not applied); the last: "
        f"{noted.detail[0]}",
        remedy="report anew what they said, with a program that writes them well",
        who=device_named(about),
        matter=(str(noted.times),),
        entries=noted.entries,
    )


def _later_version(state: State, about: str, second: str, noted: Noted) -> Wrong:
    return Wrong(
        kind="later version",
        about=about,
        message=f"{times_more(noted.times, 'entry')} of {device_named(about)} are of kinds that this version does not "
        f"know ({noted.detail[0]}): kept, not applied",
        remedy="install the version of Abasto that the device has",
        who="whoever keeps this installation",
        matter=(noted.detail[0],),
        entries=noted.entries,
    )


def _row(state: State, about: str, second: str, noted: Noted) -> Wrong:
    return Wrong(
        kind="row",
        about=second,
        date=noted.last,
        message=f"{times_more(noted.times, 'row fact')} of {device_named(about)} about table {second}: not applied; "
        f"the last: {noted.detail[0]}",
        remedy="set the row as it should be",
        who=device_named(about),
        matter=(about, str(noted.times)),
        entries=noted.entries,
    )


def _order_step(state: State, about: str, second: str, noted: Noted) -> Wrong:
    return Wrong(
        kind="order step",
        about=about,
        date=noted.last,
        message=f"{order_named(about)} was reported as {noted.detail[0]} after it had ended; what moved is booked",
        remedy="ask who has the goods; cancel it again or report them as received",
        who="whoever reported",
        matter=(str(noted.times), noted.detail[0]),
        entries=noted.entries,
    )


def _not_undone(state: State, about: str, second: str, noted: Noted) -> Wrong:
    return Wrong(
        kind="not undone",
        about=about,
        date=noted.last,
        message=f"entry {code_of(about)} was not undone: {noted.detail[0]}",
        remedy="write the opposite by hand, or count what it was about",
        who="whoever undid it",
        matter=(noted.detail[0],),
        entries=noted.entries,
    )


def _founded_again(state: State, about: str, second: str, noted: Noted) -> Wrong:
    return Wrong(
        kind="founded again",
        about=about,
        date=noted.last,
        message=f"{device_named(about)} founded another network, {noted.detail[0]}, in this one: not applied",
        remedy="keep each network in a home of its own",
        who=STEWARD,
        matter=(),
        entries=noted.entries,
    )


def _not_allowed(state: State, about: str, second: str, noted: Noted) -> Wrong:
    grant = state.members.grants.get(about)
    whose = f"which has the role {grant.role}" if grant is not None else "which is no member"
    return Wrong(
        kind="not allowed",
        about=about,
        date=noted.last,
        message=f"{times_more(noted.times, 'entry')} of {device_named(about)}, {whose}: it may not write that; "
        "not applied",
        remedy="endorse it for what it reports, and let it report anew; or settle this with a note",
        who=STEWARD,
        matter=(str(noted.times),),
        entries=noted.entries,
    )


_SAID: Mapping[str, Callable[[State, str, str, Noted], Wrong | None]] = {
    "site": _listed("site"),
    "good": _listed("good"),
    "two counts": _two_counts,
    "late": _late,
    "wild clock": _wild_clock,
    "malformed": _malformed,
    "later version": _later_version,
    "row": _row,
    "order step": _order_step,
    "undo": _not_undone,
    "founded again": _founded_again,
    "not allowed": _not_allowed,
}
"""How each kind that the fold notes is told."""
