"""What every command of the journal shares: which home, its passphrase, which day, and who writes into it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from abasto.cli import UsageError, unknown_name

if TYPE_CHECKING:
    from abasto.facts.kinds import Fact
    from abasto.journal.entry import Entry
    from abasto.journal.home import Home
    from abasto.state.known import Known
    from abasto.state.rates import Rate
    from abasto.state.state import State
    from abasto.state.types import Figure, OrderRecord

__all__ = [
    "Code",
    "Flag",
    "age_words",
    "bundle_passphrase",
    "estimate_words",
    "figure_document",
    "find",
    "find_good",
    "find_site",
    "find_thing",
    "go_on",
    "home_folder",
    "is_home",
    "known_document",
    "known_lines",
    "known_on",
    "lot_of",
    "lot_words",
    "new_home",
    "open_home",
    "order_words",
    "passphrase",
    "quantity_of",
    "quantity_words",
    "rate_words",
    "read_state",
    "refuse_unit",
    "to_the_end",
    "today",
    "unit_of",
    "write",
]

Flag = Annotated[bool, Parameter(negative="")]
"""An option that is given or not; there is no --no-… beside it."""
WHOLE_ID = 43
"""So many signs has a whole id."""


def _refuse_option(_: type, value: str | None) -> None:
    """Refuse what is no id but an option that the command does not have."""
    if value is not None and value.startswith("--") and len(value) < WHOLE_ID:
        raise UsageError(f"{value.partition('=')[0]} is no option here; see those that there are with --help.")


Code = Annotated[str, Parameter(allow_leading_hyphen=True, validator=_refuse_option)]
"""The code or the whole id of an entry: one id in 64 begins with a hyphen, and is no option for all that."""

HOME = "ABASTO_HOME"
PASSPHRASE = "ABASTO_PASSPHRASE"
BUNDLE_PASSPHRASE = "ABASTO_BUNDLE_PASSPHRASE"
FILE = "journal.db"
MOST_LISTED = 12
"""Of more names than these only the closest is told."""
TABLES = {"site": "table sites", "good": "table goods", "need": "tables goods and nutrients", "recipe": "table recipes"}
"""Where the names stand that can be asked for."""


def home_folder(home: Path | None) -> Path:
    """Return the folder of the journal: as given, else $ABASTO_HOME, else the current folder if it holds one."""
    if home is None and os.environ.get(HOME):
        home = Path(os.environ[HOME])
    if home is not None:
        if not (home / FILE).is_file():
            raise UsageError(f'"{home}": no journal is there; check the folder, or found one with: abasto init {home}')
        return home
    if Path(FILE).is_file():
        return Path()
    raise UsageError(
        f"there is no journal in this folder; name its folder with --home, or once for all in ${HOME}. "
        "A network is founded with: abasto init HOME --from PATH"
    )


def is_home(path: Path) -> bool:
    """Return whether a journal lives in a folder."""
    return (path / FILE).is_file()


def open_home(home: Path | None) -> Home:
    """Open the journal of a home; the passphrase is asked for only where it is encrypted. Use it in a `with`."""
    from abasto.journal.home import Home
    from abasto.journal.sqlite_file import is_clear

    folder = home_folder(home)
    secret = None if is_clear(folder / FILE) else passphrase(f'passphrase of "{folder}"')
    return Home.open(folder, passphrase=secret)


@contextlib.contextmanager
def new_home(folder: Path, *, passphrase: str | None, store: str | None = None) -> Iterator[Home]:
    """Make a home in a folder that is not there yet or empty; it is there whole when the block ends, or not at all."""
    from abasto.journal.home import Home
    from abasto.journal.sqlite_file import sync_folder, told

    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name[:100]}.", suffix=".part", dir=folder.parent))
    try:
        with Home.create(part, passphrase=passphrase, store=store) as home:
            yield home
        if folder.exists():
            folder.rmdir()
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    with told(folder):
        sync_folder(folder.parent)  # Else the power may fail, and nothing is there of what was said to be founded.


def passphrase(prompt: str, *, twice: bool = False) -> str:
    """Return the passphrase from $ABASTO_PASSPHRASE, else as typed at the terminal, where it does not show."""
    given = os.environ.get(PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            f"the journal is encrypted, and nobody is at a terminal to ask; give its passphrase in ${PASSPHRASE}."
        )
    from getpass import getpass

    typed = getpass(f"{prompt}: ")
    if not typed:
        raise UsageError("the passphrase is empty; type one that others cannot guess.")
    if twice and getpass("once more: ") != typed:
        raise UsageError("these were two different passphrases; nothing was written.")
    return typed


def bundle_passphrase(*, twice: bool = False) -> str:
    """Return the passphrase of a bundle from the environment, else as typed at the terminal."""
    from getpass import getpass

    given = os.environ.get(BUNDLE_PASSPHRASE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise UsageError(
            f"the bundle is under a passphrase, and nobody is at a terminal to ask; give it in ${BUNDLE_PASSPHRASE}."
        )
    typed = getpass("passphrase of the bundle: ")
    if not typed:
        raise UsageError("the passphrase is empty; type one that others cannot guess.")
    if twice and getpass("once more: ") != typed:
        raise UsageError("these were two different passphrases; nothing was written.")
    return typed


def today(date_given: str | None, *, option: str = "--date") -> date:
    """Return the day that was given with an option, in ISO form, or that of this machine's clock."""
    if date_given is None:
        return date.today()
    try:
        day = date.fromisoformat(date_given)
    except ValueError:
        day = None
    if day is None or day.isoformat() != date_given:
        raise UsageError(f'{option} "{date_given}": this is no date; write year, month, day, as in 2026-11-22.')
    return day


def read_state(home: Home) -> State:
    """Return what the entries of a home come to."""
    from abasto import cycle

    return cycle.read_state(home.journal)


def write(home: Home, facts: Sequence[Fact]) -> list[Entry]:
    """Sign the facts with this device's key and append them, all or none; they are on the disk when this returns.

    What other networks are to hear of orders among them, a promise or that it is withdrawn, is signed after them.
    Raises `NotAllowedError` if this device may not say that: it would be kept, and not count.
    """
    from abasto.facts.kinds import UnknownFact
    from abasto.letters import tell_due
    from abasto.state.permits import refuse_forbidden

    state, now = read_state(home), int(time.time())
    if home.journal.device is not None:
        refuse_forbidden(state, facts, home.journal.device.key)
    entries = home.journal.append(facts, time=now)
    if state.letters.recognised:
        last = facts[-1]
        assert not isinstance(last, UnknownFact)  # Nobody writes such a one.
        tell_due(home.journal, go_on(home, state), date.fromisoformat(last.date), time=now, after=facts)
    return entries


def go_on(home: Home, state: State) -> State:
    """Return the state with what was written since it was read."""
    from abasto import cycle

    return cycle.go_on(home.journal, state)


def known_on(home: Path | None, day: date, *, days: int | None = None) -> Known:
    """Return the network as a journal knows it at the start of a day, to be planned."""
    from abasto.state.known import known

    with open_home(home) as opened:
        return known(read_state(opened), day, days=days)


def known_lines(seen: Known) -> Iterator[str]:
    """Yield how old what is known is, which figures are estimated, what is on its way and what is in doubt."""
    network = seen.network
    units = {good.good: good.unit for good in network.goods}
    dated = [figure for figure in seen.figures if figure.as_of]
    oldest = min(dated, key=lambda figure: figure.as_of, default=None)
    number = f"{len(seen.figures):,} {'figure' if len(seen.figures) == 1 else 'figures'}"
    if oldest is None:
        yield f"What the journal knows on {network.start}: no stock of anything has been reported yet."
    else:
        age = age_words(oldest.as_of, network.start)
        yield (
            f"What the journal knows on {network.start}: {number} of stock, the oldest reported {age} "
            f"({oldest.good} at {oldest.site}); {len(seen.estimated):,} estimated."
        )
    yield from _some([f"estimated: {estimate_words(one, units, network.start)}" for one in seen.estimated])
    yield from _some([f"estimated: {rate_words(one, units)}" for one in seen.rates])
    yield from _some([f"on the way or promised: {order_words(order, units)}" for order in seen.orders])
    yield from _some([f"left out or in doubt: {problem}" for problem in seen.problems])


def rate_words(rate: Rate, units: Mapping[str, str]) -> str:
    """Return a need that nobody stated in words: what is used a day, how sure that is, and what it rests on."""
    unit = units.get(rate.good, "")
    return (
        f"{rate.site} needs {rate.per_day:g} {unit} of {rate.good} a day ({rate.low:g} to {rate.high:g}), which nobody "
        f"stated: it was used on {rate.known_days} known days"
    )


def known_document(seen: Known) -> dict[str, object]:
    """Return what --json says of what a plan started from; quantities are in the goods' units."""
    return {
        "day": seen.network.start.isoformat(),
        "figures": [figure_document(figure) for figure in seen.figures],
        "orders": [order.id for order in seen.orders],
        "problems": [str(problem) for problem in seen.problems],
        "rates": [asdict(rate) for rate in seen.rates],
    }


def figure_document(figure: Figure) -> dict[str, object]:
    """Return a figure as JSON holds it; quantities are in the good's unit."""
    return {
        "site": figure.site,
        "good": figure.good,
        "quantity": figure.quantity / 1000,
        "kind": figure.kind,
        "as_of": figure.as_of or None,
        "counted_on": figure.counted_on or None,
        "use_per_day": figure.use_per_day / 1000,
        "lots": [{"lot": lot or None, "quantity": held / 1000} for lot, held in figure.lots],
    }


MOST_TOLD = 12
"""So many of a kind are told one by one."""


def _some(lines: Sequence[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines[:MOST_TOLD])
    if len(lines) > MOST_TOLD:
        yield f"  … and {len(lines) - MOST_TOLD:,} more of these"


def age_words(reported: str, day: date) -> str:
    """Return how long ago an ISO date was.

    >>> age_words("2026-11-20", date(2026, 11, 22)), age_words("2026-11-22", date(2026, 11, 22))
    ('2 days ago', 'today')
    """
    if not reported:
        return "never"
    days = (day - date.fromisoformat(reported)).days
    if days < 0:
        return f"on {reported}, still to come"
    return "today" if days == 0 else "yesterday" if days == 1 else f"{days:,} days ago"


def estimate_words(figure: Figure, units: Mapping[str, str], day: date) -> str:
    """Return an estimated figure with what it was carried forward from."""
    unit = units.get(figure.good, "")
    use = f"{quantity_words(figure.use_per_day, unit)} a day used since" if figure.use_per_day else "no use is known"
    return (
        f"{figure.good} at {figure.site}, {quantity_words(figure.quantity, unit)}: last report "
        f"{age_words(figure.as_of, day)}, {use}"
    )


def order_words(order: OrderRecord, units: Mapping[str, str], *, status: str = "") -> str:
    """Return an order in one line: its code, where from and to, what, and how far it is, or what is said of that."""
    from abasto.facts.codes import code_of

    if order.issued is None:
        return f"order {code_of(order.id)}, of which only reports are here"
    lines = order.loaded or order.issued.lines
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.good] = sums.get(line.good, 0) + line.quantity
    goods = ", ".join(f"{quantity_words(held, units.get(good, ''))} {good}" for good, held in sums.items())
    return (
        f"order {code_of(order.id)}, {order.issued.from_site} > {order.issued.to_site}, {goods}: "
        f"{status or order.status}, to arrive {order.issued.arrives}"
    )


@contextlib.contextmanager
def to_the_end() -> Iterator[None]:
    """Let Ctrl-C wait while something is written and until it has been said: else it would claim that nothing was."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def find_site(state: State, asked: str) -> str:
    """Return the id of the site that is meant, perhaps one that was dropped; a `UsageError` where there is none."""
    from abasto.inbox import asked as rules

    with _as_usage():
        return rules.find_site(state, asked)


def find_good(state: State, asked: str) -> str:
    """Return the id of the good that is meant, perhaps one that was dropped; a `UsageError` where there is none."""
    from abasto.inbox import asked as rules

    with _as_usage():
        return rules.find_good(state, asked)


def find_thing(home: Home, state: State, asked: str) -> tuple[str, str]:
    """Return what is meant and its id: a site or good (of one id, the site), or an order or entry by its code."""
    from abasto.inbox import asked as rules

    with _as_usage():
        return rules.find_thing(state, asked, (placed.entry.id for placed in home.journal.read()))


def find(kind: str, asked: str, known: Mapping[str, str | None]) -> str:
    """Return the id that is meant: an id, or a name, in whatever case and with or without accents."""
    from abasto.inbox import asked as rules

    with _as_usage():
        return rules.find(kind, asked, known)


@contextlib.contextmanager
def _as_usage() -> Iterator[None]:
    """Tell what cannot be taken as the command line does: with the names that there are, or where they stand."""
    from abasto.inbox.asked import AskedError, UnknownNameError

    try:
        yield
    except UnknownNameError as error:
        kind, asked, known = error.kind, error.asked, error.known
        if len(known) <= MOST_LISTED:
            raise UsageError(unknown_name(kind, asked, list(known))) from None
        hint = f' Did you mean "{error.closest}"?' if error.closest else ""
        raise UsageError(f'unknown {kind} "{asked}"; there are {len(known):,}, in {TABLES[kind]}.{hint}') from None
    except AskedError as error:
        raise UsageError(str(error)) from None


def lot_of(lot: str | None) -> str | None:
    """Return the lot that --lot names: a last usable date, or `none` for the lot without one; None: of any lot."""
    from abasto.inbox.asked import AskedError
    from abasto.inbox.asked import lot_of as lot_asked

    try:
        return lot_asked(lot)
    except AskedError as error:
        raise UsageError(f"--{error}") from None


def lot_words(lot: str) -> str:
    """Return how a lot is called.

    >>> lot_words("2026-11-22"), lot_words("")
    ('best by 2026-11-22', 'undated')
    """
    return f"best by {lot}" if lot else "undated"


def unit_of(state: State, good: str) -> str:
    """Return the unit of a good; kg where the good is not known or its row says nothing, as in the format."""
    from abasto.inbox import asked as rules

    return rules.unit_of(state, good)


def quantity_words(quantity: int, unit: str = "") -> str:
    """Return thousandths as people read them, with the unit.

    >>> quantity_words(1_400_000, "kg"), quantity_words(-125), quantity_words(0, "litre")
    ('1,400 kg', '−0.125', '0 litre')
    """
    from abasto.facts.amounts import amount

    whole, point, rest = amount(abs(quantity)).partition(".")
    return f"{'−' if quantity < 0 else ''}{int(whole):,}{point}{rest} {unit}".strip()


def quantity_of(state: State, good: str, text: str, unit: str | None = None, *, may_be_zero: bool = False) -> int:
    """Return what somebody typed for a quantity, `30`, `30kg` or `30` and `sacks`, in thousandths of the good's unit.

    Without a good it is a plain number. Raises `UsageError`: nothing about a quantity is guessed.
    """
    from abasto.inbox import asked as rules

    with _as_usage():
        return rules.quantity_of(state, good, text, unit, may_be_zero=may_be_zero)


def refuse_unit(state: State, good: str, pack: str) -> None:
    """Raise a `UsageError` if a pack of a good would be called as a unit that the good is measured in."""
    from abasto.inbox import asked as rules

    with _as_usage():
        rules.refuse_unit(state, good, pack)
