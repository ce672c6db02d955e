"""Snapshots for people and for programs."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stackengine.cli.render.images import mebibytes
from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import table
from stackengine.cli.render.times import ago

if TYPE_CHECKING:
    from stackengine.service.snapshots import Snapshot


def listing(found: Sequence[Snapshot], style: Style = PLAIN) -> str:
    """One line for each."""
    now = time.time()
    rows = [[s.name, ago(s.made_at, now), ", ".join(s.servers), mebibytes(s.bytes)] for s in found]
    return table(["snapshot", "made", "servers", "memories"], rows, style)


def data(stack: str, found: Sequence[Snapshot]) -> dict[str, Any]:
    """As JSON."""
    return {
        "stack": stack,
        "snapshots": [
            {"name": s.name, "made_at": s.made_at, "pause": s.pause, "memory_bytes": s.bytes, "servers": {p: _server(d) for p, d in s.servers.items()}}
            for s in found
        ],
    }


def _server(frozen: dict[str, Any]) -> dict[str, Any]:
    guest = frozen["guest"]
    return {"memory": bool(guest["memory"]), "disks": [d["name"] for d in guest["disks"]]}
