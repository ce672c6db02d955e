"""The parts of a service template while it is read: node templates, the relationships between them, and where an expression stands."""

from __future__ import annotations

from dataclasses import dataclass, field

from stackengine.formats.tosca.artifacts import Artifact
from stackengine.formats.tosca.capabilities import Capability, Requirement
from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.entities import Sections
from stackengine.formats.tosca.interfaces import Interface
from stackengine.formats.tosca.reading import Pairs
from stackengine.formats.tosca.types import Type
from stackengine.formats.tree import Node
from stackengine.model.mark import Mark


@dataclass(slots=True, eq=False)
class NodeTemplate:
    """A node template."""

    name: str
    key: Node
    body: Node
    type: Type | None
    type_mark: Mark
    sections: Sections
    document: Document
    directives: tuple[str, ...] = ()
    properties: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    """Assigned values: (key, value)."""
    attributes: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    capabilities: dict[str, CapabilityAssignment] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    interfaces: dict[str, Interface] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    count: Node | None = None
    metadata: Node | None = None
    outputs: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Attributes that operations give: name -> (deployment, output)."""

    @property
    def counted(self) -> bool:
        """Whether several nodes may come of it."""
        return self.count is not None and self.count.text != "1"

    def capability(self, name: str) -> Capability | None:
        """A capability of its type."""
        return self.sections.capabilities.get(name)

    def linked(self, name: str) -> list[Link]:
        """The relationships of a requirement, in order."""
        return [link for link in self.links if link.name == name]

    def is_a(self, normative: str) -> bool:
        """Whether its type is a type of the Simple Profile, or derives from it."""
        return self.type is not None and any(a.normative == normative for a in self.type.ancestors())


@dataclass(slots=True, eq=False)
class CapabilityAssignment:
    """What a node template says of one capability."""

    key: Node
    properties: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    attributes: dict[str, tuple[Node, Node]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class RelationshipTemplate:
    """A relationship template."""

    name: str
    key: Node
    type: Type | None
    sections: Sections
    properties: dict[str, tuple[Node, Node]]
    attributes: dict[str, tuple[Node, Node]]
    interfaces: dict[str, Interface]
    document: Document


@dataclass(slots=True, eq=False)
class Link:
    """One requirement of a node template, and what fulfils it."""

    source: NodeTemplate
    name: str
    index: int
    definition: Requirement | None
    mark: Mark
    document: Document
    target: NodeTemplate | None = None
    target_type: Type | None = None
    """The node type that is wanted where no template is named."""
    target_index: Node | None = None
    capability: str = ""
    """The name of the target's capability."""
    capability_type: Type | None = None
    relationship: Type | None = None
    properties: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    attributes: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    interfaces: dict[str, Interface] = field(default_factory=dict)
    assigned: Pairs = ()
    """Interfaces as the requirement assigns them in place."""
    template: RelationshipTemplate | None = None
    filters: tuple[tuple[Node, Document], ...] = ()
    allocation: dict[str, tuple[Node, Node]] = field(default_factory=dict)
    count: int | None = 1
    """None: known only when inputs are."""
    optional: bool = False
    external: bool = False
    """It may be fulfilled from outside the template."""
    implicit: bool = False
    outputs: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """Where an expression stands."""

    document: Document
    node: NodeTemplate | None = None
    link: Link | None = None
    relationship: bool = False
    """Within the definition of a relationship: SELF is the relationship."""
    each: bool = False
    """Within what is made for every node of a count: SELF and HOST are the ones of its number."""
