"""Abasto: fair, checked plans for what to make where and who sends what to whom when normal supply breaks.

>>> import abasto
>>> network = abasto.read(abasto.example_path("neighbourhood"))
>>> plan = abasto.plan(network)

`read` and `plan` are all that most programs need; `check` lists what is wrong with tables. Names are loaded when they
are first used, so that `import abasto` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abasto.errors import (
        AbastoError,
        CheckError,
        Finding,
        InputError,
        SettingError,
        SolverError,
        UnsupportedError,
    )
    from abasto.examples import example_path
    from abasto.network import (
        Cost,
        Disruption,
        Fleet,
        Good,
        Labour,
        Lane,
        Need,
        Network,
        Nutrient,
        Plant,
        Ration,
        RecipeLine,
        Requirement,
        Reserve,
        Site,
        Stock,
        Substitute,
        Supply,
    )
    from abasto.planner.make import Progress
    from abasto.planner.make import make_plan as plan
    from abasto.planner.plan import Plan, Table
    from abasto.tables import check_path as check
    from abasto.tables import read_network as read

__all__ = [
    "AbastoError",
    "CheckError",
    "Cost",
    "Disruption",
    "Finding",
    "Fleet",
    "Good",
    "InputError",
    "Labour",
    "Lane",
    "Need",
    "Network",
    "Nutrient",
    "Plan",
    "Plant",
    "Progress",
    "Ration",
    "RecipeLine",
    "Requirement",
    "Reserve",
    "SettingError",
    "Site",
    "SolverError",
    "Stock",
    "Substitute",
    "Supply",
    "Table",
    "UnsupportedError",
    "check",
    "example_path",
    "plan",
    "read",
]

_HOMES = {
    "AbastoError": "abasto.errors:AbastoError",
    "CheckError": "abasto.errors:CheckError",
    "Cost": "abasto.network:Cost",
    "Disruption": "abasto.network:Disruption",
    "Finding": "abasto.errors:Finding",
    "Fleet": "abasto.network:Fleet",
    "Good": "abasto.network:Good",
    "InputError": "abasto.errors:InputError",
    "Labour": "abasto.network:Labour",
    "Lane": "abasto.network:Lane",
    "Need": "abasto.network:Need",
    "Network": "abasto.network:Network",
    "Nutrient": "abasto.network:Nutrient",
    "Plan": "abasto.planner.plan:Plan",
    "Plant": "abasto.network:Plant",
    "Progress": "abasto.planner.make:Progress",
    "Ration": "abasto.network:Ration",
    "RecipeLine": "abasto.network:RecipeLine",
    "Requirement": "abasto.network:Requirement",
    "Reserve": "abasto.network:Reserve",
    "SettingError": "abasto.errors:SettingError",
    "Site": "abasto.network:Site",
    "SolverError": "abasto.errors:SolverError",
    "Stock": "abasto.network:Stock",
    "Substitute": "abasto.network:Substitute",
    "Supply": "abasto.network:Supply",
    "Table": "abasto.planner.plan:Table",
    "UnsupportedError": "abasto.errors:UnsupportedError",
    "check": "abasto.tables:check_path",
    "example_path": "abasto.examples:example_path",
    "plan": "abasto.planner.make:make_plan",
    "read": "abasto.tables:read_network",
}
"""Where each public name lives. The imports above say the same to type checkers and editors; a test compares both."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _HOMES[name].split(":")
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
