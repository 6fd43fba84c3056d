"""The operations room: the network's journal in a browser, for the desk and for phones; nothing leaves the machine.

Names are loaded when they are first used: the process that makes a plan needs nothing of the web.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abasto.room.app import build_app
    from abasto.room.operations import Room

__all__ = ["Room", "build_app"]

_PLACES = {"Room": "operations", "build_app": "app"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
