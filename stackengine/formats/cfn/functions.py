"""CloudFormation's intrinsic functions, long and short forms, to neutral expressions; each only where CloudFormation allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal as OneOf

from stackengine.formats.build import text_of
from stackengine.formats.cfn import dynamic, mappings, substitution
from stackengine.formats.cfn.calls import called, condition_or_call, list_or_call, pair, text_or_call
from stackengine.formats.cfn.names import PSEUDO, Names
from stackengine.formats.cfn.scalars import FAULTY_TAG, scalar, untagged
from stackengine.formats.cfn.shapes import EXAMPLES, IMPORT, SHAPES
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Call, Entry, Expr, If, List, Literal, Map, Param, Ref, walk
from stackengine.model.mark import Mark
from stackengine.model.values import FAULTY, OMIT

Place = OneOf["Resources", "Outputs", "Conditions", "Rules", "DeletionPolicy"]
"""Where an expression stands."""

VALUES = ("Ref", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::Base64", "Fn::FindInMap", "Fn::If", "Fn::Cidr", "Fn::GetAZs",
          "Fn::ImportValue", "Fn::GetStackOutput", "Fn::Length", "Fn::ToJsonString")  # fmt: skip
LOGIC = ("Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not", "Condition")
RULES = ("Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll")
EXTENSIONS = ("Fn::Length", "Fn::ToJsonString")
_EARLY = ("Ref", "Fn::Sub", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::FindInMap", *EXTENSIONS)
ALLOWED: dict[Place, tuple[str, ...]] = {
    "Resources": VALUES,
    "Outputs": VALUES,
    "Conditions": (*_EARLY, *LOGIC),
    "Rules": (*_EARLY, "Fn::If", *LOGIC, *RULES),
    "DeletionPolicy": ("Ref", "Fn::FindInMap", "Fn::If"),
}


class Functions:
    """Reads expressions of one template at one place."""

    def __init__(self, names: Names, diagnostics: Diagnostics, place: Place = "Resources") -> None:
        self.names, self.diagnostics, self.place = names, diagnostics, place
        self._table: dict[str, Callable[[Node, Node], Expr]] = {
            "Ref": self._ref, "Fn::GetAtt": self._get_att, "Fn::Sub": lambda call, arg: substitution.read(self, call, arg), "Fn::Join": self._join,
            "Fn::Select": self._select, "Fn::Split": self._split, "Fn::Base64": self._one("base64"),
            "Fn::FindInMap": lambda call, arg: mappings.find(self, call, arg), "Fn::If": self._if, "Fn::Equals": self._equals,
            "Fn::And": self._logic("and", 2, 10), "Fn::Or": self._logic("or", 2, 10),
            "Fn::Not": self._logic("not", 1, 1), "Condition": self._condition, "Fn::Cidr": self._cidr, "Fn::GetAZs": self._zones,
            "Fn::ImportValue": self._import, "Fn::GetStackOutput": self._stack_output, "Fn::Length": self._one("length"),
            "Fn::ToJsonString": self._one("to_json"), "Fn::Contains": self._pair("contains_item"), "Fn::EachMemberEquals": self._pair("each_member_equals"),
            "Fn::EachMemberIn": self._pair("each_member_in"), "Fn::RefAll": self._ref_all, "Fn::ValueOf": self._value_of, "Fn::ValueOfAll": self._value_of,
        }  # fmt: skip

    def at(self, place: Place) -> Functions:
        """The same template's functions at another place."""
        return Functions(self.names, self.diagnostics, place)

    def __call__(self, node: Node) -> Expr:
        """The expression of any node."""
        called = self.read(node)
        if called is not None:
            return called
        if node.kind == "list":
            return List(tuple(self(i) for i in node.items), node.mark)
        if node.kind == "map":
            return Map(tuple(Entry(k.text, k.mark, self(v)) for k, v in node.entries), node.mark)
        found = scalar(node)
        if isinstance(found, str) and dynamic.holds_one(found) and self.place == "Resources":
            return dynamic.replaced([Literal(found, node.mark)], node.mark)
        return Literal(FAULTY if found is None and not self.names.heat else found, node.mark)

    def read(self, node: Node) -> Expr | None:
        """The call that ``node`` is (``Fn::X: …`` or ``!X …``), or None where it is data."""
        if node.tag:
            name = node.tag.removeprefix("!")
            return self._named(name if name in ("Ref", "Condition") else f"Fn::{name}", node, untagged(node))
        if node.kind != "map":
            return None
        for key, argument in node.entries:
            if key.text.startswith("Fn::"):
                if len(node.entries) > 1:
                    self.diagnostics.error("C121", f"{key.text} must be the only key of its mapping", key.mark, "a function stands in the place of the value")
                    return Literal(FAULTY, node.mark)
                return self._named(key.text, node, argument)
        if len(node.entries) != 1:
            return None
        key, argument = node.entries[0]
        if key.text == "Ref" or (key.text == "Condition" and self.place in ("Conditions", "Rules")):
            return self._named(key.text, node, argument)
        return None

    def _named(self, name: str, call: Node, argument: Node) -> Expr:
        if FAULTY_TAG in (call.tag, argument.tag):
            return Literal(FAULTY, call.mark)
        found = self._table.get(name)
        if found is None:
            if name.startswith(("Fn::ForEach", "Fn::Transform")) or self.names.loose:
                return self._unknown_place(name, call)
            hint = did_you_mean(name, self._table)
            self.diagnostics.error("C120", f"Template error: Encountered unsupported function: {name}", call.mark, hint)
            return Literal(FAULTY, call.mark)
        if name not in ALLOWED[self.place]:
            self._misplaced(name, call.mark)
            return Literal(FAULTY, call.mark)
        if name in EXTENSIONS and not self.names.extended:
            self.needs_extensions(name, call.mark)
        return found(call, argument)

    def _unknown_place(self, name: str, call: Node) -> Expr:
        if name.startswith("Fn::ForEach") and self.names.extended:
            self.diagnostics.error("C122", f"{name} is not allowed here", call.mark, "it is a key of Conditions, Resources, Outputs or of properties")
        elif name.startswith("Fn::ForEach"):
            self.needs_extensions(name, call.mark)
        return Literal(FAULTY, call.mark)

    def _misplaced(self, name: str, mark: Mark) -> None:
        hints = {**dict.fromkeys(LOGIC, "say it under Conditions, and name that condition in Fn::If"), **dict.fromkeys(RULES, "it belongs to Rules")}
        self.diagnostics.error(
            "C122", f"Template error: {name} is not allowed in {self.place}", mark, hints.get(name) or f"allowed here: {', '.join(ALLOWED[self.place])}"
        )

    def needs_extensions(self, what: str, mark: Mark) -> None:
        """Report that a construct needs the transform."""
        if not self.names.extended:
            self.diagnostics.error(
                "C129", f"Template error: Encountered unsupported function: {what}", mark, "it needs the line 'Transform: AWS::LanguageExtensions'"
            )

    def bad(self, call: Node, name: str) -> Expr:
        """Report arguments of the wrong shape, in CloudFormation's words."""
        self.diagnostics.error("C121", SHAPES[name], call.mark, f"for example {EXAMPLES[name]}")
        return Literal(FAULTY, call.mark)

    def condition(self, node: Node, where: str) -> Expr:
        """A condition by name, of a resource, an output or Fn::If."""
        if node.kind != "scalar" or node.tag:
            self.diagnostics.error(
                "C121",
                f"Template format error: Every Condition member must be a string: {where}",
                node.mark,
                "a condition's name; say functions under Conditions",
            )
            return Literal(FAULTY, node.mark)
        if node.text not in self.names.conditions:
            return self.no_condition(node, f"Template error: unresolved condition dependency {node.text} in {where}")
        return Call("condition", (Literal(node.text, node.mark),), node.mark)

    def no_condition(self, node: Node, summary: str) -> Expr:
        """Report a condition that is not there."""
        if not self.names.loose:
            self.diagnostics.error("C125", summary, node.mark, did_you_mean(node.text, self.names.conditions) or "declare it under Conditions")
        return Literal(FAULTY, node.mark)

    def reference(self, name: str, mark: Mark) -> Expr:
        """What ``Ref`` and ``${name}`` give: a parameter, a pseudo parameter, or a resource."""
        names = self.names
        if name == "AWS::NoValue":
            return Literal(OMIT, mark)
        if name in PSEUDO:
            return Param(name, mark)
        if name in names.parameters:
            kind = names.kind_of(name)
            looked_up = kind.startswith("AWS::SSM::Parameter::Value<")
            return Call("record_value", (Param(name, mark), Literal(is_list(kind))), mark) if looked_up else Param(name, mark)
        if self.place in ("Conditions", "Rules", "DeletionPolicy") or name not in names.resources:
            return Literal(FAULTY, mark) if names.in_module(name) else self._unresolved(name, mark)
        return Literal(FAULTY, mark) if name in names.faulty else Ref(name, mark)

    def _unresolved(self, name: str, mark: Mark) -> Expr:
        names = self.names
        if name in names.resources:
            summary = f"Template error: Unresolved dependencies [{name}]. Cannot reference resources in the {self.place} block of the template"
            self.diagnostics.error("C123", summary, mark, "only parameters, pseudo parameters and mappings are known before resources are made")
        elif not names.loose:
            block = self.place if self.place != "DeletionPolicy" else "Resources"
            prefix = "" if block == "Outputs" else "Template format error: "
            hint = did_you_mean(name, [*names.parameters, *names.resources, *PSEUDO]) or "declare it under Parameters or Resources"
            self.diagnostics.error("C123", f"{prefix}Unresolved resource dependencies [{name}] in the {block} block of the template", mark, hint)
        return Literal(FAULTY, mark)

    def attribute(self, target: str, path: Expr, mark: Mark, undefined: str) -> Expr:
        """An attribute of a resource; ``undefined`` is what is said where there is none of this name."""
        names = self.names
        if target not in names.resources:
            if not names.loose and not names.in_module(target):
                self.diagnostics.error("C124", undefined, mark, did_you_mean(target, names.resources) or "there is no resource of this name")
            return Literal(FAULTY, mark)
        return Literal(FAULTY, mark) if target in names.faulty else Attr(target, (path,), mark)

    def _ref(self, call: Node, arg: Node) -> Expr:
        name = self._computed_name(arg) if called(arg) is not None else text_of(arg)
        return self.reference(name, call.mark) if name else self.bad(call, "Ref")

    def _computed_name(self, node: Node) -> str | None:
        """A name that a function gives which is known now (AWS::LanguageExtensions)."""
        self.needs_extensions("a function for a name", node.mark)
        return self.names.early.text(node) if self.names.early is not None else None

    def _get_att(self, call: Node, arg: Node) -> Expr:
        if arg.kind == "scalar":
            target, _, name = arg.text.partition(".")
            path: Expr = Literal(name, call.mark)
        elif arg.kind == "list" and len(arg.items) == 2 and not arg.tag:
            found, rest = arg.items
            target, name = text_of(found), text_of(rest)
            if called(found) is not None:
                target = self._computed_name(found) or ""
                if not target:
                    return self._computed(call, found, rest)
            function = self.read(rest)
            if function is not None and not isinstance(function, Param):
                self.needs_extensions("Fn::GetAtt with a function for the attribute", rest.mark)
            path, name = (function, "computed") if function is not None else (Literal(name, call.mark), name)
        else:
            return self.bad(call, "Fn::GetAtt")
        if not target or not name:
            return self.bad(call, "Fn::GetAtt")
        return self.attribute(target, path, call.mark, f"Template error: instance of Fn::GetAtt references undefined resource {target}")

    def _computed(self, call: Node, found: Node, rest: Node) -> Expr:
        """GetAtt of a resource whose name is computed: one branch per resource that it can be."""
        name, path = self(found), self(rest)
        expr: Expr = Literal(None, call.mark)
        for target in sorted(self.names.resources - self.names.faulty):
            expr = If(Call("same_text", (name, Literal(target)), call.mark), Attr(target, (path,), call.mark), expr, call.mark)
        return expr

    def _one(self, fn: str) -> Callable[[Node, Node], Expr]:
        name = {"base64": "Fn::Base64", "availability_zones": "Fn::GetAZs", "length": "Fn::Length", "to_json": "Fn::ToJsonString"}[fn]

        def read(call: Node, arg: Node) -> Expr:
            function = self.read(arg)
            if function is None and (arg.kind == "scalar") != (fn in ("base64", "availability_zones")):
                return self.bad(call, name)
            if function is None and fn == "length" and arg.kind == "map":
                return self.bad(call, name)
            return Call(fn, (self(arg) if function is None else function,), call.mark)

        return read

    def _zones(self, call: Node, arg: Node) -> Expr:
        if arg.kind == "scalar" and not arg.tag and not arg.text:
            return Call("availability_zones", (Param("AWS::Region", call.mark),), call.mark)
        return self._one("availability_zones")(call, arg)

    def _join(self, call: Node, arg: Node) -> Expr:
        items = pair(arg)
        if items is None or items[0].kind != "scalar" or items[0].tag or not list_or_call(items[1]):
            return self.bad(call, "Fn::Join")
        parts = self(items[1])
        delimiter = items[0].text
        if isinstance(parts, List):
            if any(isinstance(p, (List, Map)) for p in parts.items):
                return self.bad(call, "Fn::Join")
            if any(dynamic.OPENING in p.value for p in parts.items if isinstance(p, Literal) and isinstance(p.value, str)):
                return dynamic.replaced(list(spread(parts, delimiter, call.mark)), call.mark)
        return Call("join", (Literal(delimiter, items[0].mark), parts), call.mark)

    def _split(self, call: Node, arg: Node) -> Expr:
        items = pair(arg)
        if items is None or items[0].kind != "scalar" or items[0].tag or not items[0].text or not text_or_call(items[1]):
            return self.bad(call, "Fn::Split")
        return Call("split", (Literal(items[0].text, items[0].mark), self(items[1])), call.mark)

    def _select(self, call: Node, arg: Node) -> Expr:
        items = pair(arg)
        if items is None or not text_or_call(items[0]) or not list_or_call(items[1]):
            return self.bad(call, "Fn::Select")
        if items[0].kind == "scalar" and not items[0].tag and not items[0].text.strip().isdigit():
            return self.bad(call, "Fn::Select")
        index, found = self(items[0]), self(items[1])
        if isinstance(index, Literal) and isinstance(found, List) and index.value is not FAULTY and int(index.value) >= len(found.items):
            summary = f"Template error: Fn::Select cannot select nonexistent value at index {index.value}"
            self.diagnostics.error("C128", summary, call.mark, f"the list has {len(found.items)}; the first is 0")
            return Literal(FAULTY, call.mark)
        return Call("select_item", (index, found), call.mark)

    def _equals(self, call: Node, arg: Node) -> Expr:
        items = pair(arg)
        if items is None or not all(text_or_call(i) for i in items):
            return self.bad(call, "Fn::Equals")
        one, other = (Literal("", i.mark) if isinstance(e := self(i), Literal) and e.value is OMIT else e for i in items)
        return Call("same_text", (one, other), call.mark)

    def _logic(self, fn: str, least: int, most: int) -> Callable[[Node, Node], Expr]:
        name = f"Fn::{fn.capitalize()}"

        def read(call: Node, arg: Node) -> Expr:
            if arg.kind != "list" or arg.tag or not least <= len(arg.items) <= most or not all(map(condition_or_call, arg.items)):
                return self.bad(call, name)
            return Call(fn, tuple(self(i) for i in arg.items), call.mark)

        return read

    def _condition(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "scalar" or arg.tag:
            return self.bad(call, "Condition")
        if arg.text not in self.names.conditions:
            return self.no_condition(arg, f"Template format error: Unresolved condition dependency {arg.text} in the {self.place} block of the template")
        return Call("condition", (Literal(arg.text, arg.mark),), call.mark)

    def _if(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or arg.tag or len(arg.items) != 3:
            return self.bad(call, "Fn::If")
        name, then, otherwise = arg.items
        if self.place == "Rules" and condition_or_call(name):
            return If(self(name), self(then), self(otherwise), call.mark)
        if name.kind != "scalar" or name.tag:
            return self.bad(call, "Fn::If")
        return If(self.condition(name, "Fn::If"), self(then), self(otherwise), call.mark)

    def _cidr(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or arg.tag or len(arg.items) not in (2, 3) or not all(map(text_or_call, arg.items)):
            return self.bad(call, "Fn::Cidr")
        count = scalar(arg.items[1]) if arg.items[1].kind == "scalar" and not arg.items[1].tag else 1
        if not str(count).isdigit() or not 1 <= int(count) <= 256:
            return self.bad(call, "Fn::Cidr")
        return Call("cidr", tuple(self(i) for i in arg.items), call.mark)

    def _import(self, call: Node, arg: Node) -> Expr:
        if not text_or_call(arg):
            return self.bad(call, "Fn::ImportValue")
        name = self(arg)
        if any(isinstance(e, (Ref, Attr)) or (isinstance(e, Call) and e.fn in ("import_value", "availability_zones")) for e in walk(name)):
            self.diagnostics.error("C122", IMPORT, arg.mark, "the name of an export is made of text, parameters and pseudo parameters")
            return Literal(FAULTY, call.mark)
        return Call("import_value", (name,), call.mark)

    def _stack_output(self, call: Node, arg: Node) -> Expr:
        known = ("StackName", "OutputName", "Region", "RoleArn")
        if arg.kind != "map" or arg.get("StackName") is None or arg.get("OutputName") is None or any(k.text not in known for k in arg.key_nodes()):
            return self.bad(call, "Fn::GetStackOutput")
        for key in ("Region", "RoleArn"):
            node = arg.get(key)
            if node is not None:
                self.diagnostics.notice("C171", f"{key} of Fn::GetStackOutput has no effect: stacks are looked up in this store", node.mark)
        stack, output = arg.get("StackName"), arg.get("OutputName")
        assert stack is not None
        assert output is not None
        return Call("stack_output", (self(stack), self(output)), call.mark)

    def _pair(self, fn: str) -> Callable[[Node, Node], Expr]:
        name = {"contains_item": "Fn::Contains", "each_member_equals": "Fn::EachMemberEquals", "each_member_in": "Fn::EachMemberIn"}[fn]

        def read(call: Node, arg: Node) -> Expr:
            items = pair(arg)
            second = list_or_call if fn == "each_member_in" else text_or_call
            if items is None or not list_or_call(items[0]) or not second(items[1]):
                return self.bad(call, name)
            return Call(fn, (self(items[0]), self(items[1])), call.mark)

        return read

    def _ref_all(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "scalar" or arg.tag:
            return self.bad(call, "Fn::RefAll")
        return List(tuple(Param(p.name, call.mark) for p in self.names.parameters.values() if p.declared == arg.text), call.mark)

    def _value_of(self, call: Node, arg: Node) -> Expr:
        """Attributes of what a parameter names are known to AWS only: the assertion cannot be checked."""
        items = pair(arg)
        if items is None or any(i.kind != "scalar" or i.tag for i in items):
            return self.bad(call, f"Fn::{(call.tag or call.entries[0][0].text).removeprefix('!').removeprefix('Fn::')}")
        self.diagnostics.notice("C153", f"the attribute {items[1].text} of {items[0].text} is not known here: what is asserted of it is not checked", call.mark)
        return Literal(FAULTY, call.mark)


def is_list(kind: str) -> bool:
    """Whether a parameter type gives a list."""
    return kind == "CommaDelimitedList" or "List<" in kind or kind.endswith("<CommaDelimitedList>")


def spread(parts: List, delimiter: str, mark: Mark) -> Iterator[Expr]:
    """The items of a join with the delimiter between them."""
    for number, part in enumerate(parts.items):
        if number and delimiter:
            yield Literal(delimiter, mark)
        yield part
