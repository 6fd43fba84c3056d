"""A network's part in a joint plan, by what its journal comes to: what it says and hears are letters.

session = Session(state, day)
for _ in range(session.steps):
    journal.append(session.step())  # the next step: what is to be said of it, all at once or nothing
    …letters are exchanged by any carrier…
    session.hear(read_state(journal))
journal.append(session.orders())    # its own orders; those across the border become promises

A session that is begun anew goes on where it was: all that was said and heard is in the journal. `standing` tells where
that is, without planning anything.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from abasto.errors import FederationError
from abasto.facts.kinds import JointSaid, OrderIssued
from abasto.federation.border import CrossLane, Trade
from abasto.federation.joint import Agreed, Peer
from abasto.federation.messages import MapTold, Message, Stepped, read, stepped, write
from abasto.federation.packed import decode
from abasto.federation.settings import Settings, steps_before_second, steps_of
from abasto.orders import name_free_lots, orders_from, round_trips
from abasto.state.abroad import own_name
from abasto.state.exports import exports_of
from abasto.state.known import known
from abasto.state.state import State

__all__ = [
    "BY_LETTERS",
    "MOST_ROUNDS",
    "Part",
    "Partner",
    "Session",
    "Standing",
    "Terms",
    "by_letters",
    "current",
    "sessions",
    "standing",
]

BY_LETTERS = Settings(periods=1, rounds=1, passes=2)
"""How networks plan together that exchange letters: few steps, because files may have to be carried for each; where all
go by line, `by_letters` with more rounds."""
MOST_ROUNDS = 2
"""A second round takes six steps more, and mends what the first got wrong."""
FIRST_ROUND = steps_before_second(BY_LETTERS)
"""After so many steps a second round begins, and it is too late to leave it out."""
OVER = 10_000
"""Who has said that it has done so many steps, which are more than any session has, has ended it without orders."""
FAR_AHEAD = 31
"""A session that begins more days ahead is gone on with only by name: any network may begin one for any day."""
PLAN = "joint plan {session}"
"""What orders of a session say they follow."""


@dataclass(frozen=True)
class Partner:
    """Another network in a session: its id, its name here, and how many steps it has done, of how many, as far as is
    heard.
    """

    network: str
    name: str
    steps: int
    of: int


@dataclass(frozen=True)
class Standing:
    """Where a session stands: how many of its `steps` this network has `done`, and the others; `is_issued` is whether
    this network has issued orders of it, or said that there is none to issue, which is then `is_empty`.
    """

    session: str
    steps: tuple[str, ...]
    done: int
    partners: tuple[Partner, ...]
    is_issued: bool
    is_empty: bool = False

    @property
    def next(self) -> str:
        """The kind of the step that comes next: map, pass, vote or commit; blank after the last."""
        return self.steps[self.done] if self.done < len(self.steps) else ""

    @property
    def rounds(self) -> int:
        """How often this network goes round."""
        return self.steps.count("map")

    @property
    def turn(self) -> tuple[int, int]:
        """Which of its kind the step that comes next is, and how many of that kind there are: (1, 2) for the first of
        two; (0, 0) after the last.
        """
        return self.steps[: self.done + 1].count(self.next), self.steps.count(self.next)

    def awaited(self, without: Sequence[str] = ()) -> tuple[Partner, ...]:
        """Return those who have not done what this network has done, though they are to: it goes on when they have, but
        for some names.
        """
        return tuple(one for one in self.partners if one.steps < min(self.done, one.of) and one.name not in without)


@dataclass(frozen=True)
class Part:
    """So much of a good that goes between two networks: to or from the site `there` of another, `network`."""

    good: str
    quantity: float
    unit: str
    network: str
    here: str
    there: str


@dataclass(frozen=True)
class Terms:
    """What was agreed: by what share the plan is worth `more` to the network's own people than going alone, what it
    sends and gets, and what it promised and cannot send any more.
    """

    more: float
    sent: tuple[Part, ...]
    received: tuple[Part, ...]
    unkept: tuple[Part, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether nothing goes between the networks."""
        return not (self.sent or self.received or self.unkept)


def by_letters(rounds: int) -> Settings:
    """Return how networks plan together that exchange letters, and would go round so often."""
    return replace(BY_LETTERS, rounds=rounds)


def sessions(state: State) -> tuple[str, ...]:
    """Return the sessions of which anything was said or heard, by their first day, which is their name."""
    names = {session for said in state.letters.said.values() for session in said}
    return tuple(sorted(name for name in names if _is_day(name)))


def current(state: State, day: date) -> str:
    """Return the session that is to be gone on with on a day: the first one begun that is neither past, far ahead nor
    issued, else one of that day.
    """
    near = (name for name in sessions(state) if 0 <= (date.fromisoformat(name) - day).days <= FAR_AHEAD)
    return next((name for name in near if not standing(state, name).is_issued), day.isoformat())


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False


def standing(state: State, session: str, *, rounds: int = MOST_ROUNDS) -> Standing:
    """Return where a session stands, by what was said and heard; who takes part is whom the tables name, and whoever
    has spoken. `rounds` is how often this network would go round, if it has not begun.
    """
    letters = state.letters
    named = {row.cells.get("network", "") for row in state.rows.table("sites")}
    heard = {
        network: _steps_said(map(_raw, letters.said.get(network, {}).get(session, ())), name)
        for network, name in letters.recognised.items()
        if name in named or session in letters.said.get(network, {})
    }
    own = _steps_said(map(_raw, letters.said.get(state.network, {}).get(session, ())), own_name(state))
    is_over = any(one.step == OVER for one in own)
    done = max((one.step for one in own if one.step != OVER), default=0)
    rounds = _own_rounds(own, rounds)
    if done <= FIRST_ROUND:
        rounds = min([rounds, *(one.rounds for said in heard.values() for one in said)])
    steps = _kinds(rounds)
    partners = []
    for network, said in heard.items():
        of = len(_kinds(min([rounds, *(one.rounds for one in said)])))
        furthest = max((one.step for one in said), default=0)
        partners.append(Partner(network, letters.recognised[network], min(furthest, of), of))
    plan = PLAN.format(session=session)
    has_orders = any(order.issued is not None and order.issued.plan == plan for order in state.orders.values())
    return Standing(
        session,
        steps,
        min(done, len(steps)),
        tuple(sorted(partners, key=lambda one: (one.name.casefold(), one.network))),
        is_over or has_orders,
        is_over and not has_orders,
    )


def _own_rounds(own: Iterable[Stepped], wished: int) -> int:
    """Return how often this network goes round by the steps that it has done, as it wishes before the first: the least
    that it said until it was past the first round, since when it has been too late for less.
    """
    return min((one.rounds for one in own if one.step <= FIRST_ROUND + 1), default=wished)


def _kinds(rounds: int) -> tuple[str, ...]:
    return tuple(kind for kind, _, _ in steps_of(by_letters(rounds)))


def _steps_said(messages: Iterable[bytes], name: str) -> list[Stepped]:
    """Return what a network has said of its steps."""
    said = (stepped(raw, name) for raw in messages)
    return [one for one in said if one is not None]


def _raw(message: str) -> bytes:
    """Return the bytes of a message, none if it is no base64."""
    try:
        return base64.b64decode(message, validate=True)
    except binascii.Error:
        return b""


class Session:
    """One session of planning together, named by the first day that is planned.

    Networks know each other by the names in their tables: a network that is recognised here under another name than it
    gives itself takes no part. `today` is the day on which something is said, the first that is planned unless given.
    `refused` says of messages why they counted for nothing. Raises what `known` raises.
    """

    def __init__(
        self,
        state: State,
        day: date,
        *,
        days: int | None = None,
        settings: Settings = BY_LETTERS,
        today: date | None = None,
    ) -> None:
        self.day = day
        self.today = today or day
        self.name = day.isoformat()
        self.refused: list[str] = []
        self._state = state
        own = [_raw(message) for message in state.letters.said.get(state.network, {}).get(self.name, ())]
        self.seen = known(state, day, days=_days_told(own) or days)
        self._goods = sorted(row.good for row in self.seen.network.goods)
        chosen, _ = exports_of(state.rows)
        rounds = _own_rounds(_steps_said(own, own_name(state)), settings.rounds)
        settings = replace(settings, share=chosen.share, forbidden=chosen.forbidden, rounds=rounds)
        self._heard: set[tuple[str, str]] = set()
        self.peer = Peer(self.seen.network, self.name, settings=settings)
        self.hear(state)
        if own:
            self.peer.recall(own)

    @property
    def steps(self) -> int:
        """How many steps a session has."""
        return self.peer.steps

    def step(self) -> list[JointSaid]:
        """Do the next step with what was heard until now; return what is to be said of it, and that it is done."""
        said = [self._fact(message) for message in self.peer.next()]
        return [*said, self._fact(Message(None, self._having_done(self.peer.done)))]

    def hear(self, state: State) -> None:
        """Take in what other networks have said in this session by now."""
        self._state = state
        for network, sessions in sorted(state.letters.said.items()):
            if network == state.network:
                continue
            for message in sessions.get(self.name, ()):
                if (network, message) in self._heard:
                    continue
                self._heard.add((network, message))
                name = state.letters.recognised[network]
                try:
                    raw = base64.b64decode(message, validate=True)
                    sender = read(raw, self._goods).sender
                    if sender != name:
                        raise FederationError(f'it speaks as "{sender}"; only {sender} does')
                    self.peer.take(raw)
                except (FederationError, binascii.Error) as error:
                    self.refused.append(f"{name}: {error}")

    def agreed(self) -> Agreed:
        """Return what holds with all that was heard until now."""
        return self.peer.agreed()

    def terms(self) -> Terms:
        """Return what was agreed as people read it."""
        agreed, border = self.agreed(), self.peer.border
        units = {good.good: good.unit for good in self.seen.network.goods}

        def parts(trade: Trade, lanes: Mapping[int, CrossLane]) -> tuple[Part, ...]:
            return tuple(
                Part(good, sum(days), units[good], lanes[lane].other, lanes[lane].here, lanes[lane].there)
                for (lane, good), days in trade.items()
            )

        return Terms(
            more=(agreed.value - agreed.alone) / agreed.alone if agreed.alone else 0.0,
            sent=parts(agreed.sent, border.out),
            received=parts(agreed.received, border.into),
            unkept=parts(self.peer.unkept, border.out),
        )

    def orders(self, *, days: int = 1) -> tuple[OrderIssued, ...]:
        """Return the orders of the first days of what was agreed: within the network, and to sites of others."""
        agreed = self.agreed()
        rounded = round_trips(agreed.network, agreed.plan, days=days)
        plan = PLAN.format(session=self.name)
        orders = orders_from(rounded, agreed.network, days=days, fleet_of=self.seen.fleet_of, plan_digest=plan)
        orders = name_free_lots(orders, self.seen.not_left, self.seen.tables, rounded.plan)
        return tuple(replace(order, to_site=agreed.ends.get(order.to_site, order.to_site)) for order in orders)

    def nothing_to_issue(self) -> JointSaid:
        """Return what says, to this network alone, that the session is over although no order comes of it."""
        message = base64.b64encode(self._having_done(OVER)).decode()
        return JointSaid(self.name, message, self.today.isoformat(), self._state.network)

    def _having_done(self, steps: int) -> bytes:
        return write(Stepped(self.name, self.peer.name, self.peer.least_rounds, steps), self._goods)

    def _fact(self, message: Message) -> JointSaid:
        to = "" if message.to is None else self._state.letters.network_named(message.to)
        return JointSaid(self.name, base64.b64encode(message.raw).decode(), self.today.isoformat(), to)


def _days_told(own: Sequence[bytes]) -> int | None:
    """Return for how many days this network has begun to plan; None if it has not."""
    maps = [read(raw, []) for raw in own if raw[:1] == b"M"]
    return next((decode(said.coarse).days for said in maps if isinstance(said, MapTold)), None)
