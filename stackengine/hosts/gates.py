"""Watches gates without a thread for each: one thread per host looks at all of them, several times a second; a host that hangs holds up its own only."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from stackengine.engine.ports import Result
from stackengine.sdk import AgentError, FailedError, Gate, Host, HostError, TransientError, UnreachableError

POLL = 0.15
"""Seconds between two looks; a look at a lease costs 0.13 ms."""


@dataclass(slots=True)
class _Watched:
    gate: Gate
    host: Host
    deliver: Callable[[Result], None]
    deadline: float
    seen: str = "nothing came"


ENDED = "it stopped by itself, or somebody stopped it: what it said last stands above; too little memory is a usual cause"


class GateWatcher:
    """``engine.ports.Gates`` for running, lease, agent, tcp and cloud-init; signals are the engine's own."""

    def __init__(self) -> None:
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._threads: set[str] = set()

    def watch(self, key: str, gate: Gate, host: Host, deliver: Callable[[Result], None]) -> None:
        """Deliver once when the gate has come, or with a FailedError."""
        with self._lock:
            self._watched[key] = _Watched(gate, host, deliver, monotonic() + gate.timeout)
            if host.uri not in self._threads:
                self._threads.add(host.uri)
                threading.Thread(target=self._loop, args=(host.uri,), name=f"gates {host.uri}", daemon=True).start()

    def drop(self, key: str) -> None:
        """Stop watching."""
        with self._lock:
            self._watched.pop(key, None)

    def close(self) -> None:
        """Stop watching anything."""
        self._closed.set()

    def _loop(self, uri: str) -> None:
        while not self._closed.wait(POLL):
            with self._lock:
                current = [(k, w) for k, w in self._watched.items() if w.host.uri == uri]
            for key, watched in current:
                result = self._look(key, watched)
                if result is not None:
                    self.drop(key)
                    watched.deliver(result)

    def _look(self, key: str, watched: _Watched) -> Result | None:
        gate, host = watched.gate, watched.host
        try:
            if _come(gate, host, watched):
                return Result(key, {"received": []})
            info = host.domain_info(gate.uuid)
            if info is None or info.state in ("shutoff", "crashed"):
                what = "is gone" if info is None else f"stopped ({info.state})"
                return Result(key, error=FailedError(f"the guest {what} before its gate '{gate.kind}' came", tail=_tail(host, gate), hint=ENDED))
        except FailedError as error:
            return Result(key, error=error)
        except (AgentError, TransientError, UnreachableError) as error:  # it may come back before the gate's time is over
            watched.seen = str(error)
        except Exception as error:  # whatever it is, it is this gate's failure: the others are watched on
            return Result(key, error=error)
        if monotonic() > watched.deadline:
            text = f"the gate '{gate.kind}' did not come within {gate.timeout:g} s: {watched.seen}"
            return Result(key, error=FailedError(text, tail=_tail(host, gate), hint="see the console above; a slow host may need a longer timeout"))
        return None


def _tail(host: Host, gate: Gate) -> str:
    try:
        return host.domain_console_tail(gate.uuid, 3000)
    except HostError as error:
        return str(error)


def _come(gate: Gate, host: Host, watched: _Watched) -> bool:
    if getattr(host, "simulated", False):
        return True
    match gate.kind:
        case "running":
            info = host.domain_info(gate.uuid)
            return info is not None and info.state == "running"
        case "lease":
            found = {m.lower() for m, _ in host.domain_addresses(gate.uuid)}
            watched.seen = f"leases of {', '.join(sorted(found)) or 'nobody'}"
            return bool(found & set(gate.macs))
        case "agent":
            host.domain_agent(gate.uuid, {"execute": "guest-ping"}, 1)
            return True
        case "tcp":
            return _connects(gate, host, watched)
        case "cloud-init":
            return _cloud_init_done(gate, host)
    return False


def _connects(gate: Gate, host: Host, watched: _Watched) -> bool:
    connect: Any = getattr(host, "connect", None)
    if connect is None:
        raise FailedError("the gate 'tcp' needs a host on this machine", hint="use lease, agent or a signal")
    try:
        connect(gate.address, gate.port, 1.0).close()
    except OSError as error:
        watched.seen = f"{gate.address}:{gate.port}: {error}"
        return False
    return True


def _cloud_init_done(gate: Gate, host: Host) -> bool:
    """Whether cloud-init wrote its result; its errors are the guest's failure (cloud-init, /run/cloud-init/result.json)."""
    path = "/run/cloud-init/result.json"
    try:
        handle = host.domain_agent(gate.uuid, {"execute": "guest-file-open", "arguments": {"path": path, "mode": "r"}}, 2)
    except HostError as error:
        if "No such file" in str(error) or isinstance(error, AgentError):
            return False
        raise
    read = host.domain_agent(gate.uuid, {"execute": "guest-file-read", "arguments": {"handle": handle, "count": 65_536}}, 2)
    host.domain_agent(gate.uuid, {"execute": "guest-file-close", "arguments": {"handle": handle}}, 2)
    try:
        errors = json.loads(base64.b64decode(read["buf-b64"])).get("v1", {}).get("errors", [])
    except ValueError:
        return False
    if errors:
        hint = "the user data of the server did this: /var/log/cloud-init-output.log in the guest has all of it"
        raise FailedError(f"cloud-init failed: {'; '.join(map(str, errors))}", tail=_tail(host, gate), hint=hint)
    return True
