"""Plans at a desk of a served room, and what its pages say about them, for the tests."""

from __future__ import annotations

import re
from html import unescape

from tests.room.served import Desk

__all__ = ["make_plan", "orders_shown", "plan_id", "rows_of", "wait_for_plan"]


def make_plan(desk: Desk, **fields: str) -> str:
    """Make a plan as the form does; return its page once it is there."""
    assert desk.form("/plan/make", **fields).status_code == 200
    return wait_for_plan(desk)


def wait_for_plan(desk: Desk) -> str:
    """Return the page of the plan once no plan is being made any more."""
    with desk.stream("GET", "/events") as events:
        for _ in events.iter_lines():
            outcome = desk.get("/api/plan").json()
            if outcome["outcome"] != "running":
                assert outcome["outcome"] == "done", outcome
                break
    return desk.get("/plan").text


def plan_id(page: str) -> str:
    """Return the id of the plan that a page is about, as its forms carry it."""
    found = re.search(r'name="plan" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


def rows_of(page: str, caption: str) -> list[list[str]]:
    """Return the cells of a table's body, by the id of its caption, each as the text that people see."""
    table = page[page.index(f'id="{caption}"') :]
    body = table[table.index("</thead>") : table.index("</table>")]
    return [
        [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split())
            for cell in re.findall(r"(?s)<t[hd].*?</t[hd]>", row)
        ]
        for row in re.findall(r"(?s)<tr.*?</tr>", body)
    ]


def orders_shown(page: str) -> list[tuple[str, ...]]:
    """Return the orders that the page of the plan lists: from, to, fleet, trips, goods, state; with their places."""
    table = page[page.index('id="order-table"') : page.index("</table>", page.index('id="order-table"'))]
    found = []
    for place, row in re.findall(r'(?s)<tr data-order="(\d+)">(.*?)</tr>', table):
        cells = [
            " ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in re.findall(r"(?s)<td.*?</td>", row)
        ]
        found.append((place, *cells[2:7], cells[8]))
    return found
