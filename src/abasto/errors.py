"""Everything Abasto raises on purpose, and the findings that its errors carry.

AbastoError
├── InputError        the tables have problems; carries every Finding
├── SettingError      a fairness, gap, time limit, solver or scenario that nothing can be planned with
├── UnsupportedError  a solver was asked for something it does not do; says what and who does it
├── SolverError       the solver gave no usable answer
├── FactError         an entry's body is no fact that may be written or understood
├── EntryError        bytes that are no valid entry: size, form, signature or network
├── JournalError      a journal cannot be opened, read or written; says what to do
├── SyncError         an exchange with another device that could not be had, or a bundle that could not be read
│   ├── MessageError  bytes that are no message of an exchange, or no bundle
│   │   └── OversizedError  and that are too large, or would unpack to too much
│   ├── EndlessError  the other side goes on for longer than any exchange takes
│   ├── ForeignError  the other side is of another network
│   └── PeerError     the other side refused what it was asked
├── FederationError   a map or message between networks that is not what it should be, or too large
└── CheckError        a finished plan broke a rule; always a fault of ours, never of the input
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "AbastoError",
    "CheckError",
    "EndlessError",
    "EntryError",
    "FactError",
    "FederationError",
    "Finding",
    "ForeignError",
    "InputError",
    "JournalError",
    "MessageError",
    "OversizedError",
    "PeerError",
    "SettingError",
    "SolverError",
    "SyncError",
    "UnsupportedError",
]


class AbastoError(Exception):
    """The root of all errors that Abasto raises on purpose."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (or doubtful) in the tables, where it is, and what to do.

    `row` is the line in the CSV file or worksheet, header = 1, and 0 when no single row is meant.
    """

    table: str
    row: int
    column: str
    value: str
    message: str
    remedy: str
    closest: str = ""
    severity: Literal["error", "warning"] = "error"
    file: str = ""

    def __str__(self) -> str:
        where = self.file or self.table
        if self.row:
            where += f" row {self.row}"
        if self.column:
            where += f", {self.column}"
        shown = f': "{self.value}"' if self.value != "" else ""
        guess = f' Did you mean "{self.closest}"?' if self.closest else ""
        return f"{where}{shown} — {self.message}; {self.remedy}.{guess}"


class InputError(AbastoError):
    """The tables cannot be planned as they are; `findings` lists every problem, worst first."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        errors = [finding for finding in self.findings if finding.severity == "error"]
        lines = [str(finding) for finding in errors[:20]]
        if len(errors) > 20:
            lines.append(f"… and {len(errors) - 20} more; `abasto check` shows them all.")
        super().__init__("\n".join(lines))


class SettingError(AbastoError, ValueError):
    """A fairness, gap, time limit, solver or scenario that nothing can be planned with; the message says which fit."""


class UnsupportedError(AbastoError):
    """A solver was asked to plan something it does not do; the message names it and the solver that does."""


class SolverError(AbastoError):
    """The solver ended without a usable answer; the message says how it ended and what to try."""


class CheckError(AbastoError):
    """A finished plan broke a rule of the format; `violations` lists which. Nothing is written in that case."""

    def __init__(self, violations: Sequence[str]) -> None:
        self.violations = tuple(violations)
        shown = "\n".join(self.violations[:10])
        super().__init__(
            f"the plan broke {len(self.violations)} rule(s) of the format and was not returned; this is a fault in "
            f"Abasto, not in your tables. Please report it with your tables:\n{shown}"
        )


class FactError(AbastoError, ValueError):
    """A body that is no fact of its kind; the message names the field, its value and what it must be."""


class EntryError(AbastoError, ValueError):
    """Bytes that are no valid entry; the message says which rule they break. They are never stored."""


class JournalError(AbastoError):
    """A journal that cannot be opened, read or written; the message says why and what to do."""


class SyncError(AbastoError):
    """An exchange that could not be had or went wrong; what was kept before stays kept, and the next one goes on."""


class MessageError(SyncError, ValueError):
    """Bytes that are no message of an exchange, or no bundle; the message says which rule they break."""


class OversizedError(MessageError):
    """A message that is larger than any may be, or that would unpack to more than any may hold."""


class EndlessError(SyncError):
    """The other side goes on for longer, or says that it holds more, than any does; what came before is kept."""


class ForeignError(SyncError):
    """The other side is of another network; nothing was taken and nothing given."""


class PeerError(SyncError):
    """The other side refused what it was asked; the message has the reason that it gave."""


class FederationError(AbastoError, ValueError):
    """A map or message between networks that breaks a rule; the message says which. It changes nothing."""
