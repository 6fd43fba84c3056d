"""The commands for what happens at a site: counted, taken in, handed out, made, lost."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from abasto.cli import EXIT_INPUT, EXIT_OK, UsageError, printable, say
from abasto.cli_home import (
    Flag,
    find,
    find_good,
    find_site,
    go_on,
    lot_of,
    lot_words,
    open_home,
    quantity_of,
    quantity_words,
    read_state,
    to_the_end,
    today,
    unit_of,
    write,
)

if TYPE_CHECKING:
    from abasto.facts.kinds import GoodsMade, Line, StockCounted
    from abasto.journal.entry import Entry
    from abasto.state.foresee import Reported
    from abasto.state.state import State

__all__ = ["count", "handout", "lose", "make", "receive"]

Place = tuple[str, str]
Lots = Mapping[str, int]


def count(
    site: str,
    good: str,
    quantity: str,
    unit: str | None = None,
    /,
    *,
    lot: str | None = None,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report how much of GOOD lies at SITE; what differs from the books stays visible as a discrepancy.

    Parameters
    ----------
    site
        Where it was counted: an id or a name.
    good
        What was counted: an id or a name.
    quantity
        How much, as a number with a point; 0 if there is none.
    unit
        The unit or a pack, such as kg or sacks; by default the good's unit.
    lot
        Only this lot was counted: its last usable date, or `none` for goods without one.
    date
        The day of the count; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Book it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """

    def counted(state: State) -> StockCounted:
        from abasto.facts.kinds import StockCounted

        what = find_good(state, good)
        thousandths = quantity_of(state, what, quantity, unit, may_be_zero=True)
        return StockCounted(find_site(state, site), what, thousandths, today(date).isoformat(), lot_of(lot))

    return _report(counted, home=home, yes=yes, json=json)


def receive(
    site: str,
    good: str,
    quantity: str,
    unit: str | None = None,
    /,
    *,
    lot: str | None = None,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report that GOOD came to SITE from outside the network; what an order brings: `abasto orders receive`.

    Parameters
    ----------
    site
        Where it was taken in: an id or a name.
    good
        What was taken in: an id or a name.
    quantity
        How much, as a number with a point.
    unit
        The unit or a pack, such as kg or sacks; by default the good's unit.
    lot
        Its last usable date, or `none`; by default the date and the good's shelf life say.
    date
        The day it came; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Book it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import GoodsTakenIn

    make_fact = _moved(GoodsTakenIn, site, good, quantity, unit, lot, date)
    return _report(make_fact, home=home, yes=yes, json=json)


def handout(
    site: str,
    good: str,
    quantity: str,
    unit: str | None = None,
    /,
    *,
    lot: str | None = None,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report that GOOD was handed out to the people whom SITE serves.

    Parameters
    ----------
    site
        Where it was handed out: an id or a name.
    good
        What was handed out: an id or a name.
    quantity
        How much, as a number with a point.
    unit
        The unit or a pack, such as kg or sacks; by default the good's unit.
    lot
        Of this lot: its last usable date, or `none`; by default those that expire first.
    date
        The day it was handed out; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Book it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import GoodsHandedOut

    make_fact = _moved(GoodsHandedOut, site, good, quantity, unit, lot, date)
    return _report(make_fact, home=home, yes=yes, json=json)


def lose(
    site: str,
    good: str,
    quantity: str,
    unit: str | None = None,
    /,
    *,
    cause: str = "",
    lot: str | None = None,
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report that GOOD at SITE is lost: spoiled, damaged, gone.

    Parameters
    ----------
    site
        Where it was lost: an id or a name.
    good
        What was lost: an id or a name.
    quantity
        How much, as a number with a point.
    unit
        The unit or a pack, such as kg or sacks; by default the good's unit.
    cause
        Why it is lost, in a few words.
    lot
        Of this lot: its last usable date, or `none`; by default those that expire first.
    date
        The day it was lost; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Book it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """
    from abasto.facts.kinds import GoodsLost

    make_fact = _moved(GoodsLost, site, good, quantity, unit, lot, date, cause=cause)
    return _report(make_fact, home=home, yes=yes, json=json)


def _moved(
    kind: type[Any],
    site: str,
    good: str,
    quantity: str,
    unit: str | None,
    lot: str | None,
    date: str | None,
    **more: str,
) -> Callable[[State], Reported]:
    def moved(state: State) -> Reported:
        what = find_good(state, good)
        thousandths = quantity_of(state, what, quantity, unit)
        fact: Reported = kind(find_site(state, site), what, thousandths, today(date).isoformat(), lot_of(lot), **more)
        return fact

    return moved


def make(
    site: str,
    recipe: str,
    batches: str,
    /,
    *,
    line: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    date: str | None = None,
    home: Path | None = None,
    yes: Flag = False,
    json: Flag = False,
) -> int:
    """Report that RECIPE was carried out at SITE so many times; what it made and used follows from the recipe.

    Parameters
    ----------
    site
        Where it was made: an id or a name.
    recipe
        The recipe that was carried out.
    batches
        How many batches, as a number with a point.
    line
        What was otherwise than in the recipe, GOOD=QUANTITY for all batches together: flour=85 where 80 were meant.
        Give it once for each such good.
    date
        The day it was made; today by default.
    home
        The folder of the journal; by default $ABASTO_HOME, or this folder.
    yes
        Book it also if it looks doubtful.
    json
        Print one JSON object on stdout and nothing else.

    """

    def made(state: State) -> GoodsMade:
        from abasto.facts.kinds import GoodsMade

        what = find("recipe", recipe, {row.cells["recipe"]: None for row in state.rows.table("recipes")})
        number = quantity_of(state, "", batches)
        lines = _lines(state, what, number, line)
        return GoodsMade(find_site(state, site), what, number, lines, today(date).isoformat())

    return _report(made, home=home, yes=yes, json=json)


def _lines(state: State, recipe: str, batches: int, otherwise: Sequence[str]) -> tuple[Line, ...]:
    """Return what so many thousandths of a batch make and use up, with what was otherwise in its place."""
    from abasto.facts.kinds import Line
    from abasto.state.foresee import recipe_lines

    lines = {line.good: line.quantity for line in recipe_lines(state.rows, recipe, batches)}
    for text in otherwise:
        name, sign, quantity = text.rpartition("=")
        if not sign or not name:
            raise UsageError(f'--line "{text}": write the good, an equals sign and how much, as in flour=85.')
        good = find_good(state, name)
        is_used = quantity.startswith("-") or lines.get(good, 0) < 0
        amount = quantity_of(state, good, quantity.removeprefix("-"), may_be_zero=True)
        lines[good] = -amount if is_used else amount
    return tuple(Line(good, quantity) for good, quantity in lines.items() if quantity)


def _report(make_fact: Callable[[State], Reported], *, home: Path | None, yes: bool, json: bool) -> int:
    """Look at what the fact would come to, refuse what is doubtful without --yes, write it, and say what is so now."""
    from abasto.state.foresee import doubts, places_of

    with open_home(home) as opened:
        state = read_state(opened)
        fact = make_fact(state)
        found = doubts(state, fact)
        if found and not yes:
            for doubt in found:
                say(f"doubtful: {doubt}")
            say("nothing was booked; if it is right all the same, say so with --yes.")
            return EXIT_INPUT
        before = {place: dict(state.books.balance(*place)) for place in places_of(fact)}
        with to_the_end():
            [entry] = write(opened, [fact])
            state = go_on(opened, state)
            after = {place: dict(state.books.balance(*place)) for place in before}
            if json:
                document = _document(state, entry, before, after) | {"doubts": found}
                print(json_format.dumps(document, ensure_ascii=False, indent=1))
                return EXIT_OK
            for line in _echo(state, fact, entry, before, after):
                print(printable(line))
            for doubt in found:
                say(f"booked although doubtful: {doubt}")
    return EXIT_OK


def _echo(
    state: State, fact: Reported, entry: Entry, before: Mapping[Place, Lots], after: Mapping[Place, Lots]
) -> Iterator[str]:
    """Yield what was booked, and for every good it touches what was there before and is there now."""
    from abasto.facts.codes import code_of
    from abasto.facts.kinds import StockCounted

    yield f"{_said(state, fact)} on {fact.date}."
    for (site, good), lots in after.items():
        unit = unit_of(state, good)
        was, now = sum(before[site, good].values()), sum(lots.values())
        dated = [f"{quantity_words(held, unit)} {lot_words(lot)}" for lot, held in lots.items() if held]
        shown = f" ({', '.join(dated)})" if any(lots) else ""
        yield f"  {good} at {site}: {quantity_words(was, unit)} before, {quantity_words(now, unit)} now{shown}"
        if isinstance(fact, StockCounted) and before[site, good] and was != now:
            more = "more than" if now > was else "missing of what"
            yield f"  {quantity_words(abs(now - was), unit)} {more} the books had; it stands as a discrepancy"
    yield f"Entry {code_of(entry.id)}; to take it back: abasto undo {code_of(entry.id)}"


def _said(state: State, fact: Reported) -> str:
    from abasto.facts.kinds import GoodsHandedOut, GoodsLost, GoodsMade, GoodsTakenIn

    if isinstance(fact, GoodsMade):
        number = quantity_words(fact.batches)
        return f"Made at {fact.site}: {number} {'batch' if number == '1' else 'batches'} of {fact.recipe}"
    verbs = {GoodsTakenIn: "Taken in", GoodsHandedOut: "Handed out", GoodsLost: "Lost"}
    lot = "" if fact.lot is None else f", {lot_words(fact.lot)},"
    what = f"{quantity_words(fact.quantity, unit_of(state, fact.good))} of {fact.good}{lot}"
    return f"{verbs.get(type(fact), 'Counted')}: {what} at {fact.site}"


def _document(state: State, entry: Entry, before: Mapping[Place, Lots], after: Mapping[Place, Lots]) -> dict[str, Any]:
    """Return what --json says: the entry, and the books of each good it touches, in the good's unit."""
    from abasto.facts.codes import code_of

    return {
        "entry": entry.id,
        "code": code_of(entry.id),
        "kind": entry.kind,
        "body": dict(entry.body),
        "books": [
            {
                "site": site,
                "good": good,
                "unit": unit_of(state, good),
                "before": sum(before[site, good].values()) / 1000,
                "after": sum(lots.values()) / 1000,
                "lots": {lot: held / 1000 for lot, held in lots.items() if held},
            }
            for (site, good), lots in after.items()
        ],
    }
