"""A network that takes part in joint plans to do harm: it tells everybody something else, and nothing of it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from tests.federation.federated import BREAD, FLOUR, SALT, coast

from abasto.errors import FederationError
from abasto.federation.border import Trade, lane_id
from abasto.federation.coarse import INTO, OUT, CoarseMap, Rows
from abasto.federation.messages import MapTold, Said, Stepped, Told, Voted, read, write
from abasto.federation.packed import decode, encode
from abasto.network import Lane, Network, Site

__all__ = ["OWN_LANE", "Deceiver", "coast_beside_it"]

GOODS = sorted((BREAD, FLOUR, SALT))
OWN_LANE = lane_id("desert", "oasis", "coast", "harbour")


def coast_beside_it() -> Network:
    """Return the coast with a lane that leads to it from the network that lies."""
    port = coast()
    sites = (*port.sites, Site(site="oasis", network="desert"))
    return replace(port, sites=sites, lanes=(*port.lanes, Lane(from_site="oasis", to_site="harbour", hours=1.0)))


class Deceiver:
    """What it says in one session, anew at each step and for each of the others; `lanes` are those of all networks."""

    name = "desert"

    def __init__(self, seed: int, session: str, days: int) -> None:
        self.random = Random(f"deceiver {seed}")
        self.session = session
        self.days = days
        self.lanes = {OWN_LANE}
        self._maps: list[CoarseMap] = []
        self._said: list[bytes] = []

    def hear(self, raw: bytes) -> None:
        """Learn what others publish."""
        said = read(raw, GOODS)
        if isinstance(said, MapTold):
            coarse = decode(said.coarse)
            self._maps.append(coarse)
            self.lanes |= {row[0] for row in coarse.tables["border"]}

    def says(self) -> Sequence[bytes]:
        """Return what it says to one of the others now."""
        told = [write(said, GOODS) for said in self._lies() if said is not None]
        self._said += told
        return [*told, self._garbage(), self.random.choice(self._said)]

    def _lies(self) -> Sequence[Said | None]:
        lane = self.random.choice(sorted(self.lanes))
        amount = self.random.choice((0.0, 1.0, 5_000.0, 1e9))
        trade: Trade = {(lane, self.random.choice(GOODS)): (amount,) * self.random.choice((self.days, 1))}
        number = self.random.choice((0, 1, 7, 2**40))
        turn = self.random.choice((0, 0, 0, 1, 9))
        session = self.random.choice((self.session, self.session, "another"))
        alone, joint = (self.random.choice((0.0, 1e6, 9e15)) for _ in range(2))
        return (
            self._map(),
            Told(session, self.name, "promise", turn, number, trade),
            Told(session, self.name, "commit", turn, number, trade),
            Voted(session, self.name, turn, "", alone, joint),
            Stepped(session, self.name, turn, number),
        )

    def _map(self) -> MapTold | None:
        """Return a map like one that it heard, with rows that lie."""
        if not self._maps:
            return None
        coarse = self.random.choice(self._maps)
        much = self.random.choice((0, 1, 2, 802, 1300, 2018))
        lane = self.random.choice(sorted(self.lanes))
        rows: Mapping[str, tuple[int, ...]] = {
            "needs": (self.random.choice((0, 1, 99)), 10, 0, much, much),
            "supplies": (self.random.randrange(3), 0, much),
            "plants": (0, 0, much, much),
            "fleets": (1, 0, much, much, much),
            "lanes": (0, self.random.randrange(2), 0, 1, much, much),
            "border": (lane, self.random.choice((OUT, INTO, OUT + INTO)), 0, 1, much, much),
        }
        tables: dict[str, Rows] = {**coarse.tables, "border": ()}
        for table in self.random.sample(sorted(rows), 2):
            tables[table] = tuple(sorted((*tables[table], rows[table])))
        other_days = self.random.random() < 0.1
        try:
            raw = encode(replace(coarse, network=self.name, tables=tables, days=coarse.days + other_days))
        except FederationError:  # No bytes say that.
            return None
        return MapTold(self.session, self.name, 0, raw)

    def _garbage(self) -> bytes:
        return self.random.choice((b"", b"M", b"M\xff\xff", b"T" + self.random.randbytes(40), b"X" * (1 << 17)))
