"""``Fn::ForEach``: one key of a mapping becomes many (AWS::LanguageExtensions).

``${Name}`` and ``&{Name}`` (letters and digits only) in keys and text, and ``Ref: Name``, become the item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from stackengine.formats.cfn.early import Early
from stackengine.formats.cfn.scalars import text_node
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics

PREFIX = "Fn::ForEach::"
SECTIONS = ("Conditions", "Resources", "Outputs")
_SHAPE = "Template error: every Fn::ForEach object requires a list of 3: the identifier, a collection, and a mapping with one key that holds the identifier"
MAX = 50_000
"""Keys that the loops of one template may make."""


class Loops:
    """Writes the loops of one template out."""

    def __init__(self, early: Early, diagnostics: Diagnostics) -> None:
        self._early, self._diagnostics = early, diagnostics
        self._made = 0
        self.unknown = False
        """Whether a loop was left out, because nobody can know yet over what it goes."""

    def section(self, node: Node) -> Node:
        """A section with its loops written out."""
        return self._node(node, {})

    def _node(self, node: Node, items: Mapping[str, str]) -> Node:
        if node.kind == "scalar":
            if items and node.tag == "!Ref" and node.text in items:
                return text_node(items[node.text], node.mark)
            return self._text(node, items) if items and ("${" in node.text or "&{" in node.text) else node
        if node.kind == "list":
            found = tuple(self._node(i, items) for i in node.items)
            return node if all(a is b for a, b in zip(found, node.items, strict=True)) else Node("list", node.mark, node.tag, items=found)
        if len(node.entries) == 1 and node.entries[0][0].text == "Ref" and node.entries[0][1].kind == "scalar" and node.entries[0][1].text in items:
            return text_node(items[node.entries[0][1].text], node.mark)
        made = tuple(self._entries(node, items))
        if len(made) == len(node.entries) and all(a[0] is b[0] and a[1] is b[1] for a, b in zip(made, node.entries, strict=True)):
            return node
        self._no_duplicates(made)
        return Node("map", node.mark, node.tag, entries=made)

    def _entries(self, node: Node, items: Mapping[str, str]) -> Iterator[tuple[Node, Node]]:
        for key, value in node.entries:
            if key.text.startswith(PREFIX):
                yield from self._loop(key, value, items)
            else:
                yield (self._text(key, items) if items and "{" in key.text else key), self._node(value, items)

    def _text(self, node: Node, items: Mapping[str, str]) -> Node:
        text = node.text
        for name, item in items.items():
            text = text.replace("${" + name + "}", item).replace("&{" + name + "}", re.sub(r"[^A-Za-z0-9]", "", item))
        return node if text == node.text else Node("scalar", node.mark, node.tag, text=text, plain=False)

    def _loop(self, key: Node, spec: Node, outer: Mapping[str, str]) -> Iterator[tuple[Node, Node]]:
        body = spec.items[2] if spec.kind == "list" and len(spec.items) == 3 else None
        if not re.fullmatch(r"[A-Za-z0-9]+", key.text.removeprefix(PREFIX).replace("&{", "").replace("${", "").replace("}", "")):
            self._diagnostics.error("C162", f"the name of a loop is letters and digits: {key.text}", key.mark)
        if body is None or spec.items[0].kind != "scalar" or body.kind != "map" or not body.entries:
            self._diagnostics.error("C162", _SHAPE, spec.mark)
            return
        identifier = spec.items[0].text
        if not re.fullmatch(r"[A-Za-z0-9]+", identifier):
            self._diagnostics.error("C162", f"the identifier of a loop is letters and digits: {identifier}", spec.items[0].mark)
            return
        inner = [k for k in body.key_nodes() if not k.text.startswith(PREFIX)]
        for found in inner:
            if "{" + identifier + "}" not in found.text:
                hint = f"for example {found.text}${{{identifier}}}"
                self._diagnostics.error("C162", f"Template error: the key {found.text} of {key.text} must hold the identifier {identifier}", found.mark, hint)
                return
        collection = self._node(spec.items[1], outer)
        values = self._early.items(collection)
        if values is None:
            self._not_known(key, collection)
            return
        for value in dict.fromkeys(values):
            self._made += 1
            if self._made > MAX:
                self._diagnostics.error("C162", f"the loops of this template make more than {MAX} keys", key.mark)
                return
            yield from self._entries(body, {**outer, identifier: value})

    def _not_known(self, key: Node, collection: Node) -> None:
        self.unknown = True
        if not self._early.waits_for(collection):
            hint = "a list, a parameter that is a list, or a value of a mapping"
            self._diagnostics.error("C166", f"the collection of {key.text} cannot be known before resources are made", collection.mark, hint)

    def _no_duplicates(self, made: tuple[tuple[Node, Node], ...]) -> None:
        seen: set[str] = set()
        for key, _ in made:
            if key.text in seen:
                self._diagnostics.error("C165", f"a loop makes the key {key.text} twice", key.mark, "the key must hold the identifier of every loop around it")
            seen.add(key.text)
