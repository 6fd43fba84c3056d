"""Cases shared out through joblib: to processes of this machine, or to the cluster that a backend stands for."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

import joblib

from abasto.errors import AbastoError
from abasto.rehearse.cases import Case, Outcome, Packed, quick, searched

__all__ = ["on_this_machine", "share_out_brackets", "share_out_searches"]

AT_ONCE = 8
"""Brackets that a worker is asked for at once."""


def share_out_brackets(packed: Packed, cases: Sequence[Case], jobs: int) -> Iterator[list[Outcome]]:
    """Yield brackets as they come, some at a time, in any order."""
    parts = [cases[start : start + AT_ONCE] for start in range(0, len(cases), AT_ONCE)]
    yield from _as_they_come([joblib.delayed(quick)(packed.key, packed.content, part) for part in parts], jobs)


def share_out_searches(
    packed: Packed, wanted: Sequence[tuple[Case, float]], jobs: int, *, enough: float
) -> Iterator[Outcome]:
    """Yield an outcome for each case and gap as they come, in any order; a plan worth `enough` ends a search."""
    calls = [joblib.delayed(searched)(packed.key, packed.content, case, gap, enough) for case, gap in wanted]
    yield from _as_they_come(calls, jobs)


def on_this_machine() -> bool:
    """Return whether cases go to processes that joblib starts here: no other backend was chosen around the call."""
    backend, _ = joblib.parallel.get_active_backend()
    return type(backend).__name__ == "LokyBackend"


def _as_they_come(calls: Sequence[Any], jobs: int) -> Iterator[Any]:
    """Run the calls; where the reader stops early, what still runs is ended."""
    if not calls:
        return
    # Ctrl-C reaches every process at the terminal; the one that shares out the work decides what becomes of it.
    own = {"initializer": ignore_interrupts} if on_this_machine() else {}
    with _deaf_from_birth():
        results = joblib.Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered", **own)(calls)
    try:
        for result in results:  # noqa: UP028  `yield from` would close the results at once, with its warning
            yield result
    except BrokenExecutor as error:
        raise AbastoError(
            "a process that shared the work was ended from outside, perhaps for want of memory; try again with fewer "
            "(--jobs)"
        ) from error
    finally:
        with warnings.catch_warnings():  # that work is left undone where the reader stops is meant
            warnings.simplefilter("ignore", UserWarning)
            results.close()


@contextmanager
def _deaf_from_birth() -> Iterator[None]:
    """Let processes that are started meanwhile not be ended by Ctrl-C before they can say that they ignore it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # were it started on the way, it would unblock Ctrl-C for what starts after it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def ignore_interrupts() -> None:
    """Leave Ctrl-C to the process that shares out the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
