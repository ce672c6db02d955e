"""What types define, with what they inherit: one :class:`Sections` for each type, worked out when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from stackengine.formats.tosca import semantics
from stackengine.formats.tosca.artifacts import Artifact, Artifacts
from stackengine.formats.tosca.capabilities import Capability, Contracts, Requirement
from stackengine.formats.tosca.definitions import Definition, Definitions
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.interfaces import Interface, Interfaces
from stackengine.formats.tosca.reading import Pairs, as_pairs, is_null, pairs, text
from stackengine.formats.tosca.types import Catalog, Type
from stackengine.formats.tree import Node


@dataclass(slots=True, eq=False)
class Sections:
    """Everything that a type defines; sections that a kind does not have stay empty."""

    type: Type
    properties: dict[str, Definition] = field(default_factory=dict)
    attributes: dict[str, Definition] = field(default_factory=dict)
    capabilities: dict[str, Capability] = field(default_factory=dict)
    requirements: dict[str, Requirement] = field(default_factory=dict)
    interfaces: dict[str, Interface] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    interface: Interface | None = None
    """Of an interface type."""
    sources: tuple[Type, ...] = ()
    """Node types that may be sources (capability and relationship types)."""
    targets: tuple[Type, ...] = ()
    """Node types that may be targets (relationship types), members (group types), or node and group types (policy types)."""
    valid_capabilities: tuple[Type, ...] = ()
    relationships: tuple[Type, ...] = ()
    triggers: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    refine_interfaces: Callable[[Pairs, Document, str], dict[str, Interface]] = lambda *_: {}


class Entities:
    """Works sections out."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.definitions = Definitions(catalog)
        self.artifacts = Artifacts(catalog)
        self.interfaces = Interfaces(self.definitions, self.artifacts)
        self.contracts = Contracts(self.definitions, self.sections)

    def sections(self, kind: Type) -> Sections:
        """What a type defines and inherits."""
        if kind.sections is None:
            kind.sections = Sections(kind)
            if kind.declared is not None and kind.kind != "data":
                above = self.sections(kind.parent) if kind.parent is not None else None
                kind.sections = self._read(kind, above)
            elif kind.kind == "data":
                kind.sections.properties = self.definitions.shape(kind).properties
        return kind.sections

    def _read(self, kind: Type, above: Sections | None) -> Sections:
        document, what = kind.document, f"{kind.kind} type {kind.name}"
        made = Sections(kind) if above is None else Sections(
            kind, above.properties, above.attributes, above.capabilities, above.requirements, above.interfaces, above.artifacts, above.interface,
            above.sources, above.targets, above.valid_capabilities, above.relationships, above.triggers,
        )  # fmt: skip
        kind.sections = made
        if kind.kind == "interface":
            made.interface = self.interfaces.of_type(kind, above.interface if above is not None else None)
            self.check_version(kind.body, document, what)
            return made
        body = kind.body if document.root is None else document.reading.entity(kind.body, f"{kind.kind} type", what, kind.mark)
        if body is None:
            return made
        self.check_version(body, document, what)
        if body.get("properties") is not None:
            made.properties = self.definitions.map_of(self._section(body, "properties"), "property", document, made.properties, what)
        if body.get("attributes") is not None:
            made.attributes = self.definitions.map_of(self._section(body, "attributes"), "attribute", document, made.attributes, what)
        match kind.kind:
            case "node":
                self._node(made, body, document, what)
            case "relationship":
                self._relationship(made, body, document, what)
            case "capability":
                self._capability(made, body, document, what)
            case "group":
                made.targets = self.contracts.narrowed(body.get("members"), "node", document, what, made.targets)
            case "policy":
                self._policy(made, body, document, what)
        return made

    @staticmethod
    def check_version(body: Node, document: Document, what: str) -> None:
        """The version of a type."""
        node = body.get("version") if body.kind == "map" else None
        if node is not None and not is_null(node) and document.root is not None and semantics.version_key(text(node)) is None:
            problem = f"the version of {what} is written as 1.0 or 1.0.2"
            if document.reading.first:
                document.reading.lenient(problem, node.mark)
            else:
                document.reading.error("S232", problem, node.mark)

    def _section(self, body: Node, key: str) -> Pairs:
        found = body.get(key)
        return as_pairs(found) if found is not None and found.kind == "list" else self.definitions.entries(body, key)

    def _node(self, made: Sections, body: Node, document: Document, what: str) -> None:
        entries = self._section(body, "capabilities")
        if entries:
            found = dict(made.capabilities)
            for key, node in entries:
                capability = self.contracts.capability(key, node, document, found.get(key.text), what)
                if capability is not None:
                    found[key.text] = capability
            made.capabilities = found
        requirements = body.get("requirements")
        if requirements is not None and not is_null(requirements):
            made.requirements = self.contracts.requirements(self._listed(requirements, document, what), document, made.requirements, what)
        self._interfaces(made, body, document, what)
        artifacts = self._section(body, "artifacts")
        if artifacts:
            made.artifacts = self.artifacts.map_of(artifacts, document, made.artifacts, what)

    @staticmethod
    def _listed(node: Node, document: Document, what: str) -> Pairs:
        for item in node.items:
            if item.kind != "map" or len(item.entries) != 1:
                document.reading.error("S200", f"each requirement of {what} is one 'name: …'", item.mark)
        return tuple(e for e in as_pairs(node))

    def interfaces_of(self, entries: Pairs, document: Document, above: dict[str, Interface], what: str) -> dict[str, Interface]:
        """Interface definitions, on top of inherited ones."""
        types: dict[int, Interface] = {}
        for key, node in entries:
            type_node = node.get("type") if node.kind == "map" else None
            kind = self.catalog.find("interface", text(type_node) or key.text, document)
            if kind is not None:
                interface = self.sections(kind).interface
                if interface is not None:
                    types[id(kind)] = interface
        return self.interfaces.defined(entries, document, above, types, what)

    def _interfaces(self, made: Sections, body: Node, document: Document, what: str) -> None:
        entries = self._section(body, "interfaces")
        if entries:
            made.interfaces = self.interfaces_of(entries, document, made.interfaces, what)
        interfaces = made.interfaces
        made.refine_interfaces = lambda more, where, label: self.interfaces_of(more, where, interfaces, label)

    def _relationship(self, made: Sections, body: Node, document: Document, what: str) -> None:
        self._interfaces(made, body, document, what)
        valid = document.reading.get(body, "relationship type", "valid_capability_types")
        if document.reading.first:
            listed = valid.items if valid is not None and valid.kind == "list" else ()
            own = [t for n in listed if (t := self._capability_or_node(n, document, what)) is not None]
            capabilities = tuple(t for t in own if t.kind == "capability")
            made.valid_capabilities = capabilities or made.valid_capabilities
            made.targets = tuple(t for t in own if t.kind == "node") or made.targets
        else:
            made.valid_capabilities = self.contracts.narrowed(valid, "capability", document, what, made.valid_capabilities)
            made.targets = self.contracts.narrowed(body.get("valid_target_node_types"), "node", document, what, made.targets)
            made.sources = self.contracts.narrowed(body.get("valid_source_node_types"), "node", document, what, made.sources)

    def _capability_or_node(self, node: Node, document: Document, what: str) -> Type | None:
        """1.x: valid_target_types names capability types; node types are met in practice."""
        found = self.catalog.find("capability", text(node), document)
        if found is not None:
            return found
        found = self.catalog.find("node", text(node), document)
        if found is not None:
            document.reading.lenient(f"{what}: valid_target_types names capability types, and {node.text} is a node type", node.mark)
            return found
        return self.catalog.named("capability", node, document, what)

    def _capability(self, made: Sections, body: Node, document: Document, what: str) -> None:
        sources = document.reading.get(body, "capability type", "valid_source_node_types")
        made.sources = self.contracts.narrowed(sources, "node", document, what, made.sources)
        made.relationships = self.contracts.narrowed(body.get("valid_relationship_types"), "relationship", document, what, made.relationships)

    def _policy(self, made: Sections, body: Node, document: Document, what: str) -> None:
        own: list[Type] = []
        node = body.get("targets")
        for name in node.items if node is not None and node.kind == "list" else ():
            found = self.catalog.find("node", text(name), document) or self.catalog.find("group", text(name), document)
            found = found or self.catalog.named("node", name, document, what)
            if found is not None:
                if made.targets and not any(found.is_a(a) for a in made.targets):
                    allowed = ", ".join(a.name for a in made.targets)
                    document.reading.error("S224", f"{what}: {found.name} is not among {allowed}, which the type above allows", name.mark)
                own.append(found)
        made.targets = tuple(own) or made.targets
        triggers = dict(made.triggers)
        for key, value in pairs(body.get("triggers")):
            if key.text in triggers and not document.reading.first:
                document.reading.error("S223", f"{what} cannot change the trigger {key.text} of the type above", key.mark)
            triggers[key.text] = (key, value)
        made.triggers = triggers
