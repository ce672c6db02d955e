"""SE::Flavor: a size of servers that a template names itself."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from stackengine import sdk

from .specs import unknown

PREFIX = "flavor:"


class Flavor(sdk.RecordType):
    """A record. What it says stands in its physical id, so that a server that names it knows its size when the plan is made; another size is another id."""

    name: ClassVar[str] = "SE::Flavor"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        if sdk.has_unknown(want.get("vcpus")) or sdk.has_unknown(want.get("memory")) or sdk.has_unknown(want.get("disk")) or sdk.has_unknown(want.get("specs")):
            raise sdk.RefusedError("its size is known only after apply", hint="a flavor's numbers are known before anything runs")
        said = {k: want[k] for k in ("vcpus", "memory", "disk") if want.get(k)} | {k: str(v) for k, v in sorted((want.get("specs") or {}).items())}
        return {"physical_id": f"{PREFIX}{quote(ids.path)}?{urlencode(said, safe=':')}", "name": want.get("name") or ids.path}

    def check(self, want: sdk.Properties) -> list[sdk.Refusal]:
        strange = unknown(sdk.known(want.get("specs"), {}) or {})
        return [sdk.Refusal("specs", f"{', '.join(strange)}: no effect here", severity="notice")] if strange else []
