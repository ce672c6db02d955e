"""A TOSCA service template to the neutral template: one 2.0-shaped grammar, older versions read through the same keys."""

from __future__ import annotations

from stackengine.formats.build import as_map, check_keys, text_of
from stackengine.formats.life import with_life
from stackengine.formats.nesting import Loader
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.inputs import parameter
from stackengine.formats.tosca.requirements import Requirements
from stackengine.formats.tosca.versions import VERSIONS, full_type_name
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Entry, Map
from stackengine.model.template import Output, Policies, Resource, Source, Template

FILE_KEYS = ("tosca_definitions_version", "description", "metadata", "dsl_definitions", "topology_template", "service_template")
LATER_FILE_KEYS = ("imports", "repositories", "artifact_types", "data_types", "capability_types", "interface_types", "relationship_types", "node_types",
                   "group_types", "policy_types", "functions", "profile", "namespace", "template_name", "template_author", "template_version")  # fmt: skip
TOPOLOGY_KEYS = ("description", "inputs", "node_templates", "outputs", "metadata")
LATER_TOPOLOGY_KEYS = ("relationship_templates", "groups", "policies", "substitution_mappings", "workflows")
NODE_KEYS = ("type", "description", "metadata", "properties", "attributes", "requirements", "capabilities", "directives", "artifacts")
LATER_NODE_KEYS = ("interfaces", "node_filter", "copy", "count")


def parse(root: Node, text: str, name: str, _loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """The template; diagnostics say everything that is wrong."""
    version_node = root.get("tosca_definitions_version")
    version = VERSIONS.get(text_of(version_node))
    if version is None:
        hint = did_you_mean(text_of(version_node), VERSIONS) or ", ".join(VERSIONS)
        diagnostics.error("S101", f"there is no TOSCA version {text_of(version_node)}", (version_node or root).mark, hint)
        version = "1.3"
    _later(root, LATER_FILE_KEYS, diagnostics)
    check_keys(root, (*FILE_KEYS, *LATER_FILE_KEYS), "a TOSCA file", "S102", diagnostics)
    wanted = "service_template" if version == "2.0" else "topology_template"
    topology = as_map(root.get(wanted), wanted, "S103", diagnostics)
    if topology is None:
        diagnostics.error("S104", f"the file has no {wanted}", root.mark)
        return None
    _later(topology, LATER_TOPOLOGY_KEYS, diagnostics)
    check_keys(topology, (*TOPOLOGY_KEYS, *LATER_TOPOLOGY_KEYS), wanted, "S105", diagnostics)
    nodes = as_map(topology.get("node_templates"), "node_templates", "S106", diagnostics)
    if nodes is None or not nodes.entries:
        diagnostics.error("S107", "the template has no node templates", topology.mark)
        return None
    functions = Functions({k.text: v for k, v in nodes.entries}, version == "2.0", diagnostics)
    outputs = as_map(topology.get("outputs"), "outputs", "S109", diagnostics)
    return Template(
        language="tosca",
        version=version,
        description=text_of(root.get("description")) or text_of(topology.get("description")),
        parameters={k.text: parameter(k, v, diagnostics) for k, v in _entries(as_map(topology.get("inputs"), "inputs", "S108", diagnostics))},
        resources=_resources(nodes, functions, diagnostics),
        outputs={k.text: o for k, v in _entries(outputs) if (o := _output(k, v, functions, diagnostics))},
        sources=(Source(name, text),),
    )


def _entries(node: Node | None) -> tuple[tuple[Node, Node], ...]:
    return node.entries if node is not None else ()


def _later(node: Node, keys: tuple[str, ...], diagnostics: Diagnostics) -> None:
    for key in node.key_nodes():
        if key.text in keys and key.text not in ("template_name", "template_author", "template_version"):
            diagnostics.error("S110", f"{key.text} is not supported yet", key.mark)


def _resources(nodes: Node, functions: Functions, diagnostics: Diagnostics) -> dict[str, Resource]:
    resources = {k.text: r for k, v in nodes.entries if (r := _node(k, v, functions, diagnostics)) is not None}
    requirements = Requirements(resources, diagnostics)
    for key, node in nodes.entries:
        if key.text in resources and node.kind == "map":
            requirements.read(key.text, node.get("requirements"))
    return requirements.resources()


def _node(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Resource | None:
    body = as_map(node, f"node template {key.text}", "S111", diagnostics)
    if body is None:
        return None
    _later(body, LATER_NODE_KEYS, diagnostics)
    check_keys(body, (*NODE_KEYS, *LATER_NODE_KEYS), f"node template {key.text}", "S112", diagnostics)
    type_node = body.get("type")
    if type_node is None or not text_of(type_node):
        diagnostics.error("S113", f"node template {key.text} has no type", key.mark, "say type: tosca.nodes.Compute, for example")
        return None
    properties = [Entry(k.text, k.mark, functions.of(v, key.text)) for k, v in _entries(as_map(body.get("properties"), "properties", "S114", diagnostics))]
    for capability, found in _entries(as_map(body.get("capabilities"), "capabilities", "S115", diagnostics)):
        inside = as_map(found.get("properties"), "properties", "S114", diagnostics) if found.kind == "map" else None
        properties += [Entry(f"{capability.text}.{k.text}", k.mark, functions.of(v, key.text)) for k, v in _entries(inside)]
    mark = properties[0].key_mark if properties else key.mark
    metadata = body.get("metadata")
    return Resource(
        key.text, full_type_name(type_node.text), Map(tuple(properties), mark), metadata=functions.of(metadata, key.text) if metadata else None,
        policies=with_life(Policies(), metadata, diagnostics), description=text_of(body.get("description")), mark=key.mark, type_mark=type_node.mark,
    )  # fmt: skip


def _output(key: Node, node: Node, functions: Functions, diagnostics: Diagnostics) -> Output | None:
    body = as_map(node, f"output {key.text}", "S116", diagnostics)
    if body is None:
        return None
    found = body.get("value")
    if found is None:
        diagnostics.error("S117", f"output {key.text} has no value", key.mark)
        return None
    return Output(key.text, functions.of(found), text_of(body.get("description")), mark=key.mark)
