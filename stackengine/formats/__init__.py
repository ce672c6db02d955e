"""Text to Template: the located tree, language detection, and one room per language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stackengine.formats.nesting import Loader, TypeMapping
from stackengine.formats.reader import Macros, NoReader, Reader
from stackengine.formats.tree import Node
from stackengine.model.diagnostics import Diagnostics
from stackengine.model.template import Language, Template

__all__ = ["Loader", "Macros", "NoReader", "Reader", "TypeMapping", "load", "parse_text"]


def load(
    text: str, name: str, reader: Reader, diagnostics: Diagnostics, types: TypeMapping | None = None, given: Mapping[str, Any] | None = None,
    macros: Macros | None = None, *, lenient: bool = False,
) -> Template | None:  # fmt: skip
    """The template in ``text``, with the templates nested in it; None when it has errors (or, in CloudFormation, the rest of it).

    ``types`` is what environment files say of types, ``given`` what is known of parameters (CloudFormation's loops are written out with them),
    ``macros`` runs the template's macros. ``lenient``: give what there is of a template that has errors, and only warn of nested templates
    that cannot be read. Every file read stands in ``Template.sources``.
    """
    loader = Loader(reader, diagnostics, types, given, macros, lenient=lenient)
    loader.opened(name)
    template = parse_text(text, name, loader, diagnostics)
    if template is None or not loader.sources:
        return template
    return replace(template, sources=tuple(dict.fromkeys((*template.sources, *loader.sources))))


def parse_text(text: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    """One template of a load, without what is wrong in it, so that evaluation finds the rest; a TOSCA one that has errors is None, as little of it means
    anything without the types that are wrong."""
    from stackengine.formats.detect import language_of
    from stackengine.formats.tree import compose

    before = len(diagnostics.errors)
    tagged: list[Node] = []
    root = compose(text, name, diagnostics, tagged, any_keys="tosca_definitions_version" in text)
    if root is None:
        return None
    language = language_of(root, diagnostics)
    for node in tagged if language in ("hot", "tosca") else ():
        diagnostics.error("T115", f"the tag {node.tag} means nothing here", node.mark, "short forms such as !Ref are CloudFormation's" if language else "")
    try:
        template = _parse(language, root, text, name, loader, diagnostics)
    except RecursionError:
        diagnostics.error("T106", "what is said here refers to something else too many times over", root.mark)
        template = None
    return template if loader.lenient or language != "tosca" or len(diagnostics.errors) == before else None


def _parse(language: Language | None, root: Node, text: str, name: str, loader: Loader, diagnostics: Diagnostics) -> Template | None:
    match language:
        case "hot":
            from stackengine.formats.hot import parse as hot

            return hot.parse(root, text, name, loader, diagnostics)
        case "cfn" if root.get("HeatTemplateFormatVersion") is not None:
            from stackengine.formats.hot import cfn_shaped

            return cfn_shaped.parse(root, text, name, loader, diagnostics)
        case "cfn":
            from stackengine.formats.cfn import parse as cfn

            return cfn.parse(root, text, name, loader, diagnostics)
        case "tosca":
            from stackengine.formats.tosca import parse as tosca

            return tosca.parse(root, text, name, loader, diagnostics)
    return None
