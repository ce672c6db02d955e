"""Requirements become properties and dependencies; ports are turned round, as our servers refer to their ports."""

from __future__ import annotations

from dataclasses import replace

from stackengine.formats.build import text_of
from stackengine.formats.tosca.versions import is_port
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Entry, Expr, List, Literal, Map, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import DependsOn, Resource

ATTACHES = ("tosca.relationships.AttachesTo", "AttachesTo", "tosca:AttachesTo")


class Requirements:
    """Collects what the requirements of all node templates mean."""

    def __init__(self, resources: dict[str, Resource], diagnostics: Diagnostics) -> None:
        self._resources, self._diagnostics = resources, diagnostics
        self._properties: dict[str, list[Entry]] = {}
        self._depends: dict[str, list[DependsOn]] = {}
        self._interfaces: dict[str, list[tuple[int, Expr]]] = {}
        self._attachments: list[Resource] = []

    def read(self, name: str, node: Node | None) -> None:
        """Take in the requirements of one node template."""
        if node is None:
            return
        if node.kind != "list":
            self._diagnostics.error("S140", "requirements is a list", node.mark, "write '- host: server', one item each")
            return
        for item in node.items:
            if item.kind != "map" or len(item.entries) != 1:
                self._diagnostics.error("S141", "a requirement is one 'name: node' pair", item.mark)
                continue
            key, value = item.entries[0]
            self._one(name, key, value)

    def _one(self, name: str, key: Node, value: Node) -> None:
        target_node = value.get("node") if value.kind == "map" else value
        target = text_of(target_node)
        if target not in self._resources:
            self._diagnostics.error("S142", f"there is no node template {target or '(none named)'}", value.mark, did_you_mean(target, self._resources))
            return
        mark, source = (target_node or value).mark, self._resources[name]
        if is_port(source.type) and key.text == "link":
            self._property(name, "network", Ref(target, mark), key.mark)
        elif is_port(source.type) and key.text == "binding":
            self._interfaces.setdefault(target, []).append((_order(source), Map((Entry("port", key.mark, Ref(name, mark)),), mark)))
        elif _relationship(value) in ATTACHES or key.text == "local_storage":
            self._attach(name, target, mark)
        elif source.type.startswith("SE::") and key.text not in ("dependency", "host"):
            self._property(name, key.text, Ref(target, mark), key.mark)
        else:
            self._depends.setdefault(name, []).append(DependsOn(target, mark))

    def _property(self, name: str, prop: str, value: Expr, mark: Mark) -> None:
        self._properties.setdefault(name, []).append(Entry(prop, mark, value))

    def _attach(self, server: str, volume: str, mark: Mark) -> None:
        properties = Map((Entry("server", mark, Ref(server, mark)), Entry("volume", mark, Ref(volume, mark))), mark)
        self._attachments.append(Resource(f"{server}_{volume}", "SE::VolumeAttachment", properties, mark=mark, type_mark=mark))

    def resources(self) -> dict[str, Resource]:
        """The resources with everything that their requirements add."""
        found = {}
        for name, resource in self._resources.items():
            entries = [e for e in resource.properties.entries if not (is_port(resource.type) and e.key == "order")]
            entries += self._properties.get(name, [])
            interfaces = sorted(self._interfaces.get(name, []), key=lambda i: i[0])
            if interfaces:
                mark = interfaces[0][1].mark
                entries.append(Entry("networks", mark, List(tuple(i for _, i in interfaces), mark)))
            found[name] = replace(resource, properties=Map(tuple(entries), resource.properties.mark), depends_on=tuple(self._depends.get(name, ())))
        for attachment in self._attachments:
            found[attachment.logical_id] = attachment
        return found


def _relationship(value: Node) -> str:
    found = value.get("relationship") if value.kind == "map" else None
    if found is not None and found.kind == "map":
        return text_of(found.get("type"))
    return text_of(found)


def _order(port: Resource) -> int:
    """The port's place among its server's interfaces (tosca.nodes.network.Port, property order)."""
    found = port.properties.get("order")
    return int(found.value) if isinstance(found, Literal) and isinstance(found.value, int) else 0
