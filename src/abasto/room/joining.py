"""Steps of a joint plan from the room: planned beside it, written as each is done, with what was agreed in the end."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from abasto.errors import AbastoError
from abasto.facts.kinds import JointSaid, OrderIssued
from abasto.room.beside import Beside, News, Outcome, Say
from abasto.state.encode import encode
from abasto.state.permits import refuse_forbidden

if TYPE_CHECKING:
    from abasto.federation.session import Terms
    from abasto.room.operations import Room

__all__ = ["Joint", "JointAsked", "JointJob"]


@dataclass(frozen=True)
class JointAsked:
    """Which joint plan goes on: its first day, for how many days, how often this network would go round if it begins
    now, and the networks that are not waited for.
    """

    first: date
    days: int | None
    rounds: int
    without: tuple[str, ...]

    @property
    def session(self) -> str:
        """The joint plan's name."""
        return self.first.isoformat()


@dataclass(frozen=True)
class JointJob:
    """How far it is: the `step` that is planned, 0 before and after; what came of it, or why it failed.

    `terms` are what was agreed, once all steps are done, and `orders` those of its first day, once nobody is awaited;
    where there are none, `over` ends the joint plan. They hold as long as the journal has `entries`. `refused` says of
    messages why they counted for nothing.
    """

    id: str
    asked: JointAsked
    entries: int
    outcome: Outcome = "running"
    step: int = 0
    terms: Terms | None = None
    orders: tuple[OrderIssued, ...] = ()
    over: JointSaid | None = None
    refused: tuple[str, ...] = ()
    message: str = ""


class Joint:
    """Does the steps of joint plans that can be done, one plan at a time; `job` is the last one asked for."""

    def __init__(self, room: Room, beside: Beside) -> None:
        self._room = room
        self._beside = beside
        self.job: JointJob | None = None

    def start(self, asked: JointAsked) -> JointJob:
        """Begin a joint plan, or go on with it as far as can be; raises `AbastoError` where that cannot be, and while a
        plan is made.
        """
        room = self._room
        with room.lock:
            state = room.state
            self._refuse_what_cannot_be(asked)
            content, entries = encode(state), state.count
        with self._beside.lock:
            self._beside.start(_go_on, content, asked, room.day, heard=self._hear)
            self.job = job = JointJob(secrets.token_hex(4), asked, entries)
        self._tell()
        return job

    def stop(self) -> None:
        """End the step that is planned; those that were done before stand."""
        if self.job is not None and self.job.outcome == "running":
            self._beside.stop()

    def sign(self, id: str) -> int:
        """Sign the orders of what a job found was agreed, or where there are none that it is over, and return how many
        orders there are; raises `AbastoError` if they do not hold any more.
        """
        from abasto.federation.session import standing

        job, room = self.job, self._room
        if job is None or job.id != id or not (job.orders or job.over):
            raise AbastoError("this is not what was agreed last; look at it once more.")
        with room.lock:
            if standing(room.state, job.asked.session).is_issued:
                raise AbastoError("the orders of this joint plan are signed already.")
            if room.state.count != job.entries:
                raise AbastoError("the journal has gone on while you looked at these orders; look at them once more.")
            room.write([*job.orders, *([job.over] if job.over else [])])
        return len(job.orders)

    def _refuse_what_cannot_be(self, asked: JointAsked) -> None:
        from abasto.federation.session import standing

        room = self._room
        state, device = room.state, room.home.journal.device
        known = set(state.letters.recognised.values())
        if not known:
            raise AbastoError("no other network is recognised here yet.")
        if asked.first < room.day:
            raise AbastoError(f"{asked.session} is over; choose a day from {room.day.isoformat()} on.")
        if standing(state, asked.session).is_issued:
            raise AbastoError("the orders of this joint plan are signed already.")
        for name in asked.without:
            if name not in known:
                raise AbastoError(f'no network is recognised as "{name}".')
        if device is not None:
            refuse_forbidden(state, [JointSaid(asked.session, "", room.day.isoformat())], device.key)

    def _hear(self, news: News) -> None:
        assert self.job is not None
        told = dict(news)
        said: Sequence[JointSaid] = told.pop("said", ())
        job = replace(self.job, **told)
        if said and not self.job.message:
            try:
                job = replace(job, entries=job.entries + self._write(job, said))
            except AbastoError as error:
                job = replace(job, message=str(error))
                self._beside.stop()
        elif self.job.message and job.outcome != "running":
            job = replace(job, outcome="failed", message=self.job.message, terms=None, orders=(), over=None)
        self.job = job
        self._tell()

    def _write(self, job: JointJob, said: Sequence[JointSaid]) -> int:
        """Write what a step says, unless another device of the network has done it meanwhile; return how many entries
        that makes.
        """
        from abasto.federation.session import standing

        with self._room.lock:
            if standing(self._room.state, job.asked.session).done != job.step - 1:
                raise AbastoError("another device of this network has done this step meanwhile; go on from there.")
            return len(self._room.write(said))

    def _tell(self) -> None:
        assert self.job is not None
        self._room.events.tell("joint", id=self.job.id, outcome=self.job.outcome)


def _go_on(say: Say, is_stopped: Callable[[], bool], content: bytes, asked: JointAsked, today: date) -> News:
    """Do the steps that can be done, in the process that is for it, and say what is to be written of each; in the end
    look at what was agreed.
    """
    from abasto.federation.session import Session, by_letters, standing
    from abasto.state.encode import decode
    from abasto.state.foresee import foresee

    begun = state = decode(content)
    said: list[JointSaid] = []
    refused: tuple[str, ...] = ()
    stands, settings = standing(state, asked.session), by_letters(asked.rounds)
    while stands.next and not stands.awaited(asked.without) and not is_stopped():
        say({"step": stands.done + 1})
        session = Session(state, asked.first, days=asked.days, settings=settings, today=today)
        step = session.step()
        refused = tuple(dict.fromkeys((*refused, *session.refused)))
        say({"said": step, "refused": refused})
        said += step
        state = foresee(begun, said)
        stands = standing(state, asked.session)
    if stands.next:
        return {"step": 0}
    say({"step": 0})
    session = Session(state, asked.first, days=asked.days, today=today)
    if stands.awaited(asked.without):
        return {"terms": session.terms()}
    orders = session.orders()
    return {"terms": session.terms(), "orders": orders, "over": None if orders else session.nothing_to_issue()}
