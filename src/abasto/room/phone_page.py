"""The phone's page: one template, one script put together from the modules, served or carried in a single file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from abasto.language import LANGUAGES, language
from abasto.room.phone_words import page_words
from abasto.room.sheet import Sheet
from abasto.room.views import environment, static

__all__ = ["MODULES", "file_html", "manifest", "page_html", "page_version", "script", "script_address", "worker"]

MODULES = (
    "words", "numbers", "store", "dom", "reports", "sending", "app", "notices", "forms", "list", "screens", "main",
)  # fmt: skip
"""The page's modules in `static/phone`, each after those whose constants it needs at once."""

_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?function |const |let )", re.MULTILINE)


@cache
def script() -> str:
    """Return the page's modules as one script: no browser has to fetch a dozen, and a file on a disk can hold it.

    Their names are unique among all of them, so that they may stand side by side.
    """
    parts = [_EXPORT.sub("", _IMPORT.sub("", _asset(f"{name}.js"))) for name in MODULES]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


@cache
def script_address() -> str:
    """Return where the script is served; it changes with it."""
    return f"/phone/app.js?v={_digest(script())}"


def page_html(code: str) -> str:
    """Return the page as it is served, in a language until it knows better: it holds nothing of the network."""
    return _page(code, mode="served", given=_given(code), style_address=static("phone/phone.css"))


def file_html(sheet: Sheet, code: str) -> str:
    """Return the page as a single file that needs nothing but itself, with a sheet in it."""
    style = _asset("phone.css")
    policy = (
        f"default-src 'none'; script-src '{_source(script())}'; style-src '{_source(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    given = {**_given(code), "mode": "file", "sheet": sheet.model_dump(mode="json")}
    # Both are our own, and hashed as they are: escaped, the browser would run neither.
    return _page(code, mode="file", given=given, policy=policy, style=Markup(style), script=Markup(script()))


@cache
def page_version() -> str:
    """Return what changes whenever the served page does."""
    return _digest(*(page_html(code) for code in LANGUAGES))


def worker() -> str:
    """Return the service worker: it keeps the page and what it needs, so that it opens without connection."""
    kept = ["/phone", script_address(), static("phone/phone.css"), static("icon.svg"), "/phone/manifest.webmanifest"]
    return f"const VERSION = {json.dumps(page_version())};\nconst KEPT = {json.dumps(kept)};\n{_asset('worker.js')}"


def manifest() -> Mapping[str, Any]:
    """Return what a phone needs to put the page on its first screen."""
    return {
        "name": "Abasto",
        "short_name": "Abasto",
        "id": "/phone",
        "start_url": "/phone",
        "scope": "/phone",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#0b5f58",
        "icons": [{"src": static("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }


def _page(code: str, *, given: Mapping[str, Any], **parts: Any) -> str:
    # Nothing in a block of JSON may look like the end of it.
    text = Markup(json.dumps(given, ensure_ascii=False).replace("<", "\\u003c"))
    template = environment().get_template("phone.html.j2")
    return template.render(_=language(code), given=text, script_address=script_address(), **parts)


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return {
        code: {"name": name, "direction": language(code).direction, "texts": dict(page_words(language(code)))}
        for code, name in LANGUAGES.items()
    }


def _given(code: str) -> dict[str, Any]:
    return {"mode": "served", "language": code, "languages": _texts()}


@cache
def _asset(name: str) -> str:
    return files("abasto.room").joinpath("static", "phone", name).read_text("utf-8")


def _digest(*texts: str) -> str:
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=6).hexdigest()


def _source(text: str) -> str:
    """Return what a content security policy calls an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def names_at_top(module: str) -> Sequence[str]:
    """Return the names that a module of the page declares at its top level."""
    return re.findall(r"^(?:export )?(?:async )?(?:function|const|let) (\w+)", _asset(f"{module}.js"), re.MULTILINE)
