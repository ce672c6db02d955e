"""Operations as deployments in guests, in the order of the declarative workflow (Simple Profile 1.3, 7.2 and 5.8.4.3; TOSCA 2.0 leaves it to profiles).

``create``; ``pre_configure_source`` of its own requirements and ``pre_configure_target`` of those that end here; ``configure``;
``post_configure_*``; ``start``; then ``add_target`` and ``add_source``. Where one of them runs again, because its script or an input changed, so do
those that follow it for the same node. What undoes (``remove_target``, ``stop``, ``delete``) is there from
the beginning and runs when it is deleted, in that order, as deletion goes the other way round.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from stackengine.formats.reader import Reader
from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.counts import one_of, several
from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.files import Files
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.interfaces import Implementation, Interface, Operation
from stackengine.formats.tosca.reading import text
from stackengine.formats.tosca.topology import Context, Link, NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.expr import Entry, Expr, List, Literal, Map, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import DependsOn, Resource, Source

SETTING_UP = ("create", "pre_configure_source", "pre_configure_target", "configure", "post_configure_source", "post_configure_target", "start", "add_target",
              "add_source")  # fmt: skip
TAKING_DOWN = ("delete", "stop", "remove_source", "remove_target")
"""In the order in which they are made; each is undone after those that follow."""
ON_TARGET = ("pre_configure_target", "post_configure_target", "add_source", "remove_source")
_KINDS = {".sh": "sh", ".bash": "sh", ".py": "python", ".yaml": "ansible", ".yml": "ansible", ".ansible": "ansible", "": "sh"}
_NEEDED = {"python": "python3", "ansible": "ansible-playbook"}
"""What must be in a guest to run what is no shell script."""
BARE_IMAGES = ("tiny",)
"""Images that have busybox only."""


@dataclass(slots=True)
class Step:
    """One operation that runs, and in whose guest."""

    name: str
    operation: Operation
    interface: Interface
    server: NodeTemplate
    context: Context
    mark: Mark
    kind: str = ""
    script: str = ""
    called: bool = False
    """By a workflow, so that it runs when it is made, whatever its name."""

    @property
    def each(self) -> NodeTemplate | None:
        """The node of whose count it runs once for every one; None where it runs once."""
        own = self.context.node
        return self.server if self.server.counted else own if own is not None and own.counted else None


class Lifecycle:
    """The deployments of one service template."""

    def __init__(self, functions: Functions, reader: Reader) -> None:
        self._functions, self._files = functions, Files(reader)
        self._steps: dict[str, list[Step]] = {}
        self._incoming: dict[int, list[Link]] = {}

    @property
    def sources(self) -> list[Source]:
        """Every file that was read."""
        return self._files.sources

    def plan(self) -> None:
        """Which operations run where; from then on attributes that outputs go to are known by their deployment."""
        for node in self._functions.nodes.values():
            for link in node.links:
                if link.target is not None and link.interfaces:
                    self._incoming.setdefault(id(link.target), []).append(link)
        for node in self._functions.nodes.values():
            self._steps[node.name] = [s for s in self._of(node) if self._loaded(s, node)]
        for steps in self._steps.values():
            for step in steps:
                for output, (mapping, _) in step.operation.outputs.items():
                    self._give(step, output, mapping)

    def _give(self, step: Step, output: str, mapping: Node) -> None:
        """``[SELF, attribute]``: the attribute is the deployment's output from then on."""
        first, *rest = mapping.items
        place = first.text
        owner: NodeTemplate | Link | None = step.context.link if step.context.relationship else step.context.node
        if place in ("SOURCE", "TARGET") and step.context.link is not None:
            owner = step.context.link.source if place == "SOURCE" else step.context.link.target
        if rest and isinstance(owner, Link) and rest[0].text in ("SOURCE", "TARGET"):
            owner, rest = owner.source if rest[0].text == "SOURCE" else owner.target, rest[1:]
        if owner is not None and len(rest) == 1 and rest[0].kind == "scalar":
            owner.outputs[rest[0].text] = (step.name, output)

    def last(self, node: NodeTemplate) -> str:
        """The resource that is ready when the node is started."""
        made = [s for s in self._steps.get(node.name, []) if s.operation.name not in (*TAKING_DOWN, "add_target", "add_source")]
        return made[-1].name if made else node.name

    def _of(self, node: NodeTemplate) -> Iterator[Step]:
        """The steps of a node, in order."""
        if "select" in node.directives or "substitute" in node.directives:
            return
        outgoing = [k for k in node.links if k.target is not None and k.interfaces]
        incoming = self._incoming.get(id(node), ())
        for name in (*TAKING_DOWN, *SETTING_UP):
            if name in ("create", "configure", "start", "stop", "delete"):
                yield from self._standard(node, name)
            elif name in ON_TARGET and name != "add_source":
                for link in incoming:
                    yield from self._relationship(link, name, node)
            else:
                for link in outgoing:
                    yield from self._relationship(link, name, link.target if name == "add_source" and link.target is not None else node)

    def _standard(self, node: NodeTemplate, name: str) -> Iterator[Step]:
        for interface in node.interfaces.values():
            operation = interface.operations.get(name)
            if operation is None or operation.implementation is None or not _is(interface, "tosca.interfaces.node.lifecycle.Standard", "standard"):
                continue
            server = self._checked(node, operation, f"{node.name}.{name}")
            if server is not None:
                yield Step(f"{node.name}_{name}", operation, interface, server, Context(node.document, node), operation.implementation.mark)

    def _relationship(self, link: Link, name: str, place: NodeTemplate) -> Iterator[Step]:
        for interface in link.interfaces.values():
            operation = interface.operations.get(name)
            if operation is None or operation.implementation is None or not _is(interface, "tosca.interfaces.relationship.Configure", "configure"):
                continue
            server = self._checked(place, operation, f"{link.source.name}.{link.name}.{name}")
            if server is not None:
                number = f"_{link.index}" if link.index else ""
                context = Context(link.document, link.source, link, relationship=True)
                yield Step(f"{link.source.name}_{link.name}{number}_{name}", operation, interface, server, context, operation.implementation.mark)

    def _checked(self, node: NodeTemplate, operation: Operation, what: str) -> NodeTemplate | None:
        """The server whose guest runs an operation; one that nothing can run is told."""
        implementation, reading = operation.implementation, node.document.reading
        assert implementation is not None
        if implementation.primary is None or not text(implementation.primary):
            return None
        if implementation.host == "ORCHESTRATOR":
            reading.diagnostics.warning("X123", f"{what} runs on the orchestrator, which is refused", implementation.mark, "operations run in guests")
            return None
        server = self._functions.paths.server(node)
        if server is None:
            problem = f"{what} runs nowhere: {node.name} is hosted on no server"
            reading.diagnostics.warning("S276", problem, implementation.mark, "operations run in the guest of the node's host")
        return server

    def resources(self, ready: dict[str, tuple[DependsOn, ...]]) -> Iterator[Resource]:
        """The deployments; ``ready``: what each node waits for."""
        for node in self._functions.nodes.values():
            before: tuple[str, ...] = ()
            earlier: list[Expr] = []
            for step in self._steps.get(node.name, []):
                waits = [DependsOn(b, step.mark) for b in before] if before else list(ready.get(node.name, ()))
                if step.operation.name in ("add_target", "add_source") and step.context.link is not None and step.context.link.target is not None:
                    waits.append(DependsOn(self.last(step.context.link.target), step.mark))
                yield from self._resource(step, node, tuple(waits), earlier)
                before = (step.name,)

    def called(self, name: str, target: NodeTemplate | Link, interface: Interface, operation: Operation, waits: tuple[DependsOn, ...]) -> list[Resource]:
        """The resources that run one operation when a workflow calls it; none where nothing can run it, which is told."""
        link = target if isinstance(target, Link) else None
        node = link.source if link is not None else target
        place = link.target if link is not None and operation.name in ON_TARGET else node
        assert isinstance(node, NodeTemplate)
        assert place is not None
        assert operation.implementation is not None
        server = self._checked(place, operation, name) if isinstance(place, NodeTemplate) else None
        if server is None or server.counted:
            return []
        context = Context(node.document, node) if link is None else Context(link.document, node, link, relationship=True)
        step = Step(name, operation, interface, server, context, operation.implementation.mark, called=True)
        return self._resource(step, node, waits, []) if self._loaded(step, node) else []

    def _loaded(self, step: Step, node: NodeTemplate) -> bool:
        """Read what a step runs; one that has nothing to run is told."""
        implementation = step.operation.implementation
        assert implementation is not None
        found = self._script(implementation, node, step)
        if found is not None:
            step.kind, step.script = found
        return found is not None

    def _resource(self, step: Step, node: NodeTemplate, waits: tuple[DependsOn, ...], earlier: list[Expr]) -> list[Resource]:
        implementation = step.operation.implementation
        assert implementation is not None
        mark, name, kind, script = step.mark, step.name, step.kind, step.script
        server = one_of(step.server, mark, each=step.each is not None)
        entries = [Entry("server", mark, server), Entry("name", mark, Literal(name)), Entry("inputs", mark, self._inputs(step))]
        config: list[Resource] = []
        if kind == "ansible":
            text_ = Map((Entry("group", mark, Literal("ansible")), Entry("config", mark, Literal(script))), mark)
            config = [Resource(f"{name}_config", "SE::SoftwareConfig", text_, mark=mark, type_mark=mark)]
            entries.append(Entry("config", mark, Ref(f"{name}_config", mark)))
        else:
            entries.append(Entry("script", mark, Literal(script)))
            if not script.startswith("#!"):
                entries.append(Entry("interpreter", mark, Literal(["python3"] if kind == "python" else ["/bin/sh"])))
        given = (*(v for v, _ in step.interface.values.values()), *(v for v, _ in step.operation.values.values()),
                 *(d.default for d in step.operation.inputs.values() if d.default is not None))  # fmt: skip
        files = self._files.beside(name, node, implementation, given)
        if files:
            entries.append(Entry("files", mark, List(tuple(Literal(f, mark) for f in files), mark)))
        if step.operation.name in TAKING_DOWN and not step.called:
            entries.append(Entry("actions", mark, Literal(["DELETE"])))
        elif not step.called:
            if earlier:
                entries.append(Entry("triggers", mark, List(tuple(earlier), mark)))
            digest = hashlib.sha256(json.dumps([script, files], sort_keys=True).encode()).hexdigest()[:16]
            if step.context.link is None or step.context.link.source is node:  # other nodes come and go without making this one again
                earlier.append(Map((Entry("runs", mark, Literal(f"{name} {digest}")), entries[2]), mark))
        timeout = scalar_value(implementation.timeout, "core") if implementation.timeout is not None and implementation.timeout.kind == "scalar" else None
        if isinstance(timeout, (int, float)) and not isinstance(timeout, bool) and timeout > 0:
            entries.append(Entry("timeout", mark, Literal(timeout)))
        made = Resource(name, "SE::Deployment", Map(tuple(entries), mark), waits, mark=mark, type_mark=mark)
        return [*config, several(made, step.each, self._functions) if step.each is not None and not step.called else made]

    def _inputs(self, step: Step) -> Expr:
        """Inputs of the interface, then of the operation; values win over defaults."""
        definitions = {**step.interface.inputs, **step.operation.inputs}
        values = {**step.interface.values, **step.operation.values}
        found = []
        for name, definition in definitions.items():
            if name not in values and definition.default is not None:
                values[name] = (definition.default, definition.document)
            elif name not in values and definition.required and definition.fixed is None:
                step.context.document.reading.diagnostics.warning("S277", f"{step.name} needs a value for the input {name}", step.mark)
        for name, (node, document) in values.items():
            context = Context(document, step.context.node, step.context.link, step.context.relationship, each=step.each is not None)
            known = definitions.get(name)
            what = f"the input {name} of {step.name}"
            expr = self._functions.quietly(partial(self._input, node, known, context, what))
            found.append(Entry(name, node.mark, expr))
        return Map(tuple(found), step.mark)

    def _input(self, node: Node, known: Definition | None, context: Context, what: str) -> Expr:
        """The value of one input; what is wrong with it was told with the operation."""
        return self._functions.values.defined(node, known, context, what) if known is not None else self._functions.values.anything(node, context)

    def _script(self, implementation: Implementation, node: NodeTemplate, step: Step) -> tuple[str, str] | None:
        file, kind = self._files.named(text(implementation.primary), node, implementation)
        reading = implementation.document.reading
        named = {"tosca.artifacts.Implementation.Bash": "sh", "tosca.artifacts.Implementation.Python": "python",
                 "tosca.artifacts.Implementation.Ansible": "ansible"}.get(kind)  # fmt: skip
        tool = named or _KINDS.get(posixpath.splitext(file)[1].lower())
        if tool is None:
            hint = "shell (.sh), Python (.py) and Ansible (.yaml) are run"
            reading.diagnostics.warning("S276", f"{step.name}: nothing here runs {file}", implementation.mark, hint)
            return None
        if tool in _NEEDED and image_of(step.server) in BARE_IMAGES:
            problem = f"{step.name}: {file} needs {_NEEDED[tool]}, and the image {image_of(step.server)} has none"
            reading.diagnostics.warning("S278", problem, implementation.mark, "take an image that has it, or write the operation for /bin/sh")
        content = self._files.read(file, implementation.document.name, step.name, implementation)
        return (tool, content) if content is not None else None


def image_of(server: NodeTemplate) -> str:
    """The image that a server's template names itself; empty where that is worked out."""
    said = server.properties.get("image") or (server.capabilities["os"].properties.get("image") if "os" in server.capabilities else None)
    return text(said[1]) if said is not None else ""


def _is(interface: Interface, normative: str, name: str) -> bool:
    if interface.type is not None and any(a.normative == normative for a in interface.type.ancestors()):
        return True
    return interface.name.lower() == name
