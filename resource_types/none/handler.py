"""SE::None: nothing on a host."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk


class None_(sdk.RecordType):  # noqa: N801  (None is taken)
    """Keeps a value and gives it back."""

    name: ClassVar[str] = "SE::None"

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {"value": want["value"]} if "value" in want else {}


_EVERYBODY = {"CidrBlock": "0.0.0.0/0", "Ipv6CidrBlock": "::/0"}


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """An entry of EC2's network ACLs has no effect where it allows everything; what would stop a packet is refused, as nothing here would stop it."""
    entry = properties.pop("$entry", None)
    if foreign_type != "AWS::EC2::NetworkAclEntry":
        return properties
    entry = entry if isinstance(entry, dict) else {}
    faults = [k for k, whole in _EVERYBODY.items() if entry.get(k, whole) != whole]
    faults += [k for k, meant in (("RuleAction", "allow"), ("Protocol", "-1")) if str(entry.get(k)).lower() != meant]
    if faults:
        what = "network ACLs are not enforced here, and this entry is not one that allows everything: say who may reach whom by security groups"
        raise sdk.UntranslatableError(what, f"$entry.{faults[-1]}")
    return properties
