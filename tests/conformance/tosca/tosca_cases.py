"""What TOSCA conformance cases share: reading a document, and a place for each entity in one."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from stackengine import formats
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.template import Template
from verdicts import Files

VERSIONS = ("1.0", "1.1", "1.2", "1.3", "2.0")
HEADERS = {"1.0": "tosca_simple_yaml_1_0", "1.1": "tosca_simple_yaml_1_1", "1.2": "tosca_simple_yaml_1_2", "1.3": "tosca_simple_yaml_1_3", "2.0": "tosca_2_0"}


def read(text: str, files: dict[str, str] | None = None) -> tuple[Template | None, Diagnostics]:
    diagnostics = Diagnostics()
    return formats.load(text, "t.yaml", Files(files or {}), diagnostics), diagnostics


def errors(text: str, files: dict[str, str] | None = None) -> list[str]:
    return [f"{d.code} {d.mark.line}:{d.mark.col} {d.summary} [{d.hint}]" for d in read(text, files)[1].errors]


def codes(text: str, files: dict[str, str] | None = None) -> list[str]:
    return [d.code for d in read(text, files)[1].errors]


def warnings(text: str, files: dict[str, str] | None = None) -> list[str]:
    return [d.code for d in read(text, files)[1] if d.severity == "warning"]


def document(version: str, **sections: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"tosca_definitions_version": HEADERS[version], **sections}
    if version == "2.0":
        found["imports"] = [{"profile": "org.oasis-open.simple:2.0"}, *found.get("imports", [])]
    return found


def service(version: str, **sections: Any) -> dict[str, Any]:
    key = "service_template" if version == "2.0" else "topology_template"
    return {key: {"node_templates": {"server": {"type": "tosca.nodes.Compute" if version != "2.0" else "Compute"}}, **sections}}


def text(data: dict[str, Any]) -> str:
    return json.dumps(data)


def types(version: str) -> dict[str, Any]:
    """Types of one's own that cases refer to."""
    two = version == "2.0"
    requirement: dict[str, Any] = {"capability": "C", "relationship": "R", **({"count_range": [0, 9]} if two else {"occurrences": [0, 9]})}
    operation: dict[str, Any] = {"operations": {"go": {}}} if version in ("1.3", "2.0") else {"go": {}}
    return {
        "capability_types": {"C": {"properties": {"size": {"type": "integer", "required": False}}, "attributes": {"used": {"type": "integer"}}}},
        "relationship_types": {"R": {"properties": {"p": {"type": "string", "required": False}}, "attributes": {"a": {"type": "string"}},
                                     "interfaces": {"i": {"type": "I"}}}},
        "interface_types": {"I": operation},
        "artifact_types": {"A": {"properties": {"p": {"type": "string", "required": False}}}},
        "node_types": {"N": {"properties": {"p": {"type": "string", "required": False}}, "attributes": {"a": {"type": "string"}},
                             "capabilities": {"c": {"type": "C"}}, "requirements": [{"r": requirement}], "interfaces": {"i": {"type": "I"}}}},
        "group_types": {"G": {"properties": {"p": {"type": "string", "required": False}}}},
        "policy_types": {"P": {"properties": {"p": {"type": "string", "required": False}}}},
    }  # fmt: skip


MINIMAL: dict[str, Any] = {
    "file": {}, "import": {"file": "other.yaml"}, "repository": {"url": "https://example.org/"}, "artifact type": {}, "data type": {"derived_from": "string"},
    "schema": {"type": "string"}, "property": {"type": "string"}, "attribute": {"type": "string"}, "parameter": {"type": "string", "default": "x"},
    "artifact": {"type": "A", "file": "f.txt"}, "capability type": {}, "capability definition": {"type": "C"}, "capability assignment": {},
    "requirement definition": {"capability": "C", "relationship": "R"}, "relationship definition": {"type": "R"},
    "requirement assignment": {"node": "other"}, "relationship assignment": {"type": "R"}, "relationship type": {}, "relationship template": {"type": "R"},
    "interface type": {}, "interface definition": {"type": "I"}, "interface assignment": {}, "operation": {}, "notification": {}, "implementation": {},
    "node type": {}, "group type": {}, "policy type": {}, "service template": {}, "node template": {"type": "N"}, "group": {"type": "G"}, "policy": {"type": "P"},
    "trigger": {"event": "e", "action": [{"call_operation": "i.go"}]}, "event filter": {"node": "n"}, "workflow": {}, "precondition": {"target": "n"},
    "step": {"target": "n", "activities": [{"call_operation": "i.go"}]}, "delegate activity": {"workflow": "deploy"},
    "call_operation activity": {"operation": "i.go"}, "inline activity": {"workflow": "other"}, "substitution mappings": {"node_type": "N"},
    "node filter": {}, "function": {"signatures": [{"arguments": ["string"]}]}, "signature": {},
}  # fmt: skip


def minimal(entity: str, version: str) -> dict[str, Any]:
    found: dict[str, Any] = deepcopy(MINIMAL[entity])
    if version == "2.0":
        if entity == "import":
            return {"url": "other.yaml"}
    elif entity == "requirement definition":
        del found["relationship"]
    return found


def place(entity: str, body: Any, version: str) -> str:
    """A document in which the entity stands in its place."""
    data = document(version, **types(version))
    two, late = version == "2.0", version in ("1.3", "2.0")
    topology: dict[str, Any] = {"n": {"type": "N"}, "other": {"type": "N"}}
    extra: dict[str, Any] = {}
    kinds = ("artifact", "data", "capability", "relationship", "interface", "node", "group", "policy")
    if entity == "file":
        return text({**data, **body})
    if entity.endswith(" type") and entity.split(maxsplit=1)[0] in kinds:
        data.setdefault(f"{entity.split(maxsplit=1)[0]}_types", {})["X"] = body
        return text(data)
    in_node_type: dict[str, Any] = {
        "property": {"properties": {"x": body}}, "attribute": {"attributes": {"x": body}}, "capability definition": {"capabilities": {"x": body}},
        "requirement definition": {"requirements": [{"x": body}]}, "interface definition": {"interfaces": {"x": body}},
        "schema": {"properties": {"x": {"type": "list", "entry_schema": body}}},
        "relationship definition": {"requirements": [{"x": {"capability": "C", "relationship": body}}]},
        "node filter": {"requirements": [{"x": {"capability": "C", "relationship": "R", "node_filter": body}}]},
        "operation": {"interfaces": {"i": {"type": "I", "operations": {"go": body}} if late else {"type": "I", "go": body}}},
        "notification": {"interfaces": {"i": {"type": "I", "notifications": {"told": body}}}},
        "implementation": {"interfaces": {"i": {"type": "I", "operations": {"go": {"implementation": body}}} if late
                                          else {"type": "I", "go": {"implementation": body}}}},
    }  # fmt: skip
    if entity in in_node_type:
        data["node_types"]["X"] = in_node_type[entity]
        if entity == "notification":
            data["interface_types"]["I"]["notifications"] = {"told": {}}
        return text(data)
    match entity:
        case "import":
            data["imports"] = [*data.get("imports", []), body]
        case "repository":
            data["repositories"] = {"x": body}
        case "function" | "signature":
            data["functions"] = {"x": body if entity == "function" else {"signatures": [body]}}
        case "parameter":
            extra["inputs"] = {"x": body}
        case "artifact":
            topology["n"]["artifacts"] = {"x": body}
        case "capability assignment":
            topology["n"]["capabilities"] = {"c": body}
        case "requirement assignment":
            topology["n"]["requirements"] = [{"r": body}]
        case "relationship assignment":
            topology["n"]["requirements"] = [{"r": {"node": "other", "relationship": body}}]
        case "interface assignment":
            topology["n"]["interfaces"] = {"i": body}
        case "node template":
            topology["x"] = body
        case "relationship template":
            extra["relationship_templates"] = {"x": body, "source": {"type": "R"}}
        case "group":
            extra["groups"] = {"x": body}
        case "policy":
            extra["policies"] = [{"x": body}]
        case "trigger" | "event filter":
            trigger = body if entity == "trigger" else {**MINIMAL["trigger"], "target_filter": body}
            extra["policies"] = [{"x": {"type": "P", "triggers": {"t": trigger}}}]
        case "workflow":
            extra["workflows"] = {"x": body}
        case "precondition":
            extra["workflows"] = {"x": {"preconditions": [body], "steps": {}}}
        case "step":
            extra["workflows"] = {"x": {"steps": {"s": body}}}
        case "delegate activity" | "call_operation activity" | "inline activity":
            steps = {"s": {"target": "n", "activities": [{entity.split(maxsplit=1)[0]: body}]}}
            extra["workflows"] = {"x": {"steps": steps}, "other": {"steps": {}}}
        case "substitution mappings":
            extra["substitution_mappings"] = body
        case "service template":
            extra |= body
    key = "service_template" if two else "topology_template"
    data[key] = {"node_templates": topology, **extra}
    return text(data)


OTHER = {v: f'{{"tosca_definitions_version": "{h}"}}' for v, h in HEADERS.items()}
