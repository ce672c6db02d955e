"""SE::Secret: a secret that is given, or made once (AWS GetRandomPassword's rules)."""

from __future__ import annotations

import json
import secrets
import string
from typing import Any, ClassVar

from stackengine import sdk

CLASSES = {
    "lowercase": string.ascii_lowercase, "uppercase": string.ascii_uppercase, "digits": string.digits, "punctuation": string.punctuation, "space": " ",
}  # fmt: skip
_EXCLUDED = {"ExcludeLowercase": "lowercase", "ExcludeUppercase": "uppercase", "ExcludeNumbers": "digits", "ExcludePunctuation": "punctuation"}
_KNOWN = {"PasswordLength", "ExcludeCharacters", "IncludeSpace", "RequireEachIncludedType", "SecretStringTemplate", "GenerateStringKey", *_EXCLUDED}


class Secret(sdk.RecordType):
    """A sealed attribute."""

    name: ClassVar[str] = "SE::Secret"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        wanted = sdk.known(want.get("name"), None)
        return {"physical_id": ids.name(), "name": ids.claim("secret", [str(wanted)]) if wanted is not None else ids.name()}

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        found = []
        if (want.get("template") is None) != (want.get("key") is None):
            found.append(sdk.Refusal("key" if want.get("key") is not None else "template", "a template and a key go together"))
        template = want.get("template")
        if isinstance(template, str) and _object(template) is None:
            found.append(sdk.Refusal("template", "it must be a JSON object"))
        classes = [c for c in sdk.known_list(want.get("classes")) if c in CLASSES]
        excluded, length = sdk.known(want.get("exclude"), ""), sdk.known(want.get("length"), 32)
        if classes and isinstance(excluded, str) and not any(set(CLASSES[c]) - set(excluded) for c in classes):
            found.append(sdk.Refusal("exclude", "no character is left to choose from"))
        if sdk.known(want.get("each"), True) and isinstance(length, int) and length < len(classes):
            found.append(sdk.Refusal("length", f"{length} characters have no room for one of each of {len(classes)} kinds"))
        return found

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        if want.get("value") is not None:
            return {"value": want["value"]}
        known = ctx.attributes.get("value")
        return {"value": known if known is not None else _made(want)}


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _made(want: sdk.Properties) -> str:
    excluded = set(want["exclude"])
    sets = [usable for c in want["classes"] if (usable := [x for x in CLASSES[c] if x not in excluded])]
    chosen = [secrets.choice(s) for s in sets] if want["each"] else []
    everything = [x for s in sets for x in s]
    chosen += [secrets.choice(everything) for _ in range(want["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    text = "".join(chosen)
    if want.get("template") is None:
        return text
    return json.dumps({**(_object(want["template"]) or {}), want["key"]: text})


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """AWS's GenerateSecretString."""
    generate = properties.pop("$generate", None)
    if generate is None:
        if "value" not in properties:
            properties["value"] = ""
        return properties
    if not isinstance(generate, dict):
        raise ValueError("GenerateSecretString is a map that is known before apply")
    strange = generate.keys() - _KNOWN
    if strange:
        raise ValueError(f"GenerateSecretString has no {', '.join(sorted(strange))}")
    classes = [c for key, c in _EXCLUDED.items() if not _true(generate.get(key))] + (["space"] if _true(generate.get("IncludeSpace")) else [])
    properties["classes"] = classes
    names = {"PasswordLength": "length", "ExcludeCharacters": "exclude", "SecretStringTemplate": "template", "GenerateStringKey": "key"}
    properties.update({ours: generate[theirs] for theirs, ours in names.items() if theirs in generate})
    if "RequireEachIncludedType" in generate:
        properties["each"] = _true(generate["RequireEachIncludedType"])
    return properties


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
