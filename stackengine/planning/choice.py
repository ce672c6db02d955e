"""The instance that will stand for a path, and how it gets there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from stackengine.model.desired import DesiredResource
from stackengine.model.diagnostics import Diagnostic
from stackengine.model.instance import DiskCopy, Instance
from stackengine.model.template import Policies
from stackengine.planning.plan import Change
from stackengine.registry import ResourceTypeInfo

Kind = Literal["keep", "create", "update", "read", "move"]


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
    copy: DiskCopy | None = None
    """What is taken of its disks first, as it grows them or writes over them."""
    uncopied: str = ""
    """Why no copy of such disks can be taken."""
    lasting: list[Diagnostic] = field(default_factory=list)
    """What stays as it is on the way back, since it cannot be taken back."""
    restore: DiskCopy | None = None
    """What its disks come back from."""


def same_policies(one: Policies, other: Policies) -> bool:
    """What something was called before makes no difference to it."""
    return one == other or replace(one, moved_from="") == replace(other, moved_from="")
