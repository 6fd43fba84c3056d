"""A plan in the making, in a process of its own: the room answers meanwhile, sees its progress and can stop it."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

# What `Asked` is made of, is imported here and not only for types: it is kept and read back by them.
from abasto.facts.kinds import OrderIssued
from abasto.orders.closed import Closed
from abasto.planner.make import SolverName
from abasto.room.beside import Beside, News, Outcome, Say

if TYPE_CHECKING:
    from abasto.cycle import Proposal

__all__ = ["Asked", "Job", "Planner"]


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
    """Makes one plan at a time, `beside` the room. `changed` is called, from a thread of its own, whenever the job has
    gone on.

    `latest` is the last job that came to a plan, `previous` the one before it, and `trial` the last one that was only
    made to be compared with `latest`. The room keeps `latest` and gives it back when it is opened anew, as `kept`.
    """

    def __init__(
        self, changed: Callable[[Job], None], *, kept: Job | None = None, beside: Beside | None = None
    ) -> None:
        self.beside = beside or Beside()
        self._changed = changed
        self.job: Job | None = kept
        self.latest: Job | None = kept
        self.previous: Job | None = None
        self.trial: Job | None = None

    def start(self, content: bytes, entries: int, asked: Asked) -> Job:
        """Begin a plan of a state (`state.encode`); raises `AbastoError` while another is made."""
        with self.beside.lock:
            self.beside.start(_plan, content, asked, heard=self._hear)
            self.job = job = Job(secrets.token_hex(4), asked, entries)
        self._changed(job)
        return job

    def stop(self) -> None:
        """Have the running plan end with the best that it has found."""
        if self.job is not None and self.job.outcome == "running":
            self.beside.stop()

    def close(self) -> None:
        """End whatever runs, and wait until what came of it is told and kept."""
        self.beside.close()

    def _hear(self, news: News) -> None:
        assert self.job is not None
        job = replace(self.job, **news)
        self._keep(job)  # First: whoever sees that a job is done finds its plan.
        self.job = job
        self._changed(job)

    def _keep(self, job: Job) -> None:
        if job.proposal is None:
            return
        if job.asked.is_trial:
            self.trial = job
        else:
            self.previous, self.latest, self.trial = self.latest, job, None


def _known(gap: float | None) -> float | None:
    """Return a gap that is proven; an infinite one, of a plan that serves nothing yet, is no number in JSON either."""
    return gap if gap is not None and math.isfinite(gap) else None


def _plan(say: Say, is_stopped: Callable[[], bool], content: bytes, asked: Asked) -> News:
    """Make a plan, in the process that is for it, and say how far it is."""
    from abasto import cycle
    from abasto.planner.make import Progress
    from abasto.state.encode import decode
    from abasto.state.foresee import foresee

    def progress(now: Progress) -> None:
        say({"stage": now.stage, "seconds": now.seconds, "gap": _known(now.gap)})

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
        stop=is_stopped,
        scenario=asked.scenario,
    )
    return {"proposal": proposal, "gap": _known(proposal.plan.gap)}
