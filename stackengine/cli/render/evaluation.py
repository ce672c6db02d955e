"""What a template says for given parameters, for programs and for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stackengine.cli.render.diagnostics import place
from stackengine.evaluate import Explored
from stackengine.evaluate.written import Written
from stackengine.model.desired import DesiredResource
from stackengine.model.template import Template
from stackengine.model.values import OMIT, SecretRef, Sensitive, Unknown, Value, reveal

NOTHING: dict[str, Any] = {
    "language": None, "version": "", "description": "", "parameters": {}, "conditions": {}, "resources": {}, "edges": [], "outputs": {}, "scopes": {},
}  # fmt: skip
"""The members where there is no template to show."""


def data(template: Template, explored: Explored, *, secrets: bool = False) -> dict[str, Any]:
    """Members of the document ``evaluation``; secrets are ``***`` unless asked for."""
    shown = _opened if secrets else plain
    desired = explored.evaluated.desired
    everything = {**explored.written, **explored.nested}
    resources = {p: _resource(everything[p], desired.resources.get(p), shown) for p in sorted(everything, key=_order(everything))}
    edges = [
        {"from": w.path, "needs": d.path, "need": d.need, "via": d.via} for w in explored.written.values() for d in w.depends if d.path in explored.written
    ]  # fmt: skip
    outputs = {
        o.name: {"value": "***" if o.sensitive and not secrets else shown(o.value), "description": o.description, "sensitive": o.sensitive}
        for o in explored.outputs.values()
    }
    return {
        "language": template.language, "version": template.version, "description": template.description,
        "parameters": _values(explored.evaluated.parameters, shown), "conditions": _values(explored.conditions.get("", {}), shown),
        "resources": resources, "edges": edges, "outputs": outputs, "scopes": _scopes(explored, shown),
    }  # fmt: skip


def _values(values: Mapping[str, Value], shown: Callable[[Value], Any]) -> dict[str, Any]:
    return {k: shown(v) for k, v in values.items()}


def _resource(written: Written, native: DesiredResource | None, shown: Callable[[Value], Any]) -> dict[str, Any]:
    nested = written.placed.resource.nested
    return {
        "type": written.type,
        "nested": nested.kind if nested is not None else None,
        "properties": shown(written.properties),
        "metadata": shown(written.metadata),
        "depends_on": [d.path for d in written.depends if d.via == "depends_on"],
        "deletion_policy": written.policies.deletion,
        "update_replace_policy": written.policies.update_replace,
        "scope": written.scope,
        "native": {"type": native.type, "properties": shown(native.properties)} if native is not None else None,
        "mark": place(written.placed.resource.mark),
    }


def _order(resources: Mapping[str, Written]) -> Callable[[str], list[tuple[str, int]]]:
    """By place in the template; what is nested follows what it is nested in."""

    def key(path: str) -> list[tuple[str, int]]:
        steps = path.split("/")
        parents = ["/".join(steps[: n + 1]) for n in range(len(steps))]
        return [((m := resources[p].placed.resource.mark).file, m.line) if p in resources else ("", 0) for p in parents]

    return key


def _scopes(explored: Explored, shown: Callable[[Value], Any]) -> dict[str, Any]:
    found = {}
    for path, scope in explored.evaluated.desired.scopes.items():
        if not path:
            continue
        found[path] = {
            "language": scope.language,
            "parameters": _values(scope.parameters, shown),
            "conditions": _values(explored.conditions.get(path, {}), shown),
            "members": list(scope.members),
            "removed": list(scope.removed),
        }
    return found


def plain(value: Value) -> Any:
    """A value as JSON: what is not known yet as ``{"$unknown": "db.ip"}``, a secret as ``***``."""
    match value:
        case Sensitive() | SecretRef():
            return "***"
        case Unknown():
            return {"$unknown": value.describe()}
        case dict():
            return {str(k): plain(v) for k, v in value.items() if v is not OMIT}
        case list() | tuple():
            return [plain(v) for v in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return None if value is OMIT else str(value)


def _opened(value: Value) -> Any:
    return plain(reveal(value))


def text(found: Mapping[str, Any]) -> str:
    """For people: YAML that says the same."""
    import yaml

    kept = {k: v for k, v in found.items() if v not in ({}, [], "", None)}
    for path, resource in kept.get("resources", {}).items():
        kept["resources"][path] = {k: v for k, v in resource.items() if k not in ("mark", "native", "scope") and v not in ({}, [], None, "Delete", "")}
    if "edges" in kept:
        kept["edges"] = [f"{e['from']} -> {e['needs']} ({e['via']})" for e in kept["edges"]]
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=120).rstrip()
