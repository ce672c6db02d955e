"""(d) From a signal to the start of what waits for it, on one clock: over HTTP on the gateway, and through a guest's channel."""

from __future__ import annotations

import base64
import json
import threading
import time
from pathlib import Path

from bench.floor_engine import commits
from bench.private import bench_host
from bench.table import Row, Section
from stackengine.engine.signals import CHANNEL, PORT
from stackengine.events import Event
from stackengine.hosts.private.host import PrivateHost
from stackengine.service import stacks
from stackengine.service.session import Session
from stackengine.service.types import Request

PAUSE = 0.25
"""Seconds before each signal, so that none meets the one before; not a multiple of any interval at which something is looked at."""


def template(count: int) -> str:
    """One guest, and ``count`` steps that each wait for a signal of their own and start something."""
    server = "{type: SE::Server, properties: {image: tiny, memory: 128, shutdown_timeout: 0, networks: [{network: {get_resource: net}}], ready: {gate: agent}}}"
    lines = ["heat_template_version: 2018-08-31", "resources:", "  net: {type: SE::Network, properties: {mode: nat, cidr: auto}}", f"  guest: {server}"]
    for n in range(count):
        before = f"after{n - 1}" if n else "guest"
        lines += [
            f"  handle{n}: {{type: SE::WaitConditionHandle}}",
            f"  wait{n}: {{type: SE::WaitCondition, depends_on: {before}, properties: {{handle: {{get_resource: handle{n}}}, timeout: 300}}}}",
            f"  after{n}: {{type: SE::None, depends_on: wait{n}}}",
        ]
    return "\n".join(lines) + "\n"


class Sender:
    """Sends a signal whenever a step begins to wait, and takes the time until what depends on it has begun."""

    def __init__(self, session: Session, host: PrivateHost, *, channel: bool) -> None:
        self._session, self._host, self._channel = session, host, channel
        self._sent: dict[str, float] = {}
        self.delays: list[float] = []
        self.handles: dict[str, tuple[str, str]] = {}
        self.gateway, self.guest = "", ""

    def watch(self, event: Event) -> None:
        """Called after each commit, in order."""
        number = event.path.lstrip("abcdefghijklmnopqrstuvwxyz")
        if event.kind == "action.configured" and event.path == f"wait{number}":
            threading.Thread(target=self._send, args=(number,), daemon=True).start()
        elif event.kind == "action.begin" and event.path == f"after{number}":
            self.delays.append(1e3 * (time.perf_counter() - self._sent[number]))

    def _send(self, number: str) -> None:
        handle, token = self.handles[f"handle{number}"]
        time.sleep(PAUSE + 0.037 * int(number) % 0.5)
        if self._channel:
            line = json.dumps({"handle": handle, "token": token, "status": "SUCCESS"}) + "\n"
            agent = self._session.host(f"private://{self._host.name}").domain_agent
            port = agent(self.guest, {"execute": "guest-file-open", "arguments": {"path": f"/dev/virtio-ports/{CHANNEL}", "mode": "w"}}, 5)
            written = {"handle": port, "buf-b64": base64.b64encode(line.encode()).decode()}
            agent(self.guest, {"execute": "guest-file-write", "arguments": written}, 5)
            self._sent[number] = time.perf_counter()
            agent(self.guest, {"execute": "guest-file-flush", "arguments": {"handle": port}}, 5)
            agent(self.guest, {"execute": "guest-file-close", "arguments": {"handle": port}}, 5)
            return
        with self._host.connect(self.gateway, PORT) as connection:
            body = b'{"status": "SUCCESS"}'
            head = f"POST /v1/signal/{handle}/{token} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
            self._sent[number] = time.perf_counter()
            connection.sendall(head + body)
            connection.recv(1000)


def delays(session: Session, host: PrivateHost, folder: Path, count: int, *, channel: bool) -> list[float]:
    """Milliseconds of ``count`` signals."""
    file = folder / "signals.yaml"
    file.write_text(template(count), "utf-8")
    preview = stacks.preview(session, Request("signals", file))
    sender = Sender(session, host, channel=channel)
    for action in preview.plan.actions.values():
        identity = action.instance.identity
        if "token" in identity:
            sender.handles[action.path] = (action.instance.physical_id, str(identity["token"]))
        if action.path == "net":
            sender.gateway = str(identity["gateway"])
        if action.path == "guest":
            sender.guest = str(identity["uuid"])
    result = stacks.carry_out(session, preview, watch=sender.watch)
    assert result.status == "complete", result
    stacks.carry_out(session, stacks.preview_down(session, "signals"))
    assert len(sender.delays) == count
    return sender.delays


def measure(quick: bool) -> Section:
    """All lines of this part."""
    count = 5 if quick else 15
    with bench_host() as (session, host, folder):
        http = delays(session, host, folder, count, channel=False)
        channel = delays(session, host, folder, count, channel=True)
        single = 1e3 * commits(folder / "commit.db", 50)
    rows = [
        Row("signal over HTTP to the dependent's start", http, None, "ms"),
        Row("the same over one commit of one small row", [h / single for h in http]),
        Row("signal through the guest's channel to the dependent's start", channel, None, "ms", "with the guest agent's part: it wrote the signal"),
    ]
    text = "From the moment of sending to the durable `action.begin` of what waited for it; every step waits for a signal of its own."
    return Section("(d) Signals", text, rows)
