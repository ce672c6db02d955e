"""What all three languages share: nodes to expressions with a table of functions, and checks of keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from stackengine.formats.scalars import Rules, value
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Entry, Expr, List, Literal, Map

FunctionReader = Callable[[Node], Expr | None]
"""The expression of a node that is a function call in the language, or None where it is plain data."""


def expression(node: Node, rules: Rules, function: FunctionReader) -> Expr:
    """``node`` with its functions recognised."""
    called = function(node)
    if called is not None:
        return called
    if node.kind == "scalar":
        return Literal(value(node, rules), node.mark)
    if node.kind == "list":
        return List(tuple(expression(i, rules, function) for i in node.items), node.mark)
    return Map(tuple(Entry(k.text, k.mark, expression(v, rules, function)) for k, v in node.entries), node.mark)


def plain(node: Node, rules: Rules) -> Any:
    """``node`` as JSON, no functions looked for."""
    if node.kind == "scalar":
        return value(node, rules)
    if node.kind == "list":
        return [plain(i, rules) for i in node.items]
    return {k.text: plain(v, rules) for k, v in node.entries}


def check_keys(
    node: Node, known: Collection[str], what: str, code: str, diagnostics: Diagnostics, elsewhere: Mapping[str, str] | None = None, unlike: str = ""
) -> None:
    """Report keys of a mapping that do not belong there; ``elsewhere`` says where some of them would, ``unlike`` is the hint for one (``{}``) like none."""
    for key in node.key_nodes():
        if key.text not in known:
            place = (elsewhere or {}).get(key.text)
            diagnostics.error(code, f"{what} has no key {key.text}", key.mark, place or did_you_mean(key.text, known) or unlike.replace("{}", key.text))


def as_map(node: Node | None, what: str, code: str, diagnostics: Diagnostics) -> Node | None:
    """``node`` if it is a mapping; anything else is reported (an empty value counts as an empty mapping)."""
    if node is None:
        return None
    if node.kind == "map":
        return node
    if node.kind == "scalar" and node.plain and node.text in ("", "~", "null"):
        return Node("map", node.mark)
    diagnostics.error(code, f"{what} must be a mapping", node.mark)
    return None


def text_of(node: Node | None) -> str:
    """The text of a scalar, or the empty string."""
    return node.text if node is not None and node.kind == "scalar" else ""
