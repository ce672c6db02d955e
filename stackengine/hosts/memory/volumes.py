"""Volumes of the memory host."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET

from stackengine.hosts.memory import xml as read
from stackengine.sdk import ExistsError, HostError, NotFoundError, RefusedError, VolumeInfo

KEEP = 1 << 20
"""Bytes of an upload that are kept (seeds and sidecar records are small, images are not needed)."""


_ENCODED = re.compile(r"(?<=Content-Transfer-Encoding: base64\n\n)[A-Za-z0-9+/=\n]+")


def _decoded(part: re.Match[str]) -> str:
    """A part of a MIME archive as a guest reads it."""
    return base64.b64decode(part[0]).decode("utf-8", "replace") + "\n"


class VolumeCalls:
    """The storage part of ``sdk.Host``."""

    name: str

    def _call(self, call: str, *, change: bool = True) -> AbstractContextManager[dict[str, Any]]:
        raise NotImplementedError

    def volume_create(self, pool: str, xml: str) -> VolumeInfo:
        """Create; a name that is taken (90), a full pool and a missing backing file are refused."""
        volume = read.parse(xml, "volume")
        name, capacity = read.text(volume, "name"), read.capacity(volume)
        backing = read.text(volume, "backingStore/path")
        with self._call("volume_create") as state:
            volumes = self._known_pool(state, pool)["volumes"]
            check_secrets(state, volume)
            if name in volumes:
                raise ExistsError(f"storage volume '{name}' exists already", code=90)
            if backing and not any(v["path"] == backing for p in state["pools"].values() for v in p["volumes"].values()):
                raise RefusedError(f"Could not open backing file {backing}", code=38)
            kind = volume.find("target/format")
            form = kind.get("type", "raw") if kind is not None else "raw"
            allocation = min(capacity, 200 << 10) if form == "qcow2" else capacity
            known = state["pools"][pool]
            if sum(v["allocation"] for v in volumes.values()) + allocation > known["capacity"]:
                raise RefusedError("cannot allocate: No space left on device", code=38)
            path = f"/memory/{self.name}/{pool}/{name}"
            volumes[name] = {"path": path, "format": form, "capacity": capacity, "allocation": allocation, "backing": backing, "data": ""}
            return self._volume(pool, name, volumes[name])

    def volume_upload(self, pool: str, name: str, data: BinaryIO, length: int, check: Callable[[], None]) -> None:
        """Take the bytes; the first MiB is kept. HostError when there are fewer."""
        kept, left = b"", length
        while left:
            check()
            part = data.read(min(left, KEEP))
            if not part:
                raise HostError(f"the source of volume {name} ended {left} bytes early", hint="does somebody write to it?")
            kept, left = kept or part, left - len(part)
        with self._call("volume_upload") as state:
            self._known_volume(state, pool, name)["data"] = base64.b64encode(kept).decode()

    def volume_download(self, pool: str, name: str, limit: int) -> bytes:
        """What was uploaded, at most ``limit`` bytes."""
        with self._call("volume_download", change=False) as state:
            return base64.b64decode(self._known_volume(state, pool, name)["data"])[:limit]

    def volume_copy(self, pool: str, source: str, xml: str, source_pool: str = "") -> VolumeInfo:
        """Copy, also what a running guest writes to."""
        volume = read.parse(xml, "volume")
        name, kind = read.text(volume, "name"), volume.find("target/format")
        with self._call("volume_copy") as state:
            volumes = self._known_pool(state, pool)["volumes"]
            known = self._known_volume(state, source_pool or pool, source)
            check_secrets(state, volume)
            if name in volumes:
                raise ExistsError(f"storage volume '{name}' exists already", code=90)
            if sum(v["allocation"] for v in volumes.values()) + known["allocation"] > state["pools"][pool]["capacity"]:
                raise RefusedError("cannot allocate: No space left on device", code=38)
            form = kind.get("type", "raw") if kind is not None else "raw"
            capacity = max(known["capacity"], read.capacity(volume))
            volumes[name] = {**known, "path": f"/memory/{self.name}/{pool}/{name}", "backing": "", "format": form, "capacity": capacity}
            return self._volume(pool, name, volumes[name])

    @staticmethod
    def _not_in_use(state: dict[str, Any], name: str, path: str) -> None:
        for domain in state["domains"].values():
            if domain["state"] == "running" and any(d.path == path for d in read.disks(read.parse(domain["live_xml"], "domain"))):
                raise RefusedError(f"{name} is in use by {domain['name']}", code=55)

    def volume_resize(self, pool: str, name: str, capacity: int) -> None:
        """Grow; shrinking is refused (8)."""
        with self._call("volume_resize") as state:
            known = self._known_volume(state, pool, name)
            if capacity < known["capacity"]:
                raise RefusedError("invalid argument: can't shrink capacity below existing allocation", code=8)
            known["capacity"] = capacity

    def volume_wipe(self, pool: str, name: str) -> None:
        """Its bytes are gone; one that is in use is refused."""
        with self._call("volume_wipe") as state:
            known = self._known_pool(state, pool)["volumes"].get(name)
            if known is not None:
                self._not_in_use(state, name, known["path"])
                known["data"] = ""

    def volume_delete(self, pool: str, name: str) -> None:
        """Delete; a backing file or a disk that is in use is refused (stricter than libvirt)."""
        with self._call("volume_delete") as state:
            volumes = self._known_pool(state, pool)["volumes"]
            known = volumes.get(name)
            if known is None:
                return
            for part in state["pools"].values():
                if any(v["backing"] == known["path"] for v in part["volumes"].values()):
                    raise RefusedError(f"{name} is the backing file of other volumes", code=55)
            self._not_in_use(state, name, known["path"])
            del volumes[name]

    def volume_info(self, pool: str, name: str) -> VolumeInfo | None:
        """The volume, or None."""
        with self._call("volume_info", change=False) as state:
            known = self._known_pool(state, pool)["volumes"].get(name)
            return self._volume(pool, name, known) if known else None

    def volume_list(self, pool: str) -> list[VolumeInfo]:
        """All volumes of a pool."""
        with self._call("volume_list", change=False) as state:
            return [self._volume(pool, n, v) for n, v in self._known_pool(state, pool)["volumes"].items()]

    def volume_names(self, pool: str) -> list[str]:
        """The names of all volumes of a pool."""
        with self._call("volume_names", change=False) as state:
            return list(self._known_pool(state, pool)["volumes"])

    def _seed_of(self, state: dict[str, Any], path: str) -> str:
        for pool in state["pools"].values():
            for volume in pool["volumes"].values():
                if volume["path"] == path and volume["data"]:
                    return _ENCODED.sub(_decoded, base64.b64decode(volume["data"]).decode("utf-8", "replace"))
        return ""

    @staticmethod
    def _known_pool(state: dict[str, Any], pool: str) -> dict[str, Any]:
        known: dict[str, Any] | None = state["pools"].get(pool)
        if known is None:
            raise NotFoundError(f"Storage pool not found: no storage pool with matching name '{pool}'", code=49)
        return known

    def _known_volume(self, state: dict[str, Any], pool: str, name: str) -> dict[str, Any]:
        known: dict[str, Any] | None = self._known_pool(state, pool)["volumes"].get(name)
        if known is None:
            raise NotFoundError(f"Storage volume not found: no storage vol with matching name '{name}'", code=50)
        return known

    @staticmethod
    def _volume(pool: str, name: str, known: dict[str, Any]) -> VolumeInfo:
        return VolumeInfo(pool, name, known["path"], known["format"], known["capacity"], known["allocation"], known["backing"])


def check_secrets(state: dict[str, Any], element: ET.Element) -> None:
    """Refuse what is encrypted with a secret that is not there (66)."""
    for secret in element.iter("secret"):
        if secret.get("uuid", "") not in state.get("secrets", {}):
            raise NotFoundError(f"Secret not found: no secret with matching uuid '{secret.get('uuid')}'", code=66)
