"""Side by side: the compiled kernels release the interpreter's lock, so that threads can share out their work.

The number of threads is fixed, so that the same problem gives the same plan on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["THREADS", "WORTH_THREADS", "side_by_side"]

THREADS = 2
WORTH_THREADS = 20_000
"""Needs, or labels of a level, from which handing out work costs less than it saves."""
Part = TypeVar("Part")
Result = TypeVar("Result")
_others = ThreadPoolExecutor(THREADS - 1, thread_name_prefix="planner")


def side_by_side(work: Callable[[Part], Result], parts: Sequence[Part]) -> list[Result]:
    """Return `work` of each part, the first done by the caller itself.

    >>> side_by_side(abs, [-1, 2])
    [1, 2]
    """
    others = [_others.submit(work, part) for part in parts[1:]]
    return [work(parts[0]), *(other.result() for other in others)]
