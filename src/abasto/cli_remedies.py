"""The command `remedies`: plan, ask the prices what would help most, plan anew with the best, and say both figures."""

from __future__ import annotations

import json as json_format
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, existing, printable, unknown_name
from abasto.cli_plan import (
    Solver,
    read_for_planning,
    refuse_bad_options,
    refuse_to_touch_input,
    refuse_unwritable,
    run_until_stopped,
)

if TYPE_CHECKING:
    from abasto.network import Network
    from abasto.planner.make import Progress, Solved
    from abasto.remedies import Remedy

__all__ = ["remedies"]

Found = tuple["Solved", "tuple[Remedy, ...]"]


def remedies(
    path: Path,
    /,
    *,
    scenario: str | None = None,
    most: int = 8,
    verify: int = 5,
    fairness: float = 4.0,
    solver: Solver = "auto",
    gap: float = 0.0002,
    time_limit: float = 60.0,
    out: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say which small additions would help most: vehicles, hours, goods, lanes, recipes, rations.

    Prices promise what each is worth; the best are planned anew, and ranked by what comes out.
    Ctrl-C keeps what is done by then; a second one gives up.

    Exit codes: 0 done, 1 problems in the tables, 2 wrong use of the command.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook.
    scenario
        Plan for this scenario of table disruptions.
    most
        Show so many additions, at most three of a kind.
    verify
        Plan anew with so many of them; 0 for none.
    fairness
        0 gives the greatest total coverage; the larger, the more the worst off come first.
    solver
        Which solver plans; auto chooses by size.
    gap
        Every search ends when no plan can be better by more than this share; smaller gains are not told apart.
    time_limit
        Seconds after which each search ends with the best plan so far.
    out
        Write all that was found as a table to this file, which must end in .csv.
    json
        Print one JSON object on stdout and nothing else.

    """
    refuse_bad_options(fairness=fairness, gap=gap, time_limit=time_limit)
    _refuse_bad_numbers(most, verify)
    existing(path)
    _refuse_bad_file(path, out)
    network = read_for_planning(path)
    if network is None:
        return EXIT_INPUT
    if scenario is not None and scenario not in network.scenarios:
        raise UsageError(unknown_name("scenario", scenario, network.scenarios))
    search: dict[str, object] = {"fairness": fairness, "solver": solver, "gap": gap, "time_limit": time_limit}
    solved, found = _find_and_verify(network, scenario, verify=verify, most=most, search=search)
    if out is not None:
        _write(solved, found, out)
    _show(solved, found, most, json=json, out=out)
    return EXIT_OK


def _refuse_bad_numbers(most: int, verify: int) -> None:
    if most < 1:
        raise UsageError(f"--most {most}: there would be nothing to show; give 1 or more, 8 is the default.")
    if verify < 0:
        raise UsageError(f"--verify {verify}: give how many are planned anew, 5 by default, or 0 for none.")


def _refuse_bad_file(path: Path, out: Path | None) -> None:
    if out is None:
        return
    if out.suffix.lower() != ".csv" or out.is_dir():
        raise UsageError(f'--out "{out}": the table is written as CSV; give the name of a file that ends in .csv.')
    if path.is_dir() and out.resolve().parent == path.resolve():
        raise UsageError(f'--out "{out}": the tables that are read lie there; give another folder.')
    refuse_to_touch_input(path, out, None)
    refuse_unwritable("--out", out, folder=False)


def _find_and_verify(
    network: Network, scenario: str | None, *, verify: int, most: int, search: dict[str, object]
) -> Found:
    """Plan, find remedies and verify the first; a Ctrl-C ends each step with what it has."""
    from abasto.planner.make import plan_in_full
    from abasto.remedies import find_remedies, verify_remedies

    with _status_line() as tell:

        def planning(progress: Progress) -> None:
            known = progress.gap is not None and math.isfinite(progress.gap)
            tell(f"planning: {progress.stage}" + (f", at most {progress.gap:.2%} from the best" if known else ""))

        def verifying(number: int, of: int, remedy: Remedy) -> None:
            tell(f"planning anew, {number + 1} of {of}: {remedy.kind} {' '.join(remedy.target)}")

        def work(stop: Callable[[], bool]) -> Found:
            solved = plan_in_full(network, scenario, progress=planning, stop=stop, **search)  # type: ignore[arg-type]
            tell("asking the prices")
            found = find_remedies(solved, most=None)
            limits = {name: search[name] for name in ("gap", "time_limit")}
            if verify:
                found = verify_remedies(
                    solved, found, most=min(verify, most), progress=verifying, stop=stop, **limits  # type: ignore[arg-type]
                )  # fmt: skip
            return solved, found

        return run_until_stopped(work)


@contextmanager
def _status_line() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows what is being done, on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("reading") as status:
        yield lambda text: status.update(escape(printable(text)))


def _write(solved: Solved, found: tuple[Remedy, ...], out: Path) -> None:
    from abasto.remedies.words import remedy_rows
    from abasto.tables.text import csv_bytes
    from abasto.tables.whole import write_file_whole

    header, rows = remedy_rows(solved, found)
    write_file_whole(out, csv_bytes(header, rows))


def _show(solved: Solved, found: tuple[Remedy, ...], most: int, *, json: bool, out: Path | None) -> None:
    from abasto.remedies import shortlist
    from abasto.remedies.words import remedies_document, remedies_lines

    short = shortlist(found, most)
    if json:
        document = remedies_document(solved, short, written=None if out is None else str(out))
        print(json_format.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))
        return
    for line in remedies_lines(solved, short):
        print(printable(line))
    if out is not None:
        print(f"All {len(found):,} that were found are in {printable(str(out))}.")
