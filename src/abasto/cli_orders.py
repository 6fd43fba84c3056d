"""The command `orders`: propose them from a plan, issue them, show them; its other steps are in `cli_order_steps`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App, Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable, say
from abasto.cli_home import Code, Flag, go_on, known_lines, open_home, read_state, to_the_end, today, write
from abasto.cli_order_steps import accept, cancel, find_order, load, receive
from abasto.cli_order_words import (
    line_of,
    print_json,
    print_lines,
    proposal_document,
    proposal_lines,
    record_document,
    story_of,
    whole_order,
)
from abasto.cli_plan import gap_bar, refuse_bad_options, run_until_stopped

if TYPE_CHECKING:
    from abasto.cycle import Proposal
    from abasto.facts.kinds import OrderIssued
    from abasto.state.state import State
    from abasto.state.types import OrderRecord

__all__ = ["orders"]

Solver = Literal["auto", "exact", "equilibrium"]

orders = App(
    name="orders",
    help="Propose orders from a plan of what the journal knows, issue them, and report how far they are.",
    help_format="plaintext",
    version_flags=(),
)


for step in (accept, load, receive, cancel):
    orders.command(step)


@Parameter(name="*")
@dataclass(frozen=True)
class Planning:
    """How orders are planned."""

    date: str | None = None
    "The day to plan from; today by default."
    days: int | None = None
    "For how many days to plan; the network's horizon by default."
    ordered_days: int = 1
    "Order what leaves in so many days; on these all trips are whole."
    scenario: str | None = None
    "Plan for this scenario of table disruptions."
    fairness: float = 4.0
    "0 gives the greatest total coverage; the larger, the more the worst off come first."
    solver: Solver = "auto"
    "Which solver plans; auto chooses by size."
    gap: float = 0.01
    "Stop when no plan can be better by more than this share."
    time_limit: float | None = None
    "Seconds after which the best plan so far is taken."


@orders.command
def propose(
    *,
    planning: Planning | None = None,
    out: Path | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Plan what the journal knows and show the orders that follow; signs nothing.

    Trips of the days that are ordered are whole, and what that costs is shown. Only writes with --out.

    Parameters
    ----------
    planning
        How orders are planned.
    out
        Also write the proposal to this file; `abasto orders issue FILE` signs exactly that.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    if out is not None and out.is_dir():
        raise UsageError(f'--out "{out}": this is a folder; give the name of a file, such as orders.json.')
    with open_home(home) as opened:
        state = read_state(opened)
    proposal = _propose(state, planning or Planning())
    if out is not None:
        from abasto.orders.proposal import proposal_text
        from abasto.tables.whole import write_file_whole

        day = proposal.known.network.start.isoformat()
        write_file_whole(out, proposal_text(state.network, day, state.count, proposal.orders).encode())
    if json:
        print_json(proposal_document(state, proposal) | {"written": None if out is None else str(out)})
        return EXIT_OK
    print_lines([*known_lines(proposal.known), "", *proposal_lines(state, proposal)])
    if proposal.orders and out is not None:
        print(printable(f'The proposal is {out}. To sign it as it is: abasto orders issue "{out}"'))
    elif proposal.orders:
        print("Nothing is signed yet. To sign these: abasto orders issue --yes (with the same options)")
    return EXIT_OK


@orders.command
def issue(
    file: Path | None = None,
    /,
    *,
    planning: Planning | None = None,
    yes: Flag = False,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Sign orders: those of a proposal in FILE exactly as they stand there, or those that are proposed now.

    Without FILE it signs only with --yes.

    Parameters
    ----------
    planning
        How orders are planned.
    file
        A proposal that `abasto orders propose` wrote.
    yes
        Sign what is proposed now; with FILE, also if the journal has gone on since.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    if file is not None and planning is not None:
        raise UsageError(f'"{file}" says what is ordered; leave out the options of planning, or the file.')
    from abasto.orders.twice import refuse_issued

    with open_home(home) as opened:
        state = read_state(opened)
        if file is not None:
            chosen = _read(state, file, yes=yes)
        else:
            proposal = _propose(state, planning or Planning())
            chosen = proposal.orders
            if not json:
                print_lines(proposal_lines(state, proposal))
            if chosen and not yes:
                say("nothing was signed; --yes signs these, or keep them in a file first: abasto orders propose --out")
                return EXIT_INPUT
        refuse_issued(state, chosen)
        if not chosen:
            say("there is nothing to order, so nothing was signed.")
        with to_the_end():
            entries = write(opened, chosen) if chosen else []
            state = go_on(opened, state)
            records = [state.orders[entry.id] for entry in entries]
            if json:
                print_json({"issued": [record_document(state, record) for record in records]})
                return EXIT_OK
            if records:
                print(f"Issued {len(records)} {'order' if len(records) == 1 else 'orders'}:")
            print_lines([f"  {line_of(state, record)}" for record in records])
    return EXIT_OK


@orders.command
def show(
    order: Code | None = None,
    /,
    *,
    all: Flag = False,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """List the orders that are open, or show ORDER with its story.

    Parameters
    ----------
    order
        The code of an order; its first four signs suffice if no other begins so.
    all
        List also orders that are received or cancelled.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    with open_home(home) as opened:
        state = read_state(opened)
        if order is not None:
            record = find_order(state, order)
            story = list(story_of(opened, record))
            if json:
                print_json(record_document(state, record) | {"story": story})
            else:
                print_lines([*whole_order(state, record), *(f"  {line}" for line in story)])
            return EXIT_OK
    listed = [record for record in state.orders.values() if all or record.status in ("issued", "accepted", "loaded")]
    listed.sort(key=_by_departure)
    if json:
        print_json({"orders": [record_document(state, record) for record in listed]})
        return EXIT_OK
    print_lines([line_of(state, record) for record in listed])
    if not listed:
        print("No order is open." if state.orders else "No order has been issued yet: abasto orders propose")
    return EXIT_OK


def _propose(state: State, planning: Planning) -> Proposal:
    """Run the loop up to its orders, while the terminal shows how far it is."""
    from abasto import cycle

    refuse_bad_options(fairness=planning.fairness, gap=planning.gap, time_limit=planning.time_limit)
    day = today(planning.date)
    if planning.ordered_days < 1 or (planning.days is not None and planning.ordered_days > planning.days):
        raise UsageError(f"--ordered-days {planning.ordered_days}: give a number from 1 to the days that are planned.")
    with gap_bar("planning orders", planning.gap) as progress:

        def work(stop: Callable[[], bool]) -> Proposal:
            return cycle.propose(
                state,
                day,
                days=planning.days,
                ordered_days=planning.ordered_days,
                solver=planning.solver,
                progress=progress,
                stop=stop,
                fairness=planning.fairness,
                gap=planning.gap,
                time_limit=planning.time_limit,
                scenario=planning.scenario,
            )

        return run_until_stopped(work, kept="nothing was signed")


def _read(state: State, file: Path, *, yes: bool) -> tuple[OrderIssued, ...]:
    """Return the orders of a proposal; refuse one of another network, or one that the journal has left behind."""
    from abasto.errors import FactError
    from abasto.orders.proposal import read_proposal

    try:
        saved = read_proposal(file.read_text(encoding="utf-8"))
    except (FactError, UnicodeDecodeError) as error:
        raise UsageError(f'"{file}": {error}') from None
    if saved.network != state.network:
        raise UsageError(f'"{file}" is a proposal for another network; check --home, or propose anew.')
    since = state.count - saved.entries
    if since and not yes:
        number = f"{since:,} {'entry has' if since == 1 else 'entries have'} come"
        raise UsageError(
            f'"{file}": {number} into the journal since this was proposed. Propose anew, or if it still holds: --yes'
        )
    return saved.orders


def _by_departure(record: OrderRecord) -> tuple[str, ...]:
    issued = record.issued
    return ("",) if issued is None else (issued.departs, issued.fleet, issued.from_site, issued.to_site, record.id)
