"""The latest plan and how it was made, kept in the home's own file: a room opened anew goes on from it.

Its tables are kept as numpy's arrays, all else as JSON, packed; nothing that is read back is run.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from pydantic import TypeAdapter

from abasto.cycle import Proposal
from abasto.errors import AbastoError, Finding
from abasto.facts.kinds import OrderIssued
from abasto.network import TABLES, Network, NetworkRow
from abasto.orders import FleetDay, Loss, Rounded
from abasto.planner.plan import PLAN_TABLES, Plan, Table
from abasto.room.planning import Asked, Job
from abasto.state.known import Known
from abasto.state.types import Figure, OrderRecord

if TYPE_CHECKING:
    from abasto.journal.sqlite import SqliteStore

__all__ = ["keep_bytes", "keep_job", "kept_bytes", "kept_job"]

SETTING = "latest plan"
VERSION = 2
NAMES = (*(table.name for table in PLAN_TABLES), "summary")
FIGURES = ("scenario", "fairness", "solver", "status", "objective", "bound", "full_value", "seconds")
JOB = ("id", "entries", "outcome", "stage", "seconds", "gap", "message")

Fields = Mapping[str, TypeAdapter[Any]]
"""Fields by name, each with what makes JSON of it and reads it back; networks and plans are kept apart."""
ASKED = TypeAdapter(Asked)
ORDERS = TypeAdapter(tuple[OrderIssued, ...])
KNOWN: Fields = {
    "figures": TypeAdapter(tuple[Figure, ...]),
    "orders": TypeAdapter(tuple[OrderRecord, ...]),
    "order_of": TypeAdapter(dict[str, str]),
    "fleet_of": TypeAdapter(dict[str, str]),
    "problems": TypeAdapter(tuple[Finding, ...]),
}
ROUNDED: Fields = {
    **dict.fromkeys(("days", "begun", "driven", "light"), TypeAdapter(int)),
    **dict.fromkeys(
        ("loss", "people_days", "unavoidable", "planned", "light_loss", "fuel_loss", "seconds"), TypeAdapter(float)
    ),
    "losses": TypeAdapter(tuple[Loss, ...]),
    "too_long": TypeAdapter(tuple[tuple[str, str, str], ...]),
    "vehicles": TypeAdapter(tuple[FleetDay, ...]),
}


def keep_bytes(file: SqliteStore, setting: str, content: bytes) -> None:
    """Keep bytes under a setting of the home, packed: all of them are on the disk when this returns, or none."""
    file.set_setting(setting, b64encode(zlib.compress(content, 6)).decode())


def kept_bytes(file: SqliteStore, setting: str) -> bytes | None:
    """Return what is kept under a setting, None if there is nothing or it is damaged."""
    try:
        return zlib.decompress(b64decode(file.setting(setting)))
    except (zlib.error, ValueError):
        return None


def keep_job(file: SqliteStore, job: Job) -> None:
    """Keep a job that came to a plan, in place of the one that was kept before."""
    proposal = job.proposal
    assert proposal is not None
    known, rounded, packing = proposal.known, proposal.rounded, _Packing()
    head = {
        "version": VERSION,
        "job": {name: getattr(job, name) for name in JOB},
        "asked": ASKED.dump_python(job.asked, mode="json"),
        "known": {
            "network": packing.network(known.network),
            "tables": packing.network(known.tables),
            **_plain(known, KNOWN),
        },
        "plan": packing.plan(proposal.plan),
        "rounded": {
            "plan": packing.plan(rounded.plan),
            "fractional": packing.plan(rounded.fractional),
            **_plain(rounded, ROUNDED),
        },
        "orders": ORDERS.dump_python(proposal.orders, mode="json"),
        "networks": packing.networks,
        "plans": packing.plans,
    }
    content = BytesIO()
    np.savez(content, allow_pickle=False, head=np.array(json.dumps(head)), **packing.arrays)
    keep_bytes(file, SETTING, content.getvalue())


def kept_job(file: SqliteStore) -> Job | None:
    """Return the job that was kept; None if there is none, or it cannot be read, as where another version kept it.

    A plan is made anew sooner than mended, and a room that does not open for its sake would be worse.
    """
    content = kept_bytes(file, SETTING)
    if content is None:
        return None
    try:
        with np.load(BytesIO(content), allow_pickle=False) as kept:
            head: dict[str, Any] = json.loads(str(kept["head"]))
            return _job(head, {key: kept[key] for key in kept.files}) if head["version"] == VERSION else None
    except (AbastoError, BadZipFile, KeyError, IndexError, TypeError, ValueError):
        return None


class _Packing:
    """What is written of networks and plans: each is kept once, however often it is named, by its place in a list."""

    def __init__(self) -> None:
        self.networks: list[dict[str, Any]] = []
        self.plans: list[dict[str, Any]] = []
        self.arrays: dict[str, Any] = {}
        self._places: dict[int, int] = {}

    def network(self, network: Network) -> int:
        if id(network) not in self._places:
            self._places[id(network)] = len(self.networks)
            rows = {
                schema.name: [row.model_dump(mode="json", by_alias=True) for row in network.rows(schema.name)]
                for schema in TABLES
            }
            self.networks.append(rows)
        return self._places[id(network)]

    def plan(self, plan: Plan) -> int:
        if id(plan) not in self._places:
            place = self._places[id(plan)] = len(self.plans)
            figures = {name: getattr(plan, name) for name in FIGURES}
            self.plans.append({"network": self.network(plan.network), **figures})
            for name in NAMES:
                for column, values in plan.table(name).items():
                    array = values.astype(str) if values.dtype == object else values
                    self.arrays[f"{place}/{name}/{column}"] = array
        return self._places[id(plan)]


def _job(head: dict[str, Any], arrays: dict[str, Any]) -> Job:
    networks = [_network(rows) for rows in head["networks"]]
    plans = [_plan(number, one, networks, arrays) for number, one in enumerate(head["plans"])]
    known, rounded = head["known"], head["rounded"]
    seen = Known(network=networks[known["network"]], tables=networks[known["tables"]], **_read(known, KNOWN))
    whole = Rounded(plan=plans[rounded["plan"]], fractional=plans[rounded["fractional"]], **_read(rounded, ROUNDED))
    proposal = Proposal(seen, plans[head["plan"]], whole, ORDERS.validate_python(head["orders"]))
    return Job(
        asked=ASKED.validate_python(head["asked"]), proposal=proposal, **{name: head["job"][name] for name in JOB}
    )


def _plain(data: Known | Rounded, fields: Fields) -> dict[str, Any]:
    return {name: field.dump_python(getattr(data, name), mode="json") for name, field in fields.items()}


def _read(plain: dict[str, Any], fields: Fields) -> dict[str, Any]:
    return {name: field.validate_python(plain[name]) for name, field in fields.items()}


def _plan(number: int, head: dict[str, Any], networks: list[Network], arrays: dict[str, Any]) -> Plan:
    columns: dict[str, dict[str, Any]] = {name: {} for name in NAMES}
    for key, values in arrays.items():
        place, _, rest = key.partition("/")
        if place == str(number):
            name, _, column = rest.partition("/")
            columns[name][column] = values
    parts: dict[str, Any] = {name: head[name] for name in FIGURES} | {name: Table(columns[name]) for name in NAMES}
    return Plan(network=networks[head["network"]], **parts)


def _network(rows: dict[str, list[dict[str, Any]]]) -> Network:
    whole = NetworkRow.model_validate(rows["network"][0])
    tables: dict[str, Any] = {
        schema.name: tuple(schema.row.model_validate(row) for row in rows[schema.name]) for schema in TABLES[1:]
    }
    return Network(whole.name, whole.start, whole.days, **tables)
