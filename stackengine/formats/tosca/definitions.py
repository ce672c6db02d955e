"""Definitions of properties, attributes, parameters and schemas, and how derived types refine them (TOSCA 2.0, 9.2 to 9.8)."""

from __future__ import annotations

from dataclasses import dataclass, field

from stackengine.formats.scalars import value as scalar_value
from stackengine.formats.tosca import semantics
from stackengine.formats.tosca.compatible import unfit
from stackengine.formats.tosca.documents import Document
from stackengine.formats.tosca.keynames import keys_of
from stackengine.formats.tosca.reading import Pairs, is_false, is_null, pairs, text
from stackengine.formats.tosca.rules import Rule, rules_of
from stackengine.formats.tosca.types import Catalog, Type
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import did_you_mean
from stackengine.model.mark import Mark

COLLECTIONS = ("list", "map")
_STATUSES = ("supported", "unsupported", "experimental", "deprecated")


@dataclass(slots=True, eq=False)
class Schema:
    """What values are allowed: a data type, and rules beside the type's own. ``type`` None: anything."""

    type: Type | None
    rules: tuple[Rule, ...] = ()
    entry: Schema | None = None
    key: Schema | None = None


@dataclass(slots=True, eq=False)
class Definition:
    """A property, an attribute or a parameter."""

    name: str
    schema: Schema
    required: bool
    default: Node | None
    fixed: Node | None
    mark: Mark
    document: Document
    mapping: Node | None = None


@dataclass(slots=True, eq=False)
class DataShape:
    """What a data type is made of, its ancestors' part included."""

    base: str
    """The built-in type that it derives from, or ``complex``."""
    rules: tuple[Rule, ...] = ()
    properties: dict[str, Definition] = field(default_factory=dict)
    entry: Schema | None = None
    key: Schema | None = None
    units: semantics.Units | None = None
    number: str = "float"
    any_case: bool = False
    canonical: str = ""


class Definitions:
    """Reads definitions; what data types are made of is worked out when first asked for."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._shapes: dict[int, DataShape] = {}

    def map_of(self, entries: Pairs, entity: str, document: Document, inherited: dict[str, Definition], what: str) -> dict[str, Definition]:
        """Inherited definitions, refined by and together with ``entries``."""
        found = dict(inherited)
        for key, node in entries:
            definition = self.read(key, node, entity, document, inherited.get(key.text), what)
            if definition is not None:
                found[key.text] = definition
        return found

    def read(self, key: Node, node: Node, entity: str, document: Document, inherited: Definition | None, what: str) -> Definition | None:
        """One definition; with ``inherited``, a refinement of it."""
        reading, label = document.reading, f"{entity} {key.text} of {what}"
        if inherited is not None and self._is_value(node, entity) and reading.first:  # 1.x has no fixed values: templates may still say another
            return Definition(key.text, inherited.schema, inherited.required, node, inherited.fixed, key.mark, document)
        if inherited is not None and self._is_value(node, entity):
            if inherited.fixed is not None:
                reading.error("S234", f"{label} has a fixed value already", key.mark, f"it is given at {inherited.mark}")
            return Definition(key.text, inherited.schema, inherited.required, inherited.default, node, key.mark, document)
        body = reading.entity(node, entity, label, key.mark, given=("type",) if inherited is not None else ())
        if body is None:
            return None
        schema = self.schema_of(body, document, label, inherited.schema if inherited is not None else None)
        required_node, default, fixed = body.get("required"), body.get("default"), reading.get(body, entity, "value")
        required = not is_false(required_node) if required_node is not None else inherited.required if inherited is not None else entity != "attribute"
        if default is not None and not required and entity in ("property", "parameter") and not reading.first and required_node is not None:
            reading.error("S236", f"{label} has a default, but is not required", default.mark, "what is not required stays without a value")
        mapping = body.get("mapping")
        if fixed is not None and mapping is not None and not reading.first:
            reading.error("S236", f"{label} has a value and a mapping", mapping.mark, "what comes in is mapped, what goes out has a value")
        status = body.get("status")
        if status is not None and text(status) and text(status) not in _STATUSES:
            hint = did_you_mean(text(status), _STATUSES) or ", ".join(_STATUSES)
            reading.error("S204", f"{label} has no status {text(status)}", status.mark, hint)
        definition = Definition(key.text, schema, required, default, fixed, key.mark, document, mapping)
        if inherited is not None:
            self._refined(definition, inherited, label, required_node)
        return definition

    @staticmethod
    def _is_value(node: Node, entity: str) -> bool:
        """Whether a refinement only gives a value (the single-line form)."""
        return node.kind != "map" or not node.entries or any(k.text not in keys_of(entity) for k in node.key_nodes())

    def _refined(self, new: Definition, old: Definition, label: str, required_node: Node | None) -> None:
        reading = new.document.reading
        if old.fixed is not None:
            reading.error("S234", f"{label} has a fixed value and cannot be refined", new.mark, f"it is given at {old.mark}")
        if required_node is not None and old.required and not new.required:
            self._complain(new, f"{label} is required in the type above, and stays so", required_node.mark)
        now, before = new.schema.type, old.schema.type
        if now is not None and before is not None and not now.is_a(before):
            self._complain(new, f"{label} must be of type {before.name} or one derived from it, not {now.name}", new.mark)
        if new.default is None:
            new.default = old.default
        if new.fixed is None:
            new.fixed = old.fixed
        new.schema.rules = (*old.schema.rules, *new.schema.rules)

    @staticmethod
    def _complain(new: Definition, summary: str, mark: Mark) -> None:
        Definitions._told(new.document, summary, mark)

    @staticmethod
    def _told(document: Document, summary: str, mark: Mark) -> None:
        if document.version in ("1.3", "2.0"):
            document.reading.error("S223", summary, mark)
        else:
            document.reading.lenient(summary, mark)

    def schema(self, node: Node, document: Document, what: str, inherited: Schema | None = None) -> Schema:
        """A schema, as a map or a type's name."""
        if node.kind == "scalar" and not is_null(node):
            found = self.catalog.named("data", node, document, what)
            self._collected(found, None, None, document, what, node.mark)
            made = Schema(found)
        else:
            body = document.reading.entity(node, "schema", what, given=("type",) if inherited is not None else ())
            made = self.schema_of(body, document, what, inherited) if body is not None else Schema(None)
        if inherited is not None and not document.reading.first:  # 1.x says nothing of refining entries: what is written last counts
            if made.type is not None and inherited.type is not None and not made.type.is_a(inherited.type):
                self._told(document, f"{what} must be of type {inherited.type.name} or one derived from it, not {made.type.name}", node.mark)
            made.rules = (*inherited.rules, *made.rules)
        return made

    def schema_of(self, body: Node, document: Document, what: str, inherited: Schema | None) -> Schema:
        """The type, rules, entry and key schemas of a definition."""
        type_node = body.get("type")
        found = self.catalog.named("data", type_node, document, what) if type_node is not None else inherited.type if inherited is not None else None
        entry_node, key_node = (body.get(n) if body.get(n) is not None and not is_null(body.get(n) or body) else None for n in ("entry_schema", "key_schema"))
        entry, key = (inherited.entry, inherited.key) if inherited is not None else (None, None)
        if entry_node is not None:
            entry = self.schema(entry_node, document, f"entry_schema of {what}", entry)
        if key_node is not None:
            key = self.schema(key_node, document, f"key_schema of {what}", key)
        self._collected(found, entry_node or (body if entry is not None else None), key_node, document, what, (type_node or body).mark)
        if key_node is not None and key is not None and key.type is not None and self.shape(key.type).base != "string":
            document.reading.error("S235", f"the keys of {what} must be texts, not {key.type.name}", key_node.mark)
        made = Schema(found, rules_of(body, document), entry, key)
        if found is not None:
            self.compatible(made.rules, self.shape(found), document, what)
            if found.name == "scalar" and found.declared is None and found.units is None and not document.reading.first:
                document.reading.error("S235", f"{what} cannot be of type scalar itself", (type_node or body).mark, "define a type derived from it, with units")
        return made

    @staticmethod
    def compatible(rules: tuple[Rule, ...], shape: DataShape, document: Document, what: str) -> None:
        """Report rules that values of a type cannot be asked for (S238)."""
        for rule in rules if shape.base != "?" and not (shape.base == "complex" and document.reading.first) else ():
            fault = unfit(rule.tree, shape, literals=not document.reading.first)
            if fault:
                document.reading.error("S238", f"the rule of {what} does not go with its type: {fault}", rule.mark)

    def _collected(self, found: Type | None, entry: Node | None, key: Node | None, document: Document, what: str, mark: Mark) -> None:
        """entry_schema is for lists and maps, key_schema for maps."""
        if found is None:
            return
        shape = self.shape(found)
        if shape.base in COLLECTIONS:
            if entry is None and shape.entry is None and not document.reading.first and document.root is not None:
                document.reading.error("S235", f"{what} is a {shape.base} and needs an entry_schema", mark)
            if key is not None and shape.base != "map":
                document.reading.error("S235", f"{what} is a list, which has no keys", key.mark, "remove key_schema")
            return
        for node, name in ((entry, "entry_schema"), (key, "key_schema")):
            if node is not None and shape.base != "?":
                document.reading.error("S235", f"{what} is neither a list nor a map, so it has no {name}", node.mark)

    def shape(self, data: Type) -> DataShape:
        """What a data type is made of."""
        found = self._shapes.get(id(data))
        if found is None:
            self._shapes[id(data)] = DataShape("?")
            found = self._shapes[id(data)] = self._built_in(data) if data.declared is None else self._declared(data)
        return found

    @staticmethod
    def _built_in(data: Type) -> DataShape:
        if data.units is not None:
            return DataShape("scalar", units=data.units, any_case=True)
        return DataShape({"null": "nil", "scalar-unit": "scalar"}.get(data.name, data.name))

    def _declared(self, data: Type) -> DataShape:
        from stackengine.formats.tosca.datatypes import read_data_type

        return read_data_type(self, data)

    def schema_shape(self, schema: Schema) -> DataShape | None:
        """The shape of a schema's type; None where anything goes."""
        return self.shape(schema.type) if schema.type is not None else None

    @staticmethod
    def boolean(node: Node | None, default: bool) -> bool:
        """A boolean keyname's value."""
        return default if node is None or node.kind != "scalar" else scalar_value(node, "core") is True

    @staticmethod
    def entries(body: Node | None, key: str) -> Pairs:
        """The entries of a section that is a map."""
        found = body.get(key) if body is not None else None
        return pairs(found) if found is not None and found.kind == "map" else ()
