"""The command `why`: why a need is short at a site, from the need back to what is scarce, and how that is known."""

from __future__ import annotations

import json as json_format
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, existing, printable, unknown_name
from abasto.cli_home import find
from abasto.cli_plan import Solver, read_for_planning, refuse_bad_options, run_until_stopped

if TYPE_CHECKING:
    from abasto.network import Network
    from abasto.planner.causes import Explanation
    from abasto.planner.make import Progress, Solved

__all__ = ["why"]


def why(
    path: Path,
    site: str,
    need: str,
    day: int | None = None,
    /,
    *,
    scenario: str | None = None,
    fairness: float = 4.0,
    solver: Solver = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Say why NEED is short at SITE, from there back to what is scarce, and how that is known; or from where it is met.

    SITE and NEED are ids or names of the tables at PATH, which are planned first; writes nothing.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook.
    site
        The place that lacks something.
    need
        The good or nutrient that it lacks.
    day
        Explain this day alone; by default every run of short days.
    scenario
        Plan for this scenario of table disruptions.
    fairness
        0 gives the greatest total coverage; the larger, the more the worst off come first.
    solver
        Which solver plans; auto chooses by size.
    gap
        Stop when no plan can be better by more than this share.
    time_limit
        Seconds after which the best plan so far is explained.
    json
        Print one JSON object on stdout and nothing else.

    """
    refuse_bad_options(fairness=fairness, gap=gap, time_limit=time_limit)
    network = read_for_planning(existing(path))
    if network is None:
        return EXIT_INPUT
    if scenario is not None and scenario not in network.scenarios:
        raise UsageError(unknown_name("scenario", scenario, network.scenarios))
    place = find("site", site, {row.site: row.name for row in network.sites})
    goods = {row.good: row.name for row in network.goods}
    what = find("need", need, goods | {row.nutrient: None for row in network.nutrients})
    _refuse_what_is_not_needed(network, scenario, place, what, day)
    solved = _plan(network, scenario, fairness=fairness, solver=solver, gap=gap, time_limit=time_limit)

    from abasto.planner.explain import explain_need

    stories = explain_need(solved, place, what, day)
    _show(solved, stories, json=json)
    return EXIT_OK


def _refuse_what_is_not_needed(network: Network, scenario: str | None, site: str, need: str, day: int | None) -> None:
    """Refuse a need that the site does not have, or not on the day, before anything is planned."""
    from abasto.planner.explain import find_needs
    from abasto.planner.problem import build_problem

    find_needs(build_problem(network, scenario), site, need, day)


def _plan(network: Network, scenario: str | None, **options: object) -> Solved:
    """Plan and keep what the plan was computed from; Ctrl-C ends the search with the best plan so far."""
    from abasto.planner.make import plan_in_full

    with _stage() as progress:

        def work(stop: Callable[[], bool]) -> Solved:
            return plan_in_full(network, scenario, progress=progress, stop=stop, **options)  # type: ignore[arg-type]

        return run_until_stopped(work)


@contextmanager
def _stage() -> Iterator[Callable[[Progress], None] | None]:
    """Yield a function that shows on stderr what the planner is doing; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console

    with Console(stderr=True).status("planning") as status:

        def show(progress: Progress) -> None:
            gap = "" if progress.gap is None else f", no plan is more than {progress.gap:.2%} better"
            status.update(f"planning: {progress.stage}{gap}")

        yield show


def _show(solved: Solved, stories: Sequence[Explanation], *, json: bool) -> None:
    from abasto.planner.paragraph import known
    from abasto.summary import day_words, gap_words

    if json:
        document = {
            "network": solved.plan.network.name,
            "scenario": solved.plan.scenario,
            "fairness": solved.plan.fairness,
            "status": solved.plan.status,
            "gap": solved.plan.gap if math.isfinite(solved.plan.gap) else None,
            "explanations": [_document(story) for story in stories],
        }
        print(json_format.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))
        return
    for story in stories:
        print(_wrapped(printable(story.words)))
        print()
    print("How we know")
    for story in stories:
        if len(stories) > 1:
            print(f"  {day_words(story.first_day, story.last_day)}")
        for line in known(story):
            print(_wrapped(printable(f"  {line}"), deeper="    "))
    print(f"  {printable(gap_words(solved.plan))}")


def _document(story: Explanation) -> dict[str, object]:
    """Return an explanation as JSON holds it, with its main cause and what is missing in all beside its fields."""
    main = story.cause
    return asdict(story) | {"cause": None if main is None else main.kind, "unmet": story.unmet}


def _wrapped(text: str, deeper: str = "") -> str:
    """Return text in lines that fit the terminal, at most a hundred letters wide."""
    import shutil
    import textwrap

    indent = text[: len(text) - len(text.lstrip())]
    width = max(40, min(100, shutil.get_terminal_size().columns))
    together = text.strip().replace(" %", "\u00a0%")
    filled = textwrap.fill(together, width, initial_indent=indent, subsequent_indent=indent + deeper)
    return filled.replace("\u00a0", " ")
