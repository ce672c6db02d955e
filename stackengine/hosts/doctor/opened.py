"""The examination of a host that answers: by its own libvirt, and by making what a stack would make."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.doctor.accelerator import probe_accelerator
from stackengine.hosts.doctor.checks import LEAST_DISK
from stackengine.hosts.doctor.findings import Result
from stackengine.sdk import HostError

POOLS = ("default", "se-layers")
LEAST_MEMORY = 512
"""MiB."""
NETWORK = """<network><name>{name}</name><bridge name='{name}' stp='off' delay='0'/>
<ip address='198.18.{third}.1' netmask='255.255.255.0'><dhcp><range start='198.18.{third}.2' end='198.18.{third}.9'/></dhcp></ip></network>"""
"""Isolated, in the range for benchmarks (RFC 2544), which hardly anybody routes."""


def examine_opened(uri: str, state_dir: Path) -> Iterator[Result]:
    """What only the host itself can tell; a private host is started if it does not run."""
    from stackengine.hosts.libvirt.connections import Connections

    start = time.monotonic()
    try:
        libvirt_uri, folder = _whereabouts(uri, state_dir)
        connections = Connections(uri, libvirt_uri)
        said = connections.call("virConnectGetVersion", lambda c: (c.getType(), c.getVersion(), len(c.listAllDomains())))
    except (HostError, OSError) as error:
        hint = getattr(error, "hint", "")
        known = hint if "hosts doctor" not in hint else ""  # whoever reads this has come from there
        yield Result("host", "problem", str(error), known or "is libvirt's daemon running, and may this user open its socket? is the URI as virsh takes it?")
        return
    kind, version, domains = said
    version_text = f"{version // 1_000_000}.{version // 1000 % 1000}.{version % 1000}"
    yield Result("host", "ok", f"{uri} answers after {time.monotonic() - start:.1f} s: {kind} {version_text}, {domains} domains")
    looks: list[Callable[[Any], Result]] = [_memory, *(_pool(name, private=uri.startswith("private:")) for name in POOLS), _network]
    if kind.lower() == "qemu":
        looks.append(lambda c: _accelerator(c, folder))
    for look in looks:
        try:
            yield connections.call("doctor", look, retry=False)
        except HostError as error:
            yield Result("host", "problem", str(error), error.hint if "hosts doctor" not in error.hint else "see libvirt's log")
    connections.close()


def _whereabouts(uri: str, state_dir: Path) -> tuple[str, Path]:
    """libvirt's URI, and the folder where the probe's result is remembered."""
    if uri.startswith("private:"):
        from stackengine.hosts import private

        host = private.ensure(uri.partition("://")[2].strip("/") or "default", state_dir)
        return host.libvirt_uri, host.paths.cache
    from stackengine.hosts.reach import Direct

    return uri, Direct(state_dir, uri).folder


def _memory(connection: Any) -> Result:
    free, total = connection.getFreeMemory() >> 20, connection.getInfo()[1]
    if free < LEAST_MEMORY:
        return Result("memory", "warning", f"{free} of {total} MiB free", "end something, or use another host")
    return Result("memory", "ok", f"{free} of {total} MiB free")


def _pool(name: str, *, private: bool) -> Callable[[Any], Result]:
    def look(connection: Any) -> Result:
        if name not in connection.listStoragePools():
            there = name in connection.listDefinedStoragePools()
            steps = [] if there else [f"virsh -c {connection.getURI()} pool-define-as {name} dir --target /var/lib/libvirt/{name}", f"virsh pool-build {name}"]
            mend = "stack-run hosts stop, then start" if private else "; ".join([*steps, f"virsh pool-start {name}", f"virsh pool-autostart {name}"])
            return Result(f"pool {name}", "problem", f"pool {name} is {'not started' if there else 'not there'}", mend)
        pool = connection.storagePoolLookupByName(name)
        free, path = pool.info()[3], ET.fromstring(pool.XMLDesc(0)).findtext("target/path") or ""
        if free < LEAST_DISK:
            return Result(f"pool {name}", "warning", f"{free >> 20} MiB free in {path}", "make room, or put the pool on a larger file system")
        return Result(f"pool {name}", "ok", f"{free >> 30} GiB free in {path}")

    return look


def _network(connection: Any) -> Result:
    """An isolated network with DHCP, really started: it needs bridges and dnsmasq, and on the way the firewall."""
    import libvirt

    identity = uuid.uuid4()
    xml = NETWORK.format(name=f"se-{identity.hex[:10]}", third=identity.bytes[0])
    try:
        connection.networkCreateXML(xml).destroy()
    except libvirt.libvirtError as error:
        mend = "does the kernel have bridges (modprobe bridge), is dnsmasq installed (apt-get install dnsmasq-base), iptables?"
        return Result("network", "problem", f"no network can be started: {str(error).splitlines()[0]}", mend)
    return Result("network", "ok", "a network with bridge and DHCP server was started and ended")


def _accelerator(connection: Any, folder: Path) -> Result:
    found = probe_accelerator(connection, folder)
    if found.accelerator == "kvm":
        return Result("accelerator", "ok", f"a guest ran under KVM ({found.seconds:.2f} s); remembered")
    if found.accelerator == "qemu":
        mend = "enable virtualisation in the firmware or nested virtualisation, and open /dev/kvm to the user that QEMU runs as; then run this again"
        return Result("accelerator", "warning", f"guests are emulated (TCG), several times slower, as no guest runs under KVM: {found.reason}", mend)
    return Result("accelerator", "problem", f"no guest runs at all: {found.reason}", "apt-get install --reinstall qemu-system-x86 seabios; see libvirt's log")
