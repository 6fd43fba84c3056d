"""The latest plan, kept in the home's own file: the next one is compared with it, also in a room opened anew.

Its tables are kept as numpy's arrays and its network as rows in JSON, packed; nothing that is read back is run.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from abasto.network import TABLES, Network, NetworkRow
from abasto.planner.plan import PLAN_TABLES, Plan, Table

if TYPE_CHECKING:
    from abasto.journal.sqlite import SqliteStore

__all__ = ["keep_plan", "kept_plan"]

SETTING = "latest plan"
VERSION = 1
NAMES = (*(table.name for table in PLAN_TABLES), "summary")
FIGURES = ("scenario", "fairness", "solver", "status", "objective", "bound", "full_value", "seconds")


def keep_plan(file: SqliteStore, plan: Plan) -> None:
    """Keep a plan in place of the one that was kept before."""
    network = {
        schema.name: [row.model_dump(mode="json", by_alias=True) for row in plan.network.rows(schema.name)]
        for schema in TABLES
    }
    head = {"version": VERSION, "network": network, **{name: getattr(plan, name) for name in FIGURES}}
    arrays = {
        f"{name}/{column}": values.astype(str) if values.dtype == object else values
        for name in NAMES
        for column, values in plan.table(name).items()
    }
    content = BytesIO()
    np.savez(content, allow_pickle=False, head=np.array(json.dumps(head)), **arrays)
    file.set_setting(SETTING, b64encode(zlib.compress(content.getvalue(), 6)).decode())


def kept_plan(file: SqliteStore) -> Plan | None:
    """Return the plan that was kept, None if there is none or another version of Abasto kept it."""
    text = file.setting(SETTING)
    if not text:
        return None
    with np.load(BytesIO(zlib.decompress(b64decode(text))), allow_pickle=False) as kept:
        head: dict[str, Any] = json.loads(str(kept["head"]))
        if head["version"] != VERSION:
            return None
        columns: dict[str, dict[str, Any]] = {name: {} for name in NAMES}
        for key in kept.files:
            name, _, column = key.partition("/")
            if column:
                columns[name][column] = kept[key]
    parts: dict[str, Any] = {name: head[name] for name in FIGURES} | {name: Table(columns[name]) for name in NAMES}
    return Plan(network=_network(head["network"]), **parts)


def _network(rows: dict[str, list[dict[str, Any]]]) -> Network:
    whole = NetworkRow.model_validate(rows["network"][0])
    tables: dict[str, Any] = {
        schema.name: tuple(schema.row.model_validate(row) for row in rows[schema.name]) for schema in TABLES[1:]
    }
    return Network(whole.name, whole.start, whole.days, **tables)
