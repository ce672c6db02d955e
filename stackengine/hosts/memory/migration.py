"""Guests of the memory host that go to another one: they run at one of the two ends at any time, as libvirt sees to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from stackengine.hosts.memory import xml as read
from stackengine.hosts.memory.filters import check_filters, used_filters
from stackengine.hosts.memory.state import StateFile, domain_in
from stackengine.sdk import RefusedError


class MigrationCalls:
    """The part of ``sdk.Host`` by which guests move."""

    _file: StateFile

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def _check_start(self, state: dict[str, Any], uuid: str, domain: Any, memory: int) -> None:
        raise NotImplementedError

    def domain_migrate(self, uuid: str, target: Any, definition: str, address: str, check: Callable[[], None]) -> None:
        """It goes on at ``target``, and is shut off here."""
        del address  # nothing goes over a wire
        check()
        with self._call("domain_migrate") as state:
            known = domain_in(state, uuid)
            if known["state"] not in ("running", "paused"):
                raise RefusedError("Requested operation is not valid: domain is not running", code=55)
            target.arrive(uuid, known, definition)
            known.update(state="shutoff", live_xml="")

    def arrive(self, uuid: str, guest: dict[str, Any], definition: str) -> None:
        """Take a running guest in, in the same moment as it is let go at the other end; refused as a start would be."""
        with self._file.changing() as state:
            domain = read.parse(definition, "domain")
            self._check_start(state, uuid, domain, read.memory_kib(domain))
            check_filters(state, used_filters(definition))
            state["domains"][uuid] = {**guest, "xml": definition, "live_xml": definition}
