"""Limits of AWS's own service. None of them is needed here, so each is a warning."""

from __future__ import annotations

from stackengine.formats.cfn.names import entries
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics

COUNTS = {"Parameters": 200, "Mappings": 200, "Resources": 500, "Outputs": 200}
"""Members of a section (CloudFormation quotas)."""
BODY = 1_000_000
"""Bytes of a template."""
DESCRIPTION = 1024
NAME = 255
HINT = "it is no limit here, but AWS would not take the template"


def check(root: Node, text: str, diagnostics: Diagnostics) -> None:
    """Warn of what AWS would refuse."""
    if len(text) > BODY and len(text.encode()) > BODY:
        diagnostics.warning("C170", f"the template is larger than {BODY} bytes", root.mark, HINT)
    for section, most in COUNTS.items():
        node = root.get(section)
        if len(entries(node)) > most:
            assert node is not None
            diagnostics.warning("C170", f"{section} has {len(node.entries)} members, more than {most}", node.mark, HINT)
        for key, _ in entries(node):
            if len(key.text) > NAME:
                diagnostics.warning("C170", f"the name {key.text[:40]}… is longer than {NAME} characters", key.mark, HINT)
    description = root.get("Description")
    if description is not None and len(description.text.encode()) > DESCRIPTION:
        diagnostics.warning("C170", f"Template format error: 'Description' length is greater than {DESCRIPTION}.", description.mark, HINT)
