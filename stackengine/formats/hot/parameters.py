"""HOT parameters: types, defaults, constraints (heat, engine/hot/parameters.py and engine/constraints.py)."""

from __future__ import annotations

from typing import Any

from stackengine.formats.build import as_map, check_keys, plain, text_of
from stackengine.formats.hot import versions as since
from stackengine.formats.hot.constraints import Kinds, constraints
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Literal
from stackengine.model.template import Parameter

KEYS = ("type", "label", "description", "default", "hidden", "constraints", "immutable", "schema")
TYPES: dict[str, Any] = {"string": "string", "number": "number", "boolean": "boolean", "comma_delimited_list": "list", "json": "json"}
GROUP_KEYS = ("label", "description", "parameters")


def parameter(key: Node, node: Node, version: str, diagnostics: Diagnostics) -> Parameter:
    """One parameter; what is wrong with it is reported and left out."""
    body = as_map(node, f"parameter {key.text}", "H130", diagnostics)
    if body is None:
        return Parameter(key.text, mark=key.mark, rules="heat")
    known = (*KEYS, "tags") if version >= since.TAGS else KEYS
    check_keys(body, known, f"parameter {key.text}", "H131", diagnostics, {"tags": f"tags came with {since.TAGS}"})
    kind = _type(key, body, diagnostics)
    default = body.get("default")
    tags = body.get("tags")
    if tags is not None and tags.kind != "list":
        diagnostics.error("H129", f"parameter {key.text}: tags is a list", tags.mark)
    given = plain(default, "yaml11") if default is not None else None
    return Parameter(
        key.text, kind, Literal(given, default.mark) if default is not None and given is not None else None, text_of(body.get("description")),
        text_of(body.get("label")), _flag(body.get("hidden")), _flag(body.get("immutable")),
        constraints(key.text, body.get("constraints"), Kinds(kind, version), diagnostics), key.mark, rules="heat",
    )  # fmt: skip


def _type(key: Node, body: Node, diagnostics: Diagnostics) -> Any:
    node = body.get("type")
    written = text_of(node)
    if node is None or written not in TYPES:
        what = f"there is no parameter type {written}" if node is not None else "a parameter needs a type"
        mark = node.mark if node is not None else key.mark
        near = written.lower() if written.lower() in TYPES else ""
        hint = f"write {near} in lower case" if near else did_you_mean(written, TYPES) or ", ".join(TYPES)
        diagnostics.error("H132", f"parameter {key.text}: {what}", mark, hint)
    return TYPES.get(written.lower(), "string")


def _flag(node: Node | None) -> bool:
    return node is not None and node.kind == "scalar" and value(node, "yaml11") in (True, "true", "True")


def groups(node: Node | None, parameters: dict[str, Parameter], diagnostics: Diagnostics) -> tuple[dict[str, Any], ...]:
    """``parameter_groups``: each parameter is there, and in one group at most."""
    if node is None or (node.kind == "scalar" and value(node, "yaml11") is None):
        return ()
    if node.kind != "list":
        diagnostics.error("H145", "parameter_groups is a list", node.mark)
        return ()
    seen: dict[str, Node] = {}
    found = []
    for item in node.items:
        group = as_map(item, "a parameter group", "H145", diagnostics)
        if group is None:
            continue
        check_keys(group, GROUP_KEYS, "a parameter group", "H146", diagnostics)
        named = group.get("parameters")
        if named is None or named.kind != "list":
            diagnostics.error("H147", "a parameter group needs a list of parameters", (named or item).mark)
            continue
        for name in named.items:
            if name.kind != "scalar" or name.text not in parameters:
                diagnostics.error("H148", f"there is no parameter {text_of(name)} to be grouped", name.mark, did_you_mean(text_of(name), parameters))
            elif name.text in seen:
                diagnostics.error("H149", f"the parameter {name.text} is in two groups", name.mark, f"the first is in line {seen[name.text].mark.line}")
            seen[text_of(name)] = name
        found.append(plain(group, "yaml11"))
    return tuple(found)
