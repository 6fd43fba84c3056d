"""What the tokens of a message may stand for: every way to account for all of its words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal

from abasto.errors import AbastoError
from abasto.facts.codes import find
from abasto.inbox.names import Names
from abasto.inbox.tokens import Token, folded_words, stems
from abasto.inbox.words import ARTICLES, FILLERS, LANGUAGES, PACK_WORDS, UNITS, WORDS, Label, Language

__all__ = ["Mark", "MarkKind", "labelings", "language_of", "marks_of", "unknown_words"]

MarkKind = Literal[
    "site", "good", "recipe", "number", "doubtful number", "measure", "date", "code", "unknown code", "lot",
    "separator", "filler", "word",
]  # fmt: skip

MOST_LABELINGS = 4_000
"""A line that can be taken apart in more ways than these is no report that a person wrote."""

_PLAIN_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(\.\d{3})+", re.ASCII)
_CODE = re.compile(r"[0-9A-Za-z]{4,}(?:-[0-9A-Za-z]{1,8})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """What the tokens from `start` up to `end` may stand for.

    `ids` are the things that a name fits; `label` says which word it is; `number` and `date` are what a figure says
    (a lot's date is blank for the lot without one); `words` and `written` are those of a measure.
    """

    kind: MarkKind
    start: int
    end: int
    ids: tuple[str, ...] = ()
    label: Label | None = None
    number: Decimal = Decimal(0)
    date: str = ""
    words: tuple[str, ...] = ()
    written: str = ""


@cache
def _phrases() -> Mapping[tuple[str, ...], tuple[tuple[Label | None, Language], ...]]:
    """Return every phrase of both languages as folded words, with what it says (None: a filler)."""
    found: dict[tuple[str, ...], tuple[tuple[Label | None, Language], ...]] = {}
    spoken: list[tuple[Label | None, Mapping[Language, tuple[str, ...]]]] = [*WORDS.items(), (None, FILLERS)]
    for label, by_language in spoken:
        for language in LANGUAGES:
            for phrase in by_language[language]:
                key = tuple(phrase.split())
                found[key] = (*found.get(key, ()), (label, language))
    return found


@cache
def _longest_phrase() -> int:
    return max(map(len, _phrases()))


_PACK_STEMS = frozenset(stems((word,)) for group in PACK_WORDS for word in group)


def language_of(tokens: Sequence[Token], *, default: Language) -> Language:
    """Return the language that more of the words belong to; `default` where neither has more."""
    counts = dict.fromkeys(LANGUAGES, 0)
    for size in range(1, _longest_phrase() + 1):
        for at in range(len(tokens) - size + 1):
            spoken = {language for _, language in _phrases().get(_words(tokens, at, at + size), ())}
            if len(spoken) == 1:
                counts[spoken.pop()] += size
    for token in tokens:
        for spanish, english in PACK_WORDS:
            if spanish != english and stems((token.folded,)) in (stems((spanish,)), stems((english,))):
                counts["es" if stems((token.folded,)) == stems((spanish,)) else "en"] += 1
    if counts["es"] == counts["en"]:
        return default
    return "es" if counts["es"] > counts["en"] else "en"


def _words(tokens: Sequence[Token], start: int, end: int) -> tuple[str, ...]:
    return tuple(token.folded for token in tokens[start:end])


def marks_of(text: str, tokens: Sequence[Token], names: Names) -> list[list[Mark]]:
    """Return for every token what may begin there."""
    return [list(_marks_at(text, tokens, at, names)) for at in range(len(tokens))]


def _marks_at(text: str, tokens: Sequence[Token], at: int, names: Names) -> Iterator[Mark]:
    token = tokens[at]
    if token.kind == "quoted":
        yield from _quoted_marks(token, at, names)
        return
    yield from _name_marks(text, tokens, at, names)
    yield from _phrase_marks(tokens, at)
    if token.kind == "number":
        yield _number_mark(token, at)
    elif token.kind == "date":
        yield Mark("date", at, at + 1, date=token.text)
    elif token.kind == "separator":
        yield Mark("separator", at, at + 1)
    yield from _code_marks(text, tokens, at, names)


def _quoted_marks(token: Token, at: int, names: Names) -> Iterator[Mark]:
    """Yield what a name in quotes may be; it is a name, never a word of ours."""
    indexes = (("site", names.site_index), ("good", names.good_index), ("recipe", names.recipe_index))
    for kind, index in indexes:
        ids = index.find_quoted(token.text)
        if ids:
            yield Mark(kind, at, at + 1, ids)  # type: ignore[arg-type]
    if any(pack.name == token.text for pack in names.packs):
        yield Mark("measure", at, at + 1, words=folded_words(token.text), written=token.text)


def _name_marks(text: str, tokens: Sequence[Token], at: int, names: Names) -> Iterator[Mark]:
    indexes = (("good", names.good_index), ("site", names.site_index), ("recipe", names.recipe_index))
    for kind, index in indexes:
        for end in range(at + 1, min(len(tokens), at + index.longest) + 1):
            ids = index.find(_words(tokens, at, end), text[tokens[at].start : tokens[end - 1].end])
            if ids:
                yield Mark(kind, at, end, ids)  # type: ignore[arg-type]
    longest = max([1, *map(len, names.pack_words)])
    for end in range(at + 1, min(len(tokens), at + longest) + 1):
        words = _words(tokens, at, end)
        asked = stems(words)
        if asked in names.pack_words or asked in _PACK_STEMS or (len(words) == 1 and words[0] in UNITS):
            yield Mark("measure", at, end, words=words, written=text[tokens[at].start : tokens[end - 1].end])


def _phrase_marks(tokens: Sequence[Token], at: int) -> Iterator[Mark]:
    for end in range(at + 1, min(len(tokens), at + _longest_phrase()) + 1):
        for label in dict.fromkeys(label for label, _ in _phrases().get(_words(tokens, at, end), ())):
            if label is None:
                yield Mark("filler", at, end, words=_words(tokens, at, end))
            elif label == "because":
                begin = end + 1 if end < len(tokens) and tokens[end].folded == "of" else end
                if begin < len(tokens):
                    yield Mark("word", at, len(tokens), label=label, words=(str(tokens[begin].start),))
            elif label == "expires":
                if end < len(tokens) and tokens[end].kind == "date":
                    yield Mark("lot", at, end + 1, date=tokens[end].text)
            elif label == "undated":
                yield Mark("lot", at, end)
            elif label != "order":
                yield Mark("word", at, end, label=label)


def _number_mark(token: Token, at: int) -> Mark:
    if _PLAIN_NUMBER.fullmatch(token.text) and not _THOUSANDS.fullmatch(token.text) and len(token.text) <= 20:
        return Mark("number", at, at + 1, number=Decimal(token.text))
    return Mark("doubtful number", at, at + 1)


def _code_marks(text: str, tokens: Sequence[Token], at: int, names: Names) -> Iterator[Mark]:
    """Yield the order that may be named here: after a word for it any code, else only one that fits an order."""
    is_order = any(label == "order" for label, _ in _phrases().get((tokens[at].folded,), ()))
    begin = at + 1 if is_order else at
    if begin >= len(tokens):
        return
    place = tokens[begin].start
    match = _CODE.match(text, place)
    if not match or (place and text[place - 1].isalnum()) or text[match.end() : match.end() + 1].isalnum():
        return
    ends = [end for end in range(begin, len(tokens)) if tokens[end].end == match.end()]
    if not ends:
        return
    try:
        order = find(match[0], names.orders)
    except AbastoError as error:
        if is_order:
            yield Mark("unknown code", at, ends[0] + 1, written=match[0], words=(str(error),))
        return
    yield Mark("code", at, ends[0] + 1, (order,), written=match[0])


def labelings(marks: Sequence[Sequence[Mark]]) -> Iterator[tuple[Mark, ...]]:
    """Yield every way to cover all tokens with marks, up to a bound; none if some token fits nothing."""
    reaches = _reaching(marks)
    if not reaches[0]:
        return
    waiting: list[tuple[int, tuple[Mark, ...]]] = [(0, ())]
    count = 0
    while waiting and count < MOST_LABELINGS:
        at, so_far = waiting.pop()
        if at == len(marks):
            count += 1
            yield so_far
            continue
        waiting.extend(
            (mark.end, (*so_far, mark)) for mark in marks[at] if reaches[mark.end] and _may_follow(so_far, mark)
        )


def _reaching(marks: Sequence[Sequence[Mark]]) -> list[bool]:
    """Say for every place whether the rest from there on can be covered."""
    reaches = [False] * len(marks) + [True]
    for at in reversed(range(len(marks))):
        reaches[at] = any(reaches[mark.end] for mark in marks[at])
    return reaches


def _may_follow(so_far: Sequence[Mark], mark: Mark) -> bool:
    """Whether a mark may stand after the others.

    A site opens the line or follows "at": elsewhere it could be where goods came from. "Yes" opens the line too.
    """
    before = [one for one in so_far if not _is_article(one)]
    last = before[-1] if before else None
    if mark.kind == "site":
        return (last is not None and last.label == "at") or all(
            one.kind == "date" or one.label in ("yes", "yesterday") for one in before
        )
    if last is not None and last.label == "at":
        return _is_article(mark)
    return mark.label != "yes" or not so_far


def _is_article(mark: Mark) -> bool:
    return mark.kind == "filler" and mark.words[0] in ARTICLES


def unknown_words(tokens: Sequence[Token], marks: Sequence[Sequence[Mark]]) -> list[Token]:
    """Return the fewest tokens that must be left out so that the others can be accounted for."""
    cost = [0.0] * (len(tokens) + 1)
    step: list[Mark | None] = [None] * len(tokens)
    for at in reversed(range(len(tokens))):
        cost[at] = 1 + cost[at + 1]
        for mark in marks[at]:
            # A little for each mark, so that of equal ways the longest names are taken.
            if cost[mark.end] + 0.001 < cost[at]:
                cost[at], step[at] = cost[mark.end] + 0.001, mark
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        taken = step[at]
        if taken is None:
            found.append(tokens[at])
        at = at + 1 if taken is None else taken.end
    return found
