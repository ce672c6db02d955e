"""Whether this machine's kernel can limit bandwidth the way libvirt does it: tried in a network namespace of its own, once per kernel."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from stackengine.hosts.private.launch import into_namespaces
from stackengine.hosts.runtime import write_whole

FILE = "bandwidth.json"
SECONDS = 20
TRY = """
ip link set lo up
tc qdisc add dev lo root handle 1: htb default 1 && tc class add dev lo parent 1: classid 1:1 htb rate 1mbit &&
tc qdisc add dev lo parent 1:1 handle 2: sfq perturb 10 && tc qdisc add dev lo ingress &&
tc filter add dev lo parent ffff: protocol all u32 match u32 0 0 police rate 1mbit burst 10k drop flowid :1
"""
"""What libvirt does to an interface with limits in both directions (src/util/virnetdevbandwidth.c)."""


def kernel_shapes(cache: Path) -> bool:
    """Whether it can; remembered in ``cache``."""
    file, kernel = cache / FILE, os.uname().release
    try:
        known = json.loads(file.read_text())
        if known["kernel"] == kernel:
            return bool(known["shapes"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    try:
        tried = subprocess.run([*into_namespaces(), "--net", "sh", "-c", TRY], capture_output=True, check=False, timeout=SECONDS, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return False
    cache.mkdir(parents=True, exist_ok=True)
    write_whole(file, json.dumps({"kernel": kernel, "shapes": tried.returncode == 0}))
    return tried.returncode == 0
