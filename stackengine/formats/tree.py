"""The located reader: YAML and JSON text as a tree whose every node knows its place and its lexeme.

Values are not typed here: ``22.04``, ``0755``, ``on`` and ``2012-10-17`` keep their lexeme, and each language's own scalar rules
(:mod:`stackengine.formats.scalars`) say what they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark

MAX_BYTES = 8 << 20
MAX_DEPTH = 120
MAX_NODES = 600_000


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping, a sequence or a scalar; ``tag`` is an explicit tag (``!Ref``) or empty."""

    kind: Literal["map", "list", "scalar"]
    mark: Mark
    tag: str = ""
    entries: tuple[tuple[Node, Node], ...] = ()
    """map: (key, value) pairs in order, keys being scalars."""
    items: tuple[Node, ...] = ()
    text: str = ""
    """scalar: the lexeme of a plain scalar, the content of a quoted or block one."""
    plain: bool = True
    """scalar: neither quoted nor a block."""

    def get(self, key: str) -> Node | None:
        """The value of ``key`` in a mapping."""
        return next((v for k, v in self.entries if k.text == key), None)

    def key_nodes(self) -> Iterator[Node]:
        """The keys of a mapping."""
        return (k for k, _ in self.entries)


class _Limit(Exception):
    """A limit of the reader is reached."""

    def __init__(self, code: str, summary: str, mark: Mark) -> None:
        super().__init__(summary)
        self.code, self.mark = code, mark


def compose(text: str, name: str, diagnostics: Diagnostics) -> Node | None:
    """The tree of one document; None when ``diagnostics`` got an error."""
    if len(text) > MAX_BYTES:
        diagnostics.error("T105", f"the file is larger than {MAX_BYTES >> 20} MiB", Mark(name, 1, 1, 1, 1))
        return None
    deep = _too_deep(text)
    if deep:
        diagnostics.error("T106", f"nested more than {MAX_DEPTH} levels deep", Mark(name, deep, 1, deep, 1))
        return None
    root = _compose(text, name, diagnostics)
    if root is None:
        return None
    before = len(diagnostics.errors)
    try:
        node = _Converter(name, diagnostics).convert(root, 0)
    except _Limit as limit:
        diagnostics.error(limit.code, str(limit), limit.mark)
        return None
    return node if len(diagnostics.errors) == before else None


def _too_deep(text: str) -> int:
    """The first line whose nesting may exceed what the parser's own recursion stands, or 0."""
    level, line = 0, 1
    for match in re.finditer(r"[\[{\]}\n]|^(?:\s*[-?:] ?){60,}|^ {2000,}", text, re.MULTILINE):
        found = match.group()
        if found == "\n":
            line += 1
        elif found in "[{":
            level += 1
            if level > 8 * MAX_DEPTH:
                return line
        elif found in "]}":
            level = max(0, level - 1)
        else:
            return line
    return 0


@lru_cache(maxsize=1)
def _loader() -> Any:
    """The parser, without the resolver that guesses a type for every scalar: that is for each language to say."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    quick = {
        "resolve": lambda _self, _kind, _value, _implicit: "tag:yaml.org,2002:str",
        "descend_resolver": lambda _self, _node, _index: None,
        "ascend_resolver": lambda _self: None,
    }
    return type("Loader", (base,), quick)


def _compose(text: str, name: str, diagnostics: Diagnostics) -> Any:
    import yaml

    try:
        documents = list(yaml.compose_all(text, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(name, place.line + 1, place.column + 1, place.line + 1, place.column + 2) if place else Mark(name, 1, 1, 1, 1)
        hint = "YAML wants spaces here, not tabs" if "\\t" in str(error.problem) or "cannot start any token" in str(error.problem) else str(error.context or "")
        diagnostics.error("T101", f"this is not valid YAML: {error.problem}", mark, hint)
        return None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        diagnostics.error("T101", f"this is not valid YAML: {error}".splitlines()[0], Mark(name, 1, 1, 1, 1))
        return None
    real = [d for d in documents if d is not None]
    if not real:
        diagnostics.error("T102", "the file is empty", Mark(name, 1, 1, 1, 1))
        return None
    if len(documents) > 1:
        place = documents[1].start_mark if documents[1] is not None else real[0].end_mark
        diagnostics.error("T103", "the file has more than one YAML document", Mark(name, place.line + 1, place.column + 1, place.line + 1, 1))
        return None
    return real[0]


class _Converter:
    """Turns the parser's nodes into ours, counting."""

    def __init__(self, name: str, diagnostics: Diagnostics) -> None:
        self._name, self._diagnostics, self._count = name, diagnostics, 0

    def _mark(self, node: Any) -> Mark:
        a, b = node.start_mark, node.end_mark
        return tuple.__new__(Mark, (self._name, a.line + 1, a.column + 1, b.line + 1, b.column + 1))

    def convert(self, node: Any, depth: int) -> Node:
        """One node and everything below it; aliases are followed, and what they expand to counts."""
        self._count += 1
        if self._count > MAX_NODES:
            raise _Limit("T107", f"more than {MAX_NODES} nodes (do aliases multiply?)", self._mark(node))
        if depth > MAX_DEPTH:
            raise _Limit("T106", f"nested more than {MAX_DEPTH} levels deep", self._mark(node))
        tag = node.tag if node.tag and not node.tag.startswith("tag:yaml.org") else ""
        if node.id == "scalar":
            return Node("scalar", self._mark(node), tag, text=node.value, plain=node.style is None or node.style == "")
        if node.id == "sequence":
            return Node("list", self._mark(node), tag, items=tuple(self.convert(i, depth + 1) for i in node.value))
        return Node("map", self._mark(node), tag, entries=self._entries(node, depth))

    def _entries(self, node: Any, depth: int) -> tuple[tuple[Node, Node], ...]:
        entries: list[tuple[Node, Node]] = []
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.id != "scalar":
                self._diagnostics.error("T108", "a key must be plain text", self._mark(key))
                continue
            if key.value == "<<" and key.style is None:
                entries.extend(self._merged(value, depth))
                continue
            if key.value in seen:
                self._diagnostics.error("T104", f"the key {key.value} is here twice", self._mark(key), f"the first is in line {seen[key.value]}")
                continue
            seen[key.value] = key.start_mark.line + 1
            entries.append((self.convert(key, depth + 1), self.convert(value, depth + 1)))
        explicit = {k.text for k, _ in entries if k.text in seen}
        return tuple((k, v) for k, v in entries if k.text in seen or k.text not in explicit)

    def _merged(self, value: Any, depth: int) -> Iterator[tuple[Node, Node]]:
        """YAML 1.1 merge keys; what stands here itself wins."""
        for part in value.value if value.id == "sequence" else [value]:
            if part.id != "mapping":
                self._diagnostics.error("T109", "'<<' merges mappings only", self._mark(part))
                continue
            yield from self.convert(part, depth + 1).entries
