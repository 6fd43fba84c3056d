"""The catalogues have every text of the code, with the same parts, in as many forms as the language counts with."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from babel import Locale

from abasto.language import language

ROOT = Path(__file__).resolve().parents[2]
CODES = ("ar", "es")


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    """The script that gathers the texts."""
    spec = importlib.util.spec_from_file_location("messages", ROOT / "scripts" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["messages"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("code", CODES)
def test_every_text_is_translated_with_the_same_parts(messages: ModuleType, code: str) -> None:
    assert list(messages.faults(messages.renewed(code, messages.texts()))) == []


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_is_as_the_script_writes_it(messages: ModuleType, code: str) -> None:
    written = messages.written(code, messages.renewed(code, messages.texts()))
    assert (messages.LOCALES / f"{code}.po").read_bytes() == written, "run scripts/messages.py"


def test_a_text_without_translation_or_with_other_parts_is_a_fault(messages: ModuleType) -> None:
    catalogue = messages.renewed("ar", {"count {good} at {site}", ("{n} entry", "{n} entries"), "never seen"})
    assert [fault.split(" ", 2)[:2] for fault in messages.faults(catalogue)] == [["'never", "seen'"]]
    catalogue["count {good} at {site}"].string = "اجرد {goods} في {site}"
    catalogue["{n} entry"].string = ("", *catalogue["{n} entry"].string[1:])
    assert len(list(messages.faults(catalogue))) == 3
    catalogue["never seen"].string = "لم يُر قط"
    catalogue["never seen"].flags.add("fuzzy")
    assert any("fuzzy" in fault for fault in messages.faults(catalogue))


def test_texts_are_found_in_code_templates_and_scripts(messages: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('words("One {n}", n=1)\nwords.many("{n} a", "{n} b", 2)\nwords(x)\n', "utf-8")
    (tmp_path / "a.html.j2").write_text("""{{ _("Two") }}{{ _.many("{n} c", "{n} d", n) }}{{ _.number(2) }}""", "utf-8")
    (tmp_path / "a.js").write_text("show(_('Three'));", "utf-8")
    assert set(messages._in_code(tmp_path / "a.py")) == {"One {n}", ("{n} a", "{n} b")}
    assert set(messages._in_template(tmp_path / "a.html.j2")) == {"Two", ("{n} c", "{n} d")}
    assert set(messages._in_code(tmp_path / "a.js")) == {"Three"}


@pytest.mark.parametrize("code", CODES)
def test_the_plural_form_by_cldr_is_that_of_the_catalogues_header(messages: ModuleType, code: str) -> None:
    header = messages.PLURAL_FORMS[code]
    words = language(code)
    for number in range(201):
        assert words._plural_place(number) == _place_by_formula(header, number), number
    assert Locale.parse(code).language == code


def _place_by_formula(header: str, number: int) -> int:
    """Return what the header's formula, written in C, gives for a number."""
    formula = header.partition("plural=(")[2].rpartition(")")[0].replace("&&", " and ")
    if "?" not in formula:
        return int(eval(formula, {"n": number}))
    *conditions, last = formula.split(":")
    for condition in conditions:
        holds, _, place = condition.partition("?")
        if eval(holds, {"n": number}):
            return int(place)
    return int(last)


@pytest.mark.parametrize("code", CODES)
def test_catalogues_name_no_place_no_date_and_no_path(messages: ModuleType, code: str) -> None:
    text = (messages.LOCALES / f"{code}.po").read_text("utf-8")
    assert not re.search(r"^#:|POT-Creation|/src/", text, re.MULTILINE)


def test_no_text_is_both_what_a_button_does_and_what_a_column_holds() -> None:
    """`Stop` of a search and a stop of a route are two words in other languages."""
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.j2")]
    buttons, heads = (
        {text for page in pages for text in re.findall(rf'<{tag}\b[^>]*>\{{\{{ _\("([^"]+)"', page)}
        for tag in ("button", "th")
    )
    assert buttons
    assert heads
    assert buttons & heads == set()


def test_a_coarse_map_is_called_in_spanish_as_the_list_of_words_calls_it() -> None:
    row = re.search(r"^\| coarse map \| (.+?) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    assert row is not None
    assert row[1] != "mapa grueso", "a map is not thick"
    for text in (
        "the coarse map (needs, stocks and ways, rounded and without names)",
        "what others see: each site, a coarse map, what is left over, or nothing; of a good nothing",
    ):
        assert row[1] in language("es")(text)
