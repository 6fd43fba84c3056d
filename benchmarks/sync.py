"""Measure the exchange of two devices: catching up with full verification, what it sends, and finding nothing to do.

    uv run python -m benchmarks.sync [--entries 100000] [--held 1000000] [--page]

Both sides are encrypted files on this machine's disk, and one process does the work of both, one after the other; only
the line is missing. `--page` writes the table into docs/sync.md; otherwise it is printed.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from nacl.signing import VerifyKey

from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.signing import DOMAIN, bytes_of, read_entry
from abasto.journal.sqlite import SqliteStore
from abasto.membership import Membership
from abasto.sync.exchange import Answerer, Ask, MayKeep, Synced, pull, push, sync
from abasto.sync.messages import Give, pack
from benchmarks.journal import KEY, PAGE, build, pages

__all__ = ["CatchUp", "main", "measure_catch_up", "measure_nothing_new"]

BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
DOCS = Path(__file__).resolve().parent.parent / "docs" / "sync.md"
ROUNDS = 7
Way = Callable[[Journal, Ask], Synced]


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Seconds to bring so many entries across, and beside it those of the signatures alone; bytes sent both ways.

    `missing` are the bytes of the entries and their signatures, `packed` the same as the exchange packs a page.
    """

    way: str
    entries: int
    seconds: float
    signatures_seconds: float
    moved: int
    missing: int
    packed: int


def room(journal: Journal) -> MayKeep:
    """Return what a device asks of each entry that arrives: whether its network has room for it."""
    return Membership(journal).room()


def measure_catch_up(count: int, folder: Path) -> list[CatchUp]:
    """Bring a journal of so many entries to one that holds nothing, fetched and given."""
    source = _built(folder / "source.db", count)
    sent = list(source.store.export())
    missing = sum(len(raw) + len(signature) for raw, signature in sent)
    packed = sum(len(pack(Give(network=source.network), page)) for page in pages(sent, PAGE))
    signatures = _signatures_alone(sent)
    found = []
    ways: tuple[tuple[str, Callable[[Journal], Synced]], ...] = (
        ("fetched (`pull`)", lambda target: pull(target, Answerer(source).answer, may_keep=room(target))),
        ("given (`push`)", lambda target: push(source, Answerer(target, may_keep=room(target)).answer)),
    )
    for number, (name, way) in enumerate(ways):
        target = Journal(SqliteStore(folder / f"target {number}.db", key=KEY, create=True))
        begin = time.perf_counter()
        synced = way(target)
        seconds = time.perf_counter() - begin
        if not synced.is_identical or target.store.count() != count:
            raise RuntimeError("the two journals differ after the exchange; a fault of the exchange")
        target.store.close()
        found.append(CatchUp(name, count, seconds, signatures, synced.sent + synced.received, missing, packed))
    source.store.close()
    return found


def measure_nothing_new(count: int, folder: Path) -> tuple[float, float, int]:
    """Return the seconds of an exchange of who holds the same: just opened, and the median later; and bytes moved."""
    one = _built(folder / "held.db", count)
    other = Journal(SqliteStore(folder / "held.db", key=KEY))
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        synced = sync(one, Answerer(other).answer)
        seconds.append(time.perf_counter() - begin)
        if not synced.is_identical:
            raise RuntimeError("one file told from itself; a fault of the fingerprint")
    one.store.close()
    other.store.close()
    return seconds[0], statistics.median(seconds[1:]), synced.sent + synced.received


def _built(path: Path, count: int) -> Journal:
    child = get_context("spawn").Process(target=build, args=(path, KEY, count))
    child.start()  # What is measured later has its memory and caches to itself.
    child.join()
    if child.exitcode != 0:
        raise RuntimeError(f"the journal of {count:,} entries could not be written; its process says why above")
    return Journal(SqliteStore(path, key=KEY))


def _signatures_alone(sent: Iterable[Signed]) -> float:
    checked = [(VerifyKey(bytes_of(read_entry(one).entry.author)), one) for one in sent]
    begin = time.perf_counter()
    for key, one in checked:
        key.verify(DOMAIN + one.raw, one.signature)
    return time.perf_counter() - begin


def _table(catch_ups: Iterable[CatchUp], held: int, first: float, later: float, moved: int) -> Iterator[str]:
    yield "| entries missing | way | seconds | × signatures alone | MiB moved | × missing bytes | × these, packed |"
    yield "|---:|---|---:|---:|---:|---:|---:|"
    for one in catch_ups:
        yield (
            f"| {one.entries:,} | {one.way} | {one.seconds:.1f} | {one.seconds / one.signatures_seconds:.1f} "
            f"| {one.moved / 2**20:.1f} | {one.moved / one.missing:.2f} | {one.moved / one.packed:.3f} |"
        )
    yield ""
    yield (
        f"With {held:,} entries on both sides and nothing new, an exchange takes {later * 1000:.1f} ms and {moved} "
        f"bytes both ways together; the first after opening the files {first * 1000:.1f} ms."
    )


def main() -> None:
    """Measure, and print the figures or write them into the page."""
    parser = argparse.ArgumentParser(description="Measure the exchange of two devices.")
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--held", type=int, default=1_000_000)
    parser.add_argument("--page", action="store_true", help="write the table into docs/sync.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catch_ups = measure_catch_up(asked.entries, folder)
        lines = "\n".join(_table(catch_ups, asked.held, *measure_nothing_new(asked.held, folder)))
    if not asked.page:
        print(lines)
        return
    page = DOCS.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCS.write_text(f"{before}{BEGIN}\n\n{lines}\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
