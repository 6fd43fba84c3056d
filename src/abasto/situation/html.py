"""A situation's paper as one HTML page that needs nothing but itself and has no script."""

from __future__ import annotations

from base64 import b64encode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from abasto.report.page import hash_of
from abasto.situation.paper import Paper
from abasto.situation.pictures import Picture

__all__ = ["html_of"]


def html_of(paper: Paper) -> str:
    """Return the page. Pictures stand in it as images, so that nothing in them can act or be styled from outside."""
    environment = Environment(
        loader=PackageLoader("abasto.situation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = _source("meeting.css")
    return environment.get_template("meeting.html.j2").render(
        paper=paper,
        style=Markup(style),
        address=_address,
        policy=f"default-src 'none'; style-src {hash_of(style)}; img-src data:; base-uri 'none'; form-action 'none'",
    )


def _address(picture: Picture) -> str:
    return f"data:image/svg+xml;base64,{b64encode(picture.svg.encode()).decode()}"


def _source(name: str) -> str:
    """Return the text of a file that lies beside this module."""
    from importlib.resources import files

    return files("abasto.situation").joinpath(name).read_text(encoding="utf-8")
