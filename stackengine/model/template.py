"""The neutral template: what a HOT, CloudFormation or TOSCA file says, before anything is evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from stackengine.model.expr import Entry, Expr, Map
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
    (value: regular expression), ``modulo`` (value: ``{"step":…, "offset":…}``), ``custom`` (value: name), ``numeric`` (text that is a
    number), ``allowed_texts`` (value: pairs of a text and another way to write it), ``check`` (value: a function that says what is wrong with
    a value, or the empty string).
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
    rules: Literal["", "heat"] = ""
    """``heat``: values become text, lists and numbers as Heat makes them (``True``; items of a list are not trimmed; JSON may be any value)."""
    declared: str = ""
    """The type in the language's own words (``List<AWS::EC2::Subnet::Id>``)."""
    nullable: bool = False
    """Without a value it is null, whatever its type (TOSCA inputs that are not required)."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a rule asserts: an expression that gives a boolean, and what to say when it does not hold."""

    holds: Expr
    description: str = ""
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold of the parameters (CloudFormation's section Rules)."""

    name: str
    condition: Expr | None
    assertions: tuple[Assertion, ...]
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
    protect: bool | None = None
    """Whether nothing may delete or replace it; None: as it was said last, so that a protection survives its removal from the template."""
    timeout: float | None = None
    """Seconds that one action on it may take, or None."""
    moved_from: str = ""
    """The path under which it was known before."""
    disk_copy: Literal["always", "never"] = "always"
    """Whether its disks are copied before an update grows them or writes over them, so that a rollback can bring them back."""
    extra: dict[str, Any] = field(default_factory=dict)


NestedKind = Literal["stack", "group", "chain", "substitution"]


@dataclass(frozen=True, slots=True)
class Nested:
    """What a resource stands for that is more than one object: a template of its own, or members.

    ``stack`` and ``substitution`` have a ``template`` (parsed, in any language); ``group`` has one member definition and a ``count``;
    ``chain`` has one member per link. How formats make one: :mod:`stackengine.formats.nesting`; what it means:
    :mod:`stackengine.evaluate.nested`.
    """

    kind: NestedKind
    template: Template | None = None
    bindings: Expr | None = None
    """What the parent gives for the child's parameters, in the parent's scope; None: the resource's properties."""
    attributes: dict[str, Expr] = field(default_factory=dict)
    """Attributes besides the child's outputs, in the child's scope (TOSCA substitution mappings)."""
    ref: Expr | None = None
    """What a bare reference gives, in the child's scope; None: the scope's own id, known when all in it is there."""
    members: tuple[Resource, ...] = ()
    """group: the definition; chain: the links in order. Their expressions belong to the parent's scope."""
    count: Expr | None = None
    index_variable: str = ""
    """Text in a member's properties that stands for the member's key."""
    removed: Expr | None = None
    """group: keys of members that are taken out for good (a list of keys, or of lists of keys)."""
    removed_mode: Expr | None = None
    """``append`` (default): keys taken out before stay out; ``update``: only those named now."""
    each: Expr | None = None
    """group: a map, in place of a count: one member for each of its keys."""
    plural: dict[str, str] = field(default_factory=dict)
    """group: attributes that are maps of a member's attribute by key (``deploy_stdouts`` of ``deploy_stdout``)."""
    joined: dict[str, str] = field(default_factory=dict)
    """Attributes of a group that are one of each member's, with commas between them (Heat: InstanceList)."""
    types: Expr | None = None
    """chain: the types of its links, where they are computed; ``members`` are those that may be meant, with the type as ``logical_id``."""
    concurrent: Expr | None = None
    """chain: whether the links are made at the same time; None or false: one after the other."""
    mark: Mark = NOWHERE


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
    nested: Nested | None = None
    mark: Mark = NOWHERE
    type_mark: Mark = NOWHERE
    computed: Expr | None = None
    """All properties as one expression (HOT ``properties: {map_merge: …}``); ``properties`` is empty then."""
    deletion: Expr | None = None
    """The deletion policy where it is computed (HOT); its value is one of :data:`DeletionPolicy`, in any case."""
    stands_for: str = ""
    """The type whose native type it gets, where its own is one of the template's (TOSCA: the nearest ancestor that has one). Properties that
    this type does not know are the language's only."""
    taken: tuple[Entry, ...] = ()
    """Properties that another resource says for it (a launch template); only the native side has them."""


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
class Procedure:
    """What runs on a stack that is there when somebody asks for it: an imperative workflow of TOSCA."""

    name: str
    resources: dict[str, Resource] = field(default_factory=dict)
    """What is made for one run, and taken away after it."""
    recoveries: dict[str, dict[str, Resource]] = field(default_factory=dict)
    """What is made when one of ``resources`` fails."""
    parameters: dict[str, Parameter] = field(default_factory=dict)
    refusal: str = ""
    """Why it cannot be run; empty where it can."""
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
    rules: tuple[Rule, ...] = ()
    procedures: dict[str, Procedure] = field(default_factory=dict)

    @property
    def heat(self) -> bool:
        """Whether it is Heat's: HOT, or in CloudFormation's shape with Heat's rules."""
        return self.language == "hot" or self.version == "2012-12-12"
