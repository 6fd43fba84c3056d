"""A session that is taken up anew: it comes to the same, and what was promised stays promised."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest
from by_letters import DAY, DAYS, exchange, live, networks, step, took_up
from federated import FLOUR, SALT, coast, granary, keep_promises, tiny

from abasto.cli_joint import _agreed_lines
from abasto.cycle import read_state
from abasto.facts.kinds import JointSaid, OrderIssued, RowSet
from abasto.federation.border import covers, lane_id
from abasto.federation.clearing import Clearing, Flow
from abasto.federation.coarse import CoarseMap
from abasto.federation.joint import Peer
from abasto.federation.levels import Kept, plan_carefully
from abasto.federation.messages import Message, Said, Stepped, Told, read, write
from abasto.federation.session import BY_LETTERS, FAR_AHEAD, Session, current, sessions, standing
from abasto.federation.settings import Settings, steps_of
from abasto.journal.journal import Journal
from abasto.network import Fleet, Need, Network, Stock, Supply
from abasto.planner.check import check_plan
from abasto.planner.keep import plan_keeping
from abasto.planner.make import make_plan
from abasto.planner.plan import Plan


def bound(orders: tuple[OrderIssued, ...]) -> set[tuple[str, str, str]]:
    return {(order.from_site, order.to_site, order.departs) for order in orders}


@pytest.fixture(scope="module")
def agreed() -> tuple[dict[str, Journal], dict[str, Session], dict[str, Session]]:
    """Networks whose sessions were taken up anew for each step; those sessions, and ones that were never put down."""
    journals = networks()
    return journals, live(journals, anew=True), live(networks(), anew=False)


def test_taken_up_anew_for_every_step_it_comes_to_what_it_comes_to_at_a_stretch(
    agreed: tuple[dict[str, Journal], dict[str, Session], dict[str, Session]],
) -> None:
    _, anew, kept = agreed
    for name in anew:
        one, other = anew[name].agreed(), kept[name].agreed()
        assert (one.sent, one.received) == (other.sent, other.received)
        assert one.sent, f"{name} sends something, else this compares nothing"
        assert one.value == pytest.approx(other.value, rel=0.01)
        assert anew[name].peer.unkept == {}
        assert bound(anew[name].orders()) == bound(kept[name].orders())


def test_what_one_sends_the_others_count_on(
    agreed: tuple[dict[str, Journal], dict[str, Session], dict[str, Session]],
) -> None:
    _, anew, _ = agreed
    sent, received = (
        {key: days for session in anew.values() for key, days in getattr(session.agreed(), what).items()}
        for what in ("sent", "received")
    )
    assert sent == received


@pytest.mark.parametrize("anew", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_two_rounds_are_kept_too_and_worth_no_less_than_one(
    agreed: tuple[dict[str, Journal], dict[str, Session], dict[str, Session]], anew: bool
) -> None:
    settings = Settings(rounds=2, passes=2)
    held = live(networks(), anew=anew, steps=len(list(steps_of(settings))), settings=settings)
    two, one = [[session.agreed() for session in held.values()] for held in (held, agreed[1])]
    keep_promises(two)
    assert all(session.peer.unkept == {} for session in held.values())
    assert sum(one.value for one in two) >= sum(one.value for one in one) * (1 - 0.01)


def test_all_know_how_far_all_are(
    agreed: tuple[dict[str, Journal], dict[str, Session], dict[str, Session]],
) -> None:
    journals, _, _ = agreed
    for journal in journals.values():
        stands = standing(read_state(journal), DAY.isoformat())
        assert (stands.done, stands.next, stands.awaited(), stands.is_issued) == (6, "", (), False)
        assert [one.steps for one in stands.partners] == [6, 6]


def commitments(journal: Journal) -> list[Said]:
    goods = sorted(row.good for row in took_up(journal).seen.network.goods)
    state = read_state(journal)
    own = state.letters.said[state.network][DAY.isoformat()]
    said = [read(raw, goods) for raw in map(_bytes, own)]
    return [one for one in said if isinstance(one, Told) and one.kind == "commit"]


def _bytes(message: str) -> bytes:
    return base64.b64decode(message)


def test_what_cannot_be_sent_once_it_was_committed_to_is_told_and_no_commitment_is_taken_back() -> None:
    journals = networks()
    live(journals, anew=True, steps=5)
    hills = journals["Hills"]
    before = commitments(hills)
    assert before
    fleets = [row.cells for row in read_state(hills).rows.table("fleets")]
    small = [RowSet("fleets", {**cells, "payload_t": "0.001"}, DAY.isoformat()) for cells in fleets]
    hills.append(small, time=0)
    session = took_up(hills)
    committed = session.peer._committed
    assert set(session.peer.unkept) == set(committed)
    assert all(sum(days) > 0.9 * sum(committed[key]) for key, days in session.peer.unkept.items())
    hills.append(session.step(), time=0)
    assert commitments(hills) == before
    after = took_up(hills)
    assert after.peer._committed == committed


def test_what_is_missing_is_told_though_nothing_else_goes_between_the_networks() -> None:
    session = took_up(networks()["Hills"])
    lane, out = next(iter(session.peer.border.out.items()))
    good = session.seen.network.goods[0].good
    session.peer.unkept = {(lane, good): (1000.0,) * DAYS}
    [_, told] = _agreed_lines(session, is_final=True)
    assert f"{DAYS},000" in told
    assert f"of {good} that were promised to {out.other} are not there" in told


def test_where_nobody_answers_each_step_still_counts(
    agreed: tuple[dict[str, Journal], dict[str, Session], dict[str, Session]],
) -> None:
    journals = networks()
    for _ in range(6):
        step(journals["Vale"])
    session = took_up(journals["Vale"])
    assert (session.peer.done, session.agreed().sent, session.agreed().received) == (6, {}, {})
    state = read_state(journals["Vale"])
    said = list(state.letters.said[state.network][DAY.isoformat()])
    own = [read(_bytes(one), []) for one in said[-1:]]
    assert own == [Stepped(DAY.isoformat(), "Vale", 1, 6)]


TO_COAST = lane_id("valley", "square", "coast", "harbour")


def asked(tables: Network, *flows: tuple[str, float, float]) -> Peer:
    """Return a network of which so much of some goods is asked in the time that is planned, at some prices."""

    def clearing(maps: Iterable[CoarseMap], common: Network) -> Clearing:
        return Clearing({}, tuple(Flow(TO_COAST, good, (amount,), price) for good, amount, price in flows))

    return Peer(tables, "test", settings=Settings(rounds=1, passes=3), clearing=clearing)


def said_in_two_passes(peer: Peer) -> list[bytes]:
    own = [message.raw for _ in range(3) for message in peer.next()]
    return [*own, write(Stepped("test", peer.name, 1, 3), [])]


@pytest.mark.parametrize("broken", [6, 7, 9, 11])
def test_taken_up_after_a_round_that_asked_nothing_more_of_it_a_network_sends_what_it_promised_before(
    broken: int,
) -> None:
    """The valley is asked for flour in the first round only, the coast for salt in the second only."""
    to_valley = lane_id("coast", "harbour", "valley", "mill")
    salted = Need(site="mill", good=SALT, quantity=500.0, people=1000)
    valley = granary(supplies=granary().supplies[:1], needs=(*granary().needs, salted))
    carts = Fleet(fleet="carts", vehicles=3, payload_t=5.0, mode="coast road")
    port = coast(stocks=(Stock(site="harbour", good=SALT, quantity=20_000.0),), fleets=(*coast().fleets, carts))
    first: dict[str, str] = {}

    def clearing(maps: Iterable[CoarseMap], common: Network) -> Clearing:
        digests = {one.network: one.digest for one in maps}
        flows = (Flow(TO_COAST, FLOUR, (6000.0,), 1e6), Flow(to_valley, SALT, (1600.0,), 1e6))
        return Clearing(digests, flows[:1] if digests == (first or first.update(digests) or first) else flows[1:])

    own: dict[str, list[bytes]] = {"valley": [], "coast": []}
    came: dict[str, list[bytes]] = {"valley": [], "coast": []}

    def anew() -> dict[str, Peer]:
        peers = {}
        for network in (valley, port):
            peer = peers[network.name] = Peer(network, "test", settings=Settings(rounds=2, passes=2), clearing=clearing)
            for raw in came[peer.name]:
                peer.take(raw)
            peer.recall(own[peer.name])
        return peers

    peers = anew()
    for number in range(peers["valley"].steps):
        peers = anew() if number == broken else peers
        said = [(name, message) for name, peer in peers.items() for message in peer.next()]
        for name, peer in peers.items():
            own[name] += [message.raw for sender, message in said if sender == name]
            own[name].append(write(Stepped("test", name, 1, number + 1), []))
            heard = [message.raw for sender, message in said if sender != name]
            came[name] += heard
            for raw in heard:
                peer.take(raw)
    agreed = {name: peer.agreed() for name, peer in peers.items()}
    keep_promises(list(agreed.values()))
    assert agreed["coast"].received == agreed["valley"].sent
    assert {good for _, good in agreed["valley"].sent} == {FLOUR}
    assert agreed["valley"].received == agreed["coast"].sent
    for name, peer in anew().items():
        assert covers(peer.agreed().sent, peer._committed)
        assert peer.agreed().value == pytest.approx(agreed[name].value, rel=0.01)


def promises(messages: list[Message]) -> list[Told]:
    said = [read(message.raw, sorted(row.good for row in granary().goods)) for message in messages]
    return [one for one in said if isinstance(one, Told) and one.kind == "promise"]


def test_what_was_promised_and_what_is_asked_now_fit_on_the_lane_together() -> None:
    tables = granary()
    lanes = tuple(
        lane.model_copy(update={"tonnes": 4.0}) if lane.to_site == "harbour" else lane for lane in tables.lanes
    )
    tables = replace(tables, lanes=lanes)
    own = said_in_two_passes(asked(tables, (FLOUR, 8000.0, 500.0)))
    peer = asked(tables, (SALT, 16000.0, 500.0))
    peer.recall(own)
    [told] = promises(peer.next())
    by_day = [sum(days) for days in zip(*told.trade.values(), strict=True)]
    assert {good for _, good in told.trade} == {FLOUR, SALT}
    assert max(by_day) <= 4000.0


def test_taken_up_in_the_middle_of_a_later_round_what_is_asked_in_it_comes_on_top_of_earlier_promises() -> None:
    first: dict[str, str] = {}

    def clearing(maps: Iterable[CoarseMap], common: Network) -> Clearing:
        digests = {one.network: one.digest for one in maps}
        if digests == (first or first.update(digests) or first):
            return Clearing(digests, (Flow(TO_COAST, FLOUR, (6000.0,), 1e7),))
        return Clearing(digests, tuple(Flow(TO_COAST, good, (2000.0,), 1e7) for good in (FLOUR, SALT)))

    def valley(flour: float) -> Peer:
        has = {FLOUR: flour, SALT: 4000.0}
        tables = granary(supplies=tuple(Supply(site="mill", good=good, quantity=much) for good, much in has.items()))
        return Peer(tables, "test", settings=Settings(rounds=2, passes=2), clearing=clearing)

    def amount(told: list[Told]) -> float:
        return sum(told[-1].trade[TO_COAST, FLOUR])

    peer = valley(750.0)
    said = [message for _ in range(6) for message in peer.next()]
    own = [message.raw for message in said]
    earlier = amount(promises(said))
    assert earlier > 2000.0, "else the larger of both would be enough"
    assert (TO_COAST, SALT) in promises(said)[-1].trade, "something is promised in the later round already"
    resumed = valley(9000.0)  # More has come since.
    resumed.recall([*own, write(Stepped("test", "valley", 2, 6), [])])
    assert amount(promises(resumed.next())) == pytest.approx(earlier + 2000.0, rel=0.05)


def test_what_was_promised_is_sent_though_nobody_asks_for_it_any_more() -> None:
    scarce = granary(supplies=(Supply(site="mill", good=FLOUR, quantity=700.0),))
    own = said_in_two_passes(asked(scarce, (FLOUR, 1600.0, 1e7)))
    peer = asked(scarce)
    peer.recall([*own, write(Stepped("test", "valley", 1, 4), [])])
    [level] = peer._rounds[0].levels
    handed = sum(
        row["quantity"] for row in level.plan.deliveries.rows() if row["site"] in {gate.name for gate in level.gates}
    )
    assert handed >= sum(sum(days) for days in level.sent.values()) * (1 - 1e-6) > 1500


def test_beside_what_was_told_a_network_plans_for_its_own_people_as_ever() -> None:
    """A plan in which what was told is worth a thousandfold is near enough to the best with its own people short."""
    scarce = granary(supplies=(Supply(site="mill", good=FLOUR, quantity=700.0),))
    own = said_in_two_passes(asked(scarce, (FLOUR, 1600.0, 1e7)))
    peer = asked(scarce)
    plans: list[tuple[Network, Kept | None]] = []

    def plan(network: Network, kept: Kept | None) -> Plan:
        plans.append((network, kept))
        return plan_carefully(network, kept)

    peer._plan_of = plan
    peer.recall([*own, write(Stepped("test", "valley", 1, 4), [])])
    [level] = peer._rounds[0].levels
    gates = {gate.name for gate in level.gates}

    def reward(network: Network) -> float:
        return max(need.people for need in network.needs if need.site in gates and need.people is not None)

    hard, last = plans[-2:]
    assert (hard[1], last[0]) == (None, level.network)
    assert last[1] is not None
    assert last[1].sites == gates
    assert reward(level.network) <= reward(hard[0]) / 1000


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2])
def test_taken_up_anew_with_the_solver_that_searches_nobody_is_worse_off(seed: int) -> None:
    """Neither than alone, nor than in a session that was never put down."""
    gap = 0.003

    def plan(network: Network, kept: Kept | None) -> Plan:
        if kept is None:
            return make_plan(network, gap=gap, solver="equilibrium")
        return plan_keeping(network, kept.plan, kept.sites, gap=gap, solver="equilibrium").plan

    members = tiny(seed).members
    peers = {member.name: Peer(member, "test", settings=BY_LETTERS, plan=plan) for member in members}
    own: dict[str, list[bytes]] = {name: [] for name in peers}
    came: dict[str, list[bytes]] = {name: [] for name in peers}
    for number in range(6):
        said = [(name, message) for name, peer in peers.items() for message in peer.next()]
        for sender, message in said:
            own[sender].append(message.raw)
            for name in peers.keys() - {sender}:
                if message.to in (None, name):
                    came[name].append(message.raw)
                    peers[name].take(message.raw)
        for name in peers:
            own[name].append(write(Stepped("test", name, 1, number + 1), []))
    for member in members:
        peer = Peer(member, "test", settings=BY_LETTERS, plan=plan)
        for raw in came[member.name]:
            peer.take(raw)
        peer.recall(own[member.name])
        agreed, held = peer.agreed(), peers[member.name].agreed()
        assert (agreed.sent, agreed.received) == (held.sent, held.received)
        assert agreed.value >= agreed.alone * (1 - 0.001)
        # More it may well be worth: what was planned in passes kept the trips of the plans before it.
        assert agreed.value >= held.value * (1 - gap)


def test_a_promise_that_cannot_be_kept_any_more_is_neither_raised_nor_counted_on() -> None:
    own = said_in_two_passes(asked(granary(), (FLOUR, 8000.0, 500.0)))
    poor = granary(fleets=(Fleet(fleet="mill trucks", vehicles=1, payload_t=0.1),))
    peer = asked(poor, (FLOUR, 8000.0, 500.0), (SALT, 8000.0, 500.0))
    peer.recall(own)
    assert promises(peer.next()) == []
    assert peer.joint_value(0) == peer.agreed().alone


@pytest.mark.soak
@pytest.mark.parametrize(("seed", "loss"), [(0, 0.0), *((seed, 0.4) for seed in range(1, 8))])
def test_peers_that_forget_everything_between_steps_promise_nothing_that_they_do_not_send(
    seed: int, loss: float
) -> None:
    members, random = tiny(seed).members, Random(seed)
    own: dict[str, list[bytes]] = {member.name: [] for member in members}
    came: dict[str, list[bytes]] = {member.name: [] for member in members}

    def anew(member: Network) -> Peer:
        peer = Peer(member, "test", settings=BY_LETTERS)
        for raw in came[member.name]:
            peer.take(raw)
        if own[member.name]:
            peer.recall(own[member.name])
        return peer

    for number in range(6):
        said = []
        for member in members:
            peer = anew(member)
            said += [(member.name, message) for message in peer.next()]
            own[member.name] += [message.raw for sender, message in said if sender == member.name]
            own[member.name].append(write(Stepped("test", member.name, 1, number + 1), []))
        for sender, message in said:
            for name in came:
                if name != sender and message.to in (None, name) and random.random() >= loss:
                    came[name].append(message.raw)
    agreed = {member.name: anew(member) for member in members}
    sent = {key: days for peer in agreed.values() for key, days in peer.agreed().sent.items()}
    for name, peer in agreed.items():
        plan = peer.agreed()
        assert peer.unkept == {}, name
        assert covers(sent, plan.received)
        assert covers(plan.sent, peer._committed)
        assert check_plan(plan.network, plan.plan) == []
    if not loss:
        assert sent


def test_a_session_that_somebody_began_for_years_ahead_is_not_gone_on_with_by_itself() -> None:
    journals = networks()
    hills = journals["Hills"]
    for day in (DAY + timedelta(days=FAR_AHEAD), DAY + timedelta(days=FAR_AHEAD + 1), date.max):
        said = Stepped(day.isoformat(), "Vale", 1, 1)
        fact = JointSaid(day.isoformat(), base64.b64encode(write(said, [])).decode(), DAY.isoformat())
        journals["Vale"].append([fact], time=0)
    exchange(journals)
    assert date.max.isoformat() in sessions(read_state(hills))
    assert current(read_state(hills), DAY - timedelta(days=1)) == (DAY - timedelta(days=1)).isoformat()
    assert current(read_state(hills), DAY) == (DAY + timedelta(days=FAR_AHEAD)).isoformat()
