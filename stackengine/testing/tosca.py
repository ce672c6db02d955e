"""The reference page of TOSCA (``docs/reference/tosca.md``): the reader's own tables, and what becomes of every property of the normative types."""

from __future__ import annotations

from collections.abc import Iterator

from stackengine.formats.tosca import profile, reference
from stackengine.formats.tosca.counts import SCALABLE, WANTED
from stackengine.formats.tosca.entities import Entities
from stackengine.formats.tosca.mapping import MAPPED, PORT
from stackengine.formats.tosca.types import Catalog
from stackengine.registry import Registry
from stackengine.testing.tables import code, state, table

_ELSEWHERE = {
    **dict.fromkeys((f"{SCALABLE}.{w}" for w in WANTED), "supported: how many servers there are"),
    **dict.fromkeys((f"{SCALABLE}.min_instances", f"{SCALABLE}.max_instances"), "a bound of how many servers there are (S254)"),
}
_RELATIONSHIPS = {
    "device": "supported: a wish", "location": "ignored (S261): nothing mounts the volume", "credential": "kept, for operations to read",
}  # fmt: skip
KEPT = "kept, for operations and other nodes to read"


def page(registry: Registry) -> str:
    """The whole page in Markdown."""
    return reference.page(_properties(registry))


def _properties(registry: Registry) -> Iterator[str]:
    entities = Entities(Catalog())
    yield "## Properties of normative types\n"
    for name in MAPPED:
        yield from _node(name, entities, registry)
    yield "### Relationships"
    for name in (profile.PREFIX["relationship"] + short for short in profile.names("relationship")):
        properties = entities.sections(entities.catalog.normative("relationship", name.removeprefix(profile.PREFIX["relationship"]))).properties
        if properties:
            yield from table((f"property of `{name}`", "state"), ((p, _RELATIONSHIPS[p]) for p in properties))
    yield "### Other node types\n"
    others = [n for n in profile.names("node") if profile.PREFIX["node"] + n not in MAPPED]
    yield f"Of {code(others)} nothing is made on a host: properties and capabilities are {KEPT}.\n"


def _node(name: str, entities: Entities, registry: Registry) -> Iterator[str]:
    dialect = registry.dialect(name)
    assert dialect is not None, name
    sections = entities.sections(entities.catalog.normative("node", name.removeprefix(profile.PREFIX["node"])))
    names = [*sections.properties, *(f"{c}.{p}" for c, capability in sections.capabilities.items() for p in capability.properties)]
    yield f"### {name}\n\nA {dialect.native}.\n"
    rows = [(n, state(dialect.properties[n]) if n in dialect.properties else _state(name, n)) for n in names]
    yield from table(("property", "state"), (*rows, *((n, state(c)) for n, c in dialect.properties.items() if n not in names)))
    yield f"Attributes from the host: {code(dialect.attributes)}; others are what the template says of them.\n"


def _state(node: str, name: str) -> str:
    if name in _ELSEWHERE:
        return _ELSEWHERE[name]
    if node == PORT and name == "order":
        return "supported: the order of a server's interfaces"
    return f"{KEPT} (S264)" if "." in name else KEPT
