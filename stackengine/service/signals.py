"""Where signals come in while an operation waits: HTTP on the gateways, the guests' channels, or a simulated host's record."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from stackengine.engine import SIGNAL
from stackengine.engine.ports import Result
from stackengine.engine.signals import FULL, MAX_BYTES, MAX_SIGNALS, Signal, parse
from stackengine.model.instance import Recorded
from stackengine.planning.plan import Plan
from stackengine.sdk import Host

CONSOLES = "signals-console"
"""The feature of a host whose guests are heard over their consoles."""
POLL = 0.1
"""Seconds between two looks at a simulated host's signals."""


class SignalHub:
    """Collects signals of one operation and delivers them to the executor. Tokens are checked here."""

    def __init__(self, host: Host, plan: Plan, recorded: Recorded, deliver: Callable[[Result], None], others: Sequence[Host] = ()) -> None:
        self._hosts, self._deliver = (host, *others), deliver
        instances = [*recorded.instances.values(), *(a.instance for a in plan.actions.values())]
        self._tokens = {i.physical_id: (str(i.identity["token"]), i.path) for i in instances if "token" in i.identity}
        self._plan, self._recorded = plan, recorded
        self._closed = threading.Event()
        self._numbers = {handle: len(known) for handle, known in recorded.signals.items()}
        """Signals without an id are numbered, on from those that were received before a crash."""
        self._taken = {handle: {str(s["id"]) for s in known} for handle, known in recorded.signals.items()}
        self._bytes = {handle: sum(len(json.dumps(s)) for s in known) for handle, known in recorded.signals.items()}
        gates = [a.gate for a in plan.actions.values() if a.gate is not None and a.gate.kind == "signal"]
        self._most = {gate.handle: max(MAX_SIGNALS, *(g.count for g in gates if g.handle == gate.handle)) for gate in gates}
        self._lock = threading.Lock()
        self._going = {str(a.instance.identity.get("uuid")) for a in plan.actions.values() if a.verb == "delete"}
        self._readers: list[Any] = []

    def __enter__(self) -> SignalHub:
        if not self._tokens and not any(CONSOLES in h.profile.features for h in self._hosts):
            return self
        for host in self._hosts:
            if getattr(host, "simulated", False):
                threading.Thread(target=self._poll, args=(host,), name="signals", daemon=True).start()
            else:
                self._listen(host)
        return self

    def _listen(self, host: Host) -> None:
        from stackengine.hosts.channels import ChannelReader
        from stackengine.hosts.consoles import ConsoleReader
        from stackengine.hosts.listener import SignalListener

        features = host.profile.features
        readers: list[Any] = [SignalListener(host, self.receive, lambda: self._uuids("bridge"))] if "signals-http" in features else []
        for feature, kind in (("channel", ChannelReader), (CONSOLES, ConsoleReader)):
            readers += [kind(host, self.receive, lambda: self._uuids("nics"))] if feature in features else []
        for reader in readers:
            self._readers.append(reader)
            reader.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closed.set()
        for reader in self._readers:
            reader.close()

    def _uuids(self, having: str) -> set[str]:
        """UUIDs of the stack's networks (those with a bridge) or servers (those with interfaces)."""
        instances = [*list(self._recorded.instances.values()), *(a.instance for a in self._plan.actions.values())]
        return {str(i.identity["uuid"]) for i in instances if having in i.identity and "uuid" in i.identity}

    def receive(self, handle: str, token: str, body: bytes) -> str | None:
        """Take a signal in; returns what is wrong with it, or None. Safe from any thread."""
        known = self._tokens.get(handle)
        if known is None or not hmac.compare_digest(known[0].encode(), token.encode("utf-8", "replace")):
            return "there is no such handle"
        with self._lock:
            number = self._numbers[handle] = self._numbers.get(handle, 0) + 1
            try:
                found = parse(body, number)
            except ValueError as error:
                return str(error)
            if not self._has_room(handle, found, len(body)):
                return FULL
        value = {"handle": handle, "path": known[1], "id": found.id, "status": found.status, "reason": found.reason, "data": found.data}
        self._deliver(Result(SIGNAL + handle, value))
        return None

    def _has_room(self, handle: str, signal: Signal, length: int) -> bool:
        """Whether a handle takes this one: a repeated one always, as it is recorded once."""
        taken = self._taken.setdefault(handle, set())
        if signal.id in taken:
            return True
        length += self._bytes.get(handle, 0)
        if len(taken) >= self._most.get(handle, MAX_SIGNALS) or length > MAX_BYTES:
            return False
        taken.add(signal.id)
        self._bytes[handle] = length
        return True

    def _poll(self, host: Host) -> None:
        seen = 0
        while not self._closed.wait(POLL):
            found = host.simulated_signals(seen)  # type: ignore[attr-defined]
            seen += len(found)
            self.hear(found)

    def hear(self, signals: list[dict[str, Any]]) -> None:
        """Take in what simulated guests sent. The record is read from its start: what a guest sent that goes is no news."""
        for signal in signals:
            if signal["by"] not in self._going:
                body = json.dumps({"status": signal["status"], "id": signal["by"], "reason": signal["reason"]})
                self.receive(signal["handle"], signal["token"], body.encode())
