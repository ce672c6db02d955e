"""What is really on the host: asked of libvirt, past our own engine and its records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree as ET


@dataclass(frozen=True, slots=True)
class Server:
    """One domain as the host knows it; two that are equal are the same guest that was never stopped."""

    uuid: str
    running: int
    """libvirt's number of this run of the domain, which a stop and start changes; -1: it does not run."""
    addresses: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.uuid}  {', '.join(self.addresses)}"


class Looks(Protocol):
    """Looks at a host."""

    uri: str
    who: str
    """Who was asked."""
    simulated: bool

    def servers(self) -> dict[str, Server]:
        """All domains by name."""

    def left(self) -> list[str]:
        """Everything that stacks may have made: domains, networks, volumes."""

    def layers(self) -> list[str]:
        """What the host keeps of images, for the next stack."""

    def close(self) -> None:
        """Let go of the host."""


class RealLooks:
    """By libvirt itself."""

    who, simulated = "libvirt", False

    def __init__(self, name: str, state: Path) -> None:
        import libvirt

        from stackengine.hosts import private

        self.uri = f"private://{name}"
        self._libvirt: Any = libvirt.open(private.find(name, state).libvirt_uri)

    def servers(self) -> dict[str, Server]:
        """All domains by name; addresses are the leases of their networks."""
        leases = {lease["mac"]: lease["ipaddr"] for network in self._libvirt.listAllNetworks() for lease in network.DHCPLeases()}
        found = {}
        for domain in self._libvirt.listAllDomains():
            macs = [str(mac.get("address")) for mac in ET.fromstring(domain.XMLDesc()).iterfind("devices/interface/mac")]
            found[domain.name()] = Server(domain.UUIDString(), domain.ID(), tuple(leases.get(mac, "no lease") for mac in macs))
        return found

    def left(self) -> list[str]:
        """Domains, networks, and volumes of the pool for disks."""
        return [o.name() for kind in (self._libvirt.listAllDomains, self._libvirt.listAllNetworks) for o in kind()] + self._volumes("default")

    def layers(self) -> list[str]:
        """Volumes of the pool for layers."""
        return self._volumes("se-layers")

    def _volumes(self, pool: str) -> list[str]:
        found = self._libvirt.storagePoolLookupByName(pool)
        found.refresh()
        return sorted(found.listVolumes())

    def close(self) -> None:
        """Close the connection."""
        self._libvirt.close()


class SimulatedLooks:
    """By the file in which memory:// keeps what it has."""

    who, simulated = "the simulated host", True

    def __init__(self, name: str, state: Path) -> None:
        from stackengine.hosts import open_host

        self.uri = f"memory://{name}"
        self._host = open_host(self.uri, state)

    def servers(self) -> dict[str, Server]:
        """All domains by name."""
        found = {}
        for domain in self._host.domain_list():
            addresses = tuple(address for _, address in self._host.domain_addresses(domain.uuid))
            found[domain.name] = Server(domain.uuid, 1 if domain.state == "running" else -1, addresses)
        return found

    def left(self) -> list[str]:
        """Domains, networks, and volumes of the pool for disks."""
        host = self._host
        return [d.name for d in host.domain_list()] + [n.name for n in host.network_list()] + [v.name for v in host.volume_list("default")]

    def layers(self) -> list[str]:
        """Volumes of the pool for layers."""
        return [v.name for v in self._host.volume_list("se-layers")]

    def close(self) -> None:
        """There is nothing to close."""
