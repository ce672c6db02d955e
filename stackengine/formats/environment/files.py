"""Environment files, read in the order in which they are given (heat, common/environment_format.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stackengine.formats.build import plain
from stackengine.formats.environment.types import Types
from stackengine.formats.nesting import type_names
from stackengine.formats.scalars import value
from stackengine.formats.tree import Node, compose
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.mark import Mark

SECTIONS = ("parameters", "parameter_defaults", "resource_registry", "parameter_merge_strategies", "encrypted_param_names", "event_sinks")
STRATEGIES = ("overwrite", "merge", "deep_merge")


@dataclass(frozen=True, slots=True)
class Layer:
    """What one file says of parameters."""

    file: str
    parameters: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    strategies: dict[str, str] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    """Where each value stands, by parameter."""


@dataclass(slots=True)
class EnvironmentFiles:
    """All files of one request."""

    layers: list[Layer] = field(default_factory=list)
    types: Types = field(default_factory=Types)
    secret: set[str] = field(default_factory=set)
    """Parameters whose values are secrets (``encrypted_param_names``)."""


def read(files: Sequence[tuple[str, str]], diagnostics: Diagnostics) -> EnvironmentFiles:
    """The environment in ``files``: (name, text) each."""
    found = EnvironmentFiles()
    for name, text in files:
        root = compose(text, name, diagnostics)
        if root is None:
            continue
        if root.kind != "map":
            diagnostics.error("E101", "an environment file is a mapping", root.mark, ", ".join(SECTIONS))
            continue
        _File(name, found, diagnostics).read(root)
    return found


class _File:
    """Reads one file into what was read before."""

    def __init__(self, name: str, into: EnvironmentFiles, diagnostics: Diagnostics) -> None:
        self._name, self._into, self._diagnostics = name, into, diagnostics

    def read(self, root: Node) -> None:
        """Every section, in any order."""
        layer = Layer(self._name)
        sections: dict[str, Callable[[Node, Node], None]] = {
            "parameters": lambda _key, node: self._values(node, "parameters", layer.parameters, layer.marks),
            "parameter_defaults": lambda _key, node: self._values(node, "parameter_defaults", layer.defaults, layer.marks),
            "parameter_merge_strategies": lambda _key, node: self._strategies(node, layer),
            "resource_registry": lambda _key, node: self._registry(node),
            "encrypted_param_names": lambda _key, node: self._secret(node),
            "event_sinks": lambda key, _node: self._diagnostics.notice("E109", "event_sinks has no effect: events stay in the stack's own log", key.mark),
        }
        for key, node in root.entries:
            reader = sections.get(key.text)
            if reader is None:
                hint = did_you_mean(key.text, SECTIONS) or ", ".join(SECTIONS)
                self._diagnostics.error("E103", f"an environment file has no section {key.text}", key.mark, hint)
            elif node.kind == "scalar" and value(node, "yaml11") is None:
                self._diagnostics.error("E104", f"the section {key.text} is empty", key.mark, "leave it out, or write {}")
            else:
                reader(key, node)
        self._into.layers.append(layer)

    def _map(self, node: Node, what: str) -> Node | None:
        if node.kind == "map":
            return node
        self._diagnostics.error("E105", f"{what} must be a mapping", node.mark)
        return None

    def _values(self, node: Node, what: str, into: dict[str, Any], marks: dict[str, Mark]) -> None:
        for key, given in node.entries if self._map(node, what) else ():
            into[key.text] = plain(given, "yaml11")
            self._into.types.mentioned.update(type_names(into[key.text]))
            marks[key.text] = key.mark

    def _strategies(self, node: Node, layer: Layer) -> None:
        for key, given in node.entries if self._map(node, "parameter_merge_strategies") else ():
            if given.kind == "scalar" and given.text in STRATEGIES:
                layer.strategies[key.text] = given.text
            else:
                hint = did_you_mean(given.text, STRATEGIES) or ", ".join(STRATEGIES)
                self._diagnostics.error("E106", f"there is no merge strategy {given.text or 'like this'}", given.mark, hint)

    def _registry(self, node: Node) -> None:
        if self._map(node, "resource_registry"):
            self._into.types.read(node, self._name, self._diagnostics)

    def _secret(self, node: Node) -> None:
        if node.kind != "list" or any(i.kind != "scalar" for i in node.items):
            self._diagnostics.error("E105", "encrypted_param_names is a list of parameters", node.mark)
            return
        self._into.secret.update(i.text for i in node.items)
