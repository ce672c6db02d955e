"""Pools and secrets of a libvirt host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.sdk import KINDS, NotFoundError, PoolInfo

FOLDERS = tuple(k.name for k in KINDS.values() if k.takes)
"""Kinds whose folder libvirt makes; no file system, partition table or volume group is ever made over what is on a device."""


class PoolCalls:
    """The part of ``sdk.Host`` for pools and secrets."""

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def pool_info(self, pool: str) -> PoolInfo | None:
        """The pool, or None."""
        try:
            return self._call("virStoragePoolLookupByName", lambda c: _info(c.storagePoolLookupByName(pool)))  # type: ignore[no-any-return]
        except NotFoundError:
            return None

    def pool_list(self) -> list[PoolInfo]:
        """All pools."""
        return self._call("virConnectListAllStoragePools", lambda c: [_info(p) for p in c.listAllStoragePools()])  # type: ignore[no-any-return]

    def pool_define(self, xml: str) -> PoolInfo:
        """Define, start and start with the host; one that cannot start is not left behind."""
        name = ET.fromstring(xml).findtext("name") or ""

        def work(c: Any) -> PoolInfo:
            fresh = name not in [p.name() for p in c.listAllStoragePools()]
            pool = c.storagePoolDefineXML(xml) if fresh else c.storagePoolLookupByName(name)
            try:
                _start(pool, ET.fromstring(xml).get("type", ""))
            except libvirt.libvirtError:
                if fresh:
                    pool.undefine()
                raise
            return _info(pool)

        return self._call("virStoragePoolDefineXML", work)  # type: ignore[no-any-return]

    def pool_undefine(self, pool: str) -> None:
        """Stop and forget; what is stored stays."""

        def work(c: Any) -> None:
            found = c.storagePoolLookupByName(pool)
            if found.isActive():
                found.destroy()
            found.undefine()

        try:
            self._call("virStoragePoolUndefine", work)
        except NotFoundError:
            return

    def pool_refresh(self, pool: str) -> None:
        """See what others put there; refused in passing while an upload runs."""
        self._call("virStoragePoolRefresh", lambda c: c.storagePoolLookupByName(pool).refresh())

    def secret_keep(self, xml: str, value: bytes) -> None:
        """Define and set."""
        self._call("virSecretDefineXML", lambda c: c.secretDefineXML(xml).setValue(value))

    def secret_value(self, uuid: str) -> bytes | None:
        """The value, or None."""
        try:
            return bytes(self._call("virSecretGetValue", lambda c: c.secretLookupByUUIDString(uuid).value()))
        except NotFoundError:
            return None

    def secret_forget(self, uuid: str) -> None:
        """Undefine."""
        try:
            self._call("virSecretUndefine", lambda c: c.secretLookupByUUIDString(uuid).undefine())
        except NotFoundError:
            return


def _start(pool: Any, kind: str) -> None:
    if not pool.isActive():
        try:
            pool.create()
        except libvirt.libvirtError:
            if kind not in FOLDERS:
                raise
            pool.build(libvirt.VIR_STORAGE_POOL_BUILD_NEW)  # its folder was not there
            pool.create()
    pool.setAutostart(1)


def _info(pool: Any) -> PoolInfo:
    xml = pool.XMLDesc(0)
    root = ET.fromstring(xml)
    _, capacity, _, available = pool.info()
    return PoolInfo(pool.name(), root.get("type", ""), bool(pool.isActive()), capacity, available, root.findtext("target/path") or "", xml)
