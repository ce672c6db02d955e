"""YAML text to a located tree, by the events of libyaml's parser, so that limits hold while the text is read."""

from __future__ import annotations

from typing import Any

from stackengine.formats.tree import MAX_DEPTH, MAX_NODES, LimitError, Node, mapping_entries, not_unicode
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark

_CORE = "tag:yaml.org,2002:"
_TYPED = frozenset(_CORE + t for t in ("int", "float", "bool", "null", "map", "seq", "timestamp"))
"""Core tags that say what the lexeme says anyway."""


def read(text: str, name: str, diagnostics: Diagnostics, tagged: list[Node], *, any_keys: bool = False) -> Node | None:
    """The tree of the only document in ``text``; raises LimitError."""
    import yaml

    start = Mark(name, 1, 1, 1, 1)
    if not_unicode(text):
        diagnostics.error("T113", "the file holds half of a surrogate pair, which is no character", start)
        return None
    try:
        # The C parser may have read ahead; it holds no more than its own buffer of tokens.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            return _Composer(name, diagnostics, tagged, any_keys=any_keys).document(loader)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(name, place.line + 1, place.column + 1, place.line + 1, place.column + 2) if place else start
        hint = "YAML wants spaces here, not tabs" if "\\t" in str(error.problem) or "cannot start any token" in str(error.problem) else str(error.context or "")
        diagnostics.error("T101", f"this is not valid YAML: {error.problem}", mark, hint)
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        diagnostics.error("T101", f"this is not valid YAML: {error.reason}", Mark(name, line, column, line, column + 1))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        diagnostics.error("T101", f"this is not valid YAML: {error}".splitlines()[0], start)
    return None


class _Open:
    """A collection whose end has not come yet."""

    __slots__ = ("anchor", "before", "flat", "kind", "start", "tag")

    def __init__(self, kind: Any, start: Any, tag: str, anchor: str | None, before: int) -> None:
        self.kind, self.start, self.tag, self.anchor, self.before = kind, start, tag, anchor, before
        self.flat: list[Node] = []


class _Composer:
    """Builds nodes from events."""

    def __init__(self, name: str, diagnostics: Diagnostics, tagged: list[Node], *, any_keys: bool) -> None:
        self._name, self._diagnostics, self._tagged, self._any_keys = name, diagnostics, tagged, any_keys
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._pending: set[str] = set()
        self._count = 0

    def document(self, loader: Any) -> Node | None:
        """The root node; None with a diagnostic where there is not exactly one document."""
        import yaml

        found: list[Node] = []
        documents = 0
        while True:
            event = loader.get_event()
            kind = type(event)
            if kind is yaml.StreamEndEvent or event is None:
                break
            if kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    place = event.start_mark
                    self._diagnostics.error("T103", "the file has more than one YAML document", self._point(place))
                    return None
                found.append(self._tree(loader))
        if not found or (found[0].kind == "scalar" and found[0].plain and found[0].text == "" and not found[0].tag):
            self._diagnostics.error("T102", "the file is empty", Mark(self._name, 1, 1, 1, 1))
            return None
        return found[0]

    def _point(self, place: Any) -> Mark:
        return Mark(self._name, place.line + 1, place.column + 1, place.line + 1, place.column + 2)

    def _tree(self, loader: Any) -> Node:
        """One document's root, read without recursion."""
        import yaml

        scalar, alias, mapping, sequence = yaml.ScalarEvent, yaml.AliasEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent
        stack: list[_Open] = []
        name, get_event = self._name, loader.get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is scalar:
                self._counted(event)
                a, b = event.start_mark, event.end_mark
                node = Node("scalar", Mark(name, a.line + 1, a.column + 1, b.line + 1, b.column + 1), "", (), (), event.value, not event.style)
                if event.tag:
                    self._tag_scalar(node, event.tag)
                if event.anchor:
                    self._anchors[event.anchor] = (node, 1)
            elif kind is mapping or kind is sequence:
                self._counted(event)
                if len(stack) >= MAX_DEPTH:
                    raise LimitError("T106", f"nested more than {MAX_DEPTH} levels deep", self._point(event.start_mark))
                if event.anchor:
                    self._pending.add(event.anchor)
                stack.append(_Open(kind, event.start_mark, event.tag or "", event.anchor, self._count))
                continue
            elif kind is alias:
                node = self._aliased(event)
            else:
                node = self._closed(stack.pop(), event.end_mark, mapping)
            if not stack:
                return node
            stack[-1].flat.append(node)

    def _counted(self, event: Any, more: int = 1) -> None:
        self._count += more
        if self._count > MAX_NODES:
            raise LimitError("T107", f"more than {MAX_NODES} nodes (do aliases multiply?)", self._point(event.start_mark))

    def _closed(self, opened: _Open, end: Any, mapping: Any) -> Node:
        a = opened.start
        mark = Mark(self._name, a.line + 1, a.column + 1, end.line + 1, end.column + 1)
        tag = "" if opened.tag == "!" or opened.tag in _TYPED else opened.tag
        if opened.kind is mapping:
            node = Node("map", mark, tag, mapping_entries(opened.flat, self._diagnostics, any_keys=self._any_keys))
        else:
            node = Node("list", mark, tag, (), tuple(opened.flat))
        if tag:
            self._tagged.append(node)
        if opened.anchor:
            self._pending.discard(opened.anchor)
            self._anchors[opened.anchor] = (node, self._count - opened.before + 1)
        return node

    def _aliased(self, event: Any) -> Node:
        found = self._anchors.get(event.anchor)
        if found is None or event.anchor in self._pending:
            what = f"*{event.anchor} stands inside what it names" if event.anchor in self._pending else f"there is no anchor &{event.anchor} before this"
            self._diagnostics.error("T114", what, self._point(event.start_mark))
            return Node("scalar", self._point(event.start_mark))
        self._counted(event, found[1])
        return found[0]

    def _tag_scalar(self, node: Node, tag: str) -> None:
        if tag in ("!", _CORE + "str"):
            node.plain = False
        elif tag not in _TYPED:
            node.tag = tag
            self._tagged.append(node)
