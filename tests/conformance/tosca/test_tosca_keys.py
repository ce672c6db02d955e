"""Every key of every entity in every version: there it is taken, elsewhere it is told; what is mandatory is missed, wrong shapes are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.tosca.tosca_cases import OTHER, VERSIONS, codes, errors, minimal, place, read
from stackengine.formats.tosca.keynames import entities, keys_of, known_keys, mandatory_keys

ABSENT: dict[str, tuple[str, ...]] = {
    "workflow": ("1.0",), "step": ("1.0",), "trigger": ("1.0",), "event filter": ("1.0", "2.0"), "precondition": ("1.0", "2.0"),
    "delegate activity": ("1.0", "1.1", "1.2"), "call_operation activity": ("1.0", "1.1", "1.2"), "inline activity": ("1.0", "1.1", "1.2"),
    "function": ("1.0", "1.1", "1.2", "1.3"), "signature": ("1.0", "1.1", "1.2", "1.3"), "notification": ("1.0", "1.1", "1.2"), "node filter": ("2.0",),
}  # fmt: skip
"""Versions that do not have an entity (or only its short form)."""
VALUES: dict[str, Any] = {
    "version": "1.0", "metadata": {"a": "b"}, "description": "x", "derived_from": None, "mime_type": "text/plain", "file_ext": ["txt"], "properties": {},
    "attributes": {}, "interfaces": {}, "capabilities": {}, "requirements": [], "artifacts": {}, "inputs": {}, "outputs": {}, "operations": {},
    "notifications": {}, "required": True, "default": "x", "status": "supported", "constraints": [{"max_length": 9}],
    "validation": {"$less_or_equal": [{"$length": ["$value"]}, 9]}, "value": "x", "occurrences": [0, 1], "count_range": [0, 1], "count": 1,
    "valid_source_types": ["N"], "valid_source_node_types": ["N"], "valid_relationship_types": ["R"], "valid_target_types": ["C"],
    "valid_capability_types": ["C"], "valid_target_node_types": ["N"], "members": ["n"], "targets": ["n"], "triggers": {}, "directives": ["internal"],
    "optional": True, "allocation": {}, "node": "other", "capability": "c", "relationship": "R", "namespace": "ns", "namespace_prefix": "ns",
    "namespace_uri": "http://example.org", "url": "other.yaml", "file": "other.yaml", "repository": "store", "credential": {"token": "x"},
    "deploy_path": "/x", "artifact_version": "1.0", "checksum": "00", "checksum_algorithm": "MD5", "primary": "f.sh", "dependencies": ["g.sh"],
    "timeout": 5, "operation_host": "SELF", "implementation": "f.sh", "copy": "other", "target_relationship": "r", "activities": [{"set_state": "started"}],
    "on_success": ["s"], "on_failure": ["s"], "filter": [], "steps": {}, "precondition": True, "preconditions": [], "condition": [],
    "schedule": {"start_time": "2026-01-01T00:00:00Z", "end_time": "2026-01-02T00:00:00Z"}, "event_type": "e", "constraint": {}, "period": "60 s",
    "evaluations": 1, "method": "average", "target_filter": {"node": "n"}, "signatures": [{}], "arguments": ["string"], "optional_arguments": ["string"],
    "variadic": True, "result": "string", "substitution_filter": [], "mapping": ["SELF", "a"], "external-schema": "x", "workflow": "deploy",
    "operation": "i.go", "event": "e", "action": [{"call_operation": "i.go"}], "target": "n", "profile": "org.oasis-open.simple:2.0",
    "requirement": "r", "type": None, "node_type": "N", "workflows": {}, "functions": {}, "node_templates": {"n": {"type": "N"}, "other": {"type": "N"}},
    "relationship_templates": {}, "groups": {}, "policies": [], "substitution_mappings": {"node_type": "N"}, "dsl_definitions": {"a": 1},
    "template_name": "x", "template_author": "x", "template_version": "1.0", "data_type": "integer", "units": {"m": 1}, "canonical_unit": "m",
    "prefixes": {"k": 1000}, "imports": [], "repositories": {},
}  # fmt: skip
SPECIAL: dict[tuple[str, str], Any] = {
    ("import", "repository"): None, ("import", "profile"): None, ("import", "file"): None, ("artifact", "file"): "f.txt", ("artifact", "repository"): None,
    ("file", "profile"): "p", ("file", "service_template"): {"node_templates": {}}, ("file", "topology_template"): {}, ("file", "imports"): None,
    ("file", "tosca_definitions_version"): None, ("data type", "key_schema"): None, ("data type", "entry_schema"): None, ("data type", "properties"): None,
    ("repository", "url"): "https://x", ("parameter", "value"): None, ("parameter", "mapping"): None, ("capability definition", "directives"): None,
    ("requirement definition", "node"): "N", ("requirement definition", "capability"): "C", ("node template", "directives"): ["substitute"],
    ("node template", "node_filter"): None, ("trigger", "condition"): None, ("step", "filter"): [], ("node template", "count"): 1,
    ("attribute", "default"): "x", ("workflow", "implementation"): "f.sh", ("requirement assignment", "node_filter"): None,
    ("requirement definition", "node_filter"): None, ("substitution mappings", "substitution_filter"): None, ("substitution mappings", "directives"): ["substitute"],
    ("capability assignment", "occurrences"): [0, 1], ("event filter", "node"): "n", ("inline activity", "workflow"): "other", ("trigger", "action"): None,
    ("event filter", "capability"): "c", ("workflow", "precondition"): {"$equal": [1, 1]}, ("data type", "derived_from"): "string",
    ("capability assignment", "properties"): {}, ("data type", "validation"): VALUES["validation"], ("service template", "inputs"): {},
}  # fmt: skip
OPEN = ("interface type", "interface definition", "interface assignment")
"""Operations stand directly in them in 1.x, so any key may be one."""
SCALAR = {"data_type", "units", "canonical_unit", "prefixes"}


def sample(entity: str, key: str) -> Any:
    if (entity, key) in SPECIAL:
        return SPECIAL[entity, key]
    if key.endswith("_types") and entity == "file":
        return None
    if key == "copy":
        return "source" if entity == "relationship template" else "other"
    if (entity, key) in (("group type", "members"), ("policy type", "targets")):
        return ["N"]
    return VALUES.get(key)


USUAL = ("1.0", "1.3", "2.0")
PLACES = [pytest.param(e, v, marks=() if v in USUAL else pytest.mark.slow) for e in entities() for v in VERSIONS if v not in ABSENT.get(e, ())]
Record = Callable[[str, object], None]


def filled(entity: str, version: str, key: str) -> dict[str, Any]:
    body = {**minimal(entity, version), key: sample(entity, key)}
    if key == "validation" and entity == "data type":
        body["derived_from"] = "string"
    if key in SCALAR:
        body = {"derived_from": "scalar", "units": {"m": 1}, key: sample(entity, key)}
    if entity == "artifact" and key == "checksum":
        body["checksum_algorithm"] = "MD5"
    if entity == "workflow" and key == "steps":
        body.pop("implementation", None)
    if entity == "file" and version == "2.0" and key == "profile":
        body.pop("service_template", None)
    return body


@pytest.mark.parametrize(("entity", "version"), PLACES)
def test_a_key_of_the_version_is_taken(entity: str, version: str, record_property: Record) -> None:
    keys = [k for k in known_keys(entity, version) if sample(entity, k) is not None]
    record_property("cases", len(keys))
    others = {"other.yaml": OTHER[version]}
    found = {k: errors(place(entity, filled(entity, version, k), version), others) for k in keys}
    assert {k: e for k, e in found.items() if e} == {}


@pytest.mark.parametrize(("entity", "version"), PLACES)
def test_a_key_of_another_version_is_told(entity: str, version: str, record_property: Record) -> None:
    keys = [k for k in keys_of(entity) if k not in known_keys(entity, version)]
    record_property("cases", len(keys))
    silent = []
    for key in keys:
        _, diagnostics = read(place(entity, {**minimal(entity, version), key: sample(entity, key) or "x"}, version), {"other.yaml": OTHER[version]})
        if not any(d.code == "S202" or (d.code == "S203" and key in d.summary) for d in diagnostics):
            silent.append((key, [str(d) for d in diagnostics]))
    assert silent == []


@pytest.mark.parametrize(("entity", "version"), [p for p in PLACES if not (p.values[0] in OPEN and p.values[1] != "2.0")])
def test_an_unknown_key_is_told(entity: str, version: str) -> None:
    assert "S102" in codes(place(entity, {**minimal(entity, version), "descriptoin": "x"}, version), {"other.yaml": OTHER[version]})


@pytest.mark.parametrize(("entity", "version"), [p for p in PLACES if p.values[0] != "file" and mandatory_keys(*p.values)])
def test_a_mandatory_key_is_missed(entity: str, version: str, record_property: Record) -> None:
    keys = mandatory_keys(entity, version)
    record_property("cases", len(keys))
    for key in keys:
        body = {k: v for k, v in minimal(entity, version).items() if k != key}
        _, diagnostics = read(place(entity, body, version), {"other.yaml": OTHER[version]})
        assert any(d.code in ("S201", "S203") for d in diagnostics), (key, [str(d) for d in diagnostics])


WRONG = {"s": {"a": 1}, "m": "text", "l": "text", "b": "maybe", "n": {"a": 1}, "x": [1]}
REFUSED = {"S200", "S241", "S235", "S230", "S103"}


@pytest.mark.parametrize(("entity", "version"), PLACES)
def test_a_value_of_the_wrong_shape_is_refused(entity: str, version: str, record_property: Record) -> None:
    keys = [n for n, k in known_keys(entity, version).items() if k.shape and n != "tosca_definitions_version"]
    record_property("cases", len(keys))
    accepted = {}
    for key in keys:
        body = {**minimal(entity, version), key: WRONG[keys_of(entity)[key].shape]}
        if key in SCALAR:
            body["derived_from"] = "scalar"
        found = codes(place(entity, body, version), {"other.yaml": OTHER[version]})
        if not set(found) & REFUSED:
            accepted[key] = found
    assert accepted == {}
