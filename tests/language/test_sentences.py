"""Sentences that are composed below in English: each piece of them in the code stands in a shape, and is recognised."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import abasto
from abasto.cli import EXIT_OK, main
from abasto.errors import Finding
from abasto.examples import example_path
from abasto.language import Language, language
from abasto.language.grammar import Said, recognise
from abasto.language.sentences import LISTS, SAYING_KINDS, SHAPES, VALUES
from abasto.planner.make import make_plan
from abasto.tables import read_network

SOURCE = Path(abasto.__file__).parent
TOLD_BY = (
    "planner/chain.py",
    "planner/explain.py",
    "planner/reasons.py",
    "state/carried.py",
    "state/exceptions/devices.py",
    "state/exceptions/goods.py",
    "state/exceptions/orders.py",
    "state/exceptions/reports.py",
    "state/fold.py",
    "state/foresee.py",
    "state/known.py",
    "state/rows.py",
    "state/sayings.py",
    "state/tables.py",
    "state/words.py",
    "tables/write.py",
    "tables/cells.py",
    "tables/columns.py",
    "tables/cycles.py",
    "tables/read.py",
    "tables/read_csv.py",
    "tables/read_workbook.py",
    "tables/references.py",
    "tables/sense.py",
)
"""The modules whose sentences people see in their language."""
NOT_SAID = frozenset({"under 1 %", "100 %", "write -", "and more"})
"""Pieces that are said, but as values of a shape, and one that is said of more things than fit."""


ROOM = sorted(str(path.relative_to(SOURCE)) for path in (SOURCE / "room").rglob("*.py") if path.stem != "serve")
"""The modules of the room, but for what refuses a command before there is a page."""


def _pieces(module: str) -> Iterator[str]:
    """Yield what a module's texts say between their values, apart from docstrings and patterns."""
    tree = ast.parse((SOURCE / module).read_text("utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            piece = node.value.strip(" ;,:(.)")
            if " " in piece and "\\" not in piece and "[" not in piece and piece not in NOT_SAID:
                yield piece


@pytest.mark.parametrize("module", TOLD_BY)
def test_every_piece_of_a_sentence_in_the_code_stands_in_a_shape(module: str) -> None:
    shapes = [one for many in SHAPES.values() for shape in many for one in _each(shape)]
    joins = [between for _, signs in LISTS.values() for between in signs]
    known = "\n".join(re.sub(r"\{\w+\}", "\0", text) for text in (*shapes, *joins))
    assert [piece for piece in _pieces(module) if piece not in known] == []


@pytest.mark.parametrize("module", ROOM)
def test_what_the_room_refuses_is_said_in_every_language(module: str) -> None:
    shapes = "\n".join(
        re.sub(r"\{\w+\}", "\0", one) for many in SHAPES.values() for shape in many for one in _each(shape)
    )
    tree = ast.parse((SOURCE / module).read_text("utf-8"))
    refused = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    pieces = [
        node.value.strip(" ;,:(.)")
        for call in refused
        if isinstance(call.func, ast.Name) and call.func.id in ("AbastoError", "SettingError")
        for argument in call.args
        if isinstance(argument, ast.Constant | ast.JoinedStr)
        for node in ast.walk(argument)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [piece for piece in pieces if " " in piece and piece not in shapes] == []


def _each(shape: str | tuple[str, str]) -> tuple[str, ...]:
    return (shape,) if isinstance(shape, str) else shape


@pytest.mark.parametrize(
    "shape", [one for kind, many in SHAPES.items() if kind != "place" for shape in many for one in _each(shape)]
)
def test_each_shape_with_its_parts_put_in_is_recognised(shape: str) -> None:
    is_one = any(shape == pair[0] for many in SHAPES.values() for pair in many if isinstance(pair, tuple))
    text = _example(shape, number="1" if is_one else "2")
    if len(re.sub(r"\{\w+\}", "", shape)) >= 6:
        assert recognise(text) is not None, text
        assert _english(recognise(text)) == text


def _example(shape: str, *, number: str = "2") -> str:
    """Return a sentence of a shape: each part the first that its kind has."""
    values = {"n": number, "date": "2026-11-22", "code": "K7Q2-0A3F", "column": "quantity", "unit": "kg"}

    def part(match: re.Match[str]) -> str:
        kind = match[1]
        kind = LISTS[kind][0] if kind in LISTS else SAYING_KINDS[kind][0] if kind in SAYING_KINDS else kind
        return _example(_each(SHAPES[kind][0])[-1]) if kind in SHAPES else values.get(kind, "Name")

    return re.sub(r"\{(\w+?)[0-9]*\}", part, shape)


def _english(said: Said | str | None) -> str:
    """Put a recognised sentence together again in English."""
    if said is None or isinstance(said, str):
        return said or ""
    words = said.shape if isinstance(said.shape, str) else said.shape[said.parts["n"] != "1"]
    return words.format(**{name: _english(part) for name, part in said.parts.items()})


def test_every_name_in_braces_is_a_kind_or_what_people_typed() -> None:
    typed = {
        "cause_given", "cells", "choices", "good", "goods", "help", "lane", "last", "mode", "name", "need",
        "reason", "recipe", "separator", "site", "table", "text", "value",
    }  # fmt: skip
    named = {
        match[1]
        for many in SHAPES.values()
        for shape in many
        for one in _each(shape)
        for match in re.finditer(r"\{(\w+?)[0-9]*\}", one)
    }
    assert named - {*SHAPES, *LISTS, *VALUES, *SAYING_KINDS} == typed


def test_causes_and_remedies_of_a_plan_are_translated_and_keep_their_names() -> None:
    rows = list(make_plan(read_network(example_path("neighbourhood")), "lockout").shortages.rows())
    assert rows
    for row in rows:
        for text in (row["cause"], row["remedy"]):
            assert _english(recognise(text)) == text
            assert language("es").sentence(text) != text
            assert language("en").sentence(text) == text


def test_the_paragraph_about_a_need_is_translated_sentence_by_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    network = str(example_path("neighbourhood"))
    for asked in (("Hill", "bread", "--scenario", "lockout"), ("School", "milk")):
        assert main(["why", network, *asked, "--json"]) == EXIT_OK
        for story in json.loads(capsys.readouterr().out)["explanations"]:
            told = [
                story["words"],
                *(link["words"] for link in story["links"]),
                *(one["words"] for one in story["causes"]),
            ]
            for text in told:
                assert not re.search(r"\b(the|of|with|from|on|all)\b", language("es").sentence(text)), text


def test_a_list_ends_each_thing_as_early_as_it_can() -> None:
    said = recognise("lane A>B is full on day 3; lane B>C is nearly full on days 1 to 4")
    assert said is not None
    assert said.shape == "{first}; {rest}"
    assert language("es").sentence("lane A>B is full on day 3; lane B>C is nearly full on days 1 to 4") == (
        "la ruta A>B está llena el día 3; la ruta B>C está casi llena los días 1 a 4"
    )


def test_a_story_that_says_more_is_not_taken_for_a_long_name() -> None:
    said = "counted 1100 kg of flour at Mill: 300 kg of flour less than the books had"
    assert language("es").sentence(said) == (
        "contó 1100 kg de flour en Mill: 300 kg de flour menos de lo que tenían los libros"
    )


def test_what_is_there_after_an_entry_is_translated() -> None:
    assert language("es").sentence("1100 kg of flour at Mill") == "1100 kg de flour en Mill"
    assert language("es").sentence("3 kg of rice at Mill; 1 kg of rice on the way") == (
        "3 kg de rice en Mill; 1 kg de rice en camino"
    )


def test_a_name_that_reads_like_a_word_stays_as_it_is() -> None:
    spanish = language("es")
    assert spanish.sentence("count need at all") == "cuente need en all"
    assert spanish.sentence("Food and Fuel") == "Food and Fuel"


def test_a_number_of_things_takes_the_form_that_the_language_has_for_it() -> None:
    text = "{} about site North, for which there is no row; booked all the same"
    arabic = language("ar")
    assert arabic.sentence(text.format("2 reports")).startswith("بلاغان عن")
    assert arabic.sentence(text.format("3 reports")).startswith("3 بلاغات عن")
    assert arabic.sentence(text.format("1,200 reports")).startswith("1\u202f200 بلاغ عن")


def test_a_finding_is_translated_with_its_place_its_value_and_what_to_do() -> None:
    finding = Finding("stocks", 14, "quantity", "-40", "a stock cannot be negative", "count again or leave the row out")
    assert language("es").sentence(str(finding)) == (
        "stocks fila 14, quantity: «-40» — unas existencias no pueden ser negativas; cuente de nuevo o quite la fila."
    )
    blank = replace(finding, value="", column="", message="the sheet is empty")
    assert language("es").sentence(str(blank)).startswith("stocks fila 14 — la hoja está vacía; ")


def test_names_in_a_text_written_from_right_to_left_are_isolated() -> None:
    assert language("ar").sentence("count flour at North") == "اجرد \u2068flour\u2069 في \u2068North\u2069"


def test_dates_in_a_text_written_from_right_to_left_are_isolated_and_plain_figures_are_not() -> None:
    told = language("ar").sentence("on 2026-11-22 North counted 3 kg of rice, 2 more than the books had (1)")
    assert "\u20682026-11-22\u2069" in told
    assert "\u20682\u2069" not in told


def test_what_nobody_translated_stays_in_english() -> None:
    assert language("es").sentence("the moon is made of cheese") == "the moon is made of cheese"
    assert Language("es").sentence("count it once more") == "count it once more"
    assert language("en").sentence("count it once more") == "count it once more"
    assert language("es").sentence("") == ""


def test_a_text_that_is_very_long_stays_as_it_is() -> None:
    assert recognise(f"count {'x' * 1_900} at y") is not None
    assert recognise(f"count {'x' * 2_000} at y") is None


def test_a_sentence_with_a_capital_and_a_full_stop_keeps_both() -> None:
    assert language("es").sentence("Count it once more.") == "Cuéntelo una vez más."


def test_a_day_in_a_sentence_is_the_same_date_in_every_language() -> None:
    text = f"on {date(2026, 11, 22)} North counted 3 kg of rice, 2 more than the books had (1)"
    for code in ("es", "ar"):
        assert "2026-11-22" in language(code).sentence(text)


@pytest.mark.parametrize("code", ["es", "ar"])
def test_a_planning_process_that_ended_is_told_in_the_language(code: str) -> None:
    said = "the planning process ended by itself."
    assert language(code).sentence(said) not in ("", said)
