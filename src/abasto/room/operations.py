"""What stands behind every page: the journal and what it comes to, the plan that was made last, phones and sessions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from abasto import cycle
from abasto.errors import JournalError
from abasto.facts.kinds import Fact
from abasto.letters import tell_due
from abasto.room.drafts import Drafts
from abasto.room.events import Events
from abasto.room.joining import Joint
from abasto.room.kept_plan import keep_job, kept_job
from abasto.room.phones import Phones
from abasto.room.planning import Asked, Job, Planner
from abasto.room.sessions import Sessions
from abasto.state.encode import encode
from abasto.state.permits import refuse_forbidden

if TYPE_CHECKING:
    from abasto.journal.entry import Entry
    from abasto.journal.home import Home
    from abasto.state.known import Known
    from abasto.state.members import Cuts
    from abasto.state.state import State

__all__ = ["Room"]


class Room:
    """The room of one home. Handlers run in threads: whoever reads the state holds `lock` as long as it does.

    `now` is the clock, which carries its time zone; `day` is fixed for exercises, else it is the clock's.
    """

    def __init__(
        self,
        home: Home,
        *,
        now: Callable[[], datetime],
        day: date | None = None,
        boundaries: Path | None = None,
    ) -> None:
        self.home = home
        self.boundaries = boundaries
        """A GeoJSON file to draw on the map, if there is one."""
        self.address = ""
        """What a phone types to come here, its name and port with the protocol before them."""
        self.notices: dict[str, list[str]] = {}
        """By session what its next page tells."""
        self.lock = threading.RLock()
        self.now = now
        self.events = Events()
        self.sessions = Sessions()
        self.drafts = Drafts()
        self.phones = Phones(home)
        self.planner = Planner(self._tell_job, kept=kept_job(home.file))
        self.joint = Joint(self, self.planner.beside)
        self._day = day
        self._state: State | None = None
        self._looked: int | None = None
        """How many entries there were when it was last looked whether anything is due to other networks."""
        self._known: tuple[int, date, int | None, Known] | None = None

    @property
    def day(self) -> date:
        """Today."""
        return self._day or self.now().date()

    def go_to(self, day: date) -> None:
        """Let it be another day here, as an exercise goes on."""
        self._day = day

    @property
    def state(self) -> State:
        """What the journal comes to now, also with what other programs have written. Hold `lock` while you read it."""
        with self.lock:
            journal = self.home.journal
            count = journal.store.count()
            if self._state is not None and self._state.count < count:
                self._state = cycle.go_on(journal, self._state)
            if self._state is None or self._state.count != count:
                # The first time, or an entry has come that belongs before some that are folded already.
                self._state = cycle.read_state(journal)
            return self._state

    @property
    def cuts(self) -> Cuts:
        """The cuts that are known, for stories, which are told from all entries without holding `lock`."""
        with self.lock:
            return dict(self.state.members.cuts)

    def known(self, days: int | None = None) -> Known:
        """Return the network as it is known today; raises `InputError` if its tables cannot be planned."""
        from abasto.state.known import known

        with self.lock:
            state = self.state
            if self._known is None or self._known[:3] != (state.count, self.day, days):
                self._known = (state.count, self.day, days, known(state, self.day, days=days))
            return self._known[3]

    def write(self, facts: Sequence[Fact]) -> list[Entry]:
        """Sign facts and append them, all or none: on the disk when this returns, and told to all pages.

        What other networks are to hear of orders among them is signed after them. Raises `NotAllowedError` if this
        device may not say that.
        """
        if not facts:
            return []
        with self.lock:
            if self.home.journal.device is not None:
                refuse_forbidden(self.state, facts, self.home.journal.device.key)
            time = int(self.now().timestamp())
            entries = self.home.journal.append(facts, time=time)
            tell_due(self.home.journal, self.state, self.day, time=time, after=facts)
        self.tell()
        return entries

    def tell(self) -> None:
        """Tell all pages that something was written into the journal."""
        with self.lock:
            count = self.state.count
        self.events.tell("journal", entries=count)

    def look(self) -> None:
        """See whether another program has written into the journal, and tell the pages if so; sign what is due to other
        networks, also when the room has just been opened.
        """
        with self.lock:
            before = None if self._state is None else self._state.count
            if self.state.count != self._looked:
                tell_due(self.home.journal, self.state, self.day, time=int(self.now().timestamp()))
            after = self._looked = self.state.count
        if before is not None and after != before:
            self.events.tell("journal", entries=after)

    def plan(self, asked: Asked) -> Job:
        """Begin to plan what is known; raises `AbastoError` while another plan is made."""
        with self.lock:
            state = self.state
            content, entries = encode(state), state.count
        return self.planner.start(content, entries, asked)

    def close(self) -> None:
        """End what runs; the home stays open."""
        self.planner.close()

    def _keep_plan(self, job: Job) -> None:
        if job.proposal is None or job.asked.is_trial:
            return
        with suppress(JournalError):  # A full disk: the plan is shown all the same.
            keep_job(self.home.file, job)

    def _tell_job(self, job: Job) -> None:
        self._keep_plan(job)
        self.events.tell(
            "plan", id=job.id, outcome=job.outcome, stage=job.stage, seconds=round(job.seconds, 1), gap=job.gap
        )
