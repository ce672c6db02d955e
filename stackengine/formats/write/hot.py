"""HOT, in its newest version."""

from __future__ import annotations

from typing import Any

from stackengine.formats.write.exprs import LEFT_OUT, PSEUDO, Words, deletion, param_path, plain_parameter, with_value, without
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Param
from stackengine.model.template import Constraint, Parameter, Resource, Template

VERSION = "2021-04-16"
TYPES = {"string": "string", "number": "number", "boolean": "boolean", "list": "comma_delimited_list", "json": "json"}
_LISTED = frozenset(
    ("digest", "map_merge", "map_replace", "list_concat", "list_concat_unique", "contains", "filter", "equals", "and", "or")
)  # fmt: skip
_FROM_AWS = {aws: hot for hot, aws in PSEUDO.items()}


def data(template: Template, diagnostics: Diagnostics) -> dict[str, Any]:
    """The template as plain data."""
    words = _Words(diagnostics)
    parameters = [plain_parameter(p, diagnostics) for p in template.parameters.values()]
    words.numbers = {p.name for p in parameters if p.type == "number"}
    return {
        "heat_template_version": template.version or VERSION,
        **without({
            "description": template.description,
            "parameters": {p.name: _parameter(p, words) for p in parameters},
            "conditions": {n: words.condition(c) for n, c in template.conditions.items()},
            "resources": {r.logical_id: _resource(r, words) for r in template.resources.values()},
            "outputs": {
                o.name: with_value(
                    {"description": o.description, "condition": words.condition(o.condition) if o.condition is not None else None}, "value", words(o.value)
                )
                for o in template.outputs.values()
            },
        }),
    }  # fmt: skip


def _parameter(parameter: Parameter, words: _Words) -> dict[str, Any]:
    found = without({"type": TYPES[parameter.type], "label": parameter.label, "description": parameter.description})
    if parameter.default is not None:
        found["default"] = words(parameter.default)
    found |= {k: True for k, v in (("hidden", parameter.sensitive), ("immutable", parameter.immutable)) if v}
    constraints = [c for c in map(_constraint, parameter.constraints) if c]
    return {**found, "constraints": constraints} if constraints else found


def _constraint(constraint: Constraint) -> dict[str, Any]:
    name = {"pattern": "allowed_pattern", "custom": "custom_constraint"}.get(constraint.kind, constraint.kind)
    rule = {k: v for k, v in constraint.value.items() if v is not None} if isinstance(constraint.value, dict) else constraint.value
    return without({name: rule, "description": constraint.description})


def _resource(resource: Resource, words: _Words) -> dict[str, Any]:
    if resource.nested is not None:
        words.missing(f"what {resource.logical_id} stands for", Literal(None, resource.mark))
    policies = resource.policies
    update = without({"ignore_changes": list(policies.ignore_changes), "replace": policies.replace if policies.replace != "allow" else None})
    return without({
        "type": resource.type,
        "external_id": words(resource.external_id) if resource.external_id is not None else None,
        "condition": words.condition(resource.condition) if resource.condition is not None else None,
        "depends_on": [d.target for d in resource.depends_on],
        "deletion_policy": "Retain" if deletion(policies) == "RetainExceptOnCreate" else deletion(policies),
        "update_policy": {**policies.extra.get("update_policy", {}), **update},
        "description": resource.description,
        "metadata": words(resource.metadata) if resource.metadata is not None else None,
        "properties": words(resource.properties),
    })  # fmt: skip


class _Words(Words):
    language = "HOT"

    def __init__(self, diagnostics: Diagnostics) -> None:
        super().__init__(diagnostics)
        self.numbers: set[str] = set()
        """Parameters that are numbers."""

    def param(self, name: str, expr: Expr) -> Any:
        if name.startswith("AWS::") and name not in _FROM_AWS:
            return self.missing(f"the pseudo parameter {name}", expr)
        return {"get_param": _FROM_AWS.get(name, name)}

    def reference(self, target: str) -> Any:
        return {"get_resource": target}

    def attribute(self, expr: Attr) -> Any:
        if not expr.path:
            return self.missing(f"all attributes of {expr.target} at once, by native names", expr)
        return {"get_attr": [expr.target, *map(self, expr.path)]}

    def choice(self, expr: If) -> Any:
        condition, then, otherwise = self.condition(expr.condition), self(expr.then), self(expr.otherwise)
        if then is LEFT_OUT:
            return LEFT_OUT if otherwise is LEFT_OUT else {"if": [{"not": condition}, otherwise]}
        return {"if": [condition, then, *([] if otherwise is LEFT_OUT else [otherwise])]}

    def text(self, expr: Expr) -> Any:
        """A piece of a joined text: HOT joins no numbers."""
        if isinstance(expr, Literal) and isinstance(expr.value, (int, float)) and not isinstance(expr.value, bool):
            return str(expr.value)
        if isinstance(expr, Param) and expr.name in self.numbers:
            return {"str_replace": {"template": "$number", "params": {"$number": self(expr)}}}
        return self(expr)

    def condition(self, expr: Expr) -> Any:
        """A condition: a name, true or false, or a function."""
        if isinstance(expr, Call) and expr.fn == "condition" and isinstance(expr.args[0], Literal):
            return str(expr.args[0].value)
        return self(expr)

    def call(self, call: Call) -> Any:
        path = param_path(call)
        if path is not None:
            return {"get_param": [path[0], *map(self, path[1])]}
        match call.fn:
            case "join":
                return {"list_join": [self(call.args[0]), *([self.text(i) for i in a.items] if isinstance(a, List) else self(a) for a in call.args[1:])]}
            case "concat":
                return {"list_join": ["", [self.text(a) for a in call.args]]}
            case "split":
                return {"str_split": [self(a) for a in call.args]}
            case "select" if isinstance(call.args[1], Call) and call.args[1].fn in ("split", "str_split"):
                return {"str_split": [*(self(a) for a in call.args[1].args[:2]), self(call.args[0])]}
            case "select" if (into := _list_of(call.args[1])) is not None:
                return {"get_param": [into[0], *map(self, into[1]), _index(self(call.args[0]))]}
            case "str_replace" | "str_replace_strict" as name:
                return {name: {"template": self(call.args[0]), "params": self(call.args[1])}}
            case "repeat":
                rows = {"permutations": self(call.args[3])} if len(call.args) > 3 else {}
                return {"repeat": {"template": self(call.args[0]), "for_each": self(call.args[1]), **rows}}
            case "yaql":
                return {"yaql": {"expression": self(call.args[0]), "data": self(call.args[1])}}
            case "make_url":
                return {"make_url": self(call.args[0])}
            case "not":
                return {"not": self.condition(call.args[0])}
            case "and" | "or" as name:
                return {name: [self.condition(a) for a in call.args]}
            case "condition" if isinstance(call.args[0], Literal):
                return str(call.args[0].value)
            case name if name in _LISTED:
                return {name: [self(a) for a in call.args]}
            case name:
                return self.missing(f"the function {name}", call)


def _list_of(expr: Expr) -> tuple[str, tuple[Expr, ...]] | None:
    """(parameter, keys) of a list that one item is taken of."""
    if isinstance(expr, Param):
        return expr.name, ()
    return param_path(expr) if isinstance(expr, Call) else None


def _index(said: Any) -> Any:
    """An index as a number: CloudFormation's may be text."""
    return int(said) if isinstance(said, str) and said.isdecimal() else said
