"""What `abasto plan --from` adds: the earlier plan is read, and it is told what stays of it and what changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abasto.cli import UsageError

if TYPE_CHECKING:
    from abasto.network import Network
    from abasto.planner.changes import Change
    from abasto.planner.hold import Cut
    from abasto.planner.replan import Replanned

__all__ = ["refuse_half_asked", "replan_document", "replan_lines", "replan_with_progress"]

MANY_CUTS = 20
"""So many cuts are rarely news."""
SHOWN = 12
"""Cuts and changes that are shown one by one; the rest is counted, and stands in --json."""


def refuse_half_asked(
    from_: Path | None, day: int | None, frozen: int | None, *, out: Path | None, report: Path | None
) -> None:
    """Refuse one of --from and --day without the other, and to write where the earlier plan lies."""
    if from_ is None:
        given = next((name for name, value in (("--day", day), ("--frozen", frozen)) if value is not None), None)
        if given:
            raise UsageError(
                f"{given}: only a plan that carries on an earlier one has it; name its folder with --from."
            )
        return
    if day is None:
        raise UsageError(f'--from "{from_}": say with --day which day it is today; the first day of the plan is 1.')
    if not from_.is_dir():
        raise UsageError(f'--from "{from_}": there is no such folder; give the one that an earlier plan --out wrote.')
    if frozen is not None and frozen < 0:
        raise UsageError(f"--frozen {frozen}: give a number of days from 0 up; 1, today alone, is the default.")
    if out is not None and out.resolve() == from_.resolve():
        raise UsageError(f'--out "{out}": the earlier plan lies there and says what was ordered; give another folder.')
    if report is not None and from_.resolve() in report.resolve().parents:
        raise UsageError(f'--report "{report}": the earlier plan lies there; give another place.')


def replan_with_progress(
    network: Network, scenario: str | None, *, from_: Path, day: int, frozen: int | None, **options: Any
) -> Replanned:
    """Read the earlier plan and replan while the terminal shows how sure it is; Ctrl-C gives the best so far."""
    from abasto.cli_plan import gap_bar, run_until_stopped
    from abasto.planner.read_plan import read_plan
    from abasto.planner.replan import replan

    if not 1 <= day <= network.days:
        raise UsageError(f"--day {day}: the plan is for days 1 to {network.days}; day 1 is {network.start}.")
    old = read_plan(from_, network, fairness=options["fairness"])
    with gap_bar("replanning", options["gap"]) as progress:

        def work(stop: Callable[[], bool]) -> Replanned:
            kept = 1 if frozen is None else frozen
            return replan(
                network, old, day=day, frozen=kept, scenario=scenario, progress=progress, stop=stop, **options
            )

        return run_until_stopped(work)


def replan_lines(replanned: Replanned) -> Iterator[str]:
    """Yield what is kept of the earlier plan, what of it is impossible now, and what changes in the days to come."""
    from abasto.summary import counted

    yield _kept(replanned)
    cuts = replanned.cuts
    if cuts:
        number = "1 thing" if len(cuts) == 1 else f"{len(cuts):,} things"
        yield f"{number} that should be kept cannot be as planned:"
        yield from _some([_cut_words(cut, replanned) for cut in _worst_first(cuts)])
        if any(cut.day < replanned.day for cut in cuts):
            yield (
                f"Some of these lie before day {replanned.day}; by the tables now they cannot have happened. If the "
                "news begins later, give its rows a first day (column from); if less was there, less was handed over."
            )
        if len(cuts) >= MANY_CUTS:
            yield (
                "So many often mean that the earlier plan was for another scenario (--scenario), another first day or "
                "other tables than those given now."
            )
    changes = replanned.changes
    first_free = replanned.day + replanned.frozen
    if first_free > replanned.plan.network.days:
        yield ""
        return
    if replanned.as_before:
        yield f"From day {first_free} on the plan goes on as it was: {_all_stay(changes.before)}."
        yield ""
        return
    parts = [
        (len(changes.kept), "stays", "stay"),
        (len(changes.changed), "changes", "change"),
        (len(changes.dropped), "is dropped", "are dropped"),
    ]
    told = [f"{number:,} {one if number == 1 else many}" for number, one, many in parts if number]
    new = "; 1 new one comes in" if len(changes.new) == 1 else f"; {len(changes.new):,} new ones come in"
    new = new if changes.new else ""
    yield (
        f"Of {counted(changes.before, 'order')} from day {first_free} on {_listed(told) or 'none is left'}{new}. "
        f"Shipments: {changes.tonnes_before:,.1f} t before, {changes.tonnes_after:,.1f} t now."
    )
    weights = _tonnes(replanned)
    differing = [*changes.dropped, *changes.changed, *changes.new]
    differing.sort(key=lambda one: (-abs(one.after - one.before) * weights.get((one.kind, one.what), 0.0), one.day))
    yield from _some([_change_words(change, replanned) for change in differing])
    yield ""


def _all_stay(orders: int) -> str:
    """Return that all orders stay, however many there are.

    >>> _all_stay(0), _all_stay(1), _all_stay(1200)
    ('there are no orders then', 'its only order stays', 'all 1,200 orders stay')
    """
    if orders == 0:
        return "there are no orders then"
    return "its only order stays" if orders == 1 else f"all {orders:,} orders stay"


def _listed(words: list[str]) -> str:
    """Return words with commas and an and.

    >>> _listed(["3 stay", "1 change", "2 are dropped"])
    '3 stay, 1 change and 2 are dropped'
    """
    return " and ".join([part for part in (", ".join(words[:-1]), *words[-1:]) if part])


def _kept(replanned: Replanned) -> str:
    day, frozen = replanned.day, replanned.frozen
    last = min(day + frozen - 1, replanned.plan.network.days)
    over = "" if day == 1 else "what happened on day 1" if day == 2 else f"what happened on days 1 to {day - 1}"
    orders = "" if last < day else f"the orders of day {day}" if last == day else f"the orders of days {day} to {last}"
    kept = " and ".join(part for part in (over, orders) if part)
    if not kept:
        return f"Today is day {day}. Nothing has begun and nothing is frozen: every order is open."
    same = "Where it says below that no plan is better, plans are meant that keep the same."
    return f"Today is day {day}. Kept from the earlier plan: {kept}. {same}"


def _some(lines: list[str]) -> Iterator[str]:
    """Yield the first lines, indented, and how many more there are."""
    yield from (f"  {line}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  … and {len(lines) - SHOWN:,} more; --json shows them all."


def _worst_first(cuts: tuple[Cut, ...]) -> list[Cut]:
    """Return what can still be told somebody first: orders of today and later, then the past."""
    orders = ("shipment", "production")
    return sorted(cuts, key=lambda cut: (cut.kind not in orders, -cut.day, -(cut.planned - cut.possible)))


def _unit(replanned: Replanned, good: str) -> str:
    units = {row.good: row.unit for row in replanned.plan.network.goods}
    return units.get(good, "")


def _tonnes(replanned: Replanned) -> dict[tuple[str, str], float]:
    """Return the tonnes of a unit of each good that is shipped, and of what a batch of each recipe makes."""
    network = replanned.plan.network
    of_good = {row.good: row.kg_per_unit / 1000 for row in network.goods}
    tonnes = {("shipment", good): weight for good, weight in of_good.items()}
    for row in network.recipes:
        key = "production", row.recipe
        tonnes[key] = tonnes.get(key, 0.0) + max(0.0, row.quantity) * of_good[row.good]
    return tonnes


def _cut_words(cut: Cut, replanned: Replanned) -> str:
    if cut.kind == "production":
        return f"day {cut.day}, {cut.site}: {cut.possible:,.6g} of {cut.planned:,.6g} batches of {cut.what}; {cut.why}"
    lot = f" (lot of {cut.expires})" if cut.expires else ""
    unit = _unit(replanned, cut.what)
    amount = f"{cut.possible:,.6g} of {cut.planned:,.6g} {unit} {cut.what}{lot}"
    if cut.kind == "shipment":
        return f"day {cut.day}, {cut.site} > {cut.to} with {cut.fleet}: {amount}; {cut.why}"
    done = "handed over" if cut.kind == "delivery" else "taken in"
    return f"day {cut.day}, {cut.site}: {amount} {done}; {cut.why}"


def _change_words(change: Change, replanned: Replanned) -> str:
    if change.kind == "production":
        where, unit, what = f"day {change.day}, {change.site}", "batches of", change.what
    else:
        where = f"day {change.day}, {change.site} > {change.to} with {change.fleet}"
        unit, what = _unit(replanned, change.what), change.what
    if change.before == 0:
        return f"{where}: new, {change.after:,.6g} {unit} {what}"
    if change.after == 0:
        return f"{where}: dropped, {change.before:,.6g} {unit} {what}"
    return f"{where}: {change.before:,.6g} → {change.after:,.6g} {unit} {what}"


def replan_document(replanned: Replanned) -> dict[str, Any]:
    """Return what --json says beside the plan: what is held, every cut and every order that changes."""
    changes = replanned.changes
    return {
        "day": replanned.day,
        "frozen": replanned.frozen,
        "as_before": replanned.as_before,
        "bound_holds_for": "plans that keep what happened before this day and the frozen orders",
        "cuts": [asdict(cut) for cut in replanned.cuts],
        "orders": {
            "from_day": replanned.day + replanned.frozen,
            "before": changes.before,
            "kept": len(changes.kept),
            "changed": [asdict(change) for change in changes.changed],
            "new": [asdict(change) for change in changes.new],
            "dropped": [asdict(change) for change in changes.dropped],
            "tonnes_before": changes.tonnes_before,
            "tonnes_after": changes.tonnes_after,
            "tonnes_moved": changes.tonnes_moved,
        },
    }
