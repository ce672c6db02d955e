"""libvirt's test driver, and drivers that nothing more is known of."""

from __future__ import annotations

from typing import Any

from stackengine.hosts.libvirt.drivers import MANAGED_SAVE, Driver, pools_of
from stackengine.hosts.reach import Reach
from stackengine.sdk import Profile


def profile(connection: Any, reach: Reach) -> Profile:
    """The test driver keeps definitions and runs nothing; of another one nothing is expected."""
    name = connection.getType().lower()
    if name == "test":
        return Profile("test", "test", features=frozenset({"metadata", "snapshot", "save"}), undefine_flags=0, local=False, pools=pools_of(connection))
    return Profile(name, name, undefine_flags=MANAGED_SAVE, local=reach.local)


DRIVER = Driver(profile)
