"""The page Members against a room that runs: it shows the roster, and a steward's word is signed once confirmed."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.room.served import DAY, Desk, Served

from abasto.cli import main
from abasto.facts.codes import code_of, spoken
from abasto.journal.home import Home
from abasto.state.roster import roster

ON = ["--date", DAY]


def bring(source: Path, target: Path) -> None:
    with Home.open(source, passphrase=None) as one, Home.open(target, passphrase=None) as other:
        other.journal.receive(one.journal.store.export())


def key_of(home: Path) -> str:
    with Home.open(home, passphrase=None) as opened:
        assert opened.journal.device is not None
        return opened.journal.device.key


@pytest.fixture
def phone(served: Served) -> Path:
    """The home of a device that asked to join; the room knows of it."""
    home = served.home.with_name("phone")
    assert main(["members", "join", str(served.home), str(home), "--name", "<b>School</b>", "--clear", *ON]) == 0
    bring(home, served.home)
    return home


def confirmed(desk: Desk, path: str, **fields: Any) -> httpx.Response:
    """Send a form, and confirm what is asked back with the very fields of the page that asks."""
    asked = desk.form(path, **fields)
    assert "Is it meant so?" in asked.text, asked.text
    given: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', asked.text):
        given.setdefault(name, []).append(unescape(value))
    return desk.post(path, data=given)


def test_the_page_shows_the_roster_and_the_networks_code(served: Served, phone: Path) -> None:
    page = served.desk().get("/members").text
    state = served.state()
    assert spoken(state.network) in page
    for one in roster(state, DAY):
        assert code_of(one.key) in page
    assert "&lt;b&gt;School&lt;/b&gt;" in page
    assert "<b>School" not in page
    assert "asks to join" in page


def test_a_steward_endorses_after_it_was_asked_back(served: Served, phone: Path) -> None:
    desk, key = served.desk(), key_of(phone)
    fields = {"device": key, "role": "reporter", "site": ["Mill", "School"], "until": "2027-06-01"}
    asked = desk.form("/members/endorse", **fields)
    assert spoken(key) in asked.text
    assert served.state().members.role(key, DAY) is None
    done = confirmed(desk, "/members/endorse", **fields)
    assert "It is decided." in done.text
    grant = served.state().members.role(key, DAY)
    assert grant is not None
    assert (grant.role, grant.sites, grant.until) == ("reporter", ("Mill", "School"), "2027-06-01")


def test_a_cut_says_what_it_takes_back_and_takes_it_back(served: Served, phone: Path) -> None:
    desk, key = served.desk(), key_of(phone)
    confirmed(desk, "/members/endorse", device=key, role="reporter", site=["Mill"])
    bring(served.home, phone)
    assert main(["count", "Mill", "flour", "7", "--home", str(phone), "--yes", *ON]) == 0
    bring(phone, served.home)
    assert sum(served.state().books.balance("Mill", "flour").values()) == 7_000
    asked = desk.form("/members/cut", device=key, after="1")
    assert "1 entry that came after would no longer count." in asked.text
    confirmed(desk, "/members/cut", device=key, after="1")
    assert sum(served.state().books.balance("Mill", "flour").values()) != 7_000
    assert "cut off after its entry 1" in desk.get("/members").text
    assert "Is it meant so?" not in desk.form("/members/cut", device=key, after="99").text


def test_what_cannot_be_is_refused_and_nothing_is_written(served: Served, phone: Path) -> None:
    desk, key = served.desk(), key_of(phone)
    before = served.state().count
    for path, fields in (
        ("/members/endorse", {"device": key, "role": "reporter"}),
        ("/members/endorse", {"device": key, "role": "boss"}),
        ("/members/endorse", {"device": "nobody", "role": "reader"}),
        ("/members/endorse", {"device": key, "succeeds": key}),
        ("/members/cut", {"device": key, "after": "-1"}),
    ):
        answer = desk.form(path, **fields, sure="x")
        confirmed_all_the_same = re.search(r'name="sure" value="(\w+)"', answer.text)
        if confirmed_all_the_same:
            answer = desk.form(path, **fields, sure=confirmed_all_the_same[1])
        assert answer.status_code == 400, (path, fields)
    assert served.state().count == before


def test_only_a_desk_of_a_steward_decides_and_others_look(served: Served, phone: Path) -> None:
    steward = served.desk()
    code = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", steward.form("/access/code", role="allocator").text)
    assert code is not None
    other = Desk(served.url, code[1])
    page = other.get("/members")
    assert page.status_code == 200
    assert "Stewards endorse devices and cut them off." in page.text
    assert other.form("/members/endorse", device=key_of(phone), role="reader").status_code == 403
    assert other.form("/members/cut", device=key_of(phone)).status_code == 403
