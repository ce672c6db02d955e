"""The instance that will stand for a path, and how it gets there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from stackengine.model.desired import DesiredResource
from stackengine.model.instance import Instance
from stackengine.model.template import Policies
from stackengine.planning.plan import Change
from stackengine.registry import ResourceTypeInfo

Kind = Literal["keep", "create", "update", "read"]


@dataclass(slots=True)
class Choice:
    """The instance that will stand for a path, as it will be, and how it gets there."""

    resource: DesiredResource
    info: ResourceTypeInfo
    instance: Instance
    kind: Kind
    changes: list[Change] = field(default_factory=list)
    old: Instance | None = None
    """The same instance as recorded (None for a new one)."""
    reason: str = ""
    maybe: bool = False
    """A create-only property is still unknown."""


def same_policies(one: Policies, other: Policies) -> bool:
    """What something was called before makes no difference to it."""
    return one == other or replace(one, moved_from="") == replace(other, moved_from="")
