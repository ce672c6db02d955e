"""What forks must not share is renewed by their guests' agents: random numbers first, then the clock, and by policy names and keys."""

from __future__ import annotations

import base64
import os
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from stackengine.sdk import Host, HostError

POLICIES = ("hostname", "machine-id", "ssh-host-keys")
AGENT_SECONDS = 20.0
_RESEED = """
for d in /var/tmp /tmp /root; do [ -d $d ] && [ -w $d ] && break; done
f=$d/.stackengine-$$; umask 077; cat >$f && chmod 700 $f && $f; r=$?; rm -f $f; exit $r
"""
"""The program is what comes on standard input; /run and /dev/shm may not hold programs."""

# open("/dev/urandom", O_WRONLY); ioctl(fd, RNDADDENTROPY, info); ioctl(fd, RNDRESEEDCRNG); exit(errno); the name, then struct rand_pool_info
_CODE = bytes.fromhex(
    "b802000000488d3d41000000be010000000f0585c0782b89c389dfb810000000be03520840488d15340000000f0585c0781089dfb810000000be0752000031d20f0589c7f7df"
    "b83c0000000f052f6465762f7572616e646f6d00660f1f440000"
)
_BASE = 0x400000


def reseeding_program(fresh: bytes) -> bytes:
    """A Linux program (x86-64, ELF, static, 288 bytes) that adds 64 fresh bytes to the kernel's pool and has its generator seeded anew (random(4)).

    Writing to /dev/urandom would not do: the generator takes from the pool only once in a while, and until then all forks draw the same bytes.
    """
    body = _CODE + struct.pack("<II", len(fresh) * 8, len(fresh)) + fresh
    size = 64 + 56 + len(body)
    head = b"\x7fELF" + bytes([2, 1, 1, 0]) + bytes(8)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _BASE + 120, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 1, 5, 0, _BASE, _BASE, size, size, 0x1000) + body


def renew(host: Host, uuid: str, policies: Sequence[str], name: str, sleep: Callable[[float], None] = time.sleep) -> str:
    """Renew one guest; what could not be done, or nothing. ``name``: what a new host name begins with."""
    try:
        _when_it_answers(host, uuid, sleep)
        done = run(host, uuid, _RESEED, data=reseeding_program(os.urandom(64)))
        missed = [] if done["exitcode"] == 0 else [f"its random numbers could not be renewed (error {done['exitcode']})"]
        rest = run(host, uuid, _script(policies, name, time.time()))
        missed += [line for line in base64.b64decode(rest.get("out-data", "")).decode("utf-8", "replace").splitlines() if line]
    except HostError as error:
        return f"it could not be renewed: {error}"
    return "; ".join(missed)


def _when_it_answers(host: Host, uuid: str, sleep: Callable[[float], None]) -> None:
    end = time.monotonic() + AGENT_SECONDS
    while True:
        try:
            host.domain_agent(uuid, {"execute": "guest-ping"}, 1)
            return
        except HostError:
            if time.monotonic() > end:
                raise
            sleep(0.05)


def _script(policies: Sequence[str], name: str, now: float) -> str:
    """The rest, in the guest's shell; it prints what could not be done."""
    lines = [f"date -u -s @{now:.0f} >/dev/null 2>&1 || echo 'its clock could not be set'"]
    if "hostname" in policies:
        lines.append(f'h="{name}-$(hostname)"; h=$(printf %.63s "$h"); hostname "$h" && echo "$h" >/etc/hostname || echo "it has its old name"')
    if "machine-id" in policies:
        lines.append("{ tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id; } 2>/dev/null || echo 'it has its old machine-id'")
    if "ssh-host-keys" in policies:
        lines += [
            "if command -v ssh-keygen >/dev/null; then rm -f /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null 2>&1;",
            "for k in /etc/ssh/ssh_host_*_key.pub; do cut -d' ' -f1,2 $k >/dev/console; done 2>/dev/null;",  # where we learn them
            "systemctl restart ssh >/dev/null 2>&1 || echo 'it has its old SSH host keys in memory'; else echo 'it has its old SSH host keys'; fi",
        ]
    return "\n".join(lines)


def run(host: Host, uuid: str, script: str, timeout: float = 30.0, data: bytes = b"") -> dict[str, Any]:
    """Run a script in a guest's shell; what guest-exec-status gives at its end. HostError when that does not come in time. ``data``: its standard input."""
    arguments: dict[str, Any] = {"path": "/bin/sh", "arg": ["-c", script], "capture-output": True}
    if data:
        arguments["input-data"] = base64.b64encode(data).decode()
    pid = host.domain_agent(uuid, {"execute": "guest-exec", "arguments": arguments})["pid"]
    end = time.monotonic() + timeout
    while True:
        found: dict[str, Any] = host.domain_agent(uuid, {"execute": "guest-exec-status", "arguments": {"pid": pid}})
        if found.get("exited"):
            return found
        if time.monotonic() > end:
            raise HostError(f"a command in the guest did not end within {timeout:g} s")
        time.sleep(0.02)
