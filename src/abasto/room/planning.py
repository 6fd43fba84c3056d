"""A plan in the making, in a process of its own: the room answers meanwhile, sees its progress and can stop it."""

from __future__ import annotations

import math
import multiprocessing
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Literal

# What `Asked` is made of, is imported here and not only for types: it is kept and read back by them.
from abasto.errors import AbastoError
from abasto.facts.kinds import OrderIssued
from abasto.orders.closed import Closed
from abasto.planner.make import SolverName

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Event

    from abasto.cycle import Proposal

__all__ = ["Asked", "Job", "Planner"]

Outcome = Literal["running", "done", "stopped", "failed"]
PATIENCE = 20.0
"""Seconds that a plan that was told to stop has to put together the best it found; then it is ended."""


@dataclass(frozen=True)
class Asked:
    """What a plan is asked for. `kept` orders stand as they are, and on `closed` lanes nothing leaves on that day.

    A trial is only compared with the latest plan and takes no plan's place.
    """

    day: date
    days: int | None = None
    ordered_days: int = 1
    scenario: str | None = None
    fairness: float = 4.0
    solver: SolverName = "auto"
    gap: float = 0.01
    time_limit: float | None = None
    kept: tuple[OrderIssued, ...] = ()
    closed: tuple[Closed, ...] = ()
    is_trial: bool = False


@dataclass(frozen=True)
class Job:
    """A plan that is, or was, made: how far it is, and what came of it."""

    id: str
    asked: Asked
    entries: int
    """How many entries the journal had."""
    outcome: Outcome = "running"
    stage: str = ""
    seconds: float = 0.0
    gap: float | None = None
    """How far it may be from the best, as a share; None as long as nothing is proven."""
    proposal: Proposal | None = field(default=None, repr=False)
    message: str = ""
    """Why it failed."""


class Planner:
    """Makes one plan at a time. `changed` is called, from a thread of its own, whenever the job has gone on.

    `latest` is the last job that came to a plan, `previous` the one before it, and `trial` the last one that was only
    made to be compared with `latest`. The room keeps `latest` and gives it back when it is opened anew, as `kept`.
    """

    def __init__(self, changed: Callable[[Job], None], *, kept: Job | None = None) -> None:
        self._changed = changed
        self._lock = threading.RLock()
        self._process: SpawnProcess | None = None
        self._stop: Event | None = None
        self._listener: threading.Thread | None = None
        self.job: Job | None = kept
        self.latest: Job | None = kept
        self.previous: Job | None = None
        self.trial: Job | None = None

    def start(self, content: bytes, entries: int, asked: Asked) -> Job:
        """Begin a plan of a state (`state.encode`); raises `AbastoError` while another is made."""
        with self._lock:
            if self.job is not None and self.job.outcome == "running":
                raise AbastoError("a plan is being made already; stop it first, or wait for it.")
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe(duplex=False)
            self._stop = context.Event()
            self._process = context.Process(
                target=_work, args=(theirs, self._stop, content, asked), name="abasto plan", daemon=True
            )
            self._process.start()
            theirs.close()  # So that a process that dies is heard as the end of what it says.
            self.job = job = Job(secrets.token_hex(4), asked, entries)
            self._listener = threading.Thread(
                target=self._listen, args=(ours, job.id), name="plan listener", daemon=True
            )
            self._listener.start()
        self._changed(job)
        return job

    def stop(self) -> None:
        """Have the running plan end with the best that it has found; ended for good if it does not in a while."""
        with self._lock:
            process, stop = self._process, self._stop
            if self.job is None or self.job.outcome != "running" or process is None or stop is None:
                return
            stop.set()
        timer = threading.Timer(PATIENCE, _end, (process,))
        timer.daemon = True  # A room that is closed waits for nothing; it ends the process itself.
        timer.start()

    def close(self) -> None:
        """End whatever runs, and wait until what came of it is told and kept."""
        with self._lock:
            if self._process is not None:
                _end(self._process)
            listener = self._listener
        if listener is not None:
            listener.join(PATIENCE)

    def _listen(self, said: Connection, id: str) -> None:
        with said:
            while True:
                try:
                    news: dict[str, Any] = said.recv()
                except (EOFError, OSError):
                    news = {"outcome": "failed", "message": "the planning process ended by itself."}
                with self._lock:
                    if self.job is None or self.job.id != id:
                        return
                    if self._stop is not None and self._stop.is_set():
                        news = _stopped(news)
                    job = replace(self.job, **news)
                    self._keep(job)  # First: whoever sees that a job is done finds its plan.
                    self.job = job
                self._changed(job)
                if job.outcome != "running":
                    return

    def _keep(self, job: Job) -> None:
        if job.proposal is None:
            return
        if job.asked.is_trial:
            self.trial = job
        else:
            self.previous, self.latest, self.trial = self.latest, job, None


def _stopped(news: dict[str, Any]) -> dict[str, Any]:
    """Return what to make of the end of a plan that was told to stop."""
    if news.get("outcome") == "done":
        return {**news, "outcome": "stopped"}
    if news.get("outcome") == "failed":
        return {**news, "outcome": "stopped", "message": ""}
    return news


def _end(process: SpawnProcess) -> None:
    with suppress(ValueError):  # It is gone already.
        if process.is_alive():
            process.kill()


def _known(gap: float | None) -> float | None:
    """Return a gap that is proven; an infinite one, of a plan that serves nothing yet, is no number in JSON either."""
    return gap if gap is not None and math.isfinite(gap) else None


def _work(said: Connection, stop: Event, content: bytes, asked: Asked) -> None:
    """Plan, in the process that is for it, and say how far it is and what comes of it."""
    import signal

    from abasto import cycle
    from abasto.planner.make import Progress
    from abasto.state.encode import decode
    from abasto.state.foresee import foresee

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the room's terminal reaches it too; the room ends it.

    def progress(now: Progress) -> None:
        said.send({"stage": now.stage, "seconds": now.seconds, "gap": _known(now.gap)})

    try:
        state = decode(content)
        if asked.kept:
            state = foresee(state, asked.kept)
        proposal = cycle.propose(
            state,
            asked.day,
            days=asked.days,
            ordered_days=asked.ordered_days,
            closed=asked.closed,
            solver=asked.solver,
            fairness=asked.fairness,
            gap=asked.gap,
            time_limit=asked.time_limit,
            progress=progress,
            stop=stop.is_set,
            scenario=asked.scenario,
        )
        said.send({"outcome": "done", "proposal": proposal, "gap": _known(proposal.plan.gap)})
    except AbastoError as error:
        said.send({"outcome": "failed", "message": str(error)})
    except (BrokenPipeError, ConnectionResetError):
        pass  # The room is gone; so is whoever asked.
