"""``Fn::Sub``: text with ``${names}`` in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stackengine.formats.cfn import dynamic
from stackengine.formats.cfn.shapes import SUB_NAMES
from stackengine.formats.tree import Node
from stackengine.model.expr import Call, Expr, List, Literal
from stackengine.model.mark import Mark
from stackengine.model.values import FAULTY, OMIT

if TYPE_CHECKING:
    from stackengine.formats.cfn.functions import Functions

VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")
_NAME = re.compile(r"[\w.:]+\Z", re.ASCII)
_ATTRIBUTE = re.compile(r"[\w.:-]+\Z", re.ASCII)


def read(functions: Functions, call: Node, arg: Node) -> Expr:
    """The text with its variables replaced: one call of ``join``, or a literal where there is nothing to replace."""
    if arg.kind == "scalar" and not arg.tag:
        return _assembled(functions, arg, None, call)
    if arg.kind == "list" and len(arg.items) == 2 and not arg.tag:
        text, names = arg.items
        if text.kind == "scalar" and not text.tag and names.kind == "map" and not names.tag:
            return _assembled(functions, text, names, call)
    return functions.bad(call, "Fn::Sub")


def _assembled(functions: Functions, text: Node, names: Node | None, call: Node) -> Expr:
    own = {k.text: functions(v) for k, v in names.entries} if names is not None else {}
    parts: list[Expr] = []
    position = 0
    for match in VARIABLE.finditer(text.text):
        if match.start() > position:
            parts.append(Literal(text.text[position : match.start()], text.mark))
        parts.append(
            Literal("${" + match.group(2) + "}", text.mark)
            if match.group(1)
            else _variable(functions, match.group(2).strip(), own, place_of(functions, text, match.group()))
        )
        position = match.end()
    if position < len(text.text) or not parts:
        parts.append(Literal(text.text[position:], text.mark))
    if dynamic.OPENING in text.text:
        return dynamic.replaced(parts, call.mark)
    if all(isinstance(p, Literal) and isinstance(p.value, str) for p in parts):
        return Literal("".join(p.value for p in parts if isinstance(p, Literal)), call.mark)
    return Call("join", (Literal("", call.mark), List(tuple(parts), text.mark)), call.mark)


def place_of(functions: Functions, text: Node, word: str) -> Mark:
    """Where a word stands in a text of the template; the text's own place where it cannot be found."""
    file, lines = functions.names.lines
    mark = text.mark
    if mark.file != file:
        return mark
    for number in range(mark.line, min(mark.end_line, len(lines)) + 1):
        start = lines[number - 1].find(word, mark.col - 1 if number == mark.line else 0)
        if start >= 0:
            return Mark(file, number, start + 1, number, start + 1 + len(word))
    return mark


def _variable(functions: Functions, name: str, own: dict[str, Expr], mark: Mark) -> Expr:
    from stackengine.formats.cfn.functions import is_list

    if name in own:
        return own[name]
    if not (_NAME if "." not in name else _ATTRIBUTE).match(name):
        functions.diagnostics.error("C127", SUB_NAMES, mark, f"'${{{name}}}': to have it in the text as it is, write '${{!{name}}}'")
        return Literal(FAULTY, mark)
    if name == "AWS::NotificationARNs" or (name in functions.names.parameters and is_list(functions.names.kind_of(name))):
        summary = "Template error: Fn::Sub expression does not resolve to a string"
        functions.diagnostics.error("C128", f"{summary}: ${{{name}}} is a list", mark, "join it first: Fn::Join in the mapping of Fn::Sub's list form")
        return Literal(FAULTY, mark)
    target, dot, attribute = name.partition(".")
    if not dot or "::" in name:
        found = functions.reference(name, mark)
        return Literal("", mark) if isinstance(found, Literal) and found.value is OMIT else found
    if functions.place in ("Conditions", "Rules"):
        return functions.reference(target, mark)
    block = functions.place if functions.place == "Outputs" else "Resources"
    summary = f"Template format error: Unresolved resource dependencies [{target}] in the {block} block of the template"
    return functions.attribute(target, Literal(attribute, mark), mark, summary)
