"""Plan: the tables of the format, and how far the plan is at most from the best possible one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from abasto.network import Network

__all__ = ["MET_TOLERANCE", "PLAN_TABLES", "Plan", "PlanColumn", "PlanTable", "Table"]

MET_TOLERANCE = 1e-4
"""A need counts as met when at most this share of it is missing: no scale and no count in the field tells the
difference, and what solvers leave by rounding is no shortage. Table coverage still shows the number as it is."""


@dataclass(frozen=True, slots=True)
class PlanColumn:
    """A column of a plan table: its name, kind (`text`, `day`, `date`, `number`), unit and help line."""

    name: str
    kind: str
    help: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class PlanTable:
    """A table of a plan: its name, what a row means, and its columns in the format's order."""

    name: str
    help: str
    columns: tuple[PlanColumn, ...]


_SITE = PlanColumn("site", "text", "where")
_GOOD = PlanColumn("good", "text", "what")
_EXPIRES = PlanColumn("expires", "date", "last date the lot can be used; blank if it never spoils")
_DAY = PlanColumn("day", "day", "on which day", "day")
_NEED = PlanColumn("need", "text", "the good or nutrient that is needed")
_UNIT = "the good's unit"

PLAN_TABLES: tuple[PlanTable, ...] = (
    PlanTable(
        "intake",
        "Taken in from outside.",
        (_SITE, _GOOD, _EXPIRES, _DAY, PlanColumn("quantity", "number", "how much", _UNIT)),
    ),
    PlanTable(
        "shipments",
        "Goods sent along a lane by a fleet.",
        (
            PlanColumn("from", "text", "where it leaves"),
            PlanColumn("to", "text", "where it arrives"),
            _GOOD,
            _EXPIRES,
            PlanColumn("departs", "day", "day it leaves", "day"),
            PlanColumn("arrives", "day", "day it arrives and can be used", "day"),
            PlanColumn("quantity", "number", "how much", _UNIT),
            PlanColumn("fleet", "text", "who carries it"),
        ),
    ),
    PlanTable(
        "trips",
        "Trips of a fleet along a lane on a day; may be fractions.",
        (
            PlanColumn("fleet", "text", "whose vehicles"),
            PlanColumn("from", "text", "where they leave loaded"),
            PlanColumn("to", "text", "where they unload; the way back is empty"),
            _DAY,
            PlanColumn("trips", "number", "how many", "trips"),
            PlanColumn("vehicle_hours", "number", "hours they take, all on the day they leave", "hours"),
            PlanColumn("tonnes", "number", "what they carry", "tonnes"),
        ),
    ),
    PlanTable(
        "production",
        "Batches of a recipe made at a plant; inputs are taken from the oldest lots that stay at the site.",
        (
            _SITE,
            PlanColumn("recipe", "text", "which recipe"),
            _DAY,
            PlanColumn("batches", "number", "how many", "batches"),
        ),
    ),
    PlanTable(
        "deliveries",
        "Handed over to the people of a site.",
        (
            _SITE,
            _DAY,
            PlanColumn("good", "text", "what is handed over"),
            _EXPIRES,
            PlanColumn("quantity", "number", "how much is handed over", _UNIT),
            PlanColumn("meets", "text", "the need it counts for; blank if it only counts for nutrients"),
        ),
    ),
    PlanTable(
        "coverage",
        "How far each need is met.",
        (
            _SITE,
            _NEED,
            PlanColumn("priority", "number", "its urgency, 1 is the most urgent"),
            _DAY,
            PlanColumn("needed", "number", "need", _UNIT),
            PlanColumn("met", "number", "what was handed over for it", _UNIT),
            PlanColumn("coverage", "number", "met ÷ needed, at most 1"),
        ),
    ),
    PlanTable(
        "closing",
        "Stock at the end of a day, lot by lot, and what spoiled since the day before.",
        (
            _SITE,
            _GOOD,
            _EXPIRES,
            _DAY,
            PlanColumn("quantity", "number", "on hand at the end of the day", _UNIT),
            PlanColumn("spoiled", "number", "spoiled at the start of the day", _UNIT),
        ),
    ),
    PlanTable(
        "shortages",
        "Needs that are not fully met, with what binds and what would help.",
        (
            _SITE,
            _NEED,
            PlanColumn("from", "day", "first short day", "day"),
            PlanColumn("to", "day", "last short day of the run", "day"),
            PlanColumn("unmet", "number", "what is missing over these days", _UNIT),
            PlanColumn("cause", "text", "what binds, in words"),
            PlanColumn("remedy", "text", "what would help most, in words"),
        ),
    ),
)
"""Every table of a plan but `summary`, whose columns depend on the priorities in use."""


class Table(Mapping[str, npt.NDArray[Any]]):
    """A table of columns: a mapping from column name to a numpy array, all of one length.

    `len(table)` is the number of columns, as for any mapping; `table.n_rows` the number of rows. Dates are
    datetime64[D] with NaT for blank. pandas and polars make a data frame of `dict(table)`.
    """

    def __init__(self, columns: Mapping[str, npt.NDArray[Any]]) -> None:
        self._columns = dict(columns)
        lengths = {len(values) for values in self._columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns differ in length: { {name: len(v) for name, v in self._columns.items()} }")
        self.n_rows = lengths.pop() if lengths else 0
        for values in self._columns.values():
            values.flags.writeable = False

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        try:
            return self._columns[name]
        except KeyError:
            raise KeyError(f'there is no column "{name}" here; there are: {", ".join(self._columns)}') from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a dict of plain Python values; a blank date is None."""
        columns = [values.tolist() for values in self._columns.values()]
        for values in zip(*columns, strict=True):
            yield dict(zip(self._columns, values, strict=True))

    def where(self, mask: npt.NDArray[np.bool_]) -> Table:
        """Return the rows for which `mask` is true, as a new table."""
        return Table({name: values[mask] for name, values in self._columns.items()})

    def __repr__(self) -> str:
        return f"<Table {self.n_rows} rows: {', '.join(self._columns)}>"


@dataclass(frozen=True, repr=False)
class Plan:
    """What to make where, who sends what to whom with which vehicles, who is served how far, and what is short.

    `objective` and `bound` are in the format's units (people × value of coverage): no plan exceeds `bound`.
    `status` is `planned`, or `stopped` where a time limit or Ctrl-C ended the search early; the plan is valid even so.
    """

    network: Network
    scenario: str | None
    fairness: float
    solver: str
    status: str
    objective: float
    bound: float
    full_value: float
    seconds: float
    intake: Table
    shipments: Table
    trips: Table
    production: Table
    deliveries: Table
    coverage: Table
    closing: Table
    shortages: Table
    summary: Table

    @property
    def gap(self) -> float:
        """How far the objective is at most below the best possible, as a share of the objective."""
        return _share(self.bound - self.objective, self.objective)

    @property
    def gap_of_unmet(self) -> float:
        """The same difference as a share of what is still missing to full coverage."""
        return _share(self.bound - self.objective, self.full_value - self.objective)

    def table(self, name: str) -> Table:
        """Return one of the plan's tables by the format's name of it."""
        known = [schema.name for schema in PLAN_TABLES] + ["summary"]
        if name not in known:
            raise KeyError(f'a plan has no table "{name}"; its tables are {", ".join(known)}')
        table: Table = getattr(self, name)
        return table

    def __repr__(self) -> str:
        row = next(self.summary.rows())
        scenario = f", scenario {self.scenario}" if self.scenario else ""
        return (
            f'<Plan of "{self.network.name}"{scenario}: mean coverage {row["mean_coverage"]:.1%}, '
            f"worst-off 5 % {row['worst_5_percent_coverage']:.1%}, lowest {row['lowest_coverage']:.1%}; "
            f"{self.shortages.n_rows} shortages; gap {self.gap:.2%} ({self.solver}, {self.seconds:.1f} s)>"
        )

    def _repr_html_(self) -> str:
        from abasto.report.notebook import plan_html  # what a notebook alone shows is loaded by a notebook alone

        return plan_html(self)


def _share(part: float, whole: float) -> float:
    """Return part ÷ whole, 0 where nothing is left to gain, and inf where a gain is possible on nothing."""
    if part <= 0:
        return 0.0
    return part / whole if whole > 0 else float("inf")
