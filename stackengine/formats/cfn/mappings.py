"""The section Mappings: two levels of names, then a text or a list; and ``Fn::FindInMap``, which looks something up there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackengine.formats.cfn.calls import called
from stackengine.formats.cfn.names import Names, entries
from stackengine.formats.cfn.scalars import as_text, scalar
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Call, Expr, Literal
from stackengine.model.values import FAULTY

if TYPE_CHECKING:
    from stackengine.formats.cfn.functions import Functions

_BEFORE_EXTENSIONS = ("Ref", "Fn::FindInMap")
"""What may stand in Fn::FindInMap without AWS::LanguageExtensions."""


def mappings(node: Node | None, diagnostics: Diagnostics) -> dict[str, Any]:
    """The mappings as plain data; what is wrong is reported."""
    return {k.text: _mapping(k, v, diagnostics) for k, v in entries(node)}


def _mapping(key: Node, node: Node, diagnostics: Diagnostics) -> dict[str, Any] | None:
    if node.kind != "map" or node.tag:
        diagnostics.error("C119", f"Template format error: Every Mappings member {key.text} must be a map", node.mark, "a mapping has two levels of names")
        return None
    found: dict[str, Any] = {}
    for top, attributes in node.entries:
        if attributes.kind != "map" or attributes.tag or called(attributes):
            diagnostics.error(
                "C119",
                f"Template format error: Every Mappings member {key.text}.{top.text} must be a map",
                attributes.mark,
                "a mapping has two levels of names",
            )
            continue
        found[top.text] = {n.text: _attribute(v, diagnostics) for n, v in attributes.entries}
    return found


def _attribute(node: Node, diagnostics: Diagnostics) -> Any:
    if node.tag or node.kind == "map":
        hint = "functions are not allowed in Mappings" if called(node) else "a third level of names is not allowed"
        diagnostics.error("C119", "Template format error: Every Mappings attribute must be a String or a List.", node.mark, hint)
        return None
    if node.kind == "list":
        return [_attribute(i, diagnostics) for i in node.items]
    return scalar(node)


def find(functions: Functions, call: Node, arg: Node) -> Expr:
    """``Fn::FindInMap``: names that are written out are looked up at once (C126)."""
    if arg.kind != "list" or arg.tag or len(arg.items) not in (3, 4):
        return functions.bad(call, "Fn::FindInMap")
    keys = list(arg.items[:3])
    for key in keys:
        name = called(key)
        if name is None and key.kind != "scalar":
            return functions.bad(call, "Fn::FindInMap")
        if name is not None and name not in _BEFORE_EXTENSIONS:
            functions.needs_extensions(f"{name} in Fn::FindInMap", key.mark)
    args = [Literal(as_text(k), k.mark) if called(k) is None else functions(k) for k in keys]
    if len(arg.items) == 4:
        default = arg.items[3].get("DefaultValue") if arg.items[3].kind == "map" and len(arg.items[3].entries) == 1 else None
        if default is None:
            return functions.bad(call, "Fn::FindInMap")
        functions.needs_extensions("DefaultValue in Fn::FindInMap", arg.items[3].mark)
        return Call("find_in_map", (*args, functions(default)), call.mark)
    return Call("find_in_map", tuple(args), call.mark) if _is_there(args, functions.names, functions.diagnostics) else Literal(FAULTY, call.mark)


def _is_there(args: list[Any], names: Names, diagnostics: Diagnostics) -> bool:
    """Whether the mapping has what is written out."""
    name, top, second = (a.value if isinstance(a, Literal) and isinstance(a.value, str) else None for a in args)
    if name is None or names.loose:
        return True
    if name not in names.mappings:
        summary = f"Template error: Mapping named '{name}' is not present in the 'Mappings' section of template."
        diagnostics.error("C126", summary, args[0].mark, did_you_mean(name, names.mappings))
        return False
    mapping = names.mappings[name]
    if not isinstance(mapping, dict) or top is None or (second is None and top in mapping):
        return True
    if top in mapping and isinstance(mapping[top], dict) and second in mapping[top]:
        return True
    known, word, place = (mapping[top], second, args[2]) if top in mapping else (mapping, top, args[1])
    diagnostics.error(
        "C126", f"Template error: Unable to get mapping for {name}::{top}::{second or '…'}", place.mark, did_you_mean(str(word), map(str, known))
    )
    return False
