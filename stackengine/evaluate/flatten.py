"""Flattens a template and everything nested in it into resources by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from stackengine.evaluate.levels import SETTABLE, Level
from stackengine.evaluate.nested import Placed, PlacedGroup, PlacedStack
from stackengine.evaluate.parameters import Bindings
from stackengine.evaluate.rules import check_rules
from stackengine.evaluate.trail import ReportedError, Trail
from stackengine.formats.nesting import UNREAD
from stackengine.model.desired import Scope
from stackengine.model.diagnostics import Diagnostics, did_you_mean
from stackengine.model.mark import Mark
from stackengine.model.template import DependsOn, Policies, Resource, Template
from stackengine.model.values import Value

if TYPE_CHECKING:
    from stackengine.evaluate.evaluate import Environment

MAX_RESOURCES = 20_000


_KINDS = {"stack": PlacedStack, "substitution": PlacedStack, "group": PlacedGroup, "chain": PlacedGroup}


class Flattening:
    """One flattening of a template: what all its levels share."""

    def __init__(self, diagnostics: Diagnostics, environment: Environment, previous: Mapping[str, Scope]) -> None:
        self.diagnostics, self.environment, self.previous = diagnostics, environment, previous
        self.trail = Trail(diagnostics)
        self.scopes: dict[str, Scope] = {}
        self.levels: dict[str, Level] = {}
        self.placed: dict[str, Placed] = {}
        """Every resource that applies, by path; nested ones, too."""
        self.left_out: set[str] = set()
        """Paths whose condition does not hold."""
        self.pseudo: dict[str, Value] = {}
        """Pseudo parameters that were given; nested templates have them, too."""
        self.imports: set[str] = set()
        """Exports of other stacks that are used."""
        self.told: set[tuple[str, Mark]] = set()
        """What was refused, and where."""
        self.asked_placeholders: set[str] = set()
        """Paths of placeholders of which some attribute was asked for."""
        self._full = False
        self._missing: set[tuple[str, Mark]] = set()

    def root(self, template: Template, bindings: Bindings, names: tuple[str, str]) -> Level:
        """The level of the template that was asked for."""
        self.pseudo = {n: bound[0] for n, _ in bindings.names() if n in SETTABLE and (bound := bindings.get(n)) is not None}
        level = Level(self, "", template, bindings, names)
        level.parameters.check_names()
        self.levels[""] = level
        check_rules(level)
        return level

    def level(self, placed: Placed, template: Template, bindings: Bindings, names: tuple[str, str]) -> Level:
        """The level of a nested template."""
        level = Level(self, placed.path, template, bindings, names)
        level.inherited, level.stands_for = (placed.policies, placed.below(placed.resource)), placed
        return level

    def place(
        self, path: str, resource: Resource, level: Level, *, scope: str | None = None, outer: Policies | None = None,
        waits: tuple[DependsOn, ...] | None = None,
    ) -> Placed:  # fmt: skip
        """A resource that applies. ``scope``, ``outer`` and ``waits`` are the group's for a member, else the level's."""
        if len(self.placed) >= MAX_RESOURCES:
            if not self._full:
                self.diagnostics.error("N111", f"the stack has more than {MAX_RESOURCES} resources", resource.mark, "is a count too big?")
            self._full = True
            raise ReportedError(path)
        kind = _KINDS[resource.nested.kind] if resource.nested is not None and resource.nested.template is not UNREAD else Placed
        policies = inherit(level.policies_of(resource), level.inherited[0] if outer is None else outer)
        placed = kind(path, resource, level, level.path if scope is None else scope, policies, level.inherited[1] if waits is None else waits)
        self.placed[path] = placed
        return placed

    def report_missing(self, path: str, mark: Mark) -> None:
        """R102, once for a place."""
        if (path, mark) not in self._missing:
            self._missing.add((path, mark))
            self.diagnostics.error("R102", f"there is no resource {path}", mark, did_you_mean(path, self.placed))

    def targets(self, path: str) -> list[str] | None:
        """The ordinary resources that a path stands for: none where its condition does not hold; None where there is nothing of this path."""
        if path in self.placed:
            return [p.path for p in self.placed[path].inside()]
        return [] if path in self.left_out else None

    def everything(self, level: Level) -> Iterator[Placed]:
        """Every ordinary resource of a level and below, in the order of the templates; scopes are recorded on the way."""
        for name in level.template.resources:
            try:
                placed = level.placed(name)
                if placed is not None:
                    yield from self._inside(placed)
            except ReportedError:
                continue

    def _inside(self, placed: Placed) -> Iterator[Placed]:
        language = placed.level.template.language
        match placed:
            case PlacedStack():
                placed.child.parameters.check_names()
                check_rules(placed.child)
                self.levels[placed.path] = placed.child
                self.scopes[placed.path] = Scope(placed.path, placed.child.template.language, placed.child.bound(), placed.policies)
                yield from self.everything(placed.child)
            case PlacedGroup():
                members, removed = placed.keys
                self.scopes[placed.path] = Scope(placed.path, language, {}, placed.policies, members, removed)
                for member in placed.members.values():
                    yield from self._inside(member)
            case _:
                yield placed


def inherit(own: Policies, outer: Policies) -> Policies:
    """A resource keeps its own deletion policy; where it has none, that of what it is nested in counts, as deleting a stack deletes what is in it."""
    if own.deletion == "Delete" and outer.deletion != "Delete":
        own = replace(own, deletion=outer.deletion)
    if own.update_replace == "Delete" and outer.update_replace != "Delete":
        own = replace(own, update_replace=outer.update_replace)
    return own
