"""Foreign words for volumes."""

from __future__ import annotations

from typing import Any


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """EC2's tags are metadata; what several servers write to is raw; a snapshot, backup or volume to start with is a source."""
    tags = properties.pop("$tags", None)
    if isinstance(tags, list):
        properties["metadata"] = {t["Key"]: t.get("Value", "") for t in tags if isinstance(t, dict) and isinstance(t.get("Key"), str)}
    given = {word: properties.pop(f"${word}") for word in ("snapshot", "backup", "volume") if f"${word}" in properties}
    sources = [v for v in given.values() if v not in (None, "")]
    if len(sources) > 1:
        raise ValueError(f"a volume starts with one thing, not with {' and '.join(given)}")
    if sources:
        properties["source"] = sources[0]
    if properties.get("shared") is True:
        properties.setdefault("format", "raw")
    return properties
