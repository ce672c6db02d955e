"""AWS::CloudFormation::Stack: a template in a file beside the parent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stackengine.formats.cfn.early import Early
from stackengine.formats.cfn.names import entries
from stackengine.formats.nesting import Loader
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Map
from stackengine.model.template import Nested, Resource

STACK = "AWS::CloudFormation::Stack"
REMOTE = ("http://", "https://", "s3://", "{{resolve:")


def with_nested(
    resource: Resource, properties: Node | None, loader: Loader, file: str, early: Early, diagnostics: Diagnostics, *, loose: bool
) -> Resource | None:
    """``resource`` with what it stands for; None where that could not be loaded (reported)."""
    kind = loader.kind_of(resource.type, resource.logical_id, file, resource.type_mark)
    if kind.missing:
        return None
    if kind.template is not None:
        return replace(resource, nested=Nested("stack", kind.template, mark=resource.type_mark))
    if kind.name != STACK:
        return replace(resource, type=kind.name)
    url = properties.get("TemplateURL") if properties is not None and properties.kind == "map" else None
    if url is None and loose:
        return resource
    if url is None:
        diagnostics.error("C140", f"{resource.logical_id}: TemplateURL must be the name of a file beside the template", resource.mark)
        return None
    name = early.text(url)
    if name is None or (name.startswith(REMOTE) and not loader.reaches(name)):
        shown = "a file that is known only later" if name is None else name
        diagnostics.warning(
            "C141", f"{resource.logical_id}: its template is not beside this one: {shown}", url.mark, "copy it here, and name the file in TemplateURL"
        )
        return resource
    child = loader.child(name, file, url.mark, _given(properties, early))
    bindings = resource.properties.get("Parameters") or Map(())
    return replace(resource, nested=Nested("stack", child, bindings=bindings, mark=resource.mark)) if child is not None else None


def _given(properties: Node | None, early: Early) -> dict[str, Any]:
    """What is known now of the child's parameters: its loops need them."""
    node = properties.get("Parameters") if properties is not None else None
    found: dict[str, Any] = {}
    for key, value in entries(node):
        text = early.text(value)
        items = early.items(value) if text is None else None
        if text is not None or items is not None:
            found[key.text] = text if text is not None else items
    return found
