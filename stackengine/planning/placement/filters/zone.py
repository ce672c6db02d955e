"""The zone that was asked for."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    return "" if not wanted.zone or wanted.zone == host.facts.zone else f"it is in zone {host.facts.zone or '(none)'}, not in {wanted.zone}"
