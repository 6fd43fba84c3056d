"""Networks that plan together over a carrier that loses, doubles, delays and mixes up what they say.

What is changed on the way comes to nobody: joint plans are said by letters, which are signed. In a third of the
schedules one of them does all the harm it can by what it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

from sim_hostile_joint import OWN_LANE, Deceiver, coast_beside_it
from tests.federation.federated import coast, granary, keep_promises, tiny

from abasto.errors import FederationError
from abasto.federation.joint import Agreed, Peer
from abasto.federation.settings import Settings

__all__ = ["counting_promises", "live_joint"]

ONE = Settings(periods=1, rounds=1, passes=3)
LATE = 3
"""So many steps are added to a session, for what comes late."""


def live_joint(seed: int, agreed_of: Callable[[Peer], Agreed] = Peer.agreed) -> Counter[str]:
    """Let two networks plan together, and check what they hold in the end; return how often what happened."""
    random = Random(seed)
    often = {what: random.choice((0.0, 0.1, 0.4)) for what in ("lost", "doubled", "late")}
    seen: Counter[str] = Counter()
    networks = tiny(seed % 2).members if seed % 6 == 5 else (granary(), coast())
    deceiver = Deceiver(seed, "2027-03-01", networks[0].days) if seed % 3 == 1 else None
    if deceiver is not None:
        networks = (granary(), coast_beside_it())
    peers = [Peer(network, "2027-03-01", settings=ONE) for network in networks]
    waiting: list[tuple[Peer, bytes]] = []
    for _ in range(peers[0].steps + LATE):
        arriving, waiting = waiting, []
        for sender in peers:
            for message in sender.next():
                if deceiver is not None:
                    deceiver.hear(message.raw)
                for peer in peers:
                    if peer is sender or message.to not in (None, peer.name):
                        continue
                    seen["said"] += 1
                    if random.random() < often["lost"]:
                        seen["lost"] += 1
                        continue
                    for _ in range(2 if random.random() < often["doubled"] else 1):
                        is_late = random.random() < often["late"]
                        (waiting if is_late else arriving).append((peer, message.raw))
                        seen["late" if is_late else "came"] += 1
        if deceiver is not None:
            arriving += [(peer, raw) for peer in peers for raw in deceiver.says()]
        random.shuffle(arriving)
        for peer, raw in arriving:
            try:
                peer.take(raw)
            except FederationError:
                assert deceiver is not None, "somebody honest was refused"
                seen["refused"] += 1
    held = [_but_for(OWN_LANE, agreed_of(peer)) for peer in peers]
    keep_promises(held)
    seen["bound"] += sum(len(agreed.sent) for agreed in held)
    return seen


def _but_for(lane: int, agreed: Agreed) -> Agreed:
    """Return what a network holds without what comes by a lane of somebody who binds itself and does not keep it."""
    return replace(agreed, received={key: days for key, days in agreed.received.items() if key[0] != lane})


def counting_promises(peer: Peer) -> Agreed:
    """Return what a network holds if it counts on what was promised, as if whoever promised had bound itself to it."""
    received = {key: days for told in peer._rounds[0].promises.values() for key, days in told.trade.items()}
    return replace(peer.agreed(), received=received)
