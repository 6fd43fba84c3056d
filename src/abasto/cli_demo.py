"""The command `demo`: a bundled network planned with and without its crisis, as tables and one report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, say
from abasto.cli_plan import plan_with_progress, read_for_planning, refuse_unwritable, write_report, write_tables
from abasto.summary import is_fully_met, percent, summarize

if TYPE_CHECKING:
    from abasto.planner.plan import Plan

__all__ = ["demo"]

MOST_SECONDS = 60.0
"""A demonstration that takes longer shows the best plan so far."""
GAP = 0.005
"""At one percent, plans of usual days still leave needs unmet that could be met; that would be a poor first sight."""

ATTRIBUTION = {
    "national": (
        "Names, positions and populations of the towns: GeoNames (geonames.org), CC BY 4.0. "
        "Arrivals, stocks, mills, bakeries, roads and trucks are invented for this example."
    ),
    "neighbourhood": "Everything in this example is invented.",
}


def demo(
    *,
    out: Path = Path("abasto-demo"),
    example: Literal["national", "neighbourhood"] = "national",
    open: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Plan a bundled network with and without its crisis, and write tables and one report that opens in any browser.

    Parameters
    ----------
    out
        The folder to write in; what an earlier demo wrote there is replaced.
    example
        Which bundled network: 131 towns of Chile, or a dozen places of a neighbourhood.
    open
        Open the report in the browser when done.

    """
    from abasto.examples import example_path

    refuse_unwritable("--out", out, folder=True)
    network = read_for_planning(example_path(example))
    if network is None:
        return EXIT_INPUT
    crisis = "lockout" if "lockout" in network.scenarios else next(iter(network.scenarios), None)
    say(f'planning "{network.name}" twice; the very first time this takes some 20 s more, while code is compiled …')
    plans = [plan_with_progress(network, None, what="usual days", gap=GAP, time_limit=MOST_SECONDS)]
    if crisis is not None:
        plans.append(plan_with_progress(network, crisis, what=crisis, gap=GAP, time_limit=MOST_SECONDS))

    for plan in plans:
        write_tables(plan, out / (plan.scenario or "usual"))
    report = out / "report.html"
    write_report(plans, report, attribution=ATTRIBUTION[example])
    print(_what_happened(plans[0]))
    for plan in plans[1:]:
        print(_what_happened(plan))
    print(f"The report is {report}; open it in any browser. Tables are beside it.")
    sys.stdout.flush()
    if open:
        import webbrowser

        webbrowser.open(report.resolve().as_uri())
    return EXIT_OK


def _what_happened(plan: Plan) -> str:
    words = summarize(plan)
    when = f"In the scenario {plan.scenario}" if plan.scenario else "On usual days"
    if is_fully_met(plan):
        return f"{when}, every need is met at every place ({words.gap})."
    worst = words.worst[0]
    return (
        f"{when}, {percent(words.mean_coverage)} of what is needed is met; the worst-served place over all days is "
        f"{worst.name} ({percent(worst.coverage)}, least of {worst.need_name}: {percent(worst.need_coverage)}); "
        f"{words.gap}."
    )
