"""``HeatTemplateFormatVersion: 2012-12-12``: CloudFormation's shape, with Heat's rules and Heat's own functions (heat, engine/cfn/template.py)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from stackengine.formats.build import as_map, check_keys, expression, plain, text_of
from stackengine.formats.hot.constraints import FITS
from stackengine.formats.hot.legacy import Legacy
from stackengine.formats.nesting import Loader
from stackengine.formats.scalars import value
from stackengine.formats.scaling import with_groups
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Call, Entry, Expr, Literal, Map
from stackengine.model.template import Constraint, DependsOn, Nested, Output, Parameter, Policies, Resource, Source, Template
from stackengine.model.values import FAULTY

VERSION = "2012-12-12"
SECTIONS = ("HeatTemplateFormatVersion", "Description", "Parameters", "Mappings", "Resources", "Outputs", "ParameterGroups", "Metadata")
PARAMETER_KEYS = ("Type", "Default", "NoEcho", "AllowedValues", "AllowedPattern", "MaxLength", "MinLength", "MaxValue", "MinValue", "Description",
                  "ConstraintDescription", "Label")  # fmt: skip
TYPES: dict[str, Any] = {"String": "string", "Number": "number", "CommaDelimitedList": "list", "Json": "json", "Boolean": "boolean"}
RESOURCE_KEYS = ("Type", "Properties", "Metadata", "DependsOn", "DeletionPolicy", "UpdatePolicy", "Description")
OUTPUT_KEYS = ("Value", "Description")
STACK = "AWS::CloudFormation::Stack"


class Functions(Legacy):
    """Recognises the functions of one template."""

    def __init__(self, resources: Collection[str], diagnostics: Diagnostics) -> None:
        super().__init__(diagnostics, resources)
        self._table: dict[str, Callable[[Node, Node], Expr]] = {**self.legacy(), "Fn::GetAtt": self._get_att, "Fn::FindInMap": self._find_in_map}

    def __call__(self, node: Node) -> Expr:
        """The expression of any node."""
        return expression(node, "yaml11", self.read)

    def read(self, node: Node) -> Expr | None:
        """The call that ``node`` is, or None where it is plain data."""
        if node.kind != "map" or len(node.entries) != 1:
            return None
        key, argument = node.entries[0]
        if key.text in self._table:
            return self._table[key.text](node, argument)
        if key.text.startswith("Fn::"):
            hint = did_you_mean(key.text, self._table) or ", ".join(self._table)
            self._diagnostics.error("H120", f"the function {key.text} is not in Heat's {VERSION}", key.mark, hint)
            return Literal(FAULTY, node.mark)
        return None

    def _get_att(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) != 2 or arg.items[0].kind != "scalar":
            return self.bad(call, "a list: a resource and an attribute")
        return Attr(arg.items[0].text, (self(arg.items[1]),), call.mark)

    def _find_in_map(self, call: Node, arg: Node) -> Expr:
        if arg.kind != "list" or len(arg.items) != 3:
            return self.bad(call, "a list: a mapping, and two keys")
        return Call("find_in_map", tuple(self(i) for i in arg.items), call.mark)


def parse(root: Node, text: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """The template; diagnostics say everything that is wrong."""
    version = root.get("HeatTemplateFormatVersion")
    if text_of(version) != VERSION:
        mark = version.mark if version is not None else root.mark
        diagnostics.error("H101", f"there is no HeatTemplateFormatVersion {text_of(version)}", mark, f"the only one is {VERSION}")
    check_keys(root, SECTIONS, "a template of this format", "H102", diagnostics)
    section = {s: as_map(root.get(s), s, "H103", diagnostics) for s in ("Parameters", "Mappings", "Resources", "Outputs")}
    functions = Functions([k.text for k, _ in _entries(section["Resources"])], diagnostics)
    read = _Resources(name, loader, functions, diagnostics)
    return Template(
        language="cfn",
        version=VERSION,
        description=text_of(root.get("Description")),
        parameters={k.text: _parameter(k, v, diagnostics) for k, v in _entries(section["Parameters"])},
        mappings={k.text: plain(v, "yaml11") for k, v in _entries(section["Mappings"])},
        resources=with_groups({k.text: r for k, v in _entries(section["Resources"]) if (r := read.resource(k, v)) is not None}, diagnostics),
        outputs={k.text: o for k, v in _entries(section["Outputs"]) if (o := _output(k, v, functions, diagnostics)) is not None},
        sources=(Source(name, text),),
    )


def _entries(node: Node | None) -> tuple[tuple[Node, Node], ...]:
    return node.entries if node is not None else ()


def _parameter(key: Node, node: Node, diagnostics: Diagnostics) -> Parameter:
    body = as_map(node, f"parameter {key.text}", "H130", diagnostics)
    if body is None:
        return Parameter(key.text, mark=key.mark, rules="heat")
    check_keys(body, PARAMETER_KEYS, f"parameter {key.text}", "H131", diagnostics)
    type_node = body.get("Type")
    kind = TYPES.get(text_of(type_node))
    if kind is None:
        what = f"there is no parameter type {text_of(type_node)}" if type_node is not None else "a parameter needs a Type"
        hint = did_you_mean(text_of(type_node), TYPES) or ", ".join(TYPES)
        diagnostics.error("H132", f"parameter {key.text}: {what}", (type_node or key).mark, hint)
    default = body.get("Default")
    given = plain(default, "yaml11") if default is not None else None
    no_echo = body.get("NoEcho")
    hidden = no_echo is not None and str(value(no_echo, "yaml11") if no_echo.kind == "scalar" else "").lower() == "true"
    return Parameter(
        key.text, kind or "string", Literal(given, default.mark) if default is not None and given is not None else None, text_of(body.get("Description")),
        text_of(body.get("Label")), hidden, constraints=_constraints(key.text, body, kind or "string", diagnostics), mark=key.mark, rules="heat",
    )  # fmt: skip


def _constraints(name: str, body: Node, kind: str, diagnostics: Diagnostics) -> tuple[Constraint, ...]:
    described = text_of(body.get("ConstraintDescription"))
    found: list[Constraint] = []
    for rule, low, high in (("range", "MinValue", "MaxValue"), ("length", "MinLength", "MaxLength")):
        bounds = {k: n for k, word in (("min", low), ("max", high)) if (n := body.get(word)) is not None}
        if bounds:
            mark = next(iter(bounds.values())).mark
            numbers = {k: _number(n) for k, n in bounds.items()}
            if None in numbers.values():
                diagnostics.error("H138", f"parameter {name}: {low} and {high} are numbers", mark)
            elif kind in FITS[rule]:
                found.append(Constraint(rule, numbers, described, mark))
            else:
                diagnostics.error("H137", f"parameter {name}: {low} and {high} do not fit its type", mark)
    values, pattern = body.get("AllowedValues"), body.get("AllowedPattern")
    if values is not None and values.kind != "list":
        diagnostics.error("H138", f"parameter {name}: AllowedValues is a list", values.mark)
    elif values is not None:
        found.append(Constraint("allowed_values", plain(values, "yaml11"), described, values.mark))
    if pattern is not None and kind == "string":
        found.append(Constraint("pattern", text_of(pattern), described, pattern.mark))
    return tuple(found)


def _number(node: Node) -> int | float | None:
    try:
        return int(text_of(node))
    except ValueError:
        pass
    try:
        return float(text_of(node))
    except ValueError:
        return None


class _Resources:
    """Reads resources."""

    def __init__(self, file: str, loader: Loader, functions: Functions, diagnostics: Diagnostics) -> None:
        self._file, self._loader, self._functions, self._diagnostics = file, loader, functions, diagnostics

    def resource(self, key: Node, node: Node) -> Resource | None:
        """One resource; None where it has no type, which is reported."""
        body = as_map(node, f"resource {key.text}", "H105", self._diagnostics)
        type_node = body.get("Type") if body is not None else None
        if body is None or type_node is None or not text_of(type_node):
            self._diagnostics.error("H107", f"resource {key.text} has no Type", key.mark, "say Type: AWS::EC2::Instance, for example")
            return None
        for word in body.key_nodes():
            if word.text not in RESOURCE_KEYS:
                hint = did_you_mean(word.text, RESOURCE_KEYS)
                self._diagnostics.warning("H106", f"resource {key.text} has no key {word.text}: it is ignored", word.mark, hint)
        properties = as_map(body.get("Properties"), f"Properties of {key.text}", "H108", self._diagnostics)
        entries = tuple(Entry(k.text, k.mark, self._functions(v)) for k, v in _entries(properties))
        metadata, depends, update = body.get("Metadata"), body.get("DependsOn"), body.get("UpdatePolicy")
        policy = self._policy(key.text, body.get("DeletionPolicy"))
        made = Resource(
            key.text, text_of(type_node), Map(entries, properties.mark if properties is not None else key.mark),
            depends_on=tuple(DependsOn(i.text, i.mark) for i in ((depends.items if depends.kind == "list" else (depends,)) if depends is not None else ())),
            metadata=self._functions(metadata) if metadata is not None else None,
            policies=Policies(policy, policy, extra={"update_policy": plain(update, "yaml11")} if update is not None else {}),
            description=text_of(body.get("Description")), mark=key.mark, type_mark=type_node.mark,
        )  # fmt: skip
        return self._nested(made)

    def _policy(self, name: str, node: Node | None) -> Any:
        if node is None or (node.kind == "map" and self._functions.read(node) is not None):
            return "Delete"
        if text_of(node) not in ("Delete", "Retain", "Snapshot"):
            self._diagnostics.error("H110", f"{name}: there is no DeletionPolicy {text_of(node)}", node.mark, "Delete, Retain or Snapshot")
            return "Delete"
        return text_of(node)

    def _nested(self, resource: Resource) -> Resource | None:
        from dataclasses import replace

        kind = self._loader.kind_of(resource.type, resource.logical_id, self._file, resource.type_mark)
        if kind.missing:
            return None
        if kind.template is not None:
            return replace(resource, nested=Nested("stack", kind.template, mark=resource.type_mark))
        resource = replace(resource, type=kind.name)
        url = resource.properties.get("TemplateURL")
        if kind.name != STACK or not isinstance(url, Literal):
            return resource
        child = self._loader.child(str(url.value), self._file, url.mark)
        if child is None:
            return None
        return replace(resource, nested=Nested("stack", child, bindings=resource.properties.get("Parameters") or Map(()), mark=resource.mark))


def _output(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Output | None:
    body = as_map(node, f"output {key.text}", "H111", diagnostics)
    found = body.get("Value") if body is not None else None
    if body is None or found is None:
        diagnostics.error("H113", f"output {key.text} has no Value", key.mark)
        return None
    for word in body.key_nodes():
        if word.text not in OUTPUT_KEYS:
            diagnostics.warning("H112", f"output {key.text} has no key {word.text}: it is ignored", word.mark, did_you_mean(word.text, OUTPUT_KEYS))
    return Output(key.text, functions(found), text_of(body.get("Description")), mark=key.mark)
