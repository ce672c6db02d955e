"""Copies of volumes on a libvirt host: of idle ones by the pool's driver, of one that a running guest writes to by that guest's own QEMU."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from html import escape
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.sdk import KINDS, RefusedError, VolumeInfo

_BUSY: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""By domain."""
LOOK_SECONDS = 0.1
"""Between two looks at a copy that is being made."""
_TARGETS = {k.name: k.disk for k in KINDS.values() if k.disk != "network"}
"""Kind of pool -> what QEMU copies into; pools on the network copy by themselves (RBD), whoever writes."""


class CopyCalls:
    """The copying part of ``sdk.Host``."""

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def volume_info(self, pool: str, name: str) -> VolumeInfo | None:
        """Elsewhere."""
        raise NotImplementedError

    def volume_resize(self, pool: str, name: str, capacity: int) -> None:
        """Elsewhere."""
        raise NotImplementedError

    def volume_copy(self, pool: str, source: str, xml: str, source_pool: str = "") -> VolumeInfo:
        """Copy; while a running guest writes to the source, what it held when the copy began."""
        written = self._call("virConnectListAllDomains", lambda c: writer_of(c, _volume(c, source_pool or pool, source).path()))
        place = _TARGETS.get(self._call("virStoragePoolLookupByName", lambda c: ET.fromstring(c.storagePoolLookupByName(pool).XMLDesc(0)).get("type")))
        if written is not None and place is not None:
            return self._copy_live(pool, xml, source, place, *written)

        name, tried = ET.fromstring(xml).findtext("name") or "", False

        def work(c: Any) -> str:
            nonlocal tried
            if tried:
                _dropped(c, pool, name)
            tried = True
            with _still(c.lookupByUUIDString(written[0])) if written else contextlib.nullcontext():
                return str(c.storagePoolLookupByName(pool).createXMLFrom(xml, _volume(c, source_pool or pool, source)).name())

        return self._found(pool, self._call("virStorageVolCreateXMLFrom", work))

    def _found(self, pool: str, name: str) -> VolumeInfo:
        found = self.volume_info(pool, name)
        if found is None:
            raise RefusedError(f"the copy {name} is not there any more")
        return found

    def _copy_live(self, pool: str, xml: str, source: str, place: str, uuid: str, target: str) -> VolumeInfo:
        """QEMU wants a target of exactly the source's size, so the copy grows afterwards."""
        root = ET.fromstring(xml)
        capacity, name = root.find("capacity"), root.findtext("name") or ""
        assert capacity is not None
        wanted, kind = int(capacity.text or 0), root.find("target/format")

        tried = False

        def free(c: Any) -> bool:
            return bool(c.lookupByUUIDString(uuid).jobStats()["type"] == libvirt.VIR_DOMAIN_JOB_NONE)

        def work(c: Any) -> None:
            nonlocal tried
            domain = c.lookupByUUIDString(uuid)
            if tried:
                _dropped(c, pool, name)
            tried = True
            size = domain.blockInfo(target)[0]
            capacity.text, capacity.attrib["unit"] = str(size), "bytes"
            made = c.storagePoolLookupByName(pool).createXML(ET.tostring(root, encoding="unicode"))
            format_ = kind.get("type", "raw") if kind is not None else "raw"
            _backup(domain, target, (place, made.path()), format_, root.find("target/encryption"))

        with _BUSY[uuid]:  # a guest's QEMU makes one copy at a time; one that a dead process began comes to its end by itself
            while not self._call("virDomainGetJobStats", free):
                time.sleep(LOOK_SECONDS)
            try:
                self._call("virDomainBackupBegin", work)
                self._wait(uuid, source)
            except BaseException:
                self._call("virStorageVolDelete", lambda c: _dropped(c, pool, name), retry=False)
                raise
        self._call("virStoragePoolRefresh", lambda c: c.storagePoolLookupByName(pool).refresh())
        if wanted > self._found(pool, name).capacity:
            self.volume_resize(pool, name, wanted)
        return self._found(pool, name)

    def _wait(self, uuid: str, source: str) -> None:
        """Until the copy is whole; RefusedError with QEMU's words when it failed."""

        def work(c: Any) -> dict[str, Any] | None:
            domain = c.lookupByUUIDString(uuid)
            if domain.isActive() and domain.jobStats()["type"] != libvirt.VIR_DOMAIN_JOB_NONE:
                return None
            return dict(domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED))

        while (done := self._call("virDomainGetJobStats", work)) is None:
            time.sleep(LOOK_SECONDS)
        if done.get("type") != libvirt.VIR_DOMAIN_JOB_COMPLETED:
            raise RefusedError(f"the copy of {source} did not come to its end: {done.get('errmsg') or 'the guest stopped'}")


def writer_of(connection: Any, path: str) -> tuple[str, str] | None:
    """(UUID, target) of the running guest that has ``path``, or a cut's layer over it, as a disk to write to."""
    layers = re.compile(f"{re.escape(path)}(?:\\.cut-[0-9a-z]+)?")
    for domain in connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE):
        for disk in ET.fromstring(domain.XMLDesc(0)).findall("devices/disk"):
            source, target = disk.find("source"), disk.find("target")
            here = source.get("file") or source.get("dev") or source.get("name") or "" if source is not None else ""
            if target is not None and disk.find("readonly") is None and layers.fullmatch(here):
                return domain.UUIDString(), target.get("dev", "")
    return None


def _backup(domain: Any, target: str, into: tuple[str, str], format_: str, encryption: ET.Element | None) -> None:
    """Begin a full copy of one disk into a volume (kind, path) that is there."""
    sealed = ET.tostring(encryption, encoding="unicode") if encryption is not None else ""
    xml = (
        f"<domainbackup mode='push'><disks><disk name='{target}' type='{into[0]}'><driver type='{format_}'/>"
        f"<target {'file' if into[0] == 'file' else 'dev'}='{escape(into[1])}'>{sealed}</target></disk></disks></domainbackup>"
    )
    with _still(domain):
        domain.backupBegin(xml, None, libvirt.VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL)


@contextlib.contextmanager
def _still(domain: Any) -> Iterator[None]:
    """With the guest's file systems frozen, where its agent does that; else the copy is as after a power cut."""
    frozen = False
    with contextlib.suppress(libvirt.libvirtError):
        frozen = domain.fsFreeze() >= 0
    try:
        yield
    finally:
        if frozen:
            with contextlib.suppress(libvirt.libvirtError):
                domain.fsThaw()


def _volume(c: Any, pool: str, name: str) -> Any:
    return c.storagePoolLookupByName(pool).storageVolLookupByName(name)


def _dropped(c: Any, pool: str, name: str) -> None:
    with contextlib.suppress(libvirt.libvirtError):
        _volume(c, pool, name).delete()
