"""Ledger and History against a room that runs: the same figures and stories as from the entries, and entries undone."""

from __future__ import annotations

import re
from html import unescape

from tests.room.served import DAY, Served

from abasto.cli import main
from abasto.facts.codes import code_of
from abasto.journal.home import Home
from abasto.state.story import history, ledger


def texts(page: str) -> str:
    """Return what a page says, without its marks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page.split("<main", 1)[1])))


def last_entry(served: Served) -> str:
    with Home.open(served.home, passphrase=None) as opened:
        return [placed.entry.id for placed in opened.journal.read()][-1]


def report(served: Served, *words: str) -> None:
    """Report from the command line, beside the room that runs."""
    assert main([*words, "--home", str(served.home), "--date", DAY, "--yes"]) == 0


def test_every_movement_stands_with_its_balance(served: Served) -> None:
    desk = served.desk()
    report(served, "handout", "Mill", "flour", "75")
    report(served, "count", "Mill", "flour", "1300")
    page = texts(desk.get("/ledger", params={"site": "Mill", "good": "flour"}).text)
    with Home.open(served.home, passphrase=None) as opened:
        lines = ledger(opened.journal.read(), "Mill", "flour")
    assert len(lines) >= 3
    for line in lines:
        assert f"{line.balance / 1000:,.0f}".replace(",", " ") in page
        assert code_of(line.entry) in page
    assert "1 300 kg counted today" in page  # The figure of now, how it is known, and its age.


def test_stock_figures_are_all_there_oldest_first(served: Served) -> None:
    desk = served.desk()
    report(served, "count", "Dairy", "milk", "10")
    page = desk.get("/ledger").text
    for site, good in served.state().books.places():
        assert f"/ledger?site={site.replace(' ', '+')}&amp;good={good.replace(' ', '+')}" in page
    assert "there is no site" in texts(desk.get("/ledger", params={"site": "Nowhere"}).text)


def test_story_of_a_thing_says_what_its_entries_say(served: Served) -> None:
    desk = served.desk()
    report(served, "lose", "Mill", "flour", "5", "--cause", "<i>mice</i>")
    with Home.open(served.home, passphrase=None) as opened:
        lines = history(opened.journal.read(), site="Mill", good="flour")
    for path in ("/history/site/Mill?good=flour", "/history/good/flour", "/history?of=mill"):
        answer = desk.get(path)
        assert "<i>mice" not in answer.text
        for line in lines:
            assert line.words in texts(answer.text)


def test_entry_is_taken_back_after_a_look(served: Served) -> None:
    desk = served.desk()
    before = served.state().books.balance("Mill", "flour")
    report(served, "handout", "Mill", "flour", "75")
    entry = last_entry(served)
    shown = desk.get(f"/entries/{code_of(entry)}")
    assert "handed out 75 kg of flour" in texts(shown.text)
    assert sum(served.state().books.balance("Mill", "flour").values()) == sum(before.values()) - 75_000
    done = desk.form(f"/entries/{entry}", cause="twice")
    assert "Taken back by entry" in texts(done.text) or "Taken back by entry" in done.text
    assert served.state().books.balance("Mill", "flour") == before
    assert "cannot be taken back" in desk.form(f"/entries/{entry}", cause="again").text


def test_reversal_that_breaks_something_else_is_asked_back(served: Served) -> None:
    desk = served.desk()
    report(served, "receive", "Market", "flour", "40")
    entry = last_entry(served)
    report(served, "handout", "Market", "flour", "40")
    asked = desk.form(f"/entries/{entry}", cause="no such delivery")
    assert asked.status_code == 409
    assert "more left it than was ever reported" in texts(asked.text)
    assert sum(served.state().books.balance("Market", "flour").values()) == 0
