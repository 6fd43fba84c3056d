"""Orders of a day → routes of real vehicles, and what drivers need on the way: times, loads, messages, a calendar."""

from abasto.routes.plan import BEGINS, orders_of_day, plan_routes
from abasto.routes.route import DayRoutes, Load, Obstacle, Route, Stop, Unrouted, Why

__all__ = [
    "BEGINS",
    "DayRoutes",
    "Load",
    "Obstacle",
    "Route",
    "Stop",
    "Unrouted",
    "Why",
    "orders_of_day",
    "plan_routes",
]
