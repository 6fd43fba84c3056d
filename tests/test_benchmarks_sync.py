"""The measurement of exchanges, small: what it says was moved and missing is so, and its table has every figure."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import sync
from benchmarks.journal_entries import entries


def test_catching_up_is_measured_both_ways_on_the_same_entries(tmp_path: Path) -> None:
    fetched, given = sync.measure_catch_up(300, tmp_path)
    missing = sum(len(one.signed.raw) + 64 for one in entries(300))
    for one in (fetched, given):
        assert (one.entries, one.missing) == (300, missing)
        assert one.packed < one.moved < 1.2 * one.packed < one.missing
        assert one.seconds > one.signatures_seconds > 0


def test_nothing_new_moves_a_few_hundred_bytes(tmp_path: Path) -> None:
    first, later, moved = sync.measure_nothing_new(300, tmp_path)
    assert first > 0
    assert later > 0
    assert moved < 500


def test_the_page_gets_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "sync.md"
    page.write_text(f"before\n{sync.BEGIN}\nold\n{sync.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(sync, "DOCS", page)
    monkeypatch.setattr("sys.argv", ["sync", "--entries", "50", "--held", "50", "--page"])
    sync.main()
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "old" not in written
    assert "| 50 | fetched (`pull`) |" in written
    assert "With 50 entries on both sides" in written
