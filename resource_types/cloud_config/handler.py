"""SE::CloudConfig: a cloud-config document made of a map, or several parts as one message."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, ClassVar

from stackengine import sdk

KINDS = (
    ("#!", "text/x-shellscript"), ("#cloud-boothook", "text/cloud-boothook"), ("#cloud-config", "text/cloud-config"), ("#include", "text/x-include-url"),
    ("#part-handler", "text/part-handler"), ("## template: jinja", "text/jinja2"),
)  # fmt: skip
"""How a part begins, and its MIME type (cloud-init, user-data formats)."""


class CloudConfig(sdk.RecordType):
    """JSON is YAML: a document is a comment line and JSON."""

    name: ClassVar[str] = "SE::CloudConfig"

    def create(self, ctx: sdk.Context, want: sdk.Properties) -> dict[str, sdk.Value]:
        document = "#cloud-config\n" + json.dumps(want.get("cloud_config") or {}, indent=1, ensure_ascii=False) + "\n"
        if not want.get("parts"):
            return {"config": document}
        own = [{"content": document}] if want.get("cloud_config") else []
        return {"config": multipart([*own, *want["parts"]])}


def multipart(parts: list[dict[str, Any]]) -> str:
    """A multipart/mixed message (RFC 2046); its boundary is a hash of the parts, so equal parts are an equal message."""
    boundary = "==" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:30] + "=="
    lines = [f'Content-Type: multipart/mixed; boundary="{boundary}"', "MIME-Version: 1.0", ""]
    for number, part in enumerate(parts, 1):
        kind, name = part.get("type") or _kind(part["content"]), part.get("filename") or f"part-{number:03d}"
        coded = base64.b64encode(part["content"].encode()).decode()
        lines += [f"--{boundary}", f'Content-Type: {kind}; charset="utf-8"', "MIME-Version: 1.0", "Content-Transfer-Encoding: base64"]
        lines += [f'Content-Disposition: attachment; filename="{name}"', "", *(coded[n : n + 76] for n in range(0, len(coded), 76)), ""]
    return "\n".join([*lines, f"--{boundary}--", ""])


def _kind(content: str) -> str:
    if content.startswith("Content-Type: multipart/"):
        return content.split("\n", 1)[0].removeprefix("Content-Type: ").strip()
    return next((kind for start, kind in KINDS if content.startswith(start)), "text/plain")


def translate(foreign_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """Heat's MultipartMime: parts of ``config``, ``type`` (text or multipart), ``subtype`` and ``filename``."""
    parts = properties.pop("$parts", None)
    if isinstance(parts, list):
        properties["parts"] = [_part(p) if isinstance(p, dict) else p for p in parts]
    return properties


def _part(part: dict[str, Any]) -> dict[str, Any]:
    found = {"content": part.get("config"), "filename": part.get("filename"), "type": f"text/{part['subtype']}" if part.get("subtype") else None}
    return {k: v for k, v in found.items() if v is not None}
