"""A way to the disk that fails when it is told to: full, short writes, I/O errors. SQLite's cipher stands above it."""

from __future__ import annotations

from typing import Literal

import apsw

__all__ = ["Fault", "FaultyDisk"]

Fault = Literal["full", "short", "io"]


class FaultyDisk:
    """A VFS over the system's own; `arm` has one of the next operations on a file fail.

    It stays registered as long as the program runs, as the cipher's VFS above it does: make one of a name.
    """

    def __init__(self, name: str) -> None:
        self._vfs = _Vfs(name, self)
        self.name = f"multipleciphers-{name}"
        """With this prefix the library puts its cipher on top, as on every other way to the disk."""
        self._left: int | None = None
        self._fault: Fault = "io"
        self.failed = 0

    def arm(self, fault: Fault, *, after: int) -> None:
        """Have the operation fail that comes after so many others which can fail in this way, and all that follow."""
        self._fault, self._left = fault, after

    def disarm(self) -> None:
        self._left = None

    def strikes(self, operation: Literal["read", "write", "sync", "size"]) -> Fault | None:
        """Return how an operation fails, None if it does not."""
        if self._left is None or (self._fault != "io" and operation != "write"):
            return None
        if self._left > 0:
            self._left -= 1
            return None
        self.failed += 1
        return self._fault


class _Vfs(apsw.VFS):
    def __init__(self, name: str, disk: FaultyDisk) -> None:
        self.disk = disk
        super().__init__(name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> _File:  # noqa: N802 – SQLite's word
        return _File(name, flags, self.disk)


class _File(apsw.VFSFile):
    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int], disk: FaultyDisk) -> None:
        self.disk = disk
        super().__init__("unix", name, flags)

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        if self.disk.strikes("read"):
            raise apsw.IOError("the disk does not answer")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        fault = self.disk.strikes("write")
        if fault == "short":
            super().xWrite(data[: len(data) // 2], offset)
            raise apsw.IOError("half of it was written")
        if fault == "full":
            raise apsw.FullError("no room is left")
        if fault == "io":
            raise apsw.IOError("the disk does not answer")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self.disk.strikes("sync"):
            raise apsw.IOError("the disk does not answer")
        super().xSync(flags)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if self.disk.strikes("size"):
            raise apsw.IOError("the disk does not answer")
        super().xTruncate(size)
