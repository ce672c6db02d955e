"""Checks of everything that a file declares, whether a template uses it or not."""

from __future__ import annotations

from stackengine.formats.tosca.assignments import check_artifact, check_target
from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.entities import Entities, Sections
from stackengine.formats.tosca.filters import Filters
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.groups import check_trigger
from stackengine.formats.tosca.topology import Context
from stackengine.formats.tosca.types import Type


def check_types(entities: Entities, functions: Functions, document: Document) -> None:
    """Every type of a file: its definitions, how they refine what is above, and their defaults."""
    for kind in entities.catalog.declared_in(document):
        _check(entities, functions, kind, document)


def _check(entities: Entities, functions: Functions, kind: Type, document: Document) -> None:
    what = f"{kind.kind} type {kind.name}"
    if kind.kind == "data":
        shape = entities.definitions.shape(kind)
        _defaults(functions, shape.properties, document, what)
        if kind.body.kind == "map" and kind.body.get("version") is not None:
            entities.check_version(kind.body, document, what)
        return
    sections = entities.sections(kind)
    _defaults(functions, sections.properties, document, what)
    _defaults(functions, sections.attributes, document, what)
    for capability in sections.capabilities.values():
        if capability.document is document:
            _defaults(functions, capability.properties, document, f"capability {capability.name} of {what}")
    _made_of(functions, sections, document, what)
    filters = Filters(functions)
    for requirement in sections.requirements.values():
        for node, where in requirement.filters:
            if where is document:
                filters.check(node, document, f"requirement {requirement.name} of {what}")
    if kind.kind == "interface" and sections.interface is not None:
        for operation in sections.interface.operations.values():
            _defaults(functions, operation.inputs, document, f"{what}, {operation.name}")
        _defaults(functions, sections.interface.inputs, document, what)
    for key, value in sections.triggers.values():
        if key.mark.file == document.name:
            check_trigger(key, value, document, what, None, {})


def _made_of(functions: Functions, sections: Sections, document: Document, what: str) -> None:
    """Requirements' relationships, interfaces and artifacts as a type has them."""
    for requirement in sections.requirements.values():
        if requirement.document is document:
            _defaults(functions, requirement.properties, document, f"the relationship of requirement {requirement.name} of {what}")
    for interface in sections.interfaces.values():
        _defaults(functions, interface.inputs, document, f"interface {interface.name} of {what}")
        for operation in interface.operations.values():
            _defaults(functions, operation.inputs, document, f"interface {interface.name} of {what}, {operation.name}")
            for name, (mapping, where) in operation.outputs.items():
                if where is document and mapping.items[0].text == "SELF":
                    label = f"output {name} of interface {interface.name} of {what}, {operation.name}"
                    context = Context(document, relationship=True)
                    check_target(functions, mapping, context, label, (sections.properties, sections.attributes))
    for artifact in sections.artifacts.values():
        if artifact.document is document:
            check_artifact(functions, artifact, Context(document), what)


def _defaults(functions: Functions, definitions: dict[str, Definition], document: Document, what: str) -> None:
    for definition in definitions.values():
        for value in (definition.default, definition.fixed):
            if value is not None and definition.document is document and value.mark.file == document.name:
                functions.values.defined(value, definition, Context(document), f"the default of {definition.name} of {what}")
