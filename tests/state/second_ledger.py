"""A second ledger, slow and obvious: a list of all reports, from which every balance is worked out anew.

What lies at a site is what the last count found, by date and then by the order in which the counts came, and what was
reported as coming or going after that count: of a later day, or of the same day and told after it. That is all; late
reports, late counts and what they explain need no rule of their own here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["SecondLedger"]


class Report(NamedTuple):
    day: str
    number: int
    quantity: int


@dataclass
class SecondLedger:
    """One good at one site; quantities are thousandths."""

    counts: list[Report] = field(default_factory=list)
    changes: list[Report] = field(default_factory=list)
    reversals: list[tuple[Report, Report]] = field(default_factory=list)
    """What was taken back, and its opposite."""

    def balance(self, until: str = "9999-12-31") -> int:
        """Return what lies there at the end of a day."""
        changes = [*self.changes, *(opposite for change, opposite in self.reversals if not self.saw(change, opposite))]
        last = max((one for one in self.counts if one.day <= until), default=Report("", 0, 0))
        after = [one for one in changes if (one.day, one.number) > (last.day, last.number) and one.day <= until]
        return last.quantity + sum(one.quantity for one in after)

    def reverse(self, change: Report, *, day: str, number: int) -> None:
        """Take a change back on a day, its own at the earliest."""
        self.reversals.append((change, Report(max(day, change.day), number, -change.quantity)))

    def saw(self, change: Report, opposite: Report) -> bool:
        """Say whether somebody counted between a change and its reversal, and so saw that it had not been so."""
        return any(
            (one.day, one.number) > (change.day, change.number)
            and one.day <= opposite.day
            and one.number < opposite.number
            for one in self.counts
        )
