"""The command `serve`: open the room of a journal in the browser, for this machine alone or for a local network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from abasto.cli import EXIT_OK, UsageError, printable, say
from abasto.cli_home import open_home, today

__all__ = ["serve"]

LOWEST_PORT, HIGHEST_PORT = 0, 65_535


def serve(
    *,
    port: int = 8300,
    lan: str | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    language: Literal["es", "en", "ar"] = "en",
    boundaries: Path | None = None,
    date: str | None = None,
    home: Path | None = None,
    open_browser: Annotated[bool, Parameter(name="--open", negative="")] = False,
) -> int:
    """Open the operations room: the journal in a browser, for the desk and for phones.

    It answers on this machine alone unless --lan is given, and everybody enters with a code that opens once. It runs
    until Ctrl-C.

    Parameters
    ----------
    port
        Where it answers; 0 takes any that is free.
    lan
        Answer also to others in the local network, under this address of this machine, such as 192.168.1.20.
    certificate
        A file with the certificate (and its chain), so that what is sent is encrypted; with --key.
    key
        The file with the certificate's private key.
    language
        The language for browsers that ask for none of ours.
    boundaries
        A GeoJSON file with boundaries to draw on the map.
    date
        The day it is in the room, for exercises; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    open_browser
        Open the room in this machine's browser.

    """
    if not LOWEST_PORT <= port <= HIGHEST_PORT:
        raise UsageError(f"--port {port}: give a number from 0 to {HIGHEST_PORT}.")
    if (certificate is None) != (key is None):
        raise UsageError("--certificate and --key belong together; give both, or neither.")
    for option, path in (("--certificate", certificate), ("--key", key), ("--boundaries", boundaries)):
        if path is not None and not path.is_file():
            raise UsageError(f'{option} "{path}": there is no such file; check the name.')
    from abasto.room.serve import Place, Server

    day = None if date is None else today(date)
    place = Place(port, lan or "", certificate, key)
    with open_home(home) as opened:
        server = Server(opened, place, language=language, day=day, boundaries=boundaries)
        try:
            bound = server.listen()
        except OSError as error:
            raise UsageError(
                f"port {port} of {place.address} cannot be used ({error.strerror or error}); another room may be open "
                "there: choose one with --port, or --port 0 for any."
            ) from None
        with bound:
            code = server.room.sessions.new_code("steward", now=server.room.now())
            address = server.address(bound.getsockname()[1])
            print(printable(f"The room is open: {address}/enter?code={code}"), flush=True)
            print("The code opens it once, within 15 minutes. Ctrl-C closes the room.", flush=True)
            if lan is not None:
                _warn_of_lan(is_secure=certificate is not None)
            if open_browser:
                import webbrowser

                webbrowser.open(f"{address}/enter?code={code}")
            server.run(bound)
    say("the room is closed.")
    return EXIT_OK


def _warn_of_lan(*, is_secure: bool) -> None:
    say(
        "everybody in the local network can knock at this room. Enter only with codes that you gave out yourself, and "
        "end it with Ctrl-C when it is no longer needed."
    )
    if not is_secure:
        say(
            "what is sent is not encrypted: whoever listens in this network can read it and act in its place. With "
            "--certificate and --key it is."
        )
