"""Values that are needed before the template is read as a whole: collections of loops, names of included files.

They are made of text, parameters (as given, else their defaults) and mappings; whatever needs more is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackengine.formats.build import text_of
from stackengine.formats.cfn.names import entries
from stackengine.formats.cfn.scalars import as_text, untagged
from stackengine.formats.cfn.substitution import VARIABLE
from stackengine.formats.tree import Node


class Early:
    """Works such values out."""

    def __init__(self, root: Node, given: Mapping[str, Any]) -> None:
        self._parameters = {k.text: v for k, v in entries(root.get("Parameters"))}
        self._mappings = root.get("Mappings")
        self._given = given

    def text(self, node: Node) -> str | None:
        """The text that a node gives, or None where it is not known."""
        match _call(node):
            case None:
                return as_text(node) if node.kind == "scalar" else None
            case "Ref", arg:
                value = self._parameter(text_of(arg))
                return value if isinstance(value, str) else None
            case "Fn::Sub", arg:
                return self._substituted(arg)
            case "Fn::Join", arg if arg.kind == "list" and len(arg.items) == 2:
                items = self.items(arg.items[1])
                return text_of(arg.items[0]).join(items) if items is not None else None
            case "Fn::Select", arg if arg.kind == "list" and len(arg.items) == 2:
                index, items = self.text(arg.items[0]), self.items(arg.items[1])
                return items[int(index)] if index is not None and items is not None and index.isdigit() and int(index) < len(items) else None
            case "Fn::FindInMap", arg:
                mapped = self._mapped(arg)
                return as_text(mapped) if mapped is not None and mapped.kind == "scalar" else None
            case _:
                return None

    def items(self, node: Node) -> list[str] | None:
        """The texts that a node gives a list of, or None where it is not known."""
        match _call(node):
            case None:
                if node.kind != "list":
                    return None
                found: list[str] = []
                for item in node.items:
                    one = self.text(item)
                    several = self.items(item) if one is None else None
                    if one is None and several is None:
                        return None
                    found += [one] if one is not None else several or []
                return found
            case "Ref", arg:
                value = self._parameter(text_of(arg))
                return value if isinstance(value, list) else None
            case "Fn::Split", arg if arg.kind == "list" and len(arg.items) == 2:
                text = self.text(arg.items[1])
                return text.split(text_of(arg.items[0])) if text is not None and text_of(arg.items[0]) else None
            case "Fn::FindInMap", arg:
                mapped = self._mapped(arg)
                return self.items(mapped) if mapped is not None else None
            case _:
                return None

    def waits_for(self, node: Node) -> bool:
        """Whether a parameter that has no value yet is what is missing."""
        match _call(node):
            case "Ref", arg:
                return text_of(arg) in self._parameters and self._parameter(text_of(arg)) is None
            case "Fn::Sub", arg:
                text = arg.items[0] if arg.kind == "list" and arg.items else arg
                names = (m.group(2).strip() for m in VARIABLE.finditer(text.text))
                return any(n.startswith("AWS::") or (n in self._parameters and self._parameter(n) is None) for n in names)
            case None:
                return any(map(self.waits_for, node.items))
            case _, arg:
                return any(map(self.waits_for, arg.items))

    def _parameter(self, name: str) -> str | list[str] | None:
        declared = self._parameters.get(name)
        if declared is None:
            found = self._given.get(name)
            return str(found) if name.startswith("AWS::") and found is not None else None
        raw = self._given.get(name)
        if raw is None:
            default = declared.get("Default") if declared.kind == "map" else None
            raw = as_text(default) if default is not None and default.kind == "scalar" else None
        if raw is None:
            return None
        kind = text_of(declared.get("Type"))
        if kind.startswith("AWS::SSM::Parameter::Value<"):
            return None
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            return [str(v) for v in raw] if isinstance(raw, list) else [part.strip() for part in str(raw).split(",")]
        return str(raw)

    def _substituted(self, arg: Node) -> str | None:
        text, own = (arg.items[0], arg.items[1]) if arg.kind == "list" and len(arg.items) == 2 else (arg, None)
        if text.kind != "scalar":
            return None
        result, position = "", 0
        for match in VARIABLE.finditer(text.text):
            name = match.group(2).strip()
            mine = own.get(name) if own is not None else None
            found = "${" + name + "}" if match.group(1) else self.text(mine) if mine is not None else self._parameter(name)
            if not isinstance(found, str):
                return None
            result += text.text[position : match.start()] + found
            position = match.end()
        return result + text.text[position:]

    def _mapped(self, arg: Node) -> Node | None:
        keys = [self.text(i) for i in arg.items[:3]] if arg.kind == "list" else []
        found = self._mappings
        for key in keys:
            found = found.get(key) if found is not None and found.kind == "map" and key is not None else None
        if found is None and arg.kind == "list" and len(arg.items) == 4 and arg.items[3].kind == "map":
            return arg.items[3].get("DefaultValue")
        return found if len(keys) == 3 else None


def _call(node: Node) -> tuple[str, Node] | None:
    if node.tag:
        name = node.tag.removeprefix("!")
        return ("Ref" if name == "Ref" else f"Fn::{name}"), untagged(node)
    if node.kind == "map" and len(node.entries) == 1 and (node.entries[0][0].text == "Ref" or node.entries[0][0].text.startswith("Fn::")):
        return node.entries[0][0].text, node.entries[0][1]
    return None
