"""A joint plan: what was promised is kept, nothing is promised twice, and nobody together is worse off than alone."""

from __future__ import annotations

import base64
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from benchmarks.joint import Session, hold
from federated import BREAD, FLOUR, SALT, coast, granary, keep_promises, tiny
from hypothesis import given
from hypothesis import strategies as st

from abasto.errors import FederationError, SolverError
from abasto.facts.kinds import LONGEST_LETTER, JointSaid, LetterHeard, body_of
from abasto.federation.border import Border, lane_id
from abasto.federation.clearing import Clearing, Flow
from abasto.federation.coarse import INTO, OUT, CoarseMap
from abasto.federation.gates import as_would_be_sent
from abasto.federation.joint import Agreed, Peer
from abasto.federation.levels import Kept, plan_carefully
from abasto.federation.messages import MapTold, Told, Voted, read, write
from abasto.federation.packed import MOST_BYTES, MOST_WHOLE, decode, encode, fits
from abasto.federation.settings import Settings
from abasto.journal.signing import LARGEST, MOST_DEPS, Device, make_entry
from abasto.network import Fleet, Good, Lane, Need, Network, Reserve, Site, Stock, Supply
from abasto.planner.check import check_plan
from abasto.planner.make import make_plan
from abasto.planner.plan import Plan

GOODS = sorted((BREAD, FLOUR, SALT))
ONE = Settings(periods=1, rounds=1, passes=3)
TWO = Settings(periods=1, rounds=2, passes=3)


def together(members: Sequence[Network], settings: Settings = ONE, **carrier: float) -> Session:
    return hold([Peer(member, "test", settings=settings) for member in members], **carrier)  # type: ignore[arg-type]


def coverage(agreed: Agreed, site: str, need: str) -> float:
    rows = [row for row in agreed.plan.coverage.rows() if (row["site"], row["need"]) == (site, need)]
    return float(sum(row["met"] for row in rows) / sum(row["needed"] for row in rows))


def holds(session: Session) -> None:
    """Every plan passes the check, sends all that its network is bound to, and nobody counts on more than is sent."""
    keep_promises(list(session.agreed.values()))
    for agreed in session.agreed.values():
        taken = {row.site for row in agreed.network.supplies}
        assert taken <= {row.site for row in agreed.network.sites}


def test_the_hungry_port_is_fed_and_the_mill_town_keeps_its_bread() -> None:
    session = together([granary(), coast()])
    holds(session)
    port = session.agreed["coast"]
    assert coverage(port, "harbour", BREAD) > 0.9
    assert port.value > 1.5 * port.alone
    assert coverage(session.agreed["valley"], "square", BREAD) > 0.99
    assert session.agreed["valley"].sent
    assert session.agreed["valley"].sent == port.received


def test_all_names_of_a_clearing_are_one() -> None:
    peers = [Peer(member, "test", settings=ONE) for member in (granary(), coast())]
    hold(peers)
    assert len({peer.clearing_digest(0) for peer in peers}) == 1
    assert peers[0].clearing_digest(0)


@pytest.mark.parametrize("loss", [0.0, 0.4, 0.9])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_together_is_never_below_alone_once_what_was_lost_has_come(seed: int, loss: float) -> None:
    session = together(tiny(seed).members, loss=loss, seed=seed, late=4)
    holds(session)
    assert session.value >= sum(agreed.alone for agreed in session.agreed.values()) * (1 - 1e-9)
    if loss == 0.0:
        assert session.value > sum(agreed.alone for agreed in session.agreed.values())


@pytest.mark.parametrize("loss", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 4))])
def test_with_messages_missing_at_the_end_no_plan_rests_on_what_nobody_sends(seed: int, loss: float) -> None:
    holds(together([granary(), coast()], loss=loss, seed=seed))
    holds(together(tiny(0).members, loss=loss, seed=seed))


@pytest.mark.parametrize("loss", [0.2, 0.6])
def test_nor_with_two_rounds(loss: float) -> None:
    holds(together(tiny(4).members, TWO, loss=loss))


def test_a_second_round_promises_more_on_top_of_the_first() -> None:
    lane = lane_id("valley", "square", "coast", "harbour")
    shown: list[float] = []

    def asks(maps: Iterable[CoarseMap], common: Network) -> Clearing:
        maps = sorted(maps, key=lambda one: one.network)
        flour = [one.amount(much) for one in maps for good, _, much in one.tables["supplies"] if GOODS[good] == FLOUR]
        shown.append(sum(flour))
        amount = 6000.0 if max(flour) > 33_000 else 2000.0
        return Clearing({one.network: one.digest for one in maps}, (Flow(lane, FLOUR, (amount,), 1e6),))

    def sent(rounds: int) -> float:
        settings = Settings(rounds=rounds, passes=2)
        session = hold([Peer(one, "test", settings=settings, clearing=asks) for one in (granary(), coast())])
        holds(session)
        assert session.agreed["coast"].received == session.agreed["valley"].sent
        return sum(map(sum, session.agreed["valley"].sent.values()))

    assert sent(1) == pytest.approx(6000.0, rel=0.05)
    assert sent(2) == pytest.approx(6000.0 + 2000.0, rel=0.05)
    first, later = max(shown), min(shown)
    assert first == pytest.approx(4 * 9300.0, rel=0.03)
    assert later == pytest.approx(4 * 9300.0, rel=0.03), "what the valley sends, the coast has"


def test_what_two_rounds_send_fits_on_the_lane_with_what_the_first_sends_beyond_its_promise() -> None:
    """The valley has 3.978 t of flour a day, of which the first round can promise 98 % of 4 t: 3.92 t."""
    lane = lane_id("valley", "square", "coast", "harbour")
    lanes = tuple(
        row.model_copy(update={"tonnes": 4.0}) if row.to_site == "harbour" else row for row in granary().lanes
    )
    supplies = (Supply(site="mill", good=FLOUR, quantity=3978.0), *granary().supplies[1:])
    first: list[str] = []

    def asks(maps: Iterable[CoarseMap], common: Network) -> Clearing:
        digests = {one.network: one.digest for one in maps}
        first.append(digests["valley"])
        good = FLOUR if digests["valley"] == first[0] else SALT
        return Clearing(digests, (Flow(lane, good, (16_000.0,), 1e6),))

    settings = Settings(rounds=2, passes=1)
    members = (granary(lanes=lanes, supplies=supplies), coast())
    valley = hold([Peer(one, "test", settings=settings, clearing=asks) for one in members]).agreed["valley"]
    assert {good for _, good in valley.sent} == {FLOUR, SALT}
    by_day = Counter({row["departs"]: 0.0 for row in valley.plan.shipments.rows()})
    for row in valley.plan.shipments.rows():
        by_day[row["departs"]] += row["quantity"] / 1000 if "→" in row["to"] else 0.0
    assert max(by_day.values()) <= 4.0 * (1 + 1e-6)


def test_a_second_round_is_worth_about_as_much_or_more_and_the_better_one_is_taken() -> None:
    for seed in range(3):
        session = together(tiny(seed).members, TWO)
        holds(session)
        first, second = session.by_round
        assert second >= first * (1 - 1e-4)
        assert session.value == pytest.approx(max(first, second), rel=1e-9)


def member(name: str, **tables: Any) -> Network:
    changes = dict.fromkeys(("needs", "supplies", "plants"), ())
    return replace(granary(), name=name, **{**changes, **tables})


def bakery_depot_town() -> tuple[Network, ...]:
    """A bakery; a depot with salt and one lorry; and a town, which needs bread more than salt: each a network."""
    to_depot, to_town = (
        Lane(from_site="bakery", to_site="depot", hours=1.0, two_way=False),
        Lane(from_site="depot", to_site="town", hours=4.0, two_way=False),
    )
    bakery, depot, town = (Site(site=name) for name in ("bakery", "depot", "town"))
    lorry = (Fleet(fleet="lorry", vehicles=1, payload_t=2.0),)
    return (
        member(
            "east",
            sites=(bakery, depot.model_copy(update={"network": "mid"})),
            supplies=(Supply(site="bakery", good=BREAD, quantity=2000.0),),
            lanes=(to_depot,),
            fleets=lorry,
        ),
        member(
            "mid",
            sites=(
                depot.model_copy(update={"people": 10}),
                *(one.model_copy(update={"network": at}) for one, at in ((bakery, "east"), (town, "west"))),
            ),
            supplies=(Supply(site="depot", good=SALT, quantity=5000.0),),
            needs=(Need(site="depot", good=SALT, quantity=5.0),),
            lanes=(to_depot, to_town),
            fleets=lorry,
        ),
        member(
            "west",
            sites=(town.model_copy(update={"people": 4000}), depot.model_copy(update={"network": "mid"})),
            needs=(
                Need(site="town", good=BREAD, quantity=2000.0),
                Need(site="town", good=SALT, quantity=2000.0),
            ),
            lanes=(to_town,),
            fleets=(),
        ),
    )


def asks_too_much(maps: Iterable[CoarseMap], common: Network) -> Clearing:
    """Ask for all the bread and all the salt, twice as much as the depot's lorry carries."""
    driven = lane_id("mid", "depot", "west", "town")
    flows = (
        Flow(lane_id("east", "bakery", "mid", "depot"), BREAD, (8000.0,), 1e6),
        Flow(driven, BREAD, (8000.0,), 1e6),
        Flow(driven, SALT, (8000.0,), 1e5),
    )
    return Clearing({one.network: one.digest for one in maps}, flows)


def test_lorries_are_left_for_what_others_send_on() -> None:
    session = hold([Peer(one, "test", settings=ONE, clearing=asks_too_much) for one in bakery_depot_town()])
    holds(session)
    assert coverage(session.agreed["west"], "town", BREAD) > 0.9
    assert coverage(session.agreed["west"], "town", SALT) < 0.2, "one lorry does not carry all of both"


def test_of_what_is_asked_that_is_kept_which_would_be_sent() -> None:
    flow = Flow(7, SALT, (4000.0,), 1e5)
    asked = {(lane, SALT): ((1000.0,) * 4, flow) for lane in (1, 3, 5, 7)}
    sent = {
        (1, SALT): (0.0, 0.0, 1000.0, 1000.0),
        (3, SALT): (0.0, 900.0, 300.0, 0.0),
        (5, SALT): (0.0, 0.0, 0.0, 30.0),
    }
    assert as_would_be_sent(asked, sent) == {(1, SALT): ((1000.0,) * 4, flow), (3, SALT): ((600.0,) * 4, flow)}


def test_what_is_there_late_only_is_promised_as_if_nothing_came_from_others() -> None:
    """The mill has salt on the last two of four days only, and something else is proposed to come to it."""
    driven = lane_id("valley", "square", "coast", "harbour")
    fetched = lane_id("coast", "harbour", "valley", "mill")

    def promised(*more: Flow) -> float:
        def asks(maps: Iterable[CoarseMap], common: Network) -> Clearing:
            flows = (Flow(driven, SALT, (4000.0,), 1e5), *more)
            return Clearing({one.network: one.digest for one in maps}, flows)

        late = granary(supplies=(Supply(site="mill", good=SALT, quantity=4000.0, from_day=3),))
        session = hold([Peer(one, "test", settings=ONE, clearing=asks) for one in (late, coast())])
        holds(session)
        return sum(session.agreed["valley"].sent.get((driven, SALT), ()))

    alone = promised()
    assert alone > 1900.0
    assert promised(Flow(fetched, BREAD, (400.0,), 1e5)) == pytest.approx(alone, rel=0.01)


def test_if_every_message_is_lost_each_goes_alone() -> None:
    session = together([granary(), coast()], loss=1.0)
    for agreed in session.agreed.values():
        assert (agreed.sent, agreed.received, agreed.value) == ({}, {}, agreed.alone)


def test_the_rest_plan_together_without_those_that_are_not_reached() -> None:
    members = tiny(0).members
    for left_out in range(len(members)):
        kept = [member for index, member in enumerate(members) if index != left_out]
        session = together(kept)
        holds(session)
        assert session.value >= sum(agreed.alone for agreed in session.agreed.values()) * (1 - 1e-9)


def test_who_falls_silent_after_its_map_takes_nothing_from_the_others() -> None:
    peers = [Peer(member, "test", settings=ONE) for member in tiny(0).members]
    silent = peers[0]
    for step in range(peers[0].steps):
        messages = [(peer, message) for peer in peers for message in peer.next()]
        for sender, message in messages:
            for peer in peers:
                reached = silent not in (peer, sender) or step == 0
                if peer is not sender and message.to in (None, peer.name) and reached:
                    peer.take(message.raw)
    holds_alone = [peer.agreed() for peer in peers]
    for agreed in holds_alone:
        assert check_plan(agreed.network, agreed.plan) == []
        assert agreed.value >= agreed.alone * (1 - 1e-9)


def test_who_cannot_plan_what_is_asked_promises_nothing_and_goes_on() -> None:
    def plan(network: Network, kept: Kept | None = None) -> Plan:
        if any("→" in site.site for site in network.sites):
            raise SolverError("no plan was found in time")
        return plan_carefully(network, kept)

    valley = Peer(granary(), "test", settings=ONE, plan=plan)
    session = hold([valley, Peer(coast(), "test", settings=ONE)])
    holds(session)
    assert valley.stuck > 0
    assert session.agreed["valley"].value == session.agreed["valley"].alone


def test_a_forbidden_good_stays() -> None:
    members = [Peer(granary(), "test", settings=Settings(periods=1, rounds=1, forbidden=frozenset({FLOUR, BREAD})))]
    session = hold([*members, Peer(coast(), "test", settings=Settings(periods=1, rounds=1))])
    holds(session)
    assert {good for _, good in session.agreed["valley"].sent} == {SALT}


def test_a_reserve_stays() -> None:
    stock = (Stock(site="square", good=FLOUR, quantity=12_000.0),)
    kept = {"stocks": stock, "supplies": (), "reserves": (Reserve(site="square", good=FLOUR, quantity=6000.0),)}
    session = together([granary(**kept), coast()])
    holds(session)
    sent = sum(sum(days) for (_, good), days in session.agreed["valley"].sent.items() if good == FLOUR)
    assert 0 < sent <= 6000.0 * (1 + 1e-6)


def test_who_shows_nothing_neither_gives_nor_gets() -> None:
    quiet = Peer(granary(), "test", settings=Settings(periods=1, rounds=1, passes=3, share="nothing"))
    session = hold([quiet, Peer(coast(), "test", settings=ONE)])
    assert all(not agreed.sent and agreed.value == agreed.alone for agreed in session.agreed.values())


def test_who_offers_only_gives_what_is_left_over() -> None:
    offering = Peer(granary(), "test", settings=Settings(periods=1, rounds=1, passes=3, share="offers"))
    session = hold([offering, Peer(coast(), "test", settings=ONE)])
    holds(session)
    assert session.agreed["valley"].sent
    assert session.agreed["valley"].received == {}
    assert session.agreed["coast"].value > session.agreed["coast"].alone


def test_doubled_late_and_own_messages_change_nothing() -> None:
    once = together([granary(), coast()])
    peers = {peer.name: peer for peer in (Peer(member, "test", settings=ONE) for member in (granary(), coast()))}
    told: list[bytes] = []
    for _ in range(peers["coast"].steps):
        told += [message.raw for peer in peers.values() for message in peer.next() if message.to is None]
        for raw in told * 2:
            for peer in peers.values():
                peer.take(raw)
        # Promises go to one network; they are told again at the end only through their newest.
    other = together([granary(), coast()])
    assert other.agreed["coast"].sent == once.agreed["coast"].sent
    assert other.agreed["coast"].received == once.agreed["coast"].received
    assert peers["coast"].agreed().received == {}, "no promise was delivered here"


def test_a_newer_promise_stands_whatever_order_they_come_in() -> None:
    lane = lane_id("valley", "square", "coast", "harbour")
    tales = [
        write(Told("test", "valley", "promise", 0, number, {(lane, FLOUR): (amount,) * 4}), GOODS)
        for number, amount in ((0, 100.0), (1, 250.0))
    ]
    plans = []
    for order in (tales, tales[::-1], [*tales, tales[0]]):
        peer = Peer(coast(), "test", settings=ONE)
        peer.next()
        for message in Peer(granary(), "test", settings=ONE).next():  # its neighbour's map
            peer.take(message.raw)
        for raw in order:
            peer.take(raw)
        peer.next()
        plans.append(peer.joint_value(0))
    assert plans[0] > Peer(coast(), "test", settings=ONE).agreed().alone
    assert plans == [plans[0]] * 3


def test_nobody_speaks_for_the_lanes_of_another() -> None:
    lane = lane_id("valley", "square", "coast", "harbour")
    peer = Peer(coast(), "test", settings=ONE)
    for said in (
        Told("test", "desert", "promise", 0, 0, {(lane, FLOUR): (1.0,) * 4}),
        Told("test", "valley", "commit", 0, 0, {(lane + 1, FLOUR): (1.0,) * 4}),
        Told("test", "valley", "promise", 0, 0, {(lane, FLOUR): (1.0,) * 5}),
    ):
        with pytest.raises(FederationError):
            peer.take(write(said, GOODS))
    peer.take(write(Told("another", "desert", "promise", 0, 0, {(lane, FLOUR): (1.0,) * 4}), GOODS))


def test_what_is_said_of_a_later_round_than_this_network_goes_counts_for_nothing() -> None:
    lane = lane_id("valley", "square", "coast", "harbour")
    peer = Peer(coast(), "test", settings=ONE)
    for kind in ("promise", "commit"):
        peer.take(write(Told("test", "valley", kind, 1, 0, {(lane, FLOUR): (1.0,) * 4}), GOODS))
    peer.take(write(Voted("test", "valley", 1, "", 1.0, 2.0), GOODS))
    for _ in range(peer.steps):
        peer.next()
    assert peer.agreed().received == {}


def test_a_map_under_a_false_name_is_refused() -> None:
    valley, port = Peer(granary(), "test", settings=ONE), Peer(coast(), "test", settings=ONE)
    [message] = valley.next()
    false = message.raw.replace(b'"sender":"valley"', b'"sender":"desert"')
    assert false != message.raw
    with pytest.raises(FederationError, match="desert"):
        port.take(false)


@pytest.mark.parametrize("other", ["days", "goods"])
def test_who_plans_something_else_stays_out_and_stops_nobody(other: str) -> None:
    changes: dict[str, Any] = {"days": {"days": 5}, "goods": {"goods": (*granary().goods, Good(good="soap"))}}[other]
    valley, port = Peer(granary(), "test", settings=ONE), Peer(coast(), "test", settings=ONE)
    [own] = valley.next()
    [strange] = Peer(replace(coast(), **changes), "test", settings=ONE).next()
    with pytest.raises(FederationError, match='"coast"'):
        valley.take(strange.raw)
    port.next()
    port.take(own.raw)
    for peer in (valley, port):
        for _ in range(peer.steps - 1):
            peer.next()
        assert peer.agreed().sent == {}


def test_a_map_with_a_good_that_nobody_knows_stops_nobody() -> None:
    valley, port = Peer(granary(), "test", settings=ONE), Peer(coast(), "test", settings=ONE)
    valley.next()
    [message] = port.next()
    said = read(message.raw, GOODS)
    assert isinstance(said, MapTold)
    coarse = decode(said.coarse)
    first, *others = coarse.tables["needs"]
    strange = {**coarse.tables, "needs": ((99, *first[1:]), *others)}
    with pytest.raises(FederationError, match="a good that is not in the common list"):
        valley.take(write(replace(said, coarse=encode(replace(coarse, tables=strange))), GOODS))
    valley.next()


LANE = lane_id("valley", "square", "coast", "harbour")
"""It leads from valley to coast."""


@pytest.mark.parametrize(
    ("table", "row", "why"),
    [
        ("plants", (0, 0, 900, 1000), "breaks a rule of the tables"),
        ("supplies", (0, 1, 2000), "more than 1e.12 of something in table supplies"),
        ("border", (7, OUT, 0, 0, 2018, 802), "more than 1e.12 of something in table border"),
        ("border", (7, OUT, 0, 0, 802, 2018), "more than 1e.12 of something in table border"),
        ("fleets", (0, 1, 802, 2018, 802), "more than 1e.12 of something in table fleets"),
        ("fleets", (0, 1, 2, 802, 802), "vehicles that carry less than a gram"),
        ("border", (LANE, OUT, 0, 0, 802, 802), f"lane {LANE}, which is none of its own"),
        ("border", (LANE ^ 1, INTO, 0, 0, 0, 0), f"lane {LANE}, which is none of its own"),
    ],
)
def test_a_map_that_nobody_could_plan_with_is_refused_by_all_whom_it_concerns(
    table: str, row: tuple[int, ...], why: str
) -> None:
    valley, port = Peer(granary(), "test", settings=ONE), Peer(coast(), "test", settings=ONE)
    [own], [other] = valley.next(), port.next()
    said = read(other.raw, GOODS)
    assert isinstance(said, MapTold)
    coarse = decode(said.coarse)
    tables = {**coarse.tables, "border": ()}
    tables[table] = tuple(sorted((*tables[table], row)))
    strange = encode(replace(coarse, network="desert", tables=tables))
    for peer in (valley, port):
        with pytest.raises(FederationError, match=why):
            peer.take(write(MapTold("test", "desert", 0, strange), GOODS))
    valley.take(other.raw)
    port.take(own.raw)
    valley.next()
    assert valley.clearing_digest(0)


@given(st.binary(max_size=100), st.sampled_from([b"M", b"T", b""]))
def test_bytes_that_say_nothing_are_refused(raw: bytes, first: bytes) -> None:
    with pytest.raises(FederationError):
        read(first + raw, GOODS)


amounts = st.integers(0, 10**9).map(lambda thousandths: thousandths / 1000)
trades = st.dictionaries(
    st.tuples(st.integers(0, 2**32 - 1), st.sampled_from(GOODS)),
    st.lists(amounts, min_size=4, max_size=4).map(tuple).filter(any),
    min_size=1,
    max_size=4,
)


@given(trades)
def test_a_trade_is_read_as_it_was_told(trade: dict[tuple[int, str], tuple[float, ...]]) -> None:
    said = Told("test", "valley", "promise", 0, 3, trade)
    assert read(write(said, GOODS), GOODS) == said


def test_alone_has_nothing_of_others() -> None:
    border = Border(coast())
    assert {site.site for site in border.alone.sites} == border.own == {"harbour", "hill"}
    assert [lane.to_site for lane in border.alone.lanes] == ["hill"]
    assert {lane.other for lane in border.out.values()} == {"valley"}
    assert border.into.keys() == Border(granary()).out.keys()
    assert border.out.keys() == Border(granary()).into.keys()


def test_what_a_plan_is_worth_to_all_sites_is_its_objective() -> None:
    from abasto.federation.worth import value_at

    network = Border(coast(needs=(*coast().needs, Need(site="hill", good=SALT, quantity=9.0, people=3)))).alone
    plan = make_plan(network)
    assert value_at(network, plan, {"harbour", "hill"}, 4.0) == pytest.approx(plan.objective)
    apart = [value_at(network, plan, {site}, 4.0) for site in ("harbour", "hill")]
    assert sum(apart) == pytest.approx(plan.objective)


def test_a_network_that_shows_each_of_its_sites_may_take_more_bytes_and_fits_into_a_letter() -> None:
    whole, port = Peer(granary(), "test", settings=replace(ONE, share="whole")), Peer(coast(), "test", settings=ONE)
    [message] = whole.next()
    port.next()
    port.take(message.raw)
    said = read(message.raw, GOODS)
    assert isinstance(said, MapTold)
    coarse = decode(said.coarse)
    assert (len(coarse.tables["nodes"]), coarse.fineness) == (2, 16)

    def long(lanes: int) -> CoarseMap:
        numbers = random.Random(5).sample(range(2**32), lanes)
        rows = sorted((lane, INTO, 0, 0, 0, 0) for lane in numbers)
        return replace(coarse, network="dale", tables={**coarse.tables, "border": tuple(rows)})

    longest = next(one for lanes in range(2400, 0, -20) if fits(one := long(lanes), MOST_WHOLE))
    raw = write(replace(said, sender="dale", coarse=encode(longest, MOST_WHOLE)), GOODS)
    assert MOST_BYTES < MOST_WHOLE - 200 < len(raw)
    port.take(raw)
    id = f"{0:042}A"
    deps = [f"{number:042}A" for number in range(MOST_DEPS)]

    def entry(fact: JointSaid | LetterHeard) -> bytes:
        device, clock = Device(bytes(32)), 10**9
        return make_entry(
            device, network=id, seq=clock, prev=id, deps=deps, lc=clock, time=2**40, kind=fact.KIND, body=body_of(fact)
        ).signed.raw

    letter = entry(JointSaid("2027-03-01", base64.b64encode(raw).decode(), "2027-03-01", id))
    assert len(letter) <= LONGEST_LETTER
    assert len(entry(LetterHeard(letter.decode(), "A" * 86, "2027-03-01"))) <= LARGEST
