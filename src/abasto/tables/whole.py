"""Write files whole or not at all: everything is prepared beside its place, then moved there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from abasto.errors import AbastoError

__all__ = ["write_file_whole", "write_folder_whole"]


def write_file_whole(path: Path, content: bytes) -> None:
    """Write one file; if that fails, what was at `path` before is still there."""
    with _failures_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
        part = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                _store(file.fileno(), content)
            part.chmod(0o666 & ~_umask())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def write_folder_whole(folder: Path, files: Mapping[str, bytes], *, ours: Collection[str]) -> None:
    """Write `files` into `folder`, and remove the files of `ours` that are not among them; touch nothing else there.

    All files are written into a hidden folder on the same disk first, so that a full disk is met before anything
    changes; should a move fail all the same, every file is put back.
    """
    with _failures_told(folder):
        _refuse_non_files(folder, {*files, *ours})
        existed = folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        try:
            stage = Path(tempfile.mkdtemp(prefix=".abasto-", dir=folder))
            try:
                _fill(stage, files)
                _exchange(folder, stage, files, [name for name in ours if name not in files])
            finally:
                shutil.rmtree(stage, ignore_errors=True)
        except BaseException:
            if not existed:
                # It is empty unless somebody else has put something there meanwhile.
                with contextlib.suppress(OSError):
                    folder.rmdir()
            raise


def _fill(stage: Path, files: Mapping[str, bytes]) -> None:
    for place in ("new", "old"):
        (stage / place).mkdir()
    for name, content in files.items():
        with (stage / "new" / name).open("wb") as file:
            _store(file.fileno(), content)


def _exchange(folder: Path, stage: Path, files: Mapping[str, bytes], stale: list[str]) -> None:
    """Move the new files to their places and the old ones out of the way; undo every move if one fails."""
    undo: list[tuple[Path, Path]] = []
    try:
        for name in [*files, *stale]:
            if (folder / name).exists():
                os.replace(folder / name, stage / "old" / name)
                undo.append((stage / "old" / name, folder / name))
        for name in files:
            os.replace(stage / "new" / name, folder / name)
            undo.append((folder / name, stage / "new" / name))
    except BaseException:
        for moved, origin in reversed(undo):
            os.replace(moved, origin)
        raise


def _store(descriptor: int, content: bytes) -> None:
    """Write all bytes and wait for the disk, so that lack of space shows before a file takes another's place."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _refuse_non_files(folder: Path, names: Collection[str]) -> None:
    for name in sorted(names):
        place = folder / name
        if place.exists() and not place.is_file():
            raise AbastoError(
                f"{place}: this is not a file and would have to make way; move it, or name another folder."
            )


@contextlib.contextmanager
def _failures_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise AbastoError(
            f"{path}: nothing was written ({reason}); check the path, the rights and the space there."
        ) from error


def _umask() -> int:
    # The only way to ask for the mask is to set it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
