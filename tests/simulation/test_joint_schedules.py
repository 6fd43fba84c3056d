"""Joint plans over carriers that fail: nobody counts on what nobody is bound to send, and what is bound can be sent."""

from __future__ import annotations

from collections import Counter
from unittest.mock import patch

import pytest
from sim_joint import counting_promises, live_joint
from sim_sets import soak_chunks


def test_no_schedule_lets_a_network_count_on_what_nobody_sends() -> None:
    seen: Counter[str] = Counter()
    for seed in range(6):
        seen += live_joint(seed)
    assert {"bound", "lost", "late", "refused"} <= set(seen)


@pytest.mark.soak
@pytest.mark.parametrize("seeds", soak_chunks("joint", 40), ids=str)
def test_none_of_dozens_more_joint_plans_does(seeds: range) -> None:
    for seed in seeds:
        live_joint(seed)


def test_who_refuses_nothing_that_a_hostile_network_promises_is_caught() -> None:
    """It counts on what nobody sends, or cannot plan any more, and fails."""
    with patch("abasto.federation.joint.refuse_foreign", lambda *_: None):
        for seed in range(1, 60, 3):
            try:
                live_joint(seed)
            except Exception:
                return
    pytest.fail("no schedule told the naive rule from the real one; the simulation finds too little")


def test_counting_on_promises_is_caught() -> None:
    for seed in range(60):
        try:
            live_joint(seed, counting_promises)
        except AssertionError:
            return
    pytest.fail("no schedule told promises from what somebody is bound to; the simulation finds too little")
