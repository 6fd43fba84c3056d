"""The room for programs: what it answers is what is known, and nothing that anybody sends makes it fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from starlette.testclient import TestClient
from tests.room.served import DAY, Served, neighbourhood

from abasto.journal.home import Home
from abasto.room import Room, build_app
from abasto.room.api import Operation
from abasto.room.operations_api import OPERATIONS
from abasto.room.safety import Buckets
from abasto.state.exceptions import exceptions
from abasto.state.figures import figures

CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]
BROKEN = [b"", b"{", b"null", b"[" * 5000, rb'{"\ud800": 1}', b"\xff\xfe", b'{"days": 1e999}']


def test_figures_are_those_of_the_journal(served: Served) -> None:
    from datetime import date

    desk = served.desk()
    state, day = served.state(), date.fromisoformat(DAY)
    told = desk.get("/api/stock").json()["figures"]
    assert [(one["site"], one["good"], one["quantity"]) for one in told] == [
        (one.site, one.good, one.quantity / 1000) for one in figures(state, day)
    ]
    assert desk.get("/api/exceptions").json()["exceptions"] == []
    assert exceptions(state, day) == ()
    summary = desk.get("/api/summary").json()
    assert (summary["sites"], summary["goods"], summary["entries"]) == (12, 4, state.count)


def test_plan_is_begun_followed_and_refused_while_one_is_made(served: Served) -> None:
    desk = served.desk()
    assert desk.get("/api/plan").json()["outcome"] == "none"
    assert desk.call("/api/plan", {"fairness": 2.0}).json()["outcome"] == "running"
    assert desk.call("/api/plan", {}).status_code == 400
    with desk.stream("GET", "/events") as events:
        for _ in events.iter_lines():
            if desk.get("/api/plan").json()["outcome"] != "running":
                break
    plan = desk.get("/api/plan").json()
    assert plan["outcome"] == "done"
    assert plan["orders"] > 0
    wrong = desk.call("/api/plan", {"scenario": "blizzard"})
    assert wrong.status_code == 400
    assert "lockout" in wrong.json()["error"]
    assert desk.call("/api/plan", {"fairness": -1}).status_code == 422
    assert desk.call("/api/plan", {"fairnes": 1}).status_code == 422


def test_every_operation_is_in_the_document_with_its_models(served: Served) -> None:
    document = served.desk().get("/api/openapi.json").json()
    listed = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert listed == {(one.path, one.method) for one in OPERATIONS}
    for one in OPERATIONS:
        described = document["paths"][one.path][one.method.lower()]
        assert described["summary"] == one.summary
        if one.body is not None:
            reference = described["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert reference.rpartition("/")[2] in document["components"]["schemas"]


@pytest.fixture(scope="module")
def open_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A room whose limits do not end the fuzzing, and what a desk and a phone show at once."""
    with Home.open(neighbourhood(tmp_path_factory.mktemp("fuzz")), passphrase=None) as home:
        room = Room(home, now=lambda: datetime.now().astimezone())
        app = build_app(room, hosts=["*"])
        app.state.buckets = app.state.door_buckets = Buckets(burst=1e9, each_second=1e9)
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            code = room.sessions.new_code("steward", now=room.now())
            client.post("/enter", data={"code": code}, follow_redirects=False)
            [session] = room.sessions.running(now=room.now())
            yield client, {"X-CSRF": session.csrf, "Cookie": f"abasto={client.cookies['abasto']}"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_nothing_that_is_sent_makes_an_operation_fail(
    operation: Operation, open_room: tuple[TestClient, dict[str, str]]
) -> None:
    client, headers = open_room
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", client.app)
    answered = []

    @given(case=schema[operation.path][operation.method].as_strategy())
    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def send(case: schemathesis.Case) -> None:
        answer = case.call(headers=headers)
        assert answer.status_code < 500, answer.text
        case.validate_response(
            answer, checks=[not_a_server_error, response_schema_conformance, status_code_conformance]
        )
        answered.append(answer.status_code)

    send()
    assert answered
    if operation.body is None and "{" not in operation.path:
        assert 200 in answered


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
@pytest.mark.parametrize("content", BROKEN)
def test_broken_body_is_refused_and_not_an_error_of_the_server(
    operation: Operation, content: bytes, open_room: tuple[TestClient, dict[str, str]]
) -> None:
    client, headers = open_room
    if operation.body is not None:
        assert client.request(operation.method, operation.path, content=content, headers=headers).status_code == 422
