"""The public door: what `import abasto` offers, and what it costs."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

import abasto
from hand_built import hand_built_plan


def test_all_names_are_sorted_and_none_is_there_twice() -> None:
    assert abasto.__all__ == sorted(set(abasto.__all__))


@pytest.mark.parametrize("name", abasto.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(abasto, name) is not None


def test_names_for_type_checkers_are_those_that_are_loaded() -> None:
    tree = ast.parse(Path(abasto.__file__).read_text(encoding="utf-8"))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    said = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in guarded.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(said) == abasto.__all__
    for name, (module, attribute) in said.items():
        assert module is not None
        assert getattr(abasto, name) is getattr(importlib.import_module(module), attribute)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="plam"):
        abasto.__getattr__("plam")


@pytest.mark.parametrize(
    ("statement", "spared"),
    [
        ("import abasto", ["numpy", "pydantic", "scipy", "highspy", "numba", "jinja2", "rich", "cyclopts"]),
        ("import abasto; abasto.Network", ["scipy", "highspy", "numba", "jinja2", "rich", "cyclopts"]),
        ("import abasto.room.planning", ["starlette", "httpx", "jinja2", "scipy", "highspy", "numba"]),
        ("import abasto.cli; abasto.cli.main(['--help'])", ["numpy", "pydantic", "numba", "rich", "cyclopts"]),
    ],
)
def test_what_is_not_used_is_not_loaded(statement: str, spared: list[str]) -> None:
    program = f"{statement}\nimport sys\nloaded = {set(spared)} & set(sys.modules)\nassert not loaded, loaded"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_setting_that_cannot_be_planned_with_is_an_error_of_its_own() -> None:
    network = abasto.read(abasto.example_path("neighbourhood"))
    with pytest.raises(abasto.SettingError, match=r"fairness is -1; it must be a number from 0"):
        abasto.plan(network, fairness=-1)
    assert issubclass(abasto.SettingError, abasto.AbastoError)
    assert issubclass(abasto.SettingError, ValueError)


def test_a_network_in_python_takes_lists_and_refuses_what_is_no_row() -> None:
    start = date(2026, 11, 22)
    network = abasto.Network("Barrio", start, 1, sites=[abasto.Site(site="mill")])  # type: ignore[arg-type]
    assert network == abasto.Network("Barrio", start, 1, sites=(abasto.Site(site="mill"),))
    with pytest.raises(TypeError, match="sites holds 'mill'; give rows of type Site"):
        abasto.Network("Barrio", start, 1, sites=["mill"])  # type: ignore[arg-type]
    for wrong in ("2026-11-22", datetime(2026, 11, 22)):
        with pytest.raises(TypeError, match="give the date of day 1"):
            abasto.Network("Barrio", wrong, 1)  # type: ignore[arg-type]


def test_a_table_that_is_not_there_names_those_that_are() -> None:
    network = abasto.read(abasto.example_path("neighbourhood"))
    with pytest.raises(KeyError, match="its tables are network, sites, goods"):
        network.rows("site")
    with pytest.raises(KeyError, match="its tables are intake, shipments"):
        hand_built_plan().table("shipment")


def test_a_plan_s_tables_are_data_frames() -> None:
    pandas = pytest.importorskip("pandas")
    table = hand_built_plan().coverage
    frame = pandas.DataFrame(dict(table))
    assert list(frame.columns) == list(table)
    assert frame["coverage"].tolist() == table["coverage"].tolist()


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    coverage = hand_built_plan().coverage
    with pytest.raises(KeyError, match=r'no column "coverrage" here; there are: .*\bcoverage\b'):
        coverage["coverrage"]
    assert "coverrage" not in coverage
    assert coverage.get("coverrage") is None
