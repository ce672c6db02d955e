"""Guests of a libvirt host that go to another one as they run (libvirt's migration guide, "managed direct": this process speaks with both daemons).

When this process dies on the way, both daemons notice it: the guest stays where it was, or, when it had been handed over already, runs at the other
end while the first one has it paused. So who looks again finds it running at exactly one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import libvirt

from stackengine.hosts.libvirt.connections import opened
from stackengine.hosts.libvirt.errors import translate
from stackengine.sdk import UnreachableError

if TYPE_CHECKING:
    from stackengine.hosts.libvirt.connections import Connections

LOOK_SECONDS = 0.2
BUSY = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PERSIST_DEST | libvirt.VIR_MIGRATE_AUTO_CONVERGE
STORAGE = libvirt.VIR_MIGRATE_NON_SHARED_INC | libvirt.VIR_MIGRATE_UNSAFE
"""Only the topmost layer of a disk is copied, into one that stands over the same base at the other end. Unsafe is said as layers that nobody writes to
may be one file for both (the private hosts of a user), which libvirt takes for a disk that both would write."""


class MigrationCalls:
    """The part of ``sdk.Host`` by which guests move."""

    name: str
    _connections: Connections

    def incoming(self) -> Any:
        """A connection of its own to this host, for one guest that comes."""
        try:
            return opened(self._connections.uri)
        except libvirt.libvirtError as error:
            raise UnreachableError(str(error), host=self.name, call="virConnectOpen", hint=f"stack-run hosts doctor {self.name}") from error

    def domain_migrate(self, uuid: str, target: Any, definition: str, address: str, check: Callable[[], None]) -> None:
        """virDomainMigrate3 to ``target``, memory and disks; ``definition`` is what is defined there, ``address`` how the target is reached."""
        here, there = self.incoming(), target.incoming()
        try:
            domain = here.lookupByUUIDString(uuid)
            live = elsewhere(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE | libvirt.VIR_DOMAIN_XML_SECURE), definition)
            disks = written(live)
            parameters: dict[str, Any] = {libvirt.VIR_MIGRATE_PARAM_DEST_XML: live, libvirt.VIR_MIGRATE_PARAM_PERSIST_XML: definition}
            if address:
                parameters[libvirt.VIR_MIGRATE_PARAM_URI] = f"tcp://[{address}]" if ":" in address else f"tcp://{address}"
            if disks:
                parameters[libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = disks
            self._carry(domain, there, parameters, BUSY | (STORAGE if disks else libvirt.VIR_MIGRATE_UNSAFE), check)
        except libvirt.libvirtError as error:
            raise translate(error, self.name, "virDomainMigrate3") from error
        finally:
            for connection in (here, there):
                with contextlib.suppress(libvirt.libvirtError):
                    connection.close()

    @staticmethod
    def _carry(domain: Any, there: Any, parameters: Mapping[str, Any], flags: int, check: Callable[[], None]) -> None:
        """The call in a thread; when ``check`` raises, the migration is given up and the guest stays."""
        ended: list[BaseException | None] = []

        def body() -> None:
            try:
                domain.migrate3(there, dict(parameters), flags)
            except BaseException as error:  # handed on below
                ended.append(error)
            else:
                ended.append(None)

        thread = threading.Thread(target=body, name="migration", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(LOOK_SECONDS)
            try:
                check()
            except BaseException:
                with contextlib.suppress(libvirt.libvirtError):
                    domain.abortJob()
                thread.join()
                raise
        if ended and ended[0] is not None:
            raise ended[0]


def elsewhere(live: str, definition: str) -> str:
    """The running guest's XML with the files of the other host: of disks (by alias), kernel and initrd."""
    root, wanted = ET.fromstring(live), ET.fromstring(definition)
    files = {alias: source.attrib for alias, disk in _disks(wanted) if (source := disk.find("source")) is not None}
    for alias, disk in _disks(root):
        source = disk.find("source")
        if source is not None and "file" in source.attrib and "file" in files.get(alias, {}):
            source.set("file", files[alias]["file"])
        for below in disk.findall("backingStore"):  # what is below is looked for at the other end
            disk.remove(below)
    for part in ("kernel", "initrd"):
        element, other = root.find(f"os/{part}"), wanted.find(f"os/{part}")
        if element is not None and other is not None:
            element.text = other.text
    return ET.tostring(root, encoding="unicode")


def _disks(root: ET.Element) -> list[tuple[str, ET.Element]]:
    found = [(disk.find("alias"), disk) for disk in root.findall("devices/disk")]
    return [(alias.get("name", ""), disk) for alias, disk in found if alias is not None]


def written(xml: str) -> list[str]:
    """The targets of the disks that a guest writes to."""
    disks = [d for d in ET.fromstring(xml).findall("devices/disk") if d.get("device", "disk") == "disk" and d.find("readonly") is None]
    return [target.get("dev", "") for disk in disks if (target := disk.find("target")) is not None]
