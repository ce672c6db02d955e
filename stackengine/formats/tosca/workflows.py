"""Imperative workflows and the activities that they and triggers have (TOSCA 2.0, chapter 13; Simple Profile 1.3, 3.6.23 to 3.6.27 and 3.8.7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stackengine.formats.tosca.assignments import check_target
from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.reading import is_null, items, names, pairs, text
from stackengine.formats.tosca.rules import constraints, validation
from stackengine.formats.tosca.service import Service
from stackengine.formats.tosca.topology import Context, NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean

ACTIVITIES = ("delegate", "set_state", "call_operation", "inline")
STATES = ("initial", "creating", "created", "configuring", "configured", "starting", "started", "stopping", "stopped", "deleting", "deleted", "error",
          "failed", "available", "standard")  # fmt: skip


class Workflows:
    """Checks the workflows of a service template."""

    def __init__(self, service: Service) -> None:
        self._service, self._nodes = service, service.functions.nodes
        self._names = {k.text for k, _ in pairs(service.body.get("workflows"))}
        self._groups = {k.text for k, _ in pairs(service.body.get("groups"))}

    def read(self) -> None:
        """Every workflow."""
        for key, node in self._service.reading.section(self._service.body, "workflows", "the service template"):
            self._workflow(key, node)

    def _workflow(self, key: Node, node: Node) -> None:
        service, reading, what = self._service, self._service.reading, f"workflow {key.text}"
        body = reading.entity(node, "workflow", what, key.mark)
        if body is None:
            return
        inputs = service.entities.definitions.map_of(pairs(body.get("inputs")), "parameter", service.document, {}, what)
        steps, implementation = body.get("steps"), body.get("implementation")
        if steps is not None and implementation is not None and not is_null(steps) and not is_null(implementation):
            reading.error("S285", f"{what} has steps or an implementation, not both", implementation.mark)
        before = service.functions.inputs
        service.functions.inputs = {**(before or {}), **inputs}
        known = {k.text for k, _ in pairs(steps)}
        for name, value in pairs(steps):
            self._step(name, value, known, what)
        for name, value in pairs(body.get("outputs")):
            target = value.get("mapping") if value.kind == "map" else value
            if target is not None and target.kind == "list" and len(target.items) > 1:
                check_target(service.functions, target, Context(service.document), f"output {name.text} of {what}")
        self._circle(key, what)
        self._preconditions(body, what)
        service.functions.inputs = before

    def _circle(self, key: Node, what: str) -> None:
        """A workflow that is put into itself, by way of others or not, never ends."""
        inlined = {k.text: {n.text for n in _inlined(v)} for k, v in pairs(self._service.body.get("workflows"))}
        reached, queue = set[str](), [*inlined.get(key.text, ())]
        while queue:
            name = queue.pop()
            if name not in reached:
                reached.add(name)
                queue += inlined.get(name, ())
        if key.text in reached:
            self._service.reading.error("S289", f"{what} is put into itself", key.mark)

    def _preconditions(self, body: Node, what: str) -> None:
        reading = self._service.reading
        for item in items(body.get("preconditions")) if reading.first else ():
            checked = reading.entity(item, "precondition", f"a precondition of {what}")
            if checked is not None:
                self._target(checked, what)
        condition = body.get("precondition")
        if condition is not None and not is_null(condition) and not reading.first:
            validation(condition, self._service.document)

    def _target(self, body: Node, what: str) -> NodeTemplate | None:
        node, reading = body.get("target"), self._service.reading
        name = text(node)
        found = self._nodes.get(name)
        if node is not None and name and found is None and name not in self._groups:
            hint = did_you_mean(name, [*self._nodes, *self._groups])
            reading.error("S286", f"{what}: there is no node template or group {name}", node.mark, hint)
        relationship = body.get("target_relationship")
        if found is not None and relationship is not None and text(relationship):
            known = {*found.sections.requirements, *(k.relationship.name for k in found.links if k.relationship is not None)}
            if text(relationship) not in known:
                hint = did_you_mean(text(relationship), known)
                reading.error("S286", f"{what}: {name} has no requirement {text(relationship)}", relationship.mark, hint)
        return found

    def _step(self, key: Node, node: Node, known: set[str], what: str) -> None:
        reading, label = self._service.reading, f"step {key.text} of {what}"
        body = reading.entity(node, "step", label, key.mark)
        if body is None:
            return
        target = self._target(body, label)
        for word in ("on_success", "on_failure"):
            for name in names(body.get(word)):
                if name.text not in known:
                    reading.error("S286", f"{label}: there is no step {name.text}", name.mark, did_you_mean(name.text, known))
        for item in items(body.get("filter")):
            if reading.first:
                for name, value in pairs(item):
                    clauses = value.kind == "list" and value.items and all(i.kind == "map" for i in value.items)
                    if clauses and name.text not in ("and", "or", "not", "assert"):
                        constraints(value, self._service.document)
            else:
                validation(item, self._service.document)
        activities = body.get("activities")
        if activities is not None and activities.kind == "list":
            self.activities(activities, label, target)

    def activities(self, node: Node, what: str, target: NodeTemplate | None) -> None:
        """A list of activities."""
        for item in node.items:
            if item.kind != "map" or len(item.entries) != 1:
                if not (item.kind == "map" and item.entries and item.entries[0][0].text in ACTIVITIES and self._service.reading.first):
                    self._service.reading.error("S287", f"an activity of {what} is one of {', '.join(ACTIVITIES)}", item.mark)
                continue
            self._activity(*item.entries[0], what, target)

    def _activity(self, key: Node, value: Node, what: str, target: NodeTemplate | None) -> None:
        reading = self._service.reading
        match key.text:
            case "set_state":
                if value.kind != "scalar":
                    reading.error("S200", f"the state of {what} must be text", value.mark)
            case "delegate":
                self._named(key, value, "workflow", what)
            case "inline":
                name = self._named(key, value, "workflow", what)
                if name is not None and name.text not in self._names:
                    reading.error("S286", f"{what}: there is no workflow {name.text}", name.mark, did_you_mean(name.text, self._names))
                elif name is not None:
                    self._given(value, self._inputs_of(name.text), what, name)
            case "call_operation":
                name = self._named(key, value, "operation", what)
                operation = self._operation(name, what, target) if name is not None else None
                if operation is not None and name is not None:
                    self._given(value, operation, what, name, more=True)
            case _:
                reading.error("S287", f"{what}: there is no activity {key.text}", key.mark, did_you_mean(key.text, ACTIVITIES) or ", ".join(ACTIVITIES))

    def _named(self, key: Node, value: Node, word: str, what: str) -> Node | None:
        """The name in the short or the extended notation."""
        if value.kind == "scalar":
            return value if not is_null(value) else None
        body = self._service.reading.entity(value, f"{key.text} activity", f"{key.text} of {what}")
        return body.get(word) if body is not None else None

    def _inputs_of(self, name: str) -> dict[str, Definition]:
        body = next((v for k, v in pairs(self._service.body.get("workflows")) if k.text == name), None)
        diagnostics = self._service.reading.diagnostics
        before = len(diagnostics.items)
        found = self._service.entities.definitions.map_of(pairs(body.get("inputs")) if body is not None and body.kind == "map" else (), "parameter",
                                                          self._service.document, {}, f"workflow {name}")  # fmt: skip
        del diagnostics.items[before:]  # told where the workflow stands
        return found

    def _given(self, value: Node, known: dict[str, Definition], what: str, name: Node, *, more: bool = False) -> None:
        """The inputs that an activity gives; ``more``: also some that are not defined."""
        reading, functions = self._service.reading, self._service.functions
        given = pairs(value.get("inputs")) if value.kind == "map" else ()
        for key, node in given:
            definition = known.get(key.text)
            if definition is not None:
                functions.values.defined(node, definition, Context(self._service.document), f"input {key.text} of {name.text} in {what}")
            elif not more:
                reading.error("S286", f"{what}: {name.text} has no input {key.text}", key.mark, did_you_mean(key.text, known))
        said = {k.text for k, _ in given}
        for key_, definition in known.items():
            if definition.required and definition.default is None and definition.fixed is None and key_ not in said and not reading.first:
                reading.error("S277", f"{what}: {name.text} needs a value for its input {key_}", name.mark)

    def _operation(self, node: Node, what: str, target: NodeTemplate | None) -> dict[str, Definition] | None:
        """The inputs of an operation that nobody gave a value yet; None where there is no such operation."""
        interface, _, operation = node.text.rpartition(".")
        reading = self._service.reading
        if not interface:
            reading.error("S288", f"{what}: an operation is called as interface.operation, not {node.text}", node.mark)
            return None
        if target is None or self._service.functions.native(target):
            return None
        short = {"tosca.interfaces.node.lifecycle.Standard": "Standard", "tosca.interfaces.node.lifecycle.standard": "Standard"}.get(interface, interface)
        offered = dict(target.interfaces)
        for link in target.links:
            offered |= link.interfaces
        found = offered.get(short) or offered.get(interface)
        if found is None:
            reading.error("S288", f"{what}: {target.name} has no interface {interface}", node.mark, did_you_mean(interface, offered))
        elif operation not in found.operations:
            reading.error("S288", f"{what}: the interface {interface} has no operation {operation}", node.mark, did_you_mean(operation, found.operations))
        else:
            called = found.operations[operation]
            values = {**found.values, **called.values}
            return {n: replace(d, required=False) if n in values else d for n, d in {**found.inputs, **called.inputs}.items()}
        return None


def _inlined(body: Node) -> Iterator[Node]:
    """The names of the workflows that one puts into itself."""
    for _, step in pairs(body.get("steps")) if body.kind == "map" else ():
        for item in items(step.get("activities")) if step.kind == "map" else ():
            value = item.get("inline") if item.kind == "map" else None
            name = value.get("workflow") if value is not None and value.kind == "map" else value
            if name is not None and text(name):
                yield name
