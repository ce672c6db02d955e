"""Any libvirt URI behind ``sdk.Host``; outside of ``hosts`` nothing imports libvirt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from stackengine.sdk import HostError

if TYPE_CHECKING:
    from stackengine.hosts.libvirt.host import LibvirtHost

__all__ = ["open_libvirt", "open_private"]


def _need_binding() -> None:
    try:
        import libvirt  # noqa: F401
    except ImportError as error:
        hint = "make setup, or: pip install 'stackengine[libvirt]'; memory:// works without"
        raise HostError("the Python binding of libvirt is not installed", hint=hint) from error


def open_libvirt(uri: str, state_dir: Path) -> LibvirtHost:
    """A host by libvirt URI."""
    _need_binding()
    from stackengine.hosts.libvirt.host import LibvirtHost
    from stackengine.hosts.reach import Direct

    return LibvirtHost(uri, uri, Direct(state_dir, uri))


def open_private(name: str, state_dir: Path, *, start: bool = True) -> LibvirtHost:
    """A private host, started if it does not run (and ``start``)."""
    _need_binding()
    from stackengine.hosts import private
    from stackengine.hosts.libvirt.host import LibvirtHost

    host = private.ensure(name, state_dir) if start else private.find(name, state_dir)
    return LibvirtHost(f"private://{name}", host.libvirt_uri, host, host.log_folder)
