"""A neutral template as text of its language: what ``convert`` prints, and what ``parse`` reads back as the same template.

T201 says what the language has no words for; T202 what is left out because it has no meaning there.
"""

from __future__ import annotations

from stackengine.model.diagnostics import Diagnostics
from stackengine.model.template import Template

__all__ = ["write"]


def write(template: Template, diagnostics: Diagnostics) -> str:
    """YAML in ``template.language``; what cannot be said is reported and left out."""
    from stackengine.formats.write.yaml_text import dump

    match template.language:
        case "hot":
            from stackengine.formats.write import hot

            return dump(hot.data(template, diagnostics))
        case "cfn":
            from stackengine.formats.write import cfn

            return dump(cfn.data(template, diagnostics))
        case _:
            from stackengine.formats.write import tosca

            return dump(tosca.data(template, diagnostics))
