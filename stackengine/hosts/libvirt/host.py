"""A libvirt host: domains here; their devices, power and streams, networks, packet filters and storage in their own files."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import libvirt

from stackengine.hosts.consoles import CONSOLES
from stackengine.hosts.libvirt.connections import Connections
from stackengine.hosts.libvirt.cuts import CutCalls
from stackengine.hosts.libvirt.devices import DeviceCalls
from stackengine.hosts.libvirt.drivers import Driver, driver_of
from stackengine.hosts.libvirt.filters import FilterCalls
from stackengine.hosts.libvirt.migration import MigrationCalls
from stackengine.hosts.libvirt.networks import NetworkCalls, taps_on
from stackengine.hosts.libvirt.pools import PoolCalls
from stackengine.hosts.libvirt.power import PowerCalls, has_saved_memory
from stackengine.hosts.libvirt.streams import StreamCalls
from stackengine.hosts.libvirt.tuning import TuningCalls
from stackengine.hosts.libvirt.volumes import VolumeCalls
from stackengine.hosts.reach import Reach
from stackengine.sdk import AgentError, DomainInfo, HostError, NotFoundError, PoolInfo, Profile, RefusedError

NAMESPACE = "urn:stackengine:1"
_STATES = {0: "nostate", 1: "running", 2: "running", 3: "paused", 4: "running", 5: "shutoff", 6: "crashed", 7: "paused"}
POLL = 0.1
"""Seconds between two looks while a guest stops."""


class LibvirtHost(NetworkCalls, FilterCalls, PoolCalls, VolumeCalls, DeviceCalls, StreamCalls, PowerCalls, CutCalls, TuningCalls, MigrationCalls):
    """Implements ``sdk.Host``; ``reach`` connects into the host's networks and publishes ports."""

    simulated = False

    def __init__(self, name: str, uri: str, reach: Reach, log_folder: Path | None = None) -> None:
        self.name = self.uri = name
        self._connections = Connections(name, uri)
        self._reach, self._log_folder = reach, log_folder
        self._driver: Driver | None = None
        self._profile: Profile | None = None

    @property
    def driver(self) -> Driver:
        """libvirt's driver there."""
        if self._driver is None:
            self._driver = self._call("virConnectGetType", driver_of)
        return self._driver

    @property
    def profile(self) -> Profile:
        """What the driver can do; the accelerator is the one that ran a guest."""
        if self._profile is None:
            self._profile = self._call("profile", lambda c: self.driver.profile(c, self._reach))
        return self._profile

    def pool_define(self, xml: str) -> PoolInfo:
        """Define, start and start with the host; the profile knows it from then on."""
        self._profile = None
        return super().pool_define(xml)

    def _call(self, name: str, work: Callable[[Any], Any], *, retry: bool = True) -> Any:
        return self._connections.call(name, work, retry=retry)

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    # domains

    def domain_define(self, xml: str) -> DomainInfo:
        """Define or redefine over the same UUID."""
        flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE
        return self._call("virDomainDefineXMLFlags", lambda c: _info(c.defineXMLFlags(xml, flags)))  # type: ignore[no-any-return]

    def domain_start(self, uuid: str) -> None:
        """Start; no error when it runs.

        It is not asked first whether it runs: a libvirtd that was killed while it started this guest comes back, calls the guest active, and then ends it
        (VIR_DOMAIN_SHUTOFF_DAEMON). A start waits for the domain's job, and so for the end of that.
        """

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            try:
                domain.create()
            except libvirt.libvirtError as error:
                if error.get_error_code() not in (libvirt.VIR_ERR_OPERATION_INVALID, libvirt.VIR_ERR_INTERNAL_ERROR) or not domain.isActive():
                    raise

        self._call("virDomainCreate", work)

    def domain_shutdown(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """Ask the agent, then ACPI, then destroy."""
        info = self.domain_info(uuid)
        if info is not None and info.state == "saved":
            self.domain_forget_memory(uuid)
        if info is None or info.state not in ("running", "paused"):
            return
        end = time.monotonic() + timeout
        if timeout > 0 and self._ask_to_stop(uuid):
            while time.monotonic() < end:
                check()
                current = self.domain_info(uuid)
                if current is None or current.state not in ("running", "paused"):
                    return
                time.sleep(POLL)
        self.domain_destroy(uuid)

    def _ask_to_stop(self, uuid: str) -> bool:
        for flag in self.driver.shutdown:
            try:
                self._call("virDomainShutdownFlags", lambda c, f=flag: c.lookupByUUIDString(uuid).shutdownFlags(f), retry=False)  # type: ignore[misc]
            except HostError:
                continue
            return True
        return False

    def domain_destroy(self, uuid: str) -> None:
        """Stop at once; no error when it does not run or is not there."""

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            if domain.isActive():
                domain.destroy()

        try:
            self._call("virDomainDestroy", work)
        except NotFoundError:
            return
        except RefusedError as error:
            if error.code != libvirt.VIR_ERR_OPERATION_INVALID:
                raise

    def domain_reboot(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """Stop and start, so that the inactive definition takes effect."""
        self.domain_shutdown(uuid, timeout, check)
        self.domain_start(uuid)

    def domain_undefine(self, uuid: str) -> None:
        """Undefine with everything that would hold it back; what was kept of its console goes, too."""
        if CONSOLES in self.profile.features:
            self.console_record(uuid).unlink(missing_ok=True)
        try:
            self._call("virDomainUndefineFlags", lambda c: c.lookupByUUIDString(uuid).undefineFlags(self.profile.undefine_flags))
        except NotFoundError:
            return

    def domain_info(self, uuid: str) -> DomainInfo | None:
        """The domain, or None."""
        try:
            return self._call("virDomainLookupByUUIDString", lambda c: _info(c.lookupByUUIDString(uuid)))  # type: ignore[no-any-return]
        except NotFoundError:
            return None

    def domain_list(self) -> list[DomainInfo]:
        """All domains that are guests."""
        hidden = self.driver.hidden
        return self._call("virConnectListAllDomains", lambda c: [_info(d) for d in c.listAllDomains() if d.UUIDString() not in hidden])  # type: ignore[no-any-return]

    def domain_set_metadata(self, uuid: str, xml: str) -> None:
        """Replace our metadata element; libvirt puts it into the namespace, and refuses one that names it itself."""
        xml = _without_namespace(xml)

        def work(c: Any) -> None:
            domain = c.lookupByUUIDString(uuid)
            flags = libvirt.VIR_DOMAIN_AFFECT_CONFIG | (libvirt.VIR_DOMAIN_AFFECT_LIVE if domain.isActive() else 0)
            domain.setMetadata(libvirt.VIR_DOMAIN_METADATA_ELEMENT, xml, "se", NAMESPACE, flags)

        self._call("virDomainSetMetadata", work)

    def domain_addresses(self, uuid: str) -> list[tuple[str, str]]:
        """(MAC, address) by the leases of our networks."""

        def work(c: Any) -> list[tuple[str, str]]:
            domain = c.lookupByUUIDString(uuid)
            if not domain.isActive():
                return []
            found = domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 0)
            return [(n["hwaddr"].lower(), a["addr"]) for n in found.values() for a in n["addrs"] or ()]

        return self._call("virDomainInterfaceAddresses", work)  # type: ignore[no-any-return]

    def domain_agent(self, uuid: str, command: Mapping[str, Any], timeout: float = 5) -> Any:
        """Run an agent command and return what it returns."""
        import libvirt_qemu

        def work(c: Any) -> str:
            return str(libvirt_qemu.qemuAgentCommand(c.lookupByUUIDString(uuid), json.dumps(command), max(1, int(timeout)), 0))

        answer = json.loads(self._call("qemuAgentCommand", work, retry=False))
        if "return" not in answer:
            raise AgentError(str(answer.get("error", answer)), host=self.name, call="qemuAgentCommand")
        return answer["return"]

    # beyond libvirt

    def capacity(self) -> tuple[int, int]:
        """(CPUs, MiB of memory) that the host has (virNodeGetInfo)."""
        info = self._call("virNodeGetInfo", lambda c: c.getInfo())
        return int(info[2]), int(info[1])

    def memory_free(self) -> int:
        """MiB that the host has free."""
        return int(self._call("virNodeGetFreeMemory", lambda c: c.getFreeMemory()) >> 20)

    def links(self) -> Sequence[str]:
        """Names of the host's network interfaces that no bridge of ours can have."""
        return self._reach.links()

    def routes(self) -> Iterator[tuple[str, str]]:
        """(CIDR, device) of the host's routes, where it is this machine."""
        return iter(self._reach.routes())

    def connect(self, address: str, port: int, timeout: float = 5.0) -> socket.socket:
        """A connection made inside the host's network."""
        return self._reach.connect(address, port, timeout)

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening socket inside the host's network."""
        return self._reach.listen(address, port)

    def forward(self, key: str, entries: list[dict[str, Any]]) -> None:
        """Set what is forwarded under a key."""
        self._reach.forward(key, entries)

    def unforward(self, key: str) -> None:
        """Take it away."""
        self._reach.forward(key, None)

    def forwarding(self) -> dict[str, list[dict[str, Any]]]:
        """What is forwarded."""
        return self._reach.forwarding()

    def serve_metadata(self, uuid: str, entry: Mapping[str, Any]) -> None:
        """Serve a guest's data to it."""
        self._reach.serve_metadata(uuid, dict(entry))

    def unserve_metadata(self, uuid: str) -> None:
        """Not any more."""
        self._reach.serve_metadata(uuid, None)

    def served_metadata(self) -> dict[str, dict[str, Any]]:
        """What is served."""
        return self._reach.metadata()

    def network_start(self, uuid: str, *, autostart: bool = True) -> None:
        """Start; our rules stay before those that libvirt makes for its networks, and guests that were on it are on it again."""
        super().network_start(uuid, autostart=autostart)
        self._reach.forward_again()
        pairs = self._call("virConnectListAllDomains", lambda c: taps_on(c, uuid))
        if pairs:
            self._reach.rejoin(pairs)

    def network_renew(self, xml: str) -> None:
        """Redefine, stop and start; guests come back."""
        uuid = self.network_define(xml).uuid
        self.network_destroy(uuid)
        self.network_start(uuid)

    def publish_port(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish on this machine."""
        self._reach.publish(key, listen, port, target, target_port)

    def unpublish_port(self, key: str) -> None:
        """Stop publishing."""
        self._reach.unpublish(key)

    def revive_ports(self) -> None:
        """Publish again after a reboot."""
        self._reach.revive_ports()

    def published_ports(self) -> dict[str, tuple[str, int, str, int]]:
        """What is published."""
        return self._reach.published()


def _info(domain: Any) -> DomainInfo:
    state, maximum, current, vcpus, _ = domain.info()
    del maximum
    active = domain.isActive()
    live = domain.XMLDesc(0) if active else ""
    known = _STATES.get(state, "nostate")
    if known == "shutoff" and active:
        known = "running"  # libxl says so some time before it has let go of the guest and its disks
    elif known == "shutoff" and has_saved_memory(domain):
        known = "saved"
    xml = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
    return DomainInfo(domain.UUIDString(), domain.name(), known, xml, live, current, vcpus)


def _without_namespace(xml: str) -> str:
    from xml.etree import ElementTree as ET

    root = ET.fromstring(xml)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return ET.tostring(root, encoding="unicode")
