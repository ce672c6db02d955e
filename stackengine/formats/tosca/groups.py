"""Groups, policies and their triggers (TOSCA 2.0, chapter 16; Simple Profile 1.3, 3.6.22, 3.8.5 and 3.8.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from stackengine.formats.build import plain
from stackengine.formats.tosca.counts import COMPUTE, SCALING, WANTED
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.entities import Sections
from stackengine.formats.tosca.placement import OWN, PLACEMENT, Placements, Policy
from stackengine.formats.tosca.reading import as_pairs, is_null, items, names, pairs, text
from stackengine.formats.tosca.rules import constraints, validation
from stackengine.formats.tosca.service import Service
from stackengine.formats.tosca.topology import Context, NodeTemplate
from stackengine.formats.tosca.types import Type
from stackengine.formats.tosca.workflows import Workflows
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Expr

POLICY_EXTENSIONS = {PLACEMENT: OWN, SCALING: ("min_instances", "max_instances", "default_instances", "increment")}
"""Properties of ours on normative policy types."""
_CONDITION_WORDS = ("constraint", "period", "evaluations", "method")


@dataclass(slots=True, eq=False)
class Group:
    """A group of node templates."""

    name: str
    type: Type | None
    members: list[str] = field(default_factory=list)


class Groups:
    """Reads the groups and policies of a service template."""

    def __init__(self, service: Service, workflows: Workflows) -> None:
        self._service, self._workflows = service, workflows
        self._entities, self._functions, self._document = service.entities, service.functions, service.document
        self.groups: dict[str, Group] = {}
        self.policies: list[Policy] = []
        self.placements = Placements(service.reading)

    def read(self) -> None:
        """Everything; faults are reported."""
        reading = self._service.reading
        entries = reading.section(self._service.body, "groups", "the service template")
        for key, node in entries:
            self._group(key, node)
        for key, node in entries:
            self._members(key, node)
        policies = self._service.body.get("policies")
        seen: set[str] = set()
        for item in items(policies) if policies is not None and policies.kind == "list" else ():
            if item.kind != "map" or len(item.entries) != 1:
                reading.error("S200", "each policy is one 'name: …'", item.mark)
        for key, node in as_pairs(policies):
            if key.text in seen:
                reading.error("S205", f"there are two policies {key.text}", key.mark)
            seen.add(key.text)
            self._policy(key, node)

    def _type(self, kind: str, node: Node | None, what: str) -> tuple[Type | None, Sections | None]:
        found = self._entities.catalog.named(kind, node, self._document, what)
        return found, self._entities.sections(found) if found is not None else None

    def _values(self, body: Node, key: Node, sections: Sections | None, what: str) -> dict[str, Expr]:
        """The properties, with the defaults of the type."""
        reading, values, found = self._service.reading, self._functions.values, dict[str, Expr]()
        for name, value in reading.section(body, "properties", what):
            definition = sections.properties.get(name.text) if sections is not None else None
            if sections is not None and sections.type.incomplete:
                continue
            if definition is not None:
                found[name.text] = values.defined(value, definition, Context(self._document), f"{name.text} of {what}")
                continue
            found[name.text] = values.anything(value, Context(self._document))
            if sections is not None and not any(name.text in POLICY_EXTENSIONS.get(a.normative, ()) for a in sections.type.ancestors()):
                reading.error("S230", f"{what} ({sections.type.name}) has no property {name.text}", name.mark, did_you_mean(name.text, sections.properties))
        for name_, definition in (sections.properties if sections is not None else {}).items():
            chosen = definition.fixed if definition.fixed is not None else definition.default
            if name_ not in found and chosen is not None:
                context = Context(definition.document)
                found[name_] = self._functions.quietly(partial(values.defined, chosen, definition, context, f"{name_} of {what}"))
            elif definition.required and name_ not in found:
                reading.error("S231", f"{what} needs a value for the property {name_}", key.mark)
        for name, _ in reading.section(body, "attributes", what):
            if sections is not None and name.text not in sections.attributes and name.text not in sections.properties:
                reading.error("S230", f"{what} ({sections.type.name}) has no attribute {name.text}", name.mark)
        return found

    def _group(self, key: Node, node: Node) -> None:
        what = f"group {key.text}"
        body = self._service.reading.entity(node, "group", what, key.mark)
        if body is None:
            return
        kind, sections = self._type("group", body.get("type"), what)
        self.groups[key.text] = Group(key.text, kind)
        self._values(body, key, sections, what)
        interfaces = self._service.reading.section(body, "interfaces", what)
        if interfaces and self._document.reading.first:
            self._entities.interfaces.assigned(interfaces, self._document, {}, what)

    def _members(self, key: Node, node: Node) -> None:
        group, reading = self.groups.get(key.text), self._service.reading
        if group is None:
            return
        allowed = self._entities.sections(group.type).targets if group.type is not None else ()
        for member in names(node.get("members")) if node.kind == "map" else ():
            found = self._functions.nodes.get(member.text)
            if found is None and member.text not in self.groups:
                known = [*self._functions.nodes, *self.groups]
                reading.error("S280", f"there is no node template {member.text}", member.mark, did_you_mean(member.text, known))
                continue
            group.members.append(member.text)
            if found is not None and found.type is not None and allowed and not any(found.type.is_a(a) for a in allowed):
                problem = f"{member.text} cannot be in group {key.text}: a {group.type.name if group.type else ''} has {', '.join(a.name for a in allowed)}"
                reading.error("S281", problem, member.mark)

    def _policy(self, key: Node, node: Node) -> None:
        what, reading = f"policy {key.text}", self._service.reading
        body = reading.entity(node, "policy", what, key.mark)
        if body is None:
            return
        kind, sections = self._type("policy", body.get("type"), what)
        policy = Policy(key.text, key, kind, kind.name if kind is not None else text(body.get("type")), values=self._values(body, key, sections, what))
        for target in names(body.get("targets")):
            found = self._functions.nodes.get(target.text)
            group = self.groups.get(target.text)
            if found is None and group is None:
                known = [*self._functions.nodes, *self.groups]
                reading.error("S280", f"there is no node template or group {target.text}", target.mark, did_you_mean(target.text, known))
                continue
            policy.targets.append(target.text)
            own = found.type if found is not None else group.type if group is not None else None
            members = [self._functions.nodes[m].type for m in group.members if m in self._functions.nodes] if group is not None else []
            allowed = sections.targets if sections is not None else ()
            fits = own is None or any(own.is_a(a) for a in allowed) or (members and all(m is None or any(m.is_a(a) for a in allowed) for m in members))
            if allowed and not fits:
                problem = f"{target.text} cannot be a target of policy {key.text}: it is for {', '.join(a.name for a in allowed)}"
                reading.error("S281", problem, target.mark)
        for name, value in reading.section(body, "triggers", what):
            check_trigger(name, value, self._document, what, self._workflows, self._functions.nodes)
            policy.triggers = True
        self.policies.append(policy)
        self._effect(policy)

    def _effect(self, policy: Policy) -> None:
        """What a policy does, or that it does nothing."""
        diagnostics, mark = self._service.reading.diagnostics, policy.key.mark
        targets = list(self._targets(policy.targets))
        if policy.is_a(PLACEMENT):
            servers = (self._functions.paths.server(t) or t for t in targets)
            taken = (*self._functions.nodes, *self.placements.resources)
            self.placements.add(policy, (s for s in servers if s.is_a(COMPUTE) or (s.type is not None and s.type.name == "SE::Server")), taken)
        elif policy.is_a(SCALING) and WANTED[1] in policy.values and any(t.is_a(COMPUTE) for t in targets):
            told = f"policy {policy.name} says how many there are at first: nothing scales them"
            diagnostics.notice("S282", told, mark, f"change {WANTED[1]}, and update the stack")
        elif policy.type is not None and policy.type.normative != "tosca.policies.Root":
            diagnostics.notice("S282", f"policy {policy.name} has no effect: policies of its type are kept with the template only", mark)

    def _targets(self, names_: list[str], seen: tuple[str, ...] = ()) -> Iterator[NodeTemplate]:
        """Node templates, also those of groups."""
        for name in names_:
            if name in self._functions.nodes:
                yield self._functions.nodes[name]
            elif name in self.groups and name not in seen:
                yield from self._targets(self.groups[name].members, (*seen, name))


def check_trigger(
    key: Node, node: Node, document: Document, what: str, workflows: Workflows | None, nodes: dict[str, Any]
) -> None:
    """One trigger, in the way of its version."""
    label, reading = f"trigger {key.text} of {what}", document.reading
    given = ("event",) if reading.first and node.kind == "map" and (node.get("event_type") is not None or node.get("meter_name") is not None) else ()
    lenient = ("meter_name", "resource_type") if reading.first else ()
    body = reading.entity(node, "trigger", label, key.mark, given=given, more=lenient)
    if body is None:
        return
    event = body.get("event")
    if event is not None and event.kind != "scalar" and not reading.first:
        reading.error("S200", f"the event of {label} must be text", event.mark)
    target = body.get("target_filter")
    if target is not None and not is_null(target):
        checked = reading.entity(target, "event filter", f"the target_filter of {label}")
        name = checked.get("node") if checked is not None else None
        if name is not None and nodes and text(name) not in nodes and document.find("node", text(name)) is None:
            reading.error("S280", f"there is no node template {text(name)}", name.mark, did_you_mean(text(name), nodes))
    condition = body.get("condition")
    if condition is not None and not is_null(condition):
        if reading.first:
            _condition(condition, document)
        else:
            validation(condition, document)
    action = body.get("action")
    if workflows is not None and action is not None and action.kind == "list":
        workflows.activities(action, f"the action of {label}", None)
    elif action is not None and action.kind == "list":
        for activity in action.items:
            if activity.kind not in ("map", "scalar"):
                reading.error("S200", f"an activity of {label} is a map", activity.mark)
    elif action is not None and not reading.first:
        reading.error("S200", f"the action of {label} must be a list of activities", action.mark)


def _condition(node: Node, document: Document) -> None:
    """1.x: a condition clause, or one with period and method around it."""
    if node.kind == "map" and any(k.text in _CONDITION_WORDS for k in node.key_nodes()):
        return
    for item in items(node) if node.kind == "list" else (node,):
        for key, value in pairs(item):
            if key.text in ("and", "or", "not", "assert"):
                continue
            clauses = value if value.kind == "list" and value.items and all(i.kind == "map" for i in value.items) else None
            if clauses is not None:
                constraints(clauses, document)


def as_data(policies: list[Policy], groups: dict[str, Group]) -> tuple[dict[str, Any], ...]:
    """Groups and policies for the neutral template."""
    found = [{"kind": "group", "name": g.name, "type": g.type.name if g.type is not None else "", "members": list(g.members)} for g in groups.values()]
    return (*found, *({"kind": "policy", "name": p.name, "type": p.type_name, "targets": p.targets} for p in policies))


def plain_metadata(node: Node | None) -> dict[str, Any]:
    """Metadata as JSON."""
    found = plain(node, "core") if node is not None and node.kind == "map" else {}
    return found if isinstance(found, dict) else {}
