"""Why two devices do not exchange: one type of error for each cause, and the number that tells it to the other side.

LinkError
├── WrongKeyError      whoever answers does not hold the key that was expected, or no key can be that one
├── NotExpectedError   the other side holds its key, and does not expect ours
├── OtherNetworkError  both hold their keys, and a different network
├── VersionError       the other side speaks another version of this protocol
├── ForgedError        a message that the holder of the key did not write like this, or not here and now
├── NoSessionError     a message of a session that is over, or never was; a new one can be opened
├── TooLargeError      a message that is larger than any may be
├── BusyError          the other side has too much to do; later it may have time
└── UnreachableError   nobody answers, or not as a peer does

A number that comes unsealed may come from anybody on the way: it ends the exchange, and proves nothing.
"""

from __future__ import annotations

from abasto.errors import ForeignError, SyncError

__all__ = [
    "BusyError",
    "ForgedError",
    "LinkError",
    "NoSessionError",
    "NotExpectedError",
    "OtherNetworkError",
    "TooLargeError",
    "UnreachableError",
    "VersionError",
    "WrongKeyError",
    "told",
]


class LinkError(SyncError):
    """Two devices do not exchange; the message says why and what to do. What came before it is kept."""

    number = 0
    text = "the other side refused, and does not say why; see what it shows there."

    def __init__(self, text: str = "") -> None:
        super().__init__(text or self.text)


class WrongKeyError(LinkError):
    """Whoever answers does not hold the key that was expected."""

    number = 1
    text = (
        "whoever answers there does not hold the key that was expected; compare the key with the one that "
        "`abasto peers me` shows on the other device, and look whether the address is that device's."
    )


class NotExpectedError(LinkError):
    """The other side does not expect this device."""

    number = 2
    text = (
        "the other device does not expect this one; let its people add this device's key, which `abasto peers me` "
        "shows, with: abasto peers add NAME ADDRESS KEY"
    )


class OtherNetworkError(LinkError, ForeignError):
    """The other side holds another network."""

    number = 3
    text = "the other device holds another network; an exchange is between devices of one network."


class VersionError(LinkError):
    """The other side speaks another version."""

    number = 4
    text = "the other device speaks another version of the exchange; bring both to the same version of Abasto."


class ForgedError(LinkError):
    """A message that was changed, sent once more, sent back, or sent in another place."""

    number = 5
    text = (
        "a message was changed, repeated or put elsewhere on its way, so it was refused; try again, and if it stays "
        "so, use another way: another address, or a bundle file."
    )


class NoSessionError(LinkError):
    """The session is over, or never was."""

    number = 6
    text = "the other device knows no such session (any more); open a new one."


class TooLargeError(LinkError):
    """A message is larger than any may be."""

    number = 7
    text = "a message is larger than any may be, so it was refused; both sides need a version of Abasto that agrees."


class BusyError(LinkError):
    """The other side has too much to do."""

    number = 8
    text = "the other device has too much to do just now; try again in a minute."


class UnreachableError(LinkError):
    """Nobody answers, or not as a peer does."""

    number = 9


_BY_NUMBER: dict[int, type[LinkError]] = {
    kind.number: kind
    for kind in (
        WrongKeyError,
        NotExpectedError,
        OtherNetworkError,
        VersionError,
        ForgedError,
        NoSessionError,
        TooLargeError,
        BusyError,
    )
}


def told(number: int) -> LinkError:
    """Return the error that a number tells; of an unknown one only that it is one.

    >>> type(told(2)).__name__, type(told(99)).__name__
    ('NotExpectedError', 'LinkError')
    """
    return _BY_NUMBER.get(number, LinkError)()
