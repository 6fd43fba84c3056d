"""A network's part in a joint plan: it takes and gives messages, and each of its steps uses what has come until then.

A round: publish the map; clear the maps that came; promise, in several passes; vote. The map of a later round shows
what is left beside all that was promised before, and its promises come on top. In a pass a network plans on its
own full data, with what others have promised it so far and with gates for what the clearing asks it to send; what
that plan sends is its promise. A promise rests on earlier ones only, the first on none, and none is ever taken back:
the next plan is made around the trips and batches that stand behind it. So whatever gets lost, every promise that is
made can be kept. After the rounds each commits to the promises of the best one, again in the order in which they rest
on each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Literal

from abasto.errors import AbastoError, CheckError, FederationError, SettingError, SolverError
from abasto.federation.amounts import Asked, larger, on_top, plus, promise_of, shortfall, within_lanes
from abasto.federation.border import Border, Gate, Trade, covers
from abasto.federation.clearing import Clearing, Flow, clear, refuse_unplannable
from abasto.federation.coarse import FINENESS, CoarseMap
from abasto.federation.draw import Kind, draw_map, hours_inside, merge_sites
from abasto.federation.gates import HARD, as_handed, as_would_be_sent, gates_for, proposed, sent_through, told_gates
from abasto.federation.levels import Kept, Level, plan_carefully
from abasto.federation.messages import MapTold, Message, Stepped, Told, Voted, read, write
from abasto.federation.packed import MOST_BYTES, MOST_WHOLE, decode, encode, fits
from abasto.federation.refusals import refuse_false_lanes, refuse_foreign, refuse_unlike
from abasto.federation.settings import Settings, steps_before_second, steps_of
from abasto.federation.worth import dearest, value_at
from abasto.network import Network
from abasto.planner.left import left_beside
from abasto.planner.plan import Plan

__all__ = ["Agreed", "Peer"]

NEARLY = 1.02
"""Where a search that is not exact misses some of what was told, so much more of it is asked for once more."""


@dataclass(frozen=True)
class Agreed:
    """What a network holds in the end: its checked plan, the tables it is checked against, and what it sends and gets.

    `value` and `alone` are what this plan and the one without others are worth to its own people; `ends` has the site
    of another network that each gate in the plan stands for.
    """

    plan: Plan
    network: Network
    sent: Trade
    received: Trade
    value: float
    alone: float
    ends: Mapping[str, str]


@dataclass
class _Round:
    """What a network knows of a round."""

    maps: dict[str, CoarseMap] = field(default_factory=dict)
    promises: dict[str, Told] = field(default_factory=dict)
    votes: dict[str, Voted] = field(default_factory=dict)
    clearing: Clearing | None = None
    asked: Asked | None = None
    """What this round asks of the network, and what that had promised before this program began where it is more."""
    levels: list[Level] = field(default_factory=list)
    promised: list[Trade] = field(default_factory=list)
    """What the network itself has promised, each time all of it."""


class Peer:
    """One network in one session. Call `next` for each of its `steps`, deliver what it returns, `take` what arrives.

    `session` is a text that all who plan together have agreed on. `plan` plans a network, anew or around what an
    earlier plan hands over at some sites; `clearing` clears maps. `solves` counts plans that were made, `stuck` those
    that failed, so that the one before stands. `recall` goes on with a session that was begun before; `unkept` is then
    what the network is committed to and, by what is known now, cannot send any more.
    """

    def __init__(
        self,
        network: Network,
        session: str,
        *,
        settings: Settings | None = None,
        plan: Callable[[Network, Kept | None], Plan] | None = None,
        clearing: Callable[[Iterable[CoarseMap], Network], Clearing] = clear,
    ) -> None:
        self.settings = settings or Settings()
        self.border = Border(network)
        self.session = session
        self.solves = 0
        self.stuck = 0
        self.unkept: Trade = {}
        self._plan_of = plan or partial(plan_carefully, fairness=self.settings.fairness, gap=self.settings.gap)
        self._clear = clearing
        self._goods = sorted(row.good for row in network.goods)
        self._weight = {row.good: row.kg_per_unit / 1000 for row in network.goods}
        self._clusters = merge_sites(self.border, 1)
        self._rounds = [_Round() for _ in range(self.settings.rounds)]
        self._said_rounds: dict[str, int] = {}
        self._commits: dict[str, Told] = {}
        self._committed: Trade = {}
        self._chosen: int | None = None
        self._steps = list(steps_of(self.settings))
        self._at = 0
        self._alone = self._level({}, [])

    @property
    def name(self) -> str:
        """The network's name."""
        return self.border.network.name

    @property
    def steps(self) -> int:
        """How many steps a session has."""
        return len(self._steps)

    @property
    def least_rounds(self) -> int:
        """How often all go round, as far as is heard: the network itself may be in a later round already."""
        return min([self.settings.rounds, *self._said_rounds.values()])

    @property
    def done(self) -> int:
        """How many steps were done."""
        return self._at

    def next(self) -> list[Message]:
        """Do the next step with what has come until now, and return what others are to hear of it.

        After the last one, each further step commits to what late messages have made possible.
        """
        if self._at <= steps_before_second(self.settings):
            self._settle_rounds()
        kind, turn, number = self._steps[self._at] if self._at < len(self._steps) else ("commit", 0, self._at)
        self._at += 1
        if self.settings.share == "nothing":
            return []
        match kind:
            case "map":
                return self._publish(turn)
            case "pass":
                return self._promise(turn, number)
            case "vote":
                return self._vote(turn)
            case _:
                return self._commit(number)

    def take(self, raw: bytes) -> None:
        """Take a message in; doubled, late and older ones change nothing, and damaged ones raise `FederationError`."""
        said = read(raw, self._goods)
        if said.session != self.session or said.sender == self.name:
            return
        if isinstance(said, Stepped):
            self._said_rounds[said.sender] = min(said.rounds, self._said_rounds.get(said.sender, said.rounds))
            return
        if said.round >= len(self._rounds):  # Its sender has yet to hear that somebody would not go round so often.
            return
        held = self._rounds[said.round]
        if isinstance(said, MapTold):
            coarse = decode(said.coarse)
            if coarse.network != said.sender:
                raise FederationError(f'"{said.sender}" sent a map of "{coarse.network}"')
            refuse_unlike(coarse, self.border.network, self.settings)
            refuse_false_lanes(coarse, self.border)
            refuse_unplannable(coarse, self.border.network)
            held.maps.setdefault(said.sender, coarse)
        elif isinstance(said, Voted):
            held.votes.setdefault(said.sender, said)
        else:
            refuse_foreign(said.sender, said.trade, self.border)
            heard = held.promises if said.kind == "promise" else self._commits
            older = heard.get(said.sender)
            if older is None or (said.round, said.number) > (older.round, older.number):
                heard[said.sender] = said

    def recall(self, own: Iterable[bytes]) -> None:
        """Go on where this network was in the session when it had said `own`, in that order; what others said has been
        taken already.

        Plans are made anew, from what is known now, and keep what was told: promises, if they still can, and
        commitments, as far as they can. Raises `FederationError` if a lane of which it spoke is there no more.
        """
        told: dict[tuple[str, int, int], dict[tuple[int, str], tuple[float, ...]]] = {}
        for raw in own:
            said = read(raw, self._goods)
            if isinstance(said, Stepped):
                self._at = max(self._at, said.step)
            elif said.round >= len(self._rounds):  # Another device of this network went round more often.
                continue
            elif isinstance(said, MapTold):
                self._rounds[said.round].maps[self.name] = decode(said.coarse)
            elif isinstance(said, Voted):
                self._rounds[said.round].votes[self.name] = said
            else:
                told.setdefault((said.kind, said.round, said.number), {}).update(said.trade)
        if any(lane not in self.border.out for trade in told.values() for lane, _ in trade):
            raise FederationError("a lane on which something was promised is not in table lanes any more; set it again")
        for (kind, turn, _), trade in sorted(told.items(), key=lambda one: one[0]):
            if kind == "promise":
                self._rounds[turn].promised.append(trade)
            else:
                self._committed, self._chosen = trade, turn
        if self._chosen is None and any(kind == "commit" for kind, _, _ in self._steps[: self._at]):
            self._chosen = self._best_round()
        to_promise = {turn for kind, turn, _ in self._steps[self._at :] if kind == "pass"}
        for turn, held in enumerate(self._rounds):
            if turn not in to_promise:
                held.levels = self._remade(turn)

    def agreed(self) -> Agreed:
        """Return what holds now: going alone, until commitments that rest on nothing unheard say better."""
        told = [level for level in self._standing() if covers(self._committed, level.sent)]
        level = told[-1] if told else self._alone
        received = {key: days for told in self._commits.values() for key, days in told.trade.items()}
        ends = {gate.name: self.border.out[gate.lane].there for gate in level.gates}
        return Agreed(level.plan, level.network, level.sent, received, level.value, self._alone.value, ends)

    def clearing_digest(self, turn: int) -> str:
        """Return the name of the clearing of a round, empty before there is one."""
        clearing = self._rounds[turn].clearing
        return "" if clearing is None else clearing.digest

    def joint_value(self, turn: int) -> float:
        """Return what a round's plan is worth to the network's own people, whether it was the one agreed on or not."""
        return self._newest(turn).value

    # The steps

    def _settle_rounds(self) -> None:
        """Go round no more often than any network would that has been heard."""
        self.settings = replace(self.settings, rounds=self.least_rounds)
        del self._rounds[self.settings.rounds :]
        self._steps = list(steps_of(self.settings))

    def _publish(self, turn: int) -> list[Message]:
        """Publish the finest map that fits: single sites if it can be, else two or three of them to a node; and amounts
        as fine as they then can be.
        """
        is_whole = self.settings.share == "whole"
        most = MOST_WHOLE if is_whole else MOST_BYTES
        left = self._left(turn)
        for together in range(1, 1 + (1 if is_whole else self.settings.together)):
            self._clusters = merge_sites(self.border, together)
            maps = (self._draw(left, turn, fineness) for fineness in FINENESS)
            coarse = next((one for one in maps if fits(one, most)), None)
            if coarse is not None:
                break
        else:
            coarse = self._draw(left, turn, FINENESS[-1])
        self._rounds[turn].maps[self.name] = coarse
        return [Message(None, write(MapTold(self.session, self.name, turn, encode(coarse, most)), self._goods))]

    def _draw(self, left: Border, turn: int, fineness: int) -> CoarseMap:
        settings = self.settings
        return draw_map(
            left,
            self._clusters,
            self._kept_back(turn),
            periods=settings.periods,
            fairness=settings.fairness,
            fineness=fineness,
            alone=self._newest(turn - 1).plan,
            forbidden=settings.forbidden,
            offers_only=settings.share == "offers",
        )

    def _left(self, turn: int) -> Border:
        """Return the network with what earlier rounds' promises leave, those to it included."""
        newest = self._newest(turn - 1)
        if self.settings.share == "offers" or not (newest.sent or newest.relied):
            return self.border
        left = left_beside(newest.network, newest.plan, {gate.name for gate in newest.gates})
        has = {table: getattr(left, table) for table in ("supplies", "stocks", "plants", "labour", "fleets")}
        return Border(replace(self.border.network, **has))

    def _promise(self, turn: int, number: int) -> list[Message]:
        held = self._rounds[turn]
        if held.clearing is None and not held.promised and self._waits(held, number):
            return []
        asked = self._asked_in(turn)
        received = self._promised_here(turn)
        last = None if held.promised and not held.levels else self._last(turn)
        if last is not None and last.relied == received and (held.levels or not asked):
            return []
        promised = last.sent if last is not None else held.promised[-1] if held.promised else {}
        if last is None and promised:  # Promised before this program began.
            last = self._holding(turn, received, promised)
            if last is None or not covers(last.sent, promised):
                return []
            held.levels.append(replace(last, sent=promised))
        if last is None and not asked and not received:
            held.levels.append(self._alone)
            return []
        level = self._next_level(received, gates_for(asked, self.border, self.settings, turn), last)
        if level is None or not covers(level.sent, promised):
            return []
        before = self._newest(turn - 1).sent
        more = promise_of(shortfall(level.sent, before), asked)
        level = replace(level, sent=larger(promised, plus(before, more)))
        if level.sent == promised and last is not None and level.value < last.value:
            return []
        held.levels.append(level)
        if level.sent == promised:
            return []
        held.promised.append(level.sent)
        return self._tell("promise", turn, number, level.sent)

    def _waits(self, held: _Round, number: int) -> bool:
        """Return whether to clear later, for maps of neighbours are still on their way: for half of the passes but
        one at most.
        """
        neighbours = {lane.other for lanes in (self.border.out, self.border.into) for lane in lanes.values()}
        return not neighbours <= held.maps.keys() and number < (self.settings.passes - 1) // 2

    def _next_level(self, received: Trade, gates: list[Gate], last: Level | None) -> Level | None:
        """Plan with what is received and all that the last plan sends, by its other gates no more than that; None, and
        nothing changes, if that fails.
        """
        if last is None:
            kept, closed = None, []
        else:
            names = {gate.name for gate in gates}
            closed = [gate for gate in as_handed(last.plan, last.gates) if gate.name not in names]
            kept = Kept(last.plan, frozenset(gate.name for gate in last.gates))
        try:
            return self._level(received, [*gates, *closed], kept)
        except (CheckError, SettingError, SolverError):
            self.stuck += 1
            return None

    def _vote(self, turn: int) -> list[Message]:
        held = self._rounds[turn]
        vote = Voted(
            self.session, self.name, turn, self.clearing_digest(turn), self._alone.value, self.joint_value(turn)
        )
        held.votes[self.name] = replace(vote, alone=float(round(vote.alone)), joint=float(round(vote.joint)))
        return [Message(None, write(vote, self._goods))]

    def _commit(self, number: int) -> list[Message]:
        if self._chosen is None:
            self._chosen = self._best_round()
        standing = self._standing()
        sent = standing[-1].sent if standing else {}
        if self._chosen is None or sent == self._committed or not covers(sent, self._committed):
            return []
        self._committed = sent
        return self._tell("commit", self._chosen, number, self._committed)

    # What they rest on

    def _best_round(self) -> int | None:
        """Return the round worth most to all whose maps came, if more than alone and if all their votes came too; of
        those that all go round.
        """
        rounds = self._rounds[: self.least_rounds]
        members = sorted({name for held in rounds for name in held.maps})
        if not all(set(members) <= set(held.votes) for held in rounds):
            return None
        gains = [sum(held.votes[name].joint - held.votes[name].alone for name in members) for held in rounds]
        return gains.index(max(gains)) if max(gains) > 0 else None

    def _standing(self) -> list[Level]:
        """Return the levels of the chosen round that rest on nothing but what others have committed to."""
        if self._chosen is None:
            return []
        heard = self._received(self._commits.values(), self._chosen)
        return [level for level in self._ladder(self._chosen) if covers(heard, level.relied)]

    def _ladder(self, turn: int) -> list[Level]:
        """Return the levels up to a round, each of which rests on those of others before it."""
        return [level for held in self._rounds[: turn + 1] for level in held.levels]

    def _last(self, turn: int) -> Level | None:
        return next(reversed(self._ladder(turn)), None)

    def _newest(self, turn: int) -> Level:
        """Return the last level up to a round, that alone if there is none."""
        return self._last(turn) or self._alone

    def _remade(self, turn: int) -> list[Level]:
        """Return plans that keep what was told by a round, in it or before: the first promise with nothing of others,
        and what was told since with what is sure by now, and with what is promised.
        """
        held = self._rounds[turn]
        before = next((one.promised[-1] for one in reversed(self._rounds[:turn]) if one.promised), {})
        first, last = (held.promised[0], held.promised[-1]) if held.promised else (before, before)
        bound = self._committed if self._chosen == turn else {}
        promised, sure = self._promised_here(turn), self._received(self._commits.values(), turn)
        levels: list[Level] = []
        for relied, sent in (({}, first), (sure, bound or first), (sure, last), (promised, last)):
            if any((level.relied, level.sent) == (relied, sent) for level in levels):
                continue
            level = self._holding(turn, relied, sent) if relied or sent else self._alone
            missing = (
                {} if level is not None and covers(level.sent, sent) else shortfall(sent, level.sent if level else {})
            )
            is_bound = bool(bound) and (relied, sent) == (sure, bound)
            if is_bound:
                self.unkept = missing
            if level is not None and (is_bound or not missing):
                # Once more around what was told: beside a thousandfold reward its own people were planned loosely.
                again = self._next_level(relied, [], level) if level.gates else None
                levels.append(replace(again if again and covers(again.sent, level.sent) else level, sent=sent))
        return levels

    def _holding(self, turn: int, relied: Trade, told: Trade) -> Level | None:
        """Return a plan, made from what is known now, that comes as near as it can to what was told; None if none can
        be made.
        """
        asked = self._asked_in(turn)
        if not self._rounds[turn].promised:  # It was told in an earlier round.
            asked = self._at_least(asked, told)
        dear = {
            (lane, good): (rates, replace(flow, price=max(flow.price, self._dearest[good])))
            for (lane, good), (rates, flow) in asked.items()
        }
        level = None
        for at_price, more in ((asked, 1.0), (dear, 1.0), (dear, NEARLY)):
            try:
                level = self._level(
                    relied, told_gates(gates_for(at_price, self.border, self.settings, turn), told, more)
                )
                usual = [replace(gate, people=gate.people / HARD) for gate in level.gates]
                level = replace(level, gates=tuple(usual))
            except (CheckError, SolverError):
                self.stuck += 1
                continue
            if covers(level.sent, told):
                break
        return level

    def _asked_in(self, turn: int) -> Asked:
        """Return what is asked of this network in a round: the same from its first pass to its last, so that gates keep
        their names.
        """
        held = self._rounds[turn]
        if held.clearing is None:
            held.clearing = self._cleared([coarse for _, coarse in sorted(held.maps.items())])
        if held.asked is None:
            promised = held.promised[-1] if held.promised else {}
            newest = self._newest(turn - 1)  # It may send some grains of what is asked more than it promised.
            beside = sent_through(newest.plan, newest.gates)
            likely = self._likely(held.clearing, beside, turn)
            if promised:  # In it is what was promised before this round, on top of which comes what is asked in it.
                likely = on_top(likely, newest.sent)
            told = self._at_least(likely, promised)
            held.asked = within_lanes(told, promised, {} if promised else beside, self.border.out, self._weight)
        return held.asked

    def _likely(self, clearing: Clearing, beside: Trade, turn: int) -> Asked:
        """Return what a clearing asks of this network, as far as it would send it if all that is proposed to it came.

        Else first promises, made before anything has come, would take lorries that are needed for what does.
        """
        own = self._rounds[0].maps.get(self.name)
        if own is None:  # It showed nothing when the others drew up what they propose.
            return {}
        may_go = {
            (lane, good): one
            for (lane, good), one in proposed(clearing, own, self.border.out).items()
            if good not in self.settings.forbidden
        }
        asked = within_lanes(may_go, {}, beside, self.border.out, self._weight)
        coming = {key: rates for key, (rates, _) in proposed(clearing, own, self.border.into).items()}
        if not asked or not coming:
            return asked
        gates = gates_for(asked, self.border, self.settings, turn)
        level = self._next_level(plus(self._promised_here(turn - 1), coming), gates, self._last(turn - 1))
        return asked if level is None else as_would_be_sent(asked, sent_through(level.plan, gates))

    def _cleared(self, maps: list[CoarseMap]) -> Clearing:
        """Return the clearing of some maps. Where one says what cannot be, or what no plan can be made of, it is that
        of all but the first without which there is one, or proposes nothing: the same for whoever holds the same maps.
        """
        for without in (None, *maps):
            try:
                return self._clear([coarse for coarse in maps if coarse is not without], self.border.network)
            except (AbastoError, ValueError, ArithmeticError):
                self.stuck += 1
        return Clearing({coarse.network: coarse.digest for coarse in maps}, ())

    def _at_least(self, asked: Asked, told: Trade) -> Asked:
        """Return what is asked, and what was told where that is more: a map that came late may have changed what is."""
        both = dict(asked)
        for (lane, good), days in told.items():
            rates, flow = asked.get((lane, good), ((0.0,) * len(days), Flow(lane, good, (), self._dearest[good])))
            both[lane, good] = (tuple(max(pair) for pair in zip(rates, days, strict=True)), flow)
        return both

    @cached_property
    def _dearest(self) -> Mapping[str, float]:
        return dearest(self.border.alone, self.settings.fairness)

    def _promised_here(self, turn: int) -> Trade:
        """Return what others have promised by a round; each promise says all that its sender sends."""
        newest: dict[str, Told] = {}
        for held in self._rounds[: turn + 1]:
            newest.update(held.promises)
        return {key: days for told in newest.values() for key, days in told.trade.items()}

    def _received(self, told: Iterable[Told], turn: int) -> Trade:
        """Return what others say they send here in a round."""
        arriving: dict[tuple[int, str], tuple[float, ...]] = {}
        for said in told:
            if said.round == turn:
                arriving.update(said.trade)
        return arriving

    def _tell(self, kind: Literal["promise", "commit"], turn: int, number: int, sent: Trade) -> list[Message]:
        by_receiver: dict[str, dict[tuple[int, str], tuple[float, ...]]] = {}
        for key, days in sent.items():
            by_receiver.setdefault(self.border.out[key[0]].other, {})[key] = days
        return [
            Message(name, write(Told(self.session, self.name, kind, turn, number, trade), self._goods))
            for name, trade in sorted(by_receiver.items())
        ]

    def _kept_back(self, turn: int) -> Mapping[Kind, list[float]]:
        """Return the hours that stay inside the nodes: as in the plan at hand, at first the mean of having nothing
        and everything from others. In later rounds those that promises take there count twice: too few are shown.
        """
        periods = self.settings.periods
        if newest := self._last(turn - 1):
            return hours_inside(newest.plan, self._clusters, periods)
        hours = hours_inside(self._alone.plan, self._clusters, periods)
        if not self.border.into:
            return hours
        full = hours_inside(self._with_everything.plan, self._clusters, periods)
        none = [0.0] * periods
        return {
            kind: [(a + b) / 2 for a, b in zip(hours.get(kind, none), full.get(kind, none), strict=True)]
            for kind in hours.keys() | full.keys()
        }

    @cached_property
    def _with_everything(self) -> Level:
        return self._level(self.border.more_than_needed(), [])

    def _level(self, received: Trade, gates: list[Gate], kept: Kept | None = None) -> Level:
        """Plan with what is received and these gates."""
        network = self.border.trading(gates, received)
        plan = self._plan_of(network, kept)
        self.solves += 1
        value = value_at(network, plan, self.border.own, self.settings.fairness)
        return Level(received, sent_through(plan, gates), plan, network, value, tuple(gates))
