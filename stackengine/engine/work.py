"""What an action does on its host: the handler's method with what it is given, as a callable for one of the runner's threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from stackengine.engine.context import ActionContext, ContextParts
from stackengine.engine.ports import Result, Runner
from stackengine.engine.resolution import Resolution
from stackengine.model.instance import DiskCopy, Instance, Recorded
from stackengine.planning.plan import Action
from stackengine.registry import Registry, ResourceTypeInfo
from stackengine.sdk import Attempt, Described, Disks, FailedError, Host, listening

PROGRESS, ATTEMPT = "progress:", "attempt:"
"""Prefixes of the keys of results that are not the end of an action."""


@dataclass(slots=True)
class Limit:
    """How long an action may take by its own policy."""

    action: Action
    deadline: float
    over: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """An action as it begins."""

    action: Action
    info: ResourceTypeInfo
    instance: Instance
    """As it is recorded from now on."""
    plain: dict[str, Any]
    """Its properties, with secrets revealed."""
    contributed: dict[str, Any]
    old: Instance | None
    """As it was recorded before."""
    limit: Limit


class Works:
    """Makes the work of actions."""

    def __init__(
        self, registry: Registry, hosts: Callable[[str], Host], recorded: Recorded, resolution: Resolution, parts: ContextParts, runner: Runner
    ) -> None:
        self._registry, self._hosts, self._recorded, self._resolution, self._parts, self._runner = registry, hosts, recorded, resolution, parts, runner

    def of(self, begun: Begun) -> Callable[[], Any]:
        """The work of one action; everything that it needs of the recorded state is taken now."""
        action, info, recorded, limit, key = begun.action, begun.info, begun.instance, begun.limit, begun.action.id

        def progress(message: str) -> None:
            self._runner.deliver(Result(PROGRESS + key, message))

        def attempt(found: Attempt) -> None:
            self._runner.deliver(Result(ATTEMPT + key, found))

        last = self._resolution.opened(begun.old.properties) if begun.old is not None and action.verb == "update" else begun.plain
        referred = self._resolution.referred(recorded)
        of = self._recorded.instances[action.of].physical_id if action.of in self._recorded.instances else action.of
        companions = [] if info.handler.inline else self._companions(recorded)
        attributes = self._resolution.opened(recorded.attributes)
        instance = recorded.but(attributes=attributes) if attributes is not recorded.attributes else recorded
        contributed = begun.contributed

        def work() -> Any:
            self._parts.check()
            origin = self._hosts(instance.origin) if instance.origin else None
            context = ActionContext(self._parts, instance, info, self._hosts(instance.host), referred, progress, contributed, lambda: limit.over,
                                    recorded, companions, origin)  # fmt: skip
            context.check()
            with listening(attempt):
                return _do(action, info, context, instance, begun.plain, last, of)

        return work

    def _companions(self, instance: Instance) -> list[Instance]:
        """What is nothing but its record and is referred to, directly or by another such one: the object carries it along."""
        found: dict[str, Instance] = {}
        queue = sorted(instance.refs)
        while queue:
            other = self._recorded.instances.get(queue.pop(0))
            if other is not None and other.id not in found and self._is_record(other):
                found[other.id] = other
                queue += sorted(other.refs)
        return list(found.values())

    def _is_record(self, instance: Instance) -> bool:
        """Whether the instance is nothing but its record: no host would know of it, or not as one of the stack's."""
        info = self._registry.get(instance.type)
        return instance.external or (info is not None and info.handler.inline)


def _do(action: Action, info: ResourceTypeInfo, context: ActionContext, instance: Instance, plain: dict[str, Any], last: Mapping[str, Any], of: str) -> Any:
    handler = info.handler
    match action.verb:
        case "create":
            return handler.create(context, plain)
        case "update":
            return handler.update(context, plain, last)
        case "move":
            return handler.move(context, plain)
        case "read":
            return _read_again(handler.describe(context.host, instance.physical_id, plain), instance)
        case "delete":
            for end in context.ends():
                handler.delete(end, plain)
        case "stop":
            return handler.stop(context, plain)
        case "release":
            return handler.release(context, plain, of)
        case "snapshot":
            return handler.snapshot(context, plain)
        case "copy":
            return handler.take_copies(context, _disks(action.copy))
        case "restore":
            return handler.bring_back(context, plain, _disks(action.copy))
        case "discard":
            return handler.drop_copies(context, [d for copy in instance.copies for d in copy.disks])
    return None


def _disks(copy: DiskCopy | None) -> Disks:
    return copy.disks if copy is not None else ()


def _read_again(found: Described | None, planned: Instance) -> dict[str, Any]:
    """The attributes of an object that is used and not owned; FailedError when it is not what the plan saw."""
    if found is None or found.identity["physical_id"] != planned.physical_id or dict(found.properties) != planned.properties:
        raise FailedError("it is not as it was when the plan was made", hint="run the command again: it plans with what is there now")
    return dict(found.attributes)
