"""Gather every text that people read from the code, and bring the catalogues of the languages up to date.

usage: uv run scripts/messages.py [--check]

Texts are what is given to `words(…)`, `_(…)` and `.many(…, …)` in Python, templates and scripts, the sentences that are
composed below, and what the tables' columns mean. Translations stay; a new text is there with none, a text that is gone
goes. With --check nothing is written, and what a catalogue lacks is printed.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path
from string import Formatter

from babel.messages import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from jinja2 import Environment, nodes

from abasto.language import LANGUAGES
from abasto.language.grammar import JOINS
from abasto.language.sentences import SHAPES, Shape
from abasto.state.cells import SCHEMAS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "abasto"
LOCALES = SOURCE / "language" / "locales"
KEYWORDS = {"_": None, "words": None, "many": (1, 2)}
PLURAL_FORMS = {
    "es": "nplurals=2; plural=(n != 1);",
    "ar": "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);",
}
HEADER = """\
# What Abasto says in {language}. The English texts come from the code by scripts/messages.py; write the translations.
msgid ""
msgstr ""
"Language: {code}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {forms}\\n"

"""


@cache
def texts() -> frozenset[Shape]:
    """Return every text of the code; one with a plural as the pair of both."""
    found: set[Shape] = set(JOINS.values())
    for shapes in SHAPES.values():
        found.update(shapes)
    for table in SCHEMAS.values():
        found.add(table.help)
        found.update(text for one in table.columns for text in (one.help, one.unit, one.blank) if text)
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".py", ".js"):
            found.update(_in_code(path))
        elif path.suffix == ".j2":
            found.update(_in_template(path))
    return frozenset(text for text in found if _says_something(text))


def _in_code(path: Path) -> Iterator[Shape]:
    with path.open("rb") as content:
        for _, message, _, _ in extract("python" if path.suffix == ".py" else "javascript", content, KEYWORDS):
            if isinstance(message, str):
                yield message
            elif message:
                yield message[0], message[1]


def _in_template(path: Path) -> Iterator[Shape]:
    for call in Environment(autoescape=True).parse(path.read_text("utf-8")).find_all(nodes.Call):
        given = [argument.value for argument in call.args if isinstance(argument, nodes.Const)]
        if isinstance(call.node, nodes.Name) and call.node.name in ("_", "words") and len(given) == 1:
            yield str(given[0])
        elif isinstance(call.node, nodes.Getattr) and call.node.attr == "many" and len(given) >= 2:
            yield str(given[0]), str(given[1])


def _says_something(text: Shape) -> bool:
    """Return whether there is a word or a sign to translate: `{cause}` has none."""
    return isinstance(text, tuple) or any(part.strip("* 0123456789") for part, *_ in Formatter().parse(text))


def renewed(code: str, wanted: AbstractSet[Shape]) -> Catalog:
    """Return the catalogue of a language with exactly these texts, and the translations that there are."""
    path = LOCALES / f"{code}.po"
    with path.open("rb") if path.is_file() else io.BytesIO() as content:
        old = read_po(content, locale=code)
    new = Catalog(locale=code, fuzzy=False)
    plural = {message.id[0]: message.string for message in old if isinstance(message.id, tuple)}
    for text in wanted:
        if isinstance(text, tuple):
            count = old.num_plurals
            new.add(text, plural.get(text[0]) or ("",) * count)
        elif not any(text == pair[0] for pair in wanted if isinstance(pair, tuple)):
            message = old.get(text)
            new.add(text, message.string if message is not None and isinstance(message.string, str) else "")
    return new


def written(code: str, catalogue: Catalog) -> bytes:
    """Return the bytes of a catalogue: sorted, without places in the code, dates or paths."""
    body = io.BytesIO()
    write_po(body, catalogue, width=110, no_location=True, omit_header=True, sort_output=True)
    header = HEADER.format(language=LANGUAGES[code], code=code, forms=PLURAL_FORMS[code])
    return header.encode() + body.getvalue().strip() + b"\n"


def faults(catalogue: Catalog) -> Iterator[str]:
    """Yield what is wrong with the translations: none, one that nobody has looked over, other parts than the text."""
    for message in catalogue:
        if not message.id:
            continue
        english, forms = _each(message.id), _each(message.string)
        if len(forms) != (catalogue.num_plurals if len(english) > 1 else 1) or not all(forms):
            yield f"{english[0]!r} has no translation in {catalogue.locale}; write it"
        elif message.fuzzy:
            yield f"{english[0]!r} is marked as fuzzy in {catalogue.locale}; look at it and remove the mark"
        else:
            parts = _parts(english[-1])
            for form in forms:
                # One and two of a thing are words of their own in Arabic: the number may be left out.
                if _parts(form) - parts or parts - _parts(form) - ({"n"} if len(english) > 1 else set()):
                    yield f"{english[0]!r} has {sorted(parts)} in braces, but {form!r} in {catalogue.locale} has others"


def _each(text: str | Sequence[str] | None) -> list[str]:
    """Return the forms of a text as a list, also of one without a plural."""
    return [text] if isinstance(text, str) else list(text or ())


def _parts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def main() -> int:
    """Write the catalogues, or say what they lack."""
    wanted, wrong = texts(), []
    for code in sorted(PLURAL_FORMS):
        catalogue, path = renewed(code, wanted), LOCALES / f"{code}.po"
        content = written(code, catalogue)
        wrong += list(faults(catalogue))
        if "--check" not in sys.argv[1:]:
            LOCALES.mkdir(exist_ok=True)
            path.write_bytes(content)
        elif not path.is_file() or path.read_bytes() != content:
            wrong.append(f"{path.name} is not up to date; run scripts/messages.py")
    print("\n".join(wrong) or f"{len(wanted)} texts, each in {len(PLURAL_FORMS)} languages besides English")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
