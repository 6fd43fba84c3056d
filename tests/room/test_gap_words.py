"""How sure a plan is, in words that promise neither too much nor nothing."""

from __future__ import annotations

import pytest

from abasto.language import language
from abasto.room.pages.plan import sure_words


@pytest.mark.parametrize("gap", [2e-9, 1e-6, 0.00034, 0.0009, 0.0125, 0.4])
def test_a_share_that_is_not_nothing_is_not_called_nothing(gap: float) -> None:
    said = sure_words(gap, language("en"))
    share = float(said.removeprefix("No plan can be better by more than ").removesuffix("\u202f%."))
    assert gap * 100 <= share <= gap * 100 * 1.2 + 0.001


def test_no_gap_and_no_bound_are_said() -> None:
    assert sure_words(0.0, language("en")) == "No plan can be better."
    assert "not known" in sure_words(float("inf"), language("en"))
