"""A linear program as plain arrays: named blocks of columns and rows, scaled last, solved by HiGHS, proven by duals.

The program is: maximise value · x subject to matrix · x within [row_lower, row_upper] and 0 ≤ x ≤ upper.
Blocks are declared in natural units (goods' units, tonnes, hours, batches); `finish` scales columns, rows and value so
that coefficients stay between about 1e-3 and 1e3, which HiGHS needs to end with an answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Answer", "Assembly", "Block", "LinearProgram", "Search", "highs_model"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SIMPLEX_NONZEROS = 30_000
"""Up to this many nonzeros simplex is quick and gives a vertex: few, clean flows. Beyond it, interior point."""
LARGEST_VALUE = 1e2
"""The scaled objective's largest coefficient."""
SEEN = 1e-7
"""Beside a column of this many times the value HiGHS, which is precise to about so much, does not see another."""


@dataclass(frozen=True)
class Block:
    """Columns or rows of one kind: where they start, how many, and what each of them stands for, as parallel arrays."""

    start: int
    size: int
    labels: Mapping[str, Ints]

    @property
    def slice(self) -> slice:
        return slice(self.start, self.start + self.size)

    @property
    def ids(self) -> Ints:
        return np.arange(self.start, self.start + self.size)


@dataclass(frozen=True)
class LinearProgram:
    """A scaled program. `x · column_scale` is in natural units, `dual · value_scale / row_scale` is what a natural unit
    of a row is worth in the format's objective, which is `value · x · value_scale`.

    `most` bounds every column in some best plan, finite even where `upper` is not: it makes any dual vector a proof.
    `effort` is what the second stage minimises among plans of equal value.
    """

    value: Floats
    effort: Floats
    matrix: sparse.csc_array
    row_lower: Floats
    row_upper: Floats
    upper: Floats
    most: Floats
    columns: Mapping[str, Block]
    rows: Mapping[str, Block]
    column_scale: Floats
    row_scale: Floats
    value_scale: float

    def natural(self, x: Floats, block: str) -> Floats:
        """Return a block's columns of a scaled point in natural units."""
        where = self.columns[block].slice
        return np.asarray(x[where] * self.column_scale[where])

    def price(self, duals: Floats, block: str) -> Floats:
        """Return what one more natural unit of each of a block's rows adds to the format's objective, at least 0."""
        where = self.rows[block].slice
        return np.asarray(np.maximum(0.0, duals[where]) * (self.value_scale / self.row_scale[where]))

    def bound(self, duals: Floats) -> float:
        """Return y·b + Σ_j most_j · max(0, value_j − (Aᵀy)_j), in the format's units: no plan's objective exceeds it.

        It holds for every dual vector y once signs are right (y ≥ 0 on rows that only have an upper limit), so it
        proves a gap whatever tolerance the solver stopped at.
        """
        at_most = np.isneginf(self.row_lower)
        duals = np.where(at_most, np.maximum(0.0, duals), duals)
        gain = np.maximum(0.0, self.value - self.matrix.T @ duals)
        used = gain > 0
        return float(duals @ self.row_upper + gain[used] @ self.most[used]) * self.value_scale

    def gap(self, x: Floats, bound: float) -> float:
        """Return how far a point's value is at most below the best, as a share of it; `bound` in the format's units."""
        value = float(self.value @ x) * self.value_scale
        return max(0.0, bound - value) / value if value > 0 else float("inf")

    def violation(self, x: Floats) -> float:
        """Return the largest violation of any row or bound at a point, in scaled units."""
        rows = self.matrix @ x
        worst = np.concatenate([rows - self.row_upper, self.row_lower - rows, x - self.upper, -x, np.zeros(1)])
        return float(worst.max())


@dataclass
class Assembly:
    """Collects blocks of columns, rows and coefficients, then scales them into a `LinearProgram`."""

    columns: dict[str, Block] = field(default_factory=dict)
    rows: dict[str, Block] = field(default_factory=dict)
    _column_parts: list[tuple[Floats, ...]] = field(default_factory=list)
    _row_parts: list[tuple[Floats, Floats]] = field(default_factory=list)
    _entries: list[tuple[Ints, Ints, Floats]] = field(default_factory=list)
    _n_columns: int = 0
    _n_rows: int = 0

    def add_columns(
        self,
        name: str,
        labels: Mapping[str, Ints],
        *,
        upper: Any,
        most: Any,
        scale: Any,
        value: Any = 0.0,
        effort: Any = 0.0,
    ) -> Ints:
        """Declare columns x ≥ 0 and return their ids; `scale` is a typical amount in natural units."""
        size = len(next(iter(labels.values())))
        block = self.columns[name] = Block(self._n_columns, size, labels)
        self._n_columns += size
        self._column_parts.append(tuple(_full(part, size) for part in (upper, most, scale, value, effort)))
        return block.ids

    def add_rows(self, name: str, labels: Mapping[str, Ints], *, upper: Any, lower: Any = -np.inf) -> Ints:
        """Declare rows lower ≤ Σ a·x ≤ upper and return their ids."""
        size = len(next(iter(labels.values())))
        block = self.rows[name] = Block(self._n_rows, size, labels)
        self._n_rows += size
        self._row_parts.append((_full(lower, size), _full(upper, size)))
        return block.ids

    def add(self, rows: Ints, columns: Ints, coefficients: Any) -> None:
        """Add coefficients; entries that fall on the same place sum up."""
        self._entries.append((rows, columns, _full(coefficients, len(rows))))

    def finish(self) -> LinearProgram:
        # Here and not above, as everywhere: who plans nothing need not wait until the solvers are loaded.
        from scipy import sparse

        upper, most, column_scale, value, effort = (_joined(parts) for parts in zip(*self._column_parts, strict=True))
        row_lower, row_upper = (_joined(parts) for parts in zip(*self._row_parts, strict=True))
        rows, columns, coefficients = (np.concatenate(parts) for parts in zip(*self._entries, strict=True))
        shape = (self._n_rows, self._n_columns)
        matrix = sparse.csc_array((coefficients * column_scale[columns], (rows, columns)), shape=shape)
        matrix.sum_duplicates()
        matrix.eliminate_zeros()
        row_scale = np.asarray(abs(matrix).max(axis=1).toarray()).ravel() if matrix.nnz else np.ones(shape[0])
        row_scale[row_scale == 0] = 1.0
        matrix = sparse.csc_array(sparse.diags_array(1.0 / row_scale) @ matrix)
        worth = value * column_scale
        value_scale = float(worth.max(initial=0.0)) / LARGEST_VALUE or 1.0
        labour = effort * column_scale
        return LinearProgram(
            value=worth / value_scale,
            effort=labour / (float(labour.max(initial=0.0)) or 1.0),
            matrix=matrix,
            row_lower=row_lower / row_scale,
            row_upper=row_upper / row_scale,
            upper=upper / column_scale,
            most=np.minimum(upper, most) / column_scale,
            columns=dict(self.columns),
            rows=dict(self.rows),
            column_scale=column_scale,
            row_scale=row_scale,
            value_scale=value_scale,
        )


def _full(part: Any, size: int) -> Floats:
    return np.broadcast_to(np.asarray(part, dtype=np.float64), (size,))


def _joined(parts: tuple[Floats, ...]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


@dataclass(frozen=True)
class Answer:
    """A point with the duals of its rows (None where HiGHS gave none), and whether the search ran to its end."""

    x: Floats | None
    duals: Floats | None
    ended: bool
    why: str


class Search:
    """HiGHS at work on one program, ended early by a deadline or by `stop`."""

    def __init__(
        self,
        program: LinearProgram,
        *,
        deadline: float | None,
        stop: Callable[[], bool] | None,
        simplex: bool | None = None,
    ) -> None:
        import highspy

        self.program = program
        self.simplex = program.matrix.nnz <= SIMPLEX_NONZEROS if simplex is None else simplex
        self._level = _levels(program.value)
        self._deadline = deadline
        self._stop = stop
        self._highs: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        options: dict[str, Any] = {"output_flag": False, "threads": 1, "parallel": "off", "run_crossover": "off"}
        options["solver"] = "simplex" if self.simplex else "ipm"
        for name, setting in options.items():
            self._highs.setOptionValue(name, setting)
        self._highs.passModel(highs_model(program))
        if stop is not None:
            self._highs.cbSimplexInterrupt.subscribe(self._interrupt_if_asked)
            self._highs.cbIpmInterrupt.subscribe(self._interrupt_if_asked)

    def _interrupt_if_asked(self, event: Any) -> None:
        if self._stop is not None and self._stop():
            event.interrupt()

    def time_is_up(self) -> bool:
        late = self._deadline is not None and time.monotonic() >= self._deadline
        return late or (self._stop is not None and self._stop())

    def most_value(self) -> Answer:
        """Maximise the value."""
        answer = self._run()
        if self.infeasible:  # presolve takes rounding for a contradiction where numbers of one row differ much in size
            self._highs.setOptionValue("presolve", "off")
            answer = self._run()
        return answer

    def most_of_the_rest(self, x: Floats, level: int) -> Answer:
        """Maximise what the levels before could not see, without giving up what `x` is worth in them."""
        self._hold(x, level - 1)
        mine = np.where(self._level == level, self.program.value, 0.0)
        return self._further(-mine * (LARGEST_VALUE / mine.max()))

    def least_effort(self, x: Floats) -> Answer:
        """Minimise the effort among points whose value is that of `x`, less a hair without which interior point ends
        unknown.
        """
        self._hold(x, self.levels - 1)
        return self._further(self.program.effort)

    @property
    def levels(self) -> int:
        """Into how many levels the values fall, each too small to be seen beside the one before it."""
        return int(self._level.max(initial=0)) + 1

    def _hold(self, x: Floats, level: int) -> None:
        """Demand that columns of a level go on being worth what they are worth at `x`."""
        ids = np.flatnonzero(self._level == level).astype(np.int32)
        if not len(ids):
            return
        value = self.program.value[ids] * (LARGEST_VALUE / self.program.value[ids].max())
        least = float(value @ x[ids])
        give = 0.0 if self.simplex else 1e-7
        self._highs.addRow(least - give * abs(least), np.inf, len(ids), ids, value)

    def _further(self, cost: Floats) -> Answer:
        every = np.arange(len(cost), dtype=np.int32)
        self._highs.changeColsCost(len(every), every, cost)
        self._highs.setOptionValue("simplex_strategy", 4)  # the last basis stays feasible for primal simplex
        answer = self._run()
        return Answer(answer.x, None, answer.ended, answer.why)

    def _run(self) -> Answer:
        import highspy

        if self._deadline is not None:
            # HiGHS counts the time of all its runs together.
            left = max(0.01, self._deadline - time.monotonic())
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + left)
        self._highs.run()
        status = self._highs.getModelStatus()
        ended = status == highspy.HighsModelStatus.kOptimal
        why = self._highs.modelStatusToString(status)
        solution = self._highs.getSolution()
        x = np.array(solution.col_value) if solution.value_valid else None
        duals = -np.array(solution.row_dual) if solution.dual_valid else None
        return Answer(x, duals, ended, why)

    @property
    def infeasible(self) -> bool:
        """Whether no point keeps all rows; presolve may not tell it from unbounded, which none is."""
        import highspy

        status = self._highs.getModelStatus()
        return status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


def _levels(value: Floats) -> Ints:
    """Return for each column with a value the level from which it is seen, from 0; -1 for those without.

    >>> _levels(np.array([1.0, 0.0, 1e-6, 1e-8, 1e-15]))
    array([ 0, -1,  0,  1,  2])
    """
    some = value > 0
    level = np.full(len(value), -1, dtype=np.int64)
    level[some] = np.floor(np.log(value[some] / value.max(initial=0.0)) / np.log(SEEN)).astype(np.int64)
    _, number = np.unique(level[some], return_inverse=True)  # levels that nothing is in are left out
    level[some] = number
    return level


def highs_model(program: LinearProgram) -> Any:
    """Return the program as HiGHS takes it; it minimises, so the value's sign is turned."""
    import highspy

    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(program.value), len(program.row_upper)
    model.col_cost_ = -program.value
    model.col_lower_ = np.zeros(len(program.value))
    model.col_upper_ = np.where(np.isinf(program.upper), np.inf, program.upper)
    model.row_lower_ = np.where(np.isinf(program.row_lower), -np.inf, program.row_lower)
    model.row_upper_ = np.where(np.isinf(program.row_upper), np.inf, program.row_upper)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = program.matrix.indptr
    model.a_matrix_.index_ = program.matrix.indices
    model.a_matrix_.value_ = program.matrix.data
    return model
