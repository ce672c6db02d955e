"""Checking JSON documents of the command line against the schemas that come with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

import stackengine.cli

SCHEMAS = Path(stackengine.cli.__file__).parent / "schemas"


def schema(kind: str) -> dict[str, Any]:
    return json.loads((SCHEMAS / f"{kind}.json").read_text())


def check(document: Any) -> dict[str, Any]:
    """The document, which is what its schema says and has no member that the schema does not describe."""
    wanted = schema(document["kind"])
    jsonschema.validate(document, wanted, cls=jsonschema.Draft202012Validator)
    assert list(undescribed(wanted, document, wanted)) == []
    return document


def undescribed(of: dict[str, Any], value: Any, root: dict[str, Any], where: str = "") -> Iterator[str]:
    """Members that no schema describes."""
    if "$ref" in of:
        of = root["$defs"][of["$ref"].rpartition("/")[2]]
    for branch in of.get("anyOf", ()):
        if branch != {"type": "null"}:
            yield from undescribed(branch, value, root, where) if value is not None else ()
    if isinstance(value, dict) and "properties" in of:
        for key, member in value.items():
            if key not in of["properties"]:
                yield f"{where}.{key}"
            else:
                yield from undescribed(of["properties"][key], member, root, f"{where}.{key}")
    elif isinstance(value, dict) and isinstance(of.get("additionalProperties"), dict):
        for key, member in value.items():
            yield from undescribed(of["additionalProperties"], member, root, f"{where}.{key}")
    elif isinstance(value, list) and "items" in of:
        for i, member in enumerate(value):
            yield from undescribed(of["items"], member, root, f"{where}[{i}]")
