"""The section Resources."""

from __future__ import annotations

from collections.abc import Iterator

from stackengine.formats.build import check_keys, text_of
from stackengine.formats.cfn.functions import Functions
from stackengine.formats.cfn.names import entries
from stackengine.formats.cfn.policies import policies
from stackengine.formats.life import external_of, with_life
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Entry, Expr, If, Literal, Map
from stackengine.model.template import DependsOn, Resource
from stackengine.model.values import FAULTY, OMIT

KEYS = ("Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy", "CreationPolicy", "Version")
ELSEWHERE = {"Parameters": "a property of AWS::CloudFormation::Stack: it belongs under Properties", "Description": "a comment, or Metadata"}


def resources(node: Node | None, functions: Functions, diagnostics: Diagnostics) -> Iterator[Resource]:
    """Every resource that is in order."""
    for key, value in entries(node):
        found = _resource(key, value, functions, diagnostics)
        if found is not None:
            yield found


def _resource(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Resource | None:
    name = key.text
    if node.kind != "map" or node.tag:
        diagnostics.error("C105", f"Template format error: Any Resources member must be an object. [/Resources/{name}]", node.mark)
        return None
    if not functions.names.loose:
        _check(name, node, diagnostics)
    type_node = node.get("Type")
    if type_node is None or not text_of(type_node) or type_node.tag:
        summary = f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        diagnostics.error("C107", summary, (type_node or key).mark, "say Type: AWS::EC2::Instance, for example")
        return None
    condition, metadata = node.get("Condition"), node.get("Metadata")
    said = functions(metadata) if metadata is not None else None
    return Resource(
        name, type_node.text, _properties(name, node.get("Properties"), key, functions, diagnostics),
        depends_on=_depends_on(name, node.get("DependsOn"), functions, diagnostics),
        condition=functions.condition(condition, f"the resource {name}") if condition is not None else None,
        metadata=said, external_id=external_of(said),
        policies=with_life(policies(name, node, functions, diagnostics), metadata, diagnostics),
        mark=key.mark, type_mark=type_node.mark,
    )  # fmt: skip


def _check(name: str, node: Node, diagnostics: Diagnostics) -> None:
    extra = [k for k in node.key_nodes() if k.text not in KEYS]
    for found in extra:
        if not found.text.startswith("Fn::"):
            hint = ELSEWHERE.get(found.text) or did_you_mean(found.text, KEYS) or "properties belong under Properties"
            diagnostics.error("C106", f"Invalid template resource property '{found.text}' [/Resources/{name}]", found.mark, hint)
        else:
            diagnostics.error(
                "C122",
                f"{found.text} is not allowed here: a resource is written out",
                found.mark,
                "Fn::If belongs into properties; Condition leaves a resource out",
            )
    version = node.get("Version")
    if version is not None and version.kind != "scalar":
        check_keys(version, (), f"Version of {name}", "C106", diagnostics)


def _properties(name: str, node: Node | None, key: Node, functions: Functions, diagnostics: Diagnostics) -> Map:
    if node is None:
        return Map((), key.mark)
    function = functions.read(node)
    if function is None and node.kind == "map":
        return Map(tuple(Entry(k.text, k.mark, functions(v)) for k, v in node.entries), node.mark)
    found = _as_map(function) if function is not None else None
    if found is None:
        if not (isinstance(function, Literal) and function.value is FAULTY):
            diagnostics.error("C108", f"Template format error: [/Resources/{name}/Properties] Properties must be an object.", node.mark)
        return Map((), node.mark)
    return found


def _as_map(expr: Expr) -> Map | None:
    """A whole mapping chosen by Fn::If, as a choice for each of its keys."""
    match expr:
        case Map():
            return expr
        case Literal(value=value, mark=mark) if value is OMIT:
            return Map((), mark)
        case If(condition=condition, then=then, otherwise=otherwise, mark=mark):
            one, other = _as_map(then), _as_map(otherwise)
            if one is None or other is None:
                return None
            keys = {e.key: e.key_mark for e in (*one.entries, *other.entries)}
            nothing = Literal(OMIT, mark)
            return Map(tuple(Entry(k, m, If(condition, one.get(k) or nothing, other.get(k) or nothing, mark)) for k, m in keys.items()), mark)
        case _:
            return None


def _depends_on(name: str, node: Node | None, functions: Functions, diagnostics: Diagnostics) -> tuple[DependsOn, ...]:
    if node is None:
        return ()
    items = node.items if node.kind == "list" and not node.tag else (node,)
    if any(i.kind != "scalar" or i.tag for i in items):
        diagnostics.error(
            "C109", f"Template format error: DependsOn of {name} must be a string or a list of strings", node.mark, "functions are not allowed here"
        )
        return ()
    known = functions.names
    for item in items:
        if item.text not in known.resources and not known.loose:
            summary = f"Template format error: Unresolved resource dependencies [{item.text}] in the Resources block of the template"
            diagnostics.error("C123", summary, item.mark, did_you_mean(item.text, known.resources))
        elif item.text == name:
            diagnostics.error("C118", f"Circular dependency between resources: [{name}]", item.mark, "a resource cannot wait for itself")
    return tuple(DependsOn(i.text, i.mark) for i in items if i.text in known.resources - known.faulty and i.text != name)
