"""Write the examples that ship with the package: `python scripts/make_examples.py [FOLDER]`.

Without FOLDER the files in src/abasto/examples are written anew. The READMEs beside the tables are written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from abasto.network import Network
from abasto.tables import write_network
from national import national
from neighbourhood import neighbourhood

EXAMPLES: Mapping[str, Callable[[], Network]] = {"neighbourhood": neighbourhood, "national": national}

SHIPPED = Path(__file__).resolve().parent.parent / "src" / "abasto" / "examples"


def write_examples(folder: Path) -> None:
    """Write the tables of every example into a folder of its name inside `folder`."""
    for name, make in EXAMPLES.items():
        write_network(make(), folder / name)


if __name__ == "__main__":
    write_examples(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED)
