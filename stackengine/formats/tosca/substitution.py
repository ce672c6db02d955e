"""Substitution: which nodes a template can stand for, and finding a template for a node (TOSCA 2.0, chapter 15; Simple Profile 1.3, 3.8.12)."""

from __future__ import annotations

from dataclasses import dataclass, field

from stackengine.formats.nesting import Loader
from stackengine.formats.tosca.definitions import Definition, Schema
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.entities import Sections
from stackengine.formats.tosca.filters import Filters
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.parts import dig
from stackengine.formats.tosca.reading import as_pairs, is_null, pairs, text
from stackengine.formats.tosca.rules import validation
from stackengine.formats.tosca.service import Service
from stackengine.formats.tosca.topology import Context, NodeTemplate
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.expr import Entry, Expr, Literal, Map, Ref
from stackengine.model.mark import Mark
from stackengine.model.template import Nested, Template


@dataclass(slots=True)
class Mappings:
    """What a template says of the node that it can stand for."""

    properties: dict[str, str] = field(default_factory=dict)
    """Input -> property of the substituted node (with dots into it)."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Attribute -> output."""
    node: str = ""
    """The node inside that stands for the whole: the first that has a mapped capability."""


class Substitution:
    """Reads the substitution mappings of one service template."""

    def __init__(self, service: Service) -> None:
        self._service, self._document = service, service.document
        node = service.body.get("substitution_mappings")
        self._node = node if node is not None and not is_null(node) else None

    def mapped(self) -> set[tuple[str, str]]:
        """The requirements inside that are given away: (node template, requirement)."""
        found = set()
        for _, value in as_pairs(self._node.get("requirements")) if self._node is not None and self._node.kind == "map" else ():
            for target in self._targets(value):
                if len(target.items) == 2:
                    found.add((text(target.items[0]), text(target.items[1])))
        return found

    @staticmethod
    def _targets(value: Node) -> tuple[Node, ...]:
        """``[node, requirement]``, a list of such, ``{mapping: [node, requirement]}``, or a selectable node."""
        if value.kind == "map":
            found = value.get("mapping")
            return (found,) if found is not None and found.kind == "list" else ()
        if value.kind == "list" and value.items and any(i.kind == "list" for i in value.items):
            return value.items
        return (value,)

    def read(self) -> Mappings | None:
        """The mappings, checked; None where the template has none."""
        if self._node is None:
            return None
        service, reading, what = self._service, self._service.reading, "the substitution mappings"
        body = reading.entity(self._node, "substitution mappings", what, self._node.mark)
        if body is None:
            return None
        kind = service.entities.catalog.named("node", body.get("node_type"), self._document, what)
        sections = service.entities.sections(kind) if kind is not None else None
        found = Mappings()
        self._properties(body, sections, found)
        self._attributes(body, sections, found)
        self._capabilities(body, sections, found)
        self._requirements(body, sections)
        self._interfaces(body, sections)
        condition = body.get("substitution_filter")
        sound = condition is not None and not is_null(condition) and not reading.first and bool(validation(condition, self._document))
        if sound and condition is not None and kind is not None and sections is not None:
            stands = NodeTemplate(kind.name, body.get("node_type") or self._node, self._node, kind, self._node.mark, sections, self._document)
            Filters(service.functions).told(condition, Context(self._document, stands))
        if not reading.first:
            for name, definition in service.inputs.items():
                if definition.required and definition.default is None and name not in found.properties:
                    reading.error("S291", f"{what} give no value for the input {name}", definition.mark, "it is required and has no default")
        return found

    def _path(self, key: Node, sections: Sections | None) -> None:
        """``[CAPABILITY, name, property]`` or ``[RELATIONSHIP, requirement, index, property]`` of the substituted node."""
        word, *rest = key.items
        if sections is None or not rest:
            return
        known: dict[str, object] = dict(sections.capabilities if word.text == "CAPABILITY" else sections.requirements)
        if word.text not in ("CAPABILITY", "RELATIONSHIP"):
            self._service.reading.error("S290", f"a mapping goes by CAPABILITY or RELATIONSHIP, not by {word.text}", word.mark)
        elif rest[0].text not in known:
            what = "capability" if word.text == "CAPABILITY" else "requirement"
            self._service.reading.error("S290", f"the substituted node has no {what} {rest[0].text}", rest[0].mark, did_you_mean(rest[0].text, known))
        elif word.text == "CAPABILITY" and len(rest) > 1:
            capability = sections.capabilities[rest[0].text]
            names = {**capability.properties, **capability.attributes}
            if rest[1].text not in names and capability.type is not None and not capability.type.incomplete:
                problem = f"the capability {rest[0].text} of the substituted node has no {rest[1].text}"
                self._service.reading.error("S290", problem, rest[1].mark, did_you_mean(rest[1].text, names))

    def _alike(self, one: Definition | None, other: Definition | None, mark: Mark, what: str) -> None:
        """Mappings are of one type (2.0, 15.2 and 15.3)."""
        if one is None or other is None or self._service.reading.first:
            return
        shapes = [self._service.entities.definitions.schema_shape(d.schema) for d in (one, other)]
        bases = {s.base for s in shapes if s is not None and s.base != "?"}
        if len(bases) == 2 and bases not in ({"integer", "float"}, {"map", "complex"}):
            self._service.reading.error("S290", f"{what} are of different types: {' and '.join(s.base for s in shapes if s is not None)}", mark)

    def _name(self, key: Node, known: dict[str, object] | None, what: str, sections: Sections | None = None) -> str:
        """The first part of a mapping's name; more than one part goes into capabilities and relationships."""
        if key.items:
            self._path(key, sections)
            return ".".join(i.text for i in key.items)
        if known is not None and key.text not in known:
            self._service.reading.error("S290", f"the substituted node has no {what} {key.text}", key.mark, did_you_mean(key.text, known))
        return key.text

    def _properties(self, body: Node, sections: Sections | None, found: Mappings) -> None:
        inputs = self._service.inputs
        for key, value in pairs(body.get("properties")):
            name = self._name(key, dict(sections.properties) if sections is not None else None, "property", sections)
            target = value
            if value.kind == "map" and value.get("mapping") is not None:
                target = value.get("mapping") or value
            if target.kind == "list" and len(target.items) > 1 and self._service.reading.first:
                self._inside(target.items[0])
                continue
            if target.kind == "list" and target.items:
                target = target.items[0]
            if target.kind != "scalar":
                continue
            if target.text in inputs:
                found.properties[target.text] = name
                if sections is not None:
                    self._alike(sections.properties.get(name), inputs[target.text], key.mark, f"the property {name} and the input {target.text}")
            elif not self._service.reading.first or value.kind != "scalar":
                self._service.reading.error("S290", f"the template has no input {target.text}", target.mark, did_you_mean(target.text, inputs))

    def _attributes(self, body: Node, sections: Sections | None, found: Mappings) -> None:
        outputs = {k.text: k for k, _ in pairs(self._service.body.get("outputs"))}
        for key, value in pairs(body.get("attributes")):
            known = {**sections.attributes, **sections.properties} if sections is not None else None
            name = self._name(key, dict(known) if known is not None else None, "attribute", sections)
            target = value.items[0] if value.kind == "list" and len(value.items) == 1 else value
            if target.kind != "scalar":
                problem, hint = f"the attribute {name} is mapped to no output: nothing gives it", "map it to one output of the template"
                if self._service.reading.first:
                    self._service.reading.lenient(problem, target.mark, hint)
                else:
                    self._service.reading.error("S290", problem, target.mark, hint)
                continue
            if target.text not in outputs:
                self._service.reading.error("S290", f"the template has no output {target.text}", target.mark, did_you_mean(target.text, outputs))
            found.attributes[name] = target.text
            if known is not None and target.text in outputs:
                self._alike(known.get(name), self._output(target.text), key.mark, f"the attribute {name} and the output {target.text}")

    def _output(self, name: str) -> Definition | None:
        """An output whose type the template says."""
        node = next((v for k, v in pairs(self._service.body.get("outputs")) if k.text == name), None)
        kind = node.get("type") if node is not None and node.kind == "map" else None
        data = self._service.entities.catalog.find("data", text(kind), self._document) if kind is not None else None
        return Definition(name, Schema(data), False, None, None, kind.mark, self._document) if data is not None and kind is not None else None

    def _inside(self, node: Node) -> NodeTemplate | None:
        nodes = self._service.functions.nodes
        found = nodes.get(text(node))
        if found is None:
            self._service.reading.error("S290", f"there is no node template {text(node)}", node.mark, did_you_mean(text(node), nodes))
        return found

    def _capabilities(self, body: Node, sections: Sections | None, found: Mappings) -> None:
        for key, value in as_pairs(body.get("capabilities")):
            self._name(key, dict(sections.capabilities) if sections is not None else None, "capability")
            target = self._targets(value)[0] if self._targets(value) else None
            if target is None:
                continue
            if target.kind != "list" or len(target.items) != 2:
                self._service.reading.error("S290", f"the capability {key.text} goes to [node template, capability]", value.mark)
                continue
            inside = self._inside(target.items[0])
            if inside is None:
                continue
            found.node = found.node or inside.name
            if inside.capability(target.items[1].text) is None and not self._service.functions.native(inside):
                hint = did_you_mean(target.items[1].text, inside.sections.capabilities)
                self._service.reading.error("S290", f"{inside.name} has no capability {target.items[1].text}", target.items[1].mark, hint)

    def _requirements(self, body: Node, sections: Sections | None) -> None:
        reading, counted, given = self._service.reading, dict[str, int](), dict[str, int]()
        listed = body.get("requirements")
        if listed is not None and listed.kind == "map" and listed.entries and not reading.first:
            reading.error("S200", "the requirements of the substitution mappings must be a list", listed.mark, "one '- …' a line")
        for key, value in as_pairs(body.get("requirements")):
            name = key.items[0].text if key.items else key.text
            if sections is not None and name not in sections.requirements:
                hint = did_you_mean(name, sections.requirements)
                reading.error("S290", f"the substituted node has no requirement {name}", key.mark, hint)
                continue
            times = int(key.items[1].text) if len(key.items) == 2 and key.items[1].text.isdigit() else 1
            given[name] = given.get(name, 0) + times
            mandatory = [self._required(t) for t in self._targets(value)]
            if any(mandatory):
                counted[name] = counted.get(name, 0) + times
            definition = sections.requirements[name] if sections is not None else None
            if definition is None or reading.first:
                continue
            if counted.get(name, 0) > definition.count[0]:
                problem = f"{counted[name]} mandatory requirements hang on {name}, and only {definition.count[0]} of it are sure to be there"
                reading.error("S292", problem, key.mark, "make them optional, or the count_range of the substituted node's requirement larger")
            elif definition.count[1] is not None and given[name] > definition.count[1]:
                reading.error("S292", f"{name} is mapped {given[name]} times, and there are {definition.count[1]} at most", key.mark)

    def _required(self, target: Node) -> bool:
        """Whether a mapped requirement must be fulfilled; faults are reported."""
        if target.kind == "scalar":
            inside = self._inside(target)
            if inside is not None and "select" not in inside.directives and not self._service.reading.first:
                self._service.reading.error("S290", f"{inside.name} is not selected, so nothing can take its place", target.mark, "directives: [select]")
            return False
        if target.kind != "list" or len(target.items) != 2:
            self._service.reading.error("S290", "a requirement goes to [node template, requirement]", target.mark)
            return False
        inside, name = self._inside(target.items[0]), target.items[1].text
        if inside is None or self._service.functions.native(inside):
            return False
        definition = inside.sections.requirements.get(name)
        if definition is None:
            hint = did_you_mean(name, inside.sections.requirements)
            self._service.reading.error("S290", f"{inside.name} has no requirement {name}", target.items[1].mark, hint)
            return False
        links = inside.linked(name)
        if any(k.target is not None and not k.implicit for k in links) and not self._service.reading.first:
            self._service.reading.error("S292", f"the requirement {name} of {inside.name} has a target already", target.mark)
        return definition.count[0] > 0 or any(not k.optional and not k.implicit for k in links)

    def _interfaces(self, body: Node, sections: Sections | None) -> None:
        workflows = {k.text for k, _ in pairs(self._service.body.get("workflows"))}
        for key, value in pairs(body.get("interfaces")):
            self._name(key, dict(sections.interfaces) if sections is not None else None, "interface")
            offered = sections.interfaces.get(key.text) if sections is not None else None
            for operation, workflow in pairs(value if value.kind == "map" else None):
                if offered is not None and operation.text not in offered.operations and not self._service.reading.first and operation.text != "operations":
                    hint = did_you_mean(operation.text, offered.operations)
                    self._service.reading.error("S290", f"the interface {key.text} has no operation {operation.text}", operation.mark, hint)
                if workflow.kind == "scalar" and workflow.text not in workflows:
                    problem = f"the template has no workflow {workflow.text} for {operation.text}"
                    self._service.reading.error("S290", problem, workflow.mark, did_you_mean(workflow.text, workflows))


class Substitutes:
    """Finds templates for nodes that are to be substituted."""

    def __init__(self, functions: Functions, document: Document, loader: Loader) -> None:
        self._functions, self._document, self._loader = functions, document, loader

    def prepare(self) -> dict[str, Nested]:
        """By node template: the template that stands for it. A node without one is made as any other, with a warning."""
        found: dict[str, Nested] = {}
        for node in self._functions.nodes.values():
            if "substitute" not in node.directives or node.type is None:
                continue
            child = self._child(node)
            if child is None:
                problem = f"no template at hand substitutes {node.name}"
                hint = "import a file with substitution_mappings for its type"
                self._document.reading.diagnostics.warning("S293", problem, node.key.mark, hint)
                continue
            mappings: Mappings = child.metadata["substitution"]
            for attribute, output in mappings.attributes.items():
                node.outputs[attribute] = (node.name, output)
            found[node.name] = self._nested(node, child, mappings)
        return found

    def _child(self, node: NodeTemplate) -> Template | None:
        for document in self._document.everything():
            if document is self._document or document.root is None:
                continue
            section = document.root.get("topology_template" if document.reading.first else "service_template")
            mappings = section.get("substitution_mappings") if section is not None and section.kind == "map" else None
            if mappings is None or mappings.kind != "map":
                continue
            kind = self._functions.entities.catalog.find("node", text(mappings.get("node_type")), document)
            if kind is not None and node.type is not None and kind.is_a(node.type):
                child = self._loader.child(document.name, "", node.key.mark)
                if child is not None and "substitution" in child.metadata:
                    return child
        return None

    def _nested(self, node: NodeTemplate, child: Template, mappings: Mappings) -> Nested:
        entries = []
        for name in child.parameters:
            source = mappings.properties.get(name, name if self._document.reading.first and name in node.sections.properties else "")
            expr = self._property(node, source) if source else None
            if expr is not None and not (isinstance(expr, Literal) and expr.value is None):
                entries.append(Entry(name, node.key.mark, expr))
        ref: Expr | None = Ref(mappings.node) if mappings.node else None
        return Nested("substitution", child, bindings=Map(tuple(entries), node.key.mark), ref=ref, mark=node.key.mark)

    def _property(self, node: NodeTemplate, name: str) -> Expr | None:
        first, *rest = name.split(".")
        context = Context(node.document, node)
        args = (first, *rest) if first in ("CAPABILITY", "RELATIONSHIP") else (name,)
        nodes = (Node("scalar", node.key.mark, text="SELF", plain=False), *(Node("scalar", node.key.mark, text=a) for a in args))
        if first not in ("CAPABILITY", "RELATIONSHIP") and name not in node.sections.properties:
            return None
        return dig(self._functions.paths.property(nodes, context, node.key)[0], (), node.key)
