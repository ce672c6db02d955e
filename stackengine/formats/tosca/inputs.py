"""Inputs as parameters; values that people give are checked like those that stand in the template."""

from __future__ import annotations

from typing import Any

from stackengine.formats.tosca.definitions import Definition
from stackengine.formats.tosca.functions import Functions
from stackengine.formats.tosca.profile import from_plain
from stackengine.formats.tosca.reading import text
from stackengine.formats.tosca.topology import Context
from stackengine.formats.tosca.values import MISSING, fold
from stackengine.model.expr import Literal
from stackengine.model.mark import NOWHERE
from stackengine.model.template import Constraint, Parameter, ParameterType

_KINDS: dict[str, ParameterType] = {"integer": "number", "float": "number", "boolean": "boolean", "list": "list", "range": "list", "map": "json",
                                    "complex": "json", "?": "json"}  # fmt: skip


def parameter(definition: Definition, functions: Functions) -> Parameter:
    """One input; its default is checked, and its rules hold for every value that is given."""
    shape = functions.entities.definitions.schema_shape(definition.schema)
    kind: ParameterType = _KINDS.get(shape.base, "string") if shape is not None else "string"
    context, what = Context(definition.document), f"the input {definition.name}"
    default = None
    if definition.default is not None:
        expr = functions.values.defined(definition.default, definition, context, f"the default of {what}")
        value = fold(expr)
        default = Literal(value, definition.default.mark) if value is not MISSING else expr
        if shape is None and isinstance(value, (dict, list)):
            kind = "list" if isinstance(value, list) else "json"
    elif not definition.required:
        default = Literal(None, definition.mark)
    body = _body(definition)
    metadata = body.get("metadata") if body is not None else None
    secret = metadata is not None and metadata.kind == "map" and text(metadata.get("sensitive")) == "true"

    def check(given: Any) -> str:
        """What is wrong with a value; empty where it is fine."""
        diagnostics = definition.document.reading.diagnostics
        before = len(diagnostics.items)
        functions.values.defined(from_plain(given, NOWHERE), definition, context, "it")
        found = diagnostics.items[before:]
        del diagnostics.items[before:]
        return "; ".join(f"does not fit: {d.summary}" for d in found if d.severity == "error")

    constraints = (Constraint("check", check, mark=definition.mark),) if shape is not None else ()
    description = text(body.get("description")) if body is not None else ""
    return Parameter(definition.name, kind, default, description, sensitive=secret, nullable=not definition.required, constraints=constraints,
                     mark=definition.mark)  # fmt: skip


def _body(definition: Definition) -> Any:
    root = definition.document.root
    section = root.get("topology_template") or root.get("service_template") if root is not None else None
    inputs = section.get("inputs") if section is not None and section.kind == "map" else None
    return inputs.get(definition.name) if inputs is not None and inputs.kind == "map" else None
