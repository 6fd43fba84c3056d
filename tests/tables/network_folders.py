"""Small folders of CSV tables for the tests of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

GOOD = {
    "network": "name,start,days\nBarrio,2026-11-22,7\n",
    "sites": "site,people\nmill,0\nschool,400\n",
    "goods": "good,unit\nflour,kg\nbread,kg\n",
    "lanes": "from,to,km\nmill,school,12\n",
    "fleets": "fleet,vehicles,payload_t\ntrucks,2,5\n",
}
"""A network with nothing wrong in it; each test changes one thing."""


def folder(path: Path, **changes: str | bytes | None) -> Path:
    """Write the good network with some tables changed or (None) left out, and return its folder."""
    tables: Mapping[str, str | bytes | None] = {**GOOD, **changes}
    path.mkdir(parents=True, exist_ok=True)
    for name, content in tables.items():
        if content is not None:
            data = content if isinstance(content, bytes) else content.encode()
            (path / f"{name}.csv").write_bytes(data)
    return path
