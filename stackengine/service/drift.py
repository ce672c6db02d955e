"""Drift: every object is read, and what differs from what we applied is recorded and shown; repair is a plan like any other."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from stackengine.engine import ContextParts
from stackengine.engine.context import ActionContext
from stackengine.engine.redact import Redactor
from stackengine.engine.resolution import Resolution
from stackengine.events import Event
from stackengine.model.codec import value_to_json
from stackengine.model.desired import Desired, DesiredResource
from stackengine.model.instance import Instance, Recorded
from stackengine.model.values import Value
from stackengine.planning.diff import compare
from stackengine.planning.plan import Plan
from stackengine.registry import ResourceTypeInfo
from stackengine.sdk import DRIFT, Host, HostError, NotFoundError
from stackengine.service import grounds, inventory, prepare
from stackengine.service.session import Session
from stackengine.service.types import Preview, ServiceError
from stackengine.store.errors import BusyError
from stackengine.store.store import StackRow


@dataclass(frozen=True, slots=True)
class Difference:
    """One property that is not as we applied it. ``found`` None with ``prop`` empty: the object is gone."""

    path: str
    type: str
    id: str
    prop: str
    expected: Value
    found: Value
    effect: str
    """How it would be put right: live, reboot, replace; none where that cannot be done here."""
    external: bool = False
    """Of an object that is used and not the stack's."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What reading a stack showed."""

    stack: str
    differences: tuple[Difference, ...]
    read: int
    unfinished: tuple[str, ...]
    """Instances that an operation left unfinished: they are not compared."""
    unreadable: tuple[tuple[str, str], ...]
    """(instance, why) of those that could not be read."""


def look(session: Session, name: str) -> Drift:
    """Read every object of a stack, record what was seen, and say what differs."""
    row = prepare.find_stack(session, name)
    recorded = session.store.recorded(row.id)
    hosts = Hosts(session, row)
    reader = Reader(session, row, recorded, hosts.of)
    differences, unreadable, events = list[Difference](), list[tuple[str, str]](), list[Event]()
    sure = [i for i in recorded.instances.values() if i.sure and i.status not in ("deleting", "creating", "updating")]
    for instance in sorted(sure, key=lambda i: (i.path, i.generation)):
        try:
            host = hosts.of(instance)
            observed = reader.read(instance)
        except (HostError, ServiceError) as error:
            unreadable.append((instance.id, str(error)))
            continue
        found = differences_of(session, instance, observed, host)
        differences += found
        if found or instance.id in recorded.observed:
            events.append(Event("observed", instance.path, instance.generation, "", {"properties": value_to_json(observed)}))
    if events:
        try:
            session.store.amend(row, events, {})
        except BusyError as error:
            raise ServiceError(str(error), hint=error.hint) from error
    unfinished = tuple(sorted(i.id for i in recorded.instances.values() if i not in sure))
    return Drift(name, tuple(differences), len(sure) - len(unreadable), unfinished, tuple(unreadable))


class Hosts:
    """The hosts of a stack's instances: one that is dead or cannot be had is asked once, and only for what is on it."""

    def __init__(self, session: Session, row: StackRow) -> None:
        self._session, self._row = session, row
        self._found: dict[str, Host | ServiceError] = {}
        self._dead = inventory.dead(session)

    def of(self, instance: Instance) -> Host:
        """The host of an instance; ServiceError says why it cannot be asked."""
        uri = instance.host or self._row.host
        if uri not in self._found:
            self._found[uri] = self._open(uri)
        found = self._found[uri]
        if isinstance(found, ServiceError):
            raise found
        return found

    def _open(self, uri: str) -> Host | ServiceError:
        if uri in self._dead:
            return ServiceError(f"{uri} is dead", hint=f"stack-run evacuate {uri}")
        try:
            return grounds.opened(self._session, uri)
        except ServiceError as error:
            return error


def preview_repair(session: Session, name: str) -> Preview:
    """Read everything, then the plan that brings it back to the current revision."""
    row = prepare.find_stack(session, name)
    if not row.revision:
        raise ServiceError(f"{name} has no revision to go back to", hint="stack-run up makes one")
    look(session, name)
    return prepare.prepare_revision(session, prepare.find_stack(session, name), row.revision, "repair")


class Reader:
    """Reads objects of one stack as its handlers do."""

    def __init__(self, session: Session, row: StackRow, recorded: Recorded, host_of: Callable[[Instance], Host]) -> None:
        self._registry, self._host_of = session.registry, host_of
        self._redactor = Redactor()
        self._resolution = Resolution(Plan(), Desired(), recorded, session.store.vault(row.id), self._redactor)
        self._parts = ContextParts(
            row.name, row.id, session.store.id, lambda: None, time.sleep, time.monotonic, lambda url, sha: session.images.open_source(url, sha, lambda: None)
        )

    def context(self, instance: Instance) -> ActionContext:
        """The context in which an instance is read."""
        info = self._registry.types[instance.type]
        opened = replace(instance, attributes=self._resolution.opened(instance.attributes))
        contributed = self._resolution.opened(instance.contributed)
        return ActionContext(self._parts, opened, info, self._host_of(instance), self._resolution.referred(instance), lambda _message: None, contributed)

    def read(self, instance: Instance) -> dict[str, Any] | None:
        """What is there, without secrets; None when it is gone. Types that are records only are as they were recorded."""
        info = self._registry.get(instance.type)
        if info is None or info.handler.inline:
            return {}
        if instance.external:
            return self._described(instance, info)
        found = info.handler.read(self.context(instance), self._resolution.opened(instance.properties))
        clean: dict[str, Any] | None = self._redactor.value(dict(found)) if found is not None else None
        return clean


    def _described(self, instance: Instance, info: ResourceTypeInfo) -> dict[str, Any] | None:
        """What an object is now that is used and not owned; None when it is gone."""
        try:
            found = info.handler.describe(self._host_of(instance), instance.physical_id, instance.properties)
        except NotFoundError:
            return None
        return dict(found.properties) if found is not None else {}


def differences_of(session: Session, instance: Instance, observed: dict[str, Any] | None, host: Host) -> list[Difference]:
    """What differs between an instance as applied and as read; only keys that we set count, and none that are ignored."""
    head = (instance.path, instance.type, instance.id)
    if observed is None:
        return [Difference(*head, "", "there", None, "none" if instance.external else "live", instance.external)]
    if instance.external:
        names = sorted(k for k in {*instance.properties, *observed} if instance.properties.get(k) != observed.get(k))
        ignored = instance.policies.ignore_changes
        return [Difference(*head, k, instance.properties.get(k), observed.get(k), "none", True) for k in names if k not in ignored]
    info = session.registry.types[instance.type]
    resource = DesiredResource(instance.path, instance.type, instance.properties, policies=instance.policies)
    found = [Difference(*head, c.prop, c.new, c.old, c.effect) for c in compare(instance, instance.properties, info, host.profile, resource, observed)]
    notes = [Difference(*head, e["prop"], e.get("expected"), e.get("found"), "none") for e in observed.get(DRIFT, ()) if e.get("note")]
    return [*found, *notes]
