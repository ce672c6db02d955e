"""Heat's own forms of CloudFormation's functions: in HOT 2013-05-23, and in CloudFormation templates for Heat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Call, Expr, Literal, Param, Ref
from stackengine.model.values import FAULTY

FACADE = {"Metadata": "metadata", "DeletionPolicy": "deletion_policy", "UpdatePolicy": "update_policy"}


class Legacy:
    """The table of these functions; a reader of values is mixed in (``__call__``)."""

    def __init__(self, diagnostics: Diagnostics, resources: Collection[str]) -> None:
        self._diagnostics, self._resources = diagnostics, resources

    def __call__(self, node: Node) -> Expr:
        """The expression of any node."""
        raise NotImplementedError

    def legacy(self) -> dict[str, Callable[[Node, Node], Expr]]:
        """Reader by function name."""
        return {
            "Ref": self._ref,
            "Fn::GetAZs": lambda call, _arg: Call("availability_zones", (Literal("", call.mark),), call.mark),
            "Fn::Select": lambda call, arg: self._listed("heat_select", call, arg, 2, "a list: an index and a list or map"),
            "Fn::Join": lambda call, arg: self._listed("list_join_text", call, arg, 2, "a list: a delimiter and a list"),
            "Fn::Split": lambda call, arg: self._listed("heat_split", call, arg, 2, "a list: a delimiter and text"),
            "Fn::Replace": self._fn_replace,
            "Fn::Base64": lambda call, arg: Call("heat_base64", (self(arg),), call.mark),
            "Fn::MemberListToMap": lambda call, arg: self._listed("member_list", call, arg, 3, "a list: the key's name, the value's name, and a list"),
            "Fn::ResourceFacade": lambda call, arg: self.facade(call, arg, FACADE),
        }

    def bad(self, call: Node, shape: str, hint: str = "") -> Expr:
        """Report arguments of the wrong shape."""
        self._diagnostics.error("H122", f"{call.entries[0][0].text} needs {shape}", call.mark, hint)
        return Literal(FAULTY, call.mark)

    def facade(self, call: Node, arg: Node, names: Mapping[str, str]) -> Expr:
        """What the resource that this template stands for says of itself."""
        if arg.kind != "scalar" or arg.text not in names:
            return self.bad(call, f"one of {', '.join(names)}")
        return Call("facade", (Literal(names[arg.text], arg.mark),), call.mark)

    def _listed(self, fn: str, call: Node, arg: Node, count: int, shape: str) -> Expr:
        if arg.kind != "list" or len(arg.items) != count:
            return self.bad(call, shape)
        return Call(fn, tuple(self(i) for i in arg.items), call.mark)

    def _ref(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "scalar" or not arg.text:
            return self.bad(call, "a name")
        return Ref(arg.text, call.mark) if arg.text in self._resources else Param(arg.text, call.mark)

    def _fn_replace(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) != 2:
            return self.bad(call, "a list: a map and text")
        return Call("str_replace_text", (self(arg.items[1]), self(arg.items[0])), call.mark)
