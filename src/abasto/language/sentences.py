"""The sentences that are composed below in English, by kind, so that a language can recognise and translate them.

Exceptions, doubts, causes, remedies, findings and stories are told in English where they are found, as the command
line shows them. Here stands the shape of each: its words, and in braces the kind of what stands between them. A brace
names another kind of `SHAPES` or `LISTS`, a value (`VALUES`), or else a name that people gave and that stays as it is;
figures after a kind tell several apart. A pair is a shape for one and for several of `{n}`.

A test fails if a module that tells something says what no shape has.
"""

from __future__ import annotations

from collections.abc import Mapping

from abasto.language.shape import Shape
from abasto.language.shapes_plans import OF_PLANS
from abasto.language.shapes_state import OF_STATES
from abasto.language.shapes_tables import OF_TABLES

__all__ = ["LISTS", "SAYING_KINDS", "SHAPES", "VALUES", "Shape"]

VALUES: Mapping[str, str] = {
    "n": r"[-−+]?[0-9][0-9,]*(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "code": r"[0-9A-Z-]+",
    "column": r"\w+",
    "unit": r"\S+",
}
"""What figures, dates, codes and the like look like; any other name in braces is whatever somebody typed."""

LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "amounts": ("amount", (", ",)),
    "balances": ("balance", ("; ",)),
    "briefs": ("brief", ("; ",)),
    "causes": ("cause", (", ", " and ")),
    "clauses": ("clause", ("; ",)),
    "codes": ("code", (", ",)),
    "dates": ("date", (", ",)),
    "differences": ("difference", (", ",)),
    "fleets": ("fleet_taken", (", ", " and ")),
    "lines": ("line", (", ",)),
    "lots": ("in_lot", (", ",)),
    "names": ("name", (", ", " and ")),
    "orders": ("order", (", ",)),
    "places": ("places_of", (", ", " and ")),
    "remedies": ("remedy", (", and ",)),
    "sources": ("source", (", ", " and ")),
}
"""Lists: the kind of what is listed, and what stands between two of it."""

SHAPES: Mapping[str, tuple[Shape, ...]] = {
    # Parts of sentences.
    "order": ("order {code}",),
    "device": ("device {code}", "this device"),
    "entries": (("{n} entry", "{n} entries"),),
    "reports": (("{n} report", "{n} reports"),),
    "row_facts": (("{n} row fact", "{n} row facts"),),
    "earlier_counts": (("{n} earlier count", "{n} earlier counts"),),
    "trips": (("{n} trip", "{n} trips"),),
    "quantity": ("{n} {unit}",),
    "amount": ("{n} {unit} of {good}",),
    "lot": ("the lot of {date}", "the lot without a date", "the lot without date"),
    "in_lot": ("{n} of {lot}",),
    "share": ("none", "all", "under {n} %", "{n} %"),
    "when": ("on day {n}", "on days {n} to {n2}", "on {n} of days {n2} to {n3}"),
    "difference": (
        "{amount} less",
        "{amount} more",
        "{amount} more than the books had",
        "{amount} less than the books had",
        "{amount} lost on the way",
        "{amount} more than loaded",
        "{amount} (the lot of {date})",
        "{amount}",
    ),
    "named_lot": ("lot {date}", "lot without date"),
    "line": ("{amount} ({named_lot})", "{amount}"),
    "balance": ("{amount} at {site}", "{amount} on the way"),
    **OF_STATES,
    **OF_PLANS,
    **OF_TABLES,
}  # fmt: skip
"""Every shape by its kind."""

SAYING_KINDS: Mapping[str, tuple[str, ...]] = {
    "said": ("refused", "refusal", "wrong", "settle", "finding"),
    "wrong_said": ("wrong",),
    "told_said": ("told", "told_more"),
    "clause_said": ("clause",),
    "step_said": ("step_told", "step_more"),
}
"""What stands for one of several kinds; only of `said`, which comes from anywhere, what is none of them is let be."""
