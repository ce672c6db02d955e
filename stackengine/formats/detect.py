"""Which language a file is in, by the key that only that language has; whether it is a file at all, and no archive."""

from __future__ import annotations

from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.template import Language


def is_archive(data: bytes) -> bool:
    """Whether the first bytes are those of a zip or of a (gzip-compressed) tar: TOSCA's archives."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06") or data[:2] == b"\x1f\x8b" or data[257:262] == b"ustar"


def language_of(root: Node, diagnostics: Diagnostics) -> Language | None:
    """The language, or None with a diagnostic."""
    if root.kind != "map":
        diagnostics.error("T110", "a template is a mapping", root.mark, "HOT, CloudFormation and TOSCA files all start with 'key: value' lines")
        return None
    keys = {k.text for k in root.key_nodes()}
    if "heat_template_version" in keys:
        return "hot"
    if "tosca_definitions_version" in keys:
        return "tosca"
    if keys & {"AWSTemplateFormatVersion", "HeatTemplateFormatVersion", "Resources"}:
        return "cfn"
    hint = "it needs heat_template_version (HOT), AWSTemplateFormatVersion or Resources (CloudFormation), or tosca_definitions_version (TOSCA)"
    diagnostics.error("T111", "this is a template of no known language", root.mark, hint)
    return None
