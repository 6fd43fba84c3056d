"""Reports that come back from a page in a file, or as text that somebody sends on: read, foreseen, not written.

The file is a JSON object; the text has a line for people for each report and then the same object. Whoever passes on
only the lines for people passes on text messages, which are read as such.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from abasto.errors import AbastoError
from abasto.language import Language
from abasto.room.intake import foresee_all
from abasto.room.operations import Room
from abasto.room.reports import PHONE_ID, Report, Source, Taken

__all__ = ["MARK", "Returned", "foresee_returned", "read_returned", "received_by_file"]

MARK = '{"abasto":'
"""What the object of a page begins with, wherever it stands in a text."""
MOST_RETURNED = 5_000
MOST_TOLD = 1_000
LOOKS_BACK = 65_536


@dataclass(frozen=True)
class Returned:
    """What came back: reports, each with the id of the phone or of the copy of a file; or else lines of messages."""

    reports: tuple[tuple[str, Report], ...] = ()
    lines: str = ""
    broken: tuple[str, ...] = ()
    """Why others could not be read."""


def read_returned(text: str) -> Returned:
    """Return the reports in a returned file or text; raises `AbastoError` if its object cannot be read."""
    text = text.removeprefix("\ufeff")
    if MARK not in text and not text.lstrip().startswith("{"):
        return Returned(lines=text)
    reports: dict[tuple[str, str], Report] = {}
    broken: list[str] = []
    decoder = json.JSONDecoder()
    at = text.find("{") if MARK not in text else text.find(MARK)
    while at >= 0:
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise AbastoError(f"what came back is damaged ({error}); have it sent again, whole.") from None
        phone, found = _parts(document)
        for number, one in enumerate(found, start=1):
            try:
                report = Report.model_validate_json(json.dumps(one))
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False, include_input=False)[0]
                broken.append(f"report {number}, {'.'.join(map(str, first['loc']))}: {first['msg']}")
            else:
                reports.setdefault((phone, report.id), report)
        at = text.find(MARK, at)
    if len(reports) > MOST_RETURNED:
        raise AbastoError(
            f"{len(reports):,} reports came back at once, and at most {MOST_RETURNED:,} are read; split them."
        )
    return Returned(tuple((phone, report) for (phone, _), report in reports.items()), broken=tuple(broken))


def _parts(document: Any) -> tuple[str, list[Any]]:
    """Return the phone and the reports of an object; raises `AbastoError` if it is none of ours."""
    is_ours = isinstance(document, dict) and document.get("abasto") == 1 and isinstance(document.get("reports"), list)
    phone = document.get("phone") if is_ours else None
    if not isinstance(phone, str) or not PHONE_ID.fullmatch(phone):
        raise AbastoError("this is no file of reports from a phone; choose the file that the page saved.")
    return phone, document["reports"]


def foresee_returned(
    room: Room, returned: Returned, *, words: Language, sure: Collection[str] = ()
) -> tuple[Taken, ...]:
    """Return what came back, report by report, as it would be taken now; facts of it are then written by the room.

    Whoever brings the file in answers for it, so every site may be reported about. `sure` are ids of reports that were
    doubtful and have been confirmed.
    """
    sent = [(report, Source(phone, lambda site: True)) for phone, report in returned.reports]
    return foresee_all(room, sent, words=words, sure=sure)


def received_by_file(room: Room) -> tuple[str, ...]:
    """Return the ids of reports that came back in files of late, so that the next file can tell its readers."""
    from abasto.journal.store import Place

    journal = room.home.journal
    after = Place(max(0, journal.store.clock() - LOOKS_BACK), "")
    refs = (placed.entry.body.get("ref") for placed in journal.read(after))
    found = [ref.rpartition("/")[2] for ref in refs if isinstance(ref, str) and ref.startswith("phone/file-")]
    return tuple(found[-MOST_TOLD:])
