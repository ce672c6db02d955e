"""CloudFormation, in YAML with the long forms of functions."""

from __future__ import annotations

from typing import Any

from stackengine.formats.write.exprs import LEFT_OUT, PSEUDO, Words, deletion, param_path, pieces, plain_parameter, with_value, without
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Attr, Call, Expr, If, List, Literal, Map, Param
from stackengine.model.template import Parameter, Policies, Resource, Template

VERSION = "2010-09-09"
TYPES = {"string": "String", "number": "Number", "boolean": "String", "list": "CommaDelimitedList", "json": "String"}
_NAMES = {"split": "Fn::Split", "select": "Fn::Select", "equals": "Fn::Equals", "cidr": "Fn::Cidr"}


_LISTS = ("split", "str_split", "list_concat", "list_concat_unique", "map_merge", "map_replace", "repeat", "cidr", "availability_zones", "filter")


def _as_text(expr: Expr, template: Template) -> Expr:
    """An output's value: text, which a list or a map becomes as JSON."""
    match expr:
        case If(condition=condition, then=then, otherwise=otherwise, mark=mark):
            return If(condition, _as_text(then, template), _as_text(otherwise, template), mark)
        case Literal(value=value):
            whole = isinstance(value, (list, dict))
        case Param(name=name):
            whole = name in template.parameters and template.parameters[name].type in ("list", "json")
        case Call(fn=fn):
            whole = fn in _LISTS
        case _:
            whole = isinstance(expr, (List, Map))
    return Call("to_json", (expr,), expr.mark) if whole else expr


def data(template: Template, diagnostics: Diagnostics) -> dict[str, Any]:
    """The template as plain data."""
    words = _Words(diagnostics)
    parameters = {p.name: _parameter(plain_parameter(p, diagnostics), words) for p in template.parameters.values()}
    conditions = {n: words.condition(c) for n, c in template.conditions.items()}
    resources = {r.logical_id: _resource(r, words) for r in template.resources.values()}
    outputs = {
        o.name: with_value(
            {
                "Description": o.description, "Condition": words.named(o.condition) if o.condition is not None else None,
                "Export": {"Name": words(o.export)} if o.export is not None else None,
            },
            "Value", words(_as_text(o.value, template)),
        )
        for o in template.outputs.values()
    }  # fmt: skip
    for name in (*template.parameters, *template.conditions, *template.resources, *template.outputs):
        if not (name.isascii() and name.replace("_", "").isalnum()):  # a reader of ours takes an underscore, with a notice (C143)
            words.missing(f"the name {name}, which is not of letters and digits only", Literal(name))
    return {
        "AWSTemplateFormatVersion": VERSION, **({"Transform": "AWS::LanguageExtensions"} if words.extended else {}),
        **without({
            "Description": template.description, "Metadata": template.metadata, "Parameters": parameters, "Mappings": template.mappings,
            "Conditions": {**conditions, **words.more}, "Resources": resources, "Outputs": outputs,
        }),
    }  # fmt: skip


def _parameter(parameter: Parameter, words: _Words) -> dict[str, Any]:
    found = without({"Type": TYPES[parameter.type], "Description": parameter.description})
    if parameter.type == "json":
        words.missing(f"the parameter {parameter.name} of type json", Literal(None, parameter.mark))
    if parameter.default is not None:
        value = words(parameter.default)
        found["Default"] = _default(value)
    if parameter.type == "boolean":
        found["AllowedValues"] = ["true", "false"]
    if parameter.sensitive:
        found["NoEcho"] = True
    for constraint in parameter.constraints:
        rule = constraint.value
        match constraint.kind:
            case "allowed_values":
                found["AllowedValues"] = rule
            case "pattern":
                found["AllowedPattern"] = rule
            case "length" | "range" as kind:
                low, high = ("MinLength", "MaxLength") if kind == "length" else ("MinValue", "MaxValue")
                found |= {k: v for k, v in ((low, rule.get("min")), (high, rule.get("max"))) if v is not None}
            case kind:
                words.diagnostics.warning("T202", f"parameter {parameter.name}: CloudFormation has no constraint {kind}", constraint.mark)
        if constraint.description:
            found["ConstraintDescription"] = constraint.description
    return found


def _default(value: Any) -> Any:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return ("true" if value else "false") if isinstance(value, bool) else value


def _resource(resource: Resource, words: _Words) -> dict[str, Any]:
    if resource.nested is not None:
        words.missing(f"what {resource.logical_id} stands for", Literal(None, resource.mark))
    policies = resource.policies
    return without({
        "Type": resource.type,
        "Condition": words.named(resource.condition) if resource.condition is not None else None,
        "DependsOn": [d.target for d in resource.depends_on],
        "DeletionPolicy": deletion(policies),
        "UpdateReplacePolicy": policies.update_replace if policies.update_replace != "Delete" else None,
        "Metadata": _metadata(resource, words, policies),
        "Properties": words(resource.properties),
    })  # fmt: skip


def _metadata(resource: Resource, words: _Words, policies: Policies) -> Any:
    external = words(resource.external_id) if resource.external_id is not None else None
    never = policies.replace if policies.replace != "allow" else None
    ours = without({"external": external, "replace": never, "ignore_changes": list(policies.ignore_changes)})
    said = words(resource.metadata) if resource.metadata is not None else {}
    if not ours:
        return said
    ours = {**said.get("stackengine", {}), **ours} if isinstance(said, dict) else ours
    return {**said, "stackengine": ours} if isinstance(said, dict) else words.missing("metadata that are no mapping", Literal(None, resource.mark))


class _Words(Words):
    language = "CloudFormation"

    def __init__(self, diagnostics: Diagnostics) -> None:
        super().__init__(diagnostics)
        self.more: dict[str, Any] = {}
        """Conditions that stood without a name."""
        self.extended = False
        """Whether something is said that only the language extensions have."""

    def param(self, name: str, expr: Expr) -> Any:  # noqa: ARG002  (every parameter can be said here)
        return {"Ref": PSEUDO.get(name, name)}

    def reference(self, target: str) -> Any:
        return {"Ref": target}

    def attribute(self, expr: Attr) -> Any:
        if len(expr.path) != 1:
            return self.missing(f"a path into an attribute of {expr.target}", expr)
        return {"Fn::GetAtt": [expr.target, self(expr.path[0])]}

    def choice(self, expr: If) -> Any:
        branches = (self(expr.then), self(expr.otherwise))
        return {"Fn::If": [self.named(expr.condition), *({"Ref": "AWS::NoValue"} if b is LEFT_OUT else b for b in branches)]}

    def named(self, expr: Expr) -> str:
        """The name of a condition; one that has none gets one."""
        if isinstance(expr, Call) and expr.fn == "condition" and isinstance(expr.args[0], Literal):
            return str(expr.args[0].value)
        said = self.condition(expr)
        known = next((n for n, c in self.more.items() if c == said), None)
        if known is None:
            known = f"Condition{len(self.more) + 1}"
            self.more[known] = said
        return known

    def condition(self, expr: Expr) -> Any:
        """A condition where a function may stand."""
        if isinstance(expr, Literal) and isinstance(expr.value, bool):
            return {"Fn::Equals": ["true", "true" if expr.value else "false"]}
        return self(expr)

    def call(self, call: Call) -> Any:
        path = param_path(call)
        if path is not None and len(path[1]) == 1:
            return {"Fn::Select": [self(path[1][0]), {"Ref": path[0]}]}
        match call.fn:
            case "join" if len(call.args) == 2:
                return {"Fn::Join": [self(call.args[0]), self(call.args[1])]}
            case "concat":
                return {"Fn::Join": ["", [self(a) for a in call.args]]}
            case "str_replace" | "str_replace_strict":
                found = pieces(call)
                return {"Fn::Join": ["", [self(p) for p in found]]} if found is not None else self.missing("replacing in text that is not known", call)
            case "split" if len(call.args) == 3:
                return {"Fn::Select": [self(call.args[2]), {"Fn::Split": [self(a) for a in call.args[:2]]}]}
            case "base64":
                return {"Fn::Base64": self(call.args[0])}
            case "to_json" | "length" as name:
                self.extended = True
                return {"Fn::ToJsonString" if name == "to_json" else "Fn::Length": self(call.args[0])}
            case "find_in_map" if isinstance(call.args[0], Literal):
                default = [{"DefaultValue": self(a)} for a in call.args[3:]]
                self.extended = self.extended or bool(default)
                return {"Fn::FindInMap": [*map(self, call.args[:3]), *default]}
            case "condition" if isinstance(call.args[0], Literal):
                return {"Condition": str(call.args[0].value)}
            case "not":
                return {"Fn::Not": [self.condition(call.args[0])]}
            case "and" | "or" as name:
                return {f"Fn::{name.capitalize()}": [self.condition(a) for a in call.args]}
            case "availability_zones":
                return {"Fn::GetAZs": self(call.args[0]) if call.args else ""}
            case name if name in _NAMES:
                return {_NAMES[name]: [self(a) for a in call.args]}
            case name:
                return self.missing(f"the function {name}", call)
