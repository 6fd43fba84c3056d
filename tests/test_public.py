"""The public door: what `import abasto` offers, and what it costs."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import abasto


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
