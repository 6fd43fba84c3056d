"""The example networks that ship with the package, as folders of tables with a README each."""

from __future__ import annotations

import difflib
from importlib.resources import files
from pathlib import Path

from abasto.errors import AbastoError

__all__ = ["EXAMPLES", "example_path"]

EXAMPLES = ("neighbourhood", "national")
"""The names of the examples, the smallest first."""


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
