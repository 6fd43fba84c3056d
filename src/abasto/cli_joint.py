"""The command `networks plan`: a network's part in a joint plan, a run at a time, however letters are carried."""

from __future__ import annotations

import json as json_format
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from abasto.cli import EXIT_GIVEN_UP, EXIT_OK, UsageError, printable, say
from abasto.cli_carry import exchange_with, hear_file, letters_words, readers_of, write_letters
from abasto.cli_home import Flag, open_home, read_state, to_the_end, today, write
from abasto.cli_order_words import line_of, print_lines
from abasto.facts.codes import code_of

if TYPE_CHECKING:
    import datetime

    from abasto.federation.session import Part, Session, Standing
    from abasto.journal.home import Home
    from abasto.state.exports import Exports
    from abasto.state.state import State
    from abasto.sync.register import Peer

__all__ = ["STEPS", "exports_document", "exports_words", "plan"]

LOOKS_EVERY = 2.0
"""Seconds between looks at whether something has come, while the command waits."""
STEPS = {"map": "publishes its map", "pass": "promises", "vote": "votes", "commit": "commits to what it sends"}
"""What a network does in a step of each kind."""
NO_PART = "tells that it takes no part"
"""What a network does in a step of any kind while it shows nothing of itself."""
MOST_WAIT = 24 * 60.0
SHARE_WORDS = {
    "whole": "each of its sites, without their names",
    "map": "its coarse map",
    "offers": "only what it has left over",
    "nothing": "nothing, and it takes no part",
}
"""What a network shows of itself."""


@Parameter(name="*")
@dataclass(frozen=True)
class Carrying:
    """How letters come and go."""

    stick: Path | None = None
    "A folder, such as that of a stick: bundles of others there are heard, and one of this network's is written there."
    peer: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = ()
    "Peers of other networks to exchange letters with, by name, or `all`."
    readers: Annotated[tuple[str, ...], Parameter(name="--for", allow_leading_hyphen=True, negative="")] = ()
    "Whole keys of devices that are to read what is written on the stick, until a first letter of theirs has come."
    wait: float = 0.0
    "Minutes to go on by itself, as long as others answer, before it ends."


@Parameter(name="*")
@dataclass(frozen=True)
class Choices:
    """What of the network others see and get, from now on: kept in the journal, for all its devices."""

    share: str | None = None
    "What others see of this network in joint plans: `whole` (each site), `map`, `offers` (what is left), `nothing`."
    forbid: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = ()
    "Goods that must not leave, until they are allowed again."
    allow: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = ()
    "Goods that may leave again."


def plan(
    *,
    first: str | None = None,
    days: int | None = None,
    rounds: int | None = None,
    without: Annotated[tuple[str, ...], Parameter(negative="", consume_multiple=True)] = (),
    choices: Choices | None = None,
    carrying: Carrying | None = None,
    issue: Flag = False,
    ordered_days: int = 1,
    date: str | None = None,
    home: Path | None = None,
    json: Flag = False,
) -> int:
    """Take part in a joint plan: hear what came, do the steps that can be done, tell what is to be told, say what next.

    Run it again whenever letters have come, until the plan is agreed; with --issue its orders are signed then. All that
    was said is in the journal: whoever ends the command, or loses power, goes on with the same command.

    Parameters
    ----------
    first
        The first day that is planned, the same for all; by default the one that is being planned, else today.
    days
        For how many days, the same for all; by default as many as table network says.
    rounds
        How often to go round, 1 or 2: a second time mends what the first got wrong, and takes six steps more. The least
        that any network says holds for all; by default 2, or 1 where letters go by stick.
    without
        Networks that are not waited for.
    choices
        What others see and get.
    carrying
        How letters come and go.
    issue
        Once it is agreed, sign the orders of the first day, and promise those that go to others.
    ordered_days
        Sign the orders of so many days.
    date
        The day on which this is said; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.federation.session import MOST_ROUNDS
    from abasto.state.known import MOST_DAYS

    way = carrying or Carrying()
    if not 0 <= way.wait <= MOST_WAIT:
        raise UsageError(f"--wait {way.wait:g}: give minutes from 0 to {MOST_WAIT:.0f}.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise UsageError(f"--days {days}: give a number from 1 to {MOST_DAYS}.")
    if rounds is not None and not 1 <= rounds <= MOST_ROUNDS:
        raise UsageError(f"--rounds {rounds}: give a number from 1 to {MOST_ROUNDS}.")
    if issue and not 1 <= ordered_days <= (days or MOST_DAYS):
        raise UsageError(f"--ordered-days {ordered_days}: give a number from 1 to {days or MOST_DAYS}.")
    if way.stick is not None and not way.stick.is_dir():
        raise UsageError(f'--stick "{way.stick}": there is no such folder; name the one of the stick.')
    with open_home(home) as opened:
        run = _Run(opened, way, today(date), first, days, rounds, without)
        run.refuse_what_cannot_be()
        run.choose(choices or Choices())
        try:
            run.go()
        except KeyboardInterrupt:
            say("given up; what was said before is kept, and the same command goes on from there.")
            return EXIT_GIVEN_UP
        orders = run.issue(ordered_days) if issue else []
        run.bring()
        stands = run.standing()
        session = None if stands.next or stands.is_issued else run.session()
        if json:
            print(json_format.dumps(run.document(stands, session) | {"issued": orders}, ensure_ascii=False, indent=1))
            return EXIT_OK
        print_lines(run.lines(stands, session))
        state = read_state(opened)
        print_lines([f"  {line_of(state, state.orders[id])}" for id in orders])
    return EXIT_OK


@dataclass
class _Run:
    """A run of the command."""

    home: Home
    way: Carrying
    day: datetime.date
    first: str | None
    days: int | None
    rounds: int | None
    without: Sequence[str]
    troubles: dict[str, str] = field(default_factory=dict)
    """Why there was no exchange with a peer the last time, by its name: told once, however long the run waits."""
    refused: set[str] = field(default_factory=set)
    """What was told of messages that counted for nothing."""

    @property
    def name(self) -> str:
        """The session: its first day, as asked, else the one that is being planned, else today."""
        from abasto.federation.session import current

        if self.first is not None:
            return today(self.first, option="--first").isoformat()
        return current(read_state(self.home), self.day)

    def standing(self) -> Standing:
        """Return where the session stands."""
        from abasto.federation.session import standing

        return standing(read_state(self.home), self.name, rounds=self._would_go_round)

    def session(self) -> Session:
        """Take the session up where it is."""
        from abasto.federation.session import Session, by_letters

        state, settings = read_state(self.home), by_letters(self._would_go_round)
        return Session(state, today(self.name), days=self.days, settings=settings, today=self.day)

    @property
    def _would_go_round(self) -> int:
        """How often, if nobody else would less."""
        from abasto.federation.session import MOST_ROUNDS

        return self.rounds or (1 if self.way.stick is not None else MOST_ROUNDS)

    def refuse_what_cannot_be(self) -> None:
        """Refuse names that nobody has, and a device that does not speak for its network, before anything is done."""
        from abasto.facts.kinds import JointSaid
        from abasto.state.permits import refuse_forbidden

        state = read_state(self.home)
        known = set(state.letters.recognised.values())
        if not known:
            raise UsageError("no other network is recognised here yet: abasto networks recognise NAME ID")
        for name in self.without:
            if name not in known:
                raise UsageError(f'--without "{name}": recognised are {", ".join(sorted(known))}.')
        readers_of(state, self.way.readers, self.day)
        if self.home.journal.device is not None:
            said = JointSaid(self.name, "", self.day.isoformat())
            refuse_forbidden(state, [said], self.home.journal.device.key)

    def refuse_to_begin_in_the_past(self) -> None:
        """Refuse a first day that is past, such as one of a wrong year, if nobody has begun to plan from it."""
        from abasto.federation.session import sessions

        if self.name < self.day.isoformat() and self.name not in sessions(read_state(self.home)):
            raise UsageError(
                f'--first "{self.name}": this day is past on {self.day}, and nobody has begun a joint plan from it; '
                "give a day to come."
            )

    def choose(self, choices: Choices) -> None:
        """Keep what others see and get from now on."""
        from abasto.state.exports import SHARES, chosen

        rows = read_state(self.home).rows
        share = next((one for one in SHARES if one == choices.share), None)
        if choices.share is not None and share is None:
            raise UsageError(f'--share "{choices.share}": give {", ".join(SHARES[:-1])} or {SHARES[-1]}.')
        for option, goods in (("--forbid", choices.forbid), ("--allow", choices.allow)):
            for good in goods:
                if rows.standing("goods", good) != "stands" and not rows.get("exports", good):
                    raise UsageError(f'{option} "{good}": there is no such good in table goods.')
        for good in choices.forbid:
            if good in choices.allow:
                raise UsageError(f'"{good}" is given with --forbid and with --allow; give it with one of them.')
        facts = chosen(rows, share=share, forbid=choices.forbid, allow=choices.allow, day=self.day)
        if facts:
            write(self.home, facts)

    def go(self) -> None:
        """Hear, step, and exchange, until nothing more can be done or the time to wait is over."""
        until = time.monotonic() + self.way.wait * 60
        self.hear()
        self.exchange()
        self.first = self.name  # Others may have begun one; from here on it is this one, also once it is issued.
        self.refuse_to_begin_in_the_past()
        while True:
            stands = self.standing()
            if stands.next and not stands.awaited(self.without):
                say(f"step {stands.done + 1} of {len(stands.steps)}: this network {self._step_words(stands)} …")
                session = self.session()
                self.home.journal.append(session.step(), time=int(time.time()))
                self._tell_refused(session)
            elif time.monotonic() >= until or not (stands.next or stands.awaited(self.without)):
                return
            else:
                time.sleep(LOOKS_EVERY)
            self.exchange()

    def _tell_refused(self, session: Session) -> None:
        """Tell once of each message that counted for nothing, why."""
        for why in session.refused:
            if why not in self.refused:
                say(printable(f"of no use: {why}"))
                self.refused.add(why)

    def issue(self, days: int) -> list[str]:
        """Sign the orders of what was agreed, once; return their ids."""
        stands = self.standing()
        if stands.is_empty:
            say("this joint plan is over already: it has no order on its first day.")
            return []
        if stands.is_issued:
            say("the orders of this joint plan are signed already; see them with: abasto orders show")
            return []
        if stands.next or stands.awaited(self.without):
            say("it is not agreed yet, so nothing was signed.")
            return []
        session = self.session()
        if not 1 <= days <= session.seen.network.days:
            raise UsageError(f"--ordered-days {days}: give a number from 1 to {session.seen.network.days}.")
        orders = session.orders(days=days)
        with to_the_end():
            made = write(self.home, orders or [session.nothing_to_issue()])
        if not orders:
            say("the plan has no orders for these days, so there was nothing to sign; this joint plan is over here.")
            return []
        return [entry.id for entry in made]

    def hear(self) -> None:
        """Take in what lies on the stick."""
        from abasto.errors import AbastoError

        for path in sorted(self.way.stick.glob("*.abasto")) if self.way.stick is not None else ():
            if path == self._own_file():
                continue
            try:
                _, name, done = hear_file(self.home, path, self.day)
            except AbastoError as error:
                say(printable(f"{path.name}: left as it is. {error}"))
                continue
            say(printable(f"{path.name}: {letters_words(done.came)} came from {name}."))
            for why in done.refused:
                say(printable(f"  refused: {why}"))

    def exchange(self) -> None:
        """Exchange letters with the peers that were named."""
        from abasto.errors import AbastoError

        for peer in self._peers():
            result = exchange_with(self.home, peer)
            why = str(result) if isinstance(result, AbastoError) else ""
            if why and self.troubles.get(peer.name) != why:
                say(printable(f"{peer.name}: no exchange. {why}"))
            self.troubles[peer.name] = why

    def bring(self) -> None:
        """Give others what they may see: over the line, and on the stick."""
        self.exchange()
        if self.way.stick is not None:
            readers = readers_of(read_state(self.home), self.way.readers, self.day)
            write_letters(self.home, self._own_file(), readers, self.day)

    def _own_file(self) -> Path:
        assert self.way.stick is not None
        return self.way.stick / f"letters-{code_of(self.home.journal.network)}.abasto"

    def _peers(self) -> Sequence[Peer]:
        from abasto.sync.register import ALL, Register

        register = Register(self.home.file)
        if any(name.casefold() == ALL for name in self.way.peer):
            return register.all()
        return [register.find(name) for name in self.way.peer]

    def lines(self, stands: Standing, session: Session | None) -> Iterator[str]:
        """Yield where the session stands, whom it waits for, and what comes next."""
        number = len(stands.steps)
        then = f"; next it {self._step_words(stands)}" if stands.next else ""
        yield f"Joint plan from {stands.session} on: this network has done {stands.done} of {number} steps{then}."
        for one in stands.partners:
            yield f"  {one.name}: " + (f"{one.steps} of {one.of}" if one.steps else "nothing heard yet")
        if self.rounds not in (None, stands.rounds):
            often = "twice" if stands.rounds > 1 else "once"
            yield f"--rounds {self.rounds} changes nothing: it goes round {often}, as was said before or by others."
        yield exports_words(read_state(self.home))
        awaited = [one.name for one in stands.awaited(self.without)]
        if awaited:
            yield f"Waiting for {', '.join(awaited)}. When letters have come: {self._again(self.without)}"
            yield f"To go on without: {self._again((*self.without, *awaited))}"
        if session is not None:
            yield from _agreed_lines(session, is_final=not awaited)
        if stands.is_empty:
            yield "This joint plan is over here: it has no order on its first day."
        elif stands.is_issued:
            yield "The orders of this joint plan are signed: abasto orders show"
        elif not stands.next and not awaited:
            yield f"To sign the orders of its first day: {self._again(self.without)} --issue"

    def document(self, stands: Standing, session: Session | None) -> dict[str, Any]:
        """Return what --json prints."""
        document: dict[str, Any] = {
            "session": stands.session,
            "steps": len(stands.steps),
            "done": stands.done,
            "partners": [asdict(one) for one in stands.partners],
            "awaited": [one.name for one in stands.awaited(self.without)],
            "is_issued": stands.is_issued,
            **exports_document(read_state(self.home)),
        }
        if session is not None:
            agreed = session.agreed()
            document |= {"value": agreed.value, "alone": agreed.alone}
        return document

    def _step_words(self, stands: Standing) -> str:
        """Return what this network does in the next step: of several of a kind, which of them it is."""
        number, count = stands.turn
        which = f" ({number} of {count})" if count > 1 else ""
        return NO_PART if _exports(read_state(self.home)).share == "nothing" else f"{STEPS[stands.next]}{which}"

    def _again(self, without: Sequence[str]) -> str:
        """Return the command that goes on, with all that this run was told of how letters go."""
        words = ["abasto networks plan", f"--first {self.name}"]
        if self.days is not None:
            words.append(f"--days {self.days}")
        if self.rounds is not None:
            words.append(f"--rounds {self.rounds}")
        if self.way.stick is not None:
            words.append(f"--stick {_quoted(str(self.way.stick))}")
        words += [f"--peer {_quoted(name)}" for name in self.way.peer]
        words += [f"--for={_quoted(reader)}" for reader in self.way.readers]
        words += [f"--without {_quoted(name)}" for name in without]
        return " ".join(words)


def exports_words(state: State) -> str:
    """Return what others see of this network, and what never leaves it, as a sentence or two."""
    chosen = _exports(state)
    goods = f" Never leave: {', '.join(sorted(chosen.forbidden))}." if chosen.forbidden else ""
    return f"In joint plans this network shows {SHARE_WORDS[chosen.share]}.{goods}"


def exports_document(state: State) -> dict[str, Any]:
    """Return the same for --json."""
    chosen = _exports(state)
    return {"share": chosen.share, "forbidden": sorted(chosen.forbidden)}


def _exports(state: State) -> Exports:
    from abasto.state.exports import exports_of

    return exports_of(state.rows)[0]


def _agreed_lines(session: Session, *, is_final: bool) -> Iterator[str]:
    """Yield what is agreed, what goes and comes, and what cannot be kept any more."""
    terms = session.terms()
    so_far = "" if is_final else " so far"
    if terms.is_nothing:
        yield f"Agreed{so_far}: nothing goes between the networks; the plan is the one that this network makes alone."
        return
    yield f"Agreed{so_far}. To this network's own people it is worth {terms.more:+.1%} beside going alone."
    for one in terms.sent:
        yield f"  sends {_measured(one)} to {one.network}, from {one.here} to {one.there}"
    for one in terms.received:
        yield f"  gets {_measured(one)} from {one.network}, from {one.there} to {one.here}"
    for one in terms.unkept:
        yield (f"  by what is known now {_measured(one)} that were promised to {one.network} are not there; tell them")


def _measured(part: Part) -> str:
    return f"{part.quantity:,.0f} {part.unit} of {part.good}"


def _quoted(text: str) -> str:
    return text if text.replace("-", "").replace("_", "").replace("/", "").replace(".", "").isalnum() else f'"{text}"'
