"""A state as bytes and back: equal states give equal bytes, which is how replicas are compared.

A first line of JSON says what follows; then texts, one a line: the holdings and the effects of entries are read when
they are asked for, so that opening a large state takes no time for what nobody looks at. Last the short references.
"""

from __future__ import annotations

import json
from array import array
from typing import Any

from abasto.errors import JournalError
from abasto.facts.kinds import NetworkFounded, body_of, fact_of
from abasto.journal.store import Place
from abasto.state.answers import Answers
from abasto.state.letters import Letters
from abasto.state.members import Members
from abasto.state.rows import Rows
from abasto.state.state import Noted, State
from abasto.tables.collector import collector_paused

__all__ = ["VERSION", "decode", "encode"]

VERSION = 11
"""Of the rules of the fold and of these bytes: what another version kept is folded anew."""


def encode(state: State) -> bytes:
    """Return a state as bytes."""
    holdings = list(state.books.packed())
    orders = list(state.orders.packed())
    effects = state.effects.packed()
    head = {
        "version": VERSION,
        "count": state.count,
        "place": state.place,
        "network": state.network,
        "founded": None if state.founded is None else body_of(state.founded),
        "dates": state.dates.plain(),
        "authors": state.authors.plain(),
        "members": state.members.plain(),
        "noted": sorted([*key, *noted] for key, noted in state.noted.items()),
        "settled": state.settled,
        "answers": state.answers.plain(),
        "letters": state.letters.plain(),
        "books": state.books.plain(),
        "rows": state.rows.plain(),
        "steps": state.orders.plain(),
        "places": [key for key, _ in holdings],
        "orders": [id for id, _ in orders],
        "effects": len(effects),
    }
    lines = [_json(head), *(text for _, text in holdings), *(text for _, text in orders), *effects, ""]
    refs = array("Q", sorted(state.refs))
    return "\n".join(lines).encode() + _little(refs).tobytes()


def decode(content: bytes) -> State:
    """Return the state that bytes of `encode` came from; `JournalError` if they are of another version."""
    with collector_paused():
        return _decoded(content)


def _decoded(content: bytes) -> State:
    end = content.index(b"\n")
    head = json.loads(content[:end])
    if head["version"] != VERSION:
        raise JournalError(
            f"a kept state of version {head['version']} cannot be read by this program, which knows {VERSION}; "
            "fold the entries anew."
        )
    places, orders = [(site, good) for site, good in head["places"]], head["orders"]
    *lines, rest = content[end + 1 :].split(b"\n", len(places) + len(orders) + head["effects"])
    texts = [line.decode() for line in lines]
    state = State()
    state.count = head["count"]
    state.place = None if head["place"] is None else Place(*head["place"])
    state.network = head["network"]
    state.founded = _founding(head["founded"])
    state.dates.restore(head["dates"])
    state.authors.restore(head["authors"])
    state.members = Members.from_plain(head["members"])
    state.noted = {
        (kind, about, second): Noted(times, first, last, tuple(entries), tuple(detail))
        for kind, about, second, times, first, last, entries, detail in head["noted"]
    }
    state.settled = head["settled"]
    state.answers = Answers.from_plain(head["answers"])
    state.letters = Letters.from_plain(head["letters"])
    state.rows = Rows.from_plain(head["rows"])
    first_effect = len(places) + len(orders)
    state.books.restore(head["books"], dict(zip(places, texts[: len(places)], strict=True)))
    state.orders.restore(head["steps"], dict(zip(orders, texts[len(places) : first_effect], strict=True)))
    state.effects.restore(texts[first_effect:])
    refs = array("Q")
    refs.frombytes(rest)
    state.refs = set(_little(refs))
    return state


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _founding(body: dict[str, Any] | None) -> NetworkFounded | None:
    if body is None:
        return None
    fact = fact_of(NetworkFounded.KIND, body)
    assert isinstance(fact, NetworkFounded)
    return fact


def _little(refs: array[int]) -> array[int]:
    """Return the numbers as they are stored: the lowest byte first, on every machine."""
    import sys

    if sys.byteorder == "big":
        refs = array("Q", refs)
        refs.byteswap()
    return refs
