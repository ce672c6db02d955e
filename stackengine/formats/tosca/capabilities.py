"""Capability and requirement definitions of node types (TOSCA 2.0, chapter 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.definitions import Definition, Definitions
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.reading import is_null, names, text
from stackengine.formats.tosca.types import Type
from stackengine.formats.tree import Node
from stackengine.model.mark import Mark

if TYPE_CHECKING:
    from stackengine.formats.tosca.entities import Sections
    from stackengine.formats.tosca.interfaces import Interface

Range = tuple[int, int | None]
"""(least, most); None is UNBOUNDED."""


@dataclass(slots=True, eq=False)
class Capability:
    """A capability of a node type."""

    name: str
    type: Type | None
    properties: dict[str, Definition]
    attributes: dict[str, Definition]
    sources: tuple[Type, ...]
    """Node types that may be sources of relationships; empty: any."""
    relationships: tuple[Type, ...]
    mark: Mark
    document: Document
    occurrences: Range = (0, None)


@dataclass(slots=True, eq=False)
class Requirement:
    """A requirement of a node type."""

    name: str
    capability: Type | None
    capability_name: str
    """The symbolic name of the target's capability, where it is named so."""
    node: Type | None
    relationship: Type | None
    count: Range
    mark: Mark
    document: Document
    filters: tuple[tuple[Node, Document], ...] = ()
    interfaces: dict[str, Interface] | None = None
    """The relationship's interfaces as refined here."""
    properties: dict[str, Definition] = field(default_factory=dict)


def range_of(node: Node | None, document: Document, what: str, default: Range) -> Range:
    """``[1, UNBOUNDED]`` and the like; what is wrong is reported."""
    if node is None or is_null(node):
        return default
    bounds: list[int | None] = []
    for item in node.items if node.kind == "list" else ():
        found = scalar_value(item, "core") if item.kind == "scalar" else None
        bounds.append(None if item.kind == "scalar" and item.text == "UNBOUNDED" else found if isinstance(found, int) and not isinstance(found, bool) else -1)
    low, high = bounds if len(bounds) == 2 else (-1, -1)
    if low is None or low < 0 or (high is not None and high < low):
        document.reading.error("S254", f"{what} needs a range such as [0, 1] or [1, UNBOUNDED]", node.mark)
        return default
    return low, high


class Contracts:
    """Reads capability and requirement definitions."""

    def __init__(self, definitions: Definitions, sections: Callable[[Type], Sections]) -> None:
        self._definitions, self._catalog, self._sections = definitions, definitions.catalog, sections

    def types(self, node: Node | None, kind: str, document: Document, what: str) -> tuple[Type, ...]:
        """The types that a list names."""
        found = (self._catalog.named(kind, n, document, what) for n in names(node))
        return tuple(t for t in found if t is not None)

    def narrowed(
        self, node: Node | None, kind: str, document: Document, what: str, above: tuple[Type, ...]
    ) -> tuple[Type, ...]:
        """A list of types that may only narrow the one above."""
        own = self.types(node, kind, document, what)
        if not own:
            return above
        for found, named in zip(own, names(node), strict=False):
            if above and not any(found.is_a(a) for a in above):
                document.reading.error("S224", f"{what}: {found.name} is not among {', '.join(a.name for a in above)}, which the type above allows", named.mark)
        return own

    def capability(self, key: Node, node: Node, document: Document, above: Capability | None, what: str) -> Capability | None:
        """One capability; with ``above``, a refinement."""
        label = f"capability {key.text} of {what}"
        if node.kind == "scalar" and not is_null(node):
            body, type_node = Node("map", node.mark), node
        else:
            found = document.reading.entity(node, "capability definition", label, key.mark, given=("type",) if above is not None else ())
            if found is None:
                return None
            body, type_node = found, found.get("type") or Node("scalar", node.mark)
        kind = self._catalog.named("capability", type_node, document, label) or (above.type if above is not None else None)
        if above is not None and above.type is not None and kind is not None and not kind.is_a(above.type):
            self._unrelated(document, f"{label} must be of type {above.type.name} or one derived from it, not {kind.name}", type_node.mark)
        base = self._sections(kind) if kind is not None else None
        inherited = above if above is not None and kind is above.type else None
        properties = inherited.properties if inherited is not None else base.properties if base is not None else {}
        attributes = inherited.attributes if inherited is not None else base.attributes if base is not None else {}
        made = Capability(key.text, kind, properties, attributes, (), (), key.mark, document)
        made.properties = self._refined(body, "property", made.properties, document, label, known=kind is not None)
        made.attributes = self._refined(body, "attribute", made.attributes, document, label, known=kind is not None)
        sources = inherited.sources if inherited is not None else base.sources if base is not None else ()
        made.sources = self.narrowed(document.reading.get(body, "capability definition", "valid_source_node_types"), "node", document, label, sources)
        relations = inherited.relationships if inherited is not None else base.relationships if base is not None else ()
        made.relationships = self.narrowed(body.get("valid_relationship_types"), "relationship", document, label, relations)
        made.occurrences = range_of(body.get("occurrences"), document, f"occurrences of {label}", (0, None))
        return made

    def _refined(
        self, body: Node, entity: str, above: dict[str, Definition], document: Document, label: str, *, known: bool
    ) -> dict[str, Definition]:
        entries = self._definitions.entries(body, "properties" if entity == "property" else "attributes")
        for key, _ in entries:
            if key.text not in above and known and not document.reading.first:
                document.reading.error("S230", f"the type of {label} has no {entity} {key.text}", key.mark, "capabilities can only refine what their type has")
        return self._definitions.map_of(entries, entity, document, above, label) if entries else above

    def requirements(self, entries: Iterable[tuple[Node, Node]], document: Document, above: dict[str, Requirement], what: str) -> dict[str, Requirement]:
        """The requirements of a node type, by name."""
        found, own = dict(above), set[str]()
        for key, node in entries:
            if key.text in own:
                document.reading.error("S205", f"{what} defines the requirement {key.text} twice", key.mark)
            own.add(key.text)
            made = self._requirement(key, node, document, above.get(key.text), what)
            if made is not None:
                found[key.text] = made
        return found

    def _requirement(self, key: Node, node: Node, document: Document, above: Requirement | None, what: str) -> Requirement | None:
        reading, label = document.reading, f"requirement {key.text} of {what}"
        default: Range = above.count if above is not None else (1, 1) if reading.first else (0, None)
        if node.kind == "scalar" and not is_null(node) and reading.first:
            kind = self._catalog.named("capability", node, document, label)
            return Requirement(key.text, kind, "", above.node if above else None, above.relationship if above else None, default, key.mark, document)
        body = reading.entity(node, "requirement definition", label, key.mark, given=("capability",) if above is not None or reading.first else ())
        if body is None:
            return None
        if above is None and not reading.first and body.get("relationship") is None:
            reading.error("S201", f"{label} has no relationship", key.mark, "relationship is mandatory here")
        if above is None and reading.first and body.get("capability") is None:
            reading.lenient(f"{label} has no capability", key.mark, "capability is mandatory here")
        made = Requirement(key.text, None, "", None, None, default, key.mark, document)
        if above is not None:
            made = replace(above, mark=key.mark, document=document)
        made.node = self._catalog.named("node", body.get("node"), document, label) or made.node
        self._capability(made, body.get("capability"), document, label)
        self._contained(made, body, document, label)
        self._relationship(made, body.get("relationship"), document, label)
        count = reading.get(body, "requirement definition", "count_range")
        made.count = range_of(count, document, f"the count of {label}", default)
        if above is not None:
            self._check_refined(made, above, count, label)
        node_filter = body.get("node_filter")
        if node_filter is not None and not is_null(node_filter):
            made.filters = (*made.filters, (node_filter, document))
        return made

    def _capability(self, made: Requirement, node: Node | None, document: Document, label: str) -> None:
        if node is None or not text(node):
            return
        found = self._catalog.find("capability", node.text, document)
        named = self._sections(made.node).capabilities.get(node.text) if found is None and made.node is not None else None
        if named is not None:
            made.capability, made.capability_name = named.type, node.text
            return
        made.capability = found if found is not None else self._catalog.named("capability", node, document, label)

    def _contained(self, made: Requirement, body: Node, document: Document, label: str) -> None:
        """The node type that a requirement names has a capability that can fulfil it (2.0, 8.4)."""
        node, wanted = body.get("node") or body.get("capability"), made.capability
        if document.reading.first or node is None or made.node is None or wanted is None or made.capability_name or made.node.incomplete:
            return
        if not any(c.type is not None and c.type.is_a(wanted) for c in self._sections(made.node).capabilities.values()):
            document.reading.error("S252", f"{label}: {made.node.name} has no capability of type {wanted.name}", node.mark)

    def _relationship(self, made: Requirement, node: Node | None, document: Document, label: str) -> None:
        if node is None or is_null(node):
            return
        if node.kind == "scalar":
            made.relationship = self._catalog.named("relationship", node, document, label) or made.relationship
            return
        given = ("type",) if made.relationship is not None else ()
        body = document.reading.entity(node, "relationship definition", f"the relationship of {label}", given=given)
        if body is None:
            return
        made.relationship = self._catalog.named("relationship", body.get("type"), document, label) or made.relationship
        if made.relationship is None:
            return
        sections = self._sections(made.relationship)
        what = f"the relationship of {label}"
        for key, _ in self._definitions.entries(body, "properties"):
            if key.text not in sections.properties:
                document.reading.error("S230", f"{what}: {made.relationship.name} has no property {key.text}", key.mark)
        made.properties = self._definitions.map_of(self._definitions.entries(body, "properties"), "property", document, sections.properties, what)
        entries = self._definitions.entries(body, "interfaces")
        if entries:
            made.interfaces = sections.refine_interfaces(entries, document, what)

    @staticmethod
    def _unrelated(document: Document, problem: str, mark: Mark) -> None:
        """A refinement by a type that derives from another: only 2.0 has rules of refinement for capabilities and requirements."""
        if document.reading.first:
            document.reading.lenient(problem, mark)
        else:
            document.reading.error("S223", problem, mark)

    @staticmethod
    def _check_refined(made: Requirement, above: Requirement, count: Node | None, label: str) -> None:
        reading = made.document.reading
        for now, before, what in ((made.capability, above.capability, "capability"), (made.node, above.node, "node"),
                                  (made.relationship, above.relationship, "relationship")):  # fmt: skip
            if now is not None and before is not None and not now.is_a(before):
                problem = f"the {what} of {label} must be {before.name} or derived from it, not {now.name}"
                Contracts._unrelated(made.document, problem, made.mark)
        if above.capability_name and made.capability_name != above.capability_name and not reading.first:
            reading.error("S223", f"the capability of {label} stays {above.capability_name}, which the type above names", made.mark)
        (low, high), (least, most) = made.count, above.count
        if count is not None and (low < least or (most is not None and (high is None or high > most))) and not reading.first:
            reading.error("S223", f"the count of {label} must be within {shown(above.count)}, which the type above allows", count.mark)


def shown(count: Range) -> str:
    """A range as it is written."""
    return f"[{count[0]}, {'UNBOUNDED' if count[1] is None else count[1]}]"
