"""What a column may hold, read off the schema: its form, bounds and choices."""

from __future__ import annotations

import types
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from abasto.network import Row

__all__ = ["Form", "Kind", "kind_of"]

Form = Literal["id", "text", "number", "whole", "day", "date", "yes_no", "choice"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A column's form and, for numbers, its bounds (`least` and `most` may be reached, `above` may not)."""

    form: Form
    least: float | None = None
    above: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


def kind_of(row: type[Row], attribute: str) -> Kind:
    """Return what the schema lets a column hold; `from` and `to` days are a form of their own, as they take dates too.

    >>> from abasto.network import Site
    >>> kind_of(Site, "lat")
    Kind(form='number', least=-90, above=None, most=90, choices=())
    """
    info = row.model_fields[attribute]
    base, constraints = _unwrap(info.annotation, list(info.metadata))
    bounds = {name: _bound(constraints, name) for name in ("ge", "gt", "le")}
    if get_origin(base) is Literal:
        return Kind("choice", choices=tuple(str(choice) for choice in get_args(base)))
    if base is str:
        return Kind("id" if constraints else "text")
    if attribute in ("from_day", "to_day"):
        return Kind("day")
    forms: dict[Any, Form] = {bool: "yes_no", int: "whole", float: "number", date: "date"}
    return Kind(forms[base], least=bounds["ge"], above=bounds["gt"], most=bounds["le"])


def _unwrap(annotation: Any, constraints: list[Any]) -> tuple[Any, list[Any]]:
    """Return the plain type under `Annotated` and `| None`, and every constraint met on the way."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *extra = get_args(annotation)
        for item in extra:
            constraints.extend(item.metadata if isinstance(item, FieldInfo) else [item])
        return _unwrap(base, constraints)
    if origin in (Union, types.UnionType):
        (present,) = (part for part in get_args(annotation) if part is not type(None))
        return _unwrap(present, constraints)
    return annotation, constraints


def _bound(constraints: list[Any], name: str) -> float | None:
    values = [getattr(constraint, name, None) for constraint in constraints]
    return next((value for value in values if value is not None), None)
