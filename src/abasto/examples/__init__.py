"""The example networks that ship with the package, as folders of tables with a README each."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from abasto.errors import AbastoError

__all__ = ["EXAMPLES", "FEDERATION", "example_path", "federation_path"]

EXAMPLES = ("neighbourhood", "national")
"""The names of the examples, the smallest first."""
FEDERATION = ("hills", "vale", "coast")
"""The members of the example federation, each a network of its own with the others' markets at its border."""


def federation_path(member: str) -> Path:
    """Return the folder of tables of a member of the example federation.

    >>> federation_path("vale").name
    'vale'
    """
    if member not in FEDERATION:
        raise AbastoError(f'the example federation has no member "{member}"; choose one of: {", ".join(FEDERATION)}.')
    return Path(str(files("abasto.examples"))) / "federation" / member


def example_path(name: str) -> Path:
    """Return the folder of tables of the example `name`.

    >>> example_path("neighbourhood").name
    'neighbourhood'
    """
    if name not in EXAMPLES:
        close = difflib.get_close_matches(name.lower(), EXAMPLES, n=1)
        guess = f' Did you mean "{close[0]}"?' if close else ""
        raise AbastoError(f'example "{name}" does not exist; choose one of: {", ".join(EXAMPLES)}.{guess}')
    return Path(str(files("abasto.examples"))) / name
