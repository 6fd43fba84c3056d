"""A language: what it says for each English text, and how it writes numbers and dates.

Texts stand in the code in English. The catalogues (`locales/es.po`, `locales/ar.po`) are gettext's and are read as they
are, by Babel; what a catalogue lacks is said in English. `scripts/messages.py` gathers the texts from the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from importlib.resources import files

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.pofile import read_po

from abasto.language.grammar import Said, recognise

__all__ = ["LANGUAGES", "Language", "best_language", "language"]

LANGUAGES: Mapping[str, str] = {"es": "español", "en": "English", "ar": "العربية"}
"""Every language by its code, with the name it has in itself."""


@dataclass(frozen=True)
class Language:
    """A language, called like a function: `words("{n} sites", n="3")` is the text in it, with its parts put in.

    `code` is as in `LANGUAGES`. Digits are Western in every language, so that a figure that is read out, typed or
    compared with a sheet on paper looks the same everywhere.
    """

    code: str
    singular: Mapping[str, str] = field(repr=False, default_factory=dict)
    plural: Mapping[str, tuple[str, ...]] = field(repr=False, default_factory=dict)

    def __call__(self, text: str, **parts: object) -> str:
        """Return an English text in this language; `{name}` in it is replaced by the part of that name."""
        said = self.singular.get(text) or text
        return self._directed(said.format(**self._isolated(parts))) if parts else said

    def many(self, one: str, several: str, number: float, **parts: object) -> str:
        """Return the text for a number of things: `one` or `several` in English; `{n}` in it is the number."""
        said = self._form(one, several, number).format(n=self.number(number), **self._isolated(parts))
        return self._directed(said)

    def sentence(self, text: str) -> str:
        """Return a sentence that was composed below (a message, a remedy, a cause) in this language, if it can be.

        Whatever is not recognised stays in English; so do the names in it, which people gave.
        """
        if not self.singular or not text:
            return text
        said = self._known(text) or " ".join(self._known(one) or one for one in _SENTENCE_END.split(text))
        return self._directed(said)

    def _known(self, text: str) -> str | None:
        """Return a sentence in this language, also where it was told with a capital and a full stop; else None."""
        if text in self.singular:
            return self.singular[text]
        said = recognise(text)
        if said is not None:
            return self._told(said)
        inner = text.removesuffix(".")
        for plain in (inner, inner[:1].lower() + inner[1:]):
            said = recognise(plain)
            if said is not None:
                told = self._told(said)
                return f"{told[:1].upper()}{told[1:]}{text[len(inner) :]}"
        return None

    def _told(self, said: Said) -> str:
        parts = {name: self._part(name, part) for name, part in said.parts.items()}
        one, several = (said.shape, said.shape) if isinstance(said.shape, str) else said.shape
        if one in self.plural:
            words = self._form(one, several, float(str(said.parts["n"]).replace(",", "")))
        else:
            words = self.singular.get(one) or one
        return words.format(**self._isolated(parts))

    def _part(self, name: str, part: Said | str) -> str:
        if isinstance(part, Said):
            return self._told(part)
        kind = name.rstrip("0123456789")
        if kind == "n":
            return part.replace(",", "\u202f").replace("-", "−")
        return self.singular.get(part, part) if kind in ("help", "said") else part

    def _isolated(self, parts: Mapping[str, object]) -> Mapping[str, object]:
        """Return parts so that what is written from left to right keeps its order among what is not.

        Without, a date that follows Arabic letters reads 29-11-2026, and what stands beside `North-2` changes sides.
        """
        if self.direction == "ltr":
            return parts
        return {
            name: f"\u2068{part}\u2069" if isinstance(part, str) and _LEFT_TO_RIGHT.search(part) else part
            for name, part in parts.items()
        }

    def _directed(self, text: str) -> str:
        """Return a text so that it goes from right to left also where a name that does not comes first in it.

        Browsers guess a text's direction from its first letter (`dir="auto"`), also from one that is isolated.
        """
        first = _LETTER.search(text) if self.direction == "rtl" else None
        is_astray = first is not None and not _RIGHT_TO_LEFT.match(first[0]) and _RIGHT_TO_LEFT.search(text)
        return f"\u200f{text}" if is_astray else text

    @cached_property
    def locale(self) -> Locale:
        """Babel's locale of it."""
        return Locale.parse(self.code)

    @cached_property
    def direction(self) -> str:
        """`ltr` or `rtl`: the way it is written."""
        return self.locale.text_direction

    def number(self, value: float, *, digits: int = 3) -> str:
        """Return a number with at most so many decimals, written alike in every language.

        Groups are set off by a narrow blank and decimals by a point (ISO 80000-1): `1.234` is a thousand to some and a
        little over one to others, and whoever types a number back has to write it as the tables want it.

        >>> language("es").number(-1234.5), language("en").number(1234567.0004), language("ar").number(0.25)
        ('−1\u202f234.5', '1\u202f234\u202f567', '0.25')
        """
        text = f"{abs(value):,.{digits}f}".replace(",", "\u202f")
        text = text.rstrip("0").rstrip(".") if digits else text
        return f"−{text}" if value < 0 and text.strip("0.") else text

    def percent(self, share: float) -> str:
        """Return a share as a percentage, rounded down: what is not quite all is not called 100 %.

        >>> language("en").percent(0.999), language("es").percent(1.0)
        ('99\u202f%', '100\u202f%')
        """
        return f"{self.number(int(share * 100 + 1e-9), digits=0)}\u202f%"

    def day(self, day: date, *, style: str = "EEE d MMM") -> str:
        """Return a date, as `Sun 29 Nov` unless another pattern or `short`, `medium`, `long` is given.

        >>> language("en").day(date(2026, 11, 29)), language("es").day(date(2026, 11, 29))
        ('Sun 29 Nov', 'dom 29 nov')
        """
        return _western(format_date(day, style, locale=self.locale))

    def time(self, moment: datetime) -> str:
        """Return the time of day, as 10:41."""
        return _western(format_time(moment, "HH:mm", locale=self.locale))

    def moment(self, moment: datetime) -> str:
        """Return a date with the time of day."""
        return _western(format_datetime(moment, "EEE d MMM HH:mm", locale=self.locale))

    def ago(self, reported: date | None, today: date) -> str:
        """Return how long ago a day was, in words: today, yesterday, 3 days ago; never, if there is none."""
        words = self
        if reported is None:
            return words("never")
        days = (today - reported).days
        if days == 0:
            return words("today")
        if days == 1:
            return words("yesterday")
        if days < 0:
            return words("on {date}, still to come", date=self.day(reported))
        return words.many("{n} day ago", "{n} days ago", days)

    def _form(self, one: str, several: str, number: float) -> str:
        """Return the text for a number of things with its parts still to be put in."""
        forms = self.plural.get(one, ())
        place = self._plural_place(number)
        return forms[place] if place < len(forms) and forms[place] else one if number == 1 else several

    def _plural_place(self, number: float) -> int:
        order = ("zero", "one", "two", "few", "many", "other")
        rule = self.locale.plural_form
        tags = [tag for tag in order if tag in rule.tags or tag == "other"]
        if self.code == "es":
            return 0 if number == 1 else 1  # CLDR has a form for millions in Spanish, gettext's catalogues have none.
        return tags.index(rule(number))


@cache
def language(code: str) -> Language:
    """Return the language of a code in `LANGUAGES`; raises `KeyError` for another."""
    if code not in LANGUAGES:
        raise KeyError(code)
    path = files("abasto.language").joinpath("locales", f"{code}.po")
    if not path.is_file():
        return Language(code)
    with path.open("rb") as content:
        catalogue = read_po(content, locale=code)
    singular: dict[str, str] = {}
    plural: dict[str, tuple[str, ...]] = {}
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        if isinstance(message.id, str):
            singular[message.id] = str(message.string)
        else:
            plural[message.id[0]] = tuple(message.string or ())
    return Language(code, singular, plural)


def best_language(wanted: Iterable[str], *, default: str = "en") -> str:
    """Return the first of the wanted language tags that there is, without its region.

    >>> best_language(["de-AT", "es-CL", "en"]), best_language([])
    ('es', 'en')
    """
    for tag in wanted:
        code = tag.strip().partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return default


_SENTENCE_END = re.compile(r"(?<=\.) (?=\S)")
_LEFT_TO_RIGHT = re.compile(r"[A-Za-zÀ-ɏͰ-ԯ]|[0-9][-/:.][0-9]")
_LETTER = re.compile(r"[^\W\d_]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789")


def _western(text: str) -> str:
    return text.translate(_WESTERN)
