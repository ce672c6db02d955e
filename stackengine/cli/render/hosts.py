"""Hosts and what the doctor finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stackengine.cli.render.style import PLAIN, Style
from stackengine.cli.render.table import table
from stackengine.cli.render.values import to_data
from stackengine.planning.placement import HostFacts, Ratios
from stackengine.service.types import Finding, HostView

_STATES = {"running": "green", "ready": "green", "stopped": "dim", "unreachable": "red", "dead": "red", "cordoned": "yellow", "draining": "yellow"}
_FINDINGS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red"), "skipped": ("-", "dim")}


def listing(hosts: Sequence[HostView], style: Style = PLAIN) -> str:
    """One line for each host; of those of the inventory also what of them is claimed."""
    rows = [[h.uri, style.paint(h.state, _STATES[h.state]), *_claimed(h.facts), ", ".join(h.stacks) or "-"] for h in hosts]
    return table(["uri", "state", "zone", "vCPUs", "memory (MiB)", "servers", "stacks"], rows, style)


def _claimed(host: HostFacts | None) -> list[str]:
    if host is None:
        return ["-", "-", "-", "-"]
    return [host.zone or "-", f"{host.used_vcpus} of {host.vcpus}", f"{host.used_memory} of {host.memory}", str(host.servers)]


def facts(host: HostFacts, ratios: Ratios) -> str:
    """What a host of the inventory has, and what of it is claimed."""
    ratios = host.ratios or ratios
    rows = [["state", host.state], ["zone", host.zone or "-"], ["labels", ", ".join(sorted(host.labels)) or "-"]]
    rows += [["groups", ", ".join(sorted(host.groups)) or "-"], ["underlay", host.underlay or "-"]]
    rows += [["vCPUs", f"{host.used_vcpus} claimed of {host.vcpus} (up to {host.vcpus * ratios.vcpus:g})"]]
    rows += [["memory", f"{host.used_memory} MiB claimed of {host.memory} (up to {host.memory * ratios.memory:g})"]]
    rows += [["servers", str(host.servers)], ["stacks", str(host.stacks)], ["can", ", ".join(sorted(host.features)) or "-"]]
    return table([host.uri, ""], rows)


def facts_data(host: HostFacts, ratios: Ratios) -> dict[str, Any]:
    """The same as JSON."""
    ratios = host.ratios or ratios
    found = {k: getattr(host, k) for k in ("state", "zone", "underlay", "vcpus", "memory", "used_vcpus", "used_memory", "stacks", "servers")}
    ratio = {"vcpus": ratios.vcpus, "memory": ratios.memory}
    return {**found, "labels": sorted(host.labels), "groups": sorted(host.groups), "features": sorted(host.features), "overcommit": ratio}


def finding(found: Finding, style: Style = PLAIN) -> str:
    """What was looked at, how it is, how to mend it."""
    glyph, color = _FINDINGS[found.status]
    status = "" if found.status in ("ok", "problem") else f" ({found.status})"
    line = f"{style.paint(style.glyph(glyph), color, 'bold')} {found.check}{status}: {found.message}"
    if found.mend:
        line += "".join(f"\n    {style.paint('mend', 'cyan')}: {m}" if i == 0 else f"\n          {m}" for i, m in enumerate(found.mend.splitlines()))
    return line


def verdict(uri: str, found: Sequence[Finding]) -> str:
    """One line: how the host is."""
    count = sum(1 for f in found if f.status == "problem")
    return f"{uri}: {count} problem{'s' if count > 1 else ''}" if count else f"{uri}: nothing is wrong"


def host_data(host: HostView) -> dict[str, Any]:
    """A host as JSON."""
    return {
        "name": host.name,
        "uri": host.uri,
        "host_kind": host.kind,
        "state": host.state,
        "stacks": list(host.stacks),
        "accelerator": host.accelerator,
        "details": to_data(host.details),
    }


def finding_data(found: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {"check": found.check, "status": found.status, "message": found.message, "mend": found.mend}
