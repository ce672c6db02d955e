"""Values that a service template assigns and no resource takes up: attributes, artifacts, relationships, inputs and outputs of operations, filters.

What becomes a property of a resource is checked where that is made (:mod:`mapping`); everything else is checked here, so that a fault is told
whether or not anything runs (TOSCA 2.0, 9.5 to 9.10, 11.3 to 11.7, 12.2; Simple Profile 1.3, 3.6).
"""

from __future__ import annotations

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.artifacts import Artifact
from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.filters import Filters
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.interfaces import Interface, Operation
from stackengine.formats.tosca.reading import is_null
from stackengine.formats.tosca.topology import Context, Link, NodeTemplate, RelationshipTemplate
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean

Assigned = dict[str, tuple[Node, Node]]


class Assignments:
    """Checks what stands in one service template."""

    def __init__(self, functions: Functions) -> None:
        self._functions, self._filters = functions, Filters(functions)

    def check(self) -> None:
        """Every node template, relationship template and requirement."""
        for template in self._functions.relationships.values():
            self._relationship(template)
        for node in self._functions.nodes.values():
            if node.type is None or node.type.incomplete or self._functions.native(node):
                continue
            self._node(node)
            for link in node.links:
                self._link(link)

    def _values(self, given: Assigned, known: dict[str, Definition], context: Context, what: str) -> None:
        """Values of their definitions' types; names of nothing were reported with the entity."""
        for name, (_, value) in given.items():
            definition = known.get(name)
            if definition is not None:
                self._functions.values.defined(value, definition, context, f"{name} of {what}")

    def _node(self, node: NodeTemplate) -> None:
        what, context, sections = f"node template {node.name}", Context(node.document, node), node.sections
        if node.attributes:
            self._values(node.attributes, {**sections.properties, **sections.attributes}, context, what)
        for name, assignment in node.capabilities.items():
            capability = node.capability(name)
            if capability is not None and assignment.attributes:
                self._values(assignment.attributes, {**capability.properties, **capability.attributes}, context, f"capability {name} of {what}")
        if node.artifacts is not sections.artifacts:
            for artifact in node.artifacts.values():
                self._artifact(artifact, context, what)
        if node.interfaces is not sections.interfaces or (node.type is not None and node.type.declared is not None and node.type.document.root is not None):
            self._interfaces(node.interfaces, context, what, (sections.properties, sections.attributes))
        condition = node.body.get("node_filter")
        if condition is not None and not is_null(condition):
            self._filters.check(condition, node.document, what)
            if not node.document.reading.first:
                self._filters.told(condition, Context(node.document, node))

    def _artifact(self, artifact: Artifact, context: Context, what: str) -> None:
        check_artifact(self._functions, artifact, context, what)

    def _relationship(self, template: RelationshipTemplate) -> None:
        if template.type is None or template.type.incomplete:
            return
        what, context = f"relationship template {template.name}", Context(template.document, relationship=True)
        sections = template.sections
        self._values(template.properties, sections.properties, context, what)
        self._values(template.attributes, {**sections.properties, **sections.attributes}, context, what)
        self._interfaces(template.interfaces, context, what, (sections.properties, sections.attributes))

    def _link(self, link: Link) -> None:
        self._numbered(link)
        what, context = f"the relationship of {link.source.name}.{link.name}", Context(link.document, link.source, link, relationship=True)
        if link.relationship is None or link.relationship.incomplete:
            return
        sections = self._functions.entities.sections(link.relationship)
        known = {**sections.properties, **sections.attributes}
        for name, (key, _) in link.attributes.items():
            if name not in known and link.template is None:
                link.document.reading.error("S230", f"{what} ({link.relationship.name}) has no attribute {name}", key.mark, did_you_mean(name, known))
        if link.template is None:
            self._values(link.attributes, known, context, what)
        if link.interfaces is not sections.interfaces:
            self._interfaces(link.interfaces, context, what, (sections.properties, sections.attributes))

    @staticmethod
    def _numbered(link: Link) -> None:
        """Whether the target has a node of the number that a requirement names."""
        index, target = link.target_index, link.target
        if index is None or target is None or index.kind != "scalar":
            return
        number = scalar_value(index, "core")
        count = 1 if target.count is None else scalar_value(target.count, "core") if target.count.kind == "scalar" else None
        if isinstance(number, int) and isinstance(count, int) and not 0 <= number < count:
            hint = f"it is there {count} times, numbered from 0" if target.count is not None else "it has no count"
            link.document.reading.error("S251", f"there is no {target.name} {number} for the requirement {link.name} of {link.source.name}", index.mark, hint)

    def _interfaces(self, interfaces: dict[str, Interface], context: Context, what: str, known: tuple[dict[str, Definition], ...]) -> None:
        for interface in interfaces.values():
            label = f"interface {interface.name} of {what}"
            if interface.values:
                self._inputs(interface.values, interface.inputs, context, label)
            for operation in interface.operations.values():
                if operation.values:
                    self._inputs(operation.values, {**interface.inputs, **operation.inputs}, context, f"{label}, {operation.name}")
                if operation.outputs:
                    self._outputs(operation, context, f"{label}, {operation.name}", known)

    def _inputs(self, values: dict[str, tuple[Node, Document]], known: dict[str, Definition], context: Context, what: str) -> None:
        for name, (value, document) in values.items():
            definition = known.get(name)
            where = Context(document, context.node, context.link, context.relationship)
            if definition is not None:
                self._functions.values.defined(value, definition, where, f"input {name} of {what}")
            else:
                self._functions.values.anything(value, where)

    def _outputs(self, operation: Operation, context: Context, what: str, known: tuple[dict[str, Definition], ...]) -> None:
        """Attributes that outputs go to must be there."""
        for name, (mapping, document) in operation.outputs.items():
            check_target(self._functions, mapping, Context(document, context.node, context.link, context.relationship), f"output {name} of {what}", known)


def check_artifact(functions: Functions, artifact: Artifact, context: Context, what: str) -> None:
    """The properties of an artifact against its type."""
    if artifact.type is None or artifact.type.incomplete or artifact.document.root is None:
        return
    known, reading = functions.entities.sections(artifact.type).properties, artifact.document.reading
    label = f"artifact {artifact.name} of {what}"
    for key, value in artifact.properties:
        definition = known.get(key.text)
        if definition is not None:
            functions.values.defined(value, definition, Context(artifact.document, context.node), f"{key.text} of {label}")
        elif reading.first:
            reading.lenient(f"{label} ({artifact.type.name}) has no property {key.text}", key.mark, did_you_mean(key.text, known))
        else:
            reading.error("S230", f"{label} ({artifact.type.name}) has no property {key.text}", key.mark, did_you_mean(key.text, known))
    given = {k.text for k, _ in artifact.properties}
    for name, definition in known.items():
        if definition.required and definition.default is None and definition.fixed is None and name not in given and not reading.first:
            reading.error("S231", f"{label} needs a value for the property {name}", artifact.mark, f"{artifact.type.name} requires it")


def check_target(functions: Functions, mapping: Node, context: Context, what: str, known: tuple[dict[str, Definition], ...] = ()) -> None:
    """Whether ``[SELF, attribute]`` leads to an attribute."""
    reading = context.document.reading
    first, rest = mapping.items[0], mapping.items[1:]
    sections: tuple[dict[str, Definition], ...] = known
    if context.node is not None or context.link is not None or not context.relationship:
        found = functions.paths.places(mapping.items, context)
        if found is None or not found[0] or not found[1]:
            return
        place, rest = found[0][0], found[1]
        if functions.open_ended(place):
            return
        sections = functions.paths.sections(place)
    elif first.text != "SELF":
        return
    if rest[0].kind != "scalar" or any(rest[0].text in s for s in sections):
        return
    if reading.first:
        reading.lenient(f"{what} goes to {rest[0].text}, and there is no such attribute", rest[0].mark)
    else:
        hint = did_you_mean(rest[0].text, [n for s in sections for n in s])
        reading.error("S273", f"{what} goes to {rest[0].text}, and there is no such attribute", rest[0].mark, hint)
