"""Plans and networks as a notebook shows them: a few figures, the worst off, what is short, and the map."""

from __future__ import annotations

from abasto.network import Network
from abasto.planner.plan import Plan
from abasto.report.map import draw_map, draw_network
from abasto.report.page import environment, label_of
from abasto.summary import summarize

__all__ = ["network_html", "plan_html"]

MOST_ROWS = 5
MOST_DRAWN = 400
"""Maps of more sites are left to the report: every output cell stays in the notebook's file."""


def plan_html(plan: Plan) -> str:
    """Return the view of a plan for an output cell: HTML with its own style, no script, nothing to be fetched."""
    drawn = len(plan.network.sites) <= MOST_DRAWN
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            network=plan.network,
            plan=plan,
            label=label_of(plan),
            words=summarize(plan),
            most=MOST_ROWS,
            map=draw_map(plan, label=f"Map of {plan.network.name}, {label_of(plan)}") if drawn else "",
        )
    )


def network_html(network: Network) -> str:
    """Return the view of a network for an output cell: what it holds, its scenarios, and the map of its places."""
    drawn = len(network.sites) <= MOST_DRAWN
    return (
        environment()
        .get_template("notebook.html.j2")
        .render(
            network=network,
            plan=None,
            counts=_counts(network),
            map=draw_network(network, label=f"Map of {network.name}") if drawn else "",
        )
    )


def _counts(network: Network) -> list[tuple[str, int]]:
    names = ("sites", "goods", "stocks", "supplies", "needs", "rations", "plants", "lanes", "fleets", "disruptions")
    return [(name, len(network.rows(name))) for name in names if network.rows(name)]
