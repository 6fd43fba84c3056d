"""Check a whole network: everything that is wrong or doubtful between and within its rows."""

from __future__ import annotations

from abasto.errors import Finding
from abasto.network import Network
from abasto.tables.cycles import check_cycles
from abasto.tables.findings import Findings, Origin, worst_first
from abasto.tables.references import check_doubles, check_references, check_targets
from abasto.tables.sense import (
    check_days,
    check_fleets,
    check_goods,
    check_horizon,
    check_lanes,
    check_plants,
    check_recipes,
    check_sites,
    check_stocks,
)

__all__ = ["check_network", "check_rows"]


def check_network(network: Network) -> list[Finding]:
    """Return everything that is wrong or doubtful in a network, worst first; a row's number is its index + 2."""
    return worst_first(check_rows(network, Origin()))


def check_rows(network: Network, origin: Origin) -> list[Finding]:
    """Return the findings about rows that came from `origin`; what was not read there is not held against them."""
    findings = Findings(origin)
    check_references(network, findings)
    check_doubles(network, findings)
    check_targets(network, findings)
    if origin.complete("network"):
        check_horizon(network, findings)
        check_days(network, findings)
        check_stocks(network, findings)
    for check in (check_sites, check_goods, check_lanes, check_fleets, check_plants, check_recipes):
        check(network, findings)
    if origin.complete("recipes"):
        check_cycles(network, findings)
    return findings.found
