"""Recognises a sentence that was composed below: finds the shape in `SHAPES` that it has, and what stands between."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from abasto.language.sentences import LISTS, SAYING_KINDS, SHAPES, VALUES, Shape

__all__ = ["JOINS", "Said", "recognise"]

JOINS: Mapping[str, str] = {
    ", ": "{first}, {rest}",
    "; ": "{first}; {rest}",
    " and ": "{first} and {rest}",
    ", and ": "{first}, and {rest}",
}
"""How two things are listed, by what stands between them in English."""
_FIELD = re.compile(r"\{(\w+?)([0-9]*)\}")
_MOST_EMBEDDED = 10
"""A kind of no more shapes than this is looked for within another's shape; of more only once that one fits."""
_LONGEST = 2_000
"""Of a text of more signs than this nothing is recognised: names as long as that could take a page's time."""
_FEWEST_LETTERS = 6
"""A shape with fewer letters and signs of its own is no sentence by itself, unless it begins with a part that is."""
_FIRST_TRIED = ("clauses", "remedies", "balances", "amounts")
"""The lists that are sentences by themselves. They come first: a name could be thought to go on to the next of them."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence that has a shape: each of its parts is such a sentence too, or a text that stays as it is."""

    shape: Shape
    parts: Mapping[str, Said | str]


@lru_cache(maxsize=4096)
def recognise(text: str) -> Said | None:
    """Return a sentence by its shape and parts; None if it has no shape that is known.

    >>> recognise("count flour at Bakery")
    Said(shape='count {good} at {site}', parts={'good': 'flour', 'site': 'Bakery'})
    """
    if len(text) > _LONGEST:
        return None
    for name in _FIRST_TRIED:
        kind, between = LISTS[name]
        if any(sign in text for sign in between):
            found = _listed(text, kind, between)
            if found is not None:
                return found
    for form in _sentences():
        found = form.read(text)
        if found is not None:
            return found
    return None


@dataclass(frozen=True, slots=True)
class _Form:
    """A shape ready to be compared: its pattern, its fields by the kind of each, and its longest literal words."""

    shape: Shape
    pattern: re.Pattern[str]
    fields: Mapping[str, str]
    words: str
    weight: int

    @property
    def says_something(self) -> bool:
        """Whether it is a sentence by itself: it has words enough, or begins with a part that has."""
        first = next(iter(self.fields.values()), "")
        return self.weight >= _FEWEST_LETTERS or first in SHAPES or first in LISTS

    @property
    def goes_on(self) -> bool:
        """Whether it goes on from a whole sentence of another kind."""
        return any(kind in SAYING_KINDS and kind != "said" for kind in self.fields.values())

    def read(self, text: str) -> Said | None:
        if self.words not in text:
            return None
        match = self.pattern.fullmatch(text)
        if match is None:
            return None
        parts: dict[str, Said | str] = {}
        for name, kind in self.fields.items():
            part = _part(match[name], kind)
            if part is None:
                return None
            parts[name] = part
        return Said(self.shape, parts)


def _part(text: str, kind: str) -> Said | str | None:
    if kind in SHAPES:
        return _of_kind(text, kind)
    if kind in LISTS:
        item, between = LISTS[kind]
        return _listed(text, item, between) or _item(text, item)
    for one in SAYING_KINDS.get(kind, ()):
        found = _of_kind(text, one)
        if found is not None:
            return found
    return None if kind in SAYING_KINDS and kind != "said" else text


def _item(text: str, kind: str) -> Said | str | None:
    return _part(text, kind) if kind not in VALUES or re.fullmatch(VALUES[kind], text) else None


def _of_kind(text: str, kind: str) -> Said | None:
    for form in _forms(kind):
        found = form.read(text)
        if found is not None:
            return found
    return None


def _listed(text: str, kind: str, between: tuple[str, ...]) -> Said | None:
    """Return a list of two or more; each ends as early as it can, so that a name never swallows the next thing."""
    deadends: set[str] = set()

    def read(rest: str) -> Said | None:
        for place, sign in _splits(rest, between):
            first = _item(rest[:place], kind)
            left = rest[place + len(sign) :]
            if first is None or left in deadends:
                continue
            others = read(left) or _item(left, kind)
            if others is not None:
                return Said(JOINS[sign], {"first": first, "rest": others})
            deadends.add(left)
        return None

    return read(text)


def _splits(text: str, between: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    either = "|".join(re.escape(sign) for sign in sorted(between, key=len, reverse=True))
    return ((match.start(), match[0]) for match in re.finditer(either, text))


@cache
def _sentences() -> tuple[_Form, ...]:
    """Return all shapes that say something by themselves, in the order in which they are tried.

    Those that go on from another sentence come first: a name could be thought to go on to their end. Then those of most
    words, which leave least to chance.
    """
    forms = [form for kind in SHAPES for form in _forms(kind) if form.says_something or form.goes_on]
    return tuple(sorted(forms, key=lambda form: (not form.goes_on, -form.weight)))


@cache
def _forms(kind: str) -> tuple[_Form, ...]:
    """Return the shapes of a kind, the most words first."""
    forms = [_form(shape, one) for shape in SHAPES[kind] for one in ((shape,) if isinstance(shape, str) else shape)]
    return tuple(sorted(forms, key=lambda form: -form.weight))


def _form(shape: Shape, words: str) -> _Form:
    pattern, end, fields, literals = "", 0, {}, []
    for field in _FIELD.finditer(words):
        literals.append(words[end : field.start()])
        end = field.end()
        name = field[1] + field[2]
        again = name in fields
        fields[name] = field[1]
        pattern += re.escape(literals[-1]) + (f"(?P={name})" if again else f"(?P<{name}>{_pattern(field[1])})")
    literals.append(words[end:])
    pattern += re.escape(literals[-1])
    return _Form(shape, re.compile(pattern, re.DOTALL), fields, max(literals, key=len), sum(map(len, literals)))


@cache
def _pattern(kind: str) -> str:
    """Return a pattern, without groups, of what may stand for a kind."""
    if kind in VALUES:
        return VALUES[kind]
    if kind not in SHAPES or len(SHAPES[kind]) > _MOST_EMBEDDED:
        return ".+?"
    each = [one for shape in SHAPES[kind] for one in ((shape,) if isinstance(shape, str) else shape)]
    return f"(?:{'|'.join(_flat(one) for one in each)})"


def _flat(words: str) -> str:
    pattern, end = "", 0
    for field in _FIELD.finditer(words):
        pattern += re.escape(words[end : field.start()]) + _pattern(field[1])
        end = field.end()
    return pattern + re.escape(words[end:])
