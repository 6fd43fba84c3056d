"""Results → Markdown: one table per question that the benchmark answers."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import render_journal as journal
from benchmarks.case import GAPS, MANY

__all__ = ["BEGIN", "END", "put_into_page", "render"]

BEGIN, END = "<!-- benchmark:begin -->", "<!-- benchmark:end -->"
Record = dict[str, Any]

NAMES = {
    "highs-ipm": "HiGHS interior point",
    "highs-ipm-1%": "HiGHS interior point, told to stop at 1 %",
    "highs-simplex": "HiGHS dual simplex",
    "linopy": "linopy → HiGHS interior point",
    "glop": "OR-Tools GLOP",
    "pdlp": "OR-Tools PDLP",
}
DEFAULT = (4.0, 0.8)
WITHIN = 0.1
"""How far below our bound a peer's plan may be to count as an answer on MEDIUM."""


def put_into_page(text: str, page: Path) -> None:
    """Replace what stands between the two markers of a page."""
    old = page.read_text(encoding="utf-8")
    if old.count(BEGIN) != 1 or old.count(END) != 1:
        raise ValueError(f'{page.name} must have the lines "{BEGIN}" and "{END}" once each; put them back')
    head, rest = old.split(BEGIN)
    _, tail = rest.split(END)
    page.write_text(f"{head}{BEGIN}\n\n{text.strip()}\n\n{END}{tail}", encoding="utf-8")


def render(results: dict[str, Any]) -> str:
    """Return all tables that the results have something for."""
    records: list[Record] = results["cases"]
    parts = [
        _setting(results),
        _ratios(records),
        _peers_where_we_run(records, "TINY"),
        _peers_where_we_run(records, "SMALL"),
        _sizes(records),
        _beyond_peers(records),
        _hard(records),
        _large(records),
        _losses(records),
        _rehearsals(records),
        _reading(records),
        _checks(records),
        *_journal(records),
        _failures(records),
    ]
    return "\n\n".join(part for part in parts if part)


def _setting(results: dict[str, Any]) -> str:
    machine = results["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    text = (
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, Python {machine['python']}, {packages}. "
        "α = 4 and scarcity 0.8 where nothing else is said."
    )
    for record in _of(results["cases"], "compile"):
        text += (
            f" Compiling takes {_seconds(record['compiling_seconds'])} once on a machine, loading what was compiled "
            f"{_seconds(record['loading_seconds'])} once in a process; neither is counted below."
        )
    return text


def _ratios(records: list[Record]) -> str:
    """How many times longer interior point takes than we do, network by network, on SMALL."""
    groups: list[tuple[str, Callable[[Record], bool]]] = [
        ("no chain", lambda case: _kind(case) == DEFAULT and not case["chain"]),
        ("chain", lambda case: _kind(case) == DEFAULT and case["chain"]),
        ("both", lambda case: _kind(case) == DEFAULT),
        *((f"α = {a}", lambda case, a=a: _kind(case) == (a, 0.8)) for a in (0, 1, 2)),
        ("scarcity 1.6", lambda case: _kind(case) == (4.0, 1.6)),
    ]
    ours = _by_instance(records, "equilibrium", "SMALL")
    peers = _by_instance(records, "highs-ipm", "SMALL")
    rows = []
    for name, belongs in groups:
        both = [key for key in ours if key in peers and belongs(ours[key]["case"])]
        if not both:
            continue
        times = [_reached(ours[key], 0.01) for key in both]
        row = [name, str(len(both)), _median_s(times), _median_s([_reached(ours[key], 0.001) for key in both])]
        row.append(_median_s([peers[key]["seconds"] for key in both]))
        row += [_ratio_cell([(ours[key], peers[key]) for key in both], gap) for gap in (0.01, 0.001)]
        rows.append(row)
    head = ["SMALL", "networks", "ours ≤ 1 %", "ours ≤ 0.1 %", "interior point", "ratio at 1 %", "ratio at 0.1 %"]
    return _section(
        "Ratio to interior point",
        "Time of HiGHS interior point (no crossover, two threads, assembly not counted) ÷ time of Abasto to the "
        "certified gap, on the same network: median (least – greatest). Times are medians.",
        head,
        rows,
    )


def _ratio_cell(pairs: Sequence[tuple[Record, Record]], gap: float) -> str:
    """A network on which we do not get there counts as ratio 0; one on which the peer does not, as at least."""
    ratios, open_end = [], False
    for ours, peer in pairs:
        time = _reached(ours, gap)
        ratios.append(0.0 if time is None else peer["seconds"] / time)
        open_end |= not peer["ended"]
    sign = "≥ " if open_end else ""
    missed = sum(ratio == 0 for ratio in ratios)
    note = f"; {missed} not reached" if missed else ""
    return f"{sign}**{statistics.median(ratios):.1f}×** ({min(ratios):.1f} – {max(ratios):.1f}){note}"


def _peers_where_we_run(records: list[Record], size: str) -> str:
    """Every solver on the first seeds, one row each."""
    rows = []
    ours = _by_instance(records, "equilibrium", size)
    for solver, name in NAMES.items():
        for record in _of(records, solver):
            if record["case"]["size"] != size or (solver == "highs-ipm" and not _plain(record)):
                continue
            base = ours.get(record["instance"])
            rows.append([name, str(record["case"]["seed"]), *_answer_cells(record, base)])
    if not any(row[0] != NAMES["highs-ipm"] for row in rows):
        return ""
    for record in ours.values():
        if _plain(record):
            time = _seconds(_reached(record, 0.001))
            gap = _percent(record["gap"])
            rows.append(
                ["Abasto", str(record["case"]["seed"]), "–", time, "1", gap, gap, _mib(record), record["status"]]
            )
    head = [
        size,
        "seed",
        "assembly",
        "time",
        "÷ ours at 0.1 %",
        "below best bound",
        "own certificate",
        "memory",
        "ended as",
    ]
    return _section(
        f"All solvers on {size}",
        "The same model, seeds 0 and 1. “Below best bound” is how far the plan that the answer gives is at most below "
        "the best possible, by the better of its own bound and ours; “own certificate” is the same by the bound that "
        "its own duals prove. A point that breaks limits is first cut to what holds. HiGHS takes back “optimal” for "
        "linopy's model, since postsolve leaves poor duals there; the point itself holds.",
        head,
        rows,
    )


def _plain(record: Record) -> bool:
    case = record["case"]
    return _kind(case) == DEFAULT and not case["chain"] and case["seed"] < 2


def _answer_cells(record: Record, ours: Record | None) -> list[str]:
    time = _reached(ours, 0.001) if ours else None
    seconds = _seconds(record["seconds"]) + ("" if record["ended"] else " (limit)")
    ratio = "–" if time is None else f"{record['seconds'] / time:.0f}×"
    return [
        _seconds(record.get("assembly_seconds")),
        seconds,
        ratio,
        _below(record, ours),
        _own_gap(record),
        _mib(record),
        _word(record["status"]),
    ]


def _own_gap(record: Record) -> str:
    """How far the plan is below the bound that the answer's own duals prove."""
    if not record.get("kept") or record.get("bound") is None:
        return "none"
    return _percent(max(0.0, record["bound"] / record["kept"] - 1))


def _below(record: Record, ours: Record | None) -> str:
    """How far a peer's plan is below the best proven bound; the tenth of a per mille hides rounding."""
    bounds = [found["bound"] for found in (record, ours) if found and found.get("bound") is not None]
    if record.get("kept") is None:
        return "no plan"
    if not bounds:
        return "–"
    cell = _percent(max(0.0, min(bounds) / record["kept"] - 1)) if record["kept"] > 0 else "all of it"
    return cell if record["feasible"] else f"{cell} after cutting"


def _sizes(records: list[Record]) -> str:
    """Time to each gap, time per need and memory, size by size."""
    rows = []
    for size in ("SMALL", "MEDIUM", "LARGE"):
        mine = [
            record for record in _by_instance(records, "equilibrium", size).values() if _kind(record["case"]) == DEFAULT
        ]
        if not mine:
            continue
        needs = statistics.median(record["needs"] for record in mine)
        row = [size, str(len(mine)), f"{needs:,.0f}"]
        row += [_spread([_reached(record, gap) for record in mine]) for gap in GAPS[:3]]
        row += [_per_need(mine, gap) for gap in GAPS[:3]]
        row.append(f"{max(record['memory_mib'] for record in mine):,.0f} MiB")
        rows.append(row)
    gaps = [f"≤ {gap:.0%}".replace("%", " %") for gap in GAPS[:3]]
    head = ["size", "networks", "needs", *gaps, *(f"per need {gap}" for gap in gaps), "peak memory"]
    return _section(
        "Abasto by size",
        "Seconds to each certified gap: median (least – greatest), and how many got there where not all did. "
        "Needs are counted by site, good and day.",
        head,
        rows,
    )


def _per_need(records: list[Record], gap: float) -> str:
    times = [time / record["needs"] for record in records if (time := _reached(record, gap)) is not None]
    return f"{1e6 * statistics.median(times):.0f} µs" if times else "–"


def _beyond_peers(records: list[Record]) -> str:
    """What general solvers have on MEDIUM after a multiple of our time."""
    ours = _by_instance(records, "equilibrium", "MEDIUM")
    rows = []
    for solver in ("highs-ipm", "highs-simplex", "pdlp"):
        for record in _of(records, solver):
            base = ours.get(record["instance"])
            if record["case"]["size"] != "MEDIUM" or base is None:
                continue
            time = _reached(base, 0.01)
            spent = "–" if time is None else f"{record['seconds'] / time:.1f}×"
            worst = "–" if record.get("violation") is None else f"{record['violation']:.1g}"
            row = [NAMES[solver], _seconds(record["seconds"]), spent, worst, _near(record, base)]
            rows.append([*row, _below(record, base), _own_gap(record), _mib(record), _word(record["status"])])
    facts = ["largest violation", "plan within 10 %", "below best bound", "own certificate", "memory", "ended as"]
    return _section(
        "General solvers on MEDIUM",
        f"Seed 0; each may take {MANY} times as long as Abasto to 1 %, and 100 s at most. A violation is in units in "
        "which every row's largest coefficient is 1; a point with one above 1e-6 is no plan as it is. “After cutting” "
        "is what Abasto's own repair makes of such a point, which a general solver alone does not have; “own "
        "certificate” is how far that is below the bound that the answer's own duals prove.",
        ["MEDIUM", "time", "÷ ours at 1 %", *facts],
        rows,
    )


def _near(record: Record, ours: Record) -> str:
    """Whether an answer is a plan within a tenth of our bound: as it is, or only once we have cut it."""
    if record.get("kept") is None or record["kept"] < (1 - WITHIN) * ours["bound"]:
        return "no"
    return "yes" if record["feasible"] else "not as it is; after cutting, yes"


def _hard(records: list[Record]) -> str:
    """The cases known to be hardest for us."""
    rows = []
    for record in _by_instance(records, "equilibrium", "MEDIUM").values():
        kind = _kind(record["case"])
        if kind != DEFAULT:
            name = f"α = {kind[0]:g}, scarcity {kind[1]:g}"
            times = [_seconds(_reached(record, gap)) for gap in GAPS[:3]]
            rows.append(
                [name, *times, _percent(record["gap"]), _percent(record["gap_of_unmet"]), _seconds(record["seconds"])]
            )
    head = ["MEDIUM", "≤ 5 %", "≤ 2 %", "≤ 1 %", "gap at the end", "of what is unmet", "after"]
    return _section("Hard cases", "Seed 0; the search may take 60 s.", head, rows)


def _large(records: list[Record]) -> str:
    """How far LARGE is after one, two and three minutes."""
    rows = []
    medium = list(_by_instance(records, "equilibrium", "MEDIUM").values())
    medium = [record for record in medium if _kind(record["case"]) == DEFAULT]
    for record in _by_instance(records, "equilibrium", "LARGE").values():
        at = record["gap_at"]
        row = [str(record["case"]["seed"]), *(_percent(at.get(mark)) for mark in ("60", "120", "180"))]
        row += [_percent(record["gap"]), _seconds(record["seconds"])]
        for gap in GAPS[:3]:
            times = [time / other["needs"] for other in medium if (time := _reached(other, gap)) is not None]
            mine = _reached(record, gap)
            known = times and mine is not None
            row.append(f"{mine / record['needs'] / statistics.median(times):.2f}" if known and mine else "–")
        rows.append([*row, _mib(record), f"{record['memory_with_tables_mib']:,.0f} MiB"])
    head = [
        "seed",
        "after 60 s",
        "120 s",
        "180 s",
        "at the end",
        "after",
        *(f"{gap:.0%}".replace("%", " %") for gap in GAPS[:3]),
    ]
    head[6] = f"per need ÷ MEDIUM at {head[6]}"
    return _section(
        "LARGE over time",
        "The certified gap, and the time per need to a gap as a multiple of that of MEDIUM to the same gap. Memory is "
        "the peak of the search, and of the whole process once the tables are written and checked.",
        [*head, "memory", "with tables"],
        rows,
    )


def _losses(records: list[Record]) -> str:
    rows = []
    for record in _of(records, "losses"):
        faster = [row["cold"] / row["warm"] for row in record["rows"]]
        rows.append(
            [
                record["instance"].split(" α")[0],
                str(record["losses"]),
                _seconds(record["cold_seconds"]),
                _seconds(record["warm_seconds"]),
                f"**{record['cold_seconds'] / record['warm_seconds']:.1f}×** ({min(faster):.1f} – {max(faster):.0f})",
                f"{record['not_reached']} / {record['cold_not_reached']}",
                _seconds(record["look_seconds"]),
                f"{record['look_seconds'] / record['cold_seconds']:.2%}",
                f"{statistics.median(row['look_gap'] for row in record['rows']):.2%}",
            ]
        )
    head = ["network", "losses", "cold", "warm", "cold ÷ warm", "not reached, warm / cold", "a look", "of a cold plan"]
    return _section(
        "Plans after a loss",
        "Sites, fleets and plants drawn at random, each lost alone: searched to the same certified gap of 1 % from "
        "nothing and from the plan there was, one after the other, and bounded by a single look. Times are means over "
        "all losses; the ratio is that of the means, with the least and the greatest of single losses.",
        [*head, "gap of a look (median)"],
        rows,
    )


def _rehearsals(records: list[Record]) -> str:
    rows = [
        [
            record["instance"].split(" α")[0],
            str(record["losses"]),
            str(record["searches"]),
            _seconds(record["seconds"]),
            _seconds(record["cold_seconds"]),
            f"**{record['cold_plans']:.1f}**",
        ]
        for record in _of(records, "rehearse")
    ]
    return _section(
        "A whole rehearsal",
        "Every site, fleet and plant lost in turn: a look at each, searches for the worst, on two processes. A cold "
        "plan is a search to 1 % from nothing, in the same run.",
        ["network", "losses", "searches", "takes", "a cold plan", "in cold plans"],
        rows,
    )


def _reading(records: list[Record]) -> str:
    rows = []
    for record in _of(records, "read"):
        for plan in _by_instance(records, "equilibrium", record["case"]["size"]).values():
            if plan["instance"] == record["instance"]:
                whole = plan["seconds"] + plan["tables_seconds"] + plan["check_seconds"]
                share = f"{record['seconds'] / whole:.3f}"
                reading = _seconds(record["seconds"])
                rows.append([record["instance"].split(" ")[0], f"{record['rows']:,}", reading, _seconds(whole), share])
    head = ["folder of", "rows", "reading and checking", "planning, tables, check", "ratio"]
    return _section("Reading against planning", "A CSV folder, read with every check.", head, rows)


def _checks(records: list[Record]) -> str:
    """State the plans' violations by size: the check shares nothing with the solvers."""
    rows = []
    for size in ("TINY", "SMALL", "MEDIUM", "LARGE"):
        mine = list(_by_instance(records, "equilibrium", size).values())
        if mine:
            wrong = sum(record["violations"] for record in mine)
            tables = statistics.median(record["tables_seconds"] for record in mine)
            check = statistics.median(record["check_seconds"] for record in mine)
            rows.append([size, str(len(mine)), str(wrong), _seconds(tables), _seconds(check)])
    head = ["size", "plans", "violations", "tables take", "check takes"]
    return _section(
        "Every plan checked", "By the program's own check, which shares nothing with the solvers.", head, rows
    )


def _journal(records: list[Record]) -> list[str]:
    appended, received, folded, shared = (
        _of(records, f"journal-{part}") for part in ("append", "receive", "fold", "postgres")
    )
    read = ["entries", "read", "read and folded", "from a snapshot", "snapshot"]
    stored = ["bytes an entry", "in a clear file", "peak memory"]
    return [
        _section("Durable entries", journal.APPEND_TEXT, journal.APPEND_HEAD, journal.append_rows(appended)),
        _section(
            "Entries received",
            journal.RECEIVE_TEXT,
            ["checked and kept", "checked", "signature verified"],
            journal.receive_rows(received),
        ),
        _section("A long journal", journal.FOLD_TEXT, [*read, *stored], journal.fold_rows(folded)),
        _section(
            "Entries in PostgreSQL",
            "Signed and durable entries a second, one writer, server and program on the same machine.",
            ["entries in a batch", "signed and kept"],
            journal.postgres_rows(shared),
        ),
    ]


def _failures(records: list[Record]) -> str:
    rows = [[record["key"], record["error"]] for record in records if record["outcome"] != "done"]
    return _section("Without a result", "", ["case", "what happened"], rows)


def _of(records: Iterable[Record], solver: str) -> list[Record]:
    return [record for record in records if record["outcome"] == "done" and record["case"]["solver"] == solver]


def _by_instance(records: Iterable[Record], solver: str, size: str) -> dict[str, Record]:
    return {record["instance"]: record for record in _of(records, solver) if record["case"]["size"] == size}


def _kind(case: Record) -> tuple[float, float]:
    return case["fairness"], case["scarcity"]


def _reached(record: Record, gap: float) -> float | None:
    time: float | None = record["reached"][f"{gap:g}"]
    return time


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 0.0995:
        return f"{1000 * seconds:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.95 else f"{seconds:.0f} s"


def _median_s(times: Sequence[float | None]) -> str:
    known = [time for time in times if time is not None]
    return _seconds(statistics.median(known)) if known else "–"


def _spread(times: Sequence[float | None]) -> str:
    known = [time for time in times if time is not None]
    if not known:
        return "not reached"
    missed = f"; {len(known)} of {len(times)}" if len(known) < len(times) else ""
    if len(times) == 1:
        return _seconds(known[0])
    return f"{_seconds(statistics.median(known))} ({_seconds(min(known))} – {_seconds(max(known))}{missed})"


def _percent(share: float | None) -> str:
    if share is None:
        return "–"
    return (
        f"{100 * share:.3f} %" if share < 0.001 else f"{100 * share:.2f} %" if share < 0.1 else f"{100 * share:.0f} %"
    )


def _mib(record: Record) -> str:
    return f"{record['memory_mib']:,.0f} MiB"


def _word(status: str) -> str:
    return status.removeprefix("TERMINATION_REASON_").replace("_", " ").lower()


def _section(title: str, text: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    return f"### {title}\n\n" + (f"{text}\n\n" if text else "") + table
