"""What a template declares: names that functions may mention."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stackengine.formats.build import text_of
from stackengine.formats.tree import Node
from stackengine.model.template import Parameter

if TYPE_CHECKING:
    from stackengine.formats.cfn.early import Early

PSEUDO = ("AWS::StackName", "AWS::StackId", "AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::URLSuffix", "AWS::NotificationARNs")
SECTIONS_OF_MAPS = ("Parameters", "Mappings", "Conditions", "Rules", "Resources", "Outputs")


@dataclass(frozen=True, slots=True)
class Names:
    """Declared names by section, and what the transforms of the template allow."""

    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    faulty: frozenset[str] = frozenset()
    """Resources that are declared and left out, because they are not in order; that is reported."""
    extended: bool = False
    """Whether the template has AWS::LanguageExtensions."""
    loose: bool = False
    """Whether a transform that is not carried out may declare more names."""
    heat: bool = False
    """Whether the template is Heat's own CloudFormation form (HeatTemplateFormatVersion)."""
    lines: tuple[str, tuple[str, ...]] = ("", ())
    """The template's file and its lines: where exactly a name stands in a text."""
    modules: tuple[str, ...] = ()
    """Resources that are modules: names that begin with one of them may be inside of it."""
    early: Early | None = None
    """Values that are known before anything is evaluated."""

    def in_module(self, name: str) -> bool:
        """Whether a name may be of a resource in a module."""
        return any(name != m and name.startswith(m) for m in self.modules)

    def kind_of(self, parameter: str) -> str:
        """The declared type of a parameter, for example ``List<Number>``."""
        return self.parameters[parameter].declared


def entries(node: Node | None) -> tuple[tuple[Node, Node], ...]:
    """The entries of a mapping, none where there is no mapping."""
    return node.entries if node is not None and node.kind == "map" else ()


def without_type(resources: Node | None) -> Iterator[str]:
    """Resources that cannot be read at all."""
    return (k.text for k, v in entries(resources) if v.kind != "map" or not text_of(v.get("Type")))
