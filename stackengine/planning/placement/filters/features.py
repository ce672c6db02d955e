"""What the driver of the host must be able to do."""

from __future__ import annotations

from stackengine.planning.placement.candidates import Candidate, Wanted


def refuse(host: Candidate, wanted: Wanted) -> str:
    """Why not, or nothing."""
    missing = sorted(wanted.features - host.facts.features)
    return f"it has no {missing[0]}" if missing else ""
