"""The command line's door: which commands there are, what every failure says, and with which code it exits.

Exit codes: 0 done, 1 problems in the input, 2 usage, 3 planned but some need is unmet (`plan --strict`), 130 given up
with Ctrl-C. Commands stand in modules `cli_….py` and are imported when they are called;
`abasto --help` needs none of them, nor the library that parses arguments.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path

from abasto.errors import AbastoError, InputError, SettingError

__all__ = [
    "COMMANDS",
    "EXIT_GIVEN_UP",
    "EXIT_INPUT",
    "EXIT_OK",
    "EXIT_UNMET",
    "EXIT_USAGE",
    "UsageError",
    "existing",
    "main",
    "printable",
    "say",
    "unknown_name",
]

EXIT_OK = 0
EXIT_INPUT = 1
EXIT_USAGE = 2
EXIT_UNMET = 3
EXIT_GIVEN_UP = 130
EXIT_BROKEN_PIPE = 141
"""What a shell shows for a program that ended because nobody read its output any more."""

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("abasto.cli_demo:demo", "Plan a bundled network with and without its crisis, and write a report of both."),
    "check": ("abasto.cli_tables:check", "Show every problem in the tables at PATH, worst first; writes nothing."),
    "plan": (
        "abasto.cli_plan:plan",
        "Propose production and deliveries for the tables at PATH, or from the journal; only writes with --out.",
    ),
    "compare": (
        "abasto.cli_compare:compare",
        "Say who gains and who loses from one scenario, or one plan, to another.",
    ),
    "rehearse": (
        "abasto.cli_rehearse:rehearse",
        "Take away each thing at PATH in turn, and rank by harm what would hurt most.",
    ),
    "why": (
        "abasto.cli_why:why",
        "Say why a need is short at a site, from there back to what is scarce.",
    ),
    "remedies": (
        "abasto.cli_remedies:remedies",
        "Say which small additions would help most: promised by prices, proven by planning anew.",
    ),
    "tradeoff": (
        "abasto.cli_compare:tradeoff",
        "Show what fairness costs: the worst off against the total, for plans of rising fairness.",
    ),
    "template": (
        "abasto.cli_tables:template",
        "Write an empty workbook with every table and a line of help per column.",
    ),
    "convert": ("abasto.cli_tables:convert", "Rewrite tables: a folder of CSV files as a workbook, or the reverse."),
    "tables": ("abasto.cli_tables:tables", "List the tables of the format, or explain the columns of one."),
    "init": ("abasto.cli_journal:init", "Found a network: a new, encrypted journal in a folder, from tables."),
    "members": (
        "abasto.cli_members:members",
        "Show who counts in the network; invite, join, endorse, cut off and replace devices.",
    ),
    "count": ("abasto.cli_report:count", "Report how much of a good lies at a site."),
    "receive": ("abasto.cli_report:receive", "Report goods that came to a site from outside the network."),
    "handout": ("abasto.cli_report:handout", "Report goods that were handed out to people."),
    "make": ("abasto.cli_report:make", "Report that a recipe was carried out."),
    "lose": ("abasto.cli_report:lose", "Report goods that are spoiled, damaged or gone."),
    "message": ("abasto.cli_import:message", "Report what one text message says, or say what is in doubt."),
    "import": (
        "abasto.cli_import:import_reports",
        "Take in reports from a table, a form or text messages, or changed tables; a dry run without --yes.",
    ),
    "pack": ("abasto.cli_import:pack", "Say how much of a good is in one pack: a sack, a box."),
    "orders": (
        "abasto.cli_orders:orders",
        "Propose orders from a plan of what the journal knows, issue, show, accept, load, receive, cancel them.",
    ),
    "serve": ("abasto.cli_serve:serve", "Open the room: the journal in a browser, for the desk and for phones."),
    "peers": (
        "abasto.cli_peers:peers",
        "Say which devices this one exchanges with, show this device's key, or answer them.",
    ),
    "sync": ("abasto.cli_peers:sync_with", "Exchange what is missing with a peer, or with all of them."),
    "networks": (
        "abasto.cli_networks:networks",
        "Show the other networks that are recognised here, recognise one, plan together, carry letters by stick.",
    ),
    "exercise": (
        "abasto.cli_exercise:exercise",
        "Let three networks live a month together, of which one disappears; each in a process of its own.",
    ),
    "routes": (
        "abasto.cli_routes:routes",
        "Make routes of real vehicles from the day's orders; sheets to print, calendar and messages with --out.",
    ),
    "report": (
        "abasto.cli_situation:report",
        "Write the situation for a meeting: figures, alarms, coverage, stocks, orders; as HTML or PDF.",
    ),
    "watch": (
        "abasto.cli_watch:watch",
        "Show what is about to go wrong, worst first: why, when, how sure, who hears it; and answer it.",
    ),
    "stock": ("abasto.cli_ledger:stock", "Show what is in stock, how old each figure is, and how it is known."),
    "ledger": ("abasto.cli_ledger:ledger", "Show every movement of a good at a site, with the balance after it."),
    "history": ("abasto.cli_ledger:history", "Tell the story of a site, a good, a lot, an order or an entry."),
    "exceptions": ("abasto.cli_ledger:list_exceptions", "List what people have to settle, who can, and how."),
    "set": ("abasto.cli_journal:set_row", "Set a row of a table: a site, a good, a need, a fleet, …"),
    "drop": ("abasto.cli_journal:drop_row", "Drop a row of a table."),
    "note": ("abasto.cli_journal:note", "Write words for others into the journal."),
    "undo": ("abasto.cli_journal:undo", "Take an entry back, by one that does the opposite; both stay."),
    "export": ("abasto.cli_keep:export", "Write the network as the journal knows it as tables."),
    "backup": ("abasto.cli_keep:keep_backup", "Write the whole journal to one file."),
    "restore": ("abasto.cli_keep:restore_backup", "Make a new home from a backup."),
    "bundle": (
        "abasto.cli_bundle:bundle",
        "Carry entries in a file, sealed to its readers: write one, read one, answer one.",
    ),
    "verify": (
        "abasto.cli_keep:verify_home",
        "Check every signature, chain and balance; say what is wrong and what not.",
    ),
}
"""Every command: where it lives and its line in `abasto --help`."""

HEADINGS = {"demo": "With tables", "init": "With a journal, where a network reports, plans, orders and keeps its books"}
"""What stands above a command in `abasto --help`."""


class UsageError(AbastoError):
    """The command was called in a way that cannot work; the message says how to call it."""


def overview() -> str:
    """Return what `abasto --help` prints."""
    width = max(map(len, COMMANDS)) + 3
    commands = "\n".join(
        (f"\n{HEADINGS[name]}:\n" if name in HEADINGS else "") + f"  {name:{width}}{line}"
        for name, (_, line) in COMMANDS.items()
    )
    return (
        "Usage: abasto COMMAND\n\n"
        "Fair, checked plans for what to make where and who sends what to whom when normal supply breaks.\n"
        "PATH is a folder of CSV files or one workbook (.xlsx) in Abasto's network format, or the home of a journal.\n"
        f"{commands}\n\n"
        "`abasto COMMAND --help` explains one; `abasto --version` prints the version. To see what it does: abasto demo"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without some letter must not end the program
    try:
        code = _run(tokens)
        sys.stdout.flush()
    except BrokenPipeError:
        # Nobody reads on (`abasto check … | head`): what the interpreter flushes at its end must not fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        say("given up; nothing was written.")
        return EXIT_GIVEN_UP
    return code


def _run(tokens: list[str]) -> int:
    if not tokens or tokens[0] in ("--help", "-h", "help"):
        print(overview())
        return EXIT_OK
    if tokens[0] in ("--version", "-V"):
        print(f"abasto {version('abasto')}")
        return EXIT_OK
    try:
        return _call(tokens)
    except InputError as error:
        say(str(error))
        return EXIT_INPUT
    except (UsageError, SettingError) as error:
        say(str(error))
        return EXIT_USAGE
    except BrokenPipeError:
        raise
    except OSError as error:
        say(f"{error.filename or 'a file'}: {error.strerror or error}; check that it is there and that you may use it.")
        return EXIT_USAGE
    except AbastoError as error:
        say(str(error))
        return EXIT_INPUT


def _call(tokens: list[str]) -> int:
    """Parse the arguments, call the command and return its exit code."""
    from cyclopts import App, CycloptsError

    if tokens[0] not in COMMANDS:
        raise UsageError(unknown_name("command", tokens[0], tuple(COMMANDS)))
    empty = next((token for token in tokens if not token or (token.startswith("--") and token.endswith("="))), None)
    if empty is not None:
        raise UsageError(f'"{empty}" is empty; give it a value, or leave it out.')
    app = App(name="abasto", help_format="plaintext", version_flags=(), suppress_keyboard_interrupt=False)
    app.command(COMMANDS[tokens[0]][0], name=tokens[0])
    try:
        code = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        said = _plainly(" ".join(str(error).split()))
        raise UsageError(f"{said} `abasto {tokens[0]} --help` shows what is possible.") from None
    return code if isinstance(code, int) else EXIT_OK


def _plainly(said: str) -> str:
    """Return what the parser of arguments says in words that are no programmer's.

    >>> _plainly("Unused Tokens: ['north', 'south'].")
    'nothing is expected after that: north south; put names with blanks in quotes.'
    """
    if said.startswith("Unused Tokens: ["):
        surplus = said.removeprefix("Unused Tokens: [").removesuffix("].").replace("'", "").replace(",", "")
        return f"nothing is expected after that: {surplus}; put names with blanks in quotes."
    for programmers, ours in (("into float", "to a number"), ("into int", "to a whole number")):
        said = said.replace(programmers, ours)
    return said


def existing(path: Path) -> Path:
    """Return `path` if something is there; a `UsageError` otherwise."""
    if path.exists():
        return path
    raise UsageError(f'"{path}": there is no such folder or workbook; check the name, or see one with: abasto demo')


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """Return the message for a name that is none of the known ones."""
    from difflib import get_close_matches

    if not known:
        return f'unknown {kind} "{name}": there is none here.'
    by_folded = {one.casefold(): one for one in reversed(known)}
    closest = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.5)
    guess = f' Did you mean "{by_folded[closest[0]]}"?' if closest else ""
    return f'unknown {kind} "{name}"; there are: {", ".join(known)}.{guess}'


def say(message: str) -> None:
    """Print a message for the person at the terminal, on stderr: stdout is for results."""
    print(f"abasto: {printable(message)}", file=sys.stderr)


def printable(text: str) -> str:
    r"""Return text as a terminal may see it: line breaks stay, other control characters of cells are spelled out.

    >>> printable("bread\x1b[2J")
    'bread\\x1b[2J'
    """
    return "".join(c if c in "\n\t" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)
