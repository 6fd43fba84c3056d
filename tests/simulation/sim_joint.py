"""Networks that plan together over a carrier that loses, doubles, delays and mixes up what they say.

What is changed on the way comes to nobody: joint plans are said by letters, which are signed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

from tests.federation.federated import coast, granary, keep_promises, tiny

from abasto.federation.joint import Agreed, Peer, Settings

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
    peers = [Peer(network, "2027-03-01", settings=ONE) for network in networks]
    waiting: list[tuple[Peer, bytes]] = []
    for _ in range(peers[0].steps + LATE):
        arriving, waiting = waiting, []
        for sender in peers:
            for message in sender.next():
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
        random.shuffle(arriving)
        for peer, raw in arriving:
            peer.take(raw)
    held = [agreed_of(peer) for peer in peers]
    keep_promises(held)
    seen["bound"] += sum(len(agreed.sent) for agreed in held)
    return seen


def counting_promises(peer: Peer) -> Agreed:
    """Return what a network holds if it counts on what was promised, as if whoever promised had bound itself to it."""
    received = {key: days for told in peer._rounds[0].promises.values() for key, days in told.trade.items()}
    return replace(peer.agreed(), received=received)
