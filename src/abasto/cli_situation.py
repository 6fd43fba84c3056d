"""The command `report`: the situation for a meeting, from the journal or from tables, as HTML or PDF."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, existing, say, unknown_name
from abasto.cli_home import Flag, home_folder, is_home, open_home, read_state, today
from abasto.cli_plan import plan_with_progress, read_for_planning, refuse_bad_options, refuse_unwritable

if TYPE_CHECKING:
    from datetime import date

    from abasto.network import Network
    from abasto.planner.plan import Plan
    from abasto.situation.paper import Paper
    from abasto.state.known import Known
    from abasto.state.state import State

__all__ = ["report"]

PAGES, SHEETS = (".html", ".htm"), (".pdf",)


@Parameter(name="*")
@dataclass(frozen=True)
class Planning:
    """How the plan is made that the report shows."""

    scenario: str | None = None
    "Plan for this scenario of table disruptions."
    fairness: float = 4.0
    "0 gives the greatest total coverage; the larger, the more the worst off come first."
    gap: float = 0.01
    "Stop when no plan can be better by more than this share."
    time_limit: float | None = None
    "Seconds after which the best plan so far is taken."


def report(
    path: Path | None = None,
    /,
    *,
    out: Path,
    planning: Planning | None = None,
    plan: Path | None = None,
    no_plan: Flag = False,
    date: str | None = None,
    days: int | None = None,
    language: Literal["es", "en", "ar"] = "en",
    home: Path | None = None,
) -> int:
    """Write the situation for a meeting, as HTML or PDF: first figures, alarms, coverage, stocks, orders, and how old.

    It comes from the journal, or from the tables at PATH. Unless a plan is given, or none is wanted, it plans first.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook; by default the journal.
    out
        The file to write: its name ends in .html or .pdf.
    planning
        How the plan is made that the report shows.
    plan
        Show the plan in this folder, made on that day of the same needs, instead of a new one.
    no_plan
        Show only what is known.
    date
        The day of the journal that is shown; today by default.
    days
        Plan so many days; by default as many as table network says.
    language
        The language of the report.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.

    """
    _refuse_bad_file(out)
    _refuse_two_plans(planning, plan, no_plan=no_plan)
    chosen = planning or Planning()
    refuse_bad_options(fairness=chosen.fairness, gap=chosen.gap, time_limit=chosen.time_limit)
    source = home_folder(path or home) if path is None or is_home(path) else existing(path)
    if is_home(source):
        if path is not None and home is not None:
            raise UsageError(f'"{path}" and --home name a journal each; give one.')
        with open_home(source) as opened:
            state, day = read_state(opened), today(date)
        entries = state.count
    else:
        if date is not None or home is not None:
            raise UsageError(f'--date, --home: only a journal has days, and "{path}" holds tables; leave them out.')
        network = read_for_planning(source)
        if network is None:
            return EXIT_INPUT
        state, day, entries = _state_of(network), network.start, 0
    return _report(state, day, out, chosen, plan, no_plan=no_plan, days=days, language=language, entries=entries)


def _report(
    state: State,
    day: date,
    out: Path,
    planning: Planning,
    folder: Path | None,
    *,
    no_plan: bool,
    days: int | None,
    language: str,
    entries: int,
) -> int:
    from abasto.language import language as language_of
    from abasto.situation import situation
    from abasto.situation.paper import paper_of
    from abasto.state.known import known
    from abasto.tables.whole import write_file_whole

    seen = known(state, day, days=days)
    made = None if no_plan else _plan(seen, planning, folder)
    font = "sans-serif"
    if out.suffix.lower() in SHEETS:
        from abasto.situation.pdf import font_for

        font = font_for(language)
    shown = situation(state, day, seen=seen, plan=made)
    paper = paper_of(shown, language_of(language), seen=seen, plan=made, entries=entries, font=font)
    write_file_whole(out, _content(paper, out, day))
    print(f"The report is {out}.")
    return EXIT_OK


def _content(paper: Paper, out: Path, day: date) -> bytes:
    """Return the bytes of the file; says so where signs cannot be printed."""
    if out.suffix.lower() in PAGES:
        from abasto.situation.html import html_of

        return html_of(paper).encode()
    from abasto.situation.pdf import pdf_of, unprintable

    missing = unprintable(paper)
    if missing:
        say(
            f"no font on this machine has these signs, which the PDF shows as boxes: {' '.join(missing[:20])} "
            "Install a font that has them, or write HTML instead: --out report.html"
        )
    return pdf_of(paper, made_on=day)


def _plan(seen: Known, planning: Planning, folder: Path | None) -> Plan:
    """Return the plan to show: the one in a folder, or a new one."""
    if folder is not None:
        from abasto.planner.read_plan import read_plan

        return read_plan(folder, seen.network, fairness=None)
    scenarios = seen.network.scenarios
    if planning.scenario is not None and planning.scenario not in scenarios:
        raise UsageError(unknown_name("scenario", planning.scenario, scenarios))
    return plan_with_progress(
        seen.network,
        planning.scenario,
        what="planning",
        fairness=planning.fairness,
        gap=planning.gap,
        time_limit=planning.time_limit,
    )


def _state_of(network: Network) -> State:
    """Return the state of a journal that begins with these tables; it is kept nowhere."""
    from abasto.journal.journal import Journal
    from abasto.journal.memory import MemoryStore
    from abasto.journal.signing import Device
    from abasto.state.fold import fold
    from abasto.state.network import rows_of

    journal = Journal(MemoryStore(), Device(bytes(32)))
    day = network.start
    journal.found(network.name, date=day.isoformat(), time=0, facts=rows_of(network, date=day))
    return fold(journal.read())


def _refuse_bad_file(out: Path) -> None:
    """Refuse a name that tells neither a page nor sheets, before anything is planned."""
    if out.suffix.lower() not in (*PAGES, *SHEETS):
        raise UsageError(f'--out "{out}": give a name that ends in .html or .pdf.')
    if out.is_dir():
        raise UsageError(f'--out "{out}": this is a folder; give the name of a file, such as report.pdf.')
    refuse_unwritable("--out", out, folder=False)


def _refuse_two_plans(planning: Planning | None, folder: Path | None, *, no_plan: bool) -> None:
    if folder is not None and no_plan:
        raise UsageError("--plan and --no-plan: give one of them.")
    if planning is not None and (folder is not None or no_plan):
        given = "--plan" if folder is not None else "--no-plan"
        raise UsageError(f"{given}: then nothing is planned; leave out the options of planning.")
