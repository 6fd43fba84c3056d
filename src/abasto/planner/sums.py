"""Sums of quantities that share keys."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from abasto.planner.problem import Floats, Ints

__all__ = ["summed"]


def summed(keys: Sequence[Ints], quantity: Floats) -> tuple[list[Ints], Floats]:
    """Return the distinct combinations of keys (integers from −1 up), in order, and the sum of the quantities of each.

    Combinations without any quantity above zero are left out.

    >>> keys, totals = summed([np.array([1, 0, 1]), np.array([-1, 2, -1])], np.array([2.0, 5.0, 3.0]))
    >>> [key.tolist() for key in keys], totals.tolist()
    ([[0, 1], [2, -1]], [5.0, 5.0])
    """
    some = quantity > 0
    shifted = [key[some] + 1 for key in keys]
    shape = [int(key.max(initial=0)) + 1 for key in shifted]
    distinct, which = np.unique(np.ravel_multi_index(shifted, shape), return_inverse=True)
    back = np.unravel_index(distinct, shape)
    return [np.asarray(key - 1) for key in back], np.bincount(which, quantity[some], minlength=len(distinct)).astype(
        np.float64
    )
