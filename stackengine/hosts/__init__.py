"""Libvirt, memory and private hosts behind sdk.Host; the only importer of libvirt."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from stackengine.hosts.naming import check_name
from stackengine.sdk import HostError

if TYPE_CHECKING:
    from stackengine.sdk import Host

__all__ = ["check_uri", "open_host"]

GONE = {
    "uml": ("libvirt has no driver for User Mode Linux any more", "lxc:///system for what is light, qemu:///system for virtual machines"),
    "xenapi": ("libvirt has no driver for XenServer's XAPI since version 5.8", "docs/explanation/xcp-ng.md says what there is instead"),
    "xenserver": ("libvirt has no driver for XenServer", "docs/explanation/xcp-ng.md says what there is instead"),
    "xapi": ("libvirt has no driver for XAPI (XCP-ng, XenServer)", "docs/explanation/xcp-ng.md says what there is instead"),
    "xcp": ("libvirt has no driver for XAPI (XCP-ng, XenServer)", "docs/explanation/xcp-ng.md says what there is instead"),
}
"""Schemes that somebody may try: why there is no such host, and what took its place."""


def open_host(uri: str, state_dir: Path, *, start: bool = True) -> Host:
    """The host behind a URI: ``memory://[NAME][?faults]``, ``private://NAME``, or any libvirt URI.

    ``start``: whether a private host that does not run is started. Raises HostError with a hint.
    """
    scheme, _, rest = uri.partition("://")
    if scheme == "memory":
        from stackengine.hosts.memory import MemoryHost
        from stackengine.hosts.memory.faults import from_query

        name, _, query = rest.partition("?")
        name = name.strip("/") or "default"
        check_name(name)
        return MemoryHost(name, state_dir / "memory" / f"{name}.json", from_query(query))
    if scheme == "private":
        from stackengine.hosts.libvirt import open_private

        return open_private(rest.strip("/") or "default", state_dir, start=start)
    check_uri(uri)
    if scheme.partition("+")[0] in GONE:
        reason, instead = GONE[scheme.partition("+")[0]]
        raise HostError(f"{uri}: {reason}", hint=instead)
    from stackengine.hosts.libvirt import open_libvirt

    return open_libvirt(uri, state_dir)


def check_uri(uri: str) -> None:
    """HostError where a text cannot name a host."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*:\S*", uri):
        raise HostError(f"'{uri}' names no host", hint="hosts are named private://NAME, memory:// or by a libvirt URI such as qemu:///system")
