"""SE::QoSPolicy: limits of bandwidth under one name, for the ports that have it."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk


class QoSPolicy(sdk.RecordType):
    """A record; its rules (``SE::QoSRule``) are contributed to it, and ports hand them on to their servers."""

    name: ClassVar[str] = "SE::QoSPolicy"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        return {"physical_id": f"qos:{ids.name(50)}"}
