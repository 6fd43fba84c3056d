"""The network as known on a day: its tables, what lies where, what is promised, and what is on its way.

Orders that are open bind the plan. What they name is no longer there to be planned with. Goods on their way stand at a
site of their own, `order CODE`, from which only one lane leads, to where they are going, with a fleet of its own that
takes no hours: so lots keep their dates, arrive on their day, and no plan can lose them. The hours of their vehicles
are taken off the fleet on the day they leave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from abasto.errors import Finding, InputError, SettingError
from abasto.facts.amounts import amount
from abasto.facts.kinds import OrderIssued
from abasto.network import Network
from abasto.state.bound import bind
from abasto.state.cells import Lots, stock_rows
from abasto.state.figures import CARRIED_AFTER, figures, spoiled, usable
from abasto.state.rates import Rate, need_rates
from abasto.state.tables import tables_known
from abasto.state.types import Figure, OrderRecord
from abasto.tables.check import check_network

if TYPE_CHECKING:
    from abasto.state.state import State

__all__ = ["MOST_DAYS", "Known", "known"]

MOST_DAYS = 3660
ROUNDING = 1e-9


@dataclass(frozen=True)
class Known:
    """What a plan starts from. `network` is what is planned; `tables` the same without what orders bind.

    `figures` say how every quantity on hand is known, `orders` are those that bind the plan, `order_of` gives the id of
    the order behind a site `order CODE`, `fleet_of` the fleet behind a part of it, and `problems` are findings about
    what was left out or is in doubt. `rates` are the needs of both networks that nobody stated, estimated from what was
    used.
    """

    network: Network
    tables: Network
    figures: tuple[Figure, ...]
    orders: tuple[OrderRecord, ...]
    order_of: Mapping[str, str]
    fleet_of: Mapping[str, str]
    problems: tuple[Finding, ...]
    rates: tuple[Rate, ...] = ()

    @property
    def estimated(self) -> tuple[Figure, ...]:
        """The figures that were carried forward, because nobody has reported for days."""
        return tuple(figure for figure in self.figures if figure.kind == "estimated")

    @property
    def not_left(self) -> tuple[OrderIssued, ...]:
        """The open orders whose goods are still where they leave from, or come there."""
        return tuple(one.issued for one in self.orders if one.issued is not None and one.status != "loaded")


def known(
    state: State,
    day: date,
    *,
    days: int | None = None,
    carried_after: int = CARRIED_AFTER,
    estimates_needs: bool = True,
) -> Known:
    """Return the network as known at the start of a day, which is its day 1, for so many days (the network's own).

    Figures older than `carried_after` days are carried forward. Where nobody stated a need and people use something,
    their rate is one, unless `estimates_needs` is False. Raises `InputError` if the tables have errors and
    cannot be planned, `SettingError` for no days.
    """
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise SettingError(f"days is {days}; a plan is made for 1 to {MOST_DAYS} days.")
    told = tables_known(state.rows, day, days=days)
    all_figures = figures(state, day, carried_after=carried_after)
    lots = usable(all_figures)
    problems = [*told.problems, *_nowhere(lots, told.network), *_spoiled(state, day)]
    lots = _somewhere(lots, told.network)
    network, full = _made_room(told.network, lots)
    rates = need_rates(state, network, day) if estimates_needs else ()
    network = replace(network, needs=(*network.needs, *(rate.need for rate in rates)))
    bound = bind(state, network, lots, day)
    whole = replace(network, stocks=tuple(stock_rows(lots, network)))
    errors = [finding for finding in check_network(bound.network) if finding.severity == "error"]
    if errors:
        raise InputError(errors)
    return Known(
        network=bound.network,
        tables=whole,
        figures=all_figures,
        orders=bound.orders,
        order_of=bound.order_of,
        fleet_of=bound.fleet_of,
        problems=(*problems, *full, *bound.problems),
        rates=rates,
    )


def _somewhere(lots: Lots, network: Network) -> Lots:
    """Return the lots whose site and good are in the tables."""
    sites, goods = {site.site for site in network.sites}, {good.good for good in network.goods}
    return {(site, good): mine for (site, good), mine in lots.items() if site in sites and good in goods}


def _nowhere(lots: Lots, network: Network) -> Iterator[Finding]:
    """Yield what lies at sites, or is of goods, that are not in the tables."""
    there = _somewhere(lots, network)
    for (site, good), mine in lots.items():
        if (site, good) not in there:
            yield Finding(
                "stocks", 0, "", amount(sum(mine.values())), "the site or the good is in no row of the tables, so this "
                "stock is left out of the plan", "set the row again, or book the goods where they went",
                severity="warning", file=f"stock of {good} at {site}",
            )  # fmt: skip


def _spoiled(state: State, day: date) -> Iterator[Finding]:
    for lot in spoiled(state, day):
        yield Finding(
            "stocks", 0, "expires", lot.lot, f"{amount(lot.quantity)} are spoiled by now and left out of the plan",
            "report them as lost, or count what can still be used", severity="warning",
            file=f"stock of {lot.good} at {lot.site}",
        )  # fmt: skip


def _made_room(network: Network, lots: Lots) -> tuple[Network, list[Finding]]:
    """Return the network with room at every site for what lies there: a count is a fact, and a limit is not."""
    kg = {good.good: good.kg_per_unit for good in network.goods}
    held: defaultdict[str, float] = defaultdict(float)
    for (site, good), mine in lots.items():
        held[site] += sum(mine.values()) / 1000 * kg[good] / 1000
    found, sites = [], []
    for row in network.sites:
        if row.storage_t is not None and held[row.site] > row.storage_t * (1 + ROUNDING):
            found.append(
                Finding(
                    "sites", 0, "storage_t", f"{row.storage_t:.6g}", f"{held[row.site]:.6g} t lie there, more than it "
                    "can hold; the plan lets them lie", "correct storage_t, or count again", severity="warning",
                    file=f"sites {row.site}",
                )
            )  # fmt: skip
            row = row.model_copy(update={"storage_t": held[row.site]})
        sites.append(row)
    return replace(network, sites=tuple(sites)), found
