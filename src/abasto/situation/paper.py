"""The situation as a paper for a meeting: figures, alarms and tables in a language, before they become HTML or PDF.

Everything that is said is text here, already in the language; nothing in it is markup.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from abasto.language import Language
from abasto.situation.paper_tables import (
    Table,
    age_table,
    alarm_table,
    coverage_table,
    exception_table,
    lane_table,
    order_table,
    stand_table,
    supply_table,
)
from abasto.situation.pictures import Picture, coverage_picture, map_picture, supply_picture
from abasto.situation.types import Headline, Situation
from abasto.situation.words import isolated, sure_words

if TYPE_CHECKING:
    from abasto.planner.plan import Plan
    from abasto.state.known import Known

__all__ = ["Box", "Paper", "Section", "paper_of"]


@dataclass(frozen=True, slots=True)
class Box:
    """A figure of the headline: what it is, its value, and a remark, which may be a warning."""

    label: str
    value: str
    remark: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it: remarks, pictures, tables."""

    title: str
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Paper:
    """A paper: its title, the sentences that lead in, the first figures, sections, and words that need explaining."""

    language: str
    direction: Literal["ltr", "rtl"]
    title: str
    lead: tuple[str, ...]
    boxes: tuple[Box, ...]
    sections: tuple[Section, ...]
    glossary_title: str
    glossary: tuple[tuple[str, str], ...]
    footer: str
    page_words: str
    """What stands at the foot of a page, with `{page}` and `{pages}` in it."""


def paper_of(
    shown: Situation,
    words: Language,
    *,
    seen: Known,
    plan: Plan | None = None,
    entries: int = 0,
    font: str = "sans-serif",
) -> Paper:
    """Return the paper of a situation.

    `seen` and `plan` are what it was made from, `entries` how many the journal had (0: it came from tables), and
    `font` what the letters in pictures are set in.
    """
    return Paper(
        language=words.code,
        direction="rtl" if words.direction == "rtl" else "ltr",
        title=words(
            "{network}: the situation on {day}",
            network=isolated(shown.network, words), day=words.day(shown.day, style="full"),
        ),
        lead=tuple(_lead(shown, words, plan, entries)),
        boxes=tuple(_boxes(shown.headline, words)),
        sections=tuple(_sections(shown, words, seen, plan, font)),
        glossary_title=words("Words"),
        glossary=tuple(_glossary(words, plan)),
        footer=words("Made by Abasto {version}.", version=version("abasto")),
        page_words=words("page {page} of {pages}", page="{page}", pages="{pages}"),
    )  # fmt: skip


def _lead(shown: Situation, words: Language, plan: Plan | None, entries: int) -> list[str]:
    """Return how old what is known is, and how certain what is planned."""
    headline, told = shown.headline, []
    if not entries:
        told.append(
            words("Made from tables, which do not say when stocks were counted: they stand as on the first day.")
        )
    elif headline.oldest is None:
        told.append(words("No stock of anything has been reported yet."))
    else:
        told.append(
            words.many(
                "{n} figure of stock is known; it was last reported {ago} ({good}, {site}).",
                "{n} figures of stock are known; the oldest was last reported {ago} ({good}, {site}).",
                headline.figures,
                ago=words.ago(headline.oldest.as_of, shown.day),
                good=isolated(headline.oldest.good_name, words), site=isolated(headline.oldest.site_name, words),
            )
        )  # fmt: skip
        if headline.estimated:
            told.append(
                words.many(
                    "{n} of them is an estimate, as nobody has reported it for days.",
                    "{n} of them are estimates, as nobody has reported them for days.",
                    headline.estimated,
                )
            )
    if plan is None:
        told.append(words("Nothing was planned for this paper: what runs out is told from what lies there."))
    elif shown.days:
        told.append(
            words.many(
                "The plan is for {n} day, from {first} to {last}.",
                "The plan is for {n} days, from {first} to {last}.",
                len(shown.days), first=words.day(shown.days[0]), last=words.day(shown.days[-1]),
            )
        )  # fmt: skip
        told.append(sure_words(plan, words))
        if plan.scenario:
            told.append(words("It is made for the scenario {name}.", name=isolated(plan.scenario, words)))
    if entries:
        told.append(
            words.many(
                "The journal had {n} entry; a paper from more of them may say something else.",
                "The journal had {n} entries; a paper from more of them may say something else.",
                entries,
            )
        )
    return told


def _boxes(headline: Headline, words: Language) -> list[Box]:
    people = words.many("at {n} site", "at {n} sites", headline.sites)
    boxes = [Box(words("people served"), words.number(headline.people, digits=0), people)]
    if headline.mean_coverage is not None and headline.worst_5_percent_coverage is not None:
        boxes.append(Box(words("of what is needed is met, on average"), words.percent(headline.mean_coverage)))
        boxes.append(Box(words("is what the worst-off 5 % get"), words.percent(headline.worst_5_percent_coverage)))
    if headline.worst_site_coverage is not None:
        worst = words("is met at {site}, the worst served", site=isolated(headline.worst_site_name, words))
        boxes.append(Box(worst, words.percent(headline.worst_site_coverage)))
    overdue = words.many("{n} of them overdue", "{n} of them overdue", headline.overdue) if headline.overdue else ""
    boxes.append(Box(words("open orders"), words.number(headline.open_orders, digits=0), overdue, bool(overdue)))
    boxes.append(Box(words("matters to settle"), words.number(headline.exceptions, digits=0)))
    return boxes


def _sections(shown: Situation, words: Language, seen: Known, plan: Plan | None, font: str) -> list[Section]:
    told = words("Nothing does: no need falls short, and no order is late.")
    if shown.alarms and plan is not None:
        told = words("Day 1 of the plan is {day}.", day=words.day(plan.network.start))
    sections = [
        Section(
            words("What needs attention"),
            notes=(told,) if plan is not None or not shown.alarms else (),
            tables=(alarm_table(shown, words),) if shown.alarms else (),
        )
    ]
    if plan is not None and shown.coverage:
        table = coverage_table(shown, words)
        sections.append(
            Section(
                words("How far needs are met, worst first"),
                notes=() if table.rows else (words("Every need is met at every site on every day."),),
                pictures=(coverage_picture(shown, words, font),),
                tables=(table,) if table.rows else (),
            )
        )
    sections.append(
        Section(
            words("How long it lasts"),
            notes=(
                words(
                    "Days of supply: what is there ÷ what is needed a day, until it expires. "
                    "What is still to be made or taken in is not in it."
                ),
            ),
            pictures=supply_picture(shown, words, font),
            tables=(supply_table(shown, words), stand_table(shown, words)),
        )
    )  # fmt: skip
    moves = lane_table(shown, words)
    sections.append(
        Section(
            words("What moves"),
            notes=() if moves.rows else (words("Nothing is planned to move."),),
            pictures=map_picture(shown, words, seen, plan),
            tables=(moves,) if moves.rows else (),
        )
    )
    orders = order_table(shown, words)
    sections.append(
        Section(
            words("Open orders"),
            notes=() if orders.rows else (words("No order is open."),),
            tables=(orders,) if orders.rows else (),
        )
    )
    matters = exception_table(shown, words)
    sections.append(
        Section(
            words("Matters to settle"),
            notes=() if matters.rows else (words("Nothing is to be settled."),),
            tables=(matters,) if matters.rows else (),
        )
    )
    sections.append(Section(words("How old the figures are, oldest first"), tables=(age_table(shown, words),)))
    return sections


def _glossary(words: Language, plan: Plan | None) -> list[tuple[str, str]]:
    """Return the words that whoever comes to the meeting may not know."""
    told = [
        (words("counted"), words("Somebody counted it, and nothing was booked since.")),
        (words("computed"), words("The last count, and what was booked since.")),
        (words("estimated"), words("Nobody has reported it for days; it is carried forward by the site's own use.")),
        (words("reserve"), words("What a site keeps for itself; it is never sent away.")),
    ]
    if plan is None:
        return told
    return [
        (words("coverage"), words("Met ÷ needed, at most 100 %.")),
        (words("worst-off 5 %"), words("The mean coverage of the twentieth of all people-days that is served worst.")),
        *told,
    ]
