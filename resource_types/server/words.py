"""What Nova's and EC2's words have in common: maps whose keys are known, groups, and what has no effect."""

from __future__ import annotations

from typing import Any

from stackengine import sdk

NAMED = "the group 'default' lets in everybody on its networks here, and not its own members only"


def maps(value: Any, what: str) -> list[dict[str, Any]]:
    """A list of maps that are known now; their values may be unknown."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError(f"{what} is a list of maps that are known before apply")
    return value


def is_true(value: Any) -> bool:
    """Whether a truth of YAML, or its text, says yes."""
    return str(value).lower() == "true"


def tell(properties: dict[str, Any], prop: str, why: str) -> None:
    """Say that something of the template has no effect."""
    properties.setdefault("$inert", []).append(sdk.Inert(prop, why))


def place(properties: dict[str, Any], made: str, of: str) -> None:
    """Say of which words (dotted path below the put-aside name) a native property was made, so that faults are told there."""
    properties.setdefault("$places", {})[made] = of


def in_groups(properties: dict[str, Any], value: Any) -> Any:
    """Security groups; ``default`` is both clouds' group of whoever names none, and filters nothing here."""
    if isinstance(value, list) and "default" in value:
        properties.setdefault("$notices", []).append((NAMED, ""))
    return [g for g in value if g != "default"] if isinstance(value, list) else value
