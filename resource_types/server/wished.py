"""Disks that a server wishes for in a language that has no resource for them: each is a volume of the stack, and goes with its server."""

from __future__ import annotations

from typing import Any

from stackengine import sdk

WISH = "$wish"
"""The key of an entry of ``volumes`` that stands for a volume which nobody made yet: only until the stack's resources are known."""


def wished(name: str, properties: dict[str, Any], *, keep: bool) -> dict[str, Any]:
    """An entry of ``volumes``; ``name`` tells it from the others of the same server, ``keep``: the volume stays when the server goes."""
    return {WISH: (name, properties, keep)}


def implied_volumes(want: sdk.Properties) -> list[sdk.Implied]:
    """The volumes; each takes the place of its wish."""
    entries = list(sdk.known_list(want.get("volumes")))
    return [_implied(entries, n) for n, entry in enumerate(entries) if isinstance(entry, dict) and WISH in entry]


def _implied(entries: list[Any], n: int) -> sdk.Implied:
    name, properties, keep = entries[n][WISH]

    def granted(reference: sdk.Value) -> sdk.Value:
        entries[n] = {**{k: v for k, v in entries[n].items() if k != WISH}, "volume": reference}
        return list(entries)

    return sdk.Implied(name, "SE::Volume", properties, "volumes", granted, own=True, keep=keep, at=f"volumes.{n}")
