"""What placement policies say of servers (Simple Profile 1.3, 5.11.3): groups of servers, and zones and hosts that they ask for.

TOSCA leaves open how a policy says what it means. What templates do is read: ``policy`` (``affinity``, ``anti-affinity``), with ``strict: false`` as a
wish only; types of one's own that are named after it (``…AntiAffinity``, ``…Colocate``); ``zone``, ``availability_zone`` or ``region``; ``host``,
``host_group``. A policy that says nothing keeps its targets together, as OpenStack's translator of TOSCA has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from stackengine.formats.tosca.reading import Reading
from stackengine.formats.tosca.topology import NodeTemplate
from stackengine.formats.tosca.types import Type
from stackengine.formats.tosca.values import fold
from stackengine.formats.tree import Node
from stackengine.model.expr import Entry, Expr, List, Literal, Map, Ref
from stackengine.model.template import Resource

PLACEMENT = "tosca.policies.Placement"
GROUP = "SE::ServerGroup"
WORDS = {"antiaffinity": "anti-affinity", "antilocate": "anti-affinity", "affinity": "affinity", "colocate": "affinity", "collocate": "affinity"}
"""Last parts of the names of policy types, without signs between words, and the policy that they mean."""
ZONES = ("zone", "availability_zone", "region")
OWN = ("policy", "strict", "max_per_host", *ZONES, "host", "host_group")
"""Properties of a placement policy that mean something here."""


@dataclass(slots=True, eq=False)
class Policy:
    """One policy of a service template."""

    name: str
    key: Node
    type: Type | None
    type_name: str
    targets: list[str] = field(default_factory=list)
    values: dict[str, Expr] = field(default_factory=dict)
    """Its properties, with the defaults of its type."""
    triggers: bool = False

    def is_a(self, normative: str) -> bool:
        """Whether its type is a type of the Simple Profile, or derives from it."""
        return self.type is not None and any(a.normative == normative for a in self.type.ancestors())


class Placements:
    """The placement policies of one service template."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._of: dict[str, list[Entry]] = {}
        """What the placement of a server says, by node template."""
        self.resources: dict[str, Resource] = {}
        """The groups."""

    def add(self, policy: Policy, servers: Iterable[NodeTemplate], taken: Iterable[str]) -> None:
        """One policy for the servers that its targets are or are on; ``taken``: names that its group cannot have."""
        servers, mark, values = list({s.name: s for s in servers}.values()), policy.key.mark, policy.values
        idle = [n for n in values if n not in OWN]
        if not servers:
            problem = f"policy {policy.name} has no effect: none of its targets is a server, or on one"
            self._reading.diagnostics.notice("S282", problem, mark)
            return
        entries = [*self._zone(policy), *(Entry(n, values[n].mark, values[n]) for n in ("host", "host_group") if n in values)]
        kind = self._kind(policy)
        if kind is None and not entries:
            kind = Literal("affinity", mark)
        if kind is not None:
            name = policy.name if policy.name not in taken else f"{policy.name}_placement"
            most = [Entry("max_per_host", values["max_per_host"].mark, values["max_per_host"])] if "max_per_host" in values else []
            properties = (Entry("name", mark, Literal(policy.name, mark)), Entry("policy", kind.mark, kind), *most)
            self.resources[name] = Resource(name, GROUP, Map(properties, mark), mark=mark, type_mark=mark)
            entries.append(Entry("groups", mark, List((Ref(name, mark),), mark)))
        for server in servers:
            self._of.setdefault(server.name, []).extend(entries)
        if idle or policy.triggers:
            self._idle(policy, ", ".join([*idle, *(["its triggers"] if policy.triggers else [])]))

    def _idle(self, policy: Policy, what: str) -> None:
        self._reading.diagnostics.notice("S282", f"policy {policy.name}: nothing is made of {what}", policy.key.mark, f"what counts: {', '.join(OWN)}")

    def _zone(self, policy: Policy) -> Iterator[Entry]:
        for name in ZONES:
            said = policy.values.get(name)
            if isinstance(said, List) and len(said.items) != 1:
                self._idle(policy, f"{name}, which names {len(said.items)}: a server is in one")
            elif said is not None:
                yield Entry("zone", said.mark, said.items[0] if isinstance(said, List) else said)
                return

    @staticmethod
    def _kind(policy: Policy) -> Expr | None:
        """What a policy's group keeps to; None where nothing says it."""
        said = policy.values.get("policy")
        if said is None:
            names = (a.name.rpartition(".")[2].lower().replace("-", "").replace("_", "") for a in (policy.type.ancestors() if policy.type is not None else ()))
            word = next((meaning for n in names for w, meaning in WORDS.items() if w in n), None)
            said = Literal(word, policy.key.mark) if word is not None else None
        strict = policy.values.get("strict")
        if isinstance(said, Literal) and strict is not None and fold(strict) is False and not str(said.value).startswith("soft-"):
            return Literal(f"soft-{said.value}", said.mark)
        return said

    def within(self, node: NodeTemplate, entries: list[Entry]) -> list[Entry]:
        """The properties of a server with what policies say of its place; what it says itself wins, groups are put together."""
        found = self._of.get(node.name)
        if not found:
            return entries
        own = next((e for e in entries if e.key == "placement"), None)
        if own is not None and not isinstance(own.value, Map):
            self._reading.diagnostics.notice("S282", f"policies have no effect on {node.name}: its placement is worked out", own.key_mark)
            return entries
        said = own.value.entries if own is not None and isinstance(own.value, Map) else ()
        groups = [e for e in (*said, *found) if e.key == "groups"]
        by_name = {e.key: e for e in (*reversed(found), *said)}
        if all(isinstance(g.value, List) for g in groups) and groups:
            joined = tuple(i for g in groups if isinstance(g.value, List) for i in g.value.items)
            by_name["groups"] = Entry("groups", groups[0].key_mark, List(joined, groups[0].key_mark))
        mark = (own or found[0]).key_mark
        return [*(e for e in entries if e is not own), Entry("placement", mark, Map(tuple(by_name.values()), mark))]
