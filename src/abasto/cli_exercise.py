"""The command `exercise`: three networks live a month together, each in a process of its own, and one disappears."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abasto.cli import EXIT_OK, UsageError, printable
from abasto.cli_home import Flag

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

__all__ = ["exercise"]

BY_LINE = ("hills", "vale")
"""These two exchange over HTTP; the third only by bundle files."""
LARGEST = "hills"


def exercise(
    folder: Path,
    /,
    *,
    days: int = 30,
    gone_on: int = 10,
    alone: Flag = False,
    rooms: Flag = False,
) -> int:
    """Let three networks live a month together: each in a process and a journal of its own, without a centre.

    Hills and Vale exchange letters over a line, Coast only by files; the largest, Hills, disappears. Every day they
    make a joint plan, send, receive and hand out; what people got is printed for each. Their journals stay in FOLDER,
    to be looked at with the other commands.

    Parameters
    ----------
    folder
        A new folder for the three journals and the files that are carried.
    days
        How many days.
    gone_on
        The day on which Hills disappears with all that it has; 0: it stays.
    alone
        Let each live for itself, to compare.
    rooms
        Open the room of each network too; a code to enter is printed for each.

    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f'"{folder}": is not empty; name a new folder, so that nothing is overwritten.')
    if days < 1:
        raise UsageError(f"--days {days}: give at least 1.")
    folder.mkdir(parents=True, exist_ok=True)
    with _networks(folder, rooms=rooms) as members:
        for number in range(1, days + 1):
            if number == gone_on:
                members.pop(LARGEST).end()
                print(f"Day {number}: Hills disappears.", flush=True)
            covered = _live(members, number, folder, alone=alone)
            shown = ", ".join(f"{name.capitalize()} {share:4.0%}" for name, share in covered.items())
            print(printable(f"Day {number:2}: of what people need they get: {shown}"), flush=True)
        totals = {name: member.ask("total") for name, member in members.items()}
        shown = ", ".join(f"{name.capitalize()} {share:.0%}" for name, share in totals.items())
        print(printable(f"Over all days: {shown}"))
        if rooms:
            print("The rooms stay open until you press Enter.", flush=True)
            sys.stdin.readline()
    print(printable(f"The journals are in {folder}; look at one with: abasto situation --home {folder / 'vale'}"))
    return EXIT_OK


class _Member:
    """A network in a process of its own, which does what it is asked and answers."""

    def __init__(self, name: str, folder: Path, *, rooms: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_member, args=(name, folder, theirs, rooms), name=name, daemon=True
        )
        self._process.start()
        theirs.close()

    def ask(self, what: str, *arguments: Any) -> Any:
        """Let it do something and return what it answers; raises `UsageError` with what went wrong there."""
        self._line.send((what, arguments))
        try:
            is_well, answer = self._line.recv()
        except EOFError:
            raise UsageError(f"the process of {self._process.name} ended; see what it said above.") from None
        if not is_well:
            raise UsageError(f"{self._process.name}: {answer}")
        return answer

    def end(self) -> None:
        """End its process at once, as if its laptop were gone."""
        self._process.kill()
        self._process.join()
        self._line.close()


@contextlib.contextmanager
def _networks(folder: Path, *, rooms: bool) -> Iterator[dict[str, _Member]]:
    """Found the three networks, let them recognise each other, and yield them by name."""
    from abasto.examples import FEDERATION

    members = {name: _Member(name, folder, rooms=rooms) for name in FEDERATION}
    try:
        cards = {name: member.ask("found") for name, member in members.items()}
        for name, member in members.items():
            for room in member.ask("meet", {other: card for other, card in cards.items() if other != name}):
                print(printable(room), flush=True)
        yield members
    finally:
        for member in members.values():
            member.end()


def _live(members: dict[str, _Member], number: int, folder: Path, *, alone: bool) -> dict[str, float]:
    """Let all networks live a day; return what share of the need was met in each."""
    day = (FIRST_DAY + timedelta(days=number - 1)).isoformat()
    for member in members.values():
        member.ask("morning", day)
    steps = [] if alone else [member.ask("begin", day) for member in members.values()]
    for _ in range(max(steps, default=0)):
        for member in members.values():
            member.ask("step")
        _exchange(members, day, folder)
    for member in members.values():
        member.ask("order", day)
    for waits in (False,) if alone else (True, False):
        for member in members.values():
            member.ask("drive", day, waits)
        if not alone:
            _exchange(members, day, folder)
    covered = {name: member.ask("evening", day) for name, member in members.items()}
    if not alone:
        _exchange(members, day, folder)
    return covered


def _exchange(members: dict[str, _Member], day: str, folder: Path) -> None:
    """Bring letters from each to each: over the line where there is one, else in a file."""
    line = [name for name in BY_LINE if name in members]
    if len(line) == len(BY_LINE):
        members[line[1]].ask("sync", line[0], day)
    for one in members:
        for other in members:
            if one != other and not (one in BY_LINE and other in BY_LINE):
                stick = folder / f"from {one} to {other}.abasto"
                members[one].ask("post", str(stick), other, day)
                members[other].ask("hear", str(stick), day)


FIRST_DAY = date(2027, 3, 1)
"""The first day of the example's tables."""


# In the process of a network


def _member(name: str, folder: Path, line: Connection, rooms: bool) -> None:
    """Answer the conductor until it hangs up."""
    from abasto.exercise_member import ExerciseMember

    with ExerciseMember(name, folder / name, rooms=rooms) as member:
        while True:
            try:
                what, arguments = line.recv()
            except EOFError:
                return
            try:
                line.send((True, getattr(member, what)(*arguments)))
            except Exception as error:
                line.send((False, f"{type(error).__name__}: {error}"))
