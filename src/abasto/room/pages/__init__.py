"""The pages of the room, each group in a module of its own."""

from __future__ import annotations

from abasto.room.pages.access import PAGES_ACCESS
from abasto.room.pages.books import PAGES_BOOKS
from abasto.room.pages.day_routes import PAGES_ROUTES
from abasto.room.pages.dispatch import PAGES_DISPATCH
from abasto.room.pages.exceptions import PAGES_EXCEPTIONS
from abasto.room.pages.imports import PAGES_IMPORT
from abasto.room.pages.members import PAGES_MEMBERS
from abasto.room.pages.networks import PAGES_NETWORKS
from abasto.room.pages.plan import PAGES_PLAN
from abasto.room.pages.plan_orders import PAGES_PLAN_ORDERS
from abasto.room.pages.reporting import PAGES_REPORTING
from abasto.room.pages.situation import PAGES_SITUATION
from abasto.room.pages.tables import PAGES_TABLES
from abasto.room.pages.watch import PAGES_WATCH
from abasto.room.phone_api import PAGES_PHONE
from abasto.room.web import Page

__all__ = ["PAGES"]

PAGES: tuple[Page, ...] = (
    *PAGES_ACCESS,
    *PAGES_BOOKS,
    *PAGES_MEMBERS,
    *PAGES_NETWORKS,
    *PAGES_DISPATCH,
    *PAGES_ROUTES,
    *PAGES_EXCEPTIONS,
    *PAGES_REPORTING,
    *PAGES_IMPORT,
    *PAGES_TABLES,
    *PAGES_PHONE,
    *PAGES_SITUATION,
    *PAGES_WATCH,
    *PAGES_PLAN,
    *PAGES_PLAN_ORDERS,
)
"""Every page."""
