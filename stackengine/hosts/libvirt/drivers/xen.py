"""Xen through libxl, as measured on Xen 4.17 and libvirt 9.0.

No agent, no channel: what a guest says comes over its console. No packet filters: libxl takes ``<filterref>`` and enforces nothing. A disk that is
in use cannot grow, and there are no snapshots.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from stackengine.hosts.libvirt.drivers import MANAGED_SAVE, Driver, pools_of
from stackengine.hosts.reach import Reach
from stackengine.sdk import Profile

FEATURES = frozenset(
    ["hotplug-disk", "hotplug-nic", "set-memory-live", "set-vcpus-live", "save", "leases", "metadata", "upload", "signals-console"],
)
MODES = {"xenpv": "pv", "xenpvh": "pvh", "xenfv": "hvm"}
"""Machine type in the capabilities -> kind of guest, which is a feature of the host."""
DOM0 = "00000000-0000-0000-0000-000000000000"


def profile(connection: Any, reach: Reach) -> Profile:
    """What it can do; which kinds of guests there are depends on the processor."""
    machines = {m.text for m in ET.fromstring(connection.getCapabilities()).findall("guest/arch/machine")}
    modes = frozenset(feature for machine, feature in MODES.items() if machine in machines)
    features = FEATURES | modes | reach.features | ({"signals-http"} if reach.local else frozenset())
    return Profile(
        "xen", "xen", features=features, undefine_flags=MANAGED_SAVE, local=reach.local, pools=pools_of(connection), disk_bus="xen", disk_prefix="xvd"
    )  # fmt: skip


DRIVER = Driver(profile, shutdown=(0,), hidden=frozenset({DOM0}))
"""It refuses the flags of every way but its own; asked for none, a guest with Xen's drivers is told through xenstore, another one by ACPI."""
