"""The located reader: YAML and JSON text as a tree whose every node knows its place and its lexeme.

Values are not typed here: ``22.04``, ``0755``, ``on`` and ``2012-10-17`` keep their lexeme, and each language's own scalar rules
(:mod:`stackengine.formats.scalars`) say what they are. Time and memory are bounded by the limits below; whatever the text is, the result is a
tree or diagnostics:

T101 not valid YAML, T102 empty, T103 several documents, T104 a key twice, T105 too large, T106 too deep, T107 too many nodes (aliases count as
what they stand for), T108 a key that is no text, T109 a merge of something else than mappings, T112 not valid JSON, T113 text that is not Unicode,
T114 an alias of nothing or of itself, T115 a tag that means nothing here, T116 no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark

MAX_BYTES = 8 << 20
MAX_DEPTH = 120
MAX_NODES = 600_000
_FEW = 8
"""Keys up to which looking one up needs no table."""


@dataclass(slots=True, eq=False)
class Node:
    """A mapping, a sequence or a scalar; ``tag`` is an explicit tag (``!Ref``) or empty. Never changed once it is made; equal only to itself."""

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
    json: bool = False
    """scalar: from JSON text, so that JSON says what it is."""
    _table: dict[str, Node] | None = None

    def get(self, key: str) -> Node | None:
        """The value of ``key`` in a mapping."""
        if len(self.entries) <= _FEW:
            for name, value in self.entries:
                if name.text == key:
                    return value
            return None
        if self._table is None:
            self._table = {k.text: v for k, v in reversed(self.entries)}
        return self._table.get(key)

    def key_nodes(self) -> Iterator[Node]:
        """The keys of a mapping."""
        return (k for k, _ in self.entries)


class LimitError(Exception):
    """A limit of the reader is reached."""

    def __init__(self, code: str, summary: str, mark: Mark) -> None:
        super().__init__(summary)
        self.code, self.mark = code, mark


def compose(text: str, name: str, diagnostics: Diagnostics, tagged: list[Node] | None = None, *, any_keys: bool = False) -> Node | None:
    """The tree of one document; None when ``diagnostics`` got an error. Nodes with a tag are added to ``tagged``.

    ``any_keys``: keys may be lists and maps (TOSCA 2.0); such a key is a scalar with the text of its flow form, and has its items or entries.
    """
    from stackengine.formats import json_reader, yaml_reader

    start = Mark(name, 1, 1, 1, 1)
    if len(text) > MAX_BYTES:
        diagnostics.error("T105", f"the file is larger than {MAX_BYTES >> 20} MiB", start)
        return None
    before = len(diagnostics.errors)
    try:
        if json_reader.looks_like_json(text, name):
            root = json_reader.read(text, name, diagnostics)
        else:
            root = yaml_reader.read(text, name, diagnostics, [] if tagged is None else tagged, any_keys=any_keys)
    except LimitError as limit:
        diagnostics.error(limit.code, str(limit), limit.mark)
        return None
    return root if len(diagnostics.errors) == before else None


def mapping_entries(pairs: list[Node], diagnostics: Diagnostics, *, any_keys: bool = False) -> tuple[tuple[Node, Node], ...]:
    """(key, value) pairs of ``[key, value, key, value, …]``; a key that is here twice, or no text, is reported and left out."""
    entries: list[tuple[Node, Node]] = []
    seen: dict[str, Node] = {}
    merges: list[Node] = []
    for position in range(0, len(pairs), 2):
        key, value = pairs[position], pairs[position + 1]
        if any_keys and key.kind != "scalar":
            key = Node("scalar", key.mark, key.tag, key.entries, key.items, flow(key), plain=False)
        text = key.text
        if key.kind != "scalar":
            diagnostics.error("T108", "a key must be plain text", key.mark)
        elif text == "<<" and key.plain and not key.json:
            merges.append(value)
        elif text in seen:
            diagnostics.error("T104", f"the key {text} is here twice", key.mark, f"the first is in line {seen[text].mark.line}")
        else:
            seen[text] = key
            entries.append((key, value))
    for value in merges:
        _merge(value, entries, seen, diagnostics)
    return tuple(entries)


def _merge(value: Node, entries: list[tuple[Node, Node]], seen: dict[str, Node], diagnostics: Diagnostics) -> None:
    """YAML 1.1 merge keys: what stands here itself wins, then what was merged first."""
    for part in value.items if value.kind == "list" else (value,):
        if part.kind != "map":
            diagnostics.error("T109", "'<<' merges mappings only", part.mark)
            continue
        for key, inner in part.entries:
            if key.text not in seen:
                seen[key.text] = key
                entries.append((key, inner))


def flow(node: Node) -> str:
    """A node as YAML writes it in one line."""
    if node.kind == "scalar":
        return node.text
    if node.kind == "list":
        return f"[{', '.join(map(flow, node.items))}]"
    return f"{{{', '.join(f'{k.text}: {flow(v)}' for k, v in node.entries)}}}"


def not_unicode(text: str) -> bool:
    """Whether half a surrogate pair stands in ``text``: it could not be written anywhere."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
