"""The command `rehearse`: take away each thing in turn, show how far it is, and say what would hurt most."""

from __future__ import annotations

import json as json_format
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, existing, printable, say, unknown_name
from abasto.cli_plan import Solver, read_for_planning, refuse_unwritable, run_until_stopped

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from abasto.network import Network
    from abasto.rehearse import Rehearsal, Step

__all__ = ["rehearse"]

SECONDS_TO_CONNECT = 10
OURS = ("rehearsal.csv", "pairs.csv")
"""The tables in the folder of --out."""


def rehearse(
    path: Path,
    /,
    *,
    scenario: str | None = None,
    what: str = "sites,lanes,fleets,plants,supplies",
    pairs: int = 0,
    most: int = 10,
    out: Path | None = None,
    fresh: Annotated[bool, Parameter(negative="")] = False,
    jobs: int | None = None,
    backend: str = "loky",
    scheduler: str | None = None,
    fairness: float = 4.0,
    solver: Solver = "auto",
    gap: float = 0.01,
    time_limit: float | None = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Take away each thing of the network at PATH in turn and rank them by harm; only writes with --out.

    Ctrl-C ends the rehearsal with what is known so far; with --out, the same command goes on from there.

    Exit codes: 0 done or stopped, 1 problems in the tables, 2 wrong use of the command.

    Parameters
    ----------
    path
        A folder of CSV files or one workbook.
    scenario
        Take things away on top of this scenario of table disruptions.
    what
        What to take away: any of sites, lanes, fleets, plants, supplies, with commas between.
    pairs
        Also find so many of the worst pairs.
    most
        Tell so many of the worst losses apart and describe them.
    out
        The folder to keep results in: progress as it comes, tables at the end.
    fresh
        Start over where the folder of --out holds progress.
    jobs
        How many processes share the work; one for each core where that pays.
    backend
        What shares out the work: loky, dask, ray or another that joblib knows.
    scheduler
        Address of a Dask scheduler, such as tcp://127.0.0.1:8786; its workers share the work.
    fairness
        0 gives the greatest total coverage; the larger, the more the worst off come first.
    solver
        Which solver plans; auto chooses by size.
    gap
        The share of the objective to which the harms of the worst are proven at least.
    time_limit
        Seconds after which what is known is shown.
    json
        Print one JSON object on stdout and nothing else.

    """
    _refuse_input_folder(existing(path), out)
    refuse_unwritable("--out", out, folder=True)
    if fresh and out is None:
        raise UsageError("--fresh starts over what --out keeps; give --out too, or leave it out.")
    network = read_for_planning(path)
    if network is None:
        return EXIT_INPUT
    if scenario is not None and scenario not in network.scenarios:
        raise UsageError(unknown_name("scenario", scenario, network.scenarios))
    result = _rehearse(
        network,
        scenario,
        sharing=_sharing(backend, scheduler),
        kept=None if out is None else str(out),
        what=what.split(","),
        pairs=pairs,
        most=most,
        fairness=fairness,
        solver=solver,
        gap=gap,
        time_limit=time_limit,
        jobs=jobs,
        folder=out,
        fresh=fresh,
    )
    if out is not None and not result.not_looked_at:
        _write(result, out, with_pairs=pairs > 0)
    _show(result, most=most, pairs=pairs, json=json, out=out)
    return EXIT_OK


def _rehearse(
    network: Network,
    scenario: str | None,
    *,
    sharing: Callable[[], AbstractContextManager[Any]],
    kept: str | None,
    **options: Any,
) -> Rehearsal:
    """Rehearse while the terminal shows how far it is; Ctrl-C ends it with what is known."""
    import abasto.rehearse as room

    with _bar() as progress:

        def work(stop: Callable[[], bool]) -> Rehearsal:
            with sharing():  # joblib keeps its choice for each thread apart
                return room.rehearse(network, scenario, progress=progress, stop=stop, **options)

        what_is_kept = "nothing was written" if kept is None else f"what is done is kept in {kept}"
        return run_until_stopped(work, keeps="what is known so far", kept=what_is_kept)


def _sharing(backend: str, scheduler: str | None) -> Callable[[], AbstractContextManager[Any]]:
    """Return what hands the work to the backend while it is entered; a `UsageError` where there is none such."""
    import joblib

    if scheduler is not None:
        if backend not in ("loky", "dask"):
            raise UsageError(
                f"--scheduler is an address of Dask, and --backend {backend} is another; give one of them."
            )
        client = _dask_client(scheduler)
        return lambda: joblib.parallel_config(backend="dask", client=client)
    if backend == "loky":
        return nullcontext
    if backend == "dask":
        raise UsageError("--backend dask needs the address of a scheduler: --scheduler tcp://127.0.0.1:8786, say.")
    if backend == "ray":
        _register_ray()
    known = sorted({*joblib.parallel.BACKENDS, *joblib.parallel.EXTERNAL_BACKENDS})
    if backend not in known:
        raise UsageError(unknown_name("backend", backend, known))
    return lambda: joblib.parallel_config(backend=backend)


def _dask_client(address: str) -> Any:
    try:
        import distributed
    except ImportError:
        raise UsageError("--scheduler needs Dask, which is not installed here: pip install distributed.") from None
    try:
        return distributed.Client(address, set_as_default=False, timeout=SECONDS_TO_CONNECT)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise UsageError(f'--scheduler "{address}": no Dask scheduler answers there ({error}).') from None


def _register_ray() -> None:
    try:
        ray = import_module("ray.util.joblib")
    except ImportError:
        raise UsageError("--backend ray needs Ray, which is not installed here: pip install ray.") from None
    ray.register_ray()


def _refuse_input_folder(path: Path, out: Path | None) -> None:
    source = path.resolve()
    if out is not None and (out.resolve() == source or out.resolve() in source.parents):
        raise UsageError(f'--out "{out}": the tables that are read lie there; give another folder.')


@contextmanager
def _bar() -> Iterator[Callable[[Step], None] | None]:
    """Yield a function that shows a step on stderr; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[worst]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("reading", total=None, worst="")

        def show(step: Step) -> None:
            worst = " and ".join(loss.target for loss in step.worst)
            bar.update(
                task,
                description=step.stage,
                completed=step.done,
                total=step.total,
                worst=escape(printable(f"worst so far: {worst}")) if worst else "",
            )

        yield show


def _write(result: Rehearsal, folder: Path, *, with_pairs: bool) -> None:
    from abasto.rehearse import pairs_csv, rehearsal_csv
    from abasto.tables.whole import write_folder_whole

    files = {"rehearsal.csv": rehearsal_csv(result)}
    if with_pairs:
        files["pairs.csv"] = pairs_csv(result)
    write_folder_whole(folder, files, ours=OURS)


def _show(result: Rehearsal, *, most: int, pairs: int, json: bool, out: Path | None) -> None:
    from abasto.rehearse.words import briefing, rehearsal_document

    written = out is not None and not result.not_looked_at
    if json:
        document = rehearsal_document(result, written=str(out) if written else None)
        print(json_format.dumps(document, ensure_ascii=False, indent=1, allow_nan=False))
    else:
        for line in briefing(result, most=most, pairs=pairs):
            print(printable(line))
        if written:
            print(f"\nTables are in {printable(str(out))}.")
    if not result.is_complete and out is not None:
        say(f'what is done is kept in "{out}"; the same command goes on from there.')
    elif not result.is_complete:
        say("nothing of it is kept; with --out DIR the same command would go on from there.")
