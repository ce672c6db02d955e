"""Guests of the memory host that stand still: suspended, saved, running again. A saved one takes no memory of the host."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from stackengine.hosts.memory.state import domain_in


class PowerCalls:
    """The part of ``sdk.Host`` that stops and continues guests without their noticing."""

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def domain_suspend(self, uuid: str) -> None:
        """Running becomes paused."""
        self._turn("domain_suspend", uuid, {"running": "paused"})

    def domain_resume(self, uuid: str) -> None:
        """Paused becomes running."""
        self._turn("domain_resume", uuid, {"paused": "running"})

    def domain_save(self, uuid: str) -> None:
        """What is active becomes saved."""
        self._turn("domain_save", uuid, {"running": "saved", "paused": "saved"})

    def domain_traffic(self, uuid: str) -> int:
        """Bytes that somebody said this guest has moved (``traffic`` in the state)."""
        with self._call("domain_traffic", change=False) as state:
            known = state["domains"].get(uuid) or {}
            return int(known.get("traffic", 0)) if known.get("state") == "running" else 0

    def _turn(self, call: str, uuid: str, to: dict[str, str]) -> None:
        with self._call(call) as state:
            known = domain_in(state, uuid)
            after = to.get(known["state"])
            if after is not None:
                known["state"] = after
                if after == "saved":
                    known["live_xml"] = ""
