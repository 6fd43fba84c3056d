"""What networks tell each other on the way to a joint plan, as bytes that any carrier may lose, delay or double."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import zstandard

from abasto.errors import EntryError, FederationError
from abasto.facts.canonical import canonical, parse
from abasto.federation.border import Trade
from abasto.federation.packed import MOST_WHOLE

__all__ = ["MapTold", "Message", "Said", "Stepped", "Told", "Voted", "read", "stepped", "write"]

MOST_TOLD = 1 << 16
MOST_TEXT = 1 << 20
MOST_NUMBERS = 1 << 20
_MOST_ROUNDS = 12
THOUSANDTHS = 1000


@dataclass(frozen=True)
class Message:
    """Bytes for one network, or for all where `to` is None."""

    to: str | None
    raw: bytes


@dataclass(frozen=True)
class MapTold:
    """A network's map of a round; `coarse` are the map's own bytes."""

    session: str
    sender: str
    round: int
    coarse: bytes


@dataclass(frozen=True)
class Told:
    """What a network says it will send to another: `promise` while plans are made, `commit` when it does so for good.

    `number` counts up, so that the newest of several is known: each says all that the sender sends.
    """

    session: str
    sender: str
    kind: Literal["promise", "commit"]
    round: int
    number: int
    trade: Trade


@dataclass(frozen=True)
class Voted:
    """What a round's plan and going alone are worth to the sender's own people; `clearing` names the proposal."""

    session: str
    sender: str
    round: int
    clearing: str
    alone: float
    joint: float


@dataclass(frozen=True)
class Stepped:
    """The sender has done so many steps of the session, and said before whatever came of them, perhaps nothing.

    `rounds` is the least of how many the sender would go and what it has heard of others by then.
    """

    session: str
    sender: str
    rounds: int
    step: int


Said = MapTold | Told | Voted | Stepped


def write(said: Said, goods: list[str]) -> bytes:
    """Return the bytes of something said; `goods` is the common list, in order."""
    head: dict[str, Any] = {"session": said.session, "sender": said.sender}
    if isinstance(said, Stepped):
        return b"T" + zstandard.compress(
            canonical(head | {"kind": "step", "rounds": said.rounds, "step": said.step}), 19
        )
    head["round"] = said.round
    if isinstance(said, MapTold):
        text = canonical(head)
        return b"M" + len(text).to_bytes(2, "big") + text + said.coarse
    if isinstance(said, Voted):
        # Whole numbers: the objective of a network is in the millions and more.
        vote = {"kind": "vote", "clearing": said.clearing, "alone": round(said.alone), "joint": round(said.joint)}
        return b"T" + zstandard.compress(canonical(head | vote), 19)
    number_of = {good: number for number, good in enumerate(goods)}
    rows = [[lane, number_of[good], _runs(days)] for (lane, good), days in sorted(said.trade.items()) if any(days)]
    days = max((len(days) for days in said.trade.values()), default=0)
    told = {"kind": said.kind, "number": said.number, "days": days, "trade": rows}
    return b"T" + zstandard.compress(canonical(head | told), 19)


def read(raw: bytes, goods: list[str]) -> Said:
    """Return what bytes say; `FederationError` if they are too many, damaged, or say nothing that is known."""
    if len(raw) > MOST_TOLD:
        raise FederationError(f"a message of {len(raw)} bytes; at most {MOST_TOLD} are read")
    try:
        if raw[:1] == b"M":
            length = int.from_bytes(raw[1:3], "big")
            said = parse(raw[3 : 3 + length])
            coarse = raw[3 + length :]
            if len(coarse) > MOST_WHOLE:
                raise FederationError(f"a map of {len(coarse)} bytes; at most {MOST_WHOLE} are read")
            return MapTold(*_head(said), coarse=coarse)
        if raw[:1] != b"T":
            raise FederationError("no message: its first byte is neither M nor T")
        text = zstandard.ZstdDecompressor(max_window_size=1 << 20).decompress(
            raw[1:], max_output_size=MOST_TEXT, allow_extra_data=False
        )
        if len(text) > MOST_TEXT:
            raise FederationError(f"a message of {len(text)} bytes unpacked; at most {MOST_TEXT} are read")
        said = parse(text)
        if said["kind"] == "vote":
            return Voted(
                *_head(said), str(said["clearing"]), float(_whole(said["alone"])), float(_whole(said["joint"]))
            )
        if said["kind"] == "step":
            return _read_step(said)
        if said["kind"] not in ("promise", "commit"):
            raise FederationError(f"no message: kind {said['kind']!r:.40}")
        session, sender, turn = _head(said)
        trade = _trade(said["trade"], _whole(said["days"]), goods)
        return Told(session, sender, said["kind"], turn, _whole(said["number"]), trade)
    except (zstandard.ZstdError, EntryError, KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, FederationError):
            raise
        raise FederationError(f"no message: {error}") from None


def stepped(raw: bytes, sender: str) -> Stepped | None:
    """Return what a message says if that is how many steps its sender has done, and it is this sender's; else None."""
    try:
        said = read(raw, [])
    except FederationError:  # It says something else, perhaps of goods, or nothing.
        return None
    return said if isinstance(said, Stepped) and said.sender == sender else None


def _read_step(said: dict[str, Any]) -> Stepped:
    rounds = _whole(said["rounds"])
    if not 1 <= rounds <= _MOST_ROUNDS:
        raise FederationError(f"no message: a session of {rounds} rounds; from 1 to {_MOST_ROUNDS} are known")
    return Stepped(*_names(said), rounds, _whole(said["step"]))


def _head(said: dict[str, Any]) -> tuple[str, str, int]:
    return *_names(said), _whole(said["round"])


def _names(said: dict[str, Any]) -> tuple[str, str]:
    if not isinstance(said["session"], str) or not isinstance(said["sender"], str):
        raise FederationError("no message: session and sender must be texts")
    return said["session"], said["sender"]


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise FederationError(f"no message: {value!r:.40} is no whole number from 0 up")
    return value


def _runs(days: tuple[float, ...]) -> list[list[int]]:
    """Return runs of equal amounts as [days, thousandths]; who promises has rounded them down to thousandths."""
    runs: list[list[int]] = []
    for day in days:
        told = round(day * THOUSANDTHS)
        if runs and runs[-1][1] == told:
            runs[-1][0] += 1
        else:
            runs.append([1, told])
    return runs


def _trade(rows: list[Any], days: int, goods: list[str]) -> Trade:
    if days > 3660 or len(rows) * days > MOST_NUMBERS:
        raise FederationError(f"no message: {len(rows)} amounts for {days} days each; nobody sends so much")
    trade: dict[tuple[int, str], tuple[float, ...]] = {}
    for lane, good, runs in rows:
        if sum(_whole(length) for length, _ in runs) != days:
            raise FederationError("no message: amounts for more or fewer days than it says")
        key = (_whole(lane), goods[_whole(good)])
        if key in trade:
            raise FederationError(f"no message: lane {lane} and good {good} stand twice")
        trade[key] = tuple(_whole(told) / THOUSANDTHS for length, told in runs for _ in range(length))
    return trade
