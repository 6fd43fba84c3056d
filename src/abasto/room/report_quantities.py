"""What somebody typed on a phone for a quantity, in thousandths of the good's unit. Nothing is guessed."""

from __future__ import annotations

import re
from fractions import Fraction

from abasto.errors import AbastoError
from abasto.facts.kinds import MOST
from abasto.inbox.names import Names
from abasto.inbox.tokens import folded_words
from abasto.language import Language
from abasto.room.report_words import isolated, named

__all__ = ["NotTakenError", "plain_digits", "quantity_of"]


class NotTakenError(AbastoError):
    """A report that is not taken: its message says why, to whoever made it. Never leaves the room's reading of it."""


_NUMBER = re.compile(r"[0-9]{1,16}(\.[0-9]{1,9})?", re.ASCII)
_THOUSANDS_OR_DECIMALS = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}", re.ASCII)
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "01234567890123456789.")
"""Digits as Arabic and Persian keyboards write them, and the decimal mark that goes with them and is nothing else."""


def plain_digits(text: str) -> str:
    """Return a typed number with Western digits and without blanks.

    >>> plain_digits(" ١٢٫٥ "), plain_digits("1 200")
    ('12.5', '1200')
    """
    return "".join(text.translate(_DIGITS).split())


def quantity_of(names: Names, good: str, text: str, unit: str, words: Language) -> int:
    """Return a typed number of a unit or pack in thousandths of the good's unit; raises `NotTakenError`."""
    typed = plain_digits(text)
    shown = isolated(text.strip(), words)
    if re.search("[,'’٬]", typed):
        raise NotTakenError(
            words(
                'In "{typed}" the comma may mean decimals or thousands. How much is it? Write a point for decimals.',
                typed=shown,
            )
        )
    if _THOUSANDS_OR_DECIMALS.fullmatch(typed):
        low, high = typed.rstrip("0").rstrip("."), typed.replace(".", "")
        raise NotTakenError(words('"{typed}" may be {low} or {high}. How much is it?', typed=shown, low=low, high=high))
    if not _NUMBER.fullmatch(typed):
        raise NotTakenError(words('"{typed}" is no quantity. Write it in digits, as 30 or 2.5.', typed=shown))
    quantity = Fraction(typed) * _size(names, good, unit, words, is_zero=not Fraction(typed))
    if quantity.denominator != 1:
        raise NotTakenError(words('"{typed}" is finer than a thousandth. Round it.', typed=shown))
    if quantity > MOST:
        raise NotTakenError(words('"{typed}" is more than can be kept. Check it.', typed=shown))
    return int(quantity)


def _size(names: Names, good: str, unit: str, words: Language, *, is_zero: bool) -> Fraction:
    """Return how many thousandths of a good one of a unit or pack is."""
    packs = names.packs_of(good)
    if not unit and (not packs or is_zero):
        return Fraction(1000)
    sizes = names.measures(good, folded_words(unit), unit) if unit else frozenset()
    if len(sizes) == 1:
        return next(iter(sizes))
    choices = ", ".join(dict.fromkeys([names.unit(good), *(pack.name for pack in packs)]))
    called = named(names.good(good), good, words)
    if not unit:
        raise NotTakenError(words("What is {good} counted in? There are: {choices}.", good=called, choices=choices))
    raise NotTakenError(
        words('How much "{unit}" of {good} is, is not known. There are: {choices}.', unit=unit, good=called,
              choices=choices)
    )  # fmt: skip
