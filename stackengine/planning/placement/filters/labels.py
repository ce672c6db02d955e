"""Labels that were asked for."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    missing = sorted(wanted.labels - host.facts.labels)
    return f"it has no label {missing[0]}" if missing else ""
