"""A TOSCA file to the neutral template: one 2.0-shaped grammar, older versions read through the same entities."""

from __future__ import annotations

from dataclasses import replace

from stackengine.formats.nesting import Loader
from stackengine.formats.tosca import custom
from stackengine.formats.tosca.assignments import Assignments
from stackengine.formats.tosca.checks import check_types
from stackengine.formats.tosca.documents import Document, Library
from stackengine.formats.tosca.entities import Entities
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.groups import Groups, as_data, plain_metadata
from stackengine.formats.tosca.inputs import parameter
from stackengine.formats.tosca.lifecycle import Lifecycle
from stackengine.formats.tosca.mapping import Mapping
from stackengine.formats.tosca.procedures import Procedures
from stackengine.formats.tosca.reading import is_null, pairs, text
from stackengine.formats.tosca.service import Service
from stackengine.formats.tosca.substitution import Substitutes, Substitution
from stackengine.formats.tosca.topology import Context
from stackengine.formats.tosca.types import Catalog
from stackengine.formats.tosca.workflows import Workflows
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.mark import Mark
from stackengine.model.template import Nested, Output, Resource, Source, Template

_FOLLOWING = frozenset(("S220", "S230", "S231", "S243", "S250", "S251", "S252", "S254", "S255", "S256", "S260", "S270", "S272", "S288", "S290"))
"""What is missing may be in a file that could not be read."""


def parse(root: Node, content: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """The template; diagnostics say everything that is wrong. A file that only defines types has no resources."""
    library = Library(loader, diagnostics)
    document = library.open(root, name)
    entities = Entities(Catalog())
    functions = Functions(entities, diagnostics)
    for each in document.everything():
        if each.root is not None:
            library.check_clashes(each)
            check_types(entities, functions, each)
            custom.check_definitions(entities, each)
    section = "topology_template" if document.reading.first else "service_template"
    body = root.get(section)
    template = Template("tosca", document.version, {}, text(root.get("description")), metadata=plain_metadata(root.get("metadata")))
    if body is not None and (body.kind == "map" or is_null(body)):
        found = _Reader(document, body if body.kind == "map" else Node("map", body.mark), entities, functions, loader).read(section)
        template = found if found is not None else template
    sources = (Source(name, content), *library.sources, *template.sources)
    _tidy(diagnostics, missing=any(d.failed for d in document.everything()))
    return _with(template, root, sources)


def _with(template: Template, root: Node, sources: tuple[Source, ...]) -> Template:
    return replace(template, sources=tuple(dict.fromkeys(sources)), description=text(root.get("description")) or template.description)


def _tidy(diagnostics: Diagnostics, *, missing: bool) -> None:
    """The same thing said twice at one place is said once; what follows from a file that could not be read is not said at all."""
    seen: set[tuple[str, str, Mark]] = set()
    kept = []
    for item in diagnostics.items:
        key = (item.code, item.summary, item.mark)
        if key not in seen and not (missing and item.code in _FOLLOWING):
            seen.add(key)
            kept.append(item)
    diagnostics.items[:] = kept


class _Reader:
    """Reads one service template into the neutral form."""

    def __init__(self, document: Document, body: Node, entities: Entities, functions: Functions, loader: Loader) -> None:
        self._document, self._body, self._loader = document, body, loader
        self._entities, self._functions = entities, functions
        self._service = Service(document, body, entities, functions)

    def read(self, section: str) -> Template | None:
        """The template."""
        reading = self._document.reading
        if reading.entity(self._body, "service template", section, self._body.mark) is None:
            return None
        if self._body.get("node_templates") is None and not reading.first:
            reading.lenient(f"{section} has no node_templates", self._body.mark)
        for key, node in pairs(self._body.get("functions")):
            custom.check_definition(self._entities, key, node, self._document)
            self._document.functions[key.text] = (key, node)
        substitution = Substitution(self._service)
        self._service.read(substitution.mapped())
        Assignments(self._functions).check()
        mappings = substitution.read()
        workflows = Workflows(self._service)
        workflows.read()
        groups = Groups(self._service, workflows)
        groups.read()
        substitutes = Substitutes(self._functions, self._document, self._loader).prepare()
        lifecycle = Lifecycle(self._functions, self._loader)
        resources = self._nested(Mapping(self._functions, lifecycle, groups.placements).resources(), substitutes)
        procedures = Procedures(self._service, lifecycle).made()
        metadata = {"substitution": mappings} if mappings is not None else {}
        root = self._document.root
        return Template(
            "tosca", self._document.version, resources, text(self._body.get("description")),
            parameters={n: parameter(d, self._functions) for n, d in self._service.inputs.items()},
            outputs={k.text: o for k, v in self._document.reading.section(self._body, "outputs", section) if (o := self._output(k, v)) is not None},
            groups=as_data(groups.policies, groups.groups),
            metadata={**plain_metadata(root.get("metadata") if root is not None else None), **metadata}, sources=tuple(lifecycle.sources),
            procedures=procedures,
        )  # fmt: skip

    @staticmethod
    def _nested(resources: dict[str, Resource], substitutes: dict[str, Nested]) -> dict[str, Resource]:
        return {n: replace(r, nested=substitutes[n]) if n in substitutes else r for n, r in resources.items()}

    def _output(self, key: Node, node: Node) -> Output | None:
        reading, what, context = self._document.reading, f"output {key.text}", Context(self._document)
        if node.kind != "map" or (not reading.first and any(k.text.startswith("$") for k in node.key_nodes())):
            if reading.first:
                reading.error("S200", f"{what} must be a map", node.mark, "value: …")
                return None
            return Output(key.text, self._functions.values.anything(node, context), mark=key.mark)
        definition = self._entities.definitions.read(key, node, "parameter", self._document, None, "the outputs")
        if definition is None:
            return None
        value = definition.fixed
        if value is None:
            if node.get("mapping") is None:
                reading.lenient(f"{what} has no value", key.mark)
            return None
        metadata = node.get("metadata")
        secret = metadata is not None and metadata.kind == "map" and text(metadata.get("sensitive")) == "true"
        description = text(node.get("description"))
        return Output(key.text, self._functions.values.defined(value, definition, context, what), description, sensitive=secret, mark=key.mark)
