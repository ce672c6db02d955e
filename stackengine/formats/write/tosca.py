"""TOSCA 2.0."""

from __future__ import annotations

from typing import Any

from stackengine.formats.write.exprs import Words, param_path, pieces, plain_parameter, with_value, without
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Expr, If, Literal
from stackengine.model.template import Constraint, Parameter, Resource, Template

VERSION = "tosca_2_0"
TYPES = {"string": "string", "number": "float", "boolean": "boolean", "list": "list", "json": "map"}


def data(template: Template, diagnostics: Diagnostics) -> dict[str, Any]:
    """The template as plain data."""
    words = _Words(diagnostics)
    for name, expr in template.conditions.items():
        words.missing(f"the condition {name}", expr)
    service = without({
        "inputs": {p.name: _input(plain_parameter(p, diagnostics), words) for p in template.parameters.values()},
        "node_templates": {r.logical_id: _node(r, words) for r in template.resources.values()},
        "outputs": {o.name: with_value({"description": o.description}, "value", words(o.value)) for o in template.outputs.values()},
    })  # fmt: skip
    return {"tosca_definitions_version": VERSION, **without({"description": template.description}), "service_template": service}


def _input(parameter: Parameter, words: _Words) -> dict[str, Any]:
    kind = TYPES[parameter.type]
    default = parameter.default
    if kind == "float" and (default is None or (isinstance(default, Literal) and isinstance(default.value, int))):
        kind = "integer"
    found = without({"type": kind, "description": parameter.description})
    if kind in ("list", "map"):
        found["entry_schema"] = "string"
    if default is not None and not (isinstance(default, Literal) and default.value is None):
        said = words(default)
        found["default"] = [i if isinstance(i, str) else str(i) for i in said] if kind == "list" and isinstance(said, list) else said
    clauses = [c for constraint in parameter.constraints for c in _clauses(constraint)]
    if clauses:
        found["validation"] = clauses[0] if len(clauses) == 1 else {"$and": clauses}
    if parameter.sensitive:
        found["metadata"] = {"sensitive": "true"}
    return found


def _clauses(constraint: Constraint) -> list[dict[str, Any]]:
    rule: Any = constraint.value
    value: Any = "$value"
    match constraint.kind:
        case "allowed_values":
            return [{"$valid_values": [value, rule]}]
        case "pattern":
            return [{"$matches": [value, rule]}]
        case "range":
            names = (("$greater_or_equal", "min"), ("$less_or_equal", "max"))
        case "length":
            names, value = (("$greater_or_equal", "min"), ("$less_or_equal", "max")), {"$length": [value]}
        case _:
            return []
    return [{name: [value, rule[key]]} for name, key in names if rule.get(key) is not None]


def _node(resource: Resource, words: _Words) -> dict[str, Any]:
    if resource.nested is not None:
        words.missing(f"what {resource.logical_id} stands for", Literal(None, resource.mark))
    if resource.condition is not None:
        words.missing(f"the condition of {resource.logical_id}", resource.condition)
    policies = resource.policies
    ours = without({
        "external": words(resource.external_id) if resource.external_id is not None else None,
        "deletion": policies.deletion if policies.deletion != "Delete" else None,
        "replace": policies.replace if policies.replace != "allow" else None,
        "ignore_changes": list(policies.ignore_changes),
    })  # fmt: skip
    said = words(resource.metadata) if resource.metadata is not None else {}
    if isinstance(said, dict) and isinstance(said.get("stackengine"), dict):
        ours = {**said["stackengine"], **ours}
    return without({
        "type": resource.type,
        "description": resource.description,
        "metadata": {**(said if isinstance(said, dict) else {}), **without({"stackengine": ours})},
        "properties": words(resource.properties),
        "requirements": [{"dependency": d.target} for d in resource.depends_on],
    })  # fmt: skip


class _Words(Words):
    language = "TOSCA"

    def param(self, name: str, expr: Expr) -> Any:
        if "::" in name:
            return self.missing(f"the pseudo parameter {name}", expr)
        return {"$get_input": name}

    def reference(self, target: str) -> Any:
        return {"$get_attribute": [target, "physical_id"]}

    def attribute(self, expr: Attr) -> Any:
        if not expr.path:
            return self.missing(f"all attributes of {expr.target} at once", expr)
        return {"$get_attribute": [expr.target, *map(self, expr.path)]}

    def choice(self, expr: If) -> Any:
        return self.missing("a choice", expr)

    def call(self, call: Call) -> Any:
        path = param_path(call)
        if path is not None:
            return {"$get_input": [path[0], *map(self, path[1])]}
        match call.fn:
            case "join" if len(call.args) == 2:
                return {"$join": [self(call.args[1]), self(call.args[0])]}
            case "concat":
                return {"$concat": [self(a) for a in call.args]}
            case "tosca" if isinstance(call.args[0], Literal):
                return {f"${call.args[0].value}": [self(a) for a in call.args[2:]]}
            case "token":
                return {"$token": [self(a) for a in call.args]}
            case "str_replace" | "str_replace_strict":
                found = pieces(call)
                return {"$concat": [self(p) for p in found]} if found is not None else self.missing("replacing in text that is not known", call)
            case name:
                return self.missing(f"the function {name}", call)
