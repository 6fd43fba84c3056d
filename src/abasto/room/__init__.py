"""The operations room: the network's journal in a browser, for the desk and for phones; nothing leaves the machine."""

from abasto.room.app import build_app
from abasto.room.operations import Room

__all__ = ["Room", "build_app"]
