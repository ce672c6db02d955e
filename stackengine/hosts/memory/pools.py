"""Pools and secrets of the memory host."""

from __future__ import annotations

import base64
from contextlib import AbstractContextManager
from typing import Any

from stackengine.hosts.memory import xml as read
from stackengine.sdk import PoolInfo, RefusedError

SIZE = 1 << 40
"""Bytes of a pool that somebody defines."""


class PoolCalls:
    """The part of ``sdk.Host`` for pools and secrets."""

    name: str

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def pool_info(self, pool: str) -> PoolInfo | None:
        """The pool, or None."""
        with self._call("pool_info", change=False) as state:
            known = state["pools"].get(pool)
            return self._pool(pool, known) if known is not None else None

    def pool_list(self) -> list[PoolInfo]:
        """All pools."""
        with self._call("pool_list", change=False) as state:
            return [self._pool(name, known) for name, known in state["pools"].items()]

    def pool_define(self, xml: str) -> PoolInfo:
        """Define and start; another kind under the same name is refused (9)."""
        root = read.parse(xml, "pool")
        name, kind = read.text(root, "name"), root.get("type", "")
        with self._call("pool_define") as state:
            known = state["pools"].setdefault(name, {"capacity": SIZE, "volumes": {}, "type": kind, "xml": xml})
            if known.get("type", "dir") != kind:
                raise RefusedError(f"operation failed: pool '{name}' already exists", code=9)
            return self._pool(name, known)

    def pool_undefine(self, pool: str) -> None:
        """Forget it."""
        with self._call("pool_undefine") as state:
            state["pools"].pop(pool, None)

    def pool_refresh(self, pool: str) -> None:
        """Nobody else writes into the pools of a memory host."""

    def _pool(self, name: str, known: dict[str, Any]) -> PoolInfo:
        free = known["capacity"] - sum(v["allocation"] for v in known["volumes"].values())
        return PoolInfo(name, known.get("type", "dir"), True, known["capacity"], free, f"/memory/{self.name}/{name}", known.get("xml", ""))

    def secret_keep(self, xml: str, value: bytes) -> None:
        """Define and set."""
        root = read.parse(xml, "secret")
        with self._call("secret_keep") as state:
            state.setdefault("secrets", {})[read.text(root, "uuid")] = base64.b64encode(value).decode()

    def secret_value(self, uuid: str) -> bytes | None:
        """The value, or None."""
        with self._call("secret_value", change=False) as state:
            found = state.get("secrets", {}).get(uuid)
            return base64.b64decode(found) if found is not None else None

    def secret_forget(self, uuid: str) -> None:
        """Undefine."""
        with self._call("secret_forget") as state:
            state.get("secrets", {}).pop(uuid, None)
