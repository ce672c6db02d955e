"""AWS::CloudFormation::Stack: a template in a file beside the parent."""

from __future__ import annotations

from dataclasses import replace

from stackengine.formats.nesting import Loader
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.expr import Literal, Map
from stackengine.model.template import Nested, Resource

STACK = "AWS::CloudFormation::Stack"


def with_nested(resource: Resource, loader: Loader, file: str, diagnostics: Diagnostics) -> Resource | None:
    """``resource`` with what it stands for; None where that could not be loaded (reported)."""
    kind = loader.kind_of(resource.type, resource.logical_id, file, resource.type_mark)
    if kind.missing:
        return None
    if kind.template is not None:
        return replace(resource, nested=Nested("stack", kind.template, mark=resource.type_mark))
    if kind.name != STACK:
        return replace(resource, type=kind.name)
    url = resource.properties.get("TemplateURL")
    if not isinstance(url, Literal) or not isinstance(url.value, str):
        diagnostics.error("C140", f"{resource.logical_id}: TemplateURL must be the name of a file beside the template", (url or resource).mark)
        return None
    child = loader.child(url.value, file, url.mark)
    bindings = resource.properties.get("Parameters") or Map(())
    return replace(resource, nested=Nested("stack", child, bindings=bindings, mark=resource.mark)) if child is not None else None
