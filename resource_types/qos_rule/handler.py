"""SE::QoSRule: a limit of bandwidth that its policy takes up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from stackengine import sdk


class QoSRule(sdk.RecordType):
    """A record; what it says is contributed to its policy."""

    name: ClassVar[str] = "SE::QoSRule"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        return {"physical_id": f"qos-rule-{ids.token(12, 'qos')}"}

    def contribute(self, identity: Mapping[str, Any], want: sdk.Properties) -> list[sdk.Contribution]:
        rule = {k: want[k] for k in ("direction", "max_kbps", "max_burst_kbps") if want.get(k)}
        return [sdk.Contribution(want["policy"], "rules", rule, str(want["direction"]))] if rule.get("max_kbps") else []

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        if "bandwidth" in profile.features:
            return []
        hint = "modprobe sch_htb sch_sfq sch_ingress act_police cls_u32 (as root), or another kernel; or leave the rule out"
        return [sdk.Refusal("max_kbps", "this host's kernel cannot limit bandwidth: servers with such a port would not start", hint)]
