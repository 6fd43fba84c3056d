"""What is not taken from others: maps that cannot be cleared with one's own, and words about lanes of others."""

from __future__ import annotations

from abasto.errors import FederationError
from abasto.federation.border import Border, Trade
from abasto.federation.coarse import COLUMNS, INTO, OUT, CoarseMap, common_digest
from abasto.federation.settings import Settings
from abasto.network import Network

__all__ = ["refuse_false_lanes", "refuse_foreign", "refuse_unlike"]


def refuse_unlike(coarse: CoarseMap, network: Network, settings: Settings) -> None:
    """Refuse a map of other days, goods or recipes: with it nothing can be cleared."""
    if coarse.common != common_digest(network):
        raise FederationError(f'"{coarse.network}" has other tables goods, recipes or substitutes')
    for table, columns in COLUMNS.items():
        at = columns.index("good") if "good" in columns else None
        if at is not None and any(row[at] >= len(network.goods) for row in coarse.tables.get(table, ())):
            raise FederationError(f'the map of "{coarse.network}" names a good that is not in the common list')
    theirs = (coarse.start, coarse.days, coarse.periods, coarse.fairness)
    if theirs != (network.start, network.days, settings.periods, settings.fairness):
        raise FederationError(
            f'"{coarse.network}" plans {coarse.days} days from {coarse.start}, in {coarse.periods} periods and '
            f"with fairness {coarse.fairness:g}; here it is {network.days} days from {network.start}, "
            f"{settings.periods} and {settings.fairness:g}"
        )


def refuse_false_lanes(coarse: CoarseMap, border: Border) -> None:
    """Refuse a map with lanes that lead between this network and another than its own: they would be cleared to it."""
    rows = coarse.tables["border"]
    theirs_out = [(lane, border.out, border.into) for lane, ways, *_ in rows if ways & OUT]
    theirs_into = [(lane ^ 1, border.into, border.out) for lane, ways, *_ in rows if ways & INTO]
    for lane, ours, others in (*theirs_out, *theirs_into):
        if lane in ours or (lane in others and others[lane].other != coarse.network):
            raise FederationError(f'the map of "{coarse.network}" has lane {lane}, which is none of its own')


def refuse_foreign(sender: str, trade: Trade, border: Border) -> None:
    """Refuse what a network says of lanes that do not lead from it to here, or of other days."""
    for (lane, good), days in trade.items():
        into = border.into.get(lane)
        if into is None or into.other != sender:
            raise FederationError(f'"{sender}" speaks for lane {lane}, which does not lead from it to here')
        if len(days) != border.network.days:
            raise FederationError(f'"{sender}" speaks of {len(days)} days of {good}')
