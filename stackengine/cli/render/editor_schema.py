"""JSON Schemas of whole templates, for editors: they complete and explain keys, types and properties while one types.

They are kinder than ``validate``: wherever a value may stand, a function may stand.
"""

from __future__ import annotations

from typing import Any

from stackengine.model.template import Language
from stackengine.registry import Dialect, Registry, ResourceTypeInfo

_ANY: dict[str, Any] = {}
_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_KEPT = ("type", "enum", "minimum", "maximum", "exclusiveMinimum", "minLength", "pattern", "default", "examples", "description")
_CALL: dict[Language, dict[str, Any]] = {
    "hot": {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"pattern": "^[a-z_]+$"}},
    "cfn": {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"pattern": "^(Ref|Condition|Fn::.+)$"}},
    "tosca": {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"pattern": "^(\\$.+|get_.+|concat|join|token)$"}},
}
"""What a call of a function looks like."""


def editor_schema(language: Language, known: Registry) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a template in ``language``."""
    kinds = {name: _kind(language, info, None) for name, info in known.types.items()}
    kinds |= {d.name: _kind(language, known.types[d.native], d) for d in known.dialects.values() if d.language == language}
    type_key = "Type" if language == "cfn" else "type"
    properties = "Properties" if language == "cfn" else "properties"
    cases = [
        {"if": {"properties": {type_key: {"const": name}}, "required": [type_key]}, "then": {"properties": {properties: {"$ref": f"#/$defs/{_slug(name)}"}}}}
        for name in sorted(kinds)
    ]
    names = {"anyOf": [{"enum": sorted(kinds)}, {"type": "string"}]}
    resource = {**_resource(language, names), "allOf": cases}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": {"hot": "HOT template", "cfn": "CloudFormation template", "tosca": "TOSCA file"}[language],
        **_TOP[language],
        "$defs": {"call": _CALL[language], "resource": resource, **{_slug(n): s for n, s in kinds.items()}},
    }


def _slug(name: str) -> str:
    return name.replace("::", "-").replace(".", "-")


def _kind(language: Language, info: ResourceTypeInfo, dialect: Dialect | None) -> dict[str, Any]:
    """The properties of one type."""
    if dialect is None:
        return {"type": "object", "description": info.description, "properties": {n: _value(s) for n, s in info.properties.items()}}
    found: dict[str, Any] = {}
    for name, conversion in dialect.properties.items():
        reason = conversion.refuse or conversion.ignore
        native = info.properties.get(conversion.to) if conversion.to and not conversion.decode else None
        what = f"{'Not supported' if conversion.refuse else 'Has no effect'}: {reason}." if reason else ""
        found[name] = {"description": what, "deprecated": True} if reason else _value(native) if native is not None else {"description": conversion.to}
    own = {} if language == "tosca" else {n: _value(s) for n, s in info.properties.items() if n not in found}
    return {"type": "object", "description": f"{info.description} ({info.name})", "properties": {**found, **own}}


def _value(schema: dict[str, Any]) -> dict[str, Any]:
    """A property: what its schema says, or a call."""
    kept = {k: v for k, v in schema.items() if k in _KEPT and k not in ("description", "default", "examples")}
    if isinstance(schema.get("items"), dict):
        kept["items"] = _value(schema["items"])
    if "properties" in schema:
        kept["properties"] = {n: _value(s) for n, s in schema["properties"].items()}
    words: dict[str, Any] = {k: schema[k] for k in ("description", "default", "examples") if k in schema}
    return {**words, "anyOf": [kept, {"$ref": "#/$defs/call"}]} if kept else words


def _resource(language: Language, names: dict[str, Any]) -> dict[str, Any]:
    if language == "cfn":
        policy = {"enum": ["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"]}
        keys = {
            "Type": names, "Properties": {"type": "object"}, "DependsOn": _TEXTS, "Condition": {"type": "string"}, "Metadata": {"type": "object"},
            "DeletionPolicy": policy, "UpdateReplacePolicy": policy, "CreationPolicy": {"type": "object"}, "UpdatePolicy": {"type": "object"},
        }  # fmt: skip
        return {"type": "object", "properties": keys, "required": ["Type"], "additionalProperties": False}
    if language == "hot":
        keys = {
            "type": names, "properties": {"type": "object"}, "depends_on": _TEXTS, "condition": _ANY, "metadata": _ANY, "external_id": _ANY,
            "deletion_policy": {"enum": ["Delete", "Retain", "Snapshot", "delete", "retain", "snapshot"]}, "update_policy": {"type": "object"},
            "description": {"type": "string"},
        }  # fmt: skip
        return {"type": "object", "properties": keys, "required": ["type"], "additionalProperties": False}
    keys = {
        "type": names, "properties": {"type": "object"}, "description": {"type": "string"}, "metadata": {"type": "object"}, "directives": {"type": "array"},
        "attributes": {"type": "object"}, "requirements": {"type": "array"}, "capabilities": {"type": "object"}, "interfaces": {"type": "object"},
        "artifacts": {"type": "object"}, "node_filter": {"type": "object"}, "copy": {"type": "string"}, "count": _ANY,
    }  # fmt: skip
    return {"type": "object", "properties": keys, "required": ["type"]}


def _map(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}


_RESOURCES = _map({"$ref": "#/$defs/resource"})
_SERVICE = {"type": "object", "properties": {"inputs": _map({"type": "object"}), "node_templates": _RESOURCES, "outputs": _map({"type": "object"})}}
_TOP: dict[Language, dict[str, Any]] = {
    "hot": {
        "type": "object",
        "properties": {
            "heat_template_version": {"description": "The version of HOT; the newest is 2021-04-16."},
            "description": {"type": "string"}, "parameter_groups": {"type": "array"}, "conditions": {"type": "object"},
            "parameters": _map({"type": "object", "required": ["type"], "properties": {
                "type": {"enum": ["string", "number", "boolean", "comma_delimited_list", "json"]}, "default": _ANY, "description": {"type": "string"},
                "label": {"type": "string"}, "hidden": _ANY, "immutable": _ANY, "tags": _ANY, "constraints": {"type": "array"},
            }}),
            "resources": _RESOURCES, "outputs": _map({"type": "object", "required": ["value"]}),
        },
        "required": ["heat_template_version"], "additionalProperties": False,
    },
    "cfn": {
        "type": "object",
        "properties": {
            "AWSTemplateFormatVersion": {"description": "Always 2010-09-09."}, "HeatTemplateFormatVersion": _ANY, "Description": {"type": "string"},
            "Metadata": {"type": "object"}, "Parameters": _map({"type": "object", "required": ["Type"]}), "Rules": {"type": "object"},
            "Mappings": {"type": "object"}, "Conditions": {"type": "object"}, "Transform": _ANY,
            "Resources": _map({"anyOf": [{"$ref": "#/$defs/resource"}, {"type": "array", "description": "Fn::ForEach"}]}),
            "Outputs": {"type": "object"}, "Hooks": {"type": "object"},
        },
        "required": ["Resources"], "additionalProperties": False,
    },
    "tosca": {
        "type": "object",
        "properties": {
            "tosca_definitions_version": {"enum": ["tosca_2_0", *(f"tosca_simple_yaml_1_{n}" for n in (3, 2, 1, 0))]},
            "description": {"type": "string"}, "metadata": {"type": "object"}, "imports": _ANY, "service_template": _SERVICE, "topology_template": _SERVICE,
        },
        "required": ["tosca_definitions_version"],
    },
}  # fmt: skip
"""The sections of a template."""
