"""What to ask about numbers that can be read in two ways, and words that mean nothing here."""

from __future__ import annotations

import re
from collections.abc import Sequence

from abasto.inbox.marks import Mark, unknown_words
from abasto.inbox.questions import Unclear, ask
from abasto.inbox.reading import Reading, example_of, spelled_good, spelled_site
from abasto.inbox.tokens import Token
from abasto.inbox.words import PACK_WORDS, WORDS
from abasto.tables.names import closest

__all__ = ["number_doubt", "site_out_of_place", "unknown_doubt"]

MOST_CHOICES = 5
_EXPIRES = frozenset(phrase for phrases in WORDS["expires"].values() for phrase in phrases)


def number_doubt(reading: Reading, token: Token) -> Unclear:
    """Return the question about a number that is not plain digits with a point."""
    text = token.text
    if text[0] in "-−–":
        return ask("negative", reading.language, text=text)
    if re.fullmatch(r"\d+,\d+", text):
        choices = [text.replace(",", ".")]
        if re.fullmatch(r"[1-9]\d{0,2},\d{3}", text):
            # Three decimals look like thousands again; a fourth one says which they are.
            choices = [text.replace(",", ""), text.replace(",", ".") + "0"]
        lines = [_instead(reading, token, choice) for choice in choices]
        joined = {"es": " o ", "en": " or "}[reading.language].join(choices)
        return ask("comma", reading.language, *lines, text=text, choices=joined)
    if re.fullmatch(r"[1-9]\d{0,2}\.\d{3}", text):
        low, high = text.rstrip("0").rstrip("."), text.replace(".", "")
        clear = low if "." not in low or len(low.split(".")[1]) != 3 else f"{low}0"
        lines = [_instead(reading, token, clear), _instead(reading, token, high)]
        return ask("thousands", reading.language, *lines, text=text, low=clear, high=high)
    return ask("number", reading.language, text=text[:40])


def _instead(reading: Reading, token: Token, text: str) -> str:
    return reading.text[: token.start] + text + reading.text[token.end :]


def site_out_of_place(reading: Reading, tokens: Sequence[Token], marks: Sequence[Sequence[Mark]]) -> Unclear | None:
    """Return the question about a site in the middle of a line, if all of its words are known."""
    if unknown_words(tokens, marks):
        return None
    sites = [mark for at in marks for mark in at if mark.kind == "site"]
    if len({mark.ids for mark in sites}) > 1:
        return ask("one site", reading.language)
    found = next((mark for mark in sites if len(mark.ids) == 1), None)
    if found is None:
        return None
    # What joins the site to the words before it goes with it.
    begin = found.start
    while begin and any(mark.kind == "filler" and mark.end == begin for mark in marks[begin - 1]):
        begin -= 1
    rest = reading.text[: tokens[begin].start].strip(), reading.text[tokens[found.end - 1].end :].strip()
    line = f"{spelled_site(reading.names, found.ids[0])}: {' '.join(filter(None, rest))}"
    return ask("site place", reading.language, site=reading.site_called(found.ids[0]), example=line)


def unknown_doubt(reading: Reading, tokens: Sequence[Token], marks: Sequence[Sequence[Mark]]) -> Unclear:
    """Return the question about the first word that means nothing here, with what comes closest."""
    names, language = reading.names, reading.language
    unknown = unknown_words(tokens, marks)
    token = unknown[0] if unknown else tokens[0]
    if token.folded in _EXPIRES:
        rest = reading.text[token.end :].split()
        return ask("no date", language, text=rest[0] if rest else "")
    goods = names.good_index.with_word(token.folded)[:MOST_CHOICES] if token.kind == "word" else ()
    if goods:
        choices = [spelled_good(names, id) for id in goods]
        lines = [_instead(reading, token, choice) for choice in choices]
        if len(goods) == 1:
            return ask("word like", language, lines[0], text=token.text, guess=choices[0])
        return ask("which good", language, *lines, text=token.text, choices=" / ".join(choices))
    known = [
        *names.good_index.all_names(),
        *names.site_index.all_names(),
        *(pack.name for pack in names.packs),
        *(word for group in PACK_WORDS for word in group),
        *(phrase for by_language in WORDS.values() for phrase in by_language[language]),
    ]
    guess = closest(token.text, known) if len(token.text) > 2 else ""
    if guess and unknown:
        return ask("word like", language, _instead(reading, token, guess), text=token.text, guess=guess)
    return ask("word", language, text=token.text, example=example_of(reading))
