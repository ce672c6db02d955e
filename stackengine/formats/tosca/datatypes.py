"""Data types: complex ones, refined built-in ones, and scalars with units (TOSCA 2.0, 9.1.2.2 and 9.2)."""

from __future__ import annotations

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca.definitions import COLLECTIONS, DataShape, Definitions
from stackengine.formats.tosca.reading import is_null, pairs, text
from stackengine.formats.tosca.rules import rules_of
from stackengine.formats.tosca.types import BUILT_IN, Type
from stackengine.formats.tree import Node

_SCALAR_KEYS = ("data_type", "units", "canonical_unit", "prefixes")


def read_data_type(definitions: Definitions, data: Type) -> DataShape:
    """The shape of a declared data type; what is wrong with it is reported."""
    document, reading, what = data.document, data.document.reading, f"data type {data.name}"
    reserved = data.name in BUILT_IN["1" if reading.first else "2"]
    if reserved and document.root is not None:
        reading.error("S235", f"{data.name} is a type of the language itself", data.mark, "choose another name")
    body = reading.entity(data.body, "data type", what, data.mark) if document.root is not None else data.body
    if body is None:
        return DataShape("?")
    above = definitions.shape(data.parent) if data.parent is not None else None
    shape = DataShape("complex") if above is None else DataShape(
        above.base, above.rules, dict(above.properties), above.entry, above.key, above.units, above.number, above.any_case, above.canonical
    )  # fmt: skip
    if above is not None and above.base == "?":
        shape.base = "?"
    own = rules_of(body, document)
    shape.rules = (*shape.rules, *own)
    _properties(definitions, data, body, shape, what)
    _collection(definitions, data, body, shape, what)
    _scalar(definitions, data, body, shape, what)
    definitions.compatible(own, shape, document, what)
    return shape


def _properties(definitions: Definitions, data: Type, body: Node, shape: DataShape, what: str) -> None:
    reading, node = data.document.reading, body.get("properties")
    if node is None or is_null(node):
        if body.get("derived_from") is None and data.document.root is not None:
            problem = f"{what} derives from nothing and has no properties"
            if reading.first:
                reading.lenient(problem, data.mark)
            else:
                reading.error("S235", problem, data.mark, "say derived_from, or properties")
        return
    if shape.base not in ("complex", "?"):
        reading.error("S235", f"{what} derives from {shape.base}, so it has no properties", node.mark)
        return
    if node.kind == "map" and not node.entries:
        reading.error("S235", f"the properties of {what} are empty", node.mark)
    shape.properties = definitions.map_of(definitions.entries(body, "properties"), "property", data.document, shape.properties, what)


def _collection(definitions: Definitions, data: Type, body: Node, shape: DataShape, what: str) -> None:
    reading = data.document.reading
    for name in ("entry_schema", "key_schema"):
        node = body.get(name)
        if node is None:
            continue
        if shape.base not in (*COLLECTIONS, "?") or (name == "key_schema" and shape.base == "list"):
            reading.error("S235", f"{what} is no {'map' if name == 'key_schema' else 'list or map'}, so it has no {name}", node.mark)
            continue
        schema = definitions.schema(node, data.document, f"{name} of {what}", shape.entry if name == "entry_schema" else shape.key)
        if name == "entry_schema":
            shape.entry = schema
        else:
            shape.key = schema
            if schema.type is not None and definitions.shape(schema.type).base != "string":
                reading.error("S235", f"the keys of {what} must be texts, not {schema.type.name}", node.mark)
    if shape.base in COLLECTIONS and shape.entry is None and not reading.first and data.document.root is not None:
        reading.error("S235", f"{what} is a {shape.base} and needs an entry_schema", data.mark)


def _number(node: Node) -> float | int | None:
    found = scalar_value(node, "core") if node.kind == "scalar" else None
    return found if isinstance(found, (int, float)) and not isinstance(found, bool) else None


def _scalar(definitions: Definitions, data: Type, body: Node, shape: DataShape, what: str) -> None:
    reading = data.document.reading
    if shape.base != "scalar":
        for key in body.key_nodes():
            if key.text in _SCALAR_KEYS and shape.base != "?":
                reading.error("S237", f"{what} does not derive from scalar, so it has no {key.text}", key.mark)
        return
    derived = shape.units is not None
    number = definitions.catalog.named("data", body.get("data_type"), data.document, what)
    if number is not None:
        base = definitions.shape(number).base
        if derived and base != shape.number:
            reading.error("S237", f"the data_type of {what} cannot be changed", body.get("data_type").mark)  # type: ignore[union-attr]  # it names a type
        elif base not in ("integer", "float", "?"):
            reading.error("S237", f"the data_type of {what} is an integer or a float", body.get("data_type").mark)  # type: ignore[union-attr]  # see above
        else:
            shape.number = base
    _units(data, body, shape, what, derived=derived)


def _units(data: Type, body: Node, shape: DataShape, what: str, *, derived: bool) -> None:
    reading, node = data.document.reading, body.get("units")
    units: dict[str, float] = {}
    for key, value in pairs(node):
        worth = _number(value)
        if worth is None:
            reading.error("S237", f"the unit {key.text} of {what} needs a number", value.mark)
        elif shape.number == "integer" and not isinstance(worth, int):
            reading.error("S237", f"{what} has whole numbers, so the unit {key.text} is worth a whole number", value.mark)
        elif not key.text or any(c.isspace() for c in key.text):
            reading.error("S237", f"the unit '{key.text}' of {what} has white space in it", key.mark)
        else:
            units[key.text] = worth
    if not derived and not units:
        if node is None or not pairs(node):
            reading.error("S237", f"{what} has no units", data.mark, "units: {m: 1}, for example")
        shape.units = {}
        return
    ones = [u for u, w in units.items() if w == 1]
    if not derived and not ones:
        reading.error("S237", f"one of the units of {what} must be worth 1", node.mark if node is not None else data.mark)
    _canonical(data, body, shape, what, ones, derived=derived)
    prefixes = body.get("prefixes")
    shape.units = {**(shape.units or {}), **units}
    if prefixes is not None and not is_null(prefixes):
        for key, value in pairs(prefixes):
            worth = _number(value)
            if worth is None:
                reading.error("S237", f"the prefix {key.text} of {what} needs a number", value.mark)
                continue
            shape.units.update({key.text + u: worth * w for u, w in (units or dict(shape.units)).items()})


def _canonical(data: Type, body: Node, shape: DataShape, what: str, ones: list[str], *, derived: bool) -> None:
    reading, node = data.document.reading, body.get("canonical_unit")
    if node is None:
        if not derived and len(ones) > 1:
            reading.error("S237", f"several units of {what} are worth 1: say which is the canonical_unit", data.mark)
        shape.canonical = shape.canonical or (ones[0] if ones else "")
        return
    if derived:
        reading.error("S237", f"the canonical_unit of {what} is that of the type above", node.mark)
        return
    known = {k.text for k, _ in pairs(body.get("units"))}
    known |= {p.text + u for p, _ in pairs(body.get("prefixes")) for u in known}
    if text(node) not in known:
        reading.error("S237", f"{what} has no unit {text(node)}", node.mark, ", ".join(sorted(known)))
    shape.canonical = text(node)
