"""In which order the keys of the three languages stand."""

from __future__ import annotations

from stackengine.formats.tree import Node
from stackengine.model.template import Language

TOP: dict[Language, tuple[str, ...]] = {
    "hot": ("heat_template_version", "description", "parameter_groups", "parameters", "conditions", "resources", "outputs"),
    "cfn": (
        "AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Description", "Transform", "Metadata", "Parameters", "Rules", "Mappings", "Conditions",
        "Resources", "Outputs", "Hooks",
    ),
    "tosca": (
        "tosca_definitions_version", "profile", "namespace", "template_name", "template_author", "template_version", "description", "metadata",
        "dsl_definitions", "repositories", "imports", "artifact_types", "data_types", "capability_types", "interface_types", "relationship_types",
        "node_types", "group_types", "policy_types", "functions", "topology_template", "service_template",
    ),
}  # fmt: skip
RESOURCE: dict[Language, tuple[str, ...]] = {
    "hot": ("type", "external_id", "condition", "depends_on", "deletion_policy", "update_policy", "description", "metadata", "properties"),
    "cfn": (
        "Type", "Condition", "DependsOn", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy", "Metadata", "Properties",
    ),
    "tosca": (
        "type", "description", "directives", "metadata", "copy", "count", "properties", "attributes", "requirements", "capabilities", "interfaces",
        "artifacts", "node_filter",
    ),
}  # fmt: skip
PARAMETER: dict[Language, tuple[str, ...]] = {
    "hot": ("type", "label", "description", "default", "hidden", "immutable", "tags", "constraints"),
    "cfn": ("Type", "Description", "Default", "NoEcho", "AllowedValues", "AllowedPattern"),
    "tosca": ("type", "description", "default", "required", "value"),
}
TOPOLOGY = (
    "description", "metadata", "inputs", "node_templates", "relationship_templates", "groups", "policies", "outputs", "workflows", "substitution_mappings",
)  # fmt: skip
_RESOURCES = {("resources",): "hot", ("Resources",): "cfn", ("topology_template", "node_templates"): "tosca", ("service_template", "node_templates"): "tosca"}
_PARAMETERS = {("parameters",): "hot", ("Parameters",): "cfn", ("topology_template", "inputs"): "tosca", ("service_template", "inputs"): "tosca"}


def ordered(entries: tuple[tuple[Node, Node], ...], path: tuple[str, ...], language: Language) -> list[tuple[Node, Node]]:
    """The entries of the mapping at ``path`` in canonical order; keys that have no place in it keep theirs, behind the others."""
    wanted = _wanted(path, language)
    if not wanted:
        return list(entries)
    places = {k: n for n, k in enumerate(wanted)}
    return sorted(entries, key=lambda e: places.get(e[0].text, len(places)))


def _wanted(path: tuple[str, ...], language: Language) -> tuple[str, ...]:
    if not path:
        return TOP[language]
    if language == "tosca" and path in (("topology_template",), ("service_template",)):
        return TOPOLOGY
    if _RESOURCES.get(path[:-1]) == language:
        return RESOURCE[language]
    return PARAMETER[language] if _PARAMETERS.get(path[:-1]) == language else ()


def apart(path: tuple[str, ...]) -> bool:
    """Whether the entries of the mapping at ``path`` have an empty line between them."""
    return not path or path in _RESOURCES or path in (("topology_template",), ("service_template",))
