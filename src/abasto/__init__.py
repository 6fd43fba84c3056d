"""Abasto: fair, checked plans for what to make where and who sends what to whom when normal supply breaks.

>>> import abasto
>>> network = abasto.read(abasto.example_path("neighbourhood"))
>>> plan = abasto.plan(network)

`read` and `plan` are all that most programs need; `check` lists what is wrong with tables. A journal opens with
`Home.open`; `fold` makes a state of its entries, and `known` the network of a day. Names are loaded when they are first
used, so that `import abasto` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abasto.compare import Comparison, compare_plans
    from abasto.errors import (
        AbastoError,
        CheckError,
        EntryError,
        FactError,
        Finding,
        InputError,
        JournalError,
        SettingError,
        SolverError,
        UnsupportedError,
    )
    from abasto.examples import example_path
    from abasto.journal.home import Home
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
    from abasto.planner.causes import Cause, Explanation
    from abasto.planner.explain import explain_need as why
    from abasto.planner.make import Progress, Solved, plan_in_full
    from abasto.planner.make import make_plan as plan
    from abasto.planner.plan import Plan, Table
    from abasto.planner.read_plan import read_plan
    from abasto.planner.replan import Replanned, replan
    from abasto.state.fold import fold
    from abasto.state.known import Known, known
    from abasto.state.state import State
    from abasto.tables import check_path as check
    from abasto.tables import read_network as read

__all__ = [
    "AbastoError",
    "Cause",
    "CheckError",
    "Comparison",
    "Cost",
    "Disruption",
    "EntryError",
    "Explanation",
    "FactError",
    "Finding",
    "Fleet",
    "Good",
    "Home",
    "InputError",
    "JournalError",
    "Known",
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
    "Replanned",
    "Requirement",
    "Reserve",
    "SettingError",
    "Site",
    "Solved",
    "SolverError",
    "State",
    "Stock",
    "Substitute",
    "Supply",
    "Table",
    "UnsupportedError",
    "check",
    "compare_plans",
    "example_path",
    "fold",
    "known",
    "plan",
    "plan_in_full",
    "read",
    "read_plan",
    "replan",
    "why",
]

_HOMES = {
    "AbastoError": "abasto.errors:AbastoError",
    "Cause": "abasto.planner.causes:Cause",
    "CheckError": "abasto.errors:CheckError",
    "Comparison": "abasto.compare:Comparison",
    "Cost": "abasto.network:Cost",
    "Disruption": "abasto.network:Disruption",
    "EntryError": "abasto.errors:EntryError",
    "Explanation": "abasto.planner.causes:Explanation",
    "FactError": "abasto.errors:FactError",
    "Finding": "abasto.errors:Finding",
    "Fleet": "abasto.network:Fleet",
    "Good": "abasto.network:Good",
    "Home": "abasto.journal.home:Home",
    "InputError": "abasto.errors:InputError",
    "JournalError": "abasto.errors:JournalError",
    "Known": "abasto.state.known:Known",
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
    "Replanned": "abasto.planner.replan:Replanned",
    "Requirement": "abasto.network:Requirement",
    "Reserve": "abasto.network:Reserve",
    "SettingError": "abasto.errors:SettingError",
    "Site": "abasto.network:Site",
    "Solved": "abasto.planner.make:Solved",
    "SolverError": "abasto.errors:SolverError",
    "State": "abasto.state.state:State",
    "Stock": "abasto.network:Stock",
    "Substitute": "abasto.network:Substitute",
    "Supply": "abasto.network:Supply",
    "Table": "abasto.planner.plan:Table",
    "UnsupportedError": "abasto.errors:UnsupportedError",
    "check": "abasto.tables:check_path",
    "compare_plans": "abasto.compare:compare_plans",
    "example_path": "abasto.examples:example_path",
    "fold": "abasto.state.fold:fold",
    "known": "abasto.state.known:known",
    "plan": "abasto.planner.make:make_plan",
    "plan_in_full": "abasto.planner.make:plan_in_full",
    "read": "abasto.tables:read_network",
    "read_plan": "abasto.planner.read_plan:read_plan",
    "replan": "abasto.planner.replan:replan",
    "why": "abasto.planner.explain:explain_need",
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
