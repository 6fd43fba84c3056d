"""Files are written whole or not at all, and nobody else's files are touched."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from abasto.errors import AbastoError
from abasto.network import Network, Site, Stock
from abasto.planner.plan import Table
from abasto.tables import read_network, write_network, write_plan, write_template

SMALL = Network("small", date(2026, 11, 22), 7, sites=(Site(site="mill"),))
LARGE = Network("large", date(2026, 11, 22), 7, sites=tuple(Site(site=f"site {index}") for index in range(5000)))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def little_space(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as on a disk that is nearly full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", ["net", "net.xlsx"])
def test_write_that_runs_out_of_space_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    write_network(SMALL, tmp_path / name)
    before = tree(tmp_path)
    with little_space(8000), pytest.raises(AbastoError, match="nothing was written"):
        write_network(LARGE, tmp_path / name)
    assert tree(tmp_path) == before
    assert sorted(path.name for path in tmp_path.rglob(".*")) == []
    assert read_network(tmp_path / name) == SMALL


@pytest.mark.parametrize("name", ["net", "net.xlsx", "deep/er/net"])
def test_first_write_that_runs_out_of_space_leaves_no_file(tmp_path: Path, name: str) -> None:
    with little_space(8000), pytest.raises(AbastoError, match="nothing was written"):
        write_network(LARGE, tmp_path / name)
    assert tree(tmp_path) == {}
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("move", range(1, 5))
def test_write_interrupted_between_two_moves_puts_every_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, move: int
) -> None:
    old = Network(
        "old", date(2026, 11, 22), 7, sites=(Site(site="a"),), stocks=(Stock(site="a", good="b", quantity=1),)
    )
    write_network(old, tmp_path / "net")
    before = tree(tmp_path)
    real, moves = os.replace, 0

    def failing(source: Path, target: Path) -> None:
        nonlocal moves
        moves += 1
        if moves == move:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(KeyboardInterrupt):
        write_network(SMALL, tmp_path / "net")
    assert moves > move or move == 1
    assert tree(tmp_path) == before


def test_files_of_others_stay_and_tables_that_are_empty_now_go(tmp_path: Path) -> None:
    stocked = Network("x", date(2026, 11, 22), 7, stocks=(Stock(site="a", good="b", quantity=1),))
    write_network(stocked, tmp_path)
    (tmp_path / "README.md").write_text("ours")
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "stocks.csv").write_text("ours too")
    write_network(SMALL, tmp_path)
    assert sorted(tree(tmp_path)) == ["README.md", "network.csv", "notes/stocks.csv", "sites.csv"]


def test_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for name in ("file", "file/net", "file/net.xlsx"):
        with pytest.raises(AbastoError, match="nothing was written"):
            write_network(SMALL, tmp_path / name)
    with pytest.raises(AbastoError, match="nothing was written"):
        write_template(tmp_path / "file" / "template.xlsx")
    assert tree(tmp_path) == {"file": b"x"}


def test_folder_in_the_place_of_a_table_is_not_moved_away(tmp_path: Path) -> None:
    (tmp_path / "sites.csv").mkdir()
    with pytest.raises(AbastoError, match=r"sites\.csv: this is not a file and would have to make way"):
        write_network(SMALL, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sites.csv"]


def test_plan_is_written_with_fifteen_digits_blank_dates_and_headers_of_empty_tables(tmp_path: Path) -> None:
    closing = Table(
        {
            "site": np.array(["mill", "a, b"], dtype=object),
            "good": np.array(["flour", 'say "so"']),
            "expires": np.array(["2026-11-22", "NaT"], dtype="datetime64[D]"),
            "day": np.array([1, 2]),
            "quantity": np.array([1 / 3, 1e-16 + 5]),
        }
    )
    summary = Table({"cost": np.array([np.nan]), "solver": np.array(["exact"])})
    empty = Table({"site": np.array([], dtype=object), "unmet": np.array([])})
    write_plan({"closing": closing, "summary": summary, "shortages": empty}, tmp_path / "plan")
    assert {name: content.decode() for name, content in tree(tmp_path / "plan").items()} == {
        "closing.csv": "site,good,expires,day,quantity\n"
        'mill,flour,2026-11-22,1,0.333333333333333\n"a, b","say ""so""",,2,5\n',
        "summary.csv": "cost,solver\n,exact\n",
        "shortages.csv": "site,unmet\n",
    }


def test_plan_that_runs_out_of_space_leaves_the_plan_before_it(tmp_path: Path) -> None:
    def tables(rows: int) -> dict[str, Table]:
        return {name: Table({"day": np.arange(rows)}) for name in ("intake", "trips")}

    write_plan(tables(3), tmp_path / "plan")
    before = tree(tmp_path)
    with little_space(8000), pytest.raises(AbastoError, match="nothing was written"):
        write_plan(tables(5000), tmp_path / "plan")
    assert tree(tmp_path) == before
