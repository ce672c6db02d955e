"""SE::Record: a named value. The event log is where it is kept; other stacks read it there."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk


class Record(sdk.RecordType):
    """Nothing on a host: its recorded properties are what others read."""

    name: ClassVar[str] = "SE::Record"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        wanted = sdk.known(want.get("name"), None)
        name = ids.claim("record", [str(wanted)]) if wanted is not None else ids.name()
        return {"physical_id": ids.name(), "name": name, "kind": "StringList" if isinstance(want.get("value"), list) else "String"}

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        pattern, value = want.get("pattern"), want.get("value")
        if not isinstance(pattern, str):
            return []
        try:
            fits = all(sdk.text_matches(pattern, v) for v in (value if isinstance(value, list) else [value]) if isinstance(v, str))
        except ValueError as error:
            return [sdk.Refusal("pattern", f"it cannot be used: {error}")]
        return [] if fits else [sdk.Refusal("value", f"it does not match {pattern}")]

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {"value": want["value"]}


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """A StringList is a list of texts, whose commas are between them."""
    kind = properties.pop("$kind", "String")
    if kind not in ("String", "StringList") and isinstance(kind, str):
        raise ValueError(f"there is no parameter type {kind} here: String, StringList (a secret one is AWS::SecretsManager::Secret)")
    value = properties.get("value")
    if kind == "StringList" and isinstance(value, str):
        properties["value"] = [part.strip() for part in value.split(",")]
    elif kind == "String" and isinstance(value, list) and all(isinstance(v, str) for v in value):
        properties["value"] = ",".join(value)
    return properties
