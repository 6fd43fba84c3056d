"""A program whose children write in a home as fast as they can and say each batch that was acknowledged.

    python -m tests.journal.writer FOLDER KEY SALT

reads seeds, a line each. For each it lets a child write, which the tests kill: the child says `ready PID`, then a line
per batch, its ids, after `append` has returned; `over` says that it is gone. Children are forks, since a program takes
longer to start than it may live here; no journal is open in what they are forked from.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

from tests.journal.entries import note

from abasto.journal.home import FILE, Home
from abasto.journal.sqlite import SqliteStore
from abasto.journal.sqlite_file import Key


def main() -> None:
    folder, key, salt = sys.argv[1:]
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            write(Path(folder), Key(bytes.fromhex(key), bytes.fromhex(salt)), seed=int(line))
        os.waitpid(child, 0)
        print("over", flush=True)


def write(folder: Path, key: Key, *, seed: int) -> None:
    """Write until killed."""
    print(f"ready {os.getpid()}", flush=True)
    home = Home(folder, SqliteStore(folder / FILE, key=key))
    random = Random(seed)
    batch = 0
    while True:
        size = random.choice([1, 1, 5, 50])
        batch += 1
        written = home.journal.append([note(f"{seed}/{batch}: {n} of {size}") for n in range(1, size + 1)], time=batch)
        print(" ".join(entry.id for entry in written), flush=True)


if __name__ == "__main__":
    main()
