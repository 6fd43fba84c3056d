"""The peers of a device: by name where each answers and which key it must prove, kept in the home's encrypted file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol

from abasto.errors import SettingError
from abasto.facts.codes import code_of
from abasto.sync.http import url_of
from abasto.sync.nats import is_nats, servers_of
from abasto.sync.peer import key_from

__all__ = ["ALL", "Peer", "Register", "address_of", "shown"]

SETTING = "peers"
ALL = "all"
LONGEST_NAME = 40
MOST_PEERS = 200


class Settings(Protocol):
    """Where settings are kept; `change_setting` lets nobody write in between."""

    def setting(self, name: str) -> str: ...

    def change_setting(self, name: str, change: Callable[[str], str]) -> None: ...


@dataclass(frozen=True)
class Peer:
    """A device that this one exchanges with: what it is called here, where it answers, and its device key."""

    name: str
    address: str
    key: str

    @property
    def code(self) -> str:
        """The key as it is read aloud, to be compared with what `abasto peers me` shows there."""
        return code_of(self.key, signs=16)

    @property
    def shown(self) -> str:
        """The address without the password that one of a NATS server may have."""
        return shown(self.address)


def shown(address: str) -> str:
    """Return an address without the passwords that those of NATS servers may have."""
    return re.sub(r"//[^@/,]*@", "//", address)


class Register:
    """The peers that a home's file keeps. Every reading sees what other programs have written."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def all(self) -> tuple[Peer, ...]:
        """Return all peers, by name."""
        return _read(self._settings.setting(SETTING))

    def expects(self, key: str) -> bool:
        """Return whether a device with this key may exchange with this one."""
        return any(peer.key == key for peer in self.all())

    def add(self, name: str, address: str, key: str, *, own: str) -> tuple[Peer, Peer | None]:
        """Keep a peer, in the place of the one of that name; return it and the one it replaces.

        `own` is this device's key. Raises `SettingError` for a name, an address or a peer that cannot be, and
        `WrongKeyError` for what is no key.
        """
        name = _name(name)
        key_from(key)
        if key == own:
            raise SettingError(f"key {code_of(key)} is this device's own; give the one that the other device shows.")
        peer = Peer(name, address_of(address), key)
        before: list[Peer] = []

        def change(text: str) -> str:
            others = [one for one in _read(text) if one.name.casefold() != name.casefold()]
            before[:] = [one for one in _read(text) if one.name.casefold() == name.casefold()]
            twin = next((one for one in others if one.key == key), None)
            if twin is not None:
                raise SettingError(f'the device {peer.code} is here already, as "{twin.name}"; drop that first.')
            if len(others) >= MOST_PEERS:
                raise SettingError(f"there are {MOST_PEERS} peers already; drop some that are no more.")
            return _written([*others, peer])

        self._settings.change_setting(SETTING, change)
        return peer, next(iter(before), None)

    def drop(self, name: str) -> Peer:
        """Forget a peer and return it: it is not expected any more. Raises `SettingError` if there is none."""
        dropped: list[Peer] = []

        def change(text: str) -> str:
            peers = _read(text)
            dropped[:] = [one for one in peers if one.name.casefold() == name.casefold()]
            return _written([one for one in peers if one not in dropped]) if dropped else text

        self._settings.change_setting(SETTING, change)
        if not dropped:
            raise SettingError(_unknown(name, self.all()))
        return dropped[0]

    def find(self, asked: str) -> Peer:
        """Return the peer of a name or an address; raises `SettingError` if there is none."""
        peers = self.all()
        for peer in peers:
            if peer.name.casefold() == asked.casefold():
                return peer
        try:
            address = address_of(asked)
        except SettingError:
            raise SettingError(_unknown(asked, peers)) from None
        found = [peer for peer in peers if address_of(peer.address) == address]
        if len(found) != 1:
            raise SettingError(_unknown(asked, peers))
        return found[0]

    def behind(self, servers: str) -> tuple[Peer, ...]:
        """Return the peers that are asked through any of some NATS servers, by name."""
        named = set(servers_of(servers))
        return tuple(peer for peer in self.all() if is_nats(peer.address) and named & set(servers_of(peer.address)))


def _unknown(asked: str, peers: Sequence[Peer]) -> str:
    named = ", ".join(peer.name for peer in peers) or "none yet"
    return f'no peer "{asked:.60}" is known; there are: {named}. Add one with: abasto peers add NAME ADDRESS KEY'


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name.casefold() == ALL or "/" in name:
        raise SettingError(
            f'name "{name[:60]}": give 1 to {LONGEST_NAME} characters without /, and not "{ALL}"; names of people are '
            "nowhere needed."
        )
    return name


def address_of(address: str) -> str:
    """Return an address as it is kept: with its scheme, without the path that all of them have."""
    if is_nats(address):
        return ",".join(servers_of(address))
    return url_of(address).removesuffix("/peer")


def _read(text: str) -> tuple[Peer, ...]:
    return tuple(Peer(**row) for row in json.loads(text or "[]"))


def _written(peers: Sequence[Peer]) -> str:
    return json.dumps([asdict(peer) for peer in sorted(peers, key=lambda peer: peer.name.casefold())])
