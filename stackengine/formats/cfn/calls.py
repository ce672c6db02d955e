"""What a node is before it is read: the call of a function, or what may stand where one may."""

from __future__ import annotations

from stackengine.formats.tree import Node


def called(node: Node) -> str | None:
    """The name of the function that a node calls, or None."""
    if node.tag:
        name = node.tag.removeprefix("!")
        return name if name in ("Ref", "Condition") else f"Fn::{name}"
    if node.kind == "map" and len(node.entries) == 1:
        name = node.entries[0][0].text
        return name if name == "Ref" or name.startswith("Fn::") else None
    return None


def text_or_call(node: Node) -> bool:
    """Whether it is text, or a function that may give one."""
    return node.kind == "scalar" or called(node) is not None


def list_or_call(node: Node) -> bool:
    """Whether it is a list, or a function that may give one."""
    return node.kind == "list" or called(node) is not None


def condition_or_call(node: Node) -> bool:
    """Whether it is ``{Condition: NAME}``, or a function that may give a boolean."""
    if node.tag:
        return True
    return node.kind == "map" and len(node.entries) == 1 and (node.entries[0][0].text == "Condition" or node.entries[0][0].text.startswith("Fn::"))


def pair(node: Node) -> tuple[Node, Node] | None:
    """The two items of a list of two."""
    return (node.items[0], node.items[1]) if node.kind == "list" and not node.tag and len(node.items) == 2 else None
