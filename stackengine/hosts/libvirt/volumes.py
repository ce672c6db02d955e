"""Volumes of a libvirt host. Pools are not refreshed as a matter of course: libvirt knows what it made; only a shared store is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO
from xml.etree import ElementTree as ET

import libvirt

from stackengine.hosts.libvirt.copies import CopyCalls, writer_of
from stackengine.sdk import HostError, NotFoundError, VolumeInfo

CHUNK = 256 << 10
"""Bytes per message of a stream."""


class VolumeCalls(CopyCalls):
    """The storage part of ``sdk.Host``."""

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def volume_create(self, pool: str, xml: str) -> VolumeInfo:
        """Create; when the answer got lost with the connection, what the first try made is taken."""
        tries = 0

        def work(c: Any) -> VolumeInfo:
            nonlocal tries
            tries += 1
            found = c.storagePoolLookupByName(pool)
            try:
                return _info(pool, found.createXML(xml))
            except libvirt.libvirtError as error:
                if tries == 1 or error.get_error_code() != libvirt.VIR_ERR_STORAGE_VOL_EXIST:
                    raise
                return _info(pool, found.storageVolLookupByName(ET.fromstring(xml).findtext("name")))

        return self._call("virStorageVolCreateXML", work)  # type: ignore[no-any-return]

    def volume_upload(self, pool: str, name: str, data: BinaryIO, length: int, check: Callable[[], None]) -> None:
        """Upload ``length`` bytes; HostError when there are fewer."""

        def work(c: Any) -> None:
            stream = c.newStream()
            c.storagePoolLookupByName(pool).storageVolLookupByName(name).upload(stream, 0, length)
            left = length
            try:
                while left:
                    check()
                    chunk = _some(data, left, name)
                    left -= len(chunk)
                    while chunk:
                        chunk = chunk[stream.send(chunk) :]
                stream.finish()
            except BaseException:
                stream.abort()
                raise

        self._call("virStorageVolUpload", work, retry=False)

    def volume_download(self, pool: str, name: str, limit: int) -> bytes:
        """The first ``limit`` bytes."""

        def work(c: Any) -> bytes:
            stream = c.newStream()
            volume = c.storagePoolLookupByName(pool).storageVolLookupByName(name)
            volume.download(stream, 0, min(limit, volume.info()[1]))
            parts = []
            while True:
                chunk = stream.recv(CHUNK)
                if not chunk:
                    break
                parts.append(chunk)
            stream.finish()
            return b"".join(parts)

        return self._call("virStorageVolDownload", work)  # type: ignore[no-any-return]

    def volume_resize(self, pool: str, name: str, capacity: int) -> None:
        """Grow; through the running guest that has it open, where there is one."""

        def work(c: Any) -> None:
            volume = c.storagePoolLookupByName(pool).storageVolLookupByName(name)
            written = writer_of(c, volume.path())
            if written is None:
                volume.resize(capacity)
                return
            uuid, target = written
            c.lookupByUUIDString(uuid).blockResize(target, capacity, libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
            volume.storagePoolLookupByVolume().refresh()

        self._call("virStorageVolResize", work)

    def volume_wipe(self, pool: str, name: str) -> None:
        """Overwrite with zeros; no error when it is not there."""
        try:
            self._call("virStorageVolWipe", lambda c: c.storagePoolLookupByName(pool).storageVolLookupByName(name).wipe())
        except NotFoundError as error:
            if error.code != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise

    def volume_delete(self, pool: str, name: str) -> None:
        """Delete; no error when it is not there."""
        try:
            self._call("virStorageVolDelete", lambda c: _delete(c.storagePoolLookupByName(pool), name))
        except NotFoundError as error:
            if error.code != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise

    def volume_info(self, pool: str, name: str) -> VolumeInfo | None:
        """The volume, or None."""
        try:
            return self._call(  # type: ignore[no-any-return]
                "virStorageVolLookupByName", lambda c: _info(pool, c.storagePoolLookupByName(pool).storageVolLookupByName(name))
            )
        except NotFoundError as error:
            if error.code != libvirt.VIR_ERR_NO_STORAGE_VOL:
                raise
            return None

    def volume_list(self, pool: str) -> list[VolumeInfo]:
        """All volumes of a pool; one that somebody deletes meanwhile is left out."""

        def work(c: Any) -> list[VolumeInfo]:
            found = []
            for volume in c.storagePoolLookupByName(pool).listAllVolumes():
                try:
                    found.append(_info(pool, volume))
                except libvirt.libvirtError as error:
                    if error.get_error_code() != libvirt.VIR_ERR_NO_STORAGE_VOL:
                        raise
            return found

        return self._call("virStoragePoolListAllVolumes", work)  # type: ignore[no-any-return]

    def volume_names(self, pool: str) -> list[str]:
        """The names of all volumes of a pool."""
        return self._call("virStoragePoolListVolumes", lambda c: list(c.storagePoolLookupByName(pool).listVolumes()))  # type: ignore[no-any-return]


def _some(data: BinaryIO, left: int, name: str) -> bytes:
    """The next bytes of ``left``; HostError where there are none."""
    found = data.read(min(CHUNK, left))
    if not found:
        raise HostError(f"the source of volume {name} ended {left} bytes early", hint="does somebody write to it?")
    return found


def _delete(pool: Any, name: str) -> None:
    """In Ceph also with what a copy left in the volume that it was made of: an RBD snapshot (only that backend knows the flag)."""
    rbd = ET.fromstring(pool.XMLDesc(0)).get("type") == "rbd"
    pool.storageVolLookupByName(name).delete(libvirt.VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS if rbd else libvirt.VIR_STORAGE_VOL_DELETE_NORMAL)


def _info(pool: str, volume: Any) -> VolumeInfo:
    _, capacity, allocation = volume.info()
    root = ET.fromstring(volume.XMLDesc(0))
    form = root.find("target/format")
    backing = root.findtext("backingStore/path") or ""
    return VolumeInfo(pool, volume.name(), volume.path(), form.get("type", "raw") if form is not None else "raw", capacity, allocation, backing)
