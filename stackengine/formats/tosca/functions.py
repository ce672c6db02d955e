"""TOSCA's functions to neutral expressions; 2.0 writes them with a dollar sign."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stackengine.formats.build import expression, text_of
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Call, Expr, List, Literal, Param

NAMES = ("get_input", "get_property", "get_attribute", "concat", "join", "token", "get_artifact", "get_operation_output", "get_nodes_of_type")


class Functions:
    """Recognises calls; ``nodes`` are the node templates, for get_property."""

    def __init__(self, nodes: Mapping[str, Node], dollar: bool, diagnostics: Diagnostics) -> None:
        self._nodes, self._dollar, self._diagnostics = nodes, dollar, diagnostics
        self._self = ""
        self._following: list[tuple[str, str]] = []
        self._table: dict[str, Callable[[Node, Node], Expr]] = {
            "get_input": self._get_input,
            "get_property": self._get_property,
            "get_attribute": self._get_attribute,
            "concat": self._concat,
            "join": self._join,
            "token": self._token,
        }

    def of(self, node: Node, itself: str = "") -> Expr:
        """The expression of ``node``, standing in node template ``itself``."""
        before, self._self = self._self, itself or self._self
        try:
            return expression(node, "core", self.read)
        finally:
            self._self = before

    def read(self, node: Node) -> Expr | None:
        """The call that ``node`` is, or None."""
        if node.kind != "map" or len(node.entries) != 1:
            return None
        key, argument = node.entries[0]
        name = key.text
        if self._dollar:
            if not name.startswith("$") or name.startswith("$$"):
                return None
            name = name[1:]
        if name not in NAMES:
            if self._dollar:
                self._diagnostics.error("S120", f"the function {name} is not known", key.mark, did_you_mean(name, NAMES))
                return Literal(None, node.mark)
            return None
        if name not in self._table:
            self._diagnostics.error("S121", f"the function {name} is not supported yet", key.mark)
            return Literal(None, node.mark)
        return self._table[name](node, argument)

    def _bad(self, call: Node, shape: str) -> Expr:
        self._diagnostics.error("S122", f"{call.entries[0][0].text} needs {shape}", call.mark)
        return Literal(None, call.mark)

    def _get_input(self, call: Node, arg: Node) -> Expr:
        if arg.kind == "scalar":
            return Param(arg.text, call.mark)
        if arg.kind == "list" and arg.items:
            return Call("dig", (Param(text_of(arg.items[0]), call.mark), List(tuple(self.of(i) for i in arg.items[1:]), arg.mark)), call.mark)
        return self._bad(call, "an input's name, or a list of a name and keys")

    def _target(self, node: Node) -> str:
        return self._self if node.text == "SELF" else node.text

    def _get_property(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) < 2 or any(i.kind != "scalar" for i in arg.items[:2]):
            return self._bad(call, "a list: a node (or SELF), a property, and keys into it")
        target, *path = self._target(arg.items[0]), *(i.text for i in arg.items[1:])
        node = self._nodes.get(target)
        if node is None:
            self._diagnostics.error("S123", f"there is no node template {target}", arg.mark, did_you_mean(target, self._nodes))
            return Literal(None, call.mark)
        found = _property(node, path)
        if found is None:
            self._diagnostics.error("S124", f"{target} has no property {'.'.join(path)}", arg.mark)
            return Literal(None, call.mark)
        if (target, ".".join(path)) in self._following:
            self._diagnostics.error("S125", f"the property {target}.{'.'.join(path)} refers to itself", call.mark)
            return Literal(None, call.mark)
        self._following.append((target, ".".join(path)))
        try:
            return self.of(found, target)
        finally:
            self._following.pop()

    def _get_attribute(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) < 2 or arg.items[0].kind != "scalar":
            return self._bad(call, "a list: a node (or SELF), an attribute, and keys into it")
        return Attr(self._target(arg.items[0]), tuple(self.of(i) for i in arg.items[1:]), call.mark)

    def _concat(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list":
            return self._bad(call, "a list")
        return Call("concat", tuple(self.of(i) for i in arg.items), call.mark)

    def _join(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) not in (1, 2):
            return self._bad(call, "a list: a list of texts, and perhaps a delimiter")
        delimiter = self.of(arg.items[1]) if len(arg.items) == 2 else Literal("", call.mark)
        return Call("join", (delimiter, self.of(arg.items[0])), call.mark)

    def _token(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) != 3:
            return self._bad(call, "a list: text, separators, index")
        return Call("token", tuple(self.of(i) for i in arg.items), call.mark)


def _property(node: Node, path: list[str]) -> Node | None:
    """A property of a node template, or of one of its capabilities."""
    for section in (node.get("properties"), node.get("capabilities")):
        found: Node | None = section
        for number, key in enumerate(path):
            found = found.get(key) if found is not None and found.kind == "map" else None
            if section is not None and section is node.get("capabilities") and number == 0 and found is not None:
                found = found.get("properties")
        if found is not None:
            return found
    return None
