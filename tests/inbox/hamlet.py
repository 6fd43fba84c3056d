"""A small network as messages see it: two sites, five goods with packs, a recipe and an order on its way."""

from __future__ import annotations

import base64

from abasto.facts.kinds import Line, OrderIssued
from abasto.inbox.names import GoodName, Names, Pack, RecipeName, SiteName
from abasto.state.types import OrderRecord

__all__ = ["HAMLET", "ORDER", "RECORD"]

ORDER = base64.urlsafe_b64encode(bytes(range(150, 182))).decode().rstrip("=")
"""Its code is JTBS-H6CT."""

RECORD = OrderRecord(
    ORDER,
    OrderIssued(
        "mill", "school", "van", 1, "2026-11-22", "2026-11-22",
        (Line("flour", 100_000, ""), Line("milk", 20_000, "2026-11-30")), "2026-11-21",
    ),
    "issued",
    "author",
)  # fmt: skip

HAMLET = Names(
    sites=(SiteName("mill", "Molino"), SiteName("school", "Escuela")),
    goods=(
        GoodName("flour", "Harina"),
        GoodName("bread", "Pan"),
        GoodName("milk", "Leche", "litre"),
        GoodName("milk powder", "Leche en polvo"),
        GoodName("eggs", "Huevos", "unit"),
        GoodName("rice and beans", "Arroz con porotos"),
    ),
    packs=(Pack("flour", "saco", 50_000), Pack("milk", "bidón", 20_000), Pack("eggs", "caja", 180_000)),
    recipes=(RecipeName("baking", (("flour", -80_000), ("bread", 100_000))),),
    plants=frozenset({("mill", "baking")}),
    orders={ORDER: RECORD},
    most={("mill", "flour"): 2_000_000},
)
