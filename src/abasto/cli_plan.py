"""The command `plan`: read, plan while showing how sure it is, then say what comes out and write it where asked."""

from __future__ import annotations

import json as json_format
import math
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, EXIT_UNMET, UsageError, existing, printable, say, unknown_name
from abasto.cli_home import home_folder, is_home, known_document, known_lines, known_on, today
from abasto.cli_replan import refuse_half_asked, replan_document, replan_lines, replan_with_progress
from abasto.cli_tables import finding_lines

if TYPE_CHECKING:
    from abasto.network import Network
    from abasto.planner.make import Progress
    from abasto.planner.plan import Plan
    from abasto.planner.replan import Replanned
    from abasto.state.known import Known

__all__ = [
    "gap_bar",
    "plan",
    "plan_with_progress",
    "read_for_planning",
    "refuse_bad_options",
    "refuse_to_touch_input",
    "refuse_unwritable",
    "run_until_stopped",
    "write_report",
    "write_tables",
]

Solver = Literal["auto", "exact", "equilibrium"]
T = TypeVar("T")

MOST_SECONDS_TO_COMPARE = 30.0
"""Plans that took longer are not planned a second time with fairness 0 to show what fairness costs."""
TABLE_SUFFIXES = (".csv", ".xlsx")
"""So names of tables end: no report is written over one."""


def plan(
    path: Path | None = None,
    /,
    *,
    out: Path | None = None,
    scenario: str | None = None,
    fairness: float = 4.0,
    solver: Solver = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    strict: Annotated[bool, Parameter(negative="")] = False,
    report: Path | None = None,
    from_: Annotated[Path | None, Parameter(name="--from")] = None,
    day: int | None = None,
    frozen: int | None = None,
    date: str | None = None,
    days: int | None = None,
    home: Path | None = None,
) -> int:
    """Propose production and deliveries for the tables at PATH; writes nothing without --out or --report.

    Without PATH, or where PATH is the home of a journal, it plans what the journal knows on the day, and says how old
    that is.

    With --from and --day it carries on an earlier plan of the same days: what has begun is kept, and of the
    rest as little changes as the news allows.

    Ctrl-C ends the search with the best plan so far; a second one gives up.

    Exit codes: 0 planned, 1 problems in the tables, 2 wrong use of the command,
    3 planned, but some need is unmet and --strict was given.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook; by default the journal.
    out
        The folder to write the plan's tables in; written whole or not at all.
    scenario
        Plan for this scenario of table disruptions.
    fairness
        0 gives the greatest total coverage; the larger, the more the worst off come first.
    solver
        Which solver plans; auto chooses by size.
    gap
        Stop when no plan can be better by more than this share.
    time_limit
        Seconds after which the best plan so far is given.
    json
        Print one JSON object on stdout and nothing else.
    strict
        Exit with 3 if any need is not fully met.
    report
        Also write an HTML report to this file.
    from_
        The folder of the earlier plan to carry on.
    day
        Which day it is today; what the earlier plan does before it has happened.
    frozen
        For how many days from today orders stay as they are unless that is impossible; 1 by default.
    date
        Plan from this day of the journal on; today by default.
    days
        Plan so many days from the journal; by default as many as its table network says.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.

    """
    refuse_bad_options(fairness=fairness, gap=gap, time_limit=time_limit)
    refuse_half_asked(from_, day, frozen, out=out, report=report)
    source = home_folder(path or home) if path is None or is_home(path) else existing(path)
    journal = source if is_home(source) else None
    _refuse_other_source(path, journal, from_=from_, options={"--date": date, "--days": days, "--home": home})
    refuse_to_touch_input(source, out, report)
    refuse_unwritable("--out", out, folder=True)
    refuse_unwritable("--report", report, folder=False)
    seen = None if journal is None else known_on(journal, today(date), days=days)
    network = seen.network if seen is not None else read_for_planning(source)
    if network is None:
        return EXIT_INPUT
    if scenario is not None and scenario not in network.scenarios:
        raise UsageError(unknown_name("scenario", scenario, network.scenarios))

    options = {"fairness": fairness, "solver": solver, "gap": gap, "time_limit": time_limit}
    replanned = None
    if from_ is not None and day is not None:
        replanned = replan_with_progress(network, scenario, from_=from_, day=day, frozen=frozen, **options)
        result = replanned.plan
    else:
        result = plan_with_progress(network, scenario, what="planning", **options)
    if out is not None:
        write_tables(result, out)
    if report is not None:
        write_report([result], report)
    from abasto.summary import is_fully_met

    greatest = None if replanned else _greatest_total(result)
    _show(result, greatest, replanned, seen, json=json, out=out, report=report)
    return EXIT_UNMET if strict and not is_fully_met(result) else EXIT_OK


def _refuse_other_source(
    path: Path | None, journal: Path | None, *, from_: Path | None, options: dict[str, object]
) -> None:
    """Refuse options of the journal where tables are planned, and those of tables where the journal is."""
    if journal is not None and from_ is not None:
        raise UsageError("--from: a plan from the journal knows what was ordered and what has happened; leave it out.")
    if journal is not None and path is not None and options["--home"] is not None:
        raise UsageError(f'"{path}" and --home name a journal each; give one.')
    given = next((name for name, value in options.items() if value is not None), None)
    if journal is None and given:
        raise UsageError(f'{given}: only plans from a journal have it, and "{path}" holds tables; leave one out.')


def _greatest_total(plan: Plan) -> Plan | None:
    """Plan once more with fairness 0, to show what fairness costs; None where it costs nothing or takes too long."""
    from abasto.summary import is_fully_met

    if plan.fairness == 0 or plan.status == "stopped" or plan.seconds > MOST_SECONDS_TO_COMPARE or is_fully_met(plan):
        return None
    limit = max(2.0, plan.seconds)
    return plan_with_progress(
        plan.network, plan.scenario, what="greatest total", fairness=0.0, solver=plan.solver, time_limit=limit
    )


def refuse_bad_options(*, fairness: float, gap: float, time_limit: float | None) -> None:
    """Refuse what cannot be planned with, in the words of the command line's options."""
    _require(fairness >= 0 and math.isfinite(fairness), "--fairness", fairness, "give 0 or more; 4 is the default")
    _require(gap > 0 and math.isfinite(gap), "--gap", gap, "give a share above 0, such as 0.01, one percent")
    _require(time_limit is None or time_limit > 0, "--time-limit", time_limit, "give seconds above 0, or leave it out")


def _require(holds: bool, option: str, value: object, remedy: str) -> None:
    if not holds:
        raise UsageError(f"{option} {value}: this cannot be planned with; {remedy}.")


def refuse_to_touch_input(path: Path, out: Path | None, report: Path | None) -> None:
    """Refuse to write where the tables lie that are read."""
    source = path.resolve()
    if out is not None and (out.resolve() == source or out.resolve() in source.parents):
        raise UsageError(f'--out "{out}": the tables that are read lie there; give another folder.')
    if report is not None and (report.is_dir() or report.resolve() == source):
        raise UsageError(
            f'--report "{report}": this is not a file that may be written; give a name that ends in .html.'
        )
    if report is not None and report.suffix.lower() in TABLE_SUFFIXES:
        raise UsageError(f'--report "{report}": tables have such names; give a name that ends in .html.')


def refuse_unwritable(option: str, place: Path | None, *, folder: bool) -> None:
    """Refuse a place that cannot be written before anything is planned: no search shall end with nothing to keep."""
    if place is None:
        return
    if folder and place.exists() and not place.is_dir():
        raise UsageError(f'{option} "{place}": this is a file; give a folder.')
    there = next((parent for parent in (place, *place.absolute().parents) if parent.exists()), Path("/"))
    if not (there.is_dir() or there == place) or not os.access(there, os.W_OK):
        raise UsageError(f'{option} "{place}": nothing can be written in "{there}"; give another place.')


def read_for_planning(path: Path) -> Network | None:
    """Return the network at `path`, or None after saying on stderr what has to be mended first.

    Where a journal lives there, it is the network as it knows it today.
    """
    from abasto.tables import check_path

    if is_home(path):
        seen = known_on(path, today(None))
        say(next(known_lines(seen)))
        return seen.network
    network, findings = check_path(path)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors or network is None:
        for line in finding_lines(errors, shown_by=f'abasto check "{path}" --all'):
            print(printable(line), file=sys.stderr)
        say(f'"{path}" cannot be planned: {len(errors):,} error(s) in the tables; mend them and try again.')
        return None
    if findings:
        number = f"{len(findings):,} warning" + ("s" if len(findings) > 1 else "")
        say(f'{number} in the tables; `abasto check "{path}"` shows them.')
    return network


def plan_with_progress(network: Network, scenario: str | None = None, *, what: str, **options: Any) -> Plan:
    """Plan while the terminal shows the shrinking gap; Ctrl-C ends the search with the best plan so far."""
    from abasto.planner.make import make_plan

    aim = float(options.get("gap", 0.01))
    with gap_bar(what, aim) as progress:

        def work(stop: Callable[[], bool]) -> Plan:
            return make_plan(network, scenario, progress=progress, stop=stop, **options)

        return run_until_stopped(work)


def run_until_stopped(
    work: Callable[[Callable[[], bool]], T], *, keeps: str = "the best plan so far", kept: str = "nothing was written"
) -> T:
    """Run `work` with a `stop` that turns true at the first Ctrl-C; a second one ends the program.

    `keeps` says what the first one leaves in hand, and `kept` what has been written if the program is ended.

    The work runs beside the main thread, which alone receives signals: a solver deep in compiled code delays no answer.
    """
    stopping = threading.Event()
    presses = 0
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(work(stopping.is_set))
        except BaseException as error:
            failure.append(error)

    def interrupted(signum: int, frame: object) -> None:
        # It may interrupt itself in the middle of a print, which fails: it counts, and the loop below speaks.
        nonlocal presses
        presses += 1

    if threading.current_thread() is not threading.main_thread():
        return work(stopping.is_set)
    before = signal.signal(signal.SIGINT, interrupted)
    try:
        worker = threading.Thread(target=run, name="planner", daemon=True)
        worker.start()
        while worker.is_alive():
            worker.join(0.1)
            if presses and stopping.is_set():
                _give_up(kept)
            elif presses:
                presses = 0  # a key held a little long asks for no more than the first press
                stopping.set()
                say(f"stopping with {keeps}; Ctrl-C once more gives up.")
    finally:
        signal.signal(signal.SIGINT, before)
    if failure:
        raise failure[0]
    return outcome[0]


def _give_up(kept: str) -> None:
    """End the program at once: a solver that is still running in compiled code cannot be asked to."""
    from abasto.cli import EXIT_GIVEN_UP

    if sys.stderr.isatty():
        print("\x1b[?25h", end="", file=sys.stderr)  # the progress bar hides the cursor
    say(f"given up; {kept}.")
    sys.stderr.flush()
    os._exit(EXIT_GIVEN_UP)


@contextmanager
def gap_bar(what: str, aim: float) -> Iterator[Callable[[Progress], None] | None]:
    """Yield a function that shows progress on stderr; None where stderr is no terminal.

    The bar fills as the gap falls from all to what was asked for, on a logarithmic scale: each halving is one step.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[gap]}"), TimeElapsedColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=1.0, gap="")

        def show(progress: Progress) -> None:
            bar.update(task, description=f"{what}: {progress.stage}")
            gap = progress.gap
            if gap is not None and math.isfinite(gap):
                done = math.log(min(1.0, max(gap, aim))) / math.log(aim) if aim < 1 else 1.0
                bar.update(task, completed=done, gap=f"no plan is more than {gap:.2%} better")

        yield show


def write_tables(plan: Plan, folder: Path) -> None:
    """Write every table of the plan to `folder` as CSV files, whole or not at all."""
    from abasto.planner.plan import PLAN_TABLES
    from abasto.tables import write_plan

    names = [table.name for table in PLAN_TABLES] + ["summary"]
    write_plan({name: plan.table(name) for name in names}, folder)


def write_report(plans: list[Plan], file: Path, **words: Any) -> None:
    """Write the HTML report of `plans` to `file`, whole or not at all."""
    from abasto.report import render
    from abasto.tables.whole import write_file_whole

    write_file_whole(file, render(plans, **words).encode())


def _show(
    plan: Plan,
    greatest: Plan | None,
    replanned: Replanned | None,
    seen: Known | None,
    *,
    json: bool,
    out: Path | None,
    report: Path | None,
) -> None:
    from abasto.summary import fairness_words, plan_document, plan_lines

    if json:
        document = plan_document(plan, written=None if out is None else str(out), greatest=greatest)
        if replanned is not None:
            document["replanned"] = replan_document(replanned)
        if seen is not None:
            document["known"] = known_document(seen)
        print(json_format.dumps(document, ensure_ascii=False, indent=1, allow_nan=False, default=str))
        return
    begun = (*known_lines(seen), "") if seen is not None else tuple(replan_lines(replanned)) if replanned else ()
    for line in (*begun, *plan_lines(plan)):
        print(printable(line))
    if greatest is not None:
        print(printable(fairness_words(plan, greatest)))
    if out is not None or report is not None:
        print()
    if out is not None:
        print(f"Tables are in {out}.")
    if report is not None:
        print(f"The report is {report}.")
