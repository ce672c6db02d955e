"""The typed face of a host, and what its calls give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Profile:
    """What a host's driver can do in one guest mode; the plan refuses beforehand what the host would refuse or ignore."""

    mode: str
    """``kvm``, ``qemu``, ``xen-pv``, ``xen-pvh``, ``xen-hvm``, ``lxc``, ``test`` or ``memory``."""
    domain_type: str
    """The ``type`` of ``<domain>`` (``kvm``, ``qemu``, ``xen``, ``lxc``, ``test``)."""
    arch: str = "x86_64"
    machine: str = ""
    features: frozenset[str] = frozenset()
    """Of: agent, channel, hotplug-disk, hotplug-nic, set-memory-live, set-vcpus-live, uefi, tpm, nwfilter, bandwidth, snapshot, save,
    copy-live, resize-live, leases, signals-http, signals-console, console-log, metadata, upload, publish, forwarding, metadata-service, overlay, migrate,
    switch (Open vSwitch: VLAN tags); pv, pvh, hvm: Xen's kinds of guests."""
    undefine_flags: int = 0
    local: bool = True
    """Whether the host is this machine (then HTTP signals can be received on a network's gateway address)."""
    pools: tuple[tuple[str, str], ...] = ()
    """(name, kind) of its storage pools, as libvirt calls kinds (dir, logical, rbd, …)."""
    disk_bus: str = "virtio"
    """On which guests have their disks."""
    disk_prefix: str = "vd"
    """Of the disks' names there."""
    image_parts: tuple[str, ...] = ("disk", "kernel", "initrd")
    """What of an image guests are made of: these, or ``rootfs``."""


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """A domain as read; ``state`` is running, paused, shutoff, crashed, saved (shut off with a managed save image)."""

    uuid: str
    name: str
    state: str
    xml: str
    """Inactive XML (VIR_DOMAIN_XML_INACTIVE)."""
    live_xml: str = ""
    memory_kib: int = 0
    vcpus: int = 0


@dataclass(frozen=True, slots=True)
class NetworkInfo:
    """A network as read."""

    uuid: str
    name: str
    active: bool
    autostart: bool
    bridge: str
    xml: str


@dataclass(frozen=True, slots=True)
class FilterInfo:
    """A packet filter (nwfilter) as read."""

    uuid: str
    name: str
    xml: str


@dataclass(frozen=True, slots=True)
class VolumeInfo:
    """A volume as read; sizes in bytes."""

    pool: str
    name: str
    path: str
    format: str
    capacity: int
    allocation: int
    backing: str = ""


@dataclass(frozen=True, slots=True)
class PoolInfo:
    """A storage pool as read; sizes in bytes."""

    name: str
    type: str
    active: bool
    capacity: int
    available: int
    path: str = ""
    xml: str = ""


class Host(Protocol):
    """The typed face of a host; memory, libvirt and private hosts all have it. Every method may raise :class:`HostError`.

    XML is libvirt's. ``*_define`` with a known UUID redefines; lookups return None for what is not there. Calls of one host
    may come from several threads.
    """

    @property
    def name(self) -> str:
        """For people and logs."""

    @property
    def uri(self) -> str:
        """By which stacks, pieces and claims name it."""

    @property
    def profile(self) -> Profile:
        """What its driver can do."""

    # domains, by UUID
    def domain_define(self, xml: str) -> DomainInfo:
        """virDomainDefineXMLFlags(VALIDATE); redefines over the same UUID, never undefines."""

    def domain_start(self, uuid: str) -> None:
        """virDomainCreate; no error when it runs already."""

    def domain_shutdown(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """Agent, then ACPI, then destroy when ``timeout`` seconds are over; ``check`` is called while waiting and may raise."""

    def domain_destroy(self, uuid: str) -> None:
        """virDomainDestroy; no error when it does not run or is not there."""

    def domain_suspend(self, uuid: str) -> None:
        """virDomainSuspend: it stands still and keeps its memory; nothing when it does not run."""

    def domain_resume(self, uuid: str) -> None:
        """virDomainResume; nothing when it is not suspended."""

    def domain_save(self, uuid: str) -> None:
        """virDomainManagedSave: its memory goes to disk, the next start reads it back; nothing when it does not run."""

    def domain_migrate(self, uuid: str, target: Any, definition: str, address: str, check: Callable[[], None]) -> None:
        """virDomainMigrate3, live, to ``target`` (the other host, reached by ``address``), where ``definition`` is defined; memory and disks go along.

        It is running at one of the two afterwards, whatever happens; here it stays defined. ``check`` is called while waiting and may raise.
        """

    def domain_traffic(self, uuid: str) -> int:
        """Bytes that its interfaces have received and sent since it was started; 0 when it does not run or is not there."""

    def domain_reboot(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """Shut down and start again, so that the inactive definition takes effect."""

    def domain_undefine(self, uuid: str) -> None:
        """virDomainUndefineFlags with the profile's whole flag set; no error when it is not there."""

    def domain_info(self, uuid: str) -> DomainInfo | None:
        """The domain, or None."""

    def domain_list(self) -> list[DomainInfo]:
        """All domains, without live XML."""

    def domain_attach(self, uuid: str, device_xml: str) -> None:
        """virDomainAttachDeviceFlags, config and, when it runs, live; no error when a device of that alias and content is there."""

    def domain_detach(self, uuid: str, alias: str) -> None:
        """Detach the device with this user alias, config and live, and wait until the guest has let go (DEVICE_REMOVED)."""

    def domain_set_memory(self, uuid: str, kib: int) -> None:
        """virDomainSetMemoryFlags, live and config (balloon, below the maximum)."""

    def domain_set_vcpus(self, uuid: str, count: int) -> None:
        """virDomainSetVcpusFlags, live and config (up to the maximum)."""

    def domain_set_limits(self, uuid: str, target: str, limits: Mapping[str, int], *, defined: bool = False) -> None:
        """virDomainSetBlockIoTune of the disk with this target, in libvirt's words; 0 is no limit. ``defined``: in the definition, too."""

    def domain_update_device(self, uuid: str, device_xml: str) -> None:
        """virDomainUpdateDeviceFlags(LIVE): what may change of a device that is there (a screen's password)."""

    def domain_set_metadata(self, uuid: str, xml: str) -> None:
        """virDomainSetMetadata(ELEMENT) under our namespace, live and config."""

    def domain_set_filter(self, uuid: str, alias: str, name: str) -> None:
        """Give the running interface with this user alias another ``<filterref>``, or none (empty name): virDomainUpdateDeviceFlags(LIVE)."""

    def domain_addresses(self, uuid: str) -> list[tuple[str, str]]:
        """(MAC, address) pairs from leases of our networks and, when it answers, the agent."""

    def domain_agent(self, uuid: str, command: Mapping[str, Any], timeout: float = 5) -> Any:
        """qemuAgentCommand; returns the ``return`` member; :class:`AgentError` while it does not answer."""

    def domain_console_tail(self, uuid: str, limit: int = 4096) -> str:
        """The last ``limit`` bytes of the console log, decoded with replacement; empty where there is none."""

    # networks, by UUID
    def network_define(self, xml: str) -> NetworkInfo:
        """virNetworkDefineXML; with a known UUID redefines."""

    def network_start(self, uuid: str, *, autostart: bool = True) -> None:
        """virNetworkCreate (and autostart); no error when it is active."""

    def network_renew(self, xml: str) -> None:
        """Redefine an active network and start it anew, as libvirt takes addresses only then; guests that are on it are on it again afterwards."""

    def network_destroy(self, uuid: str) -> None:
        """virNetworkDestroy; no error when it is not active or not there."""

    def network_undefine(self, uuid: str) -> None:
        """virNetworkUndefine; no error when it is not there."""

    def network_info(self, uuid: str) -> NetworkInfo | None:
        """The network, or None."""

    def network_list(self) -> list[NetworkInfo]:
        """All networks."""

    def network_update(self, uuid: str, command: str, section: str, xml: str) -> None:
        """virNetworkUpdate, live and config; command: add, modify, delete; section: ip-dhcp-host, dns-host, …. Idempotent."""

    def network_leases(self, uuid: str) -> list[tuple[str, str]]:
        """(MAC, address) pairs of virNetworkGetDHCPLeases."""

    # packet filters, by UUID
    def filter_define(self, xml: str) -> FilterInfo:
        """virNWFilterDefineXML; with a known UUID redefines, at once also for running guests (formatnwfilter.html)."""

    def filter_undefine(self, uuid: str) -> None:
        """virNWFilterUndefine; no error when it is not there; refused while a running guest or another filter uses it."""

    def filter_info(self, uuid: str) -> FilterInfo | None:
        """The filter, or None."""

    def filter_list(self) -> list[FilterInfo]:
        """All filters, libvirt's own among them."""

    # pools and volumes, by pool and name
    def pool_info(self, pool: str) -> PoolInfo | None:
        """The pool, or None."""

    def pool_list(self) -> list[PoolInfo]:
        """All pools."""

    def pool_define(self, xml: str) -> PoolInfo:
        """virStoragePoolDefineXML, build where its place is a folder that is not there, start, autostart. Again: only what is left to do."""

    def pool_undefine(self, pool: str) -> None:
        """virStoragePoolDestroy and Undefine: what is stored there stays; no error when it is not there."""

    def pool_refresh(self, pool: str) -> None:
        """virStoragePoolRefresh: see what others put into the pool's folder (the private hosts of a user share one store of layers)."""

    def volume_create(self, pool: str, xml: str) -> VolumeInfo:
        """virStorageVolCreateXML; :class:`ExistsError` when the name is taken."""

    def volume_upload(self, pool: str, name: str, data: BinaryIO, length: int, check: Callable[[], None]) -> None:
        """virStorageVolUpload of ``length`` bytes; :class:`HostError` when the source has fewer."""

    def volume_download(self, pool: str, name: str, limit: int) -> bytes:
        """The first ``limit`` bytes (virStorageVolDownload)."""

    def volume_copy(self, pool: str, source: str, xml: str, source_pool: str = "") -> VolumeInfo:
        """A new volume with the content of ``source`` (of the same pool, or of ``source_pool``) and nothing below it: virStorageVolCreateXMLFrom,

        or virDomainBackupBegin where a running guest writes to it (feature "copy-live"): as it is at one instant, the guest's
        file systems frozen if its agent can.
        """

    def volume_resize(self, pool: str, name: str, capacity: int) -> None:
        """virStorageVolResize, or virDomainBlockResize where a running guest has it; shrinking is refused."""

    def volume_wipe(self, pool: str, name: str) -> None:
        """virStorageVolWipe (zeros); no error when it is not there."""

    def volume_delete(self, pool: str, name: str) -> None:
        """virStorageVolDelete; no error when it is not there."""

    def volume_info(self, pool: str, name: str) -> VolumeInfo | None:
        """The volume, or None."""

    def volume_list(self, pool: str) -> list[VolumeInfo]:
        """All volumes of the pool: three calls for each of them."""

    def volume_names(self, pool: str) -> list[str]:
        """The names of all volumes of the pool: one call."""

    # secrets, by UUID: passphrases of volumes
    def secret_keep(self, xml: str, value: bytes) -> None:
        """virSecretDefineXML and virSecretSetValue; with a known UUID sets it anew."""

    def secret_value(self, uuid: str) -> bytes | None:
        """virSecretGetValue, or None."""

    def secret_forget(self, uuid: str) -> None:
        """virSecretUndefine; no error when it is not there."""

    # what the host forwards between its networks (feature "forwarding"); entries as in hosts/private/forwarding.py
    def forward(self, key: str, entries: list[dict[str, Any]]) -> None:
        """Set what is forwarded under ``key`` (the owner), in place of what was. Idempotent; UnsupportedError where the host cannot."""

    def unforward(self, key: str) -> None:
        """Take it away; no error when nothing is there."""

    def forwarding(self) -> dict[str, list[dict[str, Any]]]:
        """key -> entries."""

    # what the metadata service answers its guests (feature "metadata-service"); entries as in hosts/private/guest_data.py
    def serve_metadata(self, uuid: str, entry: Mapping[str, Any]) -> None:
        """Serve it to the domain, in place of what was; nobody else gets it. Idempotent; UnsupportedError where the host has no such service."""

    def unserve_metadata(self, uuid: str) -> None:
        """Take it away; no error when nothing is served."""

    def served_metadata(self) -> dict[str, dict[str, Any]]:
        """Domain -> entry."""

    # published ports (a small process of ours listens on loopback of this machine and connects to the guest)
    def publish_port(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish; ``key`` is the owner, ``listen`` a loopback address. Idempotent."""

    def unpublish_port(self, key: str) -> None:
        """Stop publishing; no error when it is not published."""

    def published_ports(self) -> dict[str, tuple[str, int, str, int]]:
        """key -> (listen, port, target, target_port)."""
