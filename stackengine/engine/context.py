"""``sdk.Context``: what a handler gets while it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import dataclass
from html import escape
from typing import Any, BinaryIO, TypeVar, cast

from stackengine.engine.revision_record import RevisionRecord
from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.codec import instance_to_json
from stackengine.model.instance import Instance
from stackengine.registry import ResourceTypeInfo
from stackengine.sdk import Cancelled, FailedError, Host, Referred

T = TypeVar("T")
NAMESPACE = "urn:stackengine:1"
PROBE_EVERY = 0.2
"""Seconds between two looks of ``wait_until``."""


@dataclass(frozen=True, slots=True)
class ContextParts:
    """What all contexts of one operation share; the service brings it."""

    stack: str
    stack_id: str
    store: str
    check: Callable[[], None]
    """Raises Cancelled when the operation was stopped or its lease is over."""
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    open_source: Callable[[str, str], tuple[BinaryIO, int, str]]
    alone: Callable[[str], AbstractContextManager[Any]] = nullcontext
    """Enters only when nobody else on this machine is inside with the same name."""
    allowed: Allowed = NOTHING
    address_of: Callable[[str], str] = lambda _uri: ""
    """The address by which others reach a host (by its URI); empty: not known."""
    recovery: str = ""
    """What makes the stack's seed again, for who has the store's key; empty: objects carry no record of themselves."""
    revision: RevisionRecord | None = None
    """The revision that the operation aims at."""


class CheckedHost:
    """A host whose every call first looks whether the operation, and this action, may still go on."""

    def __init__(self, host: Host, check: Callable[[], None]) -> None:
        self._host, self._check = host, check

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._host, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            self._check()
            return found(*args, **kwargs)

        return call


def _lean(instance: Instance) -> Instance:
    """Without what a read brings again."""
    return instance.but(attributes={}, holds=frozenset(), sure=False, status="configured", power="running")


class ActionContext:
    """The context of one action."""

    def __init__(
        self, parts: ContextParts, instance: Instance, info: ResourceTypeInfo, host: Host, referred: Mapping[str, Referred],
        progress: Callable[[str], None], contributed: Mapping[str, Any], given_up: Callable[[], bool] = lambda: False,
        recorded: Instance | None = None, companions: Sequence[Instance] = (), origin: Host | None = None,
    ) -> None:  # fmt: skip
        self.host: Host = cast(Host, CheckedHost(host, self.check))
        self.origin: Host | None = cast(Host, CheckedHost(origin, self.check)) if origin is not None else None
        self.address = parts.address_of(instance.host)
        self.stack, self.stack_id, self._given_up = parts.stack, parts.stack_id, given_up
        self.path, self.generation = instance.path, instance.generation
        self.identity: Mapping[str, Any] = instance.identity
        self.attributes: Mapping[str, Any] = instance.attributes
        self.contributed, self.allowed = contributed, parts.allowed
        self._parts, self._info, self._referred, self._progress = parts, info, referred, progress
        self._recorded, self._companions = recorded, companions

    def ends(self) -> list[ActionContext]:
        """This one, and the same at the host that the object was on its way from."""
        if self.origin is None:
            return [self]
        other = copy(self)
        other.host = self.origin
        return [self, other]

    def referred(self, physical_id: str) -> Referred | None:
        """The configured resource that a property refers to."""
        return self._referred.get(physical_id)

    def render(self, template: str, **values: Any) -> str:
        """Render a template of the type's folder."""
        return self._info.render(template, **values)

    def ownership(self) -> str:
        """The metadata element that names store, stack and path."""
        parts = self._parts
        named = {"store": parts.store, "stack": parts.stack, "stack-id": parts.stack_id, "path": self.path, "generation": str(self.generation)}
        head = f'<se:stack xmlns:se="{NAMESPACE}" ' + " ".join(f'{k}="{escape(v)}"' for k, v in named.items())
        record = self.record()
        return f"{head}><se:record>{escape(json.dumps(record, sort_keys=True), quote=False)}</se:record></se:stack>" if record else head + "/>"

    def record(self) -> dict[str, Any]:
        """What a lost database is rebuilt from: the instance as it is applied (secrets by reference) and the records that only it refers to."""
        if not self._parts.recovery or self._recorded is None:
            return {}
        companions = [instance_to_json(_lean(c)) for c in self._companions]
        revision = {"revision": self._parts.revision.of(self.path)} if self._parts.revision is not None else {}
        return {"recovery": self._parts.recovery, "instance": instance_to_json(_lean(self._recorded)), "with": companions, **revision}

    def owner(self) -> dict[str, Any]:
        """The same as a record, for sidecars of objects that have no metadata."""
        parts = self._parts
        return {"store": parts.store, "stack": parts.stack, "stack_id": parts.stack_id, "path": self.path, "generation": self.generation}

    def progress(self, message: str) -> None:
        """Tell the log."""
        self._progress(message)

    def check(self) -> None:
        """Raise Cancelled when the operation was stopped, or when nobody waits for this action any more."""
        if self._given_up():
            raise Cancelled("it took longer than its limit")
        self._parts.check()

    def wait_until(self, probe: Callable[[], T | None], timeout: float, what: str) -> T:
        """Probe until something comes."""
        end = self._parts.monotonic() + timeout
        while True:
            self.check()
            found = probe()
            if found is not None:
                return found
            if self._parts.monotonic() >= end:
                raise FailedError(f"{what} did not come within {timeout:g} s", hint="what the guest does: stack-run logs STACK SERVER")
            self._parts.sleep(PROBE_EVERY)

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Enter alone."""
        return self._parts.alone(name)

    def open_source(self, url: str, sha256: str = "") -> tuple[BinaryIO, int, str]:
        """Open an image source from the cache."""
        return self._parts.open_source(url, sha256)
