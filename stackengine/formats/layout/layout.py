"""Writes a located tree back, scalars as their author wrote them."""

from __future__ import annotations

import json
import re
from typing import Any

from stackengine.formats.detect import language_of
from stackengine.formats.json_reader import looks_like_json
from stackengine.formats.layout.comments import Comments, Text
from stackengine.formats.layout.order import apart, ordered
from stackengine.formats.tree import Node, compose
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.template import Language

_BLOCK = re.compile(r"(?P<tag>![^\s]*\s+)?(?P<style>[|>])(?P<hints>[-+0-9]*)[ \t]*(?P<comment>#[^\n]*)?\n?")
_ANCHORED = re.compile(r"(?:^|[\s\[{,])[&*][^\s\[\]{},]+", re.MULTILINE)
_START = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*(?P<mark>---)[ \t]*\n")
WIDTH = 120


class Unformattable(Exception):
    """A file that is left as it is; the message says why."""


def laid_out(text: str, name: str, diagnostics: Diagnostics) -> str | None:
    """``text`` in canonical form; None when it is no template (reported). Raises Unformattable where that would lose something."""
    start = _START.match(text)
    if start is not None:
        text = f"{text[: start.start('mark')]}   {text[start.end('mark') :]}"
    root = compose(text, name, diagnostics)
    language = language_of(root, diagnostics) if root is not None else None
    if root is None or language is None:
        return None
    if looks_like_json(text, name):
        return json.dumps(_plain(root, (), language), indent=2, ensure_ascii=False) + "\n"
    if re.search(r"^(---|\.\.\.|%)", text, re.MULTILINE):
        raise Unformattable("it has document markers or directives")
    writer = _Writer(text, root, language)
    if _ANCHORED.search(writer.without_scalars()):
        raise Unformattable("it has anchors or aliases, whose order means something")
    result = writer.document()
    again = compose(result, name, Diagnostics())
    if again is None or _shape(again) != _shape(root) or _comments(result, again) != _comments(text, root):
        raise Unformattable("its layout cannot be kept in canonical form")
    return ("---\n" if start is not None else "") + result


def _shape(node: Node) -> Any:
    """What a tree says, whatever the order of its keys."""
    if node.kind == "map":
        return ("map", node.tag, {k.text: (k.plain, _shape(v)) for k, v in node.entries})
    if node.kind == "list":
        return ("list", node.tag, [_shape(i) for i in node.items])
    return ("scalar", node.tag, node.text, node.plain)


def _comments(text: str, root: Node) -> list[str]:
    found = Comments(Text(text), root)
    return sorted([*(c for cs in found.before.values() for _, c in cs), *found.beside.values(), *found.last])


def _plain(node: Node, path: tuple[str, ...], language: Language) -> Any:
    """JSON data in canonical order; numbers keep their lexeme's value."""
    if node.kind == "map":
        return {k.text: _plain(v, (*path, k.text), language) for k, v in ordered(node.entries, path, language)}
    if node.kind == "list":
        return [_plain(i, (*path, ""), language) for i in node.items]
    return json.loads(node.text) if node.plain else node.text


class _Writer:
    """One file."""

    def __init__(self, text: str, root: Node, language: Language) -> None:
        self._source, self._root, self._language = Text(text), root, language
        self._comments = Comments(self._source, root)

    def without_scalars(self) -> str:
        """The text with every quoted or block scalar taken out."""
        from stackengine.formats.layout.comments import scalars

        text = list(self._source.text)
        for node in scalars(self._root):
            if not node.plain:
                a, b = (self._source.offset(*p) for p in ((node.mark.line, node.mark.col), (node.mark.end_line, node.mark.end_col)))
                text[a:b] = ["." if c != "\n" else c for c in text[a:b]]
        return re.sub(r"(^|\s)#[^\n]*", r"\1", "".join(text))

    def document(self) -> str:
        """The whole file."""
        lines = self._map(self._root, (), "")
        lines += self._comments.last
        return "\n".join(lines) + "\n"

    def _above(self, node: Node, indent: str) -> list[str]:
        """Empty line and comments above an entry."""
        found = self._comments.before.get(id(node), [])
        first = found[0][0] if found else node.mark.line
        return [*([""] if self._source.blank_before(first) else []), *(f"{indent}{c}" for _, c in found)]

    def _beside(self, node: Node) -> str:
        comment = self._comments.beside.get(id(node))
        return f"  {comment}" if comment else ""

    def _map(self, node: Node, path: tuple[str, ...], indent: str) -> list[str]:
        lines: list[str] = []
        wide = apart(path)
        for number, (key, value) in enumerate(ordered(node.entries, path, self._language)):
            above = self._above(key, indent)
            own = self._entry(f"{indent}{self._source.slice(key)}:", value, (*path, key.text), indent, self._beside(key))
            if wide and number and not (above and above[0] == "") and (len(own) > 1 or not path):
                above.insert(0, "")
            if not number and above and above[0] == "":
                above.pop(0)
            lines += [*above, *own]
        return lines

    def _list(self, node: Node, path: tuple[str, ...], indent: str) -> list[str]:
        lines: list[str] = []
        for number, item in enumerate(node.items):
            above = self._above(item, indent)
            if not number and above and above[0] == "":
                above.pop(0)
            lines += [*above, *self._item(item, (*path, ""), indent)]
        return lines

    def _item(self, item: Node, path: tuple[str, ...], indent: str) -> list[str]:
        if self._inline(item) is not None or item.tag or item.kind == "scalar":
            return self._entry(f"{indent}-", item, path, indent, self._beside(item))
        inner = self._map(item, path, indent + "  ") if item.kind == "map" else self._list(item, path, indent + "  ")
        comments = [line for line in inner if line.lstrip().startswith("#") or not line]
        lead = next((n for n, line in enumerate(inner) if line not in comments), 0)
        head = inner[lead]
        return [*(line[2:] for line in inner[:lead]), f"{indent}- {head[len(indent) + 2 :]}{self._beside(item)}", *inner[lead + 1 :]]

    def _inline(self, node: Node) -> str | None:
        """A flow collection, or an empty one, as it stands on one line; None where it goes over several."""
        if node.kind == "scalar":
            return None
        text = self._source.slice(node)
        bare = re.sub(r"^![^\s\[{]*\s*", "", text)
        return text if bare[:1] in ("{", "[") and "\n" not in text.strip() and len(text) <= WIDTH else None

    def _entry(self, head: str, value: Node, path: tuple[str, ...], indent: str, comment: str) -> list[str]:
        """``head`` (a key with its colon, or a dash) and its value."""
        inline = self._inline(value)
        if inline is not None:
            return [f"{head} {inline.strip()}{comment}"]
        if value.kind == "scalar":
            return self._scalar(head, value, indent, comment)
        tag = f" {value.tag}" if value.tag else ""
        if not value.entries and not value.items:
            return [f"{head}{tag} {'{}' if value.kind == 'map' else '[]'}{comment}"]
        deeper = indent + "  "
        return [f"{head}{tag}{comment}", *(self._map(value, path, deeper) if value.kind == "map" else self._list(value, path, deeper))]

    def _scalar(self, head: str, value: Node, indent: str, comment: str) -> list[str]:
        text = self._source.slice(value)
        block = _BLOCK.match(text) if not value.plain else None
        if block is not None:
            return self._block(head, text, block, indent, comment)
        first, *more = text.strip().split("\n")
        lines = [f"{head} {first.strip()}".rstrip(), *(f"{indent}  {line.strip()}" if line.strip() else "" for line in more)]
        lines[-1] += comment
        return lines

    def _block(self, head: str, text: str, block: re.Match[str], indent: str, comment: str) -> list[str]:
        """A block scalar, its content moved as a whole."""
        body = text[block.end() :].split("\n")
        kept = "+" in block["hints"]
        while body and not body[-1].strip() and not kept:
            body.pop()
        if kept and body and not body[-1].strip():
            body.pop()
        digit = re.search(r"[0-9]", block["hints"])
        filled = [line for line in body if line.strip()]
        if digit is not None or not filled:
            raise Unformattable("it has a block scalar with an indentation of its own")
        margin = len(filled[0]) - len(filled[0].lstrip(" "))
        header = f"{(block['tag'] or '').strip()} {block['style']}{block['hints']}".strip()
        own = f"  {block['comment']}" if block["comment"] else ""
        return [f"{head} {header}{own}{comment}", *(f"{indent}  {line[margin:]}" if line.strip() else "" for line in body)]
