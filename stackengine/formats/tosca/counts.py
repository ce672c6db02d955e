"""How many servers a node template stands for: ``count`` (2.0), the capability ``scalable``, scaling policies (Simple Profile 1.3, chapter 5).

``scalable`` says ``default_instances``, or ``count`` as templates in practice do; a scaling policy gives ``default_instances`` to those of its targets
that say nothing themselves. A port that is bound to such a server, and a volume that is attached to it alone, are there as often as the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.paths import INDEX
from stackengine.formats.tosca.reading import as_pairs, names, pairs
from stackengine.formats.tosca.topology import Context, NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.expr import Attr, Call, Expr, Literal, Map, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import Nested, Resource

SCALABLE, WANTED = "scalable", ("count", "default_instances")
COMPUTE, SCALING = "tosca.nodes.Compute", "tosca.policies.Scaling"
_PORT, _BLOCK = "tosca.nodes.network.Port", "tosca.nodes.Storage.BlockStorage"


class Counts:
    """Gives the servers of one service template the counts that stand elsewhere than in ``count``."""

    def __init__(self, functions: Functions, body: Node) -> None:
        self._functions, self._body = functions, body
        self._scaled: list[NodeTemplate] = []

    def read(self) -> None:
        """Once node templates are read, and before a value of theirs is."""
        servers = [n for n in self._functions.nodes.values() if n.is_a(COMPUTE) and n.count is None]
        for node in servers:
            said = node.capabilities[SCALABLE].properties if SCALABLE in node.capabilities else {}
            found = next((said[w][1] for w in WANTED if w in said), None)
            if found is not None:
                self._check(node, found, {n: v for n, (_, v) in said.items()})
                self._give(node, found)
        for wanted, targets in self._policies(servers):
            for node in servers:
                if node.count is None and node.name in targets:
                    self._check(node, wanted, {})
                    self._give(node, wanted)

    def _give(self, node: NodeTemplate, count: Node) -> None:
        node.count = count
        self._scaled.append(node)

    def _check(self, node: NodeTemplate, count: Node, bounds: dict[str, Node]) -> None:
        number, reading = _number(count), node.document.reading
        if count.kind == "scalar" and (number is None or number < 0) and not count.text.startswith("$"):
            reading.error("S254", f"how many {node.name} there are must be a whole number", count.mark)
        for name, sign in (("min_instances", 1), ("max_instances", -1)):
            bound = _number(bounds[name]) if name in bounds else None
            if number is not None and bound is not None and sign * number < sign * bound:
                reading.error("S254", f"{number} of {node.name} are wanted, but its {name} is {bound}", count.mark, f"{name} is given at {bounds[name].mark}")

    def _policies(self, servers: list[NodeTemplate]) -> Iterator[tuple[Node, set[str]]]:
        """(how many, names of nodes) of every scaling policy that says how many."""
        groups = {k.text: {m.text for m in names(v.get("members"))} for k, v in pairs(self._body.get("groups")) if v.kind == "map"}
        for _, policy in as_pairs(self._body.get("policies")) if servers else ():
            kind = policy.get("type") if policy.kind == "map" else None
            document = servers[0].document
            found = self._functions.entities.catalog.find("policy", kind.text, document) if kind is not None and kind.kind == "scalar" else None
            if found is None or not any(a.normative == SCALING for a in found.ancestors()):
                continue
            properties, default = policy.get("properties"), self._functions.entities.sections(found).properties.get(WANTED[1])
            wanted = properties.get(WANTED[1]) if properties is not None and properties.kind == "map" else None
            wanted = wanted or (default.default if default is not None else None)
            if wanted is not None:
                said = {t.text for t in names(policy.get("targets"))}
                yield wanted, said.union(*(groups.get(t, set()) for t in said))

    def follow(self) -> None:
        """Once requirements are fulfilled: what belongs to one server is there as often as the server."""
        for node in self._scaled:
            for other in self._belonging(node):
                if other.count is None and all(s is node for s in self._servers(other)):
                    other.count = node.count

    def _belonging(self, server: NodeTemplate) -> Iterator[NodeTemplate]:
        """Volumes and ports of a server."""
        yield from (k.target for k in server.links if k.target is not None and k.target.is_a(_BLOCK))
        yield from (n for n in self._functions.nodes.values() if n.is_a(_PORT) and any(k.target is server for k in n.linked("binding")))

    def _servers(self, other: NodeTemplate) -> Iterator[NodeTemplate]:
        """The servers that a volume or a port belongs to."""
        if other.is_a(_PORT):
            yield from (k.target for k in other.linked("binding") if k.target is not None)
        else:
            yield from (n for n in self._functions.nodes.values() if any(k.target is other for k in n.links))


def _number(node: Node) -> int | None:
    found = scalar_value(node, "core") if node.kind == "scalar" else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def several(made: Resource, node: NodeTemplate, functions: Functions) -> Resource:
    """A resource as often as a node template is there: a group, whose members have the node's number where ``INDEX`` stands."""
    assert node.count is not None
    count = functions.values.anything(node.count, Context(node.document))
    group = Nested("group", members=(replace(made, depends_on=()),), count=count, index_variable=INDEX, mark=node.count.mark)
    return Resource(made.logical_id, made.type, Map(()), made.depends_on, nested=group, mark=made.mark, type_mark=made.type_mark)


def one_of(node: NodeTemplate, mark: Mark, *, each: bool) -> Expr:
    """A node as a whole; with ``each``, in what is made for every node of a count, the one of the same number."""
    return Attr(node.name, (Literal("resource"), number(mark)), mark) if each and node.counted else Ref(node.name, mark)


def number(mark: Mark) -> Expr:
    """The number of the node, in what is made for every node of a count."""
    return Call("tosca_index", (Literal(INDEX, mark),), mark)
