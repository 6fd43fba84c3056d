"""Fifty phones send two thousand reports while a plan is made, and the server is killed in the middle.

Each phone does what the page does: it sends what it has not been told of as received, again and again, until it is.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from tests.room.served import DAY, Desk, Served, neighbourhood

SITES = ("Mill", "Market", "Hill", "School")
PHONES = 50


@dataclass
class FakePhone:
    """A phone: its outbox, and what it was told of each report."""

    number: int
    url: str
    token: str
    outbox: dict[str, dict[str, Any]]
    told: dict[str, str] = field(default_factory=dict)
    sent: int = 0

    def send_all(self, *, batch: int) -> None:
        """Send until everything has been acknowledged, through whatever happens to the server."""
        random = Random(self.number)
        until = time.monotonic() + 240
        browser = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)
        while self.outbox:
            assert time.monotonic() < until, f"phone {self.number} still has {len(self.outbox)} reports"
            some = [self.outbox[id] for id in random.sample(sorted(self.outbox), min(batch, len(self.outbox)))]
            self.sent += len(some)
            try:
                answer = browser.post("/api/reports", json={"reports": some})
            except httpx.HTTPError:
                time.sleep(random.uniform(0.1, 0.4))
                continue
            if answer.status_code == 429:
                time.sleep(float(answer.headers["retry-after"]))
                continue
            assert answer.status_code == 200, answer.text
            for one in answer.json()["answers"]:
                assert one["status"] in ("stored", "known"), one
                self.told[one["id"]] = one["status"]
                del self.outbox[one["id"]]


def report(phone: int, number: int) -> dict[str, Any]:
    return {
        "id": f"phone-{phone:02}-report-{number:03}",
        "kind": "received",
        "site": SITES[phone % len(SITES)],
        "good": "flour",
        "quantity": str(1 + number % 5),
        "unit": "kg",
        "date": DAY,
        "made_at": f"{DAY}T08:00:00-03:00",
        "sure": True,
    }


def joined(desk: Desk, url: str, number: int) -> str:
    """Let a phone join as people do: the room shows a code, the phone sends it; return its token."""
    shown = desk.form("/access/invite", label=f"phone {number}", role="reporter", language="es", days="30").text
    code = re.search(r"#join=([0-9A-Z]{5}-[0-9A-Z]{5})|\b([0-9A-Z]{5}-[0-9A-Z]{5})\b", shown)
    assert code is not None
    while True:
        answer = httpx.post(f"{url}/api/join", json={"code": code[1] or code[2]}, timeout=60)
        if answer.status_code != 429:
            break
        time.sleep(1.0)
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token


def phones_of(served: Served, *, phones: int, reports: int) -> list[FakePhone]:
    """Return phones that have joined, each with so many reports in its outbox.

    They join in the home before the room opens: the door lets in few in a minute, and fifty would take too long.
    """
    from datetime import datetime

    from abasto.journal.home import Home
    from abasto.room.phones import Phones

    now = datetime.now().astimezone()
    tokens = []
    with Home.open(served.home, passphrase=None) as home:
        register = Phones(home)
        for number in range(phones):
            entered = register.join(register.invite(f"phone {number}", now=now), now=now)
            assert entered is not None
            tokens.append(entered[0])
    served.start()
    return [
        FakePhone(number, served.url, token, {one["id"]: one for one in (report(number, n) for n in range(reports))})
        for number, token in enumerate(tokens)
    ]


def refs_of(served: Served) -> Counter[str]:
    """Return how often the journal has each report, by the id that the phone gave it."""
    from abasto.journal.home import Home

    with Home.open(served.home, passphrase=None) as home:
        found = [placed.entry.body.get("ref", "") for placed in home.journal.read()]
    return Counter(ref.rpartition("/")[2] for ref in found if ref.startswith("phone/"))


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[Served]:
    """A room that is not open yet."""
    room = Served(neighbourhood(tmp_path), is_forked=False)
    yield room
    if room.process is not None and room.process.poll() is None:
        room.stop()


def taken_in(served: Served) -> int:
    """Return how much flour the journal says came from outside, in thousandths, entry by entry."""
    from abasto.journal.home import Home

    with Home.open(served.home, passphrase=None) as home:
        return sum(one.entry.body["quantity"] for one in home.journal.read() if one.entry.kind == "goods.taken_in")


def run(served: Served, phones: list[FakePhone], *, kills: int, batch: int) -> None:
    everything = {id: one for phone in phones for id, one in phone.outbox.items()}
    before = sum(sum(served.state().books.balance(site, "flour").values()) for site in SITES)
    assert served.desk().call("/api/plan", {}).json()["outcome"] == "running"
    with ThreadPoolExecutor(len(phones)) as pool:
        sending = [pool.submit(phone.send_all, batch=batch) for phone in phones]
        for number in range(kills):
            _wait_until(lambda n=number: len(_told(phones)) > len(everything) * (n + 1) // (kills + 2))  # type: ignore[misc]
            served.kill()
            acknowledged = _told(phones)
            kept = refs_of(served)
            assert [id for id in acknowledged if kept[id] != 1] == []
            served.start()
        for one in sending:
            one.result()
    assert _told(phones).keys() == everything.keys()
    assert served.stop() == 0
    assert refs_of(served) == dict.fromkeys(everything, 1)
    expected = sum(int(one["quantity"]) for one in everything.values())
    assert taken_in(served) == 1000 * expected
    after = sum(sum(served.state().books.balance(site, "flour").values()) for site in SITES)
    assert after - before == 1000 * expected


def _told(phones: list[FakePhone]) -> dict[str, str]:
    return {id: said for phone in phones for id, said in list(phone.told.items())}


def _wait_until(is_so: Any) -> None:
    wait = threading.Event()
    for _ in range(4_000):
        if is_so():
            return
        wait.wait(0.03)
    raise AssertionError("it did not come so far")


def test_phone_joins_reports_and_is_cut_off(served: Served) -> None:
    desk = served.desk()
    token = joined(desk, served.url, 1)
    phone = FakePhone(1, served.url, token, {"first-report": report(1, 1) | {"id": "first-report"}})
    phone.send_all(batch=5)
    assert phone.told == {"first-report": "stored"}
    sign = re.search(r'name="phone" value="([^"]+)"', desk.get("/access").text)
    assert sign is not None
    desk.form("/access/cut-off", phone=sign[1])
    answer = httpx.post(
        f"{served.url}/api/reports",
        json={"reports": [report(1, 2)]},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.status_code == 403
    assert refs_of(served) == {"first-report": 1}


def test_some_phones_send_while_a_plan_is_made_and_the_server_is_killed(closed: Served) -> None:
    run(closed, phones_of(closed, phones=6, reports=20), kills=1, batch=5)


@pytest.mark.soak
def test_fifty_phones_send_two_thousand_reports_while_a_plan_is_made_and_the_server_is_killed(closed: Served) -> None:
    run(closed, phones_of(closed, phones=PHONES, reports=2_000 // PHONES), kills=3, batch=5)
