"""A service template: inputs, node and relationship templates, their assignments (TOSCA 2.0, 6.9 and chapter 7)."""

from __future__ import annotations

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.counts import Counts
from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.entities import Entities, Sections
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.reading import Reading, as_pairs, is_null, names, pairs, text
from stackengine.formats.tosca.requirements import Requirements
from stackengine.formats.tosca.topology import CapabilityAssignment, Context, NodeTemplate, RelationshipTemplate
from stackengine.formats.tosca.types import Type
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean

EXTENSIONS = {
    "tosca.nodes.Compute": (
        "name", "instance_name", "image", "flavor", "vcpus", "memory", "max_memory", "disk", "networks", "security_groups", "volumes", "key_name", "ssh_keys",
        "user_data", "user_data_update", "metadata", "tags", "ready", "power", "shutdown_timeout", "pool", "login", "placement",
    ),
    "tosca.nodes.Storage.BlockStorage": ("name", "pool", "format", "image", "metadata"),
    "tosca.nodes.network.Network": ("name", "mode", "domain", "mtu", "bridge", "gateway", "dhcp", "pools"),
    "tosca.nodes.network.Port": ("name", "network", "subnet", "address", "mac", "hostname", "security_groups"),
}  # fmt: skip
"""Properties of ours on normative types; those of capabilities are ``capability.name``."""
CAPABILITY_EXTENSIONS = {"host": ("instance_type", "name"), "os": ("image",), "scalable": ("count",)}
_DIRECTIVES = {"2.0": ("create", "select", "substitute"), "1": ("select", "selectable", "substitute", "substitutable", "create", "default")}


class Service:
    """Reads one service template."""

    def __init__(self, document: Document, body: Node, entities: Entities, functions: Functions) -> None:
        self.document, self.body, self.entities, self.functions = document, body, entities, functions
        self.requirements = Requirements(entities, functions)
        self.inputs: dict[str, Definition] = {}

    @property
    def reading(self) -> Reading:
        """Where faults go."""
        return self.document.reading

    def read(self, mapped: set[tuple[str, str]]) -> None:
        """Everything up to the point where requirements are fulfilled; ``mapped``: those that a substitution mapping gives away."""
        self.inputs = self.entities.definitions.map_of(pairs(self.body.get("inputs")), "parameter", self.document, {}, "the inputs")
        self.functions.inputs = self.inputs
        for definition in self.inputs.values():
            if self.reading.version == "2.0" and definition.fixed is not None:
                self.reading.error("S202", f"the input {definition.name} has a value", definition.fixed.mark, "an input has a default")
        node_templates = self.reading.section(self.body, "node_templates", "the service template")
        for key, value in self.reading.section(self.body, "relationship_templates", "the service template"):
            self._relationship(key, value)
        everything = {k.text: (k, v) for k, v in node_templates}
        for key, value in node_templates:
            made = self._node(key, value, everything)
            if made is not None:
                self.functions.nodes[key.text] = made
        counts = Counts(self.functions, self.body)
        counts.read()
        for node in self.functions.nodes.values():
            self.requirements.read(node)
        self.functions.complete = True
        self.requirements.fulfil(self.functions.nodes, mapped)
        counts.follow()

    def _node(self, key: Node, value: Node, everything: dict[str, tuple[Node, Node]]) -> NodeTemplate | None:
        what = f"node template {key.text}"
        body = self.reading.mapping(value, what)
        if body is None:
            return None
        body = self._copied(body, everything, "node template", what)
        checked = self.reading.entity(body, "node template", what, key.mark)
        if checked is None:
            return None
        body, type_node = checked, checked.get("type")
        kind, sections = self._type(type_node, what)
        made = NodeTemplate(key.text, key, body, kind, (type_node or key).mark, sections, self.document, metadata=body.get("metadata"))
        made.directives = self._directives(body, what)
        made.properties = self._assigned(body, "properties", what)
        made.attributes = self._assigned(body, "attributes", what)
        made.count = self._count(body, what)
        if kind is None or self.functions.native(made):
            made.capabilities = {k.text: CapabilityAssignment(k, self._assigned(v, "properties", what)) for k, v in pairs(body.get("capabilities"))}
            return made
        self._check_names(made, what)
        self._capabilities(made, what)
        interfaces = self.reading.section(body, "interfaces", what)
        made.interfaces = self.entities.interfaces.assigned(interfaces, self.document, sections.interfaces, what) if interfaces else sections.interfaces
        artifacts = self.reading.section(body, "artifacts", what)
        made.artifacts = self.entities.artifacts.map_of(artifacts, self.document, sections.artifacts, what) if artifacts else sections.artifacts
        self._filter(body, made, what)
        return made

    def _filter(self, body: Node, made: NodeTemplate, what: str) -> None:
        node = body.get("node_filter")
        if node is not None and not is_null(node) and "select" not in made.directives and self.reading.version == "2.0":
            self.reading.lenient(f"{what} has a node_filter and is not selected", node.mark, "directives: [select]")

    def _type(self, node: Node | None, what: str) -> tuple[Type | None, Sections]:
        name = text(node)
        if "::" in name:
            native = Type("node", name)
            return native, self.entities.sections(native)
        kind = self.entities.catalog.named("node", node, self.document, what)
        return kind, self.entities.sections(kind) if kind is not None else Sections(Type("node", name))

    def _copied(self, body: Node, everything: dict[str, tuple[Node, Node]], entity: str, what: str) -> Node:
        """``copy``: everything that the other template says and this one does not."""
        node = body.get("copy")
        if node is None or not text(node):
            return body
        source = everything.get(node.text)
        if source is None:
            self.reading.error("S208", f"{what} copies {node.text}, and there is no such {entity}", node.mark, did_you_mean(node.text, everything))
            return body
        other = source[1]
        if other is body or other.get("copy") is not None:
            self.reading.error("S208", f"{what} copies {node.text}, which is a copy itself", node.mark, "copy the original")
            return body
        return _merged(body, other)

    def _directives(self, body: Node, what: str) -> tuple[str, ...]:
        found = []
        for node in names(body.get("directives")):
            known = _DIRECTIVES["1" if self.reading.first else "2.0"]
            if node.text not in known:
                hint = did_you_mean(node.text, known) or ", ".join(known)
                if self.reading.first:
                    self.reading.lenient(f"{what} has the directive {node.text}, which means nothing", node.mark, hint)
                else:
                    self.reading.error("S204", f"{what} has no directive {node.text}", node.mark, hint)
            found.append({"selectable": "select", "substitutable": "substitute"}.get(node.text, node.text))
        return tuple(found)

    @staticmethod
    def _assigned(body: Node, key: str, _what: str) -> dict[str, tuple[Node, Node]]:
        found = body.get(key) if body.kind == "map" else None
        return {k.text: (k, v) for k, v in as_pairs(found)} if found is not None and found.kind in ("map", "list") else {}

    def _count(self, body: Node, what: str) -> Node | None:
        node = body.get("count")
        if node is None or node.kind != "scalar" or node.text.startswith("$"):
            return node
        found = scalar_value(node, "core")
        if not isinstance(found, int) or isinstance(found, bool) or found < 0:
            self.reading.error("S254", f"the count of {what} must be a whole number", node.mark)
            return None
        return node

    def _check_names(self, made: NodeTemplate, what: str) -> None:
        sections = made.sections
        if made.type is not None and made.type.incomplete:
            return
        for name, (key, _) in made.properties.items():
            definition = sections.properties.get(name)
            if definition is None:
                if not self._extension(made, name):
                    hint = did_you_mean(name, sections.properties) or (f"{name} is an attribute" if name in sections.attributes else "")
                    self.reading.error("S230", f"{what} ({made.type.name if made.type else ''}) has no property {name}", key.mark, hint)
            elif definition.fixed is not None:
                self.reading.error("S234", f"the property {name} of {what} has a fixed value", key.mark, f"it is given at {definition.mark}")
        for name, (key, _) in made.attributes.items():
            if name not in sections.attributes and name not in sections.properties:
                hint = did_you_mean(name, sections.attributes)
                self.reading.error("S230", f"{what} ({made.type.name if made.type else ''}) has no attribute {name}", key.mark, hint)
        if "select" in made.directives:
            return
        for name, definition in sections.properties.items():
            if definition.required and definition.default is None and definition.fixed is None and name not in made.properties:
                self.reading.error("S231", f"{what} needs a value for the property {name}", made.key.mark, f"{made.type.name if made.type else ''} requires it")

    @staticmethod
    def _extension(made: NodeTemplate, name: str) -> bool:
        return any(made.is_a(normative) and name in known for normative, known in EXTENSIONS.items())

    def _capabilities(self, made: NodeTemplate, what: str) -> None:
        for key, value in self.reading.section(made.body, "capabilities", what):
            capability, label = made.capability(key.text), f"capability {key.text} of {what}"
            if capability is None:
                if made.type is not None and made.type.incomplete:
                    continue
                hint = did_you_mean(key.text, made.sections.capabilities) or f"it has {', '.join(made.sections.capabilities) or 'none'}"
                self.reading.error("S260", f"{what} ({made.type.name if made.type else ''}) has no capability {key.text}", key.mark, hint)
                continue
            body = self.reading.entity(value, "capability assignment", label, key.mark)
            if body is None:
                continue
            assignment = CapabilityAssignment(key, self._assigned(body, "properties", label), self._assigned(body, "attributes", label))
            made.capabilities[key.text] = assignment
            for directive in names(body.get("directives")):
                if directive.text not in ("internal", "external"):
                    self.reading.error("S204", f"{label} has no directive {directive.text}", directive.mark, "internal, external")
            for name, (node, _) in assignment.properties.items():
                definition = capability.properties.get(name)
                if definition is None:
                    if capability.type is None or capability.type.incomplete:
                        continue
                    if made.is_a("tosca.nodes.Compute") and name in CAPABILITY_EXTENSIONS.get(key.text, ()):
                        continue
                    self.reading.error("S230", f"{label} has no property {name}", node.mark, did_you_mean(name, capability.properties))
                elif definition.fixed is not None:
                    self.reading.error("S234", f"the property {name} of {label} has a fixed value", node.mark, f"it is given at {definition.mark}")
            for name, (node, _) in assignment.attributes.items():
                if name not in capability.attributes and name not in capability.properties:
                    self.reading.error("S230", f"{label} has no attribute {name}", node.mark, did_you_mean(name, capability.attributes))
        for name, capability in made.sections.capabilities.items():
            given = made.capabilities[name].properties if name in made.capabilities else {}
            for prop, definition in capability.properties.items():
                if definition.required and definition.default is None and definition.fixed is None and prop not in given and "select" not in made.directives:
                    problem = f"capability {name} of {what} needs a value for the property {prop}"
                    if self.reading.first and name not in made.capabilities:
                        self.reading.lenient(problem, made.key.mark)
                    else:
                        self.reading.error("S231", problem, made.capabilities[name].key.mark if name in made.capabilities else made.key.mark)

    def _relationship(self, key: Node, value: Node) -> None:
        what = f"relationship template {key.text}"
        body = self.reading.mapping(value, what)
        if body is None:
            return
        section = {k.text: (k, v) for k, v in pairs(self.body.get("relationship_templates"))}
        checked = self.reading.entity(self._copied(body, section, "relationship template", what), "relationship template", what, key.mark)
        if checked is None:
            return
        kind = self.entities.catalog.named("relationship", checked.get("type"), self.document, what)
        sections = self.entities.sections(kind) if kind is not None else Sections(Type("relationship", text(checked.get("type"))))
        made = RelationshipTemplate(
            key.text, key, kind, sections, self._assigned(checked, "properties", what), self._assigned(checked, "attributes", what), {}, self.document
        )
        for name, (node, _) in made.properties.items():
            if kind is not None and name not in sections.properties:
                self.reading.error("S230", f"{what} ({kind.name}) has no property {name}", node.mark, did_you_mean(name, sections.properties))
        interfaces = self.reading.section(checked, "interfaces", what)
        made.interfaces = self.entities.interfaces.assigned(interfaces, self.document, sections.interfaces, what) if interfaces else sections.interfaces
        self.functions.relationships[key.text] = made

    def context(self, node: NodeTemplate) -> Context:
        """Where the values of a node template stand."""
        return Context(self.document, node)


def _merged(body: Node, other: Node) -> Node:
    """``body`` with what only ``other`` says; maps are merged one level deep."""
    own = {k.text: v for k, v in body.entries}
    entries = [(k, v) for k, v in body.entries if k.text != "copy"]
    for key, value in other.entries:
        mine = own.get(key.text)
        if mine is None:
            entries.append((key, value))
        elif mine.kind == "map" and value.kind == "map":
            known = {k.text for k in mine.key_nodes()}
            both = Node("map", mine.mark, entries=(*mine.entries, *((k, v) for k, v in value.entries if k.text not in known)))
            entries = [(k, both if k.text == key.text else v) for k, v in entries]
    return Node("map", body.mark, entries=tuple(entries))
