"""SE::WaitConditionHandle: where guests send signals to."""

from __future__ import annotations

from typing import Any, ClassVar

from stackengine import sdk

HOST = "signal.stackengine.internal"
PORT = 9117


class WaitConditionHandle(sdk.RecordType):
    """A token and the address that it is good for; all of it is known when the plan is made."""

    name: ClassVar[str] = "SE::WaitConditionHandle"

    def identify(self, ids: sdk.Identities, want: sdk.Properties) -> dict[str, Any]:
        physical_id, token = f"h-{ids.token(12, 'handle')}", ids.token(26, "signal")
        url = f"http://{HOST}:{PORT}/v1/signal/{physical_id}/{token}"
        curl = f"curl -i -X POST -H 'Content-Type: application/json' -H 'Accept: application/json' {url}"
        signal = f"stack-signal {'--channel ' if want.get('transport') == 'channel' else ''}{url}"
        return {"physical_id": physical_id, "token": token, "url": url, "endpoint": url, "curl_cli": curl, "signal": signal}

    def refuse(self, want: sdk.Properties, profile: sdk.Profile) -> list[sdk.Refusal]:
        wanted = want.get("transport", "http")
        if ("signals-http" if wanted == "http" else "channel") in profile.features:
            return []
        if "signals-console" in profile.features:
            return [sdk.Refusal("transport", "guests of this host signal over their console: by stack-signal, not by curl", severity="notice")]
        other = "say transport: channel, and send them by stack-signal" if wanted == "http" and "channel" in profile.features else ""
        return [sdk.Refusal("transport", f"signals do not come over {wanted.upper() if wanted == 'http' else 'a channel'} from this host", other)]
