"""The three networks of the example, whose sessions live in journals and exchange letters, for tests."""

from __future__ import annotations

from collections.abc import Container
from datetime import date

from abasto.cycle import read_state
from abasto.examples import FEDERATION, federation_path
from abasto.facts.kinds import NetworkRecognised
from abasto.federation.session import BY_LETTERS, Session
from abasto.federation.settings import Settings
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device
from abasto.letters import exported, heard
from abasto.state.network import rows_of
from abasto.tables import read_network

__all__ = ["DAY", "DAYS", "exchange", "live", "networks", "step", "took_up"]

DAY = date(2027, 3, 1)
DAYS = 7


def networks(*, strangers: Container[str] = ()) -> dict[str, Journal]:
    """Return the three networks of the example, which know each other, but for two that may be strangers."""
    journals = {}
    for number, name in enumerate(FEDERATION, start=1):
        network = read_network(federation_path(name))
        journal = Journal(MemoryStore(), Device(bytes([number]) * 32))
        journal.found(network.name, date=DAY.isoformat(), time=0, facts=rows_of(network, date=DAY))
        journals[network.name] = journal
    for name, journal in journals.items():
        others = [
            (one.network, other)
            for other, one in journals.items()
            if other != name and not (name in strangers and other in strangers)
        ]
        journal.append([NetworkRecognised(id, other, DAY.isoformat()) for id, other in others], time=0)
    return journals


def exchange(journals: dict[str, Journal]) -> None:
    """Bring what each may see from each to each."""
    letters = {name: list(exported(one, read_state(one)).store.export()) for name, one in journals.items()}
    for journal in journals.values():
        for other, theirs in letters.items():
            is_known = other in read_state(journal).letters.recognised.values()
            facts, refused = heard(read_state(journal), theirs, DAY) if is_known else ([], [])
            assert refused == []
            if facts:
                journal.append(facts, time=0)


def took_up(journal: Journal, settings: Settings = BY_LETTERS) -> Session:
    return Session(read_state(journal), DAY, days=DAYS, settings=settings)


def step(journal: Journal, session: Session | None = None, settings: Settings = BY_LETTERS) -> None:
    """Let a network do its next step, in a session that is kept, or one that is taken up anew."""
    kept = session or took_up(journal, settings)
    kept.hear(read_state(journal))
    journal.append(kept.step(), time=0)


def live(
    journals: dict[str, Journal], *, anew: bool, steps: int = 6, settings: Settings = BY_LETTERS
) -> dict[str, Session]:
    """Let all do the steps, with a session each that is kept, or one that is taken up anew for every step."""
    held = {name: took_up(journal, settings) for name, journal in journals.items()}
    for _ in range(steps):
        for name, journal in journals.items():
            step(journal, None if anew else held[name], settings)
        exchange(journals)
    for name, journal in journals.items():
        held[name].hear(read_state(journal))
    return {name: took_up(journal, settings) for name, journal in journals.items()} if anew else held
