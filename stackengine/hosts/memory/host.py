"""The memory host: domains, networks, pools, published ports."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from stackengine.hosts.memory import xml as read
from stackengine.hosts.memory.devices import DeviceCalls
from stackengine.hosts.memory.faults import Faults
from stackengine.hosts.memory.filters import FilterCalls, check_filters, used_filters
from stackengine.hosts.memory.frozen import FrozenCalls
from stackengine.hosts.memory.migration import MigrationCalls
from stackengine.hosts.memory.networks import NetworkCalls
from stackengine.hosts.memory.pools import PoolCalls
from stackengine.hosts.memory.power import PowerCalls
from stackengine.hosts.memory.state import StateFile, domain_in
from stackengine.hosts.memory.tuning import TuningCalls
from stackengine.hosts.memory.volumes import VolumeCalls, check_secrets
from stackengine.hosts.retrying import again_and_again
from stackengine.sdk import AgentError, DomainInfo, HostError, NotFoundError, PoolInfo, Profile, RefusedError, UnsupportedError

FEATURES = frozenset(
    [
        "agent",
        "channel",
        "hotplug-disk",
        "hotplug-nic",
        "nwfilter",
        "set-memory-live",
        "set-vcpus-live",
        "resize-live",
        "leases",
        "signals-http",
        "console-log",
        "metadata",
        "upload",
        "publish",
        "forwarding",
        "metadata-service",
        "overlay",
        "migrate",
        "switch",
        "bandwidth",
        "uefi",
        "virtiofs",
        "9p",
        "arch-aarch64",
        "tpm",
        "vsock",
        "save",
        "snapshot",
        "copy-live",
    ]
)
PROFILE = Profile("memory", "qemu", machine="pc-q35-memory", features=FEATURES)
_SIGNAL_URL = re.compile(r"http://signal\.stackengine\.internal:\d+/v1/signal/([A-Za-z0-9._-]+)/([A-Za-z0-9]+)")


class MemoryHost(DeviceCalls, FrozenCalls, NetworkCalls, FilterCalls, PoolCalls, VolumeCalls, PowerCalls, TuningCalls, MigrationCalls):
    """Implements ``sdk.Host`` over a state file (or, with ``path`` None, in this object only)."""

    simulated = True

    def __init__(self, name: str = "default", path: Path | None = None, faults: Faults | None = None) -> None:
        self.name, self.uri = name, f"memory://{'' if name == 'default' else name}"
        self.faults = faults or Faults()
        self._file = StateFile(path)

    @cached_property
    def profile(self) -> Profile:
        """What it can do, and which pools it has."""
        return replace(PROFILE, pools=self._kinds())

    def _kinds(self) -> tuple[tuple[str, str], ...]:
        with self._file.reading() as state:
            return tuple(sorted((name, pool.get("type", "dir")) for name, pool in state["pools"].items()))

    def pool_define(self, xml: str) -> PoolInfo:
        """Define and start."""
        found = super().pool_define(xml)
        self.profile = replace(self.profile, pools=self._kinds())
        return found

    @contextmanager
    def _call(self, call: str, *, change: bool = True) -> Iterator[dict[str, Any]]:
        again_and_again(self.faults.enter, call, self.uri, longest=0.05)
        try:
            with self._file.changing() if change else self._file.reading() as state:
                yield state
        except HostError as error:
            error.host, error.call = error.host or self.uri, error.call or call
            raise
        self.faults.leave(call)

    def capacity(self) -> tuple[int, int]:
        """(CPUs, MiB of memory) that the host has."""
        with self._file.reading() as state:
            return 64, state["memory_kib"] >> 10

    def close(self) -> None:
        """Nothing to close."""

    def snapshot(self) -> dict[str, Any]:
        """A copy of everything on the host, to compare with."""
        with self._file.reading() as state:
            return copy.deepcopy(state)

    # domains

    def domain_define(self, xml: str) -> DomainInfo:
        """Define or redefine; another UUID's name is refused (code 9)."""
        domain = read.parse(xml, "domain")
        uuid, name = read.text(domain, "uuid"), read.text(domain, "name")
        if not uuid or not name or not read.memory_kib(domain):
            raise RefusedError("XML error: a domain needs uuid, name and memory", code=27, host=self.uri)
        with self._call("domain_define") as state:
            for other, known in state["domains"].items():
                if known["name"] == name and other != uuid:
                    raise RefusedError(f"operation failed: domain '{name}' already exists with uuid {other}", code=9)
            old = state["domains"].get(uuid, {"state": "shutoff", "live_xml": ""})
            if old.get("name", name) != name:
                raise RefusedError(f"operation failed: domain '{old['name']}' is already defined with uuid {uuid}", code=9)
            sizes = {"memory_kib": read.current_memory_kib(domain), "vcpus": read.vcpus(domain)}
            runs = {k: old[k] for k in sizes if old["state"] == "running"}  # what runs keeps its size until it is set or started anew
            state["domains"][uuid] = {**old, "name": name, "xml": xml, **sizes, **runs}
            return self._domain(uuid, state["domains"][uuid])

    def domain_start(self, uuid: str) -> None:
        """Start; refuses missing networks, filters and disks, MACs and disks in use, and memory that is not there."""
        with self._call("domain_start") as state:
            known = domain_in(state, uuid)
            if known["state"] in ("running", "paused"):
                return
            was_saved = known["state"] == "saved"
            domain = read.parse(known["xml"], "domain")
            self._check_start(state, uuid, domain, read.memory_kib(domain))
            check_filters(state, used_filters(known["xml"]))
            known["state"], known["live_xml"] = "running", known["xml"]
            known["memory_kib"], known["vcpus"] = read.current_memory_kib(domain), read.vcpus(domain)
            if not was_saved:  # a guest that goes on says nothing anew
                self._simulate_guest(state, domain)

    def _check_start(self, state: dict[str, Any], uuid: str, domain: Any, memory: int) -> None:
        active = {n["name"] for n in state["networks"].values() if n["active"]}
        running = {u: read.parse(d["live_xml"], "domain") for u, d in state["domains"].items() if d["state"] == "running" and u != uuid}
        paths = {v["path"] for p in state["pools"].values() for v in p["volumes"].values()}
        check_secrets(state, domain)
        used_macs = {m for other in running.values() for m, _ in read.nics(other)}
        used_disks = {d.path: d.readonly for other in running.values() for d in read.disks(other)}
        for mac, network in read.nics(domain):
            if network not in active:
                raise NotFoundError(f"Network not found: no active network with matching name '{network}'", code=43)
            if mac in used_macs:
                raise RefusedError(f"MAC address {mac} is in use by another running domain", code=1)
        for disk in read.disks(domain):
            if disk.path and disk.path not in paths:
                raise RefusedError(f"Cannot access storage file '{disk.path}': No such file or directory", code=38)
            if disk.path in used_disks and not (disk.readonly and used_disks[disk.path]):
                raise RefusedError(f'Failed to get "write" lock: is another process using the image [{disk.path}]?', code=1)
        taken = sum(read.memory_kib(other) for other in running.values())
        if taken + memory > state["memory_kib"]:
            raise RefusedError("internal error: cannot set up guest memory: Cannot allocate memory", code=1)

    def _simulate_guest(self, state: dict[str, Any], domain: Any) -> None:
        """What a guest would do with its user-data: signal every handle whose URL stands there."""
        for path in (*(d.path for d in read.disks(domain)), *read.firmware_files(domain)):
            for line in self._seed_of(state, path).splitlines():
                for handle, token in _SIGNAL_URL.findall(line):
                    failed = "FAILURE" in line and "SUCCESS" not in line
                    signal = {"handle": handle, "token": token, "by": read.text(domain, "uuid"), "reason": f"simulated guest {read.text(domain, 'name')}"}
                    state["signals"].append({**signal, "status": "FAILURE" if failed else "SUCCESS"})

    def simulated_signals(self, since: int) -> list[dict[str, Any]]:
        """Signals that simulated guests sent, from number ``since`` on."""
        with self._file.reading() as state:
            return [dict(s) for s in state["signals"][since:]]

    def domain_shutdown(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """A simulated guest always listens."""
        check()
        self._stop("domain_shutdown", uuid)

    def domain_destroy(self, uuid: str) -> None:
        """Stop at once."""
        self._stop("domain_destroy", uuid)

    def _stop(self, call: str, uuid: str) -> None:
        with self._call(call) as state:
            if uuid in state["domains"]:
                state["domains"][uuid].update(state="shutoff", live_xml="")

    def domain_reboot(self, uuid: str, timeout: float, check: Callable[[], None]) -> None:
        """Stop and start."""
        self.domain_shutdown(uuid, timeout, check)
        self.domain_start(uuid)

    def domain_undefine(self, uuid: str) -> None:
        """Forget the definition; refused while it runs, as that would make it transient."""
        with self._call("domain_undefine") as state:
            if uuid in state["domains"]:
                if state["domains"][uuid]["state"] == "running":
                    raise RefusedError("Requested operation is not valid: the domain is running", code=55)
                del state["domains"][uuid]

    def domain_info(self, uuid: str) -> DomainInfo | None:
        """The domain, or None."""
        with self._call("domain_info", change=False) as state:
            known = state["domains"].get(uuid)
            return self._domain(uuid, known) if known else None

    def domain_list(self) -> list[DomainInfo]:
        """All domains."""
        with self._call("domain_list", change=False) as state:
            return [self._domain(u, d) for u, d in state["domains"].items()]

    def domain_set_memory(self, uuid: str, kib: int) -> None:
        """Set the balloon."""
        with self._call("domain_set_memory") as state:
            domain_in(state, uuid)["memory_kib"] = kib

    def domain_set_vcpus(self, uuid: str, count: int) -> None:
        """Plug vCPUs."""
        with self._call("domain_set_vcpus") as state:
            domain_in(state, uuid)["vcpus"] = count

    def domain_set_metadata(self, uuid: str, xml: str) -> None:
        """Replace our metadata element."""
        with self._call("domain_set_metadata") as state:
            known = domain_in(state, uuid)
            for key in ("xml", "live_xml"):
                known[key] = re.sub(r"<se:stack\b[^>]*/>|<se:stack\b.*?</se:stack>", lambda _m: xml, known[key], flags=re.DOTALL)

    def domain_addresses(self, uuid: str) -> list[tuple[str, str]]:
        """Leases of a running guest."""
        with self._call("domain_addresses", change=False) as state:
            known = state["domains"].get(uuid)
            if not known or known["state"] != "running":
                return []
            wanted = dict(read.nics(read.parse(known["live_xml"], "domain")))
            return [(m, a) for n in state["networks"].values() for m, a in self._leases(state, n).items() if m in wanted]

    def domain_agent(self, uuid: str, command: Mapping[str, Any], timeout: float = 5) -> Any:
        """The simulated guest's agent: files vanish, commands end at once, and say nothing."""
        with self._call("domain_agent", change=False) as state:
            if domain_in(state, uuid)["state"] != "running":
                raise AgentError("Guest agent is not responding: the domain is not running", code=86)
        match command.get("execute"):
            case "guest-ping" | "guest-file-close":
                return {}
            case "guest-file-open":
                return 1
            case "guest-file-write":
                return {"count": len(str(command.get("arguments", {}).get("buf-b64", ""))), "eof": False}
            case "guest-exec":
                return {"pid": 1}
            case "guest-exec-status":
                return {"exited": True, "exitcode": 0}
        raise UnsupportedError(f"a simulated guest knows no {command.get('execute')}", code=3, host=self.uri, call="domain_agent")

    def domain_console_tail(self, uuid: str, limit: int = 4096) -> str:
        """What a simulated guest prints."""
        with self._call("domain_console_tail", change=False) as state:
            known = state["domains"].get(uuid)
            return f"(simulated guest {known['name']}: no console)" if known else ""

    # small things

    @staticmethod
    def _domain(uuid: str, known: dict[str, Any]) -> DomainInfo:
        return DomainInfo(uuid, known["name"], known["state"], known["xml"], known["live_xml"], known["memory_kib"], known["vcpus"])
