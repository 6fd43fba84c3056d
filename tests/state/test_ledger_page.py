"""The page about the ledger is true: its examples run, and it lists every kind of exception there is."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from abasto.state import exceptions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ledger.md"


def test_the_examples_of_the_page_do_what_they_say() -> None:
    outcome = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert outcome.attempted > 15
    assert outcome.failed == 0


def test_the_page_lists_every_kind_of_exception() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = {row.split("|")[1].strip() for row in page.splitlines() if row.startswith("| ")}
    folder = Path(exceptions.__file__).parent
    kinds = {kind for path in folder.glob("*.py") for kind in re.findall(r'kind="([a-z ]+)"', path.read_text())}
    assert len(kinds) > 12
    assert kinds - {"founded again"} <= listed  # No journal takes in a second founding.
    for refusal in ("gap", "fork", "out of order", "cut"):
        assert refusal in listed
