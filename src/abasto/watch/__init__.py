"""The watch: what is about to go wrong, found from each site's own course, and who hears it when.

`watch(state, seen, situation, now, plan=)` computes all of it, purely. `runs_out`, `changed`, `silent`, `slow` and
`off_books` each find one kind of trouble, `replay` since when a thing runs out, `hearing` who hears it.
"""

from abasto.watch.build import key_of, watch
from abasto.watch.hearing import Heard, hearing, lessons
from abasto.watch.types import Chart, Sureness, Watched, WatchedAlarm

__all__ = [
    "Chart",
    "Heard",
    "Sureness",
    "Watched",
    "WatchedAlarm",
    "hearing",
    "key_of",
    "lessons",
    "watch",
]
