"""What stands in front of every page: the door, roles, forged forms, strange hosts, too much and too often."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme
from starlette.testclient import TestClient
from tests.room.served import DAY, Desk, Served, neighbourhood

from abasto.cli import main
from abasto.facts.kinds import StockCounted
from abasto.inbox.from_state import names_of
from abasto.journal.home import Home
from abasto.language import language
from abasto.room import Room, build_app, views
from abasto.room.pages import PAGES
from abasto.room.reports import said
from abasto.room.safety import MOST_BYTES, Buckets
from abasto.room.sessions import Role
from abasto.room.web import RANK

MORNING = datetime(2027, 3, 1, 8, tzinfo=timezone(timedelta(hours=-3)))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(tmp_path: Path, clock: Clock) -> Iterator[Room]:
    with Home.open(neighbourhood(tmp_path), passphrase=None) as home:
        yield Room(home, now=clock)


@pytest.fixture
def client(room: Room) -> TestClient:
    return TestClient(build_app(room), base_url="http://127.0.0.1")


def enter(room: Room, client: TestClient, role: Role = "steward") -> str:
    """Let the client in with a role; return the sign that its forms carry."""
    code = room.sessions.new_code(role, now=room.now())
    assert client.post("/enter", data={"code": code}, follow_redirects=False).status_code == 303
    [session] = room.sessions.running(now=room.now())
    return session.csrf


def test_nobody_sees_anything_before_the_door(client: TestClient) -> None:
    for page in PAGES:
        path = re.sub(r"{[^}]+}", "x", page.path)
        if page.method == "GET":
            answer = client.get(path, follow_redirects=False)
            assert answer.status_code == 303, page.path
            assert answer.headers["location"].startswith("/enter"), page.path
        else:
            assert client.post(path, data={}).status_code == 403, page.path
    assert client.get("/events").status_code == 403
    assert client.get("/api/stock").status_code == 401
    assert client.post("/api/plan", json={}).status_code == 401


def test_code_opens_once_and_within_its_time(room: Room, client: TestClient, clock: Clock) -> None:
    code = room.sessions.new_code("steward", now=clock.now)
    typed = code.lower().replace("-", " ")
    assert client.post("/enter", data={"code": typed}, follow_redirects=False).status_code == 303
    assert client.get("/api/summary").status_code == 200
    client.cookies.clear()
    assert client.post("/enter", data={"code": code}, follow_redirects=False).status_code == 403
    late = room.sessions.new_code("steward", now=clock.now)
    clock.now += timedelta(minutes=15)
    assert client.post("/enter", data={"code": late}, follow_redirects=False).status_code == 403


def test_session_ends_by_itself_and_when_it_is_left(room: Room, client: TestClient, clock: Clock) -> None:
    enter(room, client)
    clock.now += timedelta(hours=12)
    assert client.get("/api/summary").status_code == 401
    enter(room, client)
    client.post("/leave")
    assert client.get("/api/summary").status_code == 401


def test_codes_cannot_be_tried_one_after_the_other(client: TestClient) -> None:
    answers = [client.post("/enter", data={"code": f"AAAAA-AAAA{n}"}).status_code for n in range(8)]
    assert answers[:6] == [403] * 6
    assert answers[6:] == [429, 429]


@pytest.mark.parametrize("role", ["reader", "allocator"])
def test_role_allows_what_it_should_and_no_more(room: Room, client: TestClient, role: Role) -> None:
    sign = enter(room, client, role)
    for page in PAGES:
        if RANK[page.role] > RANK[role]:
            path = re.sub(r"{[^}]+}", "x", page.path)
            answer = client.request(page.method, path, headers={"X-CSRF": sign})
            assert answer.status_code == 403, page.path
    allowed = client.post("/api/plan/stop", headers={"X-CSRF": sign}).status_code
    assert allowed == (403 if role == "reader" else 200)


def test_what_changes_something_needs_the_sessions_own_sign(room: Room, client: TestClient) -> None:
    sign = enter(room, client)
    assert client.post("/api/plan/stop").status_code == 403
    assert client.post("/api/plan/stop", headers={"X-CSRF": "x" + sign[1:]}).status_code in (
        403,
        200 if sign[0] == "x" else 403,
    )
    assert client.post("/api/plan/stop", headers={"X-CSRF": sign}).status_code == 200
    changing = [page for page in PAGES if page.method == "POST"]
    assert changing
    for page in changing:
        assert client.post(re.sub(r"{[^}]+}", "x", page.path), data={"csrf": "other"}).status_code == 403, page.path


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://example.org"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_page_of_another_site_changes_nothing_even_with_the_sign(
    room: Room, client: TestClient, headers: dict[str, str]
) -> None:
    sign = enter(room, client)
    assert client.post("/api/plan/stop", headers={"X-CSRF": sign, **headers}).status_code == 403
    client.cookies.clear()
    code = room.sessions.new_code("steward", now=room.now())
    assert client.post("/enter", data={"code": code}, headers=headers, follow_redirects=False).status_code == 403


def test_name_that_is_not_the_rooms_is_not_answered(client: TestClient) -> None:
    assert client.get("/enter", headers={"Host": "evil.example"}).status_code == 400


def test_every_answer_forbids_what_is_from_elsewhere(room: Room, client: TestClient) -> None:
    enter(room, client)
    for path in ("/", "/enter", "/static/room.css", "/static/nothing.css", "/api/summary", "/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy, path
        assert "http" not in policy, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert "access-control-allow-origin" not in headers, path


def test_static_files_are_only_those_of_the_room(client: TestClient) -> None:
    assert client.get("/static/room.css").status_code == 200
    assert client.get("/static/leaflet/leaflet.js").status_code == 200
    for name in ("../app.py", "%2e%2e/app.py", "leaflet/../../../x.js", "..%5capp.css", "leaflet", "", "/etc/x.css"):
        assert client.get(f"/static/{name}").status_code == 404, name


def test_door_leads_nowhere_else(room: Room, client: TestClient) -> None:
    for to in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)"):
        code = room.sessions.new_code("reader", now=room.now())
        room_door = client.post("/enter", data={"code": code, "to": to}, follow_redirects=False)
        assert room_door.headers["location"] == "/", to
        client.app.state.door_buckets = Buckets(burst=6, each_second=1)  # type: ignore[attr-defined]


def test_addresses_that_no_browser_writes_are_answered_like_any_other(room: Room, client: TestClient) -> None:
    assert client.get("/enter", params={"to": "//["}).status_code == 200
    sign = enter(room, client)
    answer = client.post("/api/plan/stop", headers={"X-CSRF": sign, "Origin": "http://["})
    assert answer.status_code == 403


def test_page_that_is_not_there_is_told_with_the_way_back(room: Room, client: TestClient) -> None:
    assert client.get("/nowhere", headers={"accept": "text/html"}).text == "Not Found", "nobody has entered"
    enter(room, client)
    answer = client.get("/nowhere", headers={"accept": "text/html,*/*;q=0.8", "accept-language": "es"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Aquí no hay una página así." in answer.text
    assert 'href="/dispatch"' in answer.text
    assert client.get("/api/nowhere", headers={"accept": "application/json"}).text == "Not Found"


def test_part_of_a_page_is_sent_on_to_an_address_in_any_script(room: Room, client: TestClient) -> None:
    enter(room, client)
    path = "/history/entry/\u0639"
    whole = client.get(path, follow_redirects=False)
    part = client.get(path, headers={"HX-Request": "true"}, follow_redirects=False)
    assert (whole.status_code, part.status_code) == (303, 204)
    assert part.headers["hx-redirect"] == whole.headers["location"] == "/entries/%D8%B9"


def test_names_of_static_files_that_are_not_there_take_no_memory(client: TestClient) -> None:
    for number in range(2 * views.KEPT_FILES):
        assert client.get(f"/static/{number}.js").status_code == 404
    assert views._find.cache_info().currsize <= views.KEPT_FILES
    assert client.get(f"/static/{'a' * 1000}.js").status_code == 404


def test_desk_that_is_shut_hears_nothing_more(served: Served) -> None:
    steward = served.desk()
    code = re.search(r">([0-9A-Z]{5}-[0-9A-Z]{5})<", steward.form("/access/code", role="reader").text)
    assert code is not None
    with Desk(served.url, code[1]).stream("GET", "/events") as events:
        lines = events.iter_lines()
        assert next(lines) == ": here"
        said = {"kind": "count", "site": "Mill", "good": "flour", "date": DAY}
        assert steward.form("/report", token="first", quantity="1", **said).status_code == 200
        assert "event: journal" in (next(lines), next(lines))
        shut = re.search(r'name="session" value="([^"]+)"', steward.get("/access").text)
        assert shut is not None
        steward.form("/access/end", session=shut[1])
        assert steward.form("/report", token="second", quantity="2", **said).status_code == 200
        assert next((line for line in lines if line.startswith("event")), "") == ""


def test_phone_is_answered_in_the_language_of_its_page_else_of_its_invitation(room: Room, client: TestClient) -> None:
    code = room.phones.invite("a phone", now=room.now(), language="ar")
    token = client.post("/api/join", json={"code": code}).json()["token"]
    counted = StockCounted("Mill", "flour", 5_000, DAY)
    for number, (wanted, meant) in enumerate([({}, "ar"), ({"Accept-Language": "es"}, "es")]):
        report = {"id": f"report-{number}", "kind": "count", "site": "Mill", "good": "flour", "quantity": "5"}
        body = {"reports": [{**report, "date": DAY, "sure": True}]}
        answer = client.post("/api/reports", json=body, headers={"Authorization": f"Bearer {token}", **wanted})
        [taken] = answer.json()["answers"]
        assert taken["message"] == said(counted, names_of(room.state), language(meant))


def test_body_that_is_too_large_is_refused_whether_or_not_it_says_so(room: Room, client: TestClient) -> None:
    sign = enter(room, client)

    def parts() -> Iterator[bytes]:
        for _ in range(MOST_BYTES // 1024 + 1):
            yield b" " * 1024

    large = b" " * (MOST_BYTES + 1)
    assert client.post("/api/plan", content=large, headers={"X-CSRF": sign}).status_code == 413
    assert client.post("/api/plan", content=parts(), headers={"X-CSRF": sign}).status_code == 413
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/enter", content=parts(), headers=form).status_code == 413


def test_bucket_fills_again_at_its_rate() -> None:
    time = 0.0
    bucket = Buckets(burst=3, each_second=0.5, clock=lambda: time)
    assert [bucket.take("a") for _ in range(4)] == [0, 0, 0, 2.0]
    assert bucket.take("b") == 0
    time = 2.0
    assert [bucket.take("a"), bucket.take("a")] == [0, 2.0]


def test_bucket_remembers_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Buckets, "MOST", 10)
    bucket = Buckets(burst=1, each_second=0.001, clock=lambda: 0.0)
    for number in range(100):
        assert bucket.take(str(number)) == 0
    assert len(bucket._buckets) <= 10


def test_whoever_asks_too_often_is_told_to_wait(room: Room, client: TestClient) -> None:
    enter(room, client)
    client.app.state.buckets = Buckets(burst=5, each_second=0.1)  # type: ignore[attr-defined]
    answers = [client.get("/api/summary") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_language_is_the_chosen_one_else_the_browsers(client: TestClient) -> None:
    assert 'lang="en" dir="ltr"' in client.get("/enter", headers={"Accept-Language": "fr"}).text
    assert 'lang="es" dir="ltr"' in client.get("/enter", headers={"Accept-Language": "de, es-CL;q=0.8"}).text
    client.post("/language", data={"language": "ar", "to": "/enter"})
    assert 'lang="ar" dir="rtl"' in client.get("/enter", headers={"Accept-Language": "es"}).text


def test_room_listens_on_this_machine_alone_unless_it_is_told_otherwise(served: Served) -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", served.port), timeout=5)
    assert httpx.get(f"{served.url}/enter", timeout=60).status_code == 200


def test_room_in_the_local_network_answers_to_its_address(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    room = Served(neighbourhood(tmp_path), options=("--lan", "127.0.0.2"), is_forked=False)
    room.start()
    try:
        assert urlsplit(room.url).hostname == "127.0.0.2"
        assert Desk(room.url, room.code).get("/api/summary").json()["network"] == "Neighbourhood"
        assert httpx.get(f"http://127.0.0.1:{room.port}/enter", timeout=60).status_code == 200
        strange = httpx.get(f"{room.url}/enter", headers={"Host": f"127.0.0.3:{room.port}"}, timeout=60)
        assert strange.status_code == 400
    finally:
        assert room.stop() == 0
    assert "not encrypted" in capfd.readouterr().err


def test_room_with_a_certificate_speaks_tls_alone(tmp_path: Path) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1", "localhost")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, blob in enumerate(own.cert_chain_pems):
        blob.write_to_path(tmp_path / "certificate.pem", append=number > 0)
    options = ("--certificate", str(tmp_path / "certificate.pem"), "--key", str(tmp_path / "key.pem"))
    room = Served(neighbourhood(tmp_path), options=options, is_forked=False)
    room.start()
    try:
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        with httpx.Client(base_url=room.url, verify=trusting, timeout=60) as browser:
            entered = browser.post("/enter", data={"code": room.code})
            assert entered.status_code == 303
            assert "secure" in entered.headers["set-cookie"].lower()
            assert "strict-transport-security" in entered.headers
        with pytest.raises(httpx.HTTPError):
            httpx.get(room.url.replace("https", "http") + "/enter", timeout=60)
    finally:
        assert room.stop() == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--port", "70000"), "--port 70000"),
        (("--certificate", "missing.pem"), "belong together"),
        (("--boundaries", "missing.json"), "there is no such file"),
        (("--lan", "my laptop"), 'lan "my laptop"'),
    ],
)
def test_serve_says_what_is_wrong_with_its_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    home = neighbourhood(tmp_path)
    assert main(["serve", "--home", str(home), "--date", DAY, *options]) in (1, 2)
    assert words in capsys.readouterr().err


def test_second_room_on_one_port_is_told_of_the_first(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--home", str(served.home), "--port", str(served.port)]) == 2
    assert "another room may be open" in capsys.readouterr().err
