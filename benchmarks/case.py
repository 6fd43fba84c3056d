"""Case: one solver on one network, as it is named in the results, handed to a process of its own, and planned for."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

__all__ = ["GAPS", "MANY", "PEERS", "Case", "from_json", "journal_suite", "suite"]

GAPS = (0.05, 0.02, 0.01, 0.005, 0.001)
"""The certified gaps whose times are recorded."""
PEERS = ("highs-ipm", "highs-ipm-1%", "highs-simplex", "linopy", "glop", "pdlp")
MANY = 10
"""On MEDIUM the peers get this many times the time that we take to 1 %."""


@dataclass(frozen=True)
class Case:
    """`solver` is `equilibrium`, one of the peers, `compile`, `read`, `losses` or `rehearse`; `limit` is in seconds.

    Cases of the journal are named `journal-…`; their size is how many entries they write or read.
    With `times_ours` the limit is that many times our time to 1 % on the same network, and at most `limit`.
    """

    solver: str
    size: str
    seed: int
    chain: bool = False
    fairness: float = 4.0
    scarcity: float = 0.8
    gap: float = 0.001
    limit: float = 60.0
    times_ours: float | None = None

    @property
    def key(self) -> str:
        """The case's name, unlike any other's."""
        return f"{self.solver} {self.instance}"

    @property
    def instance(self) -> str:
        """The name of the network and objective; cases that share it can be compared."""
        if self.is_of_journal:
            return f"{self.size} entries"
        chain = " chain" if self.chain else ""
        return f"{self.size} {self.seed}{chain} α={self.fairness:g} scarcity={self.scarcity:g}"

    @property
    def is_of_journal(self) -> bool:
        """Whether it measures the journal rather than the planner."""
        return self.solver.startswith("journal-")

    @property
    def patience(self) -> float:
        """Seconds after which a process is ended that has not come back: limits are soft, and tables take time too."""
        if self.is_of_journal:
            return 300.0 + int(self.size) / 500
        if self.solver in ("losses", "rehearse"):  # the limit is that of each of a hundred plans
            return 100 * self.limit
        return 1.5 * self.limit + (600.0 if self.size == "LARGE" else 120.0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def from_json(fields: dict[str, Any]) -> Case:
    """Return the case that `to_json` wrote."""
    return Case(**fields)


def suite(sizes: tuple[str, ...], *, seeds: int = 10, quick: bool = False) -> tuple[Case, ...]:
    """Return the cases of the sizes named, in the order in which they are run."""
    if quick:
        return _quick(sizes)
    cases = [Case("compile", "TINY", 0)]
    parts = {"TINY": _tiny, "SMALL": _small, "MEDIUM": _medium, "LARGE": _large}
    for size in sizes:
        cases += parts[size](seeds)
    return tuple(cases)


def journal_suite(entries: int) -> tuple[Case, ...]:
    """Return the cases of the journal, of which the longest reads so many entries."""
    some = str(min(entries, 50_000))
    return (
        Case("journal-append", some, 0),
        Case("journal-receive", some, 0),
        Case("journal-fold", str(entries), 0),
        Case("journal-postgres", some, 0),
    )


def _tiny(seeds: int) -> list[Case]:
    """Every peer on a network of a second, to see that all of them work."""
    ours = [Case("equilibrium", "TINY", seed, limit=10) for seed in range(min(2, seeds))]
    lost = [Case(kind, "TINY", 0, gap=0.01, limit=10) for kind in ("losses", "rehearse")]
    return ours + [Case(peer, "TINY", 0, limit=10) for peer in PEERS] + lost


def _small(seeds: int) -> list[Case]:
    """Ours and interior point on everything; the other peers on two seeds."""
    base = [Case("equilibrium", "SMALL", seed, chain=chain) for seed in range(seeds) for chain in (False, True)]
    two = range(min(2, seeds))
    base += [Case("equilibrium", "SMALL", seed, fairness=fairness) for fairness in (0.0, 1.0, 2.0) for seed in two]
    base += [Case("equilibrium", "SMALL", seed, scarcity=1.6) for seed in two]
    cases = [pair for ours in base for pair in (ours, replace(ours, solver="highs-ipm"))]
    return cases + [Case(peer, "SMALL", seed, limit=40.0) for peer in PEERS if peer != "highs-ipm" for seed in two]


def _medium(seeds: int) -> list[Case]:
    """Ours to 1 % on every seed, chain on every other; peers on the first; then what is hardest for us."""
    ours = [Case("equilibrium", "MEDIUM", seed, chain=seed % 2 == 1, gap=0.01, limit=30.0) for seed in range(seeds)]
    peers = [
        replace(ours[0], solver=peer, limit=100.0, times_ours=float(MANY))
        for peer in ("highs-ipm", "highs-simplex", "pdlp")
    ]
    hard = [
        Case("equilibrium", "MEDIUM", 0, fairness=0.0, gap=0.01, limit=60.0),
        Case("equilibrium", "MEDIUM", 0, scarcity=1.6, gap=0.01, limit=60.0),
    ]
    lost = [Case(kind, "MEDIUM", 1, chain=True, gap=0.01, limit=60.0) for kind in ("losses", "rehearse")]
    return [*ours[:1], *peers, *ours[1:], *hard, *lost]


def _large(seeds: int) -> list[Case]:
    ours = [Case("equilibrium", "LARGE", seed, gap=0.01, limit=120.0) for seed in range(min(1, seeds))]
    return [*ours, Case("read", "LARGE", 0)]


def _quick(sizes: tuple[str, ...]) -> tuple[Case, ...]:
    """A subset of two or three minutes: every peer on TINY, two pairs of SMALL, a glance at the larger sizes."""
    cases = [Case("compile", "TINY", 0), *_tiny(1)]
    if "SMALL" in sizes:
        for ours in (Case("equilibrium", "SMALL", 0), Case("equilibrium", "SMALL", 1, chain=True)):
            cases += [ours, replace(ours, solver="highs-ipm")]
    if "MEDIUM" in sizes:
        cases.append(Case("equilibrium", "MEDIUM", 0, gap=0.02, limit=30.0))
    if "LARGE" in sizes:
        cases.append(Case("read", "LARGE", 0))
    return tuple(cases)
