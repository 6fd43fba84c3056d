"""A message cut into tokens, and words compared as people write them: any case, accents or not, one or many."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

__all__ = ["Token", "TokenKind", "fold_text", "folded_words", "stem", "stems", "tokens_of"]

TokenKind = Literal["word", "number", "date", "quoted", "separator", "sign"]

_DATE = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_NUMBER = re.compile(r"(?:(?<!\S)[-−–+])?\d+(?:[.,'’]\d+)*", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"|[“„«]([^”“»]*)[”“»]')
_SKIPPED = frozenset(" \t\r\n\v\f\u00a0\u202f\u2009.!¡()[]:=_-–—'’#…")
"""What carries no meaning between words. Not a question mark, a plus or a tilde: whoever writes them is in doubt."""
_SEPARATORS = frozenset(",;\n")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a message: as written, folded for comparison, and where it stands."""

    kind: TokenKind
    text: str
    folded: str
    start: int
    end: int


def fold_text(text: str) -> str:
    """Return a text without case and accents.

    >>> fold_text("LLEGÓ Ñandú")
    'llego nandu'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return unicodedata.normalize("NFKD", plain.casefold())


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return what one and many of a thing have in common, in Spanish and English; the word is folded.

    >>> [stem(word) for word in ("pan", "panes", "leches", "leche", "arroces", "arroz", "berries", "berry", "te")]
    ['pan', 'pan', 'lech', 'lech', 'arroz', 'arroz', 'berri', 'berri', 'te']
    """
    if len(word) > 2 and word.endswith("s"):
        word = word[:-1]
    if len(word) > 3 and word.endswith("e"):
        word = word[:-1]
    return {"c": word[:-1] + "z", "y": word[:-1] + "i"}.get(word[-1:], word) if len(word) > 2 else word


def tokens_of(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text in their order; blanks and plain punctuation are left out."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        token = _token_at(text, at)
        if token is None:
            at += 1
        else:
            found.append(token)
            at = token.end
    return tuple(found)


def _token_at(text: str, at: int) -> Token | None:
    """Return the token that begins here, or None where there is nothing to read."""
    sign = text[at]
    quoted = _QUOTED.match(text, at)
    if quoted:
        inside = quoted[2] if quoted[1] is None else quoted[1].replace('""', '"')
        return Token("quoted", inside, fold_text(inside), at, quoted.end())
    for kind, pattern in (("date", _DATE), ("number", _NUMBER)):
        match = pattern.match(text, at)
        if match:
            return Token("date" if kind == "date" else "number", match[0], match[0], at, match.end())
    if sign in _SEPARATORS:
        return Token("separator", sign, sign, at, at + 1)
    if sign in _SKIPPED:
        return None
    end = at + 1
    if _is_letter(sign):
        while end < len(text) and _is_letter(text[end]):
            end += 1
        return Token("word", text[at:end], fold_text(text[at:end]), at, end)
    return Token("sign", sign, fold_text(sign), at, end)


def _is_letter(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LM"


def folded_words(name: str) -> tuple[str, ...]:
    """Return a name as the tokens of a message would spell it.

    >>> folded_words("Café 5-kg")
    ('cafe', '5', 'kg')
    """
    return tuple(token.folded for token in tokens_of(name))


def stems(words: Sequence[str]) -> tuple[str, ...]:
    """Return the stems of folded words."""
    return tuple(stem(word) for word in words)
