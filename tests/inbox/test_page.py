"""The page about reports is true: every message in it is read, or asked back, as it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hamlet import HAMLET

from abasto.inbox.message import read_message
from abasto.inbox.questions import Doubtful, Understood
from abasto.inbox.reports import ALIASES, REPORTS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reports.md").read_text(encoding="utf-8")


def rows(heading: str) -> Iterator[tuple[str, str]]:
    """Yield the rows of the table whose header begins so, as code and what stands beside it."""
    table = PAGE.split(f"| message | {heading} |\n", 1)[1].split("\n\n", 1)[0]
    for line in table.splitlines()[1:]:
        match = re.fullmatch(r"\| `(.+?)` \| (.+) \|", line)
        assert match is not None, line
        yield match[1], match[2]


@pytest.mark.parametrize(("text", "said"), list(rows("is read as")))
def test_every_message_of_the_page_is_read_as_it_says(text: str, said: str) -> None:
    answer = read_message(text, names=HAMLET, date=date(2026, 11, 22), site="mill")
    assert isinstance(answer, Understood), answer
    assert "; ".join(answer.said) == said


@pytest.mark.parametrize(("text", "question"), list(rows("question")))
def test_every_doubtful_message_of_the_page_is_asked_back_as_it_says(text: str, question: str) -> None:
    answer = read_message(text, names=HAMLET, date=date(2026, 11, 22), site="mill")
    assert isinstance(answer, Doubtful), answer
    assert answer.question == question


def test_the_page_names_every_column_of_a_table_of_reports() -> None:
    for column in REPORTS.columns:
        match = re.search(rf"^\| {column.name} \| (\w+) \|", PAGE, re.MULTILINE)
        assert match is not None, column.name
        assert match[1] in ALIASES[column.name]


def test_the_example_in_python_runs() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "reports.md", "exec"), names)
