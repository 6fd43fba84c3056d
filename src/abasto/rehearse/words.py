"""A rehearsal in words: what would hurt most, whom, from when, and what would soften it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from abasto.rehearse.damage import Hit
from abasto.rehearse.losses import KINDS, Loss, names_of
from abasto.rehearse.table import Harm, Limits, Rehearsal
from abasto.summary import counted, percent

__all__ = ["briefing", "rehearsal_document"]

MOST_HITS = 3
"""Places and needs named for each loss."""
NOTHING = 0.5
"""A harm of less than this many weighted people-days reads as none."""


def briefing(rehearsal: Rehearsal, *, most: int, pairs: int) -> list[str]:
    """Return the rehearsal as lines of plain text: the `most` worst losses, then the `pairs` worst pairs."""
    harmful = [harm for harm in rehearsal.harms if harm.limits.most >= NOTHING]
    shown = harmful[:most]
    blocks = [list(_opening(rehearsal))]
    if shown:
        title = f"What would hurt most ({len(shown):,} of {len(rehearsal.harms):,})"
        blocks += [[title, *_paragraphs(rehearsal, shown)], _table(rehearsal, shown)]
    blocks.append(list(_rest(rehearsal, shown, harmful[most:])))
    if pairs:
        blocks += _pairs(rehearsal, pairs)
    if not rehearsal.is_complete:
        blocks.append(["Stopped before all was done: ranks and limits are those known so far."])
    filled = [block for block in blocks if block]
    return [line for number, block in enumerate(filled) for line in ([""] if number else []) + block]


def _opening(rehearsal: Rehearsal) -> Iterator[str]:
    network = rehearsal.network
    scenario = f", scenario {rehearsal.scenario}" if rehearsal.scenario else ""
    asked = ", ".join(name for name, kind in KINDS.items() if kind in rehearsal.kinds)
    yield (
        f"{network.name}{scenario}: {counted(len(rehearsal.harms), 'thing')} taken away in turn for "
        f"{f'all {network.days:,} days' if network.days > 1 else 'the day'} ({asked})."
    )
    if rehearsal.gone:
        left = f"{len(rehearsal.gone):,} more {'is' if len(rehearsal.gone) == 1 else 'are'} left out"
        yield f"{left}: losing {'it' if len(rehearsal.gone) == 1 else 'them'} would take nothing away."
    if rehearsal.not_looked_at:
        yield f"{rehearsal.not_looked_at:,} have not been looked at yet."
    if rehearsal.needed == 0:
        yield "Nothing is needed on these days, so nothing can do harm."
        return
    if not rehearsal.harms and not rehearsal.is_complete:
        yield "The time was over before the plan with nothing lost was found; give it more."
        return
    share = rehearsal.met / rehearsal.needed
    yield f"With none of them lost, {percent(share)} of {rehearsal.needed:,.0f} people-days of need are met."
    yield (
        "Harm is in weighted people-days of need: 1 is a person without any of a need of priority 1 for a day; the "
        "first tenths weigh most."
    )


def _paragraphs(rehearsal: Rehearsal, harms: Sequence[Harm]) -> list[str]:
    return [line for harm in harms for line in _paragraph(rehearsal, harm)]


def _paragraph(rehearsal: Rehearsal, harm: Harm) -> Iterator[str]:
    hurt = harm.outcome.damage
    lost, gained = sum(amount for _, amount in hurt.lost), sum(amount for _, amount in hurt.gained)
    if harm.outcome.note:
        yield f"{_rank(harm)}. {_case(rehearsal, harm)}: not known; {harm.outcome.note}"
        return
    yield f"{_rank(harm)}. {_case(rehearsal, harm)}: {_people_days(hurt.lost, lost, gained)}"
    if hurt.first_day:
        hits = "; ".join(_hit(rehearsal, hit) for hit in hurt.hits[:MOST_HITS])
        yield f"   First felt on day {hurt.first_day:,}. Hit hardest: {hits}."
    if harm.worse_together is not None:
        yield f"   Together {_beyond(harm.worse_together)}."
    if harm.outcome.softened_by:
        by = "; ".join(f"{one.words} (worth up to {_up(one.worth)})" for one in harm.outcome.softened_by)
        yield f"   Would be softened by: {by}."


def _case(rehearsal: Rehearsal, harm: Harm) -> str:
    return " and ".join(_thing(rehearsal, loss) for loss in harm.case)


def _thing(rehearsal: Rehearsal, loss: Loss) -> str:
    """Return what is lost as people know it, with its kind."""
    names = names_of(rehearsal.network)
    name = names.get(loss.target, loss.target) if loss.kind == "site" else loss.target
    return f"{name} ({loss.kind})"


def _people_days(lost: Sequence[tuple[float, float]], total: float, gained: float) -> str:
    if total < NOTHING:
        return "no people-days of need lost that are known."
    parts = [f"{_about(amount)} of priority {priority:g}" for priority, amount in lost if amount >= NOTHING]
    by_priority = f" ({', '.join(parts)})" if len(lost) > 1 else ""
    elsewhere = f"; others gain {_about(gained)}" if gained >= NOTHING else ""
    return f"{_about(total)} people-days of need lost{by_priority}{elsewhere}."


def _hit(rehearsal: Rehearsal, hit: Hit) -> str:
    names = names_of(rehearsal.network)
    return (
        f"{names.get(hit.site, hit.site)}, {names.get(hit.need, hit.need)} "
        f"({hit.people:,.0f} people, {percent(hit.before)} → {percent(hit.after)})"
    )


def _rank(harm: Harm) -> str:
    return str(harm.first_rank) if harm.first_rank == harm.last_rank else f"{harm.first_rank}–{harm.last_rank}"


def _about(value: float) -> str:
    """Return a number with three figures, or whole below a thousand; files and JSON have all of them.

    >>> _about(28_495), _about(7.6)
    ('28,500', '8')
    """
    step = max(1.0, 10.0 ** (math.floor(math.log10(max(1.0, abs(value)))) - 2))
    return f"{round(value / step) * step:,.0f}"


def _up(value: float) -> str:
    """Return a number rounded up to three figures, or to a whole one below a thousand."""
    step = max(1.0, 10.0 ** (math.floor(math.log10(max(1.0, value))) - 2))
    return f"{math.ceil(value / step - 1e-9) * step:,.0f}"


def _down(value: float) -> str:
    """Return a number rounded down likewise."""
    step = max(1.0, 10.0 ** (math.floor(math.log10(max(1.0, abs(value)))) - 2))
    return f"{math.floor(value / step + 1e-9) * step:,.0f}"


def _beyond(limits: Limits) -> str:
    """Say what a pair does beyond the sum of both alone, as far as it is proven."""
    if limits.least >= NOTHING:
        return f"worse by {_about(limits.estimate)} than both alone (proven: at least {_down(limits.least)})"
    if limits.most <= -NOTHING:
        return f"less bad by {_about(-limits.estimate)} than both alone: they hit the same needs"
    if limits.most - limits.least < 2 * NOTHING:
        return "as bad as both alone"
    return (
        f"about {_about(limits.estimate)} worse than both alone (between {_down(limits.least)} and {_up(limits.most)})"
    )


def _table(rehearsal: Rehearsal, harms: Sequence[Harm]) -> list[str]:
    """Return rank, what, harm with its proven limits, gap, and the day from which it is felt, in columns."""
    rows = [("rank", "lost", "harm", "at least", "at most", "gap", "felt from")]
    for harm in harms:
        limits, day = harm.limits, harm.outcome.damage.first_day
        rows.append(
            (
                _rank(harm),
                _case(rehearsal, harm),
                f"{limits.estimate:,.0f}",
                f"{math.floor(limits.least + 1e-6):,}",
                f"{math.ceil(limits.most - 1e-6):,}",
                _gap(harm.outcome.gap),
                f"day {day:,}" if day else "–",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    left = (1,)
    return [
        "  ".join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _gap(gap: float) -> str:
    """Return a gap in a cell.

    >>> _gap(0.0), _gap(1e-6), _gap(0.0123), _gap(math.inf)
    ('0 %', '<0.01%', '1.23%', 'not known')
    """
    if not math.isfinite(gap):
        return "not known"
    return f"{gap:.2%}" if gap >= 5e-5 else "0 %" if gap < 1e-9 else "<0.01%"


def _rest(rehearsal: Rehearsal, shown: Sequence[Harm], more: Sequence[Harm]) -> Iterator[str]:
    """Say how sure ranks are, and how many losses are not shown, and why."""
    if any(harm.first_rank < harm.last_rank for harm in shown):
        yield "A rank such as 2–4 means that what is proven does not tell these apart."
    if more:
        do = "do" if all(harm.limits.least >= NOTHING for harm in more) else "may do"
        yield f"{len(more):,} more {do} harm; --most shows more of them, --out writes all."
    harmless = len(rehearsal.harms) - len(shown) - len(more)
    if harmless:
        yield f"{harmless:,} {'is' if harmless == 1 else 'are'} proven to do no harm alone."


def _pairs(rehearsal: Rehearsal, most: int) -> list[list[str]]:
    shown = rehearsal.pairs[:most]
    if not shown:
        return [["No pair that was looked at is worse than one of its two alone."]] if rehearsal.is_complete else []
    title = f"What would hurt most together ({len(shown):,} of {len(rehearsal.pairs):,} pairs that were looked at)"
    return [[title, *_paragraphs(rehearsal, shown)], _table(rehearsal, shown)]


def rehearsal_document(rehearsal: Rehearsal, *, written: str | None) -> dict[str, Any]:
    """Return the rehearsal as plain data for JSON; harms are in weighted people-days of need."""
    return {
        "network": rehearsal.network.name,
        "scenario": rehearsal.scenario,
        "fairness": rehearsal.fairness,
        "solver": rehearsal.solver,
        "objective": rehearsal.value,
        "bound": rehearsal.bound,
        "people_days_needed": rehearsal.needed,
        "people_days_met": rehearsal.met,
        "complete": rehearsal.is_complete,
        "not_looked_at": rehearsal.not_looked_at,
        "left_out": [{"kind": loss.kind, "target": loss.target} for loss in rehearsal.gone],
        "losses": [_harm_document(harm) for harm in rehearsal.harms],
        "pairs": [_harm_document(harm) for harm in rehearsal.pairs],
        "seconds": rehearsal.seconds,
        "written": written,
    }


def _harm_document(harm: Harm) -> dict[str, Any]:
    hurt = harm.outcome.damage
    document: dict[str, Any] = {
        "lost": [{"kind": loss.kind, "target": loss.target} for loss in harm.case],
        "rank": [harm.first_rank, harm.last_rank],
        "harm": _limits_document(harm.limits),
        "certified": harm.is_certified,
        "gap": harm.outcome.gap if math.isfinite(harm.outcome.gap) else None,
        "people_days_lost": {f"{priority:g}": amount for priority, amount in hurt.lost},
        "people_days_gained": {f"{priority:g}": amount for priority, amount in hurt.gained},
        "felt_from_day": hurt.first_day or None,
        "hits": [
            {
                "site": hit.site,
                "need": hit.need,
                "people": hit.people,
                "people_days_lost": hit.people_days,
                "coverage_before": hit.before,
                "coverage_after": hit.after,
                "felt_from_day": hit.first_day or None,
            }
            for hit in hurt.hits
        ],
        "softened_by": [{"what": one.words, "worth_at_most": one.worth} for one in harm.outcome.softened_by],
        "note": harm.outcome.note,
    }
    if harm.worse_together is not None:
        document["worse_together"] = _limits_document(harm.worse_together)
    return document


def _limits_document(limits: Limits) -> dict[str, float]:
    return {"estimate": limits.estimate, "at_least": limits.least, "at_most": limits.most}
