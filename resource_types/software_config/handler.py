"""SE::SoftwareConfig: what deployments run, kept by itself."""

from __future__ import annotations

import json
from typing import ClassVar

from stackengine import sdk


class SoftwareConfig(sdk.RecordType):
    """A record and nothing else; deployments look it up."""

    name: ClassVar[str] = "SE::SoftwareConfig"

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        """Heat's rule for components: an action belongs to one config."""
        found: list[sdk.Refusal] = []
        seen: set[str] = set()
        for entry in sdk.known_list(want.get("configs")):
            actions = sdk.known_list(entry.get("actions")) if isinstance(entry, dict) else []
            for action in actions:
                if isinstance(action, str) and action in seen:
                    found.append(sdk.Refusal("configs", f"the action {action} is in more than one config"))
                seen.add(str(action))
        return found

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        config = want.get("config", "")
        return {"config": config if isinstance(config, str) else json.dumps(config)}
