"""Exceptions against a room that runs: the same as from the entries, by who settles them, and settled with a note."""

from __future__ import annotations

import re
from datetime import date
from html import unescape

from tests.room.served import DAY, Served

from abasto.cli import main
from abasto.state.exceptions import exceptions

TODAY = date.fromisoformat(DAY)


def test_exceptions_are_shown_with_what_settles_them_and_settled_with_a_note(served: Served) -> None:
    where = ["--home", str(served.home), "--date", DAY, "--yes"]
    assert main(["count", "Mill", "flour", "900", *where]) == 0
    assert main(["handout", "Market", "<u>ghost</u>", "3", *where]) != 0  # Unknown goods are refused at a desk.
    assert main(["handout", "Market", "flour", "3", *where]) == 0
    desk = served.desk()
    page = desk.get("/exceptions").text
    found = exceptions(served.state(), TODAY)
    assert len(found) >= 2
    for one in found:
        assert one.message in unescape(page)
        assert one.remedy in unescape(page)
    assert "/ledger?site=Mill&amp;good=flour" in page
    assert "To be settled by Mill" in unescape(page)
    chosen = next(one for one in found if one.kind == "discrepancy")
    refused = desk.form("/exceptions", exception=chosen.id, note=" ")
    assert refused.status_code == 400
    desk.form("/exceptions", exception=chosen.id, note="a torn sack, <script>swept up</script>")
    assert chosen.id not in [one.id for one in exceptions(served.state(), TODAY)]
    assert chosen.message not in unescape(desk.get("/exceptions").text)
    assert chosen.message in unescape(desk.get("/exceptions?show=settled").text)
    story = desk.get("/history/site/Mill?good=flour").text + desk.get("/history/site/Mill").text
    assert not re.search(r"<script>swept", story)


def test_nothing_to_settle_says_so(served: Served) -> None:
    assert "Nothing is to be settled." in served.desk().get("/exceptions").text
