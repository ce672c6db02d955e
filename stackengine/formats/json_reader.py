"""JSON text to a located tree, with JSON's own errors at their places (RFC 8259; a key that is there twice is an error, too)."""

from __future__ import annotations

import json
import re
from bisect import bisect_right

from stackengine.formats.tree import MAX_DEPTH, MAX_NODES, LimitError, Node, mapping_entries, not_unicode
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<mark>[{}\[\],:])|"(?P<text>[^"\\]*(?:\\.[^"\\]*)*)"|(?P<word>[^ \t\r\n{}\[\],:"]+))', re.DOTALL
)  # fmt: skip


def looks_like_json(text: str, name: str) -> bool:
    """Whether ``text`` is to be read as JSON: it starts with a brace or bracket and the file says so by its name, or it is JSON."""
    start = text.lstrip("\ufeff \t\r\n")[:64]
    if start[:1] not in ("{", "["):
        return False
    return name.endswith(".json") or (bool(re.match(r'[{\[]\s*["{\[}\]]', start)) and (_fault(text) is None or not _is_yaml(text)))


def _is_yaml(text: str) -> bool:
    """Whether YAML's parser takes the text (a flow mapping with comments, say); an error near its start is enough to know."""
    import yaml

    try:
        for number, _ in enumerate(yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))):
            if number > MAX_NODES:
                return False
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return True


def _refuse_constant(word: str) -> None:
    raise json.JSONDecodeError(f"{word} is not JSON", word, 0)


def _fault(text: str) -> json.JSONDecodeError | RecursionError | None:
    """What Python's parser says against the text."""
    try:
        json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except (json.JSONDecodeError, RecursionError) as error:
        return error
    return None


def read(text: str, name: str, diagnostics: Diagnostics) -> Node | None:
    """The tree; raises LimitError."""
    text = text.removeprefix("\ufeff")
    fault = _fault(text)
    if isinstance(fault, RecursionError):
        raise LimitError("T106", f"nested more than {MAX_DEPTH} levels deep", Mark(name, 1, 1, 1, 1))
    if fault is not None:
        mark = Mark(name, fault.lineno, fault.colno, fault.lineno, fault.colno + 1)
        diagnostics.error("T112", f"this is not valid JSON: {fault.msg}", mark, _hint(text, fault.pos))
        return None
    return _Composer(text, name, diagnostics).document()


def _hint(text: str, position: int) -> str:
    """What is likely meant where JSON ends to be JSON."""
    before = text[:position].rstrip()
    if text[position : position + 2] in ("//", "/*") or text[position : position + 1] == "#":
        return "JSON has no comments"
    if text[position : position + 1] in ("}", "]") and before.endswith(","):
        return "there is a comma too many before this"
    if text[position : position + 1] == "'":
        return 'JSON wants double quotes (")'
    if text[position : position + 1] == '"' and before[-1:] in ('"', "}", "]", *"0123456789el"):
        return "is a comma missing before this?"
    return ""


class _Composer:
    """Builds nodes from the tokens of text that is known to be JSON."""

    def __init__(self, text: str, name: str, diagnostics: Diagnostics) -> None:
        self._text, self._name, self._diagnostics = text, name, diagnostics
        self._lines = [0, *(m.end() for m in re.finditer("\n", text))]

    def _mark(self, start: int, end: int) -> Mark:
        first, last = bisect_right(self._lines, start), bisect_right(self._lines, end)
        return Mark(self._name, first, start - self._lines[first - 1] + 1, last, end - self._lines[last - 1] + 1)

    def document(self) -> Node:
        """The root node, built without recursion."""
        stack: list[tuple[str, int, list[Node]]] = []
        count = 0
        for match in _TOKEN.finditer(self._text):
            kind = match.lastgroup
            if kind == "mark":
                sign, at = match["mark"], match.end() - 1
                if sign in "{[":
                    count += 1
                    if len(stack) >= MAX_DEPTH:
                        raise LimitError("T106", f"nested more than {MAX_DEPTH} levels deep", self._mark(at, at + 1))
                    stack.append((sign, at, []))
                    continue
                if sign in ",:":
                    continue
                node = self._closed(*stack.pop(), at + 1)
            else:
                count += 1
                node = self._scalar(match, kind == "text")
            if count > MAX_NODES:
                raise LimitError("T107", f"more than {MAX_NODES} nodes", node.mark)
            if not stack:
                return node
            stack[-1][2].append(node)
        raise AssertionError("JSON text without a value")

    def _closed(self, sign: str, start: int, flat: list[Node], end: int) -> Node:
        mark = self._mark(start, end)
        if sign == "{":
            return Node("map", mark, "", mapping_entries(flat, self._diagnostics), json=True)
        return Node("list", mark, "", (), tuple(flat), json=True)

    def _scalar(self, match: re.Match[str], quoted: bool) -> Node:
        if not quoted:
            return Node("scalar", self._mark(*match.span("word")), "", (), (), match["word"], True, True)
        start, end = match.span("text")
        text = match["text"]
        if "\\" in text:
            text = json.loads(f'"{text}"')
        mark = self._mark(start - 1, end + 1)
        if not text.isascii() and not_unicode(text):
            self._diagnostics.error("T113", "this text holds half of a surrogate pair, which is no character", mark)
        return Node("scalar", mark, "", (), (), text, False, True)
