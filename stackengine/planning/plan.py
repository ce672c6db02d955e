"""The plan: every action, its order, its host and its reason, fully lowered. The walk only obeys it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from stackengine.model.desired import Need
from stackengine.model.diagnostics import Diagnostic
from stackengine.model.instance import Claim, DiskCopy, Instance
from stackengine.model.mark import NOWHERE, Mark
from stackengine.model.values import Value
from stackengine.sdk import Effect, Gate

Verb = Literal["create", "update", "delete", "stop", "release", "retain", "read", "snapshot", "copy", "restore", "discard", "move"]
Phase = Literal["main", "early", "tail"]


@dataclass(frozen=True, slots=True)
class Change:
    """One property that differs; ``prop`` is a dotted path below the native properties (``contributed.KEY`` for contributions)."""

    prop: str
    old: Value
    new: Value
    effect: Effect
    reason: str = ""
    mark: Mark = NOWHERE


@dataclass(frozen=True, slots=True)
class Edge:
    """``action`` (its id) must have got to ``need`` first; ``done`` is the end of a stop, release or delete."""

    action: str
    need: Need | Literal["done"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One step. ``id`` is ``verb:path@generation`` (``verb:path@generation:of`` where there is an ``of``)."""

    id: str
    verb: Verb
    instance: Instance
    """For create and update: as it will be (properties may hold Unknown); otherwise as recorded."""
    reason: str
    after: tuple[Edge, ...] = ()
    changes: tuple[Change, ...] = ()
    effect: Effect = "none"
    phase: Phase = "main"
    gate: Gate | None = None
    previous: Instance | None = None
    """For update: the instance as recorded; for a create that replaces: the one replaced."""
    of: str = ""
    """release: the instance id that is let go; copy, restore: the copy's id."""
    copy: DiskCopy | None = None
    """copy: what is taken of the disks; restore, and the create after it: what their content comes back from."""
    possible_replace: bool = False
    """A create-only property is still unknown; dropped when it turns out equal."""
    notes: tuple[str, ...] = ()
    """What the user should know beforehand (``rollback has to rebuild it``, ``interrupts web for about 20 s``)."""
    mark: Mark = NOWHERE
    holds_data: bool = False

    @property
    def path(self) -> str:
        """The logical path."""
        return self.instance.path

    @property
    def new_claims(self) -> tuple[Claim, ...]:
        """What it claims that its object does not have yet."""
        if self.verb in ("create", "move"):
            return self.instance.claims
        if self.verb != "update" or self.previous is None:
            return ()
        return tuple(c for c in self.instance.claims if c not in self.previous.claims)

    @property
    def replaces(self) -> bool:
        """Whether it makes a new generation in place of another; a create may also finish what is there in part."""
        return self.verb == "create" and self.previous is not None and self.previous.id != self.instance.id

    @property
    def finishes(self) -> bool:
        """Whether it makes an object sure that is there: an earlier operation left it unfinished, or its disks were brought back."""
        same = self.verb == "create" and self.previous is not None and self.previous.id == self.instance.id
        return same and self.previous is not None and (not self.previous.sure or self.copy is not None)


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions by id, in an order that is topological."""

    actions: dict[str, Action] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)
    """path -> instance id that will stand for it afterwards."""
    unchanged: tuple[str, ...] = ()
    """Instance ids with nothing to do."""
    claims: tuple[Claim, ...] = ()
    """New claims, proposals until ``submit`` takes them in its transaction."""
    diagnostics: tuple[Diagnostic, ...] = ()
    outputs: dict[str, Value] = field(default_factory=dict)
    """Outputs as far as they are known now (``Unknown`` otherwise)."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.actions

    def replaced(self) -> set[str]:
        """Paths whose instance is replaced by a new generation."""
        gone = {a.path for a in self.actions.values() if a.verb in ("delete", "retain") and not a.instance.external}
        return {a.path for a in self.actions.values() if a.verb == "create" and a.path in gone}

    def counts(self) -> dict[str, int]:
        """``add``, ``change``, ``replace``, ``destroy``, ``retain`` (no longer managed, and left as it is) for the summary line."""
        replaced = self.replaced()
        of = [("update" if a.finishes else a.verb, a.path in replaced) for a in self.actions.values() if not a.instance.external]
        return {
            "add": sum(1 for v, r in of if v == "create" and not r),
            "change": sum(1 for v, _ in of if v in ("update", "move")),
            "replace": len(replaced),
            "destroy": sum(1 for v, r in of if v == "delete" and not r),
            "retain": sum(1 for v, r in of if v == "retain" and not r),
        }
