"""Checks that every entity shares: is it a map, are its keys known in its version, is each of the right shape."""

from __future__ import annotations

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.keynames import MOVED, keys_of, known_keys, mandatory_keys, spelled
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.mark import Mark

Pairs = tuple[tuple[Node, Node], ...]

_SHAPES = {"s": "text", "m": "a map", "l": "a list", "b": "true or false", "n": "a list of names", "x": "text or a map"}
_BOOLEANS = ("true", "True", "TRUE", "false", "False", "FALSE")
"""Of YAML 1.2's core schema."""
_EXAMPLES = {"m": "one 'name: value' a line", "l": "one '- …' a line", "b": "without quotes", "n": "[one, other]"}


def is_null(node: Node) -> bool:
    """Whether a value is left empty, or null."""
    return node.kind == "scalar" and node.plain and node.text in ("", "~", "null", "Null", "NULL")


def is_false(node: Node) -> bool:
    """Whether a keyname's value is false; ``no`` and ``off``, which YAML 1.1 reads so, are told apart from true as well (1.x, with a warning)."""
    return node.kind == "scalar" and node.text.lower() in ("false", "no", "off")


def pairs(node: Node | None) -> Pairs:
    """The entries of a map; none for anything else."""
    return node.entries if node is not None else ()


def items(node: Node | None) -> tuple[Node, ...]:
    """The items of a list; none for anything else."""
    return node.items if node is not None else ()


def text(node: Node | None) -> str:
    """The text of a scalar; empty for anything else."""
    return node.text if node is not None and node.kind == "scalar" and not is_null(node) else ""


def names(node: Node | None) -> tuple[Node, ...]:
    """The scalars of a list; a single scalar stands for a list of one."""
    if node is None or is_null(node):
        return ()
    return tuple(i for i in node.items if i.kind == "scalar") if node.kind == "list" else (node,) if node.kind == "scalar" else ()


def as_pairs(node: Node | None) -> Pairs:
    """The entries of a map, or of a list of one-entry maps (requirements, policies)."""
    if node is None:
        return ()
    return node.entries if node.kind == "map" else tuple(e for i in node.items for e in i.entries)


class Reading:
    """Reports what is wrong with the grammar of one file of one version."""

    def __init__(self, version: str, diagnostics: Diagnostics) -> None:
        self.version, self.diagnostics = version, diagnostics

    @property
    def first(self) -> bool:
        """Whether it is a 1.x document."""
        return self.version != "2.0"

    def error(self, code: str, summary: str, mark: Mark, hint: str = "") -> None:
        """Report an error."""
        self.diagnostics.error(code, summary, mark, hint)

    def lenient(self, summary: str, mark: Mark, hint: str = "") -> None:
        """Accept what the specification does not, with a warning (S203); strict runs make an error of it."""
        self.diagnostics.warning("S203", summary, mark, hint)

    def get(self, node: Node, entity: str, key: str) -> Node | None:
        """The value of a key, by its 2.0 name; None where it is empty."""
        found = node.get(spelled(entity, key, self.version))
        return None if found is None or (is_null(found) and key not in ("default", "value")) else found

    def entity(
        self, node: Node, entity: str, what: str, mark: Mark | None = None, more: tuple[str, ...] = (), given: tuple[str, ...] = ()
    ) -> Node | None:
        """``node`` if it is a map; unknown and missing keys and wrong shapes are reported.

        ``more``: further keys that are fine here; ``given``: mandatory ones that something else gives.
        """
        body = self.mapping(node, what)
        if body is None:
            return None
        known = known_keys(entity, self.version)
        present = set()
        for key, value in body.entries:
            present.add(key.text)
            found = known.get(key.text)
            if found is not None:
                if found.shape == "s" and is_null(value) and (found.mandatory or (key.text == "derived_from" and not self.first)):
                    self.error("S200", f"{key.text} of {what} must be text, and it is empty", value.mark)
                elif found.shape and not self._fits(value, found.shape):
                    self._shape(key, value, found.shape, what)
            elif key.text not in more:
                self._unknown(key, entity, what)
        for name in mandatory_keys(entity, self.version):
            if name not in present and name not in given:
                self.error("S201", f"{what} has no {name}", mark or body.mark, f"{name} is mandatory here")
        return body

    def mapping(self, node: Node, what: str) -> Node | None:
        """``node`` if it is a map; empty values are empty maps, anything else is reported."""
        if node.kind == "map":
            return node
        if is_null(node):
            return Node("map", node.mark)
        if self.first and node.kind == "list" and not node.items:
            self.lenient(f"{what} should be a map, not an empty list", node.mark, "{}")
            return Node("map", node.mark)
        self.error("S200", f"{what} must be a map", node.mark)
        return None

    def section(self, body: Node | None, key: str, what: str) -> Pairs:
        """The entries of a map under ``key``; wrong shapes were reported with the entity."""
        found = body.get(key) if body is not None else None
        if found is not None and found.kind == "list" and all(i.kind == "map" for i in found.items) and found.items:
            self.lenient(f"{key} of {what} should be a map, not a list", found.mark)
            return as_pairs(found)
        return pairs(found)

    def _fits(self, value: Node, shape: str) -> bool:
        if is_null(value):
            return True
        match shape:
            case "s":
                return value.kind == "scalar" and (self.first or isinstance(scalar_value(value, "core"), str))
            case "m":
                return value.kind == "map"
            case "l":
                return value.kind == "list"
            case "b":
                return value.kind == "scalar" and value.text in _BOOLEANS and (value.plain or self.first)
            case "n":
                return value.kind == "list" and all(i.kind == "scalar" for i in value.items)
            case _:
                return value.kind in ("scalar", "map")

    def _shape(self, key: Node, value: Node, shape: str, what: str) -> None:
        loose = {"n": value.kind == "scalar", "l": value.kind == "map", "m": value.kind == "list" and all(i.kind == "map" for i in value.items) and value.items,
                 "b": value.kind == "scalar" and value.text.lower() in ("true", "false", "yes", "no", "on", "off")}  # fmt: skip
        if self.first and loose.get(shape):
            self.lenient(f"{key.text} of {what} should be {_SHAPES[shape]}", value.mark)
            return
        hint = f'put it into quotes: "{value.text}"' if shape == "s" and value.kind == "scalar" else _EXAMPLES.get(shape, "")
        self.error("S200", f"{key.text} of {what} must be {_SHAPES[shape]}", value.mark, hint)

    def _unknown(self, key: Node, entity: str, what: str) -> None:
        anywhere = keys_of(entity).get(key.text)
        if anywhere is None:
            hint = did_you_mean(key.text, known_keys(entity, self.version))
            if entity == "file" and key.text in known_keys("service template", self.version):
                hint = f"it stands under {'topology_template' if self.first else 'service_template'}"
            self.error("S102", f"{what} has no key {key.text}", key.mark, hint or f"it has {', '.join(known_keys(entity, self.version))}")
            return
        if anywhere.first > self.version:
            older = MOVED.get(key.text)
            hint = f"write {older}" if older and older in known_keys(entity, self.version) else f"this file says it is {self.version}"
            self.error("S202", f"{what} has the key {key.text} only since TOSCA {anywhere.first}", key.mark, hint)
            return
        newer = next((n for n, old in MOVED.items() if old == key.text and n in known_keys(entity, self.version)), "")
        hint = f"write {newer}" if newer else "remove it"
        self.error("S202", f"{what} has no key {key.text} since TOSCA {ORDER_AFTER[anywhere.last]}", key.mark, hint)


ORDER_AFTER = {"1.0": "1.1", "1.1": "1.2", "1.2": "1.3", "1.3": "2.0", "2.0": "2.0"}
