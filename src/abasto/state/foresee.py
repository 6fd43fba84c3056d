"""What a fact would come to if it were the newest entry, before anybody signs it, and what is doubtful about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from abasto.errors import Finding, InputError
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    MOST,
    EntryReversed,
    Fact,
    GoodsHandedOut,
    GoodsLost,
    GoodsMade,
    GoodsTakenIn,
    Line,
    RowDropped,
    RowSet,
    StockCounted,
    UnknownFact,
    body_of,
)
from abasto.journal.entry import Entry, Placed
from abasto.state.encode import decode, encode
from abasto.state.escalations import GROUPS
from abasto.state.exceptions import exceptions
from abasto.state.exports import ALL
from abasto.state.fold import fold
from abasto.state.rows import ESCALATIONS, EXPORTS, Rows
from abasto.state.state import State
from abasto.state.tables import tables_known
from abasto.state.types import OrderRecord
from abasto.state.words import NOBODY, measured, order_named

__all__ = [
    "FAR",
    "FAR_DAYS",
    "Reported",
    "brought_by",
    "doubts",
    "far_above_need",
    "foresee",
    "places_of",
    "recipe_lines",
    "reversal_doubts",
    "row_doubts",
    "rows_doubts",
    "usual",
]

Reported = StockCounted | GoodsTakenIn | GoodsHandedOut | GoodsMade | GoodsLost
"""What a site reports about its goods."""

NOTHING = "A" * 43
FAR = 10
"""So many times the usual is more often a slip of the pen than a delivery."""
FAR_DAYS = 300
"""Where nothing else tells what is usual: a quantity that meets the need there for longer is more often a slip too."""
BELOW_ZERO = "below zero"
EXPECTED = frozenset({"discrepancy"})
"""What a report may bring to light without being doubtful itself."""


def foresee(state: State, facts: Sequence[Fact]) -> State:
    """Return the state with these facts applied after all others; `state` stays as it is. Nothing is signed or kept."""
    return fold(_drafts(state, facts), decode(encode(state)))


def _drafts(state: State, facts: Sequence[Fact]) -> Iterator[Placed]:
    previous, clock = NOTHING, 0 if state.place is None else state.place.lc
    # Whoever writes here has seen all that is known: no report of today was made without knowing of the others.
    seen = tuple((author.key, author.seq) for author in state.authors.all())
    for number, fact in enumerate(facts, start=1):
        assert not isinstance(fact, UnknownFact)  # Nobody writes such a one.
        id = f"draft{number:038}"
        body = body_of(fact)
        yield Placed(
            Entry(id, state.network, NOBODY, number, previous, (), clock + number, 0, kind=fact.KIND, body=body), seen
        )
        previous = id


def doubts(state: State, fact: Reported) -> tuple[str, ...]:
    """Return why a report had better be looked at once more: it would become an exception, or is far above the usual.

    Nothing here is forbidden: goods are where they are, whatever the books say.
    """
    before = exceptions(state)
    ids, matters = {one.id for one in before}, {(one.kind, one.about) for one in before}
    # What is known already is not doubtful anew because its figures change, unless more goes out of what is not there.
    if not isinstance(fact, StockCounted | GoodsTakenIn):
        matters = {(kind, about) for kind, about in matters if kind != BELOW_ZERO}
    new = [
        one.message
        for one in exceptions(foresee(state, [fact]))
        if one.id not in ids and (one.kind, one.about) not in matters and one.kind not in EXPECTED
    ]
    return (*new, *_far_above_usual(state, fact), *_unlike_recipe(state, fact), *_is_a_receipt(state, fact))


def reversal_doubts(state: State, fact: EntryReversed) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return why an entry cannot be reversed (nothing if it can), and what would be left out of plans or an exception.

    What is left out is looked at on the day of the reversal.
    """
    known = {one.id for one in exceptions(state)}
    outcomes: list[str] = []
    after = fold(_drafts(state, [fact]), decode(encode(state)), listen=lambda told: outcomes.append(told.outcome))
    new = [one for one in exceptions(after) if one.id not in known and one.kind not in EXPECTED]
    if outcomes != [""]:
        return tuple(one.message for one in new) or (outcomes[0],), ()
    return (), (*(one.message for one in new), *_rows_left_out(state, after, date.fromisoformat(fact.date)))


def _rows_left_out(state: State, after: State, day: date) -> Iterator[str]:
    """Yield what of the tables is left out or wrong in a later state and was not before."""
    if after.rows.plain() == state.rows.plain():
        return
    for table, column in (("sites", "site"), ("goods", "good")):
        left = {row.cells[column] for row in after.rows.table(table)}
        for row in state.rows.table(table):
            if row.cells[column] not in left:
                yield from _left_lying(state, RowDropped(table, {column: row.cells[column]}, day.isoformat()))
    known = {_without_entry(finding) for finding in _findings(state.rows, day)}
    for finding in _findings(after.rows, day):
        if _without_entry(finding) not in known:
            yield str(replace(finding, file=_place(finding)))


def row_doubts(state: State, fact: RowSet | RowDropped, *, day: date) -> tuple[str, ...]:
    """Return what of the tables would be left out or is doubtful once a row is set or dropped, and is not so yet.

    Raises `InputError` with the errors that the tables would have then and do not have yet.
    """
    return rows_doubts(state, [fact], day=day)


def rows_doubts(state: State, facts: Sequence[RowSet | RowDropped], *, day: date) -> tuple[str, ...]:
    """Return what of the tables would be left out or is doubtful once rows are set and dropped, and is not so yet.

    Raises `InputError` with the errors that the tables would have then and do not have yet.
    """
    rows = Rows.from_plain(state.rows.plain())
    refused = [rows.set(fact, "") if isinstance(fact, RowSet) else rows.drop(fact, "") for fact in facts]
    if any(refused):
        return tuple(filter(None, refused))
    before, after = _findings(state.rows, day), _findings(rows, day)
    known = {_without_entry(finding) for finding in before}
    new = [finding for finding in after if _without_entry(finding) not in known]
    errors = [finding for finding in new if finding.severity == "error"]
    if errors:
        raise InputError(errors)
    lying = [line for fact in facts for line in _left_lying(state, fact)]
    unheard = [line for fact in facts for line in _heard_by_nobody(state, fact)]
    unknown = [line for fact in facts for line in _keeps_nothing(state, fact)]
    return (*lying, *unheard, *unknown, *(str(replace(finding, file=_place(finding))) for finding in new))


def _findings(rows: Rows, day: date) -> tuple[Finding, ...]:
    try:
        return tables_known(rows, day).problems
    except InputError as error:
        return error.findings


def _without_entry(finding: Finding) -> tuple[str, ...]:
    """Return what a finding is about whichever entry set the row."""
    return finding.table, finding.column, finding.value, finding.message, _place(finding)


def _place(finding: Finding) -> str:
    return finding.file.partition(" [entry")[0]


def _heard_by_nobody(state: State, fact: RowSet | RowDropped) -> Iterator[str]:
    """Yield that alarms would go to a network that is not recognised here."""
    to = fact.row.get("to", "")
    if not isinstance(fact, RowSet) or fact.table != ESCALATIONS or to in GROUPS:
        return
    if not state.letters.network_named(to) and state.rows.standing("sites", to) != "stands":
        yield f"no network is recognised here as {to}, and no site is called so: nobody there hears; check the name"


def _keeps_nothing(state: State, fact: RowSet | RowDropped) -> Iterator[str]:
    """Yield that a good which is not there would be kept from leaving."""
    if not isinstance(fact, RowSet) or fact.table != EXPORTS:
        return
    good = fact.row.get("good", "")
    if good != ALL and state.rows.standing("goods", good) != "stands":
        yield f"there is no good {good}, so nothing is kept from leaving; check the name"


def _left_lying(state: State, fact: RowSet | RowDropped) -> Iterator[str]:
    """Yield the goods that the books have at a site that would be dropped, or of a good that would be."""
    if isinstance(fact, RowSet) or fact.table not in ("sites", "goods"):
        return
    gone = next(iter(fact.row.values()))
    for site, good in state.books.places():
        held = sum(state.books.balance(site, good).values())
        if held and gone == (site if fact.table == "sites" else good):
            yield f"the books still have {measured(state.rows, good, held)} at {site}; book first where it went"


def places_of(fact: Reported) -> tuple[tuple[str, str], ...]:
    """Return the sites and goods whose books a report touches."""
    if isinstance(fact, GoodsMade):
        return tuple(dict.fromkeys((fact.site, line.good) for line in fact.lines))
    return ((fact.site, fact.good),)


def _far_above_usual(state: State, fact: Reported) -> Iterator[str]:
    if isinstance(fact, GoodsMade):
        return
    most = usual(state, fact.site, fact.good)
    if most and fact.quantity > FAR * most:
        times = fact.quantity // most
        yield f"this is {times:,} times as much {fact.good} as {fact.site} is known to have or use; check the unit"
    elif need := far_above_need(state, fact.site, fact.good, fact.quantity):
        yield f"this is as much {fact.good} as {fact.site} needs in {fact.quantity // need:,} days; check the unit"


def _unlike_recipe(state: State, fact: Reported) -> Iterator[str]:
    """Yield the goods of which far more was made or used than the recipe says."""
    if not isinstance(fact, GoodsMade):
        return
    said = {line.good: abs(line.quantity) for line in recipe_lines(state.rows, fact.recipe, fact.batches)}
    for line in fact.lines if said else ():
        meant = said.get(line.good, 0)
        if meant and abs(line.quantity) > FAR * meant:
            much = measured(state.rows, line.good, abs(line.quantity))
            usually = measured(state.rows, line.good, meant)
            yield f"{fact.recipe} would have {usually}, and this is {much}; check the unit"


def _is_a_receipt(state: State, fact: Reported) -> Iterator[str]:
    if not isinstance(fact, GoodsTakenIn):
        return
    for order in brought_by(state, fact):
        yield (
            f"{order_named(order.id)} brings {fact.good} to {fact.site}; if this is it, book it by: abasto orders "
            f"receive {code_of(order.id)}"
        )


def brought_by(state: State, fact: GoodsTakenIn) -> tuple[OrderRecord, ...]:
    """Return the open orders that bring what is reported as from outside, where nothing of it comes from outside."""
    site, good = fact.site, fact.good
    if any((row.cells.get("site"), row.cells.get("good")) == (site, good) for row in state.rows.table("supplies")):
        return ()
    return tuple(
        order
        for order in state.orders.open()
        if order.issued is not None
        and order.issued.to_site == site
        and any(line.good == good for line in order.issued.lines)
    )


def usual(state: State, site: str, good: str) -> int:
    """Return the most of a good, in thousandths, that a site has, has used up in a day, or can take in on a day."""
    supplies = [
        _number(row.cells.get("quantity", ""))
        for row in state.rows.table("supplies")
        if row.cells.get("site") == site and row.cells.get("good") == good
    ]
    on_hand = sum(state.books.balance(site, good).values())
    return max(0, on_hand, *state.books.daily_use(site, good).values(), *[int(one * 1000) for one in supplies])


def far_above_need(state: State, site: str, good: str, quantity: int) -> int:
    """Return the need of a day, in thousandths, if nothing else is known there and a quantity lasts far longer; else 0.

    The need is that of a site's ration and of all rows of its needs together, whenever they hold: rather too much.
    """
    if usual(state, site, good):
        return 0
    people, ration = state.rows.cell("sites", "people", site), state.rows.cell("rations", "quantity", good)
    rows = [row.cells for row in state.rows.table("needs")]
    needed = sum(_number(row.get("quantity", "")) for row in rows if (row.get("site"), row.get("good")) == (site, good))
    need = int(min((needed + _number(people) * _number(ration)) * 1000, Decimal(MOST)))
    return need if 0 < need * FAR_DAYS < quantity else 0


def recipe_lines(rows: Rows, recipe: str, batches: int) -> tuple[Line, ...]:
    """Return what so many thousandths of a batch make (positive) and use up, to the nearest thousandth of each unit.

    Lines of the recipe whose quantity is no number are left out.
    """
    return tuple(
        Line(
            row.cells["good"],
            int((_number(row.cells.get("quantity", "")) * batches).to_integral_value(ROUND_HALF_EVEN)),
        )
        for row in rows.table("recipes")
        if row.cells["recipe"] == recipe
    )


def _number(text: str) -> Decimal:
    """Return what a cell says, 0 where it says no number; no more than an entry can say, since cells are as signed."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return max(Decimal(-MOST), min(number, Decimal(MOST))) if number.is_finite() else Decimal(0)
