"""Measure what it costs to read and check a large folder of tables."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from abasto.network import TABLES
from abasto.tables import read_network, write_network
from benchmarks.case import Case
from benchmarks.generate import generate
from benchmarks.memory import peak_mib

__all__ = ["measure"]


def measure(case: Case) -> dict[str, Any]:
    """Write the network as a CSV folder, then read it back with every check."""
    network = generate(case.size, seed=case.seed, chain=case.chain, scarcity=case.scarcity)
    with TemporaryDirectory() as folder:
        begin = time.perf_counter()
        write_network(network, Path(folder) / "network")
        written = time.perf_counter()
        again = read_network(Path(folder) / "network")
        read = time.perf_counter()
    rows = sum(len(network.rows(table.name)) for table in TABLES)
    return {
        "status": "read" if again == network else "read back differently",
        "seconds": read - written,
        "write_seconds": written - begin,
        "rows": rows,
        "memory_mib": peak_mib(),
    }
