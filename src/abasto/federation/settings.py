"""How networks plan together, and the steps that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from abasto.federation.draw import MOST_TOGETHER
from abasto.state.exports import Share

__all__ = ["Settings", "steps_before_second", "steps_of"]


@dataclass(frozen=True)
class Settings:
    """How networks plan together; all but `share`, `forbidden` and `gap` have to be the same with all of them.

    `share` is what a network shows of itself: each of its sites; a map that fits in fewer bytes; what it has left over;
    or nothing. Goods that are `forbidden` never leave. `reward` is how much dearer than at the receiver a
    sender takes what it is asked for.
    """

    periods: int = 1
    rounds: int = 2
    passes: int = 4
    fairness: float = 4.0
    reward: float = 2.0
    together: int = MOST_TOGETHER
    share: Share = "map"
    forbidden: frozenset[str] = frozenset()
    gap: float = 0.003


def steps_of(settings: Settings) -> Iterator[tuple[str, int, int]]:
    """Yield the steps of a session: their kind, round, and number among those of their kind."""
    for turn in range(settings.rounds):
        yield "map", turn, 0
        yield from (("pass", turn, number) for number in range(settings.passes))
        yield "vote", turn, 0
    yield from (("commit", 0, number) for number in range(settings.rounds * settings.passes))


def steps_before_second(settings: Settings) -> int:
    """Return after how many steps a second round begins, if there is one: until then it can be left out."""
    return settings.passes + 2
