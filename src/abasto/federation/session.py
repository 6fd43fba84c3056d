"""A network's part in a joint plan, from its journal and into it: what it says and hears are letters.

session = Session(journal, day)
for _ in range(session.steps):
    session.step()                  # take what was heard, and say the next
    …letters are exchanged by any carrier…
journal.append(session.orders())    # its own orders; those across the border become promises
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from datetime import date

from abasto.cycle import read_state
from abasto.errors import FederationError
from abasto.facts.kinds import Fact, JointSaid, OrderIssued
from abasto.federation.joint import Agreed, Peer, Settings
from abasto.federation.messages import Message, read
from abasto.journal.journal import Journal
from abasto.orders import name_free_lots, orders_from, round_trips
from abasto.state.known import known
from abasto.state.state import State

__all__ = ["Session"]


class Session:
    """One session of planning together, named by the first day that is planned.

    Networks know each other by the names in their tables: a network that is recognised here under another name than it
    gives itself takes no part. `refused` says of messages why they counted for nothing. Raises what `known` raises.
    """

    def __init__(
        self, journal: Journal, day: date, *, days: int | None = None, settings: Settings | None = None
    ) -> None:
        self.journal = journal
        self.day = day
        self.name = day.isoformat()
        self.refused: list[str] = []
        state = read_state(journal)
        self.seen = known(state, day, days=days)
        self._goods = sorted(row.good for row in self.seen.network.goods)
        self._heard: set[tuple[str, str]] = set()
        self.peer = Peer(self.seen.network, self.name, settings=settings)

    @property
    def steps(self) -> int:
        """How many steps a session has."""
        return self.peer.steps

    def step(self) -> None:
        """Take what was heard until now, do the next step, and say what comes of it."""
        state = read_state(self.journal)
        self.hear(state)
        said = [self._fact(state, message) for message in self.peer.next()]
        if said:
            self.journal.append(said, time=0)

    def hear(self, state: State) -> None:
        """Take in what other networks said in this session."""
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
        """Return what holds now, with all that was heard until now."""
        self.hear(read_state(self.journal))
        return self.peer.agreed()

    def orders(self, *, days: int = 1) -> tuple[OrderIssued, ...]:
        """Return the orders of the first days of what was agreed: within the network, and to sites of others."""
        agreed = self.agreed()
        rounded = round_trips(agreed.network, agreed.plan, days=days)
        orders = orders_from(rounded, agreed.network, days=days, fleet_of=self.seen.fleet_of)
        orders = name_free_lots(orders, self.seen.not_left, self.seen.tables, rounded.plan)
        return tuple(replace(order, to_site=agreed.ends.get(order.to_site, order.to_site)) for order in orders)

    def _fact(self, state: State, message: Message) -> Fact:
        to = "" if message.to is None else state.letters.network_named(message.to)
        return JointSaid(self.name, base64.b64encode(message.raw).decode(), self.name, to)
