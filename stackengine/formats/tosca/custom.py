"""Custom functions: their definitions and their calls (TOSCA 2.0, 10.4). Code of a template is never run on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.definitions import Schema
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.reading import is_null, items, text
from stackengine.formats.tosca.topology import Context
from stackengine.formats.tree import Node
from stackengine.model.expr import Expr, Literal

if TYPE_CHECKING:
    from stackengine.formats.tosca.entities import Entities
    from stackengine.formats.tosca.functions import Functions


def check_definitions(entities: Entities, document: Document) -> None:
    """Every function that a file defines."""
    for key, node in document.functions.values():
        check_definition(entities, key, node, document)


def check_definition(entities: Entities, key: Node, node: Node, document: Document) -> None:
    """One function."""
    what = f"function {key.text}"
    if "$" in key.text:
        document.reading.error("S247", f"the name of {what} has a dollar sign in it", key.mark)
    body = document.reading.entity(node, "function", what, key.mark)
    signatures = body.get("signatures") if body is not None else None
    if signatures is not None and signatures.kind == "list" and not signatures.items:
        document.reading.error("S247", f"{what} needs at least one signature", signatures.mark)
    for number, item in enumerate(items(signatures)):
        label = f"signature {number} of {what}"
        signature = document.reading.entity(item, "signature", label)
        if signature is None:
            continue
        for name in ("arguments", "optional_arguments"):
            for index, schema in enumerate(items(signature.get(name))):
                entities.definitions.schema(schema, document, f"argument {index} of {label}")
        result = signature.get("result")
        if result is not None and not is_null(result):
            entities.definitions.schema(result, document, f"the result of {label}")


def checked_call(
    functions: Functions, name: str, custom: tuple[Document, Node, Node], args: tuple[Node, ...], context: Context, node: Node
) -> tuple[Expr, Schema | str | None]:
    """A call, with the number of its arguments checked against the signatures."""
    document, _, body = custom
    signatures = items(body.get("signatures")) if body.kind == "map" else ()
    shapes = []
    for signature in signatures:
        if signature.kind != "map":
            continue
        needed, optional = len(items(signature.get("arguments"))), len(items(signature.get("optional_arguments")))
        variadic = text(signature.get("variadic")) == "true"
        most = None if variadic else needed + optional
        shapes.append((needed, most))
        if needed <= len(args) and (most is None or len(args) <= most):
            for index, arg in enumerate(args):
                listed = (*items(signature.get("arguments")), *items(signature.get("optional_arguments")))
                if len(signatures) == 1 and listed:
                    schema = functions.entities.definitions.schema(listed[min(index, len(listed) - 1)], document, name)
                    functions.values.typed(arg, schema, context, f"argument {index} of ${name}")
                else:
                    functions.values.anything(arg, context)
            if len(signatures) > 1 and not all(_could_be(functions, signature, document, n, a) for n, a in enumerate(args)):
                continue
            problem = f"${name} runs code of the template on this machine, which is refused"
            document.reading.diagnostics.warning("X122", problem, node.mark, "its value stays unknown; a stack that needs it is not made")
            result = signature.get("result")
            gives = functions.entities.definitions.schema(result, document, name) if result is not None and not is_null(result) else None
            return Literal(None, node.mark), gives
    if any(low <= len(args) and (high is None or len(args) <= high) for low, high in shapes):
        context.document.reading.error("S241", f"no signature of ${name} is for arguments like these", node.mark)
        return Literal(None, node.mark), None
    counts = " or ".join(f"{low}" if low == high else f"{low} or more" if high is None else f"{low} to {high}" for low, high in shapes)
    context.document.reading.error("S241", f"${name} takes {counts or 'no'} arguments, not {len(args)}", node.mark)
    return Literal(None, node.mark), None


def _could_be(functions: Functions, signature: Node, document: Document, number: int, arg: Node) -> bool:
    """Whether an argument that is written out can be what a signature wants in its place."""
    listed = (*items(signature.get("arguments")), *items(signature.get("optional_arguments")))
    if not listed or (arg.kind == "map" and any(k.text.startswith("$") for k in arg.key_nodes())) or (arg.kind == "scalar" and arg.text.startswith("$")):
        return True
    schema = functions.entities.definitions.schema(listed[min(number, len(listed) - 1)], document, "an argument")
    shape = functions.entities.definitions.schema_shape(schema)
    if shape is None or shape.base == "?":
        return True
    if arg.kind != "scalar":
        return shape.base in ({"list": ("list",), "map": ("map", "complex")}[arg.kind])
    found = scalar_value(arg, "core")
    kinds = {bool: ("boolean",), int: ("integer", "float"), float: ("float",), type(None): ("nil",)}.get(type(found))
    return shape.base in kinds if kinds is not None else shape.base not in ("integer", "float", "boolean", "list", "map", "complex", "nil")
