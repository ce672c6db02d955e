"""Constraint clauses (1.x) and validation clauses (2.0) as rules of :mod:`semantics`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stackengine.formats.build import plain
from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca import semantics
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.reading import items, pairs
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.mark import Mark

QUERIES = ("get_input", "get_property", "get_attribute", "get_artifact", "node_index", "relationship_index", "available_allocation")
FIRST_ONLY = ("get_operation_output", "get_nodes_of_type")
CLAUSES = {
    "equal": "equal", "greater_than": "greater_than", "greater_or_equal": "greater_or_equal", "less_than": "less_than", "less_or_equal": "less_or_equal",
    "in_range": "in_range", "valid_values": "valid_values", "pattern": "matches", "schema": "schema",
}  # fmt: skip
_LENGTHS = {"length": "equal", "min_length": "greater_or_equal", "max_length": "less_or_equal"}
CLAUSE_NAMES = (*CLAUSES, *_LENGTHS)
_WORDS = {"equal": "be", "greater_than": "be greater than", "greater_or_equal": "be at least", "less_than": "be less than", "less_or_equal": "be at most",
          "in_range": "be in", "valid_values": "be one of", "pattern": "match", "matches": "match", "length": "have the length",
          "min_length": "have at least the length", "max_length": "have at most the length"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule about a value."""

    tree: list[Any]
    words: str
    """What must hold, for people."""
    mark: Mark
    given: tuple[Node, ...] = ()
    """Functions inside whose values the template gives."""


def constraints(node: Node | None, document: Document) -> tuple[Rule, ...]:
    """The rules of a 1.x ``constraints`` list."""
    if node is None:
        return ()
    found = []
    for item in items(node) if node.kind == "list" else (node,):
        if item.kind != "map" or not item.entries:
            document.reading.error("S238", "a constraint is a map such as {max_length: 8}", item.mark)
            continue
        found += [r for key, value in item.entries if (r := clause(key, value, document)) is not None]
    return tuple(found)


def clause(key: Node, value: Node, document: Document) -> Rule | None:
    """The rule of one clause, ``{in_range: [1, 4]}``."""
    name = key.text
    if name not in CLAUSE_NAMES:
        document.reading.error("S238", f"there is no constraint {name}", key.mark, did_you_mean(name, CLAUSE_NAMES))
        return None
    if name == "schema":
        return None
    if name in ("in_range", "valid_values") and value.kind != "list":
        if name == "valid_values" or not _is_call(value):
            document.reading.error("S238", f"{name} needs a list", value.mark)
        return None
    if name == "in_range" and len(value.items) != 2:
        document.reading.error("S238", "in_range needs a lower and an upper bound", value.mark, "[1, UNBOUNDED], for example")
        return None
    if name in _LENGTHS and not isinstance(scalar_value(value, "core") if value.kind == "scalar" else None, int):
        document.reading.error("S238", f"{name} needs a whole number", value.mark)
        return None
    given: list[Node] = []
    operand = _operand(value, given)
    if name == "in_range" and _is_empty(operand):
        document.reading.error("S238", f"no value is in the range {_shown(value)}", value.mark, "the lower bound comes first")
        return None
    words = f"{_WORDS[name]} {_shown(value)}"
    if name in _LENGTHS:
        return Rule(["call", _LENGTHS[name], ["call", "length", ["value"]], operand], words, key.mark, tuple(given))
    if name == "pattern":
        operand = ["literal", rf"\A(?:{value.text})\Z"] if value.kind == "scalar" else operand
        fault = _pattern_fault(value.text)
        if fault:
            document.reading.error("S238", f"the pattern is no regular expression: {fault}", value.mark)
            return None
    return Rule(["call", CLAUSES[name], ["value"], operand], words, key.mark, tuple(given))


def _pattern_fault(pattern: str) -> str:
    try:
        semantics.call("matches", ["", pattern])
    except ValueError as error:
        return str(error)
    return ""


def _is_call(node: Node) -> bool:
    return node.kind == "map" and len(node.entries) == 1 and node.entries[0][0].text in ("get_input", "get_property", "get_attribute")


def _operand(node: Node, given: list[Node]) -> list[Any]:
    if _is_call(node):
        given.append(node)
        return ["given", len(given) - 1]
    if node.kind == "list":
        return ["list", *(_operand(i, given) for i in node.items)]
    return ["literal", plain(node, "core")]


def _is_empty(bounds: list[Any]) -> bool:
    """Whether the lower of two bounds that are written as numbers is above the upper one."""
    if bounds[0] != "list" or len(bounds) != 3:
        return False
    low, high = (b[1] if b[0] == "literal" else None for b in bounds[1:])
    return isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high


def _shown(node: Node) -> str:
    if node.kind == "scalar":
        return node.text
    if node.kind == "list":
        return f"[{', '.join(map(_shown, node.items))}]"
    return f"{{{', '.join(f'{k.text}: {_shown(v)}' for k, v in node.entries)}}}"


def validation(node: Node | None, document: Document) -> tuple[Rule, ...]:
    """The rules of a 2.0 ``validation`` clause, or of another condition clause."""
    if node is None:
        return ()
    reader = _Clause(document)
    tree = reader.tree(node)
    if tree is None:
        return ()
    if tree[0] == "call" and tree[1] not in semantics.BOOLEAN:
        document.reading.error("S238", f"a condition must be true or false, which ${tree[1]} does not give", node.mark)
        return ()
    if tree[0] == "list" or (tree[0] == "literal" and not isinstance(tree[1], bool)):
        document.reading.error("S238", "a condition is a boolean function, such as {$less_than: [$value, 5]}", node.mark)
        return ()
    return (Rule(tree, f"satisfy {_shown(node)}", node.mark, tuple(reader.given)),)


class _Clause:
    """Reads one 2.0 condition."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.given: list[Node] = []

    def tree(self, node: Node) -> list[Any] | None:
        """The rule; None where it is wrong, which is reported."""
        if node.kind == "scalar":
            if node.text.startswith("$$"):
                return ["literal", node.text[1:]]
            if node.text == "$value":
                return ["value"]
            if node.text.startswith("$"):
                return self._query(node.text[1:], node)
            return ["literal", plain(node, "core")]
        if node.kind == "list":
            found = [self.tree(i) for i in node.items]
            return None if any(f is None for f in found) else ["list", *found]
        calls = [k for k in node.key_nodes() if k.text.startswith("$") and not k.text.startswith("$$")]
        if not calls:
            return ["literal", plain(node, "core")]
        if len(node.entries) != 1:
            self._document.reading.error("S241", f"{calls[0].text} is a function, and a function stands alone in its map", calls[0].mark)
            return None
        return self._call(*node.entries[0], node)

    def _call(self, key: Node, value: Node, node: Node) -> list[Any] | None:
        name = key.text[1:].split("$")[0]
        if name == "value":
            path = [plain(i, "core") for i in value.items] if value.kind == "list" else []
            return ["value", *path]
        if name not in semantics.FUNCTIONS:
            return self._query(name, node)
        args = [self.tree(i) for i in (value.items if value.kind == "list" else (value,))]
        if any(a is None for a in args):
            return None
        _, least, most = semantics.FUNCTIONS[name]
        if len(args) < least or (most is not None and len(args) > most):
            self._document.reading.error("S241", f"{key.text} takes {semantics.arity(least, most)}, not {len(args)}", value.mark)
            return None
        if name == "in_range" and args[1] is not None and args[1][0] == "list" and len(args[1]) != 3:
            self._document.reading.error("S238", "$in_range needs a lower and an upper bound", value.mark, "[1, 4], for example")
            return None
        if name == "in_range" and args[1] is not None and _is_empty(args[1]):
            problem = "no value is in this range: its lower bound is above the upper one"
            self._document.reading.error("S238", problem, value.mark, "the lower bound comes first")
            return None
        pattern = args[1] if name == "matches" else None
        fault = _pattern_fault(str(pattern[1])) if pattern is not None and pattern[0] == "literal" else ""
        if fault:
            self._document.reading.error("S238", f"the pattern is no regular expression: {fault}", value.mark)
            return None
        return ["call", name, *args]

    def _query(self, name: str, node: Node) -> list[Any] | None:
        if name not in QUERIES and self._document.function(name) is None:
            known = [f"${n}" for n in (*QUERIES, *semantics.FUNCTIONS, "value")]
            self._document.reading.error("S240", f"there is no function ${name}", node.mark, did_you_mean(f"${name}", known))
            return None
        self.given.append(node)
        return ["given", len(self.given) - 1]


def rules_of(body: Node, document: Document) -> tuple[Rule, ...]:
    """The rules that an entity has, in its version's way."""
    if document.reading.first:
        return constraints(body.get("constraints"), document)
    return validation(body.get("validation"), document)


def no_functions(node: Node) -> bool:
    """Whether there is no function anywhere in a 2.0 value."""
    if node.kind == "scalar":
        return not (node.plain and node.text.startswith("$") and not node.text.startswith("$$"))
    if node.kind == "list":
        return all(map(no_functions, node.items))
    return all(not k.text.startswith("$") and no_functions(v) for k, v in pairs(node))
