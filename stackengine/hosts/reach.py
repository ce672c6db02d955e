"""How this machine reaches into a host's networks: sockets made there, and ports published here."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stackengine.hosts.over_ssh import gate_of
from stackengine.sdk import HostError, UnsupportedError

if TYPE_CHECKING:
    from stackengine.hosts.publisher import Publisher


class Reach(Protocol):
    """Sockets inside a host's network, published ports, and what was found out about the host."""

    @property
    def local(self) -> bool:
        """Whether the host is this machine."""

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """A connected socket; OSError when nobody answers."""

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening socket."""

    def routes(self) -> list[tuple[str, str]]:
        """(CIDR, device) of the routes that a new network must not overlap."""

    def links(self) -> list[str]:
        """Names of the host's network interfaces, where they are not ours alone: no bridge can have one of them."""

    def accelerator(self, connection: Any) -> str:
        """``kvm`` or ``qemu``: the one that really ran a guest; ``connection`` is libvirt's."""

    def publish(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish a port on this machine."""

    def unpublish(self, key: str) -> None:
        """Stop publishing."""

    def published(self) -> dict[str, tuple[str, int, str, int]]:
        """What is published."""

    def revive_ports(self) -> None:
        """Have what publishes them run, where there are any and it is gone (after a reboot)."""

    @property
    def features(self) -> frozenset[str]:
        """What can be done there because of the way in (of ``sdk.Profile.features``: publish, forwarding, switch, bandwidth)."""

    @property
    def folder(self) -> Path:
        """Where what this machine knows of the host is kept."""

    def forward(self, key: str, entries: list[dict[str, Any]] | None) -> None:
        """Set what is forwarded under a key, or take it away (None)."""

    def forward_again(self) -> None:
        """Bring the kernel to it again, as a network has been started."""

    def forwarding(self) -> dict[str, list[dict[str, Any]]]:
        """What is forwarded, by key."""

    @property
    def serves_metadata(self) -> bool:
        """Whether its guests have a metadata service."""

    def serve_metadata(self, guest: str, entry: dict[str, Any] | None) -> None:
        """Serve a guest's data, or not any more (None)."""

    def metadata(self) -> dict[str, dict[str, Any]]:
        """What is served, by guest."""

    def rejoin(self, pairs: list[tuple[str, str]]) -> None:
        """Put devices of guests (device, bridge) back on bridges that were made anew."""


class Direct:
    """A libvirt URI: this machine's own network when the URI is local, the host's by ssh when it is ``…+ssh://``, nothing otherwise."""

    def __init__(self, state_dir: Path, uri: str) -> None:
        self.folder = state_dir / "hosts" / ("uri-" + hashlib.sha256(uri.encode()).hexdigest()[:12])
        self.local = "//" in uri and uri.split("//", 1)[1].startswith("/")
        self._uri, self._gate = uri, gate_of(uri)

    def _need_local(self) -> None:
        if not self.local:
            raise HostError("this host is not on this machine", hint="use the guests' own addresses")

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """Connect from this machine, or from the host."""
        if self._gate is not None:
            return self._gate.connect(address, port, timeout)
        return socket.create_connection((address, port), timeout)

    def listen(self, address: str, port: int) -> socket.socket:
        """Listen on this machine."""
        self._need_local()
        return socket.create_server((address, port), reuse_port=False)

    def routes(self) -> list[tuple[str, str]]:
        """This machine's routes."""
        return [*kernel_routes(Path("/proc/net/route")), *kernel_routes6(Path("/proc/net/ipv6_route"))] if self.local else []

    def links(self) -> list[str]:
        """This machine's interfaces."""
        return sorted(p.name for p in Path("/sys/class/net").iterdir()) if self.local else []

    def accelerator(self, connection: Any) -> str:
        """Probed once by running a guest, and remembered."""
        from stackengine.hosts.doctor.accelerator import remembered

        return remembered(connection, self.folder)

    def publish(self, key: str, listen: str, port: int, target: str, target_port: int) -> None:
        """Publish through a process of ours."""
        if self._gate is None:
            self._need_local()
        self._publisher().publish(key, listen, port, target, target_port)

    def unpublish(self, key: str) -> None:
        """Stop publishing."""
        self._publisher().unpublish(key)

    def revive_ports(self) -> None:
        """Start the process again."""
        self._publisher().revive()

    @property
    def features(self) -> frozenset[str]:
        """Ports are published where connections get in; the machine's own firewall stays as it is.

        Of another machine nobody here knows whether it has Open vSwitch, and what its kernel can: it tells when a guest is started.
        """
        from stackengine.hosts.private import packages
        from stackengine.hosts.private.shaping import kernel_shapes

        found = {"publish"} if self.local or self._gate is not None else set()
        found |= {"switch"} if not self.local or packages.which("ovs-vsctl") else set()
        return frozenset(found | ({"bandwidth"} if not self.local or kernel_shapes(self.folder) else set()))

    def forward(self, key: str, entries: list[dict[str, Any]] | None) -> None:  # noqa: ARG002
        """Not here; taking away what never was is no error."""
        if entries is not None:
            raise UnsupportedError("the machine's own routes and firewall stay as they are", hint="use a private host: --host private://NAME")

    def forward_again(self) -> None:
        """Nothing to do."""

    def forwarding(self) -> dict[str, list[dict[str, Any]]]:
        """Nothing."""
        return {}

    serves_metadata = False
    """169.254.169.254 is the machine's own, and may be that of the cloud that it stands in."""

    def serve_metadata(self, guest: str, entry: dict[str, Any] | None) -> None:  # noqa: ARG002
        """Not here; taking away what never was is no error."""
        if entry is not None:
            raise UnsupportedError("this host has no metadata service", hint="guests read their seed; or use a private host: --host private://NAME")

    def metadata(self) -> dict[str, dict[str, Any]]:
        """Nothing."""
        return {}

    def rejoin(self, pairs: list[tuple[str, str]]) -> None:
        """The machine's own devices stay as they are: libvirtd puts them back when it starts anew."""

    def published(self) -> dict[str, tuple[str, int, str, int]]:
        """What is published."""
        return self._publisher().published()

    def _publisher(self) -> Publisher:
        from stackengine.hosts.publisher import Publisher

        return Publisher(self.folder, self._uri if self._gate is not None else None)


def kernel_routes(file: Path) -> list[tuple[str, str]]:
    """(CIDR, device) of the kernel's IPv4 routes, the default route left out."""
    found = []
    for line in file.read_text().splitlines()[1:]:
        device, destination, _, _, _, _, _, mask, *_ = line.split()
        if int(mask, 16):
            address = ipaddress.ip_address(socket.ntohl(int(destination, 16)))
            size = int(mask, 16).bit_count()
            found.append((f"{address}/{size}", device))
    return found


def kernel_routes6(file: Path) -> list[tuple[str, str]]:
    """(CIDR, device) of the kernel's IPv6 routes, but for the default route, single addresses, link-local and multicast ones; none without IPv6."""
    found = []
    for line in file.read_text().splitlines() if file.is_file() else ():
        destination, size, *_, device = line.split()
        network = ipaddress.IPv6Network((int(destination, 16), int(size, 16)), strict=False)
        if 0 < network.prefixlen < 128 and not network.is_link_local and not network.is_multicast:
            found.append((str(network), device))
    return found
