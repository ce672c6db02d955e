"""Resource types for people and for programs: what the schema says, on one page."""

from __future__ import annotations

from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import table
from stackengine.cli.render.values import show, to_data
from stackengine.registry import Dialect, Registry, ResourceTypeInfo

_LANGUAGES = {"hot": "HOT", "cfn": "CloudFormation", "tosca": "TOSCA"}
_APPLIED = {"live": "live", "reboot": "reboot", "replace": "replace", "none": "-"}


def _dialects(info: ResourceTypeInfo, known: Registry) -> list[Dialect]:
    order = list(_LANGUAGES)
    return sorted((d for d in known.dialects.values() if d.native == info.name), key=lambda d: (order.index(d.language), d.name))


def listing(known: Registry, style: Style = PLAIN) -> str:
    """One line for each type."""
    rows = [[t.name, _sentence(t.description), ", ".join(d.name for d in _dialects(t, known))] for t in sorted(known.types.values(), key=lambda t: t.name)]
    return table(["type", "what it is", "also written as"], rows, style)


def _sentence(text: str) -> str:
    """The first sentence."""
    return text.strip().partition(". ")[0].partition("\n")[0].rstrip(".")


def page(info: ResourceTypeInfo, known: Registry, style: Style = PLAIN) -> str:
    """Everything of one type."""
    lines = [style.paint(info.name, "bold"), *([info.description.strip()] if info.description else [])]
    required = set(info.schema.get("required", ()))
    if info.properties:
        rows = [
            [name, kind_of(p), "required" if name in required else show(p["default"]) if "default" in p else "-", _APPLIED[info.effects[name]], _about(p)]
            for name, p in info.properties.items()
        ]
        lines += ["", style.paint("Properties", "bold"), table(["name", "type", "default", "a change is", "meaning"], rows, style, "  ")]
    if info.attributes:
        rows = [[name, kind_of(a), f"when {a.get('when', 'configured')}", _about(a)] for name, a in info.attributes.items()]
        lines += ["", style.paint("Attributes", "bold"), table(["name", "type", "known", "meaning"], rows, style, "  ")]
    dialects = _dialects(info, known)
    if dialects:
        lines += ["", style.paint("Other names", "bold")]
    for dialect in dialects:
        lines.append(f"  {style.paint(dialect.name, 'bold')}  ({_LANGUAGES[dialect.language]})")
        renamed = [f"{k} -> {c.to}" for k, c in dialect.properties.items() if c.to and c.to != k]
        lines += [f"    {', '.join(renamed)}"] if renamed else []
        lines += [f"    {k} has no effect: {c.ignore}" for k, c in dialect.properties.items() if c.ignore]
        lines += [f"    {k} is refused: {c.refuse}" for k, c in dialect.properties.items() if c.refuse]
    return "\n".join(lines)


def kind_of(schema: dict[str, Any]) -> str:
    """``string``, ``list of string``, ``SE::Network``, ``one of live, reboot``: a JSON schema in a few words."""
    if "refers" in schema:
        refers = schema["refers"]
        return " or ".join([refers] if isinstance(refers, str) else refers)
    if "enum" in schema:
        return "one of " + ", ".join(str(v) for v in schema["enum"])
    kinds = schema.get("type", "any")
    names = [kinds] if isinstance(kinds, str) else [k for k in kinds if k != "null"]
    if names == ["array"]:
        return f"list of {kind_of(schema['items'])}" if isinstance(schema.get("items"), dict) else "list"
    if names == ["object"] and schema.get("properties"):
        return "{" + ", ".join(schema["properties"]) + "}"
    return " or ".join(names)


def _about(schema: dict[str, Any]) -> str:
    return str(schema.get("description", "")).strip().replace("\n", " ") + (" (sensitive)" if schema.get("sensitive") else "")


def summary_data(info: ResourceTypeInfo, known: Registry) -> dict[str, Any]:
    """A type's line as JSON."""
    return {"name": info.name, "description": info.description, "names": [{"name": d.name, "language": d.language} for d in _dialects(info, known)]}


def type_data(info: ResourceTypeInfo, known: Registry) -> dict[str, Any]:
    """The members of a ``type`` document; ``schema`` is the type's own."""
    return {
        **summary_data(info, known),
        "schema_version": info.schema_version,
        "replacement_strategy": info.strategy,
        "effects": dict(info.effects),
        "schema": to_data(info.schema),
    }
