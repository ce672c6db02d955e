"""Desired state: an evaluated template, flattened into one graph of resources by path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.template import Language, Policies
from stackengine.model.values import Value

HOSTS = "hosts"
"""Key of ``Desired.extra``: path -> URI, of resources that are not on the stack's own host."""
COPIES = "copies"
"""Key of ``Desired.extra`` while a plan is made: path of a copy on another host -> path of what it is one of."""
Need = Literal["configured", "ready"]
Power = Literal["running", "stopped", "saved"]


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge: this resource after ``path``.

    ``need``: a reference needs *configured* (identity, address); ``depends_on`` and attributes that only a gate brings need *ready*.
    ``via``: the property that refers (``properties.networks``) or ``depends_on``.
    """

    path: str
    need: Need
    via: str
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class DesiredResource:
    """One resource to be: native type, evaluated properties (leaves may be Unknown, Sensitive or, once sealed, SecretRef)."""

    path: str
    type: str
    properties: dict[str, Value]
    depends: tuple[Dependency, ...] = ()
    policies: Policies = Policies()
    power: Power = "running"
    foreign_type: str = ""
    scope: str = ""
    metadata: Value = None
    external_id: Value = None
    """Physical id of an object that is used but not owned, or None."""
    marks: dict[str, Mark] = field(default_factory=dict)
    """Marks by native property name; ``""`` is the resource itself, ``"type"`` its type. For dotted paths the longest prefix counts."""
    implied: bool = False
    """Not in the template: others brought it with them."""

    def mark_of(self, prop: str = "") -> Mark:
        """The mark of a property (dotted path), or of the resource where the property has none."""
        while prop:
            if prop in self.marks:
                return self.marks[prop]
            prop = prop.rpartition(".")[0]
        return self.marks.get("", NOWHERE)


@dataclass(frozen=True, slots=True)
class DesiredOutput:
    """An output; its value may be Unknown until the stack is up."""

    name: str
    value: Value
    description: str = ""
    sensitive: bool = False
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Scope:
    """A nested template, group or composite: keeps its language, parameters and policies (``""`` is the root)."""

    path: str
    language: Language
    parameters: dict[str, Value] = field(default_factory=dict)
    policies: Policies = Policies()
    members: tuple[str, ...] = ()
    """Stable keys of a group's members, in order: recorded, and an input of the next evaluation."""
    removed: tuple[str, ...] = ()
    """Keys that were taken out of a group and never come back."""


@dataclass(frozen=True, slots=True)
class Desired:
    """What a revision wants. The empty Desired is revision 0."""

    resources: dict[str, DesiredResource] = field(default_factory=dict)
    outputs: dict[str, DesiredOutput] = field(default_factory=dict)
    scopes: dict[str, Scope] = field(default_factory=dict)
    description: str = ""
    timeout: float | None = None
    """Seconds for the whole operation, or None."""
    extra: dict[str, Any] = field(default_factory=dict)
