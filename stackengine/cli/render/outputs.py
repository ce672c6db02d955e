"""A stack's outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import pad, width
from stackengine.cli.render.values import SENSITIVE, show, to_data
from stackengine.model.desired import DesiredOutput
from stackengine.model.values import Value, has_sensitive, reveal


def unwrap(output: Value) -> tuple[Value, str, bool]:
    """Value, description and whether it is sensitive, of an output or of a plain value."""
    if isinstance(output, DesiredOutput):
        return output.value, output.description, output.sensitive or has_sensitive(output.value)
    return output, "", has_sensitive(output)


def outputs_lines(outputs: Mapping[str, Any], style: Style = PLAIN, *, secrets: bool = False, indent: str = "") -> str:
    """``name  value`` in columns, one line each."""
    columns = max((width(name) for name in outputs), default=0)
    lines = []
    for name, output in outputs.items():
        value, description, sensitive = unwrap(output)
        text = SENSITIVE if sensitive and not secrets else show(reveal(value), 2000)
        lines.append(f"{indent}{style.paint(pad(name, columns), 'bold')}  {text}" + (style.paint(f"  # {description}", "dim") if description else ""))
    return "\n".join(lines)


def outputs_data(outputs: Mapping[str, Any], *, secrets: bool = False) -> dict[str, Any]:
    """By name: value, description, sensitive; a sensitive value is null unless it was asked for."""
    data = {}
    for name, output in outputs.items():
        value, description, sensitive = unwrap(output)
        shown = None if sensitive and not secrets else to_data(reveal(value))
        data[name] = {"value": shown, "description": description, "sensitive": sensitive}
    return data
