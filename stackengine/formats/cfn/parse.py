"""A CloudFormation file, YAML or JSON, to the neutral template (template anatomy of the CloudFormation User Guide)."""

from __future__ import annotations

from typing import Any

from stackengine.formats.build import as_map, check_keys, plain, text_of
from stackengine.formats.cfn.functions import Functions
from stackengine.formats.cfn.nested import with_nested
from stackengine.formats.cfn.parameters import parameter
from stackengine.formats.life import with_life
from stackengine.formats.nesting import Loader
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Entry, Expr, Map
from stackengine.model.template import DependsOn, Output, Policies, Resource, Source, Template

SECTIONS = ("AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Description", "Metadata", "Parameters", "Mappings", "Conditions", "Resources", "Outputs")
LATER = ("Transform", "Rules", "Hooks")
RESOURCE_KEYS = ("Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy", "CreationPolicy")
OUTPUT_KEYS = ("Value", "Description", "Condition", "Export")
POLICIES = ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")
_FORMATS = {"AWSTemplateFormatVersion": "2010-09-09", "HeatTemplateFormatVersion": "2012-12-12"}


def parse(root: Node, text: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """The template; diagnostics say everything that is wrong."""
    version = "2010-09-09"
    for key, wanted in _FORMATS.items():
        node = root.get(key)
        if node is not None:
            version = text_of(node)
            if version != wanted:
                diagnostics.error("C101", f"{key} must be {wanted}", node.mark, "a date is a version here, not when the template was written")
    for found in root.key_nodes():
        if found.text in LATER:
            diagnostics.error("C114", f"the section {found.text} is not supported yet", found.mark)
    check_keys(root, (*SECTIONS, *LATER), "a CloudFormation template", "C102", diagnostics)
    section = {s: as_map(root.get(s), s, "C103", diagnostics) for s in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs", "Metadata")}
    parameters = {k.text: parameter(k, v, diagnostics) for k, v in _entries(section["Parameters"])}
    functions = Functions(parameters, diagnostics)
    resources = section["Resources"]
    if resources is None or not resources.entries:
        place = root.get("Resources")
        diagnostics.error("C104", "At least one Resources member must be defined.", place.mark if place else root.mark)
    return Template(
        language="cfn",
        version=version,
        description=text_of(root.get("Description")),
        parameters=parameters,
        mappings={k.text: plain(v, "yaml11") for k, v in _entries(section["Mappings"])},
        conditions={k.text: functions.condition(v) for k, v in _entries(section["Conditions"])},
        resources={k.text: r for k, v in _entries(resources) if (r := _resource(k, v, functions, (loader, name), diagnostics)) is not None},
        outputs={k.text: o for k, v in _entries(section["Outputs"]) if (o := _output(k, v, functions, diagnostics)) is not None},
        metadata=plain(section["Metadata"], "yaml11") if section["Metadata"] else {},
        sources=(Source(name, text),),
    )


def _entries(node: Node | None) -> tuple[tuple[Node, Node], ...]:
    return node.entries if node is not None else ()


def _resource(key: Node, node: Node, functions: Functions, files: tuple[Loader, str], diagnostics: Diagnostics) -> Resource | None:
    body = as_map(node, f"resource {key.text}", "C105", diagnostics)
    if body is None:
        return None
    check_keys(body, RESOURCE_KEYS, f"resource {key.text}", "C106", diagnostics)
    type_node = body.get("Type")
    if type_node is None or not text_of(type_node):
        diagnostics.error("C107", f"resource {key.text} has no Type", key.mark, "say Type: AWS::EC2::Instance, for example")
        return None
    properties = as_map(body.get("Properties"), f"Properties of {key.text}", "C108", diagnostics)
    condition = body.get("Condition")
    metadata = body.get("Metadata")
    resource = Resource(
        key.text, type_node.text,
        Map(tuple(Entry(k.text, k.mark, functions(v)) for k, v in _entries(properties)), properties.mark if properties else key.mark),
        depends_on=_depends_on(body.get("DependsOn"), diagnostics),
        condition=functions.condition(condition) if condition else None,
        metadata=functions(metadata) if metadata else None,
        policies=with_life(_policies(key.text, body, diagnostics), metadata, diagnostics),
        mark=key.mark, type_mark=type_node.mark,
    )  # fmt: skip
    return with_nested(resource, files[0], files[1], diagnostics)


def _depends_on(node: Node | None, diagnostics: Diagnostics) -> tuple[DependsOn, ...]:
    if node is None:
        return ()
    items = node.items if node.kind == "list" else (node,)
    if any(i.kind != "scalar" for i in items):
        diagnostics.error("C109", "DependsOn takes a resource's name or a list of names", node.mark)
        return ()
    return tuple(DependsOn(i.text, i.mark) for i in items)


def _policy(name: str, key: str, body: Node, diagnostics: Diagnostics) -> Any:
    node = body.get(key)
    if node is None:
        return None
    if text_of(node) not in POLICIES:
        diagnostics.error("C110", f"{name}: there is no {key} {text_of(node)}", node.mark, ", ".join(POLICIES))
        return None
    return node.text


def _policies(name: str, body: Node, diagnostics: Diagnostics) -> Policies:
    deletion: Any = _policy(name, "DeletionPolicy", body, diagnostics) or "Delete"
    replaced: Any = _policy(name, "UpdateReplacePolicy", body, diagnostics) or "Delete"
    signals = None
    creation = body.get("CreationPolicy")
    if creation is not None and creation.kind == "map":
        found = creation.get("ResourceSignal")
        signals = plain(found, "yaml11") if found is not None else None
    return Policies(deletion, replaced, signals=signals)


def _output(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Output | None:
    body = as_map(node, f"output {key.text}", "C111", diagnostics)
    if body is None:
        return None
    check_keys(body, OUTPUT_KEYS, f"output {key.text}", "C112", diagnostics)
    found = body.get("Value")
    if found is None:
        diagnostics.error("C113", f"output {key.text} has no Value", key.mark)
        return None
    condition = body.get("Condition")
    export = body.get("Export")
    exported: Expr | None = functions(n) if export is not None and (n := export.get("Name")) is not None else None
    described = text_of(body.get("Description"))
    return Output(key.text, functions(found), described, functions.condition(condition) if condition else None, export=exported, mark=key.mark)
