"""The threads that the compiled kernels share; kernels release the interpreter's lock.

Their number is fixed, so that the same problem gives the same plan on every machine.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

__all__ = ["THREADS", "WORTH_THREADS", "threads"]

THREADS = 2
WORTH_THREADS = 20_000
"""Needs, or labels of a level, from which handing out work costs less than it saves."""
threads = ThreadPoolExecutor(THREADS, thread_name_prefix="planner")
