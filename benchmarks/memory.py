"""Peak memory of the running process."""

from __future__ import annotations

import resource
from pathlib import Path

__all__ = ["peak_mib"]


def peak_mib() -> float:
    """Return the most memory this process has held, in MiB.

    Linux hands `ru_maxrss` down from the parent when a program is started, so the kernel's own high-water mark of
    this program alone is read where there is one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
