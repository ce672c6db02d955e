"""Plain data as YAML that every one of our languages reads as the same data."""

from __future__ import annotations

from typing import Any

from stackengine.formats.scalars import value
from stackengine.formats.tree import Node
from stackengine.formats.write.exprs import LEFT_OUT
from stackengine.model.mark import NOWHERE


def _said(value: Any) -> Any:
    """Plain data without what was left out, at any depth."""
    if isinstance(value, dict):
        return {k: _said(v) for k, v in value.items() if v is not LEFT_OUT}
    return [_said(v) for v in value if v is not LEFT_OUT] if isinstance(value, list) else value


def dump(data: dict[str, Any]) -> str:
    """YAML text, sections apart; text that a language would take for something else is quoted."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Block style without aliases."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  (yaml's own face)
            return True

    Dumper.add_representer(str, _text)
    data = _said(data)
    parts = [yaml.dump({k: v}, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120) for k, v in data.items()]
    return "\n".join(p if isinstance(v, (dict, list)) else p.rstrip("\n") for p, v in zip(parts, data.values(), strict=True)).rstrip("\n") + "\n"


def _text(dumper: Any, text: str) -> Any:
    style = None
    if "\n" in text and all(line == line.rstrip() for line in text.split("\n")) and not text.startswith((" ", "\n")) and text.isprintable() is False:
        style = "|"
    elif any(value(Node("scalar", NOWHERE, text=text), rules) != text for rules in ("yaml11", "core")):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
