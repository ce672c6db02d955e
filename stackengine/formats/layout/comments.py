"""Comments of a YAML file, and what each of them belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stackengine.formats.tree import Node

_COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*")


class Text:
    """The source, by line and column."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))

    def offset(self, line: int, col: int) -> int:
        """The place in the text; lines and columns count from 1."""
        return min(self._starts[min(line, len(self._starts)) - 1] + col - 1, len(self.text))

    def slice(self, node: Node) -> str:
        """The source of a node."""
        mark = node.mark
        return self.text[self.offset(mark.line, mark.col) : self.offset(mark.end_line, mark.end_col)]

    def blank_before(self, line: int) -> bool:
        """Whether the line before ``line`` is empty."""
        return line > 1 and not self.lines[line - 2].strip()


class Comments:
    """Comments by what they stand before, and beside."""

    def __init__(self, source: Text, root: Node) -> None:
        starts = sorted({(n.mark.line, n.mark.col): n for n in entry_nodes(root)}.items())
        self.before: dict[int, list[tuple[int, str]]] = {}
        """id of a key or item -> (line, comment) that stand above it."""
        self.beside: dict[int, str] = {}
        """id of a key or item -> the comment at the end of its first line."""
        self.last: list[str] = []
        """Comments behind everything."""
        for line, whole, comment in _found(source, root):
            on_line = [n for (at, _), n in starts if at == line]
            following = next((n for (at, _), n in starts if at > line), None)
            if not whole and on_line and id(on_line[-1]) not in self.beside:
                self.beside[id(on_line[-1])] = comment
            elif following is not None:
                self.before.setdefault(id(following), []).append((line, comment))
            else:
                self.last.append(comment)


def entry_nodes(node: Node) -> Iterator[Node]:
    """Every key of a mapping and every item of a sequence, in the order of the text."""
    for key, value in node.entries:
        yield key
        yield from entry_nodes(value)
    for item in node.items:
        yield item
        yield from entry_nodes(item)


def scalars(node: Node) -> Iterator[Node]:
    """Every scalar, keys too."""
    if node.kind == "scalar":
        yield node
    for key, value in node.entries:
        yield key
        yield from scalars(value)
    for item in node.items:
        yield from scalars(item)


def _found(source: Text, root: Node) -> Iterator[tuple[int, bool, str]]:
    """(line, whether it has the line for itself, the comment), outside of scalars."""
    spans = sorted((source.offset(n.mark.line, n.mark.col), source.offset(n.mark.end_line, n.mark.end_col)) for n in scalars(root))
    position, line, begin = 0, 1, 0
    for match in _COMMENT.finditer(source.text):
        start = match.start()
        while position < len(spans) and spans[position][1] <= start:
            position += 1
        if position < len(spans) and spans[position][0] <= start:
            continue
        line += source.text.count("\n", begin, start)
        begin = start
        before = source.text[source.text.rfind("\n", 0, start) + 1 : start]
        yield line, not before.strip(), match.group().rstrip()
