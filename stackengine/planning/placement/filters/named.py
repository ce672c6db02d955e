"""The host, or the group of hosts, that was asked for; and those that were ruled out."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    if wanted.host and wanted.host not in (host.facts.uri, host.facts.name):
        return f"it is not {wanted.host}"
    if wanted.host_group and wanted.host_group not in host.facts.groups:
        return f"it is not in the host group {wanted.host_group}"
    return "it is ruled out" if host.facts.uri in wanted.avoids else ""
