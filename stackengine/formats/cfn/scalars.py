"""What a plain scalar is in CloudFormation, and fragments as plain data."""

from __future__ import annotations

from typing import Any

from stackengine.formats import scalars
from stackengine.formats.tree import Node
from stackengine.model.mark import Mark

FAULTY_TAG = "!stackengine-faulty"
"""The tag of what stands for a fragment that could not be had, which is reported."""


def scalar(node: Node) -> Any:
    """YAML 1.1's typed value, but a number that would be written in another way stays the text that the author wrote.

    CloudFormation hands values on as text, so ``0755``, ``1.10`` and ``1e3`` must not become ``493``, ``1.1`` and ``1000.0``; dates are text.
    """
    found = scalars.value(node, "yaml11")
    if isinstance(found, (int, float)) and not isinstance(found, bool) and str(found) != node.text:
        return node.text
    return found


def text_form(value: Any) -> str:
    """How CloudFormation writes a scalar as text: booleans in lower case."""
    return ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)


def as_text(node: Node) -> str:
    """The text of a scalar node where CloudFormation wants text."""
    return text_form(scalar(node))


def data(node: Node) -> Any:
    """``node`` as JSON, short forms of functions written out, as a macro sees it."""
    if node.tag:
        name = node.tag.removeprefix("!")
        inner = data(untagged(node))
        if name == "GetAtt" and isinstance(inner, str) and "." in inner:
            inner = list(inner.split(".", 1))
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": inner}
    if node.kind == "scalar":
        return scalar(node)
    if node.kind == "list":
        return [data(i) for i in node.items]
    return {k.text: data(v) for k, v in node.entries}


def untagged(node: Node) -> Node:
    """``node`` without its tag: the argument of a function in short form."""
    return Node(node.kind, node.mark, "", node.entries, node.items, node.text, node.plain)


def node_of(value: Any, mark: Mark) -> Node:
    """JSON as a node, all of it at one place."""
    if isinstance(value, dict):
        return Node("map", mark, entries=tuple((text_node(str(k), mark), node_of(v, mark)) for k, v in value.items()))
    if isinstance(value, list):
        return Node("list", mark, items=tuple(node_of(v, mark) for v in value))
    if isinstance(value, str):
        return text_node(value, mark)
    return Node("scalar", mark, text="null" if value is None else text_form(value))


def text_node(text: str, mark: Mark) -> Node:
    """A scalar that is text whatever it looks like."""
    return Node("scalar", mark, text=text, plain=False)
