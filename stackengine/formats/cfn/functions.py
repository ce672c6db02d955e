"""CloudFormation's intrinsic functions, long and short forms, to neutral expressions."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from stackengine.formats.build import expression, text_of
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Param, Ref
from stackengine.model.mark import Mark
from stackengine.model.values import OMIT

PSEUDO = ("AWS::StackName", "AWS::StackId", "AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix", "AWS::NotificationARNs")
_SUB = re.compile(r"\$\{(!?)([^}]*)\}")


class Functions:
    """Recognises function calls of one template; ``parameters`` tells a parameter's Ref from a resource's."""

    def __init__(self, parameters: Collection[str], diagnostics: Diagnostics) -> None:
        self._parameters, self._diagnostics = frozenset(parameters), diagnostics
        self._table: dict[str, Callable[[Node, Node], Expr]] = {
            "Ref": lambda call, arg: self.reference(text_of(arg), call.mark),
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._fixed("select", 2),
            "Fn::Split": self._fixed("split", 2),
            "Fn::Base64": lambda call, arg: Call("base64", (self(arg),), call.mark),
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": self._if,
            "Fn::Equals": self._fixed("equals", 2),
            "Fn::And": self._conditions("and"),
            "Fn::Or": self._conditions("or"),
            "Fn::Not": self._conditions("not"),
            "Fn::Contains": self._fixed("contains", 2),
            "Fn::Cidr": self._cidr,
            "Fn::GetAZs": lambda call, arg: Call("availability_zones", (self(arg),), call.mark),
            "Fn::Length": lambda call, arg: Call("length", (self(arg),), call.mark),
            "Fn::ToJsonString": lambda call, arg: Call("to_json", (self(arg),), call.mark),
            "Condition": lambda call, arg: Call("condition", (Literal(text_of(arg), arg.mark),), call.mark),
        }

    def __call__(self, node: Node) -> Expr:
        """The expression of any node."""
        return expression(node, "yaml11", self.read)

    def read(self, node: Node) -> Expr | None:
        """The call that ``node`` is (``Fn::X: …`` or ``!X …``), or None."""
        if node.tag:
            name = node.tag.removeprefix("!")
            full = name if name in ("Ref", "Condition") else f"Fn::{name}"
            return self._named(full, node, Node(node.kind, node.mark, "", node.entries, node.items, node.text, node.plain))
        if node.kind != "map" or len(node.entries) != 1:
            return None
        key, argument = node.entries[0]
        if key.text in ("Ref", "Condition") and argument.kind == "scalar":
            return self._named(key.text, node, argument)
        return self._named(key.text, node, argument) if key.text.startswith("Fn::") else None

    def _named(self, name: str, call: Node, argument: Node) -> Expr:
        found = self._table.get(name)
        if found is None:
            known = name in ("Fn::ImportValue", "Fn::Transform", "Fn::ForEach", "Fn::GetStackOutput")
            hint = "it comes with nested stacks and macros" if known else did_you_mean(name, self._table)
            self._diagnostics.error("C120", f"the function {name} is not {'supported yet' if known else 'known'}", call.mark, hint)
            return Literal(None, call.mark)
        return found(call, argument)

    def condition(self, node: Node) -> Expr:
        """A condition's name, or a function that gives a boolean."""
        return Call("condition", (Literal(node.text, node.mark),), node.mark) if node.kind == "scalar" and not node.tag else self(node)

    def reference(self, name: str, mark: Mark) -> Expr:
        """What ``Ref`` gives: a parameter, a pseudo parameter, or a resource."""
        if name == "AWS::NoValue":
            return Literal(OMIT, mark)
        return Param(name, mark) if name in PSEUDO or name in self._parameters else Ref(name, mark)

    def _bad(self, call: Node, name: str, shape: str) -> Expr:
        self._diagnostics.error("C121", f"{name} needs {shape}", call.mark)
        return Literal(None, call.mark)

    def _get_att(self, call: Node, arg: Node) -> Expr:
        if arg.kind == "list" and len(arg.items) == 2 and arg.items[0].kind == "scalar":
            target, rest = arg.items[0].text, arg.items[1]
            if rest.kind != "scalar" or rest.tag:
                return Attr(target, (self(rest),), call.mark)
            return self._attribute(target, rest.text, call.mark)
        target, dot, name = text_of(arg).partition(".")
        return self._attribute(target, name, call.mark) if dot else self._bad(call, "Fn::GetAtt", "a resource and an attribute, as Name.Attribute or a list")

    @staticmethod
    def _attribute(target: str, name: str, mark: Mark) -> Expr:
        return Attr(target, (Literal(name, mark),), mark)

    def _sub(self, call: Node, arg: Node) -> Expr:
        if arg.kind == "scalar":
            return self._parts(arg, None, call)
        if arg.kind == "list" and len(arg.items) == 2 and arg.items[0].kind == "scalar" and arg.items[1].kind == "map":
            return self._parts(arg.items[0], arg.items[1], call)
        return self._bad(call, "Fn::Sub", "text, or a list of text and a mapping")

    def _parts(self, text: Node, names: Node | None, call: Node) -> Expr:
        parts: list[Expr] = []
        position = 0
        for match in _SUB.finditer(text.text):
            if match.start() > position:
                parts.append(Literal(text.text[position : match.start()], text.mark))
            parts.append(self._variable(match, names, text.mark))
            position = match.end()
        if position < len(text.text) or not parts:
            parts.append(Literal(text.text[position:], text.mark))
        return Call("join", (Literal("", call.mark), List(tuple(parts), text.mark)), call.mark)

    def _variable(self, match: re.Match[str], names: Node | None, mark: Mark) -> Expr:
        if match.group(1):
            return Literal("${" + match.group(2) + "}", mark)
        name = match.group(2).strip()
        own = names.get(name) if names is not None else None
        if own is not None:
            return self(own)
        target, dot, attribute = name.partition(".")
        return self._attribute(target, attribute, mark) if dot and name not in PSEUDO else self.reference(name, mark)

    def _join(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) != 2:
            return self._bad(call, "Fn::Join", "a list: delimiter, list")
        return Call("join", (self(arg.items[0]), self(arg.items[1])), call.mark)

    def _fixed(self, fn: str, count: int) -> Callable[[Node, Node], Expr]:
        def read(call: Node, arg: Node) -> Expr:
            if arg.kind != "list" or len(arg.items) != count:
                return self._bad(call, f"Fn::{fn.capitalize()}", f"a list of {count} items")
            return Call(fn, tuple(self(i) for i in arg.items), call.mark)

        return read

    def _conditions(self, fn: str) -> Callable[[Node, Node], Expr]:
        least = 1 if fn == "not" else 2

        def read(call: Node, arg: Node) -> Expr:
            if arg.kind != "list" or not least <= len(arg.items) <= (1 if fn == "not" else 10):
                return self._bad(call, f"Fn::{fn.capitalize()}", "a list of one condition" if fn == "not" else "a list of 2 to 10 conditions")
            return Call(fn, tuple(self.condition(i) if i.kind == "map" else self(i) for i in arg.items), call.mark)

        return read

    def _find_in_map(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) not in (3, 4):
            return self._bad(call, "Fn::FindInMap", "a list: mapping, top-level key, second-level key")
        args = [self(i) for i in arg.items[:3]]
        if len(arg.items) == 4:
            default = arg.items[3].get("DefaultValue") if arg.items[3].kind == "map" else None
            if default is None:
                return self._bad(call, "Fn::FindInMap", "a DefaultValue as its fourth part")
            args.append(self(default))
        return Call("find_in_map", tuple(args), call.mark)

    def _if(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) != 3:
            return self._bad(call, "Fn::If", "a list: condition, value if true, value if false")
        return If(self.condition(arg.items[0]), self(arg.items[1]), self(arg.items[2]), call.mark)

    def _cidr(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) not in (2, 3):
            return self._bad(call, "Fn::Cidr", "a list: block, count, and perhaps host bits")
        return Call("cidr", tuple(self(i) for i in arg.items), call.mark)

