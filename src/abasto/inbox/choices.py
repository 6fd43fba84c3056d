"""What a form calls sites, goods, units and packs: choices take letters, digits and underscores only."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from abasto.inbox.tokens import fold_text

__all__ = ["choice_names"]


def choice_names(ids: Iterable[str]) -> dict[str, str]:
    """Return what a form calls each of these things: letters, digits and underscores, and no two alike.

    >>> choice_names(["milk powder", "Ñandú", "a-b", "a b"])
    {'milk powder': 'milk_powder', 'Ñandú': 'nandu', 'a-b': 'a_b_8dfa', 'a b': 'a_b_4e5f'}
    """
    plain = {id: _plain(id) for id in ids}
    often = Counter(plain.values())
    return {
        id: name
        if name and often[name] == 1
        else f"{name or 'x'}_{hashlib.blake2b(id.encode(), digest_size=2).hexdigest()}"
        for id, name in plain.items()
    }


@lru_cache(maxsize=10_000)
def _plain(id: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "_" for c in fold_text(id))
    return "_".join(filter(None, kept.split("_")))
