"""A situation's paper as PDF on A4, set by typst: pages numbered, heads of tables repeated, tagged for readers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from importlib.resources import files
from typing import Any, Literal
from unicodedata import category

from abasto.errors import AbastoError
from abasto.situation.paper import Paper

__all__ = ["font_for", "pdf_of", "unprintable"]

LATIN = ("Noto Sans", "Liberation Sans", "Arial", "Helvetica", "DejaVu Sans", "Libertinus Serif")
ARABIC = ("Noto Sans Arabic", "Noto Naskh Arabic", "Geeza Pro", "Segoe UI", "Arial", "DejaVu Sans", "DejaVu Sans Mono")
"""Fonts that are sought, the best first. The last of each comes with typst, so there is always one."""
WIDEST_MM, HIGHEST_MM, MM_PER_PIXEL = 182.0, 125.0, 0.3
"""Pictures are no larger, so that a page holds one and its table."""
NOBODYS = "\U0010fffd"
"""A sign that no font has: it prints as what stands for a sign that is missing."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SIZE = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


def pdf_of(paper: Paper, *, made_on: date) -> bytes:
    """Return the paper as PDF; the same paper of the same day gives the same bytes. Raises `AbastoError` if it cannot.

    Signs that no font here has print as empty boxes; `unprintable` names them. Only without such is it proven to be
    readable by machines that read aloud (PDF/UA-1).
    """
    document = {**_printable(asdict(paper)), "fonts": _fonts(paper.language)}
    for section in document["sections"]:
        for picture in section["pictures"]:
            picture["width"] = _width_mm(picture["svg"])
    inputs = {"paper": json.dumps(document)}
    made = _set(inputs, made_on, standard="ua-1") or _set(inputs, made_on)
    if made is None:
        raise AbastoError("the PDF could not be set; write HTML instead: --out report.html")
    return made


def _set(inputs: dict[str, str], made_on: date, *, standard: Literal["ua-1"] | None = None) -> bytes | None:
    """Return the document, None where it cannot be set, or not as the standard wants it."""
    import typst

    template = files("abasto.situation").joinpath("meeting.typ").read_bytes()
    midnight = datetime(made_on.year, made_on.month, made_on.day, tzinfo=UTC)
    try:
        made = typst.Compiler(template).compile(
            format="pdf", sys_inputs=inputs, timestamp=midnight, pdf_standards=standard or []
        )
    except typst.TypstError:
        return None
    assert isinstance(made, bytes)
    return made


def _printable(part: Any) -> Any:
    """Return texts, lists and dictionaries without control characters in any text; pictures have none."""
    if isinstance(part, str):
        return _CONTROL.sub("", part)
    if isinstance(part, dict):
        return {name: _printable(value) for name, value in part.items()}
    return [_printable(one) for one in part] if isinstance(part, list | tuple) else part


def _width_mm(svg: str) -> float:
    """Return how wide a picture stands on the page."""
    size = _SIZE.search(svg)
    if size is None:
        return WIDEST_MM
    width, height = float(size[1]), float(size[2])
    return min(WIDEST_MM, width * MM_PER_PIXEL, HIGHEST_MM * width / height)


def font_for(language: str) -> str:
    """Return the font that a paper in a language is set in."""
    return _fonts(language)[0]


def _fonts(language: str) -> list[str]:
    import typst

    here = set(typst.Fonts().families())
    wanted = (*ARABIC, *LATIN) if language == "ar" else (*LATIN, *ARABIC)
    return [font for font in dict.fromkeys(wanted) if font in here]


def unprintable(paper: Paper) -> str:
    """Return the signs of a paper that no font on this machine has, each once."""
    import typst

    signs = sorted({sign for text in _texts(asdict(paper)) for sign in text if not _is_plain(sign)})
    if not signs:
        return ""
    source = (
        b"#set page(width: 40pt, height: auto, margin: 0pt)\n#set text(font: json(bytes(sys.inputs.fonts)))\n"
        b"#for sign in json(bytes(sys.inputs.signs)) { sign; pagebreak(weak: true) }"
    )
    inputs = {"fonts": json.dumps(_fonts(paper.language)), "signs": json.dumps([NOBODYS, *signs])}
    pages = typst.Compiler(source).compile(format="svg", sys_inputs=inputs)
    assert isinstance(pages, list)
    missing, *drawn = pages
    return "".join(sign for sign, page in zip(signs, drawn, strict=True) if page == missing)


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for name, value in part.items():
            if name != "svg":
                yield from _texts(value)
    elif isinstance(part, Sequence | Iterable):
        for one in part:
            yield from _texts(one)


def _is_plain(sign: str) -> bool:
    """Whether every font has a sign, or it prints as nothing."""
    return sign < "\u0180" or category(sign) in ("Cf", "Zs", "Zl", "Zp", "Cc", "Mn")
