"""Imperative workflows as something that can be run: every operation that a step calls is a deployment, in the order of the steps.

TOSCA 2.0, chapter 13; Simple Profile 1.3, 3.8.7 and 7.3. A step waits for all that name it in ``on_success``; what is named in ``on_failure`` runs
when the step failed. ``set_state`` only marks the way; ``delegate: deploy`` finds its target deployed; ``inline`` puts another workflow's steps in
its place. What cannot be run as it is written is refused with the reason, never run in part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.inputs import parameter
from stackengine.formats.tosca.interfaces import CANONICAL
from stackengine.formats.tosca.lifecycle import Lifecycle
from stackengine.formats.tosca.reading import is_null, items, names, pairs, text
from stackengine.formats.tosca.service import Service
from stackengine.formats.tosca.topology import Link, NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.expr import Entry, Literal, Map
from stackengine.model.mark import Mark
from stackengine.model.template import DependsOn, Procedure, Resource

_THERE = ("deploy", "install")
"""Declarative workflows whose work is done where the stack is up."""


class _RefusedError(Exception):
    """Why a workflow cannot be run."""

    def __init__(self, reason: str, mark: Mark) -> None:
        super().__init__(reason)
        self.reason, self.mark = reason, mark


class Procedures:
    """Makes the procedures of one service template."""

    def __init__(self, service: Service, lifecycle: Lifecycle) -> None:
        self._service, self._lifecycle, self._functions = service, lifecycle, service.functions
        self._workflows = dict(self._read())

    def _read(self) -> Iterator[tuple[str, tuple[Node, Node]]]:
        for key, body in pairs(self._service.body.get("workflows")):
            if body.kind == "map":
                yield key.text, (key, body)

    def made(self) -> dict[str, Procedure]:
        """Every workflow, runnable or with the reason why not."""
        return {name: self._procedure(name) for name in self._workflows}

    def _procedure(self, name: str) -> Procedure:
        key, body = self._workflows[name]
        diagnostics, before = self._service.reading.diagnostics, self._functions.inputs
        definitions = self._service.entities.definitions.map_of(pairs(body.get("inputs")), "parameter", self._service.document, {}, f"workflow {name}")
        self._functions.inputs = {**(before or {}), **definitions}
        told = len(diagnostics.items)
        made = Procedure(name, mark=key.mark)
        try:
            branch = _Branch(self._functions, self._lifecycle, self._workflows)
            branch.whole(name, "", (), (name,))
            recoveries = dict(self._recoveries(name, branch))
            given = {n: parameter(d, self._functions) for n, d in definitions.items()}
            made = replace(made, resources=branch.resources, recoveries=recoveries, parameters=given)
        except _RefusedError as error:
            made = replace(made, refusal=error.reason, mark=error.mark)
        finally:
            self._functions.inputs = before
        faults = [d for d in diagnostics.items[told:] if d.severity != "notice"]
        del diagnostics.items[told:]
        if faults and not made.refusal:
            made = replace(made, refusal=faults[0].summary, mark=faults[0].mark, resources={}, recoveries={})
        if made.refusal:
            diagnostics.notice("S283", f"the workflow {name} cannot be run: {made.refusal}", made.mark, "it is checked, and kept with the template")
        return made

    def _recoveries(self, name: str, main: _Branch) -> Iterator[tuple[str, dict[str, Resource]]]:
        """By each resource of a step: what runs when it fails."""
        for key, step in pairs(self._workflows[name][1].get("steps")):
            after = [n.text for n in names(step.get("on_failure"))] if step.kind == "map" else []
            if after:
                branch = _Branch(self._functions, self._lifecycle, self._workflows)
                branch.part(name, after, (name,))
                yield from ((r, branch.resources) for r in main.of_step.get(key.text, ()))


class _Branch:
    """Steps that run together."""

    def __init__(self, functions: Functions, lifecycle: Lifecycle, workflows: dict[str, tuple[Node, Node]]) -> None:
        self._functions, self._lifecycle, self._workflows = functions, lifecycle, workflows
        self.resources: dict[str, Resource] = {}
        self.of_step: dict[str, list[str]] = {}
        """The resources of each step of the workflow that is run."""

    def whole(self, name: str, prefix: str, before: tuple[str, ...], path: tuple[str, ...]) -> tuple[str, ...]:
        """A workflow's steps, save those that only a failure leads to; what to wait for afterwards."""
        key, body = self._workflows[name]
        for word in ("preconditions", "precondition", "implementation"):
            found = body.get(word)
            if found is not None and not is_null(found) and (found.kind != "list" or found.items):
                raise _RefusedError(f"its {word} is not carried out here", found.mark)
        steps = {k.text: v for k, v in pairs(body.get("steps")) if v.kind == "map"}
        led = {n.text for s in steps.values() for word in ("on_success", "on_failure") for n in names(s.get(word))}
        first = [s for s in steps if s not in led]
        if steps and not first:
            raise _RefusedError("its steps wait for each other", key.mark)
        if len(path) > 1 and any(names(s.get("on_failure")) for s in steps.values()):
            raise _RefusedError(f"the workflow {name}, which is put into it, has steps of its own for failures", key.mark)
        return self._closure(name, steps, first, prefix, before, path)

    def part(self, name: str, first: list[str], path: tuple[str, ...]) -> None:
        """The steps that start with ``first``."""
        steps = {k.text: v for k, v in pairs(self._workflows[name][1].get("steps")) if v.kind == "map"}
        self._closure(name, steps, first, "", (), path)

    def _closure(
        self, name: str, steps: dict[str, Node], first: list[str], prefix: str, before: tuple[str, ...], path: tuple[str, ...]
    ) -> tuple[str, ...]:
        reached, queue = dict[str, list[str]](), [(s, "") for s in first]
        while queue:
            step, source = queue.pop(0)
            if step not in steps:
                continue
            if step not in reached:
                reached[step] = []
                queue += [(n.text, step) for n in names(steps[step].get("on_success"))]
            if source:
                reached[step].append(source)
        done: dict[str, tuple[str, ...]] = {}
        while len(done) < len(reached):
            ready = [s for s, sources in reached.items() if s not in done and all(p in done for p in sources)]
            if not ready:
                raise _RefusedError("its steps wait for each other", steps[next(s for s in reached if s not in done)].mark)
            for step in ready:
                waits = tuple(dict.fromkeys(r for p in reached[step] for r in done[p])) or before
                done[step] = self._step(f"{prefix}{name}_{step}", step, steps[step], waits, path)
        followed = {p for sources in reached.values() for p in sources}
        return tuple(r for s, last in done.items() if s not in followed for r in last) or before

    def _step(self, base: str, name: str, node: Node, before: tuple[str, ...], path: tuple[str, ...]) -> tuple[str, ...]:
        if items(node.get("filter")) or (node.get("filter") is not None and node.get("filter").kind == "map"):  # type: ignore[union-attr]  # it is there
            raise _RefusedError(f"the filter of step {name} is not carried out here", node.mark)
        known = set(self.resources)
        target, last = self._target(node), before
        for number, item in enumerate(items(node.get("activities"))):
            for key, value in item.entries[:1]:
                last = self._activity(f"{base}_{number}", key, value, target, last, path)
        if not set(self.resources) - known:
            self.resources[base] = Resource(base, "SE::None", Map((Entry("value", node.mark, Literal(name)),), node.mark),
                                            tuple(DependsOn(b, node.mark) for b in before), mark=node.mark, type_mark=node.mark)  # fmt: skip
            last = (base,)
        self.of_step.setdefault(name, []).extend(sorted(set(self.resources) - known))
        return last

    def _target(self, node: Node) -> NodeTemplate | Link:
        name, relationship = text(node.get("target")), text(node.get("target_relationship"))
        found = self._functions.nodes.get(name)
        if found is None:
            raise _RefusedError(f"the target {name or '(none)'} of a step is no node template", node.mark)
        if found.counted:
            raise _RefusedError(f"the target {name} stands for several nodes", node.mark)
        if not relationship:
            return found
        link = next((k for k in found.links if k.name == relationship or (k.relationship is not None and k.relationship.name == relationship)), None)
        if link is None or link.target is None:
            raise _RefusedError(f"{name} has no relationship {relationship} here", node.mark)
        return link

    def _activity(
        self, base: str, key: Node, value: Node, target: NodeTemplate | Link, before: tuple[str, ...], path: tuple[str, ...]
    ) -> tuple[str, ...]:
        name = text(value) or text(value.get({"call_operation": "operation"}.get(key.text, "workflow")))
        match key.text:
            case "set_state":
                return before
            case "inline":
                if name in path:
                    raise _RefusedError(f"the workflow {name} is put into itself", value.mark)
                if value.kind == "map" and pairs(value.get("inputs")):
                    raise _RefusedError("inputs of a workflow that is put into another are not carried out here", value.mark)
                return self.whole(name, f"{base}_", before, (*path, name)) if name in self._workflows else before
            case "delegate" if name in _THERE:
                return before
            case "call_operation":
                inputs = {k.text: v for k, v in pairs(value.get("inputs"))} if value.kind == "map" else {}
                return self._call(base, name, inputs, target, before, value.mark)
            case _:
                raise _RefusedError(f"{key.text}: {name} is the stack's own business (stack-run up, down)", value.mark)

    def _call(
        self, base: str, name: str, inputs: dict[str, Node], target: NodeTemplate | Link, before: tuple[str, ...], mark: Mark
    ) -> tuple[str, ...]:
        interface, _, operation = name.rpartition(".")
        found = target.interfaces.get(CANONICAL.get(interface, interface)) or target.interfaces.get(interface)
        called = found.operations.get(operation) if found is not None else None
        if found is None or called is None:
            raise _RefusedError(f"{target.name} has no operation {name}", mark)
        document = self._functions.nodes[target.source.name].document if isinstance(target, Link) else target.document
        called = replace(called, values={**called.values, **{n: (v, document) for n, v in inputs.items()}})
        if called.implementation is None:
            return before
        waits = tuple(DependsOn(b, mark) for b in before)
        made = self._lifecycle.called(base, target, found, called, waits)
        if not made:
            raise _RefusedError(f"nothing here runs {target.name}.{name}", mark)
        self.resources |= {r.logical_id: r for r in made}
        return (made[-1].logical_id,)
