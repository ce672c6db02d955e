"""What get_property, get_attribute and the like point at (TOSCA 2.0, 10.3; Simple Profile 1.3, 4.1 and 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.definitions import Definition, Schema
from stackengine.formats.tosca.parts import dig, misled
from stackengine.formats.tosca.topology import Context, Link, NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Attr, Call, Entry, Expr, If, List, Literal, Map, Ref

if TYPE_CHECKING:
    from stackengine.formats.tosca.functions import Functions

INDEX = "%index%"
"""Stands in values of a node with a count for the number of the node."""
KEYWORDS = ("RELATIONSHIP", "CAPABILITY", "SOURCE", "TARGET")
LIVE = {
    "tosca.nodes.Compute": ("private_address", "public_address", "networks"),
    "tosca.nodes.Storage.BlockStorage": ("volume_id",),
    "tosca.nodes.network.Network": ("network_name", "network_id"),
    "tosca.nodes.network.Port": ("ip_address",),
}  # fmt: skip
"""Attributes of normative types that come from the host (dialects.yaml of the native types)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node, a relationship, or a capability of a node."""

    node: NodeTemplate | None = None
    link: Link | None = None
    capability: str = ""
    index: Expr | None = None
    every: bool = False
    """ALL of a node's count."""

    def __str__(self) -> str:
        if self.link is not None:
            return f"the relationship {self.link.source.name}.{self.link.name}"
        name = self.node.name if self.node is not None else ""
        return f"{name}.{self.capability}" if self.capability else name


class Paths:
    """Follows paths through one topology."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self._open: list[tuple[int, str, str]] = []

    def places(self, args: tuple[Node, ...], context: Context) -> tuple[list[Place], tuple[Node, ...]] | None:
        """(places, what is left of the arguments); None where a path leads nowhere, which is reported."""
        start = self._start(args, context)
        if start is None:
            return None
        found, rest = [start], args[1:]
        if start.node is not None and start.node.name == args[0].text and rest and self._is_index(rest[0]):
            self._counted(start.node, rest[0], context)
            found = [replace(start, every=True) if rest[0].text == "ALL" else replace(start, index=self._functions.values.anything(rest[0], context))]
            rest = rest[1:]
        while rest and rest[0].kind == "scalar" and rest[0].text in KEYWORDS and len(rest) > 1:
            step = self._step(found, rest, context)
            if step is None:
                return None
            found, rest = step
        return found, rest

    def _counted(self, node: NodeTemplate, index: Node, context: Context) -> None:
        """Whether a node template's count has a node of this number."""
        number = scalar_value(index, "core") if index.kind == "scalar" else None
        count = 1 if node.count is None else scalar_value(node.count, "core") if node.count.kind == "scalar" else None
        if isinstance(number, int) and isinstance(count, int) and not 0 <= number < count:
            self._error(context, f"there is no {node.name} {number}", index, f"it is there {count} times, numbered from 0" if count != 1 else "it has no count")

    @staticmethod
    def _is_index(node: Node) -> bool:
        if node.kind == "map":
            return True
        return node.text in ("ALL", "$node_index", "$relationship_index") or isinstance(scalar_value(node, "core"), int)

    def _start(self, args: tuple[Node, ...], context: Context) -> Place | None:
        first, name = args[0], args[0].text if args[0].kind == "scalar" else ""
        if name == "SELF":
            if context.relationship:
                return Place(link=context.link) if context.link is not None else None
            return Place(node=context.node, index=own_number(context, first)) if context.node is not None else None
        if name in ("SOURCE", "TARGET", "HOST") and not context.document.reading.first and name not in self._functions.nodes:
            instead = "RELATIONSHIP, host, TARGET" if name == "HOST" else name
            self._error(context, f"a path does not begin with {name} since 2.0", first, f"[SELF, {instead}, …]")
            return None
        if name in ("SOURCE", "TARGET"):
            if context.link is None:
                if context.node is not None:
                    self._error(context, f"{name} is only known in a relationship", first)
                return None
            node = context.link.source if name == "SOURCE" else context.link.target
            return Place(node=node) if node is not None else None
        if name == "HOST":
            return self._host(context, first)
        node = self._functions.nodes.get(name)
        if node is not None:
            return Place(node=node)
        relationship = next((k for n in self._functions.nodes.values() for k in n.links if k.template is not None and k.template.name == name), None)
        if relationship is not None:
            return Place(link=relationship)
        if self._functions.complete and name not in self._functions.relationships:
            self._error(context, f"there is no node template {name or '(none named)'}", first, did_you_mean(name, self._functions.nodes))
        return None

    def _host(self, context: Context, node: Node) -> Place | None:
        start = context.node if context.node is not None else context.link.source if context.link is not None else None
        if start is None:
            if context.node is None and context.link is None and self._functions.complete:
                self._error(context, "HOST is only known in a node template", node)
            return None
        host = next(iter(self.hosts(start)), None)
        if host is None:
            self._error(context, f"{start.name} is not hosted on anything", node)
            return None
        return Place(node=host, index=own_number(context, node))

    def server(self, node: NodeTemplate) -> NodeTemplate | None:
        """The server that a node is, or is on; None where there is none."""
        return next((h for h in (node, *self.hosts(node)) if h.is_a("tosca.nodes.Compute")), None)

    @staticmethod
    def hosts(node: NodeTemplate) -> Iterator[NodeTemplate]:
        """What a node is hosted on, and that on, and so on."""
        seen = {id(node)}
        current: NodeTemplate | None = node
        while current is not None:
            above = next((k.target for k in current.links if k.target is not None and is_hosting(k)), None)
            if above is None or id(above) in seen:
                return
            seen.add(id(above))
            yield above
            current = above

    def _step(self, places: list[Place], rest: tuple[Node, ...], context: Context) -> tuple[list[Place], tuple[Node, ...]] | None:
        word, found, used = rest[0].text, list[Place](), 1
        for place in places:
            match word:
                case "RELATIONSHIP" if place.capability:
                    incoming = (k for n in self._functions.nodes.values() for k in n.links if k.target is place.node)
                    found += [Place(link=k) for k in incoming if k.capability == place.capability]
                case "RELATIONSHIP" if place.node is not None:
                    used = 2
                    found += [Place(link=k, index=place.index) for k in place.node.linked(rest[1].text)]
                    if not place.node.linked(rest[1].text):
                        if rest[1].text not in place.node.sections.requirements:
                            hint = did_you_mean(rest[1].text, place.node.sections.requirements)
                            self._error(context, f"{place} has no requirement {rest[1].text}", rest[1], hint)
                        return None
                case "CAPABILITY" if place.link is not None:
                    target = place.link.target
                    if target is None:
                        return None
                    found.append(Place(node=target, capability=place.link.capability, index=place.index if is_hosting(place.link) else None))
                case "CAPABILITY" if place.node is not None:
                    used = 2
                    if place.node.capability(rest[1].text) is None:
                        self._error(context, f"{place} has no capability {rest[1].text}", rest[1], did_you_mean(rest[1].text, place.node.sections.capabilities))
                        return None
                    found.append(replace(place, capability=rest[1].text))
                case "SOURCE" if place.link is not None:
                    found.append(Place(node=place.link.source))
                case "TARGET" if place.link is not None:
                    if place.link.target is None:
                        return None
                    found.append(Place(node=place.link.target, index=place.index if is_hosting(place.link) else None))
                case _:
                    self._error(context, f"{word} does not follow {place}", rest[0])
                    return None
        rest = rest[used:]
        if word == "RELATIONSHIP":
            index = rest[0] if len(rest) > 1 and self._is_index(rest[0]) else None
            if index is not None:
                rest = rest[1:]
            found = self._picked(found, index, places[0], context)
        return (found, rest) if found else None

    def _picked(self, found: list[Place], index: Node | None, start: Place, context: Context) -> list[Place]:
        """Of several relationships the one that an index says, all with ALL, and the first without one."""
        if index is not None and index.text == "ALL":
            return found
        number = scalar_value(index, "core") if index is not None and index.kind == "scalar" else 0
        if not isinstance(number, int):
            return found[:1]
        if index is not None and not 0 <= number < len(found) and all(p.link is not None and p.link.count == 1 for p in found):
            self._error(context, f"there is no relationship {number} of {start}", index, f"there are {len(found)}, numbered from 0")
        return found[number : number + 1]

    def property(self, args: tuple[Node, ...], context: Context, call: Node) -> tuple[Expr, Schema | str | None]:
        """The value of a property."""
        return self._valued(args, context, call, live=False)

    def attribute(self, args: tuple[Node, ...], context: Context, call: Node) -> tuple[Expr, Schema | str | None]:
        """The value of an attribute; properties are attributes as well."""
        return self._valued(args, context, call, live=True)

    def _valued(self, args: tuple[Node, ...], context: Context, call: Node, *, live: bool) -> tuple[Expr, Schema | str | None]:
        found = self.places(args, context)
        if found is None or not found[1]:
            if found is not None:
                self._error(context, f"{call.entries[0][0].text} names no {'attribute' if live else 'property'}", call)
            return Literal(None, call.mark), None
        places, rest = found
        if args[0].text == "HOST":
            places = [self._carrying(places[0], rest[0].text, live=live)]
        values = [self._one(p, rest, context, call, live=live) for p in places]
        if len(values) == 1 and not any(a.text == "ALL" for a in args if a.kind == "scalar"):
            return values[0]
        if len(values) == 1 and places[0].every:
            return values[0][0], None
        return List(tuple(v[0] for v in values), call.mark), None

    def _carrying(self, place: Place, name: str, *, live: bool) -> Place:
        """HOST: the first node up the chain that has the property."""
        assert place.node is not None
        for node in (place.node, *self.hosts(place.node)):
            if name in node.sections.properties or (live and name in node.sections.attributes) or name in node.sections.capabilities:
                return replace(place, node=node)
        return place

    def _one(self, place: Place, rest: tuple[Node, ...], context: Context, call: Node, *, live: bool) -> tuple[Expr, Schema | str | None]:
        name, nested = rest[0].text, rest[1:]
        if place.node is not None and not place.capability and nested and not self._has(place.node, name, live=live):
            through = self._through(place.node, name)
            if through is not None and nested[0].kind == "scalar":
                if not self._has_capability(through, nested[0].text) and through.node is not None:
                    through = self._related(place.node, name, nested[0].text) or Place(node=through.node)
                if place.index is not None and through.node in (place.node, *self.hosts(place.node)):
                    through = replace(through, index=place.index)
                return self._one(through, nested, context, call, live=live)
        keys = tuple(self._functions.values.anything(n, context) for n in nested)
        found = self._look(place, name, keys, context, rest[0], call, live=live)
        return (Literal(None, call.mark), None) if found is None else found

    @staticmethod
    def _has(node: NodeTemplate, name: str, *, live: bool) -> bool:
        return name in node.sections.properties or (live and name in node.sections.attributes) or name in node.properties or name in node.attributes

    @staticmethod
    def _has_capability(place: Place, name: str) -> bool:
        capability = place.node.capability(place.capability) if place.node is not None else None
        return capability is not None and (name in capability.properties or name in capability.attributes)

    def _related(self, node: NodeTemplate, requirement: str, name: str) -> Place | None:
        """The relationship of a requirement, where it is what has a property (and neither the target nor its capability)."""
        for link in node.linked(requirement):
            if link.target is not None and name not in link.target.sections.properties and name not in link.target.sections.attributes:
                place = Place(link=link)
                if any(name in s for s in self.sections(place)):
                    return place
        return None

    def _through(self, node: NodeTemplate, name: str) -> Place | None:
        """1.x: a requirement or a capability by name."""
        for link in node.linked(name):
            if link.target is not None:
                return Place(node=link.target, capability=link.capability)
        return Place(node=node, capability=name) if name in node.sections.capabilities else None

    def _look(
        self, place: Place, name: str, keys: tuple[Expr, ...], context: Context, mark: Node, call: Node, *, live: bool
    ) -> tuple[Expr, Schema | str | None] | None:
        definitions, attributes = self.sections(place)
        definition = definitions.get(name) or (attributes.get(name) if live else None)
        if live:
            found = self._functions.live(place, name, keys, call)
            if found is not None:
                return found, definition.schema if definition is not None and not keys else None
        node = self._assigned(place, name)
        if definition is None and node is None:
            kind = "attribute" if live else "property"
            known = [*definitions, *(attributes if live else ())]
            if self._functions.open_ended(place):
                return Literal(None, call.mark), None
            hint = did_you_mean(name, known) or (f"{name} is an attribute: get_attribute" if name in attributes else "")
            self._error(context, f"{place} has no {kind} {name}", mark, hint)
            return None
        schema: Schema | None = definition.schema if definition is not None else None
        expr = self._value(place, name, node, definition, context, call)
        if expr is None:
            return None
        if place.index is not None or (place.node is not None and place.node.counted and place.node is not context.node):
            expr = with_index(expr, place.index if place.index is not None else Literal(0))
        self.reach(expr, schema, keys, f"{place}.{name}", context)
        return dig(expr, keys, call, f"{place}.{name}"), self.nested(schema, keys)

    def reach(self, expr: Expr, schema: Schema | None, keys: tuple[Expr, ...], what: str, context: Context) -> None:
        """Report keys that lead nowhere in a value (S243), as far as its type or the value itself tells."""
        fault = misled(self._functions.entities.definitions, expr, schema, keys, what)
        if fault is not None:
            key, summary, hint = fault
            context.document.reading.error("S243", summary, key.mark, hint)

    def sections(self, place: Place) -> tuple[dict[str, Definition], dict[str, Definition]]:
        """The properties and the attributes that a place has."""
        if place.link is not None:
            sections = self._functions.entities.sections(place.link.relationship) if place.link.relationship is not None else None
            if sections is None:
                return place.link.definitions, {}
            return place.link.definitions or sections.properties, sections.attributes
        assert place.node is not None
        if place.capability:
            capability = place.node.capability(place.capability)
            return (capability.properties, capability.attributes) if capability is not None else ({}, {})
        return place.node.sections.properties, place.node.sections.attributes

    @staticmethod
    def _assigned(place: Place, name: str) -> Node | None:
        if place.link is not None:
            found = place.link.properties.get(name) or place.link.attributes.get(name)
        elif place.node is None:
            return None
        elif place.capability:
            assignment = place.node.capabilities.get(place.capability)
            found = (assignment.properties.get(name) or assignment.attributes.get(name)) if assignment is not None else None
        else:
            found = place.node.properties.get(name) or place.node.attributes.get(name)
        return found[1] if found is not None else None

    def _value(self, place: Place, name: str, node: Node | None, definition: Definition | None, context: Context, call: Node) -> Expr | None:
        key = (id(place.link or place.node), place.capability, name)
        if key in self._open:
            self._error(context, f"the value of {place}.{name} refers to itself", call, code="S244")
            return None
        document = (place.link.document if place.link is not None else place.node.document) if node is not None and (place.link or place.node) else None  # type: ignore[union-attr]
        if node is None and definition is not None:
            node = definition.fixed if definition.fixed is not None else definition.default
            document = definition.document
        if node is None or document is None:
            return Literal(None, call.mark)
        inside = Context(document, place.node or (place.link.source if place.link is not None else None), place.link, place.link is not None)
        self._open.append(key)
        try:
            if definition is None:
                return self._functions.values.anything(node, inside)
            return self._functions.quietly(lambda: self._functions.values.defined(node, definition, inside, f"{place}.{name}"), "S244")
        finally:
            self._open.pop()

    def nested(self, schema: Schema | None, keys: tuple[Expr, ...]) -> Schema | None:
        """The schema of a part of a value; None where it is not known."""
        for key in keys:
            shape = self._functions.entities.definitions.schema_shape(schema) if schema is not None else None
            if schema is None or shape is None:
                return None
            if shape.base in ("list", "map"):
                schema = schema.entry or shape.entry
            elif isinstance(key, Literal) and str(key.value) in shape.properties:
                schema = shape.properties[str(key.value)].schema
            else:
                return None
        return schema

    @staticmethod
    def _error(context: Context, summary: str, node: Node, hint: str = "", code: str = "S243") -> None:
        context.document.reading.error(code, summary, node.mark, hint)


def is_hosting(link: Link) -> bool:
    """Whether a relationship is HostedOn, or (where nothing says its type) named host."""
    if link.relationship is not None:
        return any(a.normative == "tosca.relationships.HostedOn" or a.name == "HostedOn" for a in link.relationship.ancestors())
    return link.name == "host"


def with_index(expr: Expr, index: Expr) -> Expr:
    """``expr`` for one of the nodes of a node template with a count."""
    match expr:
        case Call(fn="tosca_index"):
            return index
        case Call(fn=fn, args=args, mark=mark):
            return Call(fn, tuple(with_index(a, index) for a in args), mark)
        case Map(entries=entries, mark=mark):
            return Map(tuple(Entry(e.key, e.key_mark, with_index(e.value, index)) for e in entries), mark)
        case List(items=items, mark=mark):
            return List(tuple(with_index(i, index) for i in items), mark)
        case Attr(target=target, path=path, mark=mark):
            return Attr(target, tuple(with_index(p, index) for p in path), mark)
        case If(condition=c, then=t, otherwise=o, mark=mark):
            return If(with_index(c, index), with_index(t, index), with_index(o, index), mark)
        case _:
            return expr


def own_number(context: Context, mark: Node) -> Expr | None:
    """The number of the node that something is made for; None where it is made once."""
    return Call("tosca_index", (Literal(INDEX, mark.mark),), mark.mark) if context.each else None


def member(node: NodeTemplate, index: Expr | None, name: str, keys: tuple[Expr, ...], call: Node) -> Expr:
    """An attribute that the host tells, of a node or of one of a count."""
    if not node.counted:
        return Attr(node.name, (Literal(name, call.mark), *keys), call.mark)
    return Attr(node.name, (Literal("resource"), index if index is not None else Literal(0), Literal(name, call.mark), *keys), call.mark)


def itself(node: NodeTemplate, index: Expr | None, call: Node) -> Expr:
    """The id of a node, or of one of a count."""
    return Ref(node.name, call.mark) if not node.counted else Attr(node.name, (Literal("resource"), index if index is not None else Literal(0)), call.mark)
