"""Attributes as Heat's types have them: names that a type does not have, and those that have no value here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stackengine.evaluate.kinds import Kinds
from stackengine.evaluate.lower import is_only_heats
from stackengine.evaluate.written import Written
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.expr import Attr, Literal
from stackengine.model.values import Value, unknowns
from stackengine.registry import heat_schema


def check_attributes(written: Mapping[str, Written], outputs: Sequence[Value], kinds: Kinds, diagnostics: Diagnostics) -> None:
    """R104 for an attribute that a type of Heat's does not have (OS::Heat types have attributes of their own making), R114 for one without a value."""
    seen: set[tuple[str, str]] = set()
    for reference in _attributes(written, outputs):
        found, first = written.get(reference.target), reference.path[0]
        known = heat_schema(found.type) if found is not None else None
        if found is None or known is None or not isinstance(first, Literal) or (reference.target, str(first.value)) in seen:
            continue
        name = str(first.value)
        seen.add((reference.target, name))
        dialect = kinds.dialect(found.type)
        if dialect is not None and is_only_heats(found.type, name, dialect, kinds):
            what = f"{reference.target} ({found.type}): the attribute {name} has no value here: it is null"
            diagnostics.warning("R114", what, reference.mark)
        elif name not in known["a"] and dialect is None and not found.type.startswith("OS::Heat::"):
            diagnostics.error("R104", f"{reference.target} ({found.type}) has no attribute {name}", reference.mark, did_you_mean(name, known["a"]))


def _attributes(written: Mapping[str, Written], outputs: Sequence[Value]) -> Iterator[Attr]:
    values = [*(v for w in written.values() for v in (*w.properties.values(), w.metadata)), *outputs]
    for value in values:
        for unknown in unknowns(value):
            yield from (r for r in unknown.refs() if isinstance(r, Attr) and r.path)
