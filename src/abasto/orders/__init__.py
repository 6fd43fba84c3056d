"""From a plan to orders: whole trips, and who sends what to whom with which vehicles."""

from abasto.orders.closed import Closed, close_lanes
from abasto.orders.issue import digest_of, orders_from
from abasto.orders.left import refuse_more_than_left
from abasto.orders.loss import Loss
from abasto.orders.lots import name_free_lots
from abasto.orders.rounding import Rounded, round_trips
from abasto.orders.twice import issued_already, refuse_issued
from abasto.orders.vehicles import FleetDay, vehicles_for

__all__ = [
    "Closed",
    "FleetDay",
    "Loss",
    "Rounded",
    "close_lanes",
    "digest_of",
    "issued_already",
    "name_free_lots",
    "orders_from",
    "refuse_issued",
    "refuse_more_than_left",
    "round_trips",
    "vehicles_for",
]
