"""SE::CloudConfig: a cloud-config document made of a map."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from stackengine import sdk


class CloudConfig(sdk.ResourceType):
    """JSON is YAML: the document is a comment line and JSON."""

    name: ClassVar[str] = "SE::CloudConfig"
    inline: ClassVar[bool] = True

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        return {"config": "#cloud-config\n" + json.dumps(want.get("cloud_config", {}), indent=1)}

    def read(self, ctx: sdk.Context, last: sdk.Properties) -> dict[str, Any] | None:
        return {}

    def delete(self, ctx: sdk.Context, last: sdk.Properties) -> None:
        return
