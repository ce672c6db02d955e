"""A HOT file to the neutral template (Heat's hot_spec)."""

from __future__ import annotations

from typing import Any

from stackengine.formats.build import as_map, check_keys, plain, text_of
from stackengine.formats.hot.functions import Functions
from stackengine.formats.hot.nested import with_nested
from stackengine.formats.hot.parameters import parameter
from stackengine.formats.hot.versions import RELEASES, VERSIONS, resolve
from stackengine.formats.nesting import Loader
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Entry, Expr, Map
from stackengine.model.template import DependsOn, Output, Policies, Resource, Source, Template

SECTIONS = ("heat_template_version", "description", "parameter_groups", "parameters", "conditions", "resources", "outputs")
RESOURCE_KEYS = ("type", "properties", "metadata", "depends_on", "update_policy", "deletion_policy", "external_id", "condition", "description")
OUTPUT_KEYS = ("value", "description", "condition")
_DELETION: dict[str, Any] = {"delete": "Delete", "retain": "Retain", "snapshot": "Snapshot"}
_RESOURCE_LEVEL = {k: f"'{k}' belongs inside a resource" for k in ("properties", "type", "depends_on")}


def parse(root: Node, text: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """The template; diagnostics say everything that is wrong."""
    version_node = root.get("heat_template_version")
    written = text_of(version_node)
    version = resolve(written)
    if version is None:
        hint = did_you_mean(written, [*VERSIONS, *RELEASES]) or f"the newest is {VERSIONS[-1]}"
        diagnostics.error("H101", f"there is no HOT version {written}", version_node.mark if version_node else root.mark, hint)
        version = VERSIONS[-1]
    check_keys(root, SECTIONS, "a HOT template", "H102", diagnostics, _RESOURCE_LEVEL)
    sources = [Source(name, text)]
    functions = Functions(version, name, loader, sources, diagnostics)
    section = {s: as_map(root.get(s), s, "H103", diagnostics) for s in ("parameters", "conditions", "resources", "outputs")}
    resources = section["resources"]
    if resources is None or not resources.entries:
        place = root.get("resources")
        diagnostics.error("H104", "the template has no resources", place.mark if place else root.mark)
    return Template(
        language="hot",
        version=version,
        description=text_of(root.get("description")),
        parameters={k.text: parameter(k, v, diagnostics) for k, v in _entries(section["parameters"])},
        conditions={k.text: functions.condition(v) for k, v in _entries(section["conditions"])},
        resources={k.text: r for k, v in _entries(resources) if (r := _resource(k, v, functions, (loader, name), diagnostics)) is not None},
        outputs={k.text: o for k, v in _entries(section["outputs"]) if (o := _output(k, v, functions, diagnostics)) is not None},
        groups=_groups(root.get("parameter_groups")),
        sources=tuple(sources),
    )


def _entries(node: Node | None) -> tuple[tuple[Node, Node], ...]:
    return node.entries if node is not None else ()


def _groups(node: Node | None) -> tuple[dict[str, Any], ...]:
    return tuple(plain(i, "yaml11") for i in node.items if i.kind == "map") if node is not None and node.kind == "list" else ()


def _resource(key: Node, node: Node, functions: Functions, files: tuple[Loader, str], diagnostics: Diagnostics) -> Resource | None:
    body = as_map(node, f"resource {key.text}", "H105", diagnostics)
    if body is None:
        return None
    check_keys(body, RESOURCE_KEYS, f"resource {key.text}", "H106", diagnostics)
    type_node = body.get("type")
    if type_node is None or not text_of(type_node):
        diagnostics.error("H107", f"resource {key.text} has no type", key.mark, "say type: OS::Nova::Server, for example")
        return None
    properties = as_map(body.get("properties"), f"properties of {key.text}", "H108", diagnostics)
    condition = body.get("condition")
    resource = Resource(
        key.text, type_node.text,
        Map(tuple(Entry(k.text, k.mark, functions(v)) for k, v in _entries(properties)), properties.mark if properties else key.mark),
        depends_on=_depends_on(body.get("depends_on"), diagnostics),
        condition=functions.condition(condition) if condition else None,
        metadata=_maybe(body.get("metadata"), functions),
        policies=_policies(key.text, body, diagnostics),
        description=text_of(body.get("description")),
        external_id=_maybe(body.get("external_id"), functions),
        mark=key.mark, type_mark=type_node.mark,
    )  # fmt: skip
    return with_nested(resource, properties, files[0], functions, files[1], diagnostics)


def _maybe(node: Node | None, functions: Functions) -> Expr | None:
    return functions(node) if node is not None else None


def _depends_on(node: Node | None, diagnostics: Diagnostics) -> tuple[DependsOn, ...]:
    if node is None:
        return ()
    items = node.items if node.kind == "list" else (node,)
    if any(i.kind != "scalar" for i in items):
        diagnostics.error("H109", "depends_on takes a resource's name or a list of names", node.mark)
        return ()
    return tuple(DependsOn(i.text, i.mark) for i in items)


def _policies(name: str, body: Node, diagnostics: Diagnostics) -> Policies:
    node = body.get("deletion_policy")
    deletion: Any = "Delete"
    if node is not None:
        deletion = _DELETION.get(text_of(node).lower())
        if deletion is None:
            diagnostics.error("H110", f"{name}: there is no deletion_policy {text_of(node)}", node.mark, "Delete, Retain or Snapshot")
            deletion = "Delete"
    update = body.get("update_policy")
    extra = plain(update, "yaml11") if update is not None and update.kind == "map" else {}
    ignore = extra.pop("ignore_changes", []) if isinstance(extra, dict) else []
    replace: Any = extra.pop("replace", "allow") if isinstance(extra, dict) else "allow"
    return Policies(
        deletion, deletion, replace if replace in ("allow", "never") else "allow", tuple(map(str, ignore)), None, {"update_policy": extra} if extra else {}
    )


def _output(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Output | None:
    body = as_map(node, f"output {key.text}", "H111", diagnostics)
    if body is None:
        return None
    check_keys(body, OUTPUT_KEYS, f"output {key.text}", "H112", diagnostics)
    found = body.get("value")
    if found is None:
        diagnostics.error("H113", f"output {key.text} has no value", key.mark)
        return None
    condition = body.get("condition")
    return Output(key.text, functions(found), text_of(body.get("description")), functions.condition(condition) if condition else None, mark=key.mark)

