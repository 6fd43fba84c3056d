"""A language writes numbers and dates, counts things as its speakers do, and says in English what it does not know."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime

import pytest

from abasto.language import LANGUAGES, Language, best_language, language

DAY = date(2026, 11, 29)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (-0.0, "0"), (12.5, "12.5"), (-3, "−3"), (1_000, "1\u202f000"), (0.12345, "0.123"), (-0.0001, "0")],
)
def test_numbers_are_written_alike_in_every_language(code: str, value: float, written: str) -> None:
    assert language(code).number(value) == written


def test_a_number_without_decimals_keeps_its_zeros() -> None:
    assert language("en").number(100, digits=0) == "100"


@pytest.mark.parametrize(("share", "written"), [(0.0, "0"), (0.5, "50"), (0.29, "29"), (0.9999, "99"), (1.0, "100")])
def test_a_share_is_rounded_down_so_that_not_all_is_never_all(share: float, written: str) -> None:
    assert language("es").percent(share) == f"{written}\u202f%"


@pytest.mark.parametrize(
    ("code", "day", "moment"),
    [
        ("en", "Sun 29 Nov", "Sun 29 Nov 09:05"),
        ("es", "dom 29 nov", "dom 29 nov 09:05"),
        ("ar", "الأحد 29 نوفمبر", "الأحد 29 نوفمبر 09:05"),
    ],
)
def test_dates_are_in_the_language_and_their_digits_are_western(code: str, day: str, moment: str) -> None:
    words = language(code)
    assert words.day(DAY) == day
    assert words.moment(datetime(2026, 11, 29, 9, 5)) == moment
    assert words.time(datetime(2026, 11, 29, 9, 5)) == "09:05"


@pytest.mark.parametrize(
    ("code", "days", "said"),
    [
        ("en", 0, "today"),
        ("en", 1, "yesterday"),
        ("en", 3, "3 days ago"),
        ("es", 1, "ayer"),
        ("es", 3, "hace 3 días"),
        ("ar", 2, "قبل يومين"),
        ("ar", 3, "قبل 3 أيام"),
    ],
)
def test_how_long_ago_a_day_was_is_said_in_words(code: str, days: int, said: str) -> None:
    assert language(code).ago(date.fromordinal(DAY.toordinal() - days), DAY) == said


def test_a_day_that_never_was_or_is_to_come_is_said_so() -> None:
    assert language("en").ago(None, DAY) == "never"
    assert language("en").ago(date(2026, 12, 1), DAY) == "on Tue 1 Dec, still to come"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "لا قيود"),
        (1, "قيد واحد"),
        (2, "قيدان"),
        (3, "3 قيود"),
        (10, "10 قيود"),
        (11, "11 قيدًا"),
        (99, "99 قيدًا"),
        (100, "100 قيد"),
        (103, "103 قيود"),
    ],
)
def test_arabic_counts_in_six_forms(number: int, said: str) -> None:
    assert language("ar").many("{n} entry", "{n} entries", number) == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 anotaciones"), (1, "1 anotación"), (1_000_000, "1\u202f000\u202f000 anotaciones")]
)
def test_spanish_counts_in_two_forms_also_millions(number: int, said: str) -> None:
    assert language("es").many("{n} entry", "{n} entries", number) == said


def test_only_arabic_is_written_from_right_to_left() -> None:
    assert {code: language(code).direction for code in LANGUAGES} == {"es": "ltr", "en": "ltr", "ar": "rtl"}


def test_names_in_a_text_written_from_right_to_left_are_isolated() -> None:
    assert language("ar")("from {site}", site="North-2") == "من \u2068North-2\u2069"
    assert language("ar")("from {site}", site="الشمال") == "من الشمال"
    assert language("es")("from {site}", site="North-2") == "de North-2"


def test_a_text_that_begins_with_a_name_still_goes_from_right_to_left() -> None:
    words = language("ar")
    assert words("{good}: {quantity}", good="rice", quantity="3") == "\u2068rice\u2069: 3", "there is no Arabic in it"
    assert words("{goods} (best by {day})", goods="rice", day="1").startswith("\u200f\u2068rice\u2069")
    assert words.sentence("flour at North is fully met on day 1.").startswith("احتياج")
    assert words.sentence("North has no store on day 1").startswith("لا مخزن")
    assert words.sentence("1100 kg of flour at Mill").startswith("\u200f")


def test_a_text_that_a_catalogue_lacks_is_said_in_english() -> None:
    assert language("es")("Nobody wrote this {what}", what="text") == "Nobody wrote this text"
    assert language("ar").many("{n} flea", "{n} fleas", 1) == "1 flea"
    assert language("ar").many("{n} flea", "{n} fleas", 3) == "3 fleas"
    assert Language("es")("today") == "today"


def test_a_text_without_parts_may_hold_braces() -> None:
    assert language("en")("{") == "{"


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        language("xx")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [(["ar-SY", "en"], "ar"), (["fr", "es_CL", "es"], "es"), (["fr"], "en"), ([" ES-cl "], "es")],
)
def test_the_first_language_wanted_that_is_there_is_spoken(wanted: list[str], code: str) -> None:
    assert best_language(wanted) == code


def test_the_command_line_starts_without_the_catalogues() -> None:
    code = "import sys, abasto.state.state, abasto.cli; print('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "False\n"
