"""Templates and static files: where they are, and the names under which browsers may keep them for ever."""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

__all__ = ["environment", "static", "static_file"]

TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
FOLDERS = {
    "leaflet": ("js_lib_leaflet", "static/js_lib_leaflet"),
    "htmx": ("js_lib_htmx", "static/htmx"),
}
"""What comes from wheels: only these wheels' static files are used, so the package they are made for is not needed."""

KEPT_FILES = 128
"""So many static files are kept in memory; more than there are, but not as many as names that anybody may ask for."""


@cache
def environment() -> Environment:
    """Return the templates' environment: everything is escaped, and a name that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("abasto.room", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(static=static)
    return environment


@cache
def static(name: str) -> str:
    """Return the address of a static file, such as `room.css` or `leaflet/leaflet.js`; it changes with the file."""
    content = _find(name)
    if content is None:
        raise LookupError(f"there is no static file {name!r}")
    return f"/static/{name}?v={hashlib.blake2b(content, digest_size=6).hexdigest()}"


async def static_file(request: Request) -> Response:
    """Answer with a static file; under an address with its version it may be kept for ever."""
    name = request.path_params["name"]
    content = _find(name)
    if content is None:
        return PlainTextResponse("There is nothing here.", status_code=404)
    keep = "public, max-age=31536000, immutable" if request.query_params.get("v") else "no-cache"
    return Response(content, media_type=TYPES[name.rpartition(".")[2]], headers={"cache-control": keep})


@lru_cache(maxsize=KEPT_FILES)
def _find(name: str) -> bytes | None:
    """Return a static file's content; only plain names of known kinds are looked for."""
    parts = name.split("/")
    if parts[-1].rpartition(".")[2] not in TYPES or any(part in ("", ".", "..") or "\\" in part for part in parts):
        return None
    package, folder = FOLDERS.get(parts[0], ("abasto.room", f"static/{parts[0]}"))
    path = files(package).joinpath(folder, *parts[1:])
    try:
        return path.read_bytes() if path.is_file() else None
    except OSError:  # A name longer than the disk can have.
        return None
