"""SE::RandomString: random text, made once."""

from __future__ import annotations

import secrets
import string
from typing import Any, ClassVar

from stackengine import sdk

CLASSES = {
    "lettersdigits": string.ascii_letters + string.digits, "letters": string.ascii_letters, "lowercase": string.ascii_lowercase,
    "uppercase": string.ascii_uppercase, "digits": string.digits, "hexdigits": string.digits + "ABCDEF", "octdigits": string.octdigits,
}  # fmt: skip
"""Heat's character classes (heat, resources/openstack/heat/random_string.py)."""


class RandomString(sdk.RecordType):
    """Text from the system's random source, kept as a sealed attribute."""

    name: ClassVar[str] = "SE::RandomString"

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        sets, length = [*sdk.known_list(want.get("classes")), *sdk.known_list(want.get("sequences"))], want.get("length")
        if sets and want.get("alphabet"):
            return [sdk.Refusal("alphabet", "alphabet, or classes and sequences, not both")]
        least = sum(s.get("min", 1) for s in sets if isinstance(s, dict) and isinstance(s.get("min", 1), int))
        if isinstance(length, int) and least > length:
            return [sdk.Refusal("length", f"{length} characters have no room for the {least} that are wanted at least")]
        return []

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        known = ctx.attributes.get("value")
        return {"value": known if known is not None else _text(want)}


def _text(want: sdk.Properties) -> str:
    sets = [(CLASSES[c["class"]], c.get("min", 1)) for c in want.get("classes") or ()]
    sets += [(s["sequence"], s.get("min", 1)) for s in want.get("sequences") or ()]
    sets = sets or [(want.get("alphabet") or CLASSES["lettersdigits"], 0)]
    chosen = [secrets.choice(characters) for characters, least in sets for _ in range(least)]
    chosen += [secrets.choice(secrets.choice(sets)[0]) for _ in range(want["length"] - len(chosen))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Heat's deprecated ``sequence`` is a class by name."""
    sequence = properties.pop("$sequence", None)
    if sequence is not None:
        properties["classes"] = [{"class": sequence, "min": 1}]
    return properties
