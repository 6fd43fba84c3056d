"""The commands `compare` and `tradeoff`: plans side by side, and what fairness costs."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, existing, printable, unknown_name
from abasto.cli_plan import (
    Solver,
    gap_bar,
    plan_with_progress,
    read_for_planning,
    refuse_bad_options,
    refuse_to_touch_input,
    refuse_unwritable,
    run_until_stopped,
)

if TYPE_CHECKING:
    from abasto.compare import Comparison
    from abasto.network import Network
    from abasto.tradeoff import Tradeoff

__all__ = ["compare", "tradeoff"]

USUAL = "usual"
"""What stands for no scenario, unless a scenario has this name."""


def compare(
    path: Path,
    /,
    *,
    scenario: Annotated[list[str] | None, Parameter(negative="")] = None,
    plan: Annotated[list[Path] | None, Parameter(negative="")] = None,
    out: Path | None = None,
    report: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    fairness: float = 4.0,
    solver: Solver = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
) -> int:
    """Say who gains and who loses from one scenario to another, or from one plan folder to another.

    With one --scenario, usual days are compared with it; with two, the first with the second.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook.
    scenario
        A scenario of table disruptions, or usual for none; give it once or twice.
    plan
        A folder that a plan of these tables was written in; give it twice, in place of --scenario.
    out
        The folder to write the tables sites and needs of the changes in; written whole or not at all.
    report
        Also write one picture with its tables as an HTML page to this file.
    json
        Print one JSON object on stdout and nothing else.
    fairness
        0 gives the greatest total coverage; the larger, the more the worst off come first.
    solver
        Which solver plans; auto chooses by size.
    gap
        Stop each search when no plan can be better by more than this share.
    time_limit
        Seconds after which the best plan so far is taken, for each of the two.

    """
    scenarios, folders = scenario or [], plan or []
    refuse_bad_options(fairness=fairness, gap=gap, time_limit=time_limit)
    if folders and (fairness, solver, gap, time_limit) != (4.0, "auto", 0.01, None):
        raise UsageError(
            "--plan takes plans as they were made; leave --fairness, --solver, --gap and --time-limit out."
        )
    _refuse_other_than_two(scenarios, folders)
    refuse_to_touch_input(existing(path), out, report)
    refuse_unwritable("--out", out, folder=True)
    refuse_unwritable("--report", report, folder=False)
    _refuse_a_network(out)
    network = read_for_planning(path)
    if network is None:
        return EXIT_INPUT
    if folders:
        comparison = _of_folders(network, folders)
    else:
        comparison = _of_scenarios(network, scenarios, fairness=fairness, solver=solver, gap=gap, time_limit=time_limit)
    if out is not None:
        from abasto.compare import comparison_tables
        from abasto.tables import write_plan

        write_plan(comparison_tables(comparison), out)
    if report is not None:
        from abasto.report.compare import render_comparison
        from abasto.tables.whole import write_file_whole

        write_file_whole(report, render_comparison(comparison).encode())
    _show(comparison, json=json, out=out, report=report)
    return EXIT_OK


def tradeoff(
    path: Path,
    /,
    *,
    scenario: str | None = None,
    fairness: str = "0,1,2,4,8,16",
    out: Path | None = None,
    report: Path | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    solver: Solver = "auto",
    gap: float = 0.001,
    time_limit: float | None = 15.0,
) -> int:
    """Show what fairness costs: plans from the greatest total to the fairest, the worst off against the total.

    Ctrl-C takes the plan at hand as it is and shows the points there are; a second one gives up.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook.
    scenario
        Plan for this scenario of table disruptions.
    fairness
        The fairnesses to plan with, from 0 to 50, with commas between them.
    out
        Write the points as a CSV table to this file.
    report
        Also write one picture with its table as an HTML page to this file.
    json
        Print one JSON object on stdout and nothing else.
    solver
        Which solver plans; auto chooses by size.
    gap
        Stop each search when no plan can be better by more than this share.
    time_limit
        Seconds after which the best plan so far is taken, for each fairness.

    """
    values = _numbers(fairness)
    refuse_bad_options(fairness=0.0, gap=gap, time_limit=time_limit)
    refuse_to_touch_input(existing(path), None, report)
    _refuse_table_in_input(path, out)
    refuse_unwritable("--out", out, folder=False)
    refuse_unwritable("--report", report, folder=False)
    network = read_for_planning(path)
    if network is None:
        return EXIT_INPUT
    if scenario is not None and scenario not in network.scenarios:
        raise UsageError(unknown_name("scenario", scenario, network.scenarios))
    from abasto import tradeoff as rooms

    with gap_bar("trade-off", gap) as progress:

        def work(stop: Callable[[], bool]) -> Tradeoff:
            return rooms.tradeoff(
                network,
                scenario,
                fairness=values,
                solver=solver,
                gap=gap,
                time_limit=time_limit,
                progress=progress,
                stop=stop,
            )

        result = run_until_stopped(work)
    from abasto.tables.whole import write_file_whole

    if out is not None:
        write_file_whole(out, rooms.tradeoff_csv(result))
    if report is not None:
        from abasto.report.tradeoff import render_tradeoff

        write_file_whole(report, render_tradeoff(result).encode())
    _show_tradeoff(result, json=json, out=out, report=report)
    return EXIT_OK


def _numbers(text: str) -> list[float]:
    """Return the numbers in a text with commas between them."""
    values = []
    for part in text.split(","):
        try:
            values.append(float(part))
        except ValueError:
            raise UsageError(
                f'--fairness "{text}": "{part.strip()}" is not a number; write numbers with commas between them, '
                "such as 0,1,2,4,8,16."
            ) from None
    return values


def _refuse_table_in_input(path: Path, out: Path | None) -> None:
    if out is None:
        return
    if out.is_dir():
        raise UsageError(f'--out "{out}": this is a folder; give the name of a file that ends in .csv.')
    source = path.resolve()
    if out.resolve() == source or out.resolve().parent == source:
        raise UsageError(f'--out "{out}": the tables that are read lie there; give another place.')


def _show_tradeoff(result: Tradeoff, *, json: bool, out: Path | None, report: Path | None) -> None:
    from abasto.tradeoff import tradeoff_document, tradeoff_lines

    if json:
        document = tradeoff_document(result, written=None if out is None else str(out))
        print(json_format.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))
        return
    for line in tradeoff_lines(result):
        print(printable(line))
    if out is not None or report is not None:
        print()
    if out is not None:
        print(f"The table is {out}.")
    if report is not None:
        print(f"The page is {report}.")


def _refuse_other_than_two(scenarios: list[str], folders: list[Path]) -> None:
    if scenarios and folders:
        raise UsageError("give --scenario or --plan, not both: plans that are made already are compared as they are.")
    if folders and len(folders) != 2:
        raise UsageError(f"--plan was given {_times(len(folders))}; give it twice, for the first plan and the second.")
    if len(scenarios) > 2:
        raise UsageError(f"--scenario was given {_times(len(scenarios))}; give it once or twice.")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _refuse_a_network(out: Path | None) -> None:
    """The tables of changes are called `sites` and `needs`, and would take the place of a network's."""
    if out is not None and (out / "network.csv").exists():
        raise UsageError(f'--out "{out}": the tables of a network lie there; give another folder.')


def _of_scenarios(network: Network, asked: list[str], **options: object) -> Comparison:
    """Plan both scenarios and compare them; with one asked for, usual days are the first."""
    from abasto.compare import compare_plans

    if not asked:
        known = ", ".join(network.scenarios) or "none: table disruptions is empty"
        raise UsageError(f"name what to compare: --scenario once or twice, or --plan twice; scenarios are {known}.")
    names = [_scenario(network, name) for name in ([USUAL] if len(asked) == 1 else []) + asked]
    if names[0] == names[1]:
        raise UsageError(f'both are "{asked[-1]}"; give two scenarios, or one to compare usual days with it.')
    plans = [plan_with_progress(network, name, what=name or "usual days", **options) for name in names]
    return compare_plans(
        plans[0], plans[1], less_in="second" if names[0] is None else "first" if names[1] is None else None
    )


def _scenario(network: Network, name: str) -> str | None:
    """Return the scenario of this name, None for usual days; a scenario that bears that name comes first."""
    if name in network.scenarios:
        return name
    if name == USUAL:
        return None
    raise UsageError(unknown_name("scenario", name, (*network.scenarios, USUAL)))


def _of_folders(network: Network, folders: list[Path]) -> Comparison:
    from abasto.compare import compare_plans
    from abasto.planner.read_plan import read_plan

    if folders[0].resolve() == folders[1].resolve():
        raise UsageError(f'--plan: both are "{folders[0]}"; give two folders.')
    first, second = (read_plan(folder, network, fairness=None) for folder in folders)
    names = [folder.resolve().name for folder in folders]
    labels = names if names[0] != names[1] else [str(folder) for folder in folders]
    return compare_plans(first, second, labels=(labels[0], labels[1]))


def _show(comparison: Comparison, *, json: bool, out: Path | None, report: Path | None) -> None:
    from abasto.compare import comparison_document, comparison_lines

    if json:
        document = comparison_document(comparison, written=None if out is None else str(out))
        print(json_format.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))
        return
    for line in comparison_lines(comparison):
        print(printable(line))
    if out is not None or report is not None:
        print()
    if out is not None:
        print(f"Tables sites and needs are in {out}.")
    if report is not None:
        print(f"The page is {report}.")
