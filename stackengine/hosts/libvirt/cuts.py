"""Cuts: all guests of a stack frozen at one instant, memory and disks, while they stand still for a fraction of a second and run on.

A disk's file is given a second name in the cut's folder, and the guest goes on in a new layer over it, which then takes the first name: so a disk has
one path for ever, whatever lies below it, and definitions need not follow. libvirt knows the new layer by a third name (``NAME.cut-ID``) until the
guest starts anew; that name stays, as saved memory refers to it. See docs/adr/0011.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.hosts.frozen import FrozenDisk, FrozenGuest
from stackengine.hosts.private import packages
from stackengine.sdk import HostError, RefusedError

AT_ONCE = 4
_ACTIVE = (1, 2)
_LAYER = re.compile(r"\.cut-[0-9a-z]+$")


class CutCalls:
    """The part of a libvirt host of this machine that freezes guests and brings frozen ones to life."""

    name: str

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        raise NotImplementedError

    def guests_cut(self, uuids: list[str], folder: Path) -> tuple[list[FrozenGuest], float]:
        """Freeze guests into ``folder``; them, and the seconds that they stood still. RefusedError names a disk that cannot be frozen."""
        found = [self._before(uuid) for uuid in uuids]
        for guest in found:
            for disk, path in guest.disks:
                os.link(path, folder / disk.name)
                make_layer(Path(f"{path}.cut-{folder.name}"), folder / disk.name, disk.size)
        active = [g for g in found if g.active]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            start = time.monotonic()
            try:
                list(pool.map(self._suspend, (g.uuid for g in active if not g.paused)))
                failed = [e for e in pool.map(lambda g: self._snapshot(g, folder), active) if e is not None]
            finally:
                list(pool.map(self._resume, (g.uuid for g in active if not g.paused)))
                pause = time.monotonic() - start
        for guest in found:
            self._swap(guest, folder)
        if failed:
            raise failed[0]
        return [FrozenGuest(g.uuid, g.xml, _memory(g.uuid) if g.active else "", tuple(d for d, _ in g.disks)) for g in found], pause

    def disk_captured(self, folder: Path, name: str, file: Path) -> None:
        """Write what a frozen disk holds, with all that it stands on, into a qcow2 ``file`` of its own."""
        command = [packages.which("qemu-img") or "qemu-img", "convert", "-q", "-U", "-f", "qcow2", "-O", "qcow2", str(folder / name), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            file.unlink(missing_ok=True)
            raise HostError(f"{name} cannot be copied: {done.stderr.strip()}")

    def disks_frozen(self, uuids: list[str], folder: Path, target: str) -> list[FrozenGuest]:
        """Freeze one disk of each guest into ``folder`` while they run on; their file systems are at rest at that instant, where the agent can see to it."""
        found = []
        for guest in (self._before(uuid) for uuid in uuids):
            disks = tuple(d for d in guest.disks if d[0].target == target)
            if not guest.active or not disks:
                raise RefusedError("a guest that does not run, or has no such disk, has nothing to keep")
            found.append(replace(guest, disks=disks))
            for disk, path in disks:
                os.link(path, folder / disk.name)
                make_layer(Path(f"{path}.cut-{folder.name}"), folder / disk.name, disk.size)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            failed = [e for e in pool.map(lambda g: self._snapshot(g, folder, memory=False), found) if e is not None]
        for guest in found:
            self._swap(guest, folder)
        if failed:
            raise failed[0]
        return [FrozenGuest(g.uuid, g.xml, "", tuple(d for d, _ in g.disks)) for g in found]

    def _before(self, uuid: str) -> _Guest:
        def work(c: Any) -> _Guest:
            domain = c.lookupByUUIDString(uuid)
            state = domain.info()[0]
            active = bool(domain.isActive())
            if not active and domain.hasManagedSaveImage(0):
                raise RefusedError(f"{domain.name()} is saved", hint="wake it first")
            disks = []
            for target, path in _written(domain.XMLDesc(0 if active else libvirt.VIR_DOMAIN_XML_INACTIVE), domain.name()):
                plain = Path(_LAYER.sub("", path))
                size = domain.blockInfo(target)[0] if active else _size(plain)
                disks.append((FrozenDisk(target, plain.name, size), plain))
            return _Guest(uuid, domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE), active, state not in _ACTIVE, tuple(disks))

        return self._call("virDomainGetXMLDesc", work)  # type: ignore[no-any-return]

    def _suspend(self, uuid: str) -> None:
        self._call("virDomainSuspend", lambda c: c.lookupByUUIDString(uuid).suspend(), retry=False)

    def _resume(self, uuid: str) -> None:
        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if domain.info()[0] == libvirt.VIR_DOMAIN_PAUSED:
                domain.resume()

        self._call("virDomainResume", work)

    def _snapshot(self, guest: _Guest, folder: Path, *, memory: bool = True) -> HostError | None:
        """Memory (or file systems at rest) and the step to the new layers; why it failed, where it did."""
        all_targets = [t.get("dev", "") for t in ET.fromstring(guest.xml).findall("devices/disk/target")]
        mine = {d.target: f"{path}.cut-{folder.name}" for d, path in guest.disks}
        new = "<disk name='{}' snapshot='external'><driver type='qcow2'/><source file='{}'/></disk>"
        disks = "".join(new.format(t, mine[t]) if t in mine else f"<disk name='{t}' snapshot='no'/>" for t in all_targets)
        file = folder / _memory(guest.uuid)
        kept = f"<memory snapshot='external' file='{file}'/>" if memory else ""
        xml = f"<domainsnapshot><name>cut-{folder.name}</name>{kept}<disks>{disks}</disks></domainsnapshot>"
        flags = libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA
        flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT
        if memory:
            file.touch(mode=0o600)
        else:
            flags |= libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE
        try:
            self._call("virDomainSnapshotCreateXML", lambda c: c.lookupByUUIDString(guest.uuid).snapshotCreateXML(xml, flags), retry=False)
        except HostError as error:
            return error
        return None

    def _swap(self, guest: _Guest, folder: Path) -> None:
        """The layer that the guest goes on in takes the disk's name; where it does not use it, all is as before."""

        def used(c: Any) -> str:
            domain = c.lookupByUUIDString(guest.uuid)
            return str(domain.XMLDesc(0)) if domain.isActive() else ""

        live = self._call("virDomainGetXMLDesc", used)
        for _, path in guest.disks:
            layer = Path(f"{path}.cut-{folder.name}")
            if not layer.exists():  # it has the name already
                continue
            if not live or f"'{layer}'" in live:
                rename_over(layer, path, keep=bool(live))
            else:
                layer.unlink()
        self._call("virDomainDefineXMLFlags", lambda c: c.defineXMLFlags(guest.xml, 0))

    def written_disks(self, xml: str, name: str) -> list[str]:
        """Names of the files that a guest writes to; RefusedError for a disk that cannot be frozen."""
        return [Path(_LAYER.sub("", path)).name for _, path in _written(xml, name)]

    def guests_settled(self, uuids: list[str], folder: Path) -> None:
        """Finish a cut that broke off: guests run on, and each disk's layer has the disk's name. Nothing where it had not begun."""
        for guest in map(self._before, uuids):
            self._resume(guest.uuid)
            self._swap(guest, folder)

    def guest_disks_restored(self, guest: FrozenGuest, folder: Path, volumes: Path) -> None:
        """Give a guest that does not run the disks that it had: new layers in ``volumes`` over the frozen ones."""
        for disk in guest.disks:
            layer = volumes / f"{disk.name}.new"
            layer.unlink(missing_ok=True)
            make_layer(layer, folder / disk.name, disk.size)
            rename_over(layer, volumes / disk.name, keep=False)

    def guest_restored(self, guest: FrozenGuest, folder: Path, volumes: Path, change: Callable[[str], str]) -> None:
        """Bring a frozen guest to life, standing still: its disks new layers in ``volumes``, its definition and memory's XML as ``change`` makes them."""
        self.guest_disks_restored(guest, folder, volumes)
        places = {d.target: str(volumes / d.name) for d in guest.disks}

        def work(c: Any) -> None:
            c.defineXMLFlags(change(guest.xml), 0)
            if guest.memory:
                file = str(folder / guest.memory)
                saved = c.saveImageGetXMLDesc(file, libvirt.VIR_DOMAIN_SAVE_IMAGE_XML_SECURE)
                c.restoreFlags(file, _placed(change(saved), places), libvirt.VIR_DOMAIN_SAVE_PAUSED)

        self._call("virDomainRestoreFlags", work, retry=False)


@dataclass(frozen=True, slots=True)
class _Guest:
    uuid: str
    xml: str
    active: bool
    paused: bool
    disks: tuple[tuple[FrozenDisk, Path], ...]


def make_layer(file: Path, below: Path, size: int) -> None:
    """An empty qcow2 layer over a file that may be in use (so qemu-img does not open it)."""
    command = [packages.which("qemu-img") or "qemu-img", "create", "-q", "-u", "-f", "qcow2", "-F", "qcow2", "-b", str(below), str(file), str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise HostError(f"a layer over {below} cannot be made: {done.stderr.strip()}")
    file.chmod(0o644)


def rename_over(layer: Path, path: Path, *, keep: bool) -> None:
    """Give a layer the name ``path``, at once; ``keep``: it has its old name, too."""
    if keep:
        other = path.with_name(f"{path.name}.named")
        other.unlink(missing_ok=True)
        os.link(layer, other)
        layer = other
    layer.replace(path)


def _memory(uuid: str) -> str:
    return f"{uuid}.memory"


def _size(path: Path) -> int:
    command = [packages.which("qemu-img") or "qemu-img", "info", "-U", "--output=json", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise HostError(f"{path} cannot be read: {done.stderr.strip()}")
    return int(json.loads(done.stdout)["virtual-size"])


def _written(xml: str, name: str) -> list[tuple[str, str]]:
    """(target, path) of the disks that a guest writes to; RefusedError for one that cannot be frozen."""
    found = []
    for disk in ET.fromstring(xml).findall("devices/disk"):
        if disk.find("readonly") is not None or disk.get("device", "disk") != "disk":
            continue
        target, source, driver = disk.find("target"), disk.find("source"), disk.find("driver")
        path = source.get("file", "") if source is not None else ""
        if target is None or not path or driver is None or driver.get("type") != "qcow2":
            raise RefusedError(f"the disk {target.get('dev') if target is not None else '?'} of {name} cannot be frozen: it is no qcow2 file")
        if disk.find("source/encryption") is not None:
            raise RefusedError(f"the disk {target.get('dev')} of {name} cannot be frozen: it is encrypted, and layers over it would not be")
        found.append((target.get("dev", ""), path))
    return found


def _placed(xml: str, places: dict[str, str]) -> str:
    """The XML of saved memory with each disk that is written to in its place, and nothing said of what lies below it."""
    root = ET.fromstring(xml)
    for disk in root.findall("devices/disk"):
        target, source = disk.find("target"), disk.find("source")
        if target is not None and source is not None and target.get("dev", "") in places:
            source.set("file", places[target.get("dev", "")])
            for below in disk.findall("backingStore"):
                disk.remove(below)
    return ET.tostring(root, encoding="unicode")
