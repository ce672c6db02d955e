"""A way out of a private host: slirp4netns, which is an ordinary program of this user, so that the machine's firewall and routes stay as they are.

The stacks' networks are behind it: guests of a NAT network go through the host's own network namespace to tap0, and from there as sockets of this
user. slirp4netns holds the lock while it lives, and ends when process 1 ends, as it watches a connection to the broker.
"""

from __future__ import annotations

import os
import select

from stackengine.hosts import processes
from stackengine.hosts.private import packages
from stackengine.hosts.private.broker import Broker
from stackengine.hosts.private.mounts import NAME_SERVER
from stackengine.hosts.private.paths import Paths
from stackengine.sdk import HostError

DEVICE = "tap0"
NETWORK = NAME_SERVER.rpartition(".")[0] + ".0/24"
"""Of the range for benchmarks (RFC 2544), so that a stack's own subnet is hardly ever the same."""
START_SECONDS, END_SECONDS = 20.0, 10.0
STAYS_AS = "outbound"


def is_connected(paths: Paths) -> bool:
    """Whether the host reaches out now."""
    return processes.lives(paths.runtime / "outbound.lock")


def connect(paths: Paths, pid: int) -> None:
    """Let the host reach out; nothing when it does already. HostError when slirp4netns does not start."""
    log = paths.folder / "log" / "outbound.log"
    with processes.holding(paths.runtime / "outbound.lock") as lock:
        if lock is None:
            return
        with Broker(paths.broker).stay(STAYS_AS) as stays:
            ready, tells = os.pipe()
            try:
                options = ["--configure", "--mtu=65520", "--disable-host-loopback", f"--cidr={NETWORK}"]
                options += [f"--exit-fd={stays.fileno()}", f"--ready-fd={tells}"]
                command = [packages.which("slirp4netns") or "slirp4netns", *options, str(pid), DEVICE]
                processes.start_detached(command, log, (lock, stays.fileno(), tells))
                os.close(tells)
                tells = -1
                said = os.read(ready, 1) if select.select([ready], [], [], START_SECONDS)[0] else b""
            finally:
                os.close(ready)
                if tells >= 0:
                    os.close(tells)
    if not said:
        raise HostError(f"the private host {paths.name} got no way out: {processes.last_words(log)}", hint=f"see {log}")


def disconnect(paths: Paths) -> None:
    """Take the way out away; nothing when there is none."""
    if not is_connected(paths):
        return
    Broker(paths.broker).dismiss(STAYS_AS)
    if not processes.wait_until_free(paths.runtime / "outbound.lock", END_SECONDS):
        raise HostError(f"slirp4netns of the private host {paths.name} does not end", hint=f"stack-run hosts stop {paths.name}")
    Broker(paths.broker).wait_until_gone(DEVICE)  # the kernel takes it away a little after its holder has ended
