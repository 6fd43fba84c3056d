"""Entries of a small network for the tests of files, made by devices with fixed keys: every run has the same ones."""

from __future__ import annotations

from abasto.facts.kinds import Fact, NoteWritten, StockCounted
from abasto.journal.journal import Journal
from abasto.journal.memory import MemoryStore
from abasto.journal.signing import Device, read_entry
from abasto.journal.store import Verified

PASSPHRASE = "cuatro camiones al alba"
DAY = "2026-11-22"


def counted(quantity: int) -> StockCounted:
    return StockCounted("almacen", "harina", quantity, DAY, ref=f"sms-{quantity}")


def note(text: str) -> NoteWritten:
    return NoteWritten(text, DAY)


def network_of(entries: int, *, devices: int = 3) -> list[Verified]:
    """Return so many entries of one network, each device having seen the others', the founding one first."""
    store = MemoryStore()
    journals = [Journal(store, Device(bytes([number + 1]) * 32)) for number in range(devices)]
    journals[0].found("Barrio Sur", date=DAY, time=0)
    for number in range(1, entries):
        facts: list[Fact] = [counted(number)]
        journals[number % devices].append(facts, time=number)
    return [read_entry(signed) for placed in store.read() if (signed := store.get(placed.entry.id))]
