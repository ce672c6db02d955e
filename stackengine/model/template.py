"""The neutral template: what a HOT, CloudFormation or TOSCA file says, before anything is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from stackengine.model.expr import Expr, Map
from stackengine.model.mark import NOWHERE, Mark

Language = Literal["hot", "cfn", "tosca"]
ParameterType = Literal["string", "number", "boolean", "list", "json"]
DeletionPolicy = Literal["Delete", "Retain", "Snapshot", "RetainExceptOnCreate"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file that reading the template touched; revisions keep all of them."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule for a parameter's value.

    ``kind``: ``allowed_values`` (value: list), ``range`` and ``length`` (value: ``{"min":…, "max":…}``), ``pattern``
    (value: regular expression), ``modulo`` (value: ``{"step":…, "offset":…}``), ``custom`` (value: name).
    """

    kind: str
    value: Any
    description: str = ""
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Parameter:
    """A template parameter; ``default`` None means that a value must be given."""

    name: str
    type: ParameterType = "string"
    default: Expr | None = None
    description: str = ""
    label: str = ""
    sensitive: bool = False
    immutable: bool = False
    constraints: tuple[Constraint, ...] = ()
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class DependsOn:
    """An explicit dependency with its place."""

    target: str
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Policies:
    """What the template says about the life of one resource; names as in CloudFormation, one meaning for all languages."""

    deletion: DeletionPolicy = "Delete"
    update_replace: DeletionPolicy = "Delete"
    replace: Literal["allow", "never"] = "allow"
    ignore_changes: tuple[str, ...] = ()
    signals: dict[str, Any] | None = None
    """CloudFormation CreationPolicy ResourceSignal: ``{"count": int, "timeout": seconds}``."""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource as written; ``type`` is the language's own name (``OS::Nova::Server``)."""

    logical_id: str
    type: str
    properties: Map
    depends_on: tuple[DependsOn, ...] = ()
    condition: Expr | None = None
    metadata: Expr | None = None
    policies: Policies = Policies()
    description: str = ""
    external_id: Expr | None = None
    mark: Mark = NOWHERE
    type_mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Output:
    """A value that the stack shows when it is up."""

    name: str
    value: Expr
    description: str = ""
    condition: Expr | None = None
    sensitive: bool = False
    export: Expr | None = None
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Template:
    """A whole template in neutral form."""

    language: Language
    version: str
    resources: dict[str, Resource]
    description: str = ""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Expr] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    groups: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
