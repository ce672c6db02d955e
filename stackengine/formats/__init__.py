"""Text to Template: the located tree, language detection, and one room per language."""

from __future__ import annotations

from stackengine.formats.reader import NoReader, Reader
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.template import Template

__all__ = ["NoReader", "Reader", "load"]


def load(text: str, name: str, reader: Reader, diagnostics: Diagnostics) -> Template | None:
    """The template in ``text``; None when it has errors. Every file read stands in ``Template.sources``."""
    from stackengine.formats.detect import language_of
    from stackengine.formats.tree import compose

    root = compose(text, name, diagnostics)
    if root is None:
        return None
    before = len(diagnostics.errors)
    template: Template | None = None
    match language_of(root, diagnostics):
        case "hot":
            from stackengine.formats.hot import parse as hot

            template = hot.parse(root, text, name, reader, diagnostics)
        case "cfn":
            from stackengine.formats.cfn import parse as cfn

            template = cfn.parse(root, text, name, reader, diagnostics)
        case "tosca":
            from stackengine.formats.tosca import parse as tosca

            template = tosca.parse(root, text, name, reader, diagnostics)
    return template if len(diagnostics.errors) == before else None
