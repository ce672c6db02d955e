"""Pools and secrets of a libvirt host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.sdk import NotFoundError, PoolInfo

BUILT = ("dir",)
"""Kinds whose folder libvirt makes; a file system or volume group is never made anew over what is on a device."""


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
        """Define, start and start with the host."""
        name = ET.fromstring(xml).findtext("name") or ""

        def work(c: Any) -> PoolInfo:
            if name not in [p.name() for p in c.listAllStoragePools()]:
                c.storagePoolDefineXML(xml)
            pool = c.storagePoolLookupByName(name)
            if not pool.isActive():
                root = ET.fromstring(xml)
                path = root.findtext("target/path") or ""
                if path and root.get("type") not in ("disk", "logical", "iscsi", "scsi", "mpath") and not Path(path).is_dir():
                    pool.build(libvirt.VIR_STORAGE_POOL_BUILD_NEW if root.get("type") in BUILT else libvirt.VIR_STORAGE_POOL_BUILD_NO_OVERWRITE)
                pool.create()
            pool.setAutostart(1)
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


def _info(pool: Any) -> PoolInfo:
    xml = pool.XMLDesc(0)
    root = ET.fromstring(xml)
    _, capacity, _, available = pool.info()
    return PoolInfo(pool.name(), root.get("type", ""), bool(pool.isActive()), capacity, available, root.findtext("target/path") or "", xml)
