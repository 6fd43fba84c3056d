"""Work in a process of its own, one piece at a time: the room answers meanwhile, hears of it, and can stop it."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Literal

from abasto.errors import AbastoError

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from multiprocessing.synchronize import Event

__all__ = ["Beside", "News", "Outcome", "Say", "Work"]

Outcome = Literal["running", "done", "stopped", "failed"]
News = Mapping[str, Any]
"""What a process says: whatever its work tells, and in the end an `outcome`, with a `message` where it failed."""
Say = Callable[[News], None]
Work = Callable[..., News]
"""Called in the process with `say`, `is_stopped` and its arguments; what it returns is the last that is heard of it."""
PATIENCE = 20.0
"""Seconds that work which was told to stop has to put together the best it found; then it is ended."""


class Beside:
    """Runs one piece of work at a time. `heard` is called, from a thread of its own and holding `lock`, with all news.

    So nobody may wait for `lock` while they hold another that `heard` takes.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._is_running = False
        self._process: SpawnProcess | None = None
        self._stop: Event | None = None
        self._listener: threading.Thread | None = None

    def start(self, work: Work, *arguments: Any, heard: Callable[[News], None]) -> None:
        """Begin a piece of work; raises `AbastoError` while another is done."""
        with self.lock:
            if self._is_running:
                raise AbastoError("a plan is being made already; stop it first, or wait for it.")
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe(duplex=False)
            stop = self._stop = context.Event()
            self._process = context.Process(
                target=_run, args=(theirs, stop, work, arguments), name="abasto plan", daemon=True
            )
            self._process.start()
            theirs.close()  # So that a process that dies is heard as the end of what it says.
            self._is_running = True
            self._listener = threading.Thread(
                target=self._listen, args=(ours, stop, heard), name="plan listener", daemon=True
            )
            self._listener.start()

    def stop(self) -> None:
        """Have the work end with the best that it has found; ended for good if it does not in a while."""
        with self.lock:
            process, stop = self._process, self._stop
            if not self._is_running or process is None or stop is None:
                return
            stop.set()
        timer = threading.Timer(PATIENCE, _end, (process,))
        timer.daemon = True  # A room that is closed waits for nothing; it ends the process itself.
        timer.start()

    def close(self) -> None:
        """End whatever runs, and wait until what came of it is told and kept."""
        with self.lock:
            if self._process is not None:
                _end(self._process)
            listener = self._listener
        if listener is not None:
            listener.join(PATIENCE)

    def _listen(self, said: Connection, stop: Event, heard: Callable[[News], None]) -> None:
        is_over = False
        with said:
            while not is_over:
                try:
                    news: News = said.recv()
                except (EOFError, OSError):
                    news = {"outcome": "failed", "message": "the planning process ended by itself."}
                with self.lock:
                    news = _stopped(news) if stop.is_set() else news
                    is_over = "outcome" in news
                    self._is_running = not is_over
                    heard(news)


def _stopped(news: News) -> News:
    """Return what to make of the end of work that was told to stop."""
    if news.get("outcome") == "done":
        return {**news, "outcome": "stopped"}
    if news.get("outcome") == "failed":
        return {**news, "outcome": "stopped", "message": ""}
    return news


def _end(process: SpawnProcess) -> None:
    with suppress(ValueError):  # It is gone already.
        if process.is_alive():
            process.kill()


def _run(said: Connection, stop: Event, work: Work, arguments: tuple[Any, ...]) -> None:
    """Do a piece of work, in the process that is for it, and say what comes of it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the room's terminal reaches it too; the room ends it.
    try:
        said.send({**work(said.send, stop.is_set, *arguments), "outcome": "done"})
    except AbastoError as error:
        said.send({"outcome": "failed", "message": str(error)})
    except (BrokenPipeError, ConnectionResetError):
        pass  # The room is gone; so is whoever asked.
