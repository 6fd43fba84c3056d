"""What a phone reports and what becomes of it: one fact or none, once, on the disk before it is answered."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.room.served import DAY, neighbourhood

from abasto.errors import AbastoError
from abasto.facts.codes import code_of
from abasto.facts.kinds import (
    GoodsHandedOut,
    GoodsLost,
    GoodsTakenIn,
    Line,
    NoteWritten,
    OrderCancelled,
    OrderIssued,
    RowSet,
    StockCounted,
    body_of,
    fact_of,
)
from abasto.inbox.from_state import names_of
from abasto.journal.home import Home
from abasto.language import language
from abasto.room import intake
from abasto.room.intake import answer_all, earlier
from abasto.room.operations import Room
from abasto.room.reports import Answer, Batch, Report, ReportLine, Source, Taken, take
from abasto.room.returned import foresee_returned, read_returned, received_by_file
from abasto.state.beyond_doubt import promised_places
from abasto.state.exceptions import exceptions
from abasto.state.fold import fold

ROOT = Path(__file__).parents[2]
NOW = datetime(2027, 3, 1, 10, 41, 30, tzinfo=UTC)
WORDS = language("en")
ANYWHERE = Source("PHONE1", lambda site: True)
KINDS = ("count", "received", "handed out", "lost", "need", "problem", "loaded", "arrived")
AT_SCHOOL = Source("PHONE1", lambda site: site == "School")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        room = Room(home, now=lambda: NOW, day=date.fromisoformat(DAY))
        room.write([RowSet("packs", {"good": "flour", "pack": "saco", "quantity": "50"}, DAY)])
        yield room
        room.close()


def report(kind: str, good: str = "", quantity: str = "", **more: Any) -> Report:
    """Return a report of the first day; its id is made of what it says unless one is given."""
    site = "North bakery" if kind not in ("loaded", "arrived") else ""
    said = {"kind": kind, "site": site, "good": good, "quantity": quantity, "date": DAY, **more}
    id = f"{kind}-{good}-{quantity}-for-tests"
    plain = "".join(sign for sign in id if sign.isascii() and (sign.isalnum() or sign in "-_"))
    return Report.model_validate({"id": plain, **said})


def send(room: Room, *reports: Report, source: Source = ANYWHERE) -> tuple[Answer, ...]:
    return answer_all(room, reports, source, words=WORDS)


def send_one(room: Room, one: Report, *, source: Source = ANYWHERE) -> Answer:
    [answer] = send(room, one, source=source)
    return answer


def taken_of(room: Room, one: Report, *, source: Source = ANYWHERE) -> Taken:
    state = room.state
    names, promised = names_of(state), promised_places(state)
    return take(state, one, source, names=names, promised=promised, day=room.day, words=WORDS)


def last(room: Room, many: int = 1) -> list[Any]:
    """Return the last entries of the journal."""
    return [placed.entry for placed in room.home.journal.read()][-many:]


def order(room: Room, *, from_site: str = "Mill", to_site: str = "North bakery", kg: int = 100) -> str:
    """Return the code of a new order of flour."""
    lines = (Line("flour", kg * 1000, ""),)
    [entry] = room.write([OrderIssued(from_site, to_site, "mill van", 1, DAY, DAY, lines, DAY)])
    return code_of(entry.id)


@pytest.mark.parametrize(
    ("sent", "fact"),
    [
        (report("count", "flour", "30", unit="kg"), StockCounted("North bakery", "flour", 30_000, DAY)),
        (report("count", "flour", "2", unit="saco"), StockCounted("North bakery", "flour", 100_000, DAY)),
        (report("count", "flour", "2", unit="sacks"), StockCounted("North bakery", "flour", 100_000, DAY)),
        (report("count", "flour", "0.5", unit="t"), StockCounted("North bakery", "flour", 500_000, DAY)),
        (report("count", "flour", "0"), StockCounted("North bakery", "flour", 0, DAY)),
        (report("count", "flour", "١٢٫٥", unit="kg"), StockCounted("North bakery", "flour", 12_500, DAY)),
        (
            report("count", "bread", "5", expires="2027-03-02"),
            StockCounted("North bakery", "bread", 5_000, DAY, "2027-03-02"),
        ),
        (report("received", "bread", "2.5"), GoodsTakenIn("North bakery", "bread", 2_500, DAY)),
        (report("handed out", "flour", "40", unit="kg"), GoodsHandedOut("North bakery", "flour", 40_000, DAY)),
        (
            report("lost", "flour", "1", unit="saco", text="it  rained\nin"),
            GoodsLost("North bakery", "flour", 50_000, DAY, cause="it rained in"),
        ),
        (
            report("need", "bread", "60", site="School"),
            RowSet(
                "needs",
                {"site": "School", "good": "bread", "quantity": "60", "from": DAY, "to": "2027-03-05", "people": "400"},
                DAY,
            ),
        ),
        (
            report("need", "flour", "60", unit="kg", site="Hill"),
            RowSet("needs", {"site": "Hill", "good": "flour", "quantity": "60", "from": DAY}, DAY),
        ),
        (report("problem", text=" the oven\nis cold "), NoteWritten("the oven\nis cold", DAY, "North bakery")),
    ],
    ids=lambda value: value.id[:30] if isinstance(value, Report) else "",
)
def test_each_kind_of_report_becomes_its_fact(room: Room, sent: Report, fact: Any) -> None:
    answer = send_one(room, sent)
    assert (answer.status, answer.received_at) == ("stored", "2027-03-01T10:41:30+00:00")
    [entry] = last(room)
    assert answer.entry == code_of(entry.id)
    assert fact_of(entry.kind, entry.body) == replace(fact, ref=f"phone/PHONE1/{sent.id}")
    assert dict(entry.body) == body_of(replace(fact, ref=f"phone/PHONE1/{sent.id}"))
    assert {one.kind for one in exceptions(room.state)} <= {"discrepancy"}


def test_an_order_is_loaded_and_arrives_as_it_was_issued_but_for_what_is_said(room: Room) -> None:
    code = order(room)
    assert send_one(room, report("loaded", order=code.lower(), id="loaded-00")).status == "stored"
    short = [{"good": "flour", "quantity": "1", "unit": "saco"}]
    assert send_one(room, report("arrived", order=code, lines=short, id="arrived-0")).status == "stored"
    record = room.state.orders[room.state.orders.find(code)]
    assert (record.status, record.loaded, record.received) == (
        "received",
        (Line("flour", 100_000, ""),),
        (Line("flour", 50_000, ""),),
    )
    assert room.state.books.balance("North bakery", "flour") == {"": 290_000}


def test_what_is_still_to_come_is_not_lost(room: Room) -> None:
    code = order(room)
    some = [{"good": "flour", "quantity": "60", "unit": "kg"}]
    answers = send(
        room,
        report("loaded", order=code, id="loaded-00"),
        report("arrived", order=code, lines=some, more_to_come=True, id="arrived-1"),
        report("arrived", order=code, id="arrived-2"),
        report("arrived", order=code, id="arrived-3"),
    )
    assert [answer.status for answer in answers] == ["stored", "stored", "stored", "refused"]
    assert "was received already" in answers[3].message
    assert room.state.orders[room.state.orders.find(code)].difference == ()


def test_what_is_sent_again_is_stored_once_and_answered_as_before(room: Room) -> None:
    sent = [
        report("received", "bread", "5"),
        report("handed out", "bread", "2"),
        report("need", "bread", "60", site="School"),
        report("problem", text="no light"),
    ]
    first = send(room, *sent)
    state, room.now = room.state, lambda: NOW.replace(hour=15)
    count = state.count
    again = send(room, *sent)
    assert [answer.status for answer in first] == ["stored"] * 4
    assert [answer.status for answer in again] == ["known"] * 4
    assert [(one.entry, one.received_at) for one in again] == [(one.entry, one.received_at) for one in first]
    assert room.state.count == count


def test_an_old_need_that_comes_again_does_not_undo_a_newer_one(room: Room) -> None:
    old, new = (report("need", "bread", kg, site="School", id=f"need-of-{kg}") for kg in ("60", "70"))
    assert [answer.status for answer in send(room, old, new, old)] == ["stored", "stored", "known"]
    assert [row.cells["quantity"] for row in room.state.rows.table("needs") if row.cells["good"] == "bread"] == [
        "70",
        "10",
    ]


def test_what_the_journal_knows_is_known_after_a_restart(room: Room) -> None:
    sent = report("received", "bread", "5")
    send_one(room, sent)
    with Home.open(room.home.folder, passphrase=None) as home:
        other = Room(home, now=lambda: NOW)
        assert send_one(other, sent).status == "known"
        assert fold(home.journal.read()).books.balance("North bakery", "bread") == {"2027-03-03": 5_000}
        other.close()


def test_a_phone_that_joined_anew_does_not_report_twice(room: Room) -> None:
    sent = report("received", "bread", "5")
    first = send_one(room, sent)
    anew = sent.model_copy(update={"sent_as": ("PHONE1",)})
    second = send_one(room, anew, source=Source("PHONE2", lambda site: True))
    assert (second.status, second.entry) == ("known", first.entry)


def test_another_phone_with_the_same_id_is_another_report(room: Room) -> None:
    sent = report("received", "bread", "5")
    send_one(room, sent)
    assert send_one(room, sent, source=Source("PHONE2", lambda site: True)).status == "stored"


@pytest.mark.parametrize(
    ("field", "value"),
    [("quantity", "6"), ("unit", "g"), ("site", "School"), ("good", "milk"), ("date", "2027-02-28"),
     ("kind", "lost"), ("expires", "2027-03-02")],
)  # fmt: skip
def test_another_report_under_the_same_id_is_refused(room: Room, field: str, value: str) -> None:
    sent = report("received", "bread", "5")
    first, count = send_one(room, sent), room.state.count
    other = send_one(room, sent.model_copy(update={field: value}))
    assert (other.status, other.entry) == ("refused", first.entry)
    assert "with other figures" in other.message
    assert room.state.count == count


def test_another_need_problem_or_order_under_the_same_id_is_refused(room: Room) -> None:
    code, other_code = order(room), order(room, kg=7)
    sent = [
        report("need", "bread", "60", site="School"),
        report("problem", text="no light"),
        report("loaded", order=code, lines=[{"good": "flour", "quantity": "90", "unit": "kg"}], id="loaded-00"),
    ]
    assert {answer.status for answer in send(room, *sent)} == {"stored"}
    changes: list[tuple[int, dict[str, Any]]] = [
        (0, {"quantity": "61"}), (1, {"text": "no water"}), (1, {"site": "School"}), (2, {"order": other_code}),
        (2, {"lines": (ReportLine(good="flour", quantity="91", unit="kg"),)}),
    ]  # fmt: skip
    changed = [sent[place].model_copy(update=change) for place, change in changes]
    assert [answer.status for answer in send(room, *changed)] == ["refused"] * 5
    same = sent[2].model_copy(update={"lines": ()})
    assert send_one(room, same).status == "known", "what a load moved cannot be told from a report that names no good"


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        (report("count", "flour", "24000", unit="kg"), "the most known at North bakery is 240 kg"),
        (report("count", "bread", "48001", unit="kg", site="Hill"), "Hill needs 160 kg a day"),
        (report("count", "milk", "15001", unit="litre", site="Clinic"), "Clinic needs 10 litre a day"),
        (report("handed out", "flour", "241", unit="kg"), "The books have only 240 kg"),
        (report("lost", "flour", "5", unit="saco"), "The books have only 240 kg"),
        (report("lost", "flour", "5", unit="kg", expires="2027-03-09"), "The books have only 0 kg"),
        (report("count", "flour", "5", unit="kg", date="2027-03-02"), "is still to come"),
        (report("count", "flour", "5", unit="kg", date="2020-01-01"), "is long ago"),
        (report("need", "bread", "4000", site="School"), "known so far are 40 kg"),
        (report("need", "bread", "4000", site="Hill"), "known so far are 160 kg"),
    ],
    ids=lambda value: value.id[:30] if isinstance(value, Report) else "",
)
def test_what_is_doubtful_is_asked_back_and_taken_once_it_is_confirmed(room: Room, sent: Report, asked: str) -> None:
    before = room.state.count
    answer = send_one(room, sent)
    assert answer.status == "doubtful"
    assert asked in answer.message.replace("\u202f", "")
    assert (room.state.count, answer.entry) == (before, "")
    assert send_one(room, sent).status == "doubtful"
    assert send_one(room, sent.model_copy(update={"sure": True})).status == "stored"
    assert room.state.count == before + 1


def test_what_an_order_brings_is_asked_about_if_it_is_said_to_come_from_elsewhere(room: Room) -> None:
    code = order(room)
    answer = send_one(room, report("received", "flour", "100", unit="kg"))
    assert answer.status == "doubtful"
    assert f"Order {code} brings flour to North bakery" in answer.message


def test_steps_of_orders_that_look_wrong_are_asked_about(room: Room) -> None:
    code, gone = order(room), order(room, kg=10)
    room.write([OrderCancelled(room.state.orders.find(gone), DAY)])
    much = [{"good": "flour", "quantity": "900", "unit": "kg"}]
    milk = [{"good": "milk", "quantity": "5", "unit": ""}]
    asked = {
        "has 100 kg, and this makes 900 kg": report("loaded", order=code, lines=much, id="load-too-much"),
        "has no milk": report("loaded", order=code, lines=milk, id="load-other"),
        "goes to North bakery. Did it arrive here?": report("arrived", order=code, site="School", id="arrived-x"),
        "was cancelled. Did it go all the same?": report("arrived", order=gone, id="arrived-y"),
    }
    for text, sent in asked.items():
        answer = send_one(room, sent)
        assert (answer.status, text in answer.message.replace("\u202f", "")) == ("doubtful", True), answer.message


def test_what_becomes_an_exception_only_with_what_else_is_known_is_asked_about_too(room: Room) -> None:
    """Nothing is odd about this report by itself: the books' own foresight has to find it."""
    order(room, from_site="North bakery", to_site="Mill", kg=200)
    answer = send_one(room, report("handed out", "flour", "100", unit="kg"))
    assert answer.status == "doubtful"
    assert "promised from North bakery" in answer.message


def test_a_report_that_builds_on_another_of_the_same_batch_is_not_doubtful(room: Room) -> None:
    code = order(room)
    sent = [
        report("loaded", order=code, id="loaded-00"),
        report("arrived", order=code, id="arrived-0"),
        report("handed out", "flour", "340", unit="kg"),
        report("received", "bread", "5"),
        report("handed out", "bread", "5"),
    ]
    assert [answer.status for answer in send(room, *sent)] == ["stored"] * 5
    assert room.state.books.balance("North bakery", "flour") == {}


def test_reports_about_different_things_are_written_at_once(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    write = room.write
    monkeypatch.setattr(room, "write", lambda facts: written.append(len(facts)) or write(facts))
    sites = ["Mill", "Market", "School", "Clinic"]
    send(room, *[report("count", "bread", "1", site=site, id=f"count-at-{n}") for n, site in enumerate(sites)])
    assert [many for many in written if many] == [4]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (report("count", "flour", "2,5", unit="kg"), "the comma may mean decimals or thousands"),
        (report("count", "flour", "1.200", unit="kg"), '"1.200" may be 1.2 or 1200'),
        (report("count", "flour", "-3", unit="kg"), "is no quantity"),
        (report("count", "flour", "three", unit="kg"), "is no quantity"),
        (report("count", "flour", "", unit="kg"), "is no quantity"),
        (report("count", "flour", "0.0001", unit="kg"), "finer than a thousandth"),
        (report("count", "flour", "9999999999999999", unit="kg"), "more than can be kept"),
        (report("count", "flour", "3"), "There are: kg, saco"),
        (report("count", "flour", "3", unit="box"), 'How much "box" of flour is, is not known'),
        (report("received", "flour", "0"), "Zero is nothing to report"),
        (report("count", "cake", "3"), 'No good is called "cake" here'),
        (report("count", "flour", "3", unit="kg", site="Moon"), 'No site is called "Moon" here'),
        (report("problem", text=" \n "), "There is no word in it"),
        (report("arrived", order="ZZZZ-ZZZZ"), "No order ZZZZ-ZZZZ is known here"),
        (report("loaded", order="Z"), "No order Z is known here"),
    ],
    ids=lambda value: value.id[:30] if isinstance(value, Report) else "",
)
def test_what_cannot_be_taken_is_refused_with_its_reason_also_if_it_is_sure(
    room: Room, sent: Report, said: str
) -> None:
    before = room.state.count
    for one in (sent, sent.model_copy(update={"sure": True})):
        answer = send_one(room, one)
        assert (answer.status, said in answer.message) == ("refused", True), answer.message
    assert room.state.count == before


def test_a_phone_reports_on_its_own_sites_only(room: Room) -> None:
    incoming, passing = order(room, to_site="School"), order(room, to_site="North bakery")
    allowed = [
        report("count", "bread", "1", site="School"),
        report("need", "bread", "41", site="School"),
        report("problem", text="x", site="School"),
        report("arrived", order=incoming, id="arrived-0"),
    ]
    assert [one.status for one in send(room, *allowed, source=AT_SCHOOL)] == ["stored"] * 4
    before = room.state.count
    others = [
        report("count", "bread", "1"),
        report("need", "bread", "41", site="Clinic"),
        report("problem", text="x"),
        report("problem", text="x", order=incoming, site="Mill"),
        report("problem", text="x", order=passing, site=""),
        report("arrived", order=passing, id="arrived-1"),
        report("arrived", order=passing, site="North bakery", id="arrived-2"),
        report("loaded", order=incoming, id="loaded-00"),
    ]
    sure = [one.model_copy(update={"sure": True, "id": f"other-{n}-x"}) for n, one in enumerate(others)]
    refused = send(room, *sure, source=AT_SCHOOL)
    assert [one.status for one in refused] == ["refused"] * 8
    assert all("may not report about" in one.message or "of other sites" in one.message for one in refused)
    assert room.state.count == before


def test_a_need_with_several_rows_is_left_to_the_room(room: Room) -> None:
    room.write([RowSet("needs", {"site": "School", "good": "bread", "quantity": "5"}, DAY)])
    assert "several rows" in send_one(room, report("need", "bread", "60", site="School")).message


def test_an_older_need_that_comes_late_is_asked_about(room: Room) -> None:
    send_one(room, report("need", "bread", "60", site="School", date="2027-03-01"))
    late = report("need", "bread", "50", site="School", date="2027-03-01", id="need-late")
    assert send_one(room, late).status == "stored", "of one day the last word counts"
    room.write([RowSet("needs", dict(last(room)[0].body["row"]) | {"quantity": "44"}, "2027-03-03")])
    older = report("need", "bread", "50", site="School", date="2027-03-01", id="need-older")
    answer = send_one(room, older)
    assert (answer.status, "A newer need is known" in answer.message) == ("doubtful", True)


def test_one_report_that_is_too_large_does_not_keep_the_others_away(room: Room) -> None:
    names = [f"{'ñ' * 190}{n:03}" for n in range(90)]
    room.write([RowSet("goods", {"good": name}, DAY) for name in names])
    code = order(room)
    lines = [{"good": name, "quantity": "1", "unit": ""} for name in names]
    answers = send(
        room,
        report("received", "bread", "5"),
        report("loaded", order=code, lines=lines, sure=True, id="loaded-00"),
        report("received", "milk", "5"),
    )
    assert [one.status for one in answers] == ["stored", "refused", "stored"]
    assert "too long" in answers[1].message


def test_answers_come_in_the_language_of_the_phone_and_isolate_names_in_arabic(room: Room) -> None:
    sent = report("count", "flour", "24000", unit="kg")
    [answer] = answer_all(room, [sent], ANYWHERE, words=language("ar"))
    assert "\u2068North bakery\u2069" in answer.message


def test_an_earlier_entry_is_found_however_long_ago_it_was(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LOOKS_BACK", (3, 6))
    sent = report("received", "bread", "5")
    first = send_one(room, sent)
    for n in range(10):
        assert send_one(room, sent).entry == first.entry
        room.write([NoteWritten(f"note {n}", DAY, ref=f"phone/PHONE1/note-{n}")])
    refs = {f"phone/PHONE1/{sent.id}", "phone/PHONE1/note-9", "phone/PHONE1/never"}
    slow = {
        one.entry.body.get("ref"): one.entry for one in room.home.journal.read() if one.entry.body.get("ref") in refs
    }
    assert earlier(room.home.journal, refs) == slow
    assert len(slow) == 2


DOCUMENT = {
    "id": "abcdefgh", "kind": "count", "site": "Mill", "good": "flour", "quantity": "3", "unit": "kg", "date": DAY,
}  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "short"), ("id", "x" * 65), ("id", "with blank"), ("id", "línea-larga"), ("kind", "eaten"),
        ("quantity", 3), ("date", ""), ("date", "2027-13-01"), ("date", "20270301"), ("date", 20270301),
        ("expires", "soon"), ("text", "x" * 1001), ("lines", [{"good": "flour"}]), ("colour", "blue"),
        ("lines", [{"good": "flour", "quantity": "1"}] * 101), ("sent_as", ["../x"]), ("site", "x" * 201),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused_as_a_whole(field: str, value: Any) -> None:
    assert Report.model_validate_json(json.dumps(DOCUMENT)).kind == "count"
    with pytest.raises(ValidationError, match=field):
        Batch.model_validate_json(json.dumps({"reports": [{**DOCUMENT, field: value}]}))


def test_no_more_than_200_reports_come_at_once() -> None:
    with pytest.raises(ValidationError, match="at most 200"):
        Batch.model_validate_json(json.dumps({"reports": [{**DOCUMENT, "id": f"report-{n}"} for n in range(201)]}))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_a_phone_says_is_answered(data: st.DataObject, everything: Room) -> None:
    """Any report gets an answer and a reason, and what is stored was a fact; nothing escapes."""
    texts = st.sampled_from(
        ["", "flour", "bread", "School", "Mill", "3", "2,5", "saco", "kg", "\u0000", "🥖" * 40, "{x}"]
    )
    one = Report(
        id="whatever-0",
        kind=data.draw(st.sampled_from(KINDS)),
        site=data.draw(texts), good=data.draw(texts), quantity=data.draw(texts)[:40], unit=data.draw(texts),
        order=data.draw(texts), text=data.draw(texts), more_to_come=data.draw(st.booleans()),
        date=data.draw(st.dates()).isoformat(), expires=data.draw(st.sampled_from(["", "2027-03-03"])),
        sure=data.draw(st.booleans()),
    )  # fmt: skip
    taken = taken_of(everything, one)
    assert taken.message
    assert (taken.fact is not None) == (taken.status == "stored")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room that nothing is written in."""
    with Home.open(neighbourhood(tmp_path_factory.mktemp("home")), passphrase=None) as home:
        room = Room(home, now=lambda: NOW, day=date.fromisoformat(DAY))
        yield room
        room.close()


# What comes back in files.


def returned(*reports: Report, phone: str = "file-abc") -> str:
    document = {"abasto": 1, "phone": phone, "reports": [one.model_dump(mode="json") for one in reports]}
    return json.dumps(document, separators=(",", ":"))


def test_a_returned_file_and_its_text_say_the_same_and_count_once(room: Room) -> None:
    sent = [report("received", "bread", "5"), report("handed out", "bread", "5"), report("problem", text="no light")]
    as_file = read_returned(returned(*sent))
    as_text = read_returned(f"Panadería: LLEGO pan 5\nand more of that\n{returned(*sent)}\n -- \n{returned(sent[0])}")
    assert as_file == as_text
    assert [one.id for _, one in as_file.reports] == [one.id for one in sent]
    foreseen = foresee_returned(room, as_file, words=WORDS)
    assert [taken.status for taken in foreseen] == ["stored"] * 3
    before = room.state.count
    room.write([taken.fact for taken in foreseen if taken.fact is not None])
    assert room.state.count == before + 3
    again = foresee_returned(room, as_file, words=WORDS)
    assert [(taken.status, taken.fact) for taken in again] == [("known", None)] * 3
    assert received_by_file(room) == tuple(one.id for one in sent)


def test_a_phone_that_gave_its_reports_away_as_a_file_may_still_send_them(room: Room) -> None:
    sent = report("received", "bread", "5")
    foreseen = foresee_returned(room, read_returned(returned(sent, phone="PHONE1")), words=WORDS)
    room.write([taken.fact for taken in foreseen if taken.fact is not None])
    assert send_one(room, sent).status == "known"
    assert received_by_file(room) == ()


def test_what_is_doubtful_in_a_file_is_written_when_the_desk_confirms_it(room: Room) -> None:
    sent = report("count", "flour", "24000", unit="kg")
    came = read_returned(returned(sent))
    [asked] = foresee_returned(room, came, words=WORDS)
    assert (asked.status, asked.fact) == ("doubtful", None)
    [taken] = foresee_returned(room, came, words=WORDS, sure={sent.id})
    assert taken.status == "stored"
    [other] = foresee_returned(room, read_returned(returned(sent, sent)), words=WORDS, sure={sent.id})
    assert other.fact == taken.fact


def test_a_file_that_says_something_else_than_what_was_received_is_refused(room: Room) -> None:
    sent = report("received", "bread", "5")
    room.write([t.fact for t in foresee_returned(room, read_returned(returned(sent)), words=WORDS) if t.fact])
    other = read_returned(returned(sent.model_copy(update={"quantity": "6"})))
    [taken] = foresee_returned(room, other, words=WORDS)
    assert taken.status == "refused"


def test_lines_without_an_object_are_text_messages() -> None:
    assert read_returned("Molino: HAY harina 30 kg\n").lines == "Molino: HAY harina 30 kg\n"
    assert read_returned("\ufeffx").lines == "x"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"abasto":1,"phone":"x","repor', "damaged"),
        ('{"abasto":2,"phone":"x","reports":[]}', "no file of reports"),
        ('{"abasto":1,"phone":"../x","reports":[]}', "no file of reports"),
        ('{"abasto":1,"phone":"x","reports":{}}', "no file of reports"),
        ('{"other":1}', "no file of reports"),
        ("{" * 100_000, "damaged"),
    ],
    ids=["cut", "version", "phone", "reports", "other", "deep"],
)
def test_a_damaged_or_strange_file_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(AbastoError, match=said):
        read_returned(text)


def test_one_broken_report_does_not_keep_the_others_of_its_file_away() -> None:
    document = {"abasto": 1, "phone": "x", "reports": [{**DOCUMENT, "kind": "eaten"}, DOCUMENT, 7, "\ud800"]}
    came = read_returned(json.dumps(document))
    assert [one.id for _, one in came.reports] == ["abcdefgh"]
    assert len(came.broken) == 3
    assert came.broken[0].startswith("report 1, kind")


# Killed in the middle.

WRITER = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from abasto.journal.home import Home
from abasto.language import language
from abasto.room.intake import answer_all
from abasto.room.operations import Room
from abasto.room.reports import Report, Source

with Home.open(Path(sys.argv[1]), passphrase=None) as home:
    room = Room(home, now=lambda: datetime(2027, 3, 1, tzinfo=UTC), day=date(2027, 3, 1))
    for n in range(10_000):
        batch = [Report(id=f"report-{n}-{k}", kind="received", site="Hill", good=good, quantity="1", date="2027-03-01")
                 for k, good in enumerate(["bread", "milk"])]
        for answer in answer_all(room, batch, Source("P", lambda site: True), words=language("en")):
            print(answer.id, answer.status, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_what_was_answered_is_there_after_a_kill_and_the_rest_is_sent_again_once(tmp_path: Path) -> None:
    folder = neighbourhood(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as run:
        assert run.stdout is not None
        answered = [run.stdout.readline().split() for _ in range(41)]
        os.kill(run.pid, signal.SIGKILL)
        answered += [line.split() for line in run.stdout if line.endswith("\n")]
    assert {status for _, status in answered} == {"stored"}
    ids = {id for id, _ in answered}
    with Home.open(folder, passphrase=None) as home:
        room = Room(home, now=lambda: NOW, day=date.fromisoformat(DAY))
        there = {placed.entry.body["ref"] for placed in home.journal.read() if "ref" in placed.entry.body}
        assert {f"phone/P/{id}" for id in ids} <= there
        sent = [
            Report(id=f"report-{n}-{k}", kind="received", site="Hill", good=good, quantity="1", date=DAY)
            for n in range(60)
            for k, good in enumerate(["bread", "milk"])
        ]
        answers = answer_all(room, sent, Source("P", lambda site: True), words=WORDS)
        assert {one.status for one in answers} == {"stored", "known"}
        assert {one.id for one in answers if one.status == "known"} == {ref.rpartition("/")[2] for ref in there}
        refs = [placed.entry.body["ref"] for placed in home.journal.read() if "ref" in placed.entry.body]
        assert len(refs) == len(set(refs)) == 120
        assert sum(room.state.books.balance("Hill", "milk").values()) == 60_000
        room.close()
