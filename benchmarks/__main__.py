"""Run the benchmarks and write their tables into the documentation.

uv run --group benchmarks python -m benchmarks run
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.case import Case, from_json, journal_suite, suite
from benchmarks.render import put_into_page, render
from benchmarks.runner import Results, run

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
SIZES = ("TINY", "SMALL", "MEDIUM", "LARGE")
ENTRIES, QUICK_ENTRIES = 1_000_000, 20_000


def main(arguments: list[str] | None = None) -> int:
    """Measure Abasto and general solvers side by side on seeded networks."""
    given = _parser().parse_args(arguments)
    if given.command == "case":
        print(json.dumps(measure(from_json(json.loads(given.fields)))))
        return 0
    if given.command == "run":
        return _run(given)
    if given.command == "journal":
        return _journal(given)
    if given.command == "watch":
        return _watch(quick=given.quick)
    put_into_page(render(json.loads(given.results.read_text(encoding="utf-8"))), given.page)
    print(f"{given.page} shows {given.results}")
    return 0


def measure(case: Case) -> dict[str, Any]:
    """Measure a case in this process; each kind imports only what it needs, so that memory is its own."""
    if case.solver == "compile":
        from benchmarks.ours import measure_compilation

        return measure_compilation(case)
    if case.solver == "equilibrium":
        from benchmarks import ours

        return ours.measure(case)
    if case.solver == "losses":
        from benchmarks import losses

        return losses.measure(case)
    if case.solver == "rehearse":
        from benchmarks import rehearsal

        return rehearsal.measure(case)
    if case.solver == "read":
        from benchmarks import reading

        return reading.measure(case)
    if case.is_of_journal:
        from benchmarks import journal

        return journal.measure(case)
    from benchmarks import peers

    return peers.measure(case)


def _run(given: argparse.Namespace) -> int:
    cases = suite(given.sizes, seeds=given.seeds, quick=given.quick)
    whole = not given.quick and given.sizes == SIZES[1:]
    return _measured(run(cases, _out(given), resume=given.resume), _out(given), whole=whole)


def _journal(given: argparse.Namespace) -> int:
    whole = not given.quick and given.entries == ENTRIES
    cases = journal_suite(QUICK_ENTRIES if given.quick else given.entries)
    return _measured(run(cases, _out(given), resume=given.resume), _out(given), whole=whole)


def _watch(*, quick: bool) -> int:
    """Measure forecasts, alarms and changes of level, one after the other; nothing is written."""
    from benchmarks import watch, watch_alarms, watch_changes

    parts = {
        watch.main: ("--each", "1"),
        watch_alarms.main: ("--towns", "1", "--series", "80"),
        watch_changes.main: ("--quiet", "20", "--planted", "10"),
    }
    return max([part(few if quick else ()) for part, few in parts.items()])


def _out(given: argparse.Namespace) -> Path:
    if given.out is None:
        given.out = Path(tempfile.mkdtemp()) / "results.json" if given.quick else RESULTS
    return given.out


def _measured(results: Results, out: Path, *, whole: bool) -> int:
    text = render(results)
    if not whole:  # the page shows full runs only
        print(f"\n{text}")
    else:
        put_into_page(text, PAGE)
        print(f"{PAGE} is up to date")
    print(f"results are in {out}")
    failed = sum(record["outcome"] != "done" for record in results["cases"])
    return 1 if failed else 0


def _sizes(text: str) -> tuple[str, ...]:
    sizes = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    unknown = [size for size in sizes if size not in SIZES]
    if unknown or not sizes:
        raise argparse.ArgumentTypeError(f'"{text}"; name sizes among {",".join(SIZES)}, with commas between them')
    return sizes


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}"; give a whole number, at least 1')
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run the cases and renew the tables in docs/benchmarks.md")
    running.add_argument(
        "--sizes", type=_sizes, default=SIZES[1:], help="which, with commas between (default SMALL,MEDIUM,LARGE)"
    )
    running.add_argument("--seeds", type=_at_least_one, default=10, help="networks of each kind (default 10)")
    running.add_argument("--out", type=Path, help="where to keep results (default benchmarks/results.json)")
    running.add_argument("--quick", action="store_true", help="two or three minutes; prints, leaves the page alone")
    running.add_argument("--resume", action="store_true", help="keep what --out holds and run what is missing")
    journal = commands.add_parser("journal", help="measure the journal and renew its tables in docs/benchmarks.md")
    journal.add_argument(
        "--entries", type=_at_least_one, default=ENTRIES, help="length of the longest (default 1000000)"
    )
    journal.add_argument("--out", type=Path, help="where to keep results (default benchmarks/results.json)")
    journal.add_argument("--quick", action="store_true", help="a minute, 20,000 entries; prints, leaves the page alone")
    journal.add_argument("--resume", action="store_true", help="keep what --out holds and run what is missing")
    watching = commands.add_parser("watch", help="measure forecasts and alarms of the watch; prints")
    watching.add_argument("--quick", action="store_true", help="a few minutes, few series; figures are rough")
    rendering = commands.add_parser("render", help="write the tables again from results that are there")
    rendering.add_argument("--results", type=Path, default=RESULTS)
    rendering.add_argument("--page", type=Path, default=PAGE)
    case = commands.add_parser("case", help="run one case in this process (used by run)")
    case.add_argument("fields", help="the case as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
