"""Taking in what came from outside: a dry run, which can be mended where it stands, then all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from starlette.responses import Response

from abasto.errors import AbastoError, SettingError
from abasto.inbox.opened import SUFFIXES, CellPlace, open_file
from abasto.language import Language
from abasto.room.drafts import LASTS, Draft
from abasto.room.dry_run import DryRun, dry_run
from abasto.room.web import Call, Page
from abasto.tables.raw import shown

__all__ = ["PAGES_IMPORT"]

MOST_SHOWN = 200
"""So many lines of a kind are shown."""
MOST_TEXT = 200_000
"""Letters of a text that is shown whole, to be typed over."""
LONGEST_CELL = 10_000
SURE = "sure"
"""The column in which somebody says that a quantity is meant, where a table of reports has none."""
NAMES = (*SUFFIXES, ".json")


def bring(call: Call) -> Response:
    """Ask for a file or a text, and tell of the one that waits."""
    with call.room.lock:
        sites = sorted(row.cells.get("site", "") for row in call.room.state.rows.table("sites"))
    waiting = call.room.drafts.of(call.session.id, now=call.room.now())
    return call.show("import.html.j2", sites=sites, waiting=waiting, names=",".join(NAMES))


def read(call: Call) -> Response:
    """Keep what was brought, in memory, and show what it would come to."""
    file, text = call.file("file"), call.field("text")
    if (file is None) == (not text):
        raise SettingError(call.words("Choose a file, or paste a text: one of them."))
    name, content = "", text.encode()
    if file is not None:
        name, content = (file.filename or "")[-200:], file.file.read()
        if not name.lower().endswith(NAMES):
            endings = ", ".join(NAMES)
            raise SettingError(
                call.words("Files of this kind are not read. Bring one that ends in {endings}.", endings=endings)
            )
    _keep(call, Draft(name, content, _site(call), _day(call), call.room.now() + LASTS))
    return call.go("/import/draft")


def show(call: Call) -> Response:
    """Show what the draft would come to if it were taken in now."""
    draft = _draft(call)
    if draft is None:
        return call.go("/import")
    return _show(call, draft, dry_run(call.room, draft, words=call.words))


def mend(call: Call) -> Response:
    """Keep what was typed over, and show anew what the draft would come to."""
    draft = _draft(call)
    if draft is None:
        return _gone(call)
    if call.field("whole"):
        content = call.field("text").replace("\r\n", "\n").encode()
        _keep(call, replace(draft, content=content, cells={}, left_out=frozenset()))
    elif any(name.startswith("line:") for name in call.fields):
        _keep(call, replace(draft, content=_with_lines(call, draft).encode()))
    else:
        cells, left_out = _typed(call, draft)
        sure = {str(one) for one in call.fields.getlist("sure")}
        _keep(call, replace(draft, cells=cells, left_out=left_out, sure=draft.sure | sure))
    return call.go("/import/draft")


def take(call: Call) -> Response:
    """Write all of what was shown, or nothing."""
    draft, words = _draft(call), call.words
    if draft is None:
        return _gone(call)
    with call.room.lock:
        found = dry_run(call.room, draft, words=words)
        if found.errors or (found.doubts and not call.field("skip")):
            return _show(call, draft, found, said=words("Nothing was written: mend or leave out what is marked first."))
        if found.sign != call.field("sign"):
            said = words(
                "Nothing was written: meanwhile the journal has changed, and with it what this comes to. Look again."
            )
            return _show(call, draft, found, said=said)
        entries = call.room.write(found.facts)
    call.room.drafts.drop(call.session.id)
    said = words.many("Took in {n} report or change, all in one.", "Took in {n} reports or changes, all in one.",
                      len(entries))  # fmt: skip
    return call.go("/import", said=said)


def forget(call: Call) -> Response:
    """Forget the draft; nothing of it is kept."""
    call.room.drafts.drop(call.session.id)
    return call.go("/import", said=call.words("Forgotten. Nothing was written."))


def _show(call: Call, draft: Draft, found: DryRun, *, said: str = "") -> Response:
    with call.room.lock:
        rows = call.room.state.rows
        balances = [
            {
                "site": site,
                "good": good,
                "unit": rows.cell("goods", "unit", good) or "kg",
                "before": None if (site, good) not in found.seen.before else found.seen.before[site, good] / 1000,
                "after": held / 1000,
            }
            for (site, good), held in sorted(found.seen.after.items())
        ]
    return call.show(
        "import_draft.html.j2",
        status=400 if said else 200,
        draft=draft,
        found=found,
        balances=balances,
        kind=_kind_words(call.words, found.kind),
        said=said,
        most=MOST_SHOWN,
        is_short=len(found.text) <= MOST_TEXT,
    )


def _kind_words(words: Language, kind: str) -> str:
    return {
        "messages": words("text messages"),
        "reports": words("a table of reports"),
        "export": words("an export of a form"),
        "network": words("tables of the network"),
        "phone": words("reports of a phone"),
        "nothing": words("nothing that can be read"),
    }[kind]


def _draft(call: Call) -> Draft | None:
    return call.room.drafts.of(call.session.id, now=call.room.now())


def _keep(call: Call, draft: Draft) -> None:
    now = call.room.now()
    call.room.drafts.put(call.session.id, replace(draft, until=now + LASTS), now=now)


def _gone(call: Call) -> Response:
    said = call.words(
        "What you brought is not kept any more: it was taken in or forgotten already, or half an hour has passed. "
        "If in doubt bring it again: nothing is written twice."
    )
    return call.go("/import", said=said)


def _site(call: Call) -> str:
    site = call.field("site")
    with call.room.lock:
        if site and call.room.state.rows.get("sites", site) is None:
            raise SettingError(f'site "{site[:80]}": there is no such site in table sites; choose from the list.')
    return site


def _day(call: Call) -> date:
    text = call.field("day")
    try:
        return date.fromisoformat(text) if text else call.room.day
    except ValueError:
        raise SettingError(f'day "{text[:40]}": write a date, as 2026-11-22.') from None


def _with_lines(call: Call, draft: Draft) -> str:
    """Return the text with the lines that were typed over, without those that are left out."""
    lines = draft.content.decode("utf-8-sig", errors="replace").splitlines()
    typed = {f"{name.partition(':')[2]}": str(text) for name, text in call.fields.items() if name.startswith("line:")}
    left_out = {str(one) for one in call.fields.getlist("leave")}
    return "\n".join(
        "" if str(number) in left_out else " ".join(typed.get(str(number), line).splitlines())
        for number, line in enumerate(lines, start=1)
    )


def _typed(call: Call, draft: Draft) -> tuple[Mapping[CellPlace, str], frozenset[tuple[str, int]]]:
    """Return the cells that were typed over, with those of before, and the rows that are left out."""
    cells, left_out = dict(draft.cells), set(draft.left_out)
    parts = open_file(draft.name or "text.txt", draft.content).parts
    texts = {
        (part.file, line): [shown(cell) for cell in row]
        for part in parts
        for line, row in ((part.header_line, part.header), *part.rows)
    }
    for name, value in call.fields.items():
        kind, *numbers = name.split(":")
        if kind not in ("cell", "leave") or not all(one.isascii() and one.isdecimal() for one in numbers):
            continue
        places = [int(one) for one in numbers]
        if len(places) < 2 or places[0] >= len(parts):
            raise AbastoError(call.words("This page is older than what you brought. Load it anew and repeat."))
        file = parts[places[0]].file
        row = texts.get((file, places[1]))
        if row is None:
            continue
        if kind == "leave":
            left_out.add((file, places[1]))
        elif len(places) == 3 and places[2] <= len(row):
            text = str(value)[:LONGEST_CELL]
            as_brought = row[places[2]] if places[2] < len(row) else ""
            # A cell that stays as it is keeps what the workbook knows of it: a date stays a date.
            cells.pop((file, places[1], places[2]), None)
            if text != as_brought:
                cells[file, places[1], places[2]] = text
                if places[2] == len(parts[places[0]].header):
                    cells[file, parts[places[0]].header_line, places[2]] = SURE
    return cells, frozenset(left_out)


PAGES_IMPORT: tuple[Page, ...] = (
    Page("/import", bring, role="allocator"),
    Page("/import/read", read, "POST", "allocator"),
    Page("/import/draft", show, role="allocator"),
    Page("/import/mend", mend, "POST", "allocator"),
    Page("/import/take", take, "POST", "allocator"),
    Page("/import/forget", forget, "POST", "allocator"),
)
"""Every page about taking in."""
