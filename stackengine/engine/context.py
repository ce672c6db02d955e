"""``sdk.Context``: what a handler gets while it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from html import escape
from typing import Any, BinaryIO, TypeVar

from stackengine.model.allowed import NOTHING, Allowed
from stackengine.model.instance import Instance
from stackengine.registry import ResourceTypeInfo
from stackengine.sdk import FailedError, Host, Referred

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


class ActionContext:
    """The context of one action."""

    def __init__(
        self, parts: ContextParts, instance: Instance, info: ResourceTypeInfo, host: Host, referred: Mapping[str, Referred],
        progress: Callable[[str], None], contributed: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.host, self.stack, self.stack_id = host, parts.stack, parts.stack_id
        self.path, self.generation = instance.path, instance.generation
        self.identity: Mapping[str, Any] = instance.identity
        self.attributes: Mapping[str, Any] = instance.attributes
        self.contributed, self.allowed = contributed, parts.allowed
        self._parts, self._info, self._referred, self._progress = parts, info, referred, progress

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
        return f'<se:stack xmlns:se="{NAMESPACE}" ' + " ".join(f'{k}="{escape(v)}"' for k, v in named.items()) + "/>"

    def owner(self) -> dict[str, Any]:
        """The same as a record, for sidecars of objects that have no metadata."""
        parts = self._parts
        return {"store": parts.store, "stack": parts.stack, "stack_id": parts.stack_id, "path": self.path, "generation": self.generation}

    def progress(self, message: str) -> None:
        """Tell the log."""
        self._progress(message)

    def check(self) -> None:
        """Raise Cancelled when the operation was stopped."""
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
                raise FailedError(f"{what} did not come within {timeout:g} s")
            self._parts.sleep(PROBE_EVERY)

    def alone(self, name: str) -> AbstractContextManager[None]:
        """Enter alone."""
        return self._parts.alone(name)

    def open_source(self, url: str, sha256: str = "") -> tuple[BinaryIO, int, str]:
        """Open an image source from the cache."""
        return self._parts.open_source(url, sha256)
