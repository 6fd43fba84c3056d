"""The page Access against a room that runs: who is let in, what is shown once, and who is shut out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import httpx
import pytest
from tests.room.served import Desk, Served, neighbourhood

CODE = re.compile(r">([0-9A-Z]{5}-[0-9A-Z]{5})<")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One room for the tests that need none of their own."""
    served = Served(neighbourhood(tmp_path_factory.mktemp("access")))
    served.start()
    yield served
    assert served.stop() == 0


@pytest.fixture(scope="module")
def steward(room: Served) -> Desk:
    return room.desk()


def code_in(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    found = CODE.search(answer.text)
    assert found is not None, answer.text
    return found[1]


def another(served: Served, desk: Desk, role: str) -> Desk:
    return Desk(served.url, code_in(desk.form("/access/code", role=role)))


def invited(desk: Desk, label: str = "phone at the bakery", **fields: object) -> httpx.Response:
    asked = {"label": label, "role": "reporter", "language": "es", "days": "30", **fields}
    return desk.form("/access/invite", **asked)


def test_steward_lets_in_another_desk_with_a_role_and_shuts_it_again(room: Served, steward: Desk) -> None:
    reader = another(room, steward, "reader")
    page = reader.get("/access")
    assert page.status_code == 200
    assert "A steward invites phones" in page.text
    assert reader.form("/access/code", role="steward").status_code == 403
    assert invited(reader).status_code == 403
    (session,) = re.findall(r'name="session" value="([0-9a-f]+)"', steward.get("/access").text)
    assert steward.form("/access/end", session=session).status_code == 200
    assert reader.get("/access", follow_redirects=False).headers["location"] == "/enter?to=/access"


def test_code_of_a_desk_is_shown_once_and_opens_once(room: Served, steward: Desk) -> None:
    code = code_in(steward.form("/access/code", role="allocator"))
    assert code not in steward.get("/access").text
    Desk(room.url, code)
    again = httpx.post(f"{room.url}/enter", data={"code": code}, timeout=60)
    assert again.status_code == 403


def test_invitation_shows_a_code_that_is_kept_nowhere(room: Served, steward: Desk) -> None:
    answer = invited(steward, site=["North bakery", "Mill"])
    code = code_in(answer)
    assert f"{room.url}/phone" in answer.text
    assert 'src="data:image/png;base64,' in answer.text
    page = steward.get("/access").text
    assert code not in page
    assert "phone at the bakery" in page  # Open, so the steward can see that somebody still has a code.
    for file in room.home.iterdir():
        assert code.encode() not in file.read_bytes()


def test_phone_joins_with_the_code_on_the_page_and_reports_until_a_steward_cuts_it_off(served: Served) -> None:
    steward = served.desk()  # A room of its own: its door is knocked at often.
    label = '<img src=x onerror="alert(1)">'
    code = code_in(invited(steward, label, site=["Mill"]))
    joined = httpx.post(f"{served.url}/api/join", json={"code": code.lower().replace("0", "o")}, timeout=60)
    assert joined.status_code == 200, joined.text
    assert joined.json()["sites"] == ["Mill"]
    token, id = {"authorization": f"Bearer {joined.json()['token']}"}, joined.json()["phone"]
    assert httpx.post(f"{served.url}/api/join", json={"code": code}, timeout=60).status_code == 403
    assert httpx.get(f"{served.url}/api/sheet", headers=token, timeout=60).status_code == 200
    page = steward.get("/access").text
    assert label not in page
    assert label in unescape(page)
    assert "may report" in page
    assert another(served, steward, "allocator").form("/access/cut-off", phone=id).status_code == 403
    assert steward.form("/access/forget", phone=id).status_code == 400
    assert steward.form("/access/cut-off", phone=id).status_code == 200
    assert "✕ cut off" in steward.get("/access/phones").text
    refused = httpx.get(f"{served.url}/api/sheet", headers=token, timeout=60)
    assert refused.status_code == 403
    assert "cortado" in refused.text  # In the language that it was invited with.
    assert "no longer on the list" in steward.form("/access/forget", phone=id).text
    assert label not in unescape(steward.get("/access/phones").text)


def test_what_cannot_be_is_refused_with_its_value(room: Served, steward: Desk) -> None:
    before = steward.get("/access/phones").text
    refused = {
        "site &#34;Nowhere&#34;": invited(steward, site="Nowhere"),
        "days &#34;ten&#34;": invited(steward, days="ten"),
        "367 days": invited(steward, days="367"),
        "language &#34;xx&#34;": invited(steward, language="xx"),
        "role &#34;steward&#34;": invited(steward, role="steward"),
        "label &#34;&#34;": invited(steward, label="  "),
        "role &#34;reporter&#34;": steward.form("/access/code", role="reporter"),
    }
    for words, answer in refused.items():
        assert answer.status_code == 400, words
        assert words in answer.text
    assert steward.get("/access/phones").text == before


def test_room_on_this_machine_alone_says_that_no_phone_can_reach_it(room: Served, steward: Desk) -> None:
    page = steward.get("/access").text
    assert "answers on this machine alone" in page
    assert "abasto serve --lan" in page
