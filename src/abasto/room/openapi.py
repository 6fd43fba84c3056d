"""The OpenAPI document of the room, from the list of its operations."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from abasto.room.api import Operation, Problem

__all__ = ["document"]

PLACE = "#/components/schemas/{model}"
PROBLEMS = {
    "400": "It cannot be done as asked; `error` says why.",
    "401": "Nobody is known by this token or session.",
    "403": "Whoever asks may not do this (any more).",
    "413": "The body is larger than what is taken.",
    "422": "The body is not of its model; `error` names the field.",
    "429": "Too many calls; wait as long as Retry-After says.",
    "503": "The journal can be neither read nor written just now; try again.",
}


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the document that describes the operations, in OpenAPI 3.1."""
    models = {model for one in operations for model in (one.body, one.answer) if model is not None} | {Problem}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=PLACE)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Abasto", "version": version("abasto"), "description": "The operations room, for programs."},
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "phone": {"type": "http", "scheme": "bearer"},
                "desk": {"type": "apiKey", "in": "cookie", "name": "abasto"},
            },
        },
    }


def _described(one: Operation) -> dict[str, Any]:
    fine = {"description": "Done."} | ({"content": _json(one.answer.__name__)} if one.answer is not None else {})
    answers = {"200": fine} | {
        # What a server in between may say without our words is described without them.
        code: {"description": words} | ({"content": _json("Problem")} if code not in ("413", "429") else {})
        for code, words in PROBLEMS.items()
    }
    described: dict[str, Any] = {
        "summary": one.summary,
        "operationId": re.sub(r"[^a-z]+", "_", f"{one.method.lower()}{one.path.removeprefix('/api')}").strip("_"),
        "responses": answers,
        "security": []
        if one.who == "anybody"
        else [{"phone": []}, {"desk": []}]
        if one.who == "phone"
        else [{"desk": []}],
    }
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", one.path)
    ]
    in_query = [
        {"name": name, "in": "query", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in one.query
    ]
    if in_path or in_query:
        described["parameters"] = in_path + in_query
    if one.body is not None:
        described["requestBody"] = {"required": True, "content": _json(one.body.__name__)}
    return described


def _json(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": PLACE.format(model=model)}}}
