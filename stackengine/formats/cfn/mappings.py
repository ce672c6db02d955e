"""The section Mappings: two levels of names, then a text or a list."""

from __future__ import annotations

from typing import Any

from stackengine.formats.cfn.functions import called
from stackengine.formats.cfn.names import entries
from stackengine.formats.cfn.scalars import scalar
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics


def mappings(node: Node | None, diagnostics: Diagnostics) -> dict[str, Any]:
    """The mappings as plain data; what is wrong is reported."""
    return {k.text: _mapping(k, v, diagnostics) for k, v in entries(node)}


def _mapping(key: Node, node: Node, diagnostics: Diagnostics) -> dict[str, Any] | None:
    if node.kind != "map" or node.tag:
        diagnostics.error("C119", f"Template format error: Every Mappings member {key.text} must be a map", node.mark, "a mapping has two levels of names")
        return None
    found: dict[str, Any] = {}
    for top, attributes in node.entries:
        if attributes.kind != "map" or attributes.tag or called(attributes):
            diagnostics.error(
                "C119",
                f"Template format error: Every Mappings member {key.text}.{top.text} must be a map",
                attributes.mark,
                "a mapping has two levels of names",
            )
            continue
        found[top.text] = {n.text: _attribute(v, diagnostics) for n, v in attributes.entries}
    return found


def _attribute(node: Node, diagnostics: Diagnostics) -> Any:
    if node.tag or node.kind == "map":
        hint = "functions are not allowed in Mappings" if called(node) else "a third level of names is not allowed"
        diagnostics.error("C119", "Template format error: Every Mappings attribute must be a String or a List.", node.mark, hint)
        return None
    if node.kind == "list":
        return [_attribute(i, diagnostics) for i in node.items]
    return scalar(node)
