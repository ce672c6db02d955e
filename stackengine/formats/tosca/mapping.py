"""Node templates to resources: the nearest normative type that has a native one decides; the others are only recorded."""

from __future__ import annotations

from collections.abc import Iterator

from stackengine.formats.life import external_of, with_life
from stackengine.formats.tosca.counts import SCALABLE, WANTED, one_of, several
from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.lifecycle import Lifecycle
from stackengine.formats.tosca.placement import Placements
from stackengine.formats.tosca.reading import text
from stackengine.formats.tosca.topology import Context, Link, NodeTemplate
from stackengine.formats.tosca.values import fold
from stackengine.formats.tree import Node
from stackengine.model.expr import Call, Entry, Expr, List, Literal, Map, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import DependsOn, Policies, Resource

COMPUTE, BLOCK, NETWORK, PORT = "tosca.nodes.Compute", "tosca.nodes.Storage.BlockStorage", "tosca.nodes.network.Network", "tosca.nodes.network.Port"
MAPPED = (COMPUTE, BLOCK, NETWORK, PORT)
_EXTERNAL = {NETWORK: "network_id", BLOCK: "volume_id"}
"""Properties that name something that is there already: it is used, and neither changed nor deleted."""
UNSUPPORTED = ("tosca.nodes.LoadBalancer", "tosca.nodes.Storage.ObjectStorage")
RECORD = "SE::None"
_TAKEN = {COMPUTE: {"host": ("num_cpus", "mem_size", "disk_size", "cpu_frequency", "name", "instance_type"),
                    "os": ("type", "distribution", "architecture", "version", "image")}}  # fmt: skip
"""Properties of capabilities that the native type takes up; others have no effect, which is told."""


class Mapping:
    """Makes the resources of one service template."""

    def __init__(self, functions: Functions, lifecycle: Lifecycle, placements: Placements) -> None:
        self._functions, self._lifecycle, self._placements = functions, lifecycle, placements
        self._image_told = False
        self._bases: dict[int, str] = {}
        self._ports: dict[int, list[Link]] = {}

    def resources(self) -> dict[str, Resource]:
        """Every node template, what its requirements bring, and the deployments of its operations."""
        self._lifecycle.plan()
        for node in self._functions.nodes.values():
            for link in node.links if self.base(node) == PORT else ():
                if link.target is not None and link.name == "binding":
                    self._ports.setdefault(id(link.target), []).append(link)
        found: dict[str, Resource] = dict(self._placements.resources)
        ready: dict[str, tuple[DependsOn, ...]] = {}
        for node in self._functions.nodes.values():
            ready[node.name] = tuple(self._waits(node))
            made = self._resource(node, ready[node.name])
            found[node.name] = made
            ready[node.name] = (*ready[node.name], DependsOn(node.name, node.key.mark))
        for node in self._functions.nodes.values():
            for attachment in self._attachments(node):
                found[attachment.logical_id] = attachment
        for deployment in self._lifecycle.resources(ready):
            if deployment.logical_id in found:
                problem = f"the operation {deployment.logical_id} has the name of a node template"
                self._functions.nodes[next(iter(self._functions.nodes))].document.reading.error("S205", problem, deployment.mark, "rename the node template")
            found[deployment.logical_id] = deployment
        return found

    def base(self, node: NodeTemplate) -> str:
        """The type whose native type a node gets."""
        found = self._bases.get(id(node.type))
        if found is None:
            found = self._bases[id(node.type)] = self._base(node)
        return found

    @staticmethod
    def _base(node: NodeTemplate) -> str:
        if node.type is None or node.type.declared is None:
            return node.type.name if node.type is not None else RECORD
        for above in node.type.ancestors():
            if above.normative in MAPPED:
                return above.normative
        return RECORD

    def _resource(self, node: NodeTemplate, waits: tuple[DependsOn, ...]) -> Resource:
        base = self.base(node)
        entries = [*self._properties(node, base), *self._capabilities(node, base), *self._linked(node, base)]
        if base == COMPUTE:
            entries += self._image(node, entries)
        if base in (COMPUTE, "SE::Server"):
            entries = self._placements.within(node, entries)
        mark = entries[0].key_mark if entries else node.key.mark
        properties = Map(tuple(entries), mark)
        declared = node.type is not None and node.type.declared is not None
        name = (node.type.normative or node.type.name) if node.type is not None else base
        if name in UNSUPPORTED:
            problem = f"{node.name}: there is no native type for {name}, so it is only recorded"
            node.document.reading.diagnostics.warning("S263", problem, node.type_mark, "--accept-inert records it without making anything")
        metadata = self._functions.values.anything(node.metadata, Context(node.document, node)) if node.metadata is not None else None
        life = with_life(Policies(), node.metadata, node.document.reading.diagnostics)
        external = external_of(metadata) or self._external(node, base)
        made = Resource(
            node.name, name, properties, waits, metadata=metadata, external_id=external, policies=life, mark=node.key.mark,
            type_mark=node.type_mark, description=text(node.body.get("description")), stands_for=base if declared and base != name else "",
        )  # fmt: skip
        return several(made, node, self._functions) if node.counted else made

    def _external(self, node: NodeTemplate, base: str) -> Expr | None:
        found = node.properties.get(_EXTERNAL.get(base, ""))
        expr = self._functions.values.anything(found[1], Context(node.document, node)) if found is not None else None
        return None if isinstance(expr, Literal) and expr.value in (None, "") else expr

    def _properties(self, node: NodeTemplate, base: str) -> Iterator[Entry]:
        context = Context(node.document, node)
        native = node.type is None or node.type.declared is None
        for name, (key, value) in node.properties.items():
            definition = node.sections.properties.get(name)
            what = f"{node.name}.{name}"
            expr = self._functions.values.anything(value, context) if definition is None else self._functions.values.defined(value, definition, context, what)
            if (base == PORT and name == "order") or name == _EXTERNAL.get(base):
                continue
            yield Entry(name, key.mark, expr)
        if native:
            return
        for name, definition in node.sections.properties.items():
            chosen = definition.fixed if definition.fixed is not None else definition.default
            if name in node.properties or chosen is None or definition.document.root is None:
                continue
            yield Entry(name, definition.mark, self._default(chosen, definition, node, f"{node.name}.{name}"))

    def _default(self, value: Node, definition: Definition, node: NodeTemplate, what: str) -> Expr:
        return self._functions.quietly(lambda: self._functions.values.defined(value, definition, Context(definition.document, node), what), "S244")

    def _capabilities(self, node: NodeTemplate, base: str) -> Iterator[Entry]:
        context, taken, idle = Context(node.document, node), _TAKEN.get(base), list[tuple[str, Mark]]()
        for name, assignment in node.capabilities.items():
            capability = node.capability(name)
            for prop, (key, value) in assignment.properties.items():
                definition = capability.properties.get(prop) if capability is not None else None
                what = f"{node.name}.{name}.{prop}"
                values = self._functions.values
                expr = values.anything(value, context) if definition is None else values.defined(value, definition, context, what)
                if base not in MAPPED or (taken is not None and prop in taken.get(name, ())):
                    yield Entry(f"{name}.{prop}", key.mark, expr)
                elif not (name == SCALABLE and (any(w in assignment.properties for w in WANTED) or (isinstance(expr, Literal) and expr.value == 1))):
                    idle.append((f"{name}.{prop}", key.mark))
        if idle:
            problem = f"{node.name}: nothing is made of {', '.join(n for n, _ in idle)}"
            several = idle[0][0].startswith(f"{SCALABLE}.")
            hint = f"one server is made; {WANTED[1]} makes several" if several else "it is kept with the template, for other nodes to read"
            node.document.reading.diagnostics.notice("S264", problem, idle[0][1], hint)
        if taken is None:
            return
        for name, props in taken.items():
            capability, given = node.capability(name), node.capabilities[name].properties if name in node.capabilities else {}
            for prop in props:
                definition = capability.properties.get(prop) if capability is not None else None
                chosen = (definition.fixed if definition.fixed is not None else definition.default) if definition is not None else None
                if definition is not None and chosen is not None and prop not in given and definition.document.root is not None:
                    yield Entry(f"{name}.{prop}", definition.mark, self._default(chosen, definition, node, f"{node.name}.{name}.{prop}"))

    def _image(self, node: NodeTemplate, entries: list[Entry]) -> list[Entry]:
        """The image that ``os`` describes, by the catalogue's names; Debian 12 where nothing is said."""
        said = {e.key: e.value for e in entries}
        if "image" in said or "os.image" in said:
            return []
        distribution, version = said.get("os.distribution"), said.get("os.version")
        if distribution is None and not self._image_told:
            self._image_told = True
            problem = f"{node.name} names no image and no distribution: debian-12 is taken"
            node.document.reading.diagnostics.notice("S262", problem, node.key.mark, "capabilities: {os: {properties: {image: …}}}")
        self._other_systems(node, said)
        mark = distribution.mark if distribution is not None else node.key.mark
        args = (distribution or Literal(None), version or Literal(None))
        known = [fold(a) for a in args]
        if all(isinstance(k, (str, type(None))) for k in known):
            from stackengine.formats.tosca.semantics import image_name

            return [Entry("image", mark, Literal(image_name(known[0], known[1]), mark))]
        return [Entry("image", mark, Call("tosca_image", args, mark))]

    @staticmethod
    def _other_systems(node: NodeTemplate, said: dict[str, Expr]) -> None:
        """Tell where an image of the catalogue (Linux, x86_64) is not what the node asks for."""
        for name, usual in (("os.type", ("", "linux")), ("os.architecture", ("", "x86_64", "amd64", "x86-64", "x64"))):
            value = fold(said[name]) if name in said else ""
            if isinstance(value, str) and value.lower() not in usual:
                problem = f"{node.name} says {name}: {value} and names no image: one of Linux on x86_64 is taken"
                node.document.reading.diagnostics.warning("S262", problem, said[name].mark, "capabilities: {os: {properties: {image: …}}}")

    def _linked(self, node: NodeTemplate, base: str) -> Iterator[Entry]:
        """Properties that requirements give: a port's network, a server's ports, whatever a native type refers to."""
        for link in node.links:
            if link.target is None:
                continue
            if base == PORT and link.name == "link":
                yield Entry("network", link.mark, Ref(link.target.name, link.mark))
            elif base.startswith("SE::") and base != RECORD and link.name not in ("dependency", "host"):
                yield Entry(link.name, link.mark, Ref(link.target.name, link.mark))
        if base == COMPUTE:
            ports = sorted(self._ports.get(id(node), ()), key=lambda k: self._order(k.source))
            if ports and "networks" not in node.properties:
                mark = ports[0].mark
                items = tuple(Map((Entry("port", k.mark, one_of(k.source, k.mark, each=node.counted)),), k.mark) for k in ports)
                yield Entry("networks", mark, List(items, mark))

    @staticmethod
    def _order(port: NodeTemplate) -> int:
        found = port.properties.get("order")
        return int(found[1].text) if found is not None and found[1].kind == "scalar" and found[1].text.isdigit() else 0

    def _attaches(self, link: Link) -> bool:
        if link.target is None or self.base(link.source) != COMPUTE or self.base(link.target) != BLOCK:
            return False
        kinds = link.relationship.ancestors() if link.relationship is not None else ()
        return link.name == "local_storage" or any(a.normative == "tosca.relationships.AttachesTo" for a in kinds)

    def _attachments(self, node: NodeTemplate) -> Iterator[Resource]:
        for link in node.links:
            if not self._attaches(link) or link.target is None:
                continue
            mark, context = link.mark, Context(link.document, node, link, relationship=True)
            entries = [Entry("server", mark, one_of(node, mark, each=True)), Entry("volume", mark, one_of(link.target, mark, each=node.counted))]
            said = self._said_of(link, "device")
            if said is not None:
                entries.append(Entry("mountpoint", said[0], self._functions.values.defined(said[1], said[2], context, f"{node.name}.{link.name}.device")))
            location = self._said_of(link, "location")
            if location is not None:
                problem = f"{node.name}.{link.name}: nothing mounts the volume at its location"
                hint = "mount it in user_data, or in an operation of the node"
                link.document.reading.diagnostics.notice("S261", problem, location[0], hint)
            made = Resource(f"{node.name}_{link.target.name}", "SE::VolumeAttachment", Map(tuple(entries), mark), mark=mark, type_mark=mark)
            yield several(made, node, self._functions) if node.counted else made

    @staticmethod
    def _said_of(link: Link, name: str) -> tuple[Mark, Node, Definition] | None:
        """What a relationship says of a property, or the default of its type."""
        definition = link.definitions.get(name)
        if definition is None:
            return None
        if name in link.properties:
            key, value = link.properties[name]
            return key.mark, value, definition
        chosen = definition.fixed if definition.fixed is not None else definition.default
        return (definition.mark, chosen, definition) if chosen is not None else None

    def _waits(self, node: NodeTemplate) -> Iterator[DependsOn]:
        base = self.base(node)
        for link in node.links:
            if link.target is None or self._attaches(link):
                continue
            if base == PORT and link.name in ("link", "binding"):
                continue
            if base.startswith("SE::") and base != RECORD and link.name not in ("dependency", "host"):
                continue
            yield DependsOn(self._lifecycle.last(link.target), link.mark)
