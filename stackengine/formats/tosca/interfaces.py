"""Interfaces, operations, notifications and their implementations, in types and in templates (TOSCA 2.0, chapter 11; Simple Profile, 3.6.16 to 3.6.20)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from stackengine.formats.tosca.artifacts import Artifact, Artifacts
from stackengine.formats.tosca.definitions import Definition, Definitions
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.keynames import keys_of
from stackengine.formats.tosca.reading import Pairs, is_null, items, pairs, text
from stackengine.formats.tosca.types import Type
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.mark import Mark

CANONICAL = {"tosca.interfaces.node.lifecycle.Standard": "Standard", "tosca.interfaces.relationship.Configure": "Configure"}
_PARAMETER_KEYS = frozenset(keys_of("parameter"))


@dataclass(frozen=True, slots=True)
class Implementation:
    """What an operation runs; ``primary`` is an artifact's name or file, or an artifact defined in place."""

    primary: Node | None
    dependencies: tuple[Node, ...]
    timeout: Node | None
    host: str
    document: Document
    mark: Mark
    artifact: Artifact | None = None


@dataclass(slots=True, eq=False)
class Operation:
    """An operation or a notification."""

    name: str
    mark: Mark
    document: Document
    implementation: Implementation | None = None
    inputs: dict[str, Definition] = field(default_factory=dict)
    values: dict[str, tuple[Node, Document]] = field(default_factory=dict)
    """Assigned inputs."""
    outputs: dict[str, tuple[Node, Document]] = field(default_factory=dict)
    """Attributes that outputs go to: ``[SELF, attribute]``."""
    notification: bool = False


@dataclass(slots=True, eq=False)
class Interface:
    """An interface, its own inputs and its operations."""

    name: str
    type: Type | None
    mark: Mark
    inputs: dict[str, Definition] = field(default_factory=dict)
    values: dict[str, tuple[Node, Document]] = field(default_factory=dict)
    operations: dict[str, Operation] = field(default_factory=dict)

    def copy(self) -> Interface:
        """One that can be changed."""
        operations = {n: replace(o, inputs=dict(o.inputs), values=dict(o.values), outputs=dict(o.outputs)) for n, o in self.operations.items()}
        return replace(self, inputs=dict(self.inputs), values=dict(self.values), operations=operations)


class Interfaces:
    """Reads interfaces."""

    def __init__(self, definitions: Definitions, artifacts: Artifacts) -> None:
        self._definitions, self._artifacts = definitions, artifacts

    def of_type(self, kind: Type, above: Interface | None) -> Interface:
        """What an interface type defines."""
        found = above.copy() if above is not None else Interface(kind.name, kind, kind.mark)
        found.type = kind
        document, what = kind.document, f"interface type {kind.name}"
        body = self._body(kind.body, "interface type", document, what, kind.mark)
        if body is None:
            return found
        found.inputs = self._definitions.map_of(self._definitions.entries(body, "inputs"), "parameter", document, found.inputs, what)
        for key, node, notification in self._operations(body, "interface type", document):
            operation = found.operations.get(key.text) or Operation(key.text, key.mark, document, notification=notification)
            self._read(operation, key, node, document, f"{what}, {key.text}", defining=True)
            if operation.implementation is not None and operation.implementation.document is document:
                problem = f"{what}: an interface type has no implementation of {key.text}"
                if document.reading.first:
                    document.reading.lenient(problem, key.mark)
                else:
                    document.reading.error("S271", problem, key.mark, "say it in a node type or a template")
            if operation.outputs and not document.reading.first:
                mark = next(iter(operation.outputs.values()))[0].mark
                hint = "say it in a node or relationship type, or in a template"
                document.reading.error("S271", f"{what}: an interface type has no attributes that outputs of {key.text} could go to", mark, hint)
            found.operations[key.text] = operation
        return found

    def defined(self, entries: Pairs, document: Document, above: dict[str, Interface], types: dict[int, Interface], what: str) -> dict[str, Interface]:
        """The interfaces of a node or relationship type; ``types``: what interface types define, by identity."""
        found = {n: i.copy() for n, i in above.items()}
        for key, node in entries:
            name, label = self._name(key, document), f"interface {key.text} of {what}"
            body = self._body(node, "interface definition", document, label, key.mark)
            if body is None:
                continue
            kind = self._type(key, body, document, found.get(name), label)
            interface = found.get(name)
            if interface is None:
                source = types[id(kind)] if kind is not None and id(kind) in types else None
                interface = found[name] = source.copy() if source is not None else Interface(name, kind, key.mark)
                interface.name, interface.mark = name, key.mark
            elif kind is not None and interface.type is not None and kind is not interface.type:
                if not kind.is_a(interface.type):
                    document.reading.error("S223", f"{label} must be of type {interface.type.name} or one derived from it, not {kind.name}", key.mark)
                elif id(kind) in types:
                    interface.operations = {**types[id(kind)].copy().operations, **interface.operations}
                    interface.type = kind
            entries_ = self._definitions.entries(body, "inputs")
            self._inputs(entries_, document, interface.inputs, interface.values, label, defining=True)
            for op, value, notification in self._operations(body, "interface definition", document):
                self._operation(interface, op, value, document, label, notification=notification, defining=True)
        return found

    def assigned(self, entries: Pairs, document: Document, above: dict[str, Interface], what: str) -> dict[str, Interface]:
        """The interfaces of a template."""
        found = {n: i.copy() for n, i in above.items()}
        for key, node in entries:
            name, label = self._name(key, document), f"interface {key.text} of {what}"
            body = self._body(node, "interface assignment", document, label, key.mark)
            if body is None:
                continue
            interface = found.get(name)
            if interface is None:
                kind = self._type(key, body, document, None, label) if document.reading.first else None
                if kind is None and not self._standard(document, name):
                    hint = did_you_mean(name, found) or (f"it has {', '.join(found)}" if found else "its type has none")
                    document.reading.error("S270", f"{what} has no interface {key.text}", key.mark, hint)
                    continue
                interface = found[name] = Interface(name, kind, key.mark)
            self._inputs(self._definitions.entries(body, "inputs"), document, interface.inputs, interface.values, label, defining=False)
            for op, value, notification in self._operations(body, "interface assignment", document):
                self._operation(interface, op, value, document, label, notification=notification, defining=False)
        return found

    @staticmethod
    def _standard(document: Document, name: str) -> bool:
        return document.reading.first and name in ("Standard", "Configure")

    @staticmethod
    def _name(key: Node, document: Document) -> str:
        """Interfaces are also named by their type in 1.x (``tosca.interfaces.node.lifecycle.Standard``)."""
        return CANONICAL.get(key.text, key.text) if document.reading.first else key.text

    def _type(self, key: Node, body: Node, document: Document, above: Interface | None, label: str) -> Type | None:
        node = body.get("type")
        if node is not None:
            return self._definitions.catalog.named("interface", node, document, label)
        if above is not None:
            return above.type
        found = self._definitions.catalog.find("interface", key.text, document) if document.reading.first else None
        if found is None and not document.reading.first:
            document.reading.error("S201", f"{label} has no type", key.mark, "type is mandatory here")
        return found

    def _body(self, node: Node, entity: str, document: Document, label: str, mark: Mark) -> Node | None:
        """The map of an interface; in 1.x operations may stand directly in it."""
        if document.root is None:
            return node
        extra = tuple(k.text for k in node.key_nodes() if k.text not in keys_of(entity)) if document.reading.first and node.kind == "map" else ()
        if extra and document.version == "1.3":
            key = next(k for k in node.key_nodes() if k.text in extra)
            document.reading.lenient(f"{label}: since 1.3 operations stand under 'operations'", key.mark)
        if document.version in ("1.0", "1.1", "1.2") and node.kind == "map":
            for key in node.key_nodes():
                if key.text in ("operations", "notifications") and not extra:
                    document.reading.lenient(f"{label}: '{key.text}' is of 1.3; before, operations stand directly in the interface", key.mark)
                    extra = (*extra, key.text)
        return document.reading.entity(node, entity, label, mark, more=(*extra, "operations", "notifications") if document.reading.first else ())

    def _operations(self, body: Node, entity: str, document: Document) -> list[tuple[Node, Node, bool]]:
        found = [(k, v, False) for k, v in self._definitions.entries(body, "operations")]
        found += [(k, v, True) for k, v in self._definitions.entries(body, "notifications")]
        if document.reading.first and document.root is not None:
            found += [(k, v, False) for k, v in pairs(body) if k.text not in keys_of(entity) and k.text not in ("operations", "notifications")]
        return found

    def _operation(self, interface: Interface, key: Node, node: Node, document: Document, label: str, *, notification: bool, defining: bool) -> None:
        operation = interface.operations.get(key.text)
        if operation is None:
            if interface.type is not None and not interface.type.incomplete and not (document.reading.first and defining):
                self._no_operation(interface, key, document, f"{label} has no {'notification' if notification else 'operation'} {key.text}")
                return
            operation = interface.operations[key.text] = Operation(key.text, key.mark, document, notification=notification)
        self._read(operation, key, node, document, f"{label}, {key.text}", defining=defining)

    @staticmethod
    def _no_operation(interface: Interface, key: Node, document: Document, problem: str) -> None:
        hint = did_you_mean(key.text, interface.operations) or (f"it has {', '.join(interface.operations)}" if interface.operations else "its type has none")
        document.reading.error("S272", problem, key.mark, hint)

    def _read(self, operation: Operation, key: Node, node: Node, document: Document, label: str, *, defining: bool) -> None:
        """Take in what a definition or an assignment says of an operation."""
        if is_null(node):
            return
        if node.kind == "scalar":
            operation.implementation = Implementation(node, (), None, "", document, node.mark)
            return
        entity = "notification" if operation.notification else "operation"
        inline = document.reading.first and node.kind == "map" and node.get("primary") is not None
        if inline:
            operation.implementation = self._implementation(node, document, label)
            return
        body = document.reading.entity(node, entity, label, key.mark)
        if body is None:
            return
        implementation = body.get("implementation")
        if implementation is not None and not is_null(implementation):
            operation.implementation = self._implementation(implementation, document, label)
        self._inputs(self._definitions.entries(body, "inputs"), document, operation.inputs, operation.values, label, defining=defining)
        for name, value in self._definitions.entries(body, "outputs"):
            self._output(operation, name, value, document, label)

    def _output(self, operation: Operation, name: Node, value: Node, document: Document, label: str) -> None:
        mapping = value
        if value.kind == "map":
            body = document.reading.entity(value, "parameter", f"output {name.text} of {label}", name.mark)
            found = body.get("mapping") if body is not None else None
            if found is None or body is None:
                return
            if body.get("value") is not None:
                document.reading.error("S273", f"output {name.text} of {label} has a value or a mapping, not both", found.mark)
            mapping = found
        elif is_null(value):
            return
        if mapping.kind != "list" or len(mapping.items) < 2:
            document.reading.error("S273", f"output {name.text} of {label} goes to an attribute", mapping.mark, "[SELF, attribute]")
            return
        if name.text in operation.outputs and not document.reading.first:
            problem = f"output {name.text} of {label} goes to an attribute already"
            document.reading.error("S234", problem, mapping.mark, f"it is said at {operation.outputs[name.text][0].mark}")
        operation.outputs[name.text] = (mapping, document)

    def _inputs(
        self, entries: Pairs, document: Document, inputs: dict[str, Definition], values: dict[str, tuple[Node, Document]], label: str, *, defining: bool
    ) -> None:
        """Definitions of parameters, or values for them."""
        for key, node in entries:
            known = inputs.get(key.text)
            if node.kind == "map" and node.entries and (defining or document.reading.first) and all(k.text in _PARAMETER_KEYS for k in node.key_nodes()) and (
                node.get("type") is not None or (defining and not document.reading.first) or node.get("value") is not None
            ):
                definition = self._definitions.read(key, node, "parameter", document, known, label)
                if definition is not None:
                    inputs[key.text] = definition
                    given = definition.fixed if definition.fixed is not None else None
                    if given is not None:
                        values[key.text] = (given, document)
                continue
            if known is not None and known.fixed is not None and not defining:
                document.reading.error("S234", f"the input {key.text} of {label} has a fixed value already", key.mark, f"it is given at {known.mark}")
            values[key.text] = (node, document)

    def _implementation(self, node: Node, document: Document, label: str) -> Implementation | None:
        if node.kind == "scalar":
            return Implementation(node, (), None, "", document, node.mark)
        if node.kind != "map":
            document.reading.error("S200", f"the implementation of {label} must be text or a map", node.mark)
            return None
        what = f"the implementation of {label}"
        if node.get("file") is not None and node.get("primary") is None:
            artifact = self._artifacts.read(Node("scalar", node.mark, text="implementation"), node, document, what)
            return Implementation(node.get("file"), (), None, "", document, node.mark, artifact)
        body = document.reading.entity(node, "implementation", what)
        if body is None:
            return None
        primary, artifact = body.get("primary"), None
        if primary is not None and primary.kind == "map":
            artifact = self._artifacts.read(Node("scalar", primary.mark, text="primary"), primary, document, what)
            primary = primary.get("file")
        dependencies = tuple(self._dependency(d, document, what) for d in items(body.get("dependencies")))
        return Implementation(primary, tuple(d for d in dependencies if d is not None), body.get("timeout"), text(body.get("operation_host")), document,
                              node.mark, artifact)  # fmt: skip

    def _dependency(self, node: Node, document: Document, what: str) -> Node | None:
        if node.kind == "map":
            self._artifacts.read(Node("scalar", node.mark, text="dependency"), node, document, what)
            return node.get("file")
        return node if node.kind == "scalar" else None
