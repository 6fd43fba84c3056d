"""Peers that answer without end, each message sound by itself: cut off by type, within few pages and little memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.journal.contract import Pen
from tests.sync.pairs import Line, a_journal, pen_of, two

from abasto.errors import EndlessError, MessageError
from abasto.facts.kinds import MOST
from abasto.journal.entry import Signed
from abasto.journal.journal import Journal
from abasto.journal.signing import text_of
from abasto.sync import exchange
from abasto.sync.exchange import pull, push
from abasto.sync.messages import (
    Entries,
    Get,
    Give,
    Hello,
    Ids,
    Kept,
    ListIds,
    Message,
    Refusal,
    Stands,
    Take,
    pack,
    unpack,
)

HASH = text_of(bytes([7]) * 32)
Stand = tuple[str, int, str, int, str]
Reply = tuple[Message, list[Signed]]


def key(number: int) -> str:
    return f"{number:042}A"


def stand(author: str, *, loose: int = 0) -> Stand:
    return (author, 0 if loose else 5, HASH, loose, HASH)


def hostile(journal: Journal, answer: Callable[[Message], Reply], *stands: Stand) -> Line:
    """Return a line to a peer of a journal's network that says it holds these, and answers whatever else is asked."""

    def reply(request: bytes) -> bytes:
        asked, _ = unpack(request)
        if isinstance(asked, Hello) and stands:
            return pack(Stands(network=journal.network, hash=HASH, stands=list(stands), more=False))
        return pack(*answer(asked))

    return Line(reply)


def told(journal: Journal, stands: list[Stand]) -> Reply:
    return Stands(network=journal.network, hash=HASH, stands=stands, more=True), []


def test_stands_that_go_on_for_ever_end_at_so_many_authors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_AUTHORS", 100)
    journal, _ = two(3)

    def more(asked: Message) -> Reply:
        assert isinstance(asked, Hello)
        first = 1 + int(asked.after[:-1] or "0")
        return told(journal, [stand(key(number)) for number in range(first, first + 30)])

    line = hostile(journal, more)
    with pytest.raises(EndlessError, match="100"):
        pull(journal, line)
    assert len(line.requests) == 4


def test_stands_that_come_again_are_no_answer() -> None:
    journal, _ = two(3)
    line = hostile(journal, lambda asked: told(journal, [stand(key(1))]))
    with pytest.raises(MessageError, match="contradicts itself"):
        pull(journal, line)
    assert len(line.requests) == 2


def test_new_entries_without_end_end_with_so_many_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_QUESTIONS", 20)
    journal, _ = two(3)
    pen = pen_of(9, journal)

    def more(asked: Message) -> Reply:
        return Entries(unlike=[], more="rest"), [pen.write().signed]

    line = hostile(journal, more, stand(pen.key))
    with pytest.raises(EndlessError, match="20"):
        pull(journal, line)
    assert len(line.requests) == 20


def test_of_refused_entries_without_end_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """One new entry with each page goes on with the exchange, and what is wrong beside it must not fill the memory."""
    monkeypatch.setattr(exchange, "MOST_REFUSED", 100)
    journal, _ = two(3)
    pen, other = pen_of(9, journal), Pen(10).write().signed

    def more(asked: Message) -> Reply:
        entry = pen.write()
        return Entries(unlike=[], more="rest" if entry.entry.seq < 20 else ""), [entry.signed, *[other] * 30]

    done = pull(journal, hostile(journal, more, stand(pen.key)))
    assert (done.came, len(done.refused)) == (20, 100)


def listing(journal: Journal, pages: list[list[tuple[int, str]]], *, upto: int = MOST) -> Callable[[Message], Reply]:
    """Return what answers with ids without end, and has none of the entries."""

    def more(asked: Message) -> Reply:
        if isinstance(asked, Take):
            return Entries(unlike=[wish.author for wish in asked.wishes], more=""), []
        if isinstance(asked, Get):
            return Entries(unlike=[], more=""), []
        assert isinstance(asked, ListIds)
        numbers = range(1 + 30 * len(pages), 31 + 30 * len(pages))
        pages.append([(min(upto, number), key(number)) for number in numbers])
        return Ids(common=0, ids=pages[-1], whole=False), []

    return more


def test_ids_of_entries_that_never_come_are_not_asked_for_page_by_page() -> None:
    journal, _ = two(3)
    author = next(iter(journal.store.heads()))
    pages: list[list[tuple[int, str]]] = []
    line = hostile(journal, listing(journal, pages), stand(author))
    assert pull(journal, line).came == 0
    assert len(pages) == 1, "of whom nothing comes no more is asked"


def test_ids_without_end_end_at_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "MOST_LISTED", 100)
    journal, _ = two(3)
    author = next(iter(journal.store.heads()))
    pages: list[list[tuple[int, str]]] = []
    line = hostile(journal, listing(journal, pages, upto=3), stand(author, loose=5))
    with pytest.raises(EndlessError, match="100"):
        push(journal, line)
    assert len(pages) == 4


def kept(journal: Journal, *, new: int, refused: int) -> Reply:
    refusals = [Refusal(position=position, why="no room") for position in range(refused)]
    return Kept(network=journal.network, hash=HASH, new=new, known=0, refused=refusals), []


def test_who_says_that_more_was_new_than_was_given_contradicts_itself() -> None:
    journal, _ = two(3)
    line = hostile(journal, lambda asked: kept(journal, new=4, refused=0), stand(key(1)))
    with pytest.raises(MessageError, match="contradicts itself"):
        push(journal, line)


def test_what_one_refuses_again_and_again_is_given_only_so_often() -> None:
    """It says each time that one entry was new and another refused, and that it holds nothing."""
    journal, _ = two(3)
    line = hostile(journal, lambda asked: kept(journal, new=1, refused=1), stand(key(1)))
    done = push(journal, line)
    assert sum(isinstance(asked, Give) for asked in line.asked) == exchange.MOST_ROUNDS
    assert done.refused_there == ["no room"]


def test_what_comes_one_by_one_with_something_refused_is_asked_for_only_so_often() -> None:
    _, journal = two(3)
    founder = a_journal(1)
    founder.found("Barrio Sur", date="2026-11-22", time=0)
    journal.receive(founder.store.export())
    pens = [pen_of(number, journal) for number in range(20, 26)]

    def more(asked: Message) -> Reply:
        author, stranger = pens[0], pens[1]
        return Entries(unlike=[], more=""), [author.write().signed, stranger.write().signed]

    line = hostile(journal, more, *(stand(pen.key) for pen in pens))
    done = pull(journal, line, may_keep=lambda entry: entry.author != pens[1].key)
    assert done.refused
    assert sum(isinstance(asked, Hello) for asked in line.asked) == 1
    assert len(line.requests) <= 1 + 10 * exchange.MOST_ROUNDS
