"""Guests of the memory host that are frozen into a folder, and come back as they were."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from stackengine.hosts.frozen import FrozenDisk, FrozenGuest
from stackengine.hosts.memory import xml as read
from stackengine.hosts.memory.state import domain_in
from stackengine.sdk import RefusedError


class FrozenCalls:
    """The part of a host of this machine that freezes guests and brings frozen ones back."""

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def guests_cut(self, uuids: list[str], folder: Path) -> tuple[list[FrozenGuest], float]:
        """Freeze guests into ``folder``; them, and the seconds that they stood still."""
        with self._call("guests_cut", change=False) as state:
            found = [self._frozen(state, uuid, folder) for uuid in uuids]
        return found, 0.0

    def _frozen(self, state: dict[str, Any], uuid: str, folder: Path) -> FrozenGuest:
        known = domain_in(state, uuid)
        if known["state"] == "saved":
            raise RefusedError(f"{known['name']} is saved", hint="wake it first")
        names = self.written_disks(known["xml"], known["name"])
        volumes = state["pools"]["default"]["volumes"]
        (folder / f"{uuid}.json").write_text(json.dumps({"domain": known, "volumes": {n: volumes[n] for n in names if n in volumes}}), "utf-8")
        disks = tuple(FrozenDisk("", n, volumes[n]["capacity"]) for n in names if n in volumes)
        return FrozenGuest(uuid, known["xml"], f"{uuid}.json" if known["state"] == "running" else "", disks)

    def disk_captured(self, folder: Path, name: str, file: Path) -> None:
        """A file that stands for what a frozen disk holds."""
        file.write_text(json.dumps({"simulated": name}), "utf-8")

    def written_disks(self, xml: str, name: str) -> list[str]:
        """Names of the volumes that a guest writes to."""
        return [Path(d.path).name for d in read.disks(read.parse(xml, "domain")) if not d.readonly and d.path]

    def guests_settled(self, uuids: list[str], folder: Path) -> None:
        """A cut that broke off left nothing."""

    def guest_restored(self, guest: FrozenGuest, folder: Path, volumes: Path, change: Callable[[str], str]) -> None:
        """Bring a frozen guest back, standing still."""
        with self._call("guest_restored") as state:
            kept = self._disks(state, guest, folder)
            state["domains"][guest.uuid] = {**kept["domain"], "state": "paused", "xml": change(guest.xml)}

    def guest_disks_restored(self, guest: FrozenGuest, folder: Path, volumes: Path) -> None:
        """Give a guest that does not run the disks that it had."""
        with self._call("guest_disks_restored") as state:
            if domain_in(state, guest.uuid)["state"] in ("running", "paused"):
                raise RefusedError("Requested operation is not valid: the domain is running", code=55)
            self._disks(state, guest, folder)

    @staticmethod
    def _disks(state: dict[str, Any], guest: FrozenGuest, folder: Path) -> dict[str, Any]:
        kept: dict[str, Any] = json.loads((folder / f"{guest.uuid}.json").read_text("utf-8"))
        state["pools"]["default"]["volumes"].update(copy.deepcopy(kept["volumes"]))
        return kept
